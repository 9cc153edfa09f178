"""The history as the HTTP API shows it (EXT DurableClient.cs, GetDurableOrchestrationStatusAsync)."""

from collections.abc import Sequence

from localhost.engine.events import Event, EventType, RuntimeStatus

_NAMES = {
    EventType.EXECUTION_STARTED: "ExecutionStarted",
    EventType.EXECUTION_COMPLETED: "ExecutionCompleted",
    EventType.EXECUTION_TERMINATED: "ExecutionTerminated",
    EventType.TASK_COMPLETED: "TaskCompleted",
    EventType.TASK_FAILED: "TaskFailed",
    EventType.TASK_SCHEDULED: "TaskScheduled",
    EventType.SUB_ORCHESTRATION_CREATED: "SubOrchestrationInstanceCreated",
    EventType.SUB_ORCHESTRATION_COMPLETED: "SubOrchestrationInstanceCompleted",
    EventType.SUB_ORCHESTRATION_FAILED: "SubOrchestrationInstanceFailed",
    EventType.TIMER_CREATED: "TimerCreated",
    EventType.TIMER_FIRED: "TimerFired",
    EventType.EVENT_SENT: "EventSent",
    EventType.EVENT_RAISED: "EventRaised",
    EventType.GENERIC: "GenericEvent",
    EventType.EXECUTION_SUSPENDED: "ExecutionSuspended",
    EventType.EXECUTION_RESUMED: "ExecutionResumed",
}
_ENDS = {
    EventType.TASK_COMPLETED,
    EventType.TASK_FAILED,
    EventType.SUB_ORCHESTRATION_COMPLETED,
    EventType.SUB_ORCHESTRATION_FAILED,
}


def history_view(events: Sequence[Event], *, with_output: bool) -> list[dict[str, object]]:
    """Answer what happened: scheduling folded into its end, bookkeeping left out, results only if asked for."""
    ended = {event.target for event in events if event.type in _ENDS}
    scheduled = {
        event.id: event
        for event in events
        if event.type in (EventType.TASK_SCHEDULED, EventType.SUB_ORCHESTRATION_CREATED)
    }
    return [
        _shown(event, scheduled, with_output=with_output)
        for event in events
        if event.type in _NAMES
        and not (event.id in ended and event.id in scheduled and scheduled[event.id] is event)
    ]


def _shown(event: Event, scheduled: dict[int, Event], *, with_output: bool) -> dict[str, object]:
    shown: dict[str, object] = {"EventType": _NAMES[event.type], "Timestamp": event.at}
    if event.type in _ENDS and (start := scheduled.get(event.target)) is not None:
        shown |= {"ScheduledTime": start.at, "FunctionName": start.name}
    match event.type:
        case EventType.EXECUTION_STARTED:
            shown |= {"FunctionName": event.name, "ScheduledStartTime": None}
        case EventType.TASK_SCHEDULED | EventType.SUB_ORCHESTRATION_CREATED:
            shown["Name"] = event.name
        case EventType.EVENT_RAISED | EventType.EVENT_SENT:
            shown |= {"Name": event.name, "Input": event.input}
        case EventType.EXECUTION_COMPLETED:
            shown["OrchestrationStatus"] = RuntimeStatus(event.status).text
        case EventType.TIMER_CREATED | EventType.TIMER_FIRED:
            shown["FireAt"] = event.fire_at
        case _:
            pass
    if event.reason is not None:
        shown["Reason"] = event.reason
    if event.details is not None:
        shown["Details"] = event.details
    if with_output and event.result is not None:
        shown["Result"] = event.result
    return shown

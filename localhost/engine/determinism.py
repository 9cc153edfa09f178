"""Whether a replay still asks for what history says it asked for, in the framework's own words.

Texts follow DTFX TaskOrchestrationContext.cs (HandleTaskScheduledEvent and its siblings).
"""

from localhost.engine.events import Event, EventType

_DETECTED = "Non-Deterministic workflow detected: "
_CHANGED = " Was a change made to the orchestrator code after this instance had already started running?"

_ACTION_NAMES = {
    EventType.TASK_SCHEDULED: "ScheduleTaskOrchestratorAction",
    EventType.SUB_ORCHESTRATION_CREATED: "CreateSubOrchestrationAction",
    EventType.TIMER_CREATED: "CreateTimerOrchestratorAction",
    EventType.EVENT_SENT: "SendEventOrchestratorAction",
}


def disagreement(recorded: Event, wanted: Event | None) -> str | None:
    """Answer what a recorded decision and the present one disagree about; None when they agree."""
    if wanted is None:
        return _missing(recorded)
    if wanted.type is not recorded.type:
        return _found(
            f"{_kind(recorded)} with sequence number {recorded.id}{_named(recorded)}, but the current "
            f"orchestration replay instead produced a {_ACTION_NAMES[wanted.type]} action with this sequence "
            "number."
        )
    if _target(wanted).lower() != _target(recorded).lower():
        return _found(
            f"{_kind(recorded)} with sequence number {recorded.id}{_named(recorded)}, but the current "
            f"orchestration replay instead scheduled {_kind(wanted)}{_named(wanted)} with this sequence number. "
        )
    return None


def _missing(recorded: Event) -> str:
    match recorded.type:
        case EventType.TASK_SCHEDULED:
            what = f"sequence ID {recorded.id} and name '{recorded.name}' (version '{recorded.version or ''}')"
        case EventType.SUB_ORCHESTRATION_CREATED:
            what = (
                f"sequence ID {recorded.id} and name '{recorded.name}' (version '{recorded.version or ''}', "
                f"instance ID '{recorded.instance_id}')"
            )
        case EventType.EVENT_SENT:
            what = (
                f"sequence ID {recorded.id}, type 'EventSent', name '{recorded.name}', "
                f"instance ID '{recorded.instance_id}'"
            )
        case _:
            what = f"sequence number {recorded.id}"
    return _found(
        f"{_kind(recorded)} with {what}, but the current replay execution hasn't (yet?) scheduled this task."
    )


def _found(text: str) -> str:
    return f"{_DETECTED}A previous execution of this orchestration scheduled {text}{_CHANGED}"


def _kind(event: Event) -> str:
    return {
        EventType.TASK_SCHEDULED: "an activity task",
        EventType.SUB_ORCHESTRATION_CREATED: "a sub-orchestration task",
        EventType.TIMER_CREATED: "a timer task",
        EventType.EVENT_SENT: "a send event task",
    }[event.type]


def _named(event: Event) -> str:
    return f" named '{_target(event)}'" if _target(event) else ""


def _target(event: Event) -> str:
    return (event.instance_id if event.type is EventType.EVENT_SENT else event.name) or ""

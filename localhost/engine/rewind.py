"""Rewinding: a failed history without its failures (DTFX AzureStorageOrchestrationService, RewindHistoryAsync)."""

from collections.abc import Sequence
from dataclasses import replace

from localhost.engine.events import Event, EventType, RuntimeStatus


def rewound(events: Sequence[Event], reason: str) -> tuple[list[Event], list[str]]:
    """Answer the history as if nothing had failed, and the children that failed.

    A failed activity is no longer scheduled, so the replay schedules it again; a failed child stays created, for
    it is rewound itself and will answer. Both leave a generic event in their place.
    """
    failed = {event.target for event in events if event.type is EventType.TASK_FAILED}
    failed_children = {event.target for event in events if event.type is EventType.SUB_ORCHESTRATION_FAILED}
    children = [
        event.instance_id or ""
        for event in events
        if event.type is EventType.SUB_ORCHESTRATION_CREATED and event.id in failed_children
    ]
    return [_without_failure(event, failed, reason) for event in events], children


def _without_failure(event: Event, failed: set[int], reason: str) -> Event:
    is_failure = event.type in (EventType.TASK_FAILED, EventType.SUB_ORCHESTRATION_FAILED)
    is_its_schedule = event.type is EventType.TASK_SCHEDULED and event.id in failed
    is_failed_end = event.type is EventType.EXECUTION_COMPLETED and event.status == RuntimeStatus.FAILED
    if not (is_failure or is_its_schedule or is_failed_end):
        return event
    return replace(event, type=EventType.GENERIC, reason=f"Rewound: {event.type.name}: {reason}")

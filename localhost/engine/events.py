"""The history of an orchestration, as the Durable Task Framework keeps it.

Names and numbers are those of Azure/durabletask, src/DurableTask.Core/History; an event is stored as the JSON that
framework writes, every member present, which is also the form Python is shown.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import IntEnum
from typing import Any


class EventType(IntEnum):
    """What happened (DurableTask.Core/History/EventType.cs)."""

    EXECUTION_STARTED = 0
    EXECUTION_COMPLETED = 1
    EXECUTION_TERMINATED = 3
    TASK_SCHEDULED = 4
    TASK_COMPLETED = 5
    TASK_FAILED = 6
    SUB_ORCHESTRATION_CREATED = 7
    SUB_ORCHESTRATION_COMPLETED = 8
    SUB_ORCHESTRATION_FAILED = 9
    TIMER_CREATED = 10
    TIMER_FIRED = 11
    ORCHESTRATOR_STARTED = 12
    ORCHESTRATOR_COMPLETED = 13
    EVENT_SENT = 14
    EVENT_RAISED = 15
    GENERIC = 17
    EXECUTION_SUSPENDED = 19
    EXECUTION_RESUMED = 20


class RuntimeStatus(IntEnum):
    """Where an orchestration stands (DurableTask.Core/OrchestrationStatus.cs)."""

    RUNNING = 0
    COMPLETED = 1
    CONTINUED_AS_NEW = 2
    FAILED = 3
    CANCELED = 4
    TERMINATED = 5
    PENDING = 6
    SUSPENDED = 7

    @property
    def is_final(self) -> bool:
        """Whether nothing more will happen to the instance by itself."""
        return self in _FINAL

    @property
    def text(self) -> str:
        """Answer the name the HTTP API uses."""
        return _STATUS_TEXT[self]


_FINAL = frozenset(
    {RuntimeStatus.COMPLETED, RuntimeStatus.FAILED, RuntimeStatus.CANCELED, RuntimeStatus.TERMINATED}
)
_STATUS_TEXT = {status: "".join(part.title() for part in status.name.split("_")) for status in RuntimeStatus} | {
    RuntimeStatus.CONTINUED_AS_NEW: "ContinuedAsNew"
}


@dataclass(frozen=True, slots=True)
class Parent:
    """Who called a sub-orchestration, and as which task of his."""

    instance_id: str
    execution_id: str
    name: str
    task_id: int
    version: str | None = None


@dataclass(frozen=True, slots=True)
class Event:
    """One event of a history: a message that arrived, or a decision that was taken.

    `id` is the sequence number of a decision and -1 on a message; `target` is the number of the decision that a
    message answers. Payloads (`input`, `result`) are JSON text.
    """

    type: EventType
    at: str
    id: int = -1
    target: int = -1
    name: str | None = None
    version: str | None = None
    instance_id: str | None = None
    execution_id: str | None = None
    parent: Parent | None = None
    input: str | None = None
    result: str | None = None
    reason: str | None = None
    details: str | None = None
    fire_at: str | None = None
    status: int = 0
    played: bool = False

    def as_played(self) -> "Event":
        """Answer the same event as the next replay will see it."""
        return replace(self, played=True)


def timestamp(moment: datetime) -> str:
    """Write a moment as the framework does: UTC, ISO 8601, a trailing Z."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def moment(text: str) -> datetime:
    """Read a moment written by `timestamp`, or by the SDK with a trailing Z."""
    return datetime.fromisoformat(text).astimezone(UTC)


def encode(event: Event) -> str:
    """Write one event as JSON text, every member of its type present."""
    members: dict[str, object] = {
        "EventType": int(event.type),
        "EventId": event.id,
        "IsPlayed": event.played,
        "Timestamp": event.at,
    }
    for name, attribute in _MEMBERS.get(event.type, ()):
        members[name] = getattr(event, attribute)
    if event.type is EventType.EXECUTION_STARTED:
        members |= _started_members(event)
    return json.dumps(members, separators=(",", ":"))


def decode(members: Mapping[str, Any]) -> Event:
    """Read one event back from its parsed JSON."""
    kind = EventType(members["EventType"])
    found: dict[str, Any] = {attribute: members.get(name) for name, attribute in _MEMBERS.get(kind, ())}
    if kind is EventType.EXECUTION_STARTED:
        instance = members["OrchestrationInstance"]
        found |= {
            "instance_id": instance["InstanceId"],
            "execution_id": instance["ExecutionId"],
            "parent": _read_parent(members.get("ParentInstance")),
        }
    return Event(type=kind, at=members["Timestamp"], id=members["EventId"], played=members["IsPlayed"], **found)


def decode_many(texts: str) -> list[Event]:
    """Read events from their comma-separated JSON texts."""
    return [decode(members) for members in json.loads(f"[{texts}]")]


def encode_many(events: list[Event]) -> str:
    """Write events as comma-separated JSON texts, ready to be joined with others."""
    return ",".join(map(encode, events))


_MEMBERS: dict[EventType, tuple[tuple[str, str], ...]] = {
    EventType.EXECUTION_STARTED: (("Name", "name"), ("Version", "version"), ("Input", "input")),
    EventType.EXECUTION_COMPLETED: (
        ("OrchestrationStatus", "status"),
        ("Result", "result"),
        ("FailureDetails", "details"),
    ),
    EventType.EXECUTION_TERMINATED: (("Input", "input"),),
    EventType.TASK_SCHEDULED: (("Name", "name"), ("Version", "version"), ("Input", "input")),
    EventType.TASK_COMPLETED: (("TaskScheduledId", "target"), ("Result", "result")),
    EventType.TASK_FAILED: (("TaskScheduledId", "target"), ("Reason", "reason"), ("Details", "details")),
    EventType.SUB_ORCHESTRATION_CREATED: (
        ("Name", "name"),
        ("Version", "version"),
        ("InstanceId", "instance_id"),
        ("Input", "input"),
    ),
    EventType.SUB_ORCHESTRATION_COMPLETED: (("TaskScheduledId", "target"), ("Result", "result")),
    EventType.SUB_ORCHESTRATION_FAILED: (
        ("TaskScheduledId", "target"),
        ("Reason", "reason"),
        ("Details", "details"),
    ),
    EventType.TIMER_CREATED: (("FireAt", "fire_at"),),
    EventType.TIMER_FIRED: (("TimerId", "target"), ("FireAt", "fire_at")),
    EventType.EVENT_SENT: (("InstanceId", "instance_id"), ("Name", "name"), ("Input", "input")),
    EventType.EVENT_RAISED: (("Name", "name"), ("Input", "input")),
    EventType.GENERIC: (("Data", "reason"),),
    EventType.EXECUTION_SUSPENDED: (("Reason", "reason"),),
    EventType.EXECUTION_RESUMED: (("Reason", "reason"),),
}


def _started_members(event: Event) -> dict[str, object]:
    parent = event.parent
    return {
        "OrchestrationInstance": {"InstanceId": event.instance_id, "ExecutionId": event.execution_id},
        "ParentInstance": parent
        and {
            "Name": parent.name,
            "Version": parent.version,
            "OrchestrationInstance": {"InstanceId": parent.instance_id, "ExecutionId": parent.execution_id},
            "TaskScheduleId": parent.task_id,
        },
        "Tags": None,
        "Correlation": None,
        "ParentTraceContext": None,
        "ScheduledStartTime": None,
        "Generation": None,
    }


def _read_parent(members: Mapping[str, Any] | None) -> Parent | None:
    if members is None:
        return None
    return Parent(
        instance_id=members["OrchestrationInstance"]["InstanceId"],
        execution_id=members["OrchestrationInstance"]["ExecutionId"],
        name=members["Name"],
        task_id=members["TaskScheduleId"],
        version=members["Version"],
    )

"""Jobs: what is stored of one, and what follows from the clock."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING

from simulator.estate import Act

if TYPE_CHECKING:
    from collections.abc import Callable

    from simulator.envelopes import Trace
    from simulator.ids import Ids
    from simulator.plans import PlanRun


class JobState(StrEnum):
    """The states of a job that were seen, and those the models name."""

    NOT_STARTED = "NotStarted"
    IN_PROGRESS = "InProgress"
    SUCCEEDED = "Succeeded"
    FAILED = "Failed"
    CANCELLED = "Cancelled"
    SUSPENDED = "Suspended"
    COMPLETED_WITH_INFORMATION = "CompletedWithInformation"  # recorded: it succeeded, with an error of level Info


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskSpec:
    """One task of a scenario; `begin` and `end` are shares of the whole job.

    Without a `task_id` every job gives it a GUID; `child` makes it a group, of no tasks where it is empty.
    """

    task_id: str
    name: str
    friendly_name: str
    begin: float = 0.0
    end: float = 1.0
    skipped: bool = False
    child: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """What a kind of job is called and made of."""

    name: str
    friendly_name: str
    details: str
    tasks: tuple[TaskSpec, ...]


SHUTDOWN_TASK = "ShutdownVmOnPrimaryForUFO"
CHILD_TASK = "EnableDr"
"""The task that a re-protect runs a job of its own for, by that job's scenario."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JobError:
    """One entry of a job's errors[], as the service's models shape it."""

    code: str
    message: str
    possible_causes: str = ""
    recommended_action: str = ""
    task_id: str | None = None
    level: str = "Error"


@dataclass(frozen=True, slots=True, kw_only=True)
class PointUsed:
    """The recovery point a failover used, and the network it went to: told once the job has ended."""

    name: str
    time: datetime
    network: str
    subnet: str


@dataclass(slots=True, kw_only=True, eq=False)
class Job:
    """One job; its tasks' states follow from the clock, only its end is stored."""

    id: str
    vault_id: str
    scenario: Scenario
    started: datetime
    duration: timedelta
    client_request_id: str
    correlation_id: str
    operation_id: str
    act: Act | None = None
    item_id: str | None = None
    target_object_id: str = ""
    target_name: str = ""
    target_type: str = "ProtectionEntity"
    ends: datetime | None = None
    outcome: JobState = JobState.SUCCEEDED
    errors: list[JobError] = field(default_factory=list["JobError"])
    failed_task: int | None = None
    warning: JobError | None = None
    skip_shutdown_error: JobError | None = None
    affected: dict[str, object] = field(default_factory=dict[str, object])
    details: dict[str, object] = field(default_factory=dict[str, object])
    point: PointUsed | None = None
    listed: bool = True
    cancellable: bool = True
    reads_late: bool = False
    run: PlanRun | None = None
    again: Callable[[Trace], Job] | None = None

    def over(self, now: datetime) -> bool:
        """Answer whether it has ended."""
        return self.ends is not None and now >= self.ends

    def state(self, now: datetime) -> JobState:
        """Answer the state a read shows; a job that warns ends with information (recorded)."""
        if not self.over(now):
            return JobState.IN_PROGRESS
        warns = self.warning is not None and self.outcome is JobState.SUCCEEDED
        return JobState.COMPLETED_WITH_INFORMATION if warns else self.outcome

    def told(self) -> list[JobError]:
        """Answer all that a read tells of what went wrong, a warning last."""
        return [*self.errors, *([self.warning] if self.warning else [])]

    def task_id(self, task: TaskSpec, ids: Ids) -> str:
        """Answer what a task of this job is called: its fixed name, or a GUID of its own."""
        return task.task_id or ids.fixed("task", self.id, task.name)

    def task_times(self, task: TaskSpec) -> tuple[datetime, datetime]:
        """Answer when a task begins and ends if nothing stops the job."""
        return self.started + self.duration * task.begin, self.started + self.duration * task.end

    def activity_id(self) -> str:
        """Answer who asked for it: the client's own id first (recorded)."""
        return f"{self.client_request_id} ActivityId: {self.correlation_id}"

    def arm_id(self) -> str:
        """Answer the job's own id."""
        return f"{self.vault_id}/replicationJobs/{self.id}"

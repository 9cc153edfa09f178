"""How the faults of a job bend it: when it ends, as what, and with which errors."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simulator.effects import new_name
from simulator.estate import Act
from simulator.faults import Fault, FaultName, Occasion
from simulator.jobs import CHILD_TASK, JobError, JobState
from simulator.locks import lock_of, locked_message
from simulator.providers.capacity import quota_is_exceeded

if TYPE_CHECKING:
    from simulator.effects import Started
    from simulator.model import Item
    from simulator.world import World


def faults_of(world: World, item: Item, act: Act) -> dict[FaultName, Fault]:
    """Answer the faults that strike a job of this act as it starts."""
    occasion = Occasion(act=act, item=item.id)
    names = [FaultName.JOB_FAILS, FaultName.JOB_HANGS, FaultName.JOB_CANCELLED, FaultName.JOB_WARNS]
    if act in {Act.FAILOVER, Act.TEST_FAILOVER}:
        names += [FaultName.REGION_OUT_OF_CAPACITY]
    if act in {Act.FAILOVER, Act.TEST_FAILOVER, Act.CHANGE_RECOVERY_POINT}:
        names += [FaultName.NO_HEARTBEAT, FaultName.ARRIVES_OTHERWISE]
    if act is Act.FAILOVER:
        names.append(FaultName.SOURCE_WILL_NOT_SHUT_DOWN)
    if act is Act.TEST_FAILOVER_CLEANUP:
        names.append(FaultName.DISK_LEFT_BEHIND)
    struck = {name: world.faults.strike(name, occasion, world.now) for name in names}
    return {name: fault for name, fault in struck.items() if fault}


def bend(started: Started) -> None:
    """Give a job the end its faults say: none at all, a failure, a cancelling, a warning."""
    job, faults = started.job, started.faults
    if FaultName.JOB_HANGS in faults:
        job.ends = None
    elif failing := _failure(started):
        _fail(started, *failing)
    elif FaultName.JOB_CANCELLED in faults:
        job.ends = job.started + job.duration / 2
        job.outcome = JobState.CANCELLED
    if FaultName.JOB_WARNS in faults:
        job.warning = _renamed(started)


def _failure(started: Started) -> tuple[int, JobError] | None:
    tasks = started.job.scenario.tasks
    if fault := started.faults.get(FaultName.REGION_OUT_OF_CAPACITY):
        return len(tasks) - 2, _capacity(started.item, fault)
    if exceeded := _over_quota(started):
        return len(tasks) - 2, exceeded
    if locked := _locked(started):
        return len(tasks) - 1, locked
    fault = started.faults.get(FaultName.JOB_FAILS)
    if fault is None:
        return None
    wanted = (fault.task or tasks[-1].name).lower()
    names = [{t.task_id.lower(), t.name.lower(), t.friendly_name.lower()} for t in tasks]
    at = next((i for i, known in enumerate(names) if wanted in known), len(tasks) - 1)
    return at, JobError(
        code=fault.code or "150253",
        message=fault.message or "The operation could not be completed.",
        possible_causes="The provider reported an error.",
        recommended_action="Resolve the error and try the operation again.",
        task_id=started.job.task_id(tasks[at], started.world.ids),
    )


def _over_quota(started: Started) -> JobError | None:
    """Answer how a machine without room in its region fails; invented: the code of an exceeded quota in a job."""
    item = started.item
    starts = started.job.act in {Act.FAILOVER, Act.TEST_FAILOVER}
    size = item.machine.target_size or item.machine.size
    if not starts or not quota_is_exceeded(started.world, item.target.region, size):
        return None
    return JobError(
        code="QuotaExceeded",
        message="Operation could not be completed as it results in exceeding approved Total "
        f"Regional Cores quota in {item.target.region_name}.",
        recommended_action="Ask for more cores in the region, then try the operation again.",
    )


def _locked(started: Started) -> JobError | None:
    """Answer how a lock stops the deletion of a test machine (reported; invented: the code of a lock in a job)."""
    vm_id = started.item.test_vm_id
    if started.job.act is not Act.TEST_FAILOVER_CLEANUP or vm_id is None:
        return None
    scope = lock_of(started.world, vm_id)
    return JobError(code="ScopeLocked", message=locked_message(vm_id, scope)) if scope else None


def _capacity(item: Item, fault: Fault) -> JobError:
    # invented: the code of missing capacity; the wording follows Azure's allocation failures
    return JobError(
        code=fault.code or "AllocationFailed",
        message=fault.message
        or f"Allocation failed. {item.target.region_name} has no sufficient capacity for {item.machine.size}.",
        possible_causes="The region has no capacity for the requested size at the moment.",
        recommended_action="Choose another size, or try again later.",
    )


def _renamed(started: Started) -> JobError:
    """Write the warning recorded with a failover that succeeded under another name."""
    item, job = started.item, started.job
    message = f"The VM name '{item.machine.name}' was modified to '{new_name(item)}' to avoid name conflicts."
    last = job.scenario.tasks[-1]
    at = CHILD_TASK if last.child else job.task_id(last, started.world.ids)
    return JobError(code="28175", message=message, task_id=at, level="Info")


def _fail(started: Started, at: int, error: JobError) -> None:
    job = started.job
    _, ends = job.task_times(job.scenario.tasks[at])
    job.failed_task = at
    job.errors = [error]
    job.outcome = JobState.FAILED
    job.ends = max(ends, job.started)

"""The acts on a protected item: whether they may begin, the job they start, what its end changes."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING

from simulator.arm import key
from simulator.envelopes import Refused, Trace, refused
from simulator.estate import Act
from simulator.faults import Fault, FaultName, Occasion
from simulator.jobs import (
    FAILOVER_WITHOUT_SHUTDOWN,
    SCENARIOS,
    SHUTDOWN_TASK,
    Job,
    JobError,
    JobState,
    PointUsed,
    Scenario,
)
from simulator.lifecycle import LABEL_OUTLIVES_CLEANUP, SUCCEEDS_TO, State, allows
from simulator.recovery_points import Point, PointKind, find, newest

if TYPE_CHECKING:
    from datetime import timedelta

    from simulator.model import Item
    from simulator.world import World

DURATION_NAMES = {
    Act.TEST_FAILOVER: "test_failover",
    Act.TEST_FAILOVER_CLEANUP: "test_failover_cleanup",
    Act.FAILOVER: "failover",
    Act.CHANGE_RECOVERY_POINT: "change_recovery_point",
    Act.COMMIT: "commit",
    Act.REPROTECT: "reprotect",
    Act.CANCEL_FAILOVER: "cancel_failover",
    Act.DISABLE: "disable",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What a caller asks of an act, beyond its name."""

    shut_down_source: bool = False
    point_id: str | None = None
    network_id: str | None = None
    network_type: str = ""
    comments: str = ""
    point_kind: PointKind = PointKind.PROCESSED


@dataclass(frozen=True, slots=True, kw_only=True)
class _Started:
    """A job with what its end needs to know."""

    world: World
    item: Item
    job: Job
    wish: Wish
    point: Point | None = None
    faults: dict[FaultName, Fault] = field(default_factory=dict["FaultName", "Fault"])


def begin(world: World, item: Item, act: Act, wish: Wish, trace: Trace) -> Job:
    """Start an act on an item and answer its job, or raise `Refused` with the service's envelope."""
    trace.act, trace.item = str(act), item.id
    check(world, item, act, trace)
    point = _choose_point(world, item, act, wish, trace)
    job = _make_job(world, item, act, wish, trace)
    started = _Started(
        world=world,
        item=item,
        job=job,
        wish=wish,
        point=point,
        faults=_faults_of(world, item, act),
    )
    item.holder = job
    trace.operation = job.operation_id
    job.again = partial(begin, world, item, act, wish)
    _describe(started)
    _schedule(started)
    world.keep(job)
    return job


def check(world: World, item: Item, act: Act, trace: Trace) -> None:
    """Raise `Refused` unless the act may begin on the item now."""
    if item.holder is not None:
        raise Refused(  # invented: 409 and its code; no conflict was recorded
            refused(
                409,
                "OperationInProgress",
                f"The job '{item.holder.scenario.friendly_name}' is in progress on '{item.name}'.",
                "Wait until the job has ended, then try again.",
                trace,
            )
        )
    if act is Act.COMMIT:
        occasion = Occasion(act=act, item=item.id)
        fault = world.faults.strike(FaultName.COMMIT_REFUSED, occasion, world.now)
        if fault:
            _refuse_state(item, act, trace, fault.message)
    if not allows(item.state, act):
        _refuse_state(item, act, trace, None)


def _refuse_state(item: Item, act: Act, trace: Trace, message: str | None) -> None:
    raise Refused(  # invented: 400 and its code; no refusal for a wrong state was recorded
        refused(
            400,
            "OperationNotAllowed",
            message or f"'{act}' cannot be performed on '{item.name}' in its current state.",
            "Look at the allowed operations of the replication protected item.",
            trace,
        )
    )


def _choose_point(world: World, item: Item, act: Act, wish: Wish, trace: Trace) -> Point | None:
    if act not in {Act.FAILOVER, Act.TEST_FAILOVER, Act.CHANGE_RECOVERY_POINT}:
        return None
    if wish.point_id is None:
        return newest(item, world.ids, world.now, wish.point_kind)
    found = find(item, world.ids, world.now, wish.point_id)
    if found is None:
        raise Refused(  # invented: how an unknown point is refused was not recorded
            refused(
                400,
                "RecoveryPointNotFound",
                f"The recovery point '{wish.point_id}' does not exist.",
                "Choose a recovery point from the item's list.",
                trace,
            )
        )
    return found


def _make_job(world: World, item: Item, act: Act, wish: Wish, trace: Trace) -> Job:
    scenario, duration = _scenario(world, item, act, wish)
    job_id = world.ids.fresh("job")
    return Job(
        id=job_id,
        operation_id=job_id,
        vault_id=item.vault.id,
        scenario=scenario,
        started=world.now,
        duration=duration,
        ends=world.now + duration,
        client_request_id=trace.client_request_id,
        correlation_id=trace.correlation_id,
        act=act,
        item_id=item.id,
        target_object_id=item.entity_id,
        target_name=item.machine.name,
    )


def _scenario(world: World, item: Item, act: Act, wish: Wish) -> tuple[Scenario, timedelta]:
    if act is Act.FAILOVER and not wish.shut_down_source:
        return FAILOVER_WITHOUT_SHUTDOWN, world.seconds("failover_without_shutdown", item.machine)
    return SCENARIOS[act], world.seconds(DURATION_NAMES[act], item.machine)


def _faults_of(world: World, item: Item, act: Act) -> dict[FaultName, Fault]:
    occasion = Occasion(act=act, item=item.id)
    names = [FaultName.JOB_FAILS, FaultName.JOB_HANGS, FaultName.JOB_CANCELLED, FaultName.JOB_WARNS]
    if act in {Act.FAILOVER, Act.TEST_FAILOVER}:
        names += [FaultName.REGION_OUT_OF_CAPACITY, FaultName.NO_HEARTBEAT]
    if act is Act.FAILOVER:
        names.append(FaultName.SOURCE_WILL_NOT_SHUT_DOWN)
    if act is Act.TEST_FAILOVER_CLEANUP:
        names.append(FaultName.DISK_LEFT_BEHIND)
    struck = {name: world.faults.strike(name, occasion, world.now) for name in names}
    return {name: fault for name, fault in struck.items() if fault}


def _describe(started: _Started) -> None:
    """Fill what a rich read of the job shows from its first second on."""
    item, job = started.item, started.job
    job.affected = {
        "primaryVmId": item.entity_id,
        "primaryVmName": item.machine.name,
        "recoveryVmId": "",
        "recoveryVmName": item.machine.name.lower(),
        "protectionProfileId": started.world.ids.fixed("policy", item.vault.policy_id),
        "primaryCloudId": item.source.container_guid,
        "primaryCloudName": item.source.container,
        "recoveryCloudId": item.target.container_guid,
        "recoveryCloudName": item.target.container,
        "primaryVmmId": item.source.fabric_guid,
        "primaryVmmName": item.source.region_name,
        "recoveryVmmId": item.target.fabric_guid,
        "recoveryVmmName": item.target.region_name,
        "primaryFabricProviderId": "Azure",
        "recoveryFabricProviderId": "Azure",
    }
    if job.act is Act.REPROTECT:
        moved = item.target.item_id(item.name).replace("/Subscriptions/", "/subscriptions/", 1)
        job.details = {"newReplicationProtectedItemId": moved}
    if job.act in {Act.TEST_FAILOVER, Act.TEST_FAILOVER_CLEANUP}:
        job.details = _test_details(started)


def _test_details(started: _Started) -> dict[str, object]:
    network = started.wish.network_id or started.item.target.isolated_network_id or ""
    name = network.rsplit("/", 1)[-1]
    return {
        "testFailoverStatus": "None",
        "comments": started.wish.comments,
        "networkName": network,
        "networkFriendlyName": name,
        "networkType": started.wish.network_type,
    }


def _schedule(started: _Started) -> None:
    """Put what the job will change on the queue, bent by the faults that struck it."""
    world, job, faults = started.world, started.job, started.faults
    if FaultName.JOB_HANGS in faults:
        job.ends = None
    elif failing := _failure(started):
        _fail(started, *failing)
    elif FaultName.JOB_CANCELLED in faults:
        job.ends = job.started + job.duration / 2
        job.outcome = JobState.CANCELLED
    if FaultName.JOB_WARNS in faults:
        job.warning = _renamed(started.item)
    if job.act is Act.FAILOVER and started.wish.shut_down_source:
        _schedule_shutdown(started)
    if job.ends is not None:
        ends = job.ends
        world.at(ends, lambda: _end(started, ends))


def _failure(started: _Started) -> tuple[int, JobError] | None:
    tasks = started.job.scenario.tasks
    if fault := started.faults.get(FaultName.REGION_OUT_OF_CAPACITY):
        return len(tasks) - 2, _capacity(started.item, fault)
    if locked := _locked(started):
        return len(tasks) - 1, locked
    fault = started.faults.get(FaultName.JOB_FAILS)
    if fault is None:
        return None
    wanted = (fault.task or tasks[-1].task_id).lower()
    names = [{t.task_id.lower(), t.name.lower(), t.friendly_name.lower()} for t in tasks]
    at = next((i for i, known in enumerate(names) if wanted in known), len(tasks) - 1)
    return at, JobError(
        code=fault.code or "150253",
        message=fault.message or "The operation could not be completed.",
        possible_causes="The provider reported an error.",
        recommended_action="Resolve the error and try the operation again.",
        task_id=tasks[at].task_id,
    )


def _locked(started: _Started) -> JobError | None:
    """Answer how a lock stops the deletion of a test machine (reported by users; invented: its code here)."""
    vm_id = started.item.test_vm_id
    if started.job.act is not Act.TEST_FAILOVER_CLEANUP or vm_id is None:
        return None
    for lock in started.world.estate.locks:
        if key(vm_id).startswith(key(lock.scope)):
            message = (
                f"The scope '{vm_id}' cannot perform delete operation because following scope(s) "
                f"are locked: '{lock.scope}'. Please remove the lock and try again."
            )
            return JobError(code="ScopeLocked", message=message)
    return None


def _capacity(item: Item, fault: Fault) -> JobError:
    # invented: the code; the wording follows Azure's allocation failures
    return JobError(
        code=fault.code or "AllocationFailed",
        message=fault.message
        or f"Allocation failed. {item.target.region_name} has no sufficient capacity for {item.machine.size}.",
        possible_causes="The region has no capacity for the requested size at the moment.",
        recommended_action="Choose another size, or try again later.",
    )


def _renamed(item: Item) -> JobError:
    """Write the warning recorded with a failover that succeeded under another name."""
    message = (
        f"The VM name '{item.machine.name}' was modified to "
        f"'{item.machine.name}-{item.entity_id}' to avoid name conflicts."
    )
    return JobError(code="28175", message=message)


def _fail(started: _Started, at: int, error: JobError) -> None:
    job = started.job
    _, ends = job.task_times(job.scenario.tasks[at])
    job.failed_task = at
    job.errors = [error]
    job.outcome = JobState.FAILED
    job.ends = max(ends, job.started)


def _schedule_shutdown(started: _Started) -> None:
    job, item, world = started.job, started.item, started.world
    task = next(t for t in job.scenario.tasks if t.task_id == SHUTDOWN_TASK)
    _, done = job.task_times(task)
    if FaultName.SOURCE_WILL_NOT_SHUT_DOWN in started.faults:
        # a failed shutdown does not stop a failover (Microsoft's documentation); invented: its code
        job.skip_shutdown_error = JobError(
            code="78007",
            message=f"The virtual machine '{item.machine.name}' could not be shut down.",
            task_id=SHUTDOWN_TASK,
        )
        return
    source = item.source.vm_id(item.machine.name)
    world.at(done, lambda: _shut_down(started, source, done))


def _shut_down(started: _Started, vm_id: str, when: datetime) -> None:
    machine = started.world.vm(vm_id)
    job = started.job
    if machine and (job.ends is None or job.ends >= when):
        machine.stop(when)


def _end(started: _Started, when: datetime) -> None:
    """Apply the end of a job, unless it was cancelled or given another end before."""
    world, item, job = started.world, started.item, started.job
    if job.ends != when or item.holder is not job:
        return
    item.holder = None
    if job.outcome is not JobState.SUCCEEDED or job.act is None:
        return
    item.points_until = item.points_until or (job.started if job.act is Act.FAILOVER else None)
    _EFFECTS[job.act](started)
    to = SUCCEEDS_TO[job.act]
    if to is not None and job.act is not Act.REPROTECT and world.items.get(key(item.id)) is item:
        item.enter(to)
    if to is State.TEST_FAILOVER_CLEANED:
        _let_label_go(world, item)


def cancel(world: World, job: Job) -> None:
    """End a running job now as cancelled and let its item go, in the state it was in.

    invented: what a cancelled job leaves behind was not recorded.
    """
    job.ends, job.outcome = world.now, JobState.CANCELLED
    item = world.items.get(key(job.item_id or ""))
    if item is not None and item.holder is job:
        item.holder = None
    for child in job.run.jobs if job.run else []:
        if not child.over(world.now):
            cancel(world, child)


def _let_label_go(world: World, item: Item) -> None:
    changes = item.state_changes

    def forget() -> None:
        if item.state_changes == changes:
            item.enter(State.PROTECTED)

    world.at(world.now + LABEL_OUTLIVES_CLEANUP, forget)


def _tested(started: _Started) -> None:
    world, item, job = started.world, started.item, started.job
    network = started.wish.network_id or item.target.isolated_network_id or item.target.network_id
    item.test_vm_id = world.start_vm(item, item.target, f"{item.machine.name}-test", network)
    _quieten(started, item.test_vm_id)
    item.last_test_failover, item.tested = job.started, True
    _use_point(started)


def _cleaned(started: _Started) -> None:
    item = started.item
    if item.test_vm_id:
        leave = FaultName.DISK_LEFT_BEHIND in started.faults
        started.world.delete_vm(item.test_vm_id, leave_disk=leave)
    item.test_vm_id = None


def _failed_over(started: _Started) -> None:
    world, item, job = started.world, started.item, started.job
    arrived = world.start_vm(item, item.target, item.machine.name)
    _quieten(started, arrived)
    item.last_failover = job.started
    _use_point(started)


def _quieten(started: _Started, vm_id: str) -> None:
    machine = started.world.vm(vm_id)
    if machine and FaultName.NO_HEARTBEAT in started.faults:
        machine.heartbeat_after = float("inf")


def _point_changed(started: _Started) -> None:
    started.world.delete_vm(started.item.target.vm_id(started.item.machine.name))
    started.world.start_vm(started.item, started.item.target, started.item.machine.name)
    _use_point(started)


def _use_point(started: _Started) -> None:
    if started.point:
        started.item.failover_point = started.point.name
        started.job.point = PointUsed(name=started.point.name, time=started.point.time)


def _committed(started: _Started) -> None:
    """Delete the recovery points: a commit cannot be undone (Microsoft's documentation)."""
    started.item.points_deleted = True


def _reprotected(started: _Started) -> None:
    """Move the item: the same name and life under the other container, syncing the other way."""
    world, old = started.world, started.item
    world.drop(old)
    moved = world.new_item(
        old.vault,
        old.machine,
        old.target,
        old.source,
        lifecycle_id=old.lifecycle_id,
        multi_vm_group_id=old.multi_vm_group_id,
    )
    moved.points_from, moved.reprotected = None, True
    # the old source is turned off, deleted, and its disk reused as the seed (Microsoft's documentation)
    world.delete_vm(old.source.vm_id(old.machine.name))
    world.add(moved)
    world.begin_sync(moved)


def _cancelled(started: _Started) -> None:
    started.world.delete_vm(started.item.target.vm_id(started.item.machine.name))


def _disabled(started: _Started) -> None:
    started.world.drop(started.item)


_EFFECTS = {
    Act.TEST_FAILOVER: _tested,
    Act.TEST_FAILOVER_CLEANUP: _cleaned,
    Act.FAILOVER: _failed_over,
    Act.CHANGE_RECOVERY_POINT: _point_changed,
    Act.COMMIT: _committed,
    Act.REPROTECT: _reprotected,
    Act.CANCEL_FAILOVER: _cancelled,
    Act.DISABLE: _disabled,
}

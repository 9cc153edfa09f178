"""What a job changes: at its end, half way, or when it is cancelled."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

from simulator.arm import key, last_segment
from simulator.arriving import arrival_of, bring_up, bring_up_test
from simulator.estate import Act
from simulator.faults import Fault, FaultName
from simulator.jobs import SHUTDOWN_TASK, Job, JobError, JobState, PointUsed
from simulator.lifecycle import LABEL_OUTLIVES_CLEANUP, SUCCEEDS_TO, State
from simulator.recovery_points import Point, PointKind

if TYPE_CHECKING:
    from simulator.model import Item
    from simulator.world import World


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
class Started:
    """A job with what its end needs to know."""

    world: World
    item: Item
    job: Job
    wish: Wish
    point: Point | None = None
    faults: dict[FaultName, Fault] = field(default_factory=dict["FaultName", "Fault"])


def schedule_shutdown(started: Started) -> None:
    """Deallocate the source when the shutdown task ends, unless a fault keeps it running."""
    job, item, world = started.job, started.item, started.world
    task = next(t for t in job.scenario.tasks if t.task_id == SHUTDOWN_TASK)
    _, done = job.task_times(task)
    if FaultName.SOURCE_WILL_NOT_SHUT_DOWN in started.faults:
        # it does not stop a failover (Microsoft's documentation); invented: the code of a failed shutdown
        job.skip_shutdown_error = JobError(
            code="78007",
            message=f"The virtual machine '{item.machine.name}' could not be shut down.",
            task_id=SHUTDOWN_TASK,
        )
        return
    world.at(done, lambda: _shut_down(started, item.source_vm_id, done))


def _shut_down(started: Started, vm_id: str, when: datetime) -> None:
    machine = started.world.machines.vm(vm_id)
    job = started.job
    if machine and (job.ends is None or job.ends >= when):
        machine.stop(when)


def end(started: Started, when: datetime) -> None:
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
    if to is not None and job.act not in _MOVES and world.items.get(key(item.id)) is item:
        item.enter(to)
    if to is State.TEST_FAILOVER_CLEANED:
        _let_label_go(world, item)


_MOVES = {Act.REPROTECT, Act.ENABLE}
"""Acts whose effect itself brings an item into the state that follows."""


def cancel(world: World, job: Job) -> None:
    """End a running job now as cancelled and let its item go, in the state it was in.

    invented: what a cancelled job leaves behind.
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


def _tested(started: Started) -> None:
    world, item, job = started.world, started.item, started.job
    network = started.wish.network_id or item.target.isolated_network_id or item.target.network_id
    arrival = arrival_of(started, item.machine.test_arrives, renamed=None)
    machine = bring_up_test(world, item, network, arrival)
    item.test_vm_id = machine.id
    item.last_test_failover, item.tested = job.started, True
    _use_point(started)


def _cleaned(started: Started) -> None:
    item = started.item
    if item.test_vm_id:
        leave = FaultName.DISK_LEFT_BEHIND in started.faults
        started.world.machines.remove(item.test_vm_id, leave_disk=leave)
    item.test_vm_id = None


def _failed_over(started: Started) -> None:
    _bring_up(started)
    started.item.last_failover = started.job.started
    _use_point(started)


def _bring_up(started: Started) -> None:
    item = started.item
    arrival = arrival_of(started, item.machine.arrives, renamed=new_name(item))
    item.arrived_vm_id = bring_up(started.world, item, item.target, arrival).id


def new_name(item: Item) -> str:
    """Answer the name a machine is given where its own is taken (recorded: its own and a GUID)."""
    return f"{item.machine.name}-{item.entity_id}"


def _point_changed(started: Started) -> None:
    started.world.machines.remove(started.item.arrived_vm_id or "")
    _bring_up(started)
    _use_point(started)


def _use_point(started: Started) -> None:
    if started.point:
        started.item.failover_point = started.point.name
        there = started.item.target.spec
        started.job.point = PointUsed(
            name=started.point.name,
            time=started.point.time,
            network=last_segment(there.network).lower(),
            subnet=there.subnet,
        )


def _committed(started: Started) -> None:
    """Delete the recovery points: a commit cannot be undone (Microsoft's documentation)."""
    started.item.points_deleted = True


def _reprotected(started: Started) -> None:
    """Move the item: the same name and life under the other container, syncing the other way."""
    world, old = started.world, started.item
    world.drop(old)
    moved = world.new_item(
        old.vault,
        old.machine,
        old.target,
        old.source,
        old.policy,
        lifecycle_id=old.lifecycle_id,
        multi_vm_group_id=old.multi_vm_group_id,
        initial_primary=old.initial_primary,
        initial_recovery=old.initial_recovery,
        source_vm_id=old.arrived_vm_id or old.target.vm_id(old.machine.name),
    )
    moved.points_from, moved.reprotected = None, True
    moved.asked_by = (started.job.client_request_id, started.job.correlation_id)
    nic = world.machines.nic_of(moved.source_vm_id)
    moved.source_address = nic.address if nic else ""
    # the old source is turned off, deleted, and its disk reused as the seed (Microsoft's documentation)
    world.machines.remove(old.source_vm_id)
    world.add(moved)
    world.begin_sync(moved)


def _cancelled(started: Started) -> None:
    started.world.machines.remove(started.item.arrived_vm_id or "")


def _enabled(started: Started) -> None:
    world, item = started.world, started.item
    nic = world.machines.nic_of(item.source_vm_id)
    item.source_address = nic.address if nic else ""
    item.first_heartbeat = started.job.started + world.seconds("first_heartbeat", item.machine)
    item.asked_by = (started.job.client_request_id, started.job.correlation_id)
    world.add(item)
    world.begin_sync(item)


def _disabled(started: Started) -> None:
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
    Act.ENABLE: _enabled,
}

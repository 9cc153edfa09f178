"""The acts on a protected item: whether they may begin, and the job they start."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from simulator.effects import Started, Wish, end, schedule_shutdown
from simulator.envelopes import Refused, Trace, refused
from simulator.estate import Act
from simulator.faults import FaultName, Occasion
from simulator.jobs import Job, Scenario
from simulator.lifecycle import State, allows
from simulator.mishaps import bend, faults_of
from simulator.recovery_points import Point, find, newest
from simulator.scenarios import COMMITTING_REPROTECT, FAILOVER_WITHOUT_SHUTDOWN, SCENARIOS

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
    Act.ENABLE: "enable",
}


def begin(world: World, item: Item, act: Act, wish: Wish, trace: Trace) -> Job:
    """Start an act on an item and answer its job, or raise `Refused` with the service's envelope."""
    trace.act, trace.item = str(act), item.id
    check(world, item, act, trace)
    point = _choose_point(world, item, act, wish, trace)
    return start(world, item, act, wish, trace, point=point)


def start(world: World, item: Item, act: Act, wish: Wish, trace: Trace, *, point: Point | None = None) -> Job:
    """Start an act that may begin, and answer its job."""
    trace.act, trace.item = str(act), item.id
    job = _make_job(world, item, act, wish, trace)
    started = Started(
        world=world,
        item=item,
        job=job,
        wish=wish,
        point=point,
        faults=faults_of(world, item, act),
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
        raise Refused(  # invented: 409 and its code for what a job holds; no conflict was recorded
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
    raise Refused(  # invented: 400 and its code for a wrong state; no such refusal was recorded
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
        raise Refused(  # invented: how an unknown recovery point is refused
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
        target_name=_shown_name(item, act),
    )


def _shown_name(item: Item, act: Act) -> str:
    """Answer the machine's name as a job shows it: in lower case while it is enabled (recorded)."""
    return item.machine.name.lower() if act is Act.ENABLE else item.machine.name


def _scenario(world: World, item: Item, act: Act, wish: Wish) -> tuple[Scenario, timedelta]:
    if act is Act.FAILOVER and not wish.shut_down_source:
        return FAILOVER_WITHOUT_SHUTDOWN, world.seconds("failover_without_shutdown", item.machine)
    if act is Act.REPROTECT and item.state is State.COMMIT_PENDING:
        return COMMITTING_REPROTECT, world.seconds("reprotect", item.machine)
    return SCENARIOS[act], world.seconds(DURATION_NAMES[act], item.machine)


def _describe(started: Started) -> None:
    """Fill what a rich read of the job shows from its first second on."""
    item, job = started.item, started.job
    job.affected = item.about(job.target_name)
    if job.act is Act.REPROTECT:
        moved = item.target.item_id(item.name).replace("/Subscriptions/", "/subscriptions/", 1)
        job.details = {"newReplicationProtectedItemId": moved}
    if job.act in {Act.TEST_FAILOVER, Act.TEST_FAILOVER_CLEANUP}:
        job.details = _test_details(started)


def _test_details(started: Started) -> dict[str, object]:
    """Write what a test failover and its cleanup tell: its network, or comments (recorded)."""
    wish, begins = started.wish, started.job.act is Act.TEST_FAILOVER
    network = (wish.network_id or started.item.target.isolated_network_id or "").rsplit("/", 1)[-1]
    return {
        "testFailoverStatus": "Active" if begins else None,
        "comments": None if begins else wish.comments,
        "networkName": network if begins else None,
        "networkFriendlyName": network if begins else None,
        "networkType": wish.network_type if begins else None,
    }


def _schedule(started: Started) -> None:
    """Put what the job will change on the queue, bent by the faults that struck it."""
    world, job = started.world, started.job
    bend(started)
    if job.act is Act.FAILOVER and started.wish.shut_down_source:
        schedule_shutdown(started)
    if job.ends is not None:
        ends = job.ends
        world.at(ends, lambda: end(started, ends))

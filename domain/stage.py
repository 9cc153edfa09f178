"""What a stage does next: one pure decision over what was seen, like a controller that reconciles.

A stage has a road: for each state a machine may be in, the act that takes it further, or that it waits, or that
it has arrived. Deciding looks only at the machine as it is now, so a crash, a redeploy, a repeated activity and
somebody's click in the portal are all the same case. Each machine of the stage is a *leg*; no leg waits for
another.

All times are Azure's (the Date of its answers), for they are compared with the times of its jobs.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Final

from domain.contract import Look, Order, Subject, ValidationOrder
from domain.errors import Refusal
from domain.leg import Decision, Leg, LegStatus, Task, intention
from domain.lifecycle import ACTS, Act, MachineState, in_words, state_of
from domain.validation import lasting
from domain.watching import see, watch

_S = MachineState


def begin(
    subjects: Iterable[Subject], item_ids: Mapping[str, str], earlier: Mapping[str, tuple[str, ...]]
) -> tuple[Leg, ...]:
    """Set every machine at the start of a stage, at the id where it was last seen, with its earlier passes."""
    return tuple(
        Leg(subject=each, item_id=item_ids.get(each.name, each.item_id), earlier=earlier.get(each.name, ()))
        for each in subjects
    )


def order_for(task: Task, leg: Leg, act: Act, since: datetime) -> Order:
    """Word an act for the activity that starts it."""
    subject = leg.subject
    at_home = leg.snapshot is not None and state_of(leg.snapshot) is _S.HOME_COMMITTED
    return Order(
        vault=task.vault,
        machine=subject.name,
        item_id=leg.item_id,
        lifecycle_id=subject.lifecycle_id,
        act=act,
        request_id=intention(task.intent, subject.name, act),
        since=since,
        point=task.points.get(subject.name),
        network=subject.test_network if act is Act.TEST_FAILOVER else None,
        shut_down_source=task.shut_down_source and act is Act.FAIL_OVER,
        cache=(subject.reprotect_cache if at_home else subject.prepare_cache) if act is Act.REPROTECT else None,
        comment=task.comment,
    )


# -- deciding -------------------------------------------------------------------------------------------------


def decide(
    task: Task, legs: Iterable[Leg], look: Look, *, stopping: bool = False, paused: str | None = None
) -> Decision:
    """Decide what each leg does after a look.

    Args:
        task: what the stage is for.
        legs: where each machine stood before this look.
        look: what changed, by Azure's clock.
        stopping: the run was cancelled: start nothing more, but watch what runs to its end.
        paused: by whom and why the run is paused: start nothing now, but keep everything ready.
    """
    legs = tuple(watch(task, see(leg, look), look) for leg in legs)
    running = sum(leg.status in _HOLDS_A_PLACE for leg in legs)
    orders: list[Order] = []
    after: list[Leg] = []
    for leg in legs:
        act = _due(task, leg, look.as_of)
        if leg.status is not LegStatus.READY:
            after.append(leg)
        elif stopping:
            after.append(_stop(leg, look.as_of, "before the next act"))
        elif act is None:
            after.append(leg)
        elif task.is_too_late(leg.subject.name, act, look.as_of):
            after.append(_stop(leg, look.as_of, "as the time it was approved for has passed"))
        elif paused is not None:
            after.append(_hold_back(leg, act, paused, look.as_of))
        elif running < task.max_parallel:
            running += 1
            orders.append(order_for(task, leg, act, look.as_of))
            asked = (leg.asked_since if leg.act is act else None) or look.as_of
            after.append(leg.having(act=act, asked_since=asked, words=f"{ACTS[act].words}: starting"))
        else:
            after.append(leg.having(since=look.as_of, words=f"{ACTS[act].words}: waits for its turn"))
    return Decision(
        legs=tuple(after),
        orders=tuple(orders),
        searches=tuple(
            order_for(task, leg, leg.act, leg.since or look.as_of)
            for leg in after
            if leg.status is LegStatus.UNDECIDED and leg.act
        ),
        validations=tuple(_judge(task, leg, look.as_of) for leg in after if leg.status is LegStatus.VALIDATING),
    )


_HOLDS_A_PLACE: Final = frozenset({LegStatus.RUNNING, LegStatus.CONFIRMING, LegStatus.UNDECIDED})


def _due(task: Task, leg: Leg, now: datetime) -> Act | None:
    """Give the act that a ready leg should start now, if any."""
    if leg.snapshot is None or leg.gone_since is not None or (leg.not_before or now) > now:
        return None
    step = task.step(state_of(leg.snapshot))
    if not isinstance(step, Act) or step in leg.acts:
        return None
    if leg.snapshot.job is not None:
        # A job of this very kind is adopted by starting; any other is waited for.
        return step if leg.snapshot.scenario == ACTS[step].scenario else None
    return step if leg.snapshot.allowed else None


def _judge(task: Task, leg: Leg, now: datetime) -> ValidationOrder:
    snapshot = leg.snapshot
    rehearsed = snapshot is not None and state_of(snapshot) is _S.AWAY_REHEARSED
    brought_up = next((record.job.started for record in reversed(leg.jobs) if record.job.started), leg.since)
    name = leg.subject.vm_name
    return ValidationOrder(
        machine=leg.subject.name,
        vm_id=(snapshot.test_vm if rehearsed else snapshot.target_vm) if snapshot else None,
        vm_name=f"{name}-test" if rehearsed else name,
        since=brought_up or now,
        # An isolated network keeps a test machine from reporting.
        heartbeat=task.heartbeat and not rehearsed,
        vault=task.vault,
        item_id=leg.item_id,
        lifecycle_id=leg.subject.lifecycle_id,
        rehearsed=rehearsed,
        network=leg.subject.test_network if rehearsed else None,
        source_vm=snapshot.source_vm if snapshot and not rehearsed else None,
        shut_down_source=task.shut_down_source,
        blocks=task.blocks,
        passed=lasting(leg.validation),
    )


def _stop(leg: Leg, now: datetime, why: str) -> Leg:
    where = f"; it is {in_words(leg.snapshot)}" if leg.snapshot else ""
    return leg.to(LegStatus.STOPPED, now, f"stopped {why}{where}")


def _hold_back(leg: Leg, act: Act, paused: str, now: datetime) -> Leg:
    """Keep a leg ready while the run is paused; no patience runs out meanwhile."""
    return leg.having(since=now, asked_since=None, words=f"{ACTS[act].words}: {paused}")


def give_up(legs: Iterable[Leg], refusal: Refusal, now: datetime) -> tuple[Leg, ...]:
    """End every open leg for a reason that is nobody's machine's: Azure was out of sight for too long."""
    return tuple(leg if leg.has_ended else leg.fail(now, refusal) for leg in legs)

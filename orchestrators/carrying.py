"""Carrying machines through a stage, each to its end, with the recovery point it is meant to have."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from domain import contract, report
from domain.approvals import GateName
from domain.contract import ChosenPoint, ChosenPoints, Look, PointsRequest
from domain.errors import Refusal
from domain.evidence import RecordKind
from domain.journey import Journey
from domain.leg import DUE, Leg, LegStatus, StageName, Task
from domain.lifecycle import STILL_AWAY, Act
from domain.recheck import PRUNED
from domain.request import FailbackRequest, PointChoice, Select
from domain.stage import begin
from orchestrators import steps
from orchestrators.asking import intervene
from orchestrators.context import Runbook
from orchestrators.stage import Passage, StageResult
from orchestrators.trip import Trip

# Why people are asked again about what could not begin in time.
PASSED: Final = "the time that it was approved for passed before it could be done"
# These stages bring a machine to a recovery point.
_TAKES_POINT: Final = frozenset({StageName.REHEARSE, StageName.MOVE, StageName.CHANGE_POINT})
# A gate shows so many other points of one machine, and of all together about so many: history keeps them.
MOST_SHOWN: Final = 40
FEWEST_SHOWN: Final = 3
ALL_SHOWN: Final = 600
_WORDS: Final[Mapping[StageName, str]] = {
    StageName.PREPARE: "making the machines ready to come home",
    StageName.REHEARSE: "rehearsing: test failover to an isolated network",
    StageName.CLEAN_UP: "cleaning the rehearsal up",
    StageName.MOVE: "failing over to the primary region",
    StageName.CHANGE_POINT: "changing the recovery point",
    StageName.COMMIT: "committing",
    StageName.PROTECT: "re-protecting to the secondary region",
}


def carry(trip: Trip, stage: StageName, names: Sequence[str], forbidden: tuple[Act, ...] = ()) -> Runbook[None]:
    """Carry machines through a stage; for those that fail, ask what to do, until each has an end."""
    left = list(names)
    while left:
        points = yield from _points(trip, stage, left)
        left = _with_their_point(trip, stage, left, points)
        legs = yield from _pass(trip, stage, left, points, forbidden)
        for leg in legs:
            _arrive(trip, stage, leg)
        yield from trip.record(RecordKind.STAGE, report.stage_record(stage, legs))
        failed = [leg.subject.name for leg in legs if leg.status is LegStatus.FAILED]
        left = yield from intervene(trip, stage, failed)


def _points(trip: Trip, stage: StageName, names: Sequence[str]) -> Runbook[dict[str, ChosenPoint]]:
    """Resolve the recovery points that a stage needs, just before it."""
    if stage not in _TAKES_POINT:
        return {}
    # What is at home already is only judged there; once it is committed, it has no points any more.
    coming = [name for name in names if stage is not StageName.MOVE or trip.journeys[name].state in STILL_AWAY]
    choices = {name: _choice(trip, stage, name) for name in coming}
    wanted = {name: choice for name, choice in choices.items() if choice.is_ours}
    points = yield from choose(trip, wanted)
    for name in names:
        if stage is StageName.REHEARSE:
            trip.note(name, rehearsed_point=points.get(name))
        elif name in points and (stage is not StageName.MOVE or points[name].refusal is None):
            # The point that was approved stays the one that was approved, whether or not it can be read now.
            trip.note(name, point=points[name])
    return points


def _with_their_point(
    trip: Trip, stage: StageName, names: Sequence[str], points: Mapping[str, ChosenPoint]
) -> list[str]:
    """Give the machines that may go on; where the approved point is gone, people must agree to another one."""
    refused = {name: point.refusal for name, point in points.items() if stage is StageName.MOVE and point.refusal}
    gone = {name: refusal.what for name, refusal in refused.items() if refusal.code in PRUNED}
    for name, why in gone.items():
        trip.journeys[name] = trip.journeys[name].withdrawn(why).having(point=None, rehearsal=None)
    return [name for name in names if name not in gone]


def _choice(trip: Trip, stage: StageName, name: str) -> PointChoice:
    journey = trip.journeys[name]
    if stage is StageName.REHEARSE:
        return journey.subject.test_point
    if stage is StageName.MOVE:
        return approved_point(journey)
    choice = journey.subject.point
    # Going back to "latest" has no form of its own on the wire: it means the newest point there is.
    return choice.having(select=Select.LATEST_PROCESSED) if choice.select is Select.LATEST else choice


def choose(trip: Trip, choices: Mapping[str, PointChoice]) -> Runbook[dict[str, ChosenPoint]]:
    """Find out which recovery points some choices mean now."""
    chosen = yield from _ask_for_points(trip, choices)
    return chosen.points


def show_points(trip: Trip, gate: GateName, names: Sequence[str]) -> Runbook[None]:
    """Find the recovery points that would be used now, and those that may be chosen instead, to show them."""
    offer = max(FEWEST_SHOWN, min(MOST_SHOWN, ALL_SHOWN // len(names)))
    choices = {name: trip.journeys[name].subject.point for name in names}
    found = yield from _ask_for_points(trip, choices, offer)
    for name in names:
        trip.note(name, offered=found.offered.get(name, ()))
        if gate is GateName.FAILBACK:
            trip.note(name, point=found.points[name])


def _ask_for_points(trip: Trip, choices: Mapping[str, PointChoice], offer: int = 0) -> Runbook[ChosenPoints]:
    now = trip.context.current_utc_datetime
    if not choices:
        return ChosenPoints(as_of=now, points={})
    request = PointsRequest(
        vault=trip.request.vault,
        items={name: trip.journeys[name].item_id for name in choices},
        choices=dict(choices),
        offer=offer,
    )
    try:
        chosen = yield from steps.call(trip.context, contract.CHOOSE_POINTS, request, ChosenPoints)
    except Exception as error:  # noqa: BLE001 - types do not survive the wire; without a point nothing is started
        refusal = steps.unreachable("the recovery points could not be read", error)
        points = {name: ChosenPoint(select=each.select, refusal=refusal) for name, each in choices.items()}
        return ChosenPoints(as_of=now, points=points)
    return chosen


def _pass(
    trip: Trip,
    stage: StageName,
    names: Sequence[str],
    points: Mapping[str, ChosenPoint],
    forbidden: tuple[Act, ...],
) -> Runbook[list[Leg]]:
    """Send machines through a stage once; those without a recovery point fail at its door."""
    ready = [name for name in names if not (name in points and points[name].refusal)]
    refused = [
        leg.having(status=LegStatus.FAILED, failure=point.refusal, words=point.refusal.what)
        for leg in _begin(trip, [name for name in names if name not in ready])
        if (point := points[leg.subject.name]).refusal
    ]
    if not ready:
        return refused
    occasion = trip.next_child(stage.value)
    ids = {name: point.id for name, point in points.items() if point.id}
    until = {name: moment for name in ready if (moment := trip.journeys[name].until)}
    task = _task(trip, stage, occasion, ids, forbidden).having(until=until)
    passage = Passage(task=task, legs=_begin(trip, ready), cancelled=trip.cancelled)
    for name in ready:
        trip.note(name, passes=(*trip.journeys[name].passes, task.intent))
    trip.show(stage.value, _WORDS[stage], child=occasion)
    try:
        answer = yield trip.context.call_sub_orchestrator(contract.STAGE, passage.to_wire(), occasion)
    except Exception as error:  # noqa: BLE001 - whatever broke, the machines are still there to be seen
        legs = yield from _seen_again(trip, passage)
        return [*refused, *(_broken(stage, leg, error) for leg in legs)]
    result = StageResult.from_wire(answer)
    trip.cancelled = trip.cancelled or result.cancelled
    return [*refused, *result.legs]


def _seen_again(trip: Trip, passage: Passage) -> Runbook[list[Leg]]:
    """Look where a stage that broke has left its machines; without sight, they stand where they stood."""
    try:
        look = yield from steps.call(trip.context, contract.LOOK, passage.looking(), Look)
    except Exception:  # noqa: BLE001 - looking may be what broke
        return list(passage.legs)
    return [leg.having(snapshot=look.machines.get(leg.subject.name)) for leg in passage.legs]


def _begin(trip: Trip, names: Sequence[str]) -> tuple[Leg, ...]:
    journeys = [trip.journeys[name] for name in names]
    ids = {each.name: each.item_id for each in journeys}
    return begin([each.subject for each in journeys], ids, {each.name: each.passes for each in journeys})


def _task(trip: Trip, stage: StageName, occasion: str, points: dict[str, str], forbidden: tuple[Act, ...]) -> Task:
    request = trip.request
    return Task(
        run=trip.run,
        occasion=occasion,
        stage=stage,
        vault=request.vault,
        max_parallel=request.limits.max_parallel,
        look_every=trip.plan.pace.look_every,
        shut_down_source=request.shut_down_source,
        points=points,
        heartbeat=request.validation.heartbeat,
        validation_timeout=request.validation.timeout,
        blocks=request.validation.blocks,
        comment=f"failback run {trip.run}",
        forbidden=(*forbidden, *_forbidden(request)) if stage is StageName.PREPARE else forbidden,
    )


def _arrive(trip: Trip, stage: StageName, leg: Leg) -> None:
    journey = trip.journeys[leg.subject.name].after(stage, leg)
    if leg.status is LegStatus.STOPPED:
        cancelled = trip.cancelled is not None
        journey = (
            journey.stopped(f"the run was cancelled: {trip.cancelled}") if cancelled else journey.withdrawn(PASSED)
        )
    trip.journeys[journey.name] = journey


def _forbidden(request: FailbackRequest) -> tuple[Act, ...]:
    allowed = {Act.REPROTECT: request.prepare.reprotect, Act.CLEAN_UP: request.prepare.clean_up}
    return tuple(act for act, may in allowed.items() if not may)


def approved_point(journey: Journey) -> PointChoice:
    """Name the very point that was approved; only "latest" without a limit stays the service's to choose."""
    approved = journey.point.id if journey.point else None
    return PointChoice(select=Select.CUSTOM, id=approved) if approved else journey.subject.point


def unshown_point(journey: Journey) -> Refusal | None:
    """Say why people could not be shown the recovery point that would be used, if it is ours to choose."""
    return journey.point.refusal if journey.point and journey.subject.point.is_ours else None


def _broken(stage: StageName, leg: Leg, error: Exception) -> Leg:
    refusal = Refusal(
        code="StageBroke",
        what=f"the stage itself failed: {steps.first_line(error)}",
        remedy="this is a defect of the software: report it; retry looks at the machines again before acting",
    )
    # What was due may have been started; believing so makes sure that a rehearsal is cleaned up.
    return leg.having(status=LegStatus.FAILED, act=DUE.get(stage), failure=refusal, words=refusal.what)

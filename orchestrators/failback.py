"""The runbook: bring machines home, for one machine or a thousand."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from domain.approvals import GateName
from domain.gate import OFFERS, Choice, Outcome
from domain.leg import StageName
from domain.lifecycle import STILL_AWAY, Act, MachineState
from domain.report import refusals_of
from domain.request import Mode
from orchestrators.asking import ask_people, heed, may_go_on
from orchestrators.carrying import carry, show_points
from orchestrators.cleaning import prove_clean, remember_tests
from orchestrators.context import Context, Runbook
from orchestrators.rechecking import recheck, when_it_is_time
from orchestrators.trip import Trip


def failback(context: Context) -> Runbook[dict[str, Any] | None]:
    """Bring machines home, and report.

    1. Look      find each machine, check that it may come home, freeze the plan;
                 where an alert proposed the run, ask whether it shall begin
    2. Hold      take each machine's lock, or refuse and name the holder
       then, group by group in boot order, each with a history of its own:
    3. Rehearse  test failover to an isolated network, judge the test machine
    4. Ask       shall it come home? approve, rehearse another recovery point, or stop
    5. Clean up  remove the rehearsal, whatever the answer was
    6. Move      when its time has come and nothing has changed: fail over to the chosen recovery point, judge it
    7. Ask       shall it be committed? commit, change the recovery point, or stop
    8. Settle    commit, re-protect to the secondary, wait until it is really protected
    9. Report    what happened, measured; give the locks back
    """
    trip = Trip(context)

    # 1. - 2.
    if trip.generation == 0:
        ended = yield from set_out(trip)
        if ended is not None:
            return ended
    else:
        yield from trip.recall()

    # 3. - 8.
    yield from take_next_group(trip)
    if trip.travelling(subject.name for group in trip.plan.groups[trip.generation + 1 :] for subject in group):
        yield from trip.go_on_anew()
        return None

    # 9. Report
    yield from trip.release()
    return (yield from trip.reported())


def set_out(trip: Trip) -> Runbook[dict[str, Any] | None]:
    """Plan the run, and hold its machines; give the report of a run that ends with that."""
    # 1. Look
    plan = yield from trip.look()
    if trip.request.mode is Mode.PLAN:
        return trip.planned()
    if plan.is_refused:
        return trip.refused(refusals_of(plan))
    yield from may_begin(trip)
    if not trip.travelling(trip.journeys):
        return (yield from trip.reported())

    # 2. Hold
    held_by_others = yield from trip.hold()
    if held_by_others:
        return trip.refused(held_by_others)
    yield from trip.begin()
    return None


def take_next_group(trip: Trip) -> Runbook[None]:
    """Take the next boot group through the runbook, as far as the run goes with it."""
    way = drill if trip.request.mode is Mode.DRILL else bring_home
    try:
        trip.enter_group(trip.generation + 1)
        yield from way(trip, [subject.name for subject in trip.plan.groups[trip.generation]])
    except Exception as error:  # noqa: BLE001 - a defect of ours leaves no rehearsal, no lock, and a report
        trip.break_off(error)
        yield from clean_up_at_last(trip)


def may_begin(trip: Trip) -> Runbook[None]:
    """Ask people whether a run may begin that nobody but an alert has asked for."""
    if trip.request.proposed is None:
        return
    yield from trip.begin()
    asked = trip.travelling(trip.journeys)
    while asked:
        answers = yield from ask(trip, GateName.START, asked)
        approved = [name for name in trip.travelling(asked) if answers[name] is Choice.APPROVE]
        begun = yield from when_it_is_time(trip, GateName.START, approved)
        asked = [name for name in trip.travelling(asked) if name not in begun]


def drill(trip: Trip, group: Sequence[str]) -> Runbook[None]:
    """Rehearse a group and clean up; from here no path leads to a failover."""
    yield from rehearse(trip, trip.travelling(group))
    yield from clean_up(trip, group)


def bring_home(trip: Trip, group: Sequence[str]) -> Runbook[None]:
    """Bring one group home, as far as people allow."""
    # 3. - 6. Rehearse, ask, clean up, move
    yield from may_go_on(trip, group)
    yield from carry(trip, StageName.PREPARE, trip.travelling(group))
    yield from move_as_approved(trip, group)

    # Those that began at home were never asked about: they are judged there, and nothing may fail them over.
    at_home = [name for name in trip.travelling(group) if not trip.journeys[name].approved]
    yield from carry(trip, StageName.MOVE, at_home, (Act.FAIL_OVER,))

    # 7. Ask
    yield from ask_until_committed(trip, group)

    # 8. Settle
    if trip.request.reprotect.enabled:
        yield from carry(trip, StageName.PROTECT, trip.travelling(group))


def move_as_approved(trip: Trip, group: Sequence[str]) -> Runbook[None]:
    """Rehearse, ask and move; again for those that want another point, or whose approval did not last."""
    asked = without_point = _still_away(trip, group)
    while asked:
        # 3. Rehearse
        if trip.request.test_failover.enabled:
            yield from rehearse(trip, without_point)

        # 4. Ask
        answers = yield from ask(trip, GateName.FAILBACK, trip.travelling(asked))

        # 5. Clean up
        yield from clean_up(trip, asked)

        # 6. Move
        approved = [name for name in trip.travelling(asked) if answers.get(name) is Choice.APPROVE]
        yield from carry(trip, StageName.MOVE, (yield from when_it_is_time(trip, GateName.FAILBACK, approved)))
        asked = _still_away(trip, asked)
        without_point = [name for name in asked if trip.journeys[name].point is None]


def ask_until_committed(trip: Trip, group: Sequence[str]) -> Runbook[None]:
    """Commit what is approved; change the recovery point of the rest for as long as people want another."""
    asked = _at_home_uncommitted(trip, group)
    while asked:
        # 7. Ask
        answers = yield from ask(trip, GateName.COMMIT, asked)
        due = yield from when_it_is_time(trip, GateName.COMMIT, trip.travelling(asked))

        # 8. Settle: commit
        yield from carry(trip, StageName.COMMIT, [name for name in due if answers[name] is Choice.APPROVE])
        changing = [name for name in due if answers[name] is Choice.CHANGE_POINT]
        yield from carry(trip, StageName.CHANGE_POINT, trip.travelling(changing))
        asked = _at_home_uncommitted(trip, asked)


def ask(trip: Trip, gate: GateName, names: Sequence[str]) -> Runbook[dict[str, Choice]]:
    """Ask people until what they approve is what is there; stop what they stopped.

    Checks are done again at the moment of approval. What changed meanwhile is shown, and asked about anew; a
    machine whose recovery point is gone needs another one first.
    """
    outcomes: dict[str, Outcome] = {}
    left = list(names)
    while left:
        if Choice.CHANGE_POINT in OFFERS[gate]:
            yield from show_points(trip, gate, left)
        answered = yield from ask_people(trip, gate, left)
        changed = yield from recheck(trip, gate, [name for name in left if _acts(gate, answered[name])])
        outcomes |= {name: outcome for name, outcome in answered.items() if name not in changed}
        outcomes |= {name: _ANOTHER for name, each in changed.items() if each.pruned}
        left = [name for name, each in changed.items() if not each.pruned]
    heed(trip, gate, outcomes)
    return {name: outcome.decision for name, outcome in outcomes.items()}


# What is left to do for a machine whose approved recovery point is gone.
_ANOTHER: Final = Outcome(decision=Choice.CHANGE_POINT)


def _acts(gate: GateName, outcome: Outcome) -> bool:
    """Tell whether an answer sets something in motion that cannot be taken back."""
    another = gate is GateName.COMMIT and outcome.decision is Choice.CHANGE_POINT
    return outcome.decision is Choice.APPROVE or another


def rehearse(trip: Trip, names: Sequence[str]) -> Runbook[None]:
    """Bring test machines up, and write down what must be gone afterwards."""
    yield from carry(trip, StageName.REHEARSE, names)
    yield from remember_tests(trip, names)


def clean_up(trip: Trip, names: Sequence[str]) -> Runbook[None]:
    """Remove what is left of the rehearsals of some machines, stopped and failed ones too, and prove it."""
    due = [name for name in names if trip.journeys[name].needs_clean_up]
    yield from carry(trip, StageName.CLEAN_UP, due)
    yield from prove_clean(trip, due)


def _still_away(trip: Trip, names: Sequence[str]) -> list[str]:
    return [name for name in trip.travelling(names) if trip.journeys[name].state in STILL_AWAY]


def clean_up_at_last(trip: Trip) -> Runbook[None]:
    """Clean up after a defect; where that breaks too, the report says loudly what was left."""
    try:
        yield from clean_up(trip, list(trip.journeys))
    except Exception as error:  # noqa: BLE001 - nothing may keep the report from being written
        trip.break_off(error)


def _at_home_uncommitted(trip: Trip, names: Sequence[str]) -> list[str]:
    return [name for name in trip.travelling(names) if trip.journeys[name].state is MachineState.HOME_UNCOMMITTED]

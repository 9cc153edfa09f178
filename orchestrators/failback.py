"""The runbook: bring machines home, for one machine or a thousand."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from domain.approvals import GateName
from domain.gate import Choice
from domain.leg import StageName
from domain.lifecycle import STILL_AWAY, Act, MachineState
from domain.report import refusals_of
from domain.request import Mode
from orchestrators.asking import ask_people, heed, may_go_on
from orchestrators.carrying import carry, choose_for_failover, lost_their_point
from orchestrators.context import Context, Runbook
from orchestrators.trip import Trip


def failback(context: Context) -> Runbook[dict[str, Any]]:
    """Bring machines home, and report.

    1. Look      find each machine, check that it may come home, freeze the plan
    2. Hold      take each machine's lock, or refuse and name the holder
       then, group by group in boot order:
    3. Rehearse  test failover to an isolated network, judge the test machine
    4. Ask       shall it come home? approve, rehearse another recovery point, or stop
    5. Clean up  remove the rehearsal, whatever the answer was
    6. Move      fail over to the chosen recovery point, judge the machine
    7. Ask       shall it be committed? commit, change the recovery point, or stop
    8. Settle    commit, re-protect to the secondary, wait until it is really protected
    9. Report    what happened, measured; give the locks back
    """
    trip = Trip(context)

    # 1. Look
    plan = yield from trip.look()
    if trip.request.mode is Mode.PLAN:
        return trip.planned()
    if plan.is_refused:
        return trip.refused(refusals_of(plan))

    # 2. Hold
    held_by_others = yield from trip.hold()
    if held_by_others:
        return trip.refused(held_by_others)
    yield from trip.register()

    # 3. - 8.
    way = drill if trip.request.mode is Mode.DRILL else bring_home
    try:
        for number, group in enumerate(plan.groups, start=1):
            trip.enter_group(number)
            yield from way(trip, [subject.name for subject in group])
    except Exception as error:  # noqa: BLE001 - a defect of ours leaves no rehearsal, no lock, and a report
        trip.break_off(error)
        yield from clean_up(trip, list(trip.journeys))

    # 9. Report
    yield from trip.release()
    return trip.reported()


def drill(trip: Trip, group: Sequence[str]) -> Runbook[None]:
    """Rehearse a group and clean up; from here no path leads to a failover."""
    yield from carry(trip, StageName.REHEARSE, trip.travelling(group))
    yield from clean_up(trip, group)


def bring_home(trip: Trip, group: Sequence[str]) -> Runbook[None]:
    """Bring one group home, as far as people allow."""
    # 3. - 5. Rehearse, ask, clean up
    yield from may_go_on(trip, group)
    yield from carry(trip, StageName.PREPARE, trip.travelling(group))
    yield from rehearse_until_approved(trip, group)

    # 6. Move
    moving = trip.travelling(group)
    approved = [name for name in moving if trip.journeys[name].approved]
    yield from carry(trip, StageName.MOVE, approved)
    # Those that began at home were never asked about: they are judged there, and nothing may fail them over.
    yield from carry(trip, StageName.MOVE, [name for name in moving if name not in approved], (Act.FAIL_OVER,))

    # 7. Ask
    yield from ask_until_committed(trip, group)

    # 8. Settle
    if trip.request.reprotect.enabled:
        yield from carry(trip, StageName.PROTECT, trip.travelling(group))


def rehearse_until_approved(trip: Trip, group: Sequence[str]) -> Runbook[None]:
    """Rehearse and ask, again with another recovery point for as long as people want one."""
    asked = [name for name in trip.travelling(group) if trip.journeys[name].state in STILL_AWAY]
    while asked:
        # 3. Rehearse
        if trip.request.test_failover.enabled:
            yield from carry(trip, StageName.REHEARSE, asked)

        # 4. Ask
        answers = yield from ask(trip, GateName.FAILBACK, trip.travelling(asked))

        # 5. Clean up
        yield from clean_up(trip, asked)
        again = [name for name in trip.travelling(asked) if answers[name] is Choice.CHANGE_POINT]
        approved = [name for name in trip.travelling(asked) if answers[name] is Choice.APPROVE]
        asked = again + (yield from lost_their_point(trip, approved))


def ask_until_committed(trip: Trip, group: Sequence[str]) -> Runbook[None]:
    """Commit what is approved; change the recovery point of the rest for as long as people want another."""
    asked = _at_home_uncommitted(trip, group)
    while asked:
        # 7. Ask
        answers = yield from ask(trip, GateName.COMMIT, asked)
        asked = trip.travelling(asked)

        # 8. Settle: commit
        yield from carry(trip, StageName.COMMIT, [name for name in asked if answers[name] is Choice.APPROVE])
        changing = [name for name in asked if answers[name] is Choice.CHANGE_POINT]
        yield from carry(trip, StageName.CHANGE_POINT, changing)
        asked = _at_home_uncommitted(trip, changing)


def ask(trip: Trip, gate: GateName, names: Sequence[str]) -> Runbook[dict[str, Choice]]:
    """Show the points that would be used, ask people, and stop what they stopped."""
    if not names:
        return {}
    if gate is GateName.FAILBACK:
        yield from choose_for_failover(trip, names)
    outcomes = yield from ask_people(trip, gate, names)
    heed(trip, gate, outcomes)
    return {name: outcome.decision for name, outcome in outcomes.items()}


def clean_up(trip: Trip, names: Sequence[str]) -> Runbook[None]:
    """Remove what is left of the rehearsals of some machines, stopped and failed ones too."""
    yield from carry(trip, StageName.CLEAN_UP, [name for name in names if trip.journeys[name].needs_clean_up])


def _at_home_uncommitted(trip: Trip, names: Sequence[str]) -> list[str]:
    return [name for name in trip.travelling(names) if trip.journeys[name].state is MachineState.HOME_UNCOMMITTED]

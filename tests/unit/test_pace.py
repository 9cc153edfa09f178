from __future__ import annotations

from datetime import timedelta

import pytest

from domain.leg import Leg, LegStatus, StageName
from domain.pace import LONG_RUNNING, SOONEST, next_look
from tests.unit.making import NOON, S, at, leg, running, snapshot, task

MOVE, PROTECT = task(StageName.MOVE), task(StageName.PROTECT)


def seconds(wait: timedelta) -> float:
    return wait.total_seconds()


@pytest.mark.parametrize(
    ("ran", "wait"), [(0, 10), (60, 10), (100, 10), (200, 20), (299, 29.9), (300, 30), (900, 30), (1201, 120)]
)
def test_a_job_is_looked_at_again_after_a_tenth_of_the_time_that_it_has_taken(ran: int, wait: float) -> None:
    assert seconds(next_look(MOVE, [running()], at(seconds=ran))) == wait


def test_the_most_urgent_machine_sets_the_pace() -> None:
    begun, long_ago = running(since=NOON), running(since=NOON - LONG_RUNNING * 2)
    assert next_look(MOVE, [long_ago, begun, leg("other")], NOON) == SOONEST
    assert next_look(MOVE, [long_ago, leg("other")], NOON) == MOVE.look_every


@pytest.mark.parametrize(
    ("percent", "wait"), [(None, 120), (0, 120), (50, 120), (70, 90), (90, 30), (97, 10), (100, 10)]
)
def test_a_first_copy_is_looked_at_the_sooner_the_less_of_it_is_left(percent: int | None, wait: float) -> None:
    copying = leg(snapshot=snapshot(S.HOME_SYNCING, sync_percent=percent))
    assert seconds(next_look(PROTECT, [copying], NOON)) == wait


@pytest.mark.parametrize(
    ("one", "slow"),
    [
        (leg(snapshot=snapshot(S.HOME_COMMITTED)), False),
        (leg(), False),
        (leg(status=LegStatus.VALIDATING), False),
        (leg(status=LegStatus.DONE), True),
    ],
)
def test_what_has_ended_needs_no_look_and_what_is_due_one_at_the_usual_pace(one: Leg, *, slow: bool) -> None:
    assert (next_look(PROTECT, [one], NOON) > PROTECT.look_every) is slow


def test_a_paused_run_looks_rarely_unless_something_runs() -> None:
    assert next_look(MOVE, [leg()], NOON, paused=True) > next_look(MOVE, [leg()], NOON)
    busy = [leg(), running(since=at(minutes=-6))]
    assert next_look(MOVE, busy, NOON, paused=True) == next_look(MOVE, [leg()], NOON)


def test_a_pace_that_is_quicker_still_stays_as_it_is() -> None:
    quick = PROTECT.having(look_every=timedelta(seconds=1))
    copied = leg(snapshot=snapshot(S.HOME_SYNCING, sync_percent=100))
    assert [seconds(next_look(quick, [one], NOON)) for one in (running(), copied, leg())] == [1, 1, 1]

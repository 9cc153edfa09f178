"""What people want of a run as a whole: the first word stands, and nothing is kept for ever."""

from __future__ import annotations

from datetime import timedelta

from domain.control import PAUSES_KEPT, Control
from domain.gate import HELD_AT_MOST
from tests.unit.making import NOON, at

PAUSED = Control().pause(by="dana", reason="the network is down", at=NOON)


def test_the_first_cancel_stands() -> None:
    control = Control().cancel(by="dana", reason="wrong night", at=NOON).cancel(by="olive", reason="x", at=NOON)
    assert control.cancelled == "wrong night (dana)"
    assert Control().cancel(by=None, reason="", at=None).cancelled == "no reason given (None)"


def test_a_pause_says_by_whom_and_why_until_somebody_resumes() -> None:
    assert PAUSED.paused == "paused by dana: the network is down"
    resumed = PAUSED.resume(by="olive", at=at(hours=1))
    assert resumed.paused is None
    assert (resumed.pauses[0].resumed_by, resumed.pauses[0].resumed_at) == ("olive", at(hours=1))
    again = resumed.pause(by="pat", reason="", at=at(hours=2))
    assert again.paused == "paused by pat: no reason given"
    assert len(again.pauses) == 2


def test_who_pauses_a_paused_run_or_resumes_a_running_one_changes_nothing() -> None:
    assert PAUSED.pause(by="olive", reason="me too", at=at(1)) == PAUSED
    assert Control().resume(by="olive", at=NOON) == Control()


def test_a_cancelled_run_is_not_paused_any_more_nor_again() -> None:
    cancelled = PAUSED.cancel(by="dana", reason="enough", at=at(1))
    assert cancelled.paused is None
    assert cancelled.pause(by="pat", reason="x", at=at(2)) == cancelled


def test_a_run_that_nobody_resumes_is_cancelled_in_the_end_and_not_kept_for_ever() -> None:
    assert PAUSED.heeded_at(NOON + HELD_AT_MOST) == PAUSED
    late = PAUSED.heeded_at(NOON + HELD_AT_MOST + timedelta(seconds=1))
    assert late.cancelled == "paused by dana: the network is down, and not resumed for 45 days"
    assert Control().heeded_at(NOON) == Control()


def test_the_first_withdrawal_stands() -> None:
    assert Control().withdraw(reason="resolved").withdraw(reason="again").withdrawn == "resolved"
    assert Control().withdraw(reason="").withdrawn == "no reason given"


def test_so_many_pauses_are_kept_and_no_more() -> None:
    control = Control()
    for number in range(PAUSES_KEPT + 5):
        control = control.pause(by="a", reason=f"{number}", at=at(number)).resume(by="b", at=at(number))
    assert len(control.pauses) == PAUSES_KEPT
    assert control.pauses[-1].reason == f"{PAUSES_KEPT + 4}"

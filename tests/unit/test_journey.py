"""What a run remembers of a machine between stages, and what it measures."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from domain.contract import Verdict
from domain.errors import Refusal
from domain.journey import SHUTDOWN_TASK, Journey, JourneyStatus, measure
from domain.leg import LegStatus, StageName
from domain.lifecycle import Act, MachineState
from domain.machine import TaskSnapshot
from domain.request import Mode
from tests.unit.making import NAME, S, at, item_id, journey, leg, record, snapshot, validation

BROKEN = Refusal(code="JobFailed", what="it broke", remedy="mend it")
LATER = Refusal(code="CleanUpFailed", what="it is still there", remedy="remove it")


def travelled(stage: StageName, began: Journey | None = None, **changes: Any) -> Journey:
    return (began or journey(S.AWAY_PROTECTED)).after(stage, leg(**changes))


# -- from stage to stage --------------------------------------------------------------------------------------


def test_a_journey_follows_its_item_and_its_machine() -> None:
    moved = travelled(StageName.PROTECT, item_id=item_id(NAME, "centralus"), snapshot=snapshot(S.HOME_SYNCING))
    assert (moved.item_id, moved.state) == (item_id(NAME, "centralus"), S.HOME_SYNCING)
    assert travelled(StageName.PROTECT).state is S.AWAY_PROTECTED
    assert journey(snapshot=None).state is S.UNKNOWN


def test_a_job_that_is_seen_in_two_stages_is_kept_once_in_its_latest_sight() -> None:
    first = travelled(StageName.MOVE, jobs=(record(state="InProgress"), record(Act.COMMIT, job_id="job-2")))
    again = travelled(StageName.MOVE, first, jobs=(record(),))
    assert [(each.job.id, each.job.state) for each in again.jobs] == [
        ("job-2", "Succeeded"),
        ("job-1", "Succeeded"),
    ]


@pytest.mark.parametrize("status", [LegStatus.DONE, LegStatus.FAILED, LegStatus.STOPPED])
def test_once_a_test_failover_was_asked_for_one_may_exist(status: LegStatus) -> None:
    assert travelled(StageName.REHEARSE, act=Act.TEST_FAILOVER, status=status).needs_clean_up
    assert travelled(StageName.REHEARSE, snapshot=snapshot(S.AWAY_REHEARSED), status=status).needs_clean_up
    assert not travelled(StageName.REHEARSE, status=status).needs_clean_up


@pytest.mark.parametrize("status", [LegStatus.DONE, LegStatus.FAILED])
def test_only_a_clean_up_that_is_done_ends_the_need_for_one(status: LegStatus) -> None:
    rehearsed = travelled(StageName.REHEARSE, act=Act.TEST_FAILOVER)
    cleaned = travelled(StageName.CLEAN_UP, rehearsed, status=status)
    assert cleaned.needs_clean_up == (status is LegStatus.FAILED)


def test_a_second_rehearsal_must_be_cleaned_up_again() -> None:
    cleaned = journey(S.AWAY_PROTECTED, rehearsed=True, cleaned_up=True)
    assert travelled(StageName.REHEARSE, cleaned, act=Act.TEST_FAILOVER).needs_clean_up
    assert not travelled(StageName.REHEARSE, cleaned).needs_clean_up


def test_a_rehearsal_and_the_machine_at_home_are_judged_apart() -> None:
    rehearsed = travelled(StageName.REHEARSE, validation=validation(Verdict.WARNED))
    moved = travelled(StageName.MOVE, rehearsed, validation=validation())
    later = travelled(StageName.COMMIT, moved)
    assert (later.rehearsal.verdict, later.validation.verdict) == (Verdict.WARNED, Verdict.PASSED)


def test_a_stage_that_passes_takes_the_failure_of_the_last_attempt_away() -> None:
    failed = travelled(StageName.MOVE, failure=BROKEN)
    assert failed.failure == BROKEN
    assert travelled(StageName.MOVE, failed).failure is None


def test_a_machine_that_failed_keeps_its_reason_however_its_clean_up_goes() -> None:
    failed = travelled(StageName.REHEARSE, failure=BROKEN, words="it broke").failed()
    cleaned = travelled(StageName.CLEAN_UP, failed, status=LegStatus.DONE, words="clean")
    stuck = travelled(StageName.CLEAN_UP, failed, failure=LATER).failed()
    assert [(each.reason, each.words) for each in (cleaned, stuck)] == [(BROKEN, "it broke")] * 2
    assert (cleaned.failure, stuck.failure) == (None, LATER)


def test_a_stopped_machine_says_who_stopped_it() -> None:
    stopped = journey(S.AWAY_PROTECTED).stopped("stopped by ann")
    assert (stopped.words, stopped.is_travelling) == ("stopped by ann", False)


# -- arriving -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("state", MachineState)
def test_a_machine_is_home_only_when_it_is_as_protected_as_was_asked(state: MachineState) -> None:
    assert journey(state).is_home(protected=True) == (state is S.HOME_PROTECTED)
    settled = {S.HOME_PROTECTED, S.HOME_SYNCING, S.HOME_COMMITTED}
    assert journey(state).is_home(protected=False) == (state in settled)


@pytest.mark.parametrize(
    "changes", [{"status": JourneyStatus.FAILED}, {"status": JourneyStatus.STOPPED}, {"failure": BROKEN}]
)
def test_a_machine_that_failed_or_was_stopped_is_never_home(changes: dict[str, Any]) -> None:
    assert not journey(S.HOME_PROTECTED, **changes).arrived(Mode.FAILBACK, protected=True)


def drilled(**changes: Any) -> Journey:
    made = journey(S.AWAY_PROTECTED, rehearsed=True, cleaned_up=True, rehearsal=validation())
    return made.having(**changes)


@pytest.mark.parametrize(
    ("changes", "arrived"),
    [
        ({}, True),
        ({"rehearsal": validation(Verdict.WARNED)}, True),
        ({"rehearsal": validation(Verdict.FAILED)}, False),
        ({"rehearsal": None}, False),
        ({"cleaned_up": False}, False),
        ({"rehearsed": False}, False),
        ({"failure": BROKEN}, False),
        ({"status": JourneyStatus.STOPPED}, False),
    ],
)
def test_a_drill_succeeded_when_its_machine_came_up_well_and_is_gone(
    changes: dict[str, Any], *, arrived: bool
) -> None:
    assert drilled(**changes).arrived(Mode.DRILL, protected=True) is arrived


# -- measuring ------------------------------------------------------------------------------------------------

STOPPED = TaskSnapshot(name=SHUTDOWN_TASK, state="Succeeded", started=at(10), ended=at(70))


def measured(*records: Any, **changes: Any) -> Any:
    return measure(journey(jobs=records, **changes))


def test_loss_and_downtime_run_from_the_moment_the_source_stopped() -> None:
    found = measured(record(tasks=(STOPPED,), point_time=at(-60)))
    assert (found.data_loss, found.downtime) == (timedelta(seconds=130), timedelta(seconds=135))


@pytest.mark.parametrize(
    "task",
    [
        STOPPED.having(state="Other"),
        STOPPED.having(ended=None),
        STOPPED.having(name="Start failover"),
    ],
)
def test_where_the_source_did_not_stop_they_run_from_the_start_of_the_failover(task: TaskSnapshot) -> None:
    found = measured(record(tasks=(task,), point_time=at(-60)))
    assert (found.data_loss, found.downtime) == (timedelta(seconds=60), timedelta(seconds=205))


def test_the_loss_is_that_of_the_point_used_last() -> None:
    changed = record(Act.CHANGE_POINT, job_id="job-2", point_time=at(-3_600))
    assert measured(record(point_time=at(-60)), changed).data_loss == timedelta(hours=1)
    assert measured(record()).data_loss is None


@pytest.mark.parametrize(
    ("verdict", "recovery"),
    [(Verdict.PASSED, timedelta(minutes=9)), (Verdict.WARNED, timedelta(minutes=9)), (Verdict.FAILED, None)],
)
def test_a_machine_is_recovered_when_it_was_found_well(verdict: Verdict, recovery: timedelta | None) -> None:
    assert measured(record(), validation=validation(verdict, as_of=at(minutes=9))).recovery == recovery


def test_a_recovery_is_never_shorter_than_nothing() -> None:
    assert measured(record(), validation=validation(as_of=at(-5))).recovery == timedelta(0)


def test_all_ended_jobs_are_added_up_and_a_failed_failover_measures_nothing_else() -> None:
    found = measured(record(state="Failed"), record(Act.COMMIT, job_id="job-2", ended=at(38)))
    assert found.site_recovery == timedelta(seconds=243)
    assert (found.downtime, found.data_loss, found.recovery) == (None, None, None)


@pytest.mark.parametrize("changes", [{"started": None}, {"ended": None}])
def test_a_failover_without_times_cannot_be_measured(changes: dict[str, None]) -> None:
    assert measured(record(**changes)).downtime is None

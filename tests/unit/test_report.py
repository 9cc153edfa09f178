"""The report: nothing that failed is called done, and what was left behind is said loudly."""

from __future__ import annotations

import json
from typing import Any

import pytest

from domain.contract import ChosenPoint
from domain.errors import Refusal
from domain.gate import Choice, Entry, Judgement, Outcome
from domain.journey import Journey, Skipped
from domain.leftovers import Cleaning, LeftOver
from domain.leg import StageName
from domain.lifecycle import Act, MachineState
from domain.planning import Plan, make_plan, refused_plan
from domain.report import (
    MachineOutcome,
    Report,
    RunOutcome,
    make_report,
    plan_report,
    refusal_report,
    refusals_of,
    stage_record,
)
from domain.request import Select
from tests.unit.making import (
    NAME,
    NOON,
    VAULT,
    S,
    at,
    details,
    entry,
    facts,
    journey,
    leg,
    question,
    record,
    request,
    snapshot,
    validation,
)

BROKEN = Refusal(code="JobFailed", what="it broke", remedy="mend it")
WHOLE = (
    record(Act.TEST_FAILOVER, job_id="job-1"),
    record(Act.CLEAN_UP, job_id="job-2"),
    record(Act.FAIL_OVER, job_id="job-3", point="point-1", point_time=at(-60)),
    record(Act.COMMIT, job_id="job-4"),
    record(Act.REPROTECT, job_id="job-5"),
)


def plan(**asked: Any) -> Plan:
    return make_plan(request(**asked), facts())


def reported(*journeys: Journey, cancelled: str | None = None, decisions: Any = (), **asked: Any) -> Report:
    return make_report(
        run="run-1",
        plan=plan(**asked),
        journeys=journeys,
        decisions=decisions,
        started=NOON,
        ended=at(hours=2),
        waited=at(hours=1) - NOON,
        cancelled=cancelled,
    )


def came_home(name: str = NAME, **changes: Any) -> Journey:
    made = journey(S.HOME_PROTECTED, name, jobs=WHOLE, rehearsed=True, cleaned_up=True, validation=validation())
    return made.having(**changes)


def stopped(name: str = "stopped", **changes: Any) -> Journey:
    return journey(S.AWAY_PROTECTED, name, **changes).stopped("stopped by ann")


def failed(name: str = "failed", state: MachineState = S.AWAY_PROTECTED, **changes: Any) -> Journey:
    return journey(state, name, failure=BROKEN, **changes).failed()


def outcomes(*journeys: Journey, **asked: Any) -> tuple[RunOutcome, list[MachineOutcome]]:
    made = reported(*journeys, **asked)
    return made.outcome, [each.outcome for each in made.machines]


# -- outcomes -------------------------------------------------------------------------------------------------


def test_a_run_that_brought_every_machine_home_succeeded() -> None:
    assert outcomes(came_home()) == (RunOutcome.SUCCEEDED, [MachineOutcome.HOME])


def test_one_machines_success_does_not_hide_anothers_failure() -> None:
    assert outcomes(came_home(), failed()) == (
        RunOutcome.PARTIAL,
        [MachineOutcome.HOME, MachineOutcome.FAILED],
    )


def test_a_failure_weighs_more_than_a_stop() -> None:
    assert outcomes(stopped(), failed())[0] is RunOutcome.FAILED
    assert outcomes(stopped())[0] is RunOutcome.STOPPED


@pytest.mark.parametrize("state", MachineState)
def test_a_failed_machine_is_never_home(state: MachineState) -> None:
    assert outcomes(failed(state=state))[1] == [MachineOutcome.FAILED]


def test_a_machine_that_is_not_protected_is_home_only_if_that_was_not_asked_for() -> None:
    syncing = came_home().having(snapshot=snapshot(S.HOME_SYNCING))
    assert outcomes(syncing)[1] == [MachineOutcome.FAILED]
    assert outcomes(syncing, reprotect={"enabled": False})[1] == [MachineOutcome.HOME]


def test_a_machine_that_was_stopped_before_any_job_is_untouched() -> None:
    assert outcomes(stopped())[1] == [MachineOutcome.UNTOUCHED]
    assert outcomes(stopped(jobs=WHOLE[:2]))[1] == [MachineOutcome.STOPPED]


def test_a_drill_ends_rehearsed_and_names_no_recovery_point() -> None:
    drilled = journey(S.AWAY_PROTECTED, rehearsed=True, cleaned_up=True, rehearsal=validation(), jobs=WHOLE[:2])
    made = reported(drilled, mode="drill")
    assert (made.outcome, made.machines[0].outcome) == (RunOutcome.SUCCEEDED, MachineOutcome.REHEARSED)
    assert made.machines[0].recovery_point is None


# -- warnings -------------------------------------------------------------------------------------------------


def test_what_a_clean_up_left_behind_is_said_loudly_and_is_no_good_drill() -> None:
    left = LeftOver(id="/subscriptions/s/disks/vm1-ASRtest", kind="disk", run="fb-1", why="")
    proof = Cleaning(as_of=at(), looked_for=4, left=(left,))
    drilled = journey(S.AWAY_PROTECTED, rehearsed=True, cleaned_up=True, rehearsal=validation(), jobs=WHOLE[:2])
    made = reported(drilled.having(clean_up=proof), mode="drill")
    assert made.machines[0].outcome is not MachineOutcome.REHEARSED
    assert "CLEAN-UP INCOMPLETE: disk vm1-ASRtest" in made.warnings[0]
    clean = reported(drilled.having(clean_up=proof.having(left=())), mode="drill")
    assert (clean.machines[0].outcome, clean.warnings) == (MachineOutcome.REHEARSED, ())
    assert clean.machines[0].clean_up is not None


def test_a_rehearsal_that_was_not_cleaned_up_is_said_loudly() -> None:
    made = reported(failed(rehearsed=True))
    assert "A TEST FAILOVER WAS NOT CLEANED UP" in made.warnings[0]
    assert made.machines[0].cleaned_up is False
    assert reported(failed()).machines[0].cleaned_up is None


def test_a_machine_left_uncommitted_is_said_loudly() -> None:
    assert "NOT COMMITTED" in reported(stopped().having(snapshot=snapshot(S.HOME_UNCOMMITTED))).warnings[0]


def test_who_skipped_what_is_said() -> None:
    skipped = Skipped(stage=StageName.REHEARSE, outcome=Outcome(decision=Choice.SKIP, by=("ann",)))
    assert reported(came_home(skipped=(skipped,))).warnings == (
        f"{NAME}: stage rehearse failed and was skipped by ann",
    )


def test_a_cancelled_run_says_why() -> None:
    made = reported(stopped(), cancelled="too late (ann)")
    assert made.warnings == ("the run was cancelled: too late (ann)",)
    assert made.words == "stopped: 1 untouched; cancelled: too late (ann)"


def test_a_run_in_which_all_went_well_warns_of_nothing() -> None:
    assert reported(came_home()).warnings == ()


# -- one machine ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("one", "words"),
    [
        (came_home(), "at home in centralus, protected to eastus"),
        (came_home(snapshot=None, words="on its way"), "on its way"),
        (stopped(), "stopped by ann; in eastus, protected: ready to come home"),
        (failed(), "it broke (in eastus, protected: ready to come home)"),
        (failed(snapshot=None), "it broke"),
    ],
)
def test_a_machine_says_in_words_how_it_ended(one: Journey, words: str) -> None:
    assert reported(one).machines[0].words == words


def test_a_failed_machine_reports_why_it_failed_not_how_its_clean_up_went() -> None:
    later = failed().having(failure=None)
    assert reported(later).machines[0].failure == BROKEN


@pytest.mark.parametrize(
    ("state", "committed", "protected"),
    [
        (S.HOME_UNCOMMITTED, False, False),
        (S.HOME_COMMITTED, True, False),
        (S.HOME_SYNCING, True, False),
        (S.HOME_PROTECTED, True, True),
        (S.AWAY_PROTECTED, False, False),
    ],
)
def test_committed_and_protected_are_told_from_the_machine_itself(
    state: MachineState, *, committed: bool, protected: bool
) -> None:
    one = reported(journey(state)).machines[0]
    assert (one.committed, one.protected) == (committed, protected)


CHOSEN = ChosenPoint(select=Select.LATEST_PROCESSED, id="asked", time=at(-300), kind="AppConsistent")


def test_the_recovery_point_reported_is_the_one_the_service_used() -> None:
    used = reported(came_home(point=CHOSEN)).machines[0].recovery_point
    assert (used.asked, used.id, used.time, used.kind) == ("asked", "point-1", at(-60), "AppConsistent")


def test_where_the_job_names_no_point_the_machine_or_the_choice_does() -> None:
    silent = (record(Act.FAIL_OVER),)
    seen = came_home(jobs=silent, point=CHOSEN, snapshot=snapshot(S.HOME_PROTECTED, point="seen"))
    assert reported(seen).machines[0].recovery_point.id == "seen"
    unseen = reported(came_home(jobs=silent, point=CHOSEN, snapshot=None)).machines[0].recovery_point
    assert (unseen.id, unseen.time) == ("asked", at(-300))


def test_a_point_left_to_the_service_has_no_kind_that_we_know() -> None:
    used = reported(came_home(point=CHOSEN.having(select=Select.LATEST, id=None))).machines[0].recovery_point
    assert (used.asked, used.kind) == (None, None)


def test_a_machine_that_never_failed_over_used_no_point() -> None:
    assert reported(stopped()).machines[0].recovery_point is None


# -- the whole ------------------------------------------------------------------------------------------------


def test_a_report_holds_the_request_the_decisions_and_each_job_with_its_times() -> None:
    asked = question()
    decisions: list[Entry] = [entry(asked), entry(asked, Choice.STOP, "bob")]
    document = json.loads(json.dumps(reported(came_home(), decisions=decisions).to_wire()))
    machine = document["machines"][0]
    assert (document["outcome"], machine["outcome"], machine["protected"]) == ("succeeded", "home", True)
    assert machine["recoveryPoint"]["id"] == "point-1"
    assert [job["act"] for job in machine["jobs"]] == [
        "test_failover",
        "clean_up",
        "fail_over",
        "commit",
        "reprotect",
    ]
    assert all(job["started"] and job["ended"] for job in machine["jobs"])
    assert [each["by"] for each in document["decisions"]] == ["ann", "bob"]
    assert document["request"]["vault"] == VAULT
    assert (document["planHash"], document["waitedForPeople"]) == (plan().hash, "PT1H")


def test_a_run_that_must_not_start_reports_every_reason() -> None:
    refused = make_plan(request(), facts(details(S.HOME_PROTECTED)))
    reasons = refusals_of(refused)
    made = refusal_report("run-1", refused, reasons, NOON, at(1))
    assert (made.outcome, made.refusals) == (RunOutcome.REFUSED, reasons)
    assert "nothing was changed: ContosoWin2016: state: at home in centralus" in made.words


def test_a_vault_that_cannot_be_read_is_the_first_reason() -> None:
    refused = refused_plan(request(), NOON, BROKEN)
    assert refusals_of(refused) == (BROKEN,)
    assert refusal_report("run-1", refused, (BROKEN,), NOON, at(1)).words.endswith("run: it broke")


@pytest.mark.parametrize(
    ("state", "words"),
    [(S.AWAY_PROTECTED, "every check allows it"), (S.HOME_PROTECTED, "one check forbids it")],
)
def test_a_plan_alone_is_reported_with_its_verdict(state: MachineState, words: str) -> None:
    made = plan_report("run-1", make_plan(request(mode="plan"), facts(details(state))), NOON, at(1))
    assert (made.outcome, made.words.endswith(words), made.plan is None) == (RunOutcome.PLANNED, True, False)


def test_who_broke_the_glass_is_warned_of_and_who_only_tried_is_not() -> None:
    asked = question()
    broke = entry(asked, by="cleo", break_glass=True, comment="nobody answers", judgement=Judgement.RECORDED)
    tried = entry(asked, by="dan", break_glass=True, judgement=Judgement.NOT_PERMITTED)
    warnings = reported(came_home(), decisions=(broke, tried, entry(asked))).warnings
    assert warnings == ("cleo BROKE THE GLASS at gate failback: decided approve alone, because: nobody answers",)


def test_a_run_that_was_withdrawn_says_so() -> None:
    made = make_report(
        run="run-1",
        plan=plan(),
        journeys=(journey(S.AWAY_PROTECTED).stopped("the proposal was withdrawn: resolved"),),
        decisions=(),
        started=NOON,
        ended=NOON,
        waited=NOON - NOON,
        withdrawn="resolved",
    )
    assert made.words == "stopped: 1 untouched; withdrawn: resolved"


def test_what_is_put_on_record_of_a_stage_is_where_it_left_each_machine_and_by_which_jobs() -> None:
    ended = leg(jobs=WHOLE[2:3], words="there")
    kept = stage_record(StageName.MOVE, [ended])
    assert kept["stage"] == "move"
    machine = kept["machines"][0]
    assert (machine["name"], machine["status"], machine["words"]) == (NAME, "ready", "there")
    assert set(machine["jobs"][0]) <= {"act", "id", "state", "started", "ended", "ours", "requestId"}

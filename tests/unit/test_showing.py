"""What people are shown at a gate: enough to decide."""

from __future__ import annotations

from typing import Any

import pytest

from domain.approvals import GateName
from domain.contract import Check, ChosenPoint, Verdict
from domain.errors import Refusal
from domain.gate import OFFERS
from domain.lifecycle import Act
from domain.planning import make_plan
from domain.request import Select
from domain.showing import may_pass_silently, notes, proposed, row, standing
from tests.unit.making import NAME, S, at, facts, journey, record, request, snapshot, validation

PLAN = make_plan(request(), facts())


def shown(state: Any = S.AWAY_PROTECTED, **changes: Any) -> dict[str, Any]:
    return row(PLAN, journey(state, **changes))


def test_a_row_says_where_a_machine_is_where_it_goes_and_what_was_checked() -> None:
    found = shown()
    assert (found["name"], found["from"], found["to"]) == (NAME, "eastus", "centralus")
    assert found["state"] == "in eastus, protected: ready to come home"
    assert {check.get("about") for check in found["checks"]} == {NAME, None}


def test_a_machine_that_was_not_seen_is_shown_by_its_words() -> None:
    unseen = shown(snapshot=None, words="not looked at", rehearsal=validation())
    assert (unseen["state"], unseen["testVm"]) == ("not looked at", None)


def test_before_the_failover_the_rehearsal_and_its_test_machine_are_shown() -> None:
    found = shown(S.AWAY_REHEARSED, rehearsal=validation())
    assert found["rehearsal"]["verdict"] == "passed"
    assert found["testVm"] == snapshot(S.AWAY_REHEARSED).test_vm
    assert found["testNetwork"] == PLAN.subjects[0].test_network


def test_people_are_told_which_alerts_proposed_a_run() -> None:
    told = {"route": "recovered", "alerts": ["/alerts/1"], "reason": "T1: well again", "at": at(0).isoformat()}
    (why,) = proposed(request(proposed=told))
    assert why == f"alert route recovered proposed it at {at(0):%F %H:%MZ}, after T1: well again"
    assert proposed(request(proposed={**told, "reason": ""})) == [why.partition(", after")[0]]
    assert len(proposed(request(proposed={**told, "reason": "x" * 1_900}))[0]) < 700
    assert proposed(request()) == []


def test_people_are_told_what_test_machines_cost_while_they_think() -> None:
    def stands(cost: float | None, state: Any = S.AWAY_REHEARSED) -> Any:
        return journey(state, rehearsal=validation(monthly_estimate=cost))

    assert standing([stands(73.0)]) == [
        "until then 1 test machine runs in the isolated network, for about 73.00 USD a month"
    ]
    assert (
        "2 test machines run in the isolated network, for about 75.50 USD a month"
        in standing([stands(73.0), stands(2.5)])[0]
    )
    # Cleaned up, or rehearsed by an old version, which knew no cost.
    assert standing([stands(73.0, S.AWAY_PROTECTED), stands(None), journey(S.AWAY_REHEARSED)]) == []


def test_after_the_failover_the_point_used_and_what_it_cost_are_shown() -> None:
    failover = record(point="point-1", point_time=at(-60))
    found = shown(S.HOME_UNCOMMITTED, jobs=(failover,), rehearsal=validation(), validation=validation())
    assert "rehearsal" not in found
    assert found["usedPoint"] == {"id": "point-1", "time": at(-60).isoformat()}
    assert found["measured"]["dataLoss"] == "PT1M"
    changed = record(Act.CHANGE_POINT, job_id="job-2", point="point-2")
    again = shown(S.HOME_UNCOMMITTED, jobs=(failover, changed))
    assert again["usedPoint"] == {"id": "point-2", "time": None}


def test_the_point_that_would_be_used_and_what_failed_are_shown() -> None:
    found = shown(
        point=ChosenPoint(select=Select.LATEST),
        failure=Refusal(code="x", what="it broke", remedy="mend it"),
    )
    assert found["point"] == {"select": "latest"}
    assert found["failure"]["what"] == "it broke"


@pytest.mark.parametrize("gate", GateName)
def test_each_answer_of_a_gate_is_explained(gate: GateName) -> None:
    told = notes(gate, request(), skippable=True)
    assert [note.split(":")[0] for note in told] == [choice.value for choice in OFFERS[gate]]


def test_what_is_not_offered_is_not_explained() -> None:
    assert not any("skip" in note for note in notes(GateName.INTERVENTION, request()))
    unrehearsed = request(testFailover={"enabled": False})
    assert not any("rehearsal" in note for note in notes(GateName.FAILBACK, unrehearsed))


def test_what_cannot_be_undone_is_said_before_it_is_decided() -> None:
    assert "cannot be undone" in notes(GateName.COMMIT, request())[0]
    assert "is shut down first" in notes(GateName.FAILBACK, request())[0]
    assert "is left running" in notes(GateName.FAILBACK, request(shutDownSource=False))[0]


@pytest.mark.parametrize(
    ("verdict", "passes"), [(Verdict.PASSED, True), (Verdict.WARNED, True), (Verdict.FAILED, False), (None, False)]
)
def test_silence_may_approve_only_what_was_judged_well_for_that_very_gate(
    verdict: Verdict | None, *, passes: bool
) -> None:
    found = validation(verdict) if verdict else None
    assert may_pass_silently(GateName.FAILBACK, journey(rehearsal=found)) is passes
    assert may_pass_silently(GateName.COMMIT, journey(validation=found)) is passes
    assert not may_pass_silently(GateName.COMMIT, journey(rehearsal=found))


def test_silence_never_approves_where_somebody_elses_job_went_its_own_way() -> None:
    found, asked = validation(), ChosenPoint(select=Select.CUSTOM, id="/points/point-1")
    theirs = record(point="POINT-1").having(ours=False)
    for jobs, chosen, passes in (
        ((theirs,), asked, True),
        ((theirs.having(job=theirs.job.having(point="point-2")),), asked, False),
        ((theirs,), ChosenPoint(select=Select.LATEST), False),
        ((theirs.having(job=theirs.job.having(point=None)),), asked.having(id=None), False),
        ((record(point="point-2"),), asked, True),
    ):
        made = journey(S.HOME_UNCOMMITTED, jobs=jobs, point=chosen, validation=found)
        assert may_pass_silently(GateName.COMMIT, made) is passes
    tested = record(Act.TEST_FAILOVER).having(ours=False)
    assert not may_pass_silently(GateName.FAILBACK, journey(jobs=(tested,), rehearsal=found))
    assert may_pass_silently(GateName.FAILBACK, journey(jobs=(record(Act.TEST_FAILOVER),), rehearsal=found))


def test_silence_never_passes_over_a_check_that_failed_when_it_was_done_again() -> None:
    for verdict, passes in ((Verdict.WARNED, True), (Verdict.FAILED, False)):
        again = (Check(name="primary region", verdict=verdict, evidence="4 cores needed, 0 free"),)
        made = journey(S.AWAY_PROTECTED, rehearsal=validation(), validation=validation(), checks=again)
        assert may_pass_silently(GateName.FAILBACK, made) is passes
        assert may_pass_silently(GateName.COMMIT, made) is passes


def test_why_an_approval_is_void_is_shown_and_silence_does_not_pass_over_it() -> None:
    void = journey(S.AWAY_PROTECTED, rehearsal=validation()).withdrawn("the quota is used up")
    assert row(PLAN, void)["void"] == ["the quota is used up"]
    assert not may_pass_silently(GateName.FAILBACK, void)
    assert "void" not in shown()

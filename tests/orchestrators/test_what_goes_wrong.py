"""Azure answers late, wrongly, twice or not at all; the run neither repeats an act nor loses a machine."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from tests.rehearsal import NAME, Rehearsal, machine, standing

RUNBOOK = ["testFailover", "testFailoverCleanup", "failover", "commit", "reprotect"]
PATHS = {
    "testFailover": "/testFailover",
    "testFailoverCleanup": "/testFailoverCleanup",
    "failover": "/unplannedFailover",
    "commit": "/failoverCommit",
    "reprotect": "/switchprotection",
}


def acts(rehearsal: Rehearsal, name: str = NAME) -> list[str]:
    return [act for act, item in rehearsal.posts() if item == name]


@pytest.mark.parametrize("act", RUNBOOK)
@pytest.mark.parametrize("fault", ["lost-answer", "error-after-accepted"])
def test_an_act_whose_answer_was_lost_is_found_and_not_repeated(act: str, fault: str) -> None:
    rehearsal = Rehearsal()
    rehearsal.fault(fault, method="POST", path=PATHS[act])
    report = rehearsal.play()
    assert machine(report)["outcome"] == "home"
    assert acts(rehearsal) == RUNBOOK
    assert all(job["ours"] for job in machine(report)["jobs"])


@pytest.mark.parametrize("fault", ["connection-closed", "server-error", "unavailable", "throttled"])
def test_an_act_that_was_not_accepted_is_asked_again_in_time(fault: str) -> None:
    rehearsal = Rehearsal()
    rehearsal.fault(fault, method="POST", path="/unplannedFailover")
    report = rehearsal.play()
    assert machine(report)["outcome"] == "home"
    assert acts(rehearsal) == RUNBOOK


@pytest.mark.parametrize("fault", ["throttled", "server-error", "connection-closed"])
def test_azure_out_of_sight_for_half_an_hour_does_not_lose_the_run(fault: str) -> None:
    rehearsal = Rehearsal()
    with rehearsal.host() as host:
        host.start("failback", rehearsal.request(), instance_id=rehearsal.run)
        gate = rehearsal._until_asked_or_finished(host, timedelta(days=1))
        assert gate is not None
        rehearsal.asked.append(gate)
        rehearsal.decide(host, gate)
        rehearsal.fault(fault, times=None, seconds=1800, retryAfter=1)
        report = rehearsal.finish(host)
    assert machine(report)["outcome"] == "home"
    assert acts(rehearsal) == RUNBOOK


def test_a_right_that_was_taken_away_is_asked_about_and_the_run_goes_on_once_it_is_back() -> None:
    rehearsal = Rehearsal()
    rehearsal.fault("authorization-failed", method="POST", path="/unplannedFailover")

    def answer(gate: dict[str, Any]) -> dict[str, Any]:
        return {"decision": "retry" if gate["gate"] == "intervention" else "approve"}

    report = rehearsal.play(answer)
    assert [gate["gate"] for gate in rehearsal.asked] == ["failback", "intervention", "commit"]
    assert "AuthorizationFailed" in str(rehearsal.asked[1]["shown"])
    assert machine(report)["outcome"] == "home"


def test_an_item_that_is_missing_for_a_moment_does_not_lose_the_run() -> None:
    rehearsal = Rehearsal()
    rehearsal.fault("not-found", method="GET", path="/replicationProtectedItems/ContosoWin2016", after=8, times=2)
    assert machine(rehearsal.play())["outcome"] == "home"


def test_lists_that_lag_behind_never_lead_to_a_second_act() -> None:
    rehearsal = Rehearsal([standing("protected-in-reverse", f"Web{number}") for number in range(5)])
    rehearsal.fault("stale-list", times=None, seconds=7200, share=0.4)
    report = rehearsal.play(machines=[f"Web{number}" for number in range(5)])
    assert report["outcome"] == "succeeded"
    assert all(acts(rehearsal, f"Web{number}") == RUNBOOK for number in range(5))


def test_a_source_that_will_not_shut_down_does_not_stop_the_failover() -> None:
    rehearsal = Rehearsal()
    rehearsal.fault("source-will-not-shut-down")
    assert machine(rehearsal.play())["outcome"] == "home"


def test_a_failed_job_is_retried_when_people_say_so_as_a_new_intention() -> None:
    rehearsal = Rehearsal()
    rehearsal.fault("job-fails", act="failover", code="150097", message="the disk is busy")
    answers = iter([{"decision": "approve"}, {"decision": "retry"}, {"decision": "approve"}])
    report = rehearsal.play(lambda _gate: next(answers))
    assert [gate["gate"] for gate in rehearsal.asked] == ["failback", "intervention", "commit"]
    assert "the disk is busy" in str(rehearsal.asked[1]["shown"])
    assert machine(report)["outcome"] == "home"
    failovers = [job for job in machine(report)["jobs"] if job["act"] == "fail_over"]
    assert [job["state"] for job in failovers] == ["Failed", "Succeeded"]
    assert len({job["requestId"] for job in failovers}) == 2


def test_a_failed_machine_that_is_stopped_is_never_reported_as_done() -> None:
    rehearsal = Rehearsal()
    rehearsal.fault("job-fails", act="failover")
    answers = iter([{"decision": "approve"}, {"decision": "stop"}])
    report = rehearsal.play(lambda _gate: next(answers))
    assert report["outcome"] == "failed"
    assert machine(report)["outcome"] == "failed"
    assert machine(report)["failure"]["what"]


def test_a_rehearsal_that_fails_may_be_skipped_with_a_reason_that_is_kept() -> None:
    rehearsal = Rehearsal()
    rehearsal.fault("job-fails", act="testFailover")
    skip = {"decision": "skip", "comment": "the isolated network is broken"}
    answers = iter([skip, {"decision": "approve"}, {"decision": "approve"}])
    report = rehearsal.play(lambda _gate: next(answers))
    assert machine(report)["outcome"] == "home"
    assert machine(report)["skipped"][0]["stage"] == "rehearse"
    assert any(entry["comment"] == skip["comment"] for entry in report["decisions"])


def test_a_failover_cannot_be_skipped() -> None:
    rehearsal = Rehearsal()
    rehearsal.fault("job-fails", act="failover")
    answers = iter([{"decision": "approve"}, {"decision": "stop"}])
    rehearsal.play(lambda _gate: next(answers))
    assert rehearsal.asked[1]["offers"] == ["retry", "stop"]


def test_a_clean_up_that_cannot_be_done_is_said_loudly() -> None:
    rehearsal = Rehearsal()
    rehearsal.fault("job-fails", act="testFailoverCleanup", times=None)
    answers = iter([{"decision": "stop"}, {"decision": "stop"}])
    report = rehearsal.play(lambda _gate: next(answers))
    assert machine(report)["cleanedUp"] is False
    assert any("NOT CLEANED UP" in warning for warning in report["warnings"])


def test_one_machine_that_fails_does_not_stop_or_hide_another() -> None:
    rehearsal = Rehearsal([standing("protected-in-reverse", "Web1"), standing("protected-in-reverse", "Web2")])
    rehearsal.fault("job-fails", act="commit", item="Web1", times=None)

    def answer(gate: dict[str, Any]) -> dict[str, Any]:
        return {"decision": "stop" if gate["gate"] == "intervention" else "approve"}

    report = rehearsal.play(answer, machines=["Web1", "Web2"])
    assert machine(report, "Web1")["outcome"] == "failed"
    assert machine(report, "Web2")["outcome"] == "home"
    assert report["outcome"] == "partial"


def test_a_machine_whose_item_disappears_fails_and_says_what_to_look_at() -> None:
    rehearsal = Rehearsal()

    def answer(gate: dict[str, Any]) -> dict[str, Any]:
        if gate["gate"] == "intervention":
            return {"decision": "stop"}
        rehearsal.fault("item-disappears", method="GET", path="/replicationProtectedItems/", after=8)
        return {"decision": "approve"}

    report = rehearsal.play(answer, testFailover={"enabled": False})
    assert [gate["gate"] for gate in rehearsal.asked] == ["failback", "intervention"]
    assert machine(report)["outcome"] == "failed"
    assert machine(report)["failure"]["code"] == "ItemGone"


def test_a_machine_that_is_gone_when_it_is_approved_is_asked_about_again() -> None:
    rehearsal = Rehearsal()

    def answer(gate: dict[str, Any]) -> dict[str, Any]:
        if gate["round"] > 1:
            return {"decision": "stop"}
        rehearsal.fault("item-disappears", method="GET", path="/replicationProtectedItems")
        return {"decision": "approve"}

    report = rehearsal.play(answer, testFailover={"enabled": False})
    again = rehearsal.asked[-1]
    assert (again["gate"], again["round"]) == ("failback", 2)
    assert again["shown"]["machines"][0]["void"]
    assert machine(report)["outcome"] == "untouched"
    assert not acts(rehearsal)


def test_a_job_that_hangs_ends_in_a_question_and_never_in_a_second_job() -> None:
    rehearsal = Rehearsal()
    rehearsal.fault("job-hangs", act="failover")
    report = rehearsal.play(lambda gate: {"decision": "stop" if gate["gate"] == "intervention" else "approve"})
    assert machine(report)["failure"]["code"] == "JobTimedOut"
    assert acts(rehearsal).count("failover") == 1


def test_azure_silent_from_the_start_refuses_the_run_and_changes_nothing() -> None:
    rehearsal = Rehearsal()
    rehearsal.fault("connection-closed", times=None)
    report = rehearsal.play()
    assert report["outcome"] == "refused"
    assert report["refusals"][0]["code"] == "AzureUnreachable"


def test_a_vault_that_may_not_be_read_refuses_the_run_with_what_is_missing() -> None:
    rehearsal = Rehearsal()
    rehearsal.fault("authorization-failed", times=None)
    report = rehearsal.play()
    assert report["outcome"] == "refused"
    assert report["refusals"][0]["code"] == "AuthorizationFailed"

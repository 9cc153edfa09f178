"""A run takes each machine from where it stands, whatever was done to it before."""

from __future__ import annotations

import pytest

from tests.rehearsal import NAME, Rehearsal, machine, standing

ISOLATED = (
    "/subscriptions/11111111-1111-1111-1111-111111111111/resourceGroups/contoso-app"
    "/providers/Microsoft.Network/virtualNetworks/isolated"
)
HOME = ["testFailover", "testFailoverCleanup", "failover", "commit", "reprotect"]


def acts(rehearsal: Rehearsal) -> list[str]:
    return [act for act, _ in rehearsal.posts()]


def test_a_machine_that_is_ready_comes_home_by_the_runbook_each_act_once() -> None:
    rehearsal = Rehearsal()
    report = rehearsal.play()
    assert report["outcome"] == "succeeded"
    assert machine(report)["outcome"] == "home"
    assert machine(report)["protected"] is True
    assert acts(rehearsal) == HOME


def test_a_machine_not_yet_re_protected_is_re_protected_first_where_the_request_allows_it() -> None:
    rehearsal = Rehearsal([standing("away")])
    report = rehearsal.play(prepare={"reprotect": True}, testFailover={"networkId": ISOLATED})
    assert machine(report)["outcome"] == "home"
    assert acts(rehearsal) == ["reprotect", *HOME]


def test_a_machine_not_yet_re_protected_is_refused_where_the_request_does_not_allow_it() -> None:
    rehearsal = Rehearsal([standing("away")])
    report = rehearsal.play()
    assert report["outcome"] == "refused"
    assert "failed over to eastus and committed, not re-protected" in report["words"]
    assert "prepare" in report["refusals"][0]["remedy"]
    assert acts(rehearsal) == []


def test_a_test_failover_left_behind_is_cleaned_up_before_a_new_one() -> None:
    rehearsal = Rehearsal([standing("test-failover-waiting-in-reverse")])
    report = rehearsal.play()
    assert machine(report)["outcome"] == "home"
    assert acts(rehearsal) == ["testFailoverCleanup", *HOME]


def test_a_test_failover_left_behind_refuses_the_run_where_cleaning_it_up_is_not_allowed() -> None:
    rehearsal = Rehearsal([standing("test-failover-waiting-in-reverse")])
    report = rehearsal.play(prepare={"cleanUp": False})
    assert report["outcome"] == "refused"
    assert acts(rehearsal) == []


def test_a_machine_that_still_syncs_is_waited_for() -> None:
    rehearsal = Rehearsal([standing("syncing-in-reverse")])
    report = rehearsal.play(testFailover={"networkId": ISOLATED})
    assert machine(report)["outcome"] == "home"
    assert acts(rehearsal) == HOME


def test_a_machine_failed_over_home_but_not_committed_goes_on_from_its_validation() -> None:
    rehearsal = Rehearsal([standing("home-uncommitted")])
    report = rehearsal.play()
    assert [gate["gate"] for gate in rehearsal.asked] == ["commit"]
    assert machine(report)["validation"]["verdict"] == "passed"
    assert machine(report)["outcome"] == "home"
    assert acts(rehearsal) == ["commit", "reprotect"]


def test_a_machine_committed_at_home_is_only_re_protected() -> None:
    rehearsal = Rehearsal([standing("committed-in-reverse")])
    report = rehearsal.play()
    assert rehearsal.asked == []
    assert machine(report)["outcome"] == "home"
    assert acts(rehearsal) == ["reprotect"]


def test_a_machine_that_syncs_at_home_is_only_waited_for() -> None:
    rehearsal = Rehearsal([standing("syncing")])
    report = rehearsal.play()
    assert machine(report)["protected"] is True
    assert acts(rehearsal) == []


@pytest.mark.parametrize(
    ("state", "words"),
    [("away-uncommitted", "not committed"), ("protected", "at home in centralus, protected to eastus")],
)
def test_a_machine_that_cannot_come_home_is_refused_with_its_state_in_words(state: str, words: str) -> None:
    rehearsal = Rehearsal([standing(state)])
    report = rehearsal.play()
    assert report["outcome"] == "refused"
    assert words in report["words"]
    assert report["refusals"][0]["remedy"]
    assert acts(rehearsal) == []


@pytest.mark.parametrize(
    ("state", "act", "then"),
    [
        ("protected-in-reverse", "testFailover", ["testFailoverCleanup", *HOME]),
        ("test-failover-waiting-in-reverse", "testFailoverCleanup", HOME),
        ("protected-in-reverse", "failover", ["commit", "reprotect"]),
        ("home-uncommitted", "commit", ["reprotect"]),
        ("committed-in-reverse", "reprotect", []),
        ("away", "reprotect", HOME),
    ],
)
def test_a_job_that_already_runs_is_waited_for_and_never_started_twice(
    state: str, act: str, then: list[str]
) -> None:
    rehearsal = Rehearsal([standing(state, job={"act": act, "progress": 0.5})])
    report = rehearsal.play(prepare={"reprotect": True}, testFailover={"networkId": ISOLATED})
    assert machine(report)["outcome"] == "home", report["words"]
    assert acts(rehearsal) == then


def test_somebody_who_starts_the_same_act_in_the_portal_is_followed_not_repeated() -> None:
    rehearsal = Rehearsal()
    rehearsal.fault("somebody-starts-a-job", start="failover", path="/unplannedFailover")
    report = rehearsal.play()
    assert machine(report)["outcome"] == "home"
    assert [job["ours"] for job in machine(report)["jobs"] if job["act"] == "fail_over"] == [False]
    assert acts(rehearsal).count("failover") == 0


def test_an_unknown_machine_and_vault_are_refused_by_name() -> None:
    unknown = Rehearsal().play(machines=["Nobody"])
    assert unknown["refusals"][0]["about"] == "Nobody"
    elsewhere = Rehearsal()
    vault = elsewhere.request()["vault"].replace("contoso-vault", "fabrikam-vault")
    report = elsewhere.play(vault=vault)
    assert report["outcome"] == "refused"
    assert "fabrikam-vault" in report["words"]


def test_a_recovery_point_that_does_not_exist_is_refused_before_any_write() -> None:
    rehearsal = Rehearsal()
    report = rehearsal.play(recoveryPoint={"select": "custom", "id": "no-such-point"})
    assert report["outcome"] == "refused"
    assert "no-such-point" in report["words"]
    assert acts(rehearsal) == []


def test_a_machine_named_twice_in_different_ways_is_one_machine() -> None:
    rehearsal = Rehearsal()
    report = rehearsal.play(machines=[NAME.upper()])
    assert [each["name"] for each in report["machines"]] == [NAME]


def test_a_machine_at_home_needs_no_recovery_point_whatever_the_request_chose() -> None:
    rehearsal = Rehearsal([standing("committed-in-reverse")])
    report = rehearsal.play(recoveryPoint={"select": "latestProcessed"})
    assert machine(report)["outcome"] == "home"
    assert acts(rehearsal) == ["reprotect"]

"""What a gate promises, row by row: who, how many, by when, on what, and what happens otherwise."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

import pytest

from domain.approvals import GateName
from domain.contract import lock_key
from domain.lifecycle import Act
from domain.settings import Settings
from gateway.azure import Azure
from gateway.site_recovery import Asked
from localhost import SyncHost
from simulator.transport import SimulatorCredential
from tests.rehearsal import NAME, VAULT, Door, Rehearsal, machine, standing

QUICK: dict[str, Any] = {"testFailover": {"enabled": False}}
ANN, BOB, CLEO, DANA = (f"{name}@contoso.com" for name in ("ann", "bob", "cleo", "dana"))


def acts(rehearsal: Rehearsal, name: str = NAME) -> list[str]:
    return [act for act, item in rehearsal.posts() if item == name]


def asked(rehearsal: Rehearsal, host: SyncHost) -> dict[str, Any]:
    gate = rehearsal._until_asked_or_finished(host, timedelta(days=90))
    assert gate is not None
    rehearsal.asked.append(gate)
    return gate


@contextmanager
def under_way(rehearsal: Rehearsal, **request: Any) -> Iterator[SyncHost]:
    with rehearsal.host() as host:
        host.start("failback", rehearsal.request(**{**QUICK, **request}), instance_id=rehearsal.run)
        yield host


def let_pass(host: SyncHost, rehearsal: Rehearsal, time: timedelta) -> None:
    until = rehearsal.clock.now() + time
    while rehearsal.clock.now() < until:
        assert host.step()


def decided(rehearsal: Rehearsal, host: SyncHost, gate: dict[str, Any], by: str = ANN, **more: Any) -> int:
    return rehearsal.decide(host, gate, by=by, **more).status


def heralds(host: SyncHost) -> list[str]:
    """Give the kinds of the notices on their way, the oldest first."""
    sent = [each for each in host.instances() if ":tell-" in each.instance_id and each.name == "herald"]
    sent.sort(key=lambda each: each.created)
    return [each.instance_id.split(":tell-")[1].rsplit("-", 1)[0] for each in sent]


# -- who, and how many ----------------------------------------------------------------------------------------


def test_named_approvers_alone_may_decide() -> None:
    rehearsal = Rehearsal()
    with under_way(rehearsal, approvals={"approvers": [ANN, "some-group-member"], "groups": ["night"]}) as host:
        gate = asked(rehearsal, host)
        assert decided(rehearsal, host, gate, BOB) == 403
        assert decided(rehearsal, host, gate, ANN) == 200


def test_a_gate_may_have_a_quorum_of_its_own() -> None:
    rehearsal = Rehearsal()
    with under_way(rehearsal, approvals={"gates": {"commit": {"quorum": 2}}}) as host:
        assert decided(rehearsal, host, asked(rehearsal, host)) == 200
        gate = asked(rehearsal, host)
        assert gate["gate"] == "commit"
        assert decided(rehearsal, host, gate, ANN) == 200
        let_pass(host, rehearsal, timedelta(hours=3))
        assert acts(rehearsal) == ["failover"]
        assert decided(rehearsal, host, gate, BOB) == 200
        assert machine(rehearsal.finish(host))["outcome"] == "home"


def test_a_reason_is_required_where_the_policy_wants_one() -> None:
    rehearsal = Rehearsal()
    with under_way(rehearsal, approvals={"reasonRequired": True}) as host:
        gate = asked(rehearsal, host)
        assert decided(rehearsal, host, gate) == 400
        assert decided(rehearsal, host, gate, comment="the region is back") == 200


def test_who_approved_is_recorded_with_the_hash_the_time_and_the_way() -> None:
    rehearsal = Rehearsal()
    report = rehearsal.play(**QUICK)
    entry = report["decisions"][0]
    assert (entry["by"], entry["byId"], entry["method"]) == ("olive@contoso.com", "olive@contoso.com", "declared")
    assert entry["planHash"] == rehearsal.asked[0]["planHash"]
    assert datetime.fromisoformat(entry["at"])


def test_somebody_who_breaks_the_glass_needs_nobody_and_is_told_of_and_marked() -> None:
    rehearsal = Rehearsal()
    policy = {"approvers": [ANN, BOB], "quorum": 2, "breakGlass": True, "gates": {"commit": {"quorum": 1}}}
    with under_way(rehearsal, approvals=policy) as host:
        gate = asked(rehearsal, host)
        assert decided(rehearsal, host, gate, CLEO, breakGlass=True) == 400
        assert decided(rehearsal, host, gate, DANA, breakGlass=True, comment="nobody answers") == 403
        assert decided(rehearsal, host, gate, CLEO, breakGlass=True, comment="nobody answers") == 200
        decided(rehearsal, host, asked(rehearsal, host), ANN)
        report = rehearsal.finish(host)
        assert heralds(host).count("breakGlass") == 1
    assert machine(report)["outcome"] == "home"
    assert any("cleo@contoso.com BROKE THE GLASS at gate failback" in warning for warning in report["warnings"])
    assert any(entry.get("breakGlass") for entry in report["decisions"])


# -- by when --------------------------------------------------------------------------------------------------


def test_a_decision_after_the_deadline_is_late_even_if_the_gate_has_not_closed() -> None:
    rehearsal = Rehearsal()
    with under_way(rehearsal, approvals={"timeout": "PT2H"}) as host:
        gate = asked(rehearsal, host)
        rehearsal.clock.advance(timedelta(hours=3))
        assert decided(rehearsal, host, gate) == 410
        report = rehearsal.finish(host)
    assert machine(report)["outcome"] == "untouched"
    assert [entry["judgement"] for entry in report["decisions"]] == ["late"]


def test_a_gate_waits_forty_five_days_with_reminders_and_small_histories() -> None:
    rehearsal = Rehearsal()
    began = rehearsal.clock.now()
    with under_way(rehearsal, approvals={"timeout": "P45D", "remindEvery": "P7D"}) as host:
        gate = asked(rehearsal, host)
        let_pass(host, rehearsal, timedelta(days=44))
        assert heralds(host).count("reminder") == 6
        assert decided(rehearsal, host, gate) == 200
        decided(rehearsal, host, asked(rehearsal, host))
        report = rehearsal.finish(host)
        for each in host.instances():
            status = host.status(each.instance_id, history=True)
            assert status is not None
            assert len(status.history or []) < 250
    assert machine(report)["outcome"] == "home"
    assert rehearsal.clock.now() - began > timedelta(days=44)


def test_reminders_leave_those_in_peace_who_have_answered() -> None:
    rehearsal = Rehearsal()
    policy = {"approvers": [ANN, BOB, CLEO], "quorum": 2, "timeout": "P2D", "remindEvery": "PT5H"}
    with under_way(rehearsal, approvals=policy) as host:
        gate = asked(rehearsal, host)
        assert decided(rehearsal, host, gate, ANN) == 200
        let_pass(host, rehearsal, timedelta(hours=6))
        [told] = [
            each for each in host.instances() if "tell-reminder" in each.instance_id and each.name == "herald"
        ]
        notice = rehearsal._document(told.input)
        assert notice["ask"]["approvers"] == [BOB, CLEO]
        assert "1 person has answered" in " ".join(notice["words"])


def test_after_the_deadline_further_people_are_asked_and_told_and_then_the_run_stops() -> None:
    rehearsal = Rehearsal()
    policy = {
        "approvers": [ANN],
        "timeout": "PT2H",
        "onTimeout": "escalate",
        "escalateTo": {"approvers": [CLEO], "timeout": "PT3H"},
    }
    with under_way(rehearsal, approvals=policy) as host:
        gate = asked(rehearsal, host)
        assert decided(rehearsal, host, gate, CLEO) == 403
        let_pass(host, rehearsal, timedelta(hours=2.5))
        assert decided(rehearsal, host, gate, CLEO) == 200
        gate = asked(rehearsal, host)
        assert gate["gate"] == "commit"
        report = rehearsal.finish(host, lambda _gate: None)
        assert heralds(host).count("escalated") == 2
    assert "nobody decided in time" in machine(report)["words"]
    assert report["ended"] >= gate["deadline"]


# -- when it is done ------------------------------------------------------------------------------------------


def hours(rehearsal: Rehearsal, number: float) -> str:
    return (rehearsal.clock.now() + timedelta(hours=number)).isoformat()


def test_what_is_approved_now_for_two_in_the_morning_is_done_then() -> None:
    rehearsal = Rehearsal()
    with under_way(rehearsal) as host:
        moment = hours(rehearsal, 24)
        assert decided(rehearsal, host, asked(rehearsal, host), notBefore=moment) == 200
        let_pass(host, rehearsal, timedelta(hours=23))
        assert acts(rehearsal) == []
        assert "approved; waits until" in str(host.status(rehearsal.run).custom_status)
        decided(rehearsal, host, asked(rehearsal, host))
        report = rehearsal.finish(host)
    failover = next(job for job in machine(report)["jobs"] if job["act"] == "fail_over")
    assert failover["started"] >= moment[:16]
    assert machine(report)["outcome"] == "home"


@pytest.mark.parametrize("wish", ["cancel", "pause"])
def test_a_deferred_run_heeds_a_cancel_and_a_pause_while_it_waits(wish: str) -> None:
    rehearsal = Rehearsal()
    with under_way(rehearsal) as host:
        decided(rehearsal, host, asked(rehearsal, host), notBefore=hours(rehearsal, 10))
        let_pass(host, rehearsal, timedelta(hours=5))
        about = {"by": DANA, "reason": "not tonight", "at": rehearsal.clock.now().isoformat()}
        host.signal_entity("run_control", rehearsal.run, wish, about)
        if wish == "pause":
            let_pass(host, rehearsal, timedelta(hours=20))
            assert acts(rehearsal) == []
            host.signal_entity("run_control", rehearsal.run, "resume", about)
        report = rehearsal.finish(host)
    assert machine(report)["outcome"] == {"cancel": "untouched", "pause": "home"}[wish]


def test_what_is_deferred_is_checked_again_before_it_is_done() -> None:
    rehearsal = Rehearsal()
    with under_way(rehearsal, recoveryPoint={"select": "latestProcessed"}) as host:
        decided(rehearsal, host, asked(rehearsal, host), notBefore=hours(rehearsal, 24 * 20))
        gate = asked(rehearsal, host)
        assert (gate["gate"], gate["round"]) == ("failback", 2)
        assert "recovery point" in str(gate["shown"]["machines"][0]["void"])
    assert acts(rehearsal) == []


# The rehearsal's clock begins on a Friday, at 02:00 UTC.
NIGHT = {"opens": "22:00", "closes": "23:00"}


def test_inside_the_window_alone_is_what_was_approved_done() -> None:
    rehearsal = Rehearsal()
    with under_way(rehearsal, approvals={"gates": {"failback": {"window": NIGHT}}}) as host:
        assert decided(rehearsal, host, asked(rehearsal, host)) == 200
        decided(rehearsal, host, asked(rehearsal, host))
        report = rehearsal.finish(host)
    failover = next(job for job in machine(report)["jobs"] if job["act"] == "fail_over")
    assert failover["started"][11:13] == "22"


def test_the_windows_end_withdraws_the_approval_and_the_gate_asks_again() -> None:
    rehearsal = Rehearsal()
    with under_way(rehearsal, approvals={"gates": {"failback": {"window": NIGHT}}}) as host:
        assert decided(rehearsal, host, asked(rehearsal, host)) == 200
        let_pass(host, rehearsal, timedelta(hours=15))
        about = {"by": DANA, "reason": "wait", "at": rehearsal.clock.now().isoformat()}
        host.signal_entity("run_control", rehearsal.run, "pause", about)
        let_pass(host, rehearsal, timedelta(hours=8))
        host.signal_entity("run_control", rehearsal.run, "resume", about)
        gate = asked(rehearsal, host)
    assert (gate["gate"], gate["round"]) == ("failback", 2)
    assert "time that it was approved for" in str(gate["shown"]["machines"][0]["void"])
    assert acts(rehearsal) == []


def test_machines_whose_turn_has_not_come_when_the_window_ends_are_asked_about_again() -> None:
    names = [f"Web{number}" for number in range(5)]
    rehearsal = Rehearsal([standing("protected-in-reverse", name) for name in names])
    window = {"opens": "02:00", "closes": "02:10"}
    with rehearsal.host() as host:
        request = rehearsal.request(
            *names, **QUICK, limits={"maxParallel": 1}, approvals={"gates": {"failback": {"window": window}}}
        )
        host.start("failback", request, instance_id=rehearsal.run)
        assert decided(rehearsal, host, asked(rehearsal, host)) == 200
        again = asked(rehearsal, host)
    done = {item for act, item in rehearsal.posts() if act == "failover"}
    assert again["gate"] == "failback"
    assert 0 < len(done) < 5
    assert set(again["machines"]) == set(names) - done
    assert all("time that it was approved for" in str(row["void"]) for row in again["shown"]["machines"])


def test_an_approval_is_good_for_a_day_and_then_the_gate_asks_again() -> None:
    rehearsal = Rehearsal()
    rehearsal.fault("job-fails", act="testFailoverCleanup")
    with under_way(rehearsal, testFailover={"enabled": True}, approvals={"timeout": "P3D"}) as host:
        assert decided(rehearsal, host, asked(rehearsal, host)) == 200
        failed = asked(rehearsal, host)
        let_pass(host, rehearsal, timedelta(hours=26))
        assert decided(rehearsal, host, failed, decision="retry") == 200
        again = asked(rehearsal, host)
    assert (failed["gate"], again["gate"], again["round"]) == ("intervention", "failback", 2)
    assert "time that it was approved for" in str(again["shown"]["machines"][0]["void"])
    assert "failover" not in acts(rehearsal)


# -- on what --------------------------------------------------------------------------------------------------


def test_an_approval_is_void_when_what_was_shown_has_changed_and_says_why() -> None:
    rehearsal = Rehearsal()
    with under_way(rehearsal) as host:
        gate = asked(rehearsal, host)
        _click(rehearsal, "test_failover")
        assert decided(rehearsal, host, gate) == 200
        again = asked(rehearsal, host)
        assert (again["gate"], again["round"]) == ("failback", 2)
        assert again["planHash"] != gate["planHash"]
        assert "it was in eastus" in str(again["shown"]["machines"][0]["void"])
        assert decided(rehearsal, host, gate) == 409


def test_a_commit_is_void_when_somebody_brought_the_machine_to_another_recovery_point() -> None:
    rehearsal = Rehearsal()
    with under_way(rehearsal) as host:
        decided(rehearsal, host, asked(rehearsal, host))
        gate = asked(rehearsal, host)
        shown = gate["shown"]["machines"][0]
        other = shown["offered"][-1]["name"]
        _click(rehearsal, "change_point", point=other)
        assert decided(rehearsal, host, gate) == 200
        again = asked(rehearsal, host)
        assert (again["gate"], again["round"]) == ("commit", 2)
        assert acts(rehearsal) == ["failover", "changeRecoveryPoint"]
        shown = again["shown"]["machines"][0]
        assert other in str(shown["void"])
        assert shown["usedPoint"]["id"] == other


def _until(rehearsal: Rehearsal, host: SyncHost, act: str) -> None:
    while act not in acts(rehearsal):
        assert host.step()


def test_a_retry_fails_over_to_the_point_that_was_approved_and_no_other() -> None:
    rehearsal = Rehearsal()
    with under_way(rehearsal, recoveryPoint={"select": "latestProcessed"}, testFailover={"enabled": True}) as host:
        gate = asked(rehearsal, host)
        approved = gate["shown"]["machines"][0]["point"]["id"]
        decided(rehearsal, host, gate)
        _until(rehearsal, host, "testFailoverCleanup")
        rehearsal.fault("connection-closed", path="/recoveryPoints", times=None, seconds=900)
        gate = asked(rehearsal, host)
        assert gate["gate"] == "intervention"
        let_pass(host, rehearsal, timedelta(hours=1))
        decided(rehearsal, host, gate, decision="retry")
        shown = asked(rehearsal, host)["shown"]["machines"][0]
    assert approved.endswith(shown["usedPoint"]["id"])


def test_a_point_that_is_gone_when_it_is_needed_is_asked_about_and_never_replaced() -> None:
    rehearsal = Rehearsal()
    # After two hours one point an hour is kept; the one that will be approved is not to be that one.
    rehearsal.clock.advance(timedelta(minutes=20))
    rehearsal.fault("job-fails", act="testFailoverCleanup")
    chosen: dict[str, Any] = {"recoveryPoint": {"select": "latestProcessed"}, "testFailover": {"enabled": True}}
    with under_way(rehearsal, **chosen, approvals={"timeout": "P5D"}) as host:
        decided(rehearsal, host, asked(rehearsal, host))
        gate = asked(rehearsal, host)
        assert gate["gate"] == "intervention"
        let_pass(host, rehearsal, timedelta(hours=5))
        decided(rehearsal, host, gate, decision="retry")
        again = asked(rehearsal, host)
    assert (again["gate"], again["round"]) == ("failback", 2)
    assert "there is no recovery point" in str(again["shown"]["machines"][0]["void"])
    assert acts(rehearsal) == ["testFailover", *["testFailoverCleanup"] * 2, "testFailover"]


def test_what_was_approved_without_a_recovery_point_to_be_seen_is_asked_about_again() -> None:
    rehearsal = Rehearsal()
    with under_way(rehearsal, recoveryPoint={"select": "latestProcessed"}) as host:
        while "child" not in str(host.status(rehearsal.run).custom_status):
            assert host.step()
        rehearsal.fault("connection-closed", path="/recoveryPoints", times=None, seconds=900)
        gate = asked(rehearsal, host)
        assert "refusal" in gate["shown"]["machines"][0]["point"]
        let_pass(host, rehearsal, timedelta(hours=1))
        decided(rehearsal, host, gate)
        again = asked(rehearsal, host)
    assert (again["gate"], again["round"]) == ("failback", 2)
    shown = again["shown"]["machines"][0]
    assert "no recovery point was shown" in str(shown["void"])
    assert "refusal" not in shown["point"]


def _click(rehearsal: Rehearsal, act: str, point: str | None = None) -> None:
    """Do something in the portal, and wait until it is done."""
    vault = rehearsal.azure.vault(VAULT)
    details = next(each for each in vault.machines() if each.snapshot.name == NAME)
    ids = [each.id for each in vault.points(details.snapshot.id) if point and each.id.endswith(point)]
    chosen = next(iter(ids), None)
    vault.start(details, Asked(act=Act(act), request_id="portal", network=details.test_network, point=chosen))
    rehearsal.clock.advance(timedelta(minutes=10))


def test_a_machine_whose_approval_was_void_is_not_approved_by_silence() -> None:
    rehearsal = Rehearsal()
    policy = {"timeout": "PT1H", "onTimeout": "approve"}
    with under_way(rehearsal, testFailover={"enabled": True}, approvals=policy) as host:
        gate = asked(rehearsal, host)
        _click(rehearsal, "clean_up")
        assert decided(rehearsal, host, gate) == 200
        again = asked(rehearsal, host)
        assert "a test failover waits" in str(again["shown"]["machines"][0]["void"])
        report = rehearsal.finish(host)
    assert "nobody decided in time" in machine(report)["words"]
    assert "failover" not in acts(rehearsal)


def test_what_is_stopped_is_not_checked_again() -> None:
    rehearsal = Rehearsal()
    with under_way(rehearsal) as host:
        gate = asked(rehearsal, host)
        _click(rehearsal, "test_failover")
        assert decided(rehearsal, host, gate, decision="stop") == 200
        report = rehearsal.finish(host)
    assert [each["gate"] for each in rehearsal.asked] == ["failback"]
    assert "stopped by ann@contoso.com" in machine(report)["words"]


def test_while_azure_is_silent_an_approval_is_neither_kept_nor_voided_for_a_while() -> None:
    rehearsal = Rehearsal()
    with under_way(rehearsal) as host:
        gate = asked(rehearsal, host)
        rehearsal.fault("connection-closed", times=None, seconds=1_500)
        assert decided(rehearsal, host, gate) == 200
        decided(rehearsal, host, asked(rehearsal, host))
        report = rehearsal.finish(host)
    assert [each["gate"] for each in rehearsal.asked] == ["failback", "commit"]
    assert machine(report)["outcome"] == "home"


def test_when_azure_stays_silent_people_are_asked_again() -> None:
    rehearsal = Rehearsal()
    with under_way(rehearsal) as host:
        gate = asked(rehearsal, host)
        rehearsal.fault("connection-closed", times=None, seconds=9_000)
        assert decided(rehearsal, host, gate) == 200
        again = asked(rehearsal, host)
    assert (again["gate"], again["round"]) == ("failback", 2)
    assert "could not be checked again" in str(again["shown"]["machines"][0]["void"])


def test_a_run_cancelled_while_azure_is_silent_asks_nobody_again() -> None:
    rehearsal = Rehearsal()
    with under_way(rehearsal) as host:
        gate = asked(rehearsal, host)
        rehearsal.fault("connection-closed", times=None, seconds=2_000)
        assert decided(rehearsal, host, gate) == 200
        let_pass(host, rehearsal, timedelta(minutes=2))
        host.signal_entity("run_control", rehearsal.run, "cancel", {"by": DANA, "reason": "enough"})
        report = rehearsal.finish(host)
    assert [each["gate"] for each in rehearsal.asked] == ["failback"]
    assert "enough" in report["words"]
    assert acts(rehearsal) == []


def test_a_wait_that_breaks_lets_nothing_follow_from_it() -> None:
    rehearsal = Rehearsal()
    with under_way(rehearsal) as host:
        decided(rehearsal, host, asked(rehearsal, host), notBefore=hours(rehearsal, 10))
        let_pass(host, rehearsal, timedelta(hours=2))
        host.terminate(rehearsal._document(host.status(rehearsal.run).custom_status)["child"], "by hand")
        report = rehearsal.finish(host)
    assert "the wait broke" in report["words"]
    assert acts(rehearsal) == []


# -- runs that an alert proposes ------------------------------------------------------------------------------

PROPOSED = {"route": "region-health", "alerts": ["alert-1"], "at": "2026-11-20T01:00:00Z"}


def test_a_proposed_run_begins_only_once_people_agree() -> None:
    rehearsal = Rehearsal()
    with under_way(rehearsal, proposed=PROPOSED) as host:
        gate = asked(rehearsal, host)
        assert gate["gate"] == "start"
        let_pass(host, rehearsal, timedelta(hours=2))
        assert host.entity("machine_lock", lock_key(VAULT, NAME)) is None
        assert not any(call.write for call in rehearsal.simulator.journal.calls)
        assert decided(rehearsal, host, gate) == 200
        report = rehearsal.finish(host)
    assert [each["gate"] for each in rehearsal.asked] == ["start", "failback", "commit"]
    assert machine(report)["outcome"] == "home"


@pytest.mark.parametrize("answer", ["stop", "silence"])
def test_a_proposed_run_that_nobody_wants_changes_nothing(answer: str) -> None:
    rehearsal = Rehearsal()
    with under_way(rehearsal, proposed=PROPOSED) as host:
        if answer == "stop":
            decided(rehearsal, host, asked(rehearsal, host), decision="stop")
        report = rehearsal.finish(host, lambda _gate: None)
    assert machine(report)["outcome"] == "untouched"
    assert report["outcome"] == "stopped"
    assert not any(call.write for call in rehearsal.simulator.journal.calls)


def test_a_proposal_may_be_withdrawn_until_somebody_agreed() -> None:
    rehearsal = Rehearsal()
    with under_way(rehearsal, proposed=PROPOSED) as host:
        asked(rehearsal, host)
        host.signal_entity("run_control", rehearsal.run, "withdraw", {"reason": "the alert was resolved"})
        report = rehearsal.finish(host)
        host.run_until_idle()
        assert heralds(host)[-1] == "withdrawn"
    assert "withdrawn: the alert was resolved" in report["words"]
    assert machine(report)["outcome"] == "untouched"
    assert acts(rehearsal) == []


def test_a_proposal_is_not_withdrawn_any_more_once_one_of_two_agreed() -> None:
    rehearsal = Rehearsal()
    policy = {"gates": {"start": {"quorum": 2}}}
    with under_way(rehearsal, proposed=PROPOSED, approvals=policy) as host:
        gate = asked(rehearsal, host)
        assert decided(rehearsal, host, gate, ANN) == 200
        host.signal_entity("run_control", rehearsal.run, "withdraw", {"reason": "resolved"})
        let_pass(host, rehearsal, timedelta(hours=3))
        assert decided(rehearsal, host, gate, BOB) == 200
        report = rehearsal.finish(host)
    assert machine(report)["outcome"] == "home"


def test_a_proposed_run_that_is_otherwise_by_now_is_asked_about_again() -> None:
    rehearsal = Rehearsal()
    with under_way(rehearsal, proposed=PROPOSED) as host:
        gate = asked(rehearsal, host)
        _click(rehearsal, "test_failover")
        assert decided(rehearsal, host, gate) == 200
        again = asked(rehearsal, host)
        assert (again["gate"], again["round"]) == ("start", 2)
        assert again["shown"]["machines"][0]["void"]


# -- what is left to tell -------------------------------------------------------------------------------------


def test_a_channel_that_is_out_of_order_holds_nothing_up_and_shows_in_the_report() -> None:
    rehearsal = Rehearsal()
    nowhere = Settings.model_validate({"FAILBACK_SLACK_WEBHOOK": "https://127.0.0.1:9/hook"})
    credential, door = SimulatorCredential(rehearsal.simulator), Door(rehearsal.simulator)
    rehearsal.azure = Azure.over(nowhere, credential, door)
    with under_way(rehearsal) as host:
        first = asked(rehearsal, host)
        began = rehearsal.clock.now()
        decided(rehearsal, host, first)
        second = asked(rehearsal, host)
        assert rehearsal.clock.now() - began < timedelta(minutes=10)
        decided(rehearsal, host, second)
        report = rehearsal.finish(host)
    assert machine(report)["outcome"] == "home"
    assert "failed" in {each["status"] for each in report["notices"]}
    assert {each["channel"] for each in report["notices"] if each["status"] == "failed"} == {"slack"}


def test_what_was_asked_planned_decided_and_done_is_on_record_in_that_order() -> None:
    rehearsal = Rehearsal()
    report = rehearsal.play(**QUICK)
    assert report["evidence"]["records"] == 11
    assert GateName.COMMIT in {entry["gate"] for entry in report["decisions"]}

"""People approve, choose again, stop, cancel, or stay silent; the machine does no more than they said."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from domain.contract import lock_key
from tests.rehearsal import NAME, Rehearsal, machine, standing

OTHER = "ContosoWeb"


def acts(rehearsal: Rehearsal, name: str = NAME) -> list[str]:
    return [act for act, item in rehearsal.posts() if item == name]


def once(*answers: Any) -> Any:
    """Answer the gates with these, one after the other."""
    left = list(answers)
    return lambda _gate: left.pop(0)


def points(rehearsal: Rehearsal) -> list[dict[str, Any]]:
    listed = rehearsal.azure.vault(rehearsal.request()["vault"]).machines()
    item = next(each for each in listed if each.snapshot.name == NAME)
    found = rehearsal.azure.vault(rehearsal.request()["vault"]).points(item.snapshot.id)
    held = {disk.id.casefold() for disk in item.disks}
    whole = [point for point in found if held <= {disk.casefold() for disk in point.disks}]
    return [point.to_wire() for point in sorted(whole, key=lambda point: point.time)]


def test_no_act_but_the_rehearsal_happens_before_the_approval() -> None:
    rehearsal = Rehearsal()
    seen: list[list[str]] = []

    def approve(gate: dict[str, Any]) -> dict[str, Any]:
        seen.append([gate["gate"], *acts(rehearsal)])
        return {"decision": "approve"}

    rehearsal.play(approve)
    assert seen == [
        ["failback", "testFailover"],
        ["commit", "testFailover", "testFailoverCleanup", "failover"],
    ]


def test_a_stop_at_the_first_gate_cleans_up_and_leaves_the_machine_where_it_is() -> None:
    rehearsal = Rehearsal()
    report = rehearsal.play(once({"decision": "stop", "comment": "not tonight"}))
    assert report["outcome"] == "stopped"
    assert machine(report)["cleanedUp"] is True
    assert "stopped by olive@contoso.com" in machine(report)["words"]
    assert acts(rehearsal) == ["testFailover", "testFailoverCleanup"]


def test_a_stop_at_the_second_gate_leaves_the_machine_uncommitted_and_says_so_loudly() -> None:
    rehearsal = Rehearsal()
    report = rehearsal.play(once({"decision": "approve"}, {"decision": "stop"}))
    assert machine(report)["outcome"] == "stopped"
    assert machine(report)["committed"] is False
    assert any("NOT COMMITTED" in warning for warning in report["warnings"])
    assert "commit" not in acts(rehearsal)


def test_silence_stops_after_the_deadline_and_cleans_up() -> None:
    rehearsal = Rehearsal()
    began = rehearsal.clock.now()
    report = rehearsal.play(lambda _gate: None, approvals={"timeout": "P2D"})
    assert report["outcome"] == "stopped"
    assert "nobody decided in time" in machine(report)["words"]
    assert acts(rehearsal) == ["testFailover", "testFailoverCleanup"]
    assert (rehearsal.clock.now() - began).days == 2


def test_silence_approves_where_the_policy_says_so_and_every_check_passed() -> None:
    rehearsal = Rehearsal()
    report = rehearsal.play(lambda _gate: None, approvals={"timeout": "PT1H", "onTimeout": "approve"})
    assert machine(report)["outcome"] == "home"
    assert report["decisions"] == []


def test_silence_never_approves_a_machine_whose_validation_failed() -> None:
    rehearsal = Rehearsal()
    rehearsal.fault("no-heartbeat", act="failover", times=None)
    report = rehearsal.play(lambda _gate: None, approvals={"timeout": "PT1H", "onTimeout": "approve"})
    assert machine(report)["validation"]["verdict"] == "failed"
    assert machine(report)["outcome"] == "stopped"
    assert "commit" not in acts(rehearsal)


def test_a_gate_that_holds_waits_far_beyond_its_deadline() -> None:
    rehearsal = Rehearsal()
    began = rehearsal.clock.now()
    report = rehearsal.play(lambda _gate: None, approvals={"timeout": "PT1H", "onTimeout": "hold"})
    assert report["outcome"] == "stopped"
    assert (rehearsal.clock.now() - began).days == 45


def test_another_recovery_point_is_rehearsed_and_asked_about_before_it_is_used() -> None:
    rehearsal = Rehearsal()
    chosen = points(rehearsal)[3]["id"]
    change = {"decision": "changeRecoveryPoint", "recoveryPoints": {NAME: {"select": "custom", "id": chosen}}}
    report = rehearsal.play(once(change, {"decision": "approve"}, {"decision": "approve"}))
    assert acts(rehearsal)[:4] == ["testFailover", "testFailoverCleanup", "testFailover", "testFailoverCleanup"]
    assert [gate["round"] for gate in rehearsal.asked] == [1, 2, 1]
    assert chosen.endswith(machine(report)["recoveryPoint"]["id"])
    assert machine(report)["outcome"] == "home"


def test_another_recovery_point_after_the_failover_is_validated_and_asked_about_again() -> None:
    rehearsal = Rehearsal()
    chosen = points(rehearsal)[4]["id"]
    change = {"decision": "changeRecoveryPoint", "recoveryPoints": {NAME: {"select": "custom", "id": chosen}}}
    report = rehearsal.play(once({"decision": "approve"}, change, {"decision": "approve"}))
    assert acts(rehearsal) == [
        "testFailover",
        "testFailoverCleanup",
        "failover",
        "changeRecoveryPoint",
        "commit",
        "reprotect",
    ]
    assert chosen.endswith(machine(report)["recoveryPoint"]["id"])
    assert machine(report)["outcome"] == "home"


def test_some_machines_may_be_approved_and_others_stopped() -> None:
    rehearsal = Rehearsal(_two())
    with rehearsal.host() as host:
        host.start("failback", rehearsal.request(NAME, OTHER), instance_id=rehearsal.run)
        gate = rehearsal._until_asked_or_finished(host, timedelta(days=1))
        assert gate is not None
        rehearsal.asked.append(gate)
        assert rehearsal.decide(host, gate, machines=[NAME]).status == 200
        assert rehearsal.decide(host, gate, decision="stop", machines=[OTHER]).status == 200
        report = rehearsal.finish(host)
    assert machine(report, NAME)["outcome"] == "home"
    assert machine(report, OTHER)["outcome"] == "stopped"
    assert acts(rehearsal, OTHER) == ["testFailover", "testFailoverCleanup"]
    assert report["outcome"] == "partial"


def _two() -> list[Any]:
    return [standing("protected-in-reverse", NAME), standing("protected-in-reverse", OTHER)]


def test_a_quorum_of_two_needs_two_people_and_the_requester_is_not_one_of_them() -> None:
    rehearsal = Rehearsal()
    with rehearsal.host() as host:
        host.start("failback", rehearsal.request(approvals={"quorum": 2}), instance_id=rehearsal.run)
        gate = rehearsal._until_asked_or_finished(host, timedelta(days=1))
        assert gate is not None
        rehearsal.asked.append(gate)
        assert rehearsal.decide(host, gate, by="dana@contoso.com").status == 403
        assert rehearsal.decide(host, gate, by="olive@contoso.com").status == 200
        assert rehearsal.decide(host, gate, by="OLIVE@contoso.com").status == 409
        assert acts(rehearsal) == ["testFailover"]
        assert rehearsal.decide(host, gate, by="pat@contoso.com").status == 200
        rehearsal._until_asked_or_finished(host, timedelta(days=1))
    assert "failover" in acts(rehearsal)


def test_a_stale_decision_is_refused_and_kept_in_the_record() -> None:
    rehearsal = Rehearsal()
    with rehearsal.host() as host:
        host.start("failback", rehearsal.request(), instance_id=rehearsal.run)
        gate = rehearsal._until_asked_or_finished(host, timedelta(days=1))
        assert gate is not None
        rehearsal.asked.append(gate)
        assert rehearsal.decide(host, {**gate, "planHash": "0" * 64}).status == 409
        assert rehearsal.decide(host, gate, decision="stop").status == 200
        report = rehearsal.finish(host)
    assert [entry["judgement"] for entry in report["decisions"]] == ["stale", "recorded"]


@pytest.mark.parametrize("phase", ["rehearse", "ask", "move", "commit", "protect"])
def test_a_cancel_takes_effect_at_the_next_safe_point_and_leaves_no_rehearsal(phase: str) -> None:
    rehearsal = Rehearsal()
    with rehearsal.host() as host:
        host.start("failback", rehearsal.request(), instance_id=rehearsal.run)
        _go_to(rehearsal, host, phase)
        headers = {"X-Failback-User": "dana@contoso.com"}
        path = f"/api/failbacks/{rehearsal.run}/cancel"
        assert host.request("POST", path, json={"reason": "wrong night"}, headers=headers).status == 202
        report = rehearsal.finish(host)
    assert "wrong night" in report["words"]
    assert acts(rehearsal).count("testFailover") == acts(rehearsal).count("testFailoverCleanup")
    assert machine(report).get("cleanedUp") is not False
    done = {"rehearse": 0, "ask": 0, "move": 1, "commit": 2, "protect": 3}[phase]
    assert acts(rehearsal)[2:] == ["failover", "commit", "reprotect"][:done]


def _go_to(rehearsal: Rehearsal, host: Any, phase: str) -> None:
    """Go on until the run is in a phase, and there has begun what it is for."""
    while True:
        status = host.status(rehearsal.run)
        shown = rehearsal._document(status.custom_status) if status else {}
        if shown.get("phase") == phase and (phase == "ask" or _running(rehearsal, host, shown)):
            return
        gate = rehearsal._gate(host)
        if gate is not None:
            rehearsal.asked.append(gate)
            rehearsal.decide(host, gate)
        assert host.step()


def _running(rehearsal: Rehearsal, host: Any, shown: dict[str, Any]) -> bool:
    child = host.status(shown["child"])
    inner = rehearsal._document(child.custom_status) if child else {}
    return any(each.get("status") == "running" for each in inner.get("machines", []))


def want(host: Any, rehearsal: Rehearsal, operation: str, **more: Any) -> None:
    about = {"by": "dana", "at": rehearsal.clock.now().isoformat(), **more}
    host.signal_entity("run_control", rehearsal.run, operation, about)


def let_pass(rehearsal: Rehearsal, host: Any, time: timedelta) -> None:
    until = rehearsal.clock.now() + time
    while rehearsal.clock.now() < until:
        assert host.step()


@pytest.mark.parametrize("phase", ["rehearse", "move", "commit"])
def test_a_paused_run_watches_its_jobs_begins_nothing_new_and_goes_on_where_it_was(phase: str) -> None:
    rehearsal = Rehearsal()
    with rehearsal.host() as host:
        host.start("failback", rehearsal.request(), instance_id=rehearsal.run)
        _go_to(rehearsal, host, phase)
        want(host, rehearsal, "pause", reason="the network people")
        begun = acts(rehearsal)
        let_pass(rehearsal, host, timedelta(hours=20))
        assert acts(rehearsal) == begun
        assert "paused by dana: the network people" in _shown_anywhere(rehearsal, host)
        want(host, rehearsal, "resume")
        report = rehearsal.finish(host)
    assert machine(report)["outcome"] == "home"
    assert acts(rehearsal) == ["testFailover", "testFailoverCleanup", "failover", "commit", "reprotect"]


def _shown_anywhere(rehearsal: Rehearsal, host: Any) -> str:
    child = rehearsal._document(host.status(rehearsal.run).custom_status)["child"]
    return str(host.status(child).custom_status)


def test_a_gate_of_a_paused_run_records_decisions_and_moves_only_once_it_is_resumed() -> None:
    rehearsal = Rehearsal()
    with rehearsal.host() as host:
        host.start("failback", rehearsal.request(), instance_id=rehearsal.run)
        gate = rehearsal._until_asked_or_finished(host, timedelta(days=1))
        assert gate is not None
        rehearsal.asked.append(gate)
        want(host, rehearsal, "pause", reason="wait for the bank")
        assert rehearsal.decide(host, gate).status == 200
        let_pass(rehearsal, host, timedelta(days=2))
        assert acts(rehearsal) == ["testFailover"]
        assert "paused by dana: wait for the bank" in _shown_anywhere(rehearsal, host)
        want(host, rehearsal, "resume")
        assert machine(rehearsal.finish(host))["outcome"] == "home"


@pytest.mark.parametrize("phase", ["rehearse", "ask", "move"])
def test_a_paused_run_can_be_cancelled_and_leaves_no_rehearsal(phase: str) -> None:
    rehearsal = Rehearsal()
    with rehearsal.host() as host:
        host.start("failback", rehearsal.request(), instance_id=rehearsal.run)
        _go_to(rehearsal, host, phase)
        want(host, rehearsal, "pause", reason="wait")
        let_pass(rehearsal, host, timedelta(hours=2))
        want(host, rehearsal, "cancel", reason="wrong night")
        report = rehearsal.finish(host)
    assert "wrong night" in report["words"]
    assert acts(rehearsal).count("testFailover") == acts(rehearsal).count("testFailoverCleanup")


def test_a_run_that_stays_paused_is_cancelled_in_the_end() -> None:
    rehearsal = Rehearsal()
    with rehearsal.host() as host:
        host.start("failback", rehearsal.request(), instance_id=rehearsal.run)
        _go_to(rehearsal, host, "ask")
        want(host, rehearsal, "pause", reason="wait")
        report = rehearsal.finish(host, lambda _gate: None)
    assert "not resumed for 45 days" in report["words"]
    assert machine(report)["cleanedUp"] is True


def test_a_plan_writes_nothing_anywhere() -> None:
    rehearsal = Rehearsal()
    report = rehearsal.play(mode="plan")
    assert report["outcome"] == "planned"
    assert [act["act"] for act in report["plan"]["acts"]] == [
        "test_failover",
        "clean_up",
        "fail_over",
        "commit",
        "reprotect",
    ]
    assert not any(call.write for call in rehearsal.simulator.journal.calls)


def test_a_drill_rehearses_cleans_up_and_asks_nobody() -> None:
    rehearsal = Rehearsal()
    report = rehearsal.play(mode="drill")
    assert machine(report)["outcome"] == "rehearsed"
    assert rehearsal.asked == []
    assert acts(rehearsal) == ["testFailover", "testFailoverCleanup"]


def test_without_a_rehearsal_people_are_asked_all_the_same() -> None:
    rehearsal = Rehearsal()
    report = rehearsal.play(testFailover={"enabled": False})
    assert [gate["gate"] for gate in rehearsal.asked] == ["failback", "commit"]
    assert acts(rehearsal) == ["failover", "commit", "reprotect"]
    assert machine(report)["outcome"] == "home"


def test_without_re_protection_the_machine_is_home_once_it_is_committed() -> None:
    rehearsal = Rehearsal()
    report = rehearsal.play(reprotect={"enabled": False})
    assert machine(report)["outcome"] == "home"
    assert machine(report)["protected"] is False
    assert "reprotect" not in acts(rehearsal)


def test_group_two_does_not_move_before_group_one_is_home() -> None:
    rehearsal = Rehearsal(_two())
    machines = [{"name": OTHER, "group": 1}, {"name": NAME, "group": 2}]
    with rehearsal.host() as host:
        request = {**rehearsal.request(), "machines": machines}
        host.start("failback", request, instance_id=rehearsal.run)
        report = rehearsal.finish(host)
    assert report["outcome"] == "succeeded"
    order = [item for act, item in rehearsal.posts() if act == "failover"]
    assert order == [OTHER, NAME]
    assert rehearsal.posts().index(("reprotect", OTHER)) < rehearsal.posts().index(("testFailover", NAME))


def test_a_second_run_for_the_same_machine_is_refused_and_names_the_first() -> None:
    rehearsal = Rehearsal()
    with rehearsal.host() as host:
        host.start("failback", rehearsal.request(), instance_id=rehearsal.run)
        rehearsal._until_asked_or_finished(host, timedelta(days=1))
        host.start("failback", rehearsal.request(), instance_id="fb-second")
        while (second := host.status("fb-second")) is None or second.runtime_status != "Completed":
            assert host.step()
        refused = rehearsal._document(second.output)
        assert refused["outcome"] == "refused"
        assert refused["refusals"][0]["correlation"] == rehearsal.run
        report = rehearsal.finish(host)
        assert report["outcome"] == "succeeded"
        assert host.entity("machine_lock", _lock()) == {"holder": None}


def _lock() -> str:
    return lock_key(Rehearsal().request()["vault"], NAME)

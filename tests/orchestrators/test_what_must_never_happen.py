"""What must never happen, whatever breaks: each of these was once possible."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from domain.contract import lock_key
from gateway.site_recovery import SiteRecovery
from localhost import SyncHost
from tests.rehearsal import NAME, VAULT, Rehearsal, machine, standing

WEB, DB = "Web", "Db"


def acts(rehearsal: Rehearsal, name: str = NAME) -> list[str]:
    return [act for act, item in rehearsal.posts() if item == name]


def asked(rehearsal: Rehearsal, host: SyncHost) -> dict[str, Any]:
    gate = rehearsal._until_asked_or_finished(host, timedelta(days=90))
    assert gate is not None
    rehearsal.asked.append(gate)
    return gate


def points(rehearsal: Rehearsal) -> list[str]:
    vault = rehearsal.azure.vault(VAULT)
    item = next(each for each in vault.machines() if each.snapshot.name == NAME)
    held = {disk.id.casefold() for disk in item.disks}
    found = vault.points(item.snapshot.id)
    whole = [point for point in found if held <= {disk.casefold() for disk in point.disks}]
    return [point.id for point in sorted(whole, key=lambda point: point.time)]


def change(point: Any) -> dict[str, Any]:
    return {"decision": "changeRecoveryPoint", "recoveryPoints": {NAME: point}}


class Broken(SiteRecovery):
    """A gateway with a defect that shows for one machine only."""

    def start(self, details: Any, asked: Any) -> str:
        if details.snapshot.name == WEB:
            raise ValueError("a defect")
        return SOUND(self, details, asked)


SOUND = SiteRecovery.start


def test_a_defect_that_one_machine_shows_breaks_no_other_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    rehearsal = Rehearsal([standing("protected-in-reverse", WEB), standing("protected-in-reverse", DB)])
    monkeypatch.setattr(SiteRecovery, "start", Broken.start)
    report = rehearsal.play(
        lambda gate: {"decision": "stop" if gate["gate"] == "intervention" else "approve"},
        machines=[WEB, DB],
        within=timedelta(days=20),
    )
    assert machine(report, DB)["outcome"] == "home"
    assert machine(report, WEB)["outcome"] == "failed"


def test_a_gate_that_breaks_approves_nothing_and_leaves_no_rehearsal() -> None:
    rehearsal = Rehearsal()
    with rehearsal.host() as host:
        host.start("failback", rehearsal.request(), instance_id=rehearsal.run)
        gate = asked(rehearsal, host)
        host.terminate(gate["key"], "by an operator, in the portal")
        report = rehearsal.finish(host)
        assert host.entity("machine_lock", lock_key(VAULT, NAME)) == {"holder": None}
    assert acts(rehearsal) == ["testFailover", "testFailoverCleanup"]
    assert "the gate, which broke" in machine(report)["words"]


def test_a_stage_that_breaks_after_it_began_a_rehearsal_still_cleans_it_up() -> None:
    rehearsal = Rehearsal()
    with rehearsal.host() as host:
        host.start("failback", rehearsal.request(), instance_id=rehearsal.run)
        while "testFailover" not in acts(rehearsal):
            assert host.step()
        child = rehearsal._document(host.status(rehearsal.run).custom_status)["child"]
        host.terminate(child, "by an operator, in the portal")
        report = rehearsal.finish(host, {"intervention": {"decision": "stop"}})
    assert acts(rehearsal) == ["testFailover", "testFailoverCleanup"]
    assert machine(report)["cleanedUp"] is True
    assert machine(report)["outcome"] == "failed"


def test_latest_at_the_second_gate_means_the_newest_point_there_is() -> None:
    rehearsal = Rehearsal()
    answers = iter([{"decision": "approve"}, change({"select": "latest"}), {"decision": "approve"}])
    report = rehearsal.play(lambda _gate: next(answers))
    assert "changeRecoveryPoint" in acts(rehearsal)
    assert machine(report)["outcome"] == "home"


def test_the_failover_uses_the_very_point_that_was_shown_and_approved() -> None:
    rehearsal = Rehearsal()
    with rehearsal.host() as host:
        request = rehearsal.request(recoveryPoint={"select": "latestProcessed"})
        host.start("failback", request, instance_id=rehearsal.run)
        gate = asked(rehearsal, host)
        shown = gate["shown"]["machines"][0]["point"]["id"]
        _let_pass(host, rehearsal, timedelta(minutes=50))
        rehearsal.decide(host, gate)
        report = rehearsal.finish(host)
    assert shown.endswith(machine(report)["recoveryPoint"]["id"])


def test_an_approval_is_void_when_the_approved_point_was_pruned_meanwhile() -> None:
    rehearsal = Rehearsal()
    with rehearsal.host() as host:
        request = rehearsal.request(recoveryPoint={"select": "latestProcessed"}, approvals={"timeout": "P20D"})
        host.start("failback", request, instance_id=rehearsal.run)
        gate = asked(rehearsal, host)
        _let_pass(host, rehearsal, timedelta(days=10))
        rehearsal.decide(host, gate)
        again = asked(rehearsal, host)
    assert again["gate"] == "failback"
    assert again["round"] == 2
    assert "failover" not in acts(rehearsal)


def _until(host: SyncHost, rehearsal: Rehearsal, act: str) -> None:
    while act not in acts(rehearsal):
        assert host.step()


def _let_pass(host: SyncHost, rehearsal: Rehearsal, time: timedelta) -> None:
    until = rehearsal.clock.now() + time
    while rehearsal.clock.now() < until:
        assert host.step()


def test_silence_never_approves_on_a_validation_of_another_recovery_point() -> None:
    rehearsal = Rehearsal()
    rehearsal.fault("job-fails", act="changeRecoveryPoint", times=None)
    answers = iter(
        [
            {"decision": "approve"},
            change({"select": "custom", "id": points(rehearsal)[2]}),
            {"decision": "skip", "comment": "leave it at the first point"},
            None,
        ]
    )
    report = rehearsal.play(lambda _gate: next(answers), approvals={"onTimeout": "approve", "timeout": "PT2H"})
    assert "commit" not in acts(rehearsal)
    assert machine(report)["outcome"] == "stopped"


def test_another_recovery_point_at_the_second_gate_takes_the_quorum_and_not_the_requester() -> None:
    rehearsal = Rehearsal()
    with rehearsal.host() as host:
        host.start("failback", rehearsal.request(approvals={"quorum": 2}), instance_id=rehearsal.run)
        gate = asked(rehearsal, host)
        for person in ("olive@contoso.com", "pat@contoso.com"):
            assert rehearsal.decide(host, gate, by=person).status == 200
        gate, point = asked(rehearsal, host), {"select": "custom", "id": points(rehearsal)[2]}
        assert gate["gate"] == "commit"
        assert rehearsal.decide(host, gate, by="dana@contoso.com", **change(point)).status == 403
        assert rehearsal.decide(host, gate, by="olive@contoso.com", **change(point)).status == 200
        _let_pass(host, rehearsal, timedelta(minutes=30))
        assert "changeRecoveryPoint" not in acts(rehearsal)
        assert rehearsal.decide(host, gate, by="pat@contoso.com", **change(point)).status == 200
        asked(rehearsal, host)
    assert acts(rehearsal).count("changeRecoveryPoint") == 1


@pytest.mark.parametrize(
    ("answer", "moved"),
    [({"decision": "stop"}, False), ({"decision": "skip", "comment": "web can run without it"}, True)],
)
def test_the_next_group_moves_only_when_the_one_before_is_home_or_people_say_so(
    answer: dict[str, Any], moved: bool
) -> None:
    rehearsal = Rehearsal([standing("protected-in-reverse", WEB), standing("protected-in-reverse", DB)])
    answers = iter([{"decision": "stop"}, answer, {"decision": "approve"}, {"decision": "approve"}])
    with rehearsal.host() as host:
        machines = [{"name": DB, "group": 1}, {"name": WEB, "group": 2}]
        host.start("failback", {**rehearsal.request(), "machines": machines}, instance_id=rehearsal.run)
        report = rehearsal.finish(host, lambda _gate: next(answers))
    assert [gate["gate"] for gate in rehearsal.asked][:2] == ["failback", "intervention"]
    assert ("failover" in acts(rehearsal, WEB)) is moved
    assert machine(report, DB)["outcome"] == "stopped"


def test_a_defect_in_the_runbook_itself_ends_in_a_report_without_rehearsal_or_lock(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rehearsal = Rehearsal()
    with rehearsal.host() as host:
        host.start("failback", rehearsal.request(), instance_id=rehearsal.run)
        gate = asked(rehearsal, host)
        monkeypatch.setattr("orchestrators.failback.heed", _broken)
        rehearsal.decide(host, gate)
        report = rehearsal.finish(host)
        assert host.entity("machine_lock", lock_key(VAULT, NAME)) == {"holder": None}
    assert machine(report)["failure"]["code"] == "RunBroke"
    assert report["outcome"] == "failed"
    assert acts(rehearsal) == ["testFailover", "testFailoverCleanup"]


def test_a_clean_up_that_breaks_too_is_said_loudly_and_keeps_no_lock(monkeypatch: pytest.MonkeyPatch) -> None:
    rehearsal = Rehearsal()
    with rehearsal.host() as host:
        host.start("failback", rehearsal.request(), instance_id=rehearsal.run)
        gate = asked(rehearsal, host)
        monkeypatch.setattr("orchestrators.failback.heed", _broken)
        monkeypatch.setattr("orchestrators.failback.clean_up", _broken)
        rehearsal.decide(host, gate)
        report = rehearsal.finish(host)
        assert host.entity("machine_lock", lock_key(VAULT, NAME)) == {"holder": None}
    assert machine(report)["failure"]["code"] == "RunBroke"
    assert not machine(report)["cleanedUp"]
    assert any(NAME in warning and "clean" in warning for warning in report["warnings"])


def _broken(*_: Any) -> None:
    raise ValueError("a defect")


def test_azure_out_of_sight_for_more_than_a_day_is_for_people_to_judge() -> None:
    rehearsal = Rehearsal()
    with rehearsal.host() as host:
        host.start("failback", rehearsal.request(), instance_id=rehearsal.run)
        rehearsal.decide(host, asked(rehearsal, host))
        _until(host, rehearsal, "failover")
        rehearsal.fault("authorization-failed", times=None, seconds=100_000)
        gate = asked(rehearsal, host)
        assert gate["gate"] == "intervention"
        assert "has not answered since" in str(gate["shown"])
        _let_pass(host, rehearsal, timedelta(hours=8))
        rehearsal.decide(host, gate, decision="retry")
        report = rehearsal.finish(host)
    assert machine(report)["outcome"] == "home"


def test_a_recovery_point_that_cannot_be_read_moves_nothing() -> None:
    rehearsal = Rehearsal()
    with rehearsal.host() as host:
        request = rehearsal.request(recoveryPoint={"select": "latestProcessed"})
        host.start("failback", request, instance_id=rehearsal.run)
        gate = asked(rehearsal, host)
        rehearsal.decide(host, gate)
        _until(host, rehearsal, "testFailoverCleanup")
        rehearsal.fault("unavailable", path="/recoveryPoints", times=None, seconds=900)
        gate = asked(rehearsal, host)
        assert gate["gate"] == "intervention"
        assert "recovery points could not be read" in str(gate["shown"])
        assert "failover" not in acts(rehearsal)
        _let_pass(host, rehearsal, timedelta(minutes=20))
        rehearsal.decide(host, gate, decision="retry")
        report = rehearsal.finish(host)
    assert machine(report)["outcome"] == "home"


def test_a_look_that_is_broken_leaves_the_machines_to_people(monkeypatch: pytest.MonkeyPatch) -> None:
    rehearsal = Rehearsal()
    with rehearsal.host() as host:
        host.start("failback", rehearsal.request(), instance_id=rehearsal.run)
        rehearsal.decide(host, asked(rehearsal, host))
        with monkeypatch.context() as broken:
            broken.setattr(SiteRecovery, "follow", _broken)
            gate = asked(rehearsal, host)
        assert gate["gate"] == "intervention"
        assert "the stage itself failed" in str(gate["shown"])
        rehearsal.decide(host, gate, decision="retry")
        report = rehearsal.finish(host)
    assert machine(report)["outcome"] == "home"


def test_a_cancelled_run_asks_nobody_about_what_fails_meanwhile() -> None:
    rehearsal = Rehearsal()
    rehearsal.fault("job-fails", act="failover")
    with rehearsal.host() as host:
        host.start("failback", rehearsal.request(), instance_id=rehearsal.run)
        rehearsal.decide(host, asked(rehearsal, host))
        while "failover" not in acts(rehearsal):
            assert host.step()
        headers = {"X-Failback-User": "dana@contoso.com"}
        host.request("POST", f"/api/failbacks/{rehearsal.run}/cancel", json={"reason": "stop"}, headers=headers)
        report = rehearsal.finish(host)
    assert [gate["gate"] for gate in rehearsal.asked] == ["failback"]
    assert machine(report)["outcome"] == "failed"


def test_an_approval_that_a_cancel_overtakes_moves_nothing() -> None:
    rehearsal = Rehearsal()
    with rehearsal.host() as host:
        host.start("failback", rehearsal.request(), instance_id=rehearsal.run)
        gate = asked(rehearsal, host)
        host.signal_entity("run_control", rehearsal.run, "cancel", {"by": "dana", "reason": "wrong night"})
        rehearsal.decide(host, gate)
        report = rehearsal.finish(host)
    assert acts(rehearsal) == ["testFailover", "testFailoverCleanup"]
    assert "wrong night" in machine(report)["words"]


class Lagging(SiteRecovery):
    """A vault whose answers show a machine at home that is not there, until a moment comes."""

    shows_the_truth = False

    def follow(self, name: str, item_id: str, lifecycle_id: str | None) -> Any:
        return _at_home(FOLLOWED(self, name, item_id, lifecycle_id))

    def machines(self) -> Any:
        return tuple(_at_home(each) for each in LISTED(self))


FOLLOWED, LISTED = SiteRecovery.follow, SiteRecovery.machines


def _at_home(details: Any) -> Any:
    if Lagging.shows_the_truth or details is None:
        return details
    state, offered = "UnplannedFailoverCommitPendingStatesBegin", ("Commit", "ChangePit")
    return details.having(snapshot=details.snapshot.having(protection_state=state, allowed=offered))


def test_a_machine_that_nobody_was_asked_about_is_never_failed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    rehearsal = Rehearsal()
    with rehearsal.host() as host, monkeypatch.context() as lagging:
        lagging.setattr(SiteRecovery, "follow", Lagging.follow)
        lagging.setattr(SiteRecovery, "machines", Lagging.machines)
        lagging.setattr(Lagging, "shows_the_truth", False)
        host.start("failback", rehearsal.request(), instance_id=rehearsal.run)
        while "move" not in str(host.status(rehearsal.run) and host.status(rehearsal.run).custom_status):
            assert host.step()
        lagging.setattr(Lagging, "shows_the_truth", True)
        gate = asked(rehearsal, host)
        assert gate["gate"] == "intervention"
        assert "UnexpectedState" in str(gate["shown"])
        rehearsal.decide(host, gate, decision="stop")
        rehearsal.finish(host)
    assert "failover" not in acts(rehearsal)

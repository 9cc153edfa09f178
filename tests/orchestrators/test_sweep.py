"""A sweep removes what is provably ours, leaves the rest alone, and never touches what a run still watches."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from domain.contract import lock_key
from localhost import SyncHost
from simulator.estate import MachineSpec
from tests.orchestrators.test_drills import document, register, resources
from tests.rehearsal import NAME, VAULT, Rehearsal, standing

LOCK = lock_key(VAULT, NAME)
LEFT_BY_PORTAL = "test-failover-waiting-in-reverse"


def sweep(rehearsal: Rehearsal, host: SyncHost, name: str = "sweep-1", **order: Any) -> dict[str, Any]:
    """Sweep the vault, and give what was found in it."""
    host.start("sweep", {"vaults": [VAULT], **order}, instance_id=name)
    status = host.run_until(name)
    assert status is not None
    assert status.runtime_status == "Completed", status.output
    (found,) = document(status.output)["swept"]
    return found


def rehearsed(rehearsal: Rehearsal, host: SyncHost) -> None:
    """Hold a rehearsal, and let its clean-up fail for good."""
    rehearsal.fault("job-fails", act="testFailoverCleanup")
    host.start("failback", rehearsal.request(mode="drill"), instance_id=rehearsal.run)
    rehearsal.finish(host, {"intervention": {"decision": "stop"}})


def holding(host: SyncHost) -> Any:
    return document(host.entity("machine_lock", LOCK)).get("holder")


def test_a_clean_vault_has_nothing_left_over() -> None:
    rehearsal = Rehearsal()
    with rehearsal.host() as host:
        found = sweep(rehearsal, host)
    assert (found["left"], found["removed"]) == ([], [])


def test_a_test_that_its_run_gave_up_is_left_to_people_for_a_while_and_then_cleaned_up() -> None:
    rehearsal = Rehearsal()
    with rehearsal.host() as host:
        before = resources(rehearsal)
        rehearsed(rehearsal, host)
        first = sweep(rehearsal, host, timeToLive="PT2H")
        assert [(each["kind"], each["run"]) for each in first["left"]] == [("testFailover", rehearsal.run)]
        assert first["left"][0]["monthlyEstimate"] > 50
        rehearsal.clock.advance(timedelta(hours=3))
        then = sweep(rehearsal, host, "sweep-2", timeToLive="PT2H")
        assert ([each["kind"] for each in then["removed"]], then["left"]) == (["testFailover"], [])
        assert holding(host) is None
        assert register(host)["traces"] == []
    assert resources(rehearsal) == before


def test_a_clean_up_that_fails_again_stays_on_the_list() -> None:
    rehearsal = Rehearsal()
    with rehearsal.host() as host:
        rehearsed(rehearsal, host)
        rehearsal.fault("job-fails", act="testFailoverCleanup", times=None)
        rehearsal.clock.advance(timedelta(hours=3))
        found = sweep(rehearsal, host, timeToLive="PT2H")
        assert [each["kind"] for each in found["left"]] == ["testFailover"]
        assert holding(host) is None
        assert register(host)["traces"] != []


def test_a_stage_that_broke_leaves_no_lock(monkeypatch: pytest.MonkeyPatch) -> None:
    rehearsal = Rehearsal()
    with rehearsal.host() as host:
        rehearsed(rehearsal, host)

        def broken(*_: Any) -> None:
            raise ValueError("a defect")

        monkeypatch.setattr("orchestrators.stage.Passage.looking", broken)
        rehearsal.clock.advance(timedelta(hours=3))
        found = sweep(rehearsal, host, timeToLive="PT2H")
        assert [each["kind"] for each in found["left"]] == ["testFailover"]
        assert holding(host) is None


def test_a_test_that_somebody_else_began_is_listed_and_left_alone() -> None:
    rehearsal = Rehearsal([standing(LEFT_BY_PORTAL)])
    with rehearsal.host() as host:
        before = resources(rehearsal)
        (left,) = sweep(rehearsal, host, timeToLive="PT5M")["left"]
    assert (left["kind"], left["waits"], left.get("run")) == ("testFailover", True, None)
    assert rehearsal.posts() == []
    assert resources(rehearsal) == before


def test_what_a_run_still_holds_is_not_touched() -> None:
    rehearsal = Rehearsal()
    with rehearsal.host() as host:
        host.start("failback", rehearsal.request(), instance_id=rehearsal.run)
        while rehearsal._gate(host) is None:
            host.step()
        before = resources(rehearsal)
        (left,) = sweep(rehearsal, host, timeToLive="PT0S")["left"]
        assert left["run"] == rehearsal.run
        assert holding(host) == rehearsal.run
    assert resources(rehearsal) == before
    assert [act for act, _ in rehearsal.posts()] == ["testFailover"]


def told(host: SyncHost, name: str) -> list[str]:
    """Give what people were told by a sweep."""
    notices = [each for each in host.instances() if each.instance_id.startswith(f"{name}:leftover")]
    return [words for each in notices for words in document(each.input)["words"]]


def test_a_test_machine_at_a_gate_is_told_of_only_when_it_has_stood_for_too_long() -> None:
    rehearsal = Rehearsal()
    with rehearsal.host() as host:
        host.start("failback", rehearsal.request(approvals={"timeout": "P45D"}), instance_id=rehearsal.run)
        while rehearsal._gate(host) is None:
            host.step()
        (left,) = sweep(rehearsal, host)["left"]
        assert (left["holder"], told(host, "sweep-1")) == (rehearsal.run, [])
        rehearsal.clock.advance(timedelta(days=3))
        sweep(rehearsal, host, "sweep-2")
        (words,) = told(host, "sweep-2")
        assert "USD a month (run fb-test still holds it: answer its gate" in words
        sweep(rehearsal, host, "sweep-3")
        assert told(host, "sweep-3") == []


def test_looking_changes_nothing() -> None:
    rehearsal = Rehearsal()
    rehearsal.fault("disk-left-behind")
    with rehearsal.host() as host:
        rehearsal.run_on(host, "fb-one", mode="drill")
        known, before = register(host), resources(rehearsal)
        (left,) = sweep(rehearsal, host, cleans=False)["left"]
        assert (left["kind"], left["machine"], left["run"]) == ("disk", NAME, "fb-one")
        assert register(host) == known
    assert resources(rehearsal) == before


@pytest.mark.parametrize("more", [{}, {"publicIp": True}])
def test_everything_that_a_broken_clean_up_leaves_goes_part_by_part(more: dict[str, Any]) -> None:
    spec = MachineSpec.model_validate({"name": NAME, "state": "protected-in-reverse", **more})
    rehearsal = Rehearsal([spec])
    with rehearsal.host() as host:
        rehearsal.run_on(host, "fb-one", mode="drill")
        clean = resources(rehearsal)
        # The same test machine again, and a clean-up that Site Recovery believes in although all of it stays.
        host.start("failback", rehearsal.request(testFailover={"enabled": True}), instance_id=rehearsal.run)
        while rehearsal._gate(host) is None:
            host.step()
        world = rehearsal.simulator.world
        item = next(iter(world.items.values()))
        item.test_vm_id = None
        rehearsal.decide(host, rehearsal._gate(host) or {}, decision="stop")
        status = host.run_until(rehearsal.run)
        assert status is not None
        told = document(status.output)["warnings"]
        assert any("CLEAN-UP INCOMPLETE" in each for each in told)
        assert resources(rehearsal) > clean
        found = sweep(rehearsal, host)
    assert found["left"] == []
    assert {each["kind"] for each in found["removed"]} >= {"virtualMachine", "networkInterface", "disk"}
    assert resources(rehearsal) == clean


def test_what_cannot_be_seen_is_neither_removed_nor_forgotten() -> None:
    rehearsal = Rehearsal()
    rehearsal.fault("disk-left-behind")
    with rehearsal.host() as host:
        rehearsal.run_on(host, "fb-one", mode="drill")
        known = register(host)["traces"]
        rehearsal.fault("authorization-failed", path="/disks", times=None)
        found = sweep(rehearsal, host)
        assert found["unread"]["code"] == "AuthorizationFailed"
        assert register(host)["traces"] == known


def test_a_deletion_that_is_refused_stays_on_the_list() -> None:
    rehearsal = Rehearsal()
    rehearsal.fault("disk-left-behind")
    with rehearsal.host() as host:
        rehearsal.run_on(host, "fb-one", mode="drill")
        rehearsal.fault("scope-locked", method="DELETE", times=None)
        (left,) = sweep(rehearsal, host)["left"]
        assert left["kind"] == "disk"
        assert register(host)["traces"] != []


def test_a_clean_up_that_cannot_be_verified_is_said_loudly() -> None:
    rehearsal = Rehearsal()
    with rehearsal.host() as host:
        rehearsal.fault("authorization-failed", path="Microsoft.Compute/disks", times=None)
        report = rehearsal.run_on(host, "fb-one", mode="drill")
        assert any("clean-up not verified" in each for each in report["warnings"])
        assert register(host)["traces"] != []


def test_a_look_that_breaks_has_seen_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: Any) -> None:
        raise ValueError("a defect")

    monkeypatch.setattr("activities.take_inventory.inventory_of", broken)
    rehearsal = Rehearsal()
    with rehearsal.host() as host:
        found = sweep(rehearsal, host)
    assert "could not be looked for" in found["unread"]["what"]

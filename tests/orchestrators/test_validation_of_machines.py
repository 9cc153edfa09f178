"""What is found of a machine that comes up reaches the people at the gate, and the report."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from simulator.estate import MachineSpec
from tests.rehearsal import NAME, Rehearsal, machine, standing

NAMES = ["virtual machine", "provisioning", "power", "guest agent", "heartbeat", "network", "source stopped"]


def comes_up(**arrives: Any) -> MachineSpec:
    return standing("protected-in-reverse", arrives=arrives)


def home(*machines: MachineSpec, faults: tuple[dict[str, Any], ...] = (), **request: Any) -> Rehearsal:
    """Bring a machine home without a rehearsal, stop at the commit that shows what was found of it, and report."""
    rehearsal = Rehearsal(machines or None)
    for fault in faults:
        rehearsal.fault(**fault)
    rehearsal.report = rehearsal.play({"commit": {"decision": "stop"}}, testFailover={"enabled": False}, **request)
    return rehearsal


def shown(rehearsal: Rehearsal, gate: str = "commit", what: str = "validation") -> dict[str, Any]:
    """Give what people were shown of the machine at a gate."""
    (asked,) = [each for each in rehearsal.asked if each["gate"] == gate]
    return asked["shown"]["machines"][0][what]


def check(validation: dict[str, Any], name: str) -> dict[str, Any]:
    return next(each for each in validation["checks"] if each["name"] == name)


def both(rehearsal: Rehearsal) -> dict[str, Any]:
    """Give the validation, which is the same at the gate and in the report."""
    reported = machine(rehearsal.report)["validation"]
    assert reported == shown(rehearsal)
    return reported


def took(rehearsal: Rehearsal) -> timedelta:
    """Say how long the machine was judged."""
    (failover,) = [each for each in machine(rehearsal.report)["jobs"] if each["act"] == "fail_over"]
    return datetime.fromisoformat(both(rehearsal)["asOf"]) - datetime.fromisoformat(failover["ended"])


def test_a_healthy_machine_passes_every_check() -> None:
    found = both(home())
    assert found["verdict"] == "passed"
    assert [each["name"] for each in found["checks"]] == NAMES
    assert "deallocated" in check(found, "source stopped")["evidence"]
    assert "private address" not in check(found, "network")["evidence"]
    assert "network of card 1 contoso-vnet" in check(found, "network")["evidence"]


def test_a_rehearsed_machine_is_judged_without_heartbeat_and_without_its_source() -> None:
    rehearsal = Rehearsal()
    report = rehearsal.play()
    found = shown(rehearsal, "failback", "rehearsal")
    assert found == machine(report)["rehearsal"]
    assert [each["name"] for each in found["checks"]] == [
        "virtual machine",
        "provisioning",
        "power",
        "guest agent",
        "network",
    ]
    assert "network of card 1 isolated" in check(found, "network")["evidence"]
    # Two cores for a month, and its disk.
    assert found["monthlyEstimate"] > 73
    (asked,) = [each for each in rehearsal.asked if each["gate"] == "failback"]
    cost = f"1 test machine runs in the isolated network, for about {found['monthlyEstimate']:.2f} USD a month"
    assert any(cost in each for each in asked["shown"]["notes"])
    (commit,) = [each for each in rehearsal.asked if each["gate"] == "commit"]
    assert not any("test machine" in each for each in commit["shown"]["notes"])
    assert {each.rsplit("/", 2)[-2] for each in found["resources"]} == {
        "virtualMachines",
        "disks",
        "networkInterfaces",
    }


def test_a_machine_that_reports_late_is_waited_for() -> None:
    rehearsal = home(standing("protected-in-reverse", durations={"heartbeatDelay": 600}))
    assert both(rehearsal)["verdict"] == "passed"
    assert timedelta(minutes=10) < took(rehearsal) < timedelta(minutes=13)


def test_a_machine_that_never_reports_fails_when_time_is_up_and_not_before() -> None:
    rehearsal = home(comes_up(heartbeat="never"))
    found = both(rehearsal)
    assert found["verdict"] == "failed"
    assert check(found, "heartbeat")["evidence"].endswith("not within 15 min")
    assert took(rehearsal) >= timedelta(minutes=15)
    assert [each["verdict"] for each in found["checks"] if each["name"] != "heartbeat"] == ["passed"] * 6


def test_a_policy_may_say_that_silence_only_warns() -> None:
    found = both(home(comes_up(heartbeat="never"), validation={"blocks": ["machine", "agent"], "timeout": "PT5M"}))
    assert (found["verdict"], check(found, "heartbeat")["verdict"]) == ("warned", "warned")


@pytest.mark.parametrize(
    ("blocks", "verdict"),
    [(None, "warned"), (["machine", "agent", "heartbeat", "network"], "failed")],
)
def test_another_network_than_the_settings_say_warns_or_fails_with_the_table(
    blocks: list[str] | None, verdict: str
) -> None:
    machine_elsewhere = comes_up(network="isolated", address="10.4.9.9")
    found = both(home(machine_elsewhere, **({"validation": {"blocks": blocks}} if blocks else {})))
    seen = check(found, "network")
    assert (found["verdict"], seen["verdict"]) == (verdict, verdict)
    assert "network of card 1: expected contoso-vnet, found isolated" in seen["evidence"]
    differing = [row["what"] for row in seen["compared"] if not row["same"]]
    assert "network of card 1" in differing
    assert len(seen["compared"]) > len(differing)


def test_logs_in_part_are_no_answer_until_they_are_whole() -> None:
    fault = {"name": "partial-result", "path": "/query", "times": 4}
    rehearsal = home(faults=(fault,))
    assert both(rehearsal)["verdict"] == "passed"


@pytest.mark.parametrize("fault", ["table-missing", "workspace-missing"])
def test_logs_that_are_not_there_are_waited_for_then_warned_of(fault: str) -> None:
    rehearsal = home(faults=({"name": fault, "path": "/query", "times": None},))
    found = both(rehearsal)
    assert (found["verdict"], check(found, "heartbeat")["verdict"]) == ("warned", "warned")
    assert took(rehearsal) >= timedelta(minutes=15)


def test_logs_that_cannot_be_read_prove_nothing() -> None:
    found = both(home(faults=({"name": "authorization-failed", "path": "/query", "times": None},)))
    assert (found["verdict"], check(found, "heartbeat")["verdict"]) == ("failed", "failed")


@pytest.mark.parametrize("power", ["stopped", "deallocated"])
def test_a_machine_that_does_not_run_fails(power: str) -> None:
    found = both(home(comes_up(power=power)))
    assert (found["verdict"], check(found, "power")["verdict"]) == ("failed", "failed")
    assert power in check(found, "power")["evidence"]


def test_a_machine_that_reports_under_another_name_is_warned_of() -> None:
    found = both(home(comes_up(computer="WIN-TEMPLATE")))
    assert (found["verdict"], check(found, "heartbeat")["verdict"]) == ("warned", "warned")
    assert "reports as WIN-TEMPLATE" in check(found, "heartbeat")["evidence"]


def test_a_source_that_still_runs_fails_the_machine_and_silence_never_commits_it() -> None:
    rehearsal = Rehearsal()
    rehearsal.fault("source-will-not-shut-down")
    approvals = {"onTimeout": "approve", "timeout": "PT1H"}
    report = rehearsal.play({"commit": None}, testFailover={"enabled": False}, approvals=approvals)
    found = machine(report)["validation"]
    assert (found["verdict"], check(found, "source stopped")["verdict"]) == ("failed", "failed")
    assert "commit" not in [act for act, _ in rehearsal.posts()]
    assert machine(report, NAME)["outcome"] == "stopped"


def test_a_source_that_was_to_run_on_only_warns() -> None:
    found = both(home(shutDownSource=False))
    assert (found["verdict"], check(found, "source stopped")["verdict"]) == ("warned", "warned")

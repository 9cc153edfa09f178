from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from activities.start_acts import start
from activities.validate import judge
from domain.contract import Validation, ValidationOrder, Verdict
from domain.lifecycle import Act
from domain.settings.validation import ValidationRules
from tests.activities.conftest import NAME, VAULT, World

NAMES = ["virtual machine", "provisioning", "power", "guest agent", "heartbeat", "network", "source stopped"]


@pytest.fixture
def at_home(world: World) -> World:
    start(world.azure, world.order(Act.FAIL_OVER, shut_down_source=True))
    world.wait(timedelta(minutes=30))
    return world


def validation(world: World, **more: Any) -> Validation:
    given = {
        "vm_id": world.machine().target_vm,
        "vm_name": NAME,
        "since": world.clock.now() - timedelta(minutes=30),
        "heartbeat": True,
        "vault": VAULT,
        "item_id": world.item_id(),
        "source_vm": world.machine().source_vm,
        **more,
    }
    return judge(world.azure, ValidationOrder(machine=NAME, **given))


def verdicts(found: Validation) -> dict[str, Verdict]:
    return {check.name: check.verdict for check in found.checks}


def test_a_machine_that_runs_and_reports_passes(at_home: World) -> None:
    found = validation(at_home)
    assert found.verdict is Verdict.PASSED
    assert list(verdicts(found)) == NAMES
    assert found.as_of == at_home.clock.now()


def test_a_heartbeat_from_before_does_not_count(at_home: World) -> None:
    found = validation(at_home, since=at_home.clock.now() + timedelta(minutes=1))
    assert verdicts(found)["heartbeat"] is Verdict.PENDING
    assert found.verdict is Verdict.PENDING


def test_a_heartbeat_that_nobody_asked_for_is_not_looked_for(at_home: World) -> None:
    assert "heartbeat" not in verdicts(validation(at_home, heartbeat=False))
    assert not [each for each in at_home.wire.sent if "/query" in each.url]


def test_a_machine_under_another_name_is_a_warning(at_home: World) -> None:
    found = validation(at_home, vm_name="ContosoWin2016-old")
    assert found.verdict is Verdict.WARNED
    assert "not as ContosoWin2016-old" in found.checks[0].evidence


@pytest.mark.parametrize(("machines", "asked"), [("web-*", True), ("contoso*", True), ("db-*", False)])
def test_a_rule_means_a_machine_by_its_own_name_or_by_its_items(
    at_home: World, machines: str, asked: bool
) -> None:
    rules = ValidationRules.from_wire({"queries": [{"name": "errors", "machines": machines, "kql": "Event"}]})
    at_home.azure.settings = at_home.azure.settings.model_copy(update={"validation": rules})
    assert ("query errors" in verdicts(validation(at_home, vm_name="web-1"))) is asked


@pytest.mark.parametrize("vm_id", [None, "unknown"])
def test_a_machine_that_is_not_there_yet_is_pending(at_home: World, vm_id: str | None) -> None:
    known = at_home.machine().target_vm or ""
    given = known.replace("contosowin2016", vm_id) if vm_id else None
    found = validation(at_home, vm_id=given)
    assert found.checks[0].verdict is Verdict.PENDING


@pytest.mark.parametrize("fault", ["unavailable", "throttled", "connection-closed", "authorization-failed"])
@pytest.mark.parametrize(("path", "check"), [("Microsoft.Compute", "virtual machine"), ("/query", "heartbeat")])
def test_what_cannot_be_read_is_pending_with_the_evidence(
    at_home: World, fault: str, path: str, check: str
) -> None:
    target = at_home.machine().target_vm
    at_home.fault(fault, path=path, times=None)
    found = validation(at_home, vm_id=target)
    (seen,) = [each for each in found.checks if each.name == check]
    assert seen.verdict is Verdict.PENDING
    assert "could not be read" in seen.evidence

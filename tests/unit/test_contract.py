"""What the doors accept, and that all faults are said at once."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from domain.approvals import ApprovalPolicy
from domain.contract import lock_key
from domain.request import FailbackRequest, MachineRequest, PointChoice, Select
from tests.unit.making import HOME_CACHE, ISOLATED, NAME, VAULT, request


def faults(**changes: Any) -> dict[str, str]:
    """Send a faulty request and give the message at each place."""
    with pytest.raises(ValidationError) as refused:
        request(**changes)
    return {".".join(map(str, each["loc"])): each["msg"] for each in refused.value.errors()}


def test_only_the_vault_and_the_machines_are_required() -> None:
    assert request().machines == (MachineRequest(name=NAME),)
    with pytest.raises(ValidationError) as refused:
        FailbackRequest.from_wire({})
    assert {each["loc"] for each in refused.value.errors()} == {("vault",), ("machines",)}


def test_a_string_in_machines_is_short_for_its_name() -> None:
    assert request(machines=["a", {"name": "b", "group": 2}]).machines == (
        MachineRequest(name="a"),
        MachineRequest(name="b", group=2),
    )


def test_every_fault_of_a_request_is_listed_at_once() -> None:
    found = faults(
        vault="/subscriptions/nobody/vaults/v",
        machines=["twice", "Twice", "once"],
        mode="drill",
        recoveryPoint={"select": "custom"},
        testFailover={"enabled": False},
        reprotect={"cacheStorageAccountId": ISOLATED},
        prepare={"cacheStorageAccountId": "nowhere"},
        validation={"timeout": "P1D"},
        approvals={"quorum": 2, "approvers": ["ann", "ANN"]},
        limits={"maxParallel": 0},
        colour="blue",
    )
    assert set(found) == {
        "vault",
        "machines",
        "recoveryPoint",
        "testFailover",
        "reprotect.cacheStorageAccountId",
        "prepare.cacheStorageAccountId",
        "validation.timeout",
        "approvals",
        "limits.maxParallel",
        "colour",
    }
    assert "named more than once: twice" in found["machines"]
    assert "a quorum of 2 cannot be reached by 1 approvers" in found["approvals"]
    assert "a drill is a test failover" in found["testFailover"]


@pytest.mark.parametrize(
    ("choice", "place"),
    [
        ({"select": "custom"}, "recoveryPoint"),
        ({"select": "latest", "id": "point-1"}, "recoveryPoint"),
        ({"select": "custom", "id": "point-1", "notAfter": "2026-01-15T12:00:00Z"}, "recoveryPoint"),
        ({"notAfter": "2026-01-15T12:00:00"}, "recoveryPoint.notAfter"),
        ({"select": "newest"}, "recoveryPoint.select"),
    ],
)
def test_a_recovery_point_is_either_named_or_chosen_by_a_rule_with_a_clear_limit(
    choice: dict[str, str], place: str
) -> None:
    assert set(faults(recoveryPoint=choice)) == {place}


@pytest.mark.parametrize("name", ["", "a/b", "a?b", "a#b", "a%2fb", "a\\b", "a\nb", "x" * 129])
def test_a_name_that_could_reach_another_place_is_refused(name: str) -> None:
    assert faults(machines=[name])


@pytest.mark.parametrize("machines", [[], ["a"] * 1_001, "a", [7], None])
def test_machines_are_a_list_of_one_to_a_thousand(machines: object) -> None:
    assert faults(machines=machines)


@pytest.mark.parametrize(
    "vault",
    [
        "",
        VAULT + "/backupFabrics/x",
        VAULT.replace("vaults", "vault"),
        VAULT.replace("11111111-", ""),
        HOME_CACHE,
        f"{VAULT}?api-version=x",
        f"{VAULT}#x",
        f"{VAULT}%2Fx",
        VAULT.replace("/providers", "?x/providers"),
        VAULT.replace("/providers", " /providers"),
    ],
)
def test_what_is_not_a_vault_is_refused(vault: str) -> None:
    assert "expected a vault's ARM id" in faults(vault=vault)["vault"]


def test_ids_may_be_spelt_in_any_case() -> None:
    assert request(vault=VAULT.upper()).vault == VAULT.upper()
    assert request(testFailover={"networkId": ISOLATED.lower()}).test_failover.network_id == ISOLATED.lower()


@pytest.mark.parametrize(
    "network", [HOME_CACHE, "isolated", f"{ISOLATED}/subnets/default", f"{ISOLATED}?x", f"{ISOLATED}#x"]
)
def test_a_test_network_is_a_virtual_network(network: str) -> None:
    assert "virtualNetworks" in faults(testFailover={"networkId": network})["testFailover.networkId"]


@pytest.mark.parametrize("point", ["a?b", "a#b", "a%2fb", "a b", "a\\b", ""])
def test_a_recovery_points_id_cannot_end_or_turn_a_url(point: str) -> None:
    assert faults(recoveryPoint={"select": "custom", "id": point})["recoveryPoint.id"]


def test_without_named_approvers_any_quorum_can_be_reached() -> None:
    assert ApprovalPolicy(quorum=3).quorum == 3
    assert ApprovalPolicy(quorum=2, approvers=("ann", "bob")).timeout == timedelta(days=1)


def test_a_machines_own_recovery_point_goes_before_the_runs() -> None:
    own = PointChoice(select=Select.LATEST_PROCESSED)
    asked = request(machines=["a", {"name": "b", "recoveryPoint": {"select": "latestProcessed"}}])
    assert [asked.point_for(each) for each in asked.machines] == [PointChoice(), own]


def test_one_machine_has_one_lock_however_its_ids_are_spelt() -> None:
    assert lock_key(VAULT, NAME) == lock_key(VAULT.upper() + "/", NAME.lower())
    assert lock_key(VAULT, NAME) != lock_key(VAULT, "other")

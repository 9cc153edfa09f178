"""What a resource group holds is read with what tells its cost and its owner; only tests' kinds are deleted."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from domain.errors import Throttled, Transient, Undecided
from domain.leftovers import Kind, Resource
from gateway.azure import Azure
from gateway.faults import Refused
from gateway.ids import provider_of
from gateway.inventory import everything_in
from tests.gateway.conftest import Answer, Service

GROUP = "/subscriptions/s/resourceGroups/home"
VM = f"{GROUP}/providers/Microsoft.Compute/virtualMachines/vm1-test"
DISK = f"{GROUP}/providers/Microsoft.Compute/disks/os-ASRtest"
CARD = f"{GROUP}/providers/Microsoft.Network/networkInterfaces/nic"
ADDRESS = f"{GROUP}/providers/Microsoft.Network/publicIPAddresses/ip"
MADE = "2026-11-20T02:03:04.1234567+00:00"


def listed(*documents: dict[str, Any]) -> Answer:
    return Answer(200, {"value": list(documents)})


def named(arm_id: str, **properties: Any) -> dict[str, Any]:
    return {"id": arm_id, "name": arm_id.rsplit("/", 1)[-1], "location": "Central US", "properties": properties}


def test_everything_that_a_test_is_made_of_is_read(azure: Azure, service: Service) -> None:
    disk = {**named(DISK, timeCreated=MADE, diskSizeGB=127), "sku": {"name": "Premium_LRS"}, "managedBy": VM}
    service.answers(
        listed(named(VM, timeCreated=MADE, hardwareProfile={"vmSize": "Standard_D2s_v3"})),
        listed(disk),
        listed(named(CARD, virtualMachine={"id": VM}), named(f"{CARD}2")),
        listed(named(ADDRESS, ipConfiguration={"id": f"{CARD}/ipConfigurations/ipconfig1"}), named(f"{ADDRESS}2")),
    )
    made = datetime(2026, 11, 20, 2, 3, 4, 123456, UTC)
    place = {"region": "centralus"}
    assert list(everything_in(azure.inventories, GROUP)) == [
        Resource(id=VM, kind=Kind.MACHINE, made=made, size="Standard_D2s_v3", running=True, **place),
        Resource(id=DISK, kind=Kind.DISK, made=made, size="Premium_LRS", gigabytes=127, attached_to=VM, **place),
        Resource(id=CARD, kind=Kind.CARD, attached_to=VM, **place),
        Resource(id=f"{CARD}2", kind=Kind.CARD, **place),
        Resource(id=ADDRESS, kind=Kind.ADDRESS, attached_to=CARD, **place),
        Resource(id=f"{ADDRESS}2", kind=Kind.ADDRESS, **place),
    ]


@pytest.mark.parametrize("arm_id", [VM, DISK, CARD, ADDRESS])
def test_what_a_test_is_made_of_can_be_deleted_and_is_asked_for_once(
    azure: Azure, service: Service, arm_id: str
) -> None:
    service.answers(Answer(202, {}))
    azure.deletions.delete(arm_id)
    (call,) = service.calls
    assert (call.method, call.path.split("?")[0]) == ("DELETE", arm_id)


@pytest.mark.parametrize(
    "arm_id",
    [
        GROUP,
        f"{GROUP}/providers/Microsoft.RecoveryServices/vaults/contoso-vault",
        f"{GROUP}/providers/Microsoft.Network/virtualNetworks/prod",
        f"{VM}/extensions/agent",
        f"{GROUP}/providers/Microsoft.Compute/virtualMachines",
        "",
    ],
)
def test_nothing_else_is_ever_deleted(azure: Azure, service: Service, arm_id: str) -> None:
    with pytest.raises(ValueError, match="nothing that a test leaves behind"):
        azure.deletions.delete(arm_id)
    assert service.calls == []


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (Answer(409, {"error": {"code": "ScopeLocked", "message": "no"}}), Refused),
        (Answer(429, {"error": {"code": "TooMany", "message": "no"}}, {"Retry-After": "1"}), Throttled),
        (Answer(500, {"error": {"code": "Internal", "message": "no"}}), Undecided),
        (Answer(401, {"error": {"code": "Expired", "message": "no"}}), Transient),
    ],
)
def test_a_deletion_that_fails_is_not_repeated_here(
    azure: Azure, service: Service, answer: Answer, kind: type[Exception]
) -> None:
    service.answers(answer)
    with pytest.raises(kind):
        azure.deletions.delete(DISK)
    assert len([call for call in service.calls if call.method == "DELETE"]) == 1


@pytest.mark.parametrize("status", [200, 204, 404])
def test_what_is_gone_is_deleted(azure: Azure, service: Service, status: int) -> None:
    service.answers(Answer(status))
    azure.deletions.delete(DISK)


def test_a_kind_is_told_without_regard_to_case() -> None:
    assert provider_of(DISK.upper()) == "microsoft.compute/disks"
    assert provider_of(GROUP) == ""

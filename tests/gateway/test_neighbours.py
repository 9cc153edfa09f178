from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any
from urllib.parse import unquote

import pytest

from domain.errors import Throttled, Transient
from gateway import queries
from gateway.azure import Azure
from gateway.faults import Refused
from tests.gateway.conftest import Answer, Service, Token

GROUP = "/subscriptions/s/resourceGroups/contoso-app"
VM = f"{GROUP}/providers/Microsoft.Compute/virtualMachines/VM1"
SINCE = datetime(2026, 11, 22, 18, 0, tzinfo=UTC)


def vm(**view: Any) -> dict[str, Any]:
    return {
        "id": VM,
        "name": "VM1",
        "location": "Central US",
        "properties": {
            "provisioningState": "Succeeded",
            "storageProfile": {
                "osDisk": {"managedDisk": {"id": "/os", "storageAccountType": "Premium_LRS"}},
                "dataDisks": [{"managedDisk": {"id": "/data"}}],
            },
            "instanceView": {
                "statuses": [{"code": "ProvisioningState/succeeded"}, {"code": "PowerState/running"}],
                "vmAgent": {"statuses": [{"displayStatus": "Ready", "message": "Guest Agent is running"}]},
                **view,
            },
        },
    }


def test_a_virtual_machine_is_read_with_its_instance_view(azure: Azure, service: Service) -> None:
    service.answers(Answer(200, vm()))
    found = azure.compute.virtual_machine(VM)
    assert found is not None
    assert "expand=instanceView" in service.calls[0].path
    assert (found.location, found.power, found.agent) == ("centralus", "running", "Ready")
    assert [disk.id for disk in found.disks] == ["/os", "/data"]
    assert not found.has_unmanaged_disks


def test_what_compute_does_not_know_yet_is_nothing(azure: Azure, service: Service) -> None:
    service.answers(Answer(200, vm(statuses=[], vmAgent=None)))
    found = azure.compute.virtual_machine(VM)
    assert found is not None
    assert (found.power, found.agent) == (None, None)


def test_a_disk_without_an_id_is_not_managed(azure: Azure, service: Service) -> None:
    document = vm()
    document["properties"]["storageProfile"]["dataDisks"] = [{"vhd": {"uri": "https://a/b.vhd"}}]
    service.answers(Answer(200, document))
    found = azure.compute.virtual_machine(VM)
    assert found is not None
    assert found.has_unmanaged_disks


def test_only_the_wanted_sizes_are_kept_with_what_forbids_them(azure: Azure, service: Service) -> None:
    def sku(name: str, *restrictions: dict[str, str]) -> dict[str, Any]:
        return {
            "resourceType": "virtualMachines",
            "name": name,
            "family": "standardDSv3Family",
            "capabilities": [{"name": "vCPUs", "value": "2"}],
            "restrictions": list(restrictions),
        }

    closed = {"type": "Location", "reasonCode": "NotAvailableForSubscription"}
    zone = {"type": "Zone", "reasonCode": "NotAvailableForSubscription"}
    page = {"value": [sku("A"), sku("B", closed)], "nextLink": f"{service.url}/more"}
    service.answers(Answer(200, page), Answer(200, {"value": [sku("C", zone)]}))
    found = azure.compute.sizes("s", "Central US", ["b", "C"])
    assert [(size.name, size.cores, size.restriction) for size in found] == [
        ("B", 2, "NotAvailableForSubscription"),
        ("C", 2, None),
    ]
    assert "location eq 'centralus'" in unquote(service.calls[0].path)


def test_a_network_tells_its_region_and_peers(azure: Azure, service: Service) -> None:
    peering = {"properties": {"remoteVirtualNetwork": {"id": "/hub"}}}
    document = {
        "id": "/net",
        "location": "centralus",
        "properties": {"virtualNetworkPeerings": [peering, {"properties": {}}]},
    }
    service.answers(Answer(200, document))
    found = azure.networks.network("/subscriptions/s/net")
    assert found is not None
    assert (found.location, found.peers) == ("centralus", ("/hub",))


def test_what_does_not_exist_is_nothing_and_what_is_forbidden_is_refused(azure: Azure, service: Service) -> None:
    for read in (azure.compute.virtual_machine, azure.networks.network, azure.storage.account):
        service.answers(Answer(404, {"error": {"code": "ResourceNotFound", "message": "no"}}))
        assert read(VM) is None
        service.answers(Answer(403, {"error": {"code": "AuthorizationFailed", "message": "no"}}))
        with pytest.raises(Refused):
            read(VM)


# -- Log Analytics --------------------------------------------------------------------------------------------


def table(*rows: list[Any]) -> dict[str, Any]:
    columns = [{"name": "LastHeartbeat", "type": "datetime"}, {"name": "Beats", "type": "long"}]
    return {"tables": [{"name": "PrimaryResult", "columns": columns, "rows": list(rows)}]}


def test_the_last_heartbeat_is_asked_of_the_machine_itself(azure: Azure, service: Service, token: Token) -> None:
    service.answers(Answer(200, table(["2026-11-22T18:20:00Z", 12])))
    assert azure.logs.last_heartbeat(VM, SINCE) == datetime(2026, 11, 22, 18, 20, tzinfo=UTC)
    (call,) = service.calls
    assert call.path == f"/loganalytics/v1{VM.lower()}/query"
    assert "2026-11-22T18:00:00" in json.loads(call.body)["query"]
    assert token.asked == [("https://api.loganalytics.io/.default",)]


def test_no_heartbeat_is_nothing(azure: Azure, service: Service) -> None:
    for answer in (table([None, 0]), table(), {"tables": []}):
        service.answers(Answer(200, answer))
        assert azure.logs.last_heartbeat(VM, SINCE) is None


def test_a_table_without_its_first_record_means_no_data_yet(azure: Azure, service: Service) -> None:
    inner = {"code": "SEM0100", "message": "Failed to resolve table 'Heartbeat'"}
    error = {
        "code": "BadArgumentError",
        "message": "The request had some invalid properties",
        "innererror": {"code": "SemanticError", "message": "A semantic error", "innererror": inner},
    }
    service.answers(Answer(400, {"error": error}))
    assert azure.logs.last_heartbeat(VM, SINCE) is None


def test_another_fault_of_the_query_is_refused(azure: Azure, service: Service) -> None:
    service.answers(Answer(400, {"error": {"code": "BadArgumentError", "message": "SYN0002"}}))
    with pytest.raises(Refused):
        azure.logs.last_heartbeat(VM, SINCE)


def test_a_partial_answer_proves_nothing(azure: Azure, service: Service) -> None:
    error = {"code": "PartialError", "message": "There were some errors when processing your query."}
    service.answers(Answer(200, {**table([None, 0]), "error": error}))
    with pytest.raises(Transient, match="partial"):
        azure.logs.last_heartbeat(VM, SINCE)


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (Answer(504), Transient),
        (Answer(503, {"error": {"code": "Busy", "message": "no"}}, {"Retry-After": "1"}), Transient),
        (Answer(429, {"error": {"code": "TooMany", "message": "no"}}, {"Retry-After": "1"}), Throttled),
        (Answer(closes=True), Transient),
    ],
)
def test_a_query_is_not_repeated_here(
    azure: Azure, service: Service, answer: Answer, kind: type[Exception]
) -> None:
    service.answers(answer)
    with pytest.raises(kind):
        azure.logs.last_heartbeat(VM, SINCE)
    assert len(service.calls) == 1


def test_nothing_inside_a_value_can_end_its_literal() -> None:
    assert queries.quoted("a'b\\c\n") == r"'a\'b\\c\n'"
    evil = "vm1' or 1 == 1 | union Heartbeat //"
    assert "\\' or 1 == 1" in queries.heartbeat_since(evil, SINCE)

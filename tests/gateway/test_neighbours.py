from __future__ import annotations

from typing import Any
from urllib.parse import unquote

import pytest

from domain.machine import Wiring
from gateway.azure import Azure
from gateway.faults import Refused
from tests.gateway.conftest import Answer, Service

GROUP = "/subscriptions/s/resourceGroups/contoso-app"
VM = f"{GROUP}/providers/Microsoft.Compute/virtualMachines/VM1"


def vm(**view: Any) -> dict[str, Any]:
    return {
        "id": VM,
        "name": "VM1",
        "location": "Central US",
        "properties": {
            "provisioningState": "Succeeded",
            "hardwareProfile": {"vmSize": "Standard_D2s_v3"},
            "storageProfile": {
                "osDisk": {
                    "diskSizeGB": 127,
                    "managedDisk": {"id": "/os", "storageAccountType": "Premium_LRS"},
                },
                "dataDisks": [{"managedDisk": {"id": "/data"}}],
            },
            "networkProfile": {
                "networkInterfaces": [{"id": "/second"}, {"id": "/first", "properties": {"primary": True}}, {}]
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
    assert [(disk.id, disk.gigabytes) for disk in found.disks] == [("/os", 127), ("/data", 0)]
    assert found.size == "Standard_D2s_v3"
    assert found.cards == ("/first", "/second")
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


# -- network cards --------------------------------------------------------------------------------------------

NETWORK = f"{GROUP}/providers/Microsoft.Network"


def test_a_network_card_is_read_by_its_primary_configuration(azure: Azure, service: Service) -> None:
    pool = f"{NETWORK}/loadBalancers/front/backendAddressPools/web"
    primary = {
        "primary": True,
        "privateIPAddress": "10.4.0.6",
        "subnet": {"id": f"{NETWORK}/virtualNetworks/prod/Subnets/default"},
        "publicIPAddress": {"id": "/pip"},
        "loadBalancerBackendAddressPools": [{"id": pool}, {}],
    }
    configs = [{"properties": {"privateIPAddress": "10.4.0.9"}}, {"properties": primary}]
    properties = {"ipConfigurations": configs, "networkSecurityGroup": {"id": "/nsg"}}
    service.answers(Answer(200, {"name": "card", "properties": properties}))
    found = azure.networks.card(f"{NETWORK}/networkInterfaces/card")
    assert found == Wiring(
        name="card",
        network=f"{NETWORK}/virtualNetworks/prod",
        subnet="default",
        address="10.4.0.6",
        security_group="/nsg",
        pools=(pool,),
        public_address="/pip",
    )


def test_a_card_that_is_bare_or_gone_is_read_as_such(azure: Azure, service: Service) -> None:
    service.answers(Answer(200, {"name": "card", "properties": {}}))
    assert azure.networks.card("/card") == Wiring(name="card")
    service.answers(Answer(404, {"error": {"code": "ResourceNotFound", "message": "no"}}))
    assert azure.networks.card("/card") is None

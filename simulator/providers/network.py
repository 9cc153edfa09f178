"""Microsoft.Network: virtual networks with their subnets and peerings, and network interfaces."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simulator.arm import Scope
from simulator.envelopes import arm_not_found, listing
from simulator.messages import Response, json_response

if TYPE_CHECKING:
    from simulator.call import Call
    from simulator.estate import RegionSpec
    from simulator.messages import JsonObject

VNET = "Microsoft.Network/virtualNetworks"
NIC = "Microsoft.Network/networkInterfaces"


def get_vnet(call: Call) -> Response:
    """Read a virtual network with its peerings."""
    wanted = (call.params["group"].lower(), call.params["vnet"].lower())
    for body in _all(call):
        scope_group = str(body["id"]).split("/")[4].lower()
        if (scope_group, str(body["name"]).lower()) == wanted:
            return json_response(body)
    return arm_not_found(VNET, call.params["vnet"], call.params["group"])


def list_vnets(call: Call) -> Response:
    """List the virtual networks of a resource group, or of the subscription."""
    group = call.params.get("group", "").lower()
    return listing([b for b in _all(call) if group in {"", str(b["id"]).split("/")[4].lower()}])


def list_peerings(call: Call) -> Response:
    """List the peerings of a virtual network."""
    answer = get_vnet(call)
    if answer.status != 200:  # noqa: PLR2004
        return answer
    properties: JsonObject = answer.json()["properties"]  # pyright: ignore[reportAssignmentType]
    peerings: list[JsonObject] = properties["virtualNetworkPeerings"]  # pyright: ignore[reportAssignmentType]
    return listing(peerings)


def get_nic(call: Call) -> Response:
    """Read the network interface of a machine that exists."""
    scope = Scope(call.params["subscription"], call.params["group"])
    wanted = scope.resource(NIC, call.params["nic"]).lower()
    for machine in call.world.vms.values():
        if machine.nic_id.lower() == wanted:
            config = {
                "name": "ipconfig1",
                "properties": {
                    "primary": True,
                    "privateIPAddress": "10.4.0.6",
                    "privateIPAllocationMethod": "Dynamic",
                    "subnet": {"id": machine.subnet_id},
                },
            }
            return json_response(
                {
                    "id": machine.nic_id,
                    "name": call.params["nic"],
                    "type": NIC,
                    "location": machine.region,
                    "properties": {
                        "provisioningState": "Succeeded",
                        "virtualMachine": {"id": machine.id},
                        "ipConfigurations": [config],
                    },
                }
            )
    return arm_not_found(NIC, call.params["nic"], scope.group)


def _all(call: Call) -> list[JsonObject]:
    found: list[JsonObject] = []
    for region, spec in call.world.estate.regions.items():
        scope = Scope(call.world.estate.subscription, spec.resource_group)
        found.append(_vnet(scope, region, spec, spec.network, peered=spec.peered_with))
        if spec.isolated_network:
            found.append(_vnet(scope, region, spec, spec.isolated_network, peered=()))
    return found


def _vnet(scope: Scope, region: str, spec: RegionSpec, name: str, *, peered: tuple[str, ...]) -> JsonObject:
    vnet_id = scope.resource(VNET, name)
    return {
        "id": vnet_id,
        "name": name,
        "type": VNET,
        "location": region,
        "properties": {
            "provisioningState": "Succeeded",
            "addressSpace": {"addressPrefixes": ["10.4.0.0/16"]},
            "subnets": [
                {
                    "id": f"{vnet_id}/subnets/{spec.subnet}",
                    "name": spec.subnet,
                    "type": f"{VNET}/subnets",
                    "properties": {
                        "addressPrefix": "10.4.0.0/24",
                        "provisioningState": "Succeeded",
                    },
                }
            ],
            "virtualNetworkPeerings": [_peering(scope, vnet_id, hub) for hub in peered],
        },
    }


def _peering(scope: Scope, vnet_id: str, remote: str) -> JsonObject:
    return {
        "id": f"{vnet_id}/virtualNetworkPeerings/to-{remote}",
        "name": f"to-{remote}",
        "type": f"{VNET}/virtualNetworkPeerings",
        "properties": {
            "peeringState": "Connected",
            "remoteVirtualNetwork": {"id": scope.resource(VNET, remote)},
            "allowVirtualNetworkAccess": True,
            "provisioningState": "Succeeded",
        },
    }

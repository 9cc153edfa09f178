"""Microsoft.Network: what stands in a region: networks with subnets and peerings, security groups, balancers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, TypeAlias

from simulator.arm import Scope, group_of, key
from simulator.envelopes import arm_not_found, listing
from simulator.messages import Response, json_response

if TYPE_CHECKING:
    from simulator.call import Call
    from simulator.estate import RegionSpec
    from simulator.messages import JsonObject
    from simulator.world import World

VNET = "Microsoft.Network/virtualNetworks"
NSG = "Microsoft.Network/networkSecurityGroups"
LB = "Microsoft.Network/loadBalancers"
ADDRESSES, SUBNET_ADDRESSES = "10.4.0.0/16", "10.4.0.0/17"

Bodies: TypeAlias = "Callable[[World], Iterator[JsonObject]]"


def get_vnet(call: Call) -> Response:
    """Read a virtual network with its peerings."""
    return _get(call, _vnets, VNET, "vnet")


def list_vnets(call: Call) -> Response:
    """List the virtual networks of a resource group, or of the subscription."""
    return _list(call, _vnets)


def list_peerings(call: Call) -> Response:
    """List the peerings of a virtual network."""
    return _part(call, "virtualNetworkPeerings")


def list_subnets(call: Call) -> Response:
    """List the subnets of a virtual network."""
    return _part(call, "subnets")


def get_subnet(call: Call) -> Response:
    """Read one subnet."""
    answer = list_subnets(call)
    subnets: list[JsonObject] = answer.json().get("value", [])  # pyright: ignore[reportAssignmentType]
    wanted = call.params["subnet"]
    found = [subnet for subnet in subnets if str(subnet["name"]).lower() == wanted.lower()]
    if answer.status == 200 and not found:  # noqa: PLR2004
        return arm_not_found(f"{VNET}/subnets", f"{call.params['vnet']}/{wanted}", call.params["group"])
    return json_response(found[0]) if found else answer


def get_security_group(call: Call) -> Response:
    """Read a network security group."""
    return _get(call, _security_groups, NSG, "nsg")


def list_security_groups(call: Call) -> Response:
    """List the security groups of a resource group, or of the subscription."""
    return _list(call, _security_groups)


def get_load_balancer(call: Call) -> Response:
    """Read a load balancer with the interfaces behind it."""
    return _get(call, _load_balancers, LB, "lb")


def list_load_balancers(call: Call) -> Response:
    """List the load balancers of a resource group, or of the subscription."""
    return _list(call, _load_balancers)


def _get(call: Call, bodies: Bodies, kind: str, param: str) -> Response:
    scope = Scope(call.params["subscription"], call.params["group"])
    wanted = key(scope.resource(kind, call.params[param]))
    found = next((body for body in bodies(call.world) if key(str(body["id"])) == wanted), None)
    return json_response(found) if found else arm_not_found(kind, call.params[param], scope.group)


def _list(call: Call, bodies: Bodies) -> Response:
    group = call.params.get("group", "").lower()
    found = [b for b in bodies(call.world) if group in {"", group_of(str(b["id"])).lower()}]
    return json_response({"value": found})


def _part(call: Call, name: str) -> Response:
    answer = get_vnet(call)
    if answer.status != 200:  # noqa: PLR2004
        return answer
    properties: JsonObject = answer.json()["properties"]  # pyright: ignore[reportAssignmentType]
    part: list[JsonObject] = properties[name]  # pyright: ignore[reportAssignmentType]
    return listing(part)


def _vnets(world: World) -> Iterator[JsonObject]:
    for region, spec in world.estate.regions.items():
        scope = Scope(world.estate.subscription, spec.resource_group)
        yield _vnet(scope, region, spec, spec.network, peered=spec.peered_with)
        alone = (spec.isolated_network, *spec.other_networks)
        for name in filter(None, alone):
            yield _vnet(scope, region, spec, name, peered=())


def _vnet(scope: Scope, region: str, spec: RegionSpec, name: str, *, peered: tuple[str, ...]) -> JsonObject:
    vnet_id = scope.resource(VNET, name)
    subnet: JsonObject = {"addressPrefix": SUBNET_ADDRESSES, "provisioningState": "Succeeded"}
    if spec.security_group:
        subnet["networkSecurityGroup"] = {"id": scope.resource(NSG, spec.security_group)}
    return {
        "id": vnet_id,
        "name": name,
        "type": VNET,
        "location": region,
        "properties": {
            "provisioningState": "Succeeded",
            "addressSpace": {"addressPrefixes": [ADDRESSES]},
            "subnets": [
                {
                    "id": f"{vnet_id}/subnets/{spec.subnet}",
                    "name": spec.subnet,
                    "type": f"{VNET}/subnets",
                    "properties": subnet,
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


def _security_groups(world: World) -> Iterator[JsonObject]:
    for region, spec in world.estate.regions.items():
        if spec.security_group:
            scope = Scope(world.estate.subscription, spec.resource_group)
            yield _security_group(scope, region, spec, spec.security_group)


def _security_group(scope: Scope, region: str, spec: RegionSpec, name: str) -> JsonObject:
    group_id = scope.resource(NSG, name)
    networks = [spec.network, *filter(None, (spec.isolated_network, *spec.other_networks))]
    rules = [_rule(group_id, row) for row in _DEFAULT_RULES]
    return {
        "id": group_id,
        "name": name,
        "type": NSG,
        "location": region,
        "properties": {
            "provisioningState": "Succeeded",
            "securityRules": [],
            "defaultSecurityRules": rules,
            "subnets": [{"id": f"{scope.resource(VNET, n)}/subnets/{spec.subnet}"} for n in networks],
        },
    }


_DEFAULT_RULES = (
    ("AllowVnetInBound", 65000, "Inbound", "Allow", "VirtualNetwork", "VirtualNetwork"),
    ("AllowAzureLoadBalancerInBound", 65001, "Inbound", "Allow", "AzureLoadBalancer", "*"),
    ("DenyAllInBound", 65500, "Inbound", "Deny", "*", "*"),
    ("AllowVnetOutBound", 65000, "Outbound", "Allow", "VirtualNetwork", "VirtualNetwork"),
    ("AllowInternetOutBound", 65001, "Outbound", "Allow", "*", "Internet"),
    ("DenyAllOutBound", 65500, "Outbound", "Deny", "*", "*"),
)


def _rule(group_id: str, row: tuple[str, int, str, str, str, str]) -> JsonObject:
    name, priority, direction, access, source, to = row
    return {
        "id": f"{group_id}/defaultSecurityRules/{name}",
        "name": name,
        "type": f"{NSG}/defaultSecurityRules",
        "properties": {
            "provisioningState": "Succeeded",
            "protocol": "*",
            "sourcePortRange": "*",
            "destinationPortRange": "*",
            "sourceAddressPrefix": source,
            "destinationAddressPrefix": to,
            "access": access,
            "priority": priority,
            "direction": direction,
        },
    }


def _load_balancers(world: World) -> Iterator[JsonObject]:
    for region, spec in world.estate.regions.items():
        if spec.load_balancer:
            scope = Scope(world.estate.subscription, spec.resource_group)
            yield _load_balancer(world, scope, region, spec.load_balancer)


def _load_balancer(world: World, scope: Scope, region: str, name: str) -> JsonObject:
    balancer_id = scope.resource(LB, name)
    pool_id = f"{balancer_id}/backendAddressPools/{name}-pool"
    behind = [n for n in world.machines.nics.values() if pool_id in n.backend_pool_ids]
    configs = [{"id": f"{nic.id}/ipConfigurations/ipconfig1"} for nic in behind]
    pool = {"provisioningState": "Succeeded", "backendIPConfigurations": configs}
    return {
        "id": balancer_id,
        "name": name,
        "type": LB,
        "location": region,
        "sku": {"name": "Standard", "tier": "Regional"},
        "properties": {
            "provisioningState": "Succeeded",
            "frontendIPConfigurations": [],
            "backendAddressPools": [{"id": pool_id, "name": f"{name}-pool", "properties": pool}],
            "loadBalancingRules": [],
            "probes": [],
        },
    }

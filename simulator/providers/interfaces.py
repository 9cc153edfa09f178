"""Microsoft.Network: interfaces and public addresses, which come and go with their machines."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from simulator.arm import Scope, group_of, key
from simulator.async_work import accept_network
from simulator.envelopes import Refused, arm_not_found, plain_error
from simulator.messages import Response, json_response
from simulator.providers.compute import refuse_locked

if TYPE_CHECKING:
    from simulator.call import Call
    from simulator.machines import Nic, PublicIp
    from simulator.messages import JsonObject

NIC = "Microsoft.Network/networkInterfaces"
PUBLIC_IP = "Microsoft.Network/publicIPAddresses"
CONFIG = "ipconfig1"
DELETING = timedelta(seconds=10)
"""invented: how long it takes to delete an interface or a public address."""


def get_nic(call: Call) -> Response:
    """Read an interface: its addresses, subnet, machine, and pools."""
    nic = call.world.machines.nics.get(_key(call, NIC, "nic"))
    if nic is None:
        return arm_not_found(NIC, call.params["nic"], call.params["group"])
    return json_response(_nic(nic))


def list_nics(call: Call) -> Response:
    """List the interfaces of a resource group, or of the subscription."""
    group = call.params.get("group", "").lower()
    found = [n for n in call.world.machines.nics.values() if group in {"", group_of(n.id).lower()}]
    return json_response({"value": [_nic(nic) for nic in found]})


def delete_nic(call: Call) -> Response:
    """Delete an interface of no machine; 204 where there is none."""
    machines = call.world.machines
    nic = machines.nics.get(_key(call, NIC, "nic"))
    if nic is None:
        return Response(status=204)
    refuse_locked(call, nic.id)
    if nic.machine_id:
        message = f"Network Interface {nic.id} is used by existing resource {nic.machine_id}."
        raise Refused(plain_error(400, "NicInUse", message))
    return accept_network(call, nic.region, DELETING, lambda: machines.delete_nic(nic.id))


def get_public_ip(call: Call) -> Response:
    """Read a public address."""
    public = call.world.machines.public_ips.get(_key(call, PUBLIC_IP, "ip"))
    if public is None:
        return arm_not_found(PUBLIC_IP, call.params["ip"], call.params["group"])
    return json_response(_public_ip(public))


def list_public_ips(call: Call) -> Response:
    """List the public addresses of a resource group, or of the subscription."""
    group = call.params.get("group", "").lower()
    found = [p for p in call.world.machines.public_ips.values() if group in {"", group_of(p.id).lower()}]
    return json_response({"value": [_public_ip(public) for public in found]})


def delete_public_ip(call: Call) -> Response:
    """Delete a public address of no interface; 204 where there is none."""
    machines = call.world.machines
    public = machines.public_ips.get(_key(call, PUBLIC_IP, "ip"))
    if public is None:
        return Response(status=204)
    refuse_locked(call, public.id)
    if public.nic_id:
        message = (
            f"Public IP address {public.id} can not be deleted since it is still allocated to "
            f"resource {_config_id(public.nic_id)}."
        )
        raise Refused(plain_error(400, "PublicIPAddressCannotBeDeleted", message))
    return accept_network(call, public.region, DELETING, lambda: machines.delete_public_ip(public.id))


def _key(call: Call, kind: str, param: str) -> str:
    return key(Scope(call.params["subscription"], call.params["group"]).resource(kind, call.params[param]))


def _config_id(nic_id: str) -> str:
    return f"{nic_id}/ipConfigurations/{CONFIG}"


def _nic(nic: Nic) -> JsonObject:
    config: JsonObject = {
        "provisioningState": "Succeeded",
        "privateIPAddress": nic.address,
        "privateIPAllocationMethod": "Static" if nic.static else "Dynamic",
        "privateIPAddressVersion": "IPv4",
        "primary": True,
        "subnet": {"id": nic.subnet_id},
    }
    if nic.public_ip_id:
        config["publicIPAddress"] = {"id": nic.public_ip_id}
    if nic.backend_pool_ids:
        config["loadBalancerBackendAddressPools"] = [{"id": pool} for pool in nic.backend_pool_ids]
    properties: JsonObject = {
        "provisioningState": "Succeeded",
        "ipConfigurations": [
            {
                "id": _config_id(nic.id),
                "name": CONFIG,
                "type": f"{NIC}/ipConfigurations",
                "properties": config,
            }
        ],
        "dnsSettings": {"dnsServers": [], "appliedDnsServers": []},
        "macAddress": nic.mac,
        "enableAcceleratedNetworking": False,
        "enableIPForwarding": False,
        "hostedWorkloads": [],
        "tapConfigurations": [],
        "nicType": "Standard",
    }
    if nic.machine_id:
        properties |= {"primary": True, "virtualMachine": {"id": nic.machine_id}}
    return {"id": nic.id, "name": nic.name, "type": NIC, "location": nic.region, "properties": properties}


def _public_ip(public: PublicIp) -> JsonObject:
    properties: JsonObject = {
        "provisioningState": "Succeeded",
        "ipAddress": public.address,
        "publicIPAddressVersion": "IPv4",
        "publicIPAllocationMethod": "Static",
        "idleTimeoutInMinutes": 4,
        "ipTags": [],
    }
    if public.nic_id:
        properties["ipConfiguration"] = {"id": _config_id(public.nic_id)}
    return {
        "id": public.id,
        "name": public.name,
        "type": PUBLIC_IP,
        "location": public.region,
        "sku": {"name": "Standard", "tier": "Regional"},
        "properties": properties,
    }

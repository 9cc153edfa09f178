"""Microsoft.Compute: machines and disks that follow failover, usages and sizes of a region."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from simulator.arm import Scope, group_of
from simulator.envelopes import arm_not_found, listing
from simulator.messages import Response, json_response
from simulator.times import ticks

if TYPE_CHECKING:
    from simulator.call import Call
    from simulator.messages import JsonObject
    from simulator.model import Disk, VirtualMachine
    from simulator.world import World

SIZES = {
    "Standard_D2s_v3": ("standardDSv3Family", 2, 8),
    "Standard_D4s_v3": ("standardDSv3Family", 4, 16),
    "Standard_D8s_v3": ("standardDSv3Family", 8, 32),
    "Standard_DS1_v2": ("standardDSv2Family", 1, 3.5),
}
OTHER_SIZE = ("standardDSv3Family", 2, 8)
QUOTA = 350
FAMILY_NAMES = {
    "cores": "Total Regional vCPUs",
    "standardDSv3Family": "Standard DSv3 Family vCPUs",
    "standardDSv2Family": "Standard DSv2 Family vCPUs",
}


def get_vm(call: Call) -> Response:
    """Read a machine, with its instance view where asked for."""
    found = _find(call)
    return found if isinstance(found, Response) else json_response(_vm(call, found))


def get_instance_view(call: Call) -> Response:
    """Read a machine's instance view by itself."""
    found = _find(call)
    return found if isinstance(found, Response) else json_response(_view(call.world, found))


def list_vms(call: Call) -> Response:
    """List the machines of a resource group, or of the subscription."""
    group = call.params.get("group", "").lower()
    found = [m for m in call.world.vms.values() if group in {"", group_of(m.id).lower()}]
    return listing([_vm(call, machine) for machine in found])


def get_disk(call: Call) -> Response:
    """Read a managed disk."""
    scope = Scope(call.params["subscription"], call.params["group"])
    disk = call.world.disks.get(scope.resource("Microsoft.Compute/disks", call.params["disk"]).lower())
    if disk is None:
        return arm_not_found("Microsoft.Compute/disks", call.params["disk"], scope.group)
    return json_response(_disk(disk))


def list_disks(call: Call) -> Response:
    """List the managed disks of a resource group, or of the subscription."""
    group = call.params.get("group", "").lower()
    found = [d for d in call.world.disks.values() if group in {"", group_of(d.id).lower()}]
    return listing([_disk(disk) for disk in found])


def list_usages(call: Call) -> Response:
    """List a region's core quotas and what runs against them."""
    region = call.params["region"].lower().replace(" ", "")
    spec = call.world.estate.regions.get(region)
    if spec is None:
        message = f"The location '{region}' is not available for the subscription."
        raise call.bad_request("NoRegisteredProviderFound", message)
    limit, used = core_quota(call.world, region), cores_running(call.world, region)
    return json_response(
        {
            "value": [
                {
                    "limit": limit,
                    "unit": "Count",
                    "currentValue": spec.cores_in_use + count,
                    "name": {"value": name, "localizedValue": FAMILY_NAMES[name]},
                }
                for name, count in used.items()
            ]
        }
    )


def cores_running(world: World, region: str) -> dict[str, int]:
    """Count the cores of a region's running machines, in all and by family."""
    used = dict.fromkeys(FAMILY_NAMES, 0)
    for machine in world.vms.values():
        if machine.region == region and machine.running:
            family, cores, _ = SIZES.get(machine.size, OTHER_SIZE)
            used[family] += cores
            used["cores"] += cores
    return used


def core_quota(world: World, region: str) -> int:
    """Answer a region's quota; where the estate is silent, room for every machine and its test machine."""
    declared = world.estate.regions[region].core_quota
    if declared is not None:
        return declared
    needed = sum(SIZES.get(i.machine.size, OTHER_SIZE)[1] for i in world.items.values())
    return QUOTA + 2 * needed


def quota_is_exceeded(world: World, region: str, size: str) -> bool:
    """Answer whether one more machine of this size is more than the region's quota."""
    declared = world.estate.regions[region].core_quota
    if declared is None:
        return False
    cores = SIZES.get(size, OTHER_SIZE)[1]
    in_use = world.estate.regions[region].cores_in_use + cores_running(world, region)["cores"]
    return in_use + cores > declared


def list_skus(call: Call) -> Response:
    """List the sizes of a region, with a restriction where the estate declares one."""
    match = re.search(r"location\s+eq\s+'([^']*)'", call.request.query.get("$filter", ""), re.IGNORECASE)
    wanted = match[1].lower().replace(" ", "") if match else None
    regions = [r for r in call.world.estate.regions if wanted in {None, r}]
    return json_response({"value": [_sku(call, region, size) for region in regions for size in SIZES]})


def _sku(call: Call, region: str, size: str) -> JsonObject:
    family, cores, memory = SIZES[size]
    restricted = size in call.world.estate.regions[region].restricted_sizes
    restriction = {
        "type": "Location",
        "values": [region],
        "restrictionInfo": {"locations": [region]},
        "reasonCode": "NotAvailableForSubscription",
    }
    return {
        "resourceType": "virtualMachines",
        "name": size,
        "tier": "Standard",
        "size": size.removeprefix("Standard_"),
        "family": family,
        "locations": [region],
        "locationInfo": [{"location": region, "zones": ["1", "2", "3"]}],
        "capabilities": [
            {"name": "vCPUs", "value": str(cores)},
            {"name": "MemoryGB", "value": str(memory)},
            {"name": "PremiumIO", "value": "True"},
        ],
        "restrictions": [restriction] if restricted else [],
    }


def _find(call: Call) -> VirtualMachine | Response:
    scope = Scope(call.params["subscription"], call.params["group"])
    kind = "Microsoft.Compute/virtualMachines"
    found = call.world.vm(scope.resource(kind, call.params["vm"]))
    return found or arm_not_found(kind, call.params["vm"], scope.group)


def _vm(call: Call, machine: VirtualMachine) -> JsonObject:
    disks = [call.world.disks[d.lower()] for d in machine.disk_ids if d.lower() in call.world.disks]
    system = [disk for disk in disks if disk.os] or disks[:1]
    data = [disk for disk in disks if disk not in system]
    properties: JsonObject = {
        "vmId": machine.vm_guid,
        "provisioningState": "Succeeded",
        "hardwareProfile": {"vmSize": machine.size},
        "storageProfile": {
            "osDisk": _attached(system[0]) | {"osType": machine.os_type} if system else None,
            "dataDisks": [_attached(disk) | {"lun": lun} for lun, disk in enumerate(data)],
        },
        "osProfile": {"computerName": machine.computer},
        "networkProfile": {"networkInterfaces": [{"id": machine.nic_id, "properties": {"primary": True}}]},
        "timeCreated": ticks(machine.since),
    }
    if "instanceview" in call.request.query.get("$expand", "").lower():
        properties["instanceView"] = _view(call.world, machine)
    return {
        "id": machine.id,
        "name": machine.name,
        "type": "Microsoft.Compute/virtualMachines",
        "location": machine.region,
        "tags": {},
        "properties": properties,
    }


def _attached(disk: Disk) -> JsonObject:
    return {
        "name": disk.name,
        "createOption": "Attach",
        "diskSizeGB": disk.size_gb,
        "managedDisk": {"id": disk.id, "storageAccountType": "Premium_LRS"},
    }


def _view(world: World, machine: VirtualMachine) -> JsonObject:
    power = ("running", "VM running") if machine.running else ("deallocated", "VM deallocated")
    view: JsonObject = {
        "computerName": machine.computer,
        "osName": "Windows Server 2016" if machine.os_type == "Windows" else "Ubuntu",
        "statuses": [
            {
                "code": "ProvisioningState/succeeded",
                "level": "Info",
                "displayStatus": "Provisioning succeeded",
                "time": ticks(machine.since),
            },
            {"code": f"PowerState/{power[0]}", "level": "Info", "displayStatus": power[1]},
        ],
    }
    if machine.running:
        view["vmAgent"] = _agent(world, machine)
    return view


def _agent(world: World, machine: VirtualMachine) -> JsonObject:
    ready = (world.now - machine.since).total_seconds() >= machine.heartbeat_after
    code, shown = (
        ("ProvisioningState/succeeded", "Ready") if ready else ("ProvisioningState/Unavailable", "Not Ready")
    )
    return {
        "vmAgentVersion": "2.7.41491.1121" if ready else "Unknown",
        "statuses": [
            {
                "code": code,
                "level": "Info" if ready else "Warning",
                "displayStatus": shown,
                "time": ticks(world.now),
            }
        ],
    }


def _disk(disk: Disk) -> JsonObject:
    return {
        "id": disk.id,
        "name": disk.name,
        "type": "Microsoft.Compute/disks",
        "location": disk.region,
        "managedBy": disk.managed_by,
        "sku": {"name": "Premium_LRS", "tier": "Premium"},
        "properties": {
            "osType": disk.os_type if disk.os else None,
            "diskSizeGB": disk.size_gb,
            "diskState": "Attached" if disk.managed_by else "Unattached",
            "provisioningState": "Succeeded",
        },
    }

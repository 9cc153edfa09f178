"""What a region still has to give: core quotas, what runs against them, and sizes with their restrictions."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from simulator.messages import Response, json_response

if TYPE_CHECKING:
    from simulator.call import Call
    from simulator.messages import JsonObject
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
    for machine in world.machines.vms.values():
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

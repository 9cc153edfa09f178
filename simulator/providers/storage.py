"""Microsoft.Storage: the cache storage accounts replication needs, one a region."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simulator.arm import Scope
from simulator.envelopes import arm_not_found
from simulator.messages import Response, json_response

if TYPE_CHECKING:
    from simulator.call import Call
    from simulator.messages import JsonObject

ACCOUNT = "Microsoft.Storage/storageAccounts"


def list_accounts(call: Call) -> Response:
    """List the accounts of a resource group, or of the subscription."""
    estate = call.world.estate
    group = call.params.get("group", estate.storage_resource_group)
    here = group.lower() == estate.storage_resource_group.lower()
    return json_response({"value": _all(call) if here else []})


def get_account(call: Call) -> Response:
    """Read one account."""
    wanted = (call.params["group"].lower(), call.params["account"].lower())
    group = call.world.estate.storage_resource_group.lower()
    for body in _all(call):
        if (group, str(body["name"]).lower()) == wanted:
            return json_response(body)
    return arm_not_found(ACCOUNT, call.params["account"], call.params["group"])


def _all(call: Call) -> list[JsonObject]:
    estate = call.world.estate
    scope = Scope(estate.subscription, estate.storage_resource_group)
    return [
        {
            "id": scope.resource(ACCOUNT, spec.cache_storage_account),
            "name": spec.cache_storage_account,
            "type": ACCOUNT,
            "location": region,
            "kind": "StorageV2",
            "sku": {"name": "Standard_LRS", "tier": "Standard"},
            "tags": {},
            "properties": {"provisioningState": "Succeeded", "primaryLocation": region},
        }
        for region, spec in estate.regions.items()
    ]

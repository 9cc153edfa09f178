"""Microsoft.Authorization: management locks, which make clean-ups fail (ScopeLocked)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simulator.arm import is_within, key
from simulator.messages import Response, json_response

if TYPE_CHECKING:
    from simulator.call import Call


def list_locks(call: Call) -> Response:
    """List the locks at a scope and below it: a subscription, a resource group, or a resource."""
    scope = key(call.request.path).split("/providers/microsoft.authorization/locks")[0]
    found = [lock for lock in call.world.estate.locks if is_within(lock.scope, scope)]
    return json_response(
        {
            "value": [
                {
                    "id": f"{lock.scope}/providers/Microsoft.Authorization/locks/{lock.name}",
                    "name": lock.name,
                    "type": "Microsoft.Authorization/locks",
                    "properties": {"level": lock.level, "notes": ""},
                }
                for lock in found
            ]
        }
    )

"""Microsoft.ResourceHealth: whether Azure's own troubles stop a machine."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simulator.arm import Scope, group_of
from simulator.envelopes import arm_not_found, listing
from simulator.messages import Response, json_response
from simulator.times import ticks

if TYPE_CHECKING:
    from simulator.call import Call
    from simulator.machines import VirtualMachine
    from simulator.messages import JsonObject

VM = "Microsoft.Compute/virtualMachines"
NO_TROUBLE = "There aren't any known Azure platform problems affecting this virtual machine."
STOPPED_BY_SOMEBODY = (
    "This virtual machine is stopped and deallocated as requested by an authorized user or process."
)


def current(call: Call) -> Response:
    """Read a machine's health now."""
    found = _find(call)
    return found if isinstance(found, Response) else json_response(_status(call, found))


def history(call: Call) -> Response:
    """List what is known of a machine's health; invented: that a machine's health has no history."""
    found = _find(call)
    return found if isinstance(found, Response) else listing([_status(call, found)])


def list_all(call: Call) -> Response:
    """List the health of the machines of a resource group, or of the subscription."""
    group = call.params.get("group", "").lower()
    machines = call.world.machines.vms.values()
    return listing([_status(call, m) for m in machines if group in {"", group_of(m.id).lower()}])


def _find(call: Call) -> VirtualMachine | Response:
    kind = f"{call.params['provider']}/{call.params['kind']}"
    scope, name = Scope(call.params["subscription"], call.params["group"]), call.params["resource"]
    machine = call.world.machines.vm(scope.resource(kind, name))
    return machine or arm_not_found(kind, name, scope.group)


def _status(call: Call, machine: VirtualMachine) -> JsonObject:
    state = "Available" if machine.running else "Unavailable"
    properties: JsonObject = {
        "availabilityState": state,
        "title": state if machine.running else "Stopped and deallocated",
        "summary": NO_TROUBLE if machine.running else STOPPED_BY_SOMEBODY,
        "reasonType": "" if machine.running else "Customer Initiated",
        "category": "Not Applicable",
        "context": "Not Applicable" if machine.running else "Customer Initiated",
        "occuredTime": ticks(machine.since),  # misspelt on the wire
        "reasonChronicity": "Persistent",
        "reportedTime": ticks(call.world.now),
    }
    return {
        "id": f"{machine.id}/providers/Microsoft.ResourceHealth/availabilityStatuses/current",
        "name": "current",
        "type": "Microsoft.ResourceHealth/AvailabilityStatuses",
        "location": machine.region,
        "properties": properties,
    }

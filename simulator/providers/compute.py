"""Microsoft.Compute: machines and disks that follow failover, and what a caller may do to them."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from simulator.arm import Scope, group_of, key, last_segment
from simulator.async_work import accept_compute
from simulator.envelopes import Refused, arm_not_found, plain_error
from simulator.locks import lock_of, locked_message
from simulator.machines import DEALLOCATED, STOPPED
from simulator.messages import Response, json_response
from simulator.times import ticks

if TYPE_CHECKING:
    from simulator.call import Call
    from simulator.machines import Disk, VirtualMachine
    from simulator.messages import JsonObject
    from simulator.world import World

VM = "Microsoft.Compute/virtualMachines"
DISK = "Microsoft.Compute/disks"
DELETING, DELETING_DISK, STARTING, STOPPING = (timedelta(seconds=n) for n in (40, 5, 30, 35))
"""invented: how long it takes to delete, to start and to stop."""

_POWER_WORDS = {"running": "VM running", "stopped": "VM stopped", "deallocated": "VM deallocated"}


def get_vm(call: Call) -> Response:
    """Read a machine, with its instance view where asked for."""
    view = "instanceview" in call.request.query.get("$expand", "").lower()
    return json_response(_vm(call.world, _find(call), view=view))


def get_instance_view(call: Call) -> Response:
    """Read a machine's instance view by itself."""
    return json_response(_view(call.world, _find(call)))


def list_vms(call: Call) -> Response:
    """List the machines of a resource group, or of the subscription, where asked for with instance views."""
    query = call.request.query
    view = "instanceview" in query.get("$expand", "").lower() or query.get("statusonly", "").lower() == "true"
    group = call.params.get("group", "").lower()
    found = [m for m in call.world.machines.vms.values() if group in {"", group_of(m.id).lower()}]
    return json_response({"value": [_vm(call.world, machine, view=view) for machine in found]})


def delete_vm(call: Call) -> Response:
    """Delete a machine alone: its disks and its interface stay (Azure's default); 204 where there is none."""
    machine = call.world.machines.vm(_id(call, VM, "vm"))
    if machine is None:
        return Response(status=204)
    refuse_locked(call, machine.id)
    world = call.world
    return accept_compute(call, machine.region, DELETING, lambda: world.machines.delete_vm(machine.id))


def start_vm(call: Call) -> Response:
    """Start a machine."""
    machine, world = _find(call), call.world
    return accept_compute(call, machine.region, STARTING, lambda: machine.start(world.now))


def stop_vm(call: Call) -> Response:
    """Stop a machine, or deallocate it too."""
    machine, world = _find(call), call.world
    power = DEALLOCATED if last_segment(call.request.path).lower() == "deallocate" else STOPPED
    return accept_compute(call, machine.region, STOPPING, lambda: machine.stop(world.now, power))


def get_disk(call: Call) -> Response:
    """Read a managed disk."""
    disk = call.world.machines.disks.get(key(_id(call, DISK, "disk")))
    if disk is None:
        return arm_not_found(DISK, call.params["disk"], call.params["group"])
    return json_response(_disk(disk))


def list_disks(call: Call) -> Response:
    """List the managed disks of a resource group, or of the subscription."""
    group = call.params.get("group", "").lower()
    found = [d for d in call.world.machines.disks.values() if group in {"", group_of(d.id).lower()}]
    return json_response({"value": [_disk(disk) for disk in found]})


def delete_disk(call: Call) -> Response:
    """Delete a disk that is attached to nothing; 204 where there is none."""
    machines = call.world.machines
    disk = machines.disks.get(key(_id(call, DISK, "disk")))
    if disk is None:
        return Response(status=204)
    refuse_locked(call, disk.id)
    if disk.managed_by:
        message = f"Disk {disk.name} is attached to VM {disk.managed_by}."
        raise Refused(plain_error(409, "OperationNotAllowed", message))
    return accept_compute(
        call,
        disk.region,
        DELETING_DISK,
        lambda: machines.delete_disk(disk.id),
        collection="DiskOperations",
    )


def refuse_locked(call: Call, arm_id: str) -> None:
    """Refuse a deletion that a lock stops, as ARM does."""
    scope = lock_of(call.world, arm_id)
    if scope is not None:
        raise Refused(plain_error(409, "ScopeLocked", locked_message(arm_id, scope)))


def _id(call: Call, kind: str, param: str) -> str:
    return Scope(call.params["subscription"], call.params["group"]).resource(kind, call.params[param])


def _find(call: Call) -> VirtualMachine:
    found = call.world.machines.vm(_id(call, VM, "vm"))
    if found is None:
        raise Refused(arm_not_found(VM, call.params["vm"], call.params["group"]))
    return found


def _vm(world: World, machine: VirtualMachine, *, view: bool) -> JsonObject:
    known = world.machines.disks
    disks = [known[key(disk_id)] for disk_id in machine.disk_ids if key(disk_id) in known]
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
        "networkProfile": {"networkInterfaces": [{"id": machine.nic_id, "properties": {"primary": True}}]},
        "timeCreated": ticks(machine.made),
    }
    if not machine.specialized:  # Azure has no profile of a machine made from its disks
        properties["osProfile"] = {"computerName": machine.computer}
    if view:
        properties["instanceView"] = _view(world, machine)
    return {
        "id": machine.id,
        "name": machine.name,
        "type": VM,
        "location": machine.region,
        "tags": {},
        "properties": properties,
    }


def _attached(disk: Disk) -> JsonObject:
    return {
        "name": disk.name,
        "createOption": "Attach",
        "deleteOption": "Detach",
        "diskSizeGB": disk.size_gb,
        "managedDisk": {"id": disk.id, "storageAccountType": "Premium_LRS"},
    }


def _view(world: World, machine: VirtualMachine) -> JsonObject:
    view: JsonObject = {
        "hyperVGeneration": "V2",
        "statuses": [
            {
                "code": "ProvisioningState/succeeded",
                "level": "Info",
                "displayStatus": "Provisioning succeeded",
                "time": ticks(machine.since),
            },
            {
                "code": f"PowerState/{machine.power}",
                "level": "Info",
                "displayStatus": _POWER_WORDS[machine.power],
            },
        ],
    }
    if machine.running and machine.agent != "none":
        ready = (world.now - machine.since).total_seconds() >= machine.agent_after
        view["vmAgent"] = _agent(world, ready=ready)
        if ready:  # the guest tells its names through its agent
            name = "Windows Server 2016 Datacenter" if machine.os_type == "Windows" else "ubuntu"
            view |= {"computerName": machine.computer, "osName": name}
    return view


def _agent(world: World, *, ready: bool) -> JsonObject:
    status = {
        "code": "ProvisioningState/succeeded" if ready else "ProvisioningState/Unavailable",
        "level": "Info" if ready else "Warning",
        "displayStatus": "Ready" if ready else "Not Ready",
        "message": "GuestAgent is running and processing the extensions."
        if ready
        else "VM status blob is found but not yet populated.",
        "time": ticks(world.now),
    }
    return {"vmAgentVersion": "2.7.41491.1121" if ready else "Unknown", "statuses": [status]}


def _disk(disk: Disk) -> JsonObject:
    body: JsonObject = {
        "id": disk.id,
        "name": disk.name,
        "type": DISK,
        "location": disk.region,
        "sku": {"name": "Premium_LRS", "tier": "Premium"},
        "properties": {
            "creationData": {"createOption": "Empty"},
            "diskSizeGB": disk.size_gb,
            "diskState": "Attached" if disk.managed_by else "Unattached",
            "provisioningState": "Succeeded",
            "timeCreated": ticks(disk.made),
        }
        | ({"osType": disk.os_type} if disk.os else {}),
    }
    return body | ({"managedBy": disk.managed_by} if disk.managed_by else {})

"""The control endpoints: the journal, the state, faults and the clock."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from simulator.declared import told
from simulator.faults import Fault
from simulator.lifecycle import CELLS
from simulator.messages import Response, json_response
from simulator.providers.site_recovery.replication import progress
from simulator.times import ticks

if TYPE_CHECKING:
    from simulator.core import Simulator
    from simulator.messages import JsonObject, Request
    from simulator.model import Item

PREFIX = "/_sim"
LONGEST_STEP = timedelta(days=3_660).total_seconds()


class _Advance(BaseModel):
    model_config = ConfigDict(extra="forbid")

    advance: float = Field(ge=0, le=LONGEST_STEP, allow_inf_nan=False, description="seconds of simulated time")


class _FaultsBody(BaseModel):
    model_config = ConfigDict(extra="forbid")

    add: list[Fault] = Field(default_factory=list["Fault"])
    clear: bool = False


def answer_control(simulator: Simulator, request: Request) -> Response:
    """Answer a control call; it is no part of Azure and does not appear in the journal."""
    try:
        match (request.method, request.path.rstrip("/")):
            case ("GET", "/_sim/journal"):
                return _journal(simulator, request)
            case ("GET", "/_sim/state"):
                return json_response(state_of(simulator))
            case ("GET", "/_sim/faults"):
                return _faults(simulator)
            case ("POST", "/_sim/faults"):
                return _change_faults(simulator, request)
            case ("POST", "/_sim/clock"):
                return _advance(simulator, request)
            case _:
                return json_response({"error": "no such control endpoint"}, 404)
    except ValidationError as fault:
        return json_response({"error": "; ".join(told(fault, TypeAdapter(_FaultsBody)))}, 400)
    except ValueError as fault:
        return json_response({"error": f"the body is not JSON: {fault}"}, 400)


def _journal(simulator: Simulator, request: Request) -> Response:
    after = request.query.get("after", "0")
    if not after.isdigit():
        return json_response({"error": f"after: should be the number of a call, not '{after}'"}, 400)
    since = int(after)
    writes = request.query.get("writes", "").lower() == "true"
    found = [
        call.to_json() for call in simulator.journal.calls if call.number > since and (call.write or not writes)
    ]
    return json_response({"calls": found, "count": simulator.journal.count})


def state_of(simulator: Simulator) -> JsonObject:
    """Write the state of each machine, in the words of a person who looks on."""
    world, machines = simulator.world, simulator.world.machines
    return {
        "now": ticks(world.now),
        "machines": [_machine(simulator, item) for item in world.items.values()],
        "virtualMachines": [
            {"id": vm.id, "region": vm.region, "running": vm.running} for vm in machines.vms.values()
        ],
        "disks": [
            {"id": disk.id, "region": disk.region, "managedBy": disk.managed_by}
            for disk in machines.disks.values()
        ],
    }


def _machine(simulator: Simulator, item: Item) -> JsonObject:
    world, cells, job = simulator.world, CELLS[item.state], item.holder
    running = {
        vm.region: vm.running
        for vm in (
            world.machines.vm(item.source_vm_id),
            world.machines.vm(item.arrived_vm_id or ""),
        )
        if vm
    }
    return {
        "name": item.name,
        "id": item.id,
        "vault": item.vault.name,
        "state": str(item.state),
        "protectionState": cells.protection_state,
        "allowedOperations": [] if job else list(cells.allowed_operations),
        "from": item.source.region,
        "to": item.target.region,
        "running": running,
        "testVirtualMachine": item.test_vm_id,
        "job": {"id": job.id, "name": job.scenario.friendly_name} if job else None,
        "syncProgress": progress(item, world.now),
    }


def _faults(simulator: Simulator) -> Response:
    active = simulator.faults.active()
    return json_response({"faults": [fault.model_dump(mode="json", by_alias=True) for fault in active]})


def _change_faults(simulator: Simulator, request: Request) -> Response:
    """Take one fault, a list of faults, or `{"clear": true, "add": [...]}`."""
    body = request.body.strip()
    if body.startswith(b"["):
        change = _FaultsBody(add=TypeAdapter(list[Fault]).validate_json(body))
    elif "name" in request.json():
        change = _FaultsBody(add=[Fault.model_validate_json(body)])
    else:
        change = _FaultsBody.model_validate_json(body)
    if change.clear:
        simulator.faults.clear()
    simulator.faults.add(change.add, simulator.world.now)
    return _faults(simulator)


def _advance(simulator: Simulator, request: Request) -> Response:
    step = _Advance.model_validate_json(request.body)
    simulator.clock.advance(timedelta(seconds=step.advance))
    simulator.world.advance(simulator.clock.now())
    return json_response({"now": ticks(simulator.world.now)})

"""How a machine is made when Site Recovery brings it up, or where an estate begins with it."""

from __future__ import annotations

from datetime import timedelta
from math import inf
from typing import TYPE_CHECKING

from simulator.building import make_container, make_fabric
from simulator.estate import Agent, Arrival, Spread
from simulator.faults import FaultName
from simulator.machines import Boot, VirtualMachine

if TYPE_CHECKING:
    from simulator.effects import Started
    from simulator.estate import MachineSpec
    from simulator.model import Item, Site, Vault
    from simulator.world import World

AS_IT_SHOULD_BE = Arrival()
TEST_SUFFIX = "-test"
TEST_DISK_SUFFIX = "-ASRtest"


def bring_up(world: World, item: Item, site: Site, arrival: Arrival = AS_IT_SHOULD_BE) -> VirtualMachine:
    """Make an item's machine in a region's production network."""
    pool = site.backend_pool_id
    here = site.region == item.target.region
    name = (item.machine.target_name if here else None) or item.machine.name
    size = (item.machine.target_size if here else None) or item.machine.size
    wanted = item.machine.target_address if here else None
    boot = Boot(
        site=site,
        size=size,
        name=arrival.name or name,
        spec=item.machine,
        disks=item.disks,
        disk_suffix="",
        subnet_id=_subnet(site, arrival, site.network_id),
        address=arrival.address or (None if arrival.network or arrival.subnet else wanted),
        public_ip=item.machine.public_ip,
        backend_pool_ids=(pool,) if pool else (),
        power=str(arrival.power),
        computer=arrival.computer or item.machine.name,
        agent=str(arrival.agent),
        agent_after=_agent_after(world, item.machine, arrival),
        heartbeat_after=_heartbeat_after(world, item.machine, arrival),
        specialized=here or item.reprotected,
    )
    return world.machines.make(boot, world.now)


def bring_up_test(world: World, item: Item, network_id: str, arrival: Arrival) -> VirtualMachine:
    """Make an item's test machine in the network of its test failover."""
    boot = Boot(
        site=item.target,
        size=item.machine.target_size or item.machine.size,
        name=arrival.name or str(item.chosen.details.get("tfoAzureVMName") or f"{item.machine.name}{TEST_SUFFIX}"),
        spec=item.machine,
        disks=item.disks,
        disk_suffix=TEST_DISK_SUFFIX,
        subnet_id=_subnet(item.target, arrival, network_id),
        address=arrival.address,
        public_ip=False,
        backend_pool_ids=(),
        power=str(arrival.power),
        computer=arrival.computer or item.machine.name,
        agent=str(arrival.agent),
        agent_after=_agent_after(world, item.machine, arrival),
        heartbeat_after=_heartbeat_after(world, item.machine, arrival),
        specialized=True,
    )
    return world.machines.make(boot, world.now)


def place_unprotected(world: World, vault: Vault, machine: MachineSpec) -> VirtualMachine:
    """Make a machine that no vault protects, in the vault's primary region."""
    estate, region = world.estate, vault.spec.primary
    site = make_container(estate, make_fabric(estate, vault, region, region, world.ids), region, world.ids)
    boot = Boot(
        site=site,
        spec=machine,
        size=machine.size,
        name=machine.name,
        disks=machine.disk_specs(),
        disk_suffix="",
        subnet_id=_subnet(site, AS_IT_SHOULD_BE, site.network_id),
        address=None,
        public_ip=machine.public_ip,
        backend_pool_ids=(),
        power=str(AS_IT_SHOULD_BE.power),
        computer=machine.name,
        agent=str(AS_IT_SHOULD_BE.agent),
        agent_after=_agent_after(world, machine, AS_IT_SHOULD_BE),
        heartbeat_after=_heartbeat_after(world, machine, AS_IT_SHOULD_BE),
        specialized=False,
    )
    found = world.machines.make(boot, world.now)
    found.since = found.made = world.now - timedelta(days=2)
    return found


def arrival_of(started: Started, declared: Arrival, *, renamed: str | None) -> Arrival:
    """Answer how a job's machine comes up: as the estate declares, unless a fault says otherwise."""
    fault = started.faults.get(FaultName.ARRIVES_OTHERWISE)
    arrival = fault.arrives if fault else declared
    if FaultName.NO_HEARTBEAT in started.faults:
        arrival = arrival.model_copy(update={"heartbeat": "never", "agent": Agent.NOT_READY})
    if renamed and FaultName.JOB_WARNS in started.faults:
        arrival = arrival.model_copy(update={"name": renamed})
    return arrival


def _subnet(site: Site, arrival: Arrival, network_id: str) -> str:
    if arrival.network:
        network_id = site.virtual_network_id(arrival.network)
    return f"{network_id}/subnets/{arrival.subnet or site.spec.subnet}"


def _agent_after(world: World, machine: MachineSpec, arrival: Arrival) -> float:
    if arrival.agent is not Agent.READY:
        return inf
    return world.seconds("agent_delay", machine).total_seconds()


def _heartbeat_after(world: World, machine: MachineSpec, arrival: Arrival) -> float:
    if arrival.heartbeat == "never":
        return inf
    if arrival.heartbeat is None:
        return world.seconds("heartbeat_delay", machine).total_seconds()
    given = arrival.heartbeat
    return given.draw(world.random) if isinstance(given, Spread) else float(given)

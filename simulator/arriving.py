"""How a machine is made when Site Recovery brings it up, or where an estate begins with it."""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING

from simulator.estate import Agent, Arrival, Spread
from simulator.faults import FaultName
from simulator.machines import Boot, VirtualMachine

if TYPE_CHECKING:
    from simulator.effects import Started
    from simulator.model import Item, Site
    from simulator.world import World

AS_IT_SHOULD_BE = Arrival()
TEST_SUFFIX = "-test"
TEST_DISK_SUFFIX = "-ASRtest"


def bring_up(world: World, item: Item, site: Site, arrival: Arrival = AS_IT_SHOULD_BE) -> VirtualMachine:
    """Make an item's machine in a region's production network."""
    pool = site.backend_pool_id
    here = site is item.target
    wanted = item.machine.target_address if here else None
    boot = Boot(
        site=site,
        name=arrival.name or item.machine.name,
        size=item.machine.size,
        os_type=item.machine.os,
        disks=item.disks,
        disk_suffix="",
        subnet_id=_subnet(site, arrival, site.network_id),
        address=arrival.address or (None if arrival.network or arrival.subnet else wanted),
        public_ip=item.machine.public_ip,
        backend_pool_ids=(pool,) if pool else (),
        power=str(arrival.power),
        computer=arrival.computer or item.machine.name,
        agent=str(arrival.agent),
        agent_after=_agent_after(world, item, arrival),
        heartbeat_after=_heartbeat_after(world, item, arrival),
        specialized=here or item.reprotected,
    )
    return world.machines.make(boot, world.now)


def bring_up_test(world: World, item: Item, network_id: str, arrival: Arrival) -> VirtualMachine:
    """Make an item's test machine in the network of its test failover."""
    boot = Boot(
        site=item.target,
        name=arrival.name or f"{item.machine.name}{TEST_SUFFIX}",
        size=item.machine.size,
        os_type=item.machine.os,
        disks=item.disks,
        disk_suffix=TEST_DISK_SUFFIX,
        subnet_id=_subnet(item.target, arrival, network_id),
        address=arrival.address,
        public_ip=False,
        backend_pool_ids=(),
        power=str(arrival.power),
        computer=arrival.computer or item.machine.name,
        agent=str(arrival.agent),
        agent_after=_agent_after(world, item, arrival),
        heartbeat_after=_heartbeat_after(world, item, arrival),
        specialized=True,
    )
    return world.machines.make(boot, world.now)


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


def _agent_after(world: World, item: Item, arrival: Arrival) -> float:
    if arrival.agent is not Agent.READY:
        return inf
    return world.seconds("agent_delay", item.machine).total_seconds()


def _heartbeat_after(world: World, item: Item, arrival: Arrival) -> float:
    if arrival.heartbeat == "never":
        return inf
    if arrival.heartbeat is None:
        return world.seconds("heartbeat_delay", item.machine).total_seconds()
    given = arrival.heartbeat
    return given.draw(world.random) if isinstance(given, Spread) else float(given)

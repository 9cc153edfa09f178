"""Virtual machines with what belongs to them: disks, network interfaces, public addresses."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from ipaddress import ip_address
from typing import TYPE_CHECKING

from simulator.arm import key, last_segment

if TYPE_CHECKING:
    from simulator.estate import DiskSpec, MachineSpec
    from simulator.ids import Ids
    from simulator.model import Site

FIRST_ADDRESS = 4
"""Azure keeps the first addresses of a subnet for itself."""

RUNNING, STOPPED, DEALLOCATED = "running", "stopped", "deallocated"


@dataclass(slots=True, kw_only=True, eq=False)
class Disk:
    """A managed disk in Compute."""

    id: str
    name: str
    region: str
    size_gb: int
    os: bool
    os_type: str
    made: datetime
    managed_by: str | None = None


@dataclass(slots=True, kw_only=True, eq=False)
class PublicIp:
    """A public address, bound to an interface or to none."""

    id: str
    name: str
    region: str
    address: str
    nic_id: str | None = None


@dataclass(slots=True, kw_only=True, eq=False)
class Nic:
    """A network interface, attached to a machine or to none."""

    id: str
    name: str
    region: str
    subnet_id: str
    address: str
    static: bool
    mac: str
    machine_id: str | None = None
    public_ip_id: str | None = None
    backend_pool_ids: tuple[str, ...] = ()


@dataclass(slots=True, kw_only=True, eq=False)
class VirtualMachine:
    """A virtual machine in Compute; `computer` is the name its guest calls itself."""

    id: str
    spec: MachineSpec
    name: str
    region: str
    size: str
    os_type: str
    vm_guid: str
    nic_id: str
    disk_ids: tuple[str, ...]
    power: str
    since: datetime
    computer: str
    agent: str
    agent_after: float
    heartbeat_after: float
    specialized: bool
    made: datetime
    earlier_runs: list[tuple[datetime, datetime]] = field(default_factory=list["tuple[datetime, datetime]"])

    @property
    def running(self) -> bool:
        """Answer whether it runs."""
        return self.power == RUNNING

    def stop(self, now: datetime, power: str = DEALLOCATED) -> None:
        """Stop or deallocate it, remembering that it ran."""
        if self.running:
            self.earlier_runs.append((self.since, now))
            self.since = now
        self.power = power

    def start(self, now: datetime) -> None:
        """Start it, unless it runs."""
        if not self.running:
            self.power, self.since = RUNNING, now


@dataclass(frozen=True, slots=True, kw_only=True)
class Boot:
    """How a machine is to be made: what it is of, where it stands, and how it comes up."""

    site: Site
    spec: MachineSpec
    size: str
    name: str
    disks: tuple[DiskSpec, ...]
    disk_suffix: str
    subnet_id: str
    address: str | None
    public_ip: bool
    backend_pool_ids: tuple[str, ...]
    power: str
    computer: str
    agent: str
    agent_after: float
    heartbeat_after: float
    specialized: bool


class Machines:
    """All machines and what belongs to them, by ARM ids in lower case."""

    def __init__(self, ids: Ids) -> None:
        self._ids = ids
        self._taken: dict[str, set[str]] = {}
        self._public = 0
        self.vms: dict[str, VirtualMachine] = {}
        self.disks: dict[str, Disk] = {}
        self.nics: dict[str, Nic] = {}
        self.public_ips: dict[str, PublicIp] = {}

    def vm(self, vm_id: str) -> VirtualMachine | None:
        """Find a machine by its ARM id in any case."""
        return self.vms.get(key(vm_id))

    def nic_of(self, vm_id: str) -> Nic | None:
        """Find the interface of a machine by the machine's ARM id."""
        machine = self.vm(vm_id)
        return self.nics.get(key(machine.nic_id)) if machine else None

    def make(self, boot: Boot, now: datetime) -> VirtualMachine:
        """Make a machine with its disks and its interface."""
        disks = [self._make_disk(boot, spec, now) for spec in boot.disks]
        nic = self._make_nic(boot)
        machine = VirtualMachine(
            id=boot.site.vm_id(boot.name),
            name=boot.name,
            region=boot.site.region,
            spec=boot.spec,
            size=boot.size,
            os_type=boot.spec.os,
            vm_guid=self._ids.fresh("vm"),
            nic_id=nic.id,
            disk_ids=tuple(disk.id for disk in disks),
            power=boot.power,
            since=now,
            computer=boot.computer,
            agent=boot.agent,
            agent_after=boot.agent_after,
            heartbeat_after=boot.heartbeat_after,
            specialized=boot.specialized,
            made=now,
        )
        nic.machine_id = machine.id
        for disk in disks:
            disk.managed_by = machine.id
        self.vms[key(machine.id)] = machine
        return machine

    def _make_disk(self, boot: Boot, spec: DiskSpec, now: datetime) -> Disk:
        name = f"{spec.name}{boot.disk_suffix}"
        disk = Disk(
            id=boot.site.disk_id(name),
            name=name,
            region=boot.site.region,
            size_gb=spec.size_gb,
            os=spec.os,
            os_type=boot.spec.os,
            made=now,
        )
        self.disks[key(disk.id)] = disk
        return disk

    def _make_nic(self, boot: Boot) -> Nic:
        nic_id = boot.site.nic_id(boot.name)
        self.delete_nic(nic_id)  # a machine made anew gets its interface anew
        nic = Nic(
            id=nic_id,
            name=last_segment(nic_id),
            region=boot.site.region,
            subnet_id=boot.subnet_id,
            address=self._take_address(boot.subnet_id, boot.address),
            static=boot.address is not None,
            mac=f"00-0D-3A-{self._ids.number('mac', nic_id) % 16**6:06X}",
            backend_pool_ids=boot.backend_pool_ids,
        )
        if boot.public_ip:
            nic.public_ip_id = self._make_public_ip(boot, nic)
        self.nics[key(nic_id)] = nic
        return nic

    def _make_public_ip(self, boot: Boot, nic: Nic) -> str:
        found = self.public_ips.get(key(boot.site.public_ip_id(boot.name)))
        if found is None:
            self._public += 1
            found = PublicIp(
                id=boot.site.public_ip_id(boot.name),
                name=last_segment(boot.site.public_ip_id(boot.name)),
                region=boot.site.region,
                address=str(ip_address("203.0.113.0") + self._public),
            )
            self.public_ips[key(found.id)] = found
        found.nic_id = nic.id
        return found.id

    def _take_address(self, subnet_id: str, wanted: str | None) -> str:
        """Answer the wanted address, or the lowest that is free in the subnet."""
        taken = self._taken.setdefault(key(subnet_id), set())
        number = FIRST_ADDRESS + len(taken)
        while wanted is None:
            candidate = str(ip_address("10.4.0.0") + number)
            wanted = None if candidate in taken else candidate
            number = number + 1 if number < SUBNET_SIZE else FIRST_ADDRESS
        taken.add(wanted)
        return wanted

    def remove(self, vm_id: str, *, leave_disk: bool = False) -> None:
        """Take away a machine, its disks and its interface; `leave_disk` leaves the last disk behind."""
        machine = self.vm(vm_id)
        if machine is None:
            return
        self.delete_vm(vm_id)
        self.delete_nic(machine.nic_id)
        for disk_id in machine.disk_ids[:-1] if leave_disk else machine.disk_ids:
            self.delete_disk(disk_id)

    def delete_vm(self, vm_id: str) -> None:
        """Delete a machine alone: its disks and its interface stay, attached to nothing."""
        machine = self.vms.pop(key(vm_id), None)
        if machine is None:
            return
        nic = self.nics.get(key(machine.nic_id))
        if nic is not None:
            nic.machine_id = None
        for disk_id in machine.disk_ids:
            disk = self.disks.get(key(disk_id))
            if disk is not None:
                disk.managed_by = None

    def delete_disk(self, disk_id: str) -> None:
        """Delete a disk."""
        self.disks.pop(key(disk_id), None)

    def delete_nic(self, nic_id: str) -> None:
        """Delete an interface; its address is free again, its public address bound to nothing."""
        nic = self.nics.pop(key(nic_id), None)
        if nic is None:
            return
        self._taken[key(nic.subnet_id)].discard(nic.address)
        public = self.public_ips.get(key(nic.public_ip_id or ""))
        if public is not None:
            public.nic_id = None

    def delete_public_ip(self, public_ip_id: str) -> None:
        """Delete a public address."""
        self.public_ips.pop(key(public_ip_id), None)


SUBNET_SIZE = 2**15 - 2
"""How many addresses a subnet has, so that there is one for every machine of a large estate."""

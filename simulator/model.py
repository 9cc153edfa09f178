"""The things a simulator keeps of Site Recovery: vaults, their two sites, protected items."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from simulator.arm import Scope
from simulator.estate import REGION_NAMES

if TYPE_CHECKING:
    from simulator.estate import DiskSpec, Estate, MachineSpec, RegionSpec, VaultSpec
    from simulator.ids import Ids
    from simulator.jobs import Job
    from simulator.lifecycle import State


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """One of the two regions of a vault, with the Site Recovery names that stand for it."""

    vault_id: str
    region: str
    region_name: str
    spec: RegionSpec
    scope: Scope
    fabric_guid: str
    container_guid: str
    provider_guid: str

    @property
    def fabric(self) -> str:
        """The fabric's name."""
        return f"asr-{self.region}"

    @property
    def container(self) -> str:
        """The container's name."""
        return f"asr-{self.region}-container"

    @property
    def fabric_id(self) -> str:
        """The fabric's ARM id, with the service's capital S."""
        return f"{self.vault_id}/replicationFabrics/{self.fabric}"

    @property
    def container_id(self) -> str:
        """The container's ARM id."""
        return f"{self.fabric_id}/replicationProtectionContainers/{self.container}"

    @property
    def network_id(self) -> str:
        """The production network's ARM id."""
        return self.virtual_network_id(self.spec.network)

    @property
    def isolated_network_id(self) -> str | None:
        """The isolated network's ARM id, where the region has one."""
        name = self.spec.isolated_network
        return self.virtual_network_id(name) if name else None

    def virtual_network_id(self, name: str) -> str:
        """Answer the ARM id of a network of this region; what is an id already stays one."""
        return name if "/" in name else self.scope.resource("Microsoft.Network/virtualNetworks", name)

    def item_id(self, name: str) -> str:
        """Answer the ARM id of a protected item in this container."""
        return f"{self.container_id}/replicationProtectedItems/{name}"

    def vm_id(self, name: str) -> str:
        """Answer the ARM id of a machine in this region."""
        return self.scope.resource("Microsoft.Compute/virtualMachines", name)

    def disk_id(self, name: str) -> str:
        """Answer the ARM id of a disk in this region."""
        return self.scope.resource("Microsoft.Compute/disks", name)

    def nic_id(self, vm: str) -> str:
        """Answer the ARM id of a machine's network interface in this region."""
        return self.scope.resource("Microsoft.Network/networkInterfaces", f"{vm}-nic")

    def public_ip_id(self, vm: str) -> str:
        """Answer the ARM id of a machine's public address in this region."""
        return self.scope.resource("Microsoft.Network/publicIPAddresses", f"{vm}-ip")

    @property
    def backend_pool_id(self) -> str | None:
        """Answer the ARM id of the load balancer's pool, where the region has one."""
        name = self.spec.load_balancer
        if name is None:
            return None
        balancer = self.scope.resource("Microsoft.Network/loadBalancers", name)
        return f"{balancer}/backendAddressPools/{name}-pool"


@dataclass(frozen=True, slots=True, kw_only=True)
class Vault:
    """A Recovery Services vault and its two sites."""

    id: str
    name: str
    spec: VaultSpec
    scope: Scope
    guid: str
    sites: dict[str, Site]

    @property
    def policy_id(self) -> str:
        """The replication policy's ARM id."""
        return f"{self.id}/replicationPolicies/{self.spec.policy}"

    def other(self, site: Site) -> Site:
        """Answer the site that is not this one."""
        return next(s for s in self.sites.values() if s.region != site.region)

    def site_by_fabric(self, fabric: str) -> Site | None:
        """Answer the site a fabric name stands for."""
        return next((s for s in self.sites.values() if s.fabric.lower() == fabric.lower()), None)


@dataclass(slots=True, kw_only=True, eq=False)
class Item:
    """A replication protected item: one machine, replicated from `source` to `target`."""

    name: str
    vault: Vault
    machine: MachineSpec
    source: Site
    target: Site
    state: State
    initial_primary: str
    initial_recovery: str
    lifecycle_id: str
    multi_vm_group_id: str
    entity_id: str
    management_id: str
    nic_guid: str
    correlation_id: str
    source_vm_id: str
    disks: tuple[DiskSpec, ...]
    ever_protected: bool = True
    reprotected: bool = False
    sync_started: datetime | None = None
    sync_ends: datetime | None = None
    points_from: datetime | None = None
    points_until: datetime | None = None
    points_deleted: bool = False
    failover_point: str | None = None
    last_failover: datetime | None = None
    last_test_failover: datetime | None = None
    tested: bool = False
    source_address: str = ""
    arrived_vm_id: str | None = None
    test_vm_id: str | None = None
    holder: Job | None = None
    state_changes: int = 0
    written: tuple[object, str] | None = None

    @property
    def id(self) -> str:
        """Its ARM id, which changes when it is re-protected."""
        return self.source.item_id(self.name)

    def enter(self, state: State) -> None:
        """Move to a state; every move is counted, so that late events know they are late."""
        self.state = state
        self.state_changes += 1


def build_vault(estate: Estate, spec: VaultSpec, ids: Ids) -> Vault:
    """Make a vault with its two sites."""
    scope = Scope(estate.subscription, spec.resource_group)
    vault_id = scope.resource("Microsoft.RecoveryServices/vaults", spec.name).replace(
        "/subscriptions/", "/Subscriptions/", 1
    )
    sites = {region: _build_site(estate, vault_id, region, ids) for region in (spec.primary, spec.secondary)}
    guid = ids.fixed("vault", vault_id)
    return Vault(id=vault_id, name=spec.name, spec=spec, scope=scope, guid=guid, sites=sites)


def _build_site(estate: Estate, vault_id: str, region: str, ids: Ids) -> Site:
    spec = estate.regions[region]
    return Site(
        vault_id=vault_id,
        region=region,
        region_name=REGION_NAMES.get(region, region),
        spec=spec,
        scope=Scope(estate.subscription, spec.resource_group),
        fabric_guid=ids.fixed("fabric", vault_id, region),
        container_guid=ids.fixed("container", vault_id, region),
        provider_guid=ids.fixed("provider", vault_id, region),
    )

"""The things a simulator keeps of Site Recovery: vaults, their two sites, protected items."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

from simulator.arm import Scope, key

if TYPE_CHECKING:
    from collections.abc import Mapping as Named

    from simulator.estate import DiskSpec, MachineSpec, RegionSpec, VaultSpec
    from simulator.jobs import Job
    from simulator.lifecycle import State


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """A replication policy, times in minutes as on the wire."""

    vault_id: str
    name: str
    guid: str
    history: int
    app_consistent_every: int
    crash_consistent_every: int = 5
    threshold: int = 0
    multi_vm_sync: str = "Enabled"

    @property
    def id(self) -> str:
        """The policy's ARM id."""
        return f"{self.vault_id}/replicationPolicies/{self.name}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Fabric:
    """A region, under the name a vault gives it."""

    vault_id: str
    name: str
    region: str
    region_name: str
    spec: RegionSpec
    guid: str
    provider_guid: str

    @property
    def id(self) -> str:
        """The fabric's ARM id, with the service's capital S."""
        return f"{self.vault_id}/replicationFabrics/{self.name}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """One protection container in its fabric: a side that machines replicate from or to.

    `scope` and `spec` say where machines are made there, and in which network; those of one machine may differ.
    """

    home: Fabric
    container: str
    container_guid: str
    spec: RegionSpec
    scope: Scope

    @property
    def region(self) -> str:
        """The region's short name."""
        return self.home.region

    @property
    def region_name(self) -> str:
        """The region's name for people."""
        return self.home.region_name

    @property
    def fabric(self) -> str:
        """The fabric's name."""
        return self.home.name

    @property
    def fabric_guid(self) -> str:
        """What the fabric is called by in jobs."""
        return self.home.guid

    @property
    def provider_guid(self) -> str:
        """The name of the fabric's provider."""
        return self.home.provider_guid

    @property
    def fabric_id(self) -> str:
        """The fabric's ARM id."""
        return self.home.id

    @property
    def container_id(self) -> str:
        """The container's ARM id."""
        return f"{self.home.id}/replicationProtectionContainers/{self.container}"

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
class Mapping:
    """A pairing of two containers under a policy, in one direction."""

    name: str
    source: Site
    target: Site
    policy: Policy
    agent_auto_update: str = "Disabled"
    automation_account_id: str | None = None

    @property
    def id(self) -> str:
        """The mapping's ARM id."""
        return f"{self.source.container_id}/replicationProtectionContainerMappings/{self.name}"


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkMapping:
    """A pairing of two virtual networks, in one direction."""

    name: str
    source: Fabric
    target: Fabric
    network_id: str
    target_network_id: str

    @property
    def id(self) -> str:
        """The mapping's ARM id."""
        network = f"{self.source.id}/replicationNetworks/azureNetwork"
        return f"{network}/replicationNetworkMappings/{self.name}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Vault:
    """A Recovery Services vault and what was set up in it, each by its ARM id in lower case."""

    id: str
    name: str
    spec: VaultSpec
    scope: Scope
    guid: str
    fabrics: dict[str, Fabric] = field(default_factory=dict[str, Fabric])
    containers: dict[str, Site] = field(default_factory=dict[str, Site])
    policies: dict[str, Policy] = field(default_factory=dict[str, Policy])
    mappings: dict[str, Mapping] = field(default_factory=dict[str, Mapping])
    network_mappings: dict[str, NetworkMapping] = field(default_factory=dict[str, NetworkMapping])

    def fabric(self, name: str) -> Fabric | None:
        """Find a fabric by its name."""
        return self.fabrics.get(key(f"{self.id}/replicationFabrics/{name}"))

    def policy(self, name: str) -> Policy | None:
        """Find a policy by its name."""
        return self.policies.get(key(f"{self.id}/replicationPolicies/{name}"))

    def containers_of(self, fabric: Fabric) -> list[Site]:
        """Answer a fabric's containers."""
        return [site for site in self.containers.values() if site.home is fabric]

    def site_in(self, region: str) -> Site:
        """Answer the first container in a region."""
        return next(site for site in self.containers.values() if site.region == region)

    def other(self, site: Site) -> Site:
        """Answer where a container's machines go: where it is mapped to, or any other."""
        mapped = (m.target for m in self.mappings.values() if m.source.container_id == site.container_id)
        found = next(mapped, None)
        return found or next(s for s in self.containers.values() if s.container_id != site.container_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """What people chose for a machine in its target region, by the names it is shown with."""

    details: Named[str, object] = field(default_factory=dict[str, object])
    nic: Named[str, object] = field(default_factory=dict[str, object])
    config: Named[str, object] = field(default_factory=dict[str, object])


@dataclass(slots=True, kw_only=True, eq=False)
class Item:
    """A replication protected item: one machine, replicated from `source` to `target`."""

    name: str
    vault: Vault
    machine: MachineSpec
    policy: Policy
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
    waits_from: datetime | None = None
    first_heartbeat: datetime | None = None
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
    asked_by: tuple[str, str] | None = None
    chosen: Chosen = field(default_factory=Chosen)
    state_changes: int = 0
    written: tuple[object, tuple[str, str, str]] | None = None

    @property
    def id(self) -> str:
        """Its ARM id, which changes when it is re-protected."""
        return self.source.item_id(self.name)

    def about(self, shown_name: str) -> dict[str, object]:
        """Write what a job says of the machine and its two sides."""
        return {
            "primaryVmId": self.entity_id,
            "primaryVmName": shown_name,
            "recoveryVmId": "",
            "recoveryVmName": self.machine.name.lower(),
            "protectionProfileId": self.policy.guid,
            "primaryCloudId": self.source.container_guid,
            "primaryCloudName": self.source.container,
            "recoveryCloudId": self.target.container_guid,
            "recoveryCloudName": self.target.container,
            "primaryVmmId": self.source.fabric_guid,
            "primaryVmmName": self.source.region_name,
            "recoveryVmmId": self.target.fabric_guid,
            "recoveryVmmName": self.target.region_name,
            "primaryFabricProviderId": "Azure",
            "recoveryFabricProviderId": "Azure",
        }

    def enter(self, state: State) -> None:
        """Move to a state; every move is counted, so that late events know they are late."""
        self.state = state
        self.state_changes += 1

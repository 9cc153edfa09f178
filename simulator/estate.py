"""What exists before the first call: vaults, regions, machines and the states they begin in."""

from __future__ import annotations

import random
from collections import Counter
from datetime import timedelta
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, field_validator, model_validator
from pydantic.alias_generators import to_camel

from simulator.declared import read_declared

REGION_NAMES = {
    "australiaeast": "Australia East",
    "canadacentral": "Canada Central",
    "centralus": "Central US",
    "eastasia": "East Asia",
    "eastus": "East US",
    "eastus2": "East US 2",
    "francecentral": "France Central",
    "germanywestcentral": "Germany West Central",
    "japaneast": "Japan East",
    "northcentralus": "North Central US",
    "northeurope": "North Europe",
    "southcentralus": "South Central US",
    "southeastasia": "Southeast Asia",
    "southindia": "South India",
    "swedencentral": "Sweden Central",
    "switzerlandnorth": "Switzerland North",
    "uksouth": "UK South",
    "ukwest": "UK West",
    "westcentralus": "West Central US",
    "westeurope": "West Europe",
    "westus": "West US",
    "westus2": "West US 2",
    "westus3": "West US 3",
}
"""Names people read; a region that is not here is shown by its short name."""


class _Part(BaseModel):
    """A frozen part of an estate, written in camelCase in YAML."""

    model_config = ConfigDict(frozen=True, extra="forbid", alias_generator=to_camel, populate_by_name=True)


class Act(StrEnum):
    """What can be done to a protected item, named as the estate's durations name it."""

    TEST_FAILOVER = "testFailover"
    TEST_FAILOVER_CLEANUP = "testFailoverCleanup"
    FAILOVER = "failover"
    CHANGE_RECOVERY_POINT = "changeRecoveryPoint"
    COMMIT = "commit"
    REPROTECT = "reprotect"
    CANCEL_FAILOVER = "cancelFailover"
    DISABLE = "disable"
    ENABLE = "enable"


class Direction(StrEnum):
    """Which way a machine replicates: away from its first region, or back to it."""

    FORWARD = "forward"
    REVERSE = "reverse"


class StartState(StrEnum):
    """Where in its life a machine begins."""

    PROTECTED = "protected"
    SYNCING = "syncing"
    WAITING_FIRST_POINT = "waiting-first-point"
    TEST_FAILOVER_WAITING = "test-failover-waiting"
    TEST_FAILOVER_CLEANED = "test-failover-cleaned"
    COMMIT_PENDING = "commit-pending"
    COMMITTED = "committed"
    UNPROTECTED = "unprotected"


ALIASES = {
    "protected-in-reverse": (StartState.PROTECTED, Direction.REVERSE),
    "syncing-in-reverse": (StartState.SYNCING, Direction.REVERSE),
    "waiting-first-point-in-reverse": (StartState.WAITING_FIRST_POINT, Direction.REVERSE),
    "test-failover-waiting-in-reverse": (StartState.TEST_FAILOVER_WAITING, Direction.REVERSE),
    "commit-pending-in-reverse": (StartState.COMMIT_PENDING, Direction.REVERSE),
    "committed-in-reverse": (StartState.COMMITTED, Direction.REVERSE),
    "away": (StartState.COMMITTED, Direction.FORWARD),
    "away-uncommitted": (StartState.COMMIT_PENDING, Direction.FORWARD),
    "home-uncommitted": (StartState.COMMIT_PENDING, Direction.REVERSE),
}
"""States by the words operators use; each is a state and a direction."""


class Spread(_Part):
    """A duration drawn between two numbers of seconds: evenly, or most often near `typical`."""

    least: float = Field(ge=0)
    typical: float | None = None
    most: float

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        typical = self.least if self.typical is None else self.typical
        if not self.least <= typical <= self.most:
            msg = "least, typical and most must be in this order"
            raise ValueError(msg)
        return self

    def draw(self, dice: random.Random) -> float:
        """Draw one duration in seconds; of a triangle's shape where a typical one is known."""
        if self.typical is None:
            return dice.uniform(self.least, self.most)
        return dice.triangular(self.least, self.most, self.typical)


Seconds = Annotated[float, Field(ge=0)] | Spread


class Durations(_Part):
    """How long things take, in simulated seconds; the defaults are recorded or documented times.

    Failover 205 s with the source's shutdown and 140 s without, re-protect 506 s and commit 8 s were
    recorded for A2A machines, as were 425 s to enable replication, 82 s to make a fabric and 140 s to map two
    containers; cleanup 82 s and change of recovery point 293 s for A2A cluster members;
    test failover 203 s is Microsoft's own example. After a re-protect, replication took 46 to 51 minutes,
    after replication was enabled 15 to 31; the last 5 to 15 of them a first recovery point was waited for.
    """

    test_failover: Seconds = 203
    test_failover_cleanup: Seconds = 82
    failover: Seconds = 205
    failover_without_shutdown: Seconds = 140
    change_recovery_point: Seconds = 293
    commit: Seconds = 8
    reprotect: Seconds = 506
    cancel_failover: Seconds = 60
    disable: Seconds = 30
    enable: Seconds = 425
    create_fabric: Seconds = 82
    map_containers: Seconds = 140
    initial_replication: Seconds = 45 * 60
    first_replication: Seconds = 25 * 60
    first_point: Seconds | None = None
    first_heartbeat: Seconds = 230
    agent_delay: Seconds = 120
    heartbeat_delay: Seconds = 120
    recovery_plan_overhead: Seconds = 4


class Power(StrEnum):
    """Whether a machine runs."""

    RUNNING = "running"
    STOPPED = "stopped"
    DEALLOCATED = "deallocated"


class Agent(StrEnum):
    """What becomes of a machine's guest agent."""

    READY = "ready"
    NOT_READY = "not-ready"
    NONE = "none"


class Arrival(_Part):
    """How a machine comes up, where it does not come up as it should; what is not given is as it should be."""

    name: str | None = None
    power: Power = Power.RUNNING
    agent: Agent = Agent.READY
    network: str | None = None
    subnet: str | None = None
    address: str | None = None
    computer: str | None = None
    heartbeat: Seconds | Literal["never"] | None = None


class DiskSpec(_Part):
    """A managed disk of a machine."""

    name: str
    size_gb: int = Field(default=127, gt=0)
    os: bool = False


class RunningJob(_Part):
    """A job that already runs when the simulator starts."""

    act: Act
    progress: float = Field(default=0.5, ge=0, lt=1)
    client_request_id: str = "started-in-the-portal"


class MachineSpec(_Part):
    """A machine, or `count` machines named `<name>-0001` and so on."""

    name: str
    count: int = Field(default=1, ge=1, le=10_000)
    state: StartState = StartState.PROTECTED
    direction: Direction = Direction.FORWARD
    job: RunningJob | None = None
    sync_progress: float = Field(default=0.3, ge=0, lt=1)
    item: str | None = None
    size: str = "Standard_D2s_v3"
    os: str = "Windows"
    disks: tuple[DiskSpec, ...] = ()
    multi_vm_group: str = ""
    tested: bool = False
    public_ip: bool = False
    target_name: str | None = None
    target_size: str | None = None
    target_address: str | None = None
    arrives: Arrival = Arrival()
    test_arrives: Arrival = Arrival()
    durations: dict[str, Seconds] = Field(default_factory=dict[str, "Seconds"])

    @field_validator("durations")
    @classmethod
    def _are_durations(cls, given: dict[str, Seconds]) -> dict[str, Seconds]:
        known = {to_camel(name) for name in Durations.model_fields}
        if strange := sorted(set(given) - known):
            msg = f"there are no durations named {strange}"
            raise ValueError(msg)
        return given

    @model_validator(mode="before")
    @classmethod
    def _spell_out_aliases(cls, given: object) -> object:
        """Read `state: away` and its like as a state and a direction."""
        if not isinstance(given, dict):
            return {"name": given}
        words: dict[str, object] = dict(given)  # pyright: ignore[reportUnknownArgumentType]
        alias = ALIASES.get(str(words.get("state")))
        if alias:
            words["state"], words["direction"] = alias
        return words

    def each(self) -> list[MachineSpec]:
        """Answer the machines this stands for."""
        if self.count == 1:
            return [self]
        names = (f"{self.name}-{number:04d}" for number in range(1, self.count + 1))
        return [self.model_copy(update={"name": name, "count": 1, "item": None}) for name in names]

    def disk_specs(self) -> tuple[DiskSpec, ...]:
        """Answer its disks; one OS disk and one data disk where none are declared."""
        return self.disks or (
            DiskSpec(name=f"{self.name}_OsDisk_1", os=True),
            DiskSpec(name=f"{self.name}_DataDisk_0", size_gb=64),
        )


class RegionSpec(_Part):
    """What a region holds beside machines."""

    resource_group: str
    network: str = "contoso-vnet"
    subnet: str = "default"
    isolated_network: str | None = "isolated"
    other_networks: tuple[str, ...] = ()
    security_group: str | None = "contoso-nsg"
    load_balancer: str | None = None
    peered_with: tuple[str, ...] = ("contoso-hub",)
    cache_storage_account: str
    core_quota: int | None = Field(default=None, ge=0)
    cores_in_use: int = Field(default=40, ge=0)
    restricted_sizes: tuple[str, ...] = ()


class LockSpec(_Part):
    """A management lock on a scope, given as an ARM id."""

    name: str
    scope: str
    level: str = "CanNotDelete"


class DenySpec(_Part):
    """An action the caller has no right to, as `Microsoft.RecoveryServices/.../action`."""

    action: str
    scope: str = ""


class PlanSpec(_Part):
    """A recovery plan: machine names in boot groups."""

    name: str
    groups: tuple[tuple[str, ...], ...]


class VaultSpec(_Part):
    """A vault that replicates between two regions."""

    name: str = "contoso-vault"
    resource_group: str = "contoso-dr"
    primary: str = "centralus"
    secondary: str = "eastus"
    policy: str = "24-hour-retention-policy"
    retention_hours: int = Field(default=24, ge=2, le=360)
    bare: bool = False
    machines: tuple[MachineSpec, ...] = ()
    recovery_plans: tuple[PlanSpec, ...] = ()

    @model_validator(mode="after")
    def _two_regions(self) -> Self:
        if self.primary == self.secondary:
            msg = "a vault replicates between two different regions"
            raise ValueError(msg)
        if self.bare and any(machine.state is not StartState.UNPROTECTED for machine in self.machines):
            msg = "the machines of a bare vault are unprotected"
            raise ValueError(msg)
        return self


def _default_regions() -> dict[str, RegionSpec]:
    return {
        "centralus": RegionSpec(resource_group="contoso-app", cache_storage_account="contosocachecentralus"),
        "eastus": RegionSpec(
            resource_group="contoso-app-asr",
            network="contoso-vnet-asr",
            cache_storage_account="contosocacheeastus",
        ),
    }


class Estate(_Part):
    """Everything a simulator begins with; `Estate()` is empty, `default_estate()` is Contoso's."""

    subscription: str = "11111111-1111-1111-1111-111111111111"
    tenant: str = "72f988bf-0000-0000-0000-000000000001"
    storage_resource_group: str = "contoso-dr"
    workspace: str = "contoso-logs"
    missing_tables: tuple[str, ...] = ()
    regions: dict[str, RegionSpec] = Field(default_factory=_default_regions)
    vaults: tuple[VaultSpec, ...] = (VaultSpec(),)
    durations: Durations = Durations()
    locks: tuple[LockSpec, ...] = ()
    denied: tuple[DenySpec, ...] = ()
    page_size: int = Field(default=1000, ge=1)
    token_lifetime: timedelta = timedelta(hours=24)
    read_bucket: int = Field(default=250, ge=1)
    write_bucket: int = Field(default=200, ge=1)
    reads_per_second: float = Field(default=25, gt=0)
    writes_per_second: float = Field(default=10, gt=0)
    signed_urls: bool = True

    @model_validator(mode="after")
    def _names_differ(self) -> Self:
        vaults = [f"{vault.resource_group}/{vault.name}".lower() for vault in self.vaults]
        machines = [one.name.lower() for vault in self.vaults for spec in vault.machines for one in spec.each()]
        for kind, names in (("vault", vaults), ("machine", machines)):
            twice = sorted(name for name, times in Counter(names).items() if times > 1)
            if twice:
                raise ValueError(f"more than one {kind} is called {', '.join(twice[:5])}")
        return self

    @model_validator(mode="after")
    def _regions_exist(self) -> Self:
        for vault in self.vaults:
            missing = {vault.primary, vault.secondary} - set(self.regions)
            if missing:
                msg = f"vault {vault.name} names regions that are not declared: {sorted(missing)}"
                raise ValueError(msg)
        return self


def default_estate() -> Estate:
    """Answer the estate of the demonstration: ContosoWin2016 runs in East US, protected to Central US."""
    machine = MachineSpec(name="ContosoWin2016", state=StartState.PROTECTED, direction=Direction.REVERSE)
    return Estate(vaults=(VaultSpec(machines=(machine,)),))


def load_estate(path: Path) -> Estate:
    """Read an estate from a YAML file; raises ValueError that names every fault in it."""
    return read_declared(path, TypeAdapter(Estate), {})

"""What people ask for: the start request, whose faults are all listed at once.

A request refuses what it does not know. A new field carries a default and a comment saying what old runs mean;
names on the wire are never changed.
"""

from __future__ import annotations

import re
from collections import Counter
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Annotated, Any, Final, Self, cast

from pydantic import Field, StringConstraints, ValidationInfo, field_validator, model_validator

from domain.approvals import ApprovalPolicy, Person
from domain.wire import Wire

# Site Recovery's own plans stop at 100 machines, and replaying a fan-out is quadratic.
GROUP_LIMIT: Final = 100
MACHINE_LIMIT: Final = 1_000

ArmId = Annotated[str, StringConstraints(strip_whitespace=True, max_length=1_024)]
# What could end a URL's path must not stand in an id: ids become parts of URLs.
PointId = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=1_024, pattern=r"^[^\\?#%\x00-\x20]+$")
]
Name = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=128, pattern=r"^[^/\\?#%\x00-\x1f]+$"),
]
Comment = Annotated[str, StringConstraints(strip_whitespace=True, max_length=2_000)]

_VAULT = re.compile(
    r"^/subscriptions/[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"
    r"/resourceGroups/[^/\\?#%\s]+/providers/Microsoft\.RecoveryServices/vaults/[^/\\?#%\s]+$",
    re.IGNORECASE,
)
_RESOURCE = re.compile(
    r"^/subscriptions/[0-9a-fA-F-]{36}/resourceGroups/[^/\\?#%\s]+"
    r"/providers/(?P<type>[^/\\?#%\s]+/[^/\\?#%\s]+)/[^/\\?#%\s]+$",
    re.IGNORECASE,
)


def aware(value: datetime | None) -> datetime | None:
    """Give a moment back, unless it does not say in which zone it is meant."""
    if value is not None and value.tzinfo is None:
        raise ValueError("give the offset too, as in 2026-11-22T18:00:00Z")
    return value


def _arm(kind: str, value: str | None) -> str | None:
    match = _RESOURCE.match(value or "")
    if value is None or (match and match["type"].casefold() == kind.casefold()):
        return value
    raise ValueError(f"expected an ARM id: /subscriptions/<guid>/resourceGroups/<name>/providers/{kind}/<name>")


class Mode(StrEnum):
    """How far a run goes: all the way home, a rehearsal that cannot reach a failover, or only a plan."""

    FAILBACK = "failback"
    DRILL = "drill"
    PLAN = "plan"


class Select(StrEnum):
    """Which recovery point to use.

    `latest` leaves it to the service, which takes its newest when the failover starts; the others are
    resolved by us to one point of the list, and `custom` names one by its id.
    """

    LATEST = "latest"
    LATEST_PROCESSED = "latestProcessed"
    LATEST_CRASH_CONSISTENT = "latestCrashConsistent"
    LATEST_APP_CONSISTENT = "latestAppConsistent"
    CUSTOM = "custom"


class PointChoice(Wire):
    """A recovery point, by policy or by id; `not_after` leaves out all that are younger."""

    select: Select = Select.LATEST
    id: PointId | None = None
    not_after: datetime | None = None

    @property
    def is_ours(self) -> bool:
        """Whether we name the point; plain "latest" is the service's to choose, which may make a younger one."""
        return self.select is not Select.LATEST or self.not_after is not None

    @field_validator("not_after")
    @classmethod
    def _aware(cls, value: datetime | None) -> datetime | None:
        return aware(value)

    @model_validator(mode="after")
    def _id_with_custom(self) -> Self:
        if (self.select is Select.CUSTOM) != (self.id is not None):
            raise ValueError('"id" goes with "select": "custom", and only with it')
        if self.id is not None and self.not_after is not None:
            raise ValueError('"notAfter" filters a list; with "select": "custom" the point is already named')
        return self


class MachineRequest(Wire):
    """One machine to bring home: its name, its boot group, and a recovery point of its own."""

    name: Name
    group: Annotated[int, Field(ge=1, le=100)] = 1
    recovery_point: PointChoice | None = None


class TestFailoverRequest(Wire):
    """Whether and where to rehearse; without a network the item's own test network is used."""

    __test__ = False

    enabled: bool = True
    network_id: ArmId | None = None
    recovery_point: PointChoice | None = None

    @field_validator("network_id")
    @classmethod
    def _is_network(cls, value: str | None) -> str | None:
        return _arm("Microsoft.Network/virtualNetworks", value)


class ReprotectRequest(Wire):
    """Whether to protect the machine to the secondary again, and with which cache storage account.

    The account must lie in the primary region; without one, the vault's neighbours are asked.
    """

    enabled: bool = True
    cache_storage_account_id: ArmId | None = None

    @field_validator("cache_storage_account_id")
    @classmethod
    def _is_account(cls, value: str | None) -> str | None:
        return _arm("Microsoft.Storage/storageAccounts", value)


class PrepareRequest(Wire):
    """What may be done to a machine that is not ready to come home.

    `reprotect` allows the first re-protection, which overwrites the old machine's disks in the primary
    region; it is off unless asked for. `clean_up` allows removing a test failover left behind.
    """

    reprotect: bool = False
    cache_storage_account_id: ArmId | None = None
    clean_up: bool = True

    @field_validator("cache_storage_account_id")
    @classmethod
    def _is_account(cls, value: str | None) -> str | None:
        return _arm("Microsoft.Storage/storageAccounts", value)


class Aspect(StrEnum):
    """What is looked at of a machine that was brought up; the names a policy may use."""

    MACHINE = "machine"
    AGENT = "agent"
    HEARTBEAT = "heartbeat"
    PROBES = "probes"
    QUERIES = "queries"
    NETWORK = "network"
    SOURCE = "source"


class ValidationRequest(Wire):
    """How a machine is judged after it was brought up, and how long it may take to come up.

    What `blocks` fails the machine's validation; every other aspect only warns.
    """

    heartbeat: bool = True
    timeout: Annotated[timedelta, Field(ge=timedelta(0), le=timedelta(hours=6))] = timedelta(minutes=15)
    # Old runs looked at the first three only, and each of them blocked.
    blocks: tuple[Aspect, ...] = (
        Aspect.MACHINE,
        Aspect.AGENT,
        Aspect.HEARTBEAT,
        Aspect.PROBES,
        Aspect.QUERIES,
        Aspect.SOURCE,
    )

    @field_validator("blocks")
    @classmethod
    def _a_missing_machine_always_blocks(cls, value: tuple[Aspect, ...]) -> tuple[Aspect, ...]:
        if Aspect.MACHINE not in value:
            raise ValueError('a machine that is not there cannot pass: "machine" always blocks')
        return value


class Limits(Wire):
    """How much may happen at once."""

    max_parallel: Annotated[int, Field(ge=1, le=GROUP_LIMIT)] = 20


class Proposed(Wire):
    """Where a run that nobody asked for comes from: the route that led to it, and the alerts behind it."""

    route: Annotated[str, Field(max_length=256)]
    alerts: Annotated[tuple[str, ...], Field(max_length=1_000)] = ()
    reason: Comment = ""
    at: datetime


class FailbackRequest(Wire):
    """What the start call takes; only the vault and the machines are required.

    `requested_by_id`, `proposed` and `generation` are ours to say: the start call does not take them from outside.
    A run that was proposed begins only once people agree at the gate "start".
    """

    vault: ArmId
    machines: Annotated[tuple[MachineRequest, ...], Field(min_length=1, max_length=MACHINE_LIMIT)]
    mode: Mode = Mode.FAILBACK
    recovery_point: PointChoice = PointChoice()
    test_failover: TestFailoverRequest = TestFailoverRequest()
    shut_down_source: bool = True
    reprotect: ReprotectRequest = ReprotectRequest()
    prepare: PrepareRequest = PrepareRequest()
    validation: ValidationRequest = ValidationRequest()
    approvals: ApprovalPolicy = ApprovalPolicy()
    limits: Limits = Limits()
    requested_by: Person | None = None
    # Absent in old runs, which knew people by their names alone.
    requested_by_id: Person | None = None
    proposed: Proposed | None = None
    # How many boot groups lie behind a run that began anew after one; absent until then, and in old runs.
    generation: Annotated[int, Field(ge=1)] | None = None

    @field_validator("vault")
    @classmethod
    def _is_vault(cls, value: str) -> str:
        if not _VAULT.match(value):
            raise ValueError(
                "expected a vault's ARM id: /subscriptions/<guid>/resourceGroups/<name>"
                "/providers/Microsoft.RecoveryServices/vaults/<name>"
            )
        return value

    @field_validator("machines", mode="before")
    @classmethod
    def _names_are_machines(cls, value: Any) -> Any:
        if not isinstance(value, list):
            return value
        return [{"name": each} if isinstance(each, str) else each for each in cast("list[Any]", value)]

    # Field by field, so that one fault does not hide another.
    @field_validator("machines")
    @classmethod
    def _named_once(cls, value: tuple[MachineRequest, ...]) -> tuple[MachineRequest, ...]:
        times = Counter(machine.name.casefold() for machine in value)
        twice = sorted(name for name, number in times.items() if number > 1)
        if twice:
            raise ValueError(f"named more than once: {', '.join(twice[:20])}")
        return value

    @field_validator("test_failover")
    @classmethod
    def _a_drill_rehearses(cls, value: TestFailoverRequest, known: ValidationInfo) -> TestFailoverRequest:
        if known.data.get("mode") is Mode.DRILL and not value.enabled:
            raise ValueError('a drill is a test failover; "testFailover.enabled" cannot be false')
        return value

    def point_for(self, machine: MachineRequest) -> PointChoice:
        """Give the recovery point asked for one machine: its own, or the run's."""
        return machine.recovery_point or self.recovery_point

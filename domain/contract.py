"""What people ask for, and the names and messages that cross the durable wire.

Requests refuse what they do not know and list every fault at once; messages between orchestrators and
activities ignore what they do not know, so that a run in flight survives a deployment. A new field carries a
default and a comment saying what old runs mean. Names on the wire are never changed.
"""

from __future__ import annotations

import re
from collections import Counter
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Annotated, Any, Final, Self, cast

from pydantic import Field, StringConstraints, ValidationInfo, field_validator, model_validator

from domain.errors import Refusal
from domain.lifecycle import Act
from domain.machine import JobSnapshot, MachineDetails, MachineSnapshot
from domain.wire import Answer, Wire, digest

# Orchestrators, activities and entities, as history knows them.
FAILBACK: Final = "failback"
STAGE: Final = "stage"
GATE: Final = "gate"
MAKE_PLAN: Final = "make_plan"
LOOK: Final = "look"
START_ACT: Final = "start_act"
FIND_ACT: Final = "find_act"
CHOOSE_POINTS: Final = "choose_points"
VALIDATE: Final = "validate"
MACHINE_LOCK: Final = "machine_lock"
LEDGER: Final = "decision_ledger"
CONTROL: Final = "run_control"
RUN_REGISTER: Final = "run_register"

# Site Recovery's own plans stop at 100 machines, and replaying a fan-out is quadratic.
GROUP_LIMIT: Final = 100
MACHINE_LIMIT: Final = 1_000

ArmId = Annotated[str, StringConstraints(strip_whitespace=True, max_length=1_024)]
Name = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=128, pattern=r"^[^/\\?#%\x00-\x1f]+$"),
]
Person = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=256)]
Comment = Annotated[str, StringConstraints(strip_whitespace=True, max_length=2_000)]

_VAULT = re.compile(
    r"^/subscriptions/[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"
    r"/resourceGroups/[^/]+/providers/Microsoft\.RecoveryServices/vaults/[^/]+$",
    re.IGNORECASE,
)
_RESOURCE = re.compile(
    r"^/subscriptions/[0-9a-fA-F-]{36}/resourceGroups/[^/]+/providers/(?P<type>[^/]+/[^/]+)/[^/]+$",
    re.IGNORECASE,
)


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
    id: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=1_024)] | None = None
    not_after: datetime | None = None

    @field_validator("not_after")
    @classmethod
    def _aware(cls, value: datetime | None) -> datetime | None:
        if value is not None and value.tzinfo is None:
            raise ValueError("give the offset too, as in 2026-11-22T18:00:00Z")
        return value

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


class ValidationRequest(Wire):
    """How a machine is judged after it was brought up, and how long it may take to come up."""

    heartbeat: bool = True
    timeout: Annotated[timedelta, Field(ge=timedelta(0), le=timedelta(hours=6))] = timedelta(minutes=15)


class OnTimeout(StrEnum):
    """What happens when nobody decided in time."""

    STOP = "stop"
    HOLD = "hold"
    APPROVE = "approve"


class ApprovalPolicy(Wire):
    """Who must agree at a gate, how many of them, and what silence means.

    No `approvers` means anyone whom the door lets in; people are told apart by their sign-in name,
    whatever its letter case.
    """

    approvers: Annotated[tuple[Person, ...], Field(max_length=100)] = ()
    quorum: Annotated[int, Field(ge=1, le=20)] = 1
    requester_may_approve: bool = False
    timeout: Annotated[timedelta, Field(ge=timedelta(minutes=1), le=timedelta(days=45))] = timedelta(days=1)
    on_timeout: OnTimeout = OnTimeout.STOP

    @model_validator(mode="after")
    def _quorum_can_be_reached(self) -> Self:
        people = {person.casefold() for person in self.approvers}
        if people and len(people) < self.quorum:
            raise ValueError(f"a quorum of {self.quorum} cannot be reached by {len(people)} approvers")
        return self


class Limits(Wire):
    """How much may happen at once."""

    max_parallel: Annotated[int, Field(ge=1, le=GROUP_LIMIT)] = 20


class FailbackRequest(Wire):
    """What the start call takes; only the vault and the machines are required."""

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


class Subject(Answer):
    """One machine as the plan froze it: where it is found, and what is asked for it.

    `lifecycle_id` survives re-protection; together with the name it tells the same machine from another one
    that took its name.
    """

    name: str
    item_id: str
    vm_name: str
    lifecycle_id: str | None = None
    home: str
    away: str
    group: int = 1
    point: PointChoice = PointChoice()
    test_point: PointChoice = PointChoice()
    test_network: str | None = None
    prepare_cache: str | None = None
    reprotect_cache: str | None = None


def lock_key(vault: str, machine: str) -> str:
    """Name the lock of one machine; the same for every spelling of its ids."""
    return digest([vault.rstrip("/").casefold(), machine.casefold()])[:32]


class LookRequest(Answer):
    """What to look at: machines by name, with their last known ids and the marks of what was seen last."""

    vault: str
    machines: dict[str, str]
    lifecycles: dict[str, str] = {}
    jobs: tuple[str, ...] = ()
    seen: dict[str, str] = {}


class Look(Answer):
    """What one look saw, by Azure's own clock; only what changed since the marks it was given.

    `gone` are machines that the vault no longer lists. When Azure did not answer, `blind` says so and
    nothing else is known. `lost` are jobs that Azure does not know.
    """

    as_of: datetime
    machines: dict[str, MachineSnapshot] = {}
    jobs: dict[str, JobSnapshot] = {}
    gone: tuple[str, ...] = ()
    lost: tuple[str, ...] = ()
    blind: Refusal | None = None


class Order(Answer):
    """One act on one machine.

    `request_id` is derived from run, machine, act and attempt; it names the intention, so the same order
    given twice finds the job that the first one started. `since` bounds the search for that job.
    """

    vault: str
    machine: str
    item_id: str
    lifecycle_id: str | None = None
    act: Act
    request_id: str
    since: datetime
    point: str | None = None
    network: str | None = None
    shut_down_source: bool = False
    cache: str | None = None
    comment: str = ""


class StartKind(StrEnum):
    """How an order ended."""

    STARTED = "started"
    ADOPTED = "adopted"
    ALREADY = "already"
    BUSY = "busy"
    THROTTLED = "throttled"
    UNDECIDED = "undecided"
    ABSENT = "absent"
    REFUSED = "refused"


class Start(Answer):
    """The answer to an order.

    started: our POST was accepted, `job` is its id. adopted: a job for this very act already runs or ran;
    `ours` tells whether this run began it. already: the machine is where the act leads. busy: another job
    holds the machine. throttled: wait `retry_after`; nothing was started. undecided: the answer was lost.
    absent: (from `find_act`) no job by this id exists. refused: see `refusal`.
    """

    machine: str
    kind: StartKind
    job: str | None = None
    ours: bool = True
    retry_after: timedelta | None = None
    refusal: Refusal | None = None
    words: str = ""


class PointsRequest(Answer):
    """For which machines a recovery point is to be chosen: item id and choice by machine name."""

    vault: str
    items: dict[str, str]
    choices: dict[str, PointChoice]


class RecoveryPoint(Answer):
    """One recovery point of one machine; `disks` are the disks it holds, `multi_vm` marks a shared one."""

    id: str
    time: datetime
    kind: str
    disks: tuple[str, ...] = ()
    multi_vm: bool = False


class ChosenPoint(Answer):
    """The recovery point that a choice came to.

    `id` is what Azure is asked for; it is absent for "latest", where `time` is that of the newest point
    listed now and the service may take a younger one. `refusal` says why there is none.
    """

    select: Select
    id: str | None = None
    time: datetime | None = None
    kind: str | None = None
    age: timedelta | None = None
    refusal: Refusal | None = None


class ChosenPoints(Answer):
    """The chosen recovery point of each machine."""

    as_of: datetime
    points: dict[str, ChosenPoint]


class Verdict(StrEnum):
    """What a check came to; `pending` may still change."""

    PASSED = "passed"
    WARNED = "warned"
    FAILED = "failed"
    PENDING = "pending"


class Check(Answer):
    """One thing that was checked: what was found, and what would help."""

    name: str
    verdict: Verdict
    evidence: str
    remedy: str | None = None
    about: str | None = None


class ValidationOrder(Answer):
    """Which machine in Compute to judge, and since when its heartbeat counts."""

    machine: str
    vm_id: str | None = None
    vm_name: str
    since: datetime
    heartbeat: bool


class Validation(Answer):
    """What was found of one machine that was brought up."""

    machine: str
    verdict: Verdict
    as_of: datetime
    checks: tuple[Check, ...] = ()


class Network(Answer):
    """A virtual network: where it lies, and the networks it is peered with."""

    id: str
    location: str
    peers: tuple[str, ...] = ()


class StorageAccount(Answer):
    """A storage account and its region."""

    id: str
    location: str


class Size(Answer):
    """A virtual machine size in one region: its quota family, its cores, and why it cannot be had there."""

    name: str
    family: str
    cores: int
    restriction: str | None = None


class Usage(Answer):
    """How much of a quota is used in one region; `family` is the quota's name, "cores" the region's total."""

    family: str
    used: int
    limit: int


class Pace(Answer):
    """How often to look; frozen into the plan, so that a run keeps its rhythm whatever is set later."""

    look_every: timedelta = timedelta(seconds=30)


class Facts(Answer):
    """All that planning reads from Azure, gathered by one activity; every decision on it is pure.

    `points` holds the recovery points of the machines that have one to choose; `networks` is keyed by the id
    that was asked for, in lower case, and lacks the ones that do not exist; `sizes` and `usages` are those of
    the home regions, keyed by region. `unread` says what could not be read, by topic ("compute:centralus",
    "network:<id>", "storage"), and why.
    """

    as_of: datetime
    machines: tuple[MachineDetails, ...] = ()
    points: dict[str, tuple[RecoveryPoint, ...]] = {}
    networks: dict[str, Network] = {}
    sizes: dict[str, tuple[Size, ...]] = {}
    usages: dict[str, tuple[Usage, ...]] = {}
    accounts: tuple[StorageAccount, ...] = ()
    unread: dict[str, Refusal] = {}
    pace: Pace = Pace()

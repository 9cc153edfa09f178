"""The names and messages that cross the durable wire, between orchestrators, activities and entities.

Messages ignore what they do not know, so that a run in flight survives a deployment. A new field carries a
default and a comment saying what old runs mean. Names on the wire are never changed.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from domain.errors import Refusal
from domain.lifecycle import Act
from domain.machine import JobSnapshot, MachineDetails, MachineSnapshot
from domain.request import Aspect, PointChoice, Select, ValidationRequest
from domain.wire import Answer, digest

# Orchestrators, activities and entities, as history knows them.
FAILBACK: Final = "failback"
STAGE: Final = "stage"
GATE: Final = "gate"
HERALD: Final = "herald"
COURIER: Final = "courier"
BIDE: Final = "bide"
HOLD: Final = "hold"
MAKE_PLAN: Final = "make_plan"
LOOK: Final = "look"
START_ACTS: Final = "start_acts"
FIND_ACTS: Final = "find_acts"
CHOOSE_POINTS: Final = "choose_points"
VALIDATE: Final = "validate"
RECHECK: Final = "recheck"
SEND_HERALD: Final = "send_herald"
ASK_HERALDS: Final = "ask_heralds"
CHANNELS: Final = "channels"
DELIVER: Final = "deliver"
RECORD: Final = "record"
DRILL: Final = "drill"
SWEEP: Final = "sweep"
DRILL_ESTATE: Final = "drill_estate"
TAKE_INVENTORY: Final = "take_inventory"
DELETE_LEFT_OVERS: Final = "delete_left_overs"
DRILL_DIARY: Final = "drill_diary"
TEST_REGISTER: Final = "test_register"
MACHINE_LOCK: Final = "machine_lock"
LEDGER: Final = "decision_ledger"
CONTROL: Final = "run_control"
RUN_MEMORY: Final = "run_memory"
RUN_REGISTER: Final = "run_register"
DECISIONS: Final = "run_decisions"
ALERT_INTAKE: Final = "alert_intake"
ALERT_DESK: Final = "alert_desk"
PROPOSAL: Final = "proposal"
FIND_MACHINES: Final = "find_machines"


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
    # Whether jobs that their machines still name are read too; in old runs always.
    every_job: bool = True
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


class Orders(Answer):
    """Acts that are due at one moment, on one machine each."""

    orders: tuple[Order, ...]


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
    absent: (from `find_acts`) no job by this id exists. refused: see `refusal`.
    """

    machine: str
    kind: StartKind
    job: str | None = None
    ours: bool = True
    retry_after: timedelta | None = None
    refusal: Refusal | None = None
    words: str = ""


class Starts(Answer):
    """The answers to orders, in their order."""

    starts: tuple[Start, ...]


class PointsRequest(Answer):
    """For which machines a recovery point is to be chosen: item id and choice by machine name.

    `offer` asks for so many other points of each machine beside, for people to choose from.
    """

    vault: str
    items: dict[str, str]
    choices: dict[str, PointChoice]
    # Old runs offered none.
    offer: int = 0


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


class OfferedPoint(Answer):
    """A recovery point that people may choose: its name, which `custom` takes for an id, its time and kind."""

    name: str
    time: datetime
    kind: str


class ChosenPoints(Answer):
    """The chosen recovery point of each machine, and those that might be chosen instead, the newest first."""

    as_of: datetime
    points: dict[str, ChosenPoint]
    offered: dict[str, tuple[OfferedPoint, ...]] = {}


class Verdict(StrEnum):
    """What a check came to; `pending` may still change."""

    PASSED = "passed"
    WARNED = "warned"
    FAILED = "failed"
    PENDING = "pending"


class Compared(Answer):
    """One line of a comparison: what was expected, what was found, and whether that is the same."""

    what: str
    expected: str
    found: str
    same: bool


class Check(Answer):
    """One thing that was checked: what was found, and what would help."""

    name: str
    verdict: Verdict
    evidence: str
    remedy: str | None = None
    about: str | None = None
    # Set on what may still change but will only warn, however it ends; absent in old runs, where all of it fails.
    advisory: bool | None = None
    # The whole comparison behind the evidence, where something differs.
    compared: tuple[Compared, ...] | None = None


class ValidationOrder(Answer):
    """Which machine in Compute to judge, and since when its heartbeat counts.

    `rehearsed` tells a test machine, which runs in `network`. `source_vm` is the machine that must stand still
    now. `passed` are checks that need not be made again.
    """

    machine: str
    vm_id: str | None = None
    vm_name: str
    since: datetime
    heartbeat: bool
    # Orders of old runs judge the machine itself, its agent and its heartbeat only.
    vault: str | None = None
    item_id: str | None = None
    lifecycle_id: str | None = None
    rehearsed: bool = False
    network: str | None = None
    source_vm: str | None = None
    shut_down_source: bool = True
    blocks: tuple[Aspect, ...] = ValidationRequest().blocks
    passed: tuple[Check, ...] = ()


class ValidationOrders(Answer):
    """Machines to judge at one moment."""

    orders: tuple[ValidationOrder, ...]


class Validation(Answer):
    """What was found of one machine that was brought up.

    `resources` are the ids of all that belongs to a test machine: what must be gone after its clean-up.
    `monthly_estimate` is about what they cost a month, in US dollars.
    """

    machine: str
    verdict: Verdict
    as_of: datetime
    checks: tuple[Check, ...] = ()
    resources: tuple[str, ...] = ()
    # Absent in old runs, and of a machine that is no test.
    monthly_estimate: float | None = None


class Validations(Answer):
    """What was found of each machine, in the order in which they were asked about."""

    validations: tuple[Validation, ...]


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

    `points` holds the recovery points of the machines that have one to choose; of many machines, only of those
    whose point is not left to the service. `networks` is keyed by the id
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
    # How old a machine's last good drill may be; absent where nobody set it.
    drill_age: timedelta | None = None


class Errands(Answer):
    """The names of the errands on which heralds were sent."""

    names: tuple[str, ...] = ()

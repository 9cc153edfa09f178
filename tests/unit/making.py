"""Short ways to make what the domain speaks of."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from domain.approvals import ApprovalPolicy, GateName
from domain.contract import (
    Facts,
    Look,
    Network,
    RecoveryPoint,
    Size,
    StorageAccount,
    Subject,
    Usage,
    Validation,
    Verdict,
)
from domain.gate import OFFERS, Choice, Entry, Judgement, Question
from domain.journey import Journey
from domain.leg import JobRecord, Leg, LegStatus, StageName, Task
from domain.lifecycle import ACTS, Act, MachineState
from domain.machine import Disk, JobSnapshot, MachineDetails, MachineSnapshot
from domain.people import Role
from domain.request import FailbackRequest
from domain.tally import Ledger, judge

NAME: Final = "ContosoWin2016"
SUBSCRIPTION: Final = "/subscriptions/11111111-1111-1111-1111-111111111111"
GROUP: Final = f"{SUBSCRIPTION}/resourceGroups/contoso-dr/providers"
VAULT: Final = f"{GROUP}/Microsoft.RecoveryServices/vaults/contoso-vault"
ISOLATED: Final = f"{GROUP}/Microsoft.Network/virtualNetworks/isolated"
PRODUCTION: Final = f"{GROUP}/Microsoft.Network/virtualNetworks/production"
HOME_CACHE: Final = f"{GROUP}/Microsoft.Storage/storageAccounts/homecache"
AWAY_CACHE: Final = f"{GROUP}/Microsoft.Storage/storageAccounts/awaycache"
HOME: Final = "centralus"
AWAY: Final = "eastus"
NOON: Final = datetime(2026, 1, 15, 12, 0, tzinfo=UTC)
S = MachineState


def at(seconds: float = 0, *, minutes: float = 0, hours: float = 0, days: float = 0) -> datetime:
    return NOON + timedelta(seconds=seconds, minutes=minutes, hours=hours, days=days)


# What the wire shows in each state: protectionState, testFailoverState, allowedOperations.
_OFFERED_WHEN_PROTECTED = ("UnplannedFailover", "DisableProtection", "TestFailover")
SHOWN: Final[Mapping[MachineState, tuple[str, str, tuple[str, ...]]]] = {
    S.AWAY_UNCOMMITTED: ("UnplannedFailoverCommitPendingStatesBegin", "None", ("Commit", "ChangePit")),
    S.AWAY_COMMITTED: ("UnplannedFailoverCommitted", "None", ("DisableProtection", "SwitchProtection")),
    S.AWAY_SYNCING: ("InitialReplicationInProgress", "None", ("DisableProtection",)),
    S.AWAY_PROTECTED: ("Protected", "None", _OFFERED_WHEN_PROTECTED),
    S.AWAY_REHEARSED: ("Protected", "WaitingForCompletion", ("DisableProtection", "TestFailoverCleanup")),
    S.HOME_UNCOMMITTED: ("UnplannedFailoverCommitPendingStatesBegin", "None", ("Commit", "ChangePit")),
    S.HOME_COMMITTED: ("UnplannedFailoverCommitted", "None", ("DisableProtection", "SwitchProtection")),
    S.HOME_SYNCING: ("InitialReplicationInProgress", "None", ("DisableProtection",)),
    S.HOME_PROTECTED: ("Protected", "None", _OFFERED_WHEN_PROTECTED),
    S.UNKNOWN: ("RestoreFinalized", "None", ("ReverseReplicate",)),
}
# In these states home protects to away; in the others away protects to home.
OUTWARD: Final = frozenset({S.AWAY_UNCOMMITTED, S.AWAY_COMMITTED, S.HOME_SYNCING, S.HOME_PROTECTED})


def item_id(name: str = NAME, side: str = AWAY) -> str:
    fabric = f"{VAULT}/replicationFabrics/asr-{side}/replicationProtectionContainers/asr-{side}-container"
    return f"{fabric}/replicationProtectedItems/{name}"


def snapshot(state: MachineState = S.AWAY_PROTECTED, name: str = NAME, **changes: Any) -> MachineSnapshot:
    protection, test, allowed = SHOWN[state]
    primary, recovery = (HOME, AWAY) if state in OUTWARD else (AWAY, HOME)
    made = MachineSnapshot(
        id=item_id(name, primary),
        name=name,
        vm_name=name,
        lifecycle_id=f"life-of-{name}",
        home=HOME,
        away=AWAY,
        primary=primary,
        recovery=recovery,
        protection_state=protection,
        test_failover_state=test,
        allowed=allowed,
        target_vm=f"{GROUP}/Microsoft.Compute/virtualMachines/{name}",
        test_vm=f"{GROUP}/Microsoft.Compute/virtualMachines/{name}-test" if test != "None" else None,
    )
    return made.having(**changes)


def held(state: MachineState, scenario: str, job: str = "foreign", **changes: Any) -> MachineSnapshot:
    return snapshot(state, **changes).having(scenario=scenario, job=job, allowed=())


def subject(name: str = NAME, **changes: Any) -> Subject:
    made = Subject(
        name=name,
        item_id=item_id(name),
        vm_name=name,
        lifecycle_id=f"life-of-{name}",
        home=HOME,
        away=AWAY,
        test_network=ISOLATED,
        prepare_cache=AWAY_CACHE,
        reprotect_cache=HOME_CACHE,
    )
    return made.having(**changes)


def task(stage: StageName = StageName.MOVE, **changes: Any) -> Task:
    return Task(run="run-1", occasion=f"run-1:1-{stage.value}", stage=stage, vault=VAULT).having(**changes)


def leg(name: str = NAME, **changes: Any) -> Leg:
    return Leg(subject=subject(name), item_id=item_id(name)).having(**changes)


def job(act: Act = Act.FAIL_OVER, state: str = "Succeeded", job_id: str = "job-1", **changes: Any) -> JobSnapshot:
    ended = None if state in {"InProgress", "NotStarted", "Suspended"} else at(205)
    made = JobSnapshot(id=job_id, scenario=ACTS[act].scenario, state=state, started=at(), ended=ended)
    return made.having(**changes)


def record(act: Act = Act.FAIL_OVER, **changes: Any) -> JobRecord:
    return JobRecord(act=act, job=job(act, **changes))


def running(act: Act = Act.FAIL_OVER, **changes: Any) -> Leg:
    """A leg whose job was started at noon and runs."""
    before = {each for each in ACTS[act].before if each.startswith("home") or act is not Act.REPROTECT}
    seen = snapshot(min(before))
    made = leg(status=LegStatus.RUNNING, act=act, job="job-1", since=NOON, snapshot=seen)
    return made.having(**changes)


def look(*snapshots: MachineSnapshot, when: datetime = NOON, **changes: Any) -> Look:
    return Look(as_of=when, machines={each.name: each for each in snapshots}).having(**changes)


def validation(verdict: Verdict = Verdict.PASSED, name: str = NAME, **changes: Any) -> Validation:
    return Validation(machine=name, verdict=verdict, as_of=NOON).having(**changes)


def journey(state: MachineState = S.HOME_PROTECTED, name: str = NAME, **changes: Any) -> Journey:
    seen = snapshot(state, name)
    return Journey(subject=subject(name), item_id=seen.id, snapshot=seen).having(**changes)


def request(**changes: Any) -> FailbackRequest:
    return FailbackRequest.from_wire({"vault": VAULT, "machines": [NAME], **changes})


def point(minutes_ago: float = 5, kind: str = "CrashConsistent", **changes: Any) -> RecoveryPoint:
    name = f"point-{minutes_ago:g}-{kind}"
    made = RecoveryPoint(
        id=f"{item_id()}/recoveryPoints/{name}", time=at(minutes=-minutes_ago), kind=kind, disks=(DISK,)
    )
    return made.having(**changes)


DISK: Final = f"{GROUP}/Microsoft.Compute/disks/os"


def details(state: MachineState = S.AWAY_PROTECTED, name: str = NAME, **changes: Any) -> MachineDetails:
    made = MachineDetails(
        snapshot=snapshot(state, name),
        container="container",
        target_size="Standard_D2s_v5",
        target_network=PRODUCTION,
        test_network=ISOLATED,
        disks=(Disk(id=DISK),),
    )
    return made.having(**changes)


def facts(*machines: MachineDetails, **changes: Any) -> Facts:
    """What Azure shows when everything is well."""
    machines = machines or (details(),)
    made = Facts(
        as_of=NOON,
        machines=machines,
        points={each.snapshot.name: (point(5), point(10)) for each in machines},
        networks={ISOLATED.casefold(): Network(id=ISOLATED, location="Central US")},
        sizes={HOME: (Size(name="Standard_D2s_v5", family="standardDSv5Family", cores=2),)},
        usages={HOME: (Usage(family="cores", used=0, limit=100),)},
        accounts=(
            StorageAccount(id=HOME_CACHE, location="centralus"),
            StorageAccount(id=AWAY_CACHE, location="eastus"),
        ),
    )
    return made.having(**changes)


def question(*machines: str, gate: GateName = GateName.FAILBACK, **changes: Any) -> Question:
    made = Question(
        gate=gate,
        round=1,
        run="run-1",
        plan_hash="0" * 64,
        machines=machines or (NAME,),
        shown={"machines": []},
        policy=ApprovalPolicy(),
        offers=OFFERS[gate],
        asked_at=NOON,
        deadline=at(days=1),
    )
    return made.having(**changes)


def ledger(*machines: str, **changes: Any) -> Ledger:
    return Ledger(question=question(*machines, **changes))


def entry(asked: Question, decision: Choice = Choice.APPROVE, by: str = "ann", **changes: Any) -> Entry:
    made = Entry(id=f"{by}-{decision}", gate=asked.gate, by=by, decision=decision, at=NOON, plan_hash=asked.hash)
    return made.having(**changes)


def emergency(asked: Ledger, **changes: Any) -> Entry:
    """One person's decision for a whole quorum."""
    said = {"break_glass": True, "comment": "the house burns", "roles": (Role.BREAK_GLASS,), **changes}
    return entry(asked.question, **said)


def taken(opened: Ledger, *entries: Entry) -> list[Judgement | None]:
    """What became of each decision, in the order they were sent."""
    for each in entries:
        opened = judge(opened, each)
    return [each.judgement for each in opened.entries]

"""Reports as runs leave them, made of the domain's own models."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from domain.approvals import GateName
from domain.contract import Check, Validation, Verdict
from domain.errors import Refusal
from domain.gate import Choice, Entry, Judgement
from domain.journey import Measured
from domain.lifecycle import Act, MachineState
from domain.machine import JobError, TaskSnapshot
from domain.planning import Calls, Plan, PlannedAct
from domain.report import JobReport, MachineOutcome, MachineReport, PointReport, Report, RunOutcome
from domain.request import FailbackRequest, MachineRequest, Mode

VAULT = (
    "/subscriptions/11111111-1111-1111-1111-111111111111/resourceGroups/contoso-dr"
    "/providers/Microsoft.RecoveryServices/vaults/contoso-vault"
)
NOON = datetime(2026, 1, 15, 12, 0, tzinfo=UTC)
_LIFE = (
    (Act.TEST_FAILOVER, "TestFailover", 0, 203, ("Prerequisites check for test failover", "Create test machine")),
    (Act.CLEAN_UP, "TestFailoverCleanup", 420, 82, ("Delete test machine",)),
    (Act.FAIL_OVER, "UnplannedFailover", 560, 205, ("Shut down the virtual machine", "Start failover")),
    (Act.COMMIT, "CommitFailover", 1_000, 38, ("Commit",)),
    (Act.REPROTECT, "SwitchReplicationGroupProtection", 1_060, 506, ("Enable replication",)),
)


def after(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def job(act: Act, scenario: str, start: float, took: float, tasks: tuple[str, ...], **changes: Any) -> JobReport:
    share = took / len(tasks)
    made = JobReport(
        act=act,
        id=f"{VAULT}/replicationJobs/{scenario}-job",
        scenario=scenario,
        state="Succeeded",
        started=after(start),
        ended=after(start + took),
        request_id=f"5d3e9a0e-{start:04}",
        tasks=tuple(
            TaskSnapshot(
                name=name,
                state="Succeeded",
                started=after(start + number * share),
                ended=after(start + (number + 1) * share),
            )
            for number, name in enumerate(tasks)
        ),
    )
    return made.having(**changes)


def jobs() -> tuple[JobReport, ...]:
    return tuple(job(*each) for each in _LIFE)


def judged(verdict: Verdict = Verdict.PASSED) -> Validation:
    return Validation(
        machine="ContosoWin2016",
        verdict=verdict,
        as_of=after(240),
        checks=(
            Check(name="running", verdict=Verdict.PASSED, evidence="VM running, provisioning succeeded"),
            Check(name="heartbeat", verdict=verdict, evidence="last heard 20 s ago", remedy="look at its console"),
        ),
    )


def machine(**changes: Any) -> MachineReport:
    made = MachineReport(
        name="ContosoWin2016",
        vm_name="ContosoWin2016",
        outcome=MachineOutcome.HOME,
        words="at home in centralus, protected to eastus",
        home="centralus",
        away="eastus",
        state=MachineState.HOME_PROTECTED,
        committed=True,
        protected=True,
        recovery_point=PointReport(
            select="latest",
            id="container/recoveryPoints/ab12cd34-point",
            time=after(540),
            kind="CrashConsistent",
        ),
        rehearsed=True,
        cleaned_up=True,
        rehearsal=judged(),
        validation=judged(),
        jobs=jobs(),
        measured=Measured(
            data_loss=timedelta(seconds=85),
            downtime=timedelta(seconds=140),
            recovery=timedelta(seconds=300),
            site_recovery=timedelta(seconds=1_034),
        ),
    )
    return made.having(**changes)


def decision(gate: GateName, at: float, **changes: Any) -> Entry:
    made = Entry(
        id=f"{gate}-1",
        gate=gate,
        by="lee@contoso.com",
        decision=Choice.APPROVE,
        at=after(at),
        comment="the test machine answers",
        plan_hash="0123456789abcdef" * 4,
        judgement=Judgement.RECORDED,
    )
    return made.having(**changes)


def request(**changes: Any) -> FailbackRequest:
    made = FailbackRequest(vault=VAULT, machines=(MachineRequest(name="ContosoWin2016"),))
    return made.having(**changes)


def report(**changes: Any) -> Report:
    made = Report(
        id="7a1f0c3c",
        mode=Mode.FAILBACK,
        outcome=RunOutcome.SUCCEEDED,
        words="succeeded: 1 home",
        vault=VAULT,
        requested_by="dana@contoso.com",
        plan_hash="fedcba9876543210" * 4,
        started=after(-60),
        ended=after(4_700),
        waited_for_people=timedelta(minutes=4),
        machines=(machine(),),
        decisions=(decision(GateName.FAILBACK, 400), decision(GateName.COMMIT, 980)),
        checks=(
            Check(name="state", verdict=Verdict.PASSED, evidence="ready to come home", about="ContosoWin2016"),
        ),
        request=request().to_wire(),
    )
    return made.having(**changes)


def failed() -> Report:
    broken = job(
        *_LIFE[2],
        state="Failed",
        errors=(JobError(code="150201", message="The disk could not be attached.", action="Free the disk."),),
    )
    stuck = machine(
        outcome=MachineOutcome.FAILED,
        words="failover: job failed",
        state=MachineState.AWAY_REHEARSED,
        committed=False,
        protected=False,
        cleaned_up=False,
        recovery_point=None,
        validation=None,
        jobs=(job(*_LIFE[0], ours=False), broken),
        measured=Measured(),
        failure=Refusal(code="150201", what="the disk could not be attached", remedy="free the disk, then retry"),
    )
    return report(
        outcome=RunOutcome.FAILED,
        words="failed: 1 failed",
        machines=(stuck,),
        warnings=("ContosoWin2016: A TEST FAILOVER WAS NOT CLEANED UP",),
    )


def planned() -> Report:
    plan = Plan(
        request=request(),
        as_of=NOON,
        acts=(
            PlannedAct(
                machine="ContosoWin2016",
                group=1,
                act=Act.FAIL_OVER,
                words="failover of ContosoWin2016 from eastus to centralus",
                expected=timedelta(seconds=205),
            ),
        ),
        expected=timedelta(minutes=68),
        calls=Calls(reads=16, writes=5),
    )
    return report(
        mode=Mode.PLAN,
        outcome=RunOutcome.PLANNED,
        words="planned for one machine, nothing was changed",
        machines=(),
        decisions=(),
        plan=plan,
    )

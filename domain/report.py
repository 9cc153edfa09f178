"""What a run reports: what happened to each machine, who decided what, and what it cost.

A machine is "home" only when the run's whole aim was reached with it; one machine's success never covers for
another's failure. A rehearsal that was not cleaned up is a warning of its own.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from domain.contract import Check, ChosenPoint, Validation
from domain.control import Pause
from domain.errors import Refusal
from domain.evidence import Kept
from domain.gate import Entry, Judgement
from domain.journey import Journey, JourneyStatus, Measured, Skipped, measure, point_used
from domain.leftovers import Cleaning
from domain.leg import JobRecord, Leg, StageName
from domain.lifecycle import Act, MachineState, in_words
from domain.machine import JobError, TaskSnapshot
from domain.notices import Delivery
from domain.planning import Plan
from domain.request import Mode, PointChoice
from domain.wire import Answer


class RunOutcome(StrEnum):
    """How a run ended as a whole."""

    SUCCEEDED = "succeeded"
    PARTIAL = "partial"
    FAILED = "failed"
    STOPPED = "stopped"
    REFUSED = "refused"
    PLANNED = "planned"


class MachineOutcome(StrEnum):
    """How a run ended for one machine."""

    HOME = "home"
    REHEARSED = "rehearsed"
    STOPPED = "stopped"
    FAILED = "failed"
    UNTOUCHED = "untouched"


class JobReport(Answer):
    """One Site Recovery job of a machine, as it ended."""

    act: Act
    id: str
    scenario: str
    state: str
    started: datetime | None = None
    ended: datetime | None = None
    ours: bool = True
    request_id: str = ""
    tasks: tuple[TaskSnapshot, ...] = ()
    errors: tuple[JobError, ...] = ()


class PointReport(Answer):
    """The recovery point a machine was brought home with: what was asked for, and what the service used."""

    select: str
    asked: str | None = None
    id: str | None = None
    time: datetime | None = None
    kind: str | None = None


class MachineReport(Answer):
    """What happened to one machine."""

    name: str
    vm_name: str
    outcome: MachineOutcome
    words: str
    home: str
    away: str
    group: int = 1
    state: MachineState
    committed: bool
    protected: bool
    recovery_point: PointReport | None = None
    rehearsed: bool = False
    cleaned_up: bool | None = None
    # The proof of the clean-up; absent in old reports, and where no test machine was seen.
    clean_up: Cleaning | None = None
    rehearsal: Validation | None = None
    validation: Validation | None = None
    jobs: tuple[JobReport, ...] = ()
    measured: Measured = Measured()
    failure: Refusal | None = None
    skipped: tuple[Skipped, ...] = ()


class Report(Answer):
    """What a run did, from its request to its end."""

    id: str
    mode: Mode
    outcome: RunOutcome
    words: str
    vault: str
    requested_by: str | None = None
    plan_hash: str
    started: datetime
    ended: datetime
    waited_for_people: timedelta = timedelta(0)
    machines: tuple[MachineReport, ...] = ()
    decisions: tuple[Entry, ...] = ()
    checks: tuple[Check, ...] = ()
    warnings: tuple[str, ...] = ()
    refusals: tuple[Refusal, ...] = ()
    request: dict[str, Any] = {}
    plan: Plan | None = None
    # Absent in reports of old runs, which told nobody, kept no evidence and could not be paused.
    notices: tuple[Delivery, ...] = ()
    pauses: tuple[Pause, ...] = ()
    evidence: Kept | None = None
    # Why an alert's proposal was taken back before anybody agreed to it; absent otherwise, and in old reports.
    withdrawn: str | None = None


_COMMITTED = frozenset({MachineState.HOME_COMMITTED, MachineState.HOME_SYNCING, MachineState.HOME_PROTECTED})


def make_report(
    *,
    run: str,
    plan: Plan,
    journeys: Sequence[Journey],
    decisions: Iterable[Entry],
    started: datetime,
    ended: datetime,
    waited: timedelta,
    cancelled: str | None = None,
    withdrawn: str | None = None,
) -> Report:
    """Put together what a run did."""
    request, decisions = plan.request, tuple(decisions)
    machines = tuple(_machine(plan, journey) for journey in journeys)
    outcome = _outcome(machines)
    return Report(
        id=run,
        mode=request.mode,
        outcome=outcome,
        words=_words(outcome, machines, cancelled, withdrawn),
        vault=request.vault,
        requested_by=request.requested_by,
        plan_hash=plan.hash,
        started=started,
        ended=ended,
        waited_for_people=waited,
        machines=machines,
        decisions=decisions,
        checks=plan.checks,
        warnings=(*_broken_glass(decisions), *_warnings(plan, journeys, cancelled)),
        request=request.to_wire(),
        withdrawn=withdrawn,
    )


def refusal_report(
    run: str, plan: Plan, refusals: Iterable[Refusal], started: datetime, ended: datetime
) -> Report:
    """Report a run that changed nothing because it must not start."""
    refusals = tuple(refusals)
    return Report(
        id=run,
        mode=plan.request.mode,
        outcome=RunOutcome.REFUSED,
        words="refused; nothing was changed: " + "; ".join(f"{r.about or 'run'}: {r.what}" for r in refusals[:5]),
        vault=plan.request.vault,
        requested_by=plan.request.requested_by,
        plan_hash=plan.hash,
        started=started,
        ended=ended,
        checks=plan.checks,
        refusals=refusals,
        request=plan.request.to_wire(),
    )


def plan_report(run: str, plan: Plan, started: datetime, ended: datetime) -> Report:
    """Report a run that was only to be planned."""
    failed = len(plan.failed)
    forbidden = "one check forbids it" if failed == 1 else f"{failed} checks forbid it"
    verdict = forbidden if plan.is_refused else "every check allows it"
    number = len(plan.subjects)
    machines = "one machine" if number == 1 else f"{number} machines"
    return Report(
        id=run,
        mode=plan.request.mode,
        outcome=RunOutcome.PLANNED,
        words=f"planned for {machines}, nothing was changed: {verdict}",
        vault=plan.request.vault,
        requested_by=plan.request.requested_by,
        plan_hash=plan.hash,
        started=started,
        ended=ended,
        checks=plan.checks,
        refusals=refusals_of(plan),
        request=plan.request.to_wire(),
        plan=plan,
    )


def refusals_of(plan: Plan) -> tuple[Refusal, ...]:
    """Word every reason why a plan must not be carried out."""
    checks = tuple(
        Refusal(
            code="CheckFailed",
            what=f"{check.name}: {check.evidence}",
            remedy=check.remedy or "",
            about=check.about,
        )
        for check in plan.failed
    )
    return (plan.refusal, *checks) if plan.refusal else checks


def _machine(plan: Plan, journey: Journey) -> MachineReport:
    subject, request = journey.subject, plan.request
    state = journey.state
    return MachineReport(
        name=subject.name,
        vm_name=subject.vm_name,
        outcome=_machine_outcome(plan, journey),
        words=_machine_words(journey),
        home=subject.home,
        away=subject.away,
        group=subject.group,
        state=state,
        committed=state in _COMMITTED,
        protected=state is MachineState.HOME_PROTECTED,
        recovery_point=_point(journey) if request.mode is Mode.FAILBACK else None,
        rehearsed=journey.rehearsed,
        cleaned_up=journey.cleaned_up if journey.rehearsed else None,
        clean_up=journey.clean_up,
        rehearsal=journey.rehearsal,
        validation=journey.validation,
        jobs=tuple(_job(record) for record in journey.jobs),
        measured=measure(journey),
        failure=journey.reason or journey.failure,
        skipped=journey.skipped,
    )


def _machine_outcome(plan: Plan, journey: Journey) -> MachineOutcome:
    request = plan.request
    if journey.arrived(request.mode, protected=request.reprotect.enabled):
        return MachineOutcome.REHEARSED if request.mode is Mode.DRILL else MachineOutcome.HOME
    if journey.status is JourneyStatus.STOPPED:
        return MachineOutcome.STOPPED if journey.jobs else MachineOutcome.UNTOUCHED
    return MachineOutcome.FAILED


def _machine_words(journey: Journey) -> str:
    failure = journey.reason or journey.failure
    if failure:
        where = f" ({in_words(journey.snapshot)})" if journey.snapshot else ""
        return f"{failure.what}{where}"
    if journey.is_travelling and journey.snapshot:
        return in_words(journey.snapshot)
    where = f"; {in_words(journey.snapshot)}" if journey.snapshot else ""
    return f"{journey.words}{where}"


def _point(journey: Journey) -> PointReport | None:
    used, time = point_used(journey)
    chosen, asked = journey.point or ChosenPoint(select=PointChoice().select), journey.subject.point
    if used is None and time is None:
        return None
    return PointReport(
        select=asked.select,
        asked=chosen.id or asked.id,
        id=used,
        time=time,
        kind=chosen.kind if chosen.id else None,
    )


def _job(record: JobRecord) -> JobReport:
    job = record.job
    return JobReport(
        act=record.act,
        id=job.id,
        scenario=job.scenario,
        state=job.state,
        started=job.started,
        ended=job.ended,
        ours=record.ours,
        request_id=record.request_id,
        tasks=job.tasks,
        errors=job.errors,
    )


def _outcome(machines: Sequence[MachineReport]) -> RunOutcome:
    arrived = [each for each in machines if each.outcome in {MachineOutcome.HOME, MachineOutcome.REHEARSED}]
    if len(arrived) == len(machines):
        return RunOutcome.SUCCEEDED
    if arrived:
        return RunOutcome.PARTIAL
    if any(each.outcome is MachineOutcome.FAILED for each in machines):
        return RunOutcome.FAILED
    return RunOutcome.STOPPED


def stage_record(stage: StageName, legs: Iterable[Leg]) -> dict[str, Any]:
    """Give what is put on record of a stage: where it left each machine, and by which jobs."""
    return {"stage": stage.value, "machines": [_leg_record(leg) for leg in legs]}


def _leg_record(leg: Leg) -> dict[str, Any]:
    jobs = [_job(record).to_wire() for record in leg.jobs]
    kept = ("act", "id", "state", "started", "ended", "ours", "requestId")
    return {
        "name": leg.subject.name,
        "status": leg.status.value,
        "words": leg.words,
        "jobs": [{key: job[key] for key in kept if key in job} for job in jobs],
    }


def _words(
    outcome: RunOutcome, machines: Sequence[MachineReport], cancelled: str | None, withdrawn: str | None
) -> str:
    counts = ", ".join(
        f"{number} {kind.value}"
        for kind in MachineOutcome
        if (number := sum(each.outcome is kind for each in machines))
    )
    early = f"; cancelled: {cancelled}" if cancelled else f"; withdrawn: {withdrawn}" if withdrawn else ""
    return f"{outcome.value}: {counts}{early}"


def _broken_glass(decisions: Iterable[Entry]) -> Iterator[str]:
    for entry in decisions:
        if entry.break_glass and entry.judgement is Judgement.RECORDED:
            yield (
                f"{entry.by} BROKE THE GLASS at gate {entry.gate}: decided {entry.decision} alone, "
                f"because: {entry.comment}"
            )


def _warnings(plan: Plan, journeys: Iterable[Journey], cancelled: str | None) -> Iterator[str]:
    if cancelled:
        yield f"the run was cancelled: {cancelled}"
    for journey in journeys:
        if journey.needs_clean_up:
            yield (
                f"{journey.name}: A TEST FAILOVER WAS NOT CLEANED UP: its test machine may still run and cost "
                "money; clean it up in the vault"
            )
        if journey.clean_up is not None and not journey.clean_up.is_proven:
            yield f"{journey.name}: {journey.clean_up.words}"
        if journey.state is MachineState.HOME_UNCOMMITTED:
            yield (
                f"{journey.name}: failed over but NOT COMMITTED: it is not protected until it is committed "
                "and re-protected"
            )
        if journey.state is MachineState.HOME_COMMITTED and plan.request.reprotect.enabled:
            yield f"{journey.name}: committed at home but NOT PROTECTED: start another run to re-protect it"
        for skipped in journey.skipped:
            people = ", ".join(skipped.outcome.by)
            yield f"{journey.name}: stage {skipped.stage} failed and was skipped by {people}"

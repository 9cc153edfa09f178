"""One machine's whole way through a run: what was done, what was found, where it stands.

A journey is what the run remembers between stages, and what the report is made of.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum

from domain.contract import Check, ChosenPoint, OfferedPoint, Subject, Validation, Verdict
from domain.errors import Refusal
from domain.gate import Outcome
from domain.leftovers import Cleaning
from domain.leg import JobRecord, Leg, LegStatus, StageName
from domain.lifecycle import Act, MachineState, state_of
from domain.machine import MachineSnapshot, last_segment
from domain.request import Mode
from domain.wire import Answer


class JourneyStatus(StrEnum):
    """Whether a journey goes on; a machine is travelling until it has arrived, was stopped, or failed."""

    TRAVELLING = "travelling"
    STOPPED = "stopped"
    FAILED = "failed"


class Skipped(Answer):
    """A failed stage that a person chose to leave out, and why."""

    stage: StageName
    outcome: Outcome
    failure: Refusal | None = None


class Journey(Answer):
    """What a run knows of one machine.

    `rehearsed` is set once a test failover may exist, and `cleaned_up` once none does: a rehearsal that was not
    cleaned up is said loudly. `point` is the recovery point chosen for the failover. `failure` is that of the
    last stage, `reason` the one for which the journey ended, however the clean-up after it went.
    """

    subject: Subject
    item_id: str
    status: JourneyStatus = JourneyStatus.TRAVELLING
    words: str = ""
    snapshot: MachineSnapshot | None = None
    jobs: tuple[JobRecord, ...] = ()
    rehearsed: bool = False
    cleaned_up: bool = False
    rehearsal: Validation | None = None
    validation: Validation | None = None
    point: ChosenPoint | None = None
    failure: Refusal | None = None
    skipped: tuple[Skipped, ...] = ()
    # Absent in old runs, whose failure says it.
    reason: Refusal | None = None
    # The recovery point of the last rehearsal; the failover may be asked for another one.
    rehearsed_point: ChosenPoint | None = None
    # Whether people approved this machine's failover at the gate; nothing else may move it.
    approved: bool = False
    # The moment before which the approved act is not wanted, and the one up to which people's word is good.
    not_before: datetime | None = None
    until: datetime | None = None
    # Every pass through a stage, by "run|occasion": its acts are this run's own.
    passes: tuple[str, ...] = ()
    # What was found when the checks were done again, and why an approval is void; old runs have the plan's alone.
    checks: tuple[Check, ...] | None = None
    void: tuple[str, ...] = ()
    # The recovery points that people may choose from at the gate that is asked now.
    offered: tuple[OfferedPoint, ...] = ()
    # What was seen of this machine's test machines, and the proof that it is gone; old runs looked for neither.
    traces: tuple[str, ...] = ()
    clean_up: Cleaning | None = None

    @property
    def name(self) -> str:
        """The name of the machine's protected item."""
        return self.subject.name

    @property
    def is_travelling(self) -> bool:
        """Whether the run still means to take this machine further."""
        return self.status is JourneyStatus.TRAVELLING

    @property
    def state(self) -> MachineState:
        """Where the machine stood when it was last seen."""
        return state_of(self.snapshot) if self.snapshot else MachineState.UNKNOWN

    @property
    def needs_clean_up(self) -> bool:
        """Whether a test failover of this run may still exist."""
        return self.rehearsed and not self.cleaned_up

    def after(self, stage: StageName, leg: Leg) -> Journey:
        """Take in how one stage went."""
        ids = {record.job.id for record in leg.jobs}
        journey = self.having(
            item_id=leg.item_id,
            snapshot=leg.snapshot or self.snapshot,
            words=leg.words if self.is_travelling else self.words,
            jobs=(*(record for record in self.jobs if record.job.id not in ids), *leg.jobs),
            failure=leg.failure,
        )
        if stage is StageName.REHEARSE:
            begun = leg.act is not None or journey.state is MachineState.AWAY_REHEARSED
            journey = journey.having(
                rehearsed=self.rehearsed or begun,
                cleaned_up=self.cleaned_up and not begun,
                # A new rehearsal replaces what the one before it had shown.
                rehearsal=leg.validation or (None if begun else self.rehearsal),
                traces=_seen(self.traces, leg),
            )
        elif stage is StageName.CHANGE_POINT and leg.act is not None:
            # What was found at the other recovery point says nothing of this one.
            journey = journey.having(validation=leg.validation)
        elif leg.validation is not None:
            journey = journey.having(validation=leg.validation)
        if stage is StageName.CLEAN_UP and leg.status is LegStatus.DONE:
            journey = journey.having(cleaned_up=True)
        return journey

    def withdrawn(self, *why: str) -> Journey:
        """Forget the approval, and remember why: people are asked again before anything is done."""
        return self.having(approved=False, not_before=None, until=None, void=why)

    def stopped(self, words: str) -> Journey:
        """End the journey where it is, by somebody's will."""
        return self.having(status=JourneyStatus.STOPPED, words=words)

    def failed(self) -> Journey:
        """End the journey where it is, for its failure."""
        return self.having(status=JourneyStatus.FAILED, reason=self.reason or self.failure)

    def is_home(self, *, protected: bool) -> bool:
        """Tell whether the machine is where the run was to bring it."""
        at_home = {MachineState.HOME_PROTECTED}
        if not protected:
            at_home |= {MachineState.HOME_COMMITTED, MachineState.HOME_SYNCING}
        return self.is_travelling and self.failure is None and self.state in at_home

    def is_rehearsed(self) -> bool:
        """Tell whether a drill did what it was for: a test machine came up, was judged well, and is gone."""
        judged = self.rehearsal is not None and self.rehearsal.verdict in {Verdict.PASSED, Verdict.WARNED}
        gone = self.rehearsed and self.cleaned_up and not (self.clean_up and self.clean_up.left)
        return self.is_travelling and self.failure is None and judged and gone

    def arrived(self, mode: Mode, *, protected: bool) -> bool:
        """Tell whether the run reached its aim with this machine."""
        return self.is_rehearsed() if mode is Mode.DRILL else self.is_home(protected=protected)

    def last_job(self, act: Act) -> JobRecord | None:
        """Give the last job of one kind that succeeded."""
        done = (record for record in reversed(self.jobs) if record.act is act and record.job.succeeded)
        return next(done, None)


def _seen(before: tuple[str, ...], leg: Leg) -> tuple[str, ...]:
    """Add what one rehearsal showed of its test machine; each id once, however it is spelt."""
    machine = leg.snapshot.test_vm if leg.snapshot else None
    found = (*before, *([machine] if machine else ()), *(leg.validation.resources if leg.validation else ()))
    return tuple({each.casefold(): each for each in found}.values())


def point_used(journey: Journey) -> tuple[str | None, datetime | None]:
    """Give the recovery point that a machine was brought home with: its id and its time.

    A failover's job tells the point it used. A change of recovery point tells nothing, so there it is what the
    item shows, or what was asked for; the time is known only of the latter. Until it is committed somebody else
    may bring the machine to another point, which the item alone shows.
    """
    record, chosen = journey.last_job(Act.CHANGE_POINT) or journey.last_job(Act.FAIL_OVER), journey.point
    if record is None:
        return None, None
    asked = last_segment(chosen.id) if chosen and chosen.id else None
    seen = journey.snapshot.point if journey.snapshot else None
    now = seen if journey.state is MachineState.HOME_UNCOMMITTED else None
    used = now or record.job.point or seen or asked
    told = record.job.point_time if record.job.point is None or _is_point(used, record.job.point) else None
    return used, told or (chosen.time if chosen and _is_point(used, asked) else None)


def _is_point(one: str | None, other: str | None) -> bool:
    return one is not None and other is not None and one.casefold() == other.casefold()


class Measured(Answer):
    """What a failback cost one machine, from Azure's own times.

    `data_loss` runs from the recovery point used to the moment the source stopped, or where it was not stopped,
    to the start of the failover. `downtime` runs from that moment to the end of the failover job,
    `recovery` from there to the moment the machine was found well. `site_recovery` adds up all its jobs.
    """

    data_loss: timedelta | None = None
    downtime: timedelta | None = None
    recovery: timedelta | None = None
    site_recovery: timedelta = timedelta(0)


# The task of a failover that shuts the source down, by its English name on the wire (it has no other).
SHUTDOWN_TASK = "Shut down the virtual machine"


def measure(journey: Journey) -> Measured:
    """Measure one journey."""
    jobs = [record.job for record in journey.jobs if record.job.started and record.job.ended]
    total = sum((job.ended - job.started for job in jobs if job.started and job.ended), timedelta(0))
    record = journey.last_job(Act.FAIL_OVER)
    if record is None or record.job.started is None or record.job.ended is None:
        return Measured(site_recovery=total)
    stopped = _source_stopped(record) or record.job.started
    _, point_time = point_used(journey)
    well = journey.validation
    judged_well = well is not None and well.verdict is not Verdict.FAILED
    return Measured(
        data_loss=stopped - point_time if point_time else None,
        downtime=record.job.ended - stopped,
        recovery=_positive(well.as_of, stopped) if well and judged_well else None,
        site_recovery=total,
    )


def _positive(end: datetime, start: datetime) -> timedelta:
    return max(end - start, timedelta(0))


def _source_stopped(record: JobRecord) -> datetime | None:
    return next(
        (
            task.ended
            for task in record.job.tasks
            if task.name == SHUTDOWN_TASK and task.state == "Succeeded" and task.ended
        ),
        None,
    )

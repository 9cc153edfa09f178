"""A tiny Site Recovery: machines that obey the table of life, with jobs, lags, losses and strangers' clicks."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random
from typing import Final

from domain.contract import Look, Order, Start, StartKind, Validation, ValidationOrder, Verdict
from domain.errors import Refusal
from domain.hearing import hear, hear_validations
from domain.leg import Leg, LegStatus, Task
from domain.lifecycle import ACTS, Act, MachineState
from domain.machine import JobError, JobSnapshot, MachineSnapshot
from domain.setbacks import NOT_ALLOWED_NOW
from domain.stage import begin, decide
from tests.unit.making import NOON, S, snapshot, subject

_LEADS: Final = {
    Act.TEST_FAILOVER: {S.AWAY_PROTECTED: S.AWAY_REHEARSED},
    Act.CLEAN_UP: {S.AWAY_REHEARSED: S.AWAY_PROTECTED},
    Act.FAIL_OVER: {S.AWAY_PROTECTED: S.HOME_UNCOMMITTED},
    Act.CHANGE_POINT: {S.HOME_UNCOMMITTED: S.HOME_UNCOMMITTED},
    Act.COMMIT: {S.HOME_UNCOMMITTED: S.HOME_COMMITTED},
    Act.REPROTECT: {S.AWAY_COMMITTED: S.AWAY_SYNCING, S.HOME_COMMITTED: S.HOME_SYNCING},
}
_SYNCED: Final = {S.AWAY_SYNCING: S.AWAY_PROTECTED, S.HOME_SYNCING: S.HOME_PROTECTED}
FOR_EVER: Final = timedelta(days=400)
HOLDING: Final = frozenset({LegStatus.RUNNING, LegStatus.CONFIRMING, LegStatus.UNDECIDED})


@dataclass(frozen=True, kw_only=True)
class Weather:
    """How badly the world behaves: shares of calls, and lags."""

    failing: float = 0
    hanging: float = 0
    lost: float = 0
    dropped: float = 0
    throttled: float = 0
    meddling: float = 0
    unsure: float = 0
    pending: float = 0
    broken: float = 0
    copy_hangs: bool = False
    list_lag: timedelta = timedelta(0)
    job_lag: timedelta = timedelta(0)


@dataclass(kw_only=True)
class Job:
    id: str
    act: Act
    request_id: str
    started: datetime
    ends: datetime
    fails: bool
    ours: bool

    def shown(self, now: datetime) -> JobSnapshot:
        if now < self.ends:
            return JobSnapshot(
                id=self.id,
                scenario=ACTS[self.act].scenario,
                state="InProgress",
                started=self.started,
                request_id=self.request_id,
            )
        return JobSnapshot(
            id=self.id,
            scenario=ACTS[self.act].scenario,
            state="Failed" if self.fails else "Succeeded",
            started=self.started,
            ended=self.ends,
            request_id=self.request_id,
            errors=(JobError(code="150000", message="it broke"),) if self.fails else (),
        )


@dataclass(kw_only=True)
class Machine:
    name: str
    state: MachineState
    job: Job | None = None
    copied_at: datetime | None = None
    unlisted_until: datetime | None = None
    # Every truth there was, oldest first; lagging lists read it.
    past: list[tuple[datetime, MachineSnapshot | None]] = field(default_factory=list)

    def truth(self) -> MachineSnapshot:
        seen = snapshot(self.state, self.name)
        if self.job is None:
            return seen
        return seen.having(scenario=ACTS[self.job.act].scenario, job=self.job.id, allowed=())


class World:
    """Ask it as the activities ask Azure; `pass_time` is its only clock."""

    def __init__(self, states: Sequence[MachineState], weather: Weather, random: Random) -> None:
        self.now = NOON
        self.weather = weather
        self.random = random
        self.machines = {f"vm{i}": Machine(name=f"vm{i}", state=state) for i, state in enumerate(states)}
        self.jobs: dict[str, Job] = {}
        self.accepted: list[Order] = []
        self._remember()

    # -- time -------------------------------------------------------------------------------------------------

    def pass_time(self, length: timedelta) -> None:
        target = self.now + length
        while (moment := self._next_event(target)) is not None:
            self.now = moment
            self._settle()
        self.now = target
        if self._chance(self.weather.meddling):
            self._meddle(self.random.choice(list(self.machines.values())))

    def _next_event(self, target: datetime) -> datetime | None:
        moments = [
            moment
            for each in self.machines.values()
            for moment in (each.job.ends if each.job else None, each.copied_at, each.unlisted_until)
            if moment is not None and moment <= target
        ]
        return min(moments, default=None)

    def _settle(self) -> None:
        for each in self.machines.values():
            if each.job is not None and each.job.ends <= self.now:
                self._end(each, each.job)
            if each.copied_at is not None and each.copied_at <= self.now:
                each.state, each.copied_at = _SYNCED[each.state], None
            if each.unlisted_until is not None and each.unlisted_until <= self.now:
                each.unlisted_until = None
        self._remember()

    def _end(self, machine: Machine, job: Job) -> None:
        machine.job = None
        if job.fails:
            return
        machine.state = _LEADS[job.act][machine.state]
        if job.act is Act.REPROTECT:
            machine.unlisted_until = self.now + timedelta(minutes=1)
        self.let_copy(machine)

    def let_copy(self, machine: Machine) -> None:
        if machine.state in _SYNCED:
            machine.copied_at = self.now + (FOR_EVER if self.weather.copy_hangs else timedelta(minutes=40))

    def _remember(self) -> None:
        for each in self.machines.values():
            each.past.append((self.now, None if each.unlisted_until else each.truth()))

    def _meddle(self, machine: Machine) -> None:
        """Somebody clicks in the portal."""
        can = [act for act in Act if machine.state in _LEADS[act]]
        if machine.job is None and can:
            self._begin(machine, self.random.choice(can), request_id="somebody", ours=False)

    def _chance(self, share: float) -> bool:
        return self.random.random() < share

    # -- what the activities ask ------------------------------------------------------------------------------

    def look(self, legs: Iterable[Leg]) -> Look:
        """Answer only what is not as it was last seen."""
        open_legs = [each for each in legs if not each.has_ended]
        listed = {each.subject.name: self._listed(each.subject.name) for each in open_legs}
        marks = {each.subject.name: each.snapshot.mark for each in open_legs if each.snapshot}
        known = {record.job.id: record.job.mark for each in open_legs for record in each.jobs}
        wanted = [each.job for each in open_legs if each.status is LegStatus.RUNNING and each.job]
        jobs = {job_id: self.jobs[job_id].shown(self.now) for job_id in wanted}
        return Look(
            as_of=self.now,
            machines={name: seen for name, seen in listed.items() if seen and seen.mark != marks.get(name)},
            jobs={job_id: job for job_id, job in jobs.items() if known.get(job_id) != job.mark},
            gone=tuple(name for name, seen in listed.items() if seen is None),
        )

    def _listed(self, name: str) -> MachineSnapshot | None:
        past = self.machines[name].past
        return next(
            (seen for when, seen in reversed(past) if when <= self.now - self.weather.list_lag), past[0][1]
        )

    def start(self, order: Order) -> Start:
        machine = self.machines[order.machine]
        found = self._found(order)
        if found is not None:
            return found
        if machine.job is not None:
            if machine.job.act is order.act:
                return Start(machine=order.machine, kind=StartKind.ADOPTED, job=machine.job.id, ours=False)
            return _wait(order, StartKind.BUSY)
        if self._chance(self.weather.throttled):
            return _wait(order, StartKind.THROTTLED)
        if machine.state not in ACTS[order.act].before:
            refusal = Refusal(code=NOT_ALLOWED_NOW, what="not now", remedy="wait")
            return Start(machine=order.machine, kind=StartKind.REFUSED, refusal=refusal)
        if self._chance(self.weather.dropped):
            return Start(machine=order.machine, kind=StartKind.UNDECIDED)
        job = self._begin(machine, order.act, order.request_id, ours=True)
        self.accepted.append(order)
        if self._chance(self.weather.lost):
            return Start(machine=order.machine, kind=StartKind.UNDECIDED)
        return Start(machine=order.machine, kind=StartKind.STARTED, job=job.id)

    def find(self, order: Order) -> Start:
        if self._chance(self.weather.unsure):
            return Start(machine=order.machine, kind=StartKind.UNDECIDED)
        return self._found(order) or Start(machine=order.machine, kind=StartKind.ABSENT)

    def _found(self, order: Order) -> Start | None:
        machine = self.machines[order.machine]
        for job in self.jobs.values():
            is_shown = self.now - job.started >= self.weather.job_lag
            if job.request_id == order.request_id and is_shown:
                return Start(machine=order.machine, kind=StartKind.ADOPTED, job=job.id)
        rule = ACTS[order.act]
        if machine.state in rule.after - rule.before and machine.job is None:
            return Start(machine=order.machine, kind=StartKind.ALREADY)
        return None

    def _begin(self, machine: Machine, act: Act, request_id: str, *, ours: bool) -> Job:
        took = FOR_EVER if self._chance(self.weather.hanging) else timedelta(seconds=self.random.randint(5, 900))
        job = Job(
            id=f"job-{len(self.jobs)}",
            act=act,
            request_id=request_id,
            started=self.now,
            ends=self.now + took,
            fails=self._chance(self.weather.failing),
            ours=ours,
        )
        machine.job, machine.copied_at = job, None
        self.jobs[job.id] = job
        self._remember()
        return job

    def validate(self, order: ValidationOrder) -> Validation:
        verdict = Verdict.PASSED
        if self._chance(self.weather.pending):
            verdict = Verdict.PENDING
        elif self._chance(self.weather.broken):
            verdict = Verdict.FAILED
        return Validation(machine=order.machine, verdict=verdict, as_of=self.now)


def _wait(order: Order, kind: StartKind) -> Start:
    return Start(machine=order.machine, kind=kind, retry_after=timedelta(seconds=30))


# -- driving a stage ------------------------------------------------------------------------------------------


@dataclass(kw_only=True)
class Turn:
    """One look of a stage: the legs before, what was decided, and the legs after the answers."""

    before: tuple[Leg, ...]
    orders: tuple[Order, ...]
    after: tuple[Leg, ...]
    stopping: bool


def drive(
    world: World, task: Task, *, every: timedelta, stop_at: int | None = None, within: timedelta
) -> Iterator[Turn]:
    """Carry every machine of a world through a stage, as the orchestrator does, and show each turn."""
    legs = begin([subject(name) for name in world.machines], {}, {})
    turn, deadline = 0, world.now + within
    while not all(each.has_ended for each in legs):
        assert world.now < deadline, [(each.status, each.words) for each in legs]
        stopping = stop_at is not None and turn >= stop_at
        decision = decide(task, legs, world.look(legs), stopping=stopping)
        starts = [world.start(order) for order in decision.orders]
        found = [world.find(order) for order in decision.searches]
        heard = hear(decision.legs, [*starts, *found], world.now)
        after = hear_validations(task, heard, [world.validate(each) for each in decision.validations])
        # Between two looks everything lies in history as JSON.
        after = tuple(Leg.from_wire(json.loads(json.dumps(each.to_wire()))) for each in after)
        yield Turn(before=tuple(legs), orders=decision.orders, after=after, stopping=stopping)
        legs, turn = after, turn + 1
        # The longer nothing ends, the less often it is looked, to keep long waits short.
        every = min(every * 1.03, timedelta(minutes=20))
        world.pass_time(every)

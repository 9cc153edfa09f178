"""What a stage does next: one pure decision over what was seen, like a controller that reconciles.

A stage has a road: for each state a machine may be in, the act that takes it further, or that it waits, or that
it has arrived. Deciding looks only at the machine as it is now, so a crash, a redeploy, a repeated activity and
somebody's click in the portal are all the same case. Each machine of the stage is a *leg*; no leg waits for
another.

All times are Azure's (the Date of its answers), for they are compared with the times of its jobs.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID, uuid5

from domain import setbacks
from domain.contract import Look, Order, Start, StartKind, Subject, Validation, ValidationOrder, Verdict
from domain.errors import Refusal
from domain.leg import AT_HOME, DUE, Decision, JobRecord, Leg, LegStatus, Task, Way
from domain.lifecycle import ACTS, Act, MachineState, allows, in_words, is_busy, state_of
from domain.machine import JobSnapshot, MachineSnapshot, same_id
from domain.setbacks import (
    CONFIRM_WITHIN,
    FIRST_COPY_WITHIN,
    GIVE_UP_AFTER,
    GONE_FOR,
    LONG_RUNNING,
    SLOW_PACE,
    STALE_FOR,
    UNDECIDED_FOR,
)
from domain.validation import lasting, timed_out

_S = MachineState
# Request ids are derived under this name, so that one intention has one id for ever.
_INTENTIONS: Final = UUID("6a6f1f0c-3c58-5d3e-9a0e-2f6d0f1b7c11")


def begin(subjects: Iterable[Subject], item_ids: Mapping[str, str]) -> tuple[Leg, ...]:
    """Set every machine at the start of a stage, at the id where it was last seen."""
    return tuple(Leg(subject=each, item_id=item_ids.get(each.name, each.item_id)) for each in subjects)


def intention(task: Task, machine: str, act: Act) -> str:
    """Derive the client request id of one act on one machine on one occasion of one run."""
    return str(uuid5(_INTENTIONS, f"{task.run}|{task.occasion}|{machine}|{act}"))


def order_for(task: Task, leg: Leg, act: Act, since: datetime) -> Order:
    """Word an act for the activity that starts it."""
    subject = leg.subject
    at_home = leg.snapshot is not None and state_of(leg.snapshot) is _S.HOME_COMMITTED
    return Order(
        vault=task.vault,
        machine=subject.name,
        item_id=leg.item_id,
        lifecycle_id=subject.lifecycle_id,
        act=act,
        request_id=intention(task, subject.name, act),
        since=since,
        point=task.points.get(subject.name),
        network=subject.test_network if act is Act.TEST_FAILOVER else None,
        shut_down_source=task.shut_down_source and act is Act.FAIL_OVER,
        cache=(subject.reprotect_cache if at_home else subject.prepare_cache) if act is Act.REPROTECT else None,
        comment=task.comment,
    )


# -- deciding -------------------------------------------------------------------------------------------------


def decide(task: Task, legs: Iterable[Leg], look: Look, *, stopping: bool = False) -> Decision:
    """Decide what each leg does after a look.

    Args:
        task: what the stage is for.
        legs: where each machine stood before this look.
        look: what changed, by Azure's clock.
        stopping: the run was cancelled: start nothing more, but watch what runs to its end.
    """
    legs = tuple(_watch(task, _see(leg, look), look) for leg in legs)
    running = sum(leg.status in _HOLDS_A_PLACE for leg in legs)
    orders: list[Order] = []
    after: list[Leg] = []
    for leg in legs:
        act = _due(task, leg, look.as_of)
        if leg.status is not LegStatus.READY or act is None:
            after.append(_stop(leg, look.as_of) if stopping and leg.status is LegStatus.READY else leg)
        elif stopping:
            after.append(_stop(leg, look.as_of))
        elif running < task.max_parallel:
            running += 1
            orders.append(order_for(task, leg, act, look.as_of))
            asked = (leg.asked_since if leg.act is act else None) or look.as_of
            after.append(leg.having(act=act, asked_since=asked, words=f"{ACTS[act].words}: starting"))
        else:
            after.append(leg.having(since=look.as_of, words=f"{ACTS[act].words}: waits for its turn"))
    return Decision(
        legs=tuple(after),
        orders=tuple(orders),
        searches=tuple(
            order_for(task, leg, leg.act, leg.since or look.as_of)
            for leg in after
            if leg.status is LegStatus.UNDECIDED and leg.act
        ),
        validations=_judged(task, [leg for leg in after if leg.status is LegStatus.VALIDATING], look.as_of),
    )


_HOLDS_A_PLACE: Final = frozenset({LegStatus.RUNNING, LegStatus.CONFIRMING, LegStatus.UNDECIDED})


def _see(leg: Leg, look: Look) -> Leg:
    """Take in what a look says of one machine."""
    name = leg.subject.name
    if name in look.gone:
        return leg.having(gone_since=leg.gone_since or look.as_of)
    # Neither gone nor among the changes: it is there, as it was.
    snapshot = look.machines.get(name) or leg.snapshot
    return leg.having(snapshot=snapshot, item_id=snapshot.id if snapshot else leg.item_id, gone_since=None)


def _watch(task: Task, leg: Leg, look: Look) -> Leg:
    """Move one leg on by what was seen of its machine and of its job."""
    now = look.as_of
    if leg.has_ended:
        return leg
    if leg.status is LegStatus.RUNNING:
        leg = _watch_job(leg, look)
    if _has_vanished(leg, now):
        return _fail(leg, now, setbacks.gone(leg))
    snapshot = leg.snapshot
    if snapshot is None:
        return leg
    if leg.status is LegStatus.CONFIRMING and leg.act is not None:
        leg = _confirm(task, leg, leg.act, snapshot, now)
    if leg.status is LegStatus.VALIDATING and state_of(snapshot) not in _KEPT_JUDGING:
        leg = _to(leg, LegStatus.READY, now)
    return _advance(task, leg, snapshot, now) if leg.status is LegStatus.READY else leg


def _has_vanished(leg: Leg, now: datetime) -> bool:
    """Tell whether a machine has been missing for too long; while its job runs, the job's word stands."""
    if leg.gone_since is None or leg.status in {LegStatus.RUNNING, LegStatus.FAILED}:
        return False
    return now - max(leg.gone_since, leg.since or leg.gone_since) > GONE_FOR


def _watch_job(leg: Leg, look: Look) -> Leg:
    act, now = leg.act, look.as_of
    job = look.jobs.get(leg.job or "")
    if act is None or job is None:
        return _lost(leg, now) if leg.job in look.lost else _overdue(leg, now)
    leg = leg.having(jobs=_with(leg, act, job))
    if not job.has_ended:
        return _overdue(leg.having(words=_progress(act, job)), now)
    if not job.succeeded:
        return _fail(leg, now, setbacks.job_failed(act, job))
    return _to(leg, LegStatus.CONFIRMING, now, f"{ACTS[act].words}: done, confirming")


def _lost(leg: Leg, now: datetime) -> Leg:
    """Ask the machine itself about a job that Azure does not know, unless the machine names it, or it is new."""
    held = leg.snapshot is not None and same_id(leg.snapshot.job, leg.job)
    if held or now - (leg.since or now) <= STALE_FOR:
        return _overdue(leg, now)
    if leg.act is Act.CHANGE_POINT:
        # It ends in the state it began in, so without its job nothing proves it.
        return _fail(leg, now, setbacks.never_known(leg.act))
    return _to(leg, LegStatus.CONFIRMING, now)


def _with(leg: Leg, act: Act, job: JobSnapshot) -> tuple[JobRecord, ...]:
    before = tuple(record for record in leg.jobs if record.job.id != job.id)
    first = next((record for record in leg.jobs if record.job.id == job.id), None)
    request_id = job.request_id or (first.request_id if first else "")
    return (*before, JobRecord(act=act, job=job, ours=leg.ours, request_id=request_id))


def _progress(act: Act, job: JobSnapshot) -> str:
    ended = sum(task.ended is not None or task.state in {"Succeeded", "Other"} for task in job.tasks)
    task = f": {job.running_task} ({ended + 1} of {len(job.tasks)})" if job.running_task else ""
    waits = ", it waits for input in the portal" if job.state == "Suspended" else ""
    return f"{ACTS[act].words}{task}{waits}"


def _confirm(task: Task, leg: Leg, act: Act, snapshot: MachineSnapshot, now: datetime) -> Leg:
    """Believe an act when the machine shows it: "job succeeded" is not yet the state it leads to.

    Somebody may have taken the machine further before it was seen there; the road knows that state too.
    """
    state = state_of(snapshot)
    further = state not in ACTS[act].before and task.step(state) is not None
    if (state in ACTS[act].after or further) and not _still_held(leg, snapshot):
        return _to(leg, LegStatus.READY, now).having(acts=(*leg.acts, act), job=None)
    if now - (leg.since or now) > CONFIRM_WITHIN:
        return _fail(leg, now, setbacks.not_confirmed(act, snapshot))
    return leg


def _still_held(leg: Leg, snapshot: MachineSnapshot) -> bool:
    # While the first copy runs after a re-protection no job holds the item; it only offers little.
    return snapshot.job is not None if leg.act is Act.REPROTECT else is_busy(snapshot)


def _advance(task: Task, leg: Leg, snapshot: MachineSnapshot, now: datetime) -> Leg:
    """See how far along its road a machine is that does nothing of ours now."""
    state = state_of(snapshot)
    step = task.step(state)
    leg = leg.having(since=leg.since or now)
    patience = now - (leg.since or now)
    if Act.CHANGE_POINT in leg.acts and state in AT_HOME:
        step = Way.ARRIVED
    if step is Way.ARRIVED:
        if DUE.get(task.stage, leg.act) not in {leg.act, *leg.acts} and patience <= STALE_FOR:
            return leg.having(words=f"{in_words(snapshot)}; making sure")
        return _arrive(task, leg.having(odd_since=None), snapshot, now)
    if step is Way.WAIT:
        return _wait_for_copy(leg.having(odd_since=None), snapshot, now, patience)
    if step is None or step in leg.acts:
        return _misfit(task, leg, snapshot, now)
    leg = leg.having(odd_since=None)
    return _held(leg, snapshot, now, f"{ACTS[step].words}: waits, ") if is_busy(snapshot) else leg


def _held(leg: Leg, snapshot: MachineSnapshot, now: datetime, waits: str = "") -> Leg:
    """Wait for whatever holds a machine, though not for ever."""
    if now - (leg.since or now) > GIVE_UP_AFTER:
        return _fail(leg, now, setbacks.held(snapshot))
    return leg.having(words=f"{waits}{in_words(snapshot)}")


def _misfit(task: Task, leg: Leg, snapshot: MachineSnapshot, now: datetime) -> Leg:
    """Be patient with what does not fit: a running job may mend it, a list that lags behind corrects itself."""
    if snapshot.job is not None:
        return _held(leg.having(odd_since=None), snapshot, now)
    since = leg.odd_since or now
    if now - since > CONFIRM_WITHIN:
        return _fail(leg, now, setbacks.astray(task, snapshot))
    return leg.having(odd_since=since, words=in_words(snapshot))


def _arrive(task: Task, leg: Leg, snapshot: MachineSnapshot, now: datetime) -> Leg:
    if snapshot.job is not None:
        return _held(leg, snapshot, now)
    if task.is_validated and state_of(snapshot) in _JUDGED:
        return _to(leg, LegStatus.VALIDATING, now, "coming up, being checked")
    return _to(leg, LegStatus.DONE, now, in_words(snapshot))


# In these states there is a machine in the primary region that was brought up and can be judged.
_JUDGED: Final = frozenset({_S.AWAY_REHEARSED, _S.HOME_UNCOMMITTED})
# Once judging has begun, it goes on as long as the machine that came up is still there.
_KEPT_JUDGING: Final = AT_HOME | _JUDGED


def _wait_for_copy(leg: Leg, snapshot: MachineSnapshot, now: datetime, patience: timedelta) -> Leg:
    if patience > FIRST_COPY_WITHIN:
        return _fail(leg, now, setbacks.copy_overdue(snapshot))
    percent = f" ({snapshot.sync_percent} %)" if snapshot.sync_percent is not None else ""
    return leg.having(words=f"{in_words(snapshot)}{percent}")


def _due(task: Task, leg: Leg, now: datetime) -> Act | None:
    """Give the act that a ready leg should start now, if any."""
    if leg.snapshot is None or leg.gone_since is not None or (leg.not_before or now) > now:
        return None
    step = task.step(state_of(leg.snapshot))
    if not isinstance(step, Act) or step in leg.acts:
        return None
    if leg.snapshot.job is not None:
        # A job of this very kind is adopted by starting; any other is waited for.
        return step if leg.snapshot.scenario == ACTS[step].scenario else None
    return step if leg.snapshot.allowed else None


def _judged(task: Task, legs: Sequence[Leg], now: datetime) -> tuple[ValidationOrder, ...]:
    return tuple(_judge(task, leg, now).having(together=len(legs)) for leg in legs)


def _judge(task: Task, leg: Leg, now: datetime) -> ValidationOrder:
    snapshot = leg.snapshot
    rehearsed = snapshot is not None and state_of(snapshot) is _S.AWAY_REHEARSED
    brought_up = next((record.job.started for record in reversed(leg.jobs) if record.job.started), leg.since)
    name = leg.subject.vm_name
    return ValidationOrder(
        machine=leg.subject.name,
        vm_id=(snapshot.test_vm if rehearsed else snapshot.target_vm) if snapshot else None,
        vm_name=f"{name}-test" if rehearsed else name,
        since=brought_up or now,
        # An isolated network keeps a test machine from reporting.
        heartbeat=task.heartbeat and not rehearsed,
        vault=task.vault,
        item_id=leg.item_id,
        lifecycle_id=leg.subject.lifecycle_id,
        rehearsed=rehearsed,
        network=leg.subject.test_network if rehearsed else None,
        source_vm=snapshot.source_vm if snapshot and not rehearsed else None,
        shut_down_source=task.shut_down_source,
        blocks=task.blocks,
        passed=lasting(leg.validation),
    )


def _stop(leg: Leg, now: datetime) -> Leg:
    where = f"; it is {in_words(leg.snapshot)}" if leg.snapshot else ""
    return _to(leg, LegStatus.STOPPED, now, f"stopped before the next act{where}")


# -- hearing --------------------------------------------------------------------------------------------------


def hear(legs: Iterable[Leg], starts: Iterable[Start], now: datetime) -> tuple[Leg, ...]:
    """Take in how orders and searches ended."""
    answers = {start.machine: start for start in starts}
    return tuple(
        _hear(leg, answers[leg.subject.name], now) if leg.subject.name in answers else leg for leg in legs
    )


def _hear(leg: Leg, start: Start, now: datetime) -> Leg:
    act = leg.act
    if act is None or leg.has_ended:
        return leg
    words = ACTS[act].words
    if start.job is not None:
        leg = leg.having(job=start.job, ours=start.ours)
        return _to(
            leg, LegStatus.RUNNING, now, words if start.ours else f"{words}: begun by somebody else, followed"
        )
    if start.refusal is not None:
        return _refused(leg, start.refusal, now)
    if start.kind is StartKind.ALREADY:
        return _to(leg, LegStatus.CONFIRMING, now, f"{words}: already so")
    if start.kind is StartKind.UNDECIDED:
        return _undecided(leg, act, now)
    if start.kind is StartKind.ABSENT:
        return _absent(leg, act, now)
    if _asked_for(leg, now) > GIVE_UP_AFTER:
        return _fail(leg, now, setbacks.not_begun(act, start.words))
    wait = start.retry_after or timedelta(0)
    return leg.having(status=LegStatus.READY, not_before=now + wait, words=f"{words}: {start.words or 'waits'}")


def _asked_for(leg: Leg, now: datetime) -> timedelta:
    """Say for how long an act has been asked for, from the first time on."""
    return now - (leg.asked_since or now)


def _undecided(leg: Leg, act: Act, now: datetime) -> Leg:
    since = leg.since if leg.status is LegStatus.UNDECIDED and leg.since else now
    if _asked_for(leg, now) > GIVE_UP_AFTER:
        return _fail(leg, now, setbacks.never_known(act))
    return _to(leg, LegStatus.UNDECIDED, since, "the answer was lost, looking for its job")


def _absent(leg: Leg, act: Act, now: datetime) -> Leg:
    """Decide that a lost POST was not accepted: long without a job, and the machine idle and still offering it."""
    if _asked_for(leg, now) > GIVE_UP_AFTER:
        return _fail(leg, now, setbacks.never_known(act))
    idle = leg.snapshot is not None and allows(leg.snapshot, act) and not is_busy(leg.snapshot)
    if now - (leg.since or now) > UNDECIDED_FOR and idle:
        return _to(leg, LegStatus.READY, now, f"{ACTS[act].words}: was not accepted, asking again")
    return leg


def _refused(leg: Leg, refusal: Refusal, now: datetime) -> Leg:
    """Fail on a refusal, unless it is about a state that may only be lagging behind."""
    if refusal.code == setbacks.NOT_ALLOWED_NOW and _asked_for(leg, now) <= CONFIRM_WITHIN:
        return leg.having(status=LegStatus.READY, not_before=now + STALE_FOR / 4, words=refusal.what)
    return _fail(leg, now, refusal)


def hear_validations(task: Task, legs: Iterable[Leg], validations: Iterable[Validation]) -> tuple[Leg, ...]:
    """Take in what was found of the machines that were brought up."""
    found = {validation.machine: validation for validation in validations}
    return tuple(
        _hear_validation(task, leg, found[leg.subject.name]) if leg.subject.name in found else leg for leg in legs
    )


def _hear_validation(task: Task, leg: Leg, validation: Validation) -> Leg:
    if leg.status is not LegStatus.VALIDATING:
        return leg
    now = validation.as_of
    waited = now - (leg.since or now)
    if validation.verdict is Verdict.PENDING and waited < task.validation_timeout:
        pending = ", ".join(check.name for check in validation.checks if check.verdict is Verdict.PENDING)
        return leg.having(validation=validation, words=f"coming up, waiting for {pending}")
    if validation.verdict is Verdict.PENDING:
        validation = timed_out(validation, task.validation_timeout)
    verdict = "passed" if validation.verdict is not Verdict.FAILED else "failed"
    return _to(leg.having(validation=validation), LegStatus.DONE, now, f"validation {verdict}")


def next_look(task: Task, legs: Iterable[Leg], now: datetime) -> timedelta:
    """Say how long to wait: what takes long anyway needs fewer looks."""
    is_slow = all(leg.has_ended or _is_slow(task, leg, now) for leg in legs)
    return task.look_every * SLOW_PACE if is_slow else task.look_every


def _is_slow(task: Task, leg: Leg, now: datetime) -> bool:
    if leg.status is LegStatus.RUNNING:
        return leg.since is not None and now - leg.since > LONG_RUNNING
    waits = leg.snapshot is not None and task.step(state_of(leg.snapshot)) is Way.WAIT
    return leg.status is LegStatus.READY and waits


def give_up(legs: Iterable[Leg], refusal: Refusal, now: datetime) -> tuple[Leg, ...]:
    """End every open leg for a reason that is nobody's machine's: Azure was out of sight for too long."""
    return tuple(leg if leg.has_ended else _fail(leg, now, refusal) for leg in legs)


# -- ends -----------------------------------------------------------------------------------------------------


def _to(leg: Leg, status: LegStatus, now: datetime, words: str | None = None) -> Leg:
    return leg.having(status=status, since=now, words=leg.words if words is None else words, not_before=None)


def _fail(leg: Leg, now: datetime, refusal: Refusal) -> Leg:
    about = refusal.having(about=leg.subject.name)
    return _to(leg, LegStatus.FAILED, now, refusal.what).having(failure=about)


def _overdue(leg: Leg, now: datetime) -> Leg:
    overdue = now - (leg.since or now) > GIVE_UP_AFTER
    return _fail(leg, now, setbacks.job_timed_out(leg)) if overdue else leg

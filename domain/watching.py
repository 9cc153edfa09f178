"""What a look means for a leg: where its job is, whether its act is confirmed, whether it has arrived."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from domain import setbacks
from domain.contract import Look
from domain.leg import AT_HOME, DUE, JobRecord, Leg, LegStatus, Task, Way, intention
from domain.lifecycle import ACTS, Act, MachineState, in_words, is_busy, state_of
from domain.machine import JobSnapshot, MachineSnapshot, same_id
from domain.setbacks import CONFIRM_WITHIN, FIRST_COPY_WITHIN, GIVE_UP_AFTER, GONE_FOR, STALE_FOR

_S = MachineState


def see(leg: Leg, look: Look) -> Leg:
    """Take in what a look says of one machine."""
    name = leg.subject.name
    if name in look.gone:
        return leg.having(gone_since=leg.gone_since or look.as_of)
    # Neither gone nor among the changes: it is there, as it was.
    snapshot = look.machines.get(name) or leg.snapshot
    return leg.having(snapshot=snapshot, item_id=snapshot.id if snapshot else leg.item_id, gone_since=None)


def watch(task: Task, leg: Leg, look: Look) -> Leg:
    """Move one leg on by what was seen of its machine and of its job."""
    now = look.as_of
    if leg.has_ended:
        return leg
    if leg.status is LegStatus.RUNNING:
        leg = _watch_job(task, leg, look)
    if _has_vanished(leg, now):
        return leg.fail(now, setbacks.gone(leg))
    snapshot = leg.snapshot
    if snapshot is None:
        return leg
    if leg.status is LegStatus.CONFIRMING and leg.act is not None:
        leg = _confirm(task, leg, leg.act, snapshot, now)
    if leg.status is LegStatus.VALIDATING and state_of(snapshot) not in _KEPT_JUDGING:
        leg = leg.to(LegStatus.READY, now)
    return _advance(task, leg, snapshot, now) if leg.status is LegStatus.READY else leg


def _has_vanished(leg: Leg, now: datetime) -> bool:
    """Tell whether a machine has been missing for too long; while its job runs, the job's word stands."""
    if leg.gone_since is None or leg.status in {LegStatus.RUNNING, LegStatus.FAILED}:
        return False
    return now - max(leg.gone_since, leg.since or leg.gone_since) > GONE_FOR


def _watch_job(task: Task, leg: Leg, look: Look) -> Leg:
    act, now = leg.act, look.as_of
    job = look.jobs.get(leg.job or "")
    if act is None or job is None:
        return _lost(leg, now) if leg.job in look.lost else _overdue(leg, now)
    leg = leg.having(jobs=_with(task, leg, act, job))
    if not job.has_ended:
        return _overdue(leg.having(words=_progress(act, job)), now)
    if not job.succeeded:
        return leg.fail(now, setbacks.job_failed(act, job))
    return leg.to(LegStatus.CONFIRMING, now, f"{ACTS[act].words}: done, confirming")


def _lost(leg: Leg, now: datetime) -> Leg:
    """Ask the machine itself about a job that Azure does not know, unless the machine names it, or it is new."""
    held = leg.snapshot is not None and same_id(leg.snapshot.job, leg.job)
    if held or now - (leg.since or now) <= STALE_FOR:
        return _overdue(leg, now)
    if leg.act is Act.CHANGE_POINT:
        # It ends in the state it began in, so without its job nothing proves it.
        return leg.fail(now, setbacks.never_known(leg.act))
    return leg.to(LegStatus.CONFIRMING, now)


def _with(task: Task, leg: Leg, act: Act, job: JobSnapshot) -> tuple[JobRecord, ...]:
    before = tuple(record for record in leg.jobs if record.job.id != job.id)
    first = next((record for record in leg.jobs if record.job.id == job.id), None)
    # A list of jobs does not tell who began them; of our own we know.
    known = first.request_id if first else intention(task.intent, leg.subject.name, act) if leg.ours else ""
    request_id = job.request_id or known
    ours = leg.ours or request_id.casefold() in leg.earlier_intentions(act)
    return (*before, JobRecord(act=act, job=job, ours=ours, request_id=request_id))


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
        return leg.to(LegStatus.READY, now).having(acts=(*leg.acts, act), job=None)
    if now - (leg.since or now) > CONFIRM_WITHIN:
        return leg.fail(now, setbacks.not_confirmed(act, snapshot))
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
        return leg.fail(now, setbacks.held(snapshot))
    return leg.having(words=f"{waits}{in_words(snapshot)}")


def _misfit(task: Task, leg: Leg, snapshot: MachineSnapshot, now: datetime) -> Leg:
    """Be patient with what does not fit: a running job may mend it, a list that lags behind corrects itself."""
    if snapshot.job is not None:
        return _held(leg.having(odd_since=None), snapshot, now)
    since = leg.odd_since or now
    if now - since > CONFIRM_WITHIN:
        return leg.fail(now, setbacks.astray(task, snapshot))
    return leg.having(odd_since=since, words=in_words(snapshot))


def _arrive(task: Task, leg: Leg, snapshot: MachineSnapshot, now: datetime) -> Leg:
    if snapshot.job is not None:
        return _held(leg, snapshot, now)
    if task.is_validated and state_of(snapshot) in _JUDGED:
        return leg.to(LegStatus.VALIDATING, now, "coming up, being checked")
    return leg.to(LegStatus.DONE, now, in_words(snapshot))


# In these states there is a machine in the primary region that was brought up and can be judged.
_JUDGED: Final = frozenset({_S.AWAY_REHEARSED, _S.HOME_UNCOMMITTED})
# Once judging has begun, it goes on as long as the machine that came up is still there.
_KEPT_JUDGING: Final = AT_HOME | _JUDGED


def _wait_for_copy(leg: Leg, snapshot: MachineSnapshot, now: datetime, patience: timedelta) -> Leg:
    if patience > FIRST_COPY_WITHIN:
        return leg.fail(now, setbacks.copy_overdue(snapshot))
    percent = f" ({snapshot.sync_percent} %)" if snapshot.sync_percent is not None else ""
    return leg.having(words=f"{in_words(snapshot)}{percent}")


def _overdue(leg: Leg, now: datetime) -> Leg:
    overdue = now - (leg.since or now) > GIVE_UP_AFTER
    return leg.fail(now, setbacks.job_timed_out(leg)) if overdue else leg

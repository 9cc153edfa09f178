"""What answers mean for the legs that asked: whether an act began, and how a machine was judged."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from domain import setbacks
from domain.contract import Start, StartKind, Validation, Verdict
from domain.errors import Refusal
from domain.leg import Leg, LegStatus, Task
from domain.lifecycle import ACTS, Act, allows, is_busy
from domain.setbacks import CONFIRM_WITHIN, GIVE_UP_AFTER, STALE_FOR, UNDECIDED_FOR
from domain.validation import timed_out


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
        told = words if start.ours else f"{words}: begun by somebody else, followed"
        return leg.to(LegStatus.RUNNING, now, told)
    if start.refusal is not None:
        return _refused(leg, start.refusal, now)
    if start.kind is StartKind.ALREADY:
        return leg.to(LegStatus.CONFIRMING, now, f"{words}: already so")
    if start.kind is StartKind.UNDECIDED:
        return _undecided(leg, act, now)
    if start.kind is StartKind.ABSENT:
        return _absent(leg, act, now)
    if _asked_for(leg, now) > GIVE_UP_AFTER:
        return leg.fail(now, setbacks.not_begun(act, start.words))
    wait = start.retry_after or timedelta(0)
    return leg.having(status=LegStatus.READY, not_before=now + wait, words=f"{words}: {start.words or 'waits'}")


def _asked_for(leg: Leg, now: datetime) -> timedelta:
    """Say for how long an act has been asked for, from the first time on."""
    return now - (leg.asked_since or now)


def _undecided(leg: Leg, act: Act, now: datetime) -> Leg:
    since = leg.since if leg.status is LegStatus.UNDECIDED and leg.since else now
    if _asked_for(leg, now) > GIVE_UP_AFTER:
        return leg.fail(now, setbacks.never_known(act))
    return leg.to(LegStatus.UNDECIDED, since, "the answer was lost, looking for its job")


def _absent(leg: Leg, act: Act, now: datetime) -> Leg:
    """Decide that a lost POST was not accepted: long without a job, and the machine idle and still offering it."""
    if _asked_for(leg, now) > GIVE_UP_AFTER:
        return leg.fail(now, setbacks.never_known(act))
    idle = leg.snapshot is not None and allows(leg.snapshot, act) and not is_busy(leg.snapshot)
    if now - (leg.since or now) > UNDECIDED_FOR and idle:
        return leg.to(LegStatus.READY, now, f"{ACTS[act].words}: was not accepted, asking again")
    return leg


def _refused(leg: Leg, refusal: Refusal, now: datetime) -> Leg:
    """Fail on a refusal, unless it is about a state that may only be lagging behind."""
    if refusal.code == setbacks.NOT_ALLOWED_NOW and _asked_for(leg, now) <= CONFIRM_WITHIN:
        return leg.having(status=LegStatus.READY, not_before=now + STALE_FOR / 4, words=refusal.what)
    return leg.fail(now, refusal)


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
    return leg.having(validation=validation).to(LegStatus.DONE, now, f"validation {verdict}")

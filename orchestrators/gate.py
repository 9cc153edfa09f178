"""A gate: a question to people, and the wait for their answer, for weeks if need be.

The ledger entity is the only judge of decisions; events merely wake the gate, and a lost one costs one tick.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from domain import contract, telling
from domain.approvals import GateName
from domain.control import Control
from domain.delegation import delegations
from domain.gate import Entry, Judgement, Outcome, Question
from domain.notices import Notice
from domain.telling import Heard
from domain.wire import Answer
from orchestrators import steps
from orchestrators.context import Context, Runbook


class Vigil(Answer):
    """Everything a gate takes along when it begins anew."""

    question: Question
    key: str
    generation: int = 0
    # Absent in old runs, which told nobody.
    heralds: tuple[str, ...] = ()
    reminders: int = 0
    escalated: bool = False
    broken_glass: tuple[str, ...] = ()
    # Absent in old runs, where nobody could hand their voice over.
    delegations: tuple[str, ...] = ()

    def reminders_by(self, now: datetime) -> int:
        """Say how many reminders were due by now."""
        rhythm = self.question.policy.remind_every
        return (now - self.question.asked_at) // rhythm if rhythm else 0

    def next_moment(self, now: datetime) -> datetime:
        """Say when the gate must look again: at a deadline, at a reminder, in any case after a tick."""
        question, rhythm = self.question, self.question.policy.remind_every
        moments = [now + steps.TICK, question.deadline, question.closes_at]
        if rhythm:
            moments.append(question.asked_at + (self.reminders_by(now) + 1) * rhythm)
        return min(moment for moment in moments if moment > now)


class Tally(Answer):
    """What the ledger says while the gate is open."""

    settled: bool
    # Absent in ledgers of old runs.
    approved: bool = False
    broken_glass: tuple[Entry, ...] = ()
    # Absent as well in those that did not tell who has answered.
    people: int = 0
    heard: tuple[str, ...] = ()
    # Absent in ledgers of runs where nobody could hand their voice over.
    delegations: tuple[Entry, ...] = ()


class GateResult(Answer):
    """What was decided, and every decision that arrived; why the run was cancelled meanwhile, if it was.

    `withdrawn` says why a proposed run was taken back before anybody agreed to it; `heralds` name the errands on
    which people are told.
    """

    outcomes: dict[str, Outcome] = {}
    entries: tuple[Entry, ...] = ()
    cancelled: str | None = None
    withdrawn: str | None = None
    heralds: tuple[str, ...] = ()

    @property
    def broken_glass(self) -> tuple[Entry, ...]:
        """The decisions by which somebody decided alone, for the whole quorum."""
        counted = (entry for entry in self.entries if entry.judgement is Judgement.RECORDED)
        return tuple(entry for entry in counted if entry.break_glass)


def gate(context: Context) -> Runbook[dict[str, Any] | None]:
    """Ask people, and wait as long as the policy allows.

    1. Open the ledger with the question, and tell people.
    2. Wait until everything is decided, the run is cancelled, or patience ends; remind and escalate meanwhile.
    3. Close the ledger: its word is final.
    """
    vigil = Vigil.from_wire(context.get_input())

    # 1. Open
    if vigil.generation == 0:
        yield from steps.ask_entity(context, contract.LEDGER, vigil.key, "open", vigil.question.to_wire())
        vigil = yield from _tell(context, vigil, telling.gate_opened(vigil.question, vigil.key))

    # 2. Wait
    for turn in range(steps.TICKS_PER_GENERATION):
        vigil, end = yield from _look(context, vigil, f"decided-{vigil.generation}-{turn}")
        if end is not None:
            break
    else:
        context.continue_as_new(vigil.having(generation=vigil.generation + 1).to_wire())
        return None

    # 3. Close
    closed = GateResult.from_wire((yield from steps.ask_entity(context, contract.LEDGER, vigil.key, "close")))
    # Somebody may have done so between the last look and the close.
    vigil = yield from _warn(context, vigil, closed.broken_glass)
    moved, now = delegations(closed.entries), context.current_utc_datetime
    told = telling.gate_closed(vigil.question, vigil.key, closed.outcomes, now, moved)
    vigil = yield from _tell(context, vigil, told)
    return closed.having(cancelled=end.cancelled, withdrawn=end.withdrawn, heralds=vigil.heralds).to_wire()


def _look(context: Context, vigil: Vigil, event: str) -> Runbook[tuple[Vigil, GateResult | None]]:
    """Look once at what was decided and wanted; where nothing ends the gate, wait for the next moment."""
    _show(context, vigil, event, None)
    tally = Tally.from_wire((yield from steps.ask_entity(context, contract.LEDGER, vigil.key, "read")))
    control = yield from steps.control(context, vigil.question.run)
    vigil = yield from _warn(context, vigil, tally.broken_glass)
    end = _end(vigil.question, tally, control, context.current_utc_datetime)
    if end is None:
        if not tally.settled:
            vigil = yield from _introduce(context, vigil, tally.delegations)
            heard = Heard(tally.people, frozenset(tally.heard), tally.delegations)
            vigil = yield from _nudge(context, vigil, heard)
        _show(context, vigil, event, control.paused)
        yield from steps.pause(context, vigil.next_moment(context.current_utc_datetime), event)
    return vigil, end


def _end(question: Question, tally: Tally, control: Control, now: datetime) -> GateResult | None:
    """Say how the gate ends now; a paused run's does not, whatever is decided."""
    if control.cancelled is not None:
        return GateResult(cancelled=control.cancelled)
    if control.withdrawn is not None and question.gate is GateName.START and not tally.approved:
        return GateResult(withdrawn=control.withdrawn)
    over = tally.settled or now >= question.closes_at
    return GateResult() if over and control.paused is None else None


def _warn(context: Context, vigil: Vigil, broken_glass: Iterable[Entry]) -> Runbook[Vigil]:
    """Tell at once, and loudly, of everybody who broke the glass."""
    for entry in broken_glass:
        if entry.id not in vigil.broken_glass:
            vigil = vigil.having(broken_glass=(*vigil.broken_glass, entry.id))
            vigil = yield from _tell(context, vigil, telling.break_glass(vigil.question, vigil.key, entry))
    return vigil


def _introduce(context: Context, vigil: Vigil, delegations: Iterable[Entry]) -> Runbook[Vigil]:
    """Tell everybody to whom a voice was handed that they are asked now."""
    for entry in delegations:
        if entry.id not in vigil.delegations:
            vigil = vigil.having(delegations=(*vigil.delegations, entry.id))
            vigil = yield from _tell(context, vigil, telling.delegated(vigil.question, vigil.key, entry))
    return vigil


def _nudge(context: Context, vigil: Vigil, heard: Heard) -> Runbook[Vigil]:
    """Ask further people once the deadline has passed, and remind those who have not decided."""
    now, question = context.current_utc_datetime, vigil.question
    further, due = question.policy.escalate_to, vigil.reminders_by(now)
    if further and now >= question.deadline and not vigil.escalated:
        told = telling.escalated(question, vigil.key, further.approvers, now, heard=heard)
        vigil = yield from _tell(context, vigil.having(escalated=True, reminders=due), told)
    elif due > vigil.reminders:
        told = telling.reminder(question, vigil.key, due, now, heard)
        vigil = yield from _tell(context, vigil.having(reminders=due), told)
    return vigil


def _tell(context: Context, vigil: Vigil, notice: Notice) -> Runbook[Vigil]:
    herald = yield from steps.tell(context, notice)
    return vigil.having(heralds=(*vigil.heralds, herald))


def _show(context: Context, vigil: Vigil, event: str, paused: str | None) -> None:
    shown = {"gate": vigil.question.gate.value, "listen": event, **({"paused": paused} if paused else {})}
    context.set_custom_status(shown)

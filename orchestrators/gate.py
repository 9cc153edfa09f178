"""A gate: a question to people, and the wait for their answer, for days if need be.

The ledger entity is the only judge of decisions; events merely wake the gate, and a lost one costs one tick.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Final

from domain import contract
from domain.gate import Entry, Outcome, Question
from domain.wire import Answer
from orchestrators import steps
from orchestrators.context import Context, Runbook

# A lost wake-up costs at most this; a timer this short can be cancelled at once (longer than six days cannot).
TICK: Final = timedelta(hours=1)
TICKS_PER_GENERATION: Final = 6


class Vigil(Answer):
    """Everything a gate takes along when it begins anew."""

    question: Question
    key: str
    generation: int = 0


class GateResult(Answer):
    """What was decided, and every decision that arrived; why the run was cancelled meanwhile, if it was."""

    outcomes: dict[str, Outcome] = {}
    entries: tuple[Entry, ...] = ()
    cancelled: str | None = None


def gate(context: Context) -> Runbook[dict[str, Any] | None]:
    """Ask people, and wait as long as the policy allows.

    1. Open the ledger with the question.
    2. Wait until everything is decided, the run is cancelled, or patience ends.
    3. Close the ledger: its word is final.
    """
    vigil = Vigil.from_wire(context.get_input())

    # 1. Open
    if vigil.generation == 0:
        yield from steps.ask_entity(context, contract.LEDGER, vigil.key, "open", vigil.question.to_wire())

    # 2. Wait
    cancelled = yield from _wait(context, vigil)
    if cancelled is None:
        context.continue_as_new(vigil.having(generation=vigil.generation + 1).to_wire())
        return None

    # 3. Close
    closed = yield from steps.ask_entity(context, contract.LEDGER, vigil.key, "close")
    return GateResult.from_wire({**closed, "cancelled": cancelled or None}).to_wire()


def _wait(context: Context, vigil: Vigil) -> Runbook[str | None]:
    """Wait for the gate's end and give the reason of a cancel, empty without one; None to go on waiting."""
    deadline, woken = vigil.question.closes_at, True
    for turn in range(TICKS_PER_GENERATION):
        event = f"decided-{vigil.generation}-{turn}"
        context.set_custom_status({"gate": vigil.question.gate.value, "listen": event})
        ledger = yield from steps.ask_entity(context, contract.LEDGER, vigil.key, "read")
        cancelled = (yield from steps.cancelled(context, vigil.question.run)) if woken else None
        if ledger["settled"] or cancelled or context.current_utc_datetime >= deadline:
            return cancelled or ""
        woken = yield from steps.pause(context, min(deadline, steps.after(context, TICK)), event)
    return None

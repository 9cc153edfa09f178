"""The entities that remember for a run: who holds a machine, what people decided, what they want of it.

An entity takes one operation at a time and keeps its state whatever crashes, so it can judge where an event
cannot: a lock has one holder, a decision is counted once.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any, Protocol

from domain import tally
from domain.approvals import folded
from domain.control import Control
from domain.delegation import delegations
from domain.gate import Choice, Entry, Question
from domain.wire import Answer


class EntityContext(Protocol):
    """The part of the durable entity context that is used here."""

    @property
    def operation_name(self) -> str | None:
        """What is asked."""
        ...

    def get_input(self) -> Any:
        """Give what is asked about."""
        ...

    def get_state(self, initializer: Callable[[], Any] | None = None) -> Any:
        """Give what is remembered."""
        ...

    def set_state(self, state: Any) -> None:
        """Remember."""
        ...

    def set_result(self, result: Any) -> None:
        """Answer."""
        ...


def machine_lock(context: EntityContext) -> None:
    """Hold one machine for one run at a time.

    take {run}: answers {holder}, the run that holds the machine from now on. release {run}: gives it back, if
    that run holds it. read: answers {holder}.
    """
    state: dict[str, str | None] = context.get_state(lambda: None) or {}
    about: dict[str, str] = context.get_input() or {}
    holder, run = state.get("holder"), about.get("run")
    match context.operation_name:
        case "take":
            holder = holder or run
        case "release":
            holder = None if holder == run else holder
        case _:
            pass
    context.set_state({"holder": holder})
    context.set_result({"holder": holder})


# The register keeps the newest; reports of older runs are found by their id.
REMEMBERED = 1_000


def run_register(context: EntityContext) -> None:
    """Remember which runs there were, the newest first.

    add {id}: remembers a run. forget {ids}: takes runs off that are no more. read: answers {runs}.
    """
    state: dict[str, list[str]] = context.get_state(lambda: None) or {}
    known = state.get("runs", [])
    match context.operation_name:
        case "add":
            run: str = context.get_input()["id"]
            known = [run, *(each for each in known if each != run)][:REMEMBERED]
        case "forget":
            gone = frozenset(context.get_input()["ids"])
            known = [each for each in known if each not in gone]
        case _:
            pass
    context.set_state({"runs": known})
    context.set_result({"runs": known})


class Wish(Answer):
    """What somebody wants of a run."""

    by: str | None = None
    reason: str | None = None
    at: datetime | None = None


def run_control(context: EntityContext) -> None:
    """Remember what people want of a run as a whole.

    cancel, pause {by, reason, at}; resume {by, at}; withdraw {reason, at}: see `domain.control`. read: answers
    what is remembered.
    """
    control = Control.from_wire(context.get_state(lambda: None) or {})
    wish = Wish.from_wire(context.get_input() or {})
    by, reason = wish.by or "somebody", wish.reason or ""
    match context.operation_name:
        case "cancel":
            control = control.cancel(by=wish.by, reason=reason, at=wish.at)
        case "pause" if wish.at is not None:
            control = control.pause(by=by, reason=reason, at=wish.at)
        case "resume" if wish.at is not None:
            control = control.resume(by=by, at=wish.at)
        case "withdraw":
            control = control.withdraw(reason=reason)
        case _:
            pass
    state = control.to_wire() | ({"paused": control.paused} if control.paused else {})
    context.set_state(state)
    context.set_result(state)


def run_memory(context: EntityContext) -> None:
    """Remember what a run takes along from one boot group to the next.

    keep {...}: remembers that instead of what was remembered before. read: answers it. forget: remembers nothing.
    """
    state: dict[str, Any] | None = context.get_state(lambda: None)
    match context.operation_name:
        case "keep":
            state = context.get_input()
        case "forget":
            state = None
        case _:
            context.set_result(state)
    context.set_state(state)


def decision_ledger(context: EntityContext) -> None:
    """Keep the decisions of one gate and judge each of them.

    open {question}: begins the ledger; again, with the same question, changes nothing. decide {entry}: judges
    a decision. read: answers {settled, approved, brokenGlass, people, heard, delegations}. close: takes no more;
    answers {outcomes, entries}.
    """
    state = context.get_state(lambda: None)
    if context.operation_name == "open":
        question = Question.from_wire(context.get_input())
        state = state or {**tally.Ledger(question=question).to_wire(), "hash": question.hash}
    elif state is not None:
        ledger = _turned(context, tally.Ledger.from_wire(state))
        state = {**ledger.to_wire(), "hash": ledger.question.hash}
        context.set_result(_said(context.operation_name, ledger))
    context.set_state(state)


def _turned(context: EntityContext, ledger: tally.Ledger) -> tally.Ledger:
    if context.operation_name == "decide":
        return tally.judge(ledger, Entry.from_wire(context.get_input()))
    return tally.close(ledger) if context.operation_name == "close" else ledger


def _heard(ledger: tally.Ledger) -> frozenset[str]:
    """Give those whom the policy names, or a voice was handed to, and who have answered or handed theirs over."""
    policy = ledger.question.policy
    further = policy.escalate_to.approvers if policy.escalate_to else ()
    known_as = frozenset[str]().union(*(entry.known_as for entry in ledger.recorded))
    delegates = (name for each in delegations(ledger.entries) for name in each.handed_to)
    return folded((*policy.approvers, *further, *delegates)) & known_as


def _said(operation: str | None, ledger: tally.Ledger) -> dict[str, Any]:
    if operation == "close":
        outcomes = {name: outcome.to_wire() for name, outcome in ledger.outcomes.items()}
        return {"outcomes": outcomes, "entries": [entry.to_wire() for entry in ledger.entries]}
    approved = any(entry.decision is Choice.APPROVE for entry in ledger.recorded)
    broken_glass = [entry.to_wire() for entry in ledger.recorded if entry.break_glass]
    return {
        "settled": ledger.is_settled,
        "approved": approved,
        "brokenGlass": broken_glass,
        "people": len({entry.person for entry in ledger.recorded if entry.decision is not Choice.DELEGATE}),
        "heard": sorted(_heard(ledger)),
        "delegations": [entry.to_wire() for entry in delegations(ledger.entries)],
    }

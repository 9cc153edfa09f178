"""Taking and giving back the locks of machines, so many at a time that no history grows with the estate."""

from __future__ import annotations

from typing import Any, Final

from domain import contract
from domain.wire import Answer
from orchestrators import steps
from orchestrators.context import Context, Runbook

# A fan-out is replayed at every step after it; this one ends with its child.
LOCKS_AT_ONCE: Final = 100


class Hold(Answer):
    """Which locks are asked what, for which run."""

    run: str
    operation: str
    keys: tuple[str, ...]


class Holders(Answer):
    """Who holds each lock from now on, in the order of the keys."""

    holders: tuple[str | None, ...]


def hold(context: Context) -> Runbook[dict[str, Any]]:
    """Ask some locks the same at once, and say who holds each."""
    asked = Hold.from_wire(context.get_input())
    answers = yield from steps.ask_entities(
        context, contract.MACHINE_LOCK, asked.keys, asked.operation, {"run": asked.run}
    )
    return Holders(holders=tuple(answer["holder"] for answer in answers)).to_wire()

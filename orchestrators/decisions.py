"""The entity that remembers decisions beside a run's gates: which went where, and which no gate took in."""

from __future__ import annotations

from typing import Any, Final

from domain import tally
from domain.gate import Entry
from orchestrators.ledgers import EntityContext

SENT_KEPT: Final = 1_000


def run_decisions(context: EntityContext) -> None:
    """Keep what became of decisions where a gate's own ledger cannot: before it is asked, and after it closed.

    sent {id, key}: a decision of this id went to the ledger of this key. stray {entry}: a decision that no gate
    took in; it changes nothing, and is kept in brief as in a ledger. read: answers {sent, strays}.
    """
    state: dict[str, Any] = context.get_state(lambda: None) or {}
    sent: dict[str, str] = state.get("sent", {})
    strays: list[dict[str, Any]] = state.get("strays", [])
    about: dict[str, Any] = context.get_input() or {}
    match context.operation_name:
        case "sent":
            sent = dict([*sent.items(), (about["id"], about["key"])][-SENT_KEPT:])
        case "stray":
            entries = [Entry.from_wire(each) for each in strays if each["id"] != about["id"]]
            kept = tally.kept_of((*entries, Entry.from_wire(about).in_brief))
            strays = [entry.to_wire() for entry in kept]
        case _:
            pass
    context.set_state({"sent": sent, "strays": strays})
    context.set_result({"sent": sent, "strays": strays})

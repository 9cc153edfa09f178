"""The entity that keeps decisions which reached no gate: sent too late, too early, or by somebody who may not."""

from __future__ import annotations

from typing import Any, Final

from orchestrators.ledgers import EntityContext

# Anybody who may sign in can send some; the newest are kept.
KEPT: Final = 100


def stray_decisions(context: EntityContext) -> None:
    """Keep the newest decisions of a run that no gate took in; they change nothing.

    keep {entry}: keeps one; again, with the same id, changes nothing. read: answers {entries}.
    """
    state: dict[str, list[dict[str, Any]]] = context.get_state(lambda: None) or {}
    entries = state.get("entries", [])
    if context.operation_name == "keep":
        entry: dict[str, Any] = context.get_input()
        entries = [*(each for each in entries if each["id"] != entry["id"]), entry][-KEPT:]
    context.set_state({"entries": entries})
    context.set_result({"entries": entries})

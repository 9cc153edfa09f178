"""The entities that remember between runs: how drills went, and which tests are not proven gone yet."""

from __future__ import annotations

from typing import Any

from domain.drills import Diary, Held, entered
from domain.leftovers import Register, Swept, Traces
from orchestrators.ledgers import EntityContext


def drill_diary(context: EntityContext) -> None:
    """Remember the drills of one vault, and each machine's last.

    enter {held}: writes a drill down; again, it stands there once. read: answers the diary.
    """
    diary = Diary.from_wire(context.get_state(lambda: None) or {})
    if context.operation_name == "enter":
        diary = entered(diary, Held.from_wire(context.get_input()))
    context.set_state(diary.to_wire())
    context.set_result(diary.to_wire())


def test_register(context: EntityContext) -> None:
    """Remember what runs saw of test machines, until it is proven gone.

    note {traces}: adds some. gone {ids}: forgets some. sweep {swept}: keeps what a sweep of a vault found.
    read: answers the register.
    """
    register = Register.from_wire(context.get_state(lambda: None) or {})
    about: dict[str, Any] = context.get_input() or {}
    match context.operation_name:
        case "note":
            register = register.noted(Traces.from_wire(each) for each in about["traces"])
        case "gone":
            register = register.gone(about["ids"])
        case "sweep":
            swept = Swept.from_wire(about)
            register = register.having(swept={**register.swept, swept.vault.casefold(): swept})
        case _:
            pass
    context.set_state(register.to_wire())
    context.set_result(register.to_wire())

"""The entity that keeps a route's alerts: one at a time, each once, whatever crashes."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from domain import alert_desk as desks
from domain.alert_desk import Desk, Ending, Hit
from orchestrators.ledgers import EntityContext


def alert_desk(context: EntityContext) -> None:
    """Remember the alerts of one route.

    take {hit, now}: answers what became of an alert. ready {storm, id, now}: answers what its proposal does next.
    propose {storm, id, run, now}: the same, and ties the run to the storm where it may go. close {storm, id,
    ending, outcome, now}: ends the storm, and answers whether it begins anew.
    """
    desk = Desk.from_wire(context.get_state(lambda: None) or {})
    about: dict[str, Any] = context.get_input() or {}
    if context.operation_name in _OPERATIONS:
        desk, result = _OPERATIONS[context.operation_name](desk, about)
        context.set_result(result)
    context.set_state(desk.to_wire())


def _take(desk: Desk, about: dict[str, Any]) -> tuple[Desk, dict[str, Any]]:
    desk, heard = desks.take(desk, Hit.from_wire(about["hit"]), _now(about))
    return desk, heard.to_wire()


def _ready(desk: Desk, about: dict[str, Any]) -> tuple[Desk, dict[str, Any]]:
    desk, found = desks.ready(desk, about["storm"], about["id"], _now(about))
    return desk, found.to_wire()


def _propose(desk: Desk, about: dict[str, Any]) -> tuple[Desk, dict[str, Any]]:
    desk, found = desks.propose(desk, about["storm"], about["id"], about["run"], _now(about))
    return desk, found.to_wire()


def _close(desk: Desk, about: dict[str, Any]) -> tuple[Desk, dict[str, Any]]:
    ending = Ending(about["ending"])
    desk, again = desks.close(desk, about["storm"], about["id"], ending, _now(about), outcome=about["outcome"])
    return desk, {"again": again}


_OPERATIONS = {"take": _take, "ready": _ready, "propose": _propose, "close": _close}


def _now(about: dict[str, Any]) -> datetime:
    return datetime.fromisoformat(about["now"])

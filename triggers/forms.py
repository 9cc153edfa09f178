"""Reading the form of a gate's page: what a person chose, as the same request that the API takes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import parse_qs

import azure.functions as func
from pydantic import ValidationError

from domain.errors import Refusal, bounded
from domain.gate import Choice, DecisionRequest
from triggers.control import OPERATIONS, ReasonRequest
from triggers.problems import ProblemError, bad, faults_of, unknown

# A thousand machines with a point each take less.
LARGEST_FORM: Final = 262_144
_MOST_FIELDS: Final = 4_000
_POINT: Final = "point-"
Fields = Mapping[str, Sequence[str]]
# What the form of a gate's page is made of, for whoever reads the API's description.
FIELDS: Final[Mapping[str, str]] = {
    "csrf": "The token that the page carried; it is good for this person and this question.",
    "gate": "The gate that the page showed.",
    "planHash": "The hash of what the page showed.",
    "decision": "What shall be done.",
    "machine": "A machine that is meant; once for each, where the gate asks about several.",
    "point-0": "Another recovery point for the first machine, by policy or as id:NAME; point-1 for the second.",
    "comment": "The reason.",
    "notBefore": "When an approval may be acted on, in UTC, as in 2026-11-22T02:00.",
    "breakGlass": "yes: decide alone.",
    "to": "Who decides instead, by mail address or Entra object id; read with the decision delegate only.",
}


# That of a run's page by which it is steered.
STEERING: Final[Mapping[str, str]] = {
    "csrf": "The token that the page carried; it is good for this person and this run.",
    "operation": "pause, resume or cancel.",
    "reason": "Why.",
}


def fields(req: func.HttpRequest) -> Fields:
    """Read a form's fields.

    Raises:
        ProblemError: 413 for a form that is too large, 400 for what is none.
    """
    body = req.get_body() or b""
    if len(body) > LARGEST_FORM:
        detail = f"the form has {len(body):,} bytes, at most {LARGEST_FORM:,} are read"
        raise ProblemError(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "the form is too large", detail)
    try:
        text = body.decode("utf-8")
        return parse_qs(text, keep_blank_values=True, max_num_fields=_MOST_FIELDS, errors="strict")
    except ValueError as error:
        what, remedy = bounded(str(error), 200), "load the page again, and send its own form"
        raise bad([Refusal(code="form", what=what, remedy=remedy, about="form")], "this is no form") from None


def first(form: Fields, name: str) -> str:
    """Give the first value of a field, empty without one."""
    return next(iter(form.get(name, ())), "").strip()


def decision(form: Fields, machines: Sequence[str]) -> DecisionRequest:
    """Put a form's choices into a decision; `machines` are the gate's, in the order the form shows them.

    Raises:
        ProblemError: 400, naming every fault.
    """
    chosen = first(form, "decision")
    asked: dict[str, Any] = {
        "gate": first(form, "gate"),
        "decision": chosen,
        "comment": first(form, "comment").replace("\r\n", "\n"),
        "planHash": first(form, "planHash"),
        "breakGlass": first(form, "breakGlass") == "yes",
    }
    # The page shows this only with the answer that it belongs to; a browser sends it all the same.
    later = first(form, "notBefore") if chosen == Choice.APPROVE.value else ""
    faults = _no_instant(later)
    if later and not faults:
        asked["notBefore"] = f"{datetime.fromisoformat(later).replace(tzinfo=None).isoformat()}Z"
    if chosen == Choice.CHANGE_POINT.value:
        asked["recoveryPoints"] = _points(form, machines)
    elif chosen == Choice.DELEGATE.value:
        asked["to"] = first(form, "to")
    elif len(machines) > 1:
        asked["machines"] = list(form.get("machine", ()))
    request = None
    try:
        request = DecisionRequest.from_wire(asked)
    except ValidationError as error:
        faults += [fault for each in error.errors(include_url=False) for fault in faults_of(each)]
    if faults or request is None:
        raise bad(faults, "nothing was recorded")
    return request


def steering(form: Fields) -> tuple[str, str]:
    """Read what shall become of a run, and why.

    Raises:
        ProblemError: 400, naming every fault.
    """
    operation, reason = first(form, "operation"), first(form, "reason").replace("\r\n", "\n")
    faults = [] if operation in OPERATIONS else [unknown("operation", operation, OPERATIONS)]
    try:
        reason = ReasonRequest(reason=reason).reason
    except ValidationError as error:
        faults += [fault for each in error.errors(include_url=False) for fault in faults_of(each)]
    if faults:
        raise bad(faults, "nothing was changed")
    return operation, reason


def _no_instant(text: str) -> list[Refusal]:
    """Say what is wrong with what a browser sent for a local date and time, which the page says is UTC."""
    try:
        datetime.fromisoformat(text or "2026-11-22T02:00")
    except ValueError:
        what, remedy = f"{bounded(text, 40)!r} is no time", "write it as in 2026-11-22T02:00"
        return [Refusal(code="datetime", what=what, remedy=remedy, about="notBefore")]
    return []


def _points(form: Fields, machines: Sequence[str]) -> dict[str, Any]:
    """Read the recovery point of each machine that is to change; ids are marked as such by the page."""
    found = {name: first(form, f"{_POINT}{number}") for number, name in enumerate(machines)}
    return {name: _point(value) for name, value in found.items() if value}


def _point(value: str) -> dict[str, str]:
    kind, _, name = value.partition(":")
    return {"select": "custom", "id": name} if kind == "id" else {"select": value}

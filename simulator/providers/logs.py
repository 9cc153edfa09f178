"""The Log Analytics query endpoint."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict

from simulator.faults import FaultName, Occasion
from simulator.kql import KqlError, Table, run, write_value
from simulator.messages import Response, json_response
from simulator.providers.log_tables import tables
from simulator.times import parse_instant

if TYPE_CHECKING:
    from simulator.call import Call

_PERIOD = re.compile(
    r"P(?:(?P<days>[\d.]+)D)?(?:T(?:(?P<hours>[\d.]+)H)?(?:(?P<minutes>[\d.]+)M)?"
    r"(?:(?P<seconds>[\d.]+)S)?)?$"
)


class _Query(BaseModel):
    model_config = ConfigDict(extra="allow")

    query: str
    timespan: str | None = None


class _BatchPart(BaseModel):
    model_config = ConfigDict(extra="allow")

    id: str
    body: _Query


class _Batch(BaseModel):
    model_config = ConfigDict(extra="allow")

    requests: list[_BatchPart]


def query_workspace(call: Call) -> Response:
    """Answer a query of a workspace."""
    return _query(call, scope=None)


def query_resource(call: Call) -> Response:
    """Answer a query of a resource, a group or a subscription: only its own records."""
    path = call.request.path.lower()
    scope = path[path.index("/v1/") + 3 :].removesuffix("/query")
    return _query(call, scope=scope)


def query_batch(call: Call) -> Response:
    """Answer several queries of workspaces, each with its own status (read from the SDK)."""
    asked = call.body(_Batch)
    answers: list[dict[str, object]] = []
    for one in asked.requests:
        answer = _answer(call, one.body, scope=None)
        answers.append({"id": one.id, "status": answer.status, "headers": {}, "body": answer.json()})
    return json_response({"responses": answers})


def _query(call: Call, scope: str | None) -> Response:
    return _answer(call, call.body(_Query), scope)


def _answer(call: Call, asked: _Query, scope: str | None) -> Response:
    world = call.world
    if _struck(call, FaultName.WORKSPACE_MISSING):
        return _no_workspace(call)
    try:
        window = _window(asked.timespan, world.now)
        empty = _struck(call, FaultName.TABLE_MISSING)
        known = {n: _within(t, window) for n, t in tables(world, scope).items() if not empty}
        table = run(asked.query, known, world.now)
    except KqlError as fault:
        return json_response({"error": fault.to_json(call.trace.correlation_id)}, 400)
    rows = [[write_value(value) for value in row] for row in table.rows]
    columns = [{"name": name, "type": kind} for name, kind in table.columns]
    answer: dict[str, object] = {"tables": [{"name": "PrimaryResult", "columns": columns, "rows": rows}]}
    if _struck(call, FaultName.PARTIAL_RESULT):
        answer["error"] = _partial()
    return json_response(answer)


def _struck(call: Call, name: FaultName) -> bool:
    occasion = Occasion(method="POST", path=call.request.path)
    return call.world.faults.strike(name, occasion, call.world.now) is not None


def _no_workspace(call: Call) -> Response:
    """Answer 404 for a workspace that is not there; invented: the code and words of a missing workspace."""
    error = {
        "message": "The requested path does not exist",
        "code": "PathNotFoundError",
        "correlationId": call.trace.correlation_id,
    }
    return json_response({"error": error}, 404)


def _partial() -> dict[str, object]:
    """Write the error that comes beside a partial result, with status 200 (read from the SDK)."""
    message = "There were some errors when processing your query."
    inner = {"code": "QueryExecutionError", "message": "Some nodes did not answer in time."}
    return {"code": "PartialError", "message": message, "details": [inner]}


def _window(timespan: str | None, now: datetime) -> tuple[datetime, datetime] | None:
    """Read `PT1H`, `start/end` or `start/PT1H`; None is for ever. Raises KqlError for the rest."""
    if not timespan or timespan == "None":
        return None
    first, _, second = timespan.partition("/")
    try:
        if not second:
            return now - _period(first), now
        if first.startswith("P"):
            end = parse_instant(second)
            return end - _period(first), end
        start = parse_instant(first)
        return start, start + _period(second) if second.startswith("P") else parse_instant(second)
    except ValueError as fault:
        raise KqlError("BadArgumentError", "InvalidTimespan", str(fault)) from fault


def _period(text: str) -> timedelta:
    match = _PERIOD.match(text)
    if match is None:
        raise ValueError(f"cannot read the period '{text}'")
    parts = {name: float(value) for name, value in match.groupdict(default="0").items()}
    return timedelta(**parts)


def _within(table: Table, window: tuple[datetime, datetime] | None) -> Table:
    if window is None:
        return table
    at = [name for name, _ in table.columns].index("TimeGenerated")
    start, end = window
    kept = [
        row
        for row in table.rows
        if isinstance(row[at], datetime) and start <= row[at] <= end  # pyright: ignore[reportOperatorIssue]
    ]
    return replace(table, rows=kept)

"""The Log Analytics query endpoint: answers from the same state as everything else."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict

from simulator.kql import KqlError, Table, run, write_value
from simulator.messages import Response, json_response

if TYPE_CHECKING:
    from simulator.call import Call
    from simulator.kql import Value
    from simulator.model import VirtualMachine
    from simulator.world import World

BEAT = timedelta(minutes=1)
INGESTION = timedelta(seconds=60)
KEPT = timedelta(hours=3)


class _Query(BaseModel):
    model_config = ConfigDict(extra="allow")

    query: str
    timespan: str | None = None


def query_workspace(call: Call) -> Response:
    """Answer a query of a workspace."""
    return _query(call, scope=None)


def query_resource(call: Call) -> Response:
    """Answer a query of a resource, a group or a subscription: only its own records."""
    path = call.request.path.lower()
    scope = path[path.index("/v1/") + 3 :].removesuffix("/query")
    return _query(call, scope=scope)


def _query(call: Call, scope: str | None) -> Response:
    asked = call.body(_Query)
    try:
        table = run(asked.query, _tables(call.world, scope), call.world.now)
    except KqlError as fault:
        return json_response({"error": fault.to_json(call.trace.correlation_id)}, 400)
    rows = [[write_value(value) for value in row] for row in table.rows]
    columns = [{"name": name, "type": kind} for name, kind in table.columns]
    return json_response({"tables": [{"name": "PrimaryResult", "columns": columns, "rows": rows}]})


def _tables(world: World, scope: str | None) -> dict[str, Table]:
    return {"Heartbeat": heartbeats(world, scope)}


def heartbeats(world: World, scope: str | None) -> Table:
    """Make the Heartbeat table: one record a minute of every machine that ran, minutes after it did."""
    columns = (
        ("TimeGenerated", "datetime"),
        ("Computer", "string"),
        ("OSType", "string"),
        ("Category", "string"),
        ("VMUUID", "string"),
        ("ResourceGroup", "string"),
        ("SubscriptionId", "string"),
        ("ComputerEnvironment", "string"),
        ("_ResourceId", "string"),
    )
    rows: list[tuple[Value, ...]] = []
    for machine in world.vms.values():
        resource = machine.id.lower()
        if scope is None or resource == scope or resource.startswith(f"{scope}/"):
            rows += _beats(world, machine)
    return Table(columns, rows)


def _beats(world: World, machine: VirtualMachine) -> list[tuple[Value, ...]]:
    spans = [*machine.earlier_runs]
    if machine.running:
        spans.append((machine.since, world.now - INGESTION))
    parts = machine.id.split("/")
    rows: list[tuple[Value, ...]] = []
    for began, ended in spans:
        if machine.heartbeat_after == float("inf"):
            continue
        first = began + timedelta(seconds=machine.heartbeat_after)
        skipped = max(0, (world.now - KEPT - first) // BEAT)
        at = first + skipped * BEAT
        while at <= ended:
            rows.append(
                (
                    at,
                    machine.computer,
                    machine.os_type,
                    "Azure Monitor Agent",
                    machine.vm_guid,
                    parts[4],
                    parts[2],
                    "Azure",
                    machine.id.lower(),
                )
            )
            at += BEAT
    return rows

"""The door for decisions: stored and judged before they are acknowledged."""

from __future__ import annotations

import uuid
from http import HTTPStatus
from typing import Any, Final

import azure.functions as func
from azure.durable_functions import EntityId

from domain import contract
from domain.gate import DecisionRequest, Entry, Judgement
from identity import clock
from triggers import people, runs
from triggers.client import Client
from triggers.failbacks import door
from triggers.problems import ProblemError, answer, read

# An entity answers within a few queue polls; a decision that is not judged by then is still stored.
JUDGED_WITHIN: Final = 25.0
_LARGEST: Final = 262_144

_STATUS: Final = {
    Judgement.NOT_PERMITTED: HTTPStatus.FORBIDDEN,
    Judgement.STALE: HTTPStatus.CONFLICT,
    Judgement.DUPLICATE: HTTPStatus.CONFLICT,
    Judgement.LATE: HTTPStatus.GONE,
    Judgement.UNFIT: HTTPStatus.BAD_REQUEST,
}
_TITLES: Final = {
    Judgement.NOT_PERMITTED: "this person may not decide here",
    Judgement.STALE: "the decision is stale",
    Judgement.DUPLICATE: "this is decided already",
    Judgement.LATE: "the gate is closed",
    Judgement.UNFIT: "the decision does not fit the gate",
}


@door
async def decide(req: func.HttpRequest, client: Client) -> func.HttpResponse:
    """Record a person's decision at a gate: 200 once it counts, else why it does not."""
    by = people.person(req)
    request = read(req, DecisionRequest, _LARGEST)
    run = req.route_params["id"]
    key = await _open_gate(client, run, request)
    entry = Entry(
        id=uuid.uuid4().hex,
        gate=request.gate,
        by=by,
        decision=request.decision,
        at=clock.now(),
        comment=request.comment,
        machines=request.machines,
        recovery_points=request.recovery_points or {},
        plan_hash=request.plan_hash,
    )
    await client.signal_entity(EntityId(contract.LEDGER, key), "decide", entry.to_wire())
    judged = await _judged(client, key, entry.id)
    if judged.judgement is not Judgement.RECORDED:
        raise _not_recorded(judged)
    await runs.wake(client, key)
    return answer({"id": entry.id, "by": by, "judgement": Judgement.RECORDED.value})


async def _open_gate(client: Client, run: str, request: DecisionRequest) -> str:
    """Find the gate that is asked at now.

    Raises:
        ProblemError: 404 without such a run, 410 when it has ended, 409 when it does not ask there.
    """
    status = await runs.find(client, run)
    if runs.has_finished(status):
        raise ProblemError(HTTPStatus.GONE, f"run {run} has ended", "its report says how")
    shown = runs.document(status.custom_status)
    if shown.get("gate") != request.gate.value or not shown.get("child"):
        now = f"it asks at gate {shown['gate']}" if shown.get("gate") else f"now: {shown.get('words', 'starting')}"
        raise ProblemError(HTTPStatus.CONFLICT, f"the run does not ask at gate {request.gate.value}", now)
    key = str(shown["child"])
    if await runs.ledger_of(client, key) is None:
        raise ProblemError(HTTPStatus.CONFLICT, "the gate is just being opened", "read the run again, then decide")
    return key


async def _judged(client: Client, key: str, entry: str) -> Entry:
    """Wait until the ledger has judged a decision."""
    async for _ in runs.beats(JUDGED_WITHIN):
        ledger = await runs.ledger_of(client, key) or {}
        entries: list[dict[str, Any]] = ledger.get("entries", [])
        found = next((each for each in entries if each["id"] == entry), None)
        if found is not None:
            return Entry.from_wire(found)
    await runs.wake(client, key)
    raise ProblemError(
        HTTPStatus.SERVICE_UNAVAILABLE,
        "the decision is stored but not judged yet",
        f"GET the run again before deciding anew: decision {entry} shows there once it is judged",
    )


def _not_recorded(entry: Entry) -> ProblemError:
    judgement = entry.judgement or Judgement.UNFIT
    detail = f"{entry.by} {entry.why}" if judgement is Judgement.NOT_PERMITTED else entry.why
    return ProblemError(_STATUS[judgement], _TITLES[judgement], detail, judgement=judgement.value)

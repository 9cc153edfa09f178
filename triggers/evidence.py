"""The door to evidence: all records of a run as they were written, for whoever must be shown them.

Evidence outlives the host's history, so it is not asked whether the host still knows the run.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from http import HTTPStatus
from typing import Final, TypeAlias
from urllib.parse import quote

import azure.functions as func

from domain.controls import pack
from domain.evidence import Reading, to_lines
from triggers.client import Client
from triggers.problems import ProblemError, answer, bad, unknown

Reader: TypeAlias = Callable[[str], Reading]
LINES: Final = "application/x-ndjson"
_chosen: list[Reader] = []


def read_with(reader: Reader) -> None:
    """Read evidence with this from now on; whoever composes the app says so once."""
    _chosen[:] = [reader]


async def download(req: func.HttpRequest, client: Client) -> func.HttpResponse:
    """Give the records of a run as JSON Lines, or with ?format=pack with what auditors ask for around them."""
    del client
    run = req.route_params["id"]
    form = (req.params.get("format") or "jsonl").casefold()
    if form not in {"jsonl", "pack"}:
        raise bad([unknown("format", form, ("jsonl", "pack"))])
    # The store is read with a client that blocks, and others are being served meanwhile.
    records = _records(run, await asyncio.to_thread(_chosen[0], run))
    if form == "pack":
        return answer(pack(run, records).to_wire())
    name = quote(f"evidence-{run}.jsonl", safe="")
    return func.HttpResponse(
        to_lines(records),
        mimetype=LINES,
        charset="utf-8",
        headers={"Content-Disposition": f"attachment; filename*=UTF-8''{name}"},
    )


def _records(run: str, reading: Reading) -> list[dict[str, object]]:
    if reading.unread is not None:
        detail = f"ask again in a moment: {reading.unread}"
        raise ProblemError(
            HTTPStatus.SERVICE_UNAVAILABLE, "the evidence cannot be read now", detail, headers={"Retry-After": "5"}
        )
    if reading.refusal is not None:
        faults = [reading.refusal]
        raise ProblemError(HTTPStatus.CONFLICT, "the evidence cannot be read", reading.refusal.what, faults)
    if not reading.records:
        raise ProblemError(HTTPStatus.NOT_FOUND, f"there is no evidence of run {run[:100]}")
    return list(reading.records)

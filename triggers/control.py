"""The doors that steer a run: cancel it, hold it, let it go on; each at its next safe point."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any, Final

import azure.functions as func
from azure.durable_functions import EntityId

from domain import contract
from domain.people import Caller
from domain.request import Comment
from domain.wire import Wire
from identity import clock
from triggers import people, runs
from triggers.client import Client
from triggers.problems import ProblemError, answer, read

_LARGEST: Final = 16_384


OPERATIONS: Final = ("pause", "resume", "cancel")


class ReasonRequest(Wire):
    """Why a run is to end early, or to wait."""

    reason: Comment = ""


async def cancel_failback(req: func.HttpRequest, client: Client) -> func.HttpResponse:
    """Cancel a run at its next safe point; a job that runs is watched to its end."""
    words = "nothing more is started; what runs is watched to its end, and a rehearsal is cleaned up"
    return await _steer(req, client, "cancel", "cancelling", words)


async def pause_failback(req: func.HttpRequest, client: Client) -> func.HttpResponse:
    """Hold a run at its next safe point, until it is resumed; a job that runs is watched to its end."""
    words = "nothing more is started until it is resumed; what runs is watched to its end"
    return await _steer(req, client, "pause", "pausing", words)


async def resume_failback(req: func.HttpRequest, client: Client) -> func.HttpResponse:
    """Let a run that is held go on."""
    return await _steer(req, client, "resume", "resuming", "it goes on where it was held")


async def _steer(
    req: func.HttpRequest, client: Client, operation: str, status: str, words: str
) -> func.HttpResponse:
    run = req.route_params["id"]
    request = read(req, ReasonRequest, _LARGEST) if req.get_body() else ReasonRequest()
    await steer(client, run, people.person(req), operation, request.reason)
    return answer({"id": run, "status": status, "words": words}, HTTPStatus.ACCEPTED)


async def steer(client: Client, run: str, by: Caller, operation: str, reason: str) -> None:
    """Ask a run to cancel, pause or resume, and wake it.

    Raises:
        ProblemError: 404 when there is no such run, 410 when it has ended.
    """
    found = await runs.find(client, run)
    if runs.has_finished(found):
        raise ProblemError(HTTPStatus.GONE, f"run {run} has ended", "its report says how")
    about: dict[str, Any] = {"by": by.name, "reason": reason, "at": clock.now().isoformat()}
    await client.signal_entity(EntityId(contract.CONTROL, run), operation, about)
    await runs.wake(client, runs.document(found.custom_status).get("child"))

"""The durable HTTP API, for people and scripts, and for the SDK's client (EXT HttpApiHandler.cs).

One handler serves both; only the public face asks for a key.
"""

import json
from collections.abc import Awaitable, Callable
from enum import StrEnum
from typing import Any

from localhost.client import (
    AlreadyExistsError,
    ArgumentError,
    Client,
    ClientError,
    GoneError,
    NotFoundError,
    Status,
    loads,
)
from localhost.engine.events import moment
from localhost.http.links import Links
from localhost.http.message import Request, Response, json_response
from localhost.http.queries import (
    CONTINUATION,
    InvalidJsonError,
    body_of,
    is_json,
    moment_of,
    query_of,
    seconds,
)

_BAD_ARGUMENT = "One or more of the arguments submitted is incorrect"

# How the API writes an entity key that is empty.
_EMPTY_KEY = "$"

Wait = Callable[[str, float, float], Awaitable[Status | None]]


class Edition(StrEnum):
    """Which extension's codes the API answers with where they changed.

    The later one answers 409 where an instance that is not finished stands in the way of a start or restart (500
    before), and 412 to rewinding what did not fail (410 or 500) and to purging what is not finished (which deleted
    it).
    """

    OF_2024 = "2024"
    OF_2026 = "2026"


async def _no_wait(_instance_id: str, _timeout: float, _interval: float) -> Status | None:
    return None


class Management:
    """Serves the durable API; `wait` is how it waits for the end of an instance."""

    def __init__(
        self,
        client: Client,
        links: Callable[[], Links],
        edition: Edition = Edition.OF_2024,
    ) -> None:
        self._client = client
        self._links = links
        self.wait: Wait = _no_wait
        self._is_strict = edition is Edition.OF_2026

    async def serve(self, request: Request, path: str) -> Response:
        """Answer a request; `path` is what follows the API's own prefix."""
        parts = [part for part in path.split("/") if part]
        try:
            return await self._route(request, parts)
        except NotFoundError:
            return Response(404)
        except GoneError:
            return Response(410)
        except InvalidJsonError as error:
            return _problem(400, "Invalid JSON content", error)
        except ArgumentError as error:
            return _problem(400, _BAD_ARGUMENT, error)
        except ClientError as error:
            return _problem(500, "Something went wrong while processing your request", error)

    async def _route(self, request: Request, parts: list[str]) -> Response:  # noqa: PLR0911  one per call
        match request.method, [part.lower() for part in parts[:1]], parts[1:]:
            case "POST", ["orchestrators"], [name, *rest] if len(rest) <= 1:
                return await self._start(request, name, rest[0] if rest else None)
            case "GET", ["instances"], []:
                return self._list(request)
            case "DELETE", ["instances"], []:
                return self._purge_by(request)
            case "GET", ["instances"], [instance_id]:
                return self._status(request, instance_id)
            case "DELETE", ["instances"], [instance_id]:
                return self._purge(instance_id)
            case "POST", ["instances"], [instance_id, operation, *rest]:
                return await self._operate(request, instance_id, operation.lower(), rest)
            case "GET", ["entities"], [] | [_]:
                return self._entities(request, parts[1] if len(parts) > 1 else None)
            case method, ["entities"], [name, key]:
                return self._entity(method, request, name, key)
            case _:
                return Response(404)

    # --- starting and looking ---

    async def _start(self, request: Request, name: str, instance_id: str | None) -> Response:
        body = body_of(request) if request.body else None
        try:
            found = self._client.start(name, body, instance_id=instance_id, version=request.value("version"))
        except AlreadyExistsError as error:
            if not self._is_strict:
                raise
            return json_response(409, {"Message": str(error)})
        return await self._started(request, found)

    async def _started(self, request: Request, instance_id: str) -> Response:
        """Answer with the way to the status, or with the end itself when that is waited for and comes in time."""
        timeout, interval = seconds(request, "timeout"), seconds(request, "pollingInterval")
        if timeout is not None and interval is not None:
            if interval > timeout:
                raise ArgumentError(f"Total timeout {timeout:g} should be bigger than retry timeout {interval:g}")
            status = await self.wait(instance_id, timeout, interval)
            if status is not None and status.is_finished:
                whole = _shown(status, with_input=True)
                return json_response(200, status.output if status.runtime_status == "Completed" else whole)
        return self._check_status(request, instance_id)

    def _check_status(self, request: Request, instance_id: str) -> Response:
        links = self._links().seen_from(request.url).check_status(instance_id)
        return json_response(202, links, [("Location", links["statusQueryGetUri"]), ("Retry-After", "10")])

    def _status(self, request: Request, instance_id: str) -> Response:
        status = self._client.status(
            instance_id,
            history=request.flag("showHistory", default=False),
            history_output=request.flag("showHistoryOutput", default=False),
        )
        if status is None:
            return Response(404)
        body = _shown(status, with_input=request.flag("showInput", default=True))
        if not status.is_finished:
            return json_response(202, body, [("Location", request.url), ("Retry-After", "5")])
        fails = status.runtime_status == "Failed" and request.flag(
            "returnInternalServerErrorOnFailure", default=False
        )
        return json_response(500 if fails else 200, body)

    def _list(self, request: Request) -> Response:
        page, following = self._client.find(query_of(request))
        with_input = request.flag("showInput", default=False)
        headers = [(CONTINUATION, json.dumps(following))] if following is not None else []
        return json_response(200, [_shown(status, with_input=with_input) for status in page], headers)

    def _purge(self, instance_id: str) -> Response:
        status = self._client.status(instance_id) if self._is_strict else None
        if status is not None and not status.is_finished:
            return json_response(
                412,
                "Only orchestrations in a terminal state can be purged, but the orchestration with instance ID "
                f"{instance_id} has status {status.runtime_status}",
            )
        return _purged(self._client.purge(instance_id))

    def _purge_by(self, request: Request) -> Response:
        query = query_of(request)
        if query.created_from is None:
            return json_response(400, "Please provide value for 'createdTimeFrom' parameter.")
        return _purged(self._client.purge_by(query))

    # --- telling ---

    async def _operate(self, request: Request, instance_id: str, operation: str, rest: list[str]) -> Response:
        reason = request.value("reason") or ""
        match operation, rest:
            case "raiseevent", [name]:
                return self._raise_event(request, instance_id, name)
            case "terminate", []:
                self._client.terminate(instance_id, reason)
            case "suspend", []:
                self._client.suspend(instance_id, reason)
            case "resume", []:
                self._client.resume(instance_id, reason)
            case "rewind", []:
                return self._rewind(instance_id, reason)
            case "restart", []:
                return await self._restart(request, instance_id)
            case _:
                return Response(404)
        return Response(202)

    def _rewind(self, instance_id: str, reason: str) -> Response:
        status = self._client.status(instance_id) if self._is_strict else None
        if status is not None and status.runtime_status != "Failed":
            return json_response(
                412,
                f"This orchestration has status {status.runtime_status}, but only orchestrations in the "
                '"Failed" state can be rewound.',
            )
        self._client.rewind(instance_id, reason)
        return Response(202)

    async def _restart(self, request: Request, instance_id: str) -> Response:
        new_id = request.flag("restartWithNewInstanceId", default=True)
        try:
            found = self._client.restart(instance_id, new_id=new_id)
        except ArgumentError as error:
            return _problem(400, "InstanceId does not match a valid orchestration instance.", error)
        except AlreadyExistsError as error:
            if not self._is_strict:
                raise
            return _problem(409, "A non-terminal instance with this instance ID already exists.", error)
        return await self._started(request, found)

    def _raise_event(self, request: Request, instance_id: str, name: str) -> Response:
        """Raise an event; whether there is anybody to hear it is asked first, what is said only then."""
        status = self._client.status(instance_id)
        if status is None:
            return Response(404)
        if status.is_finished:
            return Response(410)
        if not is_json(request):
            return json_response(400, {"Message": "Only application/json request content is supported"})
        self._client.raise_event(instance_id, name, body_of(request) if request.body else None)
        return Response(202)

    # --- entities ---

    def _entity(self, method: str, request: Request, name: str, key: str) -> Response:
        key = "" if key == _EMPTY_KEY else key
        match method:
            case "GET":
                state = self._client.entity_state(name, key)
                if state is None:
                    return Response(404)
                return Response(200, [("Content-Type", "application/json; charset=utf-8")], state.encode())
            case "POST":
                return self._signal(request, name, key)
            case "DELETE":
                self._client.signal_entity(name, key, "delete", None)
                return Response(202)
            case _:
                return Response(404)

    def _signal(self, request: Request, name: str, key: str) -> Response:
        """Signal an entity; a body that does not claim to be JSON is handed over as text."""
        body = None
        if request.body and is_json(request):
            try:
                body = body_of(request)
            except ArgumentError as error:
                return json_response(400, {"Message": f"Could not parse JSON content: {error}"})
        elif request.body:
            body = json.dumps(request.body.decode(errors="replace"))
        self._client.signal_entity(name, key, request.value("op") or "", body)
        return Response(202)

    def _entities(self, request: Request, name: str | None) -> Response:
        """List entities, those of one name or all; their states only when they are asked for."""
        since, until = moment_of(request, "lastOperationTimeFrom"), moment_of(request, "lastOperationTimeTo")
        found = [
            {"entityId": {"name": name, "key": key}, "lastOperationTime": used, "state": loads(state)}
            for name, key, state, used in self._client.entities(name)
            if (since is None or moment(used) >= since) and (until is None or moment(used) <= until)
        ]
        if not request.flag("fetchState", default=False):
            found = [{**one, "state": None} for one in found]
        return json_response(200, found)


def _problem(status: int, message: str, error: ClientError) -> Response:
    return json_response(
        status,
        {
            "Message": message,
            "ExceptionMessage": str(error),
            "ExceptionType": error.exception_type,
            "StackTrace": "",
        },
    )


def _purged(count: int) -> Response:
    return json_response(200, {"instancesDeleted": count}) if count else Response(404)


def _shown(status: Status, *, with_input: bool) -> dict[str, Any]:
    """Write a status as the API does; times in whole seconds."""
    body: dict[str, Any] = {
        "name": status.name,
        "instanceId": status.instance_id,
        "runtimeStatus": status.runtime_status,
        "input": status.input if with_input else None,
        "customStatus": status.custom_status,
        "output": status.output,
        "createdTime": f"{status.created:%Y-%m-%dT%H:%M:%SZ}",
        "lastUpdatedTime": f"{status.updated:%Y-%m-%dT%H:%M:%SZ}",
    }
    if status.history is not None:
        body["historyEvents"] = status.history
    return body

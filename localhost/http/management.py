"""The durable HTTP API, for people and scripts, and for the SDK's client (EXT HttpApiHandler.cs).

One handler serves both; only the public face asks for a key.
"""

import asyncio
import json
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

from localhost.client import (
    ArgumentError,
    Client,
    ClientError,
    GoneError,
    NotFoundError,
    Query,
    Status,
    loads,
)
from localhost.engine.events import RuntimeStatus
from localhost.http.links import Links
from localhost.http.message import Request, Response, json_response

_BY_TEXT = {status.text.lower(): status for status in RuntimeStatus}
_CONTINUATION = "x-ms-continuation-token"

Wait = Callable[[str, float, float], Awaitable[Status | None]]


class Management:
    """Serves the durable API."""

    def __init__(self, client: Client, links: Callable[[], Links], wait: Wait | None = None) -> None:
        self._client = client
        self._links = links
        self._wait = wait or self._wait_really

    async def serve(self, request: Request, path: str) -> Response:
        """Answer a request; `path` is what follows the API's own prefix."""
        parts = [part for part in path.split("/") if part]
        try:
            return await self._route(request, parts)
        except NotFoundError:
            return Response(404)
        except GoneError:
            return Response(410)
        except ArgumentError as error:
            return _problem(
                400, "One or more of the arguments submitted is incorrect", error, "System.ArgumentException"
            )
        except ClientError as error:
            return _problem(
                500, "Something went wrong while processing your request", error, f"System.{type(error).__name__}"
            )

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
                return _purged(self._client.purge(instance_id))
            case "POST", ["instances"], [instance_id, operation, *rest]:
                return self._operate(request, instance_id, operation.lower(), rest)
            case "GET", ["entities"], [] | [_]:
                return self._entities(parts[1] if len(parts) > 1 else None)
            case method, ["entities"], [name, key]:
                return self._entity(method, request, name, key)
            case _:
                return Response(404)

    # --- starting and looking ---

    async def _start(self, request: Request, name: str, instance_id: str | None) -> Response:
        body = _body(request) if request.body else None
        found = self._client.start(name, body, instance_id=instance_id, version=request.value("version"))
        timeout, interval = _seconds(request, "timeout"), _seconds(request, "pollingInterval")
        if timeout is not None and interval is not None:
            if interval > timeout:
                raise ArgumentError(f"Total timeout {timeout} should be bigger than retry timeout {interval}")
            status = await self._wait(found, timeout, interval)
            if status is not None and status.is_finished:
                return _waited(status)
        return self._check_status(found)

    def _check_status(self, instance_id: str) -> Response:
        links = self._links().check_status(instance_id)
        return json_response(202, links, [("Location", links["statusQueryGetUri"]), ("Retry-After", "10")])

    async def _wait_really(self, instance_id: str, timeout: float, interval: float) -> Status | None:  # noqa: ASYNC109
        deadline = time.monotonic() + timeout
        while True:
            status = self._client.status(instance_id)
            left = deadline - time.monotonic()
            if status is None or status.is_finished or left <= 0:
                return status
            await asyncio.sleep(min(interval, left))

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
            location = self._links().management(instance_id)["statusQueryGetUri"]
            return json_response(202, body, [("Location", location), ("Retry-After", "5")])
        fails = status.runtime_status == "Failed" and request.flag(
            "returnInternalServerErrorOnFailure", default=False
        )
        return json_response(500 if fails else 200, body)

    def _list(self, request: Request) -> Response:
        page, following = self._client.find(_query(request))
        with_input = request.flag("showInput", default=False)
        headers = [(_CONTINUATION, json.dumps(following))] if following is not None else []
        return json_response(200, [_shown(status, with_input=with_input) for status in page], headers)

    def _purge_by(self, request: Request) -> Response:
        query = _query(request)
        if query.created_from is None:
            raise ArgumentError("Please provide value for 'createdTimeFrom' parameter.")
        return _purged(self._client.purge_by(query))

    # --- telling ---

    def _operate(self, request: Request, instance_id: str, operation: str, rest: list[str]) -> Response:
        reason = request.value("reason") or ""
        match operation, rest:
            case "raiseevent", [name]:
                self._raise_event(request, instance_id, name)
            case "terminate", []:
                self._client.terminate(instance_id, reason)
            case "suspend", []:
                self._client.suspend(instance_id, reason)
            case "resume", []:
                self._client.resume(instance_id, reason)
            case "rewind", []:
                self._client.rewind(instance_id, reason)
            case "restart", []:
                new_id = request.flag("restartWithNewInstanceId", default=True)
                return self._check_status(self._client.restart(instance_id, new_id=new_id))
            case _:
                return Response(404)
        return Response(202)

    def _raise_event(self, request: Request, instance_id: str, name: str) -> None:
        kind = request.headers.get("content-type", "").split(";")[0].strip().lower()
        if kind != "application/json":
            raise ArgumentError("Only application/json request content is supported")
        self._client.raise_event(instance_id, name, _body(request) if request.body else None)

    # --- entities ---

    def _entity(self, method: str, request: Request, name: str, key: str) -> Response:
        match method:
            case "GET":
                state = self._client.entity_state(name, key)
                if state is None:
                    return Response(404)
                return Response(200, [("Content-Type", "application/json; charset=utf-8")], state.encode())
            case "POST":
                body = _body(request) if request.body else None
                self._client.signal_entity(name, key, request.value("op") or "", body)
            case "DELETE":
                self._client.signal_entity(name, key, "delete", None)
            case _:
                return Response(405)
        return Response(202)

    def _entities(self, name: str | None) -> Response:
        found = [
            {"entityId": {"name": name, "key": key}, "lastOperationTime": updated, "state": loads(state)}
            for name, key, state, updated in self._client.entities(name)
        ]
        return json_response(200, found)


def _problem(status: int, message: str, error: ClientError, kind: str) -> Response:
    return json_response(
        status, {"Message": message, "ExceptionMessage": str(error), "ExceptionType": kind, "StackTrace": ""}
    )


def _purged(count: int) -> Response:
    return json_response(200, {"instancesDeleted": count}) if count else Response(404)


def _body(request: Request) -> str:
    """Answer the body as compact JSON text.

    Raises:
        ArgumentError: it is not JSON.
    """
    try:
        return json.dumps(json.loads(request.body), separators=(",", ":"), ensure_ascii=False)
    except ValueError as error:
        raise ArgumentError(f"The request content is not valid JSON: {error}") from error


def _seconds(request: Request, name: str) -> float | None:
    value = request.value(name)
    if value is None:
        return None
    try:
        return float(value)
    except ValueError:
        raise ArgumentError(f"'{name}' is not a number of seconds: {value}") from None


def _moment(request: Request, name: str) -> datetime | None:
    value = request.value(name)
    if not value:
        return None
    try:
        found = datetime.fromisoformat(value.replace(" ", "+"))
    except ValueError:
        raise ArgumentError(f"'{name}' is not a time: {value}") from None
    return found.replace(tzinfo=UTC) if found.tzinfo is None else found


def _query(request: Request) -> Query:
    statuses: set[RuntimeStatus] = set()
    for text in ",".join(request.values("runtimeStatus")).split(","):
        if not text.strip():
            continue
        if text.strip().lower() not in _BY_TEXT:
            raise ArgumentError(f"'{text}' is no runtime status.")
        statuses.add(_BY_TEXT[text.strip().lower()])
    top = request.value("top")
    if top is not None and not top.isdigit():
        raise ArgumentError(f"'top' is not a number: {top}")
    return Query(
        statuses=frozenset(statuses),
        created_from=_moment(request, "createdTimeFrom"),
        created_to=_moment(request, "createdTimeTo"),
        prefix=request.value("instanceIdPrefix") or "",
        after=_after(request.headers.get(_CONTINUATION)),
        top=int(top) if top else 100,
    )


def _after(token: str | None) -> tuple[str, str] | None:
    if not token or token == "null":  # noqa: S105  the API's own word for none
        return None
    try:
        created, instance_id = json.loads(token)
        return str(created), str(instance_id)
    except (ValueError, TypeError):
        raise ArgumentError("The continuation token is not one of this host.") from None


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


def _waited(status: Status) -> Response:
    if status.runtime_status == "Completed":
        return json_response(200, status.output)
    return json_response(500 if status.runtime_status == "Failed" else 200, _shown(status, with_input=True))

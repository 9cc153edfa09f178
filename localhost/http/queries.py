"""Reading what the durable API is asked: bodies, times, filters, pages.

A parameter that cannot be read is ignored, as by the extension (EXT HttpApiHandler.cs); here the log says so.
"""

import json
import logging
from collections.abc import Iterator
from datetime import UTC, datetime

from localhost.client import ArgumentError, Query
from localhost.engine.events import RuntimeStatus
from localhost.http.message import Request

_LOG = logging.getLogger("localhost")

CONTINUATION = "x-ms-continuation-token"

_BY_TEXT = {status.text: status for status in RuntimeStatus}
# How many instances a page has when nobody says.
_PAGE = 100
# Nobody waits longer than a day for an answer; also, a time must hold it.
_LONGEST_WAIT = 86_400.0


class InvalidJsonError(ArgumentError):
    """The body is not JSON."""

    exception_type = "Newtonsoft.Json.JsonReaderException"


def is_json(request: Request) -> bool:
    """Whether the body claims to be JSON."""
    return request.headers.get("content-type", "").split(";")[0].strip().lower() == "application/json"


def body_of(request: Request) -> str:
    """Answer the body as compact JSON text.

    Raises:
        ArgumentError: it is not JSON.
    """
    try:
        return json.dumps(json.loads(request.body), separators=(",", ":"), ensure_ascii=False)
    except (ValueError, RecursionError) as error:
        raise InvalidJsonError(f"The request content is not valid JSON: {error}") from error


def _ignored(name: str, value: str, what: str) -> None:
    _LOG.warning(
        "The durable API was asked with %s=%s, which is no %s; it is ignored, as in Azure.", name, value, what
    )


def seconds(request: Request, name: str) -> float | None:
    """Answer a parameter that is a number of seconds."""
    value = request.value(name)
    if value is None:
        return None
    try:
        found = float(value)
    except ValueError:
        found = -1.0
    if 0 <= found <= _LONGEST_WAIT:
        return found
    _ignored(name, value, "number of seconds")
    return None


def moment_of(request: Request, name: str) -> datetime | None:
    """Answer a parameter that is a time; without a zone it is UTC."""
    value = request.value(name)
    if not value:
        return None
    try:
        # A plus that was not escaped has become a space.
        found = datetime.fromisoformat(value.replace(" ", "+"))
    except ValueError:
        _ignored(name, value, "time")
        return None
    return found.replace(tzinfo=UTC) if found.tzinfo is None else found


def query_of(request: Request) -> Query:
    """Answer which instances are meant.

    Raises:
        ArgumentError: the continuation token is not one of this host.
    """
    return Query(
        statuses=frozenset(_statuses(request)),
        created_from=moment_of(request, "createdTimeFrom"),
        created_to=moment_of(request, "createdTimeTo"),
        prefix=request.value("instanceIdPrefix") or "",
        after=_after(request.headers.get(CONTINUATION)),
        top=_top(request),
    )


def _statuses(request: Request) -> Iterator[RuntimeStatus]:
    """Answer the statuses asked for; their case counts."""
    for text in ",".join(request.values("runtimeStatus")).split(","):
        if text.strip() in _BY_TEXT:
            yield _BY_TEXT[text.strip()]
        elif text.strip():
            _ignored("runtimeStatus", text, "runtime status")


def _top(request: Request) -> int:
    value = request.value("top")
    if value is None or (value.isdecimal() and int(value) > 0):
        return int(value or _PAGE)
    _ignored("top", value, "number of instances")
    return _PAGE


def _after(token: str | None) -> tuple[str, str] | None:
    if not token or token == "null":  # noqa: S105  the API's own word for none
        return None
    try:
        created, instance_id = json.loads(token)
        return str(created), str(instance_id)
    except (ValueError, TypeError):
        raise ArgumentError("The continuation token is not one of this host.") from None

"""What every door does before and after its own work: who comes in, with what, and what the answer carries."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import wraps
from http import HTTPStatus
from typing import Any, Final, Protocol, cast
from urllib.parse import urlsplit

import azure.functions as func
from pydantic import BaseModel

from domain.people import Caller, Role
from domain.settings import SettingsError
from triggers import people
from triggers.problems import ProblemError

_LOG = logging.getLogger("failback.doors")
_SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS"})

# Answers are for nobody's cache and nobody's frame; a page brings a policy of its own, which then stands.
SECURITY: Final[Mapping[str, str]] = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
# Only over https is it heeded; browsers pass over it elsewhere.
_STRICT: Final = {"Strict-Transport-Security": "max-age=31536000; includeSubDomains"}


class Door(Protocol):
    """An HTTP function with a durable client."""

    __name__: str

    async def __call__(self, req: func.HttpRequest, client: Any) -> func.HttpResponse:
        """Answer a request."""
        ...


Wording = Callable[[func.HttpRequest, ProblemError], func.HttpResponse]


def as_document(_: func.HttpRequest, problem: ProblemError) -> func.HttpResponse:
    """Word a problem for a program."""
    return problem.response()


JSON: Final = "application/json"
FORM: Final = "application/x-www-form-urlencoded"
HTML: Final = "text/html"


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """One way in: who may come, and what they bring.

    Without roles a door is open to anybody, and proves by itself who comes, if it matters: such a door must
    never believe what App Service says, for open paths may be excluded from its authentication. `body` is the
    media type that must be sent where something is sent; `worded` says how problems are told; `turned_away`
    keeps what somebody wanted who may not come in. A path that is excluded from App Service authentication is not
    `vouched` for: there only a bearer token is believed, for anybody can send the platform's header.

    The rest describes the door: the message it `takes`, and whether it `must_take` one; the `fields` of a form;
    the messages, or media types, that it `gives` by status, media types it gives `also` when asked; its own ways
    of refusing; the query parameters and headers it heeds.
    """

    path: str
    method: str
    door: Door
    roles: tuple[Role, ...]
    body: str = JSON
    level: func.AuthLevel = func.AuthLevel.ANONYMOUS
    vouched: bool = True
    worded: Wording = as_document
    turned_away: Callable[[func.HttpRequest, Any, Caller], Awaitable[None]] | None = None
    takes: type[BaseModel] | None = None
    must_take: bool = True
    fields: Mapping[str, str] = field(default_factory=dict[str, str])
    gives: Mapping[int, type[BaseModel] | str] = field(default_factory=dict[int, type[BaseModel] | str])
    also: tuple[str, ...] = ()
    refuses: tuple[int, ...] = ()
    query: Mapping[str, str] = field(default_factory=dict[str, str])
    headers: Mapping[str, str] = field(default_factory=dict[str, str])


def guarded(route: Route) -> Door:
    """Put the rules of every door around one: only who may come in does, and problems come out in words."""

    @wraps(route.door)
    async def answered(req: func.HttpRequest, client: Any) -> func.HttpResponse:
        try:
            await _admit(route, req, client)
            response = await route.door(req, client)
        except ProblemError as problem:
            response = route.worded(req, problem)
        except SettingsError as fault:
            response = route.worded(req, unusable(fault))
        return _secured(req, response)

    return answered


def unusable(fault: SettingsError) -> ProblemError:
    """Word that the app cannot work as it is set; which settings are meant is for those who read its log."""
    _LOG.error("the settings cannot be used: %s", fault)
    detail = "the app's log names every setting that is at fault"
    return ProblemError(HTTPStatus.INTERNAL_SERVER_ERROR, "the app's settings cannot be used", detail)


async def _admit(route: Route, req: func.HttpRequest, client: Any) -> None:
    if route.roles:
        await people.recognise(req, vouched=route.vouched)
        people.person(req)
    if route.method not in _SAFE:
        people.same_site(req)
        _expected_body(route, req)
    if route.roles:
        await _allowed(route, req, client)


async def _allowed(route: Route, req: func.HttpRequest, client: Any) -> None:
    caller = people.person(req)
    try:
        people.need(caller, *route.roles)
    except ProblemError:
        _LOG.warning("%r may not %s %r", caller.name, route.method, urlsplit(req.url).path)
        if route.turned_away is not None:
            # Whatever else is wrong with it is none of their business.
            with suppress(ProblemError):
                await route.turned_away(req, client, caller)
        raise


def _expected_body(route: Route, req: func.HttpRequest) -> None:
    """Take only the kind of body a door reads: no other site can send JSON without our consent.

    Raises:
        ProblemError: 415.
    """
    given = people.said(req, "Content-Type").partition(";")[0].strip().casefold()
    if req.get_body() and given != route.body:
        detail = f"send Content-Type: {route.body}" + (f" instead of {given[:80]}" if given else "")
        raise ProblemError(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "the body is of another kind", detail)


def _secured(req: func.HttpRequest, response: func.HttpResponse) -> func.HttpResponse:
    headers = cast("MutableMapping[str, str]", response.headers)
    for name, value in {**SECURITY, **(_STRICT if urlsplit(req.url).scheme == "https" else {})}.items():
        if name not in headers:
            headers[name] = value
    return response

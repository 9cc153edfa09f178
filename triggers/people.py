"""Who is asking, and what they may do.

A door asks once, and everything behind it is told: `recognise` believes a bearer token, else what App Service
authentication says, else, on this very machine, what people say of themselves. Where one way fails, no weaker
one is tried.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping
from http import HTTPStatus
from typing import Final, cast
from urllib.parse import urlsplit
from weakref import WeakKeyDictionary

import azure.functions as func

from domain.people import Caller, Role
from domain.settings import Identity, Settings
from identity import declared, principal, tokens
from identity.claims import ClaimsError
from identity.tokens import KeysError, TokenError
from triggers.problems import ProblemError

_LOG = logging.getLogger("failback.people")
_BEARER: Final = "bearer "
_LONGEST_ADDRESS: Final = 64

# Who was recognised, for as long as their request lives.
_known: WeakKeyDictionary[func.HttpRequest, Caller] = WeakKeyDictionary()

GROUPS_UNKNOWN: Final = (
    "Entra left this person's groups out of the sign-in, for there are too many: let the app registration emit "
    "only groups that are assigned to the app, or name the person among the approvers"
)


def said(req: func.HttpRequest, header: str) -> str:
    """Give a header's value; nothing when it was not sent."""
    headers = cast("Mapping[str, str]", req.headers)
    return headers.get(header, "").strip()


def settings() -> Settings:
    """Read the settings as they are now.

    Raises:
        SettingsError: some cannot be used.
    """
    return Settings.from_environment(os.environ)


async def recognise(req: func.HttpRequest, *, vouched: bool = True) -> Caller | None:
    """Find out who is asking, and remember it for this request; nobody, if they do not say.

    Where App Service does not vouch for its header, because the path is excluded from it, the header is not read.

    Raises:
        ProblemError: 401, for what they say is not believed; 503, while that cannot be judged.
    """
    try:
        caller = await _named(req, settings(), vouched=vouched)
    except (TokenError, ClaimsError) as fault:
        _LOG.warning("somebody was not believed: %s", fault)
        title = "who is asking is not believed"
        raise ProblemError(HTTPStatus.UNAUTHORIZED, title, str(fault), headers=CHALLENGE) from None
    except KeysError as fault:
        title = "who is asking cannot be judged now"
        raise ProblemError(
            HTTPStatus.SERVICE_UNAVAILABLE, title, str(fault), headers={"Retry-After": "5"}
        ) from None
    if caller is not None:
        _known[req] = caller
    return caller


CHALLENGE: Final = {"WWW-Authenticate": 'Bearer realm="failback"'}


async def _named(req: func.HttpRequest, known: Settings, *, vouched: bool) -> Caller | None:
    token = bearer(req)
    if token is not None and known.tenant_id and known.audiences:
        return await tokens.read(known, token, address(req))
    if known.identity is Identity.DECLARED:
        roles = cast("Mapping[str, str]", req.headers).get(declared.ROLES)
        user = said(req, declared.USER) or declared.remembered(said(req, "Cookie"))
        return declared.read(known, user, roles, urlsplit(req.url).hostname or "")
    header = said(req, principal.HEADER) if vouched else ""
    # Without App Service authentication nobody strips this header from what comes from outside.
    return principal.read(known, header, address(req)) if known.auth_enabled and header else None


def bearer(req: func.HttpRequest) -> str | None:
    """Give the bearer token that was sent, if one was."""
    sent = said(req, "Authorization")
    return sent[len(_BEARER) :].strip() if sent[: len(_BEARER)].casefold() == _BEARER else None


def address(req: func.HttpRequest) -> str | None:
    """Say where a request came from, as far as that can be believed; nothing outside Azure.

    App Service appends the address it was reached from to X-Forwarded-For, so only the last one there is not
    of the sender's making. Behind the Front Door that the settings name, that would be the Front Door's own; it
    says the sender's in X-Azure-ClientIP.
    """
    known = settings()
    if not known.is_in_azure:
        return None
    if known.front_door_id and said(req, "X-Azure-FDID") == known.front_door_id:
        return said(req, "X-Azure-ClientIP")[:_LONGEST_ADDRESS] or None
    return _without_port(said(req, "X-Forwarded-For").rpartition(",")[2].strip()[:_LONGEST_ADDRESS]) or None


def _without_port(address: str) -> str:
    if address.startswith("["):
        return address[1:].partition("]")[0]
    return address.partition(":")[0] if address.count(":") == 1 else address


def caller(req: func.HttpRequest) -> Caller | None:
    """Name the person who was recognised at the door, if anybody was."""
    return _known.get(req)


def person(req: func.HttpRequest) -> Caller:
    """Name the person who was recognised at the door, or refuse to listen.

    Raises:
        ProblemError: 401, saying how to be known.
    """
    known = caller(req)
    if known is None:
        raise ProblemError(
            HTTPStatus.UNAUTHORIZED,
            "nobody is known to be asking",
            "sign in, or send a bearer token of the app's tenant; where FAILBACK_IDENTITY is declared, "
            "which is for local use only, send the header X-Failback-User",
            headers=CHALLENGE,
        )
    return known


def need(caller: Caller, *roles: Role) -> Caller:
    """Give the person back who has one of these roles, or refuse them.

    Raises:
        ProblemError: 403, naming the roles that would do.
    """
    if caller.has(*roles):
        return caller
    wanted = " or ".join(role.value for role in roles)
    has = ", ".join(role.value for role in caller.roles) or "no role of this app"
    detail = f"{caller.name} has {has}; it takes {wanted}"
    raise ProblemError(HTTPStatus.FORBIDDEN, "this takes another role", detail)


def same_site(req: func.HttpRequest) -> None:
    """Refuse what a page of another site made a browser send, along with the cookies of whoever looks at it.

    A bearer token is sent by nobody's browser unasked. Where neither header is sent, no browser of today sent
    it.

    Raises:
        ProblemError: 403.
    """
    if bearer(req) is not None:
        return
    site, origin = said(req, "Sec-Fetch-Site"), said(req, "Origin")
    if site not in {"", "same-origin", "none"} or (origin and not _is_ours(req, origin)):
        detail = "a page of another site made the browser send this; open the app's own pages"
        raise ProblemError(HTTPStatus.FORBIDDEN, "this comes from another site", detail)


def _is_ours(req: func.HttpRequest, origin: str) -> bool:
    mine = urlsplit(req.url).netloc.casefold()
    return origin == settings().public_base or urlsplit(origin).netloc.casefold() == mine

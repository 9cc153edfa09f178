"""Who is asking.

Behind App Service authentication the platform names the person in X-MS-CLIENT-PRINCIPAL-NAME and drops that
header from what comes from outside. Elsewhere nobody can be believed, so that a name which is merely declared
counts only where the setting says so: on a laptop.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from http import HTTPStatus
from typing import Final, cast

import azure.functions as func

from domain.settings import Identity, Settings
from triggers.problems import ProblemError

_HEADERS: Final = {
    Identity.APP_SERVICE: "X-MS-CLIENT-PRINCIPAL-NAME",
    Identity.DECLARED: "X-Failback-User",
}
_LONGEST_NAME: Final = 256


def said(req: func.HttpRequest, header: str) -> str:
    """Give a header's value; nothing when it was not sent."""
    headers = cast("Mapping[str, str]", req.headers)
    return headers.get(header, "").strip()


def _settings() -> Settings:
    return Settings.from_environment(os.environ)


def caller(req: func.HttpRequest) -> str | None:
    """Name the person who is asking, if that is known."""
    settings = _settings()
    if settings.identity is Identity.APP_SERVICE and not settings.auth_enabled:
        # Without App Service authentication nobody strips this header from what comes from outside.
        return None
    name = said(req, _HEADERS[settings.identity])
    return name[:_LONGEST_NAME] or None


def requester(req: func.HttpRequest, declared: str | None) -> str | None:
    """Name the person who asks for a run; only where names are declared, the body may name them too.

    Raises:
        ProblemError: 401, where people must be known and this one is not.
    """
    if _settings().identity is Identity.DECLARED:
        return caller(req) or declared
    return person(req)


def person(req: func.HttpRequest) -> str:
    """Name the person who is asking, or refuse to listen.

    Raises:
        ProblemError: 401, saying how to be known.
    """
    name = caller(req)
    if name is None:
        raise ProblemError(
            HTTPStatus.UNAUTHORIZED,
            "nobody is known to be asking",
            "switch App Service authentication on and sign in; where FAILBACK_IDENTITY is declared, "
            "which is for local use only, send the header X-Failback-User",
        )
    return name

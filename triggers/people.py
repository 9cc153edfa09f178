"""Who is asking.

Behind App Service authentication the platform names the person in X-MS-CLIENT-PRINCIPAL-NAME and drops that
header from what comes from outside. Elsewhere nobody can be believed, so that a name which is merely declared
counts only where the setting says so: on a laptop.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from enum import StrEnum
from http import HTTPStatus
from typing import Final, cast

import azure.functions as func

from triggers.problems import ProblemError


class Identity(StrEnum):
    """Whose word is taken for who is asking (FAILBACK_IDENTITY)."""

    APP_SERVICE = "app-service"
    DECLARED = "declared"


_HEADERS: Final = {
    Identity.APP_SERVICE: "X-MS-CLIENT-PRINCIPAL-NAME",
    Identity.DECLARED: "X-Failback-User",
}
_LONGEST_NAME: Final = 256


def said(req: func.HttpRequest, header: str) -> str:
    """Give a header's value; nothing when it was not sent."""
    headers = cast("Mapping[str, str]", req.headers)
    return headers.get(header, "").strip()


def caller(req: func.HttpRequest) -> str | None:
    """Name the person who is asking, if that is known."""
    header = _HEADERS[Identity(os.environ.get("FAILBACK_IDENTITY") or Identity.APP_SERVICE)]
    name = said(req, header)
    return name[:_LONGEST_NAME] or None


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
            "sign in through App Service authentication; where FAILBACK_IDENTITY is declared, "
            "which is for local use only, send the header X-Failback-User",
        )
    return name

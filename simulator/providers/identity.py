"""Managed identity: the App Service protocol."""

from __future__ import annotations

import hmac
from typing import TYPE_CHECKING

from simulator.messages import Response, json_response

if TYPE_CHECKING:
    from datetime import datetime

    from simulator.messages import Request
    from simulator.tokens import Tokens

PATH = "/msi/token"
SECRET = "simulator"  # noqa: S105 - the documented header of a simulator that has no secrets


def answer(request: Request, tokens: Tokens, client_now: datetime) -> Response:
    """Answer a token for `resource`, or 400 as the App Service endpoint does."""
    given = request.headers.get("x-identity-header", "")
    if not hmac.compare_digest(given, SECRET):
        return _refuse(401, "The X-IDENTITY-HEADER is missing or wrong.")
    resource = request.query.get("resource", "")
    if not resource:
        return _refuse(400, "The parameter 'resource' is required.")
    if request.query.get("api-version") != "2019-08-01":
        return _refuse(400, "The api-version is not supported.")
    token, expires = tokens.issue(resource, client_now)
    return json_response(
        {
            "access_token": token,
            "expires_on": str(int(expires.timestamp())),
            "resource": resource,
            "token_type": "Bearer",
            "client_id": request.query.get("client_id", ""),
        }
    )


def _refuse(status: int, message: str) -> Response:
    return json_response({"statusCode": status, "message": message}, status)

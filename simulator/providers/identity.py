"""Tokens over HTTP: the managed identity's App Service protocol, and Entra's client credentials."""

from __future__ import annotations

import hmac
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl

from simulator.messages import Response, json_response

if TYPE_CHECKING:
    from datetime import datetime

    from simulator.messages import Request
    from simulator.tokens import Tokens

PATH = "/msi/token"
_TOKEN = "/oauth2/v2.0/token"  # noqa: S105 - a path
_DESCRIPTION = "/v2.0/.well-known/openid-configuration"
SECRET = "simulator"  # noqa: S105 - the documented header of a simulator that has no secrets


def is_token(request: Request) -> bool:
    """Answer whether a call asks for a token, of the managed identity or of Entra, or for what describes it."""
    path = request.path.lower()
    return (path == PATH and request.method == "GET") or path.endswith((_TOKEN, _DESCRIPTION))


def answer(request: Request, tokens: Tokens, client_now: datetime) -> Response:
    """Answer a call for a token."""
    identity = request.path.lower() == PATH
    return (_answer_identity if identity else _answer_entra)(request, tokens, client_now)


def _answer_identity(request: Request, tokens: Tokens, client_now: datetime) -> Response:
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


def _answer_entra(request: Request, tokens: Tokens, client_now: datetime) -> Response:
    """Answer a token for client credentials, whatever the secret, or the description of the tenant."""
    tenant = request.path.strip("/").split("/", maxsplit=1)[0]
    if request.path.lower().endswith(_DESCRIPTION):
        base = f"{request.origin}/{tenant}"
        return json_response(
            {
                "token_endpoint": f"{base}{_TOKEN}",
                "authorization_endpoint": f"{base}/oauth2/v2.0/authorize",
                "issuer": f"{base}/v2.0",
            }
        )
    form = dict(parse_qsl(request.body.decode()))
    if form.get("grant_type") != "client_credentials" or "scope" not in form:
        return json_response({"error": "unsupported_grant_type", "error_description": ""}, 400)
    token, expires = tokens.issue(form["scope"].split()[0], client_now)
    lifetime = int((expires - client_now).total_seconds())
    return json_response({"access_token": token, "expires_in": lifetime, "token_type": "Bearer"})


def _refuse(status: int, message: str) -> Response:
    return json_response({"statusCode": status, "message": message}, status)

"""Tokens: handed out by the managed identity, checked by everything else."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, cast

from simulator.envelopes import plain_error

if TYPE_CHECKING:
    from datetime import timedelta

    from simulator.messages import JsonObject, Request, Response

ARM_AUDIENCES = ("https://management.azure.com", "https://management.core.windows.net")
LOGS_AUDIENCES = ("https://api.loganalytics.io", "https://api.loganalytics.azure.com")


class Tokens:
    """Makes and checks bearer tokens shaped like JSON web tokens; the key is the simulator's own."""

    def __init__(self, seed: int, tenant: str, lifetime: timedelta) -> None:
        self._key = f"simulator/{seed}".encode()
        self._tenant = tenant
        self._lifetime = lifetime

    def issue(self, audience: str, client_now: datetime) -> tuple[str, datetime]:
        """Make a token for an audience; answers it and when it expires on the caller's watch."""
        expires = client_now + self._lifetime
        claims = {
            "aud": audience.removesuffix("/.default").rstrip("/"),
            "iss": f"https://sts.windows.net/{self._tenant}/",
            "exp": int(expires.timestamp()),
            "tid": self._tenant,
            "oid": "00000000-0000-0000-0000-00000000c0de",
        }
        head = _encode({"alg": "HS256", "typ": "JWT"})
        payload = _encode(claims)
        return f"{head}.{payload}.{self._sign(f'{head}.{payload}')}", expires

    def fault(self, request: Request, audiences: tuple[str, ...], now: datetime) -> Response | None:
        """Answer the 401 a call deserves, or None if its token will do."""
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not token:
            return unauthorized(
                "AuthenticationFailed",
                "Authentication failed. The 'Authorization' header is missing.",
                self._tenant,
            )
        claims = self._read(token)
        if claims is None:
            return unauthorized("InvalidAuthenticationToken", "The token is invalid.", self._tenant)
        if str(claims["aud"]) not in audiences:
            message = f"The access token has been obtained for wrong audience '{claims['aud']}'."
            return unauthorized("InvalidAuthenticationTokenAudience", message, self._tenant)
        if datetime.fromtimestamp(cast("int", claims["exp"]), UTC) <= now:
            return expired(self._tenant)
        return None

    def _read(self, token: str) -> JsonObject | None:
        head, _, rest = token.partition(".")
        payload, _, signature = rest.partition(".")
        if not hmac.compare_digest(self._sign(f"{head}.{payload}"), signature):
            return None
        return cast("JsonObject", json.loads(base64.urlsafe_b64decode(payload + "==")))

    def _sign(self, text: str) -> str:
        digest = hmac.new(self._key, text.encode(), hashlib.sha256).digest()
        return base64.urlsafe_b64encode(digest).decode().rstrip("=")


def _encode(value: JsonObject | dict[str, str] | dict[str, str | int]) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


def unauthorized(code: str, message: str, tenant: str) -> Response:
    """Answer 401 as Azure Resource Manager does, with its challenge."""
    challenge = (
        f'Bearer authorization_uri="https://login.windows.net/{tenant}", '
        f'error="invalid_token", error_description="{message}"'
    )
    return plain_error(401, code, message, ("WWW-Authenticate", challenge))


def expired(tenant: str) -> Response:
    """Answer 401 for a token whose time is over."""
    return unauthorized("ExpiredAuthenticationToken", "The access token expiry is past.", tenant)

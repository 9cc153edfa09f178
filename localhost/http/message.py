"""Requests and responses, whether they came over a socket or not."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit


@dataclass(frozen=True, slots=True)
class Request:
    """One HTTP request; `path` is decoded, header names are in lower case."""

    method: str
    url: str
    path: str
    query: Sequence[tuple[str, str]] = ()
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    body: bytes = b""

    def values(self, name: str) -> list[str]:
        """Answer a query parameter's values; its name counts in any case."""
        return [value for key, value in self.query if key.lower() == name.lower()]

    def value(self, name: str) -> str | None:
        """Answer a query parameter's last value."""
        values = self.values(name)
        return values[-1] if values else None

    def flag(self, name: str, *, default: bool) -> bool:
        """Answer a query parameter that is true or false; anything else counts as not given."""
        return {"true": True, "false": False}.get((self.value(name) or "").strip().lower(), default)


@dataclass(frozen=True, slots=True)
class Response:
    """One HTTP response."""

    status: int
    headers: Sequence[tuple[str, str]] = ()
    body: bytes = b""

    @property
    def text(self) -> str:
        """The body as text."""
        return self.body.decode()

    def json(self) -> Any:
        """Decode the body."""
        return json.loads(self.body)

    def header(self, name: str) -> str | None:
        """Answer a header's value; its name counts in any case."""
        return next((value for key, value in self.headers if key.lower() == name.lower()), None)


def request(
    method: str, base: str, target: str, *, headers: Mapping[str, str] | None = None, body: bytes = b""
) -> Request:
    """Make a request to a target such as `/api/things?x=1`."""
    parts = urlsplit(target)
    return Request(
        method=method.upper(),
        url=target if parts.scheme else f"{base}{target}",
        path=unquote(parts.path),
        query=parse_qsl(parts.query, keep_blank_values=True),
        headers={name.lower(): value for name, value in (headers or {}).items()},
        body=body,
    )


def json_response(status: int, value: object, headers: Sequence[tuple[str, str]] = ()) -> Response:
    """Answer with JSON."""
    body = json.dumps(value).encode()
    return Response(status, [("Content-Type", "application/json; charset=utf-8"), *headers], body)

"""Requests and responses as plain values, so that a socket and an SDK's transport share one core."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from datetime import timedelta
from enum import StrEnum
from functools import cached_property
from typing import TYPE_CHECKING, TypeAlias, cast
from urllib.parse import parse_qsl, unquote, urlsplit

if TYPE_CHECKING:
    from collections.abc import Mapping

JsonObject: TypeAlias = "dict[str, object]"


class Delivery(StrEnum):
    """How the bytes of an answer reach the caller."""

    WHOLE = "whole"
    CLOSED = "closed"  # the connection ends before a byte of the answer


@dataclass(frozen=True, kw_only=True)
class Request:
    """One call as it arrived; header names are lower case."""

    method: str
    url: str
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    body: bytes = b""

    @cached_property
    def path(self) -> str:
        """The decoded path, without the query."""
        return unquote(urlsplit(self.url).path)

    @cached_property
    def origin(self) -> str:
        """Scheme and host as the caller wrote them: what links in an answer begin with."""
        parts = urlsplit(self.url)
        return f"{parts.scheme}://{parts.netloc}"

    @cached_property
    def query(self) -> dict[str, str]:
        """The query's last value for each name, names in lower case as ARM compares them."""
        pairs = parse_qsl(urlsplit(self.url).query, keep_blank_values=True)
        return {name.lower(): value for name, value in pairs}

    @property
    def raw_query(self) -> str:
        """The query string as it was sent."""
        return urlsplit(self.url).query

    def json(self) -> JsonObject:
        """Read the body as a JSON object; nothing at all counts as `{}`. Raises ValueError."""
        if not self.body.strip():
            return {}
        parsed: object = json.loads(self.body)
        if not isinstance(parsed, dict):
            msg = "the body is not a JSON object"
            raise ValueError(msg)  # noqa: TRY004 - callers catch one error for all malformed bodies
        return cast("JsonObject", parsed)


@dataclass(frozen=True, kw_only=True)
class Response:
    """One answer; headers are pairs because Site Recovery sends one of them twice."""

    status: int
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""
    delivery: Delivery = Delivery.WHOLE
    delay: timedelta = timedelta(0)

    def with_headers(self, *headers: tuple[str, str]) -> Response:
        """Answer the same response with more headers at its end."""
        return replace(self, headers=(*self.headers, *headers))

    def header(self, name: str) -> str | None:
        """Answer the first value of a header, whatever its case."""
        return next((v for n, v in self.headers if n.lower() == name.lower()), None)

    def json(self) -> JsonObject:
        """Read the body back; for tests and for the journal."""
        return cast("JsonObject", json.loads(self.body))


_ENCODER = json.JSONEncoder(separators=(",", ":"))


def json_text(body: object) -> str:
    """Write a value as the service does, without spaces."""
    return _ENCODER.encode(body)


def json_response(body: object, status: int = 200, *headers: tuple[str, str]) -> Response:
    """Answer `body` as JSON in the media type the service uses."""
    return text_response(json_text(body), status, *headers)


def text_response(text: str, status: int = 200, *headers: tuple[str, str]) -> Response:
    """Answer what is JSON already."""
    kind = ("Content-Type", "application/json; charset=utf-8")
    return Response(status=status, headers=(kind, *headers), body=text.encode())

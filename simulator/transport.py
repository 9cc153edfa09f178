"""Azure SDK clients on a simulator without a socket: azure-core transports, sync and aio, and a credential."""

from __future__ import annotations

import json
from datetime import timedelta
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Self

from azure.core.credentials import AccessToken
from azure.core.exceptions import (
    HttpResponseError,
    ServiceRequestError,
    ServiceResponseError,
    ServiceResponseTimeoutError,
)
from azure.core.pipeline.transport import AsyncHttpTransport, HttpTransport
from azure.core.rest import AsyncHttpResponse, HttpRequest, HttpResponse
from azure.core.utils import CaseInsensitiveDict

from simulator.messages import Delivery, Request

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from simulator.core import Simulator
    from simulator.messages import Response


READ_TIMEOUT = 300.0
"""The seconds azure-core waits for an answer by default."""


def _ask(simulator: Simulator, request: HttpRequest) -> Response:
    """Hand an SDK's request to the simulator; a closed connection is the SDK's own error."""
    body: Any = request.content
    asked = Request(
        method=request.method,
        url=request.url,
        headers={name.lower(): value for name, value in request.headers.items()},
        body=body.encode() if isinstance(body, str) else (body or b""),
    )
    answer = simulator.handle(asked)
    if answer.delivery is Delivery.CLOSED:
        raise ServiceResponseError("Connection aborted: it was closed without an answer")
    return answer


def _pause(answer: Response, patience: float) -> float:
    """Answer how many seconds the caller waits for this answer."""
    return min(answer.delay.total_seconds(), patience)


def _check(answer: Response, patience: float) -> None:
    """Raise what an SDK raises for an answer that is later than it waits for."""
    if answer.delay.total_seconds() > patience:
        raise ServiceResponseTimeoutError(f"Read timed out. (read timeout={patience})")


class _Answer:
    """What both kinds of response share; the body is there from the start."""

    def __init__(self, request: HttpRequest, answer: Response) -> None:
        self._request = request
        self._answer = answer
        self._headers = _joined(answer)
        self._encoding: str | None = "utf-8"

    @property
    def request(self) -> HttpRequest:
        return self._request

    @property
    def status_code(self) -> int:
        return self._answer.status

    @property
    def headers(self) -> Any:
        return self._headers

    @property
    def reason(self) -> str:
        return HTTPStatus(self._answer.status).phrase

    @property
    def content_type(self) -> str | None:
        return self._headers.get("content-type")

    @property
    def is_closed(self) -> bool:
        return True

    @property
    def is_stream_consumed(self) -> bool:
        return True

    @property
    def encoding(self) -> str | None:
        return self._encoding

    @encoding.setter
    def encoding(self, value: str | None) -> None:
        self._encoding = value

    @property
    def url(self) -> str:
        return self._request.url

    @property
    def content(self) -> bytes:
        return self._answer.body

    def text(self, encoding: str | None = None) -> str:
        return self._answer.body.decode(encoding or self._encoding or "utf-8")

    def json(self) -> Any:
        return json.loads(self._answer.body)

    def raise_for_status(self) -> None:
        if self._answer.status >= HTTPStatus.BAD_REQUEST:
            raise HttpResponseError(response=self)  # pyright: ignore[reportArgumentType]


def _joined(answer: Response) -> CaseInsensitiveDict:
    """Join headers that are sent twice with a comma, as HTTP clients do."""
    joined: dict[str, str] = {}
    names: dict[str, str] = {}
    for name, value in answer.headers:
        first = names.setdefault(name.lower(), name)
        joined[first] = f"{joined[first]}, {value}" if first in joined else value
    return CaseInsensitiveDict(joined)


class _SyncAnswer(_Answer, HttpResponse):
    def read(self) -> bytes:
        return self.content

    def iter_raw(self, **_: Any) -> Iterator[bytes]:
        yield self.content

    def iter_bytes(self, **_: Any) -> Iterator[bytes]:
        yield self.content

    def close(self) -> None:
        pass

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class _AsyncAnswer(_Answer, AsyncHttpResponse):
    async def read(self) -> bytes:
        return self.content

    async def iter_raw(self, **_: Any) -> AsyncIterator[bytes]:  # pyright: ignore[reportIncompatibleMethodOverride]
        yield self.content

    async def iter_bytes(self, **_: Any) -> AsyncIterator[bytes]:  # pyright: ignore[reportIncompatibleMethodOverride]
        yield self.content

    async def close(self) -> None:
        pass

    async def __aexit__(self, *_: object) -> None:
        await self.close()


class SimulatorTransport(HttpTransport[HttpRequest, HttpResponse]):
    """Carries a sync client's calls to a simulator: `Client(..., transport=SimulatorTransport(sim))`."""

    def __init__(self, simulator: Simulator) -> None:
        self._simulator = simulator

    def send(self, request: HttpRequest, *, read_timeout: float = READ_TIMEOUT, **_: Any) -> HttpResponse:
        """Answer one request; the delay of a slow answer is a step of the simulator's clock."""
        answer = _ask(self._simulator, request)
        self.sleep(_pause(answer, read_timeout))
        _check(answer, read_timeout)
        return _SyncAnswer(request, answer)

    def sleep(self, duration: float) -> None:
        """Let an SDK's pause be a step of the simulator's clock."""
        self._simulator.clock.advance(timedelta(seconds=duration))

    def open(self) -> None:
        """Open nothing."""

    def close(self) -> None:
        """Close nothing."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class AsyncSimulatorTransport(AsyncHttpTransport[HttpRequest, AsyncHttpResponse]):
    """Carries an aio client's calls to a simulator."""

    def __init__(self, simulator: Simulator) -> None:
        self._simulator = simulator

    async def send(
        self, request: HttpRequest, *, read_timeout: float = READ_TIMEOUT, **_: Any
    ) -> AsyncHttpResponse:
        """Answer one request; a closed connection is another error here than for a sync client, as over HTTP."""
        try:
            answer = _ask(self._simulator, request)
        except ServiceResponseError as closed:
            raise ServiceRequestError(closed.message) from closed
        await self.sleep(_pause(answer, read_timeout))
        _check(answer, read_timeout)
        return _AsyncAnswer(request, answer)

    async def sleep(self, duration: float) -> None:
        """Let an SDK's pause be a step of the simulator's clock."""
        self._simulator.clock.advance(timedelta(seconds=duration))

    async def open(self) -> None:
        """Open nothing."""

    async def close(self) -> None:
        """Close nothing."""

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()


class SimulatorCredential:
    """A token credential whose tokens a simulator accepts; for sync clients."""

    def __init__(self, simulator: Simulator) -> None:
        self._simulator = simulator

    def get_token(self, *scopes: str, **_: Any) -> AccessToken:
        """Answer a token for the first scope."""
        now = self._simulator.clock.client_now()
        token, expires = self._simulator.tokens.issue(scopes[0], now)
        return AccessToken(token, int(expires.timestamp()))


class AsyncSimulatorCredential:
    """The same for aio clients."""

    def __init__(self, simulator: Simulator) -> None:
        self._sync = SimulatorCredential(simulator)

    async def get_token(self, *scopes: str, **_: Any) -> AccessToken:
        """Answer a token for the first scope."""
        return self._sync.get_token(*scopes)

    async def close(self) -> None:
        """Close nothing."""

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

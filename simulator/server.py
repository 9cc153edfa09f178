"""The simulator over HTTP, on loopback only."""

from __future__ import annotations

import asyncio
import ssl
from typing import TYPE_CHECKING, Self

from aiohttp import web
from multidict import CIMultiDict

from simulator.messages import Delivery, Request

if TYPE_CHECKING:
    from simulator.core import Simulator

HOST = "127.0.0.1"
LARGEST_BODY = 4 * 1024 * 1024


def application(simulator: Simulator) -> web.Application:
    """Make the aiohttp application that hands every call to one simulator, one at a time."""

    async def answer(incoming: web.Request) -> web.StreamResponse:
        headers = {name.lower(): value for name, value in incoming.headers.items()}
        request = Request(
            method=incoming.method,
            url=f"{incoming.scheme}://{incoming.host}{incoming.raw_path}",
            headers=headers,
            body=await incoming.read(),
        )
        response = simulator.handle(request)
        if response.delay:
            await asyncio.sleep(response.delay.total_seconds())
        if response.delivery is Delivery.CLOSED:
            _hang_up(incoming)
            return web.Response(status=500)
        multi = CIMultiDict((name, value) for name, value in response.headers if name.lower() != "content-length")
        return web.Response(status=response.status, headers=multi, body=response.body)

    app = web.Application(client_max_size=LARGEST_BODY)
    app.router.add_route("*", "/{anything:.*}", answer)
    return app


def _hang_up(incoming: web.Request) -> None:
    """Close the connection without a byte of an answer."""
    if incoming.transport is not None:
        incoming.transport.abort()


class Server:
    """A simulator that is being served; use it as an async context manager."""

    def __init__(self, simulator: Simulator, port: int = 0, tls: ssl.SSLContext | None = None) -> None:
        self._runner = web.AppRunner(application(simulator), access_log=None, shutdown_timeout=1)
        self._port = port
        self._tls = tls
        self.url = ""

    async def __aenter__(self) -> Self:
        """Begin to serve; `url` says where."""
        await self._runner.setup()
        site = web.TCPSite(self._runner, HOST, self._port, ssl_context=self._tls)
        await site.start()
        port: int = self._runner.addresses[0][1]
        self.url = f"{'https' if self._tls else 'http'}://{HOST}:{port}"
        return self

    async def __aexit__(self, *_: object) -> None:
        """Stop serving."""
        await self._runner.cleanup()

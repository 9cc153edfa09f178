"""A simulator served over HTTP from a thread of its own, and clients that reach it without real pauses."""

from __future__ import annotations

import asyncio
import ssl
import threading
from datetime import timedelta
from typing import Any, Self

from azure.core.pipeline.policies import SansIOHTTPPolicy
from azure.core.pipeline.transport import AioHttpTransport, RequestsTransport

from simulator import Clock, ManualClock, Simulator, default_estate
from simulator.server import Server


class AllowHttp(SansIOHTTPPolicy[Any, Any]):
    def on_request(self, request: Any) -> None:
        request.context.options.setdefault("enforce_https", False)


class Served:
    """One server; the simulator behind it may be exchanged between two calls."""

    def __init__(self, tls: ssl.SSLContext | None = None, clock: Clock | None = None) -> None:
        self.simulator = Simulator(default_estate(), clock=clock or ManualClock())
        self.loop = asyncio.new_event_loop()
        answers: Any = self
        self.server = Server(answers, tls=tls)
        self.thread = threading.Thread(target=self.loop.run_forever, daemon=True)

    def handle(self, request: Any) -> Any:
        return self.simulator.handle(request)

    def start(self) -> None:
        self.thread.start()
        asyncio.run_coroutine_threadsafe(self.server.__aenter__(), self.loop).result(10)

    def stop(self) -> None:
        asyncio.run_coroutine_threadsafe(self.server.__aexit__(), self.loop).result(10)
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join(10)
        self.loop.close()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


class SteppingTransport(RequestsTransport):
    """Real HTTP; a pause of the SDK is a step of the simulated clock."""

    def __init__(self, clock: Clock) -> None:
        super().__init__()
        self._clock = clock

    def sleep(self, duration: float) -> None:
        self._clock.advance(timedelta(seconds=duration))


class AsyncSteppingTransport(AioHttpTransport):
    """The same for aio clients."""

    def __init__(self, clock: Clock) -> None:
        super().__init__()
        self._clock = clock

    async def sleep(self, duration: float) -> None:
        self._clock.advance(timedelta(seconds=duration))

"""Answering requests: what a function waits for is done before it is told, and a dead host says nothing."""

import asyncio
import logging
import time
from collections.abc import Callable, Coroutine
from datetime import datetime, timedelta
from typing import Any

from localhost.client import Client, Status
from localhost.clock import Clock, VirtualClock
from localhost.dispatcher import Dispatcher
from localhost.engine.events import moment
from localhost.http.door import Door, calling_route, is_durable
from localhost.http.message import Request, Response, json_response
from localhost.store import Crash, StateError, Store

_LOG = logging.getLogger("localhost")

# A request that takes longer waits for work that it does not ask for; a machine is seldom so busy.
_PATIENCE = 10.0

# How long one that waits gives way to others that are served and may have something to say first.
_COURTESY = 5.0

# So many pieces of ready work are done for one question; where there are more, the next question does them.
_PIECES = 1000

# How often a virtual clock that runs by itself is looked at.
_GLANCE = 0.02


class Answering:
    """Answers the requests of one host.

    A host that runs by itself does its work beside the requests. Any other does none while a request is served,
    however long that takes, until a call of a function asks the durable API the same thing a second time: then it
    waits for something, and once all requests that are served do, all ready work is done. So the order of work is
    the seed's on a busy machine as on an idle one.
    """

    def __init__(
        self,
        door: Door,
        client: Client,
        store: Store,
        clock: Clock,
        dispatcher: Dispatcher,
        *,
        is_free: bool,
        dead: "asyncio.Future[None]",
        die: Callable[[Crash], None],
    ) -> None:
        self.door = door
        self._client = client
        self._store = store
        self._clock = clock
        self._dispatcher = dispatcher
        self._is_free = is_free
        self._dead = dead
        self._die = die
        self._asked: set[str] = set()
        self._serving = 0
        self._routes = 0
        self._waiting: set[str] = set()
        self._patient_until = 0.0
        self._is_working = False

    @property
    def is_busy(self) -> bool:
        """Whether somebody is being served: a virtual clock stands still then."""
        return self._serving > 0

    def begin(self) -> None:
        """Say that something new is done with the host: what was asked before is no longer waited for."""
        self._asked.clear()

    async def serve(self, incoming: Request) -> Response:
        """Answer a request.

        Raises:
            Crash: the host is dead, and answers nothing.
        """
        if self._dead.done():
            self._dead.result()
        is_route = not is_durable(incoming)
        self._serving += 1
        self._routes += is_route
        try:
            if not is_route:
                await self._do_what_it_waits_for(incoming)
            return await self._settled(self.door.serve(incoming))
        except Crash as crash:
            self._die(crash)
            raise
        except StateError as fault:
            return json_response(503, {"Message": "The host cannot write.", "ExceptionMessage": str(fault)})
        finally:
            self._serving -= 1
            self._routes -= is_route

    async def _settled(self, response: Coroutine[Any, Any, Response]) -> Response:
        """Answer when everything the answer rests on is on the disk."""
        try:
            return await response
        finally:
            await self._store.settled()

    async def _do_what_it_waits_for(self, incoming: Request) -> None:
        if self._is_free or incoming.method != "GET":
            return
        if incoming.url not in self._asked:
            self._asked.add(incoming.url)
        elif (caller := calling_route(incoming)) is not None:
            await self._when_all_wait(caller)
        else:
            await self._do_all_that_is_ready()

    async def _do_all_that_is_ready(self) -> None:
        for _ in range(_PIECES):
            if not await self._dispatcher.step(may_jump=False):
                return

    async def _when_all_wait(self, caller: str) -> None:
        """Do what is ready once all requests that are served wait for it; until then answer as things stand.

        Nobody is kept waiting for the others: the SDK's client has few connections, and they may need them.
        """
        if not self._waiting:
            self._patient_until = time.monotonic() + _COURTESY
        self._waiting.add(caller)
        is_agreed = len(self._waiting) >= self._routes and not self._is_working
        if not is_agreed and time.monotonic() < self._patient_until:
            return
        self._waiting.clear()
        before, self._is_working = self._is_working, True
        try:
            await self._do_all_that_is_ready()
        finally:
            self._is_working = before

    async def attend(self, serving: "asyncio.Future[Response]") -> None:
        """Wait until a request is answered, or the host is dead."""
        patience = None if self._is_free else _PATIENCE
        while not serving.done() and not self._dead.done():
            await asyncio.wait([serving, self._dead], timeout=patience, return_when=asyncio.FIRST_COMPLETED)
            if patience is None or serving.done() or self._dead.done():
                continue
            if patience == _PATIENCE:
                _LOG.warning(
                    "A request has waited for %g s without asking the durable API. From here on ready work is done"
                    " beside it, in an order that the seed alone does not decide.",
                    _PATIENCE,
                )
            patience = 0.0 if await self._dispatcher.step(may_jump=False) else 0.005
        if not serving.done():
            serving.cancel()
        elif not serving.cancelled():
            serving.exception()  # whoever made the request asks for it, unless the host is dead

    async def wait(self, instance_id: str, timeout: float, interval: float) -> Status | None:  # noqa: ASYNC109
        """Wait for the end of an instance, for so long by the host's clock; answer where it stands then."""
        if self._is_free:
            return await self._wait_freely(instance_id, timeout, interval)
        deadline = self._clock.now() + timedelta(seconds=timeout)
        while True:
            status = self._client.status(instance_id)
            if status is None or status.is_finished or self._clock.now() >= deadline:
                return status
            if not await self._dispatcher.step(may_jump=False):
                await self._pass_time(deadline, interval)

    async def _pass_time(self, deadline: datetime, interval: float) -> None:
        if isinstance(self._clock, VirtualClock):
            due = self._dispatcher.queue.next_due()
            self._clock.advance_to(deadline if due is None else min(deadline, moment(due)))
        else:
            await asyncio.sleep(interval)

    async def _wait_freely(self, instance_id: str, timeout: float, interval: float) -> Status | None:  # noqa: ASYNC109
        """Look again and again; meanwhile a virtual clock may go on, and where nothing is due real time counts."""
        until, deadline = time.monotonic() + timeout, self._clock.now() + timedelta(seconds=timeout)
        pause = min(interval, _GLANCE) if isinstance(self._clock, VirtualClock) else interval
        self._serving -= 1
        try:
            while True:
                status = self._client.status(instance_id)
                left = until - time.monotonic()
                if status is None or status.is_finished or left <= 0 or self._clock.now() >= deadline:
                    return status
                await asyncio.sleep(min(pause, left))
        finally:
            self._serving += 1

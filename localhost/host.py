"""The host: one app, one state file, one clock."""

import asyncio
import contextlib
import json as jsonlib
import logging
import random
import uuid
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from localhost.activities import Activities
from localhost.answering import Answering
from localhost.app import App, AppSource, environment, load, local_settings
from localhost.client import Client, Query, Status
from localhost.clock import Clock, SystemClock, VirtualClock
from localhost.dispatcher import Dispatcher
from localhost.engine.events import timestamp
from localhost.entities import Entities
from localhost.http.door import Door
from localhost.http.links import Links
from localhost.http.management import Edition, Management
from localhost.http.message import Response, request
from localhost.http.routes import Routes
from localhost.http.server import Server
from localhost.invoker import Invoker
from localhost.orchestrations import Orchestrations
from localhost.rows import Wake
from localhost.store import Crash, Store, Transaction
from localhost.timers import Timers

_LOG = logging.getLogger("localhost")

# What Core Tools sets, and apps look at to know that they run at home.
_CORE_TOOLS = {"AZURE_FUNCTIONS_ENVIRONMENT": "Development", "FUNCTIONS_WORKER_RUNTIME": "python"}


class Stalled(Exception):  # noqa: N818  a state of affairs
    """What was waited for cannot happen: nothing is ready, and nothing comes due."""


class LocalHost:
    """A Functions host in this process; the package's docstring has every name and what it takes.

    On a virtual clock, or with a seed, nothing runs by itself: `run_until`, `run_until_idle` and `step` do the
    work, one piece after the other in an order the seed chooses. On the system clock work is done as it comes.
    """

    def __init__(
        self,
        app: AppSource,
        *,
        state: str | Path = ":memory:",
        clock: Clock | None = None,
        seed: int | None = None,
        settings: Mapping[str, str] | None = None,
        host_json: Mapping[str, Any] | None = None,
        key: str | None = None,
        port: int | None = None,
        on_transaction: Callable[[Transaction], None] | None = None,
        fsync: bool | None = None,
        free_running: bool | None = None,
        api: str = Edition.OF_2024,
    ) -> None:
        self.clock: Clock = clock or SystemClock()
        is_virtual = isinstance(self.clock, VirtualClock)
        self._is_free = free_running if free_running is not None else not (is_virtual or seed is not None)
        self._seed = (seed or 0) if not self._is_free else seed
        self._source = app
        self._state = state
        self._settings = dict(settings or {})
        self._host_json = host_json
        self._key = key
        self._port = port
        self._edition = Edition(api)
        self._hook = on_transaction
        self._fsync = fsync if fsync is not None else not is_virtual
        self._exit = ExitStack()
        self._base = "http://127.0.0.1"
        self._loop_task: asyncio.Task[None] | None = None

    @property
    def url(self) -> str:
        """The host's loopback address."""
        return self._base

    @property
    def app(self) -> App:
        """The loaded app."""
        return self._app

    # --- life ---

    async def __aenter__(self) -> Self:
        """Load the app, open the state and go on where it stood."""
        try:
            await self._open()
        except BaseException:
            await self._close()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop; everything that counts is in the state file."""
        await self._close()

    async def _open(self) -> None:
        self._dead: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._changed = asyncio.Event()
        self._server: Server | None = None
        settings = dict(self._settings)
        if isinstance(self._source, str | Path):
            settings = local_settings(Path(self._source)) | settings
        self._exit.enter_context(environment(_CORE_TOOLS | settings))
        self._app = load(self._source, self._host_json)
        self._store = Store(self._state, fsync=self._fsync, in_groups=self._is_free, on_transaction=self._hook)
        self._exit.callback(self._store.close)
        self._wire()
        await self._listen()
        self._dispatcher.wake([*self._store.pending(), *self._timers.begin()])
        self._store.on_commit = self._on_commit
        if self._is_free:
            self._loop_task = asyncio.create_task(self._dispatcher.run())

    def _wire(self) -> None:
        app, store, clock = self._app, self._store, self.clock
        invoker = Invoker(
            lambda caller: self._links().binding(caller),
            app.settings.function_timeout,
            app.directory,
            is_direct=not self._is_free,
            check_alive=self._check_alive,
        )
        self._timers = Timers(store, app, clock, invoker)
        self._client = Client(store, app, clock, self._new_id)
        self._orchestrations = Orchestrations(store, app, clock, invoker)
        self._dispatcher = Dispatcher(
            clock,
            app.settings,
            self._orchestrations,
            Activities(store, app, clock, invoker),
            Entities(store, app, clock, invoker),
            timers=self._timers,
            seed=self._seed,
        )
        self._dispatcher.on_crash = self._die
        management = Management(self._client, self._links, self._edition)
        self._answering = Answering(
            Door(management, Routes(app.http, app.settings.route_prefix, invoker), self._timers, self._key),
            self._client,
            store,
            clock,
            self._dispatcher,
            is_free=self._is_free,
            dead=self._dead,
            die=self._die,
        )
        management.wait = self._answering.wait
        self._dispatcher.holds_time = lambda: self._answering.is_busy or store.is_settling

    async def _listen(self) -> None:
        """Open the socket when somebody needs it: the SDK's client, or people."""
        has_client = any(function.client_names for function in self._app.functions)
        if self._port is None and not has_client:
            return
        self._server = Server(self._answering.serve)
        port = await self._server.start(self._port or 0)
        self._base = f"http://127.0.0.1:{port}"
        self._exit.enter_context(environment({"WEBSITE_HOSTNAME": f"localhost:{port}"}))

    async def _close(self) -> None:
        if self._loop_task is not None:
            self._loop_task.cancel()
            with contextlib.suppress(asyncio.CancelledError, Crash):
                await self._loop_task
            self._loop_task = None
        if getattr(self, "_server", None) is not None and self._server is not None:
            await self._server.stop()
        self._exit.close()

    def _die(self, crash: Crash) -> None:
        """Be dead: whoever waits is told, and nothing is done any more."""
        if not self._dead.done():
            self._dead.set_exception(crash)
            self._dead.exception()
        self._changed.set()

    def _links(self) -> Links:
        return Links(self._base, self._app.settings.hub, self._key or "")

    def _new_id(self, what: str) -> str:
        """Answer 32 hex digits: of chance, or, with a seed, of what the state has seen so far."""
        if self._seed is None:
            return uuid.uuid4().hex
        self._ids = getattr(self, "_ids", 0) + 1
        return random.Random(f"{self._seed}/{what}/{self._ids}").randbytes(16).hex()  # noqa: S311

    def _on_commit(self, wakes: "list[Wake] | Any") -> None:
        self._dispatcher.wake(wakes)
        self._changed.set()

    # --- HTTP ---

    async def request(
        self,
        method: str,
        path: str,
        *,
        json: object = None,
        body: bytes = b"",
        headers: Mapping[str, str] | None = None,
    ) -> Response:
        """Call a route of the app, or of the durable API, without a socket."""
        sent = {"host": self._base.removeprefix("http://"), **(headers or {})}
        if json is not None:
            body = jsonlib.dumps(json).encode()
            sent.setdefault("Content-Type", "application/json")
        self._answering.begin()
        incoming = request(method, self._base, path, headers=sent, body=body)
        serving = asyncio.ensure_future(self._answering.serve(incoming))
        await self._answering.attend(serving)
        self._check_alive()
        return serving.result()

    def _check_alive(self) -> None:
        if self._dead.done():
            self._dead.result()

    # --- the durable client ---

    async def start(
        self,
        name: str,
        input: object = None,  # noqa: A002  what everybody calls it
        *,
        instance_id: str | None = None,
        version: str | None = None,
    ) -> str:
        """Start an orchestration as the SDK's client does, and answer its id."""
        stored = None if input is None else jsonlib.dumps(jsonlib.dumps(input))
        return await self._tell(lambda: self._client.start(name, stored, instance_id=instance_id, version=version))

    async def _tell(self, act: Callable[[], Any]) -> Any:
        self._check_alive()
        try:
            answer = act()
        except Crash as crash:
            self._die(crash)
            raise
        await self._store.settled()
        return answer

    async def status(self, instance_id: str, *, history: bool = False) -> Status | None:
        """Answer where an instance stands; None when there is none."""
        return self._client.status(instance_id, history=history, history_output=history)

    async def instances(self) -> list[Status]:
        """Answer all instances, oldest first."""
        return self._client.find(Query(top=1_000_000))[0]

    async def raise_event(self, instance_id: str, name: str, data: object = None) -> None:
        """Raise an event as plain HTTP does: the orchestrator gets the data, not its JSON text."""
        await self._tell(lambda: self._client.raise_event(instance_id, name, jsonlib.dumps(data)))

    async def terminate(self, instance_id: str, reason: str = "") -> None:
        """Stop an instance."""
        await self._tell(lambda: self._client.terminate(instance_id, reason))

    async def suspend(self, instance_id: str, reason: str = "") -> None:
        """Hold an instance."""
        await self._tell(lambda: self._client.suspend(instance_id, reason))

    async def resume(self, instance_id: str, reason: str = "") -> None:
        """Let a held instance go on."""
        await self._tell(lambda: self._client.resume(instance_id, reason))

    async def rewind(self, instance_id: str, reason: str = "") -> None:
        """Run a failed instance again from where it failed."""
        await self._tell(lambda: self._client.rewind(instance_id, reason))

    async def restart(self, instance_id: str, *, new_id: bool = True) -> str:
        """Start an instance over, and answer its id."""
        return str(await self._tell(lambda: self._client.restart(instance_id, new_id=new_id)))

    async def purge(self, instance_id: str) -> int:
        """Forget an instance; answer how many were forgotten."""
        return int(await self._tell(lambda: self._client.purge(instance_id)))

    async def entity(self, name: str, key: str) -> object:
        """Answer an entity's state; None when it does not exist."""
        state = self._client.entity_state(name, key)
        return None if state is None else jsonlib.loads(state)

    async def signal_entity(self, name: str, key: str, operation: str, input: object = None) -> None:  # noqa: A002
        """Send an entity a request that nobody waits for, as the SDK's client does."""
        stored = None if input is None else jsonlib.dumps(jsonlib.dumps(input))
        await self._tell(lambda: self._client.signal_entity(name, key, operation, stored))

    # --- going on ---

    async def step(self) -> bool:
        """Do one piece of work, or jump to when the next is due; False when there is none."""
        return await self._step()

    async def _step(self, *, may_jump: bool = True, for_timers: bool = True) -> bool:
        self._check_alive()
        self._answering.begin()
        try:
            return await self._dispatcher.step(may_jump=may_jump, for_timers=for_timers)
        except Crash as crash:
            self._die(crash)
            raise

    async def run_until(self, goal: str | Callable[[], bool], *, within: timedelta | None = None) -> Status | None:
        """Go on until an instance is finished, or a predicate holds; answer the instance's status.

        Raises:
            TimeoutError: the host's clock passed `within` before.
            Stalled: nothing can happen any more, and it does not hold.
        """
        deadline = None if within is None else self.clock.now() + within
        is_met = goal if callable(goal) else lambda: self._is_finished(goal)
        while not is_met():
            if deadline is not None and self.clock.now() > deadline:
                raise TimeoutError(f"Not there after {within}: {self._where(goal)}")
            if not await self._go_on():
                raise Stalled(f"Nothing is ready and nothing comes due: {self._where(goal)}")
        await self._store.settled()
        return None if callable(goal) else self._client.status(goal)

    async def _go_on(self) -> bool:
        if not self._is_free:
            return await self._step()
        self._check_alive()
        self._changed.clear()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._changed.wait(), 0.05)
        self._check_alive()
        return True

    def _is_finished(self, instance_id: str) -> bool:
        row = self._store.instance(instance_id)
        return row is not None and row.status.is_final

    def _where(self, goal: str | Callable[[], bool]) -> str:
        if callable(goal):
            return f"at {timestamp(self.clock.now())}"
        status = self._client.status(goal)
        return (
            "no such instance"
            if status is None
            else f"{goal} is {status.runtime_status}, {status.custom_status!r}"
        )

    async def run_until_idle(self, *, within: timedelta | None = None) -> None:
        """Go on until only something from outside could make anything happen."""
        deadline = None if within is None else self.clock.now() + within
        while await self._busy():
            if deadline is not None and self.clock.now() > deadline:
                raise TimeoutError(f"Still busy after {within}.")

    async def _busy(self) -> bool:
        if not self._is_free:
            return await self._step(for_timers=False)
        queue = self._dispatcher.queue
        await asyncio.sleep(0.005)
        self._check_alive()
        is_going_on = queue.is_busy or not queue.is_empty or self._store.is_settling
        return is_going_on or queue.next_due(timers=False) is not None

"""The host for synchronous tests: the same methods, without await."""

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from datetime import timedelta
from types import TracebackType
from typing import Any, Self, TypeVar

from localhost.app import AppSource
from localhost.client import Status
from localhost.clock import Clock
from localhost.host import LocalHost
from localhost.http.message import Response

_T = TypeVar("_T")


class SyncHost:
    """A LocalHost with its own event loop, which runs only while one of these methods does."""

    def __init__(self, app: AppSource, **options: Any) -> None:
        self.host = LocalHost(app, **options)
        self._runner = asyncio.Runner()

    def _run(self, work: Coroutine[Any, Any, _T]) -> _T:
        # Runner.run would put a signal handler in place for each of thousands of short calls.
        return self._runner.get_loop().run_until_complete(work)

    def __enter__(self) -> Self:
        """Open the host."""
        try:
            self._run(self.host.__aenter__())
        except BaseException:
            self._runner.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the host."""
        try:
            self._run(self.host.__aexit__(kind, error, trace))
        finally:
            self._runner.close()

    @property
    def clock(self) -> Clock:
        """The host's clock."""
        return self.host.clock

    @property
    def url(self) -> str:
        """The host's loopback address; it answers only while a method of this object runs."""
        return self.host.url

    def start(
        self,
        name: str,
        input: object = None,  # noqa: A002  what everybody calls it
        *,
        instance_id: str | None = None,
        version: str | None = None,
    ) -> str:
        """Start an orchestration and answer its id."""
        return self._run(self.host.start(name, input, instance_id=instance_id, version=version))

    def request(
        self,
        method: str,
        path: str,
        *,
        json: object = None,
        body: bytes = b"",
        headers: Mapping[str, str] | None = None,
    ) -> Response:
        """Call a route."""
        return self._run(self.host.request(method, path, json=json, body=body, headers=headers))

    def status(self, instance_id: str, *, history: bool = False) -> Status | None:
        """Answer where an instance stands."""
        return self._run(self.host.status(instance_id, history=history))

    def instances(self) -> list[Status]:
        """Answer all instances."""
        return self._run(self.host.instances())

    def raise_event(self, instance_id: str, name: str, data: object = None) -> None:
        """Raise an event."""
        self._run(self.host.raise_event(instance_id, name, data))

    def terminate(self, instance_id: str, reason: str = "") -> None:
        """Stop an instance."""
        self._run(self.host.terminate(instance_id, reason))

    def suspend(self, instance_id: str, reason: str = "") -> None:
        """Hold an instance."""
        self._run(self.host.suspend(instance_id, reason))

    def resume(self, instance_id: str, reason: str = "") -> None:
        """Let a held instance go on."""
        self._run(self.host.resume(instance_id, reason))

    def rewind(self, instance_id: str, reason: str = "") -> None:
        """Run a failed instance again from where it failed."""
        self._run(self.host.rewind(instance_id, reason))

    def restart(self, instance_id: str, *, new_id: bool = True) -> str:
        """Start an instance over, and answer its id."""
        return self._run(self.host.restart(instance_id, new_id=new_id))

    def purge(self, instance_id: str) -> int:
        """Forget an instance."""
        return self._run(self.host.purge(instance_id))

    def entity(self, name: str, key: str) -> object:
        """Answer an entity's state."""
        return self._run(self.host.entity(name, key))

    def signal_entity(self, name: str, key: str, operation: str, input: object = None) -> None:  # noqa: A002
        """Send an entity a request that nobody waits for."""
        self._run(self.host.signal_entity(name, key, operation, input))

    def run_until(self, goal: str | Callable[[], bool], *, within: timedelta | None = None) -> Status | None:
        """Go on until an instance is finished, or a predicate holds."""
        return self._run(self.host.run_until(goal, within=within))

    def run_until_idle(self, *, within: timedelta | None = None) -> None:
        """Go on until only something from outside could make anything happen."""
        self._run(self.host.run_until_idle(within=within))

    def step(self) -> bool:
        """Do one piece of work, or jump to when the next is due."""
        return self._run(self.host.step())

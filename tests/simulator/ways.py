"""The four ways to a simulator: the official clients, sync and aio, in process and over HTTP.

A test is written once, as a sync client is called; an aio client is driven call by call.
"""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Awaitable, Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any, cast

from azure.core.async_paging import AsyncItemPaged
from azure.core.pipeline.policies import SansIOHTTPPolicy
from azure.core.polling import AsyncLROPoller
from azure.mgmt.core import ARMPipelineClient, AsyncARMPipelineClient
from azure.mgmt.core.policies import ARMChallengeAuthenticationPolicy, AsyncARMChallengeAuthenticationPolicy
from azure.mgmt.recoveryservicessiterecovery import SiteRecoveryManagementClient
from azure.mgmt.recoveryservicessiterecovery.aio import SiteRecoveryManagementClient as AsyncClient
from azure.monitor.query import LogsQueryClient
from azure.monitor.query.aio import LogsQueryClient as AsyncLogsQueryClient

from simulator import Simulator
from simulator.transport import (
    AsyncSimulatorCredential,
    AsyncSimulatorTransport,
    SimulatorCredential,
    SimulatorTransport,
)
from tests.simulator.served import AllowHttp, AsyncSteppingTransport, Served, SteppingTransport

SUBSCRIPTION = "11111111-1111-1111-1111-111111111111"
ARM = "https://management.azure.com"
SCOPE = f"{ARM}/.default"
LOGS = "https://api.loganalytics.io"


@dataclass(frozen=True)
class Way:
    """How a caller reaches a simulator; `served` is the server of the ways over HTTP."""

    aio: bool = False
    served: Served | None = None


IN_PROCESS = Way()


@dataclass(frozen=True)
class Clients:
    """The official clients of one simulator: Site Recovery's, ARM's own pipeline, and that of the logs.

    `bare` is ARM's pipeline without a credential, for calls that bring their own or none.
    """

    site_recovery: SiteRecoveryManagementClient
    arm: ARMPipelineClient[Any, Any]
    bare: ARMPipelineClient[Any, Any]
    logs: LogsQueryClient
    url: str


@contextmanager
def clients(simulator: Simulator, way: Way) -> Iterator[Clients]:
    """Open the clients; they are closed at the end."""
    if way.served:
        way.served.simulator = simulator
    url = way.served.server.url if way.served else ARM
    logs = {"endpoint": f"{url}/loganalytics" if way.served else LOGS, "audience": LOGS}
    arm: Any = {"base_url": url, "credential_scopes": [SCOPE]}
    with ExitStack() as stack:
        if not way.aio:
            credential = SimulatorCredential(simulator)
            yield Clients(
                site_recovery=stack.enter_context(
                    SiteRecoveryManagementClient(credential, SUBSCRIPTION, **arm, **_wire(simulator, way))
                ),
                arm=stack.enter_context(
                    ARMPipelineClient(
                        url,
                        policies=[AllowHttp(), ARMChallengeAuthenticationPolicy(credential, SCOPE)],
                        transport=_wire(simulator, way)["transport"],
                    )
                ),
                bare=stack.enter_context(
                    ARMPipelineClient(
                        url, policies=[SansIOHTTPPolicy()], transport=_wire(simulator, way)["transport"]
                    )
                ),
                logs=stack.enter_context(LogsQueryClient(credential, **logs, **_wire(simulator, way))),
                url=url,
            )
            return
        wait = stack.enter_context(asyncio.Runner()).run
        later = AsyncSimulatorCredential(simulator)
        opened = {
            "site_recovery": AsyncClient(later, SUBSCRIPTION, **arm, **_wire(simulator, way)),
            "arm": AsyncARMPipelineClient(
                url,
                policies=[AllowHttp(), AsyncARMChallengeAuthenticationPolicy(later, SCOPE)],
                transport=_wire(simulator, way)["transport"],
            ),
            "bare": AsyncARMPipelineClient(
                url, policies=[SansIOHTTPPolicy()], transport=_wire(simulator, way)["transport"]
            ),
            "logs": AsyncLogsQueryClient(later, **logs, **_wire(simulator, way)),
        }
        for one in opened.values():
            stack.callback(_close, wait, one)
        driven: dict[str, Any] = {name: InTurn(one, wait) for name, one in opened.items()}
        yield Clients(**driven, url=url)


def _close(wait: Callable[[Any], Any], client: Any) -> None:
    wait(client.close())


def _wire(simulator: Simulator, way: Way) -> dict[str, Any]:
    """Answer what carries a client's calls, and over HTTP the leave to send a token without TLS."""
    if way.served:
        stepping = AsyncSteppingTransport if way.aio else SteppingTransport
        return {"transport": stepping(simulator.clock), "per_call_policies": [AllowHttp()]}
    carrier = AsyncSimulatorTransport if way.aio else SimulatorTransport
    return {"transport": carrier(simulator)}


class InTurn:
    """Something of an aio client, whose calls are waited for one by one."""

    def __init__(self, inner: object, wait: Callable[[Any], Any]) -> None:
        self._inner = inner
        self._wait = wait

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._inner, name)
        if inspect.isroutine(found) or isinstance(found, partial):
            return lambda *given, **words: self._settled(found(*given, **words))
        if type(found).__name__.endswith("Operations"):
            return InTurn(found, self._wait)
        return found

    def _settled(self, value: Any) -> Any:
        if isinstance(value, AsyncItemPaged):
            return iter(self._wait(_members(cast("AsyncItemPaged[Any]", value))))
        if inspect.isawaitable(value) and not isinstance(value, AsyncLROPoller):
            value = self._wait(_awaited(value))
        return _Poller(value, self._wait) if isinstance(value, AsyncLROPoller) else value


class _Poller:
    """An aio poller; the time a sync one may be waited for is of no use to it."""

    def __init__(self, inner: AsyncLROPoller[Any], wait: Callable[[Any], Any]) -> None:
        self._inner = inner
        self._wait = wait

    def result(self, _timeout: float | None = None, **_: object) -> Any:
        return self._wait(self._inner.result())


async def _members(paged: AsyncItemPaged[Any]) -> list[Any]:
    return [member async for member in paged]


async def _awaited(value: Awaitable[Any]) -> Any:
    return await value

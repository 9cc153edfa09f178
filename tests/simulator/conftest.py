from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from azure.mgmt.recoveryservicessiterecovery import SiteRecoveryManagementClient

from simulator import ManualClock, Simulator, default_estate
from simulator.estate import Estate, VaultSpec
from tests.simulator.from_nothing import machine, set_up
from tests.simulator.helpers import Caller
from tests.simulator.served import Served
from tests.simulator.ways import Way

__all__ = ["Caller"]

WAYS = ["sync", "aio", "sync over HTTP", "aio over HTTP"]


@pytest.fixture(scope="session")
def server() -> Iterator[Served]:
    with Served() as one:
        yield one


@pytest.fixture(params=WAYS)
def way(request: pytest.FixtureRequest) -> Way:
    """Answer each of the four ways in turn: every test that takes it runs in all of them."""
    words: str = request.param
    served = request.getfixturevalue("server") if "HTTP" in words else None
    return Way(aio="aio" in words, served=served)


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def simulator(clock: ManualClock) -> Simulator:
    return Simulator(default_estate(), clock=clock)


@pytest.fixture
def caller(simulator: Simulator, way: Way) -> Iterator[Caller]:
    with Caller(simulator, way) as one:
        yield one


@pytest.fixture
def calling(way: Way) -> Iterator[Callable[..., Caller]]:
    """Answer what opens a caller of one estate, the way the test runs."""
    with ExitStack() as stack:

        def call(estate: Any = None, clock: ManualClock | None = None, **more: Any) -> Caller:
            simulator = Simulator(estate, clock=clock or ManualClock(), **more)
            return stack.enter_context(Caller(simulator, way))

        yield call


@pytest.fixture
def client(caller: Caller) -> SiteRecoveryManagementClient:
    return caller.client


@pytest.fixture
def bare(calling: Callable[..., Caller]) -> Caller:
    vault = VaultSpec.model_validate({"bare": True, "machines": [machine("web"), machine("db")]})
    return calling(Estate(vaults=(vault,)))


@pytest.fixture
def ready(bare: Caller) -> Caller:
    """Answer a caller of a vault in which machines may be enabled."""
    set_up(bare)
    return bare

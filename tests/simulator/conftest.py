from __future__ import annotations

from collections.abc import Iterator

import pytest
from azure.mgmt.recoveryservicessiterecovery import SiteRecoveryManagementClient

from simulator import ManualClock, Simulator, default_estate
from tests.simulator.helpers import Caller

__all__ = ["Caller"]


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def simulator(clock: ManualClock) -> Simulator:
    return Simulator(default_estate(), clock=clock)


@pytest.fixture
def caller(simulator: Simulator) -> Iterator[Caller]:
    with Caller(simulator) as one:
        yield one


@pytest.fixture
def client(caller: Caller) -> SiteRecoveryManagementClient:
    return caller.client

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from azure.core.exceptions import ResourceNotFoundError, ServiceRequestError
from azure.mgmt.recoveryservicessiterecovery.aio import SiteRecoveryManagementClient

from simulator import Fault, ManualClock, Simulator
from simulator.faults import FaultName
from simulator.transport import AsyncSimulatorCredential, AsyncSimulatorTransport
from tests.simulator.helpers import (
    AWAY,
    CLEANUP_BODY,
    GROUP,
    ITEM,
    SUBSCRIPTION,
    VAULT,
    failover_body,
    rehearsal_body,
)


def client_of(simulator: Simulator) -> SiteRecoveryManagementClient:
    return SiteRecoveryManagementClient(
        AsyncSimulatorCredential(simulator),
        SUBSCRIPTION,
        transport=AsyncSimulatorTransport(simulator),
    )


def test_an_aio_client_takes_a_machine_home_with_its_own_poller(simulator: Simulator, clock: ManualClock) -> None:
    async def life() -> tuple[str | None, timedelta]:
        async with client_of(simulator) as client:
            items = client.replication_protected_items
            began = clock.now()
            where = (GROUP, VAULT, *AWAY, ITEM)
            await (await items.begin_test_failover(*where, rehearsal_body())).result()
            await (await items.begin_test_failover_cleanup(*where, CLEANUP_BODY)).result()
            await (await items.begin_unplanned_failover(*where, failover_body())).result()
            item = await (await items.begin_failover_commit(*where)).result()
            assert item.properties is not None
            return item.properties.protection_state, clock.now() - began

    state, spent = asyncio.run(life())
    assert state == "UnplannedFailoverCommitted"
    assert timedelta(seconds=203 + 82 + 205 + 8) <= spent <= timedelta(minutes=12)


def test_an_aio_client_hears_of_errors_and_of_closed_connections(simulator: Simulator) -> None:
    async def ask(name: str) -> None:
        async with client_of(simulator) as client:
            await client.replication_protected_items.get(GROUP, VAULT, *AWAY, name, retry_total=0)

    with pytest.raises(ResourceNotFoundError):
        asyncio.run(ask("nobody"))
    fault = Fault(name=FaultName.CONNECTION_CLOSED)
    simulator.faults.add([fault], simulator.clock.now())
    with pytest.raises(ServiceRequestError):
        asyncio.run(ask(ITEM))

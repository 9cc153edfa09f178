from __future__ import annotations

import asyncio
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from azure.core.exceptions import HttpResponseError, ServiceRequestError, ServiceResponseError
from azure.identity import ClientSecretCredential, ManagedIdentityCredential
from azure.identity.aio import ManagedIdentityCredential as AsyncManagedIdentityCredential
from azure.mgmt.recoveryservicessiterecovery import SiteRecoveryManagementClient
from azure.mgmt.recoveryservicessiterecovery.aio import (
    SiteRecoveryManagementClient as AsyncClient,
)
from azure.monitor.query import LogsQueryClient, LogsQueryStatus

from simulator import Fault, ManualClock, ScaledClock, Simulator, default_estate
from simulator.faults import FaultName
from simulator.tls import local_tls
from simulator.transport import AsyncSimulatorCredential, SimulatorCredential
from tests.simulator.helpers import (
    AWAY,
    CLEANUP_BODY,
    GROUP,
    ITEM,
    SUBSCRIPTION,
    VAULT,
    Caller,
    failover_body,
    rehearsal_body,
)
from tests.simulator.served import AllowHttp, Served
from tests.simulator.ways import Way


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch) -> Iterator[Served]:
    one = Served()
    one.start()
    monkeypatch.setenv("IDENTITY_ENDPOINT", f"{one.server.url}/msi/token")
    monkeypatch.setenv("IDENTITY_HEADER", "simulator")
    yield one
    one.stop()


@pytest.fixture
def client(served: Served) -> Iterator[SiteRecoveryManagementClient]:
    with (
        ManagedIdentityCredential() as credential,
        SiteRecoveryManagementClient(
            credential,
            SUBSCRIPTION,
            base_url=served.server.url,
            credential_scopes=["https://management.azure.com/.default"],
            per_call_policies=[AllowHttp()],
        ) as one,
    ):
        yield one


def test_a_managed_identity_opens_the_vault(client: SiteRecoveryManagementClient) -> None:
    items = list(client.replication_protected_items.list(GROUP, VAULT))
    assert [item.name for item in items] == [ITEM]


def test_links_lead_back_to_the_address_the_caller_used(
    served: Served, client: SiteRecoveryManagementClient
) -> None:
    seen: dict[str, str] = {}
    client.replication_protected_items.begin_unplanned_failover(
        GROUP,
        VAULT,
        *AWAY,
        ITEM,
        failover_body(),
        polling=False,
        raw_response_hook=lambda r: seen.update(r.http_response.headers),
    )
    assert seen["Location"].startswith(f"{served.server.url}/Subscriptions/")
    assert seen["Retry-After"] == "30"
    first, second = seen["x-ms-request-id"].split(", ")
    assert first == second


def test_the_sdks_poller_follows_a_failover_to_its_end(
    served: Served, client: SiteRecoveryManagementClient
) -> None:
    poller = client.replication_protected_items.begin_unplanned_failover(
        GROUP, VAULT, *AWAY, ITEM, failover_body(), polling_interval=0
    )
    served.simulator.clock.advance(timedelta(seconds=300))
    item = poller.result(timeout=20)
    assert item.properties is not None
    assert item.properties.active_location == "Recovery"


def test_an_aio_client_sees_the_same_vault(served: Served) -> None:
    async def names() -> list[str | None]:
        async with (
            AsyncManagedIdentityCredential() as credential,
            AsyncClient(
                credential,
                SUBSCRIPTION,
                base_url=served.server.url,
                credential_scopes=["https://management.azure.com/.default"],
                per_call_policies=[AllowHttp()],
            ) as one,
        ):
            found = one.replication_protected_items.list(GROUP, VAULT)
            return [item.name async for item in found]

    assert asyncio.run(names()) == [ITEM]


def test_a_lost_answer_closes_the_connection_after_the_job_was_accepted(
    served: Served, client: SiteRecoveryManagementClient
) -> None:
    fault = Fault(name=FaultName.LOST_ANSWER, path="unplannedFailover")
    served.simulator.faults.add([fault], served.simulator.world.now)
    with pytest.raises(ServiceResponseError):
        client.replication_protected_items.begin_unplanned_failover(
            GROUP, VAULT, *AWAY, ITEM, failover_body(), polling=False, retry_total=0
        )
    item = client.replication_protected_items.get(GROUP, VAULT, *AWAY, ITEM)
    assert item.properties is not None
    assert item.properties.current_scenario is not None
    assert item.properties.current_scenario.scenario_name == "UnplannedFailover"


@pytest.mark.parametrize("aio", [False, True])
def test_an_answer_that_is_slow_over_http_is_late_by_real_time_or_lost(server: Served, aio: bool) -> None:
    simulator = Simulator(default_estate(), clock=ManualClock())
    with Caller(simulator, Way(aio=aio, served=server)) as caller:
        caller.arm_fault("slow", delay=0.3, times=2)
        began = time.perf_counter()
        assert caller.item().name == ITEM
        assert time.perf_counter() - began >= 0.3
        with pytest.raises((ServiceResponseError, ServiceRequestError)):
            caller.client.replication_protected_items.get(
                GROUP, VAULT, *AWAY, ITEM, read_timeout=0.05, retry_total=0
            )


def test_logs_are_asked_with_their_own_audience(served: Served) -> None:
    with (
        ManagedIdentityCredential() as credential,
        LogsQueryClient(
            credential,
            endpoint=f"{served.server.url}/loganalytics",
            audience="https://api.loganalytics.io",
            per_call_policies=[AllowHttp()],
        ) as logs,
    ):
        answer = logs.query_workspace("contoso", "Heartbeat | count", timespan=None)
        assert answer.status == LogsQueryStatus.SUCCESS
        assert answer.tables[0].rows[0][0] > 0
        with pytest.raises(HttpResponseError) as wrong:
            logs.query_workspace("contoso", "Heartbeat | wher x", timespan=None)
        assert wrong.value.error is not None
        assert wrong.value.error.code == "BadArgumentError"


def test_a_client_that_trusts_the_local_authority_speaks_https(tmp_path: Path) -> None:
    served = Served(local_tls(tmp_path))
    served.start()
    try:
        with SiteRecoveryManagementClient(
            SimulatorCredential(served.simulator),
            SUBSCRIPTION,
            base_url=served.server.url,
            credential_scopes=["https://management.azure.com/.default"],
            connection_verify=str(tmp_path / "ca.pem"),
        ) as client:
            assert client.replication_protected_items.get(GROUP, VAULT, *AWAY, ITEM).name == ITEM
        assert served.server.url.startswith("https://")
    finally:
        served.stop()


def test_an_aio_client_that_trusts_the_local_authority_fails_over_by_https(tmp_path: Path) -> None:
    served = Served(local_tls(tmp_path))
    served.start()
    seen: dict[str, str] = {}

    async def fail_over() -> str | None:
        async with AsyncClient(
            AsyncSimulatorCredential(served.simulator),
            SUBSCRIPTION,
            base_url=served.server.url,
            credential_scopes=["https://management.azure.com/.default"],
            connection_verify=str(tmp_path / "ca.pem"),
        ) as client:
            await client.replication_protected_items.begin_unplanned_failover(
                GROUP,
                VAULT,
                *AWAY,
                ITEM,
                failover_body(),
                polling=False,
                raw_response_hook=lambda r: seen.update(r.http_response.headers),
            )
            served.simulator.clock.advance(timedelta(minutes=5))
            item = await client.replication_protected_items.get(GROUP, VAULT, *AWAY, ITEM)
            return item.properties.active_location

    try:
        assert asyncio.run(fail_over()) == "Recovery"
        assert seen["Location"].startswith(served.server.url.replace("http://", "https://"))
    finally:
        served.stop()


def test_entra_hands_out_tokens_for_client_credentials(tmp_path: Path) -> None:
    served = Served(local_tls(tmp_path))
    served.start()
    trust = str(tmp_path / "ca.pem")
    try:
        with (
            ClientSecretCredential(
                "contoso",
                "app",
                "any secret",
                authority=served.server.url,
                disable_instance_discovery=True,
                connection_verify=trust,
            ) as credential,
            SiteRecoveryManagementClient(
                credential,
                SUBSCRIPTION,
                base_url=served.server.url,
                credential_scopes=["https://management.azure.com/.default"],
                connection_verify=trust,
            ) as client,
        ):
            assert client.replication_protected_items.get(GROUP, VAULT, *AWAY, ITEM).name == ITEM
    finally:
        served.stop()


def test_the_command_says_in_one_line_where_it_serves() -> None:
    command = [sys.executable, "-m", "simulator", "--port", "0", "--speed", "60"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        process.terminate()
        assert process.wait(10) == 0
    assert line.startswith("simulator ready at http://127.0.0.1:")


def test_the_command_refuses_an_estate_it_cannot_read(tmp_path: Path) -> None:
    path = tmp_path / "estate.yaml"
    path.write_text("vaults: [{machines: [{name: x, state: asleep}]}]")
    command = [sys.executable, "-m", "simulator", "--estate", str(path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == 2
    assert "asleep" in done.stderr


WHERE = (GROUP, VAULT, *AWAY, ITEM)
BRISK: dict[str, Any] = {"polling_interval": 0.01}


@pytest.fixture
def fast(monkeypatch: pytest.MonkeyPatch) -> Iterator[Served]:
    one = Served(clock=ScaledClock(3_000))
    one.start()
    monkeypatch.setenv("IDENTITY_ENDPOINT", f"{one.server.url}/msi/token")
    monkeypatch.setenv("IDENTITY_HEADER", "simulator")
    yield one
    one.stop()


def options(served: Served) -> dict[str, Any]:
    return {
        "base_url": served.server.url,
        "credential_scopes": ["https://management.azure.com/.default"],
        "per_call_policies": [AllowHttp()],
    }


def test_a_sync_client_takes_a_machine_home_over_http(fast: Served) -> None:
    with (
        ManagedIdentityCredential() as credential,
        SiteRecoveryManagementClient(credential, SUBSCRIPTION, **options(fast)) as client,
    ):
        items = client.replication_protected_items
        items.begin_test_failover(*WHERE, rehearsal_body(), **BRISK).result(20)
        items.begin_test_failover_cleanup(*WHERE, CLEANUP_BODY, **BRISK).result(20)
        items.begin_unplanned_failover(*WHERE, failover_body(), **BRISK).result(20)
        item = items.begin_failover_commit(*WHERE, **BRISK).result(20)
        assert item.properties is not None
        assert item.properties.protection_state == "UnplannedFailoverCommitted"


def test_an_aio_client_takes_a_machine_home_over_http(fast: Served) -> None:
    async def life() -> str | None:
        async with (
            AsyncManagedIdentityCredential() as credential,
            AsyncClient(credential, SUBSCRIPTION, **options(fast)) as client,
        ):
            items = client.replication_protected_items
            await (await items.begin_test_failover(*WHERE, rehearsal_body(), **BRISK)).result()
            await (await items.begin_test_failover_cleanup(*WHERE, CLEANUP_BODY, **BRISK)).result()
            await (await items.begin_unplanned_failover(*WHERE, failover_body(), **BRISK)).result()
            item = await (await items.begin_failover_commit(*WHERE, **BRISK)).result()
            return item.properties.protection_state if item.properties else None

    assert asyncio.run(life()) == "UnplannedFailoverCommitted"


def test_a_managed_identity_that_is_away_for_a_moment_is_asked_again(
    served: Served, client: SiteRecoveryManagementClient
) -> None:
    fault = Fault(name=FaultName.THROTTLED, path="/msi/token", retry_after=0)
    served.simulator.faults.add([fault], served.simulator.clock.now())
    assert client.replication_protected_items.get(GROUP, VAULT, *AWAY, ITEM).name == ITEM
    assert served.simulator.faults.active() == []

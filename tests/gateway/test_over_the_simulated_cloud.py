from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from domain.settings import Settings
from gateway.azure import Azure
from gateway.credentials import make_credential
from simulator import Fault, ScaledClock, Simulator, default_estate
from simulator.server import Server
from tests.gateway.conftest import VAULT


class Cloud:
    """A simulator on a loopback port, with its token service, served from a thread of its own."""

    def __init__(self) -> None:
        self.simulator = Simulator(default_estate(), clock=ScaledClock())
        self._loop = asyncio.new_event_loop()
        self._server = Server(self.simulator)
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)

    def __enter__(self) -> str:
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self._server.__aenter__(), self._loop).result(10)
        return self._server.url

    def __exit__(self, *_: object) -> None:
        asyncio.run_coroutine_threadsafe(self._server.__aexit__(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()


@pytest.fixture
def cloud() -> Cloud:
    return Cloud()


@pytest.fixture
def azure(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> Iterator[Azure]:
    with cloud as url:
        given = {
            "IDENTITY_ENDPOINT": f"{url}/msi/token",
            "IDENTITY_HEADER": "simulator",
            "FAILBACK_ARM_ENDPOINT": url,
            "FAILBACK_LOGS_ENDPOINT": f"{url}/loganalytics",
        }
        for name, value in given.items():
            monkeypatch.setenv(name, value)
        settings = Settings.from_environment(given)
        made = Azure.over(settings, make_credential(settings, given))
        yield made
        made.close()


def test_the_managed_identity_opens_the_vault_over_plain_http_on_loopback(azure: Azure, cloud: Cloud) -> None:
    (machine,) = azure.vault(VAULT).machines()
    assert machine.snapshot.name == "ContosoWin2016"
    assert abs(azure.now() - cloud.simulator.clock.now()) < timedelta(seconds=5)


def test_many_threads_share_one_azure(azure: Azure, cloud: Cloud) -> None:
    item_id = azure.vault(VAULT).machines()[0].snapshot.id
    with ThreadPoolExecutor(max_workers=16) as pool:
        found = list(pool.map(lambda _: azure.vault(VAULT).machine(item_id).snapshot.mark, range(64)))
    assert len(set(found)) == 1
    tokens = [call for call in cloud.simulator.journal.calls if call.path.endswith("/msi/token")]
    assert len(tokens) == 1


def test_a_token_that_is_refused_is_replaced_before_the_next_read(azure: Azure, cloud: Cloud) -> None:
    azure.vault(VAULT).machines()
    cloud.simulator.faults.add(
        [Fault.model_validate({"name": "token-expired", "times": 1})], cloud.simulator.clock.now()
    )
    with pytest.raises(Exception, match="Expired"):
        azure.vault(VAULT).machines()
    assert azure.vault(VAULT).machines()

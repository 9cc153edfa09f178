from __future__ import annotations

import inspect
import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from azure.core.pipeline.policies import SansIOHTTPPolicy
from azure.identity import ManagedIdentityCredential
from azure.mgmt.recoveryservicessiterecovery import SiteRecoveryManagementClient
from pydantic.alias_generators import to_camel

import simulator
from simulator import Estate, Fault, ManualClock, Simulator, coverage
from simulator.coverage import insert_coverage, invented
from simulator.estate import Arrival, DiskSpec, Durations, MachineSpec, RegionSpec, VaultSpec
from simulator.faults import FaultName
from simulator.routes import ROUTES, Basis
from tests.simulator.helpers import SUBSCRIPTION
from tests.simulator.recordings import KNOWN, LOOSE
from tests.simulator.served import Served

PAGE = Path(__file__).parents[2] / "docs/simulator.md"


def blocks(kind: str) -> list[str]:
    return re.findall(rf"```{kind}\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)


def test_the_coverage_table_is_the_routes_own() -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert text == insert_coverage(text), "print it again: python -m simulator --coverage"


def test_whatever_the_source_says_it_invented_is_on_the_page() -> None:
    source = Path(simulator.__file__).parent
    said = sum(p.read_text(encoding="utf-8").count("invented: ") for p in source.rglob("*.py"))
    own = Path(coverage.__file__).read_text(encoding="utf-8").count("invented: ")
    assert len(invented()) == said - own > 40
    assert len(set(invented())) == len(invented())
    text = PAGE.read_text(encoding="utf-8")
    assert [what for _, what in invented() if what not in text] == []


def test_every_operation_that_is_invented_says_so_in_its_module() -> None:
    modules = {inspect.getmodule(route.handler) for route in ROUTES if route.basis is Basis.INVENTED}
    assert [m.__name__ for m in modules if m and "invented" not in inspect.getsource(m)] == []


def test_every_fault_is_tried() -> None:
    tests = "".join(path.read_text(encoding="utf-8") for path in Path(__file__).parent.glob("test_*.py"))
    assert [name for name in FaultName if f'"{name}"' not in tests and f"FaultName.{name.name}" not in tests] == []


def test_the_estate_on_the_page_can_be_served() -> None:
    estate = Estate.model_validate(yaml.safe_load(blocks("yaml")[0]))
    assert len(Simulator(estate, clock=ManualClock()).world.items) == 6


def test_the_bare_vault_on_the_page_can_be_served() -> None:
    estate = Estate.model_validate(yaml.safe_load(blocks("yaml")[1]))
    world = Simulator(estate, clock=ManualClock()).world
    assert (len(world.items), len(world.machines.vms)) == (0, 1)


def test_the_machines_on_the_page_that_come_up_wrong_can_be_served() -> None:
    estate = Estate.model_validate(yaml.safe_load(blocks("yaml")[2]))
    assert len(Simulator(estate, clock=ManualClock()).world.items) == 8


def test_the_faults_on_the_page_are_faults() -> None:
    assert len([Fault.model_validate(one) for one in yaml.safe_load(blocks("yaml")[3])]) == 4


def test_the_client_on_the_page_is_one_that_works_without_a_socket() -> None:
    told: dict[str, Any] = {
        "subscription": SUBSCRIPTION,
        "timedelta": timedelta,
        "SiteRecoveryManagementClient": SiteRecoveryManagementClient,
    }
    exec(blocks("python")[1], told)
    items = list(told["client"].replication_protected_items.list("contoso-dr", "contoso-vault"))
    assert [item.name for item in items] == ["ContosoWin2016"]
    assert told["clock"].now() - ManualClock().now() == timedelta(minutes=4)


def test_the_client_on_the_page_is_one_that_works_over_http(
    server: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.simulator = Simulator(clock=ManualClock())
    monkeypatch.setenv("IDENTITY_ENDPOINT", f"{server.server.url}/msi/token")
    monkeypatch.setenv("IDENTITY_HEADER", "simulator")
    told: dict[str, Any] = {
        "subscription": SUBSCRIPTION,
        "SansIOHTTPPolicy": SansIOHTTPPolicy,
        "ManagedIdentityCredential": ManagedIdentityCredential,
        "SiteRecoveryManagementClient": SiteRecoveryManagementClient,
    }
    exec(blocks("python")[0].replace("http://127.0.0.1:7071", server.server.url), told)
    assert len(list(told["client"].replication_fabrics.list("contoso-dr", "contoso-vault"))) == 2


def test_every_word_of_an_estate_is_on_the_page() -> None:
    text = PAGE.read_text(encoding="utf-8")
    parts = (Estate, VaultSpec, MachineSpec, RegionSpec, Durations, Arrival, DiskSpec)
    words = {to_camel(name) for part in parts for name in part.model_fields}
    assert sorted(word for word in words if not re.search(rf"\b{word}\b", text)) == []


def test_every_fault_is_on_the_page() -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert [name for name in FaultName if f"`{name}`" not in text] == []


def test_every_difference_from_the_recordings_is_on_the_page_and_no_other() -> None:
    part = PAGE.read_text(encoding="utf-8").split("## Where it differs")[1].split("\n## ")[0]
    told = [
        name for row in re.findall(r"^\| (`.*?) \|", part, re.MULTILINE) for name in re.findall(r"`(\w+)`", row)
    ]
    assert sorted(told) == sorted(KNOWN | LOOSE)

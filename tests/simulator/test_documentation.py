from __future__ import annotations

import re
from pathlib import Path

import yaml
from pydantic.alias_generators import to_camel

from simulator import Estate, Fault, ManualClock, Simulator
from simulator.coverage import insert_coverage
from simulator.estate import Arrival, DiskSpec, Durations, MachineSpec, RegionSpec, VaultSpec
from simulator.faults import FaultName
from tests.simulator.recordings import KNOWN, LOOSE

PAGE = Path(__file__).parents[2] / "docs/simulator.md"


def blocks(kind: str) -> list[str]:
    return re.findall(rf"```{kind}\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)


def test_the_coverage_table_is_the_routes_own() -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert text == insert_coverage(text), "print it again: python -m simulator --coverage"


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

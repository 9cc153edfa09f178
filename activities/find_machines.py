"""Find the machines of a vault that are failed over, for a proposal that does not name them."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from functools import partial

from activities.azure import Document, azure
from domain.alert_routes import Tag
from domain.errors import Transient
from domain.lifecycle import STILL_AWAY, state_of
from domain.machine import MachineSnapshot
from domain.proposals import MachinesFound, MachinesWanted
from gateway.azure import Azure
from gateway.faults import Refused


def find_machines(request: Document) -> Document:
    """Find machines; raises when the vault cannot be read now, for the step to be repeated."""
    return found_in(azure(), MachinesWanted.from_wire(request)).to_wire()


def found_in(azure: Azure, wanted: MachinesWanted) -> MachinesFound:
    """Name the machines that are failed over, in the order of their names."""
    try:
        away = [each.snapshot for each in azure.vault(wanted.vault).machines()]
        away = [each for each in away if state_of(each) in STILL_AWAY]
        if wanted.tag is not None:
            away = _carrying(azure, wanted.vault, wanted.tag, away)
    except Refused as refused:
        raise Transient(str(refused)) from refused
    return MachinesFound(names=tuple(sorted(each.name for each in away)))


def _carrying(azure: Azure, vault: str, tag: Tag, machines: list[MachineSnapshot]) -> list[MachineSnapshot]:
    """Choose the machines with a tag, which only a read of each one tells."""
    with ThreadPoolExecutor(max_workers=azure.settings.parallel_calls) as pool:
        read = list(pool.map(partial(_tags, azure, vault), machines))
    return [each for each, tags in zip(machines, read, strict=True) if tags.get(tag.name.casefold()) == tag.value]


def _tags(azure: Azure, vault: str, machine: MachineSnapshot) -> dict[str, str]:
    return azure.vault(vault).machine(machine.id).tags

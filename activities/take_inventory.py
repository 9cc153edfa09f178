"""Look for what test failovers left behind, in every resource group where they may."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from activities.azure import Document, azure
from activities.refusals import unread
from domain.errors import FailbackError
from domain.leftovers import Inventory, InventoryRequest, Kind, Resource, TestSeen
from domain.lifecycle import MachineState, state_of
from domain.machine import MachineDetails
from gateway.azure import Azure
from gateway.ids import resource_group_of
from gateway.inventory import everything_in


def take_inventory(request: Document) -> Document:
    """Look for left-overs; a failure of Azure is part of the answer."""
    return inventory_of(azure(), InventoryRequest.from_wire(request)).to_wire()


def inventory_of(azure: Azure, request: InventoryRequest) -> Inventory:
    """Look once; `unread` when Azure did not answer, and then nothing is known."""
    try:
        machines = azure.vault(request.vault).machines() if request.everything else ()
        listed = tuple(_listed(azure, request, machines))
    except FailbackError as error:
        return Inventory(as_of=azure.now(), unread=unread(error))
    wanted = {each.casefold() for each in request.ids}
    suspects = {each.name.casefold(): machine for each in listed if (machine := _suspected(each, machines))}
    kept = (each for each in listed if each.id.casefold() in wanted or each.name.casefold() in suspects)
    return Inventory(
        as_of=azure.now(),
        resources=tuple(kept),
        tests=tuple(_test(each) for each in machines if state_of(each.snapshot) is MachineState.AWAY_REHEARSED),
        suspects=suspects,
        prices=azure.settings.prices,
    )


def _listed(azure: Azure, request: InventoryRequest, machines: Iterable[MachineDetails]) -> Iterator[Resource]:
    groups = [resource_group_of(each) for each in request.ids]
    groups += [resource_group_of(each.target_resource_group) for each in machines]
    for group in {each.casefold(): each for each in groups if each}.values():
        yield from everything_in(azure.inventories, group)


def _suspected(each: Resource, machines: Iterable[MachineDetails]) -> str | None:
    """Name the machine of which a resource seems to be a test: it is named as Site Recovery names tests.

    Cards and addresses are named after their machine, with something added.
    """
    name = each.name.casefold()
    for machine in machines:
        test = (machine.test_name or f"{machine.snapshot.vm_name}-test").casefold()
        if each.kind is Kind.MACHINE:
            fits = name == test
        elif each.kind is Kind.DISK:
            fits = any(
                name in {disk.test_name.casefold(), f"{disk.name}-asrtest".casefold()} for disk in machine.disks
            )
        else:
            fits = name.startswith(test)
        if fits:
            return machine.snapshot.name
    return None


def _test(machine: MachineDetails) -> TestSeen:
    snapshot = machine.snapshot
    return TestSeen(
        machine=snapshot.name,
        vm_name=snapshot.vm_name,
        item_id=snapshot.id,
        lifecycle_id=snapshot.lifecycle_id,
        home=snapshot.home,
        away=snapshot.away,
        test_vm=snapshot.test_vm,
        since=machine.last_test_failover,
    )

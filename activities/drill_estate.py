"""Find the machines that a drill may rehearse now."""

from __future__ import annotations

from activities.azure import Document, azure
from domain.drills import DrillOrder, Estate
from domain.lifecycle import MachineState, state_of
from gateway.azure import Azure


def drill_estate(request: Document) -> Document:
    """List the vault's machines that could be rehearsed; raises when it cannot be read, to be repeated."""
    return estate_of(azure(), DrillOrder.from_wire(request)).to_wire()


def estate_of(azure: Azure, order: DrillOrder) -> Estate:
    """Give those that are protected towards home, idle, and fail over on their own."""
    ready = [
        each.snapshot
        for each in azure.vault(order.drill.vault).machines()
        if state_of(each.snapshot) is MachineState.AWAY_PROTECTED
        and each.snapshot.job is None
        and not each.multi_vm_group
    ]
    return Estate(
        machines=tuple(each.name for each in ready), vm_names={each.name: each.vm_name for each in ready}
    )

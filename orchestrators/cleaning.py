"""Making sure that nothing of a rehearsal is left: by what was seen of it, not by what the service says."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any, Final

from domain import contract
from domain.leftovers import REGISTER, Cleaning, Inventory, InventoryRequest, Traces, cleaning
from orchestrators import steps
from orchestrators.context import Context, Runbook
from orchestrators.trip import Trip

# A deletion that was accepted may take a while; what is there after that is left over.
_LOOK_AGAIN: Final = (timedelta(minutes=2), timedelta(minutes=5))


def remember_tests(trip: Trip, names: Sequence[str]) -> Runbook[None]:
    """Write down what was seen of test machines, before anything can be forgotten."""
    traces = _traces(trip, names)
    if traces:
        about = {"traces": [each.to_wire() for each in traces]}
        yield from steps.ask_entity(trip.context, contract.TEST_REGISTER, REGISTER, "note", about)


def prove_clean(trip: Trip, names: Sequence[str]) -> Runbook[None]:
    """Look for everything that was seen of the test machines; what is left is kept in the register."""
    traces = _traces(trip, names)
    if not traces:
        return
    ids = [one for each in traces for one in each.ids]
    inventory = yield from take_inventory(trip.context, trip.request.vault, ids)
    for wait in _LOOK_AGAIN:
        if not inventory.resources and inventory.unread is None:
            break
        yield trip.context.create_timer(steps.after(trip.context, wait))
        inventory = yield from take_inventory(trip.context, trip.request.vault, ids)
    proofs = {each.machine: cleaning(each, inventory) for each in traces}
    for name, proof in proofs.items():
        trip.note(name, clean_up=proof)
    gone = [one for each in traces for one in _gone(each, proofs[each.machine])]
    if gone:
        yield from steps.ask_entity(trip.context, contract.TEST_REGISTER, REGISTER, "gone", {"ids": gone})


def take_inventory(
    context: Context, vault: str, ids: Sequence[str], *, everything: bool = False
) -> Runbook[Inventory]:
    """Look for resources; a look that broke has seen nothing."""
    request = InventoryRequest(vault=vault, ids=tuple(ids), everything=everything)
    try:
        inventory = yield from steps.call(context, contract.TAKE_INVENTORY, request, Inventory)
    except Exception as error:  # noqa: BLE001 - types do not survive the wire; nothing was seen, and that is said
        unread = steps.unreachable("what is left could not be looked for", error)
        return Inventory(as_of=context.current_utc_datetime, unread=unread)
    return inventory


def _gone(traces: Traces, proof: Cleaning) -> list[str]:
    left: set[Any] = {each.id.casefold() for each in proof.left}
    return [] if proof.unread else [one for one in traces.ids if one.casefold() not in left]


def _traces(trip: Trip, names: Sequence[str]) -> list[Traces]:
    journeys = [trip.journeys[name] for name in names]
    now, vault = trip.context.current_utc_datetime, trip.request.vault
    return [
        Traces(vault=vault, machine=each.name, run=trip.run, at=now, ids=each.traces)
        for each in journeys
        if each.traces
    ]

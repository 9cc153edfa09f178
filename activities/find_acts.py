"""Find the jobs that orders may have started, without ever starting anything."""

from __future__ import annotations

import logging

from activities import refusals
from activities.azure import Document, azure
from activities.together import together
from domain.contract import Order, Orders, Start, StartKind, Starts
from domain.errors import Throttled, Transient
from domain.lifecycle import ACTS, in_words, state_of
from domain.machine import MachineSnapshot
from gateway.azure import Azure
from gateway.faults import Refused
from gateway.sight import Sight

log = logging.getLogger(__name__)


def find_acts(request: Document) -> Document:
    """Say of each order whether its job exists: adopted, already, absent or undecided."""
    return Starts(starts=together(azure(), Orders.from_wire(request).orders, _find)).to_wire()


def _find(azure: Azure, order: Order, sight: Sight | None) -> Start:
    try:
        return find(azure, order, sight)
    except Exception as error:
        # Raising would break the stage, and with it every other machine's act.
        log.exception("find_acts failed for %s of %s", order.act, order.machine)
        return _undecided(order, refusals.defect(error).what)


def find(azure: Azure, order: Order, sight: Sight | None = None) -> Start:
    """Look for an order's job by its request id; while Azure does not answer, it stays undecided."""
    sight = sight or Sight(azure.vault(order.vault), [order.machine])
    try:
        details = sight.machine(order.machine, order.item_id, order.lifecycle_id)
        if details is None:
            return _undecided(order, "the vault does not list the machine now")
        return found(sight, order, details.snapshot) or Start(
            machine=order.machine, kind=StartKind.ABSENT, words="no job carries this order's id"
        )
    except Refused as refused:
        return _undecided(order, refused.refusal.what)
    except (Transient, Throttled) as error:
        return _undecided(order, str(error))


def found(sight: Sight, order: Order, snapshot: MachineSnapshot) -> Start | None:
    """Answer an order by what is there already: its own job, or the state it leads to; nothing otherwise."""
    job = sight.vault.find_job(order.request_id, snapshot, order.act, order.since, sight.jobs)
    rule, state = ACTS[order.act], state_of(snapshot)
    if job is not None:
        return Start(machine=order.machine, kind=StartKind.ADOPTED, job=job.id, words="found by its id")
    if state in rule.after - rule.before and snapshot.job is None:
        return Start(machine=order.machine, kind=StartKind.ALREADY, words=in_words(snapshot))
    return None


def _undecided(order: Order, words: str) -> Start:
    return Start(machine=order.machine, kind=StartKind.UNDECIDED, words=words)

"""Find the job that an order may have started, without ever starting anything."""

from __future__ import annotations

import logging

from activities import refusals
from activities.azure import Document, azure
from domain.contract import Order, Start, StartKind
from domain.errors import Throttled, Transient
from domain.lifecycle import ACTS, in_words, state_of
from domain.machine import MachineSnapshot
from gateway.azure import Azure
from gateway.faults import Refused
from gateway.site_recovery import SiteRecovery

log = logging.getLogger(__name__)


def find_act(request: Document) -> Document:
    """Say whether an order's job exists: adopted, already, absent or undecided."""
    order = Order.from_wire(request)
    try:
        return find(azure(), order).to_wire()
    except Exception as error:
        # Raising would break the stage, and with it every other machine's act.
        log.exception("find_act of %s failed on %s", order.act, order.machine)
        return _undecided(order, refusals.defect(error).what).to_wire()


def find(azure: Azure, order: Order) -> Start:
    """Look for an order's job by its request id; while Azure does not answer, it stays undecided."""
    vault = azure.vault(order.vault)
    try:
        details = vault.follow(order.machine, order.item_id, order.lifecycle_id)
        if details is None:
            return _undecided(order, "the vault does not list the machine now")
        return found(vault, order, details.snapshot) or Start(
            machine=order.machine, kind=StartKind.ABSENT, words="no job carries this order's id"
        )
    except Refused as refused:
        return _undecided(order, refused.refusal.what)
    except (Transient, Throttled) as error:
        return _undecided(order, str(error))


def found(vault: SiteRecovery, order: Order, snapshot: MachineSnapshot) -> Start | None:
    """Answer an order by what is there already: its own job, or the state it leads to; nothing otherwise."""
    job = vault.find_job(order.request_id, snapshot, order.act, order.since)
    rule, state = ACTS[order.act], state_of(snapshot)
    if job is not None:
        return Start(machine=order.machine, kind=StartKind.ADOPTED, job=job.id, words="found by its id")
    if state in rule.after - rule.before and snapshot.job is None:
        return Start(machine=order.machine, kind=StartKind.ALREADY, words=in_words(snapshot))
    return None


def _undecided(order: Order, words: str) -> Start:
    return Start(machine=order.machine, kind=StartKind.UNDECIDED, words=words)

"""Start acts, one on each of some machines, exactly once, or say why not."""

from __future__ import annotations

import logging
from dataclasses import replace
from datetime import timedelta
from http import HTTPStatus
from typing import Final

from activities import refusals
from activities.azure import Document, azure
from activities.find_acts import find, found
from activities.together import together
from domain.contract import Order, Orders, Start, StartKind, Starts
from domain.errors import Refusal, Throttled, Transient, Undecided, bounded
from domain.lifecycle import ACTS, Act, allows, in_words, is_busy, is_homeward
from domain.machine import MachineDetails, MachineSnapshot, region
from domain.setbacks import NOT_ALLOWED_NOW
from gateway.azure import Azure
from gateway.bodies import LiveDisk
from gateway.faults import Refused
from gateway.sight import Sight
from gateway.site_recovery import Asked, SiteRecovery

# Nothing was sent because Azure, or the machine, was not ready: ask again soon.
READ_AGAIN: Final = timedelta(seconds=30)
# Acts that bring a machine to the recovery side, or settle it there: only the way home may be taken.
GUARDED: Final = frozenset({Act.TEST_FAILOVER, Act.FAIL_OVER, Act.COMMIT, Act.CHANGE_POINT})
# The one conflict that waiting does not end: somebody locked the resources.
LOCKED: Final = "ScopeLocked"


log = logging.getLogger(__name__)


def start_acts(request: Document) -> Document:
    """Start each act unless it runs or is done, and answer with its job at once."""
    return Starts(starts=together(azure(), Orders.from_wire(request).orders, _start)).to_wire()


def _start(azure: Azure, order: Order, sight: Sight | None) -> Start:
    try:
        return start(azure, order, sight)
    except Exception as error:
        # Raising would break the stage, and with it every other machine's act.
        log.exception("start_acts failed for %s of %s", order.act, order.machine)
        return _refused(order, refusals.defect(error))


def start(azure: Azure, order: Order, sight: Sight | None = None) -> Start:
    """Look, adopt what is there, refuse what must not be, and only then send the order, once."""
    sight = sight or Sight(azure.vault(order.vault), [order.machine])
    try:
        details = sight.machine(order.machine, order.item_id, order.lifecycle_id)
        if details is None:
            return _wait(order, StartKind.BUSY, READ_AGAIN, "the vault does not list the machine now")
        snapshot = details.snapshot
        return (
            found(sight, order, snapshot)
            or _held(order, snapshot)
            or _forbidden(order, snapshot)
            or _send(azure, sight.vault, order, details)
        )
    except Refused as refused:
        return _refused(order, refused.refusal)
    except Throttled as throttled:
        return _wait(order, StartKind.THROTTLED, throttled.retry_after, "Azure asks to wait; nothing was sent")
    except Transient as unread:
        words = f"Azure could not be reached, nothing was sent: {unread}"
        return _wait(order, StartKind.THROTTLED, READ_AGAIN, words)


def _send(azure: Azure, vault: SiteRecovery, order: Order, details: MachineDetails) -> Start:
    asked = _ask(azure, order, details)
    try:
        job = vault.start(details, asked)
    except Undecided as lost:
        return _look_again(azure, order, str(lost))
    except Refused as refused:
        if refused.status != HTTPStatus.CONFLICT or refused.refusal.code == LOCKED:
            raise
        return _conflict(vault, order, refused.refusal)
    return Start(machine=order.machine, kind=StartKind.STARTED, job=job, words="accepted")


def _look_again(azure: Azure, order: Order, lost: str) -> Start:
    """Look for the job whose answer was lost; not to find it yet proves nothing."""
    again = find(azure, order)
    if again.kind in {StartKind.ADOPTED, StartKind.ALREADY}:
        return again
    return again.having(kind=StartKind.UNDECIDED, words=bounded(f"the answer was lost: {lost}"))


def _conflict(vault: SiteRecovery, order: Order, refusal: Refusal) -> Start:
    """Say who was faster, if the vault shows it now; else that the act is not allowed at this moment."""
    now = Sight(vault, [order.machine])
    details = now.machine(order.machine, order.item_id, order.lifecycle_id)
    held = found(now, order, details.snapshot) or _held(order, details.snapshot) if details else None
    words = f"Azure refused with {refusal.code}: {refusal.what}"
    return held or _refused(order, refusal.having(code=NOT_ALLOWED_NOW, what=bounded(words)))


def _held(order: Order, snapshot: MachineSnapshot) -> Start | None:
    """Adopt a job of this very kind that somebody else began; wait for any other that holds the machine."""
    if snapshot.job is None:
        return None
    if snapshot.scenario == ACTS[order.act].scenario:
        return Start(
            machine=order.machine,
            kind=StartKind.ADOPTED,
            job=snapshot.job,
            ours=False,
            words="begun by somebody else",
        )
    return _wait(order, StartKind.BUSY, READ_AGAIN, in_words(snapshot))


def _forbidden(order: Order, snapshot: MachineSnapshot) -> Start | None:
    """Refuse what leads away from home, and what the machine or the service does not allow now."""
    if order.act in GUARDED and not is_homeward(snapshot):
        return _refused(order, refusals.wrong_direction(order, snapshot))
    if allows(snapshot, order.act):
        return None
    if is_busy(snapshot):
        # No job is named, yet nothing is offered: one is about to start, or has just ended.
        return _wait(order, StartKind.BUSY, READ_AGAIN, in_words(snapshot))
    return _refused(order, refusals.not_allowed(order, snapshot))


def _ask(azure: Azure, order: Order, details: MachineDetails) -> Asked:
    """Word the order for Site Recovery; a re-protection names the disks that run now and their cache."""
    asked = Asked(
        act=order.act,
        request_id=order.request_id,
        point=order.point,
        network=order.network or details.test_network,
        shut_down_source=order.shut_down_source,
        cache=order.cache,
        comment=order.comment,
    )
    if order.act is Act.REPROTECT:
        _check_cache(azure, order, details.snapshot)
        return replace(asked, disks=_live_disks(azure, details.snapshot))
    if order.act is Act.TEST_FAILOVER and asked.network is None:
        raise Refused(refusals.no_network(order))
    return asked


def _live_disks(azure: Azure, snapshot: MachineSnapshot) -> tuple[LiveDisk, ...]:
    """Read the managed disks of the failed-over machine from Compute, as the service's own clients do."""
    vm = azure.compute.virtual_machine(snapshot.target_vm) if snapshot.target_vm else None
    if vm is None:
        raise Refused(refusals.no_machine(snapshot))
    if vm.has_unmanaged_disks or not vm.disks:
        raise Refused(refusals.unmanaged(snapshot))
    return vm.disks


def _check_cache(azure: Azure, order: Order, snapshot: MachineSnapshot) -> None:
    """Refuse a cache storage account that is missing or not where the machine runs now.

    After a failover that is the recovery side. An account that may not be read is left to Site Recovery.
    """
    if order.cache is None:
        raise Refused(refusals.no_cache(order, snapshot.recovery))
    try:
        account = azure.storage.account(order.cache)
    except Refused as refused:
        if refused.status == HTTPStatus.FORBIDDEN:
            return
        raise
    if account is None or region(account.location) != snapshot.recovery:
        place = account.location if account else "no region: it does not exist"
        raise Refused(refusals.cache_elsewhere(order, place, snapshot.recovery))


def _wait(order: Order, kind: StartKind, wait: timedelta, words: str) -> Start:
    return Start(machine=order.machine, kind=kind, retry_after=wait, words=bounded(words))


def _refused(order: Order, refusal: Refusal) -> Start:
    about = refusal if refusal.about else refusal.having(about=order.machine)
    return Start(machine=order.machine, kind=StartKind.REFUSED, refusal=about, words=refusal.what)

"""Why an act is refused before it is sent, in words an operator can act on."""

from __future__ import annotations

from domain.contract import Order
from domain.errors import FailbackError, Refusal, bounded
from domain.lifecycle import ACTS, in_words
from domain.machine import MachineSnapshot, last_segment
from domain.setbacks import NOT_ALLOWED_NOW
from gateway.faults import Refused


def wrong_direction(order: Order, snapshot: MachineSnapshot) -> Refusal:
    """The act would bring the machine away from home, or keep it there."""
    return Refusal(
        code="WrongDirection",
        what=(
            f"{ACTS[order.act].words} would not bring {order.machine} home: it is {in_words(snapshot)}, "
            f"and a failover now leads to {snapshot.recovery or 'an unknown region'}"
        ),
        remedy=f"re-protect it first, so that it replicates to {snapshot.home or 'its first region'}",
        about=order.machine,
    )


def not_allowed(order: Order, snapshot: MachineSnapshot) -> Refusal:
    """The machine's state, or the service's own list of operations, does not allow the act."""
    offered = ", ".join(snapshot.allowed) or "nothing"
    return Refusal(
        code=NOT_ALLOWED_NOW,
        what=f"{ACTS[order.act].words} is not possible: {order.machine} is {in_words(snapshot)}",
        remedy=f"Site Recovery offers {offered} now; bring the machine to a state that allows the act",
        about=order.machine,
    )


def no_network(order: Order) -> Refusal:
    """A test failover without a network would not say where the test machine goes."""
    return Refusal(
        code="NoTestNetwork",
        what=f"no network is named for the test failover of {order.machine}",
        remedy="give testFailover.networkId, or set a test network on the protected item",
        about=order.machine,
    )


def no_cache(order: Order, region: str) -> Refusal:
    """Replication cannot start without a cache storage account."""
    return Refusal(
        code="NoCacheStorageAccount",
        what=f"no cache storage account is named for the re-protection of {order.machine}",
        remedy=f"name one in {region}, where the machine runs now",
        about=order.machine,
    )


def cache_elsewhere(order: Order, place: str, region: str) -> Refusal:
    """The cache must lie where the machine writes."""
    return Refusal(
        code="CacheStorageAccountElsewhere",
        what=f"{last_segment(order.cache or '')} lies in {place}, {order.machine} runs in {region}",
        remedy=f"name a storage account in {region}",
        about=order.machine,
    )


def no_machine(snapshot: MachineSnapshot) -> Refusal:
    """Re-protection names the disks of the failed-over machine, which must exist for that."""
    return Refusal(
        code="FailedOverMachineNotFound",
        what=f"Compute does not know the failed-over machine {snapshot.target_vm or snapshot.vm_name}",
        remedy="restore the machine in its resource group, or protect it anew",
        about=snapshot.name,
    )


def unmanaged(snapshot: MachineSnapshot) -> Refusal:
    """Switching protection knows managed disks only."""
    return Refusal(
        code="UnmanagedDisks",
        what=f"{snapshot.vm_name} has disks that are not managed",
        remedy="re-protect it in the portal, or convert its disks before protecting it anew",
        about=snapshot.name,
    )


def defect(error: Exception) -> Refusal:
    """Say that the software itself failed; what was wrong is in its log."""
    return Refusal(
        code="Defect",
        what=bounded(f"the software failed: {type(error).__name__}: {error}", 300),
        remedy="report it with the log; a retry looks at the machine again before it acts",
    )


def unread(error: FailbackError) -> Refusal:
    """Say why Azure could not be read, in its own words where it refused."""
    if isinstance(error, Refused):
        return error.refusal
    return Refusal(code=type(error).__name__, what=bounded(str(error)), remedy="look again when Azure answers")

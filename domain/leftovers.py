"""What test failovers leave behind: found, priced, and cleaned only where it is provably ours.

A run writes down what it saw of each test machine (its traces). After the clean-up every trace is looked for: what
is still there is a left-over of ours. What merely looks like a test of Site Recovery's is listed and left alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from domain.contract import Subject
from domain.errors import Refusal
from domain.machine import last_segment, same_id
from domain.wire import Answer, Wire

# There is one register of traces for the whole app.
REGISTER: Final = "all"
_HOURS: Final = 730
# A resource made long after a run saw its name is another one.
_SAME_BIRTH: Final = timedelta(hours=1)


class Kind(StrEnum):
    """What a test machine is made of, in the order in which it can be deleted."""

    MACHINE = "virtualMachine"
    CARD = "networkInterface"
    DISK = "disk"
    ADDRESS = "publicIpAddress"


# -- prices ---------------------------------------------------------------------------------------------------


class Prices(Wire):
    """What things cost a month, about, in US dollars; an estimate, for no price list is asked.

    The defaults are rounded pay-as-you-go prices of large regions; reservations, licences and traffic are not in
    them.
    """

    core_hour: float = 0.05
    disk_gb: dict[str, float] = {
        "Standard_LRS": 0.045,
        "StandardSSD_LRS": 0.08,
        "Premium_LRS": 0.15,
        "PremiumV2_LRS": 0.12,
        "UltraSSD_LRS": 0.2,
    }
    other_disk_gb: float = 0.15
    public_address: float = 3.65


class Resource(Answer):
    """One resource that may belong to a test: what it is, since when, and what it costs.

    `size` is a machine's size or a disk's type; `attached_to` is the machine or card that holds it.
    """

    id: str
    kind: Kind
    region: str = ""
    made: datetime | None = None
    size: str | None = None
    gigabytes: int = 0
    running: bool = False
    attached_to: str | None = None

    @property
    def name(self) -> str:
        """Its own name."""
        return last_segment(self.id)

    def monthly(self, prices: Prices) -> float:
        """Estimate what it costs a month while it stays as it is."""
        if self.kind is Kind.MACHINE:
            return round(_cores(self.size) * prices.core_hour * _HOURS, 2) if self.running else 0.0
        if self.kind is Kind.DISK:
            return round(self.gigabytes * prices.disk_gb.get(self.size or "", prices.other_disk_gb), 2)
        return prices.public_address if self.kind is Kind.ADDRESS else 0.0


def _cores(size: str | None) -> int:
    """Read the number of cores from a size's name, as in Standard_D2s_v3; two where it tells none."""
    found = re.search(r"_[A-Za-z]+(\d+)", size or "")
    return int(found[1]) if found else 2


# -- what is known, and what is seen --------------------------------------------------------------------------


class Traces(Answer):
    """What a run saw of one test machine: the ids of all that must be gone after its clean-up."""

    vault: str
    machine: str
    run: str
    at: datetime
    ids: tuple[str, ...]


class TestSeen(Answer):
    """A test failover that waits for its clean-up, as Site Recovery shows it."""

    __test__ = False

    machine: str
    vm_name: str
    item_id: str
    lifecycle_id: str | None = None
    home: str
    away: str
    test_vm: str | None = None
    since: datetime | None = None

    @property
    def subject(self) -> Subject:
        """The machine as a stage wants to know it."""
        return Subject(
            name=self.machine,
            item_id=self.item_id,
            vm_name=self.vm_name,
            lifecycle_id=self.lifecycle_id,
            home=self.home,
            away=self.away,
        )


class SweepOrder(Answer):
    """Which vaults to sweep, and with `traced` those, too, where a run's traces are not proven gone yet.

    Without `cleans` it is only looked.
    """

    vaults: tuple[str, ...] = ()
    traced: bool = True
    cleans: bool = True
    time_to_live: timedelta = timedelta(days=2)


class InventoryRequest(Answer):
    """Where to look: for these resources, and with `everything` for whatever looks like a test."""

    vault: str
    ids: tuple[str, ...] = ()
    everything: bool = False


class DeleteRequest(Answer):
    """What to delete, in this order."""

    ids: tuple[str, ...]


class Deleted(Answer):
    """What became of each deletion that Azure did not accept, by id."""

    refused: dict[str, str] = {}


class Inventory(Answer):
    """What is there; `unread` says why it could not be seen, and then nothing is known.

    `suspects` maps the names that Site Recovery gives tests, in lower case, to the machine they are of.
    """

    as_of: datetime
    resources: tuple[Resource, ...] = ()
    tests: tuple[TestSeen, ...] = ()
    suspects: dict[str, str] = {}
    prices: Prices = Prices()
    unread: Refusal | None = None

    def proves_gone(self, arm_id: str) -> bool:
        """Tell whether a resource that was looked for is surely not there."""
        there = {each.id.casefold() for each in self.resources}
        return self.unread is None and arm_id.casefold() not in there


class LeftOver(Answer):
    """Something that a test left behind: whose it was, since when, what it costs, and whether it is ours.

    `run` is the run that saw it come; without one nothing proves that it is ours, and it is left alone. `waits`
    tells a test failover that Site Recovery itself still has to clean up. `holder` is the run that holds its
    machine now, and cleans up by itself when its gate is answered.
    """

    id: str
    kind: str
    machine: str | None = None
    region: str = ""
    since: datetime | None = None
    monthly_estimate: float = 0.0
    currency: str = "USD"
    run: str | None = None
    waits: bool = False
    # Absent in sweeps of old versions, which asked only before they cleaned.
    holder: str | None = None
    why: str

    @property
    def words(self) -> str:
        """Say what it is in one line."""
        since = f" since {self.since:%F %H:%MZ}" if self.since else ""
        return f"{self.kind} {last_segment(self.id)}{since}, about {self.monthly_estimate:.2f} USD a month"


class Cleaning(Answer):
    """The proof of a clean-up: how many resources were looked for, when, and which were still there."""

    as_of: datetime
    looked_for: int
    left: tuple[LeftOver, ...] = ()
    unread: Refusal | None = None

    @property
    def is_proven(self) -> bool:
        """Whether everything was looked for and nothing was found."""
        return self.unread is None and not self.left

    @property
    def words(self) -> str:
        """Say it in one line."""
        if self.unread is not None:
            return f"clean-up not verified: {self.unread.what}"
        if self.left:
            return "CLEAN-UP INCOMPLETE: " + "; ".join(each.words for each in self.left)
        return (
            f"cleaned up, verified at {self.as_of:%F %H:%MZ}: {self.looked_for} resources looked for, none is left"
        )


class Swept(Answer):
    """What a sweep found in a vault, and what it removed."""

    vault: str
    as_of: datetime
    left: tuple[LeftOver, ...] = ()
    removed: tuple[LeftOver, ...] = ()
    unread: Refusal | None = None


class Register(Answer):
    """All traces that have not been proven gone, and the last sweep of each vault."""

    traces: tuple[Traces, ...] = ()
    swept: dict[str, Swept] = {}

    def of(self, vault: str) -> tuple[Traces, ...]:
        """Give the traces of one vault."""
        return tuple(each for each in self.traces if same_id(each.vault, vault))

    def noted(self, traces: Iterable[Traces]) -> Register:
        """Add traces; those of one machine and run are one."""
        new = {(each.run, each.machine): each for each in traces}
        kept = (each for each in self.traces if (each.run, each.machine) not in new)
        return self.having(traces=(*kept, *new.values()))

    def gone(self, ids: Iterable[str]) -> Register:
        """Forget what is proven gone."""
        done = {each.casefold() for each in ids}
        left = (
            each.having(ids=tuple(one for one in each.ids if one.casefold() not in done)) for each in self.traces
        )
        return self.having(traces=tuple(each for each in left if each.ids))


# -- judging --------------------------------------------------------------------------------------------------


def cleaning(traces: Traces, inventory: Inventory) -> Cleaning:
    """Prove a clean-up by what is still there of what was seen."""
    if inventory.unread is not None:
        return Cleaning(as_of=inventory.as_of, looked_for=len(traces.ids), unread=inventory.unread)
    left = tuple(each for each in left_overs(inventory, [traces]) if each.run is not None)
    return Cleaning(as_of=inventory.as_of, looked_for=len(traces.ids), left=left)


def left_overs(inventory: Inventory, traces: Iterable[Traces]) -> tuple[LeftOver, ...]:
    """Find what tests left behind, the tests that still wait first."""
    traces = tuple(traces)
    known = {one.casefold(): each for each in traces for one in each.ids}
    waiting = {test.machine for test in inventory.tests}
    found = (_resource(each, known, waiting, inventory) for each in inventory.resources)
    return (*_waiting(inventory, known), *(each for each in found if each is not None))


def _waiting(inventory: Inventory, known: Mapping[str, Traces]) -> Iterator[LeftOver]:
    costs = {each.id.casefold(): each.monthly(inventory.prices) for each in inventory.resources}
    for test in inventory.tests:
        ours = known.get((test.test_vm or "").casefold())
        parts = ours.ids if ours else (test.test_vm or "",)
        yield LeftOver(
            id=test.item_id,
            kind="testFailover",
            machine=test.machine,
            region=test.home,
            since=test.since or (ours.at if ours else None),
            monthly_estimate=round(sum(costs.get(one.casefold(), 0.0) for one in parts), 2),
            run=ours.run if ours else None,
            waits=True,
            why="Site Recovery shows a test failover that waits for its clean-up",
        )


def _resource(
    each: Resource, known: Mapping[str, Traces], waiting: set[str], inventory: Inventory
) -> LeftOver | None:
    traces = known.get(each.id.casefold())
    machine = traces.machine if traces else inventory.suspects.get(each.name.casefold())
    if machine is None or machine in waiting:
        # What belongs to a test that still waits goes with it.
        return None
    ours = traces if traces is not None and _is_the_same(each, traces, known) else None
    return LeftOver(
        id=each.id,
        kind=each.kind.value,
        machine=machine,
        region=each.region,
        since=each.made or (traces.at if traces else None),
        monthly_estimate=each.monthly(inventory.prices),
        run=ours.run if ours else None,
        why=f"run {ours.run} saw it come" if ours else "it is named as Site Recovery names tests",
    )


def _is_the_same(each: Resource, traces: Traces, known: Mapping[str, Traces]) -> bool:
    """Tell whether a resource is the very one that a run saw, and nobody else uses it now."""
    is_as_old = each.made is None or each.made <= traces.at + _SAME_BIRTH
    return is_as_old and (each.attached_to is None or each.attached_to.casefold() in known)


def held_by(left: Iterable[LeftOver], holders: Mapping[str, str]) -> tuple[LeftOver, ...]:
    """Say of each left-over which run holds its machine, if one does."""
    return tuple(each.having(holder=holders.get(each.machine or "")) for each in left)


def swept(vault: str, before: Iterable[LeftOver], traces: Iterable[Traces], inventory: Inventory) -> Swept:
    """Say what a sweep found and removed; what could not be seen again was not removed."""
    left = left_overs(inventory, traces)
    there = {each.id.casefold() for each in left}
    removed = () if inventory.unread else tuple(each for each in before if each.id.casefold() not in there)
    return Swept(vault=vault, as_of=inventory.as_of, left=left, removed=removed, unread=inventory.unread)


def to_delete(left: Iterable[LeftOver]) -> tuple[str, ...]:
    """Give the ids of what may be deleted: ours alone, machines before what is attached to them."""
    order = [kind.value for kind in Kind]
    ours = [each for each in left if each.run is not None and not each.waits]
    return tuple(each.id for each in sorted(ours, key=lambda each: order.index(each.kind)))


def to_clean_up(
    left: Iterable[LeftOver], traces: Iterable[Traces], now: datetime, time_to_live: timedelta
) -> tuple[str, ...]:
    """Name the machines whose test failover is ours and has outlived its time."""
    began = {(each.run, each.machine): each.at for each in traces}
    return tuple(
        each.machine
        for each in left
        if each.waits and each.machine and each.run and now - began[each.run, each.machine] > time_to_live
    )

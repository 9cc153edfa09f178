"""Look at machines that were brought up, from every side that was asked for, and let the domain judge."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from functools import cached_property
from typing import TypeVar

from activities import refusals
from activities.azure import Document, azure
from activities.together import together
from domain import validation
from domain.contract import Compared, Validation, ValidationOrder, ValidationOrders, Validations
from domain.errors import FailbackError
from domain.leftovers import Kind, Resource
from domain.machine import MachineDetails, Wiring
from domain.validation import NETWORK, SOURCE_STOPPED, Evidence, Logs, MachineSeen, ProbeSeen, QuerySeen, Unread
from domain.wiring import compare, expected_wiring
from gateway.azure import Azure
from gateway.compute import VirtualMachine
from gateway.sight import Sight

log = logging.getLogger(__name__)
T = TypeVar("T")


def validate(request: Document) -> Document:
    """Judge each machine; what time may still mend, Azure's own troubles included, is pending."""
    orders = ValidationOrders.from_wire(request).orders
    return Validations(validations=together(azure(), orders, _judge)).to_wire()


def _judge(azure: Azure, order: ValidationOrder, sight: Sight | None) -> Validation:
    try:
        return judge(azure, order, sight)
    except Exception as error:
        # Raising would break the stage, and with it every other machine's act.
        log.exception("validate failed on %s", order.machine)
        return validation.unseen(order, refusals.defect(error).what, azure.now())


def judge(azure: Azure, order: ValidationOrder, sight: Sight | None = None) -> Validation:
    """Gather the evidence of one machine, and judge it."""
    evidence = Gathering(azure, order, sight).evidence()
    return validation.judge(order, evidence, azure.now())


class Gathering:
    """Reads what is asked for of one machine; what cannot be read is evidence, too."""

    def __init__(self, azure: Azure, order: ValidationOrder, sight: Sight | None = None) -> None:
        self._azure = azure
        self._order = order
        self._sight = sight
        self._passed = {check.name for check in order.passed}
        # What the machine calls itself, whatever its protected item or its test machine is called.
        self._host = order.vm_name.removesuffix("-test") if order.rehearsed else order.vm_name
        self._vm = self._machine(order.vm_id)

    @cached_property
    def _source(self) -> VirtualMachine | Unread | None:
        return self._machine(self._order.source_vm)

    @cached_property
    def _cards(self) -> list[Wiring] | Unread:
        return _try(lambda: list(self._wired(self._vm)))

    def evidence(self) -> Evidence:
        """Give all there is."""
        return Evidence(
            vm=_seen(self._vm),
            logs=self._logs(),
            probes=tuple(self._probed()),
            queries=tuple(self._queried()),
            network=self._network(),
            source=None if SOURCE_STOPPED in self._passed else _seen(self._source),
            resources=self._resources() if self._order.rehearsed else (),
            monthly_estimate=self._monthly() if self._order.rehearsed else None,
        )

    # -- machines ---------------------------------------------------------------------------------------------

    def _machine(self, vm_id: str | None) -> VirtualMachine | Unread | None:
        return _try(lambda: self._azure.compute.virtual_machine(vm_id)) if vm_id else None

    def _wired(self, vm: VirtualMachine | Unread | None) -> Iterator[Wiring]:
        for card_id in vm.cards if isinstance(vm, VirtualMachine) else ():
            card = self._azure.networks.card(card_id)
            if card is not None:
                yield card

    def _resources(self) -> tuple[str, ...]:
        """Name what came with a test machine, and must go with it."""
        vm = self._vm
        if not isinstance(vm, VirtualMachine):
            return (self._order.vm_id,) if self._order.vm_id else ()
        cards = self._cards if not isinstance(self._cards, Unread) else ()
        addresses = [card.public_address for card in cards if card.public_address]
        return (vm.id, *(disk.id for disk in vm.disks), *vm.cards, *addresses)

    def _monthly(self) -> float | None:
        """Estimate what a test machine costs a month, with all that came with it."""
        vm = self._vm
        if not isinstance(vm, VirtualMachine):
            return None
        running = vm.power in {None, "running"}
        parts = [Resource(id=vm.id, kind=Kind.MACHINE, size=vm.size, running=running)]
        parts += [
            Resource(id=disk.id, kind=Kind.DISK, size=disk.account_type, gigabytes=disk.gigabytes)
            for disk in vm.disks
        ]
        cards = self._cards if not isinstance(self._cards, Unread) else ()
        parts += [Resource(id=card.public_address, kind=Kind.ADDRESS) for card in cards if card.public_address]
        return round(sum(each.monthly(self._azure.settings.prices) for each in parts), 2)

    # -- logs -------------------------------------------------------------------------------------------------

    def _queries(self) -> list[tuple[str, str]]:
        rules = self._azure.settings.validation
        wanted = rules.queries_of(self._order.machine, self._host, rehearsed=self._order.rehearsed)
        return [(query.name, query.kql) for query in wanted]

    def _logs(self) -> Logs | Unread | None:
        order, vm_id = self._order, self._order.vm_id
        if vm_id is None or not (order.heartbeat or self._queries()):
            return None
        others = [order.source_vm] if order.source_vm else []
        return _try(lambda: self._azure.logs.heartbeat(vm_id, self._host, order.since, others))

    def _queried(self) -> Iterator[QuerySeen]:
        vm_id, now = self._order.vm_id, self._azure.now()
        for name, kql in self._queries() if vm_id else ():
            seen = _try(lambda: self._azure.logs.rows(vm_id or "", name, kql, self._order.since, now))  # noqa: B023
            yield QuerySeen(name=name, unread=seen) if isinstance(seen, Unread) else seen

    # -- the network ------------------------------------------------------------------------------------------

    def _probed(self) -> Iterator[ProbeSeen]:
        rules = self._azure.settings.validation
        for probe in rules.probes_of(self._order.machine, self._host, rehearsed=self._order.rehearsed):
            cards = self._cards if not isinstance(self._cards, Unread) else ()
            address = next((card.address for card in cards if card.address), None)
            if address is None:
                yield ProbeSeen(name=probe.name, answered=False, words="the machine has no private address yet")
            else:
                yield self._azure.probes.ask(probe, address)

    def _network(self) -> tuple[Compared, ...] | Unread | None:
        """Compare what Site Recovery was to make with what is there, once that is known."""
        order = self._order
        is_asked = order.vault is not None and order.item_id is not None and NETWORK not in self._passed
        if not is_asked or not isinstance(self._vm, VirtualMachine):
            return None
        if isinstance(cards := self._cards, Unread):
            return cards
        details = _try(self._details)
        source = [] if order.rehearsed else _try(lambda: list(self._wired(self._source)))
        if isinstance(details, Unread) or isinstance(source, Unread):
            return details if isinstance(details, Unread) else source if isinstance(source, Unread) else None
        if details is None or not details.cards:
            return Unread(why="Site Recovery names no network cards")
        return compare(expected_wiring(details.cards, order.network), cards, source)

    def _details(self) -> MachineDetails | None:
        order = self._order
        sight = self._sight or Sight(self._azure.vault(order.vault or ""), [order.machine])
        return sight.machine(order.machine, order.item_id or "", order.lifecycle_id)


def _try(read: Callable[[], T]) -> T | Unread:
    try:
        return read()
    except FailbackError as error:
        return Unread(why=str(error))


def _seen(vm: VirtualMachine | Unread | None) -> MachineSeen | Unread | None:
    if not isinstance(vm, VirtualMachine):
        return vm
    return MachineSeen(
        name=vm.name,
        location=vm.location,
        provisioning=vm.provisioning,
        power=vm.power,
        agent=vm.agent,
        agent_words=vm.agent_words,
    )

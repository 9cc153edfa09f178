"""Gather what planning needs to know of Azure, and plan."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from http import HTTPStatus
from typing import Final, TypeVar

from activities.azure import Document, azure
from domain import planning
from domain.contract import Facts, Network, RecoveryPoint, Size, StorageAccount, Usage
from domain.errors import FailbackError, Refusal, Transient, bounded
from domain.lifecycle import HAS_POINTS, heading
from domain.machine import MachineDetails, same_id
from domain.planning import Plan
from domain.request import FailbackRequest
from gateway.azure import Azure
from gateway.faults import Refused
from gateway.ids import resource_group_of, subscription_of
from gateway.sight import HANDFUL

# What Azure answers when the vault is not there, or not ours to read: no retry would change it.
_FINAL: Final = frozenset({HTTPStatus.NOT_FOUND, HTTPStatus.FORBIDDEN})
T = TypeVar("T")


def make_plan(request: Document) -> Document:
    """Plan a run; raises when the vault cannot be read now, for the step to be repeated."""
    return plan_for(azure(), FailbackRequest.from_wire(request)).to_wire()


def plan_for(azure: Azure, request: FailbackRequest) -> Plan:
    """Read the vault, then all that its machines need, and let the domain plan."""
    try:
        machines = azure.vault(request.vault).machines()
    except Refused as refused:
        if refused.status in _FINAL:
            return planning.refused_plan(request, azure.now(), refused.refusal)
        raise Transient(str(refused)) from refused
    return planning.make_plan(request, Gathering(azure, request, machines).facts())


class Gathering:
    """Reads in parallel, and remembers by topic what could not be read."""

    def __init__(self, azure: Azure, request: FailbackRequest, machines: tuple[MachineDetails, ...]) -> None:
        self._azure = azure
        self._request = request
        self._machines = machines
        everything = Facts(as_of=azure.now(), machines=machines)
        found = {machine: planning.find(machine.name, everything) for machine in request.machines}
        self._choices = {each[0].snapshot.name: request.point_for(asked) for asked, each in found.items() if each}
        self._wanted = [details for each in found.values() if len(each) == 1 for details in each]
        self._unread: dict[str, Refusal] = {}

    def facts(self) -> Facts:
        """Give all facts of the wanted machines."""
        with ThreadPoolExecutor(max_workers=self._azure.settings.parallel_calls) as pool:
            points = pool.map(self._points, self._with_points())
            networks = pool.map(self._network, self._network_ids())
            regions = pool.map(self._region, self._home_sizes().items())
            accounts = pool.submit(self._accounts)
            read_points, read_networks, read_regions = dict(points), dict(networks), tuple(regions)
        return Facts(
            as_of=self._azure.now(),
            machines=self._machines,
            points=read_points,
            networks={key: network for key, network in read_networks.items() if network},
            sizes={home: sizes for home, sizes, _ in read_regions},
            usages={home: usages for home, _, usages in read_regions},
            accounts=accounts.result(),
            unread=self._unread,
            pace=self._azure.settings.pace,
            drill_age=self._azure.settings.drill_age,
        )

    def _try(self, topic: str, read: Callable[[], T], otherwise: T) -> T:
        try:
            return read()
        except FailbackError as error:
            self._unread[topic] = _why(error)
            return otherwise

    # -- recovery points --------------------------------------------------------------------------------------

    def _with_points(self) -> list[MachineDetails]:
        """Give the machines whose points are read: of many, not those whose point the service will choose."""
        having = [each for each in self._wanted if heading(each.snapshot) in HAS_POINTS]
        if len(having) <= HANDFUL:
            return having
        return [each for each in having if self._choices[each.snapshot.name].is_ours or each.snapshot.rpo is None]

    def _points(self, machine: MachineDetails) -> tuple[str, tuple[RecoveryPoint, ...]]:
        """List the points of a machine; what passes by itself is raised, so that the whole step repeats."""
        name = machine.snapshot.name
        try:
            return name, self._azure.vault(self._request.vault).points(machine.snapshot.id)
        except Refused as refused:
            self._unread[f"points:{name}"] = refused.refusal
            return name, ()

    # -- networks ---------------------------------------------------------------------------------------------

    def _network_ids(self) -> list[str]:
        ids = [self._request.test_failover.network_id]
        for each in self._wanted:
            ids += (each.test_network, each.target_network)
        return list({each.casefold(): each for each in ids if each}.values())

    def _network(self, network_id: str) -> tuple[str, Network | None]:
        key = network_id.casefold()
        return key, self._try(f"network:{key}", lambda: self._azure.networks.network(network_id), None)

    # -- sizes and quotas of the home regions -----------------------------------------------------------------

    def _home_sizes(self) -> dict[str, list[MachineDetails]]:
        coming: dict[str, list[MachineDetails]] = {}
        for each in self._wanted:
            if each.snapshot.home:
                coming.setdefault(each.snapshot.home, []).append(each)
        return coming

    def _region(self, home: tuple[str, list[MachineDetails]]) -> tuple[str, tuple[Size, ...], tuple[Usage, ...]]:
        region, machines = home
        names = [each.target_size for each in machines if each.target_size]
        groups = (each.target_resource_group for each in machines)
        subscription = next(filter(None, map(subscription_of, groups)), subscription_of(self._request.vault))
        compute = self._azure.compute

        def read() -> tuple[str, tuple[Size, ...], tuple[Usage, ...]]:
            place = subscription or ""
            return region, compute.sizes(place, region, names), compute.usages(place, region)

        return self._try(f"compute:{region}", read, (region, (), ()))

    # -- storage accounts -------------------------------------------------------------------------------------

    def _accounts(self) -> tuple[StorageAccount, ...]:
        """List the accounts beside the vault, and read those that are asked for elsewhere."""
        group = resource_group_of(self._request.vault) or ""
        beside = self._try("storage", lambda: self._azure.storage.accounts(group), ())
        asked = (
            self._request.reprotect.cache_storage_account_id,
            self._request.prepare.cache_storage_account_id,
        )
        return (*beside, *self._elsewhere(asked, beside))

    def _elsewhere(
        self, asked: Iterable[str | None], beside: tuple[StorageAccount, ...]
    ) -> Iterator[StorageAccount]:
        for each in dict.fromkeys(filter(None, asked)):
            if not any(same_id(each, account.id) for account in beside):
                read = partial(self._azure.storage.account, each)
                account = self._try(f"storage:{each.casefold()}", read, None)
                if account is not None:
                    yield account


def _why(error: FailbackError) -> Refusal:
    if isinstance(error, Refused):
        return error.refusal
    return Refusal(code=type(error).__name__, what=bounded(str(error)), remedy="plan again in a moment")

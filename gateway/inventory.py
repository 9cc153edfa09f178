"""What is there in a resource group that a test machine may be made of, and its deletion."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any, Final, cast

from azure.core import PipelineClient
from azure.core.exceptions import HttpResponseError
from azure.core.rest import HttpRequest, HttpResponse
from azure.mgmt.core import ARMPipelineClient

from domain.leftovers import Kind, Resource
from domain.machine import region
from gateway.compute import virtual_machine
from gateway.faults import UNANSWERED, act_fault
from gateway.ids import provider_of
from gateway.pipeline import ACT_TIMEOUT, ArmReader, Line

_MACHINES: Final = "2024-07-01"
_DISKS: Final = "2024-03-02"
_NETWORK: Final = "2024-05-01"
# Nothing else is ever deleted.
DELETABLE: Final[Mapping[str, str]] = {
    "microsoft.compute/virtualmachines": _MACHINES,
    "microsoft.compute/disks": _DISKS,
    "microsoft.network/networkinterfaces": _NETWORK,
    "microsoft.network/publicipaddresses": _NETWORK,
}
_DONE: Final = frozenset({HTTPStatus.OK, HTTPStatus.ACCEPTED, HTTPStatus.NO_CONTENT, HTTPStatus.NOT_FOUND})


class Inventories:
    """Lists of what a resource group holds, page after page."""

    def __init__(self, reader: ArmReader) -> None:
        self._reader = reader

    def machines(self, resource_group: str) -> tuple[Resource, ...]:
        """List virtual machines; the list does not tell whether they run, so all are taken to."""
        found = self._reader.each(f"{resource_group}/providers/Microsoft.Compute/virtualMachines", _MACHINES)
        return tuple(_machine(each) for each in found)

    def disks(self, resource_group: str) -> tuple[Resource, ...]:
        """List managed disks."""
        found = self._reader.each(f"{resource_group}/providers/Microsoft.Compute/disks", _DISKS)
        return tuple(_disk(each) for each in found)

    def cards(self, resource_group: str) -> tuple[Resource, ...]:
        """List network interfaces."""
        found = self._reader.each(f"{resource_group}/providers/Microsoft.Network/networkInterfaces", _NETWORK)
        return tuple(_card(each) for each in found)

    def addresses(self, resource_group: str) -> tuple[Resource, ...]:
        """List public addresses."""
        found = self._reader.each(f"{resource_group}/providers/Microsoft.Network/publicIPAddresses", _NETWORK)
        return tuple(_address(each) for each in found)


class Deletions:
    """Deletes what a test left behind: machines, disks, network interfaces, public addresses, nothing else."""

    def __init__(self, line: Line) -> None:
        self._client: PipelineClient[HttpRequest, HttpResponse] = ARMPipelineClient(
            line.settings.arm, policies=line.arm_policies(), transport=line.transport
        )

    def delete(self, arm_id: str) -> None:
        """Ask for a deletion once; what is gone already is deleted. It ends by itself, some time later.

        Raises:
            ValueError: the id is of a kind that is never deleted.
            Refused, Throttled, Transient, Undecided: as for every act.
        """
        version = DELETABLE.get(provider_of(arm_id))
        if version is None:
            raise ValueError(f"this is nothing that a test leaves behind: {arm_id}")
        url = self._client.format_url(arm_id)
        request = HttpRequest("DELETE", url, params={"api-version": version})
        try:
            response = self._client.send_request(request, read_timeout=ACT_TIMEOUT)
            if response.status_code not in _DONE:
                raise HttpResponseError(response=response)
        except UNANSWERED as error:
            raise act_fault(error) from error


def _machine(document: dict[str, Any]) -> Resource:
    properties, vm = _part(document, "properties"), virtual_machine(document)
    return Resource(
        id=vm.id,
        kind=Kind.MACHINE,
        region=vm.location,
        made=_time(properties.get("timeCreated")),
        size=_part(properties, "hardwareProfile").get("vmSize"),
        running=vm.power in {None, "running"},
    )


def _disk(document: dict[str, Any]) -> Resource:
    properties = _part(document, "properties")
    return Resource(
        **_named(document),
        kind=Kind.DISK,
        made=_time(properties.get("timeCreated")),
        size=_part(document, "sku").get("name"),
        gigabytes=int(properties.get("diskSizeGB") or 0),
        attached_to=document.get("managedBy") or None,
    )


def _card(document: dict[str, Any]) -> Resource:
    properties = _part(document, "properties")
    return Resource(
        **_named(document), kind=Kind.CARD, attached_to=_part(properties, "virtualMachine").get("id") or None
    )


def _address(document: dict[str, Any]) -> Resource:
    """Read a public address; it is bound to a configuration of a card."""
    held = str(_part(_part(document, "properties"), "ipConfiguration").get("id") or "")
    return Resource(
        **_named(document), kind=Kind.ADDRESS, attached_to="/".join(held.split("/")[:-2]) if held else None
    )


def _named(document: dict[str, Any]) -> dict[str, Any]:
    return {"id": str(document.get("id") or ""), "region": region(str(document.get("location") or ""))}


def _time(text: object) -> datetime | None:
    """Read a time; Azure writes seven digits of a second."""
    try:
        found = datetime.fromisoformat(str(text))
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _part(document: dict[str, Any], name: str) -> dict[str, Any]:
    return cast("dict[str, Any]", document.get(name) or {})


def everything_in(inventories: Inventories, resource_group: str) -> Iterator[Resource]:
    """List all of a resource group that a test may be made of."""
    for read in (inventories.machines, inventories.disks, inventories.cards, inventories.addresses):
        yield from read(resource_group)

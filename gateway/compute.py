"""What Compute says: a virtual machine as it runs, and what a region still has to give."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final, cast

from domain.contract import Size, Usage
from domain.machine import region as short
from gateway.bodies import LiveDisk
from gateway.faults import Refused
from gateway.pipeline import ArmReader

_VM_API: Final = "2024-07-01"
_SKUS_API: Final = "2021-07-01"
_POWER: Final = "PowerState/"


@dataclass(frozen=True, slots=True, kw_only=True)
class VirtualMachine:
    """A virtual machine at one moment.

    `power` is what follows "PowerState/" in its instance view; `agent` is the display status of its guest
    agent ("Ready"), and both are absent while Compute does not know.
    """

    id: str
    name: str
    location: str
    provisioning: str
    power: str | None = None
    agent: str | None = None
    agent_words: str = ""
    size: str | None = None
    disks: tuple[LiveDisk, ...] = ()
    has_unmanaged_disks: bool = False
    # The ids of its network cards, the primary one first.
    cards: tuple[str, ...] = ()


class Compute:
    """Reads of Microsoft.Compute."""

    def __init__(self, reader: ArmReader) -> None:
        self._reader = reader

    def virtual_machine(self, vm_id: str) -> VirtualMachine | None:
        """Read a virtual machine with its instance view, or nothing when there is none by this id."""
        try:
            found = self._reader.get(vm_id, _VM_API, **{"$expand": "instanceView"})
        except Refused as refused:
            if refused.is_not_found:
                return None
            raise
        return virtual_machine(found)

    def sizes(self, subscription: str, region: str, wanted: Iterable[str]) -> tuple[Size, ...]:
        """Read the wanted sizes of a region, with what forbids them to this subscription.

        A size that is not listed is not on offer there.
        """
        names = {name.casefold() for name in wanted}
        skus = self._reader.each(
            f"/subscriptions/{subscription}/providers/Microsoft.Compute/skus",
            _SKUS_API,
            **{"$filter": f"location eq '{short(region)}'"},
        )
        return tuple(
            _size(sku)
            for sku in skus
            if sku.get("resourceType") == "virtualMachines" and str(sku.get("name")).casefold() in names
        )

    def usages(self, subscription: str, region: str) -> tuple[Usage, ...]:
        """Read the quotas of a region and how much of them is used."""
        path = f"/subscriptions/{subscription}/providers/Microsoft.Compute/locations/{short(region)}/usages"
        return tuple(
            Usage(
                family=str(_part(usage, "name").get("value") or ""),
                used=int(usage.get("currentValue") or 0),
                limit=int(usage.get("limit") or 0),
            )
            for usage in self._reader.each(path, _VM_API)
        )


def virtual_machine(document: dict[str, Any]) -> VirtualMachine:
    """Read a virtual machine from Compute's JSON."""
    properties = _part(document, "properties")
    view = _part(properties, "instanceView")
    agent = _latest(_parts(_part(view, "vmAgent"), "statuses"))
    storage = _part(properties, "storageProfile")
    attached = [_part(storage, "osDisk"), *_parts(storage, "dataDisks")]
    managed = [(_part(disk, "managedDisk"), disk) for disk in attached]
    return VirtualMachine(
        id=str(document.get("id") or ""),
        name=str(document.get("name") or ""),
        location=short(str(document.get("location") or "")),
        provisioning=str(properties.get("provisioningState") or ""),
        power=_power(_parts(view, "statuses")),
        agent=agent.get("displayStatus"),
        agent_words=str(agent.get("message") or ""),
        size=_part(properties, "hardwareProfile").get("vmSize"),
        disks=tuple(
            LiveDisk(
                id=str(disk["id"]),
                account_type=disk.get("storageAccountType"),
                gigabytes=int(holder.get("diskSizeGB") or 0),
            )
            for disk, holder in managed
            if disk.get("id")
        ),
        has_unmanaged_disks=any(not disk.get("id") for disk, _ in managed),
        cards=_cards(_parts(_part(properties, "networkProfile"), "networkInterfaces")),
    )


def _cards(attached: list[dict[str, Any]]) -> tuple[str, ...]:
    first = sorted(attached, key=lambda card: not _part(card, "properties").get("primary"))
    return tuple(str(card["id"]) for card in first if card.get("id"))


def _power(statuses: list[dict[str, Any]]) -> str | None:
    codes = (str(status.get("code") or "") for status in statuses)
    return next((code.removeprefix(_POWER) for code in codes if code.startswith(_POWER)), None)


def _latest(statuses: list[dict[str, Any]]) -> dict[str, Any]:
    return statuses[-1] if statuses else {}


def _size(sku: dict[str, Any]) -> Size:
    abilities = {each.get("name"): each.get("value") for each in _parts(sku, "capabilities")}
    return Size(
        name=str(sku.get("name")),
        family=str(sku.get("family") or ""),
        cores=int(str(abilities.get("vCPUs") or 0)),
        restriction=next(
            (
                str(each.get("reasonCode") or "restricted")
                for each in _parts(sku, "restrictions")
                # A restriction of some zones leaves the region itself open.
                if each.get("type") == "Location"
            ),
            None,
        ),
    )


def _part(document: dict[str, Any], name: str) -> dict[str, Any]:
    return cast("dict[str, Any]", document.get(name) or {})


def _parts(document: dict[str, Any], name: str) -> list[dict[str, Any]]:
    return cast("list[dict[str, Any]]", document.get(name) or [])

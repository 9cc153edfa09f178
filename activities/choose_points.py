"""Choose the recovery point of each machine of a group, from what is listed now."""

from __future__ import annotations

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor

from activities.azure import Document, azure
from domain.contract import ChosenPoint, ChosenPoints, OfferedPoint, PointsRequest
from domain.machine import MachineDetails
from domain.recovery_points import choose, offer
from gateway.azure import Azure
from gateway.faults import Refused
from gateway.sight import HANDFUL
from gateway.site_recovery import SiteRecovery, pick


def choose_points(request: Document) -> Document:
    """Choose recovery points; raises when Azure cannot be read now, for the step to be repeated."""
    return choose_for(azure(), PointsRequest.from_wire(request)).to_wire()


def choose_for(azure: Azure, request: PointsRequest) -> ChosenPoints:
    """Read each machine's points and disks, and choose; a machine that Azure refuses gets the refusal."""
    vault = azure.vault(request.vault)
    # Beyond a handful one list is cheaper than a read of each machine; refused as a whole, each says so itself.
    listed = _all(vault, request.choices) if len(request.choices) > HANDFUL else ()

    def one(name: str) -> tuple[ChosenPoint, tuple[OfferedPoint, ...]]:
        choice, item_id = request.choices[name], request.items[name]
        try:
            machine = pick(listed, name, item_id, None) or vault.machine(item_id)
            points, disks = vault.points(machine.snapshot.id), tuple(disk.id for disk in machine.disks)
        except Refused as refused:
            return ChosenPoint(select=choice.select, refusal=refused.refusal), ()
        return choose(points, choice, disks, azure.now()), offer(points, disks, request.offer)

    with ThreadPoolExecutor(max_workers=azure.settings.parallel_calls) as pool:
        found = dict(zip(request.choices, pool.map(one, request.choices), strict=True))
    return ChosenPoints(
        as_of=azure.now(),
        points={name: chosen for name, (chosen, _) in found.items()},
        offered={name: offered for name, (_, offered) in found.items() if offered},
    )


def _all(vault: SiteRecovery, names: Iterable[str]) -> tuple[MachineDetails, ...]:
    try:
        return vault.machines({name.casefold() for name in names})
    except Refused:
        return ()

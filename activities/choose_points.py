"""Choose the recovery point of each machine of a group, from what is listed now."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from activities.azure import Document, azure
from domain.contract import ChosenPoint, ChosenPoints, PointsRequest
from domain.recovery_points import choose
from gateway.azure import Azure
from gateway.faults import Refused


def choose_points(request: Document) -> Document:
    """Choose recovery points; raises when Azure cannot be read now, for the step to be repeated."""
    return choose_for(azure(), PointsRequest.from_wire(request)).to_wire()


def choose_for(azure: Azure, request: PointsRequest) -> ChosenPoints:
    """Read each machine's points and disks, and choose; a machine that Azure refuses gets the refusal."""

    def one(name: str) -> ChosenPoint:
        choice, item_id, vault = request.choices[name], request.items[name], azure.vault(request.vault)
        try:
            disks = [disk.id for disk in vault.machine(item_id).disks]
            return choose(vault.points(item_id), choice, disks, azure.now())
        except Refused as refused:
            return ChosenPoint(select=choice.select, refusal=refused.refusal)

    with ThreadPoolExecutor(max_workers=azure.settings.parallel_reads) as pool:
        points = dict(zip(request.choices, pool.map(one, request.choices), strict=True))
    return ChosenPoints(as_of=azure.now(), points=points)

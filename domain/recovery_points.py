"""Which recovery point a choice comes to.

Lists arrive unsorted (Microsoft's own documentation warns of it); a point that lacks one of the machine's
disks cannot bring the whole machine back and is never chosen.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta

from domain.contract import ChosenPoint, OfferedPoint, RecoveryPoint
from domain.errors import Refusal
from domain.machine import last_segment
from domain.request import PointChoice, Select

_APP = frozenset({"appconsistent", "applicationconsistent"})
_CRASH = frozenset({"crashconsistent"})
_KINDS = {Select.LATEST_APP_CONSISTENT: _APP, Select.LATEST_CRASH_CONSISTENT: _CRASH}


def is_whole(point: RecoveryPoint, disks: Iterable[str]) -> bool:
    """Tell whether a point holds every disk of the machine; a point that names no disks says nothing of it."""
    held = {disk.casefold() for disk in point.disks}
    return not held or {disk.casefold() for disk in disks} <= held


def newest_first(points: Iterable[RecoveryPoint]) -> list[RecoveryPoint]:
    """Sort points by age; of two of one moment the application-consistent one comes first."""
    return sorted(points, key=lambda point: (point.time, point.kind.casefold() in _APP, point.id), reverse=True)


def choose(
    points: Iterable[RecoveryPoint], choice: PointChoice, disks: Iterable[str], as_of: datetime
) -> ChosenPoint:
    """Find the recovery point that a choice means now.

    Args:
        points: every point the service lists for the machine, in any order.
        choice: what was asked for.
        disks: ARM ids of the machine's replicated disks.
        as_of: now, by Azure's clock; ages are measured from here.

    Returns:
        The point, or a refusal when there is none that fits.
    """
    everything, wanted = newest_first(points), tuple(disks)
    if choice.select is Select.CUSTOM:
        return _named(everything, choice, wanted, as_of)
    whole = [point for point in everything if is_whole(point, wanted)]
    kinds = _KINDS.get(choice.select)
    fitting = [
        point
        for point in whole
        if (kinds is None or point.kind.casefold() in kinds)
        and (choice.not_after is None or point.time <= choice.not_after)
    ]
    if not fitting:
        return ChosenPoint(select=choice.select, refusal=_none_fits(choice, everything))
    return _chosen(fitting[0], choice, as_of)


def newest_by_lag(lag: timedelta, as_of: datetime) -> ChosenPoint:
    """Say about how old the newest point is, by how far replication lags behind, without a list of points."""
    return ChosenPoint(select=Select.LATEST, time=as_of - lag, age=lag)


def offer(points: Iterable[RecoveryPoint], disks: Iterable[str], most: int) -> tuple[OfferedPoint, ...]:
    """Give the points that people may choose from, the newest first: whole ones, at most so many.

    Where there are more, half are the newest and the rest are spread evenly over the older ones up to the
    oldest: who goes far back looks for a day, not for a minute.
    """
    wanted = tuple(disks)
    whole = [point for point in newest_first(points) if is_whole(point, wanted)]
    return tuple(
        OfferedPoint(name=last_segment(point.id), time=point.time, kind=point.kind)
        for point in _spread(whole, most)
    )


def _spread(points: Sequence[RecoveryPoint], most: int) -> list[RecoveryPoint]:
    if len(points) <= most:
        return list(points)
    recent, places = points[: most - most // 2], most // 2
    older = points[len(recent) :]
    return [*recent, *(older[(place + 1) * len(older) // places - 1] for place in range(places))]


def _named(
    points: list[RecoveryPoint], choice: PointChoice, disks: tuple[str, ...], as_of: datetime
) -> ChosenPoint:
    wanted = last_segment(choice.id or "").casefold()
    point = next((each for each in points if last_segment(each.id).casefold() == wanted), None)
    if point is None:
        return ChosenPoint(select=choice.select, refusal=_not_found(wanted, points))
    if not is_whole(point, disks):
        return ChosenPoint(select=choice.select, refusal=_incomplete(point, disks))
    return _chosen(point, choice, as_of)


def _chosen(point: RecoveryPoint, choice: PointChoice, as_of: datetime) -> ChosenPoint:
    return ChosenPoint(
        select=choice.select,
        id=point.id if choice.is_ours else None,
        time=point.time,
        kind=point.kind,
        age=as_of - point.time,
    )


def _not_found(wanted: str, points: list[RecoveryPoint]) -> Refusal:
    span = f"; the list runs from {points[-1].time:%F %TZ} to {points[0].time:%F %TZ}" if points else ""
    return Refusal(
        code="RecoveryPointNotFound",
        what=f"there is no recovery point {wanted} among the {len(points)} listed{span}",
        remedy="points are pruned as they age: choose one that is listed, or a policy such as latestProcessed",
    )


def _incomplete(point: RecoveryPoint, disks: tuple[str, ...]) -> Refusal:
    held = {disk.casefold() for disk in point.disks}
    missing = [last_segment(disk) for disk in disks if disk.casefold() not in held]
    return Refusal(
        code="RecoveryPointIncomplete",
        what=f"recovery point {last_segment(point.id)} lacks {', '.join(missing)}",
        remedy="choose a point that holds every disk of the machine",
    )


def _none_fits(choice: PointChoice, points: list[RecoveryPoint]) -> Refusal:
    limit = f" of {choice.not_after.astimezone(UTC):%F %TZ} or before" if choice.not_after else ""
    return Refusal(
        code="NoRecoveryPoint",
        what=f"none of the {len(points)} recovery points is {choice.select.value}{limit} and holds every disk",
        remedy="choose another policy or a later limit; if the list is empty, wait for the first point",
    )

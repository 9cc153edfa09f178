"""Recovery points as a function of the clock: nothing is stored, a point's age decides whether it is there.

A crash-consistent point every five minutes, an app-consistent one every hour; after two hours one an hour is
kept, until the policy's retention ends (Microsoft's documentation of Azure-to-Azure replication policies).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING

from simulator.arm import key, last_segment

if TYPE_CHECKING:
    from simulator.ids import Ids
    from simulator.model import Item

EVERY = timedelta(minutes=5)
FULL_DETAIL = timedelta(hours=2)
APP_CONSISTENT_EACH = 12
PROCESSING_LAG = timedelta(seconds=210)
"""A point is offered this long after its time: recorded failovers used points about six minutes old."""

LACKS_A_DISK_EACH, LACKS_A_DISK_AT = 24, 14  # one of those kept in full detail


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """One recovery point of an item."""

    name: str
    time: datetime
    app_consistent: bool
    lacks_data_disk: bool


def points(item: Item, ids: Ids, now: datetime) -> list[Point]:
    """Answer the points an item has, oldest first; none after a commit or before the first sync."""
    return [_point(item, ids, number) for number in _numbers(item, now)]


def _numbers(item: Item, now: datetime) -> list[int]:
    """Answer which points of an item are there, by their numbers."""
    if item.points_from is None or item.points_deleted:
        return []
    newest = min(now, item.points_until or now) - PROCESSING_LAG
    kept_since = max(item.points_from, now - timedelta(minutes=item.policy.history))
    first = max(0, -((item.points_from - kept_since) // EVERY))
    last = (newest - item.points_from) // EVERY
    return [n for n in range(first, last + 1) if _kept(item.points_from + n * EVERY, n, now)]


def _kept(time: datetime, number: int, now: datetime) -> bool:
    return number % APP_CONSISTENT_EACH == 0 or now - time <= FULL_DETAIL


def _point(item: Item, ids: Ids, number: int) -> Point:
    life = f"{item.lifecycle_id}/{item.management_id}/{number}"
    jitter = timedelta(microseconds=ids.number("jitter", life) % 900_000)
    assert item.points_from is not None  # noqa: S101 - the caller has looked
    return Point(
        name=ids.fixed("recovery-point", life),
        time=item.points_from + number * EVERY + jitter,
        app_consistent=_is_app_consistent(item, number),
        lacks_data_disk=number % LACKS_A_DISK_EACH == LACKS_A_DISK_AT and len(item.disks) > 1,
    )


def _is_app_consistent(item: Item, number: int) -> bool:
    return item.policy.app_consistent_every > 0 and number % APP_CONSISTENT_EACH == 0


class PointKind(StrEnum):
    """Which point a recovery plan asks for; a single machine is always given a processed one."""

    PROCESSED = "LatestProcessed"
    LATEST = "Latest"
    CRASH_CONSISTENT = "LatestCrashConsistent"
    APP_CONSISTENT = "LatestApplicationConsistent"


def newest(item: Item, ids: Ids, now: datetime, kind: PointKind = PointKind.PROCESSED) -> Point | None:
    """Answer the newest processed point of a kind, which a failover uses when it is given none.

    "Latest" is no newer than "latest processed": a recorded plan's failover used an older point.
    """
    any_kind = kind not in {PointKind.CRASH_CONSISTENT, PointKind.APP_CONSISTENT}
    wanted = kind is PointKind.APP_CONSISTENT
    fit = (n for n in reversed(_numbers(item, now)) if any_kind or _is_app_consistent(item, n) is wanted)
    found = next(fit, None)
    return None if found is None else _point(item, ids, found)


def find(item: Item, ids: Ids, now: datetime, point_id: str) -> Point | None:
    """Find a point by its id or name; only the last segment counts, as the ids name the container's GUID."""
    wanted = key(last_segment(point_id))
    return next((p for p in points(item, ids, now) if p.name == wanted), None)

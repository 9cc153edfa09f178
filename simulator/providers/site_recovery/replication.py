"""How an item's replication stands at a moment: its progress, the agent's last word, its lag."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from simulator.lifecycle import State

if TYPE_CHECKING:
    from datetime import datetime

    from simulator.model import Item
    from simulator.world import World

SYNCING = {State.INITIAL_REPLICATION, State.WAITING_FIRST_POINT}
AWAY = {State.COMMIT_PENDING, State.COMMITTED}


def progress(item: Item, now: datetime) -> int | None:
    """Answer how far initial replication is, in percent: null at first, and stale at its end."""
    if item.sync_started is None or item.sync_ends is None:
        return None
    length = item.sync_ends - item.sync_started
    share = (now - item.sync_started) / length if length else 1.0
    return None if share < 0.05 else min(99, int(share * 100))  # noqa: PLR2004


def last_heartbeat(item: Item, now: datetime) -> datetime | None:
    """Answer the agent's last word: every five minutes, frozen once the machine has failed over; none at first."""
    if item.first_heartbeat and now < item.first_heartbeat:
        return None
    seen = min(now, item.last_failover) if item.last_failover and item.state in AWAY else now
    return seen - timedelta(seconds=seen.timestamp() % 300)


def rpo_seconds(item: Item, world: World) -> int | None:
    """Answer the recovery point objective: it moves while protected, freezes once failed over (recorded)."""
    if not item.ever_protected or item.state in SYNCING:
        return None
    at = last_heartbeat(item, world.now)
    return 40 + world.ids.number("rpo", item.lifecycle_id, str(at)) % 160

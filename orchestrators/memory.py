"""What a run takes along from one boot group to the next.

A run of many groups begins anew after each, with an empty history: replaying all of it at every step would cost as
much again for each group. What it knows by then is kept by an entity, so that its input stays what was asked for.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from domain.approvals import GateName
from domain.evidence import Kept
from domain.gate import Entry
from domain.journey import Journey
from domain.notices import Delivery
from domain.planning import Plan
from domain.wire import Answer


class Memory(Answer):
    """All that a run knows between two groups."""

    plan: Plan
    plan_hash: str
    journeys: tuple[Journey, ...]
    decisions: tuple[Entry, ...] = ()
    rounds: dict[GateName, int] = {}
    passes: int = 0
    started: datetime
    waited: timedelta = timedelta(0)
    cancelled: str | None = None
    heralds: tuple[str, ...] = ()
    told: dict[str, tuple[Delivery, ...]] = {}
    kept: Kept = Kept()

"""How long a stage may go without looking: not long where something may end at any moment, else saving calls."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final

from domain.leg import Leg, LegStatus, Task, Way
from domain.lifecycle import state_of

# A commit takes from three to forty seconds; a job that has taken longer is looked at again after a tenth of the
# time that it has taken, so that no act waits much longer than it lasts.
SOONEST: Final = timedelta(seconds=10)
PATIENT: Final = 10
# A job that has taken this long takes longer, and a first copy takes most of an hour: one look in four is enough
# then, and a wake-up comes sooner.
LONG_RUNNING: Final = timedelta(minutes=20)
SLOW_PACE: Final = 4
# With so many percent of a first copy left, a look at the usual pace is enough.
LEFT_AT_PACE: Final = 10


def next_look(task: Task, legs: Iterable[Leg], now: datetime, *, paused: bool = False) -> timedelta:
    """Say how long to wait: as long as the most urgent machine may go unseen."""
    rests = (_rest(task, leg, now, paused=paused) for leg in legs if not leg.has_ended)
    return min(rests, default=task.look_every * SLOW_PACE)


def _rest(task: Task, leg: Leg, now: datetime, *, paused: bool) -> timedelta:
    slow, age = task.look_every * SLOW_PACE, now - (leg.since or now)
    if leg.status is LegStatus.RUNNING and age > LONG_RUNNING:
        return slow
    if leg.status in {LegStatus.RUNNING, LegStatus.CONFIRMING}:
        return min(max(age / PATIENT, SOONEST), task.look_every)
    if leg.status is LegStatus.READY and _copies(task, leg):
        left = 100 - (leg.snapshot.sync_percent or 0) if leg.snapshot else 100
        return min(max(task.look_every * left / LEFT_AT_PACE, min(SOONEST, task.look_every)), slow)
    return slow if paused and leg.status is LegStatus.READY else task.look_every


def _copies(task: Task, leg: Leg) -> bool:
    return leg.snapshot is not None and task.step(state_of(leg.snapshot)) is Way.WAIT

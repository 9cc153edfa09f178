"""What happens by itself: drills when their time comes, and a sweep for what tests left behind.

Timers may fire twice, late, or not at all. So each drill and each sweep is named by its moment: a second firing
finds it begun, and a late one makes up for what was missed.
"""

from __future__ import annotations

import logging
import os
from datetime import UTC, datetime, timedelta
from itertools import takewhile
from typing import Any, Final
from zoneinfo import ZoneInfo

import azure.functions as func
from azure.durable_functions import EntityId
from cronsim import CronSim, CronSimError

from domain import contract
from domain.drills import Drill, DrillOrder
from domain.leftovers import REGISTER, SweepOrder
from domain.settings import Settings
from identity import clock
from triggers.client import Client, state_of
from triggers.runs import document

log = logging.getLogger("failback.schedule")
EVERY_FIVE_MINUTES: Final = "0 */5 * * * *"
# Once a day every vault of the calendar is looked through; in between only what was seen to come is followed.
_THOROUGH_HOUR: Final = 5
_FIRST_MINUTES: Final = 5
_DAY: Final = timedelta(days=1)


async def tick(timer: func.TimerRequest, client: Any) -> None:
    """Start what is due: drills, and once an hour a sweep."""
    del timer
    settings, now = Settings.from_environment(os.environ), clock.now()
    for drill in settings.drills.drills:
        await _hold(client, drill, now)
    await _sweep(client, settings, now)


async def _hold(client: Client, drill: Drill, now: datetime) -> None:
    slot = due_slot(drill, now)
    if slot is None:
        return
    order = DrillOrder(drill=drill, slot=slot)
    await _start_once(client, contract.DRILL, f"drill-{drill.name}-{slot:%Y%m%d%H%M}", order.to_wire())


def due_slot(drill: Drill, now: datetime) -> datetime | None:
    """Give the last moment of a drill by the clocks of its zone, unless it was too long ago to be made up for.

    It counts from a noon, which no zone has twice: in a night whose hours come again, a drill is due once.
    """
    since = now - drill.within
    noon = since.astimezone(ZoneInfo(drill.zone)).replace(hour=12, minute=0, second=0, microsecond=0) - _DAY
    try:
        moments = (each.astimezone(UTC) for each in CronSim(drill.cron, noon))
        return max((each for each in takewhile(lambda each: each <= now, moments) if each >= since), default=None)
    except (CronSimError, StopIteration):
        log.exception("drill %s is never held: %r is no cron expression", drill.name, drill.cron)
        return None


def next_slot(drill: Drill, now: datetime) -> datetime | None:
    """Give the next moment of a drill by the clocks of its zone; none if it is never held."""
    try:
        moments = (each.astimezone(UTC) for each in CronSim(drill.cron, now.astimezone(ZoneInfo(drill.zone))))
        return next((each for each in moments if each > now), None)
    except CronSimError:
        return None


async def _sweep(client: Client, settings: Settings, now: datetime) -> None:
    """Follow what runs saw come and nobody proved gone; once a day look through every vault of the calendar.

    The first firing of an hour does; where it was missed, the next hour's.
    """
    if now.minute >= _FIRST_MINUTES:
        return
    thorough = now.hour == _THOROUGH_HOUR
    vaults = {drill.vault.casefold(): drill.vault for drill in settings.drills.drills} if thorough else {}
    register = await client.read_entity_state(EntityId(contract.TEST_REGISTER, REGISTER))
    traces = document(register.entity_state).get("traces") if register.entity_exists else None
    if vaults or traces:
        order = SweepOrder(vaults=tuple(vaults.values()), time_to_live=settings.test_time_to_live)
        await _start_once(client, contract.SWEEP, f"sweep-{now:%Y%m%d%H}", order.to_wire())


async def _start_once(client: Client, name: str, instance: str, order: dict[str, Any]) -> None:
    """Start an orchestration unless it was started before; what has ended is not begun again."""
    if state_of(await client.get_status(instance)) is not None:
        return
    try:
        await client.start_new(name, instance, order)
    except Exception:
        # Another firing was faster; if it was not, the next one tries again.
        log.exception("%s was not started", instance)

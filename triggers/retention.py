"""Forgetting: what ended long ago leaves the host's history. Evidence lies elsewhere and stays.

The host purges by the time at which an instance was created, while what counts is when a run ended. So everything
that was created before the retention's limit goes, but nothing that is as young as a run that goes on or ended
lately: what a run has begun is younger than the run itself, and so no run loses a part before it is forgotten
whole. Entities never end, and stay. Whatever is left undone, the next night makes up for.
"""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any, Final

import azure.functions as func
from azure.durable_functions import EntityId, OrchestrationRuntimeStatus

from domain import contract
from domain.settings import Settings
from identity import clock
from triggers.client import FINISHED, Client, RunStatus, state_of
from triggers.runs import document, has_finished

log = logging.getLogger("failback.retention")
# Beside the hour in which sweeps begin.
EVERY_NIGHT: Final = "0 25 4 * * *"
_STATES: Final = [each for each in OrchestrationRuntimeStatus if each.value in FINISHED]
# Older than any instance.
_BEGINNING: Final = datetime(2020, 1, 1, tzinfo=UTC)
# The register is in the order in which runs had been planned, which is nearly that of their creation.
_DISORDER: Final = timedelta(days=1)
# The SDK gives a call up after five minutes, and the host a function after ten (host.json).
_PATIENCE: Final = 240.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Aim:
    """What is to be forgotten: all that ended and was created by `until`; the `runs` among it."""

    until: datetime
    runs: tuple[str, ...]


async def purge(timer: func.TimerRequest, client: Any) -> None:
    """Forget what ended before the retention's limit, and take runs that are no more off the list."""
    del timer
    limit = clock.now() - Settings.from_environment(os.environ).retention
    aim = await aim_at(client, limit)
    await forget(client, aim.until)
    gone = [run for run in aim.runs if state_of(await client.get_status(run)) is None]
    if gone:
        await client.signal_entity(EntityId(contract.RUN_REGISTER, "all"), "forget", {"ids": gone})


async def aim_at(client: Client, limit: datetime) -> Aim:
    """Find out how far to go: short of the oldest run that goes on, or ended after the limit."""
    register = await client.read_entity_state(EntityId(contract.RUN_REGISTER, "all"))
    known: list[str] = document(register.entity_state).get("runs", []) if register.entity_exists else []
    until, runs = limit, list[str]()
    for run in reversed(known):
        status = await client.get_status(run)
        if state_of(status) is None or (has_finished(status) and status.last_updated_time < limit):
            runs.append(run)
        elif (began := _began(status)) > limit + _DISORDER:
            break
        else:
            # Times are told in whole seconds.
            until = min(until, began - timedelta(seconds=1))
    return Aim(until=until, runs=tuple(runs))


def _began(status: RunStatus) -> datetime:
    """Say when a run began; where the host counts each boot group as created anew, its status knows."""
    shown = document(status.custom_status).get("startedAt")
    created: datetime = status.created_time
    return min(created, datetime.fromisoformat(shown)) if shown else created


async def forget(client: Client, until: datetime, *, within: float = _PATIENCE) -> None:
    """Purge what ended and was created by then, window by window, the oldest first, as long as there is time.

    One that fails holds no other up.
    """
    give_up, count = time.monotonic() + within, 0
    for begin, end in windows(until):
        if time.monotonic() >= give_up:
            log.warning("what ended and was created after %s is purged next time", begin)
            break
        try:
            count += (await client.purge_instance_history_by(begin, end, _STATES)).instances_deleted
        except Exception:
            log.exception("what was created from %s to %s was not purged", begin, end)
    log.info("%s instances were purged that were created before %s", count, until)


def windows(until: datetime) -> Iterator[tuple[datetime, datetime]]:
    """Give the stretches of time to purge, the oldest first: the last is a day, each earlier one twice as long.

    Night after night only the last one holds anything; after a pause, or once the retention was made shorter, no
    call has all of it to do.
    """
    back, edges = timedelta(days=1), [until]
    while edges[-1] > _BEGINNING:
        edges.append(max(_BEGINNING, until - back))
        back *= 2
    return pairwise(reversed(edges))

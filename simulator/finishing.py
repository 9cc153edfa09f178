"""The jobs that the service starts by itself when initial replication ends: on one side, then on the other."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from simulator.arm import key
from simulator.jobs import Job
from simulator.scenarios import PRIMARY_IR_COMPLETION, SECONDARY_IR_COMPLETION

if TYPE_CHECKING:
    from datetime import datetime

    from simulator.jobs import Scenario
    from simulator.model import Item
    from simulator.world import World

PRIMARY_BEFORE, PRIMARY_LENGTH = timedelta(seconds=76), timedelta(seconds=1.2)
SECONDARY_BEFORE, SECONDARY_LENGTH = timedelta(seconds=5.5), timedelta(seconds=5.5)
"""How long before the machine is protected each begins, and how long it takes (recorded: 71 seconds apart)."""


def finish_later(world: World, item: Item, ends: datetime) -> None:
    """Let both jobs begin when their time comes, unless the item has gone another way, or is gone."""
    changes = item.state_changes

    def begin(scenario: Scenario, length: timedelta) -> None:
        if item.state_changes == changes and world.items.get(key(item.id)) is item:
            world.keep(_job(world, item, scenario, length))

    for scenario, before, length in (
        (PRIMARY_IR_COMPLETION, PRIMARY_BEFORE, PRIMARY_LENGTH),
        (SECONDARY_IR_COMPLETION, SECONDARY_BEFORE, SECONDARY_LENGTH),
    ):
        world.at(max(world.now, ends - before), lambda scenario=scenario, length=length: begin(scenario, length))


def _job(world: World, item: Item, scenario: Scenario, length: timedelta) -> Job:
    """Make one of the jobs; it tells who asked for the replication that it ends (recorded)."""
    name, job_id = item.machine.name.lower(), world.ids.fresh("job")
    client, correlation = item.asked_by or (world.ids.fresh("client-request"), world.ids.fresh("correlation"))
    return Job(
        id=job_id,
        operation_id=job_id,
        vault_id=item.vault.id,
        scenario=scenario,
        started=world.now,
        duration=length,
        ends=world.now + length,
        client_request_id=client,
        correlation_id=correlation,
        target_object_id=item.entity_id,
        target_name=name,
        affected=item.about(name),
    )

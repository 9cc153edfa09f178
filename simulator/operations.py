"""Operations that act on no item: they run, end, and change nothing of an item's life."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simulator.jobs import Job

if TYPE_CHECKING:
    from datetime import timedelta

    from simulator.call import Call
    from simulator.jobs import Scenario


def start_operation(call: Call, scenario: Scenario, length: timedelta, *, listed: bool) -> Job:
    """Start an operation of a vault; `listed` says whether it is a job people see."""
    world, vault = call.world, call.vault()
    job_id = world.ids.fresh("job")
    job = Job(
        id=job_id,
        operation_id=job_id,
        vault_id=vault.id,
        scenario=scenario,
        started=world.now,
        duration=length,
        ends=world.now + length,
        client_request_id=call.trace.client_request_id,
        correlation_id=call.trace.correlation_id,
        target_object_id=str(world.ids.number("vault", vault.id) % 10**19),
        target_type="Vault",
        listed=listed,
    )
    call.trace.operation = job_id
    world.keep(job)
    return job

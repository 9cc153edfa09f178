"""Operations on what lies around the items: they run, end, and change nothing of an item's life."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from simulator.jobs import Job

if TYPE_CHECKING:
    from datetime import timedelta

    from simulator.call import Call
    from simulator.jobs import Scenario


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """What an operation is about, as its job shows it."""

    kind: str
    object_id: str
    name: str = ""
    affected: dict[str, object] = field(default_factory=dict[str, object])


def start_operation(
    call: Call, scenario: Scenario, length: timedelta, *, listed: bool, target: Target | None = None
) -> Job:
    """Start an operation of a vault; `listed` says whether it is a job people see."""
    world, vault = call.world, call.vault()
    target = target or Target(kind="Vault", object_id=str(world.ids.number("vault", vault.id) % 10**19))
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
        target_object_id=target.object_id,
        target_name=target.name,
        target_type=target.kind,
        affected=target.affected,
        listed=listed,
    )
    call.trace.operation = job_id
    world.keep(job)
    return job

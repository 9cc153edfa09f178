"""Look once at a group of machines and at their jobs; answer only what changed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from activities.azure import Document, azure
from domain.contract import Look, LookRequest
from domain.errors import FailbackError, Refusal, bounded
from domain.lifecycle import ACTS, Act
from domain.machine import JobSnapshot, MachineSnapshot, last_segment
from gateway.azure import Azure
from gateway.faults import Refused
from gateway.sight import HANDFUL, Sight
from gateway.site_recovery import SiteRecovery

S = TypeVar("S", MachineSnapshot, JobSnapshot)


def look(request: Document) -> Document:
    """Look at machines and jobs; a failure of Azure is part of the answer."""
    return look_at(azure(), LookRequest.from_wire(request)).to_wire()


def look_at(azure: Azure, request: LookRequest) -> Look:
    """Look once, by Azure's clock; `blind` when Azure did not answer, and then nothing else is known."""
    vault = azure.vault(request.vault)
    try:
        machines = _machines(vault, request)
        wanted = _due(request, machines.values())
        jobs = _jobs(vault, wanted, azure.settings.parallel_calls)
    except FailbackError as error:
        return Look(as_of=azure.now(), blind=_blind(error))
    return Look(
        as_of=azure.now(),
        machines=_changed(machines, request.seen),
        jobs=_changed(jobs, request.seen),
        gone=tuple(name for name in request.machines if machines[name] is None),
        lost=tuple(job_id for job_id in wanted if jobs[job_id] is None),
    )


def _machines(vault: SiteRecovery, request: LookRequest) -> dict[str, MachineSnapshot | None]:
    sight, lifecycles = Sight(vault, request.machines), request.lifecycles
    found = {
        name: sight.machine(name, item_id, lifecycles.get(name)) for name, item_id in request.machines.items()
    }
    return {name: details.snapshot if details else None for name, details in found.items()}


def _due(request: LookRequest, machines: Iterable[MachineSnapshot | None]) -> tuple[str, ...]:
    """Give the jobs to read: few are read each time, of many those that no machine names any more."""
    if request.every_job or len(request.jobs) <= HANDFUL:
        return request.jobs
    named = {last_segment(each.job).casefold() for each in machines if each and each.job}
    return tuple(job_id for job_id in request.jobs if last_segment(job_id).casefold() not in named)


def _jobs(vault: SiteRecovery, wanted: tuple[str, ...], parallel: int) -> dict[str, JobSnapshot | None]:
    """Read the jobs: each when they are few; else from the list, and by itself each of which it tells too little.

    The list leaves out tasks and errors, and a job that it lacks is asked for by itself before it is lost.
    """
    if len(wanted) <= HANDFUL:
        return {job_id: vault.job(job_id) for job_id in wanted}
    listed = _listed(vault.jobs(), wanted)
    rest = [job_id for job_id in wanted if job_id not in listed]
    with ThreadPoolExecutor(max_workers=parallel) as pool:
        return {**listed, **dict(zip(rest, pool.map(vault.job, rest), strict=True))}


def _listed(listed: Iterable[JobSnapshot], wanted: tuple[str, ...]) -> dict[str, JobSnapshot]:
    """Give those wanted jobs of which the list tells enough."""
    by_name = {last_segment(job_id).casefold(): job_id for job_id in wanted}
    found: dict[str, JobSnapshot] = {}
    for job in listed:
        job_id = by_name.pop(last_segment(job.id).casefold(), None)
        if job_id is not None and _tells_enough(job):
            found[job_id] = job
        if not by_name:
            break
    return found


def _tells_enough(job: JobSnapshot) -> bool:
    """Tell whether a list is enough; a failover by itself also tells its point, and when the source stopped."""
    enough = job.succeeded and not job.errors and job.scenario != ACTS[Act.FAIL_OVER].scenario
    return enough or not job.has_ended


def _changed(found: Mapping[str, S | None], seen: Mapping[str, str]) -> dict[str, S]:
    return {key: each for key, each in found.items() if each is not None and seen.get(key) != each.mark}


def _blind(error: FailbackError) -> Refusal:
    if isinstance(error, Refused):
        return error.refusal
    return Refusal(
        code=type(error).__name__,
        what=bounded(str(error)),
        remedy="nothing to do: it is looked again at the next tick",
    )

"""Look once at a group of machines and at their jobs; answer only what changed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Final, TypeVar

from activities.azure import Document, azure
from domain.contract import Look, LookRequest
from domain.errors import FailbackError, Refusal, bounded
from domain.machine import JobSnapshot, MachineSnapshot, last_segment
from gateway.azure import Azure
from gateway.faults import Refused
from gateway.site_recovery import SiteRecovery, pick

# Up to so many, one GET each is cheaper than the vault's list with all its pages; beyond, the list is.
HANDFUL: Final = 3
S = TypeVar("S", MachineSnapshot, JobSnapshot)


def look(request: Document) -> Document:
    """Look at machines and jobs; a failure of Azure is part of the answer."""
    return look_at(azure(), LookRequest.from_wire(request)).to_wire()


def look_at(azure: Azure, request: LookRequest) -> Look:
    """Look once, by Azure's clock; `blind` when Azure did not answer, and then nothing else is known."""
    vault = azure.vault(request.vault)
    try:
        machines = _machines(vault, request)
        jobs = _jobs(vault, request.jobs, azure.settings.parallel_reads)
    except FailbackError as error:
        return Look(as_of=azure.now(), blind=_blind(error))
    return Look(
        as_of=azure.now(),
        machines=_changed(machines, request.seen),
        jobs=_changed(jobs, request.seen),
        gone=tuple(name for name in request.machines if machines[name] is None),
        lost=tuple(job_id for job_id in request.jobs if jobs[job_id] is None),
    )


def _machines(vault: SiteRecovery, request: LookRequest) -> dict[str, MachineSnapshot | None]:
    lifecycles = request.lifecycles
    if len(request.machines) <= HANDFUL:
        found = {
            name: vault.follow(name, item_id, lifecycles.get(name)) for name, item_id in request.machines.items()
        }
    else:
        listed = vault.machines()
        found = {
            name: pick(listed, name, item_id, lifecycles.get(name)) for name, item_id in request.machines.items()
        }
    return {name: details.snapshot if details else None for name, details in found.items()}


def _jobs(vault: SiteRecovery, wanted: tuple[str, ...], parallel: int) -> dict[str, JobSnapshot | None]:
    """Read the jobs: each when they are few; else from the list, and one by one those that have ended.

    The list leaves out tasks and errors, and a job that it lacks is asked for by itself before it is lost.
    """
    if len(wanted) <= HANDFUL:
        return {job_id: vault.job(job_id) for job_id in wanted}
    running = _running(vault.jobs(), wanted)
    rest = [job_id for job_id in wanted if job_id not in running]
    with ThreadPoolExecutor(max_workers=parallel) as pool:
        return {**running, **dict(zip(rest, pool.map(vault.job, rest), strict=True))}


def _running(listed: Iterable[JobSnapshot], wanted: tuple[str, ...]) -> dict[str, JobSnapshot]:
    by_name = {last_segment(job_id).casefold(): job_id for job_id in wanted}
    found: dict[str, JobSnapshot] = {}
    for job in listed:
        job_id = by_name.pop(last_segment(job.id).casefold(), None)
        if job_id is not None and not job.has_ended:
            found[job_id] = job
        if not by_name:
            break
    return found


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

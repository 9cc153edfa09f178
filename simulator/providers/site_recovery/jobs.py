"""Jobs and operations: lists, reads, cancel and its like, and the status of what was accepted."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simulator.envelopes import listing, not_found, operation_status
from simulator.jobs import Job, JobState
from simulator.messages import Response, json_response
from simulator.odata import Clause, parse_filter
from simulator.providers.site_recovery.job_view import job_body, list_body
from simulator.times import parse_instant

if TYPE_CHECKING:
    from simulator.call import Call
    from simulator.model import Vault


def list_jobs(call: Call) -> Response:
    """List a vault's jobs, newest first; poorer than a get (recorded)."""
    vault = call.vault()
    found = [j for j in reversed(call.world.jobs.values()) if _matches(call, vault, j)]
    return listing([list_body(job, call.world) for job in found])


def get_job(call: Call) -> Response:
    """Read one job, at once after its start and with all its tasks (recorded)."""
    job = _job(call)
    if job is None:
        return not_found(call.params["job"], call.trace)
    answer = json_response(job_body(job, call.world))
    return answer.with_headers(("x-ms-request-id", job.arm_id()))


def get_operation_status(call: Call) -> Response:
    """Read the status of an operation: 200 every time, without Retry-After (recorded)."""
    vault = call.vault()
    job = call.world.operations.get(call.params["operation"].lower())
    if job is None or job.vault_id != vault.id:
        return not_found(call.params["operation"], call.trace)
    answer = json_response(operation_status(job, call.world.now))
    return answer.with_headers(("x-ms-request-id", job.arm_id()))


def _job(call: Call) -> Job | None:
    vault, wanted = call.vault(), call.params["job"].lower()
    job = call.world.jobs.get(wanted) or call.world.operations.get(wanted)
    return job if job and job.vault_id == vault.id else None


def _matches(call: Call, vault: Vault, job: Job) -> bool:
    try:
        clauses = parse_filter(call.request.query.get("$filter", ""))
        return job.vault_id == vault.id and all(_holds(call, job, c) for c in clauses)
    except ValueError as fault:
        raise call.bad_request("InvalidFilter", str(fault)) from fault


def _holds(call: Call, job: Job, clause: Clause) -> bool:
    state: JobState = job.state(call.world.now)
    match clause.name:
        case "starttime":
            return job.started >= parse_instant(clause.value)
        case "endtime":
            return job.started <= parse_instant(clause.value)
        case "jobstatus":
            return str(state).lower() in clause.value.lower().split(",")
        case "jobname":
            return job.scenario.name.lower() == clause.value.lower()
        case "affectedobjecttypes":
            return job.target_type.lower() == clause.value.lower()
        case _:
            raise ValueError(f"cannot filter by '{clause.name}'")

"""Jobs and operations: lists, reads, cancel and its like, and the status of what was accepted."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from simulator.effects import cancel
from simulator.envelopes import (
    Refused,
    accepted,
    listing,
    not_found,
    operation_status,
    refused,
)
from simulator.jobs import Job, JobState
from simulator.messages import Response, json_response
from simulator.odata import Clause, parse_filter
from simulator.operations import start_operation
from simulator.providers.site_recovery.job_view import job_body, list_body
from simulator.providers.site_recovery.plan_view import PLACEHOLDER, placeholder
from simulator.scenarios import CANCEL_JOB, EXPORT_JOBS
from simulator.times import parse_instant

if TYPE_CHECKING:
    from simulator.call import Call
    from simulator.jobs import Scenario
    from simulator.model import Vault


EXPORTING = timedelta(seconds=5)
ACTING = timedelta(seconds=2)


def list_jobs(call: Call) -> Response:
    """List a vault's jobs, newest first; poorer than a get (recorded)."""
    vault = call.vault()
    newest_first = reversed(call.world.jobs.values())
    found = [job for job in newest_first if job.listed and _matches(call, vault, job)]
    return listing([list_body(job, call.world) for job in found])


def get_job(call: Call) -> Response:
    """Read one job, at once after its start and with all its tasks (recorded)."""
    job = _job(call)
    if job is None:
        return not_found(call.params["job"], call.trace)
    fresh = call.world.now - job.started < PLACEHOLDER
    asked_by_alias = call.params["job"].lower() == job.operation_id != job.id
    if fresh and (asked_by_alias or job.reads_late):
        alias = placeholder(job)
        return json_response(alias).with_headers(("x-ms-request-id", str(alias["id"])))
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


def cancel_job(call: Call) -> Response:
    """Cancel a running job; one that has ended refuses."""
    job = _known_job(call)
    if job.over(call.world.now) or not job.cancellable:
        raise _refuse(call, f"The job '{job.id}' cannot be cancelled now.")
    cancel(call.world, job)
    return _acted(call, job, CANCEL_JOB)


def restart_job(call: Call) -> Response:
    """Start a failed job again; anything else refuses.

    invented: that a restarted job gets an id of its own.
    """
    job = _known_job(call)
    if job.state(call.world.now) is not JobState.FAILED or job.again is None:
        raise _refuse(call, f"The job '{job.id}' has not failed.")
    again = job.again(call.trace)
    return _accepted(call, job, again)


def resume_job(call: Call) -> Response:
    """Resume a suspended job; no job of A2A machines was seen suspended, so all refuse."""
    job = _known_job(call)
    raise _refuse(call, f"The job '{job.id}' is not suspended.")


def export_jobs(call: Call) -> Response:
    """Start an export of the vault's jobs."""
    job = start_operation(call, EXPORT_JOBS, EXPORTING, listed=False)
    return _accepted(call, job, job)


def job_result(call: Call) -> Response:
    """Answer the job an operation on jobs was about, once it is over; 202 before."""
    job, asked = _known_job(call), call.params["operation"].lower()
    operation = call.world.operations.get(asked)
    if operation is None:
        return not_found(asked, call.trace)
    if not operation.over(call.world.now):
        return _accepted(call, job, operation)
    return json_response(job_body(job, call.world))


def _acted(call: Call, job: Job, scenario: Scenario) -> Response:
    operation = start_operation(call, scenario, ACTING, listed=False)
    return _accepted(call, job, operation)


def _accepted(call: Call, job: Job, operation: Job) -> Response:
    signed = call.world.estate.signed_urls
    return accepted(call.request, operation, job.arm_id(), signed=signed)


def _known_job(call: Call) -> Job:
    job = _job(call)
    if job is None:
        raise Refused(not_found(call.params["job"], call.trace))
    return job


def _refuse(call: Call, message: str) -> Refused:
    action = "Look at the job's allowed actions."
    return Refused(refused(400, "JobActionNotAllowed", message, action, call.trace))


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

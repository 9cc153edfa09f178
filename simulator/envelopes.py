"""The envelopes answers come in: accepted operations, errors in the service's own shape, lists."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from simulator.jobs import JobState
from simulator.messages import Response, json_response, json_text, text_response
from simulator.times import operation_end, ticks

if TYPE_CHECKING:
    from datetime import datetime

    from simulator.jobs import Job
    from simulator.messages import JsonObject, Request

RETRY_AFTER = "30"


@dataclass(slots=True, kw_only=True, eq=False)
class Trace:
    """What one call is known by, and what the journal will say of it."""

    client_request_id: str
    correlation_id: str
    act: str | None = None
    item: str | None = None
    operation: str | None = None
    notes: list[str] = field(default_factory=list["str"])


class Refused(Exception):  # noqa: N818 - it is an answer, not a defect
    """An answer that ends a call early."""

    def __init__(self, response: Response) -> None:
        super().__init__(str(response.status))
        self.response = response


def _detailed(code: str, message: str, trace: Trace, *, inner: str, causes: str, action: str) -> object:
    detail = {
        "code": inner,
        "message": message,
        "possibleCauses": causes,
        "recommendedAction": action,
        "clientRequestId": trace.client_request_id,
        "activityId": trace.correlation_id,
    }
    return {"error": {"code": code, "message": message, "details": [detail]}}


def not_found(name: str, trace: Trace) -> Response:
    """Answer 404 as Site Recovery does for what is not in the vault (recorded)."""
    message = f"Specified resource with name '{name}' does not exist."
    body = _detailed(
        "NotFound",
        message,
        trace,
        inner="ArmResourceDoesNotExist",
        causes="Ensure correct resource name was specified.",
        action="Verify ARM resource name details.",
    )
    return json_response(body, 404)


def refused(status: int, code: str, message: str, action: str, trace: Trace) -> Response:
    """Answer a refusal in the recorded envelope.

    invented: the status, code and message of a conflict or a wrong state.
    """
    causes = "The operation does not fit the current state of the resource."
    return json_response(_detailed(code, message, trace, inner=code, causes=causes, action=action), status)


def plain_error(status: int, code: str, message: str, *headers: tuple[str, str]) -> Response:
    """Answer an error as Azure Resource Manager itself shapes it, without details."""
    return json_response({"error": {"code": code, "message": message}}, status, *headers)


def arm_not_found(kind: str, name: str, group: str) -> Response:
    """Answer ARM's own 404 (recorded for a missing vault)."""
    message = (
        f"The Resource '{kind}/{name}' under resource group '{group}' was not found. For more "
        "details please go to https://aka.ms/ARMResourceNotFoundFix"
    )
    return plain_error(404, "ResourceNotFound", message, ("x-ms-failure-cause", "gateway"))


def not_simulated(name: str) -> Response:
    """Answer 501 for what is not simulated, with its name; never a guess."""
    return plain_error(501, "NotSimulated", f"{name} is not simulated")


def listing(values: list[object] | list[JsonObject], next_link: str | None = None) -> Response:
    """Answer a list; the last page says `nextLink: null`, as recorded."""
    return json_response({"value": values, "nextLink": next_link})


def listing_of_texts(texts: list[str], next_link: str | None = None) -> Response:
    """Answer the same of values that are written already."""
    return text_response(f'{{"value":[{",".join(texts)}],"nextLink":{json_text(next_link)}}}')


def accepted(request: Request, job: Job, result_scope: str, *, signed: bool) -> Response:
    """Answer 202 for an operation that has begun, with its job's id in a header sent twice (recorded)."""
    version = request.query.get("api-version", "")
    tail = f"?api-version={version}" + (_signature(job) if signed else "")
    location = f"{request.origin}{result_scope}/operationresults/{job.operation_id}{tail}"
    operation = f"{job.vault_id}/replicationOperationStatus/{job.operation_id}"
    job_id = f"{job.vault_id}/replicationJobs/{job.operation_id}"
    return Response(
        status=202,
        headers=(
            ("Content-Length", "0"),
            ("Location", location),
            ("Azure-AsyncOperation", f"{request.origin}{operation}{tail}"),
            ("Retry-After", RETRY_AFTER),
            ("x-ms-request-id", job_id),
            ("x-ms-request-id", job_id),
        ),
    )


def _signature(job: Job) -> str:
    """Write the long signed tail that operation URLs carry since 2023; its length is about the real one."""
    ticks_since_year_one = int(job.started.timestamp() * 10_000_000) + 621_355_968_000_000_000
    certificate = (job.operation_id.replace("-", "").upper() * 85)[:2700]
    return f"&t={ticks_since_year_one}&c=MII{certificate}&s={certificate[:342]}&h={certificate[:43]}"


def operation_status(job: Job, now: datetime) -> JsonObject:
    """Write what replicationOperationStatus answers: 200 every time, percentComplete always null."""
    over = job.over(now)
    error = (job.errors[0] if job.errors else job.warning) if over else None
    return {
        "error": {"code": error.code, "message": error.message, "details": None} if error else None,
        "id": None,
        "name": job.id,
        "properties": None,
        "status": str(job.outcome if over else JobState.IN_PROGRESS),
        "startTime": ticks(job.started),
        "endTime": operation_end(job.ends) if over and job.ends else None,
        "percentComplete": None,
    }

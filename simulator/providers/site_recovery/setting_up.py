"""What setting a vault up has in common: it is accepted, runs as a job, and takes effect at the job's end."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from simulator.envelopes import Refused, accepted, not_found, not_simulated, refused
from simulator.jobs import JobState
from simulator.messages import Response
from simulator.operations import start_operation

if TYPE_CHECKING:
    from collections.abc import Callable

    from simulator.call import Call, Handler
    from simulator.jobs import Scenario
    from simulator.model import Fabric, Site
    from simulator.operations import Target

SHORT = timedelta(seconds=1)
ONLY_AZURE = "Azure-to-Azure"


def set_up(
    call: Call,
    scenario: Scenario,
    target: Target,
    scope: str,
    effect: Callable[[], object],
    *,
    length: timedelta = SHORT,
    cancellable: bool = True,
    names_job: bool = True,
    reads_late: bool = True,
) -> Response:
    """Accept a change of the vault; most jobs read as a placeholder in their first second (recorded)."""
    job = start_operation(call, scenario, length, listed=True, target=target)
    job.cancellable, job.reads_late = cancellable, reads_late

    def take_effect() -> None:
        if job.outcome is JobState.SUCCEEDED:
            effect()

    call.world.at(job.started + length, take_effect)
    answer = accepted(call.request, job, scope, signed=call.world.estate.signed_urls)
    kept = tuple(h for h in answer.headers if names_job or h[0] != "x-ms-request-id")
    return replace(answer, headers=kept)


def result_of(read: Handler) -> Handler:
    """Make the answer of an operation's result: what was set up, 204 if it is gone, 202 before the end.

    invented: the results of these operations, whose addresses alone were recorded.
    """

    def answer(call: Call) -> Response:
        job = call.world.operations.get(call.params["operation"].lower())
        if job is None:
            return not_found(call.params["operation"], call.trace)
        if not job.over(call.world.now):
            scope = call.request.path.rpartition("/operationresults/")[0]
            return accepted(call.request, job, scope, signed=call.world.estate.signed_urls)
        try:
            found = read(call)
        except Refused:
            return Response(status=204)
        return found if found.status == 200 else Response(status=204)  # noqa: PLR2004

    return answer


def removed(read: Handler, remove: Handler) -> Handler:
    """Make the answer of a removal: 204 where there is nothing to remove (documented)."""

    def answer(call: Call) -> Response:
        call.vault()
        try:
            found = read(call)
        except Refused:
            return Response(status=204)
        return remove(call) if found.status == 200 else Response(status=204)  # noqa: PLR2004

    return answer


def bad(call: Call, code: str, message: str) -> Refused:
    """Make a refusal; invented: the codes of what is refused while a vault is set up."""
    return Refused(refused(400, code, message, "Correct the request.", call.trace))


def only_azure(call: Call, given: str, wanted: str, what: str) -> None:
    """Refuse what does not say of which provider it is; answer 501 for another one's."""
    if not given:
        raise bad(call, "InstanceTypeMissing", f"The instanceType of {what} is required.")
    if given != wanted:
        raise Refused(not_simulated(f"{what} of '{given}': this is {ONLY_AZURE} alone, where it is '{wanted}'"))


def about_fabric(fabric: Fabric) -> dict[str, object]:
    """Write what a job says of the fabric it is about."""
    return {
        "primaryVmmId": fabric.guid,
        "primaryVmmName": fabric.region_name,
        "primaryFabricProviderId": "Azure",
    }


def about_containers(source: Site, target: Site) -> dict[str, object]:
    """Write what a job says of the two containers it is about."""
    return {
        "primaryCloudId": source.container_guid,
        "primaryCloudName": source.container,
        "recoveryCloudId": target.container_guid,
        "recoveryCloudName": target.container,
    } | about_fabrics(source.home, target.home)


def about_fabrics(source: Fabric, target: Fabric) -> dict[str, object]:
    """Write what a job says of the two fabrics it is about."""
    return {
        "primaryVmmId": source.guid,
        "primaryVmmName": source.region_name,
        "recoveryVmmId": target.guid,
        "recoveryVmmName": target.region_name,
        "primaryFabricProviderId": "Azure",
        "recoveryFabricProviderId": "Azure",
    }

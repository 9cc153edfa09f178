"""The doors to runs: start, plan, list, show, report."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator, Mapping
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import urlsplit

import azure.functions as func
from azure.durable_functions import EntityId

from domain import contract
from domain.approvals import GateName, folded
from domain.errors import Refusal
from domain.people import Caller
from domain.request import FailbackRequest, Mode
from triggers import people, rendering, runs
from triggers.client import FINISHED, Client, state_of
from triggers.problems import ProblemError, answer, bad, read, unknown
from triggers.runs import Document, beats

# A start answers once the plan's checks are through; a large estate's are followed by its status instead.
PLANNED_WITHIN: Final = 25.0
# The platform cuts an HTTP answer off after 230 s.
PLAN_WITHIN: Final = 200.0
# What only the app itself says of a run.
OURS: Final = ("requestedById", "proposed", "generation")
_LISTED: Final = 50
_MOST_LISTED: Final = 200


async def start_failback(req: func.HttpRequest, client: Client) -> func.HttpResponse:
    """Start a run and answer once its checks are through: 202, or what forbids it."""
    caller = people.person(req)
    request, run = _asked_by(caller, read(req, FailbackRequest)), _run_id(req, caller)
    if not await _is_known(client, run, request):
        await client.start_new(contract.FAILBACK, run, request.to_wire())
    report = await _refusal(client, run)
    if report is not None and await _left_behind(client, report):
        # The lock's holder ended without giving it back: somebody terminated it.
        await client.purge_instance_history(run)
        await client.start_new(contract.FAILBACK, run, request.to_wire())
        report = await _refusal(client, run)
    if report is not None:
        raise _refused(report)
    return answer(
        {"id": run, "status": "started", **_links(req, run)},
        HTTPStatus.ACCEPTED,
        location=_links(req, run)["statusUrl"],
    )


async def plan_failback(req: func.HttpRequest, client: Client) -> func.HttpResponse:
    """Plan a run without any write: machines, checks, recovery points, acts, expected time."""
    request = _asked_by(people.person(req), read(req, FailbackRequest)).having(mode=Mode.PLAN)
    run = f"{runs.RUN_ID}plan-{uuid.uuid4().hex[:12]}"
    await client.start_new(contract.FAILBACK, run, request.to_wire())
    status = await _until_finished(client, run, PLAN_WITHIN)
    if status is None:
        raise ProblemError(
            HTTPStatus.GATEWAY_TIMEOUT,
            "the plan is not ready yet",
            f"GET /api/failbacks/{run}/report gives it when it is",
        )
    report = runs.document(status.output)
    if "outcome" not in report:
        detail = f"run {run} is kept for those who look into it"
        raise ProblemError(HTTPStatus.INTERNAL_SERVER_ERROR, "the plan broke", detail)
    await client.purge_instance_history(run)
    if report.get("refusals") and not report.get("plan", {}).get("subjects"):
        raise _refused(report)
    return answer(report)


async def list_failbacks(req: func.HttpRequest, client: Client) -> func.HttpResponse:
    """List the newest runs first, fifty unless ?top= says otherwise; ?state= leaves out all others."""
    asked, state = req.params.get("top") or f"{_LISTED}", req.params.get("state") or ""
    faults = [unknown("state", state, _STATES)] if state not in {"", *_STATES} else []
    if not (asked.isascii() and asked.isdecimal()):
        remedy = f"send a number, up to {_MOST_LISTED}"
        faults.append(Refusal(code="int", what=f"{asked[:40]!r} is no number", remedy=remedy, about="top"))
    if faults:
        raise bad(faults)
    top = min(int(asked[:9]), _MOST_LISTED)
    newest = await runs.newest(client, _MOST_LISTED if state else top)
    return answer({"runs": [run for run in newest if not state or _STATES[state](run)][:top]})


_STATES: Final[Mapping[str, Callable[[Document], bool]]] = {
    "open": lambda run: run["outcome"] is None,
    "asking": lambda run: run["phase"] == "ask",
    "done": lambda run: run["outcome"] is not None,
}


async def show_failback(req: func.HttpRequest, client: Client) -> func.HttpResponse:
    """Show one run: phase, each machine in words, the open gate."""
    run = req.route_params["id"]
    status = await runs.find(client, run, show_input=True)
    return answer({**await runs.describe(client, status), **_links(req, run)})


async def report_failback(req: func.HttpRequest, client: Client) -> func.HttpResponse:
    """Give the report of a finished run, as JSON, HTML or Markdown."""
    run = req.route_params["id"]
    status = await runs.find(client, run)
    report = runs.document(status.output)
    if not report.get("machines") and "outcome" not in report:
        over = runs.has_finished(status)
        detail = (
            str(status.output)[:500] if over else f"it is still going on; GET /api/failbacks/{run} shows where"
        )
        raise ProblemError(
            HTTPStatus.CONFLICT, "there is no report " + ("of a run that broke" if over else "yet"), detail
        )
    match (req.params.get("format") or "json").casefold():
        case "json":
            return answer(report)
        case "html":
            return _page(rendering.as_html(report), "text/html")
        case "markdown" | "md":
            return _page(rendering.as_markdown(report), "text/markdown")
        case other:
            raise bad([unknown("format", other, ("json", "html", "markdown"))])


# -- starting -------------------------------------------------------------------------------------------------


def _asked_by(caller: Caller, request: FailbackRequest) -> FailbackRequest:
    """Say who asks for a run: the person at the door, whoever the request names.

    Raises:
        ProblemError: 400, for the request says what only we may.
    """
    what, remedy, said = "only the app itself says this", "remove the field", request.to_wire()
    ours = [Refusal(code="ours", what=what, remedy=remedy, about=name) for name in OURS if name in said]
    if faults := [*ours, *_too_few(caller, request)]:
        raise bad(faults)
    return request.having(requested_by=caller.name, requested_by_id=caller.id)


def _too_few(caller: Caller, request: FailbackRequest) -> Iterator[Refusal]:
    """Say at which gates there are enough names for the quorum, but not enough people; the plan counts names."""
    person = people.settings().person_id
    for gate in (GateName.FAILBACK, GateName.COMMIT):
        policy = request.approvals.at(gate)
        further = policy.escalate_to
        names = folded((*policy.approvers, *(further.approvers if further else ())))
        if not policy.requester_may_approve:
            names -= folded((caller.name, caller.id))
        able = {person(name) for name in names} - (set() if policy.requester_may_approve else {caller.id})
        grouped = policy.groups or (further and further.groups)
        if policy.approvers and not grouped and len(able) < policy.quorum <= len(names):
            yield Refusal(
                code="quorum",
                what=f"at gate {gate} {policy.quorum} must approve, and those named are {len(able)} who may",
                remedy="name more people: FAILBACK_ALIASES says which names are the same person's",
                about="approvals.quorum",
            )


def _run_id(req: func.HttpRequest, caller: Caller) -> str:
    """Name a new run; the same Idempotency-Key of the same person always names the same one."""
    key = people.said(req, "Idempotency-Key")
    unique = uuid.uuid5(uuid.NAMESPACE_URL, f"failback:{caller.id}:{key}") if key else uuid.uuid4()
    return f"{runs.RUN_ID}{unique.hex[:16]}"


async def _is_known(client: Client, run: str, request: FailbackRequest) -> bool:
    """Tell whether this very run was asked for before; another one under its key is a conflict."""
    status = await client.get_status(run, show_input=True)
    asked = runs.document(status.input_) if status.instance_id else None
    if asked is None:
        return False
    if runs.outcome(status) == "refused":
        # Nothing was changed by it, and what forbade it may be mended.
        await client.purge_instance_history(run)
        return False
    # A run that began anew for its next group says so in its input; it is still the run that was asked for.
    if {**asked, "generation": None} != {**request.to_wire(), "generation": None}:
        detail = "this Idempotency-Key was used for another request; use a new one for each"
        raise ProblemError(HTTPStatus.CONFLICT, "the key names another run", detail, holder=run)
    return True


async def _left_behind(client: Client, report: Document) -> bool:
    """Free the machines whose holders have ended; true when that frees all that were held."""
    held = {str(each.get("about")): each.get("correlation") for each in report["refusals"]}
    if any(each["code"] != "MachineHeld" for each in report["refusals"]):
        return False
    holders = {str(run) for run in held.values()}
    ended = {run for run in holders if await _acts_no_more(client, run)}
    for machine, holder in held.items():
        if holder in ended:
            lock = EntityId(contract.MACHINE_LOCK, contract.lock_key(report["vault"], machine))
            await client.signal_entity(lock, "release", {"run": holder})
    return ended == holders


async def _acts_no_more(client: Client, run: str) -> bool:
    """Tell whether a run has ended, and no stage of it goes on by itself, as after a termination."""
    status = await client.get_status(run)
    if state_of(status) not in {None, *FINISHED}:
        return False
    child = runs.document(status.custom_status).get("child")
    last = await client.get_status(str(child)) if child else None
    return last is None or last.name != contract.STAGE or state_of(last) in FINISHED


async def _refusal(client: Client, run: str) -> Document | None:
    """Wait for the run's checks, and give the report of a refused one."""
    async for _ in beats(PLANNED_WITHIN):
        status = await client.get_status(run)
        phase = runs.document(status.custom_status).get("phase")
        if runs.has_finished(status):
            return runs.document(status.output) if runs.outcome(status) == "refused" else None
        if phase not in {None, "look", "hold"}:
            return None
    return None


def _refused(report: Document) -> ProblemError:
    refusals = [Refusal.from_wire(each) for each in report.get("refusals", [])]
    codes = {refusal.code for refusal in refusals}
    detail = "; ".join(f"{refusal.about or 'vault'}: {refusal.what}" for refusal in refusals[:10])
    if "MachineHeld" in codes:
        holder = next((refusal.correlation for refusal in refusals if refusal.correlation), None)
        return ProblemError(HTTPStatus.CONFLICT, "another run holds a machine", detail, refusals, holder=holder)
    if "AzureUnreachable" in codes:
        return ProblemError(HTTPStatus.SERVICE_UNAVAILABLE, "Azure does not answer", detail, refusals)
    title = "the run must not start; nothing was changed"
    return ProblemError(HTTPStatus.BAD_REQUEST, title, detail, refusals, checks=report.get("checks", []))


async def _until_finished(client: Client, run: str, within: float) -> Any:
    async for _ in beats(within):
        status = await client.get_status(run)
        if runs.has_finished(status):
            return status
    return None


def _links(req: func.HttpRequest, run: str) -> dict[str, str]:
    asked = urlsplit(req.url)
    home = people.settings().public_base or f"{asked.scheme}://{asked.netloc}"
    base = f"{home}{asked.path.split('/failbacks', 1)[0]}"
    return {
        "statusUrl": f"{base}/failbacks/{run}",
        "pageUrl": f"{base}/ui/failbacks/{run}",
        "reportUrl": f"{base}/failbacks/{run}/report",
    }


def _page(text: str, mimetype: str) -> func.HttpResponse:
    headers = {
        "Cache-Control": "no-store",
        "Content-Security-Policy": rendering.CONTENT_SECURITY_POLICY,
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "no-referrer",
    }
    return func.HttpResponse(text, mimetype=mimetype, charset="utf-8", headers=headers)

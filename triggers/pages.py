"""The pages: all runs, one run, and the gate behind a signed link.

GET shows and never decides, for scanners of mails and chats follow every link; only POST decides, with a token
that the page itself carried. Nothing here needs a script: a page is read, a form is sent.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import quote, urlsplit

import azure.functions as func

from domain.approvals import GateName
from domain.errors import Refusal
from domain.gate import Entry, Judgement
from domain.people import Caller, Role
from domain.settings import Identity
from domain.tally import Ledger
from identity import clock, csrf, declared, links, principal
from identity.claims import ClaimsError
from triggers import control, decisions, forms, people, runs
from triggers.asked import Asked, asked, outcome_words, portal_of
from triggers.client import Client, RunStatus
from triggers.problems import ProblemError, bad
from triggers.templating import HTML, content_security_policy, sentence, style
from triggers.wayside import ASKING, badge, instant_of, shown_run, steps

_STYLE: Final = style("style", "pages")
_HEADERS: Final = {
    "Content-Security-Policy": content_security_policy(_STYLE, forms=True) + "; frame-ancestors 'none'",
    "Cross-Origin-Opener-Policy": "same-origin",
    # Under "no-referrer" a browser would not say where a form comes from. Other sites are told nothing either way.
    "Referrer-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}
# Followed pages are asked for again this often at most, in seconds.
_FOLLOW: Final = range(5, 601)


async def show_runs(req: func.HttpRequest, client: Client) -> func.HttpResponse:
    """Show the newest runs, those that wait for people marked."""
    caller = people.person(req)
    listed = await runs.newest(client, _LISTED)
    shown = [{**each, "badge": badge(each), "started": instant_of(each.get("startedAt"))} for each in listed]
    asking = [each for each in shown if each["badge"] == ASKING]
    return _page("dashboard", req, caller, runs=shown, asking=asking)


_LISTED: Final = 100


async def show_run(req: func.HttpRequest, client: Client) -> func.HttpResponse:
    """Show one run: how far it is, each machine, and the open gate with a form for those who may decide."""
    caller = people.person(req)
    run = req.route_params["id"]
    status = await runs.find(client, run, show_input=True)
    told = await runs.describe(client, status)
    ledger = await _open_ledger(client, status)
    follow = _follow(req) if told["outcome"] is None and ledger is None else None
    here = f"{_base(req)}/ui/failbacks/{run}"
    return _page(
        "run",
        req,
        caller,
        headers={"Refresh": str(follow)} if follow else {},
        run=shown_run(told),
        steps=steps(told),
        follow=follow,
        here=here,
        decides=" or ".join(role.value for role in (Role.APPROVER, Role.ADMIN)),
        may_decide=caller.has(*decisions.DECIDERS),
        steering=_steering(caller, run, f"{here}/steering") if told["outcome"] is None else None,
        **_form(caller, ledger, f"{here}/decisions"),
    )


def _steering(caller: Caller, run: str, action: str) -> dict[str, str] | None:
    """Give what the form needs by which a run is steered, for those who may."""
    if not caller.has(Role.OPERATOR, Role.ADMIN):
        return None
    return {"action": action, "csrf": csrf.issue(people.settings(), caller, _STEERED.format(run))}


async def decide_on_page(req: func.HttpRequest, client: Client) -> func.HttpResponse:
    """Record what a signed-in person chose on a run's page."""
    caller = people.person(req)
    run, form = req.route_params["id"], forms.fields(req)
    status = await runs.find(client, run)
    ledger = await _open_ledger(client, status)
    if ledger is None:
        late = ProblemError(HTTPStatus.GONE, "the gate is closed", "the run's page shows where it is now")
        raise await _kept(client, run, caller, form, late)
    _shown_to(caller, ledger, form)
    request = forms.decision(form, ledger.question.machines)
    entry = await decisions.submit(client, run, caller, request)
    return _recorded(req, caller, ledger, entry, f"{_base(req)}/ui/failbacks/{run}")


async def steer_on_page(req: func.HttpRequest, client: Client) -> func.HttpResponse:
    """Pause, resume or cancel a run at its next safe point, as a signed-in person chose on its page."""
    caller, run, form = people.person(req), req.route_params["id"], forms.fields(req)
    await runs.find(client, run)
    _carried(caller, _STEERED.format(run), form)
    operation, reason = forms.steering(form)
    await control.steer(client, run, caller, operation, reason)
    words = f"{caller.name}: {operation}. It takes effect at the next safe point; what runs is watched to its end."
    link = (f"{_base(req)}/ui/failbacks/{run}", "Back to the run")
    return _page("said", req, caller, title="Recorded", words=words, tone="good", faults=[], link=link)


# What the token of that form is good for.
_STEERED: Final = "{}:steering"


async def show_approval(req: func.HttpRequest, client: Client) -> func.HttpResponse:
    """Show the gate behind a signed link; reading decides nothing and uses nothing up."""
    link, caller = _link(req)
    _followed_by(req, link, caller)
    ledger = await _asked_by(client, link)
    return _page("approval", req, caller, home=None, **_form(caller, ledger, ""))


async def decide_by_link(req: func.HttpRequest, client: Client) -> func.HttpResponse:
    """Record what the person of a signed link chose; the link is used up by it."""
    link, caller = _link(req)
    form = forms.fields(req)
    try:
        _followed_by(req, link, caller)
        ledger = await _asked_by(client, link)
    except ProblemError as problem:
        raise await _kept(client, link.run, _signed_in(req) or caller, form, problem) from None
    _shown_to(caller, ledger, form)
    request = forms.decision(form, ledger.question.machines)
    if request.plan_hash != link.hash or request.gate is not ledger.question.gate:
        raise ProblemError(
            HTTPStatus.CONFLICT, "the decision is stale", "the link stands for what it showed, only"
        )
    entry = await decisions.submit(client, link.run, caller, request, entry=f"link-{link.nonce}")
    return _recorded(req, caller, ledger, entry, None)


async def show_sign_in(req: func.HttpRequest, client: Client) -> func.HttpResponse:
    """Ask for a name, where names are declared: a browser has no other way to say one."""
    del client
    _only_where_declared()
    return _page("sign_in", req, None, action=f"{_base(req)}/ui/sign-in")


async def sign_in(req: func.HttpRequest, client: Client) -> func.HttpResponse:
    """Let the browser say this name from now on, and show the runs."""
    del client
    _only_where_declared()
    name = forms.first(forms.fields(req), "name")
    if not name:
        fault = Refusal(code="missing", what="it is empty", remedy="give the name you are known by", about="name")
        raise bad([fault], "nobody has no name")
    onward = {"Location": f"{_base(req)}/ui", "Set-Cookie": declared.remember(name)}
    return func.HttpResponse(status_code=HTTPStatus.SEE_OTHER.value, headers=onward)


def _only_where_declared() -> None:
    if people.settings().identity is not Identity.DECLARED:
        raise ProblemError(HTTPStatus.NOT_FOUND, "there is no such page", "people sign in by Microsoft Entra here")


# -- links ----------------------------------------------------------------------------------------------------


def _link(req: func.HttpRequest) -> tuple[links.Link, Caller]:
    """Read the link and the person it is bound to.

    Raises:
        ProblemError: 410 for one that has expired, 404 for one that is none of ours, 403 for one that does not
            say surely enough who follows it.
    """
    try:
        link = links.read(people.settings(), req.route_params["token"])
    except links.LinkError as error:
        if error.kind is links.LinkFault.EXPIRED:
            detail = "ask for a new one, or sign in and decide on the run's page"
            raise ProblemError(HTTPStatus.GONE, "the link has expired", detail) from None
        if error.kind is links.LinkFault.UNOWNED:
            detail = "nobody has said whose address it was sent to; sign in and decide on the run's page"
            raise ProblemError(HTTPStatus.FORBIDDEN, "the link does not say who you are", detail) from None
        raise ProblemError(
            HTTPStatus.NOT_FOUND, "there is no such link", "it may have been cut in the mail"
        ) from None
    return link, link.caller(people.settings(), people.address(req))


def _signed_in(req: func.HttpRequest) -> Caller | None:
    """Name the person that App Service says is signed in, beside the link, where it asks people to sign in."""
    known, header = people.settings(), people.said(req, principal.HEADER)
    if known.identity is not Identity.APP_SERVICE or not known.auth_enabled or not header:
        return None
    try:
        return principal.read(known, header, people.address(req))
    except ClaimsError as fault:
        raise ProblemError(HTTPStatus.UNAUTHORIZED, "who is asking is not believed", str(fault)) from None


def _followed_by(req: func.HttpRequest, link: links.Link, caller: Caller) -> None:
    """Make sure that a link is not followed by somebody else who is signed in.

    It may have been passed on, or read in a log. The platform's header can only take away here, so that nobody
    need vouch for it.

    Raises:
        ProblemError: 403, naming both, or the roles that would do.
    """
    signed_in = _signed_in(req)
    if signed_in is None:
        return
    people.need(signed_in, *decisions.DECIDERS)
    if signed_in.id != caller.id:
        detail = f"it was made for {link.person}, and {signed_in.name} is signed in; decide on the run's page"
        raise ProblemError(HTTPStatus.FORBIDDEN, "the link is somebody else's", detail)


_JUDGED: Final[Mapping[HTTPStatus, Judgement]] = {
    HTTPStatus.FORBIDDEN: Judgement.NOT_PERMITTED,
    HTTPStatus.CONFLICT: Judgement.STALE,
    HTTPStatus.GONE: Judgement.LATE,
}


async def _kept(
    client: Client, run: str, caller: Caller, form: forms.Fields, problem: ProblemError
) -> ProblemError:
    """Keep what somebody sent that comes to nothing, as far as it can be read; gives back why it does."""
    why = f"{problem.document['title']}: {problem.document['detail']}"
    judgement = _JUDGED.get(problem.status, Judgement.NOT_PERMITTED)
    with suppress(ProblemError):
        await decisions.keep(client, run, caller, forms.decision(form, ()), judgement=judgement, why=why)
    return problem


async def _asked_by(client: Client, link: links.Link) -> Ledger:
    """Give the open gate that a link was made for.

    Raises:
        ProblemError: 410 when it is closed or the link is used, 409 when it shows something else now.
    """
    state = await runs.ledger_of(client, link.key)
    if state is None or state.get("closed"):
        raise ProblemError(HTTPStatus.GONE, "the gate is closed", "what was decided is in the run's report")
    ledger = Ledger.from_wire(state)
    if any(entry.id == f"link-{link.nonce}" for entry in ledger.entries):
        raise ProblemError(HTTPStatus.GONE, "the link was used", "it counts once; what it recorded stands")
    if ledger.question.hash != link.hash:
        detail = "what it asked about has changed; a new link comes with the new question"
        raise ProblemError(HTTPStatus.CONFLICT, "the link is stale", detail)
    return ledger


# -- gates ----------------------------------------------------------------------------------------------------


async def _open_ledger(client: Client, status: RunStatus) -> Ledger | None:
    """Give the ledger of the gate that a run waits at, if it waits at one."""
    shown = runs.document(status.custom_status)
    if runs.has_finished(status) or not shown.get("gate"):
        return None
    state = await runs.ledger_of(client, str(shown.get("child")))
    return Ledger.from_wire(state) if state and not state.get("closed") else None


def _subject(ledger: Ledger) -> str:
    """Name what a form's token is good for: this gate of this run, as it is shown now."""
    question = ledger.question
    return f"{question.run}:{question.gate.value}:{question.round}:{question.hash}"


def _shown_to(caller: Caller, ledger: Ledger, form: forms.Fields) -> None:
    """Make sure that this very person was shown this very question.

    Raises:
        ProblemError: 403 for a form that some other page sent, or one of long ago.
    """
    _carried(caller, _subject(ledger), form)


def _carried(caller: Caller, subject: str, form: forms.Fields) -> None:
    """Take a form that carries the token of its page, or refuse it with 403."""
    try:
        csrf.check(people.settings(), caller, subject, forms.first(form, "csrf"))
    except csrf.CsrfError as error:
        raise ProblemError(HTTPStatus.FORBIDDEN, "nothing was recorded", str(error)) from None


def _form(caller: Caller, ledger: Ledger | None, action: str) -> dict[str, Any]:
    if ledger is None:
        return {"asked": None, "action": action, "csrf": "", "may_break_glass": False}
    settings = people.settings()
    shown: Asked = asked(ledger, portal_of(settings.cloud), caller, clock.now())
    glass = ledger.question.policy.break_glass and caller.has(Role.BREAK_GLASS)
    return {
        "asked": shown,
        "action": action,
        "csrf": csrf.issue(settings, caller, _subject(ledger)),
        "may_break_glass": glass and ledger.question.gate is not GateName.INTERVENTION,
    }


def _recorded(
    req: func.HttpRequest, caller: Caller, before: Ledger, entry: Entry, back: str | None
) -> func.HttpResponse:
    """Say that a decision counts, and what it came to so far."""
    came_to = outcome_words(before.having(entries=(*before.entries, entry)))
    said = f"{entry.speaker}: {entry.said} at gate {entry.gate.value}."
    words = f"{said} It stands, and is in the report. {came_to}"
    link = (back, "Back to the run") if back else None
    return _page("said", req, caller, title="Recorded", words=words, tone="good", faults=[], link=link)


# -- putting pages together -----------------------------------------------------------------------------------


def _page(
    template: str,
    req: func.HttpRequest,
    caller: Caller | None,
    *,
    status: HTTPStatus = HTTPStatus.OK,
    headers: Mapping[str, str] | None = None,
    **values: Any,
) -> func.HttpResponse:
    base = _base(req)
    shown = {
        "style": _STYLE,
        "caller": caller,
        "home": f"{base}/ui",
        "api": base,
        "now": clock.now(),
        **values,
    }
    text = HTML.get_template(f"{template}.html.j2").render(shown)
    return func.HttpResponse(
        text,
        status_code=status.value,
        mimetype="text/html",
        charset="utf-8",
        headers={**_HEADERS, **(headers or {})},
    )


def as_page(req: func.HttpRequest, problem: ProblemError) -> func.HttpResponse:
    """Word a problem for a person: what is wrong, and where to go on."""
    document = problem.document
    unknown = problem.status is HTTPStatus.UNAUTHORIZED
    return _page(
        "said",
        req,
        None,
        status=problem.status,
        headers=problem.headers,
        title=sentence(str(document["title"])),
        words=str(document["detail"]),
        tone="warn" if problem.status < HTTPStatus.INTERNAL_SERVER_ERROR else "bad",
        faults=document.get("faults", []),
        link=(_sign_in_at(req), "Sign in") if unknown else None,
    )


def _sign_in_at(req: func.HttpRequest) -> str:
    """Say where people sign in: by App Service, or where names are declared, on a page of ours."""
    if people.settings().identity is Identity.DECLARED:
        return f"{_base(req)}/ui/sign-in"
    return f"/.auth/login/aad?post_login_redirect_uri={quote(urlsplit(req.url).path, safe='/')}"


def _base(req: func.HttpRequest) -> str:
    """Give the path under which the routes lie, whatever prefix the host puts before them."""
    path = urlsplit(req.url).path
    for mark in ("/ui", "/approvals/"):
        if mark in path:
            return path.split(mark, 1)[0]
    return ""


def _follow(req: func.HttpRequest) -> int | None:
    asked_for = (req.params.get("follow") or "")[:4]
    return int(asked_for) if asked_for.isascii() and asked_for.isdecimal() and int(asked_for) in _FOLLOW else None

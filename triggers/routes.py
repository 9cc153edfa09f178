"""Every way into the app, and who may use it: the one table that doors are opened by.

Whoever has a role of this app may read. What a role lets somebody do beyond that is said here, and tested for
every route, every role and nobody.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from domain.gate import DecisionRequest
from domain.people import Role
from domain.report import Report
from domain.request import FailbackRequest
from triggers import (
    alerts,
    answers,
    control,
    decisions,
    evidence,
    failbacks,
    forms,
    health,
    leftovers,
    openapi,
    pages,
)
from triggers.doors import FORM, HTML, JSON, Door, Route

ANYBODY: Final[tuple[Role, ...]] = ()
READERS: Final = tuple(Role)
PLANNERS: Final = (Role.VIEWER, Role.OPERATOR, Role.APPROVER, Role.ADMIN)
OPERATORS: Final = (Role.OPERATOR, Role.ADMIN)


def _steering(word: str, door: Door) -> Route:
    return Route(
        path=f"failbacks/{{id}}/{word}",
        method="POST",
        door=door,
        roles=OPERATORS,
        takes=control.ReasonRequest,
        must_take=False,
        gives={202: answers.Steered},
        refuses=(410,),
    )


def _page(path: str, door: Door, roles: tuple[Role, ...] = READERS, refuses: tuple[int, ...] = ()) -> Route:
    return Route(
        path=path, method="GET", door=door, roles=roles, worded=pages.as_page, gives={200: HTML}, refuses=refuses
    )


def _form(path: str, door: Door, roles: tuple[Role, ...], fields: Mapping[str, str], gives: int = 200) -> Route:
    return Route(
        path=path,
        method="POST",
        door=door,
        roles=roles,
        body=FORM,
        fields=fields,
        worded=pages.as_page,
        gives={gives: HTML},
        refuses=(404, 409, 410),
    )


_ONCE: Final = {"Idempotency-Key": "The same key of the same person is the same run, however often it is sent."}
_ONE_DECISION: Final = {"Idempotency-Key": "The same key of the same person is the same decision, once it counts."}
_SOME: Final = {
    "top": "How many at most, up to 200; 50 otherwise.",
    "state": "open, asking (waits for people) or done, among the newest 200.",
}
_FORMAT: Final = {"format": "json, html or markdown."}

ROUTES: Final = (
    Route(
        path="failbacks",
        method="POST",
        door=failbacks.start_failback,
        roles=OPERATORS,
        takes=FailbackRequest,
        gives={202: answers.Started},
        refuses=(409,),
        headers=_ONCE,
    ),
    Route(
        path="failbacks",
        method="GET",
        door=failbacks.list_failbacks,
        roles=READERS,
        gives={200: answers.RunList},
        refuses=(400,),
        query=_SOME,
    ),
    Route(
        path="failbacks/plan",
        method="POST",
        door=failbacks.plan_failback,
        roles=PLANNERS,
        takes=FailbackRequest,
        gives={200: Report},
        refuses=(409, 504),
    ),
    Route(
        path="failbacks/{id}",
        method="GET",
        door=failbacks.show_failback,
        roles=READERS,
        gives={200: answers.RunShown},
    ),
    Route(
        path="failbacks/{id}/decisions",
        method="POST",
        door=decisions.decide,
        roles=decisions.DECIDERS,
        turned_away=decisions.turned_away,
        takes=DecisionRequest,
        gives={200: answers.Taken},
        refuses=(409, 410),
        headers=_ONE_DECISION,
    ),
    _steering("cancel", control.cancel_failback),
    _steering("pause", control.pause_failback),
    _steering("resume", control.resume_failback),
    Route(
        path="failbacks/{id}/report",
        method="GET",
        door=failbacks.report_failback,
        roles=READERS,
        gives={200: Report},
        also=("text/html", "text/markdown"),
        refuses=(400, 409),
        query=_FORMAT,
    ),
    Route(path="health", method="GET", door=health.show_health, roles=ANYBODY, gives={200: answers.Alive}),
    Route(
        path="health/dependencies",
        method="GET",
        door=health.show_dependencies,
        roles=READERS,
        gives={200: answers.Dependencies},
    ),
    Route(path="openapi.json", method="GET", door=openapi.show_openapi, roles=ANYBODY, gives={200: JSON}),
    Route(
        path="failbacks/{id}/evidence",
        method="GET",
        door=evidence.download,
        roles=READERS,
        gives={200: evidence.LINES},
        also=(JSON,),
        refuses=(400, 409),
        query={"format": "jsonl, or pack: with what auditors ask for around the records."},
    ),
    Route(
        path="leftovers",
        method="GET",
        door=leftovers.show_left_overs,
        roles=READERS,
        gives={200: leftovers.LeftOvers},
        refuses=(400, 504),
        query={"vault": "The ARM id of a vault to look into, beside those of the drills and of open traces."},
    ),
    Route(path="drills", method="GET", door=leftovers.show_drills, roles=READERS, gives={200: leftovers.Drills}),
    _page("ui", pages.show_runs),
    # Where names are declared; elsewhere there is no such page.
    _page("ui/sign-in", pages.show_sign_in, ANYBODY, refuses=(404,)),
    _form("ui/sign-in", pages.sign_in, ANYBODY, {"name": "Who sits at the browser."}, gives=303),
    _page("ui/failbacks/{id}", pages.show_run),
    _form("ui/failbacks/{id}/decisions", pages.decide_on_page, decisions.DECIDERS, forms.FIELDS),
    _form("ui/failbacks/{id}/steering", pages.steer_on_page, OPERATORS, forms.STEERING),
    # A link proves by itself whose it is; it works without signing in.
    _page("approvals/{token}", pages.show_approval, ANYBODY, refuses=(403, 404, 409, 410)),
    _form("approvals/{token}", pages.decide_by_link, ANYBODY, forms.FIELDS),
    # Azure Monitor's action groups: by the host's key, or by a token that the door itself asks for.
    Route(
        path="alerts",
        method="POST",
        door=alerts.receive,
        roles=ANYBODY,
        level=alerts.HOST_LEVEL,
        gives={202: answers.AlertTaken},
        refuses=(401, 503),
    ),
    Route(
        path="alerts",
        method="GET",
        door=alerts.list_alerts,
        roles=READERS,
        # Azure Monitor posts to the same path, past App Service authentication.
        vouched=False,
        gives={200: answers.AlertList},
    ),
)

"""Every way into the app, and who may use it: the one table that doors are opened by.

Whoever has a role of this app may read. What a role lets somebody do beyond that is said here, and tested for
every route, every role and nobody.
"""

from __future__ import annotations

from typing import Final

from domain.people import Role
from triggers import alerts, control, decisions, evidence, failbacks, pages
from triggers.doors import FORM, Route

ANYBODY: Final[tuple[Role, ...]] = ()
READERS: Final = tuple(Role)
PLANNERS: Final = (Role.VIEWER, Role.OPERATOR, Role.APPROVER, Role.ADMIN)
OPERATORS: Final = (Role.OPERATOR, Role.ADMIN)

ROUTES: Final = (
    Route(path="failbacks", method="POST", door=failbacks.start_failback, roles=OPERATORS),
    Route(path="failbacks", method="GET", door=failbacks.list_failbacks, roles=READERS),
    Route(path="failbacks/plan", method="POST", door=failbacks.plan_failback, roles=PLANNERS),
    Route(path="failbacks/{id}", method="GET", door=failbacks.show_failback, roles=READERS),
    Route(
        path="failbacks/{id}/decisions",
        method="POST",
        door=decisions.decide,
        roles=decisions.DECIDERS,
        turned_away=decisions.turned_away,
    ),
    Route(path="failbacks/{id}/cancel", method="POST", door=control.cancel_failback, roles=OPERATORS),
    Route(path="failbacks/{id}/pause", method="POST", door=control.pause_failback, roles=OPERATORS),
    Route(path="failbacks/{id}/resume", method="POST", door=control.resume_failback, roles=OPERATORS),
    Route(path="failbacks/{id}/report", method="GET", door=failbacks.report_failback, roles=READERS),
    Route(path="failbacks/{id}/evidence", method="GET", door=evidence.download, roles=READERS),
    Route(path="ui", method="GET", door=pages.show_runs, roles=READERS, worded=pages.as_page),
    Route(path="ui/failbacks/{id}", method="GET", door=pages.show_run, roles=READERS, worded=pages.as_page),
    Route(
        path="ui/failbacks/{id}/decisions",
        method="POST",
        door=pages.decide_on_page,
        roles=decisions.DECIDERS,
        body=FORM,
        worded=pages.as_page,
    ),
    # A link proves by itself whose it is; it works without signing in.
    Route(path="approvals/{token}", method="GET", door=pages.show_approval, roles=ANYBODY, worded=pages.as_page),
    Route(
        path="approvals/{token}",
        method="POST",
        door=pages.decide_by_link,
        roles=ANYBODY,
        body=FORM,
        worded=pages.as_page,
    ),
    # Azure Monitor's action groups: by the host's key, or by a token that the door itself asks for.
    Route(path="alerts", method="POST", door=alerts.receive, roles=ANYBODY, level=alerts.HOST_LEVEL),
    Route(path="alerts", method="GET", door=alerts.list_alerts, roles=READERS),
)

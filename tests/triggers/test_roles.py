"""Every route, every role, and nobody: who may come in is what the table says, and nothing else."""

from __future__ import annotations

import re
from typing import Any

import pytest

from domain.people import Role
from localhost import SyncHost
from tests.rehearsal import FUNCTIONS
from triggers.doors import JSON
from triggers.routes import ROUTES

REFUSED = {401, 403}


def registered() -> dict[tuple[str, str], Any]:
    """Read the routes from what the app itself gives the Functions host."""
    found: dict[tuple[str, str], Any] = {}
    for function in FUNCTIONS:
        trigger = function.get_trigger()
        if trigger.get_binding_name() == "httpTrigger":
            for method in trigger.methods or ("ANY",):
                found[trigger.route, getattr(method, "value", str(method))] = trigger
    return found


ROWS = {(route.path, route.method): route for route in ROUTES}


def test_every_route_of_the_app_has_a_row_and_every_row_a_route() -> None:
    assert set(registered()) == set(ROWS)
    assert len(ROWS) == len(ROUTES)


def test_every_route_is_open_at_the_host_unless_its_row_says_otherwise() -> None:
    levels = {key: getattr(each.auth_level, "value", each.auth_level) for key, each in registered().items()}
    assert levels == {key: route.level.value for key, route in ROWS.items()}


DECISIONS = {("failbacks/{id}/decisions", "POST"), ("ui/failbacks/{id}/decisions", "POST")}
# What each role may do beyond reading; written out once more, so that a slip in the table is seen.
MAY = {
    Role.VIEWER: {("failbacks/plan", "POST")},
    Role.OPERATOR: {
        ("failbacks", "POST"),
        ("failbacks/plan", "POST"),
        ("failbacks/{id}/cancel", "POST"),
        ("failbacks/{id}/pause", "POST"),
        ("failbacks/{id}/resume", "POST"),
        ("ui/failbacks/{id}/steering", "POST"),
    },
    Role.APPROVER: {("failbacks/plan", "POST"), *DECISIONS},
    Role.ADMIN: {(path, "POST") for path, method in ROWS if method == "POST"},
    Role.BREAK_GLASS: DECISIONS,
}
# Open to anybody: they tell nothing of any run, or prove by themselves who comes.
OPEN = {
    ("ui/sign-in", "GET"),
    ("ui/sign-in", "POST"),
    ("approvals/{token}", "GET"),
    ("approvals/{token}", "POST"),
    ("alerts", "POST"),
    ("health", "GET"),
    ("openapi.json", "GET"),
}


def test_only_these_doors_are_open_to_anybody() -> None:
    assert {key for key, route in ROWS.items() if not route.roles} == OPEN


def may(role: Role, path: str, method: str) -> bool:
    return method == "GET" or (path, method) in MAY[role]


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize(("path", "method"), [key for key in ROWS if key not in OPEN])
def test_a_role_opens_the_doors_it_is_for_and_no_other(host: SyncHost, path: str, method: str, role: Role) -> None:
    answer = ask(host, path, method, {"X-Failback-User": "dana", "X-Failback-Roles": role.value})
    assert (answer.status not in REFUSED) is may(role, path, method), answer.body


@pytest.mark.parametrize(("path", "method"), [key for key in ROWS if key not in OPEN])
def test_nobody_without_a_name_or_without_a_role_comes_in(host: SyncHost, path: str, method: str) -> None:
    nobody = ask(host, path, method, {})
    assert (nobody.status, nobody.header("WWW-Authenticate")) == (401, 'Bearer realm="failback"')
    stranger = ask(host, path, method, {"X-Failback-User": "dana", "X-Failback-Roles": ""})
    assert stranger.status == 403
    assert "no role of this app" in stranger.body.decode()


@pytest.mark.parametrize(("path", "method"), list(ROWS))
def test_every_answer_forbids_caches_frames_and_scripts(host: SyncHost, path: str, method: str) -> None:
    for headers in ({}, {"X-Failback-User": "dana"}):
        answer = ask(host, path, method, headers)
        assert answer.header("Cache-Control") == "no-store"
        assert answer.header("X-Content-Type-Options") == "nosniff"
        assert answer.header("X-Frame-Options") == "DENY"
        # Pages name themselves to themselves, so that a browser says where their forms come from.
        assert answer.header("Referrer-Policy") in {"no-referrer", "same-origin"}
        assert "default-src 'none'" in str(answer.header("Content-Security-Policy"))
        assert "unsafe" not in str(answer.header("Content-Security-Policy"))
        assert answer.header("Access-Control-Allow-Origin") is None


def ask(host: SyncHost, path: str, method: str, headers: dict[str, str]) -> Any:
    target = f"/api/{re.sub(r'{[^}]+}', 'fb-nothing', path)}"
    body = b"" if method == "GET" else b"{}" if ROWS[path, method].body == JSON else b"gate="
    kind = {"Content-Type": ROWS[path, method].body} if body else {}
    return host.request(method, target, body=body, headers={**headers, **kind})

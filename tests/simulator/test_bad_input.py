from __future__ import annotations

import re
from typing import Any

import pytest

from simulator import ManualClock, Request, Simulator
from simulator.routes import ROUTES, Route
from simulator.transport import SimulatorCredential
from tests.simulator.helpers import GROUP, ITEM, SUBSCRIPTION, VAULT, estate_of

NAMES = {
    "subscription": SUBSCRIPTION,
    "group": GROUP,
    "vault": VAULT,
    "fabric": "asr-eastus",
    "container": "asr-eastus-container",
    "item": ITEM,
}
BODIES = [
    b"",
    b"{",
    b"[]",
    b"null",
    b'"text"',
    b"{}",
    b'{"properties": null}',
    b'{"properties": []}',
    b'{"properties": {"providerSpecificDetails": 7}}',
    b'{"properties": {"replicationProtectedItemName": {}, "providerSpecificDetails": {}}}',
    b'{"query": "| | |"}',
    b'{"query": "let x = dynamic(["}',
    b'{"query": "Heartbeat | extend a = 1 / 0"}',
    b'{"query": "Heartbeat | extend a = toint(Computer), b = todatetime(Computer)"}',
    b'{"query": "' + b"(" * 3000 + b'"}',
    b'{"query": "Heartbeat | where ' + b"(" * 3000 + b'"}',
    b'{"query": "Heartbeat | where Computer > 1 | summarize sum(Computer)"}',
    b"\xff\xfe",
]
QUERIES = ["", "&$filter=a b c", "&$filter=StartTime eq soon", "&skipToken=x", "&$expand=%00"]


def url_of(route: Route) -> str:
    return re.sub(r"\{(\w+)\}", lambda found: NAMES.get(found[1], "nothing"), route.template)


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: route.name)
def test_no_input_makes_the_simulator_fail(route: Route) -> None:
    unlimited = {"read_bucket": 10_000, "write_bucket": 10_000}
    estate = estate_of({"name": ITEM, "state": "protected-in-reverse"}, **unlimited)
    simulator = Simulator(estate, clock=ManualClock())
    logs = route.template.startswith("/v1/")
    audience = "https://api.loganalytics.io" if logs else "https://management.azure.com"
    token = SimulatorCredential(simulator).get_token(f"{audience}/.default").token
    for body in BODIES:
        for query in QUERIES:
            answer = simulator.handle(
                Request(
                    method=route.method,
                    url=f"https://x{url_of(route)}?api-version=1{query}",
                    headers={"authorization": f"Bearer {token}"},
                    body=body,
                )
            )
            assert answer.status in {200, 202, 204, 400, 404, 409, 501}
            if answer.status >= 400:
                error: Any = answer.json()["error"]
                assert (error["code"] == "NotSimulated") == (answer.status == 501)


@pytest.mark.parametrize("path", ["/", "//", "/subscriptions", "/v1/", "/_sim/x", "/%00", "/a?b=%zz"])
@pytest.mark.parametrize("method", ["GET", "POST", "DELETE", "TRACE"])
def test_no_path_makes_the_simulator_fail(method: str, path: str) -> None:
    simulator = Simulator(clock=ManualClock())
    answer = simulator.handle(Request(method=method, url=f"http://x{path}"))
    assert answer.status in {404, 501}
    assert "error" in answer.json()


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"[1]", b'{"name": "nonsense"}', b'{"add": 1}'])
def test_a_wrong_control_call_is_told_so(body: bytes) -> None:
    simulator = Simulator(clock=ManualClock())
    for path in ("faults", "clock"):
        answer = simulator.handle(Request(method="POST", url=f"http://x/_sim/{path}", body=body))
        assert answer.status == 400 or body in {b"", b"[]"}

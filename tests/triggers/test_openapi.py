"""The API's description is OpenAPI, tells of every route, and is true of what the doors really answer."""

from __future__ import annotations

import re
import runpy
import sys
from collections.abc import Mapping
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from azure.functions import AuthLevel
from jsonschema import Draft202012Validator
from openapi_spec_validator import validate

from localhost import Response, SyncHost
from tests.rehearsal import NAME, VAULT, Rehearsal
from triggers import failbacks, openapi
from triggers.routes import ROUTES

PAGE = Path(__file__).resolve().parents[2] / "docs/api.md"
DESCRIBED = openapi.document(ROUTES)
DANA, OLIVE = {"X-Failback-User": "dana@contoso.com"}, {"X-Failback-User": "olive@contoso.com"}


def test_the_description_is_openapi_and_comes_from_the_app(host: SyncHost) -> None:
    answer = host.request("GET", "/api/openapi.json")
    assert answer.status == 200
    validate(answer.json())
    assert answer.json() == DESCRIBED


def test_every_route_is_described_with_the_roles_it_asks_for() -> None:
    described = {
        (path.removeprefix("/"), method.upper()): said["x-failback-roles"]
        for path, operations in DESCRIBED["paths"].items()
        for method, said in operations.items()
    }
    assert described == {(route.path, route.method): [role.value for role in route.roles] for route in ROUTES}


def test_every_route_says_what_it_gives_and_every_json_body_what_it_takes() -> None:
    assert [route.path for route in ROUTES if not route.gives] == []
    assert len({route.door.__name__ for route in ROUTES}) == len(ROUTES)


def test_what_only_the_app_may_say_of_a_run_is_described_as_such() -> None:
    words = DESCRIBED["components"]["schemas"]["FailbackRequest"]["description"]
    assert all(f"`{name}`" in words for name in failbacks.OURS)
    assert "does not take them from outside" in words


def test_the_page_for_people_is_what_the_code_says(capsys: pytest.CaptureFixture[str]) -> None:
    sys.modules.pop("triggers.openapi.__main__", None)
    runpy.run_path(openapi.__file__, run_name="__main__")
    assert capsys.readouterr().out == PAGE.read_text(), "run: make docs"


def test_the_page_for_people_names_every_route_and_every_role_of_it() -> None:
    sections = re.split(r"^## ", PAGE.read_text(), flags=re.MULTILINE)
    told = {part.splitlines()[0]: part for part in sections}
    for route in ROUTES:
        section = told[f"{route.method} /{route.path}"]
        assert all(f"`{role.value}`" in section for role in route.roles)
        assert route.roles or "* who: anybody" in section


def test_every_link_on_the_page_for_people_leads_somewhere() -> None:
    text = PAGE.read_text()
    titles = {title.casefold() for title in re.findall(r"^### (\w+)$", text, re.MULTILINE)}
    assert set(re.findall(r"\]\(#(\w+)\)", text)) <= titles
    assert {"failbackrequest", "approvalpolicy", "decisionrequest", "pointchoice", "runshown", "problem"} <= titles


def fits(method: str, path: str, answer: Response) -> None:
    """Hold an answer against the description: its status, its media type, its fields, and no others."""
    said = DESCRIBED["paths"][path][method.lower()]["responses"][str(answer.status)]["content"]
    media = str(answer.header("Content-Type")).partition(";")[0]
    assert media in said
    if not media.endswith("json"):
        return
    document = answer.json()
    root = {**said[media]["schema"], "components": DESCRIBED["components"]}
    assert [fault.message[:200] for fault in Draft202012Validator(root).iter_errors(document)] == []
    assert strangers(said[media]["schema"], document) == []


def strangers(schema: Mapping[str, Any], value: Any, place: str = "") -> list[str]:
    """Name the fields of a document that its description does not know."""
    schema = DESCRIBED["components"]["schemas"][schema["$ref"].rpartition("/")[2]] if "$ref" in schema else schema
    kinds = [each for each in schema.get("anyOf", ()) if each.get("type") != "null"]
    if len(kinds) == 1:
        return strangers(kinds[0], value, place)
    if isinstance(value, list):
        return [each for item in value for each in strangers(schema.get("items", {}), item, f"{place}[]")]
    if not isinstance(value, dict) or "properties" not in schema:
        return []
    known = schema["properties"]
    found = [f"{place}.{name}" for name in value if name not in known]
    return found + [
        each for name in known if name in value for each in strangers(known[name], value[name], f"{place}.{name}")
    ]


def test_what_the_doors_answer_is_what_is_described() -> None:
    rehearsal = Rehearsal()
    with rehearsal.host() as host:
        body = {"vault": VAULT, "machines": [NAME]}
        fits("POST", "/failbacks/plan", host.request("POST", "/api/failbacks/plan", json=body, headers=DANA))
        started = host.request("POST", "/api/failbacks", json=body, headers=DANA)
        fits("POST", "/failbacks", started)
        fits("POST", "/failbacks", host.request("POST", "/api/failbacks", json=body, headers=DANA))
        path = f"/api/failbacks/{started.json()['id']}"
        fits("GET", "/failbacks/{id}", host.request("GET", path, headers=DANA))
        fits("GET", "/failbacks/{id}/report", host.request("GET", f"{path}/report", headers=DANA))
        while not (gates := host.request("GET", path, headers=DANA).json()["gates"]):
            assert host.step()
        decision = {"gate": "failback", "decision": "stop", "planHash": "0" * 64}
        fits("POST", "/failbacks/{id}/decisions", decide(host, path, decision))
        fits("POST", "/failbacks/{id}/decisions", decide(host, path, {**decision, "gate": "commit"}))
        fits("GET", "/failbacks/{id}", host.request("GET", path, headers=DANA))
        for word in ("pause", "resume"):
            steered = host.request("POST", f"{path}/{word}", json={"reason": "lunch"}, headers=DANA)
            fits("POST", f"/failbacks/{{id}}/{word}", steered)
        fits("GET", "/failbacks", host.request("GET", "/api/failbacks", headers=DANA))
        decision["planHash"] = gates[0]["planHash"]
        fits("POST", "/failbacks/{id}/decisions", decide(host, path, decision))
        host.run_until(started.json()["id"])
        fits("GET", "/failbacks/{id}", host.request("GET", path, headers=DANA))
        fits("GET", "/failbacks/{id}/report", host.request("GET", f"{path}/report", headers=DANA))
        fits("POST", "/failbacks/{id}/decisions", decide(host, path, decision))
        fits("POST", "/failbacks/{id}/cancel", host.request("POST", f"{path}/cancel", headers=DANA))


def decide(host: SyncHost, path: str, decision: dict[str, Any]) -> Response:
    return host.request("POST", f"{path}/decisions", json=decision, headers=OLIVE)


def test_every_way_of_refusing_that_a_door_has_is_described(host: SyncHost) -> None:
    callers = ({}, DANA, {**DANA, "X-Failback-Roles": ""}, {**DANA, "Origin": "https://evil.test"})
    # Where the host itself asks for a key, it refuses in its own way.
    ours = [route for route in ROUTES if route.level is AuthLevel.ANONYMOUS]
    for route, headers, body in product(ours, callers, (b"{}", b"x", b"x" * 1_100_000)):
        path = f"/api/{re.sub(r'{[^}]+}', 'fb-nothing', route.path)}"
        sent, given = {**headers, "Content-Type": "application/json"}, body if route.method == "POST" else b""
        fits(route.method, f"/{route.path}", host.request(route.method, path, body=given, headers=sent))

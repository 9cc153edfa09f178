"""Routes, settings and messages that the pages name are those of the code."""

from __future__ import annotations

import json
import re
import shlex
from typing import Any

import pytest
import yaml

from domain.alert_routes import read as read_routes
from domain.drills import Calendar
from domain.gate import DecisionRequest
from domain.leftovers import Prices
from domain.request import FailbackRequest
from domain.settings import Settings
from domain.settings.validation import ValidationRules
from domain.wire import Wire
from tests.docs.pages import GUIDES, ROOT, Fence, fences, lines, ours, said_as_code, shell, text
from triggers.control import ReasonRequest
from triggers.doors import Route
from triggers.failbacks import OURS
from triggers.routes import ROUTES

VAULT = (
    "/subscriptions/11111111-1111-1111-1111-111111111111/resourceGroups/contoso-dr"
    "/providers/Microsoft.RecoveryServices/vaults/contoso-vault"
)
_PATH = r"/[\w./{}-]*(?:\?[\w=&{}-]*)?"
_NAMED = re.compile(rf"(?:^|\s)(GET|POST) (?:/api)?({_PATH})|(?:^|[\s\"]|https?://[^/\s]+)/api({_PATH})")
JSON = [each for each in fences("json") if each.page not in GUIDES]


def routes_named() -> list[tuple[str, str, str]]:
    """Give each page with the methods and paths that it names; no method where it tells none."""
    named: list[tuple[str, str, str]] = []
    for page in ours():
        for code in said_as_code(page):
            called = code.replace("$API", "/api").replace("$FAILBACK_URL/api", " /api")
            named += [(page, method, path or bare) for method, path, bare in _NAMED.findall(called)]
    return named


def fits(route: Route, method: str, path: str) -> bool:
    """Tell whether a path is a route's; a run's id is anything, and dots leave the rest open."""
    bare, _, query = path.partition("?")
    told, known = bare.strip("/"), route.path
    pattern = re.sub(r"\\\{\w+\\\}", r"[^/]+", re.escape(known))
    is_it = re.match(re.escape(told[:-3]), known) if told.endswith("...") else re.fullmatch(pattern, told)
    asked = [each.partition("=")[0] for each in query.split("&") if each]
    # A page takes ?follow=, which is nobody's business but its own.
    is_asked = all(each in {*route.query, "follow"} for each in asked)
    return bool(is_it) and method in {"", route.method} and is_asked


def test_every_route_that_is_named_is_there() -> None:
    named = routes_named()
    assert len(named) > 40
    wrong = {each for each in named if not any(fits(route, *each[1:]) for route in ROUTES)}
    assert {each for each in wrong if each[2].rstrip("/.")} == set()


def test_every_route_is_named_in_the_page_of_the_api() -> None:
    told = re.findall(r"^## (GET|POST) /(.+)$", text("docs/api.md"), re.MULTILINE)
    assert sorted(told) == sorted((route.method, route.path) for route in ROUTES)


def test_every_setting_that_is_named_is_read_by_something() -> None:
    infra = [ROOT / "infra/main.parameters.json", ROOT / "infra/main.bicep", *(ROOT / "infra/hooks").glob("*")]
    known = {str(field.validation_alias) for field in Settings.model_fields.values()}
    known |= {f"FAILBACK_{name}" for name in ("URL", "TOKEN", "KEY", "USER", "ROLES", "VAULT")}
    known |= {name for file in infra for name in re.findall(r"FAILBACK_[A-Z_]*[A-Z]", file.read_text())}
    named = {(page, name) for page in ours() for name in re.findall(r"FAILBACK_[A-Z_]*[A-Z]", text(page))}
    assert len(named) > 60
    assert [each for each in named if each[1] not in known] == []


@pytest.mark.parametrize("block", fences("json"), ids=lambda each: each.page)
def test_json_can_be_read(block: Fence) -> None:
    json.loads(block.code)


@pytest.mark.parametrize("block", fences("yaml"), ids=lambda each: each.page)
def test_yaml_can_be_read(block: Fence) -> None:
    yaml.safe_load(block.code)


def model_of(document: Any) -> type[Wire] | None:
    """Tell what an example is an example of, by its own look."""
    if isinstance(document, list):
        return Calendar
    for mark, model in (
        ("machines", FailbackRequest),
        ("planHash", DecisionRequest),
        ("probes", ValidationRules),
        ("coreHour", Prices),
    ):
        if mark in document:
            return model
    return None


@pytest.mark.parametrize("block", JSON, ids=lambda each: each.page)
def test_an_example_is_taken_as_it_stands(block: Fence) -> None:
    document = json.loads(block.code)
    model = model_of(document)
    if model is not None:
        model.model_validate({"drills": document} if isinstance(document, list) else document)
    elif "routes" in document:
        read_routes(block.code, block.page)


def test_there_is_an_example_of_each_kind() -> None:
    found = {model_of(json.loads(each.code)) for each in JSON if "samples" not in each.code}
    assert found >= {FailbackRequest, Calendar, ValidationRules}


def test_the_request_in_the_readme_shows_every_default() -> None:
    shown = next(json.loads(each.code) for each in JSON if each.page == "README.md")
    assert FailbackRequest.from_wire(shown) == FailbackRequest.from_wire(
        {"vault": shown["vault"], "machines": [shown["machines"][0]["name"]]}
    ).having(machines=FailbackRequest.from_wire(shown).machines)
    fields = {str(each.alias) for each in FailbackRequest.model_fields.values()}
    assert fields - set(shown) == {"requestedBy", *OURS}


def bodies() -> list[tuple[str, type[Wire], Any]]:
    """Give what the pages send with curl, and what the route takes that they send it to."""
    sent: list[tuple[str, type[Wire], Any]] = []
    for page, _, code in shell():
        for line in lines(code):
            words = shlex.split(line, comments=True) if "curl" in line and "$API" in line else []
            if "-d" in words:
                path = next(word for word in words if "$API" in word)
                body = words[words.index("-d") + 1].replace("$VAULT", VAULT).replace("HASH", "0" * 64)
                sent.append((page, taken_at(path), json.loads(body)))
    return sent


def taken_at(path: str) -> type[Wire]:
    if path.endswith(("/cancel", "/pause", "/resume")):
        return ReasonRequest
    return DecisionRequest if path.endswith("/decisions") else FailbackRequest


def test_what_is_sent_with_curl_is_taken() -> None:
    sent = bodies()
    assert {model for _, model, _ in sent} == {FailbackRequest, DecisionRequest, ReasonRequest}
    for _, model, body in sent:
        model.model_validate(body)

"""docs/architecture.md names every orchestration, entity, folder and environment there is."""

from __future__ import annotations

import re

import pytest

from tests.docs.pages import ROOT, marked, rows, text
from tests.rehearsal import FUNCTIONS

PAGE = "docs/architecture.md"


def registered(kind: str) -> list[str]:
    """Name the functions of the app that one kind of trigger starts."""
    started = [(str(each.get_function_name()), each.get_trigger()) for each in FUNCTIONS]
    return sorted(name for name, trigger in started if trigger and trigger.get_binding_name() == kind)


@pytest.mark.parametrize(
    ("head", "kind"), [("orchestration", "orchestrationTrigger"), ("entity", "entityTrigger")]
)
def test_every_orchestration_and_entity_has_its_place(head: str, kind: str) -> None:
    told = [name for row in rows(PAGE, head) for name in marked(row[0])]
    assert len(told) > 5
    assert sorted(told) == registered(kind)


@pytest.mark.parametrize(("page", "wanted"), [("README.md", True), (PAGE, False)])
def test_every_folder_is_on_the_map(page: str, wanted: bool) -> None:
    told = {name.strip("/") for row in rows(page, "folder") for name in marked(row[0])}
    packages = {path.parent.name for path in ROOT.glob("*/__init__.py")}
    assert packages - told == set()
    there = {path.name for path in ROOT.iterdir()}
    assert told - there == set()
    if wanted:
        assert {"infra", "samples", "tests", "bench"} <= told


def test_every_right_that_the_app_itself_uses_is_named_and_no_other() -> None:
    roles = (ROOT / "infra/modules/roles.bicep").read_text(encoding="utf-8")
    lists = re.findall(r"^var (\w+) = \[\n(.*?)^\]", roles, re.MULTILINE | re.DOTALL)
    given = {name: re.findall(r"'(Microsoft\.[^']+)'", rights) for name, rights in lists}
    called = {right for name, rights in given.items() if name.endswith("Calls") for right in rights}
    deleted = {right for rights in given.values() for right in rights if right.endswith("/delete")}
    assert {_ending(right) for row in rows(PAGE, "on") for right in marked(row[1])} == {
        _ending(right) for right in called | deleted
    }


def _ending(right: str) -> str:
    """Give a right by its last three parts: the page leaves out how the vault's begin."""
    return "/".join(right.split("/")[-3:])


def test_a_name_in_a_diagram_is_a_functions_own() -> None:
    drawn = set(
        re.findall(r"\b[a-z]+(?:_[a-z]+)+\b", "".join(re.findall(r"```mermaid\n(.*?)```", text(PAGE), re.DOTALL)))
    )
    known = {*registered("orchestrationTrigger"), *registered("entityTrigger"), *registered("activityTrigger")}
    assert drawn - known == set()

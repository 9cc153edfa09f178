"""docs/runbook.md has a row for everything that a run may say, and for nothing else."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from enum import StrEnum

import pytest

from domain.approvals import GateName
from domain.duration import spoken
from domain.gate import HELD_AT_MOST, Choice, Judgement
from domain.lifecycle import MachineState
from domain.notices import NoticeKind
from domain.people import Role
from domain.report import MachineOutcome, RunOutcome
from domain.request import Mode, ValidationRequest
from domain.setbacks import CONFIRM_WITHIN, FIRST_COPY_WITHIN, GIVE_UP_AFTER, GONE_FOR
from orchestrators.stage import BLIND_FOR
from tests.docs.pages import ROOT, marked, rows, text

PAGE = "docs/runbook.md"
DEPLOYED = ("domain", "gateway", "identity", "orchestrators", "activities", "triggers")
TREES = {
    str(path.relative_to(ROOT)): ast.parse(path.read_text(encoding="utf-8"))
    for package in DEPLOYED
    for path in sorted((ROOT / package).rglob("*.py"))
}
# Codes that are put together, or are somebody else's: by what the page tells of them instead.
MADE: dict[str, tuple[str, ...]] = {
    "error.code if error else f'Job{job.state}'": ("JobFailed", "JobCancelled"),
    "type(error).__name__": ("Transient", "Throttled"),
    "bounded(body.code, 100)": ("Http...",),
    # The row `unfit` of what becomes of an answer; the fault itself names the field.
    "Judgement.UNFIT.value": (),
    # What pydantic calls a fault of a field: the answer names the field.
    "error['type']": (),
}


def strings(tree: ast.AST, constants: dict[str, set[str]]) -> dict[str, set[str]]:
    """Give the texts that each name of a module is ever given."""
    found: dict[str, set[str]] = {}
    for node in ast.walk(tree):
        if isinstance(node, (ast.Assign, ast.AnnAssign)) and node.value is not None:
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            for target in targets:
                for name, value in _pairs(target, node.value):
                    found.setdefault(name, set()).update(texts(value, constants))
    return found


def _pairs(target: ast.expr, value: ast.expr) -> Iterator[tuple[str, ast.expr]]:
    if isinstance(target, ast.Name):
        yield target.id, value
    elif isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple):
        for one, other in zip(target.elts, value.elts, strict=True):
            yield from _pairs(one, other)


def texts(node: ast.expr, known: dict[str, set[str]]) -> set[str]:
    """Give the texts that an expression may be; of one that is put together, how it begins."""
    match node:
        case ast.Constant(value=str(value)):
            return {value}
        case ast.JoinedStr(values=[ast.Constant(value=str(value)), *_]):
            return {value}
        case ast.Name(id=name):
            return known.get(name, set())
        case _:
            return set()


CONSTANTS: dict[str, set[str]] = {}
for _tree in TREES.values():
    for _name, _texts in strings(_tree, {}).items():
        if _name.isupper():
            CONSTANTS.setdefault(_name, set()).update(_texts)


def calls(tree: ast.AST, *names: str) -> Iterator[ast.Call]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            called = node.func
            name = called.attr if isinstance(called, ast.Attribute) else getattr(called, "id", "")
            if name in names:
                yield node


def given_codes() -> tuple[set[str], set[str]]:
    """Give the codes of all refusals in the source, and the expressions of those that are put together."""
    codes, made = set[str](), set[str]()
    for tree in TREES.values():
        for call in calls(tree, "Refusal", "having"):
            for keyword in call.keywords:
                if keyword.arg == "code":
                    found = texts(keyword.value, CONSTANTS)
                    codes |= found
                    made |= set() if found else {ast.unparse(keyword.value)}
    return codes, made


def test_codes_that_are_put_together_are_known_here() -> None:
    assert given_codes()[1] == set(MADE), "say in MADE which rows of the runbook tell of the new one"


def test_every_code_that_is_raised_has_a_row_and_no_row_is_stale() -> None:
    told = [code for row in rows(PAGE, "code") for code in marked(row[0])]
    wanted = given_codes()[0] | {code for many in MADE.values() for code in many}
    assert len(told) == len(set(told))
    assert sorted(told) == sorted(wanted)
    assert [row for row in rows(PAGE, "code") if len(row) != 3 or not all(row)] == []


def check_names() -> set[str]:
    """Give the names of all checks, of a plan and of a machine that came up."""
    names = set[str]()
    for file in ("domain/checks.py", "domain/drills.py", "domain/validation.py"):
        tree = TREES[file]
        known = strings(tree, CONSTANTS)
        for call in calls(tree, "_passed", "_warned", "_failed", "_pending", "_check", "_account", "Check"):
            keywords = [each.value for each in call.keywords if each.arg == "name"]
            place = {"domain/validation.py": {"_passed": 1, "_pending": 2, "_check": 2}}.get(file, {})
            position = place.get(getattr(call.func, "id", ""), 0)
            given = keywords or call.args[position : position + 1]
            names |= {found for each in given for found in texts(each, known)}
    return {name.strip() for name in names}


def test_every_check_has_a_row_and_no_row_is_stale() -> None:
    told = {name for row in rows(PAGE, "check") for name in marked(row[0])}
    # A probe is named by its port or address.
    assert told - {"port", "http", "https"} == check_names()
    assert len(check_names()) > 15


@pytest.mark.parametrize(
    ("head", "values"),
    [
        ("gate", GateName),
        ("answer", Choice),
        ("it was", Judgement),
        ("state", MachineState),
        ("notice", NoticeKind),
        ("role", Role),
        ("mode", Mode),
        ("run", RunOutcome),
        ("machine", MachineOutcome),
    ],
)
def test_every_word_of_a_kind_has_a_row(head: str, values: type[StrEnum]) -> None:
    told = [name for row in rows(PAGE, head) for name in marked(row[0])]
    assert sorted(told) == sorted(values)


def test_every_alert_rule_has_a_row() -> None:
    rules = re.findall(r"name: '(failback-[a-z-]+)'", (ROOT / "infra/modules/alerts.bicep").read_text())
    told = [name for row in rows(PAGE, "alert") for name in marked(row[0])]
    assert sorted(told) == sorted(set(rules))


def test_every_patience_on_the_page_is_the_codes_own() -> None:
    told = {row[1] for row in rows(PAGE, "what is waited for")}
    lengths = (GIVE_UP_AFTER, CONFIRM_WITHIN, GONE_FOR, FIRST_COPY_WITHIN, HELD_AT_MOST, BLIND_FOR)
    assert {spoken(length) for length in lengths} - told == set()
    assert any(spoken(ValidationRequest().timeout) in each for each in told)


def test_nobody_is_told_to_delete_what_re_protection_needs() -> None:
    assert "Never delete the old machine or its disks in the primary region" in text(PAGE)

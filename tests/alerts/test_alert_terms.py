"""The expressions of routes: what they mean, and where they are faulty."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.alert_terms import LONGEST, TermError, compiled

FIELDS = {
    "family": ("serviceHealth",),
    "stage": ("Resolved",),
    "regions": ("centralus", "eastus"),
    "rule": ("asr-job-failed",),
    "job": (),
    "custom.plan": ("web tier",),
}


def holds(expression: str) -> bool:
    return compiled(expression, lambda name: name in {*FIELDS, "absent"})(FIELDS)


@pytest.mark.parametrize(
    "expression",
    [
        'stage == "Resolved"',
        "stage == 'Resolved'",
        'stage =~ "RESOLVED"',
        'stage != "resolved"',
        'stage !~ "active"',
        'rule has "job"',
        'rule !has "jo"',
        'rule contains "OB-f"',
        'rule !contains "x"',
        'rule startswith "ASR-"',
        'rule endswith "failed"',
        'rule !startswith "x" and rule !endswith "x"',
        'stage in ("Active", "Resolved")',
        'stage !in ("Active", "resolved")',
        'stage in~ ("active", "resolved")',
        'stage !in~ ("active", "rca")',
        'regions == "eastus"',
        'job == "" and absent == ""',
        'custom.plan has "tier"',
        'not (stage == "Active") and family == "serviceHealth"',
        'stage == "Active" or rule has "job" and stage == "Resolved"',
        '(stage == "Active" or rule has "job") and stage == "Resolved"',
        'stage=="Resolved"and family=="serviceHealth"',
        '  stage == "Resolved"  ',
    ],
)
def test_an_expression_that_holds(expression: str) -> None:
    assert holds(expression)


@pytest.mark.parametrize(
    "expression",
    [
        'stage == "resolved"',
        'rule has "jo"',
        'regions != "eastus"',
        'stage == "Active" and rule has "job"',
        'stage == "Active" or stage == "RCA"',
        'not stage == "Resolved"',
        'stage in ("Active")',
        "stage == true",
    ],
)
def test_an_expression_that_does_not_hold(expression: str) -> None:
    assert not holds(expression)


@pytest.mark.parametrize(
    ("expression", "words"),
    [
        ("", "character 1: expected the name of a field"),
        ("stage", "character 6: expected one of =="),
        ("color == 'red'", "character 1: there is no field color"),
        ("stage == Resolved", "character 10: expected a text in quotes"),
        ("stage like 'x'", "character 7: expected one of"),
        ("stage 'x'", "character 7: expected one of"),
        ("stage == 'x' stage", "character 14: expected"),
        ("stage == 'x' and and", "character 18: expected the name of a field"),
        ("(stage == 'x'", 'character 14: expected ")"'),
        ("stage in 'x'", 'character 10: expected "("'),
        ("stage in ('x' 'y')", 'character 15: expected ")"'),
        ("stage == 'x", "character 9: cannot be read"),
        ("stage == 'a\\'b'", "character 9: cannot be read"),
        ("eval(1)", "character 6: cannot be read"),
        ("(" * 21 + "stage == 'x'" + ")" * 21, "nested deeper than 20"),
        ("stage == '" + "x" * LONGEST + "'", "longer than 2000 characters"),
    ],
)
def test_a_faulty_expression_is_refused_with_its_place(expression: str, words: str) -> None:
    with pytest.raises(TermError) as raised:
        holds(expression)
    assert words in str(raised.value)


PIECES = st.sampled_from(
    [*'()=!~,"', "'x'", '"y"', "stage", "rule", " and ", " or ", " not ", "==", " in ", "has"]
)


@given(st.lists(PIECES, max_size=30).map("".join) | st.text(max_size=60))
def test_any_text_is_an_expression_or_a_fault(expression: str) -> None:
    try:
        found = holds(expression)
    except TermError:
        return
    assert found in {True, False}

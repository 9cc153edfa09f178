"""What people are shown before they decide, and what their answers become."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any

import pytest
from rich.console import Console

from cli.api import TroubleError
from cli.gates import Person, Script, picture, point


def console() -> Console:
    return Console(file=io.StringIO(), width=110)


def seen(gate: Any) -> str:
    paper = console()
    paper.print(picture(gate))
    return " ".join(paper.file.getvalue().replace("│", " ").split())  # type: ignore[attr-defined]


def answers(given: Any, gate: Any, typed: Sequence[str]) -> Any:
    words = iter(typed)
    return Person(console=console(), input=lambda _: next(words))(gate)


def test_the_question_before_the_failover_shows_all_one_needs(given: Any) -> None:
    shown = seen(given.gate())
    for part in (
        "Shall it come home?",
        "web eastus → centralus",
        "rehearsal passed",
        "power: running",
        "of 2026-01-15 11:55:00 UTC, 5 min 12 s old",
        "is lost",
        "1 passed",
        "lag: 1 h behind",
        "→ wait for it",
        "approve: it fails over",
        "1 must agree of: lee@contoso.com; within 1 d, else stop",
    ):
        assert part in shown


def test_the_question_before_the_commit_shows_what_was_used_lost_and_cannot_be_undone(given: Any) -> None:
    shown = seen(given.gate("commit"))
    for part in ("used: 2026-01-15 11:55:00 UTC (p-1)", "1 min 25 s", "downtime 2 min 20 s", "cannot be undone"):
        assert part in shown


def test_a_point_named_by_its_id_says_plainly_what_is_lost(given: Any) -> None:
    gate = given.gate()
    gate["shown"]["machines"][0]["point"]["id"] = "points/p-1"
    assert "everything written after that point is lost" in seen(gate)


def test_a_point_that_cannot_be_had_says_why(given: Any) -> None:
    gate = given.gate()
    gate["shown"]["machines"][0]["point"] = {"select": "custom", "refusal": {"what": "no such point"}}
    assert "no such point" in seen(gate)


def test_a_failure_is_shown_with_its_remedy(given: Any) -> None:
    gate = given.gate("intervention", offers=["retry", "skip", "stop"])
    gate["shown"]["machines"][0]["failure"] = {"what": "the disk is taken", "remedy": "free it"}
    assert "the disk is taken" in seen(gate)
    assert "→ free it" in seen(gate)


def test_decisions_of_others_are_shown(given: Any) -> None:
    decided = [{"by": "kim@contoso.com", "decision": "approve", "judgement": "recorded"}]
    assert "so far: kim@contoso.com: approve (recorded)" in seen(given.gate(decisions=decided))


def test_who_decides_for_whom_is_shown(given: Any) -> None:
    gone = {"by": "lee", "decision": "delegate", "to": "pia", "judgement": "recorded"}
    said = {"by": "pia", "decision": "approve", "onBehalfOf": ["lee", "kim"], "judgement": "recorded"}
    shown = seen(given.gate(decisions=[gone, said]))
    assert "lee: delegate to pia (recorded); pia for lee and kim: approve (recorded)" in shown


def test_a_voice_is_handed_over_with_a_name_and_a_reason(given: Any) -> None:
    decision = answers(given, given.gate(), ["d", "pia@contoso.com", "", "on leave"])
    assert (decision["decision"], decision["to"], decision["comment"]) == (
        "delegate",
        "pia@contoso.com",
        "on leave",
    )


def test_whatever_is_missing_the_rest_is_shown(given: Any) -> None:
    """Every key of what is shown is optional, one by one and all together."""
    for key in list(given.gate()["shown"]["machines"][0]):
        gate = given.gate()
        del gate["shown"]["machines"][0][key]
        assert "approve: it fails over" in seen(gate)
    assert "must agree" in seen({"gate": "failback"})


def test_of_many_machines_some_are_shown_and_the_rest_counted(given: Any) -> None:
    gate = given.gate()
    gate["shown"]["machines"] = [{"name": f"web-{number}"} for number in range(25)]
    assert "and 15 more machines" in seen(gate)


def test_a_decision_names_the_hash_of_what_was_shown(given: Any) -> None:
    decision = answers(given, given.gate(), ["a", "it answers"])
    assert decision == {
        "gate": "failback",
        "decision": "approve",
        "comment": "it answers",
        "planHash": "hash-of-failback",
    }


def test_an_answer_may_be_a_letter_or_the_word_and_nothing_else(given: Any) -> None:
    assert answers(given, given.gate(), ["x", "", "yes", "stop", ""])["decision"] == "stop"


def test_another_recovery_point_goes_for_every_machine_of_the_gate(given: Any) -> None:
    gate = given.gate(machines=["web", "db"])
    decision = answers(given, gate, ["c", "latestAppConsistent", "torn"])
    expected = {"select": "latestAppConsistent"}
    assert decision["recoveryPoints"] == {"web": expected, "db": expected}
    assert decision["comment"] == "torn"


def test_the_points_that_a_machine_has_are_listed_and_chosen_by_number(given: Any) -> None:
    gate = given.gate()
    times = [f"2026-01-15T{hour:02}:00:00Z" for hour in range(20, 0, -1)]
    gate["shown"]["machines"][0]["offered"] = [
        {"name": f"p-{number}", "time": time, "kind": "AppConsistent"} for number, time in enumerate(times, 1)
    ]
    paper, words = console(), iter(["c", "2", "clean before noon"])
    decision = Person(console=paper, input=lambda _: next(words))(gate)
    assert decision["recoveryPoints"] == {"web": {"select": "custom", "id": "p-2"}}
    shown: str = paper.file.getvalue()  # type: ignore[attr-defined]
    assert " 2  2026-01-15 19:00:00 UTC  AppConsistent" in shown
    assert "2026-01-15 09:00:00 UTC" in shown
    assert "2026-01-15 08:00:00 UTC" not in shown
    # A number that is not in the list is taken for an id.
    assert answers(given, gate, ["c", "13", ""])["recoveryPoints"]["web"] == {"select": "custom", "id": "13"}


def test_leaving_something_out_needs_a_reason(given: Any) -> None:
    gate = given.gate("intervention", offers=["retry", "skip", "stop"])
    assert answers(given, gate, ["k", "", "  ", "not needed"])["comment"] == "not needed"


@pytest.mark.parametrize(
    ("text", "choice"),
    [
        ("latest", {"select": "latest"}),
        ("LATESTPROCESSED", {"select": "latestProcessed"}),
        ("8a0e-point", {"select": "custom", "id": "8a0e-point"}),
    ],
)
def test_a_point_is_a_policy_by_name_or_an_id(text: str, choice: Any) -> None:
    assert point(text) == choice


@pytest.mark.parametrize("text", ["custom", ""])
def test_a_custom_point_without_an_id_is_refused(text: str) -> None:
    with pytest.raises(TroubleError, match="by its id"):
        point(text)


@pytest.mark.parametrize("verdict", ["passed", "warned"])
def test_the_script_approves_what_was_found_well(given: Any, verdict: str) -> None:
    for name, key in (("failback", "rehearsal"), ("commit", "validation")):
        gate = given.gate(name)
        gate["shown"]["machines"][0][key]["verdict"] = verdict
        assert Script()(gate)["decision"] == "approve"


@pytest.mark.parametrize("verdict", ["failed", "pending", ""])
def test_the_script_stops_what_was_not(given: Any, verdict: str) -> None:
    gate = given.gate("commit")
    gate["shown"]["machines"][0]["validation"]["verdict"] = verdict
    assert Script()(gate)["decision"] == "stop"


def test_the_script_does_not_take_the_rehearsal_for_the_validation(given: Any) -> None:
    gate = given.gate()
    assert Script()(gate | {"gate": "commit"})["decision"] == "stop"


def test_the_script_stops_at_a_failure_and_at_nothing_shown(given: Any) -> None:
    assert Script()(given.gate("intervention", offers=["retry", "skip", "stop"]))["decision"] == "stop"
    assert Script()(given.gate(shown={}))["decision"] == "stop"


def test_answers_that_a_gate_does_not_take_are_not_explained(given: Any) -> None:
    notes = ["retry: looks again", "skip: goes on without it", "a word to all"]
    shown = seen(given.gate("intervention", offers=["retry", "stop"], shown={"notes": notes}))
    assert "looks again" in shown
    assert "a word to all" in shown
    assert "goes on without it" not in shown


def test_people_learn_who_may_not_approve_before_they_try(given: Any) -> None:
    policy = {"quorum": 2, "requesterMayApprove": False}
    assert "2 must agree of: anyone who is let in, but not whoever asked for the run" in seen(
        given.gate(policy=policy)
    )
    assert "1 must agree" in seen(given.gate("intervention", policy=policy))

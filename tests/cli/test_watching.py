"""Following a run: gates are answered once, silence is borne, and time is not endless."""

from __future__ import annotations

from typing import Any

import pytest

from cli.api import FAILED, UNREACHABLE, Failbacks, TroubleError
from cli.gates import Script
from cli.story import Line, Story
from cli.tellers import Silent
from cli.watching import Watch
from cli.when import WallClock


class Ear(Silent):
    """Keeps what was told."""

    def __init__(self) -> None:
        self.heard: list[Line] = []

    def tell(self, story: Story, lines: Any) -> None:
        assert story is not None
        self.heard += lines

    @property
    def loud(self) -> list[str]:
        return [line.text for line in self.heard if line.is_loud]


def watch(fake: Any, **more: Any) -> Watch:
    client = Failbacks(fake.url, person="dana@contoso.com", pause=0)
    given: dict[str, Any] = {"person": "lee@contoso.com", "every": 0, "answerer": Script(), "teller": Ear()}
    return Watch(client=client, run="fb-1", clock=WallClock(), **(given | more))


def decided(fake: Any) -> list[Any]:
    return [each for each in fake.asked if each.path.endswith("/decisions")]


def test_both_gates_are_answered_once_each_by_the_one_who_may(fake: Any, given: Any) -> None:
    fake.statuses["fb-1"] = given.whole_run()
    assert watch(fake).to_the_end()["outcome"] == "succeeded"
    assert [each.body["gate"] for each in decided(fake)] == ["failback", "commit"]
    assert {each.headers["X-Failback-User"] for each in decided(fake)} == {"lee@contoso.com"}


def test_a_gate_is_asked_once_however_often_it_is_seen(fake: Any, given: Any) -> None:
    """A quorum of others may still be missing: the answer of one person is not sent again."""
    asked: list[str] = []
    open_gate = given.status("ask", gates=[given.gate()])
    fake.statuses["fb-1"] = [open_gate]

    def leave_it(gate: Any) -> None:
        asked.append(gate["planHash"])

    with pytest.raises(TroubleError):
        watch(fake, answerer=leave_it, give_up_after=0.2).to_the_end()
    assert asked == ["hash-of-failback"]


def test_a_new_question_at_the_same_gate_is_asked_anew(fake: Any, given: Any) -> None:
    rounds = [given.status("ask", gates=[given.gate(planHash=f"round-{number}")]) for number in (1, 2)]
    fake.statuses["fb-1"] = [*rounds, given.status("done", outcome="stopped")]
    watch(fake).to_the_end()
    assert [each.body["planHash"] for each in decided(fake)] == ["round-1", "round-2"]


def test_an_answer_that_is_refused_is_told_and_not_repeated(fake: Any, given: Any) -> None:
    fake.statuses["fb-1"] = [given.status("ask", gates=[given.gate()])]
    fake.mishaps = [None, fake.problem(403, "this person may not decide here", detail="lee asked for it")]
    ear = Ear()
    with pytest.raises(TroubleError):
        watch(fake, teller=ear, give_up_after=0.2).to_the_end()
    assert len(decided(fake)) == 1
    assert ear.loud == ["this person may not decide here: lee asked for it"]


def test_an_answer_that_was_lost_is_given_again_while_the_gate_still_asks(fake: Any, given: Any) -> None:
    fake.statuses["fb-1"] = given.whole_run()[2:]
    fake.mishaps = [None, "close"]
    assert watch(fake).to_the_end()["outcome"] == "succeeded"
    assert [each.body["gate"] for each in decided(fake)] == ["failback", "failback", "commit"]


def test_silence_is_told_once_and_so_is_its_end(fake: Any, given: Any) -> None:
    fake.statuses["fb-1"] = given.whole_run()
    fake.mishaps = [None, "close", 503, "close"]
    ear = Ear()
    watch(fake, teller=ear).to_the_end()
    assert len(ear.loud) == 1
    assert [line.text for line in ear.heard].count("it answers again") == 1


def test_patience_ends(fake: Any, given: Any) -> None:
    fake.statuses["fb-1"] = given.whole_run()
    fake.mishaps = [None, *[503] * 100]
    with pytest.raises(TroubleError) as caught:
        watch(fake, patience=0.15).to_the_end()
    assert caught.value.exit_code == UNREACHABLE
    assert len(fake.asked) < 10


def test_an_app_that_was_never_seen_is_not_waited_for(fake: Any) -> None:
    fake.mishaps = [503] * 100
    with pytest.raises(TroubleError) as caught:
        watch(fake).to_the_end()
    assert caught.value.exit_code == UNREACHABLE
    assert len(fake.asked) == 1


def test_a_run_that_takes_too_long_says_where_it_stood(fake: Any, given: Any) -> None:
    fake.statuses["fb-1"] = [given.status("move", "failing over")]
    with pytest.raises(TroubleError) as caught:
        watch(fake, give_up_after=0.1).to_the_end()
    assert caught.value.exit_code == FAILED
    assert caught.value.problem.detail == "move: failing over"

"""A run as a story: what is new is told once, in the step of the runbook where it belongs."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from cli.story import FEW, State, Story

NOON = datetime(2026, 1, 15, 12, 0, tzinfo=UTC)


def told(story: Story, status: Any, minutes: float = 0) -> list[str]:
    return [line.text for line in story.hear(status, NOON + timedelta(minutes=minutes))]


def test_nothing_is_told_twice(given: Any) -> None:
    story = Story()
    status = given.status("move", "failing over", machines=[given.machine("failover", job=given.job())])
    assert told(story, status)
    assert told(story, status | {"updatedAt": "2026-01-15T12:09:00Z"}) == []


def test_a_whole_run_passes_through_every_step_in_order(given: Any) -> None:
    story, numbers = Story(), list[int]()
    for minute, status in enumerate(given.whole_run()):
        story.hear(status, NOON + timedelta(minutes=minute))
        assert story.now is None or story.now.number not in numbers[:-1]
        numbers += [story.now.number] if story.now and story.now.number not in numbers else []
    assert numbers == [1, 3, 4, 5, 6, 7, 8]
    assert all(step.state is State.DONE for step in story.steps)
    assert story.is_over


def test_a_step_that_ends_tells_how_long_it_took(given: Any) -> None:
    story = Story()
    told(story, given.status("rehearse"))
    assert "done after 3 min 30 s" in told(story, given.status("clean_up"), 3.5)


def test_looking_and_holding_are_told_even_when_they_were_too_quick_to_be_seen(given: Any) -> None:
    story = Story()
    lines = story.hear(given.status("move"), NOON)
    assert [line.step.name for line in lines if line.step and line.step.number <= 2] == ["Look", "Hold"]


def test_a_step_that_was_not_asked_for_is_not_called_done(given: Any) -> None:
    story = Story()
    told(story, given.status("hold"))
    told(story, given.status("move"))
    assert [(step.state, step.words) for step in story.steps[2:5]] == [(State.PASSED, "not in this run")] * 3


def test_of_what_came_before_the_first_look_nothing_is_claimed(given: Any) -> None:
    story = Story()
    told(story, given.status("move"))
    assert [(step.state, step.words) for step in story.steps[2:5]] == [(State.PASSED, "before we looked")] * 3


def test_a_second_rehearsal_begins_again_from_there(given: Any) -> None:
    story = Story()
    for phase in ("rehearse", "clean_up", "rehearse"):
        told(story, given.status(phase))
    assert story.now is not None
    assert story.now.name == "Rehearse"
    assert story.steps[4].state is State.AHEAD


def test_asking_belongs_to_the_step_of_its_gate(given: Any) -> None:
    for name, number in (("failback", 4), ("commit", 7)):
        story = Story()
        told(story, given.status("ask", gates=[given.gate(name)]))
        assert story.now is not None
        assert story.now.number == number


def test_a_failure_halts_the_step_in_which_it_happened(given: Any) -> None:
    story = Story()
    told(story, given.status("move"))
    words = "asking people: what to do about a failure?"
    lines = story.hear(given.status("ask", words, gates=[given.gate("intervention")]), NOON)
    assert story.now is not None
    assert (story.now.number, story.now.state) == (6, State.HALTED)
    assert [line.text for line in lines if line.is_loud] == [words]


def test_a_gate_that_is_just_opening_is_placed_by_its_words(given: Any) -> None:
    story = Story()
    told(story, given.status("ask", "asking people: shall the failover be committed?"))
    assert story.now is not None
    assert story.now.number == 7


def test_a_job_is_named_once(given: Any) -> None:
    story = Story()
    first = told(story, given.status("move", machines=[given.machine("failover: A", job=given.job("A"))]))
    then = told(story, given.status("move", machines=[given.machine("failover: B", job=given.job("B"))]))
    assert first[-1] == "failover: A [job job-7]"
    assert then == ["failover: B"]


def test_of_many_machines_only_bad_ends_are_told(given: Any) -> None:
    story, names = Story(), [f"web-{number}" for number in range(FEW + 1)]
    told(story, given.status("move", machines=[given.machine("failover", name) for name in names]))
    after = [given.machine("ended", name, "failed" if name == "web-3" else "done") for name in names]
    lines = story.hear(given.status("move", machines=after), NOON)
    assert [line.machine for line in lines] == ["web-3"]


def test_azure_out_of_sight_is_told_once_and_so_is_its_return(given: Any) -> None:
    story = Story()
    told(story, given.status("move"))
    blind = given.status("move", blind="503")
    assert len(told(story, blind)) == 1
    assert told(story, blind) == []
    assert told(story, given.status("move")) == ["Azure answers again"]


def test_boot_groups_are_announced(given: Any) -> None:
    story = Story()
    assert "group 1 of 2" in told(story, given.status("rehearse", group=1, groups=2))
    assert "group 2 of 2" in told(story, given.status("rehearse", group=2, groups=2))
    assert "group 1 of 1" not in told(Story(), given.status("rehearse", group=1, groups=1))


def test_a_copy_is_told_by_quarters_and_drawn_exactly(given: Any) -> None:
    story, lines = Story(), list[str]()
    for percent in range(0, 100, 9):
        lines += told(story, given.status("protect", machines=[given.machine(f"first copy ({percent} %)")]))
    assert [line for line in lines if "copy" in line] == [f"first copy ({number} %)" for number in (0, 27, 54, 81)]
    assert story.machines["web"].words == "first copy (99 %)"


def test_what_was_so_before_a_stage_is_not_told_again_while_the_stage_begins_anew(given: Any) -> None:
    story = Story()
    moving = given.status("move", machines=[given.machine("failover", stage="move")])
    between = given.status("move", machines=[given.machine("in eastus, ready to come home")])
    told(story, moving)
    assert told(story, between) == []
    assert told(story, moving) == []
    assert "in eastus, ready to come home" in told(story, between | {"phase": "protect"})

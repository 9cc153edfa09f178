"""How a story is told: as lines in a log, and as a picture on a terminal."""

from __future__ import annotations

import io
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from rich.console import Console

from cli.story import Story
from cli.tellers import Drawn, Plain
from cli.when import SimulatedClock, clock_time, duration, instant, span, stamp

NOON = datetime(2026, 1, 15, 12, 0, tzinfo=UTC)


class Stopped:
    """A clock that stands still until it is moved."""

    def __init__(self, *, is_simulated: bool = False) -> None:
        self.time = NOON
        self.is_simulated = is_simulated

    def now(self) -> datetime:
        return self.time


def paper(**how: Any) -> Console:
    return Console(file=io.StringIO(), width=100, highlight=False, **how)


def written(console: Console) -> str:
    return console.file.getvalue()  # type: ignore[attr-defined]


def tell(teller: Any, clock: Stopped, statuses: Any) -> Story:
    story = Story()
    for status in statuses:
        teller.tell(story, story.hear(status, clock.now()))
        clock.time += timedelta(minutes=2)
    return story


def test_a_line_bears_the_time_the_step_and_what_is_new(given: Any) -> None:
    clock, console = Stopped(), paper()
    tell(Plain(clock, console), clock, given.whole_run())
    lines = written(console).splitlines()
    assert lines[0] == "12:00:00  1 Look      looking at every machine, changing nothing"
    assert "12:02:00  3 Rehearse  web: test failover [job job-7]" in lines


def test_simulated_time_counts_from_the_beginning(given: Any) -> None:
    clock, console = Stopped(is_simulated=True), paper()
    tell(Plain(clock, console), clock, given.whole_run())
    assert written(console).splitlines()[0].startswith("00:00:00  1 Look")
    assert "00:16:00  9 Report    succeeded: 1 home" in written(console)


def test_a_long_line_stays_one_line(given: Any) -> None:
    clock, console = Stopped(), paper()
    tell(Plain(clock, console), clock, [given.status("move", "x" * 300)])
    assert "x" * 300 in written(console)


def test_words_of_others_are_not_taken_for_markup(given: Any) -> None:
    clock, console = Stopped(), paper()
    tell(Plain(clock, console), clock, [given.status("move", "[red]a[/red] [/]")])
    assert "[red]a[/red] [/]" in written(console)


def test_the_picture_shows_the_runbook_the_job_and_its_task(given: Any) -> None:
    clock, console = Stopped(is_simulated=True), paper(force_terminal=True, no_color=True)
    teller = Drawn(clock, "web: East US → Central US", console)
    clock.time = NOON + timedelta(minutes=3, seconds=20)
    with teller:
        tell(teller, clock, given.whole_run()[:5])
        drawn = written(console)
    for part in ("web: East US → Central US", "simulated time", "✓", "6 Move", "Site Recovery job job-7"):
        assert part in drawn
    assert "failover: Start failover" in drawn


def test_the_last_picture_stays(given: Any) -> None:
    clock, console = Stopped(), paper(force_terminal=True, no_color=True)
    with (teller := Drawn(clock, "web", console)):
        tell(teller, clock, given.whole_run())
    assert written(console).rstrip().splitlines()[-1].strip().startswith("✓  9 Report    succeeded: 1 home")


def test_the_picture_makes_room_for_a_question(given: Any) -> None:
    clock, console = Stopped(), paper(force_terminal=True, no_color=True)
    with (teller := Drawn(clock, "web", console)):
        with teller.aside():
            console.print("a question")
        tell(teller, clock, given.whole_run()[:2])
    assert "a question" in written(console)
    assert "3 Rehearse" in written(console)


def test_what_is_loud_stays_above_the_picture(given: Any) -> None:
    clock, console = Stopped(), paper(force_terminal=True, no_color=True)
    with (teller := Drawn(clock, "web", console)):
        tell(teller, clock, [given.status("move"), given.status("move", blind="503")])
    assert "! Azure does not answer" in written(console)


def test_of_many_machines_failures_are_drawn_first(given: Any) -> None:
    clock, console = Stopped(), paper(force_terminal=True, no_color=True)
    machines = [given.machine("well", f"web-{number}", "done") for number in range(30)]
    machines[20] = given.machine("the disk is taken", "web-20", "failed")
    with (teller := Drawn(clock, "web", console)):
        tell(teller, clock, [given.status("move", machines=machines)])
    assert "the disk is taken" in written(console)
    assert "and 22 more" in written(console)


# -- times ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "length"),
    [
        ("PT3M23S", timedelta(seconds=203)),
        ("PT1M31.702096S", timedelta(seconds=91.702096)),
        ("P1DT2H", timedelta(hours=26)),
        ("-PT90S", timedelta(seconds=-90)),
        ("PT0S", timedelta(0)),
        ("P", None),
        ("soon", None),
        (None, None),
    ],
)
def test_durations_are_read(text: str | None, length: timedelta | None) -> None:
    assert duration(text) == length


def test_an_instant_that_is_none_is_nothing() -> None:
    assert instant("2026-01-15T12:00:00Z") == NOON
    assert instant("2026-01-15T12:00:00") == NOON
    assert instant(None) is None
    assert clock_time("never") == ""
    assert clock_time("2026-01-15T13:00:00+01:00") == "2026-01-15 12:00:00 UTC"


@pytest.mark.parametrize(
    ("seconds", "words"), [(0, "0 s"), (59.7, "1 min"), (203, "3 min 23 s"), (-90, "-1 min 30 s")]
)
def test_lengths_are_written_for_people(seconds: float, words: str) -> None:
    assert span(timedelta(seconds=seconds)) == words


def test_a_stamp_is_always_as_wide() -> None:
    assert stamp(timedelta(hours=1, minutes=2, seconds=3.9)) == "01:02:03"
    assert stamp(timedelta(seconds=-1)) == "00:00:00"


def test_simulated_time_runs_as_fast_as_it_was_told() -> None:
    clock = SimulatedClock(NOON, 1_000_000)
    assert clock.is_simulated
    assert clock.now() <= clock.now()
    assert clock.now() > NOON

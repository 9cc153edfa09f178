"""The picture of a run on a terminal: the runbook on the left, what happens in it on the right."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final

from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.padding import Padding
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text

from cli.console import BAD, CALM, GOOD, SOFT, WARN
from cli.story import Machine, State, Step, Story
from cli.when import Clock, span, stamp

_MARKS: Final = {
    State.AHEAD: Text("·", style=SOFT),
    State.DONE: Text("✓", style=GOOD),
    State.HALTED: Text("!", style=BAD),
    State.PASSED: Text("-", style=SOFT),
}
_ENDS: Final = {"failed": BAD, "stopped": WARN, "done": GOOD}
# A terminal holds the runbook and about as many machines as this.
_SHOWN: Final = 8
_WIDEST: Final = 100
_WORTH_TELLING: Final = timedelta(seconds=1)


@dataclass(slots=True, kw_only=True)
class Picture:
    """A story as it looks now; drawn anew several times a second, so that clocks tick."""

    clock: Clock
    title: str = ""
    story: Story = field(default_factory=Story)
    _spinner: Spinner = field(default_factory=lambda: Spinner("dots", style=CALM))

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Draw: a title with the time, the nine steps, and the machines on their way."""
        parts = [self._head(), Text(), self._steps()]
        if not self.story.is_over and (machines := self._machines()):
            parts += [Text(), *machines]
        yield from console.render(Padding(Group(*parts), (1, 2, 1, 2)), options.update_width(_width(options)))

    def _head(self) -> RenderableType:
        now = self.clock.now()
        passed = stamp(now - (self.story.began or now))
        whose = "simulated time" if self.clock.is_simulated else "since we look"
        grid = Table.grid(expand=True)
        grid.add_column(overflow="ellipsis", no_wrap=True)
        grid.add_column(justify="right", no_wrap=True)
        grid.add_row(Text(self.title or "failback", style="bold"), Text(f"{whose} {passed}", style=SOFT))
        return grid

    def _steps(self) -> RenderableType:
        grid = Table.grid(padding=(0, 1), expand=True)
        grid.add_column(width=2)
        grid.add_column(no_wrap=True, width=11)
        grid.add_column(ratio=1, overflow="ellipsis", no_wrap=True)
        grid.add_column(justify="right", no_wrap=True, style=SOFT)
        for step in self.story.steps:
            mark = self._spinner if step.state is State.NOW else _MARKS[step.state]
            style = {State.AHEAD: SOFT, State.NOW: "bold", State.HALTED: BAD}.get(step.state, "")
            grid.add_row(
                mark, Text(f"{step.number} {step.name}", style=style), self._words(step), self._took(step)
            )
        return grid

    def _words(self, step: Step) -> Text:
        if step.state in {State.NOW, State.HALTED}:
            return Text(step.words or step.about, style=BAD if step.state is State.HALTED else CALM)
        is_told = step.state is State.PASSED or (step.state is State.DONE and step is self.story.steps[-1])
        words = step.words if is_told else step.about
        return Text(words, style=SOFT)

    def _took(self, step: Step) -> str:
        took = step.took(self.clock.now()) or timedelta(0)
        return span(took) if took >= _WORTH_TELLING and step.state is not State.AHEAD else ""

    def _machines(self) -> list[RenderableType]:
        machines = sorted(self.story.machines.values(), key=_interest)
        shown = [self._machine(machine) for machine in machines[:_SHOWN]]
        rest = len(machines) - _SHOWN
        return [*shown, *([Text(f"and {rest} more", style=SOFT)] if rest > 0 else [])]

    def _machine(self, machine: Machine) -> RenderableType:
        grid = Table.grid(padding=(0, 1), expand=True)
        grid.add_column(no_wrap=True, style="bold")
        grid.add_column(ratio=1)
        grid.add_column(justify="right", no_wrap=True, style=SOFT)
        since = machine.job.started if machine.job else None
        took = span(max(self.clock.now() - since, self.clock.now() - self.clock.now())) if since else ""
        grid.add_row(machine.name, Text(machine.words, style=_ENDS.get(machine.status, "")), took)
        if machine.job:
            grid.add_row("", Text(f"Site Recovery job {machine.job.id}", style=SOFT), "")
        return grid


def _interest(machine: Machine) -> tuple[int, str]:
    """Sort failures first, then what moves, then what waits or is done."""
    order = {"failed": 0, "stopped": 1, "undecided": 2, "running": 3, "validating": 4, "confirming": 5}
    return (order.get(machine.status, 6 if machine.job is None else 3), machine.name)


def _width(options: ConsoleOptions) -> int:
    return min(options.max_width, _WIDEST)

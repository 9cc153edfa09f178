"""Ways to tell a run's story while it happens: drawn on a terminal, as lines in a log, as JSON, or not at all."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Protocol, Self

from rich.console import Console
from rich.live import Live
from rich.text import Text

from cli.api import Document
from cli.console import BAD, err, write_json
from cli.live import Picture
from cli.story import Line, Story
from cli.when import Clock, stamp


class Teller(Protocol):
    """Tells what is new, and steps aside while a person is asked."""

    def __enter__(self) -> Self: ...

    def __exit__(self, *_: object) -> None: ...

    def tell(self, story: Story, lines: Sequence[Line]) -> None:
        """Tell what is new in a story."""
        ...

    def aside(self) -> AbstractContextManager[None]:
        """Leave the terminal to somebody else for a while."""
        ...


class Silent:
    """Tells nothing; only the end matters."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        return None

    def tell(self, story: Story, lines: Sequence[Line]) -> None:
        """Say nothing."""
        del story, lines

    def aside(self) -> AbstractContextManager[None]:
        """Have nothing to step aside from."""
        return nullcontext()


class JsonLines(Silent):
    """Writes each answer that differs from the last one, one JSON document a line."""

    def __init__(self) -> None:
        self._last: Document | None = None

    def tell(self, story: Story, lines: Sequence[Line]) -> None:
        """Write the status, if anything in it but its own time is new."""
        del lines
        seen = {name: value for name, value in story.status.items() if name != "updatedAt"}
        if seen != self._last:
            write_json(story.status, indent=None)
        self._last = seen


class Plain(Silent):
    """Writes one line for each change, with its time; for logs and for whoever reads without a terminal."""

    def __init__(self, clock: Clock, console: Console | None = None) -> None:
        self._clock = clock
        self._console = console or err()

    def tell(self, story: Story, lines: Sequence[Line]) -> None:
        """Write what is new."""
        for line in lines:
            self._console.print(self._line(story, line), soft_wrap=True)

    def _line(self, story: Story, line: Line) -> Text:
        now = self._clock.now()
        time = stamp(now - (story.began or now)) if self._clock.is_simulated else f"{now:%H:%M:%S}"
        step = f"{line.step.number} {line.step.name}" if line.step else ""
        about = f"{line.machine}: " if line.machine else ""
        mark = "!! " if line.is_loud else ""
        return Text(f"{time}  {step:<10}  {mark}{about}{line.text}", style=BAD if line.is_loud else "")


class Drawn:
    """Draws the runbook with the step, the job and the task of this moment, and keeps it up to date."""

    def __init__(self, clock: Clock, title: str = "", console: Console | None = None) -> None:
        self._console = console or err()
        self._picture = Picture(clock=clock, title=title)
        self._live = self._new()

    def _new(self) -> Live:
        # What stays behind when it stops is the last picture; while a question is asked, none.
        return Live(self._picture, console=self._console, refresh_per_second=8, transient=True)

    def __enter__(self) -> Self:
        self._live.start(refresh=True)
        return self

    def __exit__(self, *_: object) -> None:
        self._live.stop()
        self._console.print(self._picture)

    def tell(self, story: Story, lines: Sequence[Line]) -> None:
        """Draw the story as it is now; what is loud also stays above the picture."""
        self._picture.story = story
        for line in lines:
            if line.is_loud:
                self._live.console.print(Text(f"! {line.text}", style=BAD))
        self._live.refresh()

    @contextmanager
    def aside(self) -> Generator[None]:
        """Take the picture away, and draw it again afterwards."""
        self._live.stop()
        try:
            yield
        finally:
            self._live = self._new()
            self._live.start(refresh=True)


def teller(clock: Clock, *, as_json: bool = False, title: str = "") -> Teller:
    """Choose how to tell: JSON when asked for, else drawn on a terminal, else as lines."""
    if as_json:
        return JsonLines()
    return Drawn(clock, title) if err().is_terminal else Plain(clock)

"""Where the command speaks: answers on standard output, everything else on standard error."""

from __future__ import annotations

import json
import sys
from typing import Any, Final

from rich.console import Console
from rich.markup import escape
from rich.padding import Padding
from rich.text import Text

from cli.api import Problem

# Colours by what they mean.
GOOD: Final = "green"
WARN: Final = "yellow"
BAD: Final = "bold red"
CALM: Final = "cyan"
SOFT: Final = "bright_black"
# A log has no edge, and a table must end somewhere.
_WIDE: Final = 240

VERDICTS: Final = {
    "passed": GOOD,
    "warned": WARN,
    "failed": BAD,
    "pending": WARN,
    "home": GOOD,
    "rehearsed": GOOD,
    "succeeded": GOOD,
    "planned": CALM,
    "partial": WARN,
    "stopped": WARN,
    "refused": BAD,
    "untouched": SOFT,
}


def out() -> Console:
    """Give the console for answers."""
    return _console(stderr=False)


def err() -> Console:
    """Give the console for progress, questions and faults."""
    return _console(stderr=True)


def _console(*, stderr: bool) -> Console:
    console = Console(stderr=stderr, highlight=False, soft_wrap=False)
    return console if console.is_terminal else Console(stderr=stderr, highlight=False, width=_WIDE, no_color=True)


def is_attended() -> bool:
    """Tell whether a person sits at both ends: reads what is shown, and can answer."""
    return sys.stdin.isatty() and err().is_terminal


def write_json(document: Any, *, indent: int | None = 2) -> None:
    """Write a document on standard output, as it is."""
    sys.stdout.write(json.dumps(document, indent=indent, ensure_ascii=False) + "\n")
    sys.stdout.flush()


def verdict(word: str) -> Text:
    """Write a verdict or an outcome in its colour."""
    return Text(word, style=VERDICTS.get(word, ""))


def tell(problem: Problem) -> None:
    """Show a problem: what, then each fault with what would help."""
    console = err()
    console.print(f"[{BAD}]failback:[/] {escape(problem.title)}")
    if problem.detail and problem.detail != problem.title and not problem.faults:
        console.print(Padding(escape(problem.detail), (0, 0, 0, 2), expand=False))
    for fault in problem.faults:
        about = f"[bold]{escape(fault.about)}[/]: " if fault.about else ""
        console.print(Padding(f"[{BAD}]-[/] {about}{escape(fault.what)}", (0, 0, 0, 2), expand=False))
        if fault.remedy:
            console.print(Padding(f"[{SOFT}]→[/] {escape(fault.remedy)}", (0, 0, 0, 4), expand=False))
    if problem.holder:
        console.print(
            Padding(
                f"held by run {escape(problem.holder)}: failback watch {escape(problem.holder)}",
                (0, 0, 0, 2),
                expand=False,
            )
        )

"""Reading the project's Markdown: its pages, their headings, links, and what stands there as code."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Final, NamedTuple

ROOT: Final = Path(__file__).resolve().parents[2]
_SKIPPED: Final = {"build", "node_modules", "fixtures"}
# These two tell of things that any app or SDK may use them for, with routes and settings of their own.
GUIDES: Final = frozenset({"docs/localhost.md", "docs/simulator.md"})
_FENCE: Final = re.compile(r"^( *)```(\w*)[^\n]*\n(.*?)^\1```", re.MULTILINE | re.DOTALL)
_SHELLS: Final = frozenset({"sh", "bash", "console"})


class Fence(NamedTuple):
    """A block of code, and the language that it says it is in."""

    page: str
    language: str
    code: str


@cache
def names() -> tuple[str, ...]:
    """Name every page, as a path from the project's root."""
    found: list[str] = []
    for folder, inside, files in os.walk(ROOT):
        inside[:] = [each for each in inside if each not in _SKIPPED and not each.startswith(".")]
        found += [str((Path(folder) / each).relative_to(ROOT)) for each in files if each.endswith(".md")]
    return tuple(sorted(found))


def ours() -> list[str]:
    """Name the pages that tell of this app and of nothing else."""
    return [page for page in names() if page not in GUIDES]


@cache
def text(page: str) -> str:
    """Give a page."""
    return (ROOT / page).read_text(encoding="utf-8")


def prose(page: str) -> str:
    """Give a page without its blocks of code."""
    return _FENCE.sub("", text(page))


def fences(*languages: str) -> list[Fence]:
    """Give the blocks of code in some languages, of every page."""
    return [
        Fence(page, language, code)
        for page in names()
        for _, language, code in _FENCE.findall(text(page))
        if language in languages
    ]


def shell() -> Iterator[Fence]:
    """Give what is to be typed in a shell, without prompts and answers."""
    for page, language, code in fences(*_SHELLS):
        typed = code if language != "console" else "\n".join(re.findall(r"^\$ (.*)", code, re.MULTILINE))
        yield Fence(page, language, typed)


def said_as_code(page: str) -> list[str]:
    """Give all that a page shows as code in one line: in its sentences, and what is to be typed."""
    typed = [line for fence in shell() if fence.page == page for line in lines(fence.code)]
    return [*re.findall(r"`([^`\n]+)`", prose(page)), *typed]


def lines(code: str) -> list[str]:
    """Give the lines of a shell's block, continued ones as one."""
    return code.replace("\\\n", " ").splitlines()


def anchors(page: str) -> set[str]:
    """Give the anchors of a page's headings, as GitHub makes them."""
    found: dict[str, int] = {}
    for heading in re.findall(r"^#+ +(.+)$", prose(page), re.MULTILINE):
        bare = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).strip().lower()
        slug = re.sub(r"[^\w\- ]", "", bare).replace(" ", "-")
        found[slug] = found.get(slug, -1) + 1
    return {f"{slug}-{n}" if n else slug for slug, times in found.items() for n in range(times + 1)}


def links(page: str) -> list[str]:
    """Give where a page's links lead, outside its code."""
    return re.findall(r"\]\(<?([^)>\s]+)>?\)", re.sub(r"`[^`\n]*`", "", prose(page)))


def rows(page: str, head: str) -> list[list[str]]:
    """Give the rows of every table on a page whose first column is headed so."""
    found: list[list[str]] = []
    for table in re.findall(r"(?:^\|.*\n)+", f"{text(page)}\n", re.MULTILINE):
        cells = [[cell.strip() for cell in line.strip().strip("|").split(" | ")] for line in table.splitlines()]
        if cells[0][0] == head:
            found += cells[2:]
    return found


def marked(cell: str) -> list[str]:
    """Give what a cell shows as code."""
    return re.findall(r"`([^`]+)`", cell)

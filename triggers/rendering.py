"""A run's report as a page and as Markdown, for people who decide and people who audit.

Both come from the same report and say the same things in the same order. Every value is escaped where it is put
in, for names, comments and Azure's messages are other people's words. The page needs nothing but itself: no
script, no picture, no font from elsewhere, so it can be kept as evidence and opened years later.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final, cast

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from domain.lifecycle import ACTS, Act
from domain.machine import TaskSnapshot, last_segment
from domain.report import JobReport, MachineReport, Report, RunOutcome
from domain.request import Mode

_TEMPLATES: Final = Path(__file__).parent / "templates"
_STYLE: Final = (_TEMPLATES / "report.css").read_text(encoding="utf-8")

_STYLE_HASH: Final = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
# What a browser may load for this page: its own style, and nothing else. Fit for a response header.
CONTENT_SECURITY_POLICY: Final = (
    f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; base-uri 'none'; form-action 'none'"
)

# Azure's clock and the host's differ by a little everywhere; by more than this, a reader must be told.
CLOCKS_AGREE_WITHIN: Final = timedelta(minutes=1)

# Written where something is not known; an empty place could be taken for an omission.
NOTHING: Final = "\N{EM DASH}"

_HEADLINES: Final[Mapping[RunOutcome, str]] = {
    RunOutcome.SUCCEEDED: "Home",
    RunOutcome.PARTIAL: "Not every machine is home",
    RunOutcome.FAILED: "Not brought home",
    RunOutcome.STOPPED: "Stopped by people",
    RunOutcome.REFUSED: "Refused: nothing was changed",
    RunOutcome.PLANNED: "Planned: nothing was changed",
}
_UNITS: Final = (("d", 86_400), ("h", 3_600), ("min", 60), ("s", 1))


def as_html(report: Mapping[str, Any]) -> str:
    """Render a report, in its wire form, as one page that stands alone."""
    return _HTML.get_template("report.html.j2").render(_shown(report))


def as_markdown(report: Mapping[str, Any]) -> str:
    """Render a report, in its wire form, as Markdown with tables."""
    text = _MARKDOWN.get_template("report.md.j2").render(_shown(report))
    return re.sub(r"\n{3,}", "\n\n", text).strip() + "\n"


def _shown(document: Mapping[str, Any]) -> dict[str, Any]:
    report = Report.from_wire(document)
    return {
        "report": report,
        "headline": headline(report),
        "style": _STYLE,
        "policy": CONTENT_SECURITY_POLICY,
        "acts": {act: ACTS[act].words for act in Act},
        "skewed": _clocks_disagree(report),
        "request": json.dumps(report.request, indent=2, ensure_ascii=False),
    }


def headline(report: Report) -> str:
    """Say in a few words how a run ended."""
    if report.outcome is not RunOutcome.SUCCEEDED:
        return _HEADLINES[report.outcome]
    if report.mode is Mode.DRILL:
        return "Rehearsed and cleaned up"
    protected = all(machine.protected for machine in report.machines)
    return "Home and protected" if protected else "Home, not protected"


def _clocks_disagree(report: Report) -> bool:
    """Tell whether jobs bear times from outside the run, which means that two clocks were read."""
    ends = [job.ended for machine in report.machines for job in machine.jobs if job.ended and job.ours]
    return any(end > report.ended + CLOCKS_AGREE_WITHIN for end in ends)


# -- how values are written -----------------------------------------------------------------------------------


def instant(value: datetime | None) -> str:
    """Write an instant in UTC, to the second; a dash for none."""
    return f"{value.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC" if value else NOTHING


def span(value: timedelta | None) -> str:
    """Write a length of time in its two largest units, as in "1 h 5 min"; a dash for none."""
    if value is None:
        return NOTHING
    left, parts = round(abs(value).total_seconds()), list[str]()
    for name, size in _UNITS:
        if count := left // size:
            parts.append(f"{count} {name}")
        left %= size
    return ("-" if value < timedelta(0) else "") + (" ".join(parts[:2]) or "0 s")


def duration(work: JobReport | TaskSnapshot) -> timedelta | None:
    """Say how long a job or a task took, if it has both ends."""
    return work.ended - work.started if work.started and work.ended else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """Where a job stands among the others of its machine, in per cent of their whole time."""

    left: float
    width: float


def bar(job: JobReport, machine: MachineReport) -> Bar | None:
    """Place a job on its machine's time line."""
    times = [time for each in machine.jobs for time in (each.started, each.ended) if time]
    if not (job.started and job.ended and times) or min(times) == max(times):
        return None
    whole = max(times) - min(times)
    left, width = (job.started - min(times)) / whole, (job.ended - job.started) / whole
    return Bar(left=round(left * 100, 2), width=round(max(width * 100, 0.8), 2))


class Raw(str):
    """Text that is Markdown already."""

    __slots__ = ()


_MEANS_SOMETHING: Final = re.compile(r"([\\`*_\[\]|~])")
_OPENS_A_BLOCK: Final = re.compile(r"^(\s*)([#>+-]|\d+[.)])")
_TAGS: Final = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})


def markdown(value: object) -> Raw:
    """Write a value so that Markdown shows it as it is: on one line, with nothing that would be markup."""
    if isinstance(value, Raw):
        return value
    text = " ".join(str(value).split())
    text = _OPENS_A_BLOCK.sub(lambda found: f"{found[1]}{found[2][:-1]}\\{found[2][-1]}", text)
    return Raw(_MEANS_SOMETHING.sub(r"\\\1", text).translate(_TAGS))


def fenced(text: str) -> Raw:
    """Put a text into a code block whose fence is longer than any inside it."""
    longest = max((len(found) for found in re.findall(r"`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return Raw(f"{fence}json\n{text}\n{fence}")


def raw(text: str) -> Raw:
    """Vouch for a text: a template made it, and has escaped every value in it."""
    return Raw(text)


def _comma(values: Sequence[object] | None) -> str:
    return ", ".join(str(value) for value in values) if values else "all"


def _environment(*, html: bool) -> Environment:
    made = Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=html,  # noqa: S701 - what is not HTML is Markdown, and escaped by its own rules below
        finalize=None if html else markdown,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    filters = cast("dict[str, Callable[..., Any]]", made.filters)
    filters.update({each.__name__: each for each in (instant, span, duration, bar, fenced, raw, last_segment)})
    filters["comma"] = _comma
    return made


_HTML: Final = _environment(html=True)
_MARKDOWN: Final = _environment(html=False)

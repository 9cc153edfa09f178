"""A run's report as a page and as Markdown, for people who decide and people who audit.

Both come from the same report and say the same things in the same order. The page stands alone, so that it can be
kept as evidence and opened years later.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final, cast

from domain.lifecycle import ACTS, Act
from domain.machine import TaskSnapshot
from domain.report import JobReport, MachineReport, Report, RunOutcome
from domain.request import Mode
from triggers.templating import HTML, MARKDOWN, content_security_policy, style

_STYLE: Final = style("style")
# What a browser may load for this page: its own style, and nothing else. Fit for a response header.
CONTENT_SECURITY_POLICY: Final = content_security_policy(_STYLE)

# Azure's clock and the host's differ by a little everywhere; by more than this, a reader must be told.
CLOCKS_AGREE_WITHIN: Final = timedelta(minutes=1)

_HEADLINES: Final[Mapping[RunOutcome, str]] = {
    RunOutcome.SUCCEEDED: "Home",
    RunOutcome.PARTIAL: "Not every machine is home",
    RunOutcome.FAILED: "Not brought home",
    RunOutcome.STOPPED: "Stopped by people",
    RunOutcome.REFUSED: "Refused: nothing was changed",
    RunOutcome.PLANNED: "Planned: nothing was changed",
}


def as_html(report: Mapping[str, Any]) -> str:
    """Render a report, in its wire form, as one page that stands alone."""
    return HTML.get_template("report.html.j2").render(_shown(report))


def as_markdown(report: Mapping[str, Any]) -> str:
    """Render a report, in its wire form, as Markdown with tables."""
    text = MARKDOWN.get_template("report.md.j2").render(_shown(report))
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


for _environment in (HTML, MARKDOWN):
    cast("dict[str, Callable[..., Any]]", _environment.filters).update({"duration": duration, "bar": bar})

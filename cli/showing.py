"""Answers as a person reads them: a list of runs, a plan, a report."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Final

from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from cli.api import Document, part, parts, text, texts
from cli.console import BAD, GOOD, SOFT, VERDICTS, WARN, verdict
from cli.gates import said, speaker
from cli.when import clock_time, duration, instant, span

WIDEST: Final = 100


def grid(*columns: str) -> Table:
    """Begin a table in the house's manner."""
    table = Table(box=None, padding=(0, 2, 0, 0), header_style=SOFT)
    for column in columns:
        table.add_column(column, overflow="fold")
    return table


def runs(console: Console, listed: Sequence[Document]) -> None:
    """Show the runs, newest first."""
    if not listed:
        console.print("there are no runs")
        return
    table = grid("run", "mode", "outcome", "machines", "started", "where it is")
    for run in listed:
        table.add_row(
            text(run, "id"),
            text(run, "mode"),
            verdict(str(run.get("outcome") or "running")),
            text(run, "machines"),
            clock_time(run.get("startedAt")),
            text(run, "words"),
        )
    console.print(table)


def plan(console: Console, report: Document) -> None:
    """Show what a run would do: checks, acts, expected time, and whether it may."""
    planned = part(report, "plan")
    checks = parts(planned, "checks") or parts(report, "checks")
    console.print(Text(text(report, "words"), style="bold"))
    console.print(_checks(checks))
    acts = grid("group", "act", "expected")
    for act in parts(planned, "acts"):
        acts.add_row(text(act, "group"), text(act, "words"), span(duration(act.get("expected"))))
    if acts.row_count:
        console.print(Padding(acts, (1, 0), expand=False))
    calls = part(planned, "calls")
    expected = span(duration(planned.get("expected")))
    if expected:
        words = f"expected {expected}, plus the time people take; about {calls.get('reads', '?')} reads"
        console.print(Text(f"{words} and {calls.get('writes', '?')} writes of Azure", style=SOFT))


def _checks(checks: Sequence[Document]) -> Table:
    table = grid("", "about", "check", "found")
    for check in checks:
        word = text(check, "verdict")
        found = Text(text(check, "evidence"))
        if check.get("remedy") and word != "passed":
            found.append(f"\n→ {check['remedy']}", style=VERDICTS.get(word, ""))
        table.add_row(verdict(word), str(check.get("about") or "the run"), text(check, "name"), found)
    return table


def count(checks: Sequence[Document]) -> str:
    """Say how many checks came to what."""
    counted = Counter(text(check, "verdict") for check in checks)
    return ", ".join(f"{number} {word}" for word, number in counted.items()) or "none"


def report(console: Console, document: Document) -> None:
    """Show what a run did, the outcome first."""
    outcome = text(document, "outcome")
    shown = Group(
        *(Text(f"! {warning}", style=BAD) for warning in texts(document, "warnings")),
        *(_refusal(each) for each in parts(document, "refusals")),
        *(Padding(_machine(each), (0, 0, 1, 0), expand=False) for each in parts(document, "machines")),
        *(_decision(each) for each in parts(document, "decisions")),
    )
    title = Text.assemble((outcome, VERDICTS.get(outcome, "bold")), f"  {_after(document, outcome)}")
    if not console.is_terminal:
        console.print(title, Padding(shown, (0, 0, 0, 2), expand=False), sep="\n")
        return
    framed = Text.assemble(" ", title, " ")
    console.print(
        Panel(shown, title=framed, title_align="left", border_style=_border(outcome), padding=(1, 2), width=WIDEST)
    )


def _refusal(refusal: Document) -> Text:
    about = f"{refusal['about']}: " if refusal.get("about") else ""
    return Text.assemble((f"- {about}{text(refusal, 'what')}", BAD), f"\n  → {text(refusal, 'remedy')}")


def _after(document: Document, outcome: str) -> str:
    return text(document, "words").removeprefix(f"{outcome}: ")


def _border(outcome: str) -> str:
    return {"succeeded": GOOD, "planned": SOFT, "partial": WARN, "stopped": WARN}.get(outcome, "red")


def _machine(machine: Document) -> RenderableType:
    grid = Table.grid(padding=(0, 2))
    grid.add_column(style=SOFT, no_wrap=True)
    grid.add_column()
    outcome = text(machine, "outcome")
    grid.add_row("machine", Text.assemble((text(machine, "name"), "bold"), " ", verdict(outcome)))
    grid.add_row("now", text(machine, "words"))
    for label, value in (
        ("recovery point", _point(part(machine, "recoveryPoint"))),
        ("measured", _measured(part(machine, "measured"))),
    ):
        if value:
            grid.add_row(label, value)
    jobs = parts(machine, "jobs")
    if jobs:
        grid.add_row("jobs", Group(*map(_job, jobs)))
    return grid


def _point(point: Document) -> str:
    if not point:
        return ""
    used = text(point, "id").rsplit("/", 1)[-1]
    return f"asked {point.get('select', '')}, used {clock_time(point.get('time')) or 'unknown'} {used}".rstrip()


def _measured(measured: Document) -> str:
    labels = {"dataLoss": "data loss", "downtime": "downtime", "recovery": "until found well"}
    known = [(label, span(duration(measured.get(name)))) for name, label in labels.items()]
    return ", ".join(f"{label} {value}" for label, value in known if value)


def _job(job: Document) -> Text:
    started, ended = instant(job.get("started")), instant(job.get("ended"))
    took = span(ended - started) if started and ended else "?"
    act = text(job, "act").replace("_", " ")
    state = text(job, "state")
    return Text.assemble(f"{act:<14}", (f" {state} ", GOOD if state == "Succeeded" else WARN), f"after {took}")


def _decision(entry: Document) -> Text:
    at = clock_time(entry.get("at"))
    judged = text(entry, "judgement")
    counted = "" if judged in {"recorded", ""} else f" ({judged}: {entry.get('why', '')})"
    words = f"{speaker(entry)}: {said(entry)} at gate {entry.get('gate')}, {at}{counted}"
    return Text.assemble((words, ""), (f"  {entry.get('comment') or ''}", SOFT))

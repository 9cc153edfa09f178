"""The demonstration: one machine comes home on simulated Azure, through both gates, before one's eyes."""

from __future__ import annotations

import json
import os
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.text import Text

from cli import evidence, showing
from cli.api import FAILED, Document, Failbacks, Problem, TroubleError, part, parts
from cli.console import CALM, SOFT, err
from cli.gates import Answerer, Person, Script
from cli.tellers import Teller
from cli.watching import Watch
from cli.when import duration, span
from cli.worlds import ROOT, Plan, Worlds, both
from domain.evidence import from_lines, verify

VAULT: Final = (
    "/subscriptions/11111111-1111-1111-1111-111111111111/resourceGroups/contoso-dr"
    "/providers/Microsoft.RecoveryServices/vaults/contoso-vault"
)
MACHINE: Final = "ContosoWin2016"
REQUESTER, APPROVER = "dana@contoso.com", "lee@contoso.com"
SPEED: Final = 120.0
# Unattended it must be over in two minutes, whatever goes wrong; a person may take longer.
OVER_WITHIN: Final = 100.0
FOLDER: Final = ROOT / "build" / "demo"
_LEFTOVERS: Final = (
    "report.json",
    "report.html",
    "evidence.jsonl",
    "state.sqlite",
    "state.sqlite-wal",
    "state.sqlite-shm",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Demo:
    """How the demonstration is held: at which speed, where it leaves its files, who answers and who tells."""

    answerer: Answerer
    teller: Callable[[Worlds], Teller]
    folder: Path = FOLDER
    speed: float = SPEED
    is_attended: bool = False


def request() -> Document:
    """Give the request of the demonstration: somebody else than the one who asks must approve."""
    return {
        "vault": VAULT,
        "machines": [MACHINE],
        "recoveryPoint": {"select": "latest"},
        "shutDownSource": True,
        # A machine that is busy with other things may miss minutes of simulated time.
        "validation": {"timeout": "PT1H"},
        "approvals": {"approvers": [APPROVER], "quorum": 1},
        "requestedBy": REQUESTER,
    }


def hold(demo: Demo, console: Console | None = None) -> Document:
    """Hold the demonstration, and give the report.

    Raises:
        TroubleError: something did not work; both worlds are stopped all the same.
    """
    console = console or err()
    _tidy(demo.folder)
    _introduce(console, demo)
    with both(Plan(folder=demo.folder, speed=demo.speed)) as worlds:
        console.print(Text(f"Azure {worlds.simulator.url} (simulated), app {worlds.host.url}", style=SOFT))
        client = Failbacks(worlds.host.url, person=REQUESTER)
        _plan(client, console)
        started = client.start(request(), uuid.uuid4().hex)
        console.print(Text(f"{REQUESTER} asks for it: run {started['id']}", style=SOFT))
        Watch(
            client=client,
            run=str(started["id"]),
            teller=demo.teller(worlds),
            clock=worlds.clock,
            answerer=demo.answerer,
            person=APPROVER,
            give_up_after=None if demo.is_attended else OVER_WITHIN,
        ).to_the_end()
        report = client.report(str(started["id"]))
        records = client.evidence(str(started["id"]))
        _keep(demo.folder, report, client.report_as(str(started["id"]), "html"), records)
    showing.report(console, report)
    files = "report.html, report.json, evidence.jsonl and the logs"
    console.print(Text(f"kept in {_short(demo.folder)}: {files}", style=SOFT))
    _judge(report)
    _attest(console, report, records)
    return report


def answerer(console: Console, *, is_attended: bool) -> Answerer:
    """Choose who answers: the person at the terminal, or the script."""
    return Person(console=console, name=APPROVER) if is_attended else Script()


def _tidy(folder: Path) -> None:
    """Remove what the last demonstration left, so that nothing old passes for new."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in _LEFTOVERS:
        (folder / name).unlink(missing_ok=True)


def _introduce(console: Console, demo: Demo) -> None:
    console.print(
        Text.assemble(
            ("failback demo", CALM), f": {MACHINE} was failed over to East US; it comes home to Central US"
        )
    )
    pace = f"one second here is {span(duration(f'PT{round(demo.speed)}S'))} there"
    console.print(
        Text(f"Azure is simulated, and so is its time: {pace}; every time shown is simulated", style=SOFT)
    )
    if not demo.is_attended:
        console.print(Text("nobody sits at a terminal: a scripted operator answers at the gates", style=SOFT))


def _plan(client: Failbacks, console: Console) -> None:
    """Show in one line what is going to happen."""
    planned = part(client.plan(request()), "plan")
    checks, acts = parts(planned, "checks"), parts(planned, "acts")
    expected = span(duration(planned.get("expected")))
    words = f"plan: checks {showing.count(checks)}; {len(acts)} acts; expected {expected}, nothing is changed yet"
    console.print(Text(words, style=SOFT))


def _keep(folder: Path, report: Document, page: str, records: str) -> None:
    (folder / "report.json").write_text(json.dumps(report, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    (folder / "report.html").write_text(page, encoding="utf-8")
    (folder / "evidence.jsonl").write_text(records, encoding="utf-8")


def _short(path: Path) -> str:
    return os.path.relpath(path) if path.is_relative_to(Path.cwd()) else str(path)


def _judge(report: Document) -> None:
    """Accept nothing less than a machine that is home and protected."""
    machine = next(iter(parts(report, "machines")), part({}, ""))
    if (
        report.get("outcome") == "succeeded"
        and machine.get("outcome") == "home"
        and machine.get("protected") is True
    ):
        return
    raise TroubleError(
        Problem(title=f"{MACHINE} is not home and protected", detail=str(report.get("words", ""))), FAILED
    )


def _attest(console: Console, report: Document, records: str) -> None:
    """Accept no evidence but what is whole, and ends as the report says."""
    head = evidence.told_head(report)
    found = verify(from_lines(records), head)
    lines = evidence.words(found, head)
    if not found.is_whole:
        raise TroubleError(Problem(title="the evidence is not whole", detail=lines[0]), FAILED)
    console.print(Text(f"evidence {lines[0]} (failback verify checks it again)", style=SOFT))

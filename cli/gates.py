"""Questions to people: what a gate shows, what each answer sets in motion, and the answer itself."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

from rich.console import Console, Group, RenderableType
from rich.panel import Panel
from rich.prompt import Prompt
from rich.rule import Rule
from rich.table import Table
from rich.text import Text

from cli.api import Document, part, parts, refuse, text, texts
from cli.console import BAD, CALM, GOOD, SOFT, WARN, verdict
from cli.when import clock_time, duration, instant, span

CHOICES: Final[Mapping[str, str]] = {
    "approve": "a",
    "changeRecoveryPoint": "c",
    "retry": "r",
    "skip": "k",
    "stop": "s",
    "delegate": "d",
}
SELECTS: Final = ("latest", "latestProcessed", "latestCrashConsistent", "latestAppConsistent", "custom")
_QUESTIONS: Final[Mapping[str, str]] = {
    "failback": "Shall it come home?",
    "commit": "Shall the failover be committed?",
    "intervention": "Something failed. What now?",
}
_WIDEST: Final = 100
_SHOWN: Final = 10
# The newest ones; whoever wants an older one names its id, or a policy.
_OFFERED: Final = 12


class Answerer(Protocol):
    """Somebody who answers a gate."""

    def __call__(self, gate: Document) -> Document | None:
        """Give the decision to send, or nothing to leave it to others."""
        ...


# -- what is shown --------------------------------------------------------------------------------------------


def picture(gate: Document) -> RenderableType:
    """Draw a gate with all that it shows: machines, findings, recovery points, and what an answer means."""
    shown, name = part(gate, "shown"), text(gate, "gate")
    rows = parts(shown, "machines")
    drawn: list[RenderableType] = []
    for row in rows[:_SHOWN]:
        drawn += [*([Rule(style=SOFT)] if drawn else []), _machine(name, row)]
    if len(rows) > _SHOWN:
        drawn.append(Text(f"and {len(rows) - _SHOWN} more machines", style=SOFT))
    drawn += [Rule(style=SOFT), *map(_note, _notes(gate, shown)), *_policy(gate)]
    title = Text.assemble(
        (f" Gate “{name}”  ", CALM), (_QUESTIONS.get(name, "A decision is asked for"), "bold"), " "
    )
    return Panel(Group(*drawn), title=title, title_align="left", border_style=CALM, padding=(1, 2), width=_WIDEST)


def _machine(gate: str, row: Document) -> RenderableType:
    grid = Table.grid(padding=(0, 2))
    grid.add_column(style=SOFT, no_wrap=True)
    grid.add_column()
    way = f"{row['from']} → {row['to']}" if row.get("from") and row.get("to") else ""
    grid.add_row("machine", Text.assemble((str(row.get("name", "")), "bold"), f"  {way}"))
    if row.get("state"):
        grid.add_row("it is", str(row["state"]))
    for label, found in _findings(gate, row):
        grid.add_row(label, found)
    return grid


def _findings(gate: str, row: Document) -> Iterator[tuple[str, RenderableType]]:
    if failure := part(row, "failure"):
        yield "failed", Text.assemble((text(failure, "what"), BAD), f"\n→ {text(failure, 'remedy')}")
    for key in ("rehearsal", "validation"):
        if found := part(row, key):
            yield key, _judged(found)
    yield from _points(gate, row)
    checks = parts(row, "checks")
    warned = [each for each in checks if text(each, "verdict") != "passed"]
    passed = len(checks) - len(warned)
    if checks:
        lines = [Text(f"{passed} passed", style=GOOD if not warned else ""), *map(_check, warned)]
        yield "checks", Group(*lines)


def _judged(found: Document) -> RenderableType:
    lines: list[RenderableType] = [verdict(text(found, "verdict"))]
    lines += [_check(each) for each in parts(found, "checks")]
    return Group(*lines)


def _check(check: Document) -> Text:
    word = text(check, "verdict")
    mark = {"passed": ("✓ ", GOOD), "failed": ("✗ ", BAD)}.get(word, ("! ", WARN))
    remedy = f"\n  → {check['remedy']}" if check.get("remedy") and word != "passed" else ""
    return Text.assemble(mark, f"{text(check, 'name')}: {text(check, 'evidence')}{remedy}")


def _points(gate: str, row: Document) -> Iterator[tuple[str, RenderableType]]:
    """Say which recovery point would be used, or was, and what is lost with it."""
    used, chosen = part(row, "usedPoint"), part(row, "point")
    if gate == "commit" and used.get("time"):
        known = clock_time(used["time"])
        yield "recovery point", Text(f"used: {known} ({text(used, 'id').rsplit('/', 1)[-1]})")
    elif refusal := part(chosen, "refusal"):
        yield "recovery point", Text(text(refusal, "what"), style=BAD)
    elif chosen:
        age = span(duration(chosen.get("age")))
        known = f"{text(chosen, 'select')}, of {clock_time(chosen.get('time')) or 'an unknown time'}"
        kind = f", {chosen['kind']}" if chosen.get("kind") and chosen.get("id") else ""
        yield "recovery point", Text(f"{known}{f', {age} old' if age else ''}{kind}")
    if loss := _loss(gate, row):
        yield "data loss", loss
    if downtime := span(duration(part(row, "measured").get("downtime"))):
        yield "downtime", Text(downtime)


def _loss(gate: str, row: Document) -> Text | None:
    measured = duration(part(row, "measured").get("dataLoss") or row.get("dataLoss"))
    if measured is not None:
        return Text(
            f"{span(measured)}: what was written in that time before the source stopped is lost", style=WARN
        )
    chosen = part(row, "point")
    if gate != "failback" or instant(chosen.get("time")) is None:
        return None
    if chosen.get("id"):
        return Text("everything written after that point is lost", style=WARN)
    return Text(
        "what was written after that point and has not been received when the failover starts is lost; "
        "“latest” first works through all that was received",
        style=WARN,
    )


def _notes(gate: Document, shown: Document) -> list[str]:
    """Give the notes, without those on answers that this gate does not take."""
    withheld = set(CHOICES) - set(texts(gate, "offers") or CHOICES)
    return [note for note in texts(shown, "notes") if note.partition(": ")[0] not in withheld]


def _note(note: str) -> RenderableType:
    choice, colon, meaning = note.partition(": ")
    if not colon or choice not in CHOICES:
        return Text(note)
    style = BAD if "cannot be undone" in meaning else ""
    return Text.assemble((choice, "bold"), ": ", (meaning, style))


def _policy(gate: Document) -> Iterator[Text]:
    policy = part(gate, "policy")
    people = ", ".join(texts(policy, "approvers")) or "anyone who is let in"
    quorum = 1 if gate.get("gate") == "intervention" else int(policy.get("quorum") or 1)
    others = "" if policy.get("requesterMayApprove", True) else ", but not whoever asked for the run"
    asked, until = instant(gate.get("askedAt")), instant(gate.get("deadline"))
    within = f"; within {span(until - asked)}, else {policy.get('onTimeout', 'stop')}" if asked and until else ""
    yield Text(f"\n{quorum} must agree of: {people}{others}{within}", style=SOFT)
    decided = [f"{speaker(each)}: {said(each)} ({each.get('judgement')})" for each in parts(gate, "decisions")]
    if decided:
        yield Text("so far: " + "; ".join(decided), style=SOFT)


def speaker(entry: Document) -> str:
    """Say who decided, and for whom as well."""
    others = " and ".join(texts(entry, "onBehalfOf"))
    return f"{entry.get('by')} for {others}" if others else str(entry.get("by"))


def said(entry: Document) -> str:
    """Say what was decided, and of a voice that was handed over, to whom."""
    return f"{entry.get('decision')} to {entry['to']}" if entry.get("to") else str(entry.get("decision"))


# -- answering ------------------------------------------------------------------------------------------------


def decision_for(gate: Document, choice: str, comment: str = "", **more: Any) -> Document:
    """Word a decision on what a gate shows now; it is bound to the hash of just that."""
    return {
        "gate": gate["gate"],
        "decision": choice,
        "comment": comment,
        "planHash": gate["planHash"],
        **{name: value for name, value in more.items() if value},
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Asks whoever sits at the terminal; `input` is where answers are typed."""

    console: Console
    name: str = ""
    input: Callable[[str], str] | None = None

    def __call__(self, gate: Document) -> Document:
        """Show the gate, ask, and give the decision."""
        self.console.print()
        self.console.print(picture(gate))
        offers = [*(texts(gate, "offers") or ["approve", "stop"]), "delegate"]
        if self.name:
            self.console.print(Text(f"You answer as {self.name}.", style=SOFT))
        choice = self._choose(offers)
        points = self._points(gate) if choice == "changeRecoveryPoint" else None
        asked = "who decides instead: a mail address, or an object id  "
        to = self._ask(asked).strip() if choice == "delegate" else ""
        return decision_for(gate, choice, self._comment(choice), recoveryPoints=points, to=to)

    def _choose(self, offers: Sequence[str]) -> str:
        keys = {CHOICES.get(offer, offer[:1]): offer for offer in offers}
        while True:
            asked = "  ".join(f"[bold]{key}[/] {offer}" for key, offer in keys.items())
            given = self._ask(f"{asked}  ").strip()
            found = keys.get(given[:1].casefold()) if len(given) <= 1 else given
            if found in offers:
                return str(found)
            self.console.print(Text("one of the letters, please", style=WARN))

    def _comment(self, choice: str) -> str:
        while True:
            given = self._ask("why (kept in the report)  ").strip()
            if given or choice not in {"skip", "delegate"}:
                return given
            self.console.print(Text(f"{choice} needs a reason", style=WARN))

    def _points(self, gate: Document) -> dict[str, Document]:
        """Ask for a point: a policy goes for every machine, one of the points listed for the only one."""
        names, rows = texts(gate, "machines"), parts(part(gate, "shown"), "machines")
        offered = parts(rows[0], "offered")[:_OFFERED] if len(names) == len(rows) == 1 else []
        for number, each in enumerate(offered, 1):
            words = f"  {number:2}  {clock_time(each.get('time'))}  {text(each, 'kind')}"
            self.console.print(Text(words, style=SOFT))
        ways = ", ".join(SELECTS[:4])
        wanted = f"{ways}, a number, or a point's id" if offered else f"{ways}, or a point's id"
        given = self._ask(f"which recovery point: {wanted}  ").strip() or "latestProcessed"
        if given.isdecimal() and 0 < int(given) <= len(offered):
            given = text(offered[int(given) - 1], "name")
        return {name: point(given) for name in names}

    def _ask(self, words: str) -> str:
        if self.input is not None:
            self.console.print(words, end="")
            return self.input("")
        return Prompt.ask(words.rstrip(), console=self.console, default="", show_default=False)


def point(given: str) -> Document:
    """Read a choice of recovery point: a policy's name, or else the id of one point."""
    known = {name.casefold(): name for name in SELECTS}
    select = known.get(given.casefold())
    if select == "custom" or not given:
        raise refuse("a custom recovery point is named by its id", "give the id itself instead of the word custom")
    return {"select": select} if select else {"select": "custom", "id": given}


class Script:
    """An operator who approves what was found well, and stops everything else; for demonstrations and CI."""

    def __call__(self, gate: Document) -> Document:
        """Read what is shown, and decide by it."""
        rows = parts(part(gate, "shown"), "machines")
        key = "rehearsal" if gate.get("gate") == "failback" else "validation"
        verdicts = [text(part(row, key), "verdict") or "not judged" for row in rows]
        found = ", ".join(f"{text(row, 'name')}: {key} {word}" for row, word in zip(rows, verdicts, strict=True))
        is_well = "approve" in texts(gate, "offers") and all(word in {"passed", "warned"} for word in verdicts)
        choice = "approve" if is_well and rows else "stop"
        return decision_for(gate, choice, f"scripted operator, having read: {found or 'nothing'}")

"""What the page of an open gate shows: the ledger's question in words and numbers, ready for a template.

Nothing is read anew here. People decide on what the question holds, for that is what its hash covers.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from pydantic import Field

from domain.approvals import GateName, folded
from domain.contract import Check, ChosenPoint, OfferedPoint, Validation, Verdict
from domain.delegation import all_names, delegations, held_by
from domain.duration import spoken
from domain.errors import Refusal
from domain.gate import Choice, Entry, Outcome, Question
from domain.journey import Measured
from domain.people import Caller
from domain.request import PointChoice, Select
from domain.tally import Ledger, voices
from domain.telling import deciders, silence
from domain.wire import Answer


class UsedPoint(Answer):
    """The recovery point that a machine was really brought up with."""

    id: str
    time: datetime | None = None


class Row(Answer):
    """One machine of the question, as `domain.showing` put it."""

    name: str
    vm_name: str = ""
    away: str = Field(default="", alias="from")
    home: str = Field(default="", alias="to")
    state: str = ""
    choice: PointChoice = PointChoice()
    checks: tuple[Check, ...] = ()
    rehearsal: Validation | None = None
    rehearsed_point: ChosenPoint | None = None
    test_vm: str | None = None
    test_network: str | None = None
    validation: Validation | None = None
    point: ChosenPoint | None = None
    used_point: UsedPoint | None = None
    measured: Measured | None = None
    failure: Refusal | None = None
    void: tuple[str, ...] = ()
    offered: tuple[OfferedPoint, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Option:
    """One answer that may be given, and what it sets in motion."""

    value: str
    label: str
    words: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """A recovery point that may be chosen instead, and how much would be lost with it."""

    name: str
    time: datetime
    kind: str
    loss: timedelta | None

    @property
    def label(self) -> str:
        """Name the point in one line, as a list of choices shows it."""
        lost = f", {spoken(self.loss)} lost" if self.loss is not None else ""
        return f"{self.time:%Y-%m-%d %H:%M} UTC, {self.kind}{lost}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """One machine that is asked about."""

    row: Row
    point: str
    point_time: str
    loss: timedelta | None
    loss_words: str
    offers: tuple[Offer, ...]
    portal: str | None
    outcome: str
    number: int

    @property
    def worst(self) -> str:
        """Say the worst of what was found, for the tag beside the name."""
        found = [each.verdict for each in (self.row.rehearsal, self.row.validation) if each]
        found += [check.verdict for check in self.row.checks]
        order = (Verdict.FAILED, Verdict.PENDING, Verdict.WARNED, Verdict.PASSED)
        if self.row.failure is not None:
            return Verdict.FAILED.value
        return next((each.value for each in order if each in found), "")

    @property
    def is_well(self) -> bool:
        """Whether nothing was found that a person must read before anything else."""
        return self.worst in {Verdict.PASSED.value, ""} and not self.row.void


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """An open gate, as its page shows it."""

    question: Question
    title: str
    lead: str
    final: str | None
    silence: str
    until: datetime
    left: timedelta
    who: str
    quorum: str
    acts: str
    overview: str
    yours: str
    gave_away: str
    options: tuple[Option, ...]
    machines: tuple[Machine, ...]
    notes: tuple[str, ...]
    said: tuple[Entry, ...]
    checks: tuple[Check, ...]

    @property
    def undecided(self) -> tuple[Machine, ...]:
        """The machines that an answer may still be about."""
        return tuple(each for each in self.machines if not each.outcome)

    @property
    def are_few(self) -> bool:
        """Whether all there is of every machine can be read one after the other."""
        return len(self.machines) <= _FEW

    def is_open(self, machine: Machine) -> bool:
        """Whether everything of a machine is shown at once: of few, or of few that are not well."""
        ailing = sum(not each.is_well for each in self.machines)
        return self.are_few or (not machine.is_well and ailing <= _AILING)

    @property
    def reason_required(self) -> bool:
        """Whether every answer needs a reason."""
        return self.question.policy.reason_required

    @property
    def can_defer(self) -> bool:
        """Whether an approval may name a later time to act at."""
        return self.question.gate in {GateName.FAILBACK, GateName.COMMIT, GateName.START}

    @property
    def can_change_point(self) -> bool:
        """Whether another recovery point may be chosen here."""
        return Choice.CHANGE_POINT in self.question.offers


_LABELS: Final[Mapping[tuple[GateName, Choice], str]] = {
    (GateName.START, Choice.APPROVE): "Approve: begin the run",
    (GateName.START, Choice.STOP): "Decline: begin nothing",
    (GateName.FAILBACK, Choice.APPROVE): "Approve: bring home",
    (GateName.FAILBACK, Choice.CHANGE_POINT): "Take another recovery point",
    (GateName.FAILBACK, Choice.STOP): "Stop: stay in the secondary region",
    (GateName.COMMIT, Choice.APPROVE): "Approve: commit",
    (GateName.COMMIT, Choice.CHANGE_POINT): "Go to another recovery point",
    (GateName.COMMIT, Choice.STOP): "Stop: leave uncommitted",
    (GateName.INTERVENTION, Choice.RETRY): "Try again",
    (GateName.INTERVENTION, Choice.SKIP): "Go on without it",
    (GateName.INTERVENTION, Choice.STOP): "Stop here",
}
# Where nothing of these machines failed, but the boot group before them did not come home.
_LABELS_OF_GROUP: Final[Mapping[Choice, str]] = {
    Choice.SKIP: "Go on with these machines all the same",
    Choice.STOP: "Stop: leave these machines where they are",
}
_HAND_OVER: Final = Option(
    value=Choice.DELEGATE.value,
    label="Hand my voice over",
    words="at this gate, for this round, somebody else decides in your place, and you no more",
)
_FINAL: Final[Mapping[GateName, str]] = {
    GateName.FAILBACK: "Once the failover runs it cannot be taken back. Until it is committed, another recovery "
    "point can still be chosen.",
    GateName.COMMIT: "Committing deletes every recovery point of these machines. There is no way back after it.",
}
# More than that nobody reads from beginning to end on a phone.
_FEW: Final = 3
_AILING: Final = 10


def asked(ledger: Ledger, portal: str, caller: Caller, now: datetime) -> Asked:
    """Put an open gate into words for somebody; `portal` is the cloud's portal, for links to test machines."""
    question = ledger.question
    rows = [Row.from_wire(each) for each in question.shown.get("machines", [])]
    notes: list[str] = question.shown.get("notes", [])
    outcomes = ledger.outcomes
    known_as = all_names(ledger.entries, folded((caller.name, caller.id, *caller.also)))
    hand_over = () if held_by(ledger.entries, known_as) else (_HAND_OVER,)
    machines = tuple(
        _machine(question, row, portal, number, outcomes.get(row.name)) for number, row in enumerate(rows)
    )
    until = question.deadline if now < question.deadline else question.closes_at
    return Asked(
        question=question,
        title=_title(question, rows),
        lead=_lead(question, rows),
        final=_FINAL.get(question.gate),
        silence=silence(question, now),
        until=until,
        left=max(until - now, timedelta(0)),
        who=deciders(question, now) or "whoever has the role",
        quorum=_quorum(ledger),
        acts=_acts(question, now),
        overview=_overview(machines),
        yours=_yours(ledger, known_as),
        gave_away=_gave_away(ledger, known_as),
        options=(*(_option(question, each, notes) for each in question.offers), *hand_over),
        machines=machines,
        notes=tuple(note for note in notes if note.split(":")[0] not in set(Choice)),
        said=ledger.recorded,
        checks=tuple(Check.from_wire(each) for each in question.shown.get("checks", [])),
    )


def _title(question: Question, rows: list[Row]) -> str:
    which = rows[0].name if len(rows) == 1 else f"these {len(rows)} machines"
    if _is_about_group(question):
        return f"The group before is not home: shall {which} come all the same?"
    return {
        GateName.START: f"Shall a run begin for {which}?",
        GateName.FAILBACK: f"Shall {which} come home?",
        GateName.COMMIT: f"Shall the failover of {which} be committed?",
        GateName.INTERVENTION: f"Something failed: what about {which}?",
    }[question.gate]


def _lead(question: Question, rows: list[Row]) -> str:
    ways = sorted({f"from {row.away} to {row.home}" for row in rows if row.away and row.home})
    way = " and ".join(ways)
    if _is_about_group(question):
        return f"The way goes {way}. Nothing of these machines has been touched yet."
    stage = str(question.shown.get("stage", "")).replace("_", " ")
    return {
        GateName.START: f"A run is proposed that brings machines {way}. Nothing has been changed yet.",
        GateName.FAILBACK: f"The failover would go {way}. Nothing of production has been changed yet.",
        GateName.COMMIT: f"Production has been failed over {way} and is not committed yet.",
        GateName.INTERVENTION: f"The step “{stage}” failed on the way {way}. "
        "What Azure said, and what would help, stands with each machine.",
    }[question.gate]


def _quorum(ledger: Ledger) -> str:
    question = ledger.question
    needed = 1 if question.gate is GateName.INTERVENTION else question.policy.quorum
    if needed == 1:
        return "one person decides"
    undecided = [name for name in question.machines if name not in ledger.outcomes]
    so_far = sorted({voices(ledger, name) for name in undecided}) or [needed]
    counted = f"{so_far[0]}" if len(so_far) == 1 else f"{so_far[0]} to {so_far[-1]} by machine"
    return f"{needed} people must approve, {counted} so far; one who stops decides at once"


def outcome_words(ledger: Ledger) -> str:
    """Say what the decisions on a gate come to so far, and what happens next."""
    asked_about, decided = ledger.question.machines, ledger.outcomes
    if len(decided) == len(asked_about):
        return "With that the gate is decided; what is approved is checked once more, and then done."
    if not decided:
        return f"The gate waits for more: {_quorum(ledger)}."
    return f"{len(decided)} of {len(asked_about)} machines are decided; the gate waits for the others."


def _acts(question: Question, now: datetime) -> str:
    """Say when what is approved is done."""
    window = question.policy.window
    if window is None or question.gate is GateName.INTERVENTION:
        return "at once, if the checks still hold"
    opening = window.opening(now)
    until = f"until {opening.end:%Y-%m-%d %H:%M} UTC"
    when = f"open now, {until}" if opening.start <= now else f"next from {opening.start:%Y-%m-%d %H:%M} {until}"
    return f"only in the maintenance window ({window.words}; {when}), if the checks still hold"


def _overview(machines: Sequence[Machine]) -> str:
    """Say how many machines are how, and which would lose most."""
    if len(machines) <= 1:
        return ""
    found = Counter(each.worst or "not judged" for each in machines)
    counted = ", ".join(f"{number} {words}" for words, number in found.most_common())
    decided = sum(bool(each.outcome) for each in machines)
    losses = [(each.loss, each.row.name) for each in machines if each.loss is not None]
    loss, name = max(losses, default=(None, ""))
    lost = f" The greatest data loss is that of {name}: {spoken(loss)}." if loss is not None else ""
    return f"{counted}; {decided} decided so far.{lost}"


def _yours(ledger: Ledger, known_as: frozenset[str]) -> str:
    """Remind somebody of whom they speak for here, and of what they said before; the last of it."""
    held = [f"You speak for {each.by} as well: “{each.comment}”." for each in held_by(ledger.entries, known_as)]
    mine = [each for each in ledger.recorded if each.known_as & known_as and each.decision is not Choice.DELEGATE]
    if not mine:
        return " ".join(held)
    about = f" for {', '.join(mine[-1].machines[:_FEW])}" if mine[-1].machines else ""
    said = f"You said “{mine[-1].decision.value}”{about} at {mine[-1].at:%Y-%m-%d %H:%M} UTC, and it stands."
    return " ".join((*held, said, "You may still answer otherwise; one who stops decides at once."))


def _gave_away(ledger: Ledger, known_as: frozenset[str]) -> str:
    """Say to whom somebody handed their voice, if they did."""
    given = next((each.to for each in delegations(ledger.entries) if each.known_as & known_as), None)
    return f"You handed your voice to {given}, who decides in your place." if given else ""


def _is_about_group(question: Question) -> bool:
    """Tell whether people are asked about a group whose turn it is, and not about something that failed in it."""
    return question.gate is GateName.INTERVENTION and "stage" not in question.shown


def _option(question: Question, choice: Choice, notes: list[str]) -> Option:
    said = dict(note.split(": ", 1) for note in notes if ": " in note)
    label = _LABELS_OF_GROUP[choice] if _is_about_group(question) else _LABELS[question.gate, choice]
    return Option(value=choice.value, label=label, words=said.get(choice.value, ""))


def _machine(question: Question, row: Row, portal: str, number: int, outcome: Outcome | None) -> Machine:
    until = _lost_until(question, row)
    loss, words = _loss(row)
    return Machine(
        row=row,
        point=_point(question, row),
        point_time="Its time" if row.point and row.point.id else "The newest now",
        loss=loss,
        loss_words=words,
        offers=tuple(_offer(each, until) for each in row.offered),
        portal=f"{portal}/#resource{row.test_vm}" if row.test_vm and row.test_vm.startswith("/") else None,
        outcome=f"decided: {outcome.decision.value}, by {', '.join(outcome.by)}" if outcome else "",
        number=number,
    )


def _offer(point: OfferedPoint, until: datetime | None) -> Offer:
    return Offer(name=point.name, time=point.time, kind=point.kind, loss=until - point.time if until else None)


def _point(question: Question, row: Row) -> str:
    if question.gate is GateName.COMMIT and row.used_point is not None:
        return "the point the machine runs on now"
    if row.point is None:
        return "none was chosen yet"
    if row.point.refusal is not None:
        return row.point.refusal.what
    if row.choice.select is Select.LATEST and row.point.id is None:
        return "latest: the service takes its newest when the failover starts"
    return f"{row.choice.select.value}: this very point"


def _lost_until(question: Question, row: Row) -> datetime | None:
    """Give the moment up to which data would be lost: when the source stopped, or while it runs, now."""
    if row.used_point is None:
        return question.asked_at
    used, measured = row.used_point.time, row.measured
    if used is None or measured is None or measured.data_loss is None:
        return None
    return used + measured.data_loss


def _loss(row: Row) -> tuple[timedelta | None, str]:
    if row.used_point is not None:
        loss = row.measured.data_loss if row.measured else None
        return loss, "measured" if loss is not None else "the service does not tell the point's time"
    if row.point is None or row.point.age is None:
        return None, "no recovery point is known"
    if row.point.id is None:
        return row.point.age, "at most, if it failed over when this was asked; less once the source is shut down"
    return row.point.age, "if it failed over when this was asked; it grows until then"


def portal_of(cloud: Any) -> str:
    """Give the Azure portal of a cloud."""
    return _PORTALS[str(cloud)]


# Portals as in the Azure CLI's cloud endpoints (az cloud show, endpoints.portal).
_PORTALS: Final[Mapping[str, str]] = {
    "AzureCloud": "https://portal.azure.com",
    "AzureUSGovernment": "https://portal.azure.us",
    "AzureChinaCloud": "https://portal.azure.cn",
}

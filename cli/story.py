"""What happens in a run, told from one look at it to the next: the runbook's steps, and what is new in them.

A story is made of the app's answers alone. It draws nothing: live.py and plain.py do.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final

from cli.api import Document, part, parts, text
from cli.when import instant, span

# Of more machines than this, only ends are told one by one.
FEW: Final = 12


class State(StrEnum):
    """Where a step of the runbook stands."""

    AHEAD = "ahead"
    NOW = "now"
    DONE = "done"
    HALTED = "halted"
    PASSED = "passed"


@dataclass(slots=True, kw_only=True)
class Step:
    """One step of the runbook, in this run."""

    number: int
    name: str
    about: str
    state: State = State.AHEAD
    words: str = ""
    began: datetime | None = None
    ended: datetime | None = None

    def took(self, now: datetime) -> timedelta | None:
        """Say how long this step has been going on, or went on."""
        return (self.ended or now) - self.began if self.began else None


_RUNBOOK: Final = (
    ("Look", "find each machine, check that it may come home"),
    ("Hold", "take each machine's lock"),
    ("Rehearse", "test failover to an isolated network"),
    ("Ask", "shall it come home?"),
    ("Clean up", "remove the rehearsal"),
    ("Move", "fail over to the primary region"),
    ("Ask", "shall it be committed?"),
    ("Settle", "commit, re-protect, wait until protected"),
    ("Report", "what happened, measured"),
)
_STEP_OF: Final[Mapping[str, int]] = {
    "look": 1,
    "hold": 2,
    "prepare": 3,
    "rehearse": 3,
    "clean_up": 5,
    "move": 6,
    "change_point": 7,
    "commit": 8,
    "protect": 8,
    "report": 9,
    "done": 9,
}
_PER_CENT: Final = re.compile(r"\((\d+) %\)")
# Steps that no run leaves out.
_ALWAYS: Final = 2
_ASKS_AT: Final[Mapping[str, int]] = {"failback": 4, "commit": 7}


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One thing that is new: in which step, about which machine, and how loud."""

    step: Step | None
    text: str
    machine: str = ""
    is_heading: bool = False
    is_loud: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """The Site Recovery job that a machine waits for."""

    id: str
    act: str
    task: str
    started: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """One machine as it was last seen."""

    name: str
    words: str
    status: str
    stage: str = ""
    job: Job | None = None


@dataclass(slots=True)
class Story:
    """One run as it has been told so far; `status` is the app's last answer."""

    steps: list[Step] = field(
        default_factory=lambda: [
            Step(number=number, name=name, about=about) for number, (name, about) in enumerate(_RUNBOOK, start=1)
        ]
    )
    machines: dict[str, Machine] = field(default_factory=dict[str, Machine])
    status: Document = field(default_factory=dict[str, Any])
    began: datetime | None = None
    _group: int = 0
    _blind: str = ""

    @property
    def now(self) -> Step | None:
        """The step that the run is in."""
        return next((step for step in self.steps if step.state in {State.NOW, State.HALTED}), None)

    @property
    def is_over(self) -> bool:
        """Whether the run has ended."""
        return self.status.get("outcome") is not None

    def hear(self, status: Document, now: datetime) -> list[Line]:
        """Take in an answer, and say what is new since the last one."""
        self.began = self.began or now
        self.status = status
        return [*self._groups(), *self._steps(now), *self._sight(), *self._machines(), *self._end(now)]

    def note(self, text: str, *, loud: bool = False) -> Line:
        """Word something that the run itself does not tell."""
        return Line(step=self.now, text=text, is_loud=loud)

    def _groups(self) -> Iterator[Line]:
        group, groups = int(self.status.get("group") or 0), int(self.status.get("groups") or 0)
        if group != self._group and groups > 1:
            yield Line(step=None, text=f"group {group} of {groups}", is_heading=True)
        self._group = group

    def _steps(self, now: datetime) -> Iterator[Line]:
        number, before = _step_number(self.status, self.now), self.now
        step, words = self.steps[number - 1], text(self.status, "words")
        if before is not step:
            yield from self._left(before, now)
            for each in self.steps:
                if each.number < number and each.state is State.AHEAD:
                    yield from self._missed(each, was_seen=before is not None)
                elif each.number > number and each.state in {State.DONE, State.PASSED}:
                    each.state, each.words, each.began, each.ended = State.AHEAD, "", None, None
            step.began, step.ended = now, None
        step.state = State.HALTED if _is_halted(self.status) else State.NOW
        if (before is not step or words != step.words) and not self.is_over:
            step.words = words
            yield Line(step=step, text=words, is_heading=True, is_loud=step.state is State.HALTED)

    def _missed(self, step: Step, *, was_seen: bool) -> Iterator[Line]:
        """Every run looks and holds, however fast; others are passed over, or came before we looked."""
        step.state = State.DONE if step.number <= _ALWAYS else State.PASSED
        if step.state is State.DONE:
            yield Line(step=step, text=f"done: {step.about}", is_heading=True)
        else:
            step.words = "not in this run" if was_seen else "before we looked"

    def _left(self, step: Step | None, now: datetime) -> Iterator[Line]:
        if step is None:
            return
        step.state, step.ended = State.DONE, now
        yield Line(step=step, text=f"done after {span(step.took(now))}")

    def _sight(self) -> Iterator[Line]:
        blind = text(self.status, "blind")
        if blind and not self._blind:
            yield self.note(f"Azure does not answer; jobs go on meanwhile: {blind}", loud=True)
        elif self._blind and not blind:
            yield self.note("Azure answers again")
        self._blind = blind

    def _machines(self) -> Iterator[Line]:
        listed = parts(self.status, "machines")
        for document in listed:
            machine = _machine(document)
            before = self.machines.get(machine.name)
            if _is_older(self.status, before, machine):
                continue
            self.machines[machine.name] = machine
            if _is_news(before, machine, many=len(listed) > FEW):
                yield Line(step=self.now, machine=machine.name, text=_told(before, machine))

    def _end(self, now: datetime) -> Iterator[Line]:
        if not self.is_over or self.now is None:
            return
        last = self.now
        last.state, last.ended = State.DONE, now
        last.words = text(self.status, "words")
        yield Line(step=last, text=last.words, is_heading=True)


def gate_of(status: Document) -> Document | None:
    """Give the gate that is open now."""
    gates = parts(status, "gates")
    return gates[-1] if gates else None


def _step_number(status: Document, now: Step | None) -> int:
    """Find the runbook's step; asking is step 4 or 7, and an intervention belongs to the step that failed."""
    phase = str(status.get("phase") or "look")
    if phase in _STEP_OF:
        return _STEP_OF[phase]
    here = now.number if now else 1
    gate = gate_of(status)
    if gate is not None:
        return _ASKS_AT.get(str(gate.get("gate")), here)
    # The gate is being opened or was just closed: its words come before its question.
    return 7 if "commit" in text(status, "words") else here if "failure" in text(status, "words") else 4


def _is_halted(status: Document) -> bool:
    gate = gate_of(status)
    return gate is not None and gate.get("gate") == "intervention"


def _machine(document: Document) -> Machine:
    job = part(document, "job")
    return Machine(
        name=text(document, "name"),
        words=text(document, "words"),
        status=text(document, "status"),
        stage=text(document, "stage"),
        job=Job(
            id=text(job, "id").rsplit("/", 1)[-1],
            act=text(job, "act").replace("_", " "),
            task=text(job, "task"),
            started=instant(job.get("started")),
        )
        if job
        else None,
    )


def _is_older(status: Document, before: Machine | None, machine: Machine) -> bool:
    """Tell whether this is what the run remembers from before its present stage, which told more already.

    A stage begins anew every few looks, and for a moment shows nothing of its own.
    """
    return before is not None and bool(before.stage) and not machine.stage and before.stage == status.get("phase")


def _coarse(words: str) -> str:
    """Leave out of words what moves without being news: a copy is told by quarters."""
    return _PER_CENT.sub(lambda found: f"({int(found[1]) // 25})", words)


def _is_news(before: Machine | None, machine: Machine, *, many: bool) -> bool:
    if many:
        return before is not None and before.status != machine.status and machine.status in {"failed", "stopped"}
    return bool(machine.words) and (before is None or _coarse(before.words) != _coarse(machine.words))


def _told(before: Machine | None, machine: Machine) -> str:
    """Word where a machine is; a job is named once, when it is first seen."""
    known = before.job.id if before and before.job else None
    if machine.job is None or machine.job.id == known:
        return machine.words
    return f"{machine.words} [job {machine.job.id}]"

"""Following a run to its end, and answering its gates on the way."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Final

from cli.api import FAILED, UNREACHABLE, Document, Failbacks, Problem, TroubleError
from cli.gates import Answerer
from cli.story import Story, gate_of
from cli.tellers import Teller
from cli.when import Clock

# A run goes on without whoever watches it; an app that is being deployed is away for a minute or two.
PATIENCE: Final = 180.0
EVERY_NEAR, EVERY_FAR = 0.3, 2.0
"""Seconds from one look to the next, at an app on this machine and at a deployed one."""

_BREATH: Final = 0.1

# Ends that were asked for.
GOOD_ENDS: Final = frozenset({"succeeded", "planned"})


@dataclass(slots=True, kw_only=True)
class Watch:
    """One run being watched: by which client, told by whom, answered by whom, until when."""

    client: Failbacks
    run: str
    teller: Teller
    clock: Clock
    answerer: Answerer | None = None
    person: str | None = None
    every: float | None = None
    patience: float = PATIENCE
    give_up_after: float | None = None
    story: Story = field(default_factory=Story)
    _answered: set[str] = field(default_factory=set[str])

    def to_the_end(self) -> Document:
        """Follow the run until it has an outcome, and give its last status.

        Raises:
            TroubleError: the app stays silent for longer than patience lasts, or time is up.
        """
        began = time.monotonic()
        with self.teller:
            while True:
                status = self._look()
                self.teller.tell(self.story, self.story.hear(status, self.clock.now()))
                if self.story.is_over:
                    return status
                self._answer(status)
                if self.give_up_after is not None and time.monotonic() - began > self.give_up_after:
                    words = f"{status.get('phase')}: {status.get('words')}"
                    raise TroubleError(Problem(title="the run takes too long", detail=words), FAILED)
                time.sleep(self._rhythm)

    @property
    def _rhythm(self) -> float:
        return self.every if self.every is not None else EVERY_NEAR if self.client.is_local else EVERY_FAR

    def _look(self) -> Document:
        """Ask until there is an answer; silence is told once, and patience is for a run that was seen."""
        silent_since: float | None = None
        while True:
            try:
                status = self.client.run(self.run, tries=1)
            except TroubleError as trouble:
                if trouble.exit_code != UNREACHABLE or not self.story.status:
                    raise
                now = time.monotonic()
                if silent_since is None:
                    silent_since = now
                    self._note(f"{trouble.problem.title}; the run goes on without us, asking again")
                if now - silent_since > self.patience:
                    raise
                time.sleep(max(self._rhythm, _BREATH))
            else:
                if silent_since is not None:
                    self._note("it answers again", loud=False)
                return status

    def _answer(self, status: Document) -> None:
        """Put an open gate to whoever answers, once for each thing that is asked."""
        gate = gate_of(status)
        if gate is None or self.answerer is None or gate.get("planHash") in self._answered:
            return
        with self.teller.aside():
            decision = self.answerer(gate)
        if decision is None:
            self._answered.add(str(gate["planHash"]))
            return
        try:
            self.client.decide(self.run, decision, self.person)
        except TroubleError as trouble:
            self._note(f"{trouble.problem.title}: {trouble.problem.detail}")
            if trouble.exit_code == UNREACHABLE:
                # Whether it counted shows at the next look: a gate that is still open asks again.
                return
        else:
            who = self.person or "the answer"
            self._note(f"{who}: {decision['decision']} ({decision['comment'] or 'no comment'})", loud=False)
        self._answered.add(str(gate["planHash"]))

    def _note(self, text: str, *, loud: bool = True) -> None:
        self.teller.tell(self.story, [self.story.note(text, loud=loud)])

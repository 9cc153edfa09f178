"""A run under way: its plan, its journeys, and the steps of the runbook as verbs.

A trip lives inside one orchestrator and is rebuilt by every replay; it holds nothing that history does not.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import suppress
from datetime import timedelta
from typing import Any, Final

from domain import contract, report, status, telling
from domain.approvals import GateName
from domain.drills import Diary, readiness
from domain.errors import Refusal
from domain.evidence import RecordKind
from domain.gate import Entry
from domain.journey import Journey
from domain.notices import Delivery, DeliveryStatus, Notice, Tidings
from domain.planning import Plan, refused_plan
from domain.request import FailbackRequest, Mode
from orchestrators import steps
from orchestrators.context import Context, Runbook
from orchestrators.hold import LOCKS_AT_ONCE, Hold, Holders
from orchestrators.memory import Memory
from orchestrators.recorder import Recorder


class Trip:
    """One run, as its orchestrator sees it."""

    def __init__(self, context: Context) -> None:
        self.context = context
        self.run = context.instance_id
        self.plan_hash = ""
        self.request = FailbackRequest.from_wire(context.get_input())
        self.started = context.current_utc_datetime
        self.plan = refused_plan(self.request, self.started, _NOT_PLANNED)
        self.journeys: dict[str, Journey] = {}
        self.decisions: list[Entry] = []
        self.cancelled: str | None = None
        self.withdrawn: str | None = None
        self.heralds: list[str] = []
        self.recorder = Recorder(context, self.run)
        self.waited = timedelta(0)
        self._passes = 0
        self.rounds: dict[GateName, int] = {}
        self._group = 0
        self._begun = False
        self._told: dict[str, tuple[Delivery, ...]] = {}

    @property
    def ended_early(self) -> str | None:
        """Say why people ended the run before its time, if they did."""
        if self.cancelled is not None:
            return f"the run was cancelled: {self.cancelled}"
        return None if self.withdrawn is None else f"the proposal was withdrawn: {self.withdrawn}"

    # -- from group to group ----------------------------------------------------------------------------------

    @property
    def generation(self) -> int:
        """How many boot groups lie behind this run."""
        return self.request.generation or 0

    def recall(self) -> Runbook[None]:
        """Know again what was known after the group before."""
        kept = yield from steps.ask_entity(self.context, contract.RUN_MEMORY, self.run, "read")
        memory = Memory.from_wire(kept)
        self.plan, self.plan_hash, self.started = memory.plan, memory.plan_hash, memory.started
        self.journeys = {each.name: each for each in memory.journeys}
        self.decisions, self.rounds = list(memory.decisions), dict(memory.rounds)
        self.waited, self.cancelled, self._passes = memory.waited, memory.cancelled, memory.passes
        self.heralds, self._told = list(memory.heralds), dict(memory.told)
        self.recorder = Recorder(self.context, self.run, memory.kept)
        self._begun = True

    def go_on_anew(self) -> Runbook[None]:
        """Begin anew for the next group, with an empty history and all that is known."""
        memory = Memory(
            plan=self.plan,
            plan_hash=self.plan_hash,
            journeys=tuple(self.journeys.values()),
            decisions=tuple(self.decisions),
            rounds=self.rounds,
            passes=self._passes,
            started=self.started,
            waited=self.waited,
            cancelled=self.cancelled,
            heralds=tuple(self.heralds),
            told=self._told,
            kept=self.recorder.kept,
        )
        yield from steps.ask_entity(self.context, contract.RUN_MEMORY, self.run, "keep", memory.to_wire())
        self.context.continue_as_new(self.request.having(generation=self.generation + 1).to_wire())

    def forget(self) -> Runbook[None]:
        """Leave nothing behind of what was known between groups."""
        if self.generation > 0:
            yield from steps.ask_entity(self.context, contract.RUN_MEMORY, self.run, "forget")

    # -- looking and holding ----------------------------------------------------------------------------------

    def look(self) -> Runbook[Plan]:
        """Plan the run; a vault that stays silent refuses it."""
        self.show("look", "looking at every machine, changing nothing")
        try:
            self.plan = yield from steps.call(self.context, contract.MAKE_PLAN, self.request, Plan)
        except Exception as error:  # noqa: BLE001 - types do not survive the wire; whatever it was, nothing was changed
            refusal = steps.unreachable("the plan could not be made", error)
            self.plan = refused_plan(self.request, self.context.current_utc_datetime, refusal)
        yield from self._ask_for_drills()
        self.plan_hash = self.plan.hash
        self.journeys = {
            each.name: Journey(subject=each, item_id=each.item_id, point=self.plan.points.get(each.name))
            for each in self.plan.subjects
        }
        return self.plan

    def _ask_for_drills(self) -> Runbook[None]:
        """Add to the plan when each machine was last rehearsed well, where somebody wants to know."""
        age, now = self.plan.drill_age, self.context.current_utc_datetime
        if age is None or self.request.mode is Mode.DRILL:
            return
        key = contract.lock_key(self.request.vault, "drills")
        known = yield from steps.ask_entity(self.context, contract.DRILL_DIARY, key, "read")
        found = readiness([each.name for each in self.plan.subjects], Diary.from_wire(known), now, age)
        self.plan = self.plan.having(checks=(*self.plan.checks, *found))

    def hold(self) -> Runbook[tuple[Refusal, ...]]:
        """Take every machine's lock, or give all back and name who holds which."""
        self.show("hold", "taking the machines' locks")
        names = self.travelling(self.journeys)
        holders = yield from self._locks("take", names)
        held = dict(zip(names, holders, strict=True))
        others = {name: holder for name, holder in held.items() if holder != self.run}
        if others:
            yield from self._locks("release", [name for name in names if name not in others])
        return tuple(
            Refusal(
                code="MachineHeld",
                what=f"run {holder} holds this machine",
                remedy="wait for that run to end, or cancel it",
                about=name,
                correlation=holder,
            )
            for name, holder in others.items()
        )

    def begin(self) -> Runbook[None]:
        """Put the run on the list of runs, now that it has begun, and its request and plan on record."""
        if self._begun:
            return
        self._begun = True
        yield from steps.ask_entity(self.context, contract.RUN_REGISTER, "all", "add", {"id": self.run})
        yield from self.record(RecordKind.REQUEST, self.request.to_wire())
        yield from self.record(RecordKind.PLAN, self.plan.to_wire())

    def release(self) -> Runbook[None]:
        """Give every lock back."""
        yield from self._locks("release", list(self.journeys))

    def _locks(self, operation: str, names: Sequence[str]) -> Runbook[list[str | None]]:
        """Ask the machines' locks the same, so many at a time; answers who holds each."""
        keys = [contract.lock_key(self.request.vault, name) for name in names]
        tasks = [
            self.context.call_sub_orchestrator(
                contract.HOLD,
                Hold(run=self.run, operation=operation, keys=part).to_wire(),
                f"{self.run}:{operation}-{number}",
            )
            for number, part in enumerate(steps.parts(keys, LOCKS_AT_ONCE), start=1)
        ]
        answers: list[Any] = (yield self.context.task_all(tasks)) if tasks else []
        return [holder for answer in answers for holder in Holders.from_wire(answer).holders]

    def travelling(self, names: Iterable[str]) -> list[str]:
        """Give those of some machines that still go on."""
        return [name for name in names if self.journeys[name].is_travelling]

    def break_off(self, error: Exception) -> None:
        """End every journey for a defect of ours, so that the report tells of it."""
        refusal = Refusal(
            code="RunBroke",
            what=f"the run itself failed: {steps.first_line(error)}",
            remedy="this is a defect: report it; a new run takes the machines from where they stand",
        )
        for name in self.travelling(self.journeys):
            self.journeys[name] = self.journeys[name].having(failure=refusal).failed()

    def next_child(self, what: str) -> str:
        """Name the next child of this run; its id tells an operator what it does."""
        self._passes += 1
        return f"{self.run}:{self._passes}-{what}"

    def fail(self, names: Iterable[str]) -> None:
        """End the journeys of machines that failed."""
        for name in names:
            self.journeys[name] = self.journeys[name].failed()

    def note(self, name: str, **changes: Any) -> None:
        """Remember something of one machine's journey."""
        self.journeys[name] = self.journeys[name].having(**changes)

    # -- remembering and telling -------------------------------------------------------------------------------

    def record(self, kind: RecordKind, body: dict[str, Any]) -> Runbook[None]:
        """Put something on record for those who ask later."""
        yield from self.recorder.record(kind, body)

    def hear(self) -> Runbook[None]:
        """Ask what became of the notices; those that were settled before are not asked about again."""
        trying = {DeliveryStatus.TRYING}
        settled = {name for name, told in self._told.items() if not trying & {each.status for each in told}}
        open_ones = [name for name in self.heralds if name not in settled][-HERALDS_HEARD:]
        for name in open_ones:
            self._told.setdefault(name, ())
        if not open_ones:
            return
        with suppress(Exception):
            asked = contract.Errands(names=tuple(open_ones))
            heard = yield from steps.call(self.context, contract.ASK_HERALDS, asked, Tidings)
            self._told |= heard.told

    @property
    def deliveries(self) -> tuple[Delivery, ...]:
        """What became of every notice, as far as it is known."""
        return tuple(each for told in self._told.values() for each in told)

    def show(self, phase: str, words: str, **more: Any) -> None:
        """Say where the run is, in words an operator would use."""
        groups = len(self.plan.groups)
        shown = {
            "phase": phase,
            "words": words,
            "mode": self.request.mode.value,
            "planHash": self.plan_hash,
            "group": self._group,
            "groups": groups,
            "startedAt": f"{self.started:%FT%TZ}",
            "machines": status.of_journeys(self.journeys.values()),
            **({"untold": untold} if (untold := status.untold(self.deliveries)) else {}),
            **more,
        }
        self.context.set_custom_status(status.fit(shown))

    def enter_group(self, number: int) -> None:
        """Begin with the next boot group."""
        self._group = number

    def refused(self, refusals: Iterable[Refusal]) -> dict[str, Any]:
        """Report that the run must not start."""
        self.show("done", "refused, nothing was changed")
        now = self.context.current_utc_datetime
        return report.refusal_report(self.run, self.plan, refusals, self.started, now).to_wire()

    def planned(self) -> dict[str, Any]:
        """Report the plan alone."""
        self.show("done", "planned, nothing was changed")
        return report.plan_report(self.run, self.plan, self.started, self.context.current_utc_datetime).to_wire()

    def reported(self) -> Runbook[dict[str, Any]]:
        """Report what the run did, put that on record, and tell people."""
        yield from self.forget()
        yield from self.hear()
        control = yield from steps.control(self.context, self.run)
        made = report.make_report(
            run=self.run,
            plan=self.plan,
            journeys=list(self.journeys.values()),
            decisions=self.decisions,
            started=self.started,
            ended=self.context.current_utc_datetime,
            waited=self.waited,
            cancelled=self.cancelled,
            withdrawn=self.withdrawn,
        ).having(notices=self.deliveries, pauses=control.pauses)
        yield from self.record(RecordKind.REPORT, made.to_wire())
        made = made.having(evidence=self.recorder.kept)
        yield from steps.tell(self.context, self._last_words(made))
        self.show("done", made.words)
        return made.to_wire()

    def _last_words(self, made: report.Report) -> Notice:
        if self.withdrawn is not None:
            return telling.withdrawn(self.run, self.withdrawn, made.ended)
        return telling.run_ended(made)


# Reminders of weeks add up; so many of the newest notices are asked about at once.
HERALDS_HEARD: Final = 200
_NOT_PLANNED: Final = Refusal(code="NotPlanned", what="the plan was not made yet", remedy="wait")

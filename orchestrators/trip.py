"""A run under way: its plan, its journeys, and the steps of the runbook as verbs.

A trip lives inside one orchestrator and is rebuilt by every replay; it holds nothing that history does not.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from typing import Any, Final

from domain import contract, report, showing, status
from domain.contract import (
    ChosenPoint,
    ChosenPoints,
    FailbackRequest,
    Look,
    OnTimeout,
    PointChoice,
    PointsRequest,
    Select,
)
from domain.errors import Refusal, bounded
from domain.gate import HELD_AT_MOST, OFFERS, Choice, Entry, GateName, Outcome, Question, silence_of
from domain.journey import Journey, Skipped
from domain.leg import DUE, Leg, LegStatus, StageName, Task
from domain.lifecycle import Act
from domain.planning import Plan, refused_plan
from domain.stage import begin
from orchestrators import steps
from orchestrators.context import Context, Runbook
from orchestrators.gate import GateResult, Vigil
from orchestrators.stage import Passage, StageResult

# A failed stage of these kinds may be left out: the machine can go on without it.
SKIPPABLE: Final = frozenset({StageName.REHEARSE, StageName.CLEAN_UP, StageName.CHANGE_POINT, StageName.PROTECT})
# These stages bring a machine to a recovery point.
_TAKES_POINT: Final = frozenset({StageName.REHEARSE, StageName.MOVE, StageName.CHANGE_POINT})


class Trip:
    """One run, as its orchestrator sees it."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self.run = context.instance_id
        self._plan_hash = ""
        self.request = FailbackRequest.from_wire(context.get_input())
        self.started = context.current_utc_datetime
        self.plan = refused_plan(self.request, self.started, _NOT_PLANNED)
        self.journeys: dict[str, Journey] = {}
        self.decisions: list[Entry] = []
        self.cancelled: str | None = None
        self.waited = timedelta(0)
        self._passes = 0
        self._rounds: dict[GateName, int] = {}
        self._group = 0

    # -- looking and holding ----------------------------------------------------------------------------------

    def look(self) -> Runbook[Plan]:
        """Plan the run; a vault that stays silent refuses it."""
        self.show("look", "looking at every machine, changing nothing")
        try:
            self.plan = yield from steps.call(self._context, contract.MAKE_PLAN, self.request, Plan)
        except Exception as error:  # noqa: BLE001 - types do not survive the wire; whatever it was, nothing was changed
            refusal = _unreachable("the plan could not be made", error)
            self.plan = refused_plan(self.request, self._context.current_utc_datetime, refusal)
        self._plan_hash = self.plan.hash
        self.journeys = {
            each.name: Journey(subject=each, item_id=each.item_id, point=self.plan.points.get(each.name))
            for each in self.plan.subjects
        }
        return self.plan

    def hold(self) -> Runbook[tuple[Refusal, ...]]:
        """Take every machine's lock, or give all back and name who holds which."""
        self.show("hold", "taking the machines' locks")
        names = list(self.journeys)
        answers = yield from self._locks("take", names)
        held = {name: answer["holder"] for name, answer in zip(names, answers, strict=True)}
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

    def register(self) -> Runbook[None]:
        """Put the run on the list of runs, now that it has begun."""
        yield from steps.ask_entity(self._context, contract.RUN_REGISTER, "all", "add", {"id": self.run})

    def release(self) -> Runbook[None]:
        """Give every lock back."""
        yield from self._locks("release", list(self.journeys))

    def _locks(self, operation: str, names: Sequence[str]) -> Runbook[list[dict[str, str]]]:
        keys = [contract.lock_key(self.request.vault, name) for name in names]
        answers = yield from steps.ask_entities(
            self._context, contract.MACHINE_LOCK, keys, operation, {"run": self.run}
        )
        return answers

    # -- carrying ---------------------------------------------------------------------------------------------

    def travelling(self, names: Iterable[str]) -> list[str]:
        """Give those of some machines that still go on."""
        return [name for name in names if self.journeys[name].is_travelling]

    def carry(self, stage: StageName, names: Sequence[str], forbidden: tuple[Act, ...] = ()) -> Runbook[None]:
        """Carry machines through a stage; for those that fail, ask what to do, until each has an end."""
        left = list(names)
        while left:
            points = yield from self._points(stage, left)
            legs = yield from self._pass(stage, left, points, forbidden)
            for leg in legs:
                self._arrive(stage, leg)
            failed = [leg.subject.name for leg in legs if leg.status is LegStatus.FAILED]
            left = yield from self._intervene(stage, failed)

    def _points(self, stage: StageName, names: Sequence[str]) -> Runbook[dict[str, ChosenPoint]]:
        """Resolve the recovery points that a stage needs, just before it."""
        if stage not in _TAKES_POINT:
            return {}
        choices = {name: self._choice(stage, name) for name in names}
        wanted = {name: choice for name, choice in choices.items() if _is_ours_to_choose(choice)}
        points = yield from self.choose(wanted)
        for name in names:
            if stage is StageName.REHEARSE:
                self._note(name, rehearsed_point=points.get(name))
            elif name in points:
                self._note(name, point=points[name])
        return points

    def _choice(self, stage: StageName, name: str) -> PointChoice:
        journey = self.journeys[name]
        if stage is StageName.REHEARSE:
            return journey.subject.test_point
        if stage is StageName.MOVE:
            return _approved_point(journey)
        choice = journey.subject.point
        # Going back to "latest" has no form of its own on the wire: it means the newest point there is.
        return choice.having(select=Select.LATEST_PROCESSED) if choice.select is Select.LATEST else choice

    def choose(self, choices: Mapping[str, PointChoice]) -> Runbook[dict[str, ChosenPoint]]:
        """Find out which recovery points some choices mean now."""
        if not choices:
            return {}
        request = PointsRequest(
            vault=self.request.vault,
            items={name: self.journeys[name].item_id for name in choices},
            choices=dict(choices),
        )
        try:
            chosen = yield from steps.call(self._context, contract.CHOOSE_POINTS, request, ChosenPoints)
        except Exception as error:  # noqa: BLE001 - types do not survive the wire; without a point nothing is started
            refusal = _unreachable("the recovery points could not be read", error)
            return {name: ChosenPoint(select=each.select, refusal=refusal) for name, each in choices.items()}
        return chosen.points

    def choose_for_failover(self, names: Sequence[str]) -> Runbook[None]:
        """Find the recovery points that would be used now, to show them."""
        points = yield from self.choose({name: self.journeys[name].subject.point for name in names})
        for name, point in points.items():
            self._note(name, point=point)

    def lost_their_point(self, names: Sequence[str]) -> Runbook[list[str]]:
        """Find the machines whose approved recovery point was pruned meanwhile; their approval is void."""
        approved = {name: _approved_point(self.journeys[name]) for name in names}
        fixed = {name: choice for name, choice in approved.items() if choice.select is Select.CUSTOM}
        points = yield from self.choose(fixed)
        lost = [name for name, point in points.items() if point.refusal and point.refusal.code in _PRUNED]
        for name in lost:
            self._note(name, approved=False, point=None)
        return lost

    def may_go_on(self, names: Sequence[str]) -> Runbook[None]:
        """Ask whether a group may move although the one before it did not wholly come home."""
        done = [journey for journey in self.journeys.values() if journey.name not in names and journey.jobs]
        astray = [each.name for each in done if not each.is_home(protected=False)]
        if not astray or self.cancelled is not None:
            return
        notes = [
            f"the group before did not wholly come home: {', '.join(astray[:20])}",
            "skip: goes on with this group all the same; the reason is kept in the report",
            "stop: leaves this group where it is",
        ]
        rows = [showing.row(self.plan, self.journeys[name]) for name in names]
        shown = {"machines": rows, "notes": notes}
        result = yield from self._vigil(GateName.INTERVENTION, names, (Choice.SKIP, Choice.STOP), shown)
        for name in names:
            if _decided(result, name) is not Choice.SKIP:
                self.journeys[name] = self.journeys[name].stopped("stopped: the group before is not home")

    def break_off(self, error: Exception) -> None:
        """End every journey for a defect of ours, so that the report tells of it."""
        refusal = Refusal(
            code="RunBroke",
            what=f"the run itself failed: {_first_line(error)}",
            remedy="this is a defect: report it; a new run takes the machines from where they stand",
        )
        for name in self.travelling(self.journeys):
            self.journeys[name] = self.journeys[name].having(failure=refusal).failed()

    def _pass(
        self,
        stage: StageName,
        names: Sequence[str],
        points: Mapping[str, ChosenPoint],
        forbidden: tuple[Act, ...],
    ) -> Runbook[list[Leg]]:
        """Send machines through a stage once; those without a recovery point fail at its door."""
        ready = [name for name in names if not (name in points and points[name].refusal)]
        refused = [
            leg.having(status=LegStatus.FAILED, failure=point.refusal, words=point.refusal.what)
            for leg in self._begin([name for name in names if name not in ready])
            if (point := points[leg.subject.name]).refusal
        ]
        if not ready:
            return refused
        occasion = self._next(stage.value)
        ids = {name: point.id for name, point in points.items() if point.id}
        task = self._task(stage, occasion, ids, forbidden)
        passage = Passage(task=task, legs=self._begin(ready), cancelled=self.cancelled)
        self.show(stage.value, _WORDS[stage], child=occasion)
        try:
            answer = yield self._context.call_sub_orchestrator(contract.STAGE, passage.to_wire(), occasion)
        except Exception as error:  # noqa: BLE001 - whatever broke, the machines are still there to be seen
            legs = yield from self._seen_again(passage)
            return [*refused, *(_broken(stage, leg, error) for leg in legs)]
        result = StageResult.from_wire(answer)
        self.cancelled = self.cancelled or result.cancelled
        return [*refused, *result.legs]

    def _seen_again(self, passage: Passage) -> Runbook[list[Leg]]:
        """Look where a stage that broke has left its machines; without sight, they stand where they stood."""
        try:
            look = yield from steps.call(self._context, contract.LOOK, passage.looking(), Look)
        except Exception:  # noqa: BLE001 - looking may be what broke
            return list(passage.legs)
        return [leg.having(snapshot=look.machines.get(leg.subject.name)) for leg in passage.legs]

    def _begin(self, names: Sequence[str]) -> tuple[Leg, ...]:
        journeys = [self.journeys[name] for name in names]
        return begin([each.subject for each in journeys], {each.name: each.item_id for each in journeys})

    def _task(self, stage: StageName, occasion: str, points: dict[str, str], forbidden: tuple[Act, ...]) -> Task:
        request = self.request
        return Task(
            run=self.run,
            occasion=occasion,
            stage=stage,
            vault=request.vault,
            max_parallel=request.limits.max_parallel,
            look_every=self.plan.pace.look_every,
            shut_down_source=request.shut_down_source,
            points=points,
            heartbeat=request.validation.heartbeat,
            validation_timeout=request.validation.timeout,
            comment=f"failback run {self.run}",
            forbidden=(*forbidden, *_forbidden(request)) if stage is StageName.PREPARE else forbidden,
        )

    def _arrive(self, stage: StageName, leg: Leg) -> None:
        journey = self.journeys[leg.subject.name].after(stage, leg)
        if leg.status is LegStatus.STOPPED:
            journey = journey.stopped(f"the run was cancelled: {self.cancelled}")
        self.journeys[journey.name] = journey

    def _next(self, what: str) -> str:
        """Name the next child of this run; its id tells an operator what it does."""
        self._passes += 1
        return f"{self.run}:{self._passes}-{what}"

    # -- asking -----------------------------------------------------------------------------------------------

    def ask(self, gate: GateName, names: Sequence[str]) -> Runbook[dict[str, Outcome]]:
        """Ask people about machines; silence decides for those nobody decided."""
        rows = {name: showing.row(self.plan, self.journeys[name]) for name in names}
        shown = {"machines": list(rows.values()), "notes": showing.notes(gate, self.request)}
        result = yield from self._vigil(gate, names, OFFERS[gate], shown)
        well = frozenset(name for name in names if showing.may_pass_silently(gate, self.journeys[name]))
        return {**silence_of(self.request.approvals, names, result.outcomes, well), **result.outcomes}

    def _vigil(
        self, gate: GateName, names: Sequence[str], offers: tuple[Choice, ...], shown: dict[str, Any]
    ) -> Runbook[GateResult]:
        key, now = self._next(f"ask-{gate.value}"), self._context.current_utc_datetime
        policy = self.request.approvals
        self._rounds[gate] = self._rounds.get(gate, 0) + 1
        question = Question(
            gate=gate,
            round=self._rounds[gate],
            run=self.run,
            plan_hash=self._plan_hash,
            machines=tuple(names),
            shown=shown,
            policy=policy,
            offers=offers,
            requested_by=self.request.requested_by,
            asked_at=now,
            deadline=now + (HELD_AT_MOST if policy.on_timeout is OnTimeout.HOLD else policy.timeout),
        )
        self.show("ask", _ASKS[gate], child=key, gate=gate.value)
        vigil = Vigil(question=question, key=key)
        try:
            answer = yield self._context.call_sub_orchestrator(contract.GATE, vigil.to_wire(), key)
            result = GateResult.from_wire(answer)
        except Exception as error:  # noqa: BLE001 - a gate that broke approves nothing
            by = (f"the gate, which broke: {_first_line(error)}",)
            result = GateResult(outcomes=dict.fromkeys(names, Outcome(decision=Choice.STOP, by=by)))
        self.decisions += result.entries
        self.waited += self._context.current_utc_datetime - now
        self.cancelled = self.cancelled or result.cancelled
        return result

    def heed(self, gate: GateName, outcomes: Mapping[str, Outcome]) -> None:
        """Stop the machines that people stopped, and all that go on when the run was cancelled."""
        for name, outcome in outcomes.items():
            journey = self.journeys[name]
            if self.cancelled is not None and outcome.decision is not Choice.APPROVE:
                self.journeys[name] = journey.stopped(f"the run was cancelled: {self.cancelled}")
            elif self.cancelled is not None:
                self.journeys[name] = journey.stopped(f"approved, but the run was cancelled: {self.cancelled}")
            elif outcome.decision is Choice.STOP:
                who = f"stopped by {', '.join(outcome.by)}" if outcome.by else "stopped: nobody decided in time"
                self.journeys[name] = journey.stopped(who)
            elif outcome.decision is Choice.CHANGE_POINT and outcome.point is not None:
                subject = journey.subject.having(point=outcome.point, test_point=outcome.point)
                self.journeys[name] = journey.having(subject=subject, point=None, rehearsal=None)
            elif gate is GateName.FAILBACK:
                self.journeys[name] = journey.having(approved=True)

    def _intervene(self, stage: StageName, failed: Sequence[str]) -> Runbook[list[str]]:
        """Ask what to do about machines that failed; give those to be tried again."""
        if not failed:
            return []
        if self.cancelled is not None:
            self._fail(failed)
            return []
        offers = tuple(
            choice for choice in OFFERS[GateName.INTERVENTION] if choice is not Choice.SKIP or stage in SKIPPABLE
        )
        rows = [showing.row(self.plan, self.journeys[name]) for name in failed]
        shown = {
            "stage": stage.value,
            "machines": rows,
            "notes": showing.notes(GateName.INTERVENTION, self.request, skippable=Choice.SKIP in offers),
        }
        result = yield from self._vigil(GateName.INTERVENTION, failed, offers, shown)
        again = [name for name in failed if _decided(result, name) is Choice.RETRY and self.cancelled is None]
        for name in failed:
            if _decided(result, name) is Choice.SKIP:
                self._skip(stage, name, result.outcomes[name])
            elif name not in again:
                self._fail([name])
        return again

    def _skip(self, stage: StageName, name: str, outcome: Outcome) -> None:
        journey = self.journeys[name]
        skipped = Skipped(stage=stage, outcome=outcome, failure=journey.failure)
        self._note(name, skipped=(*journey.skipped, skipped), failure=None)

    def _fail(self, names: Iterable[str]) -> None:
        for name in names:
            self.journeys[name] = self.journeys[name].failed()

    def _note(self, name: str, **changes: Any) -> None:
        self.journeys[name] = self.journeys[name].having(**changes)

    # -- telling ----------------------------------------------------------------------------------------------

    def show(self, phase: str, words: str, **more: Any) -> None:
        """Say where the run is, in words an operator would use."""
        groups = len(self.plan.groups)
        shown = {
            "phase": phase,
            "words": words,
            "mode": self.request.mode.value,
            "planHash": self._plan_hash,
            "group": self._group,
            "groups": groups,
            "machines": status.of_journeys(self.journeys.values()),
            **more,
        }
        self._context.set_custom_status(status.fit(shown))

    def enter_group(self, number: int) -> None:
        """Begin with the next boot group."""
        self._group = number

    def refused(self, refusals: Iterable[Refusal]) -> dict[str, Any]:
        """Report that the run must not start."""
        self.show("done", "refused, nothing was changed")
        now = self._context.current_utc_datetime
        return report.refusal_report(self.run, self.plan, refusals, self.started, now).to_wire()

    def planned(self) -> dict[str, Any]:
        """Report the plan alone."""
        self.show("done", "planned, nothing was changed")
        return report.plan_report(self.run, self.plan, self.started, self._context.current_utc_datetime).to_wire()

    def reported(self) -> dict[str, Any]:
        """Report what the run did."""
        made = report.make_report(
            run=self.run,
            plan=self.plan,
            journeys=list(self.journeys.values()),
            decisions=self.decisions,
            started=self.started,
            ended=self._context.current_utc_datetime,
            waited=self.waited,
            cancelled=self.cancelled,
        )
        self.show("done", made.words)
        return made.to_wire()


# A point that was there when it was approved, and is not any more.
_PRUNED: Final = frozenset({"RecoveryPointNotFound", "RecoveryPointIncomplete"})
_NOT_PLANNED: Final = Refusal(code="NotPlanned", what="the plan was not made yet", remedy="wait")
_WORDS: Final[Mapping[StageName, str]] = {
    StageName.PREPARE: "making the machines ready to come home",
    StageName.REHEARSE: "rehearsing: test failover to an isolated network",
    StageName.CLEAN_UP: "cleaning the rehearsal up",
    StageName.MOVE: "failing over to the primary region",
    StageName.CHANGE_POINT: "changing the recovery point",
    StageName.COMMIT: "committing",
    StageName.PROTECT: "re-protecting to the secondary region",
}
_ASKS: Final[Mapping[GateName, str]] = {
    GateName.FAILBACK: "asking people: shall the machines come home?",
    GateName.COMMIT: "asking people: shall the failover be committed?",
    GateName.INTERVENTION: "asking people: what to do about a failure?",
}


def _is_ours_to_choose(choice: PointChoice) -> bool:
    return choice.select is not Select.LATEST or choice.not_after is not None


def _forbidden(request: FailbackRequest) -> tuple[Act, ...]:
    allowed = {Act.REPROTECT: request.prepare.reprotect, Act.CLEAN_UP: request.prepare.clean_up}
    return tuple(act for act, may in allowed.items() if not may)


def _decided(result: GateResult, name: str) -> Choice | None:
    outcome = result.outcomes.get(name)
    return outcome.decision if outcome else None


def _unreachable(what: str, error: Exception) -> Refusal:
    return Refusal(
        code="AzureUnreachable",
        what=f"{what}: {_first_line(error)}",
        remedy="try again when Azure answers",
    )


def _first_line(error: Exception) -> str:
    return bounded(next(iter(str(error).splitlines()), type(error).__name__), 300)


def _approved_point(journey: Journey) -> PointChoice:
    """Name the very point that was approved; only "latest" without a limit stays the service's to choose."""
    approved = journey.point.id if journey.point else None
    return PointChoice(select=Select.CUSTOM, id=approved) if approved else journey.subject.point


def _broken(stage: StageName, leg: Leg, error: Exception) -> Leg:
    refusal = Refusal(
        code="StageBroke",
        what=f"the stage itself failed: {_first_line(error)}",
        remedy="this is a defect of the software: report it; retry looks at the machines again before acting",
    )
    # What was due may have been started; believing so makes sure that a rehearsal is cleaned up.
    return leg.having(status=LegStatus.FAILED, act=DUE.get(stage), failure=refusal, words=refusal.what)

"""Asking people, and doing what they say."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from domain import contract, showing
from domain.approvals import GateName, OnTimeout
from domain.evidence import RecordKind
from domain.gate import HELD_AT_MOST, OFFERS, Choice, Outcome, Question
from domain.journey import Skipped
from domain.leg import StageName
from domain.tally import silence_of, term_of
from orchestrators import steps
from orchestrators.context import Runbook
from orchestrators.gate import GateResult, Vigil
from orchestrators.trip import Trip

# A failed stage of these kinds may be left out: the machine can go on without it.
SKIPPABLE: Final = frozenset({StageName.REHEARSE, StageName.CLEAN_UP, StageName.CHANGE_POINT, StageName.PROTECT})
_ASKS: Final[Mapping[GateName, str]] = {
    GateName.START: "asking people: shall the run begin?",
    GateName.FAILBACK: "asking people: shall the machines come home?",
    GateName.COMMIT: "asking people: shall the failover be committed?",
    GateName.INTERVENTION: "asking people: what to do about a failure?",
}


def ask_people(trip: Trip, gate: GateName, names: Sequence[str]) -> Runbook[dict[str, Outcome]]:
    """Ask people about machines; silence decides for those nobody decided."""
    rows = {name: showing.row(trip.plan, trip.journeys[name]) for name in names}
    notes = [*showing.notes(gate, trip.request), *showing.standing(trip.journeys[name] for name in names)]
    if gate is GateName.START:
        notes += showing.proposed(trip.request)
    shown = {"machines": list(rows.values()), "notes": notes}
    result = yield from _vigil(trip, gate, names, OFFERS[gate], shown)
    well = frozenset(name for name in names if showing.may_pass_silently(gate, trip.journeys[name]))
    return {**silence_of(trip.request.approvals.at(gate), names, result.outcomes, well), **result.outcomes}


def may_go_on(trip: Trip, names: Sequence[str]) -> Runbook[None]:
    """Ask whether a group may move although the one before it did not wholly come home."""
    done = [journey for journey in trip.journeys.values() if journey.name not in names and journey.jobs]
    astray = [each.name for each in done if not each.is_home(protected=False)]
    if not astray or trip.cancelled is not None:
        return
    notes = [
        f"the group before did not wholly come home: {', '.join(astray[:20])}",
        "skip: goes on with this group all the same; the reason is kept in the report",
        "stop: leaves this group where it is",
    ]
    rows = [showing.row(trip.plan, trip.journeys[name]) for name in names]
    shown = {"machines": rows, "notes": notes}
    result = yield from _vigil(trip, GateName.INTERVENTION, names, (Choice.SKIP, Choice.STOP), shown)
    for name in names:
        if _decided(result, name) is not Choice.SKIP:
            trip.journeys[name] = trip.journeys[name].stopped("stopped: the group before is not home")


def _vigil(
    trip: Trip, gate: GateName, names: Sequence[str], offers: tuple[Choice, ...], shown: dict[str, Any]
) -> Runbook[GateResult]:
    key, now = trip.next_child(f"ask-{gate.value}"), trip.context.current_utc_datetime
    policy = trip.request.approvals.at(gate)
    trip.rounds[gate] = trip.rounds.get(gate, 0) + 1
    question = Question(
        gate=gate,
        round=trip.rounds[gate],
        run=trip.run,
        plan_hash=trip.plan_hash,
        machines=tuple(names),
        shown=shown,
        policy=policy,
        offers=offers,
        requested_by=trip.request.requested_by,
        requested_by_id=trip.request.requested_by_id,
        asked_at=now,
        deadline=now + (HELD_AT_MOST if policy.on_timeout is OnTimeout.HOLD else policy.timeout),
    )
    trip.show("ask", _ASKS[gate], child=key, gate=gate.value)
    yield from trip.record(RecordKind.QUESTION, {**question.to_wire(), "hash": question.hash, "key": key})
    vigil = Vigil(question=question, key=key)
    try:
        answer = yield trip.context.call_sub_orchestrator(contract.GATE, vigil.to_wire(), key)
        result = GateResult.from_wire(answer)
    except Exception as error:  # noqa: BLE001 - a gate that broke approves nothing
        by = (f"the gate, which broke: {steps.first_line(error)}",)
        result = GateResult(outcomes=dict.fromkeys(names, Outcome(decision=Choice.STOP, by=by)))
    trip.decisions += result.entries
    trip.waited += trip.context.current_utc_datetime - now
    trip.cancelled = trip.cancelled or result.cancelled
    trip.withdrawn = trip.withdrawn or result.withdrawn
    trip.heralds += result.heralds
    yield from trip.hear()
    yield from trip.record(RecordKind.DECISIONS, {**result.to_wire(), "hash": question.hash, "key": key})
    return result


def heed(trip: Trip, gate: GateName, outcomes: Mapping[str, Outcome]) -> None:
    """Stop the machines that people stopped, and all that go on when the run was cancelled."""
    for name, outcome in outcomes.items():
        journey = trip.journeys[name].having(void=())
        if trip.ended_early is not None:
            trip.journeys[name] = journey.stopped(trip.ended_early)
        elif outcome.decision is Choice.STOP:
            who = f"stopped by {', '.join(outcome.by)}" if outcome.by else "stopped: nobody decided in time"
            trip.journeys[name] = journey.stopped(who)
        else:
            trip.journeys[name] = journey
            _agree(trip, gate, name, outcome)


def _agree(trip: Trip, gate: GateName, name: str, outcome: Outcome) -> None:
    """Remember what people agreed to, from when on, and up to when their word is good."""
    term = term_of(trip.request.approvals.at(gate), outcome, trip.context.current_utc_datetime)
    if outcome.decision is Choice.APPROVE:
        trip.note(name, approved=trip.journeys[name].approved or gate is GateName.FAILBACK)
    elif outcome.point is not None:
        subject = trip.journeys[name].subject.having(point=outcome.point, test_point=outcome.point)
        trip.note(name, subject=subject, point=None, rehearsal=None)
    trip.note(name, not_before=term.begins, until=term.ends)


def intervene(trip: Trip, stage: StageName, failed: Sequence[str]) -> Runbook[list[str]]:
    """Ask what to do about machines that failed; give those to be tried again."""
    if not failed:
        return []
    if trip.cancelled is not None:
        trip.fail(failed)
        return []
    offers = tuple(
        choice for choice in OFFERS[GateName.INTERVENTION] if choice is not Choice.SKIP or stage in SKIPPABLE
    )
    rows = [showing.row(trip.plan, trip.journeys[name]) for name in failed]
    shown = {
        "stage": stage.value,
        "machines": rows,
        "notes": [
            *showing.notes(GateName.INTERVENTION, trip.request, skippable=Choice.SKIP in offers),
            *showing.standing(trip.journeys[name] for name in failed),
        ],
    }
    result = yield from _vigil(trip, GateName.INTERVENTION, failed, offers, shown)
    again = [name for name in failed if _decided(result, name) is Choice.RETRY and trip.cancelled is None]
    for name in failed:
        if _decided(result, name) is Choice.SKIP:
            _skip(trip, stage, name, result.outcomes[name])
        elif name not in again:
            trip.fail([name])
    return again


def _skip(trip: Trip, stage: StageName, name: str, outcome: Outcome) -> None:
    journey = trip.journeys[name]
    skipped = Skipped(stage=stage, outcome=outcome, failure=journey.failure)
    trip.note(name, skipped=(*journey.skipped, skipped), failure=None)


def _decided(result: GateResult, name: str) -> Choice | None:
    outcome = result.outcomes.get(name)
    return outcome.decision if outcome else None

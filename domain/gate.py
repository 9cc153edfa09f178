"""Who decided what at a gate, and what it comes to.

A gate asks about some machines and shows something; a decision names the hash of what was shown. The ledger is
the only judge: it takes every decision in, says what became of it, and keeps it for the report. Each machine of
a gate is decided on its own: the first to say stop decides it; an approval, and at the gate "commit" another
recovery point too, counts once per person until the quorum is reached.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Annotated, Any, Final, Self

from pydantic import Field, model_validator

from domain.approvals import ApprovalPolicy, GateName, OnTimeout
from domain.request import Comment, Name, PointChoice
from domain.wire import Answer, Wire, digest

# A gate nobody answers is held at most this long, whatever its policy: nothing waits for ever.
HELD_AT_MOST: Final = timedelta(days=45)


class Choice(StrEnum):
    """What people may answer."""

    APPROVE = "approve"
    CHANGE_POINT = "changeRecoveryPoint"
    STOP = "stop"
    RETRY = "retry"
    SKIP = "skip"


OFFERS: Final = {
    GateName.START: (Choice.APPROVE, Choice.STOP),
    GateName.FAILBACK: (Choice.APPROVE, Choice.CHANGE_POINT, Choice.STOP),
    GateName.COMMIT: (Choice.APPROVE, Choice.CHANGE_POINT, Choice.STOP),
    GateName.INTERVENTION: (Choice.RETRY, Choice.SKIP, Choice.STOP),
}
# These answers depart from the plan; the record must say why.
NEEDS_REASON: Final = frozenset({Choice.SKIP})


class DecisionRequest(Wire):
    """What a person sends: which gate, what answer, for which machines (all, unless named), and what was seen.

    `plan_hash` is the hash that the gate shows; it binds the answer to what was asked.
    """

    gate: GateName
    decision: Choice
    comment: Comment = ""
    machines: Annotated[tuple[Name, ...], Field(min_length=1, max_length=1_000)] | None = None
    recovery_points: Annotated[dict[str, PointChoice], Field(max_length=1_000)] | None = None
    plan_hash: Annotated[str, Field(min_length=8, max_length=64)]

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if (self.decision is Choice.CHANGE_POINT) != bool(self.recovery_points):
            raise ValueError(
                '"recoveryPoints" names a point for each machine that is to change, '
                'goes with "decision": "changeRecoveryPoint", and only with it'
            )
        if self.decision in NEEDS_REASON and not self.comment:
            raise ValueError(f'give the reason for "{self.decision}" in "comment"')
        if self.decision not in OFFERS[self.gate]:
            offered = ", ".join(OFFERS[self.gate])
            raise ValueError(f'gate "{self.gate}" takes {offered}')
        return self


class Judgement(StrEnum):
    """What became of a decision."""

    RECORDED = "recorded"
    DUPLICATE = "duplicate"
    LATE = "late"
    STALE = "stale"
    NOT_PERMITTED = "notPermitted"
    UNFIT = "unfit"


class Entry(Answer):
    """One decision in the ledger: who, what, when, from where, and what became of it."""

    id: str
    gate: GateName
    by: str
    decision: Choice
    at: datetime
    comment: str = ""
    machines: tuple[str, ...] | None = None
    recovery_points: dict[str, PointChoice] = {}
    plan_hash: str = ""
    method: str = "api"
    judgement: Judgement | None = None
    why: str = ""


class Question(Answer):
    """What a gate asks: about which machines, showing what, of whom, until when.

    `shown` is everything a person needs to decide; the hash covers it together with the plan's own.
    """

    gate: GateName
    round: int
    run: str
    plan_hash: str
    machines: tuple[str, ...]
    shown: dict[str, Any]
    policy: ApprovalPolicy
    offers: tuple[Choice, ...]
    requested_by: str | None = None
    asked_at: datetime
    deadline: datetime

    @property
    def hash(self) -> str:
        """The digest that decisions must name."""
        return digest([self.run, self.plan_hash, self.gate, self.round, list(self.machines), self.shown])


class Outcome(Answer):
    """What was decided for one machine, and by whom; nobody, when silence decided."""

    decision: Choice
    by: tuple[str, ...] = ()
    point: PointChoice | None = None


class Ledger(Answer):
    """A gate's question with every decision that arrived, in order."""

    question: Question
    entries: tuple[Entry, ...] = ()
    closed: bool = False

    @property
    def outcomes(self) -> dict[str, Outcome]:
        """What is decided so far, by machine; an undecided machine is missing."""
        return {
            machine: outcome
            for machine in self.question.machines
            if (outcome := _outcome(self, machine)) is not None
        }

    @property
    def is_settled(self) -> bool:
        """Whether every machine is decided."""
        return len(self.outcomes) == len(self.question.machines)


def _same(one: str | None, other: str | None) -> bool:
    return (one or "").casefold() == (other or "").casefold()


def _concerns(entry: Entry, machine: str) -> bool:
    if entry.decision is Choice.CHANGE_POINT:
        return any(_same(name, machine) for name in entry.recovery_points)
    return entry.machines is None or any(_same(name, machine) for name in entry.machines)


# At these gates another recovery point moves the machine of production, and takes as many people as an approval.
_WEIGHTY: Final = frozenset({(GateName.COMMIT, Choice.CHANGE_POINT)})


def _needs_quorum(question: Question, decision: Choice) -> bool:
    return decision is Choice.APPROVE or (question.gate, decision) in _WEIGHTY


def _point_for(entry: Entry, machine: str) -> PointChoice | None:
    return next((point for name, point in entry.recovery_points.items() if _same(name, machine)), None)


def _outcome(ledger: Ledger, machine: str) -> Outcome | None:
    """Count the decisions on one machine in the order they came; the first to have enough people decides."""
    question, voters = ledger.question, dict[tuple[Choice, PointChoice | None], list[str]]()
    quorum = 1 if question.gate is GateName.INTERVENTION else question.policy.quorum
    for entry in ledger.entries:
        if entry.judgement is not Judgement.RECORDED or not _concerns(entry, machine):
            continue
        point = _point_for(entry, machine)
        people = voters.setdefault((entry.decision, point), [])
        if not any(_same(entry.by, each) for each in people):
            people.append(entry.by)
        if len(people) >= (quorum if _needs_quorum(question, entry.decision) else 1):
            return Outcome(decision=entry.decision, by=tuple(people), point=point)
    return None


def judge(ledger: Ledger, entry: Entry) -> Ledger:
    """Take a decision in and say what becomes of it; a decision that was judged before changes nothing."""
    if any(each.id == entry.id for each in ledger.entries):
        return ledger
    judgement, why = _judgement(ledger, entry)
    return ledger.having(entries=_kept((*ledger.entries, entry.having(judgement=judgement, why=why))))


# What counts is kept whole; of what did not count, so many of the newest, for anybody may send it.
REFUSED_KEPT: Final = 100


def _kept(entries: tuple[Entry, ...]) -> tuple[Entry, ...]:
    refused = [entry.id for entry in entries if entry.judgement is not Judgement.RECORDED]
    dropped = frozenset(refused[:-REFUSED_KEPT])
    return tuple(entry for entry in entries if entry.id not in dropped)


def _judgement(ledger: Ledger, entry: Entry) -> tuple[Judgement, str]:
    question = ledger.question
    if ledger.closed:
        return Judgement.LATE, "the gate is closed"
    if entry.plan_hash != question.hash:
        return Judgement.STALE, "it answers something else than what this gate shows now; read it again and decide"
    if (reason := _barred(question, entry)) is not None:
        return Judgement.NOT_PERMITTED, reason
    if (reason := _unfit(question, entry)) is not None:
        return Judgement.UNFIT, reason
    decided = ledger.outcomes
    undecided = [name for name in question.machines if name not in decided and _concerns(entry, name)]
    if not undecided:
        return Judgement.DUPLICATE, "every machine it concerns is decided already"
    if all(_has_said(ledger, entry, name) for name in undecided):
        return Judgement.DUPLICATE, "this person has said so already; the quorum counts people"
    return Judgement.RECORDED, ""


def _has_said(ledger: Ledger, entry: Entry, machine: str) -> bool:
    return any(
        each.judgement is Judgement.RECORDED
        and each.decision is entry.decision
        and _same(each.by, entry.by)
        and _concerns(each, machine)
        and _point_for(each, machine) == _point_for(entry, machine)
        for each in ledger.entries
    )


def _barred(question: Question, entry: Entry) -> str | None:
    policy = question.policy
    if policy.approvers and not any(_same(entry.by, person) for person in policy.approvers):
        return "is not among the approvers of this run"
    if (
        _needs_quorum(question, entry.decision)
        and not policy.requester_may_approve
        and _same(entry.by, question.requested_by)
    ):
        return "asked for this run, and somebody else must approve it"
    return None


def _unfit(question: Question, entry: Entry) -> str | None:
    if entry.gate is not question.gate or entry.decision not in question.offers:
        return f"this gate takes {', '.join(question.offers)}"
    named = [*(entry.machines or ()), *entry.recovery_points]
    strangers = [name for name in named if not any(_same(name, machine) for machine in question.machines)]
    if strangers:
        return f"this gate does not ask about {', '.join(strangers)}"
    return None


def close(ledger: Ledger) -> Ledger:
    """Close the gate: what arrives from here on is late."""
    return ledger.having(closed=True)


def silence_of(
    policy: ApprovalPolicy, machines: Iterable[str], decided: Mapping[str, Outcome], well: frozenset[str]
) -> dict[str, Outcome]:
    """Say what silence means for the machines that nobody decided.

    `approve` stands only for machines that were checked and found well: nothing else is approved by silence.
    `hold` means stop here, for a held gate ends only when holding has gone on for too long.
    """
    approves = policy.on_timeout is OnTimeout.APPROVE
    return {
        machine: Outcome(decision=Choice.APPROVE if approves and machine in well else Choice.STOP)
        for machine in machines
        if machine not in decided
    }


def give_up_at(question: Question) -> datetime:
    """Say when silence decides: at the deadline, or for a gate that holds, much later."""
    holds = question.policy.on_timeout is OnTimeout.HOLD
    return question.asked_at + HELD_AT_MOST if holds else question.deadline

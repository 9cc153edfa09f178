"""Who decided what at a gate, and what it comes to.

The ledger is the only judge: it takes every decision in, says what became of it, and keeps it for the report. Each
machine of a gate is decided on its own: the first to say stop decides it; an approval, and at the gate "commit"
another recovery point too, counts once per person until the quorum is reached. A voice that is handed over decides
nothing by itself; `domain/delegation.py` says who may do so.

Whether a decision came in time is told by the time that its door stamped on it, not by when the gate was closed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from domain import delegation
from domain.approvals import ApprovalPolicy, GateName, OnTimeout, folded
from domain.errors import Refusal, bounded
from domain.gate import HELD_AT_MOST, NEEDS_REASON, Choice, Entry, Judgement, Outcome, Question, taken_at
from domain.people import Role, spelt
from domain.request import PointChoice
from domain.wire import Answer


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

    @property
    def recorded(self) -> tuple[Entry, ...]:
        """The decisions that count."""
        return tuple(entry for entry in self.entries if entry.judgement is Judgement.RECORDED)


def _same(one: str, other: str) -> bool:
    return one.casefold() == other.casefold()


def _concerns(entry: Entry, machine: str) -> bool:
    if entry.decision is Choice.CHANGE_POINT:
        return any(_same(name, machine) for name in entry.recovery_points)
    return entry.machines is None or any(_same(name, machine) for name in entry.machines)


# At these gates another recovery point moves the machine of production, and takes as many people as an approval.
_WEIGHTY: Final = frozenset({(GateName.COMMIT, Choice.CHANGE_POINT)})


def _needs_quorum(question: Question, decision: Choice) -> bool:
    return decision is Choice.APPROVE or (question.gate, decision) in _WEIGHTY


def voices(ledger: Ledger, machine: str) -> int:
    """Count the different people who approved a machine so far."""
    said = (each for each in ledger.recorded if each.decision is Choice.APPROVE and _concerns(each, machine))
    return len({_sender(each) for each in said})


def _point_for(entry: Entry, machine: str) -> PointChoice | None:
    return next((point for name, point in entry.recovery_points.items() if _same(name, machine)), None)


def _outcome(ledger: Ledger, machine: str) -> Outcome | None:
    """Count the decisions on one machine in the order they came; the first to have enough people decides."""
    question, voters = ledger.question, dict[tuple[Choice, PointChoice | None], dict[str, Entry]]()
    quorum = 1 if question.gate is GateName.INTERVENTION else question.policy.quorum
    for entry in ledger.recorded:
        if entry.decision is Choice.DELEGATE or not _concerns(entry, machine):
            continue
        point = _point_for(entry, machine)
        people = voters.setdefault((entry.decision, point), {})
        # Entries of old runs carry no person; there, people were told apart by their names.
        people.setdefault(entry.person or entry.by.casefold(), entry)
        enough = quorum if _needs_quorum(question, entry.decision) and not entry.break_glass else 1
        if len(people) >= enough:
            return _decided(entry, tuple(people.values()), point)
    return None


def _decided(last: Entry, people: Iterable[Entry], point: PointChoice | None) -> Outcome:
    people = tuple(people)
    moments = [entry.not_before for entry in (*people, last) if entry.not_before]
    return Outcome(
        decision=last.decision,
        by=tuple(entry.speaker for entry in people),
        point=point,
        not_before=max(moments, default=None),
        break_glass=last.break_glass,
    )


# -- judging --------------------------------------------------------------------------------------------------


def judge(ledger: Ledger, entry: Entry) -> Ledger:
    """Take a decision in and say what becomes of it; a decision that was judged before changes nothing."""
    if any(each.id == entry.id for each in ledger.entries):
        return ledger
    entry = entry.having(person=_person(ledger, entry), groups=_that_matter(ledger.question.policy, entry))
    entry = entry.having(on_behalf_of=_spoken_for(ledger, entry))
    judgement, why = _judgement(ledger, entry)
    kept = entry if judgement is Judgement.RECORDED else entry.in_brief
    return ledger.having(entries=kept_of((*ledger.entries, kept.having(judgement=judgement, why=why))))


# What counts is kept whole; of what did not count, so many, for anybody who signs in may send it.
REFUSED_KEPT: Final = 300


def kept_of(entries: tuple[Entry, ...]) -> tuple[Entry, ...]:
    """Make room for one more: whoever sent most of what did not count loses their oldest, and nobody else's."""
    refused = [entry for entry in entries if entry.judgement is not Judgement.RECORDED]
    if len(refused) <= REFUSED_KEPT:
        return entries
    [(loudest, _)] = Counter(_sender(entry) for entry in refused).most_common(1)
    gone = next(entry.id for entry in refused if _sender(entry) == loudest)
    return tuple(entry for entry in entries if entry.id != gone)


def _sender(entry: Entry) -> str:
    return entry.person or spelt(entry.by_id or entry.by)


def _person(ledger: Ledger, entry: Entry) -> str:
    """Say whom an entry counts as: the first who was seen under one of its names, or with one of its ids."""
    known = next((each for each in ledger.entries if each.known_as & entry.known_as), None)
    return known.person if known and known.person else spelt(entry.by_id or entry.by)


def _known_as(ledger: Ledger, entry: Entry) -> frozenset[str]:
    """Give every name under which this person was seen here: a second account is no second person."""
    return entry.known_as.union(*(each.known_as for each in ledger.entries if each.person == entry.person))


def _spoken_for(ledger: Ledger, entry: Entry) -> tuple[str, ...]:
    """Name those who handed this person their voice; who breaks the glass or gives away speaks for nobody else."""
    if entry.break_glass or entry.decision is Choice.DELEGATE:
        return ()
    return tuple(each.by for each in delegation.held_by(ledger.entries, _known_as(ledger, entry)))


def _that_matter(policy: ApprovalPolicy, entry: Entry) -> tuple[str, ...]:
    """Keep those of a person's groups that the policy names: some people are in hundreds."""
    further = policy.escalate_to.groups if policy.escalate_to else ()
    named = folded((*policy.groups, *further))
    return tuple(group for group in entry.groups if group.casefold() in named)


def _judgement(ledger: Ledger, entry: Entry) -> tuple[Judgement, str]:
    question = ledger.question
    if ledger.closed:
        return Judgement.LATE, "the gate is closed"
    if entry.at > question.closes_at:
        return Judgement.LATE, f"the deadline was {question.closes_at:%F %TZ}"
    if entry.plan_hash != question.hash:
        return Judgement.STALE, "it answers something else than what this gate shows now; read it again and decide"
    if (reason := _barred(ledger, entry)) is not None:
        return Judgement.NOT_PERMITTED, reason
    unfit = "; ".join(f"{fault.what}: {fault.remedy}" for fault in faults(question, entry))
    if unfit or (unfit := _unending(ledger, entry)):
        return Judgement.UNFIT, unfit
    if (reason := _needless(ledger, entry)) is not None:
        return Judgement.DUPLICATE, reason
    return Judgement.RECORDED, ""


def _needless(ledger: Ledger, entry: Entry) -> str | None:
    if entry.decision is Choice.DELEGATE and (reason := delegation.spent(ledger.entries, entry.person)):
        return reason
    decided = ledger.outcomes
    undecided = [name for name in ledger.question.machines if name not in decided and _concerns(entry, name)]
    if not undecided:
        return "every machine it concerns is decided already"
    if all(_has_said(ledger, entry, name) for name in undecided):
        return "this person has said so already; the quorum counts people"
    return None


def _has_said(ledger: Ledger, entry: Entry, machine: str) -> bool:
    return any(
        each.decision is entry.decision
        and (each.person or each.by.casefold()) == entry.person
        and each.break_glass is entry.break_glass
        and _concerns(each, machine)
        and _point_for(each, machine) == _point_for(entry, machine)
        for each in ledger.recorded
    )


def _barred(ledger: Ledger, entry: Entry) -> str | None:
    question, policy = ledger.question, ledger.question.policy
    known_as = _known_as(ledger, entry)
    asked_for_it = bool(known_as & question.requester)
    if entry.break_glass:
        return _may_not_break_glass(policy, entry, asked_for_it=asked_for_it)
    given = delegation.handed_over(ledger.entries, entry.person)
    if given is not None and entry.decision is not Choice.DELEGATE:
        return f"has handed their voice to {given.to}, who decides in their place"
    escalated = entry.at >= question.deadline
    # Only a voice of one's own can be handed over.
    if not entry.on_behalf_of and not policy.admits(entry.known_as, entry.groups, escalated=escalated):
        return "is not among the approvers of this run"
    if entry.decision is Choice.DELEGATE:
        return delegation.barred(question, ledger.entries, entry, known_as)
    if _needs_quorum(question, entry.decision) and not policy.requester_may_approve and asked_for_it:
        return "asked for this run, and somebody else must approve it"
    return None


def _may_not_break_glass(policy: ApprovalPolicy, entry: Entry, *, asked_for_it: bool) -> str | None:
    if not policy.break_glass:
        return "may not break the glass here: the policy does not allow it"
    if Role.BREAK_GLASS not in entry.roles:
        return f"may not break the glass without the role {Role.BREAK_GLASS}"
    if asked_for_it and not policy.requester_may_break_glass:
        return "asked for this run, and the policy lets only somebody else break the glass"
    return None


def faults(question: Question, entry: Entry) -> tuple[Refusal, ...]:
    """Say all that keeps a decision from fitting a gate, and what would mend it."""
    return tuple(_faults(question, entry))


def _faults(question: Question, entry: Entry) -> Iterator[Refusal]:
    if entry.gate is not question.gate or entry.decision not in taken_at(question.offers):
        taken = ", ".join(taken_at(question.offers))
        yield _fault("decision", f"{entry.decision.value} is no answer to this gate", f"it takes {taken}")
    needs_reason = question.policy.reason_required or entry.decision in NEEDS_REASON or entry.break_glass
    if needs_reason and not entry.comment.strip():
        yield _fault("comment", "the reason is missing", 'give it in "comment"')
    if entry.not_before is not None and entry.not_before > question.asked_at + HELD_AT_MOST:
        remedy = f"name a moment before {question.asked_at + HELD_AT_MOST:%F %H:%MZ}"
        yield _fault("notBefore", f"it lies more than {HELD_AT_MOST.days} days ahead", remedy)
    if entry.decision is Choice.DELEGATE and (entry.machines is not None or entry.break_glass or not entry.to):
        yield _fault("to", "it does not hand over a whole voice", 'name one person in "to", and no machines')
    asked = frozenset(map(str.casefold, question.machines))
    named = [*(entry.machines or ()), *entry.recovery_points]
    strangers = [name for name in named if name.casefold() not in asked]
    if strangers:
        about = bounded(", ".join(strangers), 300)
        yield _fault("machines", f"this gate does not ask about {about}", "name machines that it shows, or none")


def _fault(about: str, what: str, remedy: str) -> Refusal:
    return Refusal(code=Judgement.UNFIT.value, what=what, remedy=remedy, about=about)


# Each other point is a voice of its own towards a quorum; nobody needs to try more of them.
POINTS_TRIED: Final = 20


def _unending(ledger: Ledger, entry: Entry) -> str:
    """Refuse to keep for ever what one person may go on sending: other points, where one person decides none."""
    tried = [each for each in ledger.recorded if each.person == entry.person and each.recovery_points]
    if entry.decision is Choice.CHANGE_POINT and len(tried) >= POINTS_TRIED:
        return f"this person has asked for other points {POINTS_TRIED} times here: agree on one of them"
    return ""


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


# Machines change: what nobody could begin within a day of its time, people must look at again.
GOOD_FOR: Final = timedelta(days=1)


class Term(NamedTuple):
    """From when on, and up to when, what was approved may be done."""

    begins: datetime
    ends: datetime


def term_of(policy: ApprovalPolicy, outcome: Outcome, now: datetime) -> Term:
    """Say when something that was approved now may be done.

    Not before people said; inside the window only, or without one, within a day.
    """
    begins = max(now, outcome.not_before or now)
    if policy.window is None:
        return Term(begins, begins + GOOD_FOR)
    opening = policy.window.opening(begins)
    return Term(max(begins, opening.start), opening.end)

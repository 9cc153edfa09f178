"""What people are told of a run, in words that can be acted on in the middle of the night.

Every notice says which machines, what is asked of whom, until when, and what happens otherwise. Its id follows
from what it is about, so that a repetition is known as one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from itertools import groupby
from typing import Any, Final, NamedTuple, cast

from domain.approvals import GateName, OnTimeout
from domain.duration import spoken
from domain.errors import bounded
from domain.evidence import Kept
from domain.gate import Choice, Entry, Outcome, Question
from domain.notices import Ask, Notice, NoticeKind
from domain.people import spelt
from domain.report import MachineOutcome, Report, RunOutcome

# More names than these help nobody to decide; the page has all of them.
_NAMED: Final = 8
# A channel may take little; what people wrote is cut.
_LONGEST_FACT: Final = 500

_TITLES: Final[Mapping[GateName, str]] = {
    GateName.START: "Approve a failback of {machines}",
    GateName.FAILBACK: "Approve bringing {machines} home",
    GateName.COMMIT: "Approve committing {machines}",
    GateName.INTERVENTION: "Decide about a failure of {machines}",
}
_ASKS: Final[Mapping[GateName, str]] = {
    GateName.START: "Run {run} was proposed by an alert and asks whether it may begin: {ways}.",
    GateName.FAILBACK: "Run {run} asks whether to fail over: {ways}.",
    GateName.COMMIT: "Run {run} has failed over and asks whether to commit: {ways}.",
    GateName.INTERVENTION: "Run {run} could not go on by itself and asks what to do: {ways}.",
}
# What is left as it is when nobody decides.
_STAYS: Final[Mapping[GateName, str]] = {
    GateName.START: "nothing is begun",
    GateName.FAILBACK: "the machines stay where they are, and rehearsals are cleaned up",
    GateName.COMMIT: "the machines stay failed over but uncommitted, and are not protected",
    GateName.INTERVENTION: "the machines are left as they are, and the run ends for them",
}
# Silence leaves things as they are, but for this policy.
_SILENCE: Final[Mapping[OnTimeout, str]] = {
    OnTimeout.APPROVE: "silence approves the machines that were checked and found well; for others, {stays}",
}


class Heard(NamedTuple):
    """Who has answered a gate so far: how many people, all the names they are known by, and which voices moved on.

    Whoever handed their voice over is among the names, and asked no more; their delegate is asked instead.
    """

    people: int = 0
    names: frozenset[str] = frozenset()
    delegations: tuple[Entry, ...] = ()


_NOBODY: Final = Heard()


def gate_opened(question: Question, key: str) -> Notice:
    """Tell that a gate asks; `key` is the gate's own id, that of its ledger."""
    return _asking(question, key, NoticeKind.GATE_OPENED, question.asked_at)


def reminder(question: Question, key: str, number: int, at: datetime, heard: Heard = _NOBODY) -> Notice:
    """Tell for the second or a later time that a gate asks; `number` counts the reminders from 1.

    Who has answered already is asked no more.
    """
    policy, further = question.policy, question.policy.escalate_to
    people = (*policy.approvers, *(further.approvers if further and at >= question.deadline else ()))
    made = _asking(
        question,
        key,
        NoticeKind.REMINDER,
        at,
        mark=f"{number}",
        before="Reminder: ",
        words=(f"{_so_far(heard)} for {spoken(at - question.asked_at)}.", *_moved(heard.delegations)),
    )
    left = [each for each in people if spelt(each) not in heard.names]
    for entry in heard.delegations:
        if not entry.handed_to & heard.names:
            left += [each for each in _reached(entry) if spelt(each) not in map(spelt, left)]
    left = tuple(left)
    return made.having(ask=made.ask.having(approvers=left)) if made.ask else made


def _so_far(heard: Heard) -> str:
    if not heard.people:
        return "Nobody has decided"
    return f"{heard.people} {'person has' if heard.people == 1 else 'people have'} answered, and it is undecided"


def escalated(
    question: Question, key: str, people: Sequence[str], at: datetime, round_: int = 1, *, heard: Heard = _NOBODY
) -> Notice:
    """Tell that further people are asked now, because those before them did not decide."""
    who = _some(people) or "everybody who may approve"
    made = _asking(
        question,
        key,
        NoticeKind.ESCALATED,
        at,
        mark=f"{round_}",
        before="Escalated: ",
        words=(
            f"{_so_far(heard)} for {spoken(at - question.asked_at)}; now {who} can decide as well.",
            *_moved(heard.delegations),
        ),
        urgent=True,
    )
    ask = made.ask
    if ask is not None and people:
        made = made.having(ask=ask.having(approvers=tuple(people)))
    return made


def delegated(question: Question, key: str, entry: Entry) -> Notice:
    """Tell somebody that another person's voice is theirs, with all that they need to decide."""
    made = _asking(
        question,
        key,
        NoticeKind.DELEGATED,
        entry.at,
        mark=entry.id,
        before="In place of another: ",
        words=_moved([entry]),
    )
    return made.having(ask=made.ask.having(approvers=_reached(entry))) if made.ask else made


def _moved(delegations: Iterable[Entry]) -> tuple[str, ...]:
    """Say who decides for whom, and why."""
    return tuple(_sentence(f"{each.to} decides for {each.by}: {_cut(each.comment)}") for each in delegations)


def _reached(entry: Entry) -> tuple[str, ...]:
    """Give the mail addresses of a delegate, of whom perhaps only the settings know one."""
    return (entry.to,) if "@" in entry.to else tuple(each for each in entry.to_also if "@" in each)


def gate_closed(
    question: Question, key: str, outcomes: Mapping[str, Outcome], at: datetime, delegations: Iterable[Entry] = ()
) -> Notice:
    """Tell how a gate ended, for which machines and by whom, and who decided for whom."""
    decided = [_decided(names, outcome) for names, outcome in _alike(outcomes)]
    silent = [name for name in question.machines if name not in outcomes]
    if silent:
        decided.append(f"{_some(silent)}: nobody decided; {_STAYS[question.gate]}.")
    return Notice(
        id=f"{key}:{NoticeKind.GATE_CLOSED.value}",
        kind=NoticeKind.GATE_CLOSED,
        run=question.run,
        title=f"Decided at gate {question.gate.value}: {_some(question.machines)}",
        words=(*decided, *_moved(delegations)),
        facts={"Run": question.run, "Waited": spoken(at - question.asked_at)},
        at=at,
    )


def break_glass(question: Question, key: str, entry: Entry) -> Notice:
    """Tell, as loudly as can be, that one person decided for a whole quorum, and why."""
    return Notice(
        id=f"{key}:{NoticeKind.BREAK_GLASS.value}:{entry.id}",
        kind=NoticeKind.BREAK_GLASS,
        run=question.run,
        title=f"Break-glass: {entry.by} decided alone at gate {question.gate.value}",
        words=(
            f"{_some(question.machines)}: {entry.decision.value}, by break-glass and not by {_quorum(question)}.",
            "If you did not expect this, look at the run now: it can be paused and cancelled.",
        ),
        facts={"Run": question.run, "Reason": _cut(entry.comment) or "none given"},
        urgent=True,
        at=entry.at,
    )


def run_ended(report: Report) -> Notice:
    """Tell how a run ended, for each of its machines."""
    by_outcome = {
        outcome: [each.name for each in report.machines if each.outcome is outcome] for outcome in MachineOutcome
    }
    lines = [f"{_some(names)}: {outcome.value}." for outcome, names in by_outcome.items() if names]
    warnings = [f"Warning: {_cut(warning)}" for warning in report.warnings[:_NAMED]]
    refusals = [f"Refused: {_cut(refusal.what)}" for refusal in report.refusals[:_NAMED]]
    return Notice(
        id=f"{report.id}:{NoticeKind.RUN_ENDED.value}",
        kind=NoticeKind.RUN_ENDED,
        run=report.id,
        title=f"Run {report.id} ended: {report.outcome.value}",
        words=(_sentence(report.words), *lines, *warnings, *refusals),
        facts={
            "Run": report.id,
            "Asked by": report.requested_by or "unknown",
            "Took": f"{spoken(report.ended - report.started)}, "
            f"of which {spoken(report.waited_for_people)} waiting for people",
            **_vouched(report.evidence),
        },
        urgent=report.outcome in {RunOutcome.FAILED, RunOutcome.PARTIAL} or bool(report.warnings),
        at=report.ended,
    )


def _vouched(kept: Kept | None) -> dict[str, str]:
    """Tell the last hash of the evidence, so that it is known where the evidence's keeper cannot reach."""
    if kept is None or not kept.stored:
        return {}
    missing = kept.records - kept.stored
    gap = f", {missing} of them not stored" if missing else ""
    return {"Evidence": f"{kept.records} records{gap}, last hash {kept.head}"}


def withdrawn(run: str, reason: str, at: datetime) -> Notice:
    """Tell that a proposed run will not be begun, and why."""
    return Notice(
        id=f"{run}:{NoticeKind.WITHDRAWN.value}",
        kind=NoticeKind.WITHDRAWN,
        run=run,
        title=f"The proposed failback {run} was withdrawn",
        words=(_sentence(f"Nothing was begun: {_cut(reason)}"), "There is nothing left to decide."),
        facts={"Run": run},
        at=at,
    )


def left_over(run: str, what: Sequence[str], at: datetime) -> Notice:
    """Tell what a run left in Azure, where it costs money; `what` names it and says how to remove it."""
    return Notice(
        id=f"{run}:{NoticeKind.LEFT_OVER.value}",
        kind=NoticeKind.LEFT_OVER,
        run=run,
        title=f"Run {run} left something behind",
        words=(*(_sentence(_cut(each)) for each in what[:_NAMED]), *_and_more(len(what) - _NAMED)),
        facts={"Run": run},
        urgent=True,
        at=at,
    )


def _asking(
    question: Question,
    key: str,
    kind: NoticeKind,
    at: datetime,
    *,
    mark: str = "",
    before: str = "",
    words: Iterable[str] = (),
    urgent: bool = False,
) -> Notice:
    """Say everything that somebody needs who is asked and knows nothing of it yet."""
    rows = cast("list[dict[str, Any]]", question.shown.get("machines") or [])
    notes = cast("list[str]", question.shown.get("notes") or [])
    asks = _ASKS[question.gate].format(run=question.run, ways=_ways(question, rows))
    return Notice(
        id=":".join(filter(None, (key, kind.value, mark))),
        kind=kind,
        run=question.run,
        title=before + _TITLES[question.gate].format(machines=_some(question.machines)),
        words=(asks, *words, *(_sentence(each) for each in notes), _who(question, at), _otherwise(question, at)),
        facts={
            "Run": question.run,
            "Asked by": question.requested_by or "unknown",
            **_findings(rows),
            "Deadline": _moment(_until(question, at)),
        },
        ask=Ask(
            gate=question.gate,
            key=key,
            round=question.round,
            hash=question.hash,
            deadline=question.closes_at,
            approvers=question.policy.approvers,
        ),
        urgent=urgent,
        at=at,
    )


def _ways(question: Question, rows: Sequence[Mapping[str, Any]]) -> str:
    """Say which machines go which way; those that go the same way together."""
    known = sorted(
        (f"{row.get('from')} to {row.get('to')}", str(row.get("name"))) for row in rows if row.get("to")
    )
    ways = [
        f"{_some([name for _, name in group])} from {way}"
        for way, group in groupby(known, key=lambda each: each[0])
    ]
    return "; ".join(ways) or _some(question.machines)


def _findings(rows: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """Give what was found of each machine, a line for each of the first few."""
    return {str(row.get("name")): _cut("; ".join(_found(row))) for row in rows[:_NAMED]}


def _found(row: Mapping[str, Any]) -> Iterable[str]:
    yield str(row.get("state") or "state unknown")
    for name, words in (("rehearsal", "rehearsal"), ("validation", "after the failover")):
        if row.get(name):
            yield f"{words}: {row[name].get('verdict')}"
    point = cast("dict[str, Any]", row.get("usedPoint") or row.get("point") or {})
    if point.get("time"):
        yield f"recovery point of {_moment(datetime.fromisoformat(point['time']))}"
    if row.get("failure"):
        yield str(row["failure"].get("what"))


def _who(question: Question, at: datetime) -> str:
    named = deciders(question, at)
    who = f": {named}" if named else ""
    if _number(question) == 1:
        return f"One person decides{who}."
    return f"Approval takes {_quorum(question)}{who}; one can stop."


def _quorum(question: Question) -> str:
    number = _number(question)
    return "one person" if number == 1 else f"{number} different people"


def _number(question: Question) -> int:
    return 1 if question.gate is GateName.INTERVENTION else question.policy.quorum


def _otherwise(question: Question, at: datetime) -> str:
    until = _until(question, at)
    return f"If nobody decides by {_moment(until)} (in {spoken(until - at)}): {silence(question, at)}."


def silence(question: Question, at: datetime) -> str:
    """Say what silence comes to at the next deadline, and before the last one, who else would be asked."""
    stays, further = _STAYS[question.gate], question.policy.escalate_to
    if further is not None and at < question.deadline:
        others = _people(further.approvers, further.groups)
        return f"{others} can decide as well, until {_moment(question.closes_at)}; without them, {stays}"
    # Elsewhere there is nothing yet that was found well.
    may_approve = question.gate in {GateName.FAILBACK, GateName.COMMIT}
    words = _SILENCE.get(question.policy.on_timeout, "{stays}") if may_approve else "{stays}"
    return words.format(stays=stays)


def deciders(question: Question, at: datetime) -> str:
    """Name who may decide by now, as far as the policy names anybody."""
    policy, further = question.policy, question.policy.escalate_to
    if further is None or at < question.deadline or not (policy.approvers or policy.groups):
        return _people(policy.approvers, policy.groups)
    return _people((*policy.approvers, *further.approvers), (*policy.groups, *further.groups))


def _until(question: Question, at: datetime) -> datetime:
    """Give the next moment at which silence means something."""
    return question.deadline if at < question.deadline else question.closes_at


def _people(names: Sequence[str], groups: Sequence[str]) -> str:
    """Name who may decide; of groups, only Entra knows who is in them."""
    members = f"members of {len(groups)} group{'s' if len(groups) > 1 else ''}" if groups else ""
    return " and ".join(filter(None, (_some(names), members)))


def _alike(outcomes: Mapping[str, Outcome]) -> Iterable[tuple[list[str], Outcome]]:
    """Put machines together that were decided alike."""
    together: dict[tuple[Choice, tuple[str, ...]], list[str]] = {}
    for name, outcome in outcomes.items():
        together.setdefault((outcome.decision, outcome.by), []).append(name)
    return [(names, outcomes[names[0]]) for names in together.values()]


def _decided(names: Sequence[str], outcome: Outcome) -> str:
    return f"{_some(names)}: {outcome.decision.value}, by {_some(outcome.by) or 'silence'}."


def _some(names: Sequence[str]) -> str:
    """List names, as many as can be read at a glance."""
    return ", ".join((*names[:_NAMED], *_and_more(len(names) - _NAMED)))


def _and_more(number: int) -> tuple[str, ...]:
    return (f"and {number} more",) if number > 0 else ()


def _moment(time: datetime) -> str:
    return f"{time:%Y-%m-%d %H:%M} UTC"


def _sentence(text: str) -> str:
    return text if text.endswith((".", "!", "?", "…")) else f"{text}."


def _cut(text: str) -> str:
    return bounded(" ".join(text.split()), _LONGEST_FACT)

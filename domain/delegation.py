"""Handing a voice over: who may, to whom, and for whom somebody speaks.

Whoever may decide at a gate may let another person decide in their place, in this round and with a reason. Their
own voice is gone with that. The delegate is one person and counts once, however many voices were handed to them:
a quorum of people is never met by fewer.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from domain.gate import Choice, Entry, Judgement, Question


def delegations(entries: Iterable[Entry]) -> tuple[Entry, ...]:
    """Give the voices that were handed over, in the order they were."""
    return tuple(
        each for each in entries if each.decision is Choice.DELEGATE and each.judgement is Judgement.RECORDED
    )


def held_by(entries: Iterable[Entry], names: frozenset[str]) -> tuple[Entry, ...]:
    """Give the voices that were handed to somebody who is known by these names."""
    return tuple(each for each in delegations(entries) if each.handed_to & names)


def handed_over(entries: Iterable[Entry], person: str) -> Entry | None:
    """Say with which entry a person gave their own voice away; nothing while they have it."""
    return next((each for each in delegations(entries) if each.person == person), None)


def all_names(entries: Sequence[Entry], names: frozenset[str]) -> frozenset[str]:
    """Add every name under which whoever is known by these was seen here: a second account is no second person."""
    seen = {each.person for each in entries if each.person and each.known_as & names}
    return names.union(*(each.known_as for each in entries if each.person in seen))


def spent(entries: Iterable[Entry], person: str) -> str | None:
    """Say why a person has no voice left that could be handed over."""
    if (given := handed_over(entries, person)) is not None:
        return f"this person has handed their voice to {given.to} already"
    said = (each for each in entries if each.judgement is Judgement.RECORDED and each.person == person)
    return "this person has decided here already, and what they said stands" if any(said) else None


def barred(question: Question, entries: Sequence[Entry], entry: Entry, known_as: frozenset[str]) -> str | None:
    """Say why a voice may not be handed over; `known_as` are all the names of whoever would do so.

    That the voice would count is for the tally to say.
    """
    policy, to = question.policy, all_names(entries, entry.handed_to)
    if known_as & question.requester and not policy.requester_may_approve and Choice.APPROVE in question.offers:
        return "asked for this run, and has no voice here that could be handed over"
    if to & known_as:
        return "may not hand their voice to themselves"
    if to & question.requester and not policy.requester_may_approve:
        return f"may not hand their voice to {entry.to}, who asked for this run"
    if held := held_by(entries, known_as):
        return f"speaks for {held[0].by} as well, and a voice that was handed over is not handed on"
    if any(each.known_as & to for each in delegations(entries)):
        return f"may not hand their voice to {entry.to}, who has handed their own to somebody else"
    return None

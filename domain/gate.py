"""What a gate asks, what people may answer, and what becomes of an answer.

A gate asks about some machines and shows something; a decision names the hash of what was shown. `domain/tally.py`
counts the decisions.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Annotated, Any, Final, Self

from pydantic import Field, field_validator, model_validator

from domain.approvals import ApprovalPolicy, Delegate, GateName, OnTimeout, folded
from domain.errors import bounded
from domain.people import Role
from domain.request import Comment, Name, PointChoice, aware
from domain.wire import Answer, Wire, digest, refuse

# A gate nobody answers is held at most this long, whatever its policy: nothing waits for ever.
HELD_AT_MOST: Final = timedelta(days=45)


class Choice(StrEnum):
    """What people may answer."""

    APPROVE = "approve"
    CHANGE_POINT = "changeRecoveryPoint"
    STOP = "stop"
    RETRY = "retry"
    SKIP = "skip"
    # It decides nothing, and is taken at every gate beside what the gate offers.
    DELEGATE = "delegate"


OFFERS: Final = {
    GateName.START: (Choice.APPROVE, Choice.STOP),
    GateName.FAILBACK: (Choice.APPROVE, Choice.CHANGE_POINT, Choice.STOP),
    GateName.COMMIT: (Choice.APPROVE, Choice.CHANGE_POINT, Choice.STOP),
    GateName.INTERVENTION: (Choice.RETRY, Choice.SKIP, Choice.STOP),
}
# So much is kept of a decision that changed nothing: so many of the machines it names, so long a comment.
_BRIEF: Final = 20
_BRIEF_COMMENT: Final = 300
# These answers depart from the plan, or from who was to decide; the record must say why.
NEEDS_REASON: Final = frozenset({Choice.SKIP, Choice.DELEGATE})


def taken_at(offers: tuple[Choice, ...]) -> tuple[Choice, ...]:
    """Give all that may be sent to a gate that offers these answers: a voice may be handed over at every one."""
    return (*offers, Choice.DELEGATE)


class DecisionRequest(Wire):
    """What a person sends: which gate, what answer, for which machines (all, unless named), and what was seen.

    `plan_hash` is the hash that the gate shows; it binds the answer to what was asked. `not_before` approves now
    what is to be done then. `break_glass` decides alone, in an emergency, where the policy allows it.
    """

    gate: GateName
    decision: Choice
    comment: Comment = ""
    machines: Annotated[tuple[Name, ...], Field(min_length=1, max_length=1_000)] | None = None
    recovery_points: Annotated[dict[Name, PointChoice], Field(max_length=1_000)] | None = None
    plan_hash: Annotated[str, Field(min_length=8, max_length=64)]
    not_before: datetime | None = None
    break_glass: bool = False
    to: Delegate | None = None

    @field_validator("not_before")
    @classmethod
    def _is_a_moment(cls, value: datetime | None) -> datetime | None:
        return aware(value)

    @model_validator(mode="after")
    def _fits(self) -> Self:
        refuse(self._faults())
        return self

    def _faults(self) -> Iterator[str]:
        if self.decision not in (taken := taken_at(OFFERS[self.gate])):
            offered = ", ".join(taken)
            yield f'gate "{self.gate}" takes {offered}'
        if (self.decision is Choice.CHANGE_POINT) != bool(self.recovery_points):
            yield (
                '"recoveryPoints" names a point for each machine that is to change, '
                'goes with "decision": "changeRecoveryPoint", and only with it'
            )
        if (self.decision in NEEDS_REASON or self.break_glass) and not self.comment:
            what = "breakGlass" if self.break_glass else self.decision
            yield f'give the reason for "{what}" in "comment"'
        if self.not_before is not None and self.decision is not Choice.APPROVE:
            yield '"notBefore" goes with "decision": "approve", and only with it'
        yield from self._faults_of_handing_over()

    def _faults_of_handing_over(self) -> Iterator[str]:
        delegates = self.decision is Choice.DELEGATE
        if delegates != (self.to is not None):
            yield '"to" names who decides instead, goes with "decision": "delegate", and only with it'
        if delegates and self.machines is not None:
            yield '"delegate" hands over the whole voice: leave "machines" out'
        if delegates and self.break_glass:
            yield '"breakGlass" decides alone, and cannot be handed over'


class Judgement(StrEnum):
    """What became of a decision."""

    RECORDED = "recorded"
    DUPLICATE = "duplicate"
    LATE = "late"
    STALE = "stale"
    NOT_PERMITTED = "notPermitted"
    UNFIT = "unfit"


class Entry(Answer):
    """One decision in the ledger: who, what, when, from where, and what became of it.

    `at` is the time of the door that took it in. `person` is who it counts as: somebody who comes by another way,
    under another name of the same person, is still one person. `to` is who a voice was handed to, `to_also` are
    more names that the settings say are theirs; `on_behalf_of` are those who handed theirs to this person.
    """

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
    # Absent in old runs, which knew people by their names alone.
    by_id: str = ""
    # Absent in old runs, where a person had no other names.
    also: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    roles: tuple[Role, ...] = ()
    address: str | None = None
    not_before: datetime | None = None
    break_glass: bool = False
    person: str = ""
    # Absent in old runs, where nobody could hand their voice over.
    to: str = ""
    to_also: tuple[str, ...] = ()
    on_behalf_of: tuple[str, ...] = ()

    @property
    def known_as(self) -> frozenset[str]:
        """All that the person is known by."""
        return folded((self.by, self.by_id, *self.also))

    @property
    def handed_to(self) -> frozenset[str]:
        """All that the person is known by to whom this hands a voice; nobody, unless it does."""
        return folded((self.to, *self.to_also))

    @property
    def speaker(self) -> str:
        """Who decided, and for whom as well: "pia for olive"."""
        return f"{self.by} for {' and '.join(self.on_behalf_of)}" if self.on_behalf_of else self.by

    @property
    def said(self) -> str:
        """What was decided, and of a voice that was handed over, to whom."""
        return f"{self.decision.value} to {self.to}" if self.to else self.decision.value

    @property
    def in_brief(self) -> Entry:
        """The decision as it is kept when it changes nothing: anybody who signs in can send very long ones."""
        return self.having(
            comment=bounded(self.comment, _BRIEF_COMMENT),
            machines=self.machines[:_BRIEF] if self.machines else self.machines,
            recovery_points=dict(list(self.recovery_points.items())[:_BRIEF]),
            groups=self.groups[:_BRIEF],
            # Whoever tries a name learns nothing of whose it is.
            to_also=(),
        )


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
    # Absent in old runs, which knew people by their names alone.
    requested_by_id: str | None = None
    asked_at: datetime
    deadline: datetime

    @property
    def closes_at(self) -> datetime:
        """When silence decides: at the deadline, that of an escalation, or for a gate that holds, much later."""
        if self.policy.on_timeout is OnTimeout.HOLD:
            return self.asked_at + HELD_AT_MOST
        further = self.policy.escalate_to
        return self.deadline + further.timeout if further else self.deadline

    @property
    def requester(self) -> frozenset[str]:
        """All that the person who asked for the run is known by."""
        return folded((self.requested_by or "", self.requested_by_id or ""))

    @property
    def hash(self) -> str:
        """The digest that decisions must name."""
        return digest([self.run, self.plan_hash, self.gate, self.round, list(self.machines), self.shown])


class Outcome(Answer):
    """What was decided for one machine, and by whom; nobody, when silence decided.

    What is approved is to be done `not_before` some moment: the latest that one of these people named.
    """

    decision: Choice
    by: tuple[str, ...] = ()
    point: PointChoice | None = None
    not_before: datetime | None = None
    break_glass: bool = False

"""Who must agree at which gate, how many of them, by when, and what silence means."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from datetime import timedelta
from enum import StrEnum
from typing import Annotated, Final, Self

from pydantic import AfterValidator, Field, StringConstraints, ValidationError, model_validator

from domain.people import spelt
from domain.windows import Window
from domain.wire import Wire, refuse

Person = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=256)]
# One mail address and nothing around it, for mail is sent there; or an object id.
_ADDRESS: Final = re.compile(r"[^\s@,;:<>\"]+@[^\s@,;:<>\"]+|[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


def _addressed(name: str) -> str:
    """Give a mail address or object id as it is compared and shown, so that nobody reads another than is meant."""
    written = unicodedata.normalize("NFKC", name)
    if not written.isprintable() or _ADDRESS.fullmatch(written) is None:
        raise ValueError("name the person by mail address or by Entra object id")
    return written


Delegate = Annotated[Person, AfterValidator(_addressed)]
# People and groups as the doors know them: sign-in names, mail addresses or Entra object ids; groups' object ids.
People = Annotated[tuple[Person, ...], Field(max_length=100)]
Quorum = Annotated[int, Field(ge=1, le=20)]
Patience = Annotated[timedelta, Field(ge=timedelta(minutes=1), le=timedelta(days=45))]
# More often would teach people to look away.
Rhythm = Annotated[timedelta, Field(ge=timedelta(minutes=5), le=timedelta(days=45))]


class GateName(StrEnum):
    """Where people are asked."""

    # Only runs that an alert proposes begin with it.
    START = "start"
    FAILBACK = "failback"
    COMMIT = "commit"
    INTERVENTION = "intervention"


class OnTimeout(StrEnum):
    """What happens when nobody decided in time."""

    STOP = "stop"
    HOLD = "hold"
    APPROVE = "approve"
    ESCALATE = "escalate"


class Escalation(Wire):
    """Who may decide as well once the first deadline has passed, and how long they have."""

    approvers: People = ()
    groups: People = ()
    timeout: Patience = timedelta(days=1)

    @model_validator(mode="after")
    def _names_somebody(self) -> Self:
        if not self.approvers and not self.groups:
            raise ValueError("name the approvers or groups to escalate to")
        return self


class GatePolicy(Wire):
    """What differs at one gate; a field that is left out is as the run's policy has it."""

    approvers: People | None = None
    groups: People | None = None
    quorum: Quorum | None = None
    requester_may_approve: bool | None = None
    reason_required: bool | None = None
    timeout: Patience | None = None
    on_timeout: OnTimeout | None = None
    escalate_to: Escalation | None = None
    remind_every: Rhythm | None = None
    window: Window | None = None
    break_glass: bool | None = None
    requester_may_break_glass: bool | None = None


class ApprovalPolicy(Wire):
    """Who must agree at a gate, how many of them, and what silence means.

    Neither `approvers` nor `groups` means anyone whom the door lets in. People are told apart by their ids, and
    by their sign-in names whatever the letter case. `remind_every` tells people again for as long as a gate is
    open. What is approved is done only inside `window`. `break_glass` lets one person of that role decide for
    everybody, who says why; the requester may be that one only if `requester_may_break_glass`. `gates` says what
    differs at single gates.
    """

    approvers: People = ()
    groups: People = ()
    quorum: Quorum = 1
    requester_may_approve: bool = False
    reason_required: bool = False
    timeout: Patience = timedelta(days=1)
    on_timeout: OnTimeout = OnTimeout.STOP
    escalate_to: Escalation | None = None
    remind_every: Rhythm | None = None
    window: Window | None = None
    break_glass: bool = False
    requester_may_break_glass: bool = False
    gates: dict[GateName, GatePolicy] = {}

    @model_validator(mode="after")
    def _can_be_kept(self) -> Self:
        refuse(self._faults())
        return self

    def _faults(self) -> Iterator[str]:
        people = folded(self.approvers)
        # How many people are in a group is known to Entra alone.
        if people and not self.groups and len(people) < self.quorum:
            yield f"a quorum of {self.quorum} cannot be reached by {len(people)} approvers"
        if (self.on_timeout is OnTimeout.ESCALATE) != (self.escalate_to is not None):
            yield '"onTimeout": "escalate" and "escalateTo" go together'
        for gate in self.gates:
            try:
                self.at(gate)
            except ValidationError as error:
                faults = "; ".join(fault["msg"].removeprefix("Value error, ") for fault in error.errors())
                yield f"at gate {gate}: {'; '.join(faults.splitlines())}"

    def at(self, gate: GateName) -> ApprovalPolicy:
        """Give the policy of one gate."""
        override = self.gates.get(gate)
        if override is None:
            return self.having(gates={})
        differs = override.to_wire()
        if differs.get("onTimeout", OnTimeout.ESCALATE) != OnTimeout.ESCALATE:
            # Another outcome leaves no room for the run's escalation.
            differs = {"escalateTo": None, **differs}
        return ApprovalPolicy.from_wire({**self.to_wire(), "gates": {}, **differs})

    def admits(self, known_as: Iterable[str], groups: Iterable[str], *, escalated: bool) -> bool:
        """Tell whether somebody, by all their names and groups, is among those who may decide."""
        if not self.approvers and not self.groups:
            return True
        further = self.escalate_to if escalated else None
        named = (*self.approvers, *(further.approvers if further else ()))
        welcome = (*self.groups, *(further.groups if further else ()))
        return bool(folded(named) & folded(known_as)) or bool(folded(welcome) & folded(groups))


def folded(names: Iterable[str]) -> frozenset[str]:
    """Give names as they are compared; an empty one is nobody."""
    return frozenset(filter(None, map(spelt, names)))

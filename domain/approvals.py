"""Who must agree at which gate, how many of them, by when, and what silence means."""

from __future__ import annotations

from datetime import timedelta
from enum import StrEnum
from typing import Annotated, Self

from pydantic import Field, StringConstraints, model_validator

from domain.wire import Wire

Person = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=256)]


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


class ApprovalPolicy(Wire):
    """Who must agree at a gate, how many of them, and what silence means.

    No `approvers` means anyone whom the door lets in; people are told apart by their sign-in name,
    whatever its letter case.
    """

    approvers: Annotated[tuple[Person, ...], Field(max_length=100)] = ()
    quorum: Annotated[int, Field(ge=1, le=20)] = 1
    requester_may_approve: bool = False
    timeout: Annotated[timedelta, Field(ge=timedelta(minutes=1), le=timedelta(days=45))] = timedelta(days=1)
    on_timeout: OnTimeout = OnTimeout.STOP

    @model_validator(mode="after")
    def _quorum_can_be_reached(self) -> Self:
        people = {person.casefold() for person in self.approvers}
        if people and len(people) < self.quorum:
            raise ValueError(f"a quorum of {self.quorum} cannot be reached by {len(people)} approvers")
        return self

"""One machine's way through one stage of a run, and the roads that stages follow.

A road says for each state what is due: an act, or to wait, or that the machine has arrived.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final
from uuid import UUID, uuid5

from domain.contract import Order, Subject, Validation, ValidationOrder
from domain.errors import Refusal
from domain.lifecycle import Act, MachineState
from domain.machine import JobSnapshot, MachineSnapshot
from domain.request import Aspect, ValidationRequest
from domain.wire import Answer


class StageName(StrEnum):
    """The stages of a run, in the runbook's words."""

    PREPARE = "prepare"
    REHEARSE = "rehearse"
    CLEAN_UP = "clean_up"
    MOVE = "move"
    CHANGE_POINT = "change_point"
    COMMIT = "commit"
    PROTECT = "protect"


class Way(StrEnum):
    """What a road says where no act is due."""

    WAIT = "wait"
    ARRIVED = "arrived"


_S = MachineState
AT_HOME: Final = frozenset({_S.HOME_UNCOMMITTED, _S.HOME_COMMITTED, _S.HOME_SYNCING, _S.HOME_PROTECTED})
_HOME: Final[Mapping[MachineState, Act | Way]] = dict.fromkeys(AT_HOME, Way.ARRIVED)
# A machine that is further than its stage has arrived: somebody else took it there, and later stages will see it.
ROADS: Final[Mapping[StageName, Mapping[MachineState, Act | Way]]] = {
    StageName.PREPARE: {
        _S.AWAY_COMMITTED: Act.REPROTECT,
        _S.AWAY_SYNCING: Way.WAIT,
        _S.AWAY_REHEARSED: Act.CLEAN_UP,
        _S.AWAY_PROTECTED: Way.ARRIVED,
        **_HOME,
    },
    StageName.REHEARSE: {_S.AWAY_PROTECTED: Act.TEST_FAILOVER, _S.AWAY_REHEARSED: Way.ARRIVED, **_HOME},
    StageName.CLEAN_UP: {_S.AWAY_REHEARSED: Act.CLEAN_UP, _S.AWAY_PROTECTED: Way.ARRIVED, **_HOME},
    StageName.MOVE: {_S.AWAY_PROTECTED: Act.FAIL_OVER, **_HOME},
    StageName.CHANGE_POINT: {_S.HOME_UNCOMMITTED: Act.CHANGE_POINT},
    StageName.COMMIT: {**_HOME, _S.HOME_UNCOMMITTED: Act.COMMIT},
    StageName.PROTECT: {
        _S.HOME_COMMITTED: Act.REPROTECT,
        _S.HOME_SYNCING: Way.WAIT,
        _S.HOME_PROTECTED: Way.ARRIVED,
    },
}
# These bring up a machine that must be judged.
VALIDATED: Final = frozenset({StageName.REHEARSE, StageName.MOVE, StageName.CHANGE_POINT})
# Arriving without this act is believed only after a while: a list that lags behind may show the time before it.
DUE: Final = {StageName.REHEARSE: Act.TEST_FAILOVER, StageName.CLEAN_UP: Act.CLEAN_UP}
# A rehearsal is cleaned up on every path out, a cancelled run's too.
HEEDS_CANCEL: Final = frozenset(StageName) - {StageName.CLEAN_UP}


# These acts touch production, each at people's word; that word may be good for a time only.
APPROVED_ACTS: Final = frozenset({Act.FAIL_OVER, Act.CHANGE_POINT, Act.COMMIT})
# Request ids are derived under this name, so that one intention has one id for ever.
_INTENTIONS: Final = UUID("6a6f1f0c-3c58-5d3e-9a0e-2f6d0f1b7c11")


def intention(occasion: str, machine: str, act: Act) -> str:
    """Derive the client request id of one act on one machine on one occasion, named "run|occasion"."""
    return str(uuid5(_INTENTIONS, f"{occasion}|{machine}|{act}"))


class LegStatus(StrEnum):
    """What a leg is doing; the last three are ends."""

    READY = "ready"
    RUNNING = "running"
    CONFIRMING = "confirming"
    UNDECIDED = "undecided"
    VALIDATING = "validating"
    DONE = "done"
    FAILED = "failed"
    STOPPED = "stopped"


ENDS: Final = frozenset({LegStatus.DONE, LegStatus.FAILED, LegStatus.STOPPED})


class JobRecord(Answer):
    """One act of a run with the Site Recovery job behind it, for the report.

    `ours` is false for a job that somebody else began and the run adopted.
    """

    act: Act
    job: JobSnapshot
    ours: bool = True
    request_id: str = ""


class Leg(Answer):
    """One machine's way through one stage.

    `since` is when the present status began, by Azure's clock; `asked_since` when the present act was first asked
    for, however often it was asked again.
    """

    subject: Subject
    item_id: str
    status: LegStatus = LegStatus.READY
    words: str = ""
    since: datetime | None = None
    act: Act | None = None
    job: str | None = None
    ours: bool = True
    not_before: datetime | None = None
    acts: tuple[Act, ...] = ()
    jobs: tuple[JobRecord, ...] = ()
    validation: Validation | None = None
    failure: Refusal | None = None
    snapshot: MachineSnapshot | None = None
    gone_since: datetime | None = None
    # Since when an idle machine is where its road does not expect it; old runs begin to count anew.
    odd_since: datetime | None = None
    # Absent in old runs, which begin to count at their next order.
    asked_since: datetime | None = None
    # The passes in which this run asked for an act before, by "run|occasion"; old runs know of none.
    earlier: tuple[str, ...] = ()

    @property
    def has_ended(self) -> bool:
        """Whether this leg is over."""
        return self.status in ENDS

    def earlier_intentions(self, act: Act) -> frozenset[str]:
        """Give the request ids under which this run may have asked for an act before."""
        return frozenset(intention(occasion, self.subject.name, act) for occasion in self.earlier)

    def to(self, status: LegStatus, now: datetime, words: str | None = None) -> Leg:
        """Go over to another status."""
        return self.having(status=status, since=now, words=self.words if words is None else words, not_before=None)

    def fail(self, now: datetime, refusal: Refusal) -> Leg:
        """End for a reason."""
        about = refusal.having(about=self.subject.name)
        return self.to(LegStatus.FAILED, now, refusal.what).having(failure=about)


class Task(Answer):
    """What a stage is asked to do, the same from its beginning to its end.

    `occasion` names this one pass through the stage within the run; request ids are derived from it, so that
    a second rehearsal is a second intention while a repeated activity is not. `points` are resolved
    recovery point ids by machine; a machine without one leaves it to the service. `forbidden` are acts that the
    request did not allow, wherever a road would take them. `until` says by machine how long people's word is good:
    from that moment on, no act that takes an approval is begun.
    """

    run: str
    occasion: str
    stage: StageName
    vault: str
    max_parallel: int = 20
    look_every: timedelta = timedelta(seconds=30)
    shut_down_source: bool = False
    points: dict[str, str] = {}
    heartbeat: bool = True
    validation_timeout: timedelta = timedelta(minutes=15)
    comment: str = ""
    forbidden: tuple[Act, ...] = ()
    # In old runs that which blocks by default.
    blocks: tuple[Aspect, ...] = ValidationRequest().blocks
    # Absent in old runs, whose approvals did not run out.
    until: dict[str, datetime] = {}

    @property
    def intent(self) -> str:
        """The name under which this pass asks for acts."""
        return f"{self.run}|{self.occasion}"

    def is_too_late(self, machine: str, act: Act, now: datetime) -> bool:
        """Tell whether people's word for an act on a machine has run out."""
        until = self.until.get(machine)
        return act in APPROVED_ACTS and until is not None and now >= until

    def step(self, state: MachineState) -> Act | Way | None:
        """Say what is due for a machine in a state; nothing, when it should not be there."""
        step = ROADS[self.stage].get(state)
        return None if step in self.forbidden else step

    @property
    def is_validated(self) -> bool:
        """Whether machines are judged at this stage's end."""
        return self.stage in VALIDATED


class Decision(Answer):
    """What follows from one look: the legs as they stand, and what to ask for now."""

    legs: tuple[Leg, ...]
    orders: tuple[Order, ...] = ()
    searches: tuple[Order, ...] = ()
    validations: tuple[ValidationOrder, ...] = ()

    @property
    def is_over(self) -> bool:
        """Whether every leg has ended."""
        return all(leg.has_ended for leg in self.legs)

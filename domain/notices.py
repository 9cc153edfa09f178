"""What people are told, on which channels, and what became of it.

A notice never decides anything and never holds anything up: it is told as well as it can be, and how that went
is kept with the run.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum

from domain.approvals import GateName
from domain.wire import Answer, digest


class NoticeKind(StrEnum):
    """What a notice is about."""

    GATE_OPENED = "gateOpened"
    REMINDER = "reminder"
    ESCALATED = "escalated"
    DELEGATED = "delegated"
    GATE_CLOSED = "gateClosed"
    BREAK_GLASS = "breakGlass"
    RUN_ENDED = "runEnded"
    WITHDRAWN = "withdrawn"
    LEFT_OVER = "leftOver"


class Ask(Answer):
    """The gate that a notice asks people to come to; `hash` is that of what the gate shows."""

    gate: GateName
    key: str
    round: int
    hash: str
    deadline: datetime
    # Sign-in names or mail addresses; those that are mail addresses may be sent a personal link.
    approvers: tuple[str, ...] = ()


class Notice(Answer):
    """Something to tell people, the same on every channel.

    `id` is the same however often the notice is sent, so that a channel can drop a repetition. `words` are
    sentences, `facts` are pairs of a label and a value. `urgent` asks for the channel's loudest form.
    """

    id: str
    kind: NoticeKind
    run: str
    title: str
    words: tuple[str, ...] = ()
    facts: dict[str, str] = {}
    ask: Ask | None = None
    urgent: bool = False
    at: datetime

    @property
    def errand(self) -> str:
        """The name of the one errand on which this notice is told; short enough for an instance's id."""
        return f"{self.run[:60]}:tell-{self.kind.value}-{digest(self.id)[:12]}"


class DeliveryStatus(StrEnum):
    """How one channel took a notice."""

    SENT = "sent"
    FAILED = "failed"
    TRYING = "trying"


class Delivery(Answer):
    """What became of a notice on one channel."""

    notice: str
    channel: str
    status: DeliveryStatus
    words: str = ""
    at: datetime


class Told(Answer):
    """What became of a notice on every channel there is; none when no channel is configured."""

    deliveries: tuple[Delivery, ...] = ()


class Channels(Answer):
    """The channels on which a notice is told; each is delivered to, and reported, on its own."""

    names: tuple[str, ...] = ()


class DeliveryOrder(Answer):
    """One notice for one channel; where that channel leads is configured, and never in history."""

    notice: Notice
    channel: str


class Attempt(Answer):
    """What one try to deliver came to; `again_after` asks for another try, then."""

    delivery: Delivery
    again_after: timedelta | None = None


class Tidings(Answer):
    """What became of notices by now, by the errands on which they are told."""

    told: dict[str, tuple[Delivery, ...]] = {}

"""Named faults: what goes wrong, for whom, and how often."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter
from pydantic.alias_generators import to_camel

from simulator.arm import last_segment
from simulator.declared import read_declared
from simulator.estate import Act, Arrival

if TYPE_CHECKING:
    from collections.abc import Iterable


class FaultName(StrEnum):
    """Every fault there is, with what it does."""

    # of a call, before anything is done
    THROTTLED = "throttled"  # 429, with Retry-After unless retryAfter is 0
    SERVER_ERROR = "server-error"  # 500
    UNAVAILABLE = "unavailable"  # 503
    CONNECTION_CLOSED = "connection-closed"  # no answer, nothing done
    SLOW = "slow"  # a whole answer, `delay` seconds late
    TOKEN_EXPIRED = "token-expired"  # noqa: S105 - 401 as for an expired token
    AUTHORIZATION_FAILED = "authorization-failed"  # 403
    LINKED_AUTHORIZATION_FAILED = "linked-authorization-failed"  # 403
    SCOPE_LOCKED = "scope-locked"  # 409
    NOT_FOUND = "not-found"  # 404 for something that exists
    # of a call, after it was carried out
    LOST_ANSWER = "lost-answer"  # done, then the connection closes
    ERROR_AFTER_ACCEPTED = "error-after-accepted"  # done, then 500
    PARTIAL_RESULT = "partial-result"  # of a log query: 200 with an error beside the rows
    TABLE_MISSING = "table-missing"  # of a log query: 400, as before a table's first record
    WORKSPACE_MISSING = "workspace-missing"  # of a log query: 404
    # of a job
    JOB_FAILS = "job-fails"  # at `task`, or at its last one
    JOB_HANGS = "job-hangs"  # never ends by itself
    JOB_CANCELLED = "job-cancelled"  # somebody cancels it half way
    JOB_WARNS = "job-warns"  # succeeds with error 28175
    SOURCE_WILL_NOT_SHUT_DOWN = "source-will-not-shut-down"  # failover goes on, source runs
    COMMIT_REFUSED = "commit-refused"  # the POST is refused
    DISK_LEFT_BEHIND = "disk-left-behind"  # cleanup forgets a disk
    REGION_OUT_OF_CAPACITY = "region-out-of-capacity"  # failover and test failover fail
    NO_HEARTBEAT = "no-heartbeat"  # the machine that comes up never reports
    ARRIVES_OTHERWISE = "arrives-otherwise"  # the machine comes up as `arrives` says
    # of an item
    ITEM_DISAPPEARS = "item-disappears"  # before the call is looked at
    SOMEBODY_STARTS_A_JOB = "somebody-starts-a-job"  # an act from the portal, before the call
    STALE_LIST = "stale-list"  # a list as it was before the last change


class Fault(BaseModel):
    """One fault: its name, whom it meets, and when.

    A fault meets calls that fit every condition given. It lets `after` of them pass, then strikes `times`
    times (for ever when null), each with chance `share`, for `seconds` of simulated time if given.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", alias_generator=to_camel, populate_by_name=True)

    name: FaultName
    act: Act | None = None
    item: str | None = None
    path: str | None = None
    method: str | None = None
    after: int = Field(default=0, ge=0)
    times: int | None = Field(default=1, ge=1)
    share: float = Field(default=1.0, gt=0, le=1)
    seconds: float | None = Field(default=None, gt=0)
    retry_after: int = Field(default=10, ge=0)
    delay: float = Field(default=5.0, ge=0)
    task: str | None = None
    code: str | None = None
    message: str | None = None
    start: Act | None = None
    arrives: Arrival = Arrival()


@dataclass(frozen=True, slots=True, kw_only=True)
class Occasion:
    """What a fault may meet: a call, or the start of a job."""

    method: str = "POST"
    path: str = ""
    act: Act | None = None
    item: str | None = None
    by_path_only: bool = False


@dataclass(slots=True, eq=False)
class _Armed:
    fault: Fault
    since: datetime
    met: int = 0
    struck: int = 0


@dataclass(slots=True, eq=False)
class Faults:
    """The faults that are switched on; asks of them are counted and seeded."""

    random: random.Random
    _armed: list[_Armed] = field(default_factory=list["_Armed"])

    def add(self, faults: Iterable[Fault], now: datetime) -> None:
        """Switch faults on."""
        self._armed.extend(_Armed(fault, now) for fault in faults)

    def clear(self) -> None:
        """Switch all of them off."""
        self._armed.clear()

    def active(self) -> list[Fault]:
        """Answer the faults that may still strike."""
        return [armed.fault for armed in self._armed if not _spent(armed)]

    def knows(self, name: FaultName) -> bool:
        """Answer whether a fault of this name was ever switched on."""
        return any(armed.fault.name is name for armed in self._armed)

    def strike(self, name: FaultName, occasion: Occasion, now: datetime) -> Fault | None:
        """Answer the fault that strikes on this occasion, if one does, and count it."""
        for armed in self._armed:
            if armed.fault.name is name and self._strikes(armed, occasion, now):
                return armed.fault
        return None

    def _strikes(self, armed: _Armed, occasion: Occasion, now: datetime) -> bool:
        if _spent(armed) or _over(armed, now) or not _meets(armed.fault, occasion):
            return False
        armed.met += 1
        if armed.met <= armed.fault.after or self.random.random() >= armed.fault.share:
            return False
        armed.struck += 1
        return True


def _spent(armed: _Armed) -> bool:
    limit = armed.fault.times
    return limit is not None and armed.fault.seconds is None and armed.struck >= limit


def _over(armed: _Armed, now: datetime) -> bool:
    seconds = armed.fault.seconds
    return seconds is not None and now - armed.since > timedelta(seconds=seconds)


def _meets(fault: Fault, occasion: Occasion) -> bool:
    wanted = fault.item.lower() if fault.item else None
    named = last_segment(occasion.item or "").lower()
    return (
        (fault.act is None or fault.act is occasion.act)
        and (wanted is None or wanted == named)
        and (fault.path is not None or not occasion.by_path_only)
        and (fault.path is None or fault.path.lower() in occasion.path.lower())
        and (fault.method is None or fault.method.upper() == occasion.method)
    )


def load_faults(path: Path) -> list[Fault]:
    """Read faults from a YAML list; raises ValueError that names every fault in it."""
    return read_declared(path, TypeAdapter(list[Fault]), [])

"""Work that Compute and Network accept with 202 and finish later."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from simulator.messages import Response

if TYPE_CHECKING:
    from collections.abc import Callable

    from simulator.call import Call

KEPT = 1_000
"""invented: how much finished work of Compute and Network is remembered."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """One piece of accepted work; it is over when its time has come."""

    id: str
    started: datetime
    ends: datetime

    def over(self, now: datetime) -> bool:
        """Answer whether it has ended."""
        return now >= self.ends


class AllWork:
    """What was accepted, the oldest forgotten first."""

    def __init__(self) -> None:
        self._known: OrderedDict[str, Work] = OrderedDict()

    def add(self, work: Work) -> None:
        """Remember one."""
        self._known[work.id] = work
        while len(self._known) > KEPT:
            self._known.popitem(last=False)

    def find(self, work_id: str) -> Work | None:
        """Find one by its id."""
        return self._known.get(work_id.lower())


def accept_compute(
    call: Call, region: str, length: timedelta, effect: Callable[[], None], *, collection: str = "operations"
) -> Response:
    """Accept work of Compute: its Location is the operation itself, monitored (documented)."""
    work = _begin(call, length, effect)
    at = f"{_locations(call, 'Microsoft.Compute', region)}/{collection}/{work.id}"
    version = call.request.query.get("api-version", "")
    return _accepted(f"{at}?api-version={version}", f"{at}?monitor=true&api-version={version}")


def accept_network(call: Call, region: str, length: timedelta, effect: Callable[[], None]) -> Response:
    """Accept work of Network: its Location is a result beside the operation (documented)."""
    work = _begin(call, length, effect)
    at = _locations(call, "Microsoft.Network", region)
    version = call.request.query.get("api-version", "")
    return _accepted(
        f"{at}/operations/{work.id}?api-version={version}",
        f"{at}/operationResults/{work.id}?api-version={version}",
    )


def _begin(call: Call, length: timedelta, effect: Callable[[], None]) -> Work:
    now = call.world.now
    work = Work(id=call.world.ids.fresh("work"), started=now, ends=now + length)
    call.world.work.add(work)
    call.world.at(work.ends, effect)
    return work


def _locations(call: Call, provider: str, region: str) -> str:
    subscription = call.world.estate.subscription
    return f"{call.request.origin}/subscriptions/{subscription}/providers/{provider}/locations/{region}"


def _accepted(operation: str, location: str) -> Response:
    headers = (
        ("Content-Length", "0"),
        ("Azure-AsyncOperation", operation),
        ("Location", location),
        ("Retry-After", "10"),
    )
    return Response(status=202, headers=headers)

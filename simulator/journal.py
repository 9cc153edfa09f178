"""The journal: every call made, in order."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from simulator.times import ticks

if TYPE_CHECKING:
    from datetime import datetime

    from simulator.envelopes import Trace
    from simulator.messages import Delivery, JsonObject, Request

CALLS_KEPT = 100_000
"""What a long run may keep; about fifty megabytes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One call as the journal keeps it."""

    number: int
    time: datetime
    method: str
    path: str
    query: str
    status: int
    delivery: Delivery
    client_request_id: str
    user_agent: str
    write: bool
    act: str | None
    item: str | None
    operation: str | None
    route: str | None

    def to_json(self) -> JsonObject:
        """Write it as the control endpoint answers it."""
        return {
            "number": self.number,
            "time": ticks(self.time),
            "method": self.method,
            "path": self.path,
            "query": self.query,
            "status": self.status,
            "delivery": str(self.delivery),
            "clientRequestId": self.client_request_id,
            "userAgent": self.user_agent,
            "write": self.write,
            "act": self.act,
            "item": self.item,
            "operation": self.operation,
            "route": self.route,
        }


@dataclass(slots=True, eq=False)
class Journal:
    """The calls made so far, the oldest forgotten beyond a bound."""

    calls: deque[Call] = field(default_factory=lambda: deque(maxlen=CALLS_KEPT))
    count: int = 0

    def note(
        self,
        request: Request,
        trace: Trace,
        now: datetime,
        *,
        status: int,
        delivery: Delivery,
        route: str | None,
    ) -> None:
        """Add one call; a write is any POST, PUT, PATCH or DELETE to Azure Resource Manager."""
        self.count += 1
        to_arm = request.path.lower().startswith("/subscriptions/")
        call = Call(
            number=self.count,
            time=now,
            method=request.method,
            path=request.path,
            query=request.raw_query,
            status=status,
            delivery=delivery,
            client_request_id=trace.client_request_id,
            user_agent=request.headers.get("user-agent", ""),
            write=to_arm and request.method not in {"GET", "HEAD"},
            act=trace.act,
            item=trace.item,
            operation=trace.operation,
            route=route,
        )
        self.calls.append(call)

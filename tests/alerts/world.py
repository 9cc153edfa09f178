"""The app with alert routes, on a simulated estate and a virtual clock."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

from localhost import Response, SyncHost, Transaction
from tests.alerts.payloads import VAULT
from tests.rehearsal import Rehearsal

OPERATOR = {"X-Failback-User": "olive@contoso.com"}
AT_ONCE = timedelta(0)


def recovered(**more: Any) -> dict[str, Any]:
    """A route for "primary region recovered"."""
    return {
        "name": "recovered",
        "when": [
            {"family": "serviceHealth", "region": "Central US", "recovered": True},
            {"family": "resourceHealth", "recovered": True},
        ],
        "unless": [{"family": "metric"}],
        "holdDown": "PT5M",
        "stableFor": "PT30M",
        "propose": {"request": {"vault": VAULT, "machines": "failedOver"}},
        **more,
    }


class Alerts:
    """A host that alerts come to."""

    def __init__(self, rehearsal: Rehearsal, host: SyncHost) -> None:
        self.rehearsal, self.host = rehearsal, host

    def send(self, document: Any = None, body: bytes | None = None, **headers: str) -> Response:
        given = json.dumps(document).encode() if body is None else body
        sent = {"Content-Type": "application/json; charset=utf-8", **headers}
        return self.host.request("POST", "/api/alerts", body=given, headers=sent)

    def until(self, holds: Callable[[], bool], within: timedelta = timedelta(days=30)) -> None:
        """Go on until something holds."""
        limit = self.host.clock.now() + within
        while not holds():
            assert self.host.clock.now() <= limit, "it takes too long"
            assert self.host.step(), "nothing can go on"

    def pass_time(self, length: timedelta) -> None:
        """Let time pass, half a minute after the other, and do what is due at each."""
        clock = self.rehearsal.clock
        until = clock.now() + length
        while self.settle() or clock.now() < until:
            clock.advance_to(min(until, clock.now() + timedelta(seconds=30)))

    def settle(self) -> bool:
        """Do everything that is due now; nothing is left then."""
        while self.host._run(self.host.host._step(may_jump=False)):
            pass
        return False

    def hear(self, document: dict[str, Any]) -> str:
        """Send an alert, let the desks hear it, and give its delivery; no time passes."""
        answer = self.send(document)
        assert answer.status == 202, answer.body
        delivery = str(answer.json()["id"])
        self.until(lambda: self.verdicts(delivery) is not None, within=timedelta(seconds=1))
        return delivery

    def verdicts(self, delivery: str) -> list[str] | None:
        status = self.host.status(delivery)
        return (status.custom_status or {}).get("verdicts") if status else None

    def desk(self, route: str = "recovered") -> dict[str, Any]:
        state = self.host.entity("alert_desk", route)
        return json.loads(state) if isinstance(state, str) else dict(state or {})  # type: ignore[call-overload]

    def storm(self, route: str = "recovered", name: str = "all") -> dict[str, Any]:
        return self.desk(route).get("storms", {}).get(name, {})

    def named(self, name: str) -> list[Any]:
        return [each for each in self.host.instances() if each.name == name]

    def show(self, run: str) -> dict[str, Any]:
        return self.host.request("GET", f"/api/failbacks/{run}", headers=OPERATOR).json()

    def runs(self) -> list[Any]:
        return self.named("failback")


@contextmanager
def alerts(
    *routes: Mapping[str, Any],
    rehearsal: Rehearsal | None = None,
    on_transaction: Callable[[Transaction], None] | None = None,
    **settings: str,
) -> Iterator[Alerts]:
    """Open the app with these routes."""
    rehearsal = rehearsal or Rehearsal()
    given = {
        "FAILBACK_IDENTITY": "declared",
        "FAILBACK_ALERT_ROUTES": json.dumps({"routes": list(routes)}),
        **settings,
    }
    with rehearsal.host(on_transaction, given) as host:
        yield Alerts(rehearsal, host)

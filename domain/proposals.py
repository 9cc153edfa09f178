"""From an alert to a proposed run: the messages on that way."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from domain.alert_desk import Hit, Next, Timing
from domain.alert_routes import FAILED_OVER, Part, Route, Start, Tag, correlation, part_of
from domain.alerts import Alert, Condition
from domain.errors import Refusal, bounded
from domain.request import FailbackRequest, Proposed
from domain.wire import Answer, digest

# A request names its alerts; of a storm the first are enough.
_TOLD: Final = 5
_LONGEST_REASON: Final = 1_900


class Call(Answer):
    """An alert on its way to the desk of one route, with the run that the route may propose."""

    route: str
    hit: Hit
    start: Start = Start.ASK
    request: dict[str, Any] | None = None


class Intake(Answer):
    """Everything that one delivery brings about; stored before it is acknowledged."""

    words: str
    calls: tuple[Call, ...]


class Offer(Answer):
    """A proposal on its way: which storm it is for, and what it asks to run.

    `generation` counts how often its orchestrator began anew, `round` how often the storm proposed.
    """

    route: str
    storm: str
    storm_id: str
    start: Start
    request: dict[str, Any]
    round: int = 0
    generation: int = 0
    # What it waited for when it last began anew.
    words: str = "waiting for calm"

    @property
    def instance(self) -> str:
        """The name of the proposal, as the durable host knows it."""
        return f"proposal-{digest([self.route, self.storm, self.storm_id])[:24]}"

    @property
    def run(self) -> str:
        """The id of the run that is proposed."""
        return f"fb-{digest([self.route, self.storm, self.storm_id, self.round])[:16]}"

    @property
    def wanted(self) -> MachinesWanted | None:
        """Which machines are to be looked for; none when the request names them."""
        machines = self.request["machines"]
        if isinstance(machines, list):
            return None
        tag = None if machines == FAILED_OVER else Tag.from_wire(machines["tag"])
        return MachinesWanted(vault=self.request["vault"], tag=tag)


class MachinesWanted(Answer):
    """Asks for the machines of a vault that are failed over, all or those with a tag."""

    vault: str
    tag: Tag | None = None


class MachinesFound(Answer):
    """The machines that are failed over, by name; `refusal` says why they could not be read."""

    names: tuple[str, ...] = ()
    refusal: Refusal | None = None


def calls_of(alert: Alert, routes: tuple[Route, ...]) -> tuple[Call, ...]:
    """Say to which routes an alert matters, and how."""
    parts = ((route, part_of(route, alert)) for route in routes)
    return tuple(_call(route, part, alert) for route, part in parts if part is not None)


def _call(route: Route, part: Part, alert: Alert) -> Call:
    timing = Timing(
        hold_down=route.hold_down,
        stable_for=route.stable_for,
        give_up_after=route.give_up_after,
        cool_down=route.cool_down,
    )
    hit = Hit(
        key=alert.key,
        alert=alert.id,
        storm=correlation(route, alert),
        part=part,
        subject=alert.subject,
        at=alert.at,
        lasting=alert.recovered is False,
        final=alert.condition is Condition.RESOLVED,
        words=bounded(alert.words, 400),
        timing=timing,
        proposes=route.propose is not None,
    )
    # Only the alert that opens a storm needs to know what is to be run.
    if route.propose is None or part is not Part.OPENS:
        return Call(route=route.name, hit=hit)
    return Call(route=route.name, hit=hit, start=route.propose.start, request=route.propose.request)


def request_for(offer: Offer, machines: list[Any], said: Next, now: datetime) -> FailbackRequest:
    """Make the request of a proposed run; unless the route starts it at once, people are asked first."""
    told = "; ".join(said.told[:_TOLD])
    more = f" (and {said.count - _TOLD} more)" if said.count > _TOLD else ""
    proposed = Proposed(
        route=offer.route, alerts=said.alerts, reason=bounded(f"{told}{more}", _LONGEST_REASON), at=now
    )
    request = FailbackRequest.from_wire({**offer.request, "machines": machines})
    return request.having(
        requested_by=f"alert route {offer.route}",
        proposed=proposed if offer.start is Start.ASK else None,
    )

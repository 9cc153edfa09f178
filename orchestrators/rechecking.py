"""Making sure that what people approved is still what is there, and that its time has come."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Final

from domain import contract
from domain.approvals import GateName
from domain.recheck import Changed, Rechecked, RecheckRequest, seen_of
from domain.request import FailbackRequest, MachineRequest, PointChoice
from orchestrators import steps
from orchestrators.bide import Wait, Waited
from orchestrators.carrying import PASSED, approved_point, unshown_point
from orchestrators.context import Runbook
from orchestrators.trip import Trip

# While Azure does not answer, an approval can neither be kept nor voided; after this long people must look again.
_PATIENCE: Final = 12
_PAUSE: Final = timedelta(minutes=5)


def recheck(trip: Trip, gate: GateName, names: Sequence[str]) -> Runbook[dict[str, Changed]]:
    """Check approved machines again; give what is otherwise than people were shown, and forget its approval."""
    if not names or trip.ended_early is not None:
        return {}
    request = RecheckRequest(
        request=_about(trip, gate, names),
        seen={name: seen_of(trip.plan, trip.journeys[name]) for name in names},
    )
    found = yield from _changed(trip, gate, request)
    changed = {**_unshown(trip, gate, names), **found}
    for name, each in changed.items():
        journey = trip.journeys[name].withdrawn(*each.why)
        trip.journeys[name] = journey.having(
            snapshot=each.snapshot or journey.snapshot, checks=each.checks or journey.checks
        )
        if each.pruned:
            trip.note(name, point=None, rehearsal=None)
    return {} if trip.ended_early is not None else changed


def _unshown(trip: Trip, gate: GateName, names: Sequence[str]) -> dict[str, Changed]:
    """Void what people agreed to without having been shown the recovery point of the failover."""
    refused = {name: unshown_point(trip.journeys[name]) for name in names if gate is GateName.FAILBACK}
    return {
        name: Changed(why=(f"no recovery point was shown: {refusal.what}",))
        for name, refusal in refused.items()
        if refusal is not None
    }


def _about(trip: Trip, gate: GateName, names: Sequence[str]) -> FailbackRequest:
    """Ask for these machines alone, each with the very recovery point that was approved."""
    machines = tuple(
        MachineRequest(name=name, group=trip.journeys[name].subject.group, recovery_point=_point(trip, gate, name))
        for name in names
    )
    return trip.request.having(machines=machines)


def _point(trip: Trip, gate: GateName, name: str) -> PointChoice:
    match gate:
        case GateName.FAILBACK:
            return approved_point(trip.journeys[name])
        case GateName.START:
            return trip.journeys[name].subject.point
        case _:
            # At home it was used already.
            return PointChoice()


def _changed(trip: Trip, gate: GateName, request: RecheckRequest) -> Runbook[dict[str, Changed]]:
    """Ask Azure until it answers; when it stays silent, nothing can be vouched for."""
    trip.show("recheck", "checking again what was approved")
    why = ""
    for _ in range(_PATIENCE):
        try:
            found = yield from steps.call(trip.context, contract.RECHECK, request, Rechecked)
        except Exception as error:  # noqa: BLE001 - types do not survive the wire; whatever it was, Azure was not read
            why = f"it could not be checked again: {steps.first_line(error)}"
        else:
            # Only before the failover does a run need the point that was approved.
            kept = gate is GateName.FAILBACK
            return {name: each.having(pruned=each.pruned and kept) for name, each in found.changed.items()}
        yield from wait(trip, "Azure does not answer; what was approved is checked again soon", _PAUSE)
        if trip.ended_early is not None:
            break
    return {name: Changed(why=(why,)) for name in request.seen}


def when_it_is_time(trip: Trip, gate: GateName, names: Sequence[str]) -> Runbook[list[str]]:
    """Wait until approved machines may be acted on; give those whose approval still holds then."""
    approved, now = trip.travelling(names), trip.context.current_utc_datetime
    begins = max((at for name in approved if (at := trip.journeys[name].not_before)), default=now)
    if begins > now:
        yield from wait(trip, f"approved; waits until {begins:%F %H:%MZ}", begins - now)
        if trip.ended_early is not None:
            for name in approved:
                trip.journeys[name] = trip.journeys[name].stopped(trip.ended_early)
            return []
        changed = yield from recheck(trip, gate, approved)
        approved = [name for name in trip.travelling(approved) if name not in changed]
    return [name for name in approved if _in_time(trip, name)]


def _in_time(trip: Trip, name: str) -> bool:
    """Tell whether people's word is still good; it is taken back when its time has passed."""
    until = trip.journeys[name].until
    if until is None or trip.context.current_utc_datetime < until:
        return True
    trip.journeys[name] = trip.journeys[name].withdrawn(PASSED)
    return False


def wait(trip: Trip, words: str, length: timedelta) -> Runbook[None]:
    """Wait for a while, and for as long as the run is paused; remember if it is cancelled meanwhile."""
    key, until = trip.next_child("wait"), steps.after(trip.context, length)
    trip.show("wait", words, child=key)
    order = Wait(run=trip.run, until=until)
    try:
        answer = yield trip.context.call_sub_orchestrator(contract.BIDE, order.to_wire(), key)
        cancelled = Waited.from_wire(answer).cancelled
    except Exception as error:  # noqa: BLE001 - a wait that broke has not waited; nothing may follow from it
        cancelled = f"the wait broke: {steps.first_line(error)}"
    trip.cancelled = trip.cancelled or cancelled

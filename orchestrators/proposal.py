"""A proposal: a storm of alerts, waited out, and then put to people as a run."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Final

from domain import contract
from domain.alert_desk import Ending, Move, Next
from domain.proposals import MachinesFound, Offer, request_for
from orchestrators import steps
from orchestrators.context import Context, Runbook

# How late a change on the desk is seen at the most while there is no moment to wait for.
LOOK_AGAIN: Final = timedelta(minutes=1)
# A timer this short is far from the six days after which the host takes longer steps.
LONGEST_WAIT: Final = timedelta(hours=6)
TURNS_PER_GENERATION: Final = 20


def proposal(context: Context) -> Runbook[dict[str, Any] | None]:
    """Propose one run for one storm of alerts.

    1. Wait until the storm has been calm for as long as its route says, or is over.
    2. Find the machines, where the route does not name them.
    3. Tie the run to the storm, if it is still calm: from here on bad news withdraws the run.
    4. Run: it asks people first, unless the route starts it at once.
    5. Close the storm; or begin anew, when good news came after a withdrawal.
    """
    offer = Offer.from_wire(context.get_input())
    context.set_custom_status({"route": offer.route, "words": offer.words})

    # 1. Wait
    said = yield from _until_calm(context, offer)
    if said.move is Move.OVER:
        return {"words": said.words}
    if said.move is Move.WAIT:
        return _anew(context, offer.having(words=said.words))

    # 2. Find
    machines = yield from _machines(context, offer)
    if isinstance(machines, str):
        return _anew(context, offer.having(words=machines))
    if not machines:
        yield from _close(context, offer, Ending.NOTHING_TO_DO, "no machine is failed over")
        return {"words": "no machine is failed over"}

    # 3. Tie
    said = yield from _ask(context, offer, "propose", run=offer.run)
    if said.move is not Move.GO:
        return _anew(context, offer.having(words=said.words))

    # 4. Run
    ending, outcome = yield from _run(context, offer, machines, said)

    # 5. Close
    again = yield from _close(context, offer, ending, outcome)
    return _anew(context, offer.having(round=offer.round + 1)) if again else {"run": offer.run, "words": outcome}


def _until_calm(context: Context, offer: Offer) -> Runbook[Next]:
    """Wait, as long as one generation may, and give the last word of the desk."""
    said = yield from _ask(context, offer, "ready")
    for _ in range(TURNS_PER_GENERATION):
        if said.move is not Move.WAIT:
            return said
        context.set_custom_status({"route": offer.route, "words": said.words})
        yield context.create_timer(_look_again_at(context, said.until))
        said = yield from _ask(context, offer, "ready")
    return said


def _look_again_at(context: Context, until: datetime | None) -> datetime:
    now = context.current_utc_datetime
    return min(until or now + LOOK_AGAIN, now + LONGEST_WAIT)


def _machines(context: Context, offer: Offer) -> Runbook[list[Any] | str]:
    """Give the machines to bring home; or, a while after Azure could not say which, why."""
    if offer.wanted is None:
        return offer.request["machines"]
    try:
        found = yield from steps.call(context, contract.FIND_MACHINES, offer.wanted, MachinesFound)
    except Exception as error:  # noqa: BLE001 - types do not survive the wire; the storm waits on
        yield context.create_timer(steps.after(context, LOOK_AGAIN))
        return f"waiting for Azure: {steps.first_line(error)}"
    return list(found.names)


def _run(context: Context, offer: Offer, machines: list[Any], said: Next) -> Runbook[tuple[Ending, str]]:
    context.set_custom_status({"route": offer.route, "run": offer.run, "words": "proposed"})
    request = request_for(offer, machines, said, context.current_utc_datetime)
    try:
        report = yield context.call_sub_orchestrator(contract.FAILBACK, request.to_wire(), offer.run)
    except Exception as error:  # noqa: BLE001 - a run that broke has ended all the same
        return Ending.BROKE, steps.first_line(error)
    ending = Ending.WITHDRAWN if report.get("withdrawn") else Ending.RAN
    return ending, str(report.get("words") or report.get("outcome"))


def _ask(context: Context, offer: Offer, operation: str, **more: Any) -> Runbook[Next]:
    about = {"storm": offer.storm, "id": offer.storm_id, "now": context.current_utc_datetime.isoformat(), **more}
    answer = yield from steps.ask_entity(context, contract.ALERT_DESK, offer.route, operation, about)
    return Next.from_wire(answer)


def _close(context: Context, offer: Offer, ending: Ending, outcome: str) -> Runbook[bool]:
    now = context.current_utc_datetime.isoformat()
    about = {"storm": offer.storm, "id": offer.storm_id, "ending": ending.value, "outcome": outcome, "now": now}
    answer = yield from steps.ask_entity(context, contract.ALERT_DESK, offer.route, "close", about)
    return bool(answer["again"])


def _anew(context: Context, offer: Offer) -> None:
    context.continue_as_new(offer.having(generation=offer.generation + 1).to_wire())

"""An alert that came in: laid on the desks of its routes, and seen to its end.

Its instance is named by the delivery and is stored before the delivery is acknowledged, so nothing that happens
afterwards can lose it.
"""

from __future__ import annotations

from typing import Any

from domain import contract
from domain.alert_desk import Heard
from domain.proposals import Call, Intake, Offer
from orchestrators import steps
from orchestrators.context import Context, Runbook


def alert_intake(context: Context) -> Runbook[dict[str, Any]]:
    """Bring about what one alert brings about.

    1. Lay it on the desk of each route that it matters to; a desk takes each delivery once.
    2. Withdraw the runs that it takes the ground from.
    3. See the proposals through that it began.
    """
    intake = Intake.from_wire(context.get_input())

    # 1. Lay on the desks
    heard: list[Heard] = []
    for call in intake.calls:
        now = context.current_utc_datetime.isoformat()
        about = {"hit": call.hit.to_wire(), "now": now}
        answer = yield from steps.ask_entity(context, contract.ALERT_DESK, call.route, "take", about)
        heard.append(Heard.from_wire(answer))
    context.set_custom_status({"words": intake.words, "verdicts": [each.verdict.value for each in heard]})

    # 2. Withdraw
    for each in heard:
        if each.withdraws:
            about = {"reason": each.words, "at": context.current_utc_datetime.isoformat()}
            yield from steps.ask_entity(context, contract.CONTROL, each.withdraws, "withdraw", about)

    # 3. Propose
    offers = [_offer(call) for call, each in zip(intake.calls, heard, strict=True) if each.leads]
    if offers:
        yield context.task_all(
            [context.call_sub_orchestrator(contract.PROPOSAL, offer.to_wire(), offer.instance) for offer in offers]
        )
    return {"words": intake.words, "verdicts": [each.verdict.value for each in heard]}


def _offer(call: Call) -> Offer:
    return Offer(
        route=call.route,
        storm=call.hit.storm,
        storm_id=call.hit.key,
        start=call.start,
        request=call.request or {},
    )

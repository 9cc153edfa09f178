"""Telling people something, on every channel there is; it never fails, and nothing waits for it."""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta
from typing import Any, Final

from domain import contract
from domain.notices import Attempt, Channels, Delivery, DeliveryOrder, DeliveryStatus, Notice, Told
from orchestrators import steps
from orchestrators.context import Context, Runbook

# A room that is shut for a moment is tried again soon; one that stays shut, ever more rarely.
WAITS: Final = tuple(timedelta(seconds=seconds) for seconds in (10, 30, 60, 120, 240))
# News older than that helps nobody, and a run that has ended waits for its last herald.
STALE_AFTER: Final = timedelta(minutes=10)


def herald(context: Context) -> Runbook[dict[str, Any]]:
    """Tell people, and say what became of it; over after about ten minutes at the latest.

    1. Ask which channels there are.
    2. Send a courier to each.
    3. Say what became of it.
    """
    notice = Notice.from_wire(context.get_input())

    # 1. Ask
    try:
        channels = yield from steps.call(context, contract.CHANNELS, notice, Channels)
    except Exception as error:  # noqa: BLE001 - types do not survive the wire; whatever it was, nobody was told
        words = f"the channels could not be read: {steps.first_line(error)}"
        return Told(deliveries=(_failed(context, notice, "all", words),)).to_wire()

    # 2. Send
    if not channels.names:
        return Told().to_wire()
    orders = [DeliveryOrder(notice=notice, channel=channel) for channel in channels.names]
    couriers = [
        context.call_sub_orchestrator(contract.COURIER, order.to_wire(), f"{context.instance_id}:{number}")
        for number, order in enumerate(orders, start=1)
    ]

    # Tasks begin when they are yielded: together they all begin at once, and each is heard below.
    with suppress(Exception):
        yield context.task_all(couriers)

    # 3. Say
    deliveries: list[Delivery] = []
    for order, sent in zip(orders, couriers, strict=True):
        try:
            deliveries.append(Delivery.from_wire((yield sent)))
        except Exception as error:  # noqa: BLE001 - one courier that broke silences no other
            deliveries.append(_failed(context, notice, order.channel, steps.first_line(error)))
    return Told(deliveries=tuple(deliveries)).to_wire()


def courier(context: Context) -> Runbook[dict[str, Any]]:
    """Deliver a notice on one channel, again for as long as another try may help, and say how that ended."""
    order = DeliveryOrder.from_wire(context.get_input())
    stale = steps.after(context, STALE_AFTER)
    attempt = yield from _try(context, order)
    for wait in WAITS:
        if attempt.again_after is None:
            break
        again = steps.after(context, max(wait, attempt.again_after))
        if again > stale:
            break
        yield context.create_timer(again)
        attempt = yield from _try(context, order)
    return attempt.delivery.to_wire()


def _try(context: Context, order: DeliveryOrder) -> Runbook[Attempt]:
    try:
        attempt = yield from steps.call(context, contract.DELIVER, order, Attempt)
    except Exception as error:  # noqa: BLE001 - a notice that cannot be sent holds nothing up
        return Attempt(delivery=_failed(context, order.notice, order.channel, steps.first_line(error)))
    return attempt


def _failed(context: Context, notice: Notice, channel: str, words: str) -> Delivery:
    return Delivery(
        notice=notice.id,
        channel=channel,
        status=DeliveryStatus.FAILED,
        words=words,
        at=context.current_utc_datetime,
    )

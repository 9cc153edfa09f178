"""Try once to deliver a notice on one channel."""

from __future__ import annotations

import logging
import traceback

from activities.azure import Document, azure
from domain.notices import Attempt, Delivery, DeliveryOrder, DeliveryStatus

log = logging.getLogger(__name__)


def deliver(request: Document) -> Document:
    """Deliver a notice, or say why not and whether to try again; no address is in the answer or in the log."""
    order, world = DeliveryOrder.from_wire(request), azure()
    try:
        return world.messenger.deliver(order.notice, order.channel, world.now()).to_wire()
    except Exception as error:  # noqa: BLE001 - an error's own words may repeat an address
        fault = type(error).__name__
        where = "".join(traceback.format_tb(error.__traceback__))
        log.error("deliver on %s failed: %s\n%s", order.channel, fault, where)  # noqa: TRY400 - as above
        failed = Delivery(
            notice=order.notice.id,
            channel=order.channel,
            status=DeliveryStatus.FAILED,
            words=f"the software failed: {fault}; see its log",
            at=world.now(),
        )
        return Attempt(delivery=failed).to_wire()

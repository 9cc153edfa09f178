"""Try once to deliver a notice on one channel."""

from __future__ import annotations

import logging
import traceback

from activities.azure import Document, azure
from domain.notices import Attempt, Delivery, DeliveryOrder, DeliveryStatus
from domain.people import spelt
from domain.settings import Settings
from domain.settings.notices import MAIL
from identity import links

log = logging.getLogger(__name__)


def deliver(request: Document) -> Document:
    """Deliver a notice, or say why not and whether to try again; no address is in the answer or in the log."""
    order, world = DeliveryOrder.from_wire(request), azure()
    try:
        page = page_for(world.settings, order)
        return world.messenger.deliver(order.notice, order.channel, page, world.now()).to_wire()
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


def page_for(settings: Settings, order: DeliveryOrder) -> str | None:
    """Give the page that a notice's readers are sent to: an approver's own link by mail, else the run's.

    A personal link is as good as a signature, so it is made only here, for one mail, and kept nowhere.
    """
    base, notice = settings.public_base, order.notice
    if base is None:
        return None
    person = _asked(order)
    known = person is not None and settings.owner_of(person) is not None
    if person is None or not known or notice.ask is None or not settings.link_keys:
        return f"{base}/api/ui/failbacks/{notice.run}"
    ask = notice.ask
    token = links.mint(
        settings,
        person=person,
        run=notice.run,
        key=ask.key,
        gate=ask.gate,
        round=ask.round,
        hash=ask.hash,
        expires=ask.deadline,
    )
    return f"{base}/api/approvals/{token}"


def _asked(order: DeliveryOrder) -> str | None:
    """Give the approver whose mail this is, as the policy spells them."""
    kind, _, address = order.channel.partition(":")
    approvers = order.notice.ask.approvers if order.notice.ask and kind == MAIL else ()
    return next((each for each in approvers if spelt(each) == spelt(address)), None)

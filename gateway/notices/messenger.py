"""Every channel behind one door: what to send where, and what became of it."""

from __future__ import annotations

from datetime import datetime

from domain.notices import Attempt, Delivery, DeliveryStatus, Notice
from domain.settings import Settings
from domain.settings.notices import WEBHOOK, UnusableError
from gateway.notices import webhook
from gateway.notices.post import Post, Posted


class Messenger:
    """Delivers notices to the channels that the settings name; safe to share between threads."""

    def __init__(self, settings: Settings, post: Post | None = None) -> None:
        self._settings = settings
        self._post = post or Post()

    def deliver(self, notice: Notice, channel: str, now: datetime) -> Attempt:
        """Try once to deliver a notice on one channel."""
        try:
            posted = self._send(notice, channel, now)
        except UnusableError as fault:
            posted = Posted(taken=False, words=str(fault))
        return Attempt(
            delivery=Delivery(
                notice=notice.id,
                channel=channel,
                status=DeliveryStatus.SENT if posted.taken else DeliveryStatus.FAILED,
                words=posted.words,
                at=now,
            ),
            again_after=posted.again_after,
        )

    def _send(self, notice: Notice, channel: str, now: datetime) -> Posted:
        ways = {WEBHOOK: self._to_webhook}
        if channel not in ways:
            raise UnusableError("this channel is not configured any more")
        return ways[channel](notice, now)

    def _to_webhook(self, notice: Notice, now: datetime) -> Posted:
        keys = webhook.keys_of(self._settings.webhook_keys)
        body, headers = webhook.signed(webhook.event(notice), keys, now)
        return self._post.send(self._settings.webhook_url(), body, headers)

    def close(self) -> None:
        """Close the connections."""
        self._post.close()

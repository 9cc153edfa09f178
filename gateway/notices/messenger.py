"""Every channel behind one door: what to send where, and what became of it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import TypeAlias

from azure.core.credentials import TokenCredential

from domain.notices import Attempt, Delivery, DeliveryStatus, Notice
from domain.settings import Settings
from domain.settings.notices import MAIL, SLACK, TEAMS, WEBHOOK, UnusableError
from gateway.notices import slack, teams, webhook
from gateway.notices.mail import Mail
from gateway.notices.post import Post, Posted

_JSON = {"Content-Type": "application/json; charset=utf-8"}
# A notice, the page that its readers are sent to, and the time.
Way: TypeAlias = Callable[[Notice, str | None, datetime], Posted]


class Messenger:
    """Delivers notices to the channels that the settings name; safe to share between threads."""

    def __init__(self, settings: Settings, credential: TokenCredential) -> None:
        self._settings = settings
        self._credential = credential
        self._post = Post()
        self._mail: Mail | None = None
        self._door = threading.Lock()
        self._ways: Mapping[str, Way] = {
            TEAMS: self._to_teams,
            SLACK: self._to_slack,
            WEBHOOK: self._to_webhook,
        }

    def deliver(self, notice: Notice, channel: str, page: str | None, now: datetime) -> Attempt:
        """Try once to deliver a notice on one channel; `page` is where its readers are sent."""
        try:
            posted = self._send(notice, channel, page, now)
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

    def _send(self, notice: Notice, channel: str, page: str | None, now: datetime) -> Posted:
        kind, _, address = channel.partition(":")
        if kind == MAIL:
            return self._to_mail(notice, address, page)
        if kind not in self._ways:
            raise UnusableError("this channel is not known any more")
        return self._ways[kind](notice, page, now)

    def _to_teams(self, notice: Notice, page: str | None, _now: datetime) -> Posted:
        return self._post.send(self._settings.teams_url(), teams.message(notice, page), _JSON)

    def _to_slack(self, notice: Notice, page: str | None, _now: datetime) -> Posted:
        return self._post.send(self._settings.slack_url(), slack.message(notice, page), _JSON)

    def _to_webhook(self, notice: Notice, page: str | None, now: datetime) -> Posted:
        keys = webhook.keys_of(self._settings.webhook_keys)
        body, headers = webhook.signed(webhook.event(notice, page), keys, now)
        return self._post.send(self._settings.webhook_url(), body, headers)

    def _to_mail(self, notice: Notice, address: str, page: str | None) -> Posted:
        approvers = notice.ask.approvers if notice.ask else ()
        # History may be older than the settings, which alone say who may get mail.
        if f"{MAIL}:{address}" not in self._settings.channels(approvers):
            raise UnusableError("this address is not configured any more")
        if not self._settings.mail_from:
            raise UnusableError("FAILBACK_MAIL_FROM is not set")
        with self._door:
            self._mail = self._mail or Mail(self._settings.mail_url(), self._credential)
        return self._mail.send(notice, self._settings.mail_from, address, page)

    def close(self) -> None:
        """Close the connections."""
        self._post.close()
        if self._mail is not None:
            self._mail.close()

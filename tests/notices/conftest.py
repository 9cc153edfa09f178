from __future__ import annotations

import base64
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import pytest

from activities.azure import act_through
from domain.approvals import GateName
from domain.notices import Ask, Notice, NoticeKind
from domain.settings import Settings
from gateway.azure import Azure
from tests.notices.receivers import Receiver, Reply, receiving
from tests.rehearsal import FUNCTIONS, SharedClock, SyncHost

NOON: Final = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
# Somebody who knows this may write to the channel: it must turn up nowhere but in the request line.
SECRET: Final = "s3cr3t-of-the-hook"
KEY: Final = b"0123456789abcdef0123456789abcdef"
OLD_KEY: Final = b"fedcba9876543210fedcba9876543210"


def spelled(*keys: bytes) -> str:
    """Write signing keys as an operator sets them."""
    return ",".join("whsec_" + base64.b64encode(key).decode() for key in keys)


class NoTokens:
    """A credential that nobody may ask."""

    def get_token(self, *_scopes: str, **_options: Any) -> Any:
        raise AssertionError("no token is needed for a webhook")


def notice(**changes: Any) -> Notice:
    """Give the notice of a gate that opened."""
    ask = Ask(
        gate=GateName.FAILBACK,
        key="fb-1:2-ask-failback",
        round=1,
        hash="a" * 64,
        deadline=NOON + timedelta(hours=2),
        approvers=("olive@contoso.com", "Lee"),
    )
    made = Notice(
        id="fb-1:2-ask-failback:gateOpened",
        kind=NoticeKind.GATE_OPENED,
        run="fb-1",
        title="Approve bringing ContosoWin2016 home",
        words=("Run fb-1 asks.", "approve: it moves"),
        facts={"Machines": "ContosoWin2016", "Asked by": "dana@contoso.com"},
        ask=ask,
        at=NOON,
    )
    return made.having(**changes)


@pytest.fixture
def open_receiver() -> Iterator[Callable[..., Receiver]]:
    """Open receivers that are closed at the end."""
    with ExitStack() as stack:
        yield lambda *replies: stack.enter_context(receiving(Receiver(*replies)))


@pytest.fixture
def receiver(open_receiver: Callable[..., Receiver]) -> Receiver:
    return open_receiver(Reply())


@pytest.fixture
def acting() -> Iterator[Callable[..., Azure]]:
    """Let the activities act with some settings."""

    def with_settings(**settings: Any) -> Azure:
        azure = Azure.over(Settings.model_validate(settings), NoTokens())
        act_through(azure)
        return azure

    yield with_settings
    act_through(None)


@pytest.fixture
def host() -> Iterator[SyncHost]:
    with SyncHost(FUNCTIONS, state=":memory:", clock=SharedClock(NOON)) as opened:
        yield opened

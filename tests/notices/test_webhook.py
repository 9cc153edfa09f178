"""The generic webhook: what is sent is a CloudEvent, and its signature proves who wrote it and when."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from pydantic import SecretStr

from domain.notices import Attempt, DeliveryOrder, DeliveryStatus
from domain.settings.notices import UnusableError
from gateway.azure import Azure
from gateway.notices.webhook import keys_of
from tests.notices.conftest import KEY, NOON, OLD_KEY, SECRET, notice, spelled
from tests.notices.receivers import Got, Receiver
from tests.rehearsal import FUNCTIONS

Acting = Callable[..., Azure]


def deliver(channel: str = "webhook", **changes: Any) -> Attempt:
    """Call the activity by the name under which it is registered."""
    function = next(each for each in FUNCTIONS if each.get_function_name() == "deliver")
    order = DeliveryOrder(notice=notice(**changes), channel=channel)
    return Attempt.from_wire(function.get_user_function()(order.to_wire()))


def is_genuine(got: Got, key: bytes, now: datetime, within: timedelta = timedelta(minutes=5)) -> bool:
    """Verify as the documentation tells receivers to."""
    stamp, sender = got.headers["webhook-timestamp"], got.headers["webhook-id"]
    if abs(now.timestamp() - int(stamp)) > within.total_seconds():
        return False
    message = f"{sender}.{stamp}.".encode() + got.body
    expected = "v1," + base64.b64encode(hmac.digest(key, message, hashlib.sha256)).decode()
    return any(hmac.compare_digest(expected, each) for each in got.headers["webhook-signature"].split())


@pytest.fixture
def got(acting: Acting, receiver: Receiver) -> Got:
    acting(webhook=f"{receiver.url}/hook?sig={SECRET}", webhook_keys=spelled(KEY, OLD_KEY))
    assert deliver().delivery.status is DeliveryStatus.SENT
    return receiver.got[0]


def test_what_is_sent_is_a_cloud_event_in_structured_json(got: Got) -> None:
    assert (got.method, got.path) == ("POST", f"/hook?sig={SECRET}")
    assert got.headers["content-type"] == "application/cloudevents+json; charset=utf-8"
    event = got.document
    assert (event["specversion"], event["id"], event["type"]) == ("1.0", notice().id, "failback.gateOpened")
    assert (event["source"], event["subject"]) == ("/api/failbacks/fb-1", "fb-1")
    assert datetime.fromisoformat(event["time"]) == NOON
    assert event["data"] == notice().to_wire()
    # CloudEvents names attributes in lower case letters and digits only.
    assert all(name.isalnum() and name == name.lower() for name in event)


@pytest.mark.parametrize("key", [KEY, OLD_KEY])
def test_a_receiver_that_knows_either_key_can_verify_the_sender(got: Got, key: bytes) -> None:
    assert is_genuine(got, key, _time_of(got))
    assert not is_genuine(got, b"x" * 32, _time_of(got))


def test_a_body_that_was_changed_or_is_sent_again_later_is_not_genuine(got: Got) -> None:
    changed = Got(method="POST", path="/", headers=got.headers, body=got.body.replace(b"fb-1", b"fb-2"))
    assert not is_genuine(changed, KEY, _time_of(got))
    assert not is_genuine(got, KEY, _time_of(got) + timedelta(minutes=6))


def _time_of(got: Got) -> datetime:
    return datetime.fromtimestamp(int(got.headers["webhook-timestamp"]), NOON.tzinfo)


@pytest.mark.parametrize(
    "keys",
    [
        None,
        SecretStr(" , "),
        SecretStr(spelled(KEY).removeprefix("whsec_")),
        SecretStr(spelled(b"short")),
        SecretStr("whsec_not base64!"),
        SecretStr(spelled(KEY, OLD_KEY, KEY)),
    ],
)
def test_without_one_or_two_good_keys_nothing_is_sent_unsigned(keys: SecretStr | None) -> None:
    with pytest.raises(UnusableError, match="FAILBACK_WEBHOOK_KEYS must hold one or two keys"):
        keys_of(keys)


@pytest.mark.parametrize(
    "address",
    [
        "http://hooks.contoso.test/x?sig={secret}",
        "https://user:{secret}@hooks.contoso.test/",
        "ftp://localhost/{secret}",
        "{secret}",
        "https://[{secret}",
    ],
)
def test_nothing_is_sent_to_an_address_without_tls_and_the_words_do_not_repeat_it(
    acting: Acting, address: str
) -> None:
    acting(webhook=address.format(secret=SECRET), webhook_keys=spelled(KEY))
    attempt = deliver()
    assert attempt.delivery.status is DeliveryStatus.FAILED
    assert attempt.delivery.words == "FAILBACK_WEBHOOK is not a URL with https (http is for this machine only)"
    assert attempt.again_after is None


def test_a_secret_that_the_platform_could_not_read_is_named_and_stops_nothing_else(acting: Acting) -> None:
    azure = acting(webhook="@Microsoft.KeyVault(SecretUri=https://contoso.vault.azure.net/secrets/hook)")
    azure.settings.channels()
    acting(webhook="@Microsoft.KeyVault(SecretUri=x)", webhook_keys=spelled(KEY))
    assert deliver().delivery.words == "FAILBACK_WEBHOOK is a Key Vault reference that could not be read"


def test_a_channel_that_was_taken_from_the_settings_is_told_as_failed(acting: Acting) -> None:
    acting()
    assert deliver("webhook").delivery.status is DeliveryStatus.FAILED
    assert deliver("pager").delivery.words == "this channel is not known any more"

"""E-mail: each approver gets a link of their own, nobody else does, and it is kept nowhere."""

from __future__ import annotations

import json
import logging
import re
import uuid
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from azure.core.credentials import AccessToken
from azure.core.exceptions import ClientAuthenticationError

from activities.azure import act_through
from domain.approvals import GateName
from domain.notices import DeliveryStatus, Notice, Told
from domain.settings import Settings
from gateway.azure import Azure
from gateway.notices.mail import operation_id
from identity import clock, links
from tests.notices.conftest import NOON, notice
from tests.notices.receivers import Receiver, Reply
from tests.notices.shapes import fits_mail
from tests.notices.test_webhook import deliver
from tests.rehearsal import SyncHost

Open = Callable[..., Receiver]
BASE = "https://failback.contoso.com"
LINK_KEY = "k" * 40
DENIED = b'{"error": {"code": "Denied", "message": "not linked"}}'
TAKEN = Reply(
    status=202,
    body=json.dumps({"id": "1", "status": "Running"}).encode(),
    headers={"Content-Type": "application/json", "Operation-Location": "https://x.test/operations/1"},
)


class AppIdentity:
    """The app's identity; it can be out of reach."""

    def __init__(self) -> None:
        self.scopes: list[str] = []
        self.fails = False

    def get_token(self, *scopes: str, **_options: Any) -> AccessToken:
        if self.fails:
            raise ClientAuthenticationError("no identity today")
        self.scopes += scopes
        return AccessToken("a-token", 9_999_999_999)


@pytest.fixture
def identity() -> AppIdentity:
    return AppIdentity()


@pytest.fixture
def service(open_receiver: Open) -> Receiver:
    return open_receiver(TAKEN)


@pytest.fixture
def configured(service: Receiver, identity: AppIdentity) -> Iterator[Callable[..., Azure]]:
    def with_settings(**changes: Any) -> Azure:
        given = {
            "mail_endpoint": service.url,
            "mail_from": "failback@contoso.com",
            "mail_domains": "contoso.com, contoso.de",
            "public_url": BASE,
            "link_keys": LINK_KEY,
            "aliases": {"olive@contoso.com": "0e0e0e0e-0000-0000-0000-00000000000e"},
        }
        azure = Azure.over(Settings.model_validate(given | changes), identity)
        act_through(azure)
        return azure

    yield with_settings
    act_through(None)


Configured = Callable[..., Azure]


def link_in(content: dict[str, Any]) -> str:
    (found,) = set(re.findall(r"https?://\S+", content["plainText"]))
    assert f'href="{found}"' in content["html"]
    return found


def test_an_approver_gets_a_mail_with_a_link_bound_to_person_run_gate_round_and_content(
    configured: Configured, service: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    azure = configured()
    attempt = deliver("mail:olive@contoso.com")
    assert attempt.delivery.status is DeliveryStatus.SENT
    content = fits_mail(service.got[0].document)
    address = link_in(content)
    assert address.startswith(f"{BASE}/api/approvals/")
    monkeypatch.setattr(clock, "now", lambda: NOON)
    link = links.read(azure.settings, address.rpartition("/")[2])
    ask = notice().ask
    assert ask is not None
    assert (link.person, link.run, link.gate) == ("olive@contoso.com", "fb-1", GateName.FAILBACK)
    assert (link.key, link.round, link.hash, link.expires) == (ask.key, ask.round, ask.hash, ask.deadline)


def test_the_mail_says_everything_is_not_tracked_and_goes_to_one_person(
    configured: Configured, service: Receiver
) -> None:
    configured()
    deliver("mail:olive@contoso.com", urgent=True)
    document = service.got[0].document
    content = fits_mail(document)
    assert content["subject"] == notice().title
    for part in (*notice().words, *notice().facts, *notice().facts.values()):
        assert part in content["plainText"]
        assert part in content["html"]
    assert document["recipients"] == {"to": [{"address": "olive@contoso.com"}]}
    assert document["userEngagementTrackingDisabled"] is True
    assert document["headers"]["Importance"] == "high"


def test_nothing_that_people_wrote_becomes_markup(configured: Configured, service: Receiver) -> None:
    configured()
    evil = '<script>alert(1)</script>"&'
    deliver("mail:olive@contoso.com", title=f"{evil}\nBcc: x", words=(evil,), facts={evil: evil})
    content = fits_mail(service.got[0].document)
    assert "<script" not in content["html"]
    assert "&lt;script&gt;" in content["html"]


def test_a_repetition_is_known_by_its_operation_id(configured: Configured, service: Receiver) -> None:
    configured()
    words = [deliver("mail:olive@contoso.com").delivery.words for _ in range(2)]
    deliver("mail:olive@contoso.com", id="fb-1:2-ask-failback:reminder:1")
    first, again, other = (each.headers["operation-id"] for each in service.got)
    assert first == again == operation_id(notice(), "Olive@contoso.com")
    assert other != first
    assert str(uuid.UUID(first)) == first
    assert words == [f"taken for delivery, operation {first}"] * 2


def test_the_service_is_asked_as_the_apps_identity(
    configured: Configured, service: Receiver, identity: AppIdentity
) -> None:
    configured()
    deliver("mail:olive@contoso.com")
    assert service.got[0].headers["authorization"] == "Bearer a-token"
    assert all("communication.azure.com" in scope for scope in identity.scopes)


def test_only_configured_addresses_and_approvers_of_configured_domains_get_mail(configured: Configured) -> None:
    azure = configured(mail_to="Dr-Team@contoso.com, olive@contoso.com")
    asked = (
        "Olive@contoso.com",
        "max@evil.test",
        "lee",
        "@contoso.com.evil.test",
        "eve@notcontoso.com",
        "kai@contoso.de",
    )
    assert azure.settings.channels(asked) == (
        "mail:dr-team@contoso.com",
        "mail:olive@contoso.com",
        "mail:kai@contoso.de",
    )
    assert configured(mail_domains="").settings.channels(asked) == ()
    assert configured(mail_endpoint=None, mail_to="a@contoso.com").settings.channels(asked) == ()


def test_an_address_that_history_brings_but_the_settings_do_not_gets_nothing(
    configured: Configured, service: Receiver
) -> None:
    configured()
    for address in ("max@evil.test", "olive@evil.test"):
        assert deliver(f"mail:{address}").delivery.words == "this address is not configured any more"
    assert service.got == []


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({}, notice(ask=None)),
        ({"link_keys": ""}, notice()),
        ({"mail_to": "team@contoso.com"}, notice()),
        ({"aliases": {}}, notice()),
        ({"aliases": {"olive@contoso.com": "olive"}}, notice()),
    ],
    ids=["nothing is asked", "nothing signs links", "not an approver", "nobody's address", "no object id"],
)
def test_whoever_has_no_link_of_their_own_is_sent_to_the_page_of_the_run(
    configured: Configured, service: Receiver, changes: dict[str, Any], told: Notice
) -> None:
    configured(**({"mail_to": "olive@contoso.com"} | changes))
    address = "team@contoso.com" if changes.get("mail_to") else "olive@contoso.com"
    assert deliver(f"mail:{address}", ask=told.ask).delivery.status is DeliveryStatus.SENT
    assert link_in(fits_mail(service.got[0].document)) == f"{BASE}/api/ui/failbacks/fb-1"


def test_where_nobody_can_reach_the_app_by_link_the_command_is_named(
    configured: Configured, service: Receiver
) -> None:
    configured(public_url=None)
    deliver("mail:olive@contoso.com")
    content = fits_mail(service.got[0].document)
    assert "failback decide fb-1" in content["plainText"]
    assert "failback decide fb-1" in content["html"]
    assert "href" not in content["html"]


@pytest.mark.parametrize(
    ("reply", "words", "again"),
    [
        (Reply(status=429, headers={"Retry-After": "60"}), "answered 429", timedelta(minutes=1)),
        (Reply(status=503), "answered 503", timedelta(seconds=1)),
        (
            Reply(status=403, body=DENIED, headers={"Content-Type": "application/json"}),
            "answered 403: Denied",
            None,
        ),
        (Reply(status=307, headers={"Location": "https://evil.test/"}), "answered 307", None),
        (Reply(status=None), "no answer", timedelta(seconds=1)),
    ],
)
def test_what_may_pass_is_tried_again_and_what_is_refused_is_not(
    configured: Configured, service: Receiver, reply: Reply, words: str, again: timedelta | None
) -> None:
    service.replies = [reply]
    configured()
    attempt = deliver("mail:olive@contoso.com")
    assert attempt.delivery.status is DeliveryStatus.FAILED
    assert attempt.delivery.words.startswith(words)
    assert attempt.again_after == again
    assert len(service.got) == 1


def test_without_a_token_nothing_is_sent_now(
    configured: Configured, service: Receiver, identity: AppIdentity
) -> None:
    identity.fails = True
    configured()
    attempt = deliver("mail:olive@contoso.com")
    assert attempt.delivery.words == "no token for the mail (ClientAuthenticationError)"
    assert attempt.again_after is not None


def test_settings_that_cannot_work_are_named(configured: Configured) -> None:
    configured(mail_from="")
    assert deliver("mail:olive@contoso.com").delivery.words == "FAILBACK_MAIL_FROM is not set"
    configured(mail_endpoint="http://contoso.communication.azure.test")
    assert "FAILBACK_MAIL_ENDPOINT is not a URL with https" in deliver("mail:olive@contoso.com").delivery.words


def test_no_personal_link_is_in_history_or_in_any_log(
    configured: Configured, service: Receiver, host: SyncHost, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    service.replies = [Reply(status=500), Reply(status=403, body=b"no"), TAKEN]
    azure = configured(mail_to="dr-team@contoso.com")
    host.start("herald", notice().to_wire(), instance_id="fb-1:told")
    status = host.run_until("fb-1:told")
    assert status is not None
    told = Told.from_wire(json.loads(status.output) if isinstance(status.output, str) else status.output)
    assert [each.channel for each in told.deliveries] == ["mail:dr-team@contoso.com", "mail:olive@contoso.com"]
    azure.close()
    tokens = [link_in(fits_mail(got.document)).rpartition("/")[2] for got in service.got]
    history = repr([host.status(each.instance_id, history=True) for each in host.instances()])
    assert any(len(token) > 100 for token in tokens)
    for token in tokens:
        if len(token) > 100:
            assert token not in history
            assert token not in caplog.text
    assert "/api/approvals/" not in history + caplog.text

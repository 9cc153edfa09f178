"""People are told on every channel, again where that may help, and nothing waits for it or fails with it."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from domain.notices import Delivery, DeliveryStatus, Told
from domain.settings import Settings
from gateway.azure import Azure
from orchestrators.herald import STALE_AFTER, WAITS
from tests.notices.conftest import KEY, NOON, SECRET, notice, spelled
from tests.notices.receivers import Receiver, Reply
from tests.rehearsal import SyncHost

Open = Callable[..., Receiver]
Acting = Callable[..., Azure]


def settings(receiver: Receiver) -> dict[str, str]:
    return {"webhook": f"{receiver.url}/hook?sig={SECRET}", "webhook_keys": spelled(KEY)}


def tell(host: SyncHost) -> tuple[Delivery, ...]:
    host.start("herald", notice().to_wire(), instance_id="fb-1:told")
    return tell_on(host)


def tell_on(host: SyncHost) -> tuple[Delivery, ...]:
    status = host.run_until("fb-1:told")
    assert status is not None
    assert status.runtime_status == "Completed"
    output = json.loads(status.output) if isinstance(status.output, str) else status.output
    return Told.from_wire(output).deliveries


def history(host: SyncHost) -> str:
    found = [host.status(each.instance_id, history=True) for each in host.instances()]
    assert len(found) > 1
    return repr(found)


def test_a_notice_reaches_its_channel_and_that_is_kept(host: SyncHost, acting: Acting, receiver: Receiver) -> None:
    acting(**settings(receiver))
    (delivery,) = tell(host)
    assert (delivery.channel, delivery.status) == ("webhook", DeliveryStatus.SENT)
    assert delivery.notice == notice().id
    assert [got.document["data"]["title"] for got in receiver.got] == [notice().title]


def test_where_no_channel_is_configured_nobody_is_told_and_nothing_fails(host: SyncHost, acting: Acting) -> None:
    acting()
    assert tell(host) == ()


def test_a_channel_that_fails_for_now_is_tried_again(host: SyncHost, acting: Acting, open_receiver: Open) -> None:
    receiver = open_receiver(Reply(status=503), Reply(status=None), Reply(status=202))
    acting(**settings(receiver))
    (delivery,) = tell(host)
    assert delivery.status is DeliveryStatus.SENT
    assert len(receiver.got) == 3
    assert {got.document["id"] for got in receiver.got} == {notice().id}
    assert host.clock.now() == NOON + sum(WAITS[:2], timedelta(0))


def test_a_channel_that_stays_shut_is_given_up_and_told_as_failed(
    host: SyncHost, acting: Acting, open_receiver: Open
) -> None:
    receiver = open_receiver(Reply(status=500))
    acting(**settings(receiver))
    (delivery,) = tell(host)
    assert (delivery.status, delivery.words) == (DeliveryStatus.FAILED, "answered 500")
    assert len(receiver.got) == len(WAITS) + 1
    assert host.clock.now() - NOON <= STALE_AFTER


def test_a_channel_that_says_how_long_to_wait_is_left_alone_for_so_long(
    host: SyncHost, acting: Acting, open_receiver: Open
) -> None:
    receiver = open_receiver(Reply(status=429, headers={"Retry-After": "90"}), Reply())
    acting(**settings(receiver))
    (delivery,) = tell(host)
    assert delivery.status is DeliveryStatus.SENT
    assert host.clock.now() == NOON + timedelta(seconds=90)


def test_a_wait_that_would_make_the_notice_stale_is_not_kept(
    host: SyncHost, acting: Acting, open_receiver: Open
) -> None:
    receiver = open_receiver(Reply(status=429, headers={"Retry-After": "700"}))
    acting(**settings(receiver))
    (delivery,) = tell(host)
    assert (delivery.status, delivery.words) == (DeliveryStatus.FAILED, "answered 429")
    assert host.clock.now() == NOON


def test_a_refusal_is_final(host: SyncHost, acting: Acting, open_receiver: Open) -> None:
    receiver = open_receiver(Reply(status=404), Reply())
    acting(**settings(receiver))
    (delivery,) = tell(host)
    assert (delivery.status, delivery.words) == (DeliveryStatus.FAILED, "answered 404")
    assert len(receiver.got) == 1


def test_settings_that_cannot_be_read_are_told_as_failed(host: SyncHost, acting: Acting) -> None:
    azure = acting()
    azure.settings = _Unreadable()
    (delivery,) = tell(host)
    assert delivery.status is DeliveryStatus.FAILED
    assert delivery.words.startswith("the channels could not be read: ")


class _Unreadable(Settings):
    def channels(self, _approvers: Any = ()) -> tuple[str, ...]:
        raise RuntimeError("not now")


def test_a_defect_of_ours_is_told_as_failed(host: SyncHost, acting: Acting, receiver: Receiver) -> None:
    azure = acting(**settings(receiver))
    azure.messenger = None  # pyright: ignore[reportAttributeAccessIssue]
    (delivery,) = tell(host)
    assert (delivery.status, delivery.words) == (
        DeliveryStatus.FAILED,
        "the software failed: AttributeError; see its log",
    )


def test_a_step_that_fails_altogether_is_told_as_failed(
    host: SyncHost, acting: Acting, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    azure = acting(**settings(receiver))
    monkeypatch.setattr(azure, "now", _no_clock)
    (delivery,) = tell(host)
    assert delivery.status is DeliveryStatus.FAILED
    assert "no clock" in delivery.words
    assert receiver.got == []


def _no_clock() -> None:
    raise RuntimeError("no clock")


def test_a_courier_that_is_lost_silences_no_other(host: SyncHost, acting: Acting, receiver: Receiver) -> None:
    azure = acting(**settings(receiver))
    azure.settings = _Two.model_validate(settings(receiver))
    host.start("herald", notice().to_wire(), instance_id="fb-1:told")
    while len([each for each in host.instances() if each.instance_id.startswith("fb-1:told:")]) < 2:
        assert host.step()
    host.terminate("fb-1:told:1", "somebody did")
    lost, sent = tell_on(host)
    assert (lost.channel, lost.status) == ("gone", DeliveryStatus.FAILED)
    assert (sent.channel, sent.status) == ("webhook", DeliveryStatus.SENT)


class _Two(Settings):
    def channels(self, _approvers: Any = ()) -> tuple[str, ...]:
        return ("gone", "webhook")


def test_no_address_gets_into_history(host: SyncHost, acting: Acting, open_receiver: Open) -> None:
    receiver = open_receiver(Reply(status=302, headers={"Location": "/elsewhere"}))
    acting(**settings(receiver))
    (delivery,) = tell(host)
    assert (delivery.status, delivery.words) == (DeliveryStatus.FAILED, "answered 302")
    told = history(host)
    assert "gateOpened" in told
    assert SECRET not in told
    assert str(receiver.port) not in told
    assert spelled(KEY) not in told

"""Heralds are sent once for each notice, and what became of them is told as far as it is known."""

from __future__ import annotations

import asyncio
import json
from types import SimpleNamespace
from typing import Any

from activities.heralds import ask_heralds, send_herald
from domain import contract
from domain.contract import Errands
from domain.notices import Delivery, DeliveryStatus, Notice, NoticeKind, Told
from tests.unit.making import NOON

NOTICE = Notice(id="fb-1:2-ask-failback:gateOpened", kind=NoticeKind.GATE_OPENED, run="fb-1", title="t", at=NOON)
SENT = Delivery(notice=NOTICE.id, channel="slack", status=DeliveryStatus.SENT, at=NOON)


class Host:
    """A durable host that remembers what it was asked to start, and in which state each instance is."""

    def __init__(self, **states: tuple[str, Any]) -> None:
        self.states = states
        self.started: list[tuple[str, str, Any]] = []

    async def start_new(self, name: str, instance_id: str, client_input: Any) -> str:
        self.started.append((name, instance_id, client_input))
        self.states[instance_id] = ("Running", None)
        return instance_id

    async def get_status(self, instance_id: str) -> Any:
        if instance_id not in self.states:
            return SimpleNamespace(instance_id=None, runtime_status=None, output=None)
        state, output = self.states[instance_id]
        return SimpleNamespace(instance_id=instance_id, runtime_status=SimpleNamespace(value=state), output=output)


def test_a_notice_is_sent_on_its_errand_once_however_often_the_step_is_repeated() -> None:
    host = Host()
    for _ in range(2):
        answer = asyncio.run(send_herald(NOTICE.to_wire(), host))
        assert answer == {"names": [NOTICE.errand]}
    assert host.started == [(contract.HERALD, NOTICE.errand, NOTICE.to_wire())]


def test_an_errands_name_fits_an_instances_id_and_tells_whose_it_is() -> None:
    long = NOTICE.having(id="x" * 500, run="fb-" + "r" * 90)
    assert len(long.errand) <= 100
    assert NOTICE.errand.startswith("fb-1:tell-gateOpened-")
    assert NOTICE.errand != NOTICE.having(id="another").errand


def test_what_became_of_an_errand_is_told_as_far_as_it_is_known() -> None:
    host = Host(
        done=("Completed", json.dumps(Told(deliveries=(SENT,)).to_wire())),
        read=("Completed", Told(deliveries=(SENT,)).to_wire()),
        trying=("Running", None),
        broken=("Failed", "a defect"),
    )
    errands = Errands(names=("done", "read", "trying", "broken", "never"))
    told = asyncio.run(ask_heralds(errands.to_wire(), host))["told"]
    assert {name: [each["status"] for each in deliveries] for name, deliveries in told.items()} == {
        "done": ["sent"],
        "read": ["sent"],
        "trying": ["trying"],
        "broken": ["failed"],
        "never": ["failed"],
    }
    assert "a defect" in told["broken"][0]["words"]

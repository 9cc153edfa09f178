"""The case to shine at: the primary region has recovered, people are asked, and the machines come home."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from tests.alerts import payloads
from tests.alerts.payloads import VAULT
from tests.alerts.world import Alerts, alerts, recovered
from tests.rehearsal import machine
from triggers import waking

MINUTE = timedelta(minutes=1)
POLICY = {"approvers": ["olive@contoso.com"], "timeout": "PT12H"}
ASKS = recovered(propose={"request": {"vault": VAULT, "machines": "failedOver", "approvals": POLICY}})
RUNBOOK = ["testFailover", "testFailoverCleanup", "failover", "commit", "reprotect"]


async def nobody(*_: Any) -> None:
    raise ConnectionError("the store is silent")


@pytest.fixture
def world() -> Iterator[Alerts]:
    with alerts(ASKS) as world:
        yield world


def acts(world: Alerts) -> list[str]:
    return [act for act, _ in world.rehearsal.posts()]


def asked(world: Alerts, index: int = 0) -> dict[str, Any]:
    """Go on until the proposed run asks at its gate "start", and give the gate."""
    world.until(lambda: len(world.runs()) > index and bool(gates(world, index)))
    (gate,) = gates(world, index)
    assert gate["gate"] == "start"
    world.settle()
    return gate


def run(world: Alerts, index: int = 0) -> str:
    return str(sorted(world.runs(), key=lambda each: each.created)[index].instance_id)


def gates(world: Alerts, index: int) -> list[dict[str, Any]]:
    return world.show(run(world, index))["gates"]


def decide(world: Alerts, decision: str = "approve", index: int = 0) -> int:
    world.rehearsal.run = run(world, index)
    (gate,) = gates(world, index)
    answer = world.rehearsal.decide(world.host, gate, decision=decision)
    return int(answer.status)


@pytest.mark.parametrize(
    "good_news",
    [payloads.service_health("Resolved"), payloads.resource_health("Available")],
    ids=["Service Health resolved", "Resource Health available"],
)
def test_a_recovered_region_brings_its_machines_home_once_people_agree(
    world: Alerts, good_news: dict[str, Any]
) -> None:
    began = world.host.clock.now()
    world.hear(payloads.service_health("Active", firedDateTime="2026-11-20T01:00:00.0000000Z"))
    world.hear(good_news)
    if good_news["data"]["essentials"]["monitoringService"] == "ResourceHealth":
        # The incident of the region is over only once Service Health says so.
        world.pass_time(60 * MINUTE)
        assert world.runs() == []
        world.hear(payloads.service_health("Resolved", firedDateTime="2026-11-20T03:00:00.0000000Z"))
    gate = asked(world)
    assert any(
        "alert route recovered proposed it" in note and "well again" in note for note in gate["shown"]["notes"]
    )
    waited = world.host.clock.now() - began
    assert timedelta(minutes=30) <= waited < timedelta(minutes=93)
    assert acts(world) == []
    shown = world.show(run(world))
    assert shown["requestedBy"] == "alert route recovered"
    assert decide(world) == 200
    report = world.rehearsal.finish(world.host)
    assert report["outcome"] == "succeeded"
    assert machine(report)["outcome"] == "home"
    assert acts(world) == RUNBOOK
    counted = [each["gate"] for each in report["decisions"] if each["judgement"] == "recorded"]
    assert counted == ["start", "failback", "commit"]
    proposed = report["request"]["proposed"]
    assert proposed["route"] == "recovered"
    assert good_news["data"]["essentials"]["alertId"] in proposed["alerts"]
    world.until(lambda: world.storm().get("ending") is not None)
    assert world.storm()["ending"] == "ran"


def test_nothing_is_written_before_people_agree_and_silence_begins_nothing(world: Alerts) -> None:
    world.hear(payloads.service_health())
    asked(world)
    world.pass_time(timedelta(hours=13))
    assert acts(world) == []
    assert world.storm()["ending"] == "ran"
    assert world.runs()[0].runtime_status == "Completed"


def test_a_proposal_that_was_declined_is_not_made_again_by_the_same_storm(world: Alerts) -> None:
    world.hear(payloads.service_health())
    asked(world)
    assert decide(world, "stop") == 200
    world.until(lambda: world.storm().get("ending") is not None)
    world.hear(payloads.service_health(tracking="ANOTHER"))
    world.hear(payloads.resource_health())
    world.pass_time(timedelta(hours=4))
    assert len(world.runs()) == 1
    assert acts(world) == []


def test_bad_news_withdraws_a_proposal_at_once_and_good_news_makes_another(world: Alerts) -> None:
    world.hear(payloads.service_health())
    asked(world)
    now = world.host.clock.now()
    world.hear(payloads.service_health("Active", firedDateTime="2026-11-20T02:35:00.0000000Z"))
    world.settle()
    assert world.host.clock.now() - now < MINUTE
    first = world.show(run(world))
    assert first["outcome"] == "stopped"
    assert "withdrawn: not calm any more" in first["words"] + str(
        world.rehearsal._document(world.runs()[0].output)
    )
    assert world.storm()["ending"] == "withdrawn"
    world.hear(payloads.service_health("Resolved", firedDateTime="2026-11-20T02:40:00.0000000Z"))
    asked(world, 1)
    assert decide(world, index=1) == 200
    report = world.rehearsal.finish(world.host)
    assert report["outcome"] == "succeeded"
    assert acts(world) == RUNBOOK


def test_bad_news_withdraws_a_proposal_although_nobody_could_be_woken(
    world: Alerts, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.hear(payloads.service_health())
    asked(world)
    monkeypatch.setattr(waking, "wake", nobody)
    world.hear(payloads.service_health("Active", firedDateTime="2026-11-20T02:35:00.0000000Z"))
    world.until(lambda: world.storm().get("ending") is not None, within=timedelta(hours=2))
    assert world.storm()["ending"] == "withdrawn"


def test_good_news_while_a_withdrawn_run_still_ends_proposes_another_round(
    world: Alerts, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(waking, "wake", nobody)
    world.hear(payloads.service_health())
    asked(world)
    world.hear(payloads.service_health("Active", firedDateTime="2026-11-20T02:35:00.0000000Z"))
    world.hear(payloads.service_health("Resolved", firedDateTime="2026-11-20T02:36:00.0000000Z"))
    assert len(world.runs()) == 1
    asked(world, 1)
    assert world.storm()["round"] == 1
    assert decide(world, index=1) == 200
    assert world.rehearsal.finish(world.host)["outcome"] == "succeeded"
    assert len(world.runs()) == 2


def test_bad_news_after_people_agreed_is_left_to_them(world: Alerts) -> None:
    world.hear(payloads.service_health())
    asked(world)
    assert decide(world) == 200
    world.hear(payloads.service_health("Active", firedDateTime="2026-11-20T02:35:00.0000000Z"))
    report = world.rehearsal.finish(world.host)
    assert report["outcome"] == "succeeded"
    assert "withdrawn" not in report
    world.until(lambda: world.storm().get("ending") is not None)
    assert world.storm()["ending"] == "ran"


def test_an_alert_taken_back_withdraws_the_proposal_that_nobody_approved() -> None:
    route = {**ASKS, "when": [{"family": "log"}]}
    fired = payloads.log()
    back = payloads.log(monitorCondition="Resolved", resolvedDateTime="2026-11-20T02:50:00Z")
    back["data"]["essentials"]["alertId"] = fired["data"]["essentials"]["alertId"]
    with alerts(route) as world:
        world.hear(fired)
        asked(world)
        world.hear(back)
        world.settle()
        assert world.storm()["ending"] == "withdrawn"
        assert acts(world) == []

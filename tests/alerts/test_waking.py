"""An alert about a machine or a job of a running stage makes it look at once, and not all the time."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from domain.alert_routes import Routes
from domain.alerts import parse
from domain.proposals import calls_of
from simulator.estate import MachineSpec
from tests.alerts import payloads
from tests.alerts.world import Alerts, alerts, recovered
from tests.rehearsal import NAME, Rehearsal
from triggers import waking

WAKE = {
    "name": "news",
    "when": [{"family": ["siteRecovery", "administrative", "resourceHealth"]}, {"family": "log"}],
    "wake": {},
}
HOME = payloads.VAULT


@pytest.fixture(autouse=True)
def _nobody_woken_yet() -> None:
    waking._lately.clear()


@pytest.fixture
def world() -> Iterator[Alerts]:
    with alerts(WAKE) as world:
        yield world


def rehearsing(world: Alerts) -> None:
    """Start a run and go on until its stage waits for a job."""
    world.host.start("failback", world.rehearsal.request(mode="drill"), instance_id="fb-test")
    world.until(lambda: bool(world.rehearsal.posts()))
    world.settle()


def looks(world: Alerts) -> int:
    return len(world.rehearsal.simulator.journal.calls)


def looked(world: Alerts, document: dict[str, Any]) -> bool:
    """Say whether an alert makes the stage look before any time passes."""
    before, now = looks(world), world.host.clock.now()
    assert world.send(document).status == 202
    world.settle()
    assert world.host.clock.now() == now
    return looks(world) > before


@pytest.mark.parametrize(
    "document",
    [
        payloads.site_recovery("job-1"),
        payloads.administrative(),
        payloads.log({"ReplicatedItemId": payloads.ITEM}),
        payloads.log({"ReplicatedItemFriendlyName": "CONTOSOWIN2016", "_ResourceId": HOME}),
        payloads.log({"JobUniqueId": "job-1", "_ResourceId": HOME}),
    ],
    ids=["site recovery", "activity log", "item id", "machine name", "job of the vault"],
)
def test_an_alert_about_its_machine_makes_a_stage_look_at_once(world: Alerts, document: dict[str, Any]) -> None:
    rehearsing(world)
    assert not looked(world, payloads.budget())
    assert looked(world, document)


@pytest.mark.parametrize(
    "document",
    [
        payloads.log({"ReplicatedItemId": payloads.ITEM.replace("ContosoWin2016", "another")}),
        payloads.log({"ReplicatedItemId": payloads.ITEM.replace("contoso-vault", "another")}),
        payloads.log({"JobUniqueId": "job-1", "_ResourceId": HOME.replace("contoso-vault", "another")}),
        payloads.resource_health(),
    ],
    ids=["another machine", "another vault", "job of another vault", "no vault"],
)
def test_an_alert_about_something_else_wakes_nobody(world: Alerts, document: dict[str, Any]) -> None:
    rehearsing(world)
    assert not looked(world, document)


def test_a_route_names_the_vault_where_its_alerts_do_not() -> None:
    with alerts({**WAKE, "wake": {"vault": HOME}}) as world:
        rehearsing(world)
        assert looked(world, payloads.resource_health())


@pytest.mark.parametrize(
    "document",
    [
        payloads.log({"name_s": "contosowin2016", "_ResourceId": HOME}),
        payloads.log({"Computer": "ContosoWin2016", "_ResourceId": HOME}),
        payloads.resource_health(),
    ],
    ids=["friendly name", "host name", "virtual machine"],
)
def test_a_machine_is_known_by_its_own_name_where_its_protected_item_has_another(document: dict[str, Any]) -> None:
    spec = MachineSpec.model_validate({"name": NAME, "item": "8d4a-1c", "state": "protected-in-reverse"})
    with alerts({**WAKE, "wake": {"vault": HOME}}, rehearsal=Rehearsal([spec])) as world:
        rehearsing(world)
        assert not looked(world, payloads.log({"Computer": "another", "_ResourceId": HOME}))
        waking._lately.clear()
        assert looked(world, document)


def test_a_storm_makes_a_stage_look_once_and_not_all_the_time(world: Alerts) -> None:
    rehearsing(world)
    assert looked(world, payloads.site_recovery())
    assert not any(looked(world, payloads.site_recovery()) for _ in range(20))


def test_a_run_that_has_ended_is_not_woken(world: Alerts) -> None:
    rehearsing(world)
    world.host.run_until("fb-test")
    assert not looked(world, payloads.site_recovery())
    assert not looked(world, payloads.log({"JobUniqueId": "job-1", "_ResourceId": HOME}))


def test_with_no_run_at_all_an_alert_wakes_nobody(world: Alerts) -> None:
    assert not looked(world, payloads.site_recovery())
    assert not looked(world, payloads.log({"JobUniqueId": "job-1", "_ResourceId": HOME}))


def test_only_so_many_runs_are_remembered_as_woken(world: Alerts) -> None:
    waking._lately.update({(f"fb-{number}",): -100.0 for number in range(waking._REMEMBERED)})
    rehearsing(world)
    assert looked(world, payloads.site_recovery())
    assert len(waking._lately) == waking._REMEMBERED


def test_a_wake_up_that_fails_costs_the_sender_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    async def broken(*_: Any) -> None:
        raise ConnectionError("the store is silent")

    monkeypatch.setattr(waking, "wake", broken)
    with alerts(WAKE) as world:
        assert world.send(payloads.site_recovery()).json()["status"] == "stored"


# -- what people may read -------------------------------------------------------------------------------------


def test_people_read_what_came_in_and_what_became_of_it() -> None:
    probe = payloads.metric()
    note = {"name": "notes", "when": [{"family": "other"}], "note": True}
    with alerts(recovered(), WAKE, note) as world:
        world.hear(payloads.service_health())
        world.hear(probe)
        world.hear(payloads.budget())
        viewer = {"X-Failback-User": "vera", "X-Failback-Roles": "Failback.Viewer"}
        shown = world.host.request("GET", "/api/alerts", headers=viewer).json()["routes"]
        assert [(each["route"], each["does"]) for each in shown] == [
            ("recovered", "propose"),
            ("news", "wake"),
            ("notes", "note"),
        ]
        assert [each["verdict"] for each in shown[0]["alerts"]] == ["unsettled", "opened"]
        assert shown[0]["storms"][0]["about"] == "all"
        assert shown[1]["alerts"] == []
        assert shown[2]["alerts"][0]["verdict"] == "noted"
        world.pass_time(timedelta(minutes=1))
        assert world.host.request("GET", "/api/alerts").status == 401


class Locks:
    """A host that is only asked who holds a machine, and counts how often."""

    def __init__(self) -> None:
        self.asked = 0

    async def read_entity_state(self, _: Any) -> Any:
        self.asked += 1
        return type("State", (), {"entity_exists": False, "entity_state": None})


@pytest.mark.parametrize(("stable", "asked"), [("PT30M", 1), ("PT0S", 50)])
def test_in_a_storm_of_bad_news_a_desk_is_asked_once_what_is_proposed(stable: str, asked: int) -> None:
    client: Any = Locks()
    routes = Routes.from_wire({"routes": [recovered(stableFor=stable)]})
    for _ in range(50):
        alert = parse(payloads.metric())
        asyncio.run(waking.wake(client, alert, routes, calls_of(alert, routes.routes)))
    assert client.asked == asked


def test_in_a_storm_who_holds_a_machine_is_asked_once() -> None:
    client: Any = Locks()
    routes = Routes.from_wire({"routes": [WAKE]})
    for _ in range(50):
        alert = parse(payloads.site_recovery())
        asyncio.run(waking.wake(client, alert, routes, calls_of(alert, routes.routes)))
    # Each lock, and the list of runs, whose machines may have other names.
    assert client.asked == len(parse(payloads.site_recovery()).machines) + 1

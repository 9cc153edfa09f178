"""From a storm of alerts to one run: held down, waited out, taken back, or run."""

from __future__ import annotations

import copy
import random
from datetime import timedelta
from typing import Any

import pytest

from tests.alerts import payloads
from tests.alerts.payloads import VAULT
from tests.alerts.world import Alerts, alerts, recovered
from tests.rehearsal import NAME, Rehearsal, standing

SAID_NOTHING = {"words": "no machine is failed over"}
MINUTE = timedelta(minutes=1)
REHEARSED = ["testFailover", "testFailoverCleanup"]


def drill(machines: Any = "failedOver", **more: Any) -> dict[str, Any]:
    """A route whose run needs nobody, so that only the way to it is tested."""
    request = {"vault": VAULT, "machines": machines, "mode": "drill"}
    return recovered(propose={"start": "atOnce", "request": request}, **more)


def acts(world: Alerts) -> list[str]:
    return [act for act, _ in world.rehearsal.posts()]


def began(world: Alerts) -> timedelta:
    """Say how long after the beginning of the test the only run began."""
    (run,) = world.runs()
    return run.created - START


START = Rehearsal().clock.now()


def test_a_recovered_region_is_waited_for_and_then_its_machines_are_rehearsed() -> None:
    with alerts(drill()) as world:
        world.hear(payloads.service_health())
        world.until(lambda: world.storm().get("ending") is not None)
        assert timedelta(minutes=30) <= began(world) < timedelta(minutes=31)
        assert acts(world) == REHEARSED
        assert world.storm()["ending"] == "ran"
        assert world.storm()["outcome"]
        assert world.runs()[0].instance_id == world.storm()["run"]


def test_the_run_says_which_route_it_comes_from() -> None:
    with alerts(drill(holdDown="PT0S", stableFor="PT0S")) as world:
        world.hear(payloads.resource_health())
        world.until(lambda: bool(world.runs()))
        shown = world.host.request(
            "GET",
            f"/api/failbacks/{world.runs()[0].instance_id}",
            headers={"X-Failback-User": "olive@contoso.com"},
        ).json()
        assert shown["requestedBy"] == "alert route recovered"


@pytest.mark.parametrize("machines", [[NAME], "failedOver", {"tag": {"name": "Environment", "value": "contoso"}}])
def test_machines_are_named_or_found(machines: Any) -> None:
    with alerts(drill(machines, holdDown="PT0S", stableFor="PT0S")) as world:
        world.hear(payloads.service_health())
        world.until(lambda: world.storm().get("ending") is not None)
        assert acts(world) == REHEARSED


@pytest.mark.parametrize(
    ("estate", "machines"),
    [
        ([standing("protected")], "failedOver"),
        (None, {"tag": {"name": "environment", "value": "fabrikam"}}),
        (None, {"tag": {"name": "color", "value": "contoso"}}),
    ],
    ids=["all home", "another value", "another tag"],
)
def test_where_no_machine_is_to_come_home_nothing_is_run(estate: Any, machines: Any) -> None:
    with alerts(drill(machines, holdDown="PT0S", stableFor="PT0S"), rehearsal=Rehearsal(estate)) as world:
        world.hear(payloads.service_health())
        world.until(lambda: world.storm().get("ending") is not None)
        world.settle()
        assert world.storm()["ending"] == "nothingToDo"
        assert world.host.status(world.named("proposal")[0].instance_id).output == SAID_NOTHING
        assert world.runs() == []


def test_an_alert_taken_back_during_the_hold_down_proposes_nothing() -> None:
    route = drill(when=[{"family": "log"}])
    fired = payloads.log()
    with alerts(route) as world:
        world.hear(fired)
        world.pass_time(4 * MINUTE)
        world.hear(resolved(fired))
        world.pass_time(timedelta(hours=2))
        assert world.storm()["ending"] == "takenBack"
        assert world.runs() == []
        assert {each.runtime_status for each in world.host.instances()} == {"Completed"}


def test_alerts_that_overtake_each_other_have_the_effect_of_the_right_order() -> None:
    fired = payloads.log()
    with alerts(drill(when=[{"family": "log"}], holdDown="PT0S", stableFor="PT0S")) as world:
        world.pass_time(60 * MINUTE)
        world.hear(resolved(fired))
        world.hear(fired)
        world.pass_time(60 * MINUTE)
        assert world.runs() == []


def resolved(document: dict[str, Any], when: str = "2026-11-20T02:00:30Z") -> dict[str, Any]:
    back = copy.deepcopy(document)
    back["data"]["essentials"] |= {"monitorCondition": "Resolved", "resolvedDateTime": when}
    return back


def test_bad_news_holds_the_proposal_until_it_is_taken_back_and_calm_has_passed() -> None:
    probe = payloads.metric()
    with alerts(drill()) as world:
        world.hear(payloads.service_health())
        world.pass_time(20 * MINUTE)
        world.hear(probe)
        world.pass_time(60 * MINUTE)
        assert world.runs() == []
        world.hear(resolved(probe, "2026-11-20T03:20:00Z"))
        world.until(lambda: bool(world.runs()))
        assert timedelta(minutes=110) <= began(world) < timedelta(minutes=112)


def test_a_region_that_is_never_calm_is_given_up() -> None:
    with alerts(drill(giveUpAfter="PT3H")) as world:
        world.hear(payloads.service_health())
        world.hear(payloads.service_health("Active", "ANOTHER"))
        world.until(lambda: world.storm().get("ending") is not None)
        assert world.storm()["ending"] == "neverCalm"
        assert world.host.clock.now() - START < timedelta(hours=3, minutes=2)
        world.pass_time(timedelta(hours=1))
        assert world.runs() == []
        assert {each.runtime_status for each in world.host.instances()} == {"Completed"}


def test_bad_news_at_the_last_moment_still_holds_the_run() -> None:
    """The vault is slow to answer; while it is asked for its machines, the region fails again."""
    rehearsal = Rehearsal()
    rehearsal.fault("connection-closed", times=5)
    probe = payloads.metric()
    with alerts(drill(holdDown="PT0S", stableFor="PT0S"), rehearsal=rehearsal) as world:
        world.hear(payloads.service_health())
        world.until(lambda: bool(rehearsal.simulator.journal.calls))
        world.hear(probe)
        world.pass_time(30 * MINUTE)
        assert world.runs() == []
        world.hear(resolved(probe, "2026-11-20T02:30:00Z"))
        world.until(lambda: bool(world.runs()))


def test_while_azure_is_silent_the_proposal_waits() -> None:
    rehearsal = Rehearsal()
    rehearsal.fault("connection-closed", times=None)
    with alerts(drill(holdDown="PT0S", stableFor="PT0S"), rehearsal=rehearsal) as world:
        world.hear(payloads.service_health())
        world.pass_time(60 * MINUTE)
        assert world.runs() == []
        (waiting,) = world.named("proposal")
        assert "waiting for Azure" in waiting.custom_status["words"]
        rehearsal.simulator.faults.clear()
        world.until(lambda: world.storm().get("ending") is not None)
        assert acts(world) == REHEARSED


def test_a_run_that_was_terminated_ends_its_storm() -> None:
    with alerts(drill(holdDown="PT0S", stableFor="PT0S")) as world:
        world.hear(payloads.service_health())
        world.until(lambda: bool(world.runs()))
        world.host.terminate(world.runs()[0].instance_id, "in the portal")
        world.until(lambda: world.storm().get("ending") is not None)
        assert world.storm()["ending"] == "broke"


def test_the_same_storm_proposes_no_second_run_while_it_cools_down() -> None:
    with alerts(drill(holdDown="PT0S", stableFor="PT0S", coolDown="PT6H")) as world:
        world.hear(payloads.service_health())
        world.until(lambda: world.storm().get("ending") is not None)
        world.hear(payloads.service_health(tracking="LATER"))
        world.pass_time(timedelta(hours=5))
        assert len(world.runs()) == 1
        world.pass_time(timedelta(hours=2))
        world.hear(payloads.service_health(tracking="MUCH LATER"))
        world.pass_time(timedelta(hours=5))
        assert len(world.runs()) == 2


def test_a_storm_of_five_hundred_mixed_alerts_proposes_exactly_what_the_routes_say() -> None:
    """Two matters part one route, one storm the other; everything else takes note or is nothing."""
    routes = [
        drill(),
        {
            **drill([NAME]),
            "name": "plans",
            "when": [{"family": "log"}],
            "unless": [],
            "correlateBy": ["custom.plan"],
        },
        {"name": "notes", "when": [{"family": "siteRecovery"}], "note": True},
    ]
    kinds = [
        lambda: payloads.service_health(tracking=f"T{random.randrange(3)}"),
        payloads.resource_health,
        lambda: payloads.log(custom={"plan": random.choice(["web", "db"])}),
        payloads.site_recovery,
        payloads.administrative,
        payloads.budget,
    ]
    random.seed(7)
    storm = [random.choice(kinds)() for _ in range(400)]
    storm += random.choices(storm, k=100)
    with alerts(*routes) as world:
        assert [world.send(each).status for each in storm] == [202] * 500
        world.until(lambda: len(world.runs()) == 3, within=timedelta(hours=1))
        storms = [world.storm(), *world.desk("plans")["storms"].values()]
        world.pass_time(timedelta(minutes=30))
        assert len(storms) == len(world.runs()) == 3
        assert len(world.named("proposal")) == 3
        assert sorted(world.desk("plans")["storms"]) == ["custom.plan=db", "custom.plan=web"]
        heard = [each["data"]["essentials"]["monitoringService"] for each in storm[:400]]
        assert world.storm()["count"] == heard.count("ServiceHealth") + heard.count("ResourceHealth")
        plans = world.desk("plans")["storms"].values()
        assert sum(each["count"] for each in plans) == heard.count("Log Alerts V2")

"""Drills are held by the calendar, leave nothing behind, prove it, and can never fail anything over."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from domain.contract import lock_key
from localhost import SyncHost
from simulator.estate import MachineSpec
from tests.rehearsal import SETTINGS, VAULT, Rehearsal, machine, standing

DIARY = lock_key(VAULT, "drills")
HARMLESS = {"testFailover", "testFailoverCleanup"}


def estate(count: int, **durations: float) -> list[MachineSpec]:
    given = {"name": "vm", "count": count, "state": "protected-in-reverse", "durations": durations}
    return [MachineSpec.model_validate(given)]


@contextmanager
def ticking(rehearsal: Rehearsal, *drills: dict[str, Any]) -> Iterator[SyncHost]:
    """Let timers run, with a calendar."""
    calendar = [{"name": "nightly", "cron": "0 3 * * *", "vault": VAULT, **each} for each in drills or ({},)]
    before = dict(os.environ)
    ours = {**SETTINGS, "FAILBACK_DRILLS": json.dumps(calendar)}
    os.environ.update(ours)
    try:
        with rehearsal.host(settings=ours, timers=True) as host:
            yield host
    finally:
        os.environ.clear()
        os.environ.update(before)


def pass_time(host: SyncHost, rehearsal: Rehearsal, **time: float) -> None:
    until = rehearsal.clock.now() + timedelta(**time)
    while rehearsal.clock.now() < until:
        assert host.step(), "timers go on for ever"


def document(value: Any) -> dict[str, Any]:
    return json.loads(value) if isinstance(value, str) else value or {}


def diary(host: SyncHost) -> dict[str, Any]:
    return document(host.entity("drill_diary", DIARY))


def register(host: SyncHost) -> dict[str, Any]:
    return document(host.entity("test_register", "all"))


def report(host: SyncHost, run: str) -> dict[str, Any]:
    status = host.status(run)
    assert status is not None
    return document(status.output)


def acts(rehearsal: Rehearsal) -> list[str]:
    return [act for act, _ in rehearsal.posts()]


def resources(rehearsal: Rehearsal) -> set[str]:
    """Give all that exists in Compute and Network."""
    machines = rehearsal.simulator.world.machines
    return {*machines.vms, *machines.disks, *machines.nics, *machines.public_ips}


# -- by the calendar ------------------------------------------------------------------------------------------


def test_a_drill_is_held_when_its_time_comes_by_the_clocks_of_its_zone() -> None:
    rehearsal = Rehearsal()
    with ticking(rehearsal, {"cron": "30 4 * * FRI", "zone": "Europe/Berlin"}) as host:
        pass_time(host, rehearsal, hours=3)
        (held,) = diary(host)["held"]
    assert held["slot"] == "2026-11-20T03:30:00Z"
    assert held["rehearsed"] == ["ContosoWin2016"]


def test_a_timer_that_fires_again_and_again_starts_one_drill() -> None:
    rehearsal = Rehearsal(estate(3))
    with ticking(rehearsal, {"atOnce": 2, "within": "PT4H"}) as host:
        pass_time(host, rehearsal, hours=6)
        assert len(diary(host)["held"]) == 1
    assert acts(rehearsal).count("testFailover") == 2


def test_a_missed_time_is_made_up_for_within_its_window_and_not_after() -> None:
    for within, times in (("PT2H", 1), ("PT1H", 0)):
        rehearsal = Rehearsal()
        # The clock begins at two o'clock, half past midnight was missed.
        with ticking(rehearsal, {"cron": "30 0 * * FRI", "within": within}) as host:
            pass_time(host, rehearsal, hours=2)
            assert len(diary(host).get("held", [])) == times, within


def test_every_machine_has_its_turn_before_any_has_its_second() -> None:
    rehearsal = Rehearsal(estate(5))
    with ticking(rehearsal, {"cron": "0 3,9,15 * * *", "atOnce": 2}) as host:
        pass_time(host, rehearsal, hours=15)
        held = diary(host)["held"]
    assert [len(each["rehearsed"]) for each in held] == [2, 2, 2]
    assert {name for each in held for name in each["rehearsed"]} == {f"vm-{number:04d}" for number in range(1, 6)}


def test_a_vault_without_a_machine_that_is_ready_is_written_down_as_such() -> None:
    rehearsal = Rehearsal([standing("away")])
    with ticking(rehearsal) as host:
        pass_time(host, rehearsal, hours=2)
        assert diary(host)["held"][0]["words"] == "no machine was ready"
    assert acts(rehearsal) == []


def test_a_drill_names_its_machines_as_people_do_and_says_which_are_not_there() -> None:
    item = MachineSpec.model_validate({"name": "web-1", "item": "8d4a-1c", "state": "protected-in-reverse"})
    rehearsal = Rehearsal([item])
    with ticking(rehearsal, {"machines": ["web-1", "web-2"]}) as host:
        pass_time(host, rehearsal, hours=3)
        (held,) = diary(host)["held"]
    assert held["rehearsed"] == ["8d4a-1c"]
    assert held["words"].endswith("; not ready, or not there: web-2")


def test_a_vault_that_cannot_be_read_is_written_down_as_such() -> None:
    rehearsal = Rehearsal()
    rehearsal.fault("unavailable", times=None)
    with ticking(rehearsal) as host:
        pass_time(host, rehearsal, hours=2)
        assert "could not be read" in diary(host)["held"][0]["words"]


def test_a_machine_that_another_run_holds_keeps_no_other_from_its_drill() -> None:
    rehearsal = Rehearsal(estate(2))
    with ticking(rehearsal) as host:
        waits = rehearsal.request("vm-0001", testFailover={"enabled": False})
        host.start("failback", waits, instance_id=rehearsal.run)
        pass_time(host, rehearsal, hours=3)
        (held,) = diary(host)["held"]
    assert (held["rehearsed"], held["failed"], len(held["runs"])) == (["vm-0002"], ["vm-0001"], 2)


def test_a_run_that_broke_is_written_down(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: Any, **__: Any) -> None:
        raise ValueError("a defect")

    monkeypatch.setattr("orchestrators.trip.Trip.look", broken)
    rehearsal = Rehearsal()
    with ticking(rehearsal) as host:
        pass_time(host, rehearsal, hours=2)
        (held,) = diary(host)["held"]
    assert "broke: " in held["words"]
    assert held["failed"] == ["ContosoWin2016"]


# -- cleaning up ----------------------------------------------------------------------------------------------


def test_a_drill_leaves_nothing_behind_and_its_report_proves_it() -> None:
    rehearsal = Rehearsal()
    with ticking(rehearsal) as host:
        before = resources(rehearsal)
        pass_time(host, rehearsal, hours=3)
        run = diary(host)["held"][0]["runs"][0]
        proof = machine(report(host, run))["cleanUp"]
        assert register(host)["traces"] == []
    assert (proof["lookedFor"], proof["left"]) == (4, [])
    assert resources(rehearsal) == before


def test_a_rehearsal_that_nobody_looks_at_ends_when_its_time_to_live_does() -> None:
    rehearsal = Rehearsal()
    rehearsal.fault("arrives-otherwise", act="testFailover", arrives={"power": "stopped"})
    rehearsal.fault("job-fails", act="testFailoverCleanup")
    with ticking(rehearsal, {"timeToLive": "PT1H"}) as host:
        before = resources(rehearsal)
        pass_time(host, rehearsal, hours=8)
        (held,) = diary(host)["held"]
        assert held["failed"] == ["ContosoWin2016"]
        found = report(host, held["runs"][0])
    assert found["outcome"] == "failed"
    assert any("NOT CLEANED UP" in each for each in found["warnings"])
    # What the run gave up is the sweep's, once it has outlived its time.
    assert resources(rehearsal) != before


def test_a_disk_left_behind_is_told_by_the_run_and_removed_by_the_next_sweep() -> None:
    rehearsal = Rehearsal()
    rehearsal.fault("disk-left-behind")
    with ticking(rehearsal) as host:
        before = resources(rehearsal)
        pass_time(host, rehearsal, hours=1.5)
        (held,) = diary(host)["held"]
        found = report(host, held["runs"][0])
        assert (held["failed"], held["left"], held["proven"]) == (["ContosoWin2016"], 1, False)
        assert any("CLEAN-UP INCOMPLETE: disk" in each for each in found["warnings"])
        pass_time(host, rehearsal, hours=2)
        (swept,) = register(host)["swept"].values()
        assert register(host)["traces"] == []
    assert resources(rehearsal) == before
    assert swept["left"] == []


# -- readiness ------------------------------------------------------------------------------------------------


def test_a_plan_warns_of_a_machine_that_was_not_rehearsed_well_for_too_long() -> None:
    rehearsal = Rehearsal()
    rehearsal.azure.settings = rehearsal.azure.settings.model_copy(update={"drill_age": timedelta(days=30)})
    with ticking(rehearsal) as host:
        before = rehearsal.run_on(host, "fb-before", mode="plan")
        pass_time(host, rehearsal, hours=3)
        after = rehearsal.run_on(host, "fb-after", mode="plan")
        drilled = report(host, diary(host)["held"][0]["runs"][0])
    found = {run["id"]: {each["name"]: each["verdict"] for each in run["checks"]} for run in (before, after)}
    assert found["fb-before"]["last drill"] == "warned"
    assert found["fb-after"]["last drill"] == "passed"
    assert before["outcome"] == "planned"
    assert "last drill" not in {each["name"] for each in drilled["checks"]}


# -- never a failover -----------------------------------------------------------------------------------------

STATES = ("protected-in-reverse", "away", "home-uncommitted", "protected", "test-failover-waiting-in-reverse")
FAULTS = ("job-fails", "job-cancelled", "lost-answer", "throttled", "disk-left-behind", "region-out-of-capacity")


@settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    st.lists(st.sampled_from(STATES), min_size=1, max_size=3),
    st.lists(st.tuples(st.sampled_from(FAULTS), st.integers(1, 3)), max_size=3),
    st.integers(1, 3),
    st.integers(0, 100),
)
def test_a_drill_never_fails_over_commits_or_re_protects(
    states: list[str], faults: list[tuple[str, int]], at_once: int, seed: int
) -> None:
    rehearsal = Rehearsal([standing(state, f"vm{number}") for number, state in enumerate(states)], seed=seed)
    for name, times in faults:
        rehearsal.fault(name, times=times)
    with ticking(rehearsal, {"atOnce": at_once, "timeToLive": "PT30M"}) as host:
        pass_time(host, rehearsal, hours=4)
        assert diary(host)["held"]
    assert set(acts(rehearsal)) <= HARMLESS


# -- a month --------------------------------------------------------------------------------------------------


def a_month(cron: str, at_once: int) -> dict[str, int]:
    """Hold a month of drills over fifty machines, and check what is left by every account there is."""
    # Agents that are ready at once spare looks, and nothing of the clean-up.
    rehearsal = Rehearsal(estate(50, agentDelay=0))
    with ticking(rehearsal, {"cron": cron, "atOnce": at_once}) as host:
        before = resources(rehearsal)
        for _ in range(30):
            # A drill from three o'clock, a sweep at five, and nothing else; a timer that was missed fires once.
            pass_time(host, rehearsal, hours=2)
            rehearsal.clock.advance(timedelta(minutes=55))
            pass_time(host, rehearsal, minutes=10)
            rehearsal.clock.advance(timedelta(hours=20, minutes=55))
        known, held = register(host), diary(host)["held"]
        reports = [report(host, run) for each in held for run in each["runs"]]
        last = diary(host)["machines"]

    # Azure's own account: what exists now is what existed before.
    assert resources(rehearsal) == before
    # The runs': every machine's test machine was looked for, resource by resource, and found gone.
    proofs = [part["cleanUp"] for each in reports for part in each["machines"]]
    assert all(proof["left"] == [] and proof["lookedFor"] == 4 for proof in proofs)
    # The register's: no trace is unproven, and the daily sweeps found nothing.
    assert known["traces"] == []
    assert [each["left"] for each in known["swept"].values()] == [[]]
    # The journal's: nothing but rehearsals, each cleaned up.
    assert set(acts(rehearsal)) == HARMLESS
    assert acts(rehearsal).count("testFailover") == acts(rehearsal).count("testFailoverCleanup") == len(proofs)
    # And every machine has been rehearsed well.
    assert len(last) == 50
    assert all(each["succeeded"] for each in last.values())
    return {"drills": len(held), "rehearsals": len(proofs)}


def test_a_month_of_drills_over_fifty_machines_leaves_nothing_behind_and_proves_it() -> None:
    assert a_month("0 3 */6 * *", 10) == {"drills": 5, "rehearsals": 50}


@pytest.mark.chaos
def test_a_month_of_nights_leaves_nothing_behind_and_proves_it() -> None:
    assert a_month("0 3 * * *", 10) == {"drills": 30, "rehearsals": 300}

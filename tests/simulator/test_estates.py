from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from simulator import ManualClock, Simulator, load_estate
from simulator.estate import Estate
from tests.simulator.helpers import (
    AWAY,
    CLEANUP_BODY,
    GROUP,
    HOME,
    ITEM,
    VAULT,
    Calling,
    estate_of,
)


@pytest.fixture
def caller_of(calling: Calling) -> Calling:
    """Answer what opens a caller of one machine."""
    return lambda **machine: calling(estate_of({"name": ITEM} | machine))


@pytest.mark.parametrize(
    ("state", "where", "protection_state", "allowed"),
    [
        ("protected", HOME, "Protected", ["UnplannedFailover", "DisableProtection", "TestFailover"]),
        (
            "protected-in-reverse",
            AWAY,
            "Protected",
            ["UnplannedFailover", "DisableProtection", "TestFailover"],
        ),
        ("syncing", HOME, "InitialReplicationInProgress", ["DisableProtection"]),
        ("syncing-in-reverse", AWAY, "InitialReplicationInProgress", ["DisableProtection"]),
        (
            "waiting-first-point",
            HOME,
            "InitialReplicationRecoveryCompletionPending",
            ["DisableProtection"],
        ),
        ("test-failover-waiting", HOME, "Protected", ["DisableProtection", "TestFailoverCleanup"]),
        (
            "test-failover-waiting-in-reverse",
            AWAY,
            "Protected",
            ["DisableProtection", "TestFailoverCleanup"],
        ),
        (
            "away",
            HOME,
            "UnplannedFailoverCommitted",
            ["CompleteMigration", "DisableProtection", "SwitchProtection"],
        ),
        (
            "home-uncommitted",
            AWAY,
            "UnplannedFailoverCommitPendingStatesBegin",
            ["CompleteMigration", "Commit", "DisableProtection", "ChangePit", "SwitchProtection"],
        ),
    ],
)
def test_a_machine_begins_in_the_state_its_estate_declares(
    state: str, where: tuple[str, str], protection_state: str, allowed: list[str], caller_of: Calling
) -> None:
    item = caller_of(state=state).item(where).properties
    assert item.protection_state == protection_state
    assert item.allowed_operations == allowed


def test_a_test_failover_left_behind_can_be_cleaned_up(caller_of: Calling) -> None:
    caller = caller_of(state="test-failover-waiting-in-reverse")
    assert len(caller.simulator.world.machines.vms) == 2
    caller.act("test_failover_cleanup", CLEANUP_BODY)
    caller.wait(90)
    assert caller.item().properties.test_failover_state == "MarkedForDeletion"
    assert [vm.name for vm in caller.simulator.world.machines.vms.values()] == [ITEM]


def test_a_running_job_is_as_far_as_the_estate_says(caller_of: Calling) -> None:
    caller = caller_of(state="protected-in-reverse", job={"act": "failover", "progress": 0.5})
    item = caller.item().properties
    job = caller.job(item.current_scenario.job_id.rsplit("/", 1)[-1]).properties
    assert job.state == "InProgress"
    assert job.activity_id.startswith("started-in-the-portal ActivityId: ")
    caller.wait(205 / 2 + 1)
    assert caller.item().properties.active_location == "Recovery"


def test_an_impossible_running_job_is_refused_at_the_start(caller_of: Calling) -> None:
    with pytest.raises(ValueError, match="cannot run"):
        caller_of(state="away", job={"act": "failover"})


def test_a_machine_away_runs_in_the_other_region_and_its_source_is_deallocated(
    caller_of: Calling,
) -> None:
    machines = caller_of(state="away").simulator.world.machines.vms.values()
    assert {vm.region: vm.running for vm in machines} == {"centralus": False, "eastus": True}


def test_syncing_begins_where_the_estate_says_and_ends_protected(caller_of: Calling) -> None:
    caller = caller_of(state="syncing-in-reverse", syncProgress=0.5)
    details = caller.item().properties.provider_specific_details
    assert details.monitoring_percentage_completion == 50
    caller.wait(45 * 60 / 2 + 1)
    assert caller.item().properties.protection_state == "Protected"


def test_a_count_makes_so_many_machines(calling: Calling) -> None:
    caller = calling(estate_of({"name": "vm", "count": 3}))
    names = [i.name for i in caller.client.replication_protected_items.list(GROUP, VAULT)]
    assert names == ["vm-0001", "vm-0002", "vm-0003"]


def test_durations_are_set_for_all_or_for_one_machine(calling: Calling) -> None:
    estate = estate_of(
        {"name": "slow", "durations": {"commit": 100}, "state": "away-uncommitted"},
        {"name": "fast", "state": "away-uncommitted"},
        durations={"commit": {"least": 2, "most": 4}},
    )
    caller = calling(estate)
    for name in ("slow", "fast"):
        caller.act("failover_commit", where=HOME, name=name)
    caller.wait(5)
    states = {n: caller.item(HOME, n).properties.allowed_operations for n in ("slow", "fast")}
    assert states["slow"] == []
    assert "SwitchProtection" in states["fast"]


def test_an_estate_is_read_from_yaml(tmp_path: Path, calling: Calling) -> None:
    path = tmp_path / "estate.yaml"
    path.write_text(
        """
pageSize: 2
durations: {failover: 60, initialReplication: {least: 60, most: 120}}
vaults:
  - name: contoso-vault
    machines:
      - {name: web, count: 3, state: protected-in-reverse}
      - {name: db, state: away, disks: [{name: db_os, os: true}, {name: db_data, sizeGb: 512}]}
"""
    )
    caller = calling(load_estate(path))
    names = [i.name for i in caller.client.replication_protected_items.list(GROUP, VAULT)]
    assert names == ["web-0001", "web-0002", "web-0003", "db"]
    assert len(caller.simulator.journal.calls) == 2


@pytest.mark.parametrize(
    "wrong",
    [
        {"vaults": [{"primary": "eastus", "secondary": "eastus"}]},
        {"vaults": [{"primary": "nowhere"}]},
        {"vaults": [{"machines": [{"name": "x", "state": "asleep"}]}]},
        {"surprise": 1},
        {"durations": {"failover": {"least": 5, "most": 4}}},
        {"durations": {"failover": {"least": 5, "typical": 9, "most": 8}}},
        {"vaults": [{"machines": [{"name": "x", "durations": {"failovers": 5}}]}]},
    ],
)
def test_a_wrong_estate_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Estate.model_validate(wrong)


def test_the_clock_never_goes_back() -> None:
    with pytest.raises(ValueError, match="back"):
        ManualClock().advance(timedelta(seconds=-1))


def drawn(seed: int) -> list[float]:
    estate = estate_of({"name": "x"}, durations={"reprotect": {"least": 300, "typical": 500, "most": 3_000}})
    world = Simulator(estate, clock=ManualClock(), seed=seed).world
    return [world.seconds("reprotect").total_seconds() for _ in range(2_000)]


def test_a_typical_duration_is_met_more_often_than_a_long_one() -> None:
    lengths = drawn(1)
    assert 300 <= min(lengths) <= max(lengths) <= 3_000
    near = sum(400 <= length <= 800 for length in lengths)
    far = sum(2_400 <= length <= 2_800 for length in lengths)
    assert near > 3 * far > 0


def test_the_same_seed_draws_the_same_durations() -> None:
    assert drawn(1) == drawn(1) != drawn(2)


def test_a_machine_may_take_no_time_at_all(caller_of: Calling) -> None:
    caller = caller_of(state="away-uncommitted", durations={"commit": 0})
    caller.act("failover_commit", where=HOME)
    assert caller.item(HOME).properties.protection_state == "UnplannedFailoverCommitted"

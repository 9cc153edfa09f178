from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from azure.core.exceptions import HttpResponseError

from simulator import ManualClock
from simulator.estate import LockSpec
from tests.simulator.helpers import (
    AWAY,
    CLEANUP_BODY,
    GROUP,
    HOME,
    ITEM,
    SUBSCRIPTION,
    VAULT,
    VAULT_PATH,
    Caller,
    Calling,
    estate_of,
    failover_body,
    rehearsal_body,
)


def points(caller: Caller, where: tuple[str, str] = AWAY) -> list[Any]:
    found = caller.client.recovery_points.list_by_replication_protected_items(GROUP, VAULT, *where, ITEM)
    return list(found)


def times(found: list[Any]) -> list[Any]:
    return [point.properties.recovery_point_time for point in found]


def test_recovery_points_come_in_no_order(caller: Caller) -> None:
    found = times(points(caller))
    assert found != sorted(found)
    assert found != sorted(found, reverse=True)


def test_points_are_five_minutes_apart_for_two_hours_and_an_hour_apart_before(
    caller: Caller, clock: ManualClock
) -> None:
    ages = sorted(clock.now() - time for time in times(points(caller)))
    young = [age for age in ages if age <= timedelta(hours=2)]
    old = [age for age in ages if age > timedelta(hours=2)]
    assert len(young) == 24
    assert len(old) == 18
    assert timedelta(minutes=3) < ages[0] < timedelta(minutes=9)


def test_points_are_pruned_when_their_retention_ends(caller: Caller, clock: ManualClock) -> None:
    caller.wait(48 * 3600)
    found = times(points(caller))
    assert all(clock.now() - time <= timedelta(hours=24, minutes=1) for time in found)
    assert len(found) == pytest.approx(24 + 22, abs=2)


def test_some_points_are_app_consistent_and_one_lacks_a_disk(caller: Caller) -> None:
    found = points(caller)
    kinds = {point.properties.recovery_point_type for point in found}
    assert kinds == {"AppConsistent", "CrashConsistent"}
    disks = [len(p.properties.provider_specific_details["disks"]) for p in found]
    assert disks.count(1) == 1


def test_a_point_is_named_by_the_containers_guid(caller: Caller) -> None:
    point = points(caller)[0]
    assert "/asr-eastus-container/" not in point.id
    got = caller.client.recovery_points.get(GROUP, VAULT, *AWAY, ITEM, point.name)
    assert got.id == point.id


def test_a_failover_goes_to_the_point_it_was_given(caller: Caller) -> None:
    chosen = points(caller)[5]
    name = caller.act("unplanned_failover", failover_body(chosen.id))
    caller.wait(206)
    (used,) = caller.job(name).properties.custom_details.protected_item_details
    assert used.recovery_point_id == chosen.name
    assert used.recovery_point_time == chosen.properties.recovery_point_time
    assert caller.item().properties.failover_recovery_point_id.endswith(chosen.name)


def test_a_failover_without_a_point_uses_one_about_six_minutes_old(caller: Caller) -> None:
    name = caller.act("unplanned_failover", failover_body())
    started = caller.simulator.clock.now()
    caller.wait(206)
    (used,) = caller.job(name).properties.custom_details.protected_item_details
    age = started - used.recovery_point_time
    assert timedelta(minutes=3) < age < timedelta(minutes=9)


def test_an_unknown_point_is_refused_and_starts_nothing(caller: Caller) -> None:
    with pytest.raises(HttpResponseError) as refusal:
        caller.act("unplanned_failover", failover_body("/x/recoveryPoints/none"))
    assert refusal.value.error is not None
    assert refusal.value.error.code == "RecoveryPointNotFound"
    assert list(caller.client.replication_jobs.list(GROUP, VAULT)) == []


def test_the_point_can_be_changed_until_the_commit_deletes_them_all(caller: Caller) -> None:
    caller.act("unplanned_failover", failover_body())
    caller.wait(206)
    other = points(caller)[3]
    body = {
        "properties": {
            "recoveryPointId": other.id,
            "providerSpecificDetails": {"instanceType": "A2A"},
        }
    }
    caller.act("apply_recovery_point", body)
    caller.wait(294)
    item = caller.item().properties
    assert item.failover_recovery_point_id.endswith(other.name)
    assert "ChangePit" in item.allowed_operations
    caller.act("failover_commit")
    caller.wait(9)
    assert points(caller) == []


def test_points_stop_at_the_failover(caller: Caller) -> None:
    caller.act("unplanned_failover", failover_body())
    newest = max(times(points(caller)))
    caller.wait(1800)
    assert max(times(points(caller))) == newest


def test_an_operations_result_is_pending_until_its_end_and_then_the_item(caller: Caller) -> None:
    name = caller.act("unplanned_failover", failover_body())
    path = (
        f"{VAULT_PATH}/replicationFabrics/{AWAY[0]}/replicationProtectionContainers/{AWAY[1]}"
        f"/replicationProtectedItems/{ITEM}/operationresults/{name}"
    )
    assert caller.get(path).status == 202
    caller.wait(206)
    answer = caller.get(path)
    assert answer.status == 200
    assert answer.json()["name"] == ITEM
    first, second = (answer.header("x-ms-request-id") or "").split(", ")  # sent twice, joined by the client
    assert first == second


def test_reprotect_by_the_wrong_call_is_refused_for_managed_disks(caller: Caller) -> None:
    body = {"properties": {"failoverDirection": "RecoveryToPrimary"}}
    with pytest.raises(HttpResponseError) as refusal:
        caller.act("reprotect", body)
    assert refusal.value.error is not None
    assert refusal.value.error.code == "VMDisksMissing"


def test_a_failback_in_the_wrong_direction_is_refused(caller: Caller) -> None:
    body = failover_body()
    body["properties"]["failoverDirection"] = "RecoveryToPrimary"
    with pytest.raises(HttpResponseError) as refusal:
        caller.act("unplanned_failover", body)
    assert refusal.value.status_code == 400


def test_a_failover_cannot_be_cancelled_as_it_is_never_offered(caller: Caller) -> None:
    with pytest.raises(HttpResponseError) as refusal:
        caller.act("failover_cancel")
    assert refusal.value.status_code == 400


def test_disabling_removes_the_item(caller: Caller) -> None:
    caller.act("delete", {"properties": {"disableProtectionReason": "NotSpecified"}})
    caller.wait(31)
    assert list(caller.client.replication_protected_items.list(GROUP, VAULT)) == []


@pytest.mark.parametrize(
    ("given", "found"),
    [
        ("name eq 'ContosoWin2016'", 1),
        ("SourceFabricName eq 'asr-eastus' and RecoveryFabricName eq 'asr-centralus'", 1),
        ("SourceFabricLocation eq 'centralus'", 0),
        ("InstanceType eq 'A2A'", 1),
    ],
)
def test_items_are_filtered(caller: Caller, given: str, found: int) -> None:
    items = caller.client.replication_protected_items.list(GROUP, VAULT, filter=given)
    assert len(list(items)) == found


@pytest.mark.parametrize("wrong", ["colour eq 'red'", "name", "name like 'x'"])
def test_a_filter_that_is_not_understood_is_refused(caller: Caller, wrong: str) -> None:
    with pytest.raises(HttpResponseError) as refusal:
        list(caller.client.replication_protected_items.list(GROUP, VAULT, filter=wrong))
    assert refusal.value.status_code == 400


def test_items_of_a_container_are_those_replicated_from_it(caller: Caller) -> None:
    operations = caller.client.replication_protected_items
    listed = operations.list_by_replication_protection_containers
    assert len(list(listed(GROUP, VAULT, *AWAY))) == 1
    assert list(listed(GROUP, VAULT, *HOME)) == []


def test_jobs_are_filtered_by_time_and_state(caller: Caller) -> None:
    caller.act("test_failover", rehearsal_body())
    caller.wait(300)
    middle = caller.simulator.clock.now().isoformat()
    caller.act("test_failover_cleanup", CLEANUP_BODY)

    def names(given: str) -> list[str]:
        found = caller.client.replication_jobs.list(GROUP, VAULT, filter=given)
        return [str(job.properties.scenario_name) for job in found if job.properties]

    assert names(f"StartTime eq '{middle}'") == ["TestFailoverCleanup"]
    assert names(f"EndTime eq '{middle}'") == ["TestFailoverCleanup", "TestFailover"]
    assert names("JobStatus eq 'InProgress'") == ["TestFailoverCleanup"]
    assert names("JobStatus eq 'Succeeded'") == ["TestFailover"]


def test_a_listed_job_is_poor_and_a_read_one_is_rich(caller: Caller) -> None:
    name = caller.act("unplanned_failover", failover_body())
    (listed,) = caller.client.replication_jobs.list(GROUP, VAULT)
    assert listed.properties is not None
    assert listed.properties.activity_id is None
    assert listed.properties.tasks == []
    assert listed.properties.custom_details is None
    assert len(caller.job(name).properties.tasks) == 5


def test_unset_times_of_tasks_have_no_zone(caller: Caller) -> None:
    name = caller.act("unplanned_failover", failover_body())
    job: Any = caller.get(f"{VAULT_PATH}/replicationJobs/{name}").json()["properties"]
    assert job["tasks"][0]["startTime"] == "0001-01-01T00:00:00"
    assert "endTime" not in job


def test_jobs_are_exported(caller: Caller) -> None:
    poller = caller.client.replication_jobs.begin_export(GROUP, VAULT, {}, polling_interval=1)
    job = poller.result(timeout=10)
    assert job.properties is not None
    assert job.properties.scenario_name == "ExportJobs"
    assert list(caller.client.replication_jobs.list(GROUP, VAULT)) == []


def test_a_job_that_is_not_suspended_cannot_be_resumed(caller: Caller) -> None:
    name = caller.act("unplanned_failover", failover_body())
    with pytest.raises(HttpResponseError) as refusal:
        caller.client.replication_jobs.begin_resume(
            GROUP, VAULT, name, {"properties": {"comments": "go on"}}, polling=False
        )
    assert refusal.value.status_code == 400


def test_a_failed_job_is_an_event(caller: Caller, calling: Calling) -> None:
    assert list(caller.client.replication_events.list(GROUP, VAULT)) == []
    scope = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/contoso-app"
    locked = estate_of(
        {"name": ITEM, "state": "test-failover-waiting-in-reverse"},
        locks=(LockSpec(name="keep", scope=scope),),
    )
    caller = calling(locked)
    name = caller.act("test_failover_cleanup", CLEANUP_BODY)
    caller.wait(90)
    job = caller.job(name).properties
    assert job.state == "Failed"
    assert job.errors[0].service_error_details.code == "ScopeLocked"
    (event,) = caller.client.replication_events.list(GROUP, VAULT)
    assert event.name is not None
    assert caller.client.replication_events.get(GROUP, VAULT, event.name).name == event.name
    assert "TestFailoverCleanup" in caller.item().properties.allowed_operations


def test_the_vaults_health_counts_its_machines(calling: Calling) -> None:
    estate = estate_of(
        {"name": "a", "state": "protected"},
        {"name": "b", "state": "test-failover-waiting"},
        {"name": "c", "state": "away"},
    )
    caller = calling(estate)
    health: Any = caller.get(f"{VAULT_PATH}/replicationVaultHealth").json()["properties"]
    counts = health["protectedItemsHealth"]["categorizedResourceCounts"]
    assert health["protectedItemsHealth"]["resourceCount"] == 3
    assert counts["testFailoverWaitingProtectedItemsCount"] == 1
    assert counts["protectedItemsTestFailoverWarningCount"] == 1


def test_sizes_fabrics_policies_and_networks_are_read(caller: Caller) -> None:
    client = caller.client
    sizes = client.target_compute_sizes.list_by_replication_protected_items(GROUP, VAULT, *AWAY, ITEM)
    assert len(list(sizes)) == 3
    assert {f.name for f in client.replication_fabrics.list(GROUP, VAULT)} == {
        "asr-centralus",
        "asr-eastus",
    }
    (policy,) = client.replication_policies.list(GROUP, VAULT)
    assert policy.name is not None
    assert client.replication_policies.get(GROUP, VAULT, policy.name).name == policy.name
    (network,) = client.replication_networks.list_by_replication_fabrics(GROUP, VAULT, AWAY[0])
    assert network.name == "azureNetwork"
    mapping = next(iter(client.replication_network_mappings.list(GROUP, VAULT)))
    got = client.replication_network_mappings.get(GROUP, VAULT, HOME[0], "azureNetwork", str(mapping.name))
    assert got.id == mapping.id
    mappings = client.replication_protection_container_mappings.list(GROUP, VAULT)
    assert len(list(mappings)) == 2


def test_switching_tells_the_new_id_while_the_old_item_is_still_there(caller: Caller) -> None:
    caller.act("unplanned_failover", failover_body())
    caller.wait(206)
    caller.act("failover_commit")
    caller.wait(9)
    name = caller.switch()
    told = caller.job(name).properties.custom_details.new_replication_protected_item_id
    assert caller.item(AWAY).properties.allowed_operations == []
    assert caller.get(told).status == 404
    caller.wait(507)
    assert caller.get(told).status == 200
    assert caller.get(caller_path(AWAY)).status == 404


def caller_path(where: tuple[str, str]) -> str:
    return (
        f"{VAULT_PATH}/replicationFabrics/{where[0]}/replicationProtectionContainers/{where[1]}"
        f"/replicationProtectedItems/{ITEM}"
    )


def test_the_old_source_is_gone_once_the_machine_is_protected_again(caller: Caller) -> None:
    caller.act("unplanned_failover", failover_body())
    caller.wait(206)
    caller.act("failover_commit")
    caller.wait(9)
    caller.switch()
    caller.wait(507)
    caller.item(HOME)
    assert [vm.region for vm in caller.simulator.world.machines.vms.values()] == ["centralus"]

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from azure.mgmt.recoveryservicessiterecovery import models

from domain.machine import JobSnapshot, MachineDetails
from gateway import mapping
from tests.gateway.conftest import CONTAINER, ITEM, VAULT, item, job


def machine(**properties: Any) -> MachineDetails:
    found = mapping.machine(models.ReplicationProtectedItem(item(**properties)))
    assert found is not None
    return found


def read_job(**properties: Any) -> JobSnapshot:
    return mapping.job(models.Job(job(**properties)))


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, None),
        (datetime(1, 1, 1), None),  # noqa: DTZ001 - the naive time that the SDK gives
        (datetime(1753, 1, 1, 1, 1, 1, tzinfo=UTC), None),
        (datetime(2026, 1, 2, 3), datetime(2026, 1, 2, 3, tzinfo=UTC)),  # noqa: DTZ001
        (
            datetime(2026, 1, 2, 3, tzinfo=timezone(timedelta(hours=2))),
            datetime(2026, 1, 2, 1, tzinfo=UTC),
        ),
    ],
)
def test_a_time_that_means_never_is_none_and_every_other_is_utc(
    value: datetime | None, expected: datetime | None
) -> None:
    assert mapping.moment(value) == expected


def test_a_time_without_a_zone_is_utc_wherever_we_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "America/New_York")
    time.tzset()
    try:
        found = mapping.moment(datetime(2026, 1, 2, 3))  # noqa: DTZ001
        assert found == datetime(2026, 1, 2, 3, tzinfo=UTC)
    finally:
        monkeypatch.undo()
        time.tzset()


@pytest.mark.parametrize(
    "scenario",
    [
        None,
        {"scenarioName": "None", "jobId": f"{VAULT}/replicationJobs/None", "startTime": "1753-01-01T01:01:01Z"},
        {"scenarioName": "None", "jobId": None},
        {"scenarioName": "EnableProtection", "jobId": f"{VAULT}/replicationJobs/none"},
    ],
)
def test_an_idle_item_is_held_by_no_job(scenario: dict[str, Any] | None) -> None:
    snapshot = machine(currentScenario=scenario).snapshot
    assert (snapshot.scenario, snapshot.job) == (None, None)


def test_an_item_under_a_job_names_both() -> None:
    holding = {"scenarioName": "TestFailover", "jobId": f"{VAULT}/replicationJobs/1"}
    snapshot = machine(currentScenario=holding).snapshot
    assert (snapshot.scenario, snapshot.job) == ("TestFailover", f"{VAULT}/replicationJobs/1")


def test_sides_are_region_names_however_they_are_spelt() -> None:
    snapshot = machine(a2a={"primaryFabricLocation": "East US", "recoveryFabricLocation": "CentralUS"}).snapshot
    assert (snapshot.home, snapshot.away, snapshot.primary, snapshot.recovery) == (
        "centralus",
        "eastus",
        "eastus",
        "centralus",
    )


def test_a_machine_without_its_first_regions_has_no_home() -> None:
    assert machine(a2a={"initialPrimaryFabricLocation": None}).snapshot.home == ""


def test_progress_is_told_only_while_a_copy_is_made() -> None:
    assert machine().snapshot.sync_percent is None
    assert machine(protectionState="InitialReplicationInProgress").snapshot.sync_percent == 43


def test_the_point_of_a_failover_is_its_last_segment() -> None:
    point = f"{ITEM.replace('asr-eastus-container', 'b02dc2ae')}/recoveryPoints/d2079cd8"
    assert machine(failoverRecoveryPointId=point).snapshot.point == "d2079cd8"


def test_an_item_knows_its_container_and_its_source_resource_group() -> None:
    found = machine()
    assert found.container == CONTAINER
    assert found.source_resource_group == "/subscriptions/s/resourceGroups/contoso-app-asr"
    assert found.target_resource_group == "/subscriptions/s/resourceGroups/contoso-app"


@pytest.mark.parametrize("field", ["recoveryTargetDiskId", "recoveryOrignalTargetDiskId"])
def test_the_disk_that_was_made_is_found_under_either_name(field: str) -> None:
    (disk,) = machine(a2a={"protectedManagedDisks": [{"diskId": "/d/1", field: "/d/2"}]}).disks
    assert (disk.id, disk.target_disk) == ("/d/1", "/d/2")


def test_a_mark_does_not_move_with_the_lag_nor_with_the_order_of_operations() -> None:
    one = machine(a2a={"rpoInSeconds": 10}).snapshot
    other = machine(
        a2a={"rpoInSeconds": 99}, allowedOperations=["TestFailover", "DisableProtection", "UnplannedFailover"]
    ).snapshot
    assert one.mark == other.mark
    assert one.mark != machine(allowedOperations=[]).snapshot.mark


def test_health_errors_are_told_in_the_services_words() -> None:
    error = {
        "errorCode": "161011",
        "errorLevel": "Warning",
        "errorCategory": "TestFailover",
        "errorMessage": "m" * 5_000,
        "possibleCauses": "c",
        "recommendedAction": "a",
        "customerResolvability": "NotAllowed",
    }
    (found,) = machine(healthErrors=[error]).health_errors
    assert (found.code, found.level, found.resolvable, len(found.message)) == ("161011", "Warning", False, 1_000)


def test_a_running_job_has_tasks_that_did_not_start_and_some_that_were_skipped() -> None:
    tasks = [
        {
            "taskId": "a",
            "friendlyName": "Prerequisites",
            "state": "Succeeded",
            "stateDescription": "Completed",
            "startTime": "2026-11-22T18:00:01Z",
            "endTime": "2026-11-22T18:00:02Z",
        },
        {"taskId": "b", "friendlyName": "Synchronizing", "state": "Other", "stateDescription": "Skipped"},
        {
            "taskId": "c",
            "friendlyName": "Start failover",
            "state": "NotStarted",
            "startTime": "0001-01-01T00:00:00",
            "endTime": "0001-01-01T00:00:00",
        },
    ]
    found = read_job(tasks=tasks)
    assert [task.state for task in found.tasks] == ["Succeeded", "Skipped", "NotStarted"]
    assert (found.tasks[2].started, found.tasks[2].ended) == (None, None)
    assert found.ended is None
    assert found.started == datetime(2026, 11, 22, 18, 0, 0, 123456, tzinfo=UTC)


def test_a_jobs_request_id_is_what_its_activity_begins_with() -> None:
    assert read_job().request_id == "d6af7e13-7aff-47a5-97e5-bb9a525418a1"
    assert read_job(activityId=None).request_id is None


def test_a_reprotection_tells_where_the_item_moved() -> None:
    details = {"instanceType": "SwitchProtectionJobDetails", "newReplicationProtectedItemId": "/new"}
    assert read_job(customDetails=details).moved_to == "/new"


@pytest.mark.parametrize("kind", ["FailoverJobDetails", "TestFailoverJobDetails"])
def test_a_failover_tells_the_point_it_used(kind: str) -> None:
    used = {"name": "vm1", "recoveryPointId": "d2079cd8", "recoveryPointTime": "2026-11-22T17:55:00Z"}
    found = read_job(customDetails={"instanceType": kind, "protectedItemDetails": [used]})
    assert (found.point, found.point_time) == ("d2079cd8", datetime(2026, 11, 22, 17, 55, tzinfo=UTC))


def test_a_failover_that_has_not_chosen_yet_tells_no_point() -> None:
    details = {"instanceType": "FailoverJobDetails", "protectedItemDetails": []}
    assert read_job(customDetails=details).point is None


def test_errors_of_a_job_and_of_its_tasks_are_told_once() -> None:
    service = {
        "serviceErrorDetails": {"code": "150253", "message": "no", "recommendedAction": "do"},
        "taskId": "a",
    }
    provider = {"providerErrorDetails": {"errorCode": 31254, "errorMessage": "agent", "possibleCauses": "why"}}
    found = read_job(state="Failed", errors=[service], tasks=[{"taskId": "a", "errors": [service, provider, {}]}])
    assert [error.code for error in found.errors] == ["150253", "31254", ""]
    assert found.errors[0].action == "do"
    assert found.errors[1].causes == "why"


@pytest.mark.parametrize(
    ("state", "ended", "succeeded"),
    [
        ("NotStarted", False, False),
        ("InProgress", False, False),
        ("Suspended", False, False),
        ("Succeeded", True, True),
        ("CompletedWithInformation", True, True),
        ("Failed", True, False),
        ("Cancelled", True, False),
    ],
)
def test_a_jobs_own_state_says_whether_it_ended(state: str, ended: bool, succeeded: bool) -> None:
    found = read_job(state=state)
    assert (found.has_ended, found.succeeded) == (ended, succeeded)


def test_a_warning_of_a_job_that_succeeded_is_kept() -> None:
    warning = {"serviceErrorDetails": {"code": "28175", "message": "The VM name was modified."}}
    found = read_job(state="Succeeded", errors=[warning])
    assert found.succeeded
    assert found.errors[0].code == "28175"

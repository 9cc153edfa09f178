from __future__ import annotations

import pytest
from azure.core.exceptions import HttpResponseError, ResourceNotFoundError

from tests.simulator.helpers import (
    AWAY,
    CLEANUP_BODY,
    GROUP,
    HOME,
    ITEM,
    VAULT,
    Caller,
    failover_body,
    rehearsal_body,
)


def test_a_machine_goes_home_and_is_protected_again(caller: Caller) -> None:
    item = caller.item().properties
    life = item.provider_specific_details.lifecycle_id
    assert item.allowed_operations == ["UnplannedFailover", "DisableProtection", "TestFailover"]
    assert item.provider_specific_details.initial_primary_fabric_location == "centralus"
    assert item.provider_specific_details.primary_fabric_location == "eastus"
    assert item.health_errors[0].error_code == "161011"

    rehearse(caller)
    begin_a_failover_and_cancel_it(caller)
    fail_over(caller)
    change_the_recovery_point(caller)
    commit(caller)
    go_back_to_being_protected(caller, life)


def rehearse(caller: Caller) -> None:
    job = caller.act("test_failover", rehearsal_body())
    assert caller.item().properties.allowed_operations == []
    assert caller.item().properties.current_scenario.job_id.endswith(job)
    assert caller.job(job).properties.state == "InProgress"
    caller.wait(204)
    item = caller.item().properties
    assert caller.job(job).properties.state == "Succeeded"
    assert item.test_failover_state == "WaitingForCompletion"
    assert item.allowed_operations == ["DisableProtection", "TestFailoverCleanup"]

    caller.act("test_failover_cleanup", CLEANUP_BODY)
    caller.wait(83)
    item = caller.item().properties
    assert item.test_failover_state == "MarkedForDeletion"
    assert item.health_errors == []


def begin_a_failover_and_cancel_it(caller: Caller) -> None:
    job = caller.act("unplanned_failover", failover_body())
    caller.wait(60)
    caller.client.replication_jobs.begin_cancel(GROUP, VAULT, job, polling=False)
    assert caller.job(job).properties.state == "Cancelled"
    item = caller.item().properties
    assert item.active_location == "Primary"
    assert "UnplannedFailover" in item.allowed_operations


def fail_over(caller: Caller) -> None:
    job = caller.act("unplanned_failover", failover_body())
    caller.wait(206)
    details = caller.job(job).properties.custom_details
    assert details.protected_item_details[0].recovery_point_id
    item = caller.item().properties
    assert item.protection_state == "UnplannedFailoverCommitPendingStatesBegin"
    assert item.active_location == "Recovery"
    assert "ChangePit" in item.allowed_operations


def change_the_recovery_point(caller: Caller) -> None:
    item = caller.item().properties
    used = item.failover_recovery_point_id.rsplit("/", 1)[-1]

    listed = caller.client.recovery_points.list_by_replication_protected_items(GROUP, VAULT, *AWAY, ITEM)
    oldest = min(listed, key=lambda point: point.properties.recovery_point_time)
    assert oldest.name != used
    change = {"recoveryPointId": oldest.id, "providerSpecificDetails": {"instanceType": "A2A"}}
    caller.act("apply_recovery_point", {"properties": change})
    assert caller.item().properties.current_scenario.scenario_name == "ChangePit"
    caller.wait(294)
    item = caller.item().properties
    assert item.failover_recovery_point_id.endswith(oldest.name)
    assert item.protection_state == "UnplannedFailoverCommitPendingStatesBegin"


def commit(caller: Caller) -> None:
    with pytest.raises(HttpResponseError) as never_offered:
        caller.act("failover_cancel")
    assert never_offered.value.error is not None
    assert never_offered.value.error.code == "OperationNotAllowed"

    caller.act("failover_commit")
    caller.wait(9)
    item = caller.item().properties
    assert item.protection_state == "UnplannedFailoverCommitted"
    assert "ChangePit" not in item.allowed_operations
    assert not list(caller.client.recovery_points.list_by_replication_protected_items(GROUP, VAULT, *AWAY, ITEM))


def go_back_to_being_protected(caller: Caller, life: str) -> None:
    job = caller.switch()
    told = caller.job(job).properties.custom_details.new_replication_protected_item_id
    assert "asr-centralus-container" in told
    caller.wait(507)
    with pytest.raises(ResourceNotFoundError) as gone:
        caller.item(AWAY)
    assert gone.value.error is not None
    assert gone.value.error.code == "NotFound"
    item = caller.item(HOME).properties
    assert item.protection_state == "InitialReplicationInProgress"
    assert item.provider_specific_details.lifecycle_id is None

    caller.wait(45 * 60 + 1)
    item = caller.item(HOME).properties
    assert item.protection_state == "Protected"
    assert item.provider_specific_details.lifecycle_id == life
    assert item.provider_specific_details.primary_fabric_location == "centralus"


def test_the_sdks_own_poller_ends_with_the_item(caller: Caller) -> None:
    poller = caller.client.replication_protected_items.begin_unplanned_failover(
        GROUP, VAULT, *AWAY, "ContosoWin2016", failover_body(), polling_interval=30
    )
    item = poller.result(timeout=30)
    assert item.properties is not None
    assert item.properties.active_location == "Recovery"

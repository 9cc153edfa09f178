from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from azure.core.exceptions import (
    HttpResponseError,
    ServiceRequestError,
    ServiceResponseError,
    ServiceResponseTimeoutError,
)

from simulator import Fault, ManualClock, Simulator, load_faults
from simulator.faults import FaultName
from tests.simulator.helpers import (
    AWAY,
    CLEANUP_BODY,
    GROUP,
    HOME,
    ITEM,
    VAULT,
    VAULT_PATH,
    Caller,
    Calling,
    estate_of,
    failover_body,
    rehearsal_body,
)
from tests.simulator.ways import Way

# A connection that is closed without an answer is told differently: by a sync client, and by an aio one.
CLOSED = (ServiceResponseError, ServiceRequestError)


def arm(caller: Caller, name: str, **words: Any) -> None:
    fault = Fault.model_validate({"name": name} | words)
    caller.simulator.faults.add([fault], caller.simulator.clock.now())


def failure(caller: Caller) -> HttpResponseError:
    with pytest.raises(HttpResponseError) as raised:
        caller.client.replication_protected_items.get(GROUP, VAULT, *AWAY, ITEM, retry_total=0)
    return raised.value


@pytest.mark.parametrize(
    ("name", "status", "code"),
    [
        ("throttled", 429, "SubscriptionRequestsThrottled"),
        ("server-error", 500, "InternalServerError"),
        ("unavailable", 503, "ServerUnavailable"),
        ("authorization-failed", 403, "AuthorizationFailed"),
        ("linked-authorization-failed", 403, "LinkedAuthorizationFailed"),
        ("scope-locked", 409, "ScopeLocked"),
        ("not-found", 404, "NotFound"),
    ],
)
def test_a_fault_of_a_call_answers_as_azure_does_and_then_is_over(
    caller: Caller, name: str, status: int, code: str
) -> None:
    arm(caller, name)
    error = failure(caller)
    assert error.status_code == status
    assert error.error is not None
    assert error.error.code == code
    assert caller.item().name == ITEM


def test_an_expired_token_is_challenged(caller: Caller) -> None:
    arm(caller, "token-expired")
    answer = caller.get(VAULT_PATH + "/replicationJobs")
    assert answer.status == 401
    assert 'error="invalid_token"' in (answer.header("WWW-Authenticate") or "")


@pytest.mark.parametrize(("given", "expected"), [(7, "7"), (0, None)])
def test_throttling_comes_with_and_without_a_time_to_wait(
    caller: Caller, given: int, expected: str | None
) -> None:
    arm(caller, "throttled", retryAfter=given)
    assert caller.get(VAULT_PATH + "/replicationJobs").header("Retry-After") == expected


def test_a_connection_closed_before_leaves_nothing_done(caller: Caller) -> None:
    arm(caller, "connection-closed", act="failover")
    with pytest.raises(CLOSED):
        caller.act("unplanned_failover", failover_body())
    assert caller.item().properties.current_scenario.scenario_name == "None"


@pytest.mark.parametrize("name", ["lost-answer", "error-after-accepted"])
def test_an_answer_lost_afterwards_leaves_a_job_the_caller_can_find(caller: Caller, name: str) -> None:
    arm(caller, name, act="failover")
    with pytest.raises((*CLOSED, HttpResponseError)):
        caller.act("unplanned_failover", failover_body())
    (job,) = caller.client.replication_jobs.list(GROUP, VAULT)
    assert job.name is not None
    assert caller.job(job.name).properties.scenario_name == "UnplannedFailover"


def test_the_callers_own_id_proves_whose_job_it_is(caller: Caller) -> None:
    arm(caller, "lost-answer", act="failover")
    with pytest.raises(CLOSED):
        caller.client.replication_protected_items.begin_unplanned_failover(
            GROUP,
            VAULT,
            *AWAY,
            ITEM,
            failover_body(),
            polling=False,
            retry_total=0,
            headers={"x-ms-client-request-id": "run-1/failover/1"},
        )
    (job,) = caller.client.replication_jobs.list(GROUP, VAULT)
    assert job.name is not None
    activity = caller.job(job.name).properties.activity_id
    assert activity.startswith("run-1/failover/1 ActivityId: ")


def test_a_job_fails_at_the_task_named_with_its_errors(caller: Caller) -> None:
    arm(caller, "job-fails", act="failover", task="FailoverTask", code="28031", message="no quota")
    name = caller.act("unplanned_failover", failover_body())
    caller.wait(206)
    job = caller.job(name).properties
    assert job.state == "Failed"
    assert [task.state for task in job.tasks] == [
        "Succeeded",
        "Succeeded",
        "Other",
        "Failed",
        "NotStarted",
    ]
    assert job.errors[0].service_error_details.code == "28031"
    assert job.errors[0].service_error_details.activity_id == job.activity_id
    assert (job.errors[0].error_level, job.errors[0].task_id) == ("Error", "FailoverTask")
    assert job.allowed_actions == ["Restart"]
    item = caller.item().properties
    assert item.protection_state == "Protected"
    assert "UnplannedFailover" in item.allowed_operations
    status = caller.get(f"{VAULT_PATH}/replicationOperationStatus/{name}").json()
    assert status["status"] == "Failed"
    assert status["error"] == {"code": "28031", "message": "no quota", "details": None}


def test_the_sdks_poller_raises_what_the_job_failed_with(caller: Caller) -> None:
    arm(caller, "job-fails", act="commit")
    caller.act("unplanned_failover", failover_body())
    caller.wait(300)
    poller = caller.client.replication_protected_items.begin_failover_commit(
        GROUP, VAULT, *AWAY, ITEM, polling_interval=10
    )
    with pytest.raises(HttpResponseError) as raised:
        poller.result(timeout=20)
    assert raised.value.error is not None
    assert raised.value.error.code == "150253"


def test_a_failed_job_can_be_restarted(caller: Caller) -> None:
    arm(caller, "job-fails", act="failover")
    failed = caller.act("unplanned_failover", failover_body())
    caller.wait(206)
    caller.client.replication_jobs.begin_restart(GROUP, VAULT, failed, polling=False)
    caller.wait(206)
    assert caller.item().properties.active_location == "Recovery"


def test_a_job_hangs_until_it_is_cancelled(caller: Caller) -> None:
    arm(caller, "job-hangs", act="testFailover")
    name = caller.act("test_failover", rehearsal_body())
    caller.wait(86_400)
    job = caller.job(name).properties
    assert job.state == "InProgress"
    assert job.tasks[-1].state == "InProgress"
    caller.client.replication_jobs.begin_cancel(GROUP, VAULT, name, polling=False)
    assert caller.job(name).properties.state == "Cancelled"
    assert "TestFailover" in caller.item().properties.allowed_operations


def test_a_job_is_cancelled_by_somebody(caller: Caller) -> None:
    arm(caller, "job-cancelled", act="failover")
    name = caller.act("unplanned_failover", failover_body())
    caller.wait(206)
    assert caller.job(name).properties.state == "Cancelled"
    assert caller.item().properties.active_location == "Primary"


def test_a_job_succeeds_with_a_warning(caller: Caller) -> None:
    arm(caller, "job-warns", act="failover")
    name = caller.act("unplanned_failover", failover_body())
    caller.wait(206)
    status = caller.get(f"{VAULT_PATH}/replicationOperationStatus/{name}").json()
    assert status["status"] == "Succeeded"
    assert status["error"]["code"] == "28175"  # type: ignore[index]
    job = caller.job(name).properties
    assert (job.state, job.state_description) == ("CompletedWithInformation", "CompletedWithInformation")
    (told,) = job.errors
    assert (told.error_level, told.task_id) == ("Info", "StartVmOnSecondary")
    assert told.service_error_details.code == "28175"
    assert (told.provider_error_details.error_code, told.provider_error_details.error_message) == (0, None)
    assert caller.item().properties.active_location == "Recovery"


def test_a_reprotect_that_warns_says_so_of_the_job_inside_it(calling: Calling) -> None:
    caller = calling(estate_of({"name": ITEM, "state": "away"}))
    arm(caller, "job-warns", act="reprotect")
    name = caller.switch(HOME)
    caller.wait(600)
    job = caller.job(name).properties
    assert (job.state, job.tasks[-1].state) == ("CompletedWithInformation", "Succeeded")
    (inner,) = job.tasks[-1].group_task_custom_details.child_tasks
    assert (inner.state, inner.end_time.year) == ("CompletedWithInformation", 1)
    assert job.errors[0].task_id == inner.task_id == "EnableDr"
    assert caller.item(AWAY).properties.protection_state == "InitialReplicationInProgress"


def test_a_source_that_will_not_shut_down_does_not_stop_the_failover(caller: Caller) -> None:
    arm(caller, "source-will-not-shut-down")
    name = caller.act("unplanned_failover", failover_body())
    caller.wait(206)
    job = caller.job(name).properties
    assert job.state == "Succeeded"
    assert job.tasks[1].state == "Failed"
    assert caller.item().properties.active_location == "Recovery"
    assert {vm.region: vm.running for vm in caller.simulator.world.machines.vms.values()} == {
        "eastus": True,
        "centralus": True,
    }


def test_a_refused_commit_leaves_the_failover_pending(caller: Caller) -> None:
    caller.act("unplanned_failover", failover_body())
    caller.wait(206)
    arm(caller, "commit-refused")
    with pytest.raises(HttpResponseError) as refusal:
        caller.act("failover_commit")
    assert refusal.value.status_code == 400
    assert "Commit" in caller.item().properties.allowed_operations


def test_a_disk_left_behind_survives_the_cleanup(caller: Caller) -> None:
    arm(caller, "disk-left-behind")
    caller.act("test_failover", rehearsal_body())
    caller.wait(210)
    caller.act("test_failover_cleanup", CLEANUP_BODY)
    caller.wait(90)
    assert caller.item().properties.test_failover_state == "MarkedForDeletion"
    left = [d.name for d in caller.simulator.world.machines.disks.values() if d.managed_by is None]
    assert left == ["ContosoWin2016_DataDisk_0-ASRtest"]


def test_an_item_disappears(caller: Caller) -> None:
    arm(caller, "item-disappears", item=ITEM)
    assert failure(caller).status_code == 404
    assert list(caller.client.replication_protected_items.list(GROUP, VAULT)) == []


def test_somebody_starts_a_job_first(caller: Caller) -> None:
    arm(caller, "somebody-starts-a-job", act="failover", start="testFailover")
    with pytest.raises(HttpResponseError) as refusal:
        caller.act("unplanned_failover", failover_body())
    assert refusal.value.status_code == 409
    assert caller.item().properties.current_scenario.scenario_name == "TestFailover"


def test_a_stale_list_shows_what_was(caller: Caller) -> None:
    arm(caller, "stale-list", after=1)
    before = list(caller.client.replication_protected_items.list(GROUP, VAULT))
    caller.act("unplanned_failover", failover_body())
    stale = list(caller.client.replication_protected_items.list(GROUP, VAULT))
    fresh = list(caller.client.replication_protected_items.list(GROUP, VAULT))
    assert [operations(i) for i in stale] == [operations(i) for i in before]
    assert [operations(i) for i in fresh] == [[]]


def operations(item: Any) -> Any:
    return item.properties.allowed_operations


@pytest.mark.parametrize("verb", ["test_failover", "unplanned_failover"])
def test_a_region_out_of_capacity_fails_what_starts_a_machine(caller: Caller, verb: str) -> None:
    arm(caller, "region-out-of-capacity")
    body = rehearsal_body() if verb == "test_failover" else failover_body()
    name = caller.act(verb, body)
    caller.wait(210)
    job = caller.job(name).properties
    assert job.state == "Failed"
    assert job.errors[0].service_error_details.code == "AllocationFailed"


def test_a_fault_lets_so_many_calls_pass_and_strikes_so_many_times(caller: Caller) -> None:
    arm(caller, "server-error", after=1, times=2)
    path = f"{VAULT_PATH}/replicationJobs"
    assert [caller.get(path).status for _ in range(4)] == [200, 500, 500, 200]


def test_a_fault_lasts_for_a_while(caller: Caller) -> None:
    arm(caller, "unavailable", seconds=60)
    path = f"{VAULT_PATH}/replicationJobs"
    assert [caller.get(path).status for _ in range(3)] == [503, 503, 503]
    caller.wait(61)
    assert caller.get(path).status == 200


def test_a_share_of_calls_is_the_same_in_every_run(calling: Calling) -> None:
    def statuses() -> list[int]:
        caller = calling(seed=7)
        arm(caller, "server-error", share=0.3, times=None)
        return [caller.get(f"{VAULT_PATH}/replicationJobs").status for _ in range(40)]

    first = statuses()
    assert first == statuses()
    assert 3 < first.count(500) < 25


def test_a_fault_may_name_a_path_or_a_method(caller: Caller) -> None:
    arm(caller, "server-error", path="replicationjobs", method="get", times=None)
    assert caller.item().name == ITEM
    assert caller.get(f"{VAULT_PATH}/replicationJobs").status == 500


def test_faults_are_switched_on_and_off_over_http(caller: Caller) -> None:
    def control(body: Any) -> dict[str, Any]:
        answer = caller.raw("POST", "/_sim/faults", json.dumps(body).encode())
        assert answer.status == 200
        return answer.json()

    assert len(control({"name": "throttled", "times": None})["faults"]) == 1
    assert failure(caller).status_code == 429
    assert control({"clear": True})["faults"] == []
    assert caller.item().name == ITEM


def test_faults_are_read_from_yaml(tmp_path: Path) -> None:
    path = tmp_path / "faults.yaml"
    path.write_text("- {name: lost-answer, act: failover}\n- {name: slow, delay: 2, times: null}\n")
    assert [fault.name for fault in load_faults(path)] == [FaultName.LOST_ANSWER, FaultName.SLOW]


def test_a_second_act_is_refused_while_a_job_holds_the_item(caller: Caller) -> None:
    caller.act("unplanned_failover", failover_body())
    with pytest.raises(HttpResponseError) as refusal:
        caller.act("test_failover", rehearsal_body())
    assert refusal.value.status_code == 409
    assert len(list(caller.client.replication_jobs.list(GROUP, VAULT))) == 1


def test_a_switch_with_the_wrong_disks_is_refused(caller: Caller) -> None:
    caller.act("unplanned_failover", failover_body())
    caller.wait(206)
    caller.act("failover_commit")
    caller.wait(10)
    for disks in (
        [],
        [{"diskId": "/x/y", "primaryStagingAzureStorageAccountId": "s", "recoveryResourceGroupId": "g"}],
    ):
        body = caller.switch_body(AWAY, ITEM)
        body["properties"]["providerSpecificDetails"]["vmManagedDisks"] = disks
        with pytest.raises(HttpResponseError) as refusal:
            caller.client.replication_protection_containers.begin_switch_protection(
                GROUP, VAULT, *AWAY, body, polling=False
            )
        assert refusal.value.status_code == 400
    assert caller.item(AWAY).properties.protection_state == "UnplannedFailoverCommitted"
    assert HOME != AWAY


@pytest.mark.parametrize("aio", [False, True])
def test_a_slow_answer_is_a_step_of_the_clock_in_process(
    simulator: Simulator, clock: ManualClock, aio: bool
) -> None:
    with Caller(simulator, Way(aio=aio)) as caller:
        arm(caller, "slow", delay=7)
        began = clock.now()
        assert caller.item().name == ITEM
        assert (clock.now() - began).total_seconds() == 7


@pytest.mark.parametrize("aio", [False, True])
def test_an_answer_slower_than_the_caller_waits_is_lost_in_process(
    simulator: Simulator, clock: ManualClock, aio: bool
) -> None:
    with Caller(simulator, Way(aio=aio)) as caller:
        arm(caller, "slow", delay=301)
        began = clock.now()
        with pytest.raises(ServiceResponseTimeoutError):
            caller.act("unplanned_failover", failover_body())
        assert (clock.now() - began).total_seconds() == 300
        assert caller.item().properties.active_location == "Recovery"


def token(caller: Caller) -> int:
    url = "/msi/token?api-version=2019-08-01&resource=https://management.azure.com"
    return caller.raw("GET", url, x_identity_header="simulator").status


def test_a_fault_meets_the_managed_identity_where_its_path_is_named(caller: Caller) -> None:
    arm(caller, "unavailable", path="msi/token", times=2)
    assert [token(caller) for _ in range(3)] == [503, 503, 200]
    assert caller.item().name == ITEM


def test_a_fault_of_any_call_leaves_tokens_alone(caller: Caller) -> None:
    arm(caller, "throttled")
    assert token(caller) == 200
    assert failure(caller).status_code == 429

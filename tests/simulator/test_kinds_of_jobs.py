"""What each kind of job is called and made of, as it was recorded of Azure machines or of other providers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.simulator.from_nothing import HERE, NETWORK, THERE
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
    job_name,
    rehearsal_body,
)
from tests.simulator.recordings import GUID

OWN = "<its own>"
"""Stands for a task's id that is another GUID in every job."""

ISOLATED = "/subscriptions/x/resourceGroups/y/providers/Microsoft.Network/virtualNetworks/isolated"


def tasks_of(job: Any) -> list[tuple[str, str, str]]:
    return [(OWN if GUID.fullmatch(t.task_id) else t.task_id, t.name, t.friendly_name) for t in job.tasks]


ACTS: dict[str, tuple[str, str, tuple[Any, ...], tuple[str, str, str], list[tuple[str, str, str]]]] = {
    "test failover": (
        "protected-in-reverse",
        "test_failover",
        (rehearsal_body(ISOLATED),),
        ("TestFailover", "Test failover", "TestFailoverJobDetails"),
        [
            (
                "TestFailoverPreflightChecksTask",
                "VmTfoPrerequisitesCheck",
                "Prerequisites check for test failover",
            ),
            ("BeginTestFailoverTask", "VmTfoInitiateFailover", "Starting test failover"),
            ("PrepareTestProtectedEntitiesTask", "VmTfoPrepareTestVm", "Creating test virtual machine"),
            ("BootTestProtectedEntitiesTask", "VmTfoBootTestVm", "Start the virtual machine"),
        ],
    ),
    "its cleanup": (
        "test-failover-waiting-in-reverse",
        "test_failover_cleanup",
        (CLEANUP_BODY,),
        ("TestFailoverCleanup", "Test failover cleanup", "TestFailoverJobDetails"),
        [
            (
                "TestFailoverCleanupPreflightChecksTask",
                "VmTfoCleanupPreflightsCheck",
                "Prerequisites check for test failover cleanup",
            ),
            ("EndTestFailoverTask", "VmTfoEndFailover", "Ending test failover"),
            ("CleanupTestProtectedEntitiesTask", "VmTfoDeleteTestVm", "Clean up the test virtual machine"),
        ],
    ),
    "commit": (
        "home-uncommitted",
        "failover_commit",
        (),
        ("CommitFailover", "Commit", "AsrJobDetails"),
        [
            (OWN, "VmCommitPrerequisitesCheck", "Prerequisite check"),
            (OWN, "VmCommit", "Commit"),
        ],
    ),
    "disable": (
        "protected-in-reverse",
        "delete",
        ({"properties": {}},),
        ("DisableDr", "Disable replication", "AsrJobDetails"),
        [
            (
                "DisableProtectionOnPrimaryTask",
                "DisableProtectionOnPrimary",
                "Disable replication on the source location",
            ),
            (
                "DisableProtectionOnSecondaryTask",
                "DisableProtectionOnSecondary",
                "Disable replication on the target location",
            ),
            ("UpdateDraStateTask", "UpdateDraState", "Updating the provider states"),
        ],
    ),
}


@pytest.mark.parametrize("what", ACTS)
def test_an_acts_job_has_the_names_and_tasks_that_were_recorded(what: str, calling: Calling) -> None:
    state, verb, body, (scenario, friendly, details), tasks = ACTS[what]
    caller = calling(estate_of({"name": ITEM, "state": state}))
    name = caller.act(verb, *body)
    job = caller.job(name).properties
    assert (job.scenario_name, job.friendly_name) == (scenario, friendly)
    assert (job.state, job.allowed_actions, job.target_instance_type) == (
        "InProgress",
        ["Cancel"],
        "ProtectionEntity",
    )
    assert {task.state for task in job.tasks} == {"NotStarted"}
    assert tasks_of(job) == tasks
    assert job.custom_details.instance_type == details
    assert len(job.custom_details.affected_object_details) == 15
    caller.wait(3600)
    ended = caller.job(name).properties
    assert {task.state for task in ended.tasks} == {"Succeeded"}
    assert [task.task_id for task in ended.tasks] == [task.task_id for task in job.tasks]


def test_a_test_failover_tells_of_its_network_and_its_cleanup_of_the_comments_alone(calling: Calling) -> None:
    caller = calling(estate_of({"name": ITEM, "state": "protected-in-reverse"}))
    name = caller.act("test_failover", rehearsal_body(ISOLATED))
    told = caller.job(name).properties.custom_details
    assert (told.test_failover_status, told.comments) == ("Active", None)
    assert (told.network_name, told.network_friendly_name) == ("isolated", "isolated")
    assert told.network_type == "VmNetworkAsInput"
    caller.wait(600)
    name = caller.act("test_failover_cleanup", CLEANUP_BODY)
    told = caller.job(name).properties.custom_details
    assert (told.test_failover_status, told.comments) == (None, "done")
    assert (told.network_name, told.network_friendly_name, told.network_type) == (None, None, None)


def test_the_job_inside_a_reprotect_ends_before_it_and_names_the_machine_in_lower_case(calling: Calling) -> None:
    caller = calling(estate_of({"name": ITEM, "state": "away"}))
    name = caller.switch(HOME)
    caller.wait(480)
    group = caller.job(name).properties.tasks[-1]
    (inner,) = group.group_task_custom_details.child_tasks
    assert (group.state, inner.state) == ("InProgress", "Succeeded")
    assert inner.start_time < group.start_time
    assert inner.end_time.microsecond == 0
    assert {inner.name, inner.friendly_name, inner.custom_details.job_task.target_object_name} == {ITEM.lower()}


PLAN: dict[str, Any] = {
    "groups": [{"groupType": "Boot", "replicationProtectedItems": []}],
    "primaryFabricId": f"{VAULT_PATH}/replicationFabrics/{AWAY[0]}",
    "recoveryFabricId": f"{VAULT_PATH}/replicationFabrics/{HOME[0]}",
}
PLANS: dict[str, tuple[str, str, Callable[[Any, Any], Any]]] = {
    "begin_create": ("SaveRecoveryPlan", "SaveRecoveryPlanTask", lambda begin, body: begin(body)),
    "begin_update": ("UpdateRecoveryPlan", "SaveRecoveryPlanTask", lambda begin, body: begin(body)),
    "begin_delete": ("DeleteRecoveryPlan", "DeleteRecoveryPlanTask", lambda begin, _: begin()),
}
VERBS = {"Save": "Save", "Update": "Save", "Delete": "Delete"}


@pytest.mark.parametrize("verb", PLANS)
def test_saving_and_deleting_a_plan_are_jobs_of_their_own(verb: str, calling: Calling) -> None:
    scenario, task, send = PLANS[verb]
    caller = calling(estate_of({"name": ITEM, "state": "protected-in-reverse"}))
    plans = caller.client.replication_recovery_plans
    if verb != "begin_create":
        plans.begin_create(GROUP, VAULT, "plan", {"properties": PLAN}).result()
    seen: dict[str, str] = {}

    def begin(*body: Any) -> None:
        getattr(plans, verb)(
            GROUP,
            VAULT,
            "plan",
            *body,
            polling=False,
            raw_response_hook=lambda r: seen.update(r.http_response.headers),
        )

    send(begin, {"properties": PLAN})
    caller.wait(2)
    job = caller.job(job_name(seen)).properties
    friendly = f"{VERBS[scenario.removesuffix('RecoveryPlan')]} a recovery plan"
    assert (job.scenario_name, job.friendly_name, job.state) == (scenario, friendly, "Succeeded")
    assert tasks_of(job) == [(OWN, task, f"{friendly} task")]
    assert (job.target_instance_type, job.target_object_name) == ("RecoveryPlan", "plan")
    assert set(job.custom_details.affected_object_details) == {
        "primaryVmmId",
        "primaryVmmName",
        "recoveryVmmId",
        "recoveryVmmName",
        "primaryFabricProviderId",
        "recoveryFabricProviderId",
    }


def test_the_end_of_replication_is_two_jobs_of_the_services_own(calling: Calling) -> None:
    caller = calling(estate_of({"name": ITEM, "state": "away"}))
    asked = caller.job(caller.switch(HOME)).properties
    caller.wait(2 * 3600)
    listed = list(caller.client.replication_jobs.list(GROUP, VAULT))
    names = [one.properties.scenario_name for one in listed]
    assert names == ["SecondaryIrCompletion", "PrimaryIrCompletion", "SwitchReplicationGroupProtection"]
    last, first = (caller.job(one.name).properties for one in listed[:2])
    assert (first.friendly_name, last.friendly_name) == (
        "Finalize protection on the primary virtual machine",
        "Finalize protection on the recovery virtual machine",
    )
    assert tasks_of(last) == [
        ("CompleteInitialReplicationTask", "CompleteInitialReplication", "Complete initial replication"),
        (
            "ReplicaConfigurationPreflightChecksTask",
            "FailWorkflowOnIRFailureTask",
            "Finalizing initial replication",
        ),
        (
            "ReplicaConfigurationTask",
            "ReplicaConfiguration",
            "Complete network and post-replication configuration",
        ),
        ("UpdateDraStateTask", "UpdateDraState", "Updating the provider states"),
    ]
    assert 60 < (last.start_time - first.start_time).total_seconds() < 80
    assert {first.activity_id, last.activity_id} == {asked.activity_id}
    assert (last.state, last.target_object_name, last.target_instance_type) == (
        "Succeeded",
        ITEM.lower(),
        "ProtectionEntity",
    )
    assert caller.item(AWAY).properties.protection_state == "Protected"


def test_replication_that_is_let_go_before_its_end_is_not_finalized(calling: Calling) -> None:
    caller = calling(estate_of({"name": ITEM, "state": "syncing-in-reverse"}))
    caller.act("delete", {"properties": {}})
    caller.wait(2 * 3600)
    names = [one.properties.scenario_name for one in caller.client.replication_jobs.list(GROUP, VAULT)]
    assert names == ["DisableDr"]


def test_a_failover_tells_its_network_and_point_even_when_the_item_has_moved_on(calling: Calling) -> None:
    caller = calling(estate_of({"name": ITEM, "state": "protected-in-reverse"}))
    name = caller.act("unplanned_failover", failover_body())
    assert caller.job(name).properties.custom_details.protected_item_details == []
    caller.wait(600)
    (told,) = caller.job(name).properties.custom_details.protected_item_details
    assert (told.network_friendly_name, told.subnet) == ("contoso-vnet", "default")
    caller.act("failover_commit")
    caller.wait(60)
    caller.switch(AWAY)
    caller.wait(3600)
    (later,) = caller.job(name).properties.custom_details.protected_item_details
    assert later.as_dict() == told.as_dict()


def test_a_test_failover_tells_of_no_machine_and_no_point(calling: Calling) -> None:
    caller = calling(estate_of({"name": ITEM, "state": "protected-in-reverse"}))
    name = caller.act("test_failover", rehearsal_body(ISOLATED))
    caller.wait(600)
    job = caller.job(name).properties
    assert (job.state, job.custom_details.protected_item_details) == ("Succeeded", [])
    assert caller.item().properties.failover_recovery_point_id


TAKING_DOWN: list[tuple[str, tuple[str, ...], bool, str, str, list[str]]] = [
    (
        "replication_network_mappings",
        (*HERE[:1], NETWORK, "networks"),
        False,
        "NetworkUnPairing",
        "Remove map",
        ["ModifyVMNetworksUnPairingStatusTask", "VMNetworksUpdateVMNicsTaskDetach"],
    ),
    (
        "replication_protection_container_mappings",
        (*HERE, "mapping"),
        True,
        "DissociateProtectionProfile",
        "Dissociate replication policy",
        [
            "CloudUnpairingPrerequisitesCheck",
            "CloudUnpairingUnpairClouds",
            "CloudUnpairingCleanupClouds",
            "CloudUnpairingCleanupSite",
        ],
    ),
    (
        "replication_protection_container_mappings",
        (*THERE, "mapping"),
        True,
        "DissociateProtectionProfile",
        "Dissociate replication policy",
        [],
    ),
    (
        "replication_policies",
        ("policy",),
        False,
        "RemoveProtectionProfile",
        "Remove the replication policy",
        ["RemoveProtectionProfilePreflightsCheckTask", "RemoveProtectionProfileTask"],
    ),
]


def test_a_vault_is_taken_down_by_the_jobs_that_were_recorded(ready: Caller) -> None:
    for operations, place, names_job, scenario, friendly, tasks in TAKING_DOWN:
        seen: dict[str, str] = {}
        body = [{"properties": {}}] if "container" in operations else []
        getattr(ready.client, operations).begin_delete(
            GROUP,
            VAULT,
            *place,
            *body,
            polling=False,
            raw_response_hook=lambda r, seen=seen: seen.update(r.http_response.headers),
        )
        assert (job_name(seen) in seen["x-ms-request-id"]) == names_job
        ready.wait(4)
        job = ready.job(job_name(seen)).properties
        assert (job.scenario_name, job.friendly_name, job.state) == (scenario, friendly, "Succeeded")
        assert not tasks or [task.name for task in job.tasks] == tasks

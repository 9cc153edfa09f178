"""A vault set up from nothing by the official client, and machines that are enabled, changed and let go."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from azure.core.exceptions import HttpResponseError, ResourceNotFoundError

from tests.simulator.from_nothing import (
    AWAY,
    HERE,
    ITEM,
    MACHINES,
    NETWORK,
    POLICY,
    THERE,
    container_path,
    enable,
    network_body,
    networks,
    set_up,
)
from tests.simulator.helpers import (
    GROUP,
    VAULT,
    VAULT_PATH,
    Caller,
    failover_body,
    job_name,
)


def test_a_vault_is_set_up_from_nothing(bare: Caller) -> None:
    assert list(bare.client.replication_fabrics.list(GROUP, VAULT)) == []
    set_up(bare)
    client = bare.client
    fabric = client.replication_fabrics.get(GROUP, VAULT, HERE[0])
    assert fabric.properties.friendly_name == "Central US"
    assert fabric.properties.custom_details.location == "centralus"
    assert len(fabric.properties.custom_details.container_ids) == 1
    container = client.replication_protection_containers.get(GROUP, VAULT, *HERE)
    assert container.properties.pairing_status == "Paired"
    policy = client.replication_policies.get(GROUP, VAULT, "policy").properties.provider_specific_details
    assert (policy.recovery_point_history, policy.multi_vm_sync_status) == (720, "Enabled")
    mapping = client.replication_protection_container_mappings.get(GROUP, VAULT, *HERE, "mapping")
    assert mapping.properties.target_fabric_friendly_name == "East US"
    paired = networks(bare).get(GROUP, VAULT, HERE[0], NETWORK, "networks").properties
    assert (paired.state, paired.recovery_network_friendly_name) == ("Paired", "away")


def test_setting_up_runs_as_jobs_with_the_services_names(ready: Caller) -> None:
    jobs = list(ready.client.replication_jobs.list(GROUP, VAULT))
    told = [(j.properties.scenario_name, j.properties.target_instance_type) for j in reversed(jobs)]
    assert told == [
        ("AddProtectionProfile", "ProtectionProfile"),
        ("CreateSite", "Server"),
        ("CreateCloud", "ProtectionContainer"),
        ("CreateSite", "Server"),
        ("CreateCloud", "ProtectionContainer"),
        ("AssociateProtectionProfile", "ProtectionProfile"),
        ("AssociateProtectionProfile", "ProtectionProfile"),
        ("NetworkPairing", "Network"),
    ]
    rich = ready.client.replication_jobs.get(GROUP, VAULT, jobs[0].name).properties
    assert [(t.name, t.state, t.state_description) for t in rich.tasks] == [
        ("ModifyVMNetworksPairingStatusTask", "Succeeded", "Completed"),
        ("VMNetworksUpdateVMNicsTask", "Other", "Skipped"),
    ]
    assert rich.tasks[1].group_task_custom_details.child_tasks == []


def test_a_job_that_is_read_in_its_first_second_is_a_placeholder(ready: Caller) -> None:
    seen: dict[str, str] = {}
    changed = {"properties": {"replicationProviderSettings": {"instanceType": "A2A"} | POLICY}}
    ready.client.replication_policies.begin_update(
        GROUP,
        VAULT,
        "policy",
        changed,
        polling=False,
        raw_response_hook=lambda r: seen.update(r.http_response.headers),
    )
    first = ready.job(job_name(seen)).properties
    assert (first.state, first.scenario_name, first.tasks) == ("NotStarted", None, [])
    ready.wait(10)
    assert ready.job(job_name(seen)).properties.scenario_name == "ModifyProtectionProfile"


def test_the_job_of_a_fabric_can_be_read_at_once_but_not_cancelled(bare: Caller) -> None:
    seen: dict[str, str] = {}
    azure = {"properties": {"customDetails": {"instanceType": "Azure", "location": "eastus"}}}
    bare.client.replication_fabrics.begin_create(
        GROUP, VAULT, "f", azure, polling=False, raw_response_hook=lambda r: seen.update(r.http_response.headers)
    )
    bare.wait(0.8)
    first = bare.job(job_name(seen)).properties
    assert (first.scenario_name, first.tasks[0].state, first.allowed_actions) == ("CreateSite", "InProgress", [])
    bare.wait(10)
    later = bare.job(job_name(seen)).properties
    assert (later.state, later.friendly_name, later.allowed_actions) == ("InProgress", "Create a site", [])
    with pytest.raises(ResourceNotFoundError):
        bare.client.replication_fabrics.get(GROUP, VAULT, "f")
    with pytest.raises(HttpResponseError):
        bare.client.replication_jobs.begin_cancel(GROUP, VAULT, job_name(seen), polling=False)
    bare.wait(80)
    assert bare.client.replication_fabrics.get(GROUP, VAULT, "f").name == "f"


def test_a_mapping_that_is_cancelled_is_not_there(ready: Caller) -> None:
    mappings = ready.client.replication_protection_container_mappings
    mappings.begin_delete(GROUP, VAULT, *HERE, "mapping", {"properties": {}}).result()
    pair = {
        "targetProtectionContainerId": container_path(THERE),
        "policyId": f"{VAULT_PATH}/replicationPolicies/policy",
    }
    seen: dict[str, str] = {}
    mappings.begin_create(
        GROUP,
        VAULT,
        *HERE,
        "mapping",
        {"properties": pair},
        polling=False,
        raw_response_hook=lambda r: seen.update(r.http_response.headers),
    )
    ready.wait(10)
    ready.client.replication_jobs.begin_cancel(GROUP, VAULT, job_name(seen), polling=False)
    ready.wait(200)
    with pytest.raises(ResourceNotFoundError):
        mappings.get(GROUP, VAULT, *HERE, "mapping")


def test_a_machine_is_enabled_and_fails_over_where_it_was_told(ready: Caller) -> None:
    name = enable(ready)
    started = ready.job(name).properties
    assert (started.scenario_name, started.friendly_name) == ("EnableDr", "Enable replication")
    assert [task.task_id for task in started.tasks] == [
        "EnableProtectionPreflightChecksTask",
        "CreateProtectionTargetTask",
        "EnableProtectionTask",
        "StartInitialReplicationTask",
        "UpdateDraStateTask",
    ]
    assert (started.allowed_actions, started.target_instance_type) == (["Cancel"], "ProtectionEntity")
    ready.wait(426)
    item = ready.item(HERE, ITEM).properties
    assert item.protection_state == "InitialReplicationInProgress"
    assert item.allowed_operations == ["DisableProtection"]
    ready.wait(25 * 60 + 1)
    item = ready.item(HERE, ITEM).properties
    details = item.provider_specific_details
    assert item.allowed_operations == ["UnplannedFailover", "DisableProtection", "TestFailover"]
    assert (details.initial_primary_fabric_location, details.lifecycle_id is not None) == ("centralus", True)
    assert details.selected_recovery_azure_network_id.endswith("/virtualNetworks/away")
    assert details.fabric_object_id == f"{MACHINES}/virtualMachines/web".lower()
    ready.act("unplanned_failover", failover_body(), where=HERE, name=ITEM)
    ready.wait(206)
    arrived = ready.item(HERE, ITEM).properties.provider_specific_details.recovery_fabric_object_id
    assert arrived == f"{AWAY}/providers/Microsoft.Compute/virtualMachines/web".lower()
    assert ready.read(arrived)["location"] == "eastus"


def test_an_enabled_machine_goes_there_and_back(ready: Caller) -> None:
    enable(ready)
    ready.wait(426 + 25 * 60)
    for where, other in ((HERE, THERE), (THERE, HERE)):
        ready.act("unplanned_failover", failover_body(), where=where, name=ITEM)
        ready.wait(206)
        ready.act("failover_commit", where=where, name=ITEM)
        ready.wait(10)
        ready.switch(where, ITEM)
        ready.wait(507 + 45 * 60)
        item = ready.item(other, ITEM).properties
        assert item.protection_state == "Protected"
        assert item.provider_specific_details.initial_primary_fabric_location == "centralus"
    assert ready.read(f"{MACHINES}/virtualMachines/web")["location"] == "centralus"


def test_a_policys_times_rule_the_recovery_points(ready: Caller) -> None:
    enable(ready)
    ready.wait(426 + 25 * 60 + 20 * 3600)
    listed = list(ready.client.recovery_points.list_by_replication_protected_items(GROUP, VAULT, *HERE, ITEM))
    kinds = {point.properties.recovery_point_type for point in listed}
    times = [point.properties.recovery_point_time for point in listed]
    assert kinds == {"CrashConsistent"}
    assert (max(times) - min(times)).total_seconds() <= 720 * 60


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ({"fabricObjectId": f"{MACHINES}/virtualMachines/nobody"}, "VirtualMachineNotFound"),
        ({"recoveryContainerId": "/x/y"}, "ContainerMappingNotFound"),
        ({"vmManagedDisks": []}, "VMDisksMissing"),
        ({"vmManagedDisks": [{"diskId": "/x/stray"}]}, "DiskNotFound"),
        ({"instanceType": "InMageRcm"}, "NotSimulated"),
    ],
)
def test_what_cannot_be_enabled_is_refused(ready: Caller, more: dict[str, Any], code: str) -> None:
    with pytest.raises(HttpResponseError) as refusal:
        enable(ready, **more)
    assert refusal.value.error is not None
    assert refusal.value.error.code == code
    assert list(ready.client.replication_protected_items.list(GROUP, VAULT)) == []


def test_a_machine_is_enabled_once(ready: Caller) -> None:
    enable(ready)
    for name, item in (("web", "another"), ("db", ITEM)):
        with pytest.raises(HttpResponseError) as refusal:
            enable(ready, name, item)
        assert refusal.value.status_code == 409
    ready.wait(500)
    with pytest.raises(HttpResponseError):
        enable(ready, "web", "another")
    enable(ready, "db", "item-2")


def test_enabling_fails_where_a_fault_says_so_and_may_be_tried_again(ready: Caller) -> None:
    ready.arm_fault("job-fails", act="enable", task="CreateProtectionTargetTask")
    name = enable(ready)
    ready.wait(500)
    failed = ready.job(name).properties
    assert [task.state for task in failed.tasks] == ["Succeeded", "Failed", *["NotStarted"] * 3]
    with pytest.raises(ResourceNotFoundError):
        ready.item(HERE, ITEM)
    enable(ready)
    ready.wait(500)
    assert ready.item(HERE, ITEM).name == ITEM


def test_replication_is_disabled_and_enabled_again_as_a_new_life(ready: Caller) -> None:
    lives: list[str] = []
    for _ in range(2):
        enable(ready)
        ready.wait(426 + 25 * 60)
        lives.append(ready.item(HERE, ITEM).properties.provider_specific_details.lifecycle_id)
        ready.act("delete", {"properties": {}}, where=HERE, name=ITEM)
        ready.wait(31)
        with pytest.raises(ResourceNotFoundError):
            ready.item(HERE, ITEM)
        assert ready.read(f"{MACHINES}/virtualMachines/web/instanceView")["statuses"]
    assert len(set(lives)) == 2


def test_a_purge_ends_what_holds_the_item_and_removes_it(ready: Caller) -> None:
    enable(ready)
    ready.wait(426 + 25 * 60)
    held = ready.act(
        "test_failover", {"properties": {"networkType": "NoNetworkAttachAsInput"}}, where=HERE, name=ITEM
    )
    ready.act("purge", where=HERE, name=ITEM)
    assert ready.job(held).properties.state == "Cancelled"
    ready.wait(31)
    with pytest.raises(ResourceNotFoundError):
        ready.act("purge", where=HERE, name=ITEM)


def refused(act: Callable[[], Any]) -> str:
    with pytest.raises(HttpResponseError) as refusal:
        act()
    assert refusal.value.status_code == 400
    assert refusal.value.error is not None
    return refusal.value.error.code


def test_what_is_in_use_is_not_removed_and_all_is_once_it_is_not(ready: Caller) -> None:
    client, nothing = ready.client, {"properties": {}}
    fabrics, containers = client.replication_fabrics, client.replication_protection_containers
    mappings, policies = client.replication_protection_container_mappings, client.replication_policies
    enable(ready)
    ready.wait(500)
    assert refused(lambda: fabrics.begin_delete(GROUP, VAULT, HERE[0])) == "FabricNotEmpty"
    assert refused(lambda: containers.begin_delete(GROUP, VAULT, *HERE)) == "ContainerInUse"
    assert refused(lambda: mappings.begin_purge(GROUP, VAULT, *HERE, "mapping")) == "MappingInUse"
    assert refused(lambda: policies.begin_delete(GROUP, VAULT, "policy")) == "PolicyInUse"
    ready.act("delete", nothing, where=HERE, name=ITEM)
    ready.wait(31)
    networks(ready).begin_delete(GROUP, VAULT, HERE[0], NETWORK, "networks").result()
    for where in (HERE, THERE):
        mappings.begin_delete(GROUP, VAULT, *where, "mapping", nothing).result()
    for fabric, container in (HERE, THERE):
        containers.begin_delete(GROUP, VAULT, fabric, container).result()
        fabrics.begin_purge(GROUP, VAULT, fabric).result()
    policies.begin_delete(GROUP, VAULT, "policy").result()
    for left in (fabrics.list(GROUP, VAULT), containers.list(GROUP, VAULT), policies.list(GROUP, VAULT)):
        assert list(left) == []
    policies.begin_delete(GROUP, VAULT, "policy").result()


def test_policies_and_mappings_are_changed(ready: Caller) -> None:
    client = ready.client
    given = {"properties": {"replicationProviderSettings": {"instanceType": "A2A", "recoveryPointHistory": 60}}}
    client.replication_policies.begin_update(GROUP, VAULT, "policy", given).result()
    policy = client.replication_policies.get(GROUP, VAULT, "policy").properties.provider_specific_details
    assert policy.recovery_point_history == 60
    auto = {"properties": {"providerSpecificInput": {"instanceType": "A2A", "agentAutoUpdateStatus": "Enabled"}}}
    mappings = client.replication_protection_container_mappings
    mappings.begin_update(GROUP, VAULT, *HERE, "mapping", auto).result()
    mapping = mappings.get(GROUP, VAULT, *HERE, "mapping").properties.provider_specific_details
    assert mapping.agent_auto_update_status == "Enabled"
    networks(ready).begin_update(GROUP, VAULT, HERE[0], NETWORK, "networks", network_body("elsewhere")).result()
    paired = networks(ready).get(GROUP, VAULT, HERE[0], NETWORK, "networks").properties
    assert paired.recovery_network_friendly_name == "elsewhere"


def test_another_providers_fabric_is_not_simulated(bare: Caller) -> None:
    body = {"properties": {"customDetails": {"instanceType": "VMwareV2"}}}
    with pytest.raises(HttpResponseError) as refusal:
        bare.client.replication_fabrics.begin_create(GROUP, VAULT, "f", body)
    assert refusal.value.status_code == 501

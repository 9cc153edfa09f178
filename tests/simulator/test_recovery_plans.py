from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from azure.core.exceptions import HttpResponseError

from simulator import ManualClock, Simulator
from simulator.estate import Estate, MachineSpec, PlanSpec, VaultSpec
from tests.simulator.helpers import AWAY, GROUP, VAULT, Caller, failover_body, job_name
from tests.simulator.ways import Way

PLAN = "move-home"


def planned() -> Estate:
    machines = tuple(
        MachineSpec.model_validate({"name": n, "state": "protected-in-reverse", "multiVmGroup": "shop"})
        for n in ("web", "db")
    )
    plan = PlanSpec(name=PLAN, groups=(("db",), ("web",)))
    return Estate(vaults=(VaultSpec(machines=machines, recovery_plans=(plan,)),))


@pytest.fixture
def caller(way: Way) -> Iterator[Caller]:
    with Caller(Simulator(planned(), clock=ManualClock()), way) as one:
        yield one


def plan_act(caller: Caller, verb: str, *arguments: Any) -> str:
    seen: dict[str, str] = {}
    begin = getattr(caller.client.replication_recovery_plans, f"begin_{verb}")
    begin(
        GROUP,
        VAULT,
        PLAN,
        *arguments,
        polling=False,
        retry_total=0,
        raw_response_hook=lambda r: seen.update(r.http_response.headers),
    )
    return job_name(seen)


PLAN_FAILOVER = {
    "properties": {
        "failoverDirection": "PrimaryToRecovery",
        "sourceSiteOperations": "Required",
        "providerSpecificDetails": [{"instanceType": "A2A", "recoveryPointType": "Latest"}],
    }
}


def test_a_plan_moves_all_its_machines(caller: Caller) -> None:
    operation = plan_act(caller, "unplanned_failover", PLAN_FAILOVER)
    assert caller.item(name="web").properties.allowed_operations == []
    caller.wait(300)
    for name in ("web", "db"):
        assert caller.item(name=name).properties.active_location == "Recovery"
    job = caller.job(operation)
    assert job.properties.state == "Succeeded"
    assert job.properties.target_instance_type == "RecoveryPlan"
    assert len(job.properties.custom_details.protected_item_details) == 2


def test_the_operation_of_a_plan_is_only_an_alias_of_its_job(caller: Caller) -> None:
    operation = plan_act(caller, "unplanned_failover", PLAN_FAILOVER)
    first = caller.job(operation)
    assert first.name == operation
    assert first.properties.scenario_name is None
    caller.wait(2)
    then = caller.job(operation)
    assert then.name != operation
    assert then.properties.scenario_name == "UnplannedFailover"


def test_the_three_tasks_of_a_machine_cite_three_jobs(caller: Caller) -> None:
    operation = plan_act(caller, "unplanned_failover", PLAN_FAILOVER)
    caller.wait(300)
    tasks = caller.job(operation).properties.tasks
    assert [task.friendly_name for task in tasks] == [
        "Prerequisites check for the recovery plan",
        "All groups shutdown (2)",
        "Recovery plan failover",
        "Group 1: Start (1)",
        "Group 2: Start (1)",
        "Finalizing the recovery plan",
    ]


def test_a_plan_that_was_tested_waits_for_its_cleanup(caller: Caller) -> None:
    body = {
        "properties": {
            "failoverDirection": "PrimaryToRecovery",
            "networkType": "VmNetworkAsInput",
            "networkId": "/subscriptions/x/virtualNetworks/isolated",
        }
    }
    plan_act(caller, "test_failover", body)
    caller.wait(300)
    plan = caller.client.replication_recovery_plans.get(GROUP, VAULT, PLAN).properties
    assert plan is not None
    assert plan.allowed_operations == ["TestFailoverCleanup"]
    assert plan.current_scenario_status == "Suspended"
    assert plan.current_scenario_status_description == "WaitingForStopTestFailover"
    plan_act(caller, "test_failover_cleanup", {"properties": {"comments": "seen"}})
    caller.wait(300)
    plan = caller.client.replication_recovery_plans.get(GROUP, VAULT, PLAN).properties
    assert plan is not None
    assert plan.current_scenario_status == "Succeeded"
    assert plan.allowed_operations == ["UnplannedFailover", "TestFailover"]


def test_a_listed_plan_has_no_groups(caller: Caller) -> None:
    (listed,) = caller.client.replication_recovery_plans.list(GROUP, VAULT)
    assert listed.properties is not None
    assert listed.properties.groups == []
    got = caller.client.replication_recovery_plans.get(GROUP, VAULT, PLAN)
    assert got.properties is not None
    assert [g.group_type for g in got.properties.groups or []] == [
        "Shutdown",
        "Failover",
        "Boot",
        "Boot",
    ]


def test_a_member_of_a_multi_vm_group_cannot_fail_over_alone(caller: Caller) -> None:
    with pytest.raises(HttpResponseError) as refusal:
        caller.act("unplanned_failover", failover_body(), name="web")
    assert refusal.value.error is not None
    assert refusal.value.error.code == "MultiVmGroupFailover"


def test_a_plan_is_created_and_deleted(caller: Caller) -> None:
    item = caller.item(AWAY, "web")
    fabrics = f"{item.id.split('/replicationFabrics')[0]}/replicationFabrics"
    boot = {"groupType": "Boot", "replicationProtectedItems": [{"id": item.id}]}
    body: Any = {
        "properties": {
            "primaryFabricId": f"{fabrics}/asr-eastus",
            "recoveryFabricId": f"{fabrics}/asr-centralus",
            "groups": [boot],
        }
    }
    plans = caller.client.replication_recovery_plans
    made = plans.begin_create(GROUP, VAULT, "small", body, polling_interval=1).result(10)
    assert made.name == "small"
    plans.begin_delete(GROUP, VAULT, "small", polling_interval=1).result(10)
    assert [plan.name for plan in plans.list(GROUP, VAULT)] == [PLAN]


def test_a_plan_is_given_other_groups(caller: Caller) -> None:
    item = caller.item(AWAY, "web")
    boot = {"groupType": "Boot", "replicationProtectedItems": [{"id": item.id}]}
    plans = caller.client.replication_recovery_plans
    body: Any = {"properties": {"groups": [boot]}}
    changed = plans.begin_update(GROUP, VAULT, PLAN, body, polling_interval=1).result(10)
    held = [[i.id.rsplit("/", 1)[-1] for i in g.replication_protected_items] for g in changed.properties.groups]
    assert held[-1] == ["web"]


@pytest.mark.parametrize("verb", ["planned_failover", "failover_cancel"])
def test_what_a_plan_of_azure_machines_cannot_do_is_refused(caller: Caller, verb: str) -> None:
    given = [{"properties": {"failoverDirection": "PrimaryToRecovery"}}] if verb == "planned_failover" else []
    with pytest.raises(HttpResponseError) as refusal:
        plan_act(caller, verb, *given)
    assert refusal.value.status_code == 400


def test_a_plan_of_azure_machines_cannot_be_reprotected(caller: Caller) -> None:
    with pytest.raises(HttpResponseError):
        plan_act(caller, "reprotect")

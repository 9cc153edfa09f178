"""No recorded answer is left out: each is held against the simulator, or named with the reason why not."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

import pytest

from tests.simulator import test_recordings, test_replays
from tests.simulator.helpers import (
    AWAY,
    CLEANUP_BODY,
    GROUP,
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
from tests.simulator.recordings import RECORDINGS, differences, header_names, kinds, recorded, skeleton
from tests.simulator.test_recordings import item_path, task_words

pytestmark = pytest.mark.skipif(not RECORDINGS.exists(), reason="no recordings beside this checkout")

CLUSTER = "of a cluster of machines with shared disks, which is not simulated (501)"
OTHER = "of another provider; its states are held against ours by themselves"
REPLAYED = {"test_siterecovery_A2A_scenarios.yaml", "test_siterecovery_A2A_selfcreated_scenarios.yaml"}
"""Sessions that test_replays.py sends again whole."""

HELD_AGAINST: dict[tuple[str, str], str] = {
    ("a2a-apply-recovery-point.jsonl", "p3"): (
        "test_an_item_whose_point_was_changed_reads_as_that_of_another_provider"
    ),
    ("a2a-errors.jsonl", "ResourceNotFound"): "test_a_vault_that_is_not_there_is_refused_as_recorded",
    ("a2a-errors.jsonl", "150253"): "test_an_operation_that_went_wrong_reads_as_recorded",
    ("a2a-errors.jsonl", "28175"): "test_an_operation_that_went_wrong_reads_as_recorded",
    ("a2a-jobs.jsonl", "27"): "test_the_vaults_own_job_reads_as_recorded_alone_and_in_a_list",
    ("a2a-jobs.jsonl", "28"): "test_the_vaults_own_job_reads_as_recorded_alone_and_in_a_list",
    ("a2a-jobs.jsonl", "29"): "test_an_accepted_operation_has_the_recorded_headers",
    ("a2a-jobs.jsonl", "p0"): "test_a_failover_job_reads_as_the_recorded_one_did",
    ("a2a-jobs.jsonl", "p1"): "test_a_failover_that_is_half_way_offers_to_be_cancelled",
    ("a2a-jobs.jsonl", "p2"): "test_a_failover_job_reads_as_the_recorded_one_did",
    ("a2a-jobs.jsonl", "p3"): "test_a_failover_job_reads_as_the_recorded_one_did",
    ("a2a-jobs.jsonl", "p4"): "test_the_job_that_changes_a_machine_reads_as_the_recorded_one_did",
    ("a2a-jobs.jsonl", "p5"): "test_a_reprotect_job_reads_as_the_recorded_one_did",
    ("a2a-jobs.jsonl", "p6"): "test_a_reprotect_job_reads_as_the_recorded_one_did",
    ("a2a-recovery-plan.jsonl", "p0"): "test_a_plans_failover_is_accepted_with_the_recorded_headers",
    ("a2a-recovery-plan.jsonl", "p1"): "test_a_recovery_plan_reads_as_recorded_alone_and_in_a_list",
    ("a2a-recovery-plan.jsonl", "p2"): "test_a_recovery_plan_reads_as_recorded_alone_and_in_a_list",
    ("a2a-recovery-plan.jsonl", "p3"): "test_a_plans_test_failover_goes_as_that_of_another_provider",
    ("a2a-recovery-plan.jsonl", "p4"): "test_a_plans_test_failover_goes_as_that_of_another_provider",
    ("a2a-recovery-plan.jsonl", "p5"): "test_a_plans_test_failover_goes_as_that_of_another_provider",
    ("a2a-recovery-plan.jsonl", "p6"): "test_a_plans_test_failover_goes_as_that_of_another_provider",
    ("a2a-recovery-points.jsonl", "p0"): "test_what_lies_around_the_items_reads_as_recorded",
    ("a2a-reprotect.jsonl", "p0"): "test_an_item_reads_as_the_recorded_one_did",
    ("a2a-reprotect.jsonl", "p1"): "test_a_switch_of_protection_is_accepted_with_the_recorded_headers",
    (
        "a2a-test-failover.jsonl",
        "p4",
    ): "test_states_nobody_recorded_of_azure_machines_read_as_those_of_other_providers",
    (
        "a2a-test-failover.jsonl",
        "p5",
    ): "test_states_nobody_recorded_of_azure_machines_read_as_those_of_other_providers",
    ("a2a-unplanned-failover-commit.jsonl", "p0"): "test_an_accepted_operation_has_the_recorded_headers",
    ("lro-envelope-h2a-dotnet.jsonl", "p0"): "test_an_operation_is_followed_as_that_of_another_provider",
    ("lro-envelope-h2a-dotnet.jsonl", "p1"): "test_an_operation_is_followed_as_that_of_another_provider",
    ("lro-envelope-h2a-dotnet.jsonl", "p2"): "test_an_operation_is_followed_as_that_of_another_provider",
    ("lro-envelope-h2a-dotnet.jsonl", "p3"): "test_an_operation_is_followed_as_that_of_another_provider",
    ("other-provider-states.jsonl", "40"): "test_an_item_that_a_job_holds_offers_nothing_and_names_the_job",
    ("other-provider-states.jsonl", "130"): (
        "test_states_nobody_recorded_of_azure_machines_read_as_those_of_other_providers"
    ),
    ("vault-health-alertsettings-events.jsonl", "9"): "test_an_empty_list_and_alert_settings_read_as_recorded",
    ("vault-health-alertsettings-events.jsonl", "17"): "test_an_alert_setting_is_stored_and_answered_as_recorded",
    ("vault-health-alertsettings-events.jsonl", "18"): "test_an_empty_list_and_alert_settings_read_as_recorded",
    ("vault-health-alertsettings-events.jsonl", "20"): "test_an_empty_list_and_alert_settings_read_as_recorded",
    ("vault-health-alertsettings-events.jsonl", "21"): "test_an_empty_list_and_alert_settings_read_as_recorded",
    ("vault-health-alertsettings-events.jsonl", "22"): "test_what_lies_around_the_items_reads_as_recorded",
    ("vault-health-alertsettings-events.jsonl", "23"): "test_an_accepted_operation_has_the_recorded_headers",
    ("vault-health-alertsettings-events.jsonl", "24"): "test_a_refresh_of_health_is_followed_as_recorded",
    ("vault-health-alertsettings-events.jsonl", "25"): "test_a_refresh_of_health_is_followed_as_recorded",
    ("vault-health-alertsettings-events.jsonl", "26"): "test_what_lies_around_the_items_reads_as_recorded",
}
"""Each recorded answer outside of a replayed session, and the test that holds it against the simulator."""


@cache
def entries() -> tuple[tuple[str, str, dict[str, Any]], ...]:
    """Answer every recorded answer: its file, what it is called there, and itself."""
    found: list[tuple[str, str, dict[str, Any]]] = []
    for file in sorted(RECORDINGS.glob("*.jsonl")):
        for line in file.read_text(encoding="utf-8").splitlines():
            entry = json.loads(line)
            error = (entry["response_body"] or {}).get("error") if file.name == "a2a-errors.jsonl" else None
            found.append((file.name, str(error["code"] if error else entry["seq"]), entry))
    return tuple(found)


def left_out(file: str, name: str, entry: dict[str, Any]) -> str | None:
    """Answer why a recorded answer is not held against ours by a test of its own."""
    source, body = entry["source"].split("@")[0].rsplit("/", 1)[-1], json.dumps(entry["response_body"])
    if file.startswith("a2a-") and source in REPLAYED:
        return "its whole session is sent again"
    if "replicationProtectionClusters" in entry["path"] or "ProtectionCluster" in body:
        return CLUSTER
    if file == "other-provider-states.jsonl" and (file, name) not in HELD_AGAINST:
        return OTHER
    return None


def test_every_recorded_answer_is_held_against_ours_or_named_with_a_reason() -> None:
    tests = vars(test_recordings) | vars(test_replays) | globals()
    bodies = {
        (e["method"], e["path"], json.dumps(e["response_body"]))
        for file, name, e in entries()
        if (file, name) in HELD_AGAINST
    }
    forgotten = [
        (file, name)
        for file, name, e in entries()
        if (file, name) not in HELD_AGAINST
        and (e["method"], e["path"], json.dumps(e["response_body"])) not in bodies
        and left_out(file, name, e) is None
    ]
    assert forgotten == []
    assert {test for test in HELD_AGAINST.values() if test not in tests} == set()
    known = {(file, name) for file, name, _ in entries()}
    assert {key for key in HELD_AGAINST if key not in known} == set()


def test_the_job_that_changes_a_machine_reads_as_the_recorded_one_did(calling: Calling) -> None:
    real = recorded("a2a-jobs.jsonl", "p4")["response_body"]
    caller = calling(estate_of({"name": ITEM, "state": "protected-in-reverse"}))
    name = caller.act("update", {"properties": {"recoveryAzureVMName": "other"}})
    caller.wait(3)
    ours = caller.read(f"{VAULT_PATH}/replicationJobs/{name}")
    assert task_words(ours)[0][1:] == task_words(real)[0][1:]
    assert differences(real, ours) == []
    affected = ours["properties"]["customDetails"]["affectedObjectDetails"]
    assert affected["primaryVmName"] == affected["recoveryVmName"] == ITEM.lower()
    assert ours["properties"]["targetObjectName"] == ITEM


PLAN_PATH = f"{VAULT_PATH}/replicationRecoveryPlans/plan"


@pytest.fixture
def with_plan(calling: Calling) -> Caller:
    """Answer a caller of a vault with a plan of one machine."""
    caller = calling(estate_of({"name": ITEM, "state": "protected-in-reverse"}))
    at = item_path(AWAY)
    given = {
        "primaryFabricId": at.split("/replicationProtectionContainers", maxsplit=1)[0],
        "groups": [{"groupType": "Boot", "replicationProtectedItems": [{"id": at}]}],
    }
    caller.send("PUT", PLAN_PATH, json.dumps({"properties": given}).encode())
    caller.wait(2)
    return caller


def test_a_plans_failover_is_accepted_with_the_recorded_headers(with_plan: Caller) -> None:
    real = recorded("a2a-recovery-plan.jsonl", "p0")
    body = json.dumps(real["request_body"]).encode()
    answer = with_plan.send("POST", f"{PLAN_PATH}/unplannedFailover", body)
    assert (answer.status, answer.body) == (real["status"], b"")
    assert header_names(real["headers"]) <= {name.lower() for name, _ in answer.headers}
    for name in ("Location", "Azure-AsyncOperation"):
        theirs = skeleton(real["headers"][name]).replace("A2ARP918", "plan")
        assert skeleton(answer.header(name) or "") == theirs


def told_of(plan: dict[str, Any]) -> dict[str, Any]:
    """Answer what a plan says of itself, but for what only another provider offers."""
    properties = plan["properties"]
    named = ("currentScenarioStatus", "currentScenarioStatusDescription", "failoverDeploymentModel")
    return {name: properties[name] for name in named} | {
        "fields": sorted(properties),
        "scenario": properties["currentScenario"]["scenarioName"],
        "groups": [group["groupType"] for group in properties["groups"]],
        "allowed": sorted(set(properties["allowedOperations"]) - {"PlannedFailover"}),
    }


def test_a_plans_test_failover_goes_as_that_of_another_provider(with_plan: Caller) -> None:
    began, ended, result, cleaned = (
        recorded("a2a-recovery-plan.jsonl", seq)["response_body"] for seq in ("p3", "p4", "p5", "p6")
    )
    sent = with_plan.send("POST", f"{PLAN_PATH}/testFailover", json.dumps(plan_body()).encode())
    operation = job_name({"Azure-AsyncOperation": sent.header("Azure-AsyncOperation") or ""})
    status_path = f"{VAULT_PATH}/replicationOperationStatus/{operation}"
    first = with_plan.read(status_path)
    assert (kinds(first), first["status"]) == (kinds(began), began["status"])
    assert first["name"] != operation
    with_plan.wait(900)
    last = with_plan.read(status_path)
    assert last["status"] == ended["status"]
    after = with_plan.read(f"{PLAN_PATH}/operationresults/{operation}")
    assert told_of(after) == told_of(result)
    assert after["properties"]["currentScenario"]["jobId"].endswith(f"/{first['name']}")
    with_plan.send("POST", f"{PLAN_PATH}/testFailoverCleanup", json.dumps(CLEANUP_BODY).encode())
    with_plan.wait(900)
    assert told_of(with_plan.read(PLAN_PATH)) == told_of(cleaned)


def plan_body() -> dict[str, Any]:
    properties = rehearsal_body()["properties"]
    return {"properties": properties | {"providerSpecificDetails": [properties["providerSpecificDetails"]]}}


def test_an_operation_is_followed_as_that_of_another_provider(calling: Calling) -> None:
    accepted, began, ended, result = (
        recorded("lro-envelope-h2a-dotnet.jsonl", seq) for seq in ("p0", "p1", "p2", "p3")
    )
    caller = calling(estate_of({"name": ITEM, "state": "home-uncommitted"}))
    answer = caller.send("POST", f"{item_path(AWAY)}/failoverCommit")
    assert (answer.status, answer.body) == (accepted["status"], b"")
    assert header_names(accepted["headers"]) <= {name.lower() for name, _ in answer.headers}
    operation = job_name({"Azure-AsyncOperation": answer.header("Azure-AsyncOperation") or ""})
    status_path = f"{VAULT_PATH}/replicationOperationStatus/{operation}"
    first = caller.get(status_path)
    assert kinds(first.json()) == kinds(began["response_body"])
    assert [name for name, _ in first.headers if name.lower() in {"retry-after", "location"}] == []
    caller.wait(60)
    assert caller.read(status_path)["status"] == ended["response_body"]["status"]
    last = caller.get(f"{item_path(AWAY)}/operationresults/{operation}")
    assert (last.status, last.json()["type"]) == (result["status"], result["response_body"]["type"])
    assert header_names(result["headers"]) <= {name.lower() for name, _ in last.headers}
    job_id = (first.header("x-ms-request-id") or "").rsplit("/", 1)[-1]
    assert (last.header("x-ms-request-id") or "").count(job_id) >= 1


def test_an_empty_list_and_alert_settings_read_as_recorded(calling: Calling) -> None:
    caller = calling(estate_of({"name": ITEM, "state": "unprotected"}))
    settings = f"{VAULT_PATH}/replicationAlertSettings"
    file = "vault-health-alertsettings-events.jsonl"
    assert caller.read(f"{VAULT_PATH}/replicationProtectedItems") == recorded(file, "9")["response_body"]
    for put, read in (("17", "18"), ("20", "20")):
        sent = json.dumps(recorded(file, put)["request_body"]).encode()
        answer = caller.send("PUT", f"{settings}/defaultAlertSetting", sent)
        assert (answer.status, answer.header("Azure-AsyncOperation")) == (200, None)
        real = recorded(file, read)["response_body"]
        ours = caller.read(f"{settings}/defaultAlertSetting")
        assert (ours["properties"], differences(real, ours)) == (real["properties"], [])
    assert differences(recorded(file, "21")["response_body"], caller.read(settings)) == []


def test_a_refresh_of_health_is_followed_as_recorded(calling: Calling) -> None:
    caller = calling(estate_of({"name": ITEM, "state": "protected-in-reverse"}))
    seen: dict[str, str] = {}
    caller.client.replication_vault_health.begin_refresh(
        GROUP, VAULT, polling=False, raw_response_hook=lambda r: seen.update(r.http_response.headers)
    )
    for seq, passed in (("24", 0.1), ("25", 5.0)):
        caller.wait(passed)
        real = recorded("vault-health-alertsettings-events.jsonl", seq)["response_body"]
        ours = caller.read(f"{VAULT_PATH}/replicationOperationStatus/{job_name(seen)}")
        assert (differences(real, ours), ours["status"]) == ([], real["status"])


def test_a_failover_that_is_half_way_offers_to_be_cancelled(calling: Calling) -> None:
    real = recorded("a2a-jobs.jsonl", "p1")["response_body"]
    caller = calling(
        estate_of({"name": ITEM, "state": "protected-in-reverse", "disks": [{"name": "os", "os": True}]})
    )
    name = caller.act("unplanned_failover", failover_body())
    caller.wait(20)
    ours = caller.read(f"{VAULT_PATH}/replicationJobs/{name}")
    assert (task_words(ours), differences(real, ours)) == (task_words(real), [])


def test_an_item_whose_point_was_changed_reads_as_that_of_another_provider(calling: Calling) -> None:
    real = recorded("a2a-apply-recovery-point.jsonl", "p3")["response_body"]["properties"]
    caller = calling(estate_of({"name": ITEM, "state": "home-uncommitted"}))
    point = caller.read(f"{item_path(AWAY)}/recoveryPoints")["value"][0]
    given = {"properties": {"recoveryPointId": point["id"], "providerSpecificDetails": {"instanceType": "A2A"}}}
    caller.act("apply_recovery_point", given)
    caller.wait(900)
    ours = caller.read(item_path(AWAY))["properties"]
    for name in ("protectionState", "protectionStateDescription", "activeLocation"):
        assert ours[name] == real[name]
    only_of_azure = {"SwitchProtection"}
    assert set(ours["allowedOperations"]) - only_of_azure == set(real["allowedOperations"])
    assert ours["failoverRecoveryPointId"].endswith(f"/{point['name']}")

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from domain.errors import Throttled, Transient
from domain.lifecycle import Act
from domain.machine import JobSnapshot
from gateway.azure import Azure
from gateway.faults import Refused
from tests.gateway.conftest import CONTAINER, ITEM, VAULT, Answer, Impatient, Service, item, job

NOT_FOUND = Answer(404, {"error": {"code": "NotFound", "message": "gone"}})
SINCE = datetime(2026, 11, 22, 18, 0, tzinfo=UTC)
OURS = "6f1d2c3b-0000-0000-0000-000000000001"


def test_the_clock_is_that_of_the_last_answer(azure: Azure, service: Service) -> None:
    service.answers(Answer(200, item()))
    azure.vault(VAULT).machine(ITEM)
    assert azure.now() - datetime(2026, 11, 22, 18, 30, tzinfo=UTC) < timedelta(seconds=5)


def test_a_list_is_followed_over_all_its_pages(azure: Azure, service: Service) -> None:
    more = f"{service.url}{VAULT}/replicationProtectedItems?api-version=2025-08-01&skipToken=x"
    service.answers(
        Answer(200, {"value": [item()], "nextLink": more}), Answer(200, {"value": [item()], "nextLink": None})
    )
    assert len(azure.vault(VAULT).machines()) == 2
    assert "skipToken=x" in service.calls[1].path


def test_machines_of_other_providers_are_passed_over(azure: Azure, service: Service) -> None:
    other = item(a2a={"instanceType": "InMageRcm"})
    service.answers(Answer(200, {"value": [other, item()]}))
    assert len(azure.vault(VAULT).machines()) == 1


def test_a_machine_of_another_provider_is_refused_when_asked_for(azure: Azure, service: Service) -> None:
    service.answers(Answer(200, item(a2a={"instanceType": "HyperVReplicaAzure"})))
    with pytest.raises(Refused) as told:
        azure.vault(VAULT).machine(ITEM)
    assert told.value.refusal.code == "NotAzureToAzure"


@pytest.mark.parametrize("answer", [Answer(503), Answer(500), Answer(429), Answer(closes=True)], ids=str)
def test_a_read_is_repeated_a_little_and_then_left_to_the_orchestrator(
    azure: Azure, service: Service, transport: Impatient, answer: Answer
) -> None:
    service.answers(answer)
    with pytest.raises((Transient, Throttled)):
        azure.vault(VAULT).machine(ITEM)
    assert len(service.calls) == 3
    assert sum(transport.naps) < 2


def test_a_read_keeps_a_short_wait_and_hands_on_a_long_one(
    azure: Azure, service: Service, transport: Impatient
) -> None:
    service.answers(Answer(429, headers={"Retry-After": "1"}), Answer(200, item()))
    assert azure.vault(VAULT).machine(ITEM).snapshot.name == "vm1"
    assert transport.naps == [1]
    service.answers(Answer(429, headers={"Retry-After": "300"}))
    with pytest.raises(Throttled) as told:
        azure.vault(VAULT).machine(ITEM)
    assert told.value.retry_after == timedelta(seconds=300)
    assert transport.naps == [1]


def test_an_answer_without_a_body_is_asked_for_again_later(azure: Azure, service: Service) -> None:
    service.answers(Answer(200))
    with pytest.raises(Transient):
        azure.networks.network(ITEM)
    with pytest.raises(Transient):
        azure.vault(VAULT).machine(ITEM)


def test_a_token_goes_with_every_call_for_the_clouds_own_audience(azure: Azure, service: Service) -> None:
    service.answers(Answer(200, item()))
    azure.vault(VAULT).machine(ITEM)
    assert service.calls[0].headers["Authorization"] == "Bearer a-token"


@pytest.mark.parametrize(
    ("listed", "expected"),
    [
        ([item(a2a={"lifecycleId": "94b9eb4a-cadf-41c7-8423-51f1291bca69"})], True),
        ([item(a2a={"lifecycleId": None})], True),
        ([item(a2a={"lifecycleId": "11111111-cadf-41c7-8423-51f1291bca69"})], False),
        ([], False),
    ],
    ids=["same", "not known yet", "another", "none"],
)
def test_a_moved_item_is_found_by_name_and_lifecycle_id(
    azure: Azure, service: Service, listed: list[dict[str, Any]], expected: bool
) -> None:
    moved = [{**each, "id": each["id"].replace("eastus", "centralus")} for each in listed]
    service.answers(NOT_FOUND, Answer(200, {"value": moved}))
    found = azure.vault(VAULT).follow("VM1", ITEM, "94b9eb4a-cadf-41c7-8423-51f1291bca69")
    assert (found is not None) is expected


def test_a_read_that_is_forbidden_does_not_look_like_a_machine_that_is_gone(
    azure: Azure, service: Service
) -> None:
    service.answers(Answer(403, {"error": {"code": "AuthorizationFailed", "message": "no right"}}))
    with pytest.raises(Refused) as told:
        azure.vault(VAULT).follow("vm1", ITEM, None)
    assert "identity" in told.value.refusal.remedy


def test_points_come_with_their_times_and_disks_and_without_the_ones_that_have_no_time(
    azure: Azure, service: Service
) -> None:
    def point(name: str, time: str | None) -> dict[str, Any]:
        container = f"{CONTAINER.rsplit('/', 1)[0]}/b02dc2ae-3cf7-53d8-bcd5-7cf68c648d5b"
        details = {
            "instanceType": "A2A",
            "recoveryPointSyncType": "MultiVmSyncRecoveryPoint",
            "disks": ["/subscriptions/s/d1"],
        }
        properties = {
            "recoveryPointTime": time,
            "recoveryPointType": "CrashConsistent",
            "providerSpecificDetails": details,
        }
        return {
            "id": f"{container}/replicationProtectedItems/vm1/recoveryPoints/{name}",
            "name": name,
            "properties": properties,
        }

    listed = [point("b", "2026-11-22T18:50:38.9179123Z"), point("a", "0001-01-01T00:00:00"), point("c", None)]
    service.answers(Answer(200, {"value": listed, "nextLink": None}))
    (found,) = azure.vault(VAULT).points(ITEM)
    assert found.time == datetime(2026, 11, 22, 18, 50, 38, 917912, tzinfo=UTC)
    assert (found.kind, found.disks, found.multi_vm) == ("CrashConsistent", ("/subscriptions/s/d1",), True)


# -- finding the job of an order ------------------------------------------------------------------------------


def find(azure: Azure, service: Service, *script: Answer, **properties: Any) -> JobSnapshot | None:
    service.answers(Answer(200, item(**properties)), *script)
    vault = azure.vault(VAULT)
    snapshot = vault.machine(ITEM).snapshot
    service.calls.clear()
    return vault.find_job(OURS, snapshot, Act.FAIL_OVER, SINCE)


def mine(name: str = "1", **properties: Any) -> dict[str, Any]:
    return job(name, activityId=f"{OURS.upper()} ActivityId: daefafe5", **properties)


def listed(*jobs: dict[str, Any]) -> Answer:
    poor = {"activityId": None, "tasks": [], "customDetails": None}
    value = [{**each, "properties": {**each["properties"], **poor}} for each in jobs]
    return Answer(200, {"value": value, "nextLink": None})


def test_the_job_that_holds_the_item_is_ours_if_its_activity_begins_with_our_id(
    azure: Azure, service: Service
) -> None:
    holding = {"scenarioName": "UnplannedFailover", "jobId": f"{VAULT}/replicationJobs/1"}
    found = find(azure, service, Answer(200, mine()), currentScenario=holding)
    assert found is not None
    assert len(service.calls) == 1


def test_an_ended_job_is_found_in_the_list_by_reading_each_that_may_be_it(azure: Azure, service: Service) -> None:
    others = (
        job("scenario", scenarioName="TestFailover"),
        job("machine", targetObjectName="vm2"),
        job("early", startTime="2026-11-22T17:00:00Z"),
        job("stranger"),
    )
    script = (listed(*others, mine("ours")), Answer(200, job("stranger")), Answer(200, mine("ours")))
    found = find(azure, service, *script)
    assert found is not None
    assert found.id.endswith("/ours")
    assert [call.path.split("?")[0].rsplit("/", 1)[-1] for call in service.calls] == [
        "replicationJobs",
        "stranger",
        "ours",
    ]


def test_an_id_that_only_begins_like_ours_is_not_ours(azure: Azure, service: Service) -> None:
    alike = job("alike", activityId=f"{OURS}-2 ActivityId: x")
    assert find(azure, service, listed(alike), Answer(200, alike)) is None


def test_a_job_that_cannot_be_read_leaves_the_search_open(azure: Azure, service: Service) -> None:
    with pytest.raises(Transient):
        find(azure, service, listed(mine()), Answer(503))


def test_a_job_list_without_filter_is_asked_for(azure: Azure, service: Service) -> None:
    find(azure, service, listed())
    assert "filter" not in service.calls[0].path

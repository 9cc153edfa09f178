from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from azure.identity import CredentialUnavailableError
from azure.mgmt.recoveryservicessiterecovery import models

from domain.errors import FailbackError, Throttled, Transient, Undecided
from domain.lifecycle import Act
from domain.machine import MachineDetails
from domain.settings import Settings
from gateway import mapping
from gateway.azure import Azure
from gateway.bodies import LiveDisk
from gateway.faults import Refused
from gateway.site_recovery import Asked
from tests.gateway.conftest import CONTAINER, ITEM, VAULT, Answer, Impatient, Service, Token, item

JOB = f"/Subscriptions{VAULT.removeprefix('/subscriptions')}/replicationJobs/0e8f6b9c"
STATUS = f"https://management.azure.com{VAULT}/replicationOperationStatus/0e8f6b9c?api-version=2025-08-01&t=1&c=2"
RESULT = f"https://management.azure.com{ITEM}/operationresults/0e8f6b9c?api-version=2025-08-01&t=1&c=2"
ACCEPTED: dict[str, str | list[str]] = {
    "Azure-AsyncOperation": STATUS,
    "Location": RESULT,
    "Retry-After": "30",
    "x-ms-request-id": [JOB, JOB],
}
HOME = "/subscriptions/s/resourceGroups/contoso-app/providers/Microsoft.Compute"
FAIL_OVER = Asked(act=Act.FAIL_OVER, request_id="6f1d")


def machine(**properties: Any) -> MachineDetails:
    found = mapping.machine(models.ReplicationProtectedItem(item(**properties)))
    assert found is not None
    return found


def start(azure: Azure, asked: Asked = FAIL_OVER) -> str:
    return azure.vault(VAULT).start(machine(), asked)


def test_an_accepted_act_answers_with_its_job_and_is_neither_polled_nor_repeated(
    azure: Azure, service: Service
) -> None:
    service.answers(Answer(202, headers=ACCEPTED))
    assert start(azure) == JOB
    (call,) = service.calls
    assert (
        call.path == f"{ITEM.replace('/Subscriptions', '/subscriptions')}/unplannedFailover?api-version=2025-08-01"
    )
    assert call.headers["x-ms-client-request-id"] == "6f1d"


@pytest.mark.parametrize(
    ("kept", "expected"),
    [
        (("x-ms-request-id",), JOB),
        (("Azure-AsyncOperation",), f"{VAULT}/replicationJobs/0e8f6b9c"),
        (("Location",), f"{VAULT}/replicationJobs/0e8f6b9c"),
    ],
)
def test_any_one_of_the_three_headers_names_the_job(
    azure: Azure, service: Service, kept: tuple[str, ...], expected: str
) -> None:
    service.answers(Answer(202, headers={name: ACCEPTED[name] for name in kept}))
    assert start(azure) == expected


def test_a_request_id_that_is_no_job_is_not_taken_for_one(azure: Azure, service: Service) -> None:
    headers = {**ACCEPTED, "x-ms-request-id": "8d2c9f1e-0000-0000-0000-000000000000"}
    service.answers(Answer(202, headers=headers))
    assert start(azure).endswith("/replicationJobs/0e8f6b9c")


def test_an_accepted_act_without_a_job_is_undecided(azure: Azure, service: Service) -> None:
    service.answers(Answer(202))
    with pytest.raises(Undecided, match="names no job"):
        start(azure)


def test_a_broken_body_after_the_headers_of_a_202_does_not_hide_the_job(azure: Azure, service: Service) -> None:
    headers = {**ACCEPTED, "Content-Encoding": "gzip"}
    service.answers(Answer(202, body={"not": "gzip"}, headers=headers))
    assert start(azure) == JOB


MAYBE = [
    Answer(500),
    Answer(502),
    Answer(503),
    Answer(504),
    Answer(408),
    Answer(500, headers={"Retry-After": "1"}),
    Answer(503, headers={"Retry-After": "1"}),
    Answer(closes=True),
]


@pytest.mark.parametrize("answer", MAYBE, ids=str)
def test_an_act_whose_outcome_is_unknown_is_sent_once(
    azure: Azure, service: Service, transport: Impatient, answer: Answer
) -> None:
    service.answers(answer)
    with pytest.raises(Undecided):
        start(azure)
    assert len(service.calls) == 1
    assert not transport.naps


@pytest.mark.parametrize(
    ("headers", "wait"),
    [({"Retry-After": "17"}, 17), ({}, 30), ({"Retry-After": "soon"}, 30), ({"Retry-After": "999999"}, 900)],
)
def test_a_throttled_act_is_sent_once_and_tells_the_wait(
    azure: Azure, service: Service, headers: dict[str, str | list[str]], wait: int
) -> None:
    body = {"error": {"code": "SubscriptionRequestsThrottled", "message": "slow down"}}
    service.answers(Answer(429, body, headers))
    with pytest.raises(Throttled) as told:
        start(azure)
    assert told.value.retry_after == timedelta(seconds=wait)
    assert len(service.calls) == 1


@pytest.mark.parametrize("status", [400, 403, 404, 409, 412, 422])
@pytest.mark.parametrize("headers", [{}, {"Retry-After": "1"}], ids=["", "retry-after"])
def test_a_refused_act_is_sent_once(
    azure: Azure, service: Service, status: int, headers: dict[str, str | list[str]]
) -> None:
    service.answers(Answer(status, {"error": {"code": "No", "message": "not so"}}, headers))
    with pytest.raises(Refused) as told:
        start(azure)
    assert (told.value.refusal.code, told.value.refusal.what) == ("No", "not so")
    assert len(service.calls) == 1


def test_a_provider_that_is_not_registered_is_not_registered_by_an_act(azure: Azure, service: Service) -> None:
    body = {"error": {"code": "MissingSubscriptionRegistration", "message": "'Microsoft.RecoveryServices'"}}
    service.answers(Answer(409, body))
    with pytest.raises(Refused):
        start(azure)
    assert len(service.calls) == 1


def test_a_redirected_act_is_not_sent_again(azure: Azure, service: Service) -> None:
    service.answers(Answer(307, headers={"Location": f"{service.url}/elsewhere"}))
    with pytest.raises(FailbackError):
        start(azure)
    assert len(service.calls) == 1


def test_an_act_that_found_no_connection_was_surely_not_sent(
    service: Service, token: Token, transport: Impatient
) -> None:
    service.close()
    azure = Azure.over(Settings(arm_endpoint=service.url), token, transport)
    with pytest.raises(Transient):
        start(azure)


def test_an_act_without_a_token_was_surely_not_sent(service: Service, transport: Impatient) -> None:
    class Nobody(Token):
        def get_token(self, *_scopes: str, **_: Any) -> Any:
            raise CredentialUnavailableError("no identity here")

    azure = Azure.over(Settings(arm_endpoint=service.url), Nobody(), transport)
    with pytest.raises(Transient, match="no identity here"):
        start(azure)
    assert not service.calls


def test_the_causes_and_the_remedy_that_the_sdk_drops_are_told(azure: Azure, service: Service) -> None:
    detail = {
        "code": "ArmResourceDoesNotExist",
        "message": "Specified resource with name 'vm1' does not exist.",
        "possibleCauses": "Ensure correct resource name was specified.",
        "recommendedAction": "Verify ARM resource name details.",
    }
    body = {"error": {"code": "NotFound", "message": detail["message"], "details": [detail]}}
    service.answers(Answer(404, body, {"x-ms-correlation-request-id": "c0ffee"}))
    with pytest.raises(Refused) as told:
        start(azure)
    refusal = told.value.refusal
    assert "Ensure correct resource name" in refusal.what
    assert (refusal.remedy, refusal.correlation) == ("Verify ARM resource name details.", "c0ffee")


def test_an_endless_message_is_cut(azure: Azure, service: Service) -> None:
    service.answers(Answer(400, {"error": {"code": "Long", "message": "x" * 100_000}}))
    with pytest.raises(Refused) as told:
        start(azure)
    assert len(told.value.refusal.what) == 1_000


@pytest.mark.parametrize("body", [None, "<html>", [], {"error": None}, {"error": {"details": [None]}}])
def test_an_error_without_an_envelope_is_still_a_refusal(azure: Azure, service: Service, body: object) -> None:
    service.answers(Answer(400, body))
    with pytest.raises(Refused) as told:
        start(azure)
    assert told.value.refusal.code == "Http400"


def test_a_disk_keeps_its_account_types_and_gets_the_encryption_set_of_the_side_it_goes_to(
    azure: Azure, service: Service
) -> None:
    disks = [
        {
            "diskId": "/subscriptions/s/resourcegroups/contoso-app-asr/providers/microsoft.compute/disks/os",
            "recoveryTargetDiskId": f"{HOME}/disks/OS",
            "recoveryReplicaDiskAccountType": "Standard_LRS",
            "recoveryTargetDiskAccountType": "Premium_LRS",
            "recoveryDiskEncryptionSetId": "/the/set/over/here",
            "primaryDiskEncryptionSetId": "/the/set/over/there",
        }
    ]
    live = (
        LiveDisk(
            id=f"{HOME}/disks/os".casefold(),
            account_type="UltraSSD_LRS",
        ),
        LiveDisk(id=f"{HOME}/disks/new"),
    )
    asked = Asked(act=Act.REPROTECT, request_id="1", cache="/cache", disks=live)
    found = machine(a2a={"protectedManagedDisks": disks, "primaryAvailabilityZone": "2"})
    service.answers(Answer(202, headers=ACCEPTED))
    azure.vault(VAULT).start(found, asked)
    (call,) = service.calls
    assert call.path.startswith(f"{CONTAINER.replace('/Subscriptions', '/subscriptions')}/switchprotection?")
    body = models.SwitchProtectionInput(json.loads(call.body))
    assert body.properties is not None
    details = body.properties.provider_specific_details
    assert isinstance(details, models.A2ASwitchProtectionInput)
    assert details.recovery_availability_zone == "2"
    known, new = details.vm_managed_disks or []
    assert known.recovery_replica_disk_account_type == "Standard_LRS"
    assert known.recovery_target_disk_account_type == "Premium_LRS"
    assert known.recovery_disk_encryption_set_id == "/the/set/over/there"
    assert "recoveryReplicaDiskAccountType" not in new


def test_an_act_that_lacks_what_it_needs_is_our_bug_and_sends_nothing(azure: Azure, service: Service) -> None:
    for act in (Act.CHANGE_POINT, Act.TEST_FAILOVER, Act.REPROTECT):
        with pytest.raises(ValueError, match="needs a"):
            start(azure, replace(FAIL_OVER, act=act))
    assert not service.calls

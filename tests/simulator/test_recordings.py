"""What was recorded of the real service, held against the simulator's answers, one by one."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from simulator import Fault
from simulator.estate import DiskSpec, Estate, MachineSpec, PlanSpec, VaultSpec
from simulator.times import parse_instant
from tests.simulator.helpers import (
    AWAY,
    HOME,
    ITEM,
    VAULT_PATH,
    Caller,
    Calling,
    estate_of,
    failover_body,
)
from tests.simulator.recordings import RECORDINGS, differences, header_names, kind, recorded, skeleton, words

pytestmark = pytest.mark.skipif(not RECORDINGS.exists(), reason="no recordings beside this checkout")


@pytest.fixture
def caller_of(calling: Calling) -> Calling:
    """Answer what opens a caller of one machine with one disk, as recorded machines were."""

    def make(**machine: Any) -> Caller:
        return calling(estate_of({"name": ITEM, "disks": [{"name": "os", "os": True}]} | machine))

    return make


def item_json(caller: Caller, where: tuple[str, str]) -> dict[str, Any]:
    fabric, container = where
    path = (
        f"{VAULT_PATH}/replicationFabrics/{fabric}/replicationProtectionContainers/{container}"
        f"/replicationProtectedItems/{ITEM}"
    )
    return caller.get(path).json()


@dataclass(frozen=True)
class ItemCase:
    file: str
    seq: str
    state: str
    where: tuple[str, str]
    passed: float = 0


ITEMS = [
    ItemCase("a2a-enable-and-protected.jsonl", "73", "protected", HOME),
    ItemCase("a2a-enable-and-protected.jsonl", "167", "protected", HOME),
    ItemCase("a2a-enable-and-protected.jsonl", "71", "syncing", HOME),
    ItemCase("a2a-enable-and-protected.jsonl", "72", "waiting-first-point", HOME),
    ItemCase("a2a-reprotect.jsonl", "121", "protected-in-reverse", AWAY),
    ItemCase("a2a-reprotect.jsonl", "p0", "away", HOME),
    ItemCase("a2a-reprotect.jsonl", "113", "syncing-in-reverse", AWAY),
    ItemCase("a2a-reprotect.jsonl", "118", "syncing-in-reverse", AWAY, 600),
    ItemCase("a2a-reprotect.jsonl", "120", "waiting-first-point-in-reverse", AWAY),
]


@pytest.mark.parametrize("case", ITEMS, ids=lambda c: f"{c.file}-{c.seq}")
def test_an_item_reads_as_the_recorded_one_did(case: ItemCase, caller_of: Calling) -> None:
    real = recorded(case.file, case.seq)["response_body"]
    caller = caller_of(state=case.state)
    caller.wait(case.passed)
    ours = item_json(caller, case.where)
    assert words(ours) == words(real)
    assert differences(real, ours) == []


def failover_job(caller_of: Calling, seconds: float) -> dict[str, Any]:
    caller = caller_of(state="protected-in-reverse")
    name = caller.act("unplanned_failover", failover_body())
    caller.wait(seconds)
    return caller.get(f"{VAULT_PATH}/replicationJobs/{name}").json()


def task_words(job: dict[str, Any]) -> list[tuple[str, ...]]:
    names = ("taskId", "name", "friendlyName", "state", "stateDescription", "taskType")
    return [tuple(task[name] for name in names) for task in job["properties"]["tasks"]]


@pytest.mark.parametrize(("seq", "passed"), [("p0", 0.0), ("p2", 184.5), ("p3", 225.0)])
def test_a_failover_job_reads_as_the_recorded_one_did(seq: str, passed: float, caller_of: Calling) -> None:
    real = recorded("a2a-jobs.jsonl", seq)["response_body"]
    ours = failover_job(caller_of, passed)
    assert task_words(ours) == task_words(real)
    for field in ("scenarioName", "friendlyName", "state", "stateDescription", "allowedActions"):
        assert ours["properties"][field] == real["properties"][field]
    assert differences(real, ours) == []


def test_a_failovers_tasks_keep_the_recorded_proportions(caller_of: Calling) -> None:
    real = recorded("a2a-jobs.jsonl", "p3")["response_body"]["properties"]["tasks"]
    ours = failover_job(caller_of, 225)["properties"]["tasks"]
    for theirs, mine in zip(real, ours, strict=True):
        if theirs["state"] == "Succeeded":
            assert seconds_of(mine) == pytest.approx(seconds_of(theirs), abs=2)


def seconds_of(task: dict[str, Any]) -> float:
    return (parse_instant(task["endTime"]) - parse_instant(task["startTime"])).total_seconds()


@pytest.mark.parametrize(("seq", "passed"), [("p5", 30.0), ("p6", 600.0)])
def test_a_reprotect_job_reads_as_the_recorded_one_did(seq: str, passed: float, caller_of: Calling) -> None:
    real = recorded("a2a-jobs.jsonl", seq)["response_body"]
    caller = caller_of(state="away")
    name = caller.switch(HOME)
    caller.wait(passed)
    ours = caller.get(f"{VAULT_PATH}/replicationJobs/{name}").json()
    assert task_words(ours) == task_words(real)
    assert differences(real, ours) == []


ACCEPTED: list[tuple[str, str, Callable[[Caller], Any]]] = [
    (
        "a2a-unplanned-failover-commit.jsonl",
        "p0",
        lambda caller: caller.send(
            "POST", f"{item_path(AWAY)}/unplannedFailover", json.dumps(failover_body()).encode()
        ),
    ),
    (
        "a2a-jobs.jsonl",
        "29",
        lambda caller: caller.send("POST", f"{VAULT_PATH}/replicationJobs/export", b"{}"),
    ),
    (
        "vault-health-alertsettings-events.jsonl",
        "23",
        lambda caller: caller.send("POST", f"{VAULT_PATH}/replicationVaultHealth/default/refresh"),
    ),
]


def item_path(where: tuple[str, str]) -> str:
    fabric, container = where
    return (
        f"{VAULT_PATH}/replicationFabrics/{fabric}/replicationProtectionContainers/{container}"
        f"/replicationProtectedItems/{ITEM}"
    )


@pytest.mark.parametrize(("file", "seq", "send"), ACCEPTED, ids=[f"{file}-{seq}" for file, seq, _ in ACCEPTED])
def test_an_accepted_operation_has_the_recorded_headers(
    file: str, seq: str, send: Callable[[Caller], Any], caller_of: Calling
) -> None:
    real = recorded(file, seq)
    ours = send(caller_of(state="protected-in-reverse"))
    assert ours.status == real["status"]
    assert ours.body == b""
    assert header_names(real["headers"]) <= {name.lower() for name, _ in ours.headers}
    for name in ("Location", "Azure-AsyncOperation"):
        given = next(v for n, v in real["headers"].items() if n.lower() == name.lower())
        assert skeleton(ours.header(name) or "") == skeleton(given)


AWAY_CONTAINER = item_path(AWAY).removeprefix(VAULT_PATH).split("/replicationProtectedItems")[0]
PLAIN = [
    ("a2a-mappings-and-fabrics.jsonl", "38", "/replicationFabrics"),
    ("a2a-mappings-and-fabrics.jsonl", "169", "/replicationFabrics/asr-eastus"),
    (
        "a2a-mappings-and-fabrics.jsonl",
        "78",
        "/replicationFabrics/asr-eastus/replicationProtectionContainers/asr-eastus-container",
    ),
    (
        "a2a-mappings-and-fabrics.jsonl",
        "97",
        f"{AWAY_CONTAINER}/replicationProtectionContainerMappings",
    ),
    (
        "a2a-mappings-and-fabrics.jsonl",
        "130",
        "/replicationFabrics/asr-eastus/replicationNetworks/azureNetwork/replicationNetworkMappings",
    ),
    ("a2a-recovery-points.jsonl", "p0", item_path(AWAY).removeprefix(VAULT_PATH) + "/recoveryPoints"),
    ("vault-health-alertsettings-events.jsonl", "22", "/replicationEvents"),
    ("vault-health-alertsettings-events.jsonl", "26", "/replicationVaultHealth"),
]


@pytest.mark.parametrize(("file", "seq", "path"), PLAIN, ids=lambda v: str(v)[-40:])
def test_what_lies_around_the_items_reads_as_recorded(file: str, seq: str, path: str, caller_of: Calling) -> None:
    real = recorded(file, seq)["response_body"]
    ours = caller_of(state="protected-in-reverse").get(VAULT_PATH + path).json()
    assert differences(real, ours) == []


def test_an_alert_setting_is_stored_and_answered_as_recorded(caller_of: Calling) -> None:
    real = recorded("vault-health-alertsettings-events.jsonl", "17")
    caller = caller_of(state="protected-in-reverse")
    path = f"{VAULT_PATH}/replicationAlertSettings/defaultAlertSetting"
    answer = caller.send("PUT", path, json.dumps(real["request_body"]).encode())
    assert answer.status == real["status"]
    assert answer.json()["properties"] == real["response_body"]["properties"]
    assert differences(real["response_body"], answer.json()) == []


def test_the_vaults_own_job_reads_as_recorded_alone_and_in_a_list(caller_of: Calling) -> None:
    caller = caller_of(state="protected-in-reverse")
    caller.send("POST", f"{VAULT_PATH}/replicationVaultHealth/default/refresh")
    caller.wait(5)
    listed = caller.get(f"{VAULT_PATH}/replicationJobs").json()
    assert differences(recorded("a2a-jobs.jsonl", "27")["response_body"], listed) == []
    name = listed["value"][0]["name"]
    job = caller.get(f"{VAULT_PATH}/replicationJobs/{name}").json()
    assert differences(recorded("a2a-jobs.jsonl", "28")["response_body"], job) == []


@pytest.mark.parametrize(("seq", "passed"), [("123", 1.0), ("127", 300.0)])
def test_an_operation_status_reads_as_recorded(seq: str, passed: float, caller_of: Calling) -> None:
    real = recorded("a2a-reprotect.jsonl", seq)["response_body"]
    caller = caller_of(state="protected-in-reverse")
    name = caller.act("unplanned_failover", failover_body())
    caller.wait(passed)
    answer = caller.get(f"{VAULT_PATH}/replicationOperationStatus/{name}")
    assert answer.json()["status"] == real["status"]
    assert differences(real, answer.json()) == []
    assert answer.header("Retry-After") is None


def test_what_does_not_exist_is_refused_in_the_recorded_envelope(caller_of: Calling) -> None:
    real = recorded("a2a-errors.jsonl", "231")
    answer = caller_of(state="protected-in-reverse").get(item_path(HOME))
    assert answer.status == real["status"]
    assert differences(real["response_body"], answer.json()) == []
    assert answer.json()["error"]["code"] == real["response_body"]["error"]["code"]


CUT_FROM_THE_PLANS_JOB = {
    "recoveryVmmName": "West Central US",
    "primaryFabricProviderId": "Azure",
    "recoveryFabricProviderId": "Azure",
}
"""What the record goes on with where its transcript ends."""


def test_a_recovery_plan_reads_as_recorded_alone_and_in_a_list(calling: Calling) -> None:
    machine = MachineSpec(name=ITEM, disks=(DiskSpec(name="os", os=True),))
    plan = PlanSpec(name="plan", groups=((ITEM,),))
    estate = Estate(vaults=(VaultSpec(machines=(machine,), recovery_plans=(plan,)),))
    caller = calling(estate)
    path = f"{VAULT_PATH}/replicationRecoveryPlans"
    real = recorded("a2a-recovery-plan.jsonl", "78")["response_body"]
    assert differences(real, caller.get(f"{path}/plan").json()) == []
    listed = recorded("a2a-recovery-plan.jsonl", "80")["response_body"]
    assert differences(listed, caller.get(path).json()) == []
    body = {"properties": {"sourceSiteOperations": "Required"}}
    sent = caller.send("POST", f"{path}/plan/unplannedFailover", json.dumps(body).encode())
    operation = (sent.header("x-ms-request-id") or "").rsplit("/", 1)[-1]
    job_path = f"{VAULT_PATH}/replicationJobs/{operation}"
    first = recorded("a2a-recovery-plan.jsonl", "p1")["response_body"]
    assert differences(first, caller.get(job_path).json()) == []
    caller.wait(400)
    last = recorded("a2a-recovery-plan.jsonl", "p2")["response_body"]
    last["properties"]["customDetails"]["affectedObjectDetails"] |= CUT_FROM_THE_PLANS_JOB
    assert differences(last, caller.get(job_path).json()) == []


def told(item: dict[str, Any]) -> tuple[Any, ...]:
    properties = item["properties"]
    details = properties["providerSpecificDetails"]
    return (
        properties["protectionState"],
        tuple(properties["allowedOperations"]),
        details["vmProtectionState"],
        details["lifecycleId"] is not None,
        details["rpoInSeconds"] is not None,
    )


def in_turn(items: list[dict[str, Any]]) -> list[tuple[Any, ...]]:
    """Answer what was told, without what was told twice in a row."""
    words = [told(item) for item in items]
    return [now for before, now in zip([None, *words], words, strict=False) if now != before]


def test_a_reprotected_machine_goes_through_the_recorded_states_in_their_order(
    caller_of: Calling,
) -> None:
    seqs = [str(number) for number in range(111, 122)]
    real = [recorded("a2a-reprotect.jsonl", seq)["response_body"] for seq in seqs]
    caller = caller_of(state="away")
    caller.switch(HOME)
    caller.wait(507)
    ours: list[dict[str, Any]] = []
    for _ in seqs:
        ours.append(item_json(caller, AWAY))
        caller.wait(303)
    assert in_turn(ours) == in_turn(real)


def test_failing_over_and_back_takes_the_recorded_time(caller_of: Calling) -> None:
    first = recorded("a2a-jobs.jsonl", "p3")["response_body"]["properties"]
    began, ended = parse_instant(first["startTime"]), parse_instant(first["endTime"])
    caller = caller_of(state="protected-in-reverse")
    name = caller.act("unplanned_failover", failover_body())
    caller.wait(300)
    ours: Any = caller.get(f"{VAULT_PATH}/replicationJobs/{name}").json()["properties"]
    spent = parse_instant(ours["endTime"]) - parse_instant(ours["startTime"])
    assert abs((spent - (ended - began)).total_seconds()) < 2


def test_a_vault_that_is_not_there_is_refused_as_recorded(caller_of: Calling) -> None:
    line = (RECORDINGS / "a2a-errors.jsonl").read_text(encoding="utf-8").splitlines()[1]
    real = json.loads(line)
    answer = caller_of(state="protected").get(f"{VAULT_PATH}-none")
    assert answer.status == real["status"]
    assert differences(real["response_body"], answer.json()) == []
    assert answer.json()["error"]["code"] == real["response_body"]["error"]["code"]


@pytest.mark.parametrize(("line", "fault"), [(2, "job-fails"), (3, "job-warns")])
def test_an_operation_that_went_wrong_reads_as_recorded(line: int, fault: str, caller_of: Calling) -> None:
    text = (RECORDINGS / "a2a-errors.jsonl").read_text(encoding="utf-8").splitlines()[line]
    real = json.loads(text)["response_body"]
    caller = caller_of(state="protected-in-reverse")
    struck = Fault.model_validate({"name": fault})
    caller.simulator.faults.add([struck], caller.simulator.clock.now())
    name = caller.act("unplanned_failover", failover_body())
    caller.wait(300)
    ours = caller.get(f"{VAULT_PATH}/replicationOperationStatus/{name}").json()
    assert differences(real, ours) == []
    assert ours["status"] == real["status"]
    assert ours["error"]["code"] == real["error"]["code"]  # type: ignore[index]


def test_a_switch_of_protection_is_accepted_with_the_recorded_headers(caller_of: Calling) -> None:
    real = recorded("a2a-reprotect.jsonl", "p1")
    caller = caller_of(state="away")
    body = json.dumps(caller.switch_body(HOME, ITEM)).encode()
    container = item_path(HOME).split("/replicationProtectedItems")[0]
    answer = caller.send("POST", f"{container}/switchprotection", body)
    assert answer.status == real["status"]
    assert header_names(real["headers"]) <= {name.lower() for name, _ in answer.headers}
    assert skeleton(answer.header("Location") or "") == skeleton(real["headers"]["Location"])
    for name in ("Location", "Azure-AsyncOperation"):
        assert {"t", "c", "s", "h"} <= {
            part.split("=")[0] for part in (answer.header(name) or "").split("?")[1].split("&")
        }
        assert len(answer.header(name) or "") > 3_000


OTHER_PROVIDERS = [
    ("a2a-test-failover.jsonl", "p4", "test-failover-waiting"),
    ("a2a-test-failover.jsonl", "p5", "test-failover-cleaned"),
    ("lro-envelope-h2a-dotnet.jsonl", "p4", "test-failover-waiting"),
    ("lro-envelope-h2a-dotnet.jsonl", "p5", "test-failover-cleaned"),
    ("other-provider-states.jsonl", "130", "away-uncommitted"),
]
NOT_OF_AZURE_MACHINES = {"PlannedFailover"}


@pytest.mark.parametrize(("file", "seq", "state"), OTHER_PROVIDERS)
def test_states_nobody_recorded_of_azure_machines_read_as_those_of_other_providers(
    file: str, seq: str, state: str, caller_of: Calling
) -> None:
    real = recorded(file, seq)["response_body"]["properties"]
    ours: Any = item_json(caller_of(state=state), HOME)["properties"]
    for name in (
        "protectionState",
        "protectionStateDescription",
        "activeLocation",
        "testFailoverState",
        "testFailoverStateDescription",
    ):
        assert ours[name] == real[name]
    assert set(ours["allowedOperations"]) == set(real["allowedOperations"]) - NOT_OF_AZURE_MACHINES
    for name in ("lastSuccessfulFailoverTime", "lastSuccessfulTestFailoverTime"):
        assert (name in ours) == (name in real)


def test_an_item_that_a_job_holds_offers_nothing_and_names_the_job(caller_of: Calling) -> None:
    real = recorded("other-provider-states.jsonl", "40")["response_body"]["properties"]
    caller = caller_of(state="protected-in-reverse")
    name = caller.act("unplanned_failover", failover_body())
    ours: Any = item_json(caller, AWAY)["properties"]
    assert ours["allowedOperations"] == real["allowedOperations"] == []
    assert kind(ours["currentScenario"]["startTime"]) == kind(real["currentScenario"]["startTime"])
    assert ours["currentScenario"]["jobId"].endswith(f"/replicationJobs/{name}")
    assert ours["protectionState"] == "Protected"

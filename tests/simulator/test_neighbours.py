from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from azure.core.exceptions import ResourceNotFoundError

from simulator import ManualClock, Response
from simulator.estate import DenySpec, Estate, LockSpec, RegionSpec, VaultSpec
from tests.simulator.helpers import (
    GROUP,
    SUBSCRIPTION,
    VAULT,
    VAULT_PATH,
    Caller,
    Calling,
    estate_of,
    failover_body,
    rehearsal_body,
)

SUB = f"/subscriptions/{SUBSCRIPTION}"
AWAY_VM = f"{SUB}/resourceGroups/contoso-app-asr/providers/Microsoft.Compute/virtualMachines"
HOME_VM = f"{SUB}/resourceGroups/contoso-app/providers/Microsoft.Compute/virtualMachines"
NETWORKS = f"{SUB}/resourceGroups/contoso-app/providers/Microsoft.Network/virtualNetworks"


def power(caller: Caller, vm: str) -> str | None:
    answer = caller.get(f"{vm}?$expand=instanceView")
    if answer.status == 404:
        return None
    properties: Any = answer.json()["properties"]
    codes = [status["code"] for status in properties["instanceView"]["statuses"]]
    return next(code for code in codes if code.startswith("PowerState/"))


def test_power_follows_the_failover(caller: Caller) -> None:
    here, there = f"{AWAY_VM}/ContosoWin2016", f"{HOME_VM}/ContosoWin2016"
    assert (power(caller, here), power(caller, there)) == ("PowerState/running", None)
    caller.act("unplanned_failover", failover_body())
    caller.wait(100)
    assert (power(caller, here), power(caller, there)) == ("PowerState/deallocated", None)
    caller.wait(110)
    assert power(caller, there) == "PowerState/running"


def test_a_failover_without_shutdown_leaves_the_source_running(caller: Caller) -> None:
    caller.act("unplanned_failover", failover_body(operations="NotRequired"))
    caller.wait(141)
    assert power(caller, f"{AWAY_VM}/ContosoWin2016") == "PowerState/running"
    assert power(caller, f"{HOME_VM}/ContosoWin2016") == "PowerState/running"


def test_a_test_machine_stands_in_the_network_it_was_given(caller: Caller) -> None:
    caller.act("test_failover", rehearsal_body(f"{NETWORKS}/isolated"))
    caller.wait(204)
    vm: Any = caller.get(f"{HOME_VM}/ContosoWin2016-test").json()
    nic: Any = caller.get(vm["properties"]["networkProfile"]["networkInterfaces"][0]["id"]).json()
    config = nic["properties"]["ipConfigurations"][0]
    assert config["properties"]["subnet"]["id"] == f"{NETWORKS}/isolated/subnets/default"
    assert nic["properties"]["virtualMachine"]["id"] == vm["id"]


def test_the_instance_view_comes_only_when_asked_for(caller: Caller) -> None:
    properties: Any = caller.get(f"{AWAY_VM}/ContosoWin2016").json()["properties"]
    assert "instanceView" not in properties


def test_the_agent_is_ready_some_minutes_after_the_start(caller: Caller) -> None:
    def agent() -> str:
        view: Any = caller.get(f"{HOME_VM}/ContosoWin2016/instanceView").json()
        return view["vmAgent"]["statuses"][0]["displayStatus"]

    caller.act("unplanned_failover", failover_body())
    caller.wait(206)
    assert agent() == "Not Ready"
    caller.wait(121)
    assert agent() == "Ready"


def test_a_machine_has_its_disks_and_the_disks_their_machine(caller: Caller) -> None:
    vm: Any = caller.get(f"{AWAY_VM}/ContosoWin2016").json()
    storage = vm["properties"]["storageProfile"]
    ids = [storage["osDisk"]["managedDisk"]["id"]]
    ids += [disk["managedDisk"]["id"] for disk in storage["dataDisks"]]
    assert len(ids) == 2
    for disk_id in ids:
        assert caller.get(disk_id).json()["managedBy"] == vm["id"]
    listed: Any = caller.get(f"{SUB}/providers/Microsoft.Compute/disks").json()
    assert {disk["id"] for disk in listed["value"]} == set(ids)


def test_usages_rise_with_what_runs(caller: Caller) -> None:
    def used() -> int:
        path = f"{SUB}/providers/Microsoft.Compute/locations/centralus/usages"
        value: Any = caller.get(path).json()["value"]
        return next(u["currentValue"] for u in value if u["name"]["value"] == "cores")

    before = used()
    caller.act("unplanned_failover", failover_body())
    caller.wait(206)
    assert used() == before + 2


def test_a_region_without_cores_refuses_the_machine(calling: Calling) -> None:
    full = RegionSpec(resource_group="rg", cache_storage_account="c", core_quota=41)
    regions = Estate().regions | {"centralus": full}
    machine = {"name": "x", "state": "protected-in-reverse"}
    caller = calling(estate_of(machine, regions=regions))
    name = caller.act("unplanned_failover", failover_body(), name="x")
    caller.wait(206)
    job = caller.job(name).properties
    assert job.state == "Failed"
    assert job.errors[0].service_error_details.code == "QuotaExceeded"


def test_a_large_estate_has_room_for_all_its_machines(calling: Calling) -> None:
    machines = {"name": "x", "count": 1_000, "state": "protected-in-reverse"}
    caller = calling(estate_of(machines))
    path = f"{SUB}/providers/Microsoft.Compute/locations/centralus/usages"
    (cores, *_rest) = caller.get(path).json()["value"]  # type: ignore[misc]
    assert cores["limit"] - cores["currentValue"] > 2_000


def test_a_restricted_size_says_why(calling: Calling) -> None:
    spec = RegionSpec(
        resource_group="rg",
        cache_storage_account="cache",
        restricted_sizes=("Standard_D2s_v3",),
    )
    regions = Estate().regions | {"centralus": spec}
    caller = calling(estate_of({"name": "x"}, regions=regions))
    path = f"{SUB}/providers/Microsoft.Compute/skus?$filter=location%20eq%20'centralus'"
    skus: Any = caller.get(path).json()["value"]
    reasons = {s["name"]: [r["reasonCode"] for r in s["restrictions"]] for s in skus}
    assert reasons["Standard_D2s_v3"] == ["NotAvailableForSubscription"]
    assert reasons["Standard_D4s_v3"] == []


def test_the_isolated_network_has_no_peerings_and_production_has(caller: Caller) -> None:
    def peerings(name: str) -> int:
        properties: Any = caller.get(f"{NETWORKS}/{name}").json()["properties"]
        return len(properties["virtualNetworkPeerings"])

    assert (peerings("isolated"), peerings("contoso-vnet")) == (0, 1)
    listed: Any = caller.get(f"{NETWORKS}/contoso-vnet/virtualNetworkPeerings").json()
    assert listed["value"][0]["properties"]["peeringState"] == "Connected"


def test_there_is_a_cache_account_in_each_region(caller: Caller) -> None:
    for path in (f"{SUB}/resourceGroups/{GROUP}", SUB):
        listed: Any = caller.get(f"{path}/providers/Microsoft.Storage/storageAccounts").json()
        assert {account["location"] for account in listed["value"]} == {"centralus", "eastus"}
    elsewhere = f"{SUB}/resourceGroups/other/providers/Microsoft.Storage/storageAccounts"
    assert caller.get(elsewhere).json()["value"] == []


def test_locks_are_listed_at_a_scope_and_below(calling: Calling) -> None:
    scope = f"{HOME_VM}/ContosoWin2016"
    locks = (LockSpec(name="keep", scope=scope),)
    caller = calling(estate_of({"name": "x"}, locks=locks))
    for at, expected in ((SUB, 1), (f"{SUB}/resourceGroups/contoso-app", 1), (scope, 1)):
        listed: Any = caller.get(f"{at}/providers/Microsoft.Authorization/locks").json()
        assert len(listed["value"]) == expected
    for other in ("elsewhere", "contoso"):
        path = f"{SUB}/resourceGroups/{other}/providers/Microsoft.Authorization/locks"
        assert caller.read(path)["value"] == []


@pytest.mark.parametrize(
    ("path", "code"),
    [
        (f"{AWAY_VM}/nobody", "ResourceNotFound"),
        (f"{NETWORKS}/nowhere", "ResourceNotFound"),
        (f"{VAULT_PATH}x/replicationJobs", "ResourceNotFound"),
        (f"{VAULT_PATH}/replicationJobs/none", "NotFound"),
        ("/subscriptions/2/resourceGroups/g/providers/Microsoft.Compute/disks", "SubscriptionNotFound"),
    ],
)
def test_what_is_not_there_is_not_found(caller: Caller, path: str, code: str) -> None:
    answer = caller.get(path)
    assert answer.status == 404
    error: Any = answer.json()["error"]
    assert error["code"] == code


def test_paths_are_compared_without_regard_to_case(caller: Caller) -> None:
    assert caller.get(VAULT_PATH.upper() + "/REPLICATIONPROTECTEDITEMS").status == 200
    assert caller.get(VAULT_PATH.lower() + "/replicationfabrics/ASR-EASTUS").status == 200


CONTAINER = f"{VAULT_PATH}/replicationFabrics/asr-eastus/replicationProtectionContainers/asr-eastus-container"
NOT_SIMULATED = [
    ("POST", "/providers/Microsoft.ResourceGraph/resources", "Microsoft.ResourceGraph/resources"),
    ("PUT", VAULT_PATH, "vaults/contoso-vault"),
    ("PUT", f"{CONTAINER}/replicationProtectionClusters/c", "replicationProtectionClusters/c"),
    ("POST", f"{CONTAINER}/replicationProtectionClusters/c/unplannedFailover", "unplannedFailover"),
    ("POST", f"{CONTAINER}/switchclusterprotection", "switchclusterprotection"),
    ("POST", f"{CONTAINER}/replicationProtectedItems/x/plannedFailover", "plannedFailover"),
    ("POST", f"{CONTAINER}/replicationProtectedItems/x/addDisks", "addDisks"),
    ("POST", f"{VAULT_PATH}/replicationFabrics/asr-eastus/renewCertificate", "renewCertificate"),
    ("GET", f"{VAULT_PATH}/replicationAppliances", "replicationAppliances"),
]


@pytest.mark.parametrize(("method", "path", "name"), NOT_SIMULATED, ids=lambda v: str(v)[-30:])
def test_what_is_not_simulated_says_so_with_its_name(caller: Caller, method: str, path: str, name: str) -> None:
    answer = caller.send(method, path, b"{}" if method != "GET" else b"")
    assert answer.status == 501
    error: Any = answer.json()["error"]
    assert error["code"] == "NotSimulated"
    assert name in error["message"]


def test_vaults_are_listed_by_group_and_in_the_subscription(calling: Calling) -> None:
    elsewhere = VaultSpec(name="other-vault", resource_group="other-group")
    caller = calling(Estate(vaults=(VaultSpec(), elsewhere)))
    kind = "providers/Microsoft.RecoveryServices/vaults"
    whole = caller.read(f"/subscriptions/{SUBSCRIPTION}/{kind}")
    assert [vault["name"] for vault in whole["value"]] == [VAULT, "other-vault"]
    group = caller.read(f"/subscriptions/{SUBSCRIPTION}/resourceGroups/OTHER-GROUP/{kind}")
    assert [vault["name"] for vault in group["value"]] == ["other-vault"]
    assert "nextLink" not in group
    assert caller.read(VAULT_PATH) == whole["value"][0]
    assert whole["value"][0]["etag"].startswith("W/\"datetime'2026-01-15T09%3A00%3A00")


def test_an_estate_has_no_shared_disk_clusters(caller: Caller) -> None:
    clusters = caller.client.replication_protection_clusters
    assert list(clusters.list(GROUP, VAULT)) == []
    where = (GROUP, VAULT, "asr-eastus", "asr-eastus-container")
    assert list(clusters.list_by_replication_protection_containers(*where)) == []
    with pytest.raises(ResourceNotFoundError):
        clusters.get(*where, "none")


def test_a_denied_action_is_refused_by_its_name(calling: Calling) -> None:
    action = "Microsoft.RecoveryServices/vaults/replicationFabrics/*/unplannedFailover/action"
    estate = estate_of({"name": "x"}, denied=(DenySpec(action=action),))
    caller = calling(estate)
    path = (
        f"{VAULT_PATH}/replicationFabrics/asr-centralus/replicationProtectionContainers"
        "/asr-centralus-container/replicationProtectedItems/x"
    )
    answer = caller.send("POST", f"{path}/unplannedFailover", b"{}")
    assert answer.status == 403
    error: Any = answer.json()["error"]
    assert error["code"] == "AuthorizationFailed"
    assert "replicationProtectedItems/unplannedFailover/action" in error["message"]
    assert caller.get(path).status == 200


def error_of(answer: Response) -> str:
    error: Any = answer.json()["error"]
    return error["code"]


JOBS = f"{VAULT_PATH}/replicationJobs?api-version=2025-08-01"


def test_a_call_without_a_token_is_refused(caller: Caller) -> None:
    for header in ({}, {"authorization": "Bearer x.y.z"}, {"authorization": "Basic abc"}):
        answer = caller.raw("GET", JOBS, **header)
        assert answer.status == 401
        assert (answer.header("WWW-Authenticate") or "").startswith("Bearer authorization_uri=")


def test_a_token_is_for_one_audience_and_for_a_time(caller: Caller, clock: ManualClock) -> None:
    for audience, status in (("https://management.azure.com", 200), ("https://vault.azure.net", 401)):
        token, _ = caller.simulator.tokens.issue(audience, clock.client_now())
        assert caller.raw("GET", JOBS, authorization=f"Bearer {token}").status == status
    token, _ = caller.simulator.tokens.issue("https://management.azure.com/.default", clock.client_now())
    clock.advance(timedelta(hours=24, seconds=1))
    answer = caller.raw("GET", JOBS, authorization=f"Bearer {token}")
    assert error_of(answer) == "ExpiredAuthenticationToken"


def test_the_managed_identity_wants_its_header(caller: Caller) -> None:
    url = "/msi/token?api-version=2019-08-01&resource=https://management.azure.com"
    assert caller.raw("GET", url).status == 401
    answer = caller.raw("GET", url, x_identity_header="simulator")
    assert set(answer.json()) >= {"access_token", "expires_on", "resource", "token_type"}


def test_a_call_without_an_api_version_is_refused(caller: Caller, clock: ManualClock) -> None:
    token, _ = caller.simulator.tokens.issue("https://management.azure.com", clock.now())
    bare = JOBS.split("?", maxsplit=1)[0]
    answer = caller.raw("GET", bare, authorization=f"Bearer {token}")
    assert error_of(answer) == "MissingApiVersionParameter"


def test_reads_run_out_and_come_back_with_time(caller: Caller) -> None:
    path = f"{VAULT_PATH}/replicationJobs"
    answers = [caller.get(path) for _ in range(251)]
    assert [a.status for a in answers[-2:]] == [200, 429]
    assert answers[0].header("x-ms-ratelimit-remaining-subscription-reads") == "249"
    assert answers[-1].header("Retry-After") == "1"
    caller.wait(1)
    assert caller.get(path).status == 200


def test_writes_have_a_bucket_of_their_own(caller: Caller) -> None:
    path = f"{VAULT_PATH}/replicationVaultHealth/default/refresh"
    statuses = [caller.send("POST", path).status for _ in range(201)]
    assert statuses[-2:] == [202, 429]
    assert caller.get(f"{VAULT_PATH}/replicationJobs").status == 200


def test_deletions_have_a_bucket_of_their_own(caller: Caller) -> None:
    path = f"{VAULT_PATH}/replicationRecoveryPlans/none"
    answers = [caller.send("DELETE", path) for _ in range(201)]
    assert [a.status for a in answers[-2:]] == [404, 429]
    assert answers[0].header("x-ms-ratelimit-remaining-subscription-deletes") == "199"
    assert caller.send("POST", f"{VAULT_PATH}/replicationVaultHealth/default/refresh").status == 202


def test_every_answer_carries_the_simulated_time(caller: Caller, clock: ManualClock) -> None:
    clock.advance(timedelta(hours=3))
    for path in (VAULT_PATH, "/nothing"):
        assert caller.get(path).header("Date") == "Thu, 15 Jan 2026 12:00:00 GMT"
    assert caller.raw("GET", "/_sim/state").header("Date") == "Thu, 15 Jan 2026 12:00:00 GMT"


def test_the_journal_tells_reads_from_writes_and_names_the_act(caller: Caller) -> None:
    caller.act("unplanned_failover", failover_body())
    journal: Any = caller.raw("GET", "/_sim/journal").json()
    (call,) = journal["calls"]
    assert (call["method"], call["status"], call["write"]) == ("POST", 202, True)
    assert call["act"] == "failover"
    assert call["item"].endswith("/ContosoWin2016")
    assert call["operation"]
    assert call["clientRequestId"]
    caller.item()
    writes: Any = caller.raw("GET", "/_sim/journal?writes=true").json()
    assert len(writes["calls"]) == 1


def test_the_clock_is_advanced_from_outside(caller: Caller) -> None:
    answer = caller.raw("POST", "/_sim/clock", b'{"advance": 3600}')
    assert answer.json() == {"now": "2026-01-15T10:00:00.0000000Z"}
    assert caller.raw("POST", "/_sim/clock", b'{"advance": -1}').status == 400


def test_an_answer_has_the_headers_of_azure_resource_manager(caller: Caller) -> None:
    headers = {name.lower(): value for name, value in caller.get(VAULT_PATH).headers}
    assert {name: headers[name] for name in ("cache-control", "pragma", "expires", "x-content-type-options")} == {
        "cache-control": "no-cache",
        "pragma": "no-cache",
        "expires": "-1",
        "x-content-type-options": "nosniff",
    }
    assert headers["strict-transport-security"] == "max-age=31536000; includeSubDomains"
    asked = headers["x-ms-client-request-id"]
    assert headers["x-ms-request-id"] == f"{asked} 1/15/2026 9:00:00 AM", "nothing of the time is padded"
    assert headers["x-ms-routing-request-id"].endswith(headers["x-ms-correlation-request-id"])
    assert headers["x-ms-operation-identifier"].startswith("tenantId=")
    assert headers["x-msedge-ref"].startswith("Ref A: ")
    reads, everywhere = (
        int(headers[f"x-ms-ratelimit-remaining-subscription-{word}"]) for word in ("reads", "global-reads")
    )
    assert (reads, everywhere) == (249, 3735)

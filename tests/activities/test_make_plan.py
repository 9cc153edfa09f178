from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from activities.make_plan import plan_for
from domain.contract import Verdict
from domain.errors import Throttled, Transient
from domain.planning import Plan
from domain.request import FailbackRequest
from simulator.estate import RegionSpec
from tests.activities.conftest import NAME, VAULT, Make, World, account


def plan(world: World, *names: str, vault: str = VAULT, **more: Any) -> Plan:
    document = {"vault": vault, "machines": list(names or (NAME,)), **more}
    return plan_for(world.azure, FailbackRequest.from_wire(document))


def check(found: Plan, name: str) -> tuple[Verdict, str]:
    return next((each.verdict, each.evidence) for each in found.checks if name in each.name)


def test_a_machine_that_is_ready_has_a_plan_without_failed_checks(world: World) -> None:
    found = plan(world)
    assert not found.is_refused
    assert [str(act.act) for act in found.acts] == [
        "test_failover",
        "clean_up",
        "fail_over",
        "commit",
        "reprotect",
    ]
    assert found.as_of == world.clock.now()


def test_planning_writes_nothing(world: World) -> None:
    plan(world)
    assert all(each.method == "GET" for each in world.wire.sent)


def test_a_plan_of_twenty_machines_reads_no_more_than_one_of_four(many: Callable[[int], World]) -> None:
    reads = []
    for count in (4, 20):
        world = many(count)
        found = plan(world, *(f"vm-{number:04d}" for number in range(1, count + 1)))
        assert not found.failed
        # How old the newest point is, the lag of replication tells.
        ages = [point.age for point in found.points.values()]
        assert len(ages) == count
        assert all(age is not None and timedelta(0) < age < timedelta(minutes=15) for age in ages)
        reads.append(world.reads())
    assert reads[0] == reads[1]


def test_of_many_machines_the_points_that_we_choose_are_read(many: Callable[[int], World]) -> None:
    world = many(5)
    names = [f"vm-{number:04d}" for number in range(1, 6)]
    found = plan(world, *names, recoveryPoint={"select": "latestProcessed"})
    assert world.reads("recoveryPoints") == 5
    assert all(found.points[name].id for name in names)


def test_a_machine_at_home_needs_no_points(make: Make) -> None:
    world = make("protected")
    plan(world)
    assert not world.reads("recoveryPoints")


@pytest.mark.parametrize(
    ("fault", "code"), [("authorization-failed", "AuthorizationFailed"), ("not-found", "NotFound")]
)
def test_a_vault_that_is_missing_or_forbidden_is_a_refused_plan(world: World, fault: str, code: str) -> None:
    world.fault(fault, path="replicationProtectedItems", times=None)
    found = plan(world)
    assert found.is_refused
    assert found.refusal is not None
    assert found.refusal.code in {code, "ResourceNotFound"}


def test_a_vault_that_does_not_exist_is_a_refused_plan(world: World) -> None:
    found = plan(world, vault=VAULT.replace("contoso-vault", "no-vault"))
    assert found.refusal is not None
    assert found.refusal.code == "ResourceNotFound"


@pytest.mark.parametrize(
    ("fault", "kind"), [("unavailable", Transient), ("connection-closed", Transient), ("throttled", Throttled)]
)
def test_a_vault_that_does_not_answer_is_raised_for_the_retry(
    world: World, fault: str, kind: type[Exception]
) -> None:
    world.fault(fault, path="replicationProtectedItems", times=None)
    with pytest.raises(kind):
        plan(world)


@pytest.mark.parametrize(
    ("path", "name"),
    [("Microsoft.Compute", "primary region"), ("Microsoft.Network", "test network")],
)
def test_what_could_not_be_read_is_said_and_not_fatal(world: World, path: str, name: str) -> None:
    world.fault("authorization-failed", path=path, times=None)
    verdict, evidence = check(plan(world), name)
    assert verdict is Verdict.WARNED
    assert "could not be read" in evidence


def test_a_cache_named_elsewhere_is_read_and_its_region_checked(world: World) -> None:
    found = plan(world, reprotect={"cacheStorageAccountId": account("eastus")})
    verdict, evidence = check(found, "cache storage account")
    assert verdict is Verdict.FAILED
    assert "eastus" in evidence


def test_a_size_the_region_does_not_offer_fails_the_plan(make: Make) -> None:
    regions = {
        "centralus": RegionSpec(
            resource_group="contoso-app",
            cache_storage_account="contosocachecentralus",
            restricted_sizes=("Standard_D2s_v3",),
        ),
        "eastus": RegionSpec(
            resource_group="contoso-app-asr",
            network="contoso-vnet-asr",
            cache_storage_account="contosocacheeastus",
        ),
    }
    verdict, _ = check(plan(make(regions=regions)), "primary region")
    assert verdict is Verdict.FAILED


def test_points_that_are_refused_fail_the_machine_and_not_the_reading(world: World) -> None:
    world.fault("authorization-failed", path="recoveryPoints", times=None)
    verdict, _ = check(plan(world), "recovery point")
    assert verdict is Verdict.FAILED


@pytest.mark.parametrize(("fault", "kind"), [("unavailable", Transient), ("throttled", Throttled)])
def test_points_that_cannot_be_read_now_repeat_the_step(world: World, fault: str, kind: type[Exception]) -> None:
    world.fault(fault, path="recoveryPoints", times=None)
    with pytest.raises(kind):
        plan(world)


def test_a_network_that_cannot_be_read_now_is_said(world: World) -> None:
    world.fault("unavailable", path="Microsoft.Network", times=None)
    verdict, evidence = check(plan(world), "test network")
    assert verdict is Verdict.WARNED
    assert "could not be read" in evidence


def test_a_cache_outside_the_vaults_group_is_read_by_itself(world: World) -> None:
    elsewhere = account("eastus").replace("contoso-dr", "another-group")
    found = plan(world, reprotect={"cacheStorageAccountId": elsewhere})
    assert world.reads("another-group") == 1
    assert found.subjects[0].reprotect_cache == elsewhere

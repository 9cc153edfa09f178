from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from math import ceil
from pathlib import Path

import pytest

from activities.azure import act_through
from activities.start_acts import start, start_acts
from domain.contract import Order, Orders, Start, StartKind, Starts
from domain.lifecycle import Act, MachineState, state_of
from domain.machine import same_id
from domain.settings import Settings
from gateway.pipeline import ACT_TIMEOUT, PAGES_BUDGET, READ_BUDGET
from orchestrators.stage import TOGETHER
from simulator.estate import RegionSpec
from tests.activities.conftest import NAME, VAULT, Make, World, account

ISOLATED = "isolated"


def carry_out(world: World, act: Act, **more: object) -> None:
    answer = start(world.azure, world.order(act, **more))
    assert answer.kind is StartKind.STARTED, answer
    world.wait()
    assert world.job(answer.job).succeeded


def test_every_act_on_the_way_home_starts_and_leads_where_the_table_says(world: World) -> None:
    road = [
        (Act.TEST_FAILOVER, MachineState.AWAY_REHEARSED),
        (Act.CLEAN_UP, MachineState.AWAY_PROTECTED),
        (Act.FAIL_OVER, MachineState.HOME_UNCOMMITTED),
        (Act.CHANGE_POINT, MachineState.HOME_UNCOMMITTED),
        (Act.COMMIT, MachineState.HOME_COMMITTED),
        (Act.REPROTECT, MachineState.HOME_SYNCING),
    ]
    for act, leads_to in road:
        points = world.azure.vault(VAULT).points(world.machine().id) if act is Act.CHANGE_POINT else ()
        carry_out(world, act, point=points[0].id if points else None)
        assert state_of(world.machine()) is leads_to
    assert len(world.posts()) == len(road)


def test_the_way_home_is_asked_for_as_primary_to_recovery(world: World) -> None:
    carry_out(world, Act.TEST_FAILOVER)
    carry_out(world, Act.CLEAN_UP, comment="looks good")
    carry_out(world, Act.FAIL_OVER, shut_down_source=True)
    rehearsal, cleaning, failover = world.posts()
    network = rehearsal["properties"].pop("networkId")
    assert network.endswith("/virtualNetworks/isolated")
    assert rehearsal == {
        "act": "testFailover",
        "properties": {
            "failoverDirection": "PrimaryToRecovery",
            "networkType": "VmNetworkAsInput",
            "providerSpecificDetails": {"instanceType": "A2A"},
        },
    }
    assert cleaning == {"act": "testFailoverCleanup", "properties": {"comments": "looks good"}}
    assert failover == {
        "act": "unplannedFailover",
        "properties": {
            "failoverDirection": "PrimaryToRecovery",
            "sourceSiteOperations": "Required",
            "providerSpecificDetails": {"instanceType": "A2A"},
        },
    }


def test_a_chosen_point_is_sent_by_its_whole_id(world: World) -> None:
    point = world.azure.vault(VAULT).points(world.machine().id)[3].id
    carry_out(world, Act.FAIL_OVER, point=point)
    sent = world.posts()[0]["properties"]
    assert sent["providerSpecificDetails"] == {"instanceType": "A2A", "recoveryPointId": point}
    assert sent["sourceSiteOperations"] == "NotRequired"
    assert world.machine().point == point.rsplit("/", 1)[-1]


def test_commit_has_no_body_at_all(make: Make) -> None:
    world = make("home-uncommitted")
    carry_out(world, Act.COMMIT)
    (sent,) = [each for each in world.wire.sent if each.method == "POST"]
    assert not sent.content


def test_reprotection_switches_the_container_with_the_disks_that_run_now(make: Make) -> None:
    world = make("committed-in-reverse")
    before = world.machine()
    carry_out(world, Act.REPROTECT)
    (sent,) = [each for each in world.wire.sent if each.method == "POST"]
    assert sent.url.split("?", 1)[0].endswith("-container/switchprotection")
    body = world.posts()[0]["properties"]
    details = body["providerSpecificDetails"]
    here = before.id.split("/replicationProtectedItems/")[0]
    assert (body["replicationProtectedItemName"], details["recoveryContainerId"]) == (NAME, here)
    assert details["policyId"].endswith("/replicationPolicies/24-hour-retention-policy")
    assert details["recoveryResourceGroupId"].endswith("/resourceGroups/contoso-app-asr")
    assert [disk["diskId"].casefold().rsplit("/", 1)[-1] for disk in details["vmManagedDisks"]] == [
        "contosowin2016_osdisk_1",
        "contosowin2016_datadisk_0",
    ]
    for disk in details["vmManagedDisks"]:
        assert "/resourcegroups/contoso-app/" in disk["diskId"].casefold()
        assert disk["primaryStagingAzureStorageAccountId"] == account("centralus")
        assert disk["recoveryResourceGroupId"] == details["recoveryResourceGroupId"]
        assert disk["recoveryReplicaDiskAccountType"] == disk["recoveryTargetDiskAccountType"] == "Premium_LRS"
    assert not world.reads("/reProtect")


def test_an_order_given_twice_finds_the_job_of_the_first(world: World) -> None:
    order = world.order(Act.TEST_FAILOVER)
    first, second = start(world.azure, order), start(world.azure, order)
    assert (first.kind, second.kind) == (StartKind.STARTED, StartKind.ADOPTED)
    assert second.ours
    assert len(world.posts()) == 1
    world.wait()
    third = start(world.azure, order)
    assert (third.kind, third.ours) == (StartKind.ADOPTED, True)
    assert third.job is not None
    assert world.job(third.job).succeeded
    assert len(world.posts()) == 1


def test_a_job_of_this_kind_begun_by_somebody_else_is_adopted_as_theirs(world: World) -> None:
    begun = start(world.azure, world.order(Act.TEST_FAILOVER))
    other = start(world.azure, world.order(Act.TEST_FAILOVER))
    assert (other.kind, other.ours) == (StartKind.ADOPTED, False)
    assert world.job(other.job).id == world.job(begun.job).id


def test_a_machine_held_by_another_job_is_busy(world: World) -> None:
    start(world.azure, world.order(Act.TEST_FAILOVER))
    answer = start(world.azure, world.order(Act.FAIL_OVER))
    assert (answer.kind, answer.job) == (StartKind.BUSY, None)
    assert "TestFailover is running" in answer.words


def test_a_machine_that_is_there_already_is_not_asked_again(world: World) -> None:
    carry_out(world, Act.TEST_FAILOVER)
    answer = start(world.azure, world.order(Act.TEST_FAILOVER))
    assert answer.kind is StartKind.ALREADY
    assert len(world.posts()) == 1


@pytest.mark.parametrize("state", ["protected", "away-uncommitted"])
@pytest.mark.parametrize("act", [Act.TEST_FAILOVER, Act.FAIL_OVER, Act.COMMIT, Act.CHANGE_POINT])
def test_nothing_leads_away_from_home(make: Make, state: str, act: Act) -> None:
    world = make(state)
    answer = start(world.azure, world.order(act, point="any"))
    assert answer.refusal is not None
    assert answer.refusal.code == "WrongDirection"
    assert not world.posts()


def test_what_the_service_does_not_offer_is_refused_with_what_it_offers(world: World) -> None:
    answer = start(world.azure, world.order(Act.COMMIT))
    assert answer.refusal is not None
    assert answer.refusal.code == "NotAllowedNow"
    assert "ready to come home" in answer.refusal.what
    assert "TestFailover, UnplannedFailover" in answer.refusal.remedy
    assert not world.posts()


@pytest.mark.parametrize("fault", ["lost-answer", "error-after-accepted"])
def test_a_lost_answer_is_adopted_and_not_sent_twice(world: World, fault: str) -> None:
    world.fault(fault, method="POST")
    answer = start(world.azure, world.order(Act.FAIL_OVER))
    assert (answer.kind, answer.ours) == (StartKind.ADOPTED, True)
    assert len(world.posts()) == 1


@pytest.mark.parametrize("fault", ["server-error", "unavailable", "connection-closed"])
def test_an_act_that_may_not_have_arrived_stays_undecided_and_is_sent_once(world: World, fault: str) -> None:
    world.fault(fault, method="POST", times=None)
    answer = start(world.azure, world.order(Act.FAIL_OVER))
    assert (answer.kind, answer.job) == (StartKind.UNDECIDED, None)
    assert len(world.posts()) == 1


def test_a_throttled_act_is_sent_once_and_says_how_long_to_wait(world: World) -> None:
    world.fault("throttled", method="POST", retry_after=17)
    answer = start(world.azure, world.order(Act.FAIL_OVER))
    assert (answer.kind, answer.retry_after) == (StartKind.THROTTLED, timedelta(seconds=17))
    assert len(world.posts()) == 1


def test_an_expired_token_starts_nothing_and_is_tried_again_soon(world: World) -> None:
    world.fault("token-expired", method="POST")
    answer = start(world.azure, world.order(Act.FAIL_OVER))
    assert answer.kind is StartKind.THROTTLED
    assert world.machine().job is None


@pytest.mark.parametrize("fault", ["unavailable", "connection-closed", "throttled"])
def test_nothing_is_sent_while_the_machine_cannot_be_read(world: World, fault: str) -> None:
    order = world.order(Act.FAIL_OVER)
    world.fault(fault, method="GET", times=None)
    answer = start(world.azure, order)
    assert answer.kind is StartKind.THROTTLED
    assert answer.retry_after
    assert not world.posts()


def test_a_missing_right_is_refused_in_azures_words(world: World) -> None:
    world.fault("linked-authorization-failed", method="POST")
    answer = start(world.azure, world.order(Act.FAIL_OVER))
    assert answer.refusal is not None
    assert answer.refusal.code == "LinkedAuthorizationFailed"
    assert answer.refusal.correlation


def test_a_lock_is_refused_and_not_waited_for(world: World) -> None:
    world.fault("scope-locked", method="POST")
    answer = start(world.azure, world.order(Act.FAIL_OVER))
    assert answer.refusal is not None
    assert answer.refusal.code == "ScopeLocked"


def test_somebody_who_was_faster_between_look_and_act_is_seen(world: World) -> None:
    world.fault("somebody-starts-a-job", method="POST", start="testFailover")
    answer = start(world.azure, world.order(Act.FAIL_OVER))
    assert answer.kind is StartKind.BUSY
    assert "TestFailover is running" in answer.words


def test_reprotection_without_a_cache_where_the_machine_runs_is_refused(make: Make) -> None:
    world = make("committed-in-reverse")
    answers = [
        start(world.azure, world.order(Act.REPROTECT, cache=cache))
        for cache in (None, account("eastus"), account("nowhere"))
    ]
    codes = [each.refusal.code for each in answers if each.refusal]
    assert codes == ["NoCacheStorageAccount", *["CacheStorageAccountElsewhere"] * 2]
    assert not world.posts()


def test_a_cache_that_we_may_not_read_is_left_to_site_recovery(make: Make) -> None:
    world = make("committed-in-reverse")
    order = world.order(Act.REPROTECT)
    world.fault("authorization-failed", path="Microsoft.Storage")
    assert start(world.azure, order).kind is StartKind.STARTED


def test_a_cache_that_cannot_be_read_now_is_read_again_later(make: Make) -> None:
    world = make("committed-in-reverse")
    order = world.order(Act.REPROTECT)
    world.fault("unavailable", path="Microsoft.Storage", times=None)
    assert start(world.azure, order).kind is StartKind.THROTTLED
    assert not world.posts()


def test_reprotection_of_a_machine_that_compute_does_not_know_is_refused(make: Make) -> None:
    world = make("committed-in-reverse")
    order = world.order(Act.REPROTECT)
    world.fault("not-found", path="Microsoft.Compute")
    answer = start(world.azure, order)
    assert answer.refusal is not None
    assert answer.refusal.code == "FailedOverMachineNotFound"


def test_a_machine_the_vault_does_not_list_now_is_waited_for(world: World) -> None:
    order = world.order(Act.FAIL_OVER)
    gone = order.having(machine="gone", item_id=order.item_id.replace(NAME, "gone"))
    answer = start(world.azure, gone)
    assert (answer.kind, answer.machine) == (StartKind.BUSY, "gone")
    assert answer.retry_after


def test_a_test_failover_needs_a_network(make: Make) -> None:
    regions = {
        "centralus": RegionSpec(
            resource_group="contoso-app",
            cache_storage_account="contosocachecentralus",
            isolated_network=None,
        ),
        "eastus": RegionSpec(
            resource_group="contoso-app-asr",
            network="contoso-vnet-asr",
            cache_storage_account="contosocacheeastus",
        ),
    }
    world = make(regions=regions)
    answer = start(world.azure, world.order(Act.TEST_FAILOVER))
    assert answer.refusal is not None
    assert answer.refusal.code == "NoTestNetwork"
    assert not world.posts()


def test_a_machine_that_makes_its_first_copy_is_refused_in_words(make: Make) -> None:
    world = make("syncing-in-reverse")
    answer = start(world.azure, world.order(Act.FAIL_OVER))
    assert answer.refusal is not None
    assert "first copy" in answer.refusal.what


# -- together -------------------------------------------------------------------------------------------------


def together(world: World, orders: list[Order]) -> tuple[Start, ...]:
    act_through(world.azure)
    try:
        return Starts.from_wire(start_acts(Orders(orders=tuple(orders)).to_wire())).starts
    finally:
        act_through(None)


def orders_of(world: World, count: int, act: Act = Act.TEST_FAILOVER) -> list[Order]:
    return [world.order(act, f"vm-{number:04d}") for number in range(1, count + 1)]


def test_many_acts_are_started_after_one_look_at_all_machines_and_jobs(many: Callable[[int], World]) -> None:
    world = many(20)
    orders = orders_of(world, 20)
    world.wire.sent.clear()
    answers = together(world, orders)
    assert [(each.machine, each.kind) for each in answers] == [(o.machine, StartKind.STARTED) for o in orders]
    assert len({each.job for each in answers}) == len(world.posts()) == 20
    assert world.reads() == 2


def test_acts_that_were_started_before_are_found_and_the_others_started(many: Callable[[int], World]) -> None:
    world = many(5)
    orders = orders_of(world, 5)
    before = [start(world.azure, order) for order in orders[:3]]
    again = together(world, orders)
    assert [each.kind for each in again] == [StartKind.ADOPTED] * 3 + [StartKind.STARTED] * 2
    assert [same_id(one.job, other.job) for one, other in zip(before, again[:3], strict=True)] == [True] * 3
    assert len(world.posts()) == 5


def test_a_defect_that_one_order_meets_harms_no_other(
    many: Callable[[int], World], monkeypatch: pytest.MonkeyPatch
) -> None:
    world = many(5)
    orders = orders_of(world, 5)

    def broken(order: Order, snapshot: object) -> None:
        if order.machine == "vm-0002":
            raise ValueError("a defect")

    monkeypatch.setattr("activities.start_acts._held", broken)
    answers = together(world, orders)
    kinds = [each.kind for each in answers]
    assert kinds == [StartKind.STARTED, StartKind.REFUSED, *[StartKind.STARTED] * 3]
    assert "a defect" in answers[1].words


def test_when_the_vault_cannot_be_seen_nothing_is_started_and_each_waits(many: Callable[[int], World]) -> None:
    world = many(5)
    orders = orders_of(world, 5)
    world.fault("unavailable", method="GET", times=None)
    assert {each.kind for each in together(world, orders)} == {StartKind.THROTTLED}
    assert not world.posts()


def test_a_list_that_lags_behind_costs_one_refusal_and_no_second_job(many: Callable[[int], World]) -> None:
    world = many(5)
    orders = orders_of(world, 5)
    world.fault("stale-list", seconds=60, times=None)
    first = together(world, orders)
    again = together(world, orders)
    assert [each.kind for each in again] == [StartKind.ADOPTED] * 5
    assert [each.ours for each in again] == [True] * 5
    assert [same_id(one.job, other.job) for one, other in zip(first, again, strict=True)] == [True] * 5
    assert len(world.simulator.world.jobs) == 5


def test_an_activity_whose_calls_all_come_to_nothing_ends_before_the_host_would_end_it() -> None:
    # At the worst: machine, job, cache and disks are read, the order is posted, and its job is looked for.
    one = 4 * READ_BUDGET + ACT_TIMEOUT + 2 * READ_BUDGET
    rounds = ceil(TOGETHER / Settings().parallel_calls)
    lists = 2 * PAGES_BUDGET
    hours, minutes, seconds = map(int, json.loads(Path("host.json").read_text())["functionTimeout"].split(":"))
    assert lists + rounds * one < timedelta(hours=hours, minutes=minutes, seconds=seconds).total_seconds()

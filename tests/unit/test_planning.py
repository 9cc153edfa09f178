"""The plan: who is found, what lies ahead, in which order, and that its hash covers all of it."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from domain.contract import Pace, StorageAccount
from domain.errors import Refusal
from domain.lifecycle import Act, MachineState
from domain.machine import Disk
from domain.planning import EXPECTED, FIRST_COPY, Plan, make_plan, refused_plan
from domain.request import Mode
from tests.unit.making import (
    AWAY_CACHE,
    DISK,
    HOME_CACHE,
    ISOLATED,
    NAME,
    NOON,
    S,
    at,
    details,
    facts,
    held,
    request,
    snapshot,
)

REHEARSAL = [Act.TEST_FAILOVER, Act.CLEAN_UP]
WAY_HOME = [Act.FAIL_OVER, Act.COMMIT, Act.REPROTECT]


def planned(state: MachineState = S.AWAY_PROTECTED, **asked: Any) -> Plan:
    return make_plan(request(**asked), facts(details(state)))


def acts(state: MachineState, **asked: Any) -> list[Act]:
    return [each.act for each in planned(state, **asked).acts]


# -- what lies ahead ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("state", "ahead"),
    [
        (S.AWAY_COMMITTED, [Act.REPROTECT, *REHEARSAL, *WAY_HOME]),
        (S.AWAY_SYNCING, [*REHEARSAL, *WAY_HOME]),
        (S.AWAY_PROTECTED, [*REHEARSAL, *WAY_HOME]),
        (S.AWAY_REHEARSED, [Act.CLEAN_UP, *REHEARSAL, *WAY_HOME]),
        (S.HOME_UNCOMMITTED, [Act.COMMIT, Act.REPROTECT]),
        (S.HOME_COMMITTED, [Act.REPROTECT]),
        (S.HOME_SYNCING, []),
        (S.HOME_PROTECTED, []),
        (S.AWAY_UNCOMMITTED, []),
        (S.UNKNOWN, []),
    ],
)
def test_from_each_state_the_acts_that_lie_ahead_are_planned(state: MachineState, ahead: list[Act]) -> None:
    assert acts(state) == ahead


@pytest.mark.parametrize("state", MachineState)
def test_without_re_protection_the_last_act_falls_away(state: MachineState) -> None:
    assert acts(state, reprotect={"enabled": False}) == acts(state)[:-1]


@pytest.mark.parametrize(
    ("state", "ahead"),
    [
        (S.AWAY_PROTECTED, WAY_HOME),
        (S.AWAY_COMMITTED, [Act.REPROTECT, *WAY_HOME]),
        (S.AWAY_REHEARSED, [Act.CLEAN_UP, *WAY_HOME]),
        (S.HOME_UNCOMMITTED, [Act.COMMIT, Act.REPROTECT]),
    ],
)
def test_without_a_rehearsal_only_what_was_left_behind_is_cleaned_up(
    state: MachineState, ahead: list[Act]
) -> None:
    assert acts(state, testFailover={"enabled": False}) == ahead


@pytest.mark.parametrize("state", MachineState)
def test_no_drill_ever_contains_a_failover_a_commit_or_a_re_protection(state: MachineState) -> None:
    assert not {Act.FAIL_OVER, Act.COMMIT, Act.REPROTECT} & set(acts(state, mode="drill"))


def test_a_machine_that_a_job_takes_further_is_planned_from_where_it_will_be() -> None:
    going = details().having(snapshot=held(S.AWAY_PROTECTED, "UnplannedFailover"))
    assert [each.act for each in make_plan(request(), facts(going)).acts] == [Act.COMMIT, Act.REPROTECT]


def test_the_words_of_an_act_say_what_cannot_be_undone_and_what_happens_to_the_source() -> None:
    told = {each.act: each.words for each in planned(shutDownSource=True).acts}
    assert told[Act.FAIL_OVER].endswith(
        "from eastus to centralus, recovery point latest, shutting the source down first"
    )
    assert "recovery points are deleted" in told[Act.COMMIT]
    assert "leaving the source as it is" in planned(shutDownSource=False).acts[2].words


# -- order, time and calls ------------------------------------------------------------------------------------


def many(*groups: int) -> Plan:
    names = [f"vm{i}" for i in range(len(groups))]
    machines = [{"name": name, "group": group} for name, group in zip(names, groups, strict=True)]
    return make_plan(request(machines=machines), facts(*(details(name=name) for name in names)))


def test_groups_follow_in_boot_order_whatever_the_order_of_the_request() -> None:
    assert [[each.name for each in group] for group in many(3, 1, 3).groups] == [["vm1"], ["vm0", "vm2"]]


def test_groups_follow_one_another_and_machines_of_one_group_go_together() -> None:
    one = sum((EXPECTED[act] for act in (*REHEARSAL, *WAY_HOME)), FIRST_COPY)
    assert many(1).expected == many(1, 1).expected == one
    assert many(1, 2).expected == 2 * one


def test_a_machine_that_must_be_re_protected_first_takes_two_first_copies() -> None:
    once = planned(S.AWAY_PROTECTED).expected
    assert planned(S.AWAY_COMMITTED).expected == once + EXPECTED[Act.REPROTECT] + FIRST_COPY


def test_a_plan_without_acts_takes_no_time() -> None:
    assert planned(S.HOME_SYNCING).expected == timedelta(0)


def test_every_act_is_one_write() -> None:
    assert planned().calls.writes == len(planned().acts)


# -- who is found ---------------------------------------------------------------------------------------------


def test_a_machine_is_found_by_its_items_name_before_its_own() -> None:
    other = details(name="item-1").having(snapshot=snapshot(name="item-1", vm_name=NAME))
    assert [each.name for each in make_plan(request(), facts(details(), other)).subjects] == [NAME]
    assert [each.name for each in make_plan(request(), facts(other)).subjects] == ["item-1"]


def test_a_name_that_nobody_or_several_have_refuses_the_run() -> None:
    twins = [details(name=name).having(snapshot=snapshot(name=name, vm_name=NAME)) for name in ("one", "two")]
    for machines in ([details(name="other")], twins):
        plan = make_plan(request(), facts(*machines))
        assert plan.is_refused
        assert [check.name for check in plan.failed] == ["found"]


def test_one_machine_named_by_two_names_refuses_the_run() -> None:
    machine = details(name="item-1").having(snapshot=snapshot(name="item-1", vm_name=NAME))
    plan = make_plan(request(machines=["item-1", NAME]), facts(machine))
    assert plan.failed[0].evidence == f"item-1 and {NAME} are the same machine"


# -- what is frozen -------------------------------------------------------------------------------------------


def test_a_recovery_point_is_looked_up_only_where_there_are_some_that_lead_home() -> None:
    with_points = {state for state in MachineState if planned(state).points}
    assert with_points == {S.AWAY_PROTECTED, S.AWAY_REHEARSED, S.HOME_UNCOMMITTED}


def test_a_rehearsal_uses_its_own_point_and_network_when_they_are_named() -> None:
    network = ISOLATED + "-2"
    asked = {"networkId": network, "recoveryPoint": {"select": "latestProcessed"}}
    subject = planned(testFailover=asked).subjects[0]
    assert (subject.test_network, subject.test_point.select) == (network, "latestProcessed")
    assert planned().subjects[0].test_point == planned().subjects[0].point


def test_the_networks_of_the_other_direction_are_not_taken_for_the_rehearsal() -> None:
    assert planned(S.AWAY_PROTECTED).subjects[0].test_network == ISOLATED
    assert planned(S.AWAY_COMMITTED).subjects[0].test_network is None


def used(account: str, name: str) -> Any:
    return details(name=name).having(disks=(Disk(id=DISK, staging_account=account),))


def test_the_cache_is_the_one_named_else_the_one_most_used_else_the_only_one() -> None:
    named = planned(prepare={"cacheStorageAccountId": HOME_CACHE}).subjects[0]
    assert (named.prepare_cache, named.reprotect_cache) == (HOME_CACHE, HOME_CACHE)
    neighbours = facts(details(), used("/a", "a"), used("/b", "b"), used("/b", "c"))
    assert make_plan(request(), neighbours).subjects[0].prepare_cache == "/b"
    assert planned().subjects[0].prepare_cache == AWAY_CACHE


def test_of_several_accounts_that_nobody_uses_none_is_taken() -> None:
    two = (StorageAccount(id="/a", location="East US"), StorageAccount(id="/b", location="eastus"))
    assert make_plan(request(), facts().having(accounts=two)).subjects[0].prepare_cache is None


def test_a_run_keeps_the_rhythm_that_was_set_when_it_was_planned() -> None:
    pace = Pace(look_every=timedelta(seconds=7))
    assert make_plan(request(), facts().having(pace=pace)).pace == pace


CHANGES: dict[str, Callable[[Plan], Plan]] = {
    "a subject": lambda plan: plan.having(subjects=(plan.subjects[0].having(group=2),)),
    "a check": lambda plan: plan.having(checks=plan.checks[1:]),
    "a point": lambda plan: plan.having(points={NAME: plan.points[NAME].having(age=timedelta(0))}),
    "an act": lambda plan: plan.having(acts=plan.acts[:-1]),
    "the request": lambda plan: plan.having(request=plan.request.having(shut_down_source=False)),
    "the time": lambda plan: plan.having(as_of=at(1)),
    "the rhythm": lambda plan: plan.having(pace=Pace(look_every=timedelta(seconds=7))),
    "the mode": lambda plan: plan.having(request=plan.request.having(mode=Mode.DRILL)),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_the_hash_changes_with_anything_in_the_plan(change: Callable[[Plan], Plan]) -> None:
    assert change(planned()).hash != planned().hash


def test_the_hash_stays_when_the_plan_crosses_the_wire() -> None:
    assert Plan.from_wire(json.loads(json.dumps(planned().to_wire()))).hash == planned().hash


def test_a_vault_that_cannot_be_read_refuses_the_run() -> None:
    refusal = Refusal(code="NotFound", what="there is no such vault", remedy="name another")
    plan = refused_plan(request(), NOON, refusal)
    assert plan.is_refused
    assert (plan.groups, plan.failed) == ((), ())

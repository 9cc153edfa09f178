from __future__ import annotations

import pytest

from activities.find_acts import find
from activities.start_acts import start
from domain.contract import StartKind
from domain.lifecycle import Act
from tests.activities.conftest import Make, World


def test_an_order_that_was_carried_out_is_found_by_its_id_whatever_runs_since(world: World) -> None:
    rehearsal = world.order(Act.TEST_FAILOVER)
    begun = start(world.azure, rehearsal)
    world.wait()
    start(world.azure, world.order(Act.CLEAN_UP))
    answer = find(world.azure, rehearsal)
    assert answer.kind is StartKind.ADOPTED
    assert world.job(answer.job).id == world.job(begun.job).id


def test_an_order_that_never_arrived_is_absent_and_nothing_is_sent(world: World) -> None:
    assert find(world.azure, world.order(Act.TEST_FAILOVER)).kind is StartKind.ABSENT
    assert not world.posts()


def test_a_job_of_the_same_kind_by_another_order_is_not_taken_for_ours(world: World) -> None:
    start(world.azure, world.order(Act.TEST_FAILOVER))
    assert find(world.azure, world.order(Act.TEST_FAILOVER)).kind is StartKind.ABSENT


def test_an_order_whose_end_is_reached_needs_no_job(make: Make) -> None:
    world = make("test-failover-waiting-in-reverse")
    assert find(world.azure, world.order(Act.TEST_FAILOVER)).kind is StartKind.ALREADY


@pytest.mark.parametrize("fault", ["unavailable", "throttled", "connection-closed", "authorization-failed"])
def test_while_azure_does_not_answer_an_order_stays_undecided(world: World, fault: str) -> None:
    order = world.order(Act.TEST_FAILOVER)
    world.fault(fault, method="GET", times=None)
    assert find(world.azure, order).kind is StartKind.UNDECIDED


def test_a_machine_on_the_move_leaves_its_order_undecided(world: World) -> None:
    order = world.order(Act.REPROTECT)
    elsewhere = order.having(item_id=order.item_id.replace("ContosoWin2016", "gone"), machine="gone")
    assert find(world.azure, elsewhere).kind is StartKind.UNDECIDED

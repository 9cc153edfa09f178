from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from activities.choose_points import choose_for
from domain.contract import PointsRequest
from domain.errors import Throttled, Transient
from domain.request import PointChoice, Select
from tests.activities.conftest import NAME, VAULT, World


def request(world: World, **choice: Any) -> PointsRequest:
    return PointsRequest(vault=VAULT, items={NAME: world.item_id()}, choices={NAME: PointChoice(**choice)})


def test_the_newest_point_is_chosen_from_a_list_in_no_order(world: World) -> None:
    listed = world.azure.vault(VAULT).points(world.item_id())
    chosen = choose_for(world.azure, request(world, select=Select.LATEST_PROCESSED))
    newest = max(listed, key=lambda point: point.time)
    assert (chosen.points[NAME].id, chosen.points[NAME].time) == (newest.id, newest.time)
    assert chosen.as_of == world.clock.now()


def test_a_point_is_known_by_its_last_segment_under_any_container(world: World) -> None:
    point = world.azure.vault(VAULT).points(world.item_id())[5]
    renamed = f"{world.item_id()}/recoveryPoints/{point.id.rsplit('/', 1)[-1].upper()}"
    chosen = choose_for(world.azure, request(world, select=Select.CUSTOM, id=renamed))
    assert chosen.points[NAME].id == point.id


def test_other_points_are_offered_where_they_are_asked_for(world: World) -> None:
    asked = request(world)
    assert choose_for(world.azure, asked).offered == {}
    offered = choose_for(world.azure, asked.having(offer=4)).offered[NAME]
    listed = world.azure.vault(VAULT).points(world.item_id())
    assert len(offered) == 4
    assert offered[0].time == max(each.time for each in listed)
    assert offered[-1].time == min(each.time for each in listed)
    again = choose_for(world.azure, request(world, select=Select.CUSTOM, id=offered[-1].name))
    assert again.points[NAME].time == offered[-1].time


def test_a_machine_whose_points_are_refused_gets_the_refusal(world: World) -> None:
    asked = request(world)
    world.fault("authorization-failed", path="recoveryPoints")
    refusal = choose_for(world.azure, asked).points[NAME].refusal
    assert refusal is not None
    assert refusal.code == "AuthorizationFailed"


@pytest.mark.parametrize(("fault", "kind"), [("unavailable", Transient), ("throttled", Throttled)])
def test_what_passes_by_itself_is_raised_for_the_retry(world: World, fault: str, kind: type[Exception]) -> None:
    asked = request(world)
    world.fault(fault, method="GET", times=None)
    with pytest.raises(kind):
        choose_for(world.azure, asked)


def test_a_group_costs_one_list_and_the_points_of_each(many: Callable[[int], World]) -> None:
    world = many(10)
    items = {f"vm-{number:04d}": world.item_id(f"vm-{number:04d}") for number in range(1, 11)}
    choices = dict.fromkeys(items, PointChoice(select=Select.LATEST_PROCESSED))
    world.wire.sent.clear()
    chosen = choose_for(world.azure, PointsRequest(vault=VAULT, items=items, choices=choices))
    assert all(point.id for point in chosen.points.values())
    assert world.reads() == 11


def test_a_list_that_is_refused_is_told_by_each_machine(many: Callable[[int], World]) -> None:
    world = many(4)
    names = [f"vm-{number:04d}" for number in range(1, 5)]
    items = {name: world.item_id(name) for name in names}
    asked = PointsRequest(vault=VAULT, items=items, choices=dict.fromkeys(names, PointChoice()))
    world.fault("authorization-failed", method="GET", times=None)
    chosen = choose_for(world.azure, asked)
    assert {point.refusal.code for point in chosen.points.values() if point.refusal} == {"AuthorizationFailed"}
    assert all(point.refusal for point in chosen.points.values())

from __future__ import annotations

import inspect
import json
import typing
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from activities.azure import act_through
from activities.channels import channels
from activities.choose_points import choose_points
from activities.deliver import deliver
from activities.find_acts import find_acts
from activities.look import look
from activities.make_plan import make_plan
from activities.record import record
from activities.start_acts import start_acts
from activities.validate import validate
from domain import contract
from domain.evidence import Chain, RecordKind
from domain.lifecycle import Act
from domain.notices import DeliveryOrder, Notice, NoticeKind
from domain.request import PointChoice
from tests.activities.conftest import NAME, VAULT, World

Activity = Callable[[dict[str, Any]], dict[str, Any]]
ACTIVITIES: dict[str, Activity] = {
    contract.MAKE_PLAN: make_plan,
    contract.LOOK: look,
    contract.START_ACTS: start_acts,
    contract.FIND_ACTS: find_acts,
    contract.CHOOSE_POINTS: choose_points,
    contract.VALIDATE: validate,
    contract.CHANNELS: channels,
    contract.DELIVER: deliver,
    contract.RECORD: record,
}


@pytest.fixture
def acting(world: World) -> Iterator[World]:
    act_through(world.azure)
    yield world
    act_through(None)


@pytest.mark.parametrize("name", ACTIVITIES)
def test_an_activity_is_what_the_functions_host_can_index(name: str) -> None:
    activity = ACTIVITIES[name]
    assert activity.__name__ == name
    assert list(inspect.signature(activity).parameters) == ["request"]
    assert typing.get_type_hints(activity) == {
        "request": typing.Dict[str, typing.Any],  # noqa: UP006 - what the indexer takes
        "return": typing.Dict[str, typing.Any],  # noqa: UP006
    }
    assert not inspect.iscoroutinefunction(activity)


def test_every_activity_takes_and_gives_plain_json(acting: World) -> None:
    order = acting.order(Act.TEST_FAILOVER)
    judged = contract.ValidationOrder(
        machine=NAME, vm_id=None, vm_name=NAME, since=acting.clock.now(), heartbeat=True
    )
    points = contract.PointsRequest(vault=VAULT, items={NAME: acting.item_id()}, choices={NAME: PointChoice()})
    told = Notice(
        id="fb-1:ended", kind=NoticeKind.RUN_ENDED, run="fb-1", title="It is over", at=acting.clock.now()
    )
    requests = {
        contract.MAKE_PLAN: {"vault": VAULT, "machines": [NAME]},
        contract.LOOK: acting.look_request().to_wire(),
        contract.START_ACTS: contract.Orders(orders=(order,)).to_wire(),
        contract.FIND_ACTS: contract.Orders(orders=(order,)).to_wire(),
        contract.CHOOSE_POINTS: points.to_wire(),
        contract.VALIDATE: contract.ValidationOrders(orders=(judged,)).to_wire(),
        contract.CHANNELS: told.to_wire(),
        contract.DELIVER: DeliveryOrder(notice=told, channel="teams").to_wire(),
        contract.RECORD: Chain(run="fb-1").next(RecordKind.PLAN, {}, acting.clock.now()).to_wire(),
    }
    for name, request in requests.items():
        answer = ACTIVITIES[name](json.loads(json.dumps(request)))
        assert json.loads(json.dumps(answer)) == answer
        assert answer

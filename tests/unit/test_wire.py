"""Values cross the wire as JSON and come back the same; what a newer version adds hurts nobody."""

from __future__ import annotations

import json
from datetime import datetime, time, timedelta
from enum import Enum
from inspect import isclass
from random import Random
from types import NoneType
from typing import Any, get_args, get_origin

import pytest
from pydantic import ValidationError

from domain import (
    approvals,
    contract,
    control,
    evidence,
    gate,
    journey,
    leg,
    machine,
    notices,
    people,
    planning,
    recheck,
    report,
    tally,
    windows,
)
from domain import request as requests
from domain.approvals import ApprovalPolicy, GateName
from domain.contract import Subject
from domain.errors import Refusal
from domain.request import FailbackRequest, Limits, MachineRequest, PointChoice, Select
from domain.wire import Answer, Wire, digest
from tests.unit.making import HOME_CACHE, ISOLATED, NOON, request

MODULES = (
    approvals,
    contract,
    control,
    evidence,
    gate,
    journey,
    leg,
    machine,
    notices,
    people,
    planning,
    recheck,
    report,
    requests,
    tally,
    windows,
)
VALUES = sorted(
    {
        each
        for module in MODULES
        for each in vars(module).values()
        if isclass(each) and issubclass(each, Wire) and each not in {Wire, Answer}
    },
    key=lambda each: each.__name__,
)
ANSWERS = [each for each in VALUES if issubclass(each, Answer)]
# What is taken from people, and so refuses what it does not know.
REQUESTS = [each for each in VALUES if not issubclass(each, Answer)]

PLAIN: dict[Any, list[Any]] = {
    str: ["", "é", "a 😀 b"],
    int: [0, 7, -1],
    float: [0.0, 1.5],
    bool: [True, False],
    datetime: [NOON, NOON + timedelta(microseconds=1)],
    timedelta: [timedelta(0), timedelta(days=2, seconds=0.5), timedelta(seconds=-3)],
    Any: ["x", 1, None, [1, {"deep": "x"}]],
    # These hold rules of their own, so they are given whole.
    PointChoice: [
        PointChoice(not_after=NOON),
        PointChoice(select=Select.CUSTOM, id="point-1"),
    ],
    ApprovalPolicy: [ApprovalPolicy(approvers=("ann", "bob"), quorum=2)],
    approvals.Escalation: [approvals.Escalation(groups=("board",), timeout=timedelta(hours=2))],
    approvals.GatePolicy: [approvals.GatePolicy(quorum=2, break_glass=True), approvals.GatePolicy()],
    windows.Window: [windows.Window(opens=time(22), closes=time(4, 30), zone="Europe/Berlin")],
    requests.Proposed: [requests.Proposed(route="region-health", alerts=("a", "b"), at=NOON)],
    evidence.Kept: [evidence.Kept(records=2, head="a" * 64, stored=1, trouble=("the store is full",))],
    evidence.Record: [
        evidence.Chain(run="fb-1").next(evidence.RecordKind.PLAN, {"deep": [1, {"é": None}]}, NOON),
    ],
    evidence.Chain: [evidence.Chain(run="fb-1", records=1, head="b" * 64)],
    requests.TestFailoverRequest: [requests.TestFailoverRequest(network_id=ISOLATED)],
    requests.ReprotectRequest: [requests.ReprotectRequest(cache_storage_account_id=HOME_CACHE)],
    requests.PrepareRequest: [requests.PrepareRequest(cache_storage_account_id=HOME_CACHE, reprotect=True)],
    requests.ValidationRequest: [requests.ValidationRequest(timeout=timedelta(minutes=1))],
    Limits: [Limits(max_parallel=3)],
    MachineRequest: [MachineRequest(name="é", group=3)],
    FailbackRequest: [request(machines=["a", "b"], requestedBy="ann", mode="drill")],
    gate.DecisionRequest: [
        gate.DecisionRequest(gate=GateName.COMMIT, decision=gate.Choice.STOP, plan_hash="0" * 64)
    ],
}


def made(kind: Any, random: Random) -> Any:
    """Make some value of a type, with every field filled or left out at random."""
    if kind in PLAIN:
        return random.choice(PLAIN[kind])
    origin, inner = get_origin(kind), get_args(kind)
    if origin is tuple:
        return tuple(made(inner[0], random) for _ in range(random.randrange(3)))
    if origin is dict:
        return {key: made(inner[1], random) for key in random.sample(("a", "é", "c"), random.randrange(3))}
    if origin is not None:
        return made(random.choice(inner), random)
    if kind is NoneType:
        return None
    if issubclass(kind, Enum):
        return random.choice(list(kind))
    fields = kind.model_fields.items()
    return kind(**{n: made(f.annotation, random) for n, f in fields if f.is_required() or random.random() < 0.8})


@pytest.mark.parametrize("kind", VALUES, ids=lambda each: each.__name__)
def test_every_value_comes_back_from_json_as_it_was(kind: type[Wire]) -> None:
    for seed in range(8):
        value = made(kind, Random(seed))
        returned = kind.from_wire(json.loads(json.dumps(value.to_wire())))
        assert returned == value
        assert returned.to_wire() == value.to_wire()


@pytest.mark.parametrize("kind", ANSWERS, ids=lambda each: each.__name__)
def test_a_key_of_a_newer_version_is_ignored_in_what_history_holds(kind: type[Answer]) -> None:
    assert kind.model_config.get("extra") == "ignore"


@pytest.mark.parametrize("kind", REQUESTS, ids=lambda each: each.__name__)
def test_a_key_that_is_not_known_is_refused_in_what_people_send(kind: type[Wire]) -> None:
    with pytest.raises(ValidationError) as refused:
        kind.from_wire({"unheardOf": 1})
    assert ("unheardOf",) in {each["loc"] for each in refused.value.errors()}


def test_people_send_requests_and_nothing_else() -> None:
    assert {each.__name__ for each in REQUESTS} == {
        "ApprovalPolicy",
        "DecisionRequest",
        "Escalation",
        "FailbackRequest",
        "GatePolicy",
        "Limits",
        "MachineRequest",
        "PointChoice",
        "PrepareRequest",
        "Proposed",
        "ReprotectRequest",
        "TestFailoverRequest",
        "ValidationRequest",
        "Window",
    }


def test_an_answer_of_a_newer_version_is_read() -> None:
    known = {"code": "x", "what": "y", "remedy": "z"}
    assert Refusal.from_wire({**known, "severity": 1}) == Refusal.from_wire(known)


def test_what_is_unset_is_left_out_and_keys_are_in_camel_case() -> None:
    check = contract.Check.from_wire({"name": "power", "verdict": "passed", "evidence": "running", "remedy": None})
    assert set(check.to_wire()) == {"name", "verdict", "evidence"}
    assert "vmName" in Subject(name="a", item_id="b", vm_name="c", home="d", away="e").to_wire()


def test_a_value_cannot_be_changed_in_place() -> None:
    value = Limits()
    with pytest.raises(ValidationError):
        value.max_parallel = 3  # pyright: ignore[reportAttributeAccessIssue]
    assert value.having(max_parallel=3).max_parallel == 3


def test_equal_documents_have_equal_digests_whatever_the_order_of_their_keys() -> None:
    assert digest({"a": 1, "b": "é"}) == digest({"b": "é", "a": 1})
    assert digest({"a": 1}) != digest({"a": 2})

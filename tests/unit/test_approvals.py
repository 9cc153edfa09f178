"""The policy: what holds at which gate, and that it can be kept."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from domain.approvals import ApprovalPolicy, GateName, OnTimeout


def policy(**asked: Any) -> ApprovalPolicy:
    return ApprovalPolicy.from_wire(asked)


def test_a_gate_without_a_rule_of_its_own_has_that_of_the_run() -> None:
    asked = policy(quorum=2, gates={"commit": {"quorum": 3}})
    assert asked.at(GateName.FAILBACK) == policy(quorum=2)


def test_a_gates_own_rules_replace_those_of_the_run_field_by_field() -> None:
    asked = policy(
        approvers=["ann", "bob"], quorum=2, timeout="PT4H", gates={"start": {"quorum": 1, "window": WINDOW}}
    )
    found = asked.at(GateName.START)
    assert (found.quorum, found.approvers, found.timeout) == (1, ("ann", "bob"), timedelta(hours=4))
    assert found.window is not None
    assert asked.window is None


WINDOW = {"opens": "22:00", "closes": "04:00"}
BOARD = {"groups": ["board"]}


def test_a_gate_may_do_without_the_runs_escalation() -> None:
    asked = policy(onTimeout="escalate", escalateTo=BOARD, gates={"start": {"onTimeout": "stop"}})
    assert asked.at(GateName.START).on_timeout is OnTimeout.STOP
    assert asked.at(GateName.START).escalate_to is None
    assert asked.at(GateName.COMMIT).escalate_to is not None


@pytest.mark.parametrize(
    ("asked", "fault"),
    [
        ({"approvers": ["ann", "ANN"], "quorum": 2}, "cannot be reached by 1"),
        ({"onTimeout": "escalate"}, "go together"),
        ({"escalateTo": BOARD}, "go together"),
        ({"onTimeout": "escalate", "escalateTo": {}}, "name the approvers or groups"),
        ({"approvers": ["ann"], "gates": {"commit": {"quorum": 2}}}, "at gate commit: a quorum of 2"),
        ({"gates": {"commit": {"onTimeout": "escalate"}}}, "at gate commit: "),
        ({"gates": {"elsewhere": {}}}, "start"),
        ({"gates": {"commit": {"gates": {}}}}, "Extra inputs"),
        ({"remindEvery": "PT1M"}, "5 minutes"),
    ],
)
def test_a_policy_that_cannot_be_kept_is_refused(asked: dict[str, Any], fault: str) -> None:
    with pytest.raises(ValidationError, match=fault):
        policy(**asked)


def test_how_many_people_are_in_a_group_is_not_ours_to_know() -> None:
    assert policy(approvers=["ann"], groups=["night"], quorum=5).quorum == 5


def test_a_policy_travels_whole() -> None:
    asked = policy(
        approvers=["ann", "bob"],
        onTimeout="escalate",
        escalateTo=BOARD,
        window=WINDOW,
        gates={"commit": {"quorum": 2, "window": {**WINDOW, "zone": "Europe/Berlin", "exceptOn": ["2026-12-24"]}}},
    )
    assert ApprovalPolicy.from_wire(asked.to_wire()) == asked

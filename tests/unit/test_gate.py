"""The ledger: who may decide, what counts, and that nothing is lost or taken back."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from pydantic import ValidationError

from domain.approvals import ApprovalPolicy, GateName, OnTimeout
from domain.gate import (
    HELD_AT_MOST,
    Choice,
    DecisionRequest,
    Entry,
    Judgement,
    Ledger,
    Outcome,
    close,
    give_up_at,
    judge,
    silence_of,
)
from domain.request import PointChoice, Select
from tests.unit.making import NAME, NOON, at, entry, ledger, question

POINT = PointChoice(select=Select.CUSTOM, id="point-1")
PEOPLE = ("ann", "Ann", "bob", "cleo", "dan")
MACHINES = ("vm0", "vm1", "vm2")


def taken(opened: Ledger, *entries: Entry) -> list[Judgement | None]:
    for each in entries:
        opened = judge(opened, each)
    return [each.judgement for each in opened.entries]


# -- one decision ---------------------------------------------------------------------------------------------


def test_one_permitted_person_who_approves_what_was_shown_decides_a_gate() -> None:
    asked = ledger()
    decided = judge(asked, entry(asked.question))
    assert decided.outcomes == {NAME: Outcome(decision=Choice.APPROVE, by=("ann",))}
    assert decided.is_settled


def test_a_decision_about_something_else_than_was_shown_is_stale() -> None:
    asked = ledger()
    assert taken(asked, entry(asked.question, plan_hash="f" * 64)) == [Judgement.STALE]


@pytest.mark.parametrize(
    "changes",
    [
        {"shown": {"machines": ["other"]}},
        {"plan_hash": "f" * 64},
        {"round": 2},
        {"machines": ("other",)},
        {"gate": GateName.COMMIT},
        {"run": "run-2"},
    ],
)
def test_the_hash_covers_all_that_was_asked(changes: dict[str, object]) -> None:
    assert question().having(**changes).hash != question().hash


def test_a_decision_after_the_gate_closed_is_late() -> None:
    asked = ledger()
    assert taken(close(asked), entry(asked.question)) == [Judgement.LATE]


def test_a_decision_that_arrives_twice_is_judged_once() -> None:
    asked = ledger()
    assert taken(asked, entry(asked.question), entry(asked.question)) == [Judgement.RECORDED]


def test_only_the_named_approvers_may_decide() -> None:
    asked = ledger(policy=ApprovalPolicy(approvers=("Ann",)))
    assert taken(asked, entry(asked.question, by="eve"), entry(asked.question, by="aNN")) == [
        Judgement.NOT_PERMITTED,
        Judgement.RECORDED,
    ]


def test_who_asked_for_a_run_may_stop_it_but_not_approve_it() -> None:
    asked = ledger(requested_by="Ann")
    assert taken(asked, entry(asked.question), entry(asked.question, Choice.STOP)) == [
        Judgement.NOT_PERMITTED,
        Judgement.RECORDED,
    ]
    allowed = ledger(requested_by="Ann", policy=ApprovalPolicy(requester_may_approve=True))
    assert taken(allowed, entry(allowed.question)) == [Judgement.RECORDED]


def test_a_quorum_counts_people_not_decisions() -> None:
    asked = ledger(policy=ApprovalPolicy(quorum=2))
    twice = [entry(asked.question, by="ann"), entry(asked.question, by="ANN")]
    assert taken(asked, *twice) == [Judgement.RECORDED, Judgement.DUPLICATE]
    both = judge(judge(asked, twice[0]), entry(asked.question, by="bob"))
    assert both.outcomes[NAME].by == ("ann", "bob")


def test_an_intervention_needs_one_person_whatever_the_quorum() -> None:
    asked = ledger(gate=GateName.INTERVENTION, policy=ApprovalPolicy(quorum=3))
    assert judge(asked, entry(asked.question, Choice.RETRY)).is_settled


def test_the_first_stop_decides_and_what_follows_changes_nothing() -> None:
    asked = ledger(policy=ApprovalPolicy(quorum=2))
    stopped = judge(judge(asked, entry(asked.question)), entry(asked.question, Choice.STOP, by="bob"))
    assert stopped.outcomes[NAME].decision is Choice.STOP
    assert judge(stopped, entry(asked.question, by="cleo")).entries[-1].judgement is Judgement.DUPLICATE


def test_each_machine_is_decided_on_its_own() -> None:
    asked = ledger(*MACHINES)
    first = judge(asked, entry(asked.question, machines=("VM0",)))
    second = judge(first, entry(asked.question, Choice.CHANGE_POINT, recovery_points={"Vm1": POINT}))
    assert not second.is_settled
    assert second.outcomes["vm0"].decision is Choice.APPROVE
    assert second.outcomes["vm1"].point == POINT


def test_an_approval_of_all_counts_for_those_not_approved_before() -> None:
    asked = ledger(*MACHINES, policy=ApprovalPolicy(quorum=2))
    some = entry(asked.question, machines=("vm0",))
    both = judge(judge(asked, some), entry(asked.question, id="again"))
    assert [each.judgement for each in both.entries] == [Judgement.RECORDED] * 2
    assert both.outcomes == {}


def test_an_answer_that_the_gate_does_not_take_is_unfit() -> None:
    asked = ledger()
    assert (
        taken(
            asked,
            entry(asked.question, Choice.RETRY),
            entry(asked.question, gate=GateName.COMMIT),
            entry(asked.question, Choice.STOP, machines=("stranger",)),
        )
        == [Judgement.UNFIT] * 3
    )


# -- what people may send -------------------------------------------------------------------------------------


def sent(**changes: object) -> DecisionRequest:
    return DecisionRequest.from_wire({"gate": "failback", "decision": "approve", "planHash": "0" * 64, **changes})


@pytest.mark.parametrize(
    "changes",
    [
        {"decision": "changeRecoveryPoint"},
        {"recoveryPoints": {NAME: {"select": "latest"}}},
        {"decision": "retry"},
        {"gate": "intervention", "decision": "skip"},
        {"gate": "intervention", "decision": "approve"},
        {"planHash": "short"},
        {"machines": []},
        {"why": "unknown field"},
    ],
)
def test_a_decision_that_means_nothing_is_refused_at_the_door(changes: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        sent(**changes)


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"machines": [NAME]},
        {"decision": "changeRecoveryPoint", "recoveryPoints": {NAME: {"select": "latest"}}},
        {"gate": "intervention", "decision": "skip", "comment": "it is not needed"},
    ],
)
def test_a_decision_that_fits_its_gate_is_taken(changes: dict[str, object]) -> None:
    assert sent(**changes).plan_hash == "0" * 64


# -- silence --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("on_timeout", OnTimeout)
def test_silence_approves_only_what_was_found_well_and_only_if_asked_to(on_timeout: OnTimeout) -> None:
    decided = {"vm0": Outcome(decision=Choice.STOP)}
    silent = silence_of(ApprovalPolicy(on_timeout=on_timeout), MACHINES, decided, frozenset({"vm0", "vm1"}))
    approves = on_timeout is OnTimeout.APPROVE
    assert {name: each.decision for name, each in silent.items()} == {
        "vm1": Choice.APPROVE if approves else Choice.STOP,
        "vm2": Choice.STOP,
    }


def test_a_gate_that_holds_is_not_held_for_ever() -> None:
    assert give_up_at(question()) == at(days=1)
    held = question(policy=ApprovalPolicy(on_timeout=OnTimeout.HOLD))
    assert give_up_at(held) == NOON + HELD_AT_MOST > NOON + timedelta(days=1)


# -- any decisions in any order -------------------------------------------------------------------------------


class Decisions(RuleBasedStateMachine):
    """People of every kind decide about anything, in any order, twice and too late."""

    @initialize(
        quorum=st.integers(1, 3),
        approvers=st.sampled_from(((), ("ann", "bob", "cleo"))),
        may=st.booleans(),
    )
    def open(self, quorum: int, approvers: tuple[str, ...], *, may: bool) -> None:
        policy = ApprovalPolicy(approvers=approvers, quorum=quorum, requester_may_approve=may)
        self.ledger = ledger(*MACHINES, policy=policy, requested_by="bob")
        self.sent: list[Entry] = []
        self.seen: dict[str, Outcome] = {}

    @rule(
        by=st.sampled_from(PEOPLE),
        decision=st.sampled_from(Choice),
        machines=st.none() | st.lists(st.sampled_from((*MACHINES, "VM0", "stranger")), min_size=1).map(tuple),
        right=st.sampled_from((True, True, True, False)),
        name=st.integers(0, 40),
    )
    def decide(
        self, *, by: str, decision: Choice, machines: tuple[str, ...] | None, right: bool, name: int
    ) -> None:
        points = dict.fromkeys(machines or ("vm1",), POINT) if decision is Choice.CHANGE_POINT else {}
        made = entry(self.ledger.question, decision, by, id=str(name), machines=machines, recovery_points=points)
        made = made if right else made.having(plan_hash="f" * 64)
        if all(each.id != made.id for each in self.sent):
            self.sent.append(made)
        self.ledger = judge(self.ledger, made)

    @rule()
    def shut(self) -> None:
        self.ledger = close(self.ledger)

    @rule()
    def travel(self) -> None:
        self.ledger = Ledger.from_wire(json.loads(json.dumps(self.ledger.to_wire())))

    @invariant()
    def no_entry_is_lost_or_altered(self) -> None:
        kept = [each.having(judgement=None, why="") for each in self.ledger.entries]
        assert kept == self.sent
        assert all(each.judgement is not None for each in self.ledger.entries)

    @invariant()
    def what_is_decided_stays_decided(self) -> None:
        now = self.ledger.outcomes
        assert self.seen.items() <= now.items()
        self.seen = now

    @invariant()
    def an_approval_has_its_quorum_of_permitted_people(self) -> None:
        policy = self.ledger.question.policy
        for outcome in self.ledger.outcomes.values():
            people = {person.casefold() for person in outcome.by}
            assert not policy.approvers or people <= set(policy.approvers)
            assert len(people) == len(outcome.by) >= 1
            if outcome.decision is Choice.APPROVE:
                assert len(people) >= policy.quorum
                assert policy.requester_may_approve or "bob" not in people

    @invariant()
    def what_is_recorded_named_the_right_hash_while_the_gate_was_open(self) -> None:
        recorded = [each for each in self.ledger.entries if each.judgement is Judgement.RECORDED]
        assert all(each.plan_hash == self.ledger.question.hash for each in recorded)
        if self.ledger.closed and (last := self.ledger.entries[-1:]):
            late = judge(self.ledger, last[0].having(id="one more")).entries[-1]
            assert late.judgement is Judgement.LATE


Decisions.TestCase.settings = settings(max_examples=60, stateful_step_count=25, deadline=None)
TestDecisions = Decisions.TestCase

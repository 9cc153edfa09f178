"""The ledger: who may decide, what counts, and that nothing is lost or taken back."""

from __future__ import annotations

import json
from datetime import time, timedelta

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from pydantic import ValidationError

from domain.approvals import ApprovalPolicy, Escalation, GateName, OnTimeout
from domain.gate import HELD_AT_MOST, Choice, DecisionRequest, Entry, Judgement, Outcome
from domain.people import Role
from domain.request import PointChoice, Select
from domain.tally import POINTS_TRIED, REFUSED_KEPT, Ledger, close, faults, judge, silence_of, term_of, voices
from domain.windows import Window
from tests.unit.making import NAME, NOON, at, emergency, entry, ledger, question, taken

POINT = PointChoice(select=Select.CUSTOM, id="point-1")
MACHINES = ("vm0", "vm1", "vm2")


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
        {"breakGlass": True},
        {"notBefore": "2026-11-22T02:00:00"},
        {"decision": "stop", "notBefore": "2026-11-22T02:00:00Z"},
        {"to": "pia@contoso.com"},
        {"decision": "delegate", "comment": "on leave"},
        {"decision": "delegate", "to": "pia@contoso.com"},
        {"decision": "delegate", "to": "pia@contoso.com", "comment": "on leave", "machines": [NAME]},
        {"decision": "delegate", "to": "pia@contoso.com", "comment": "on leave", "breakGlass": True},
        *(
            {"decision": "delegate", "to": to, "comment": "on leave"}
            for to in (
                "",
                "pia",
                "__class__",
                "pia@contoso.com,eve@contoso.com",
                "Pia <pia@contoso.com>",
                "pia@contoso.com\r\nBcc: eve@contoso.com",
                "pia\u202e@contoso.com",
                "p" * 10_000 + "@contoso.com",
                ["pia@contoso.com"],
                {"__class__": "Entry"},
            )
        ),
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
        {"breakGlass": True, "comment": "the house burns"},
        {"notBefore": "2026-11-22T02:00:00Z"},
        {"decision": "changeRecoveryPoint", "recoveryPoints": {NAME: {"select": "latest"}}},
        {"gate": "intervention", "decision": "skip", "comment": "it is not needed"},
        {"decision": "delegate", "to": "pia@contoso.com", "comment": "on leave"},
        {"decision": "delegate", "to": "0F0F0F0F-0000-0000-0000-00000000000f", "comment": "on leave"},
    ],
)
def test_a_decision_that_fits_its_gate_is_taken(changes: dict[str, object]) -> None:
    assert sent(**changes).plan_hash == "0" * 64


# -- silence --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("on_timeout", OnTimeout)
def test_silence_approves_only_what_was_found_well_and_only_if_asked_to(on_timeout: OnTimeout) -> None:
    decided = {"vm0": Outcome(decision=Choice.STOP)}
    silent = silence_of(
        ApprovalPolicy().having(on_timeout=on_timeout), MACHINES, decided, frozenset({"vm0", "vm1"})
    )
    approves = on_timeout is OnTimeout.APPROVE
    assert {name: each.decision for name, each in silent.items()} == {
        "vm1": Choice.APPROVE if approves else Choice.STOP,
        "vm2": Choice.STOP,
    }


# -- people, times and emergencies ------------------------------------------------------------------------------


def test_groups_and_ids_name_approvers_as_well_as_sign_in_names() -> None:
    asked = ledger(policy=ApprovalPolicy(approvers=("Ann", "oid-bob"), groups=("Night Shift",), quorum=3))
    assert taken(
        asked,
        entry(asked.question, by="ann"),
        entry(asked.question, by="b@contoso.com", by_id="OID-Bob"),
        entry(asked.question, by="cleo", groups=("day shift",)),
        entry(asked.question, by="dan", groups=("another", "NIGHT shift")),
    ) == [Judgement.RECORDED, Judgement.RECORDED, Judgement.NOT_PERMITTED, Judgement.RECORDED]


def test_of_a_persons_groups_only_those_are_kept_that_the_policy_names() -> None:
    asked = ledger(policy=ApprovalPolicy(groups=("night",)))
    judged = judge(asked, entry(asked.question, groups=("Night", *(f"group-{number}" for number in range(300)))))
    assert judged.entries[0].groups == ("Night",)


def test_one_person_with_two_accounts_is_one_person() -> None:
    asked = ledger(policy=ApprovalPolicy(quorum=2))
    by_token = entry(asked.question, by="ann@contoso.com", by_id="oid-1")
    by_link = entry(asked.question, by="ANN@contoso.com", id="link-1")
    other_name = entry(asked.question, by="ann.admin@contoso.com", by_id="OID-1")
    judged = judge(judge(judge(asked, by_token), by_link), other_name)
    assert [each.judgement for each in judged.entries] == [Judgement.RECORDED, *[Judgement.DUPLICATE] * 2]
    assert not judged.outcomes


def test_a_name_spelt_otherwise_in_unicode_is_the_same_person() -> None:
    composed, apart, wide = "jos\u00e9@contoso.com", "jose\u0301@contoso.com", "jos\u00e9\uff20contoso.com"
    with pytest.raises(ValidationError, match="a quorum of 2 cannot be reached by 1 approvers"):
        ApprovalPolicy(approvers=(composed, apart), quorum=2)
    asked = ledger(policy=ApprovalPolicy(approvers=(composed, apart, "ann"), quorum=2))
    votes = [entry(asked.question, by=name, id=name) for name in (composed, apart, wide)]
    assert taken(asked, *votes) == [Judgement.RECORDED, *[Judgement.DUPLICATE] * 2]
    own = ledger(requested_by=composed, policy=ApprovalPolicy(approvers=(composed, apart, "ann")))
    assert taken(own, entry(own.question, by=apart)) == [Judgement.NOT_PERMITTED]


def test_who_asked_may_not_approve_under_another_name_of_the_same_person() -> None:
    asked = ledger(requested_by="dana@contoso.com", requested_by_id="oid-dana")
    known = ledger(requested_by="dana@contoso.com", policy=ApprovalPolicy(quorum=2))
    assert taken(asked, entry(asked.question, by="d.admin@contoso.com", by_id="OID-Dana")) == [
        Judgement.NOT_PERMITTED
    ]
    assert (
        taken(
            known,
            entry(known.question, by="dana@contoso.com", by_id="oid-dana"),
            entry(known.question, by="d.admin@contoso.com", by_id="oid-dana", id="again"),
        )
        == [Judgement.NOT_PERMITTED] * 2
    )


def test_a_decision_stamped_after_the_deadline_is_late_though_the_gate_is_still_open() -> None:
    asked = ledger()
    assert taken(asked, entry(asked.question, at=at(days=1, seconds=1))) == [Judgement.LATE]
    assert taken(asked, entry(asked.question, at=at(days=1))) == [Judgement.RECORDED]


def test_after_the_deadline_further_approvers_may_decide_until_theirs() -> None:
    policy = ApprovalPolicy(
        approvers=("ann",),
        on_timeout=OnTimeout.ESCALATE,
        escalate_to=Escalation(approvers=("cleo",), groups=("board",), timeout=timedelta(hours=2)),
    )
    asked = ledger(policy=policy)
    assert asked.question.closes_at == at(days=1, hours=2)
    for when, by, groups, judgement in (
        (at(), "cleo", (), Judgement.NOT_PERMITTED),
        (at(days=1, hours=1), "cleo", (), Judgement.RECORDED),
        (at(days=1, hours=1), "bob", ("Board",), Judgement.RECORDED),
        (at(days=1, hours=1), "ann", (), Judgement.RECORDED),
        (at(days=1, hours=3), "cleo", (), Judgement.LATE),
    ):
        assert taken(asked, entry(asked.question, by=by, at=when, groups=groups)) == [judgement]


def test_where_anybody_may_decide_an_escalation_shuts_nobody_out() -> None:
    policy = ApprovalPolicy(on_timeout=OnTimeout.ESCALATE, escalate_to=Escalation(approvers=("cleo",)))
    asked = ledger(policy=policy)
    assert taken(asked, entry(asked.question, by="ann", at=at(days=1, hours=1))) == [Judgement.RECORDED]


def test_a_reason_is_asked_for_where_the_policy_wants_one_and_always_for_a_skip() -> None:
    asked = ledger(policy=ApprovalPolicy(reason_required=True))
    assert taken(asked, entry(asked.question, comment=" "), entry(asked.question, id="2", comment="seen")) == [
        Judgement.UNFIT,
        Judgement.RECORDED,
    ]
    failed = ledger(gate=GateName.INTERVENTION)
    assert taken(failed, entry(failed.question, Choice.SKIP)) == [Judgement.UNFIT]


def test_what_is_approved_for_later_waits_for_the_latest_moment_that_was_named() -> None:
    asked = ledger(policy=ApprovalPolicy(quorum=2))
    early, late = entry(asked.question, not_before=at(hours=8)), entry(asked.question, by="bob")
    assert judge(judge(asked, early), late).outcomes[NAME].not_before == at(hours=8)
    later = judge(judge(asked, early), late.having(not_before=at(hours=9)))
    assert later.outcomes[NAME].not_before == at(hours=9)
    assert taken(asked, entry(asked.question, not_before=NOON + HELD_AT_MOST + timedelta(1))) == [Judgement.UNFIT]


def test_who_breaks_the_glass_decides_alone_and_is_marked() -> None:
    asked = ledger(policy=ApprovalPolicy(approvers=("bob", "cleo"), quorum=2, break_glass=True))
    decided = judge(judge(asked, entry(asked.question, by="bob")), emergency(asked))
    assert decided.outcomes[NAME] == Outcome(decision=Choice.APPROVE, by=("bob", "ann"), break_glass=True)


@pytest.mark.parametrize(
    ("policy", "changes", "judgement"),
    [
        ({}, {}, Judgement.RECORDED),
        ({"break_glass": False}, {}, Judgement.NOT_PERMITTED),
        ({}, {"roles": (Role.ADMIN, Role.APPROVER)}, Judgement.NOT_PERMITTED),
        ({}, {"comment": ""}, Judgement.UNFIT),
        ({}, {"by": "dana"}, Judgement.NOT_PERMITTED),
        ({"requester_may_break_glass": True}, {"by": "dana"}, Judgement.RECORDED),
        ({}, {"plan_hash": "f" * 64}, Judgement.STALE),
        ({}, {"at": at(days=2)}, Judgement.LATE),
    ],
)
def test_the_glass_is_broken_only_by_whom_the_policy_lets_with_a_reason(
    policy: dict[str, object], changes: dict[str, object], judgement: Judgement
) -> None:
    rules = ApprovalPolicy(quorum=2, break_glass=True).having(**policy)
    asked = ledger(policy=rules, requested_by="dana")
    assert taken(asked, emergency(asked, **changes)) == [judgement]


def test_somebody_who_approved_before_may_still_break_the_glass() -> None:
    asked = ledger(policy=ApprovalPolicy(quorum=2, break_glass=True))
    assert taken(asked, entry(asked.question), emergency(asked, id="now")) == [Judgement.RECORDED] * 2


def test_different_people_who_approved_a_machine_are_counted() -> None:
    asked = ledger("vm0", "vm1", policy=ApprovalPolicy(quorum=3))
    for by, machines in (("ann", None), ("ANN", None), ("bob", ("vm0",))):
        asked = judge(asked, entry(asked.question, by=by, id=by, machines=machines))
    assert (voices(asked, "vm0"), voices(asked, "vm1")) == (2, 1)


def test_every_fault_of_a_decision_is_named_at_once_with_its_remedy() -> None:
    asked = ledger(policy=ApprovalPolicy(reason_required=True))
    wrong = entry(asked.question, machines=("stranger",), not_before=NOON + HELD_AT_MOST + timedelta(1))
    found = faults(asked.question, wrong)
    assert [each.about for each in found] == ["comment", "notBefore", "machines"]
    assert all(each.remedy for each in found)
    [judged] = judge(asked, wrong).entries
    assert all(each.what in judged.why for each in found)


def test_who_sends_very_many_refused_decisions_pushes_out_their_own_and_nobody_elses() -> None:
    asked = ledger(policy=ApprovalPolicy(approvers=("ann",)))
    asked = judge(asked, entry(asked.question, by="bob", id="first"))
    for number in range(REFUSED_KEPT + 5):
        asked = judge(asked, entry(asked.question, by="eve", id=f"{number}", comment="x" * 2_000))
    asked = judge(asked, entry(asked.question, by="ann", id="last", comment="y" * 2_000))
    kept = {each.id: each for each in asked.entries}
    assert len(kept) == REFUSED_KEPT + 1
    assert {"first", "6", f"{REFUSED_KEPT + 4}", "last"} <= set(kept)
    # What counts is kept whole; what does not, in brief.
    assert (len(kept["last"].comment), len(kept["6"].comment)) == (2_000, 300)


def test_nobody_fills_a_ledger_with_ever_other_points() -> None:
    asked = ledger(gate=GateName.COMMIT, policy=ApprovalPolicy(quorum=2))
    for number in range(POINTS_TRIED + 1):
        point = {NAME: PointChoice(select=Select.CUSTOM, id=f"point-{number}")}
        asked = judge(asked, entry(asked.question, Choice.CHANGE_POINT, id=f"{number}", recovery_points=point))
    assert [each.judgement for each in asked.entries] == [*[Judgement.RECORDED] * POINTS_TRIED, Judgement.UNFIT]
    # The same person may still approve, or stop.
    assert judge(asked, entry(asked.question, Choice.STOP, id="stop")).is_settled


def test_decisions_of_old_runs_count_people_by_their_names() -> None:
    asked = ledger(policy=ApprovalPolicy(quorum=2))
    old = entry(asked.question, judgement=Judgement.RECORDED)
    opened = asked.having(entries=(old, entry(asked.question, by="Ann", id="2", judgement=Judgement.RECORDED)))
    assert opened.outcomes == {}
    assert judge(opened, entry(asked.question, id="3")).entries[-1].judgement is Judgement.DUPLICATE


def test_what_is_approved_may_be_done_at_once_or_when_people_said_or_inside_the_window() -> None:
    approved = Outcome(decision=Choice.APPROVE)
    later = approved.having(not_before=at(hours=3))
    night = ApprovalPolicy(window=Window(opens=time(22), closes=time(4)))
    assert term_of(ApprovalPolicy(), approved, NOON) == (NOON, at(hours=24))
    assert term_of(ApprovalPolicy(), later, NOON) == (at(hours=3), at(hours=27))
    assert term_of(ApprovalPolicy(), later, at(hours=5)) == (at(hours=5), at(hours=29))
    assert term_of(night, later, NOON) == (at(hours=10), at(hours=16))
    assert term_of(night, approved, at(hours=12)) == (at(hours=12), at(hours=16))
    assert term_of(night, approved.having(not_before=at(hours=17)), NOON) == (at(hours=34), at(hours=40))


# -- any decisions in any order -------------------------------------------------------------------------------


ACCOUNTS = {
    "ann": ("ann", "oid-ann"),
    "Ann": ("ANN", ""),
    "ann.admin": ("ann.admin", "OID-Ann"),
    "ann.mail": ("\uff21nn@mail", "ann@mail"),
    "bob": ("bob", "oid-bob"),
    "bob.admin": ("bob.admin", "oid-bob"),
    "bob.mail": ("bob@mail", ""),
    "cleo": ("cleo", "oid-cleo"),
    "dan": ("dan", ""),
    "eve": ("eve", "oid-eve"),
    # Named by nobody; only a voice that was handed to them lets them decide.
    "zoe": ("zoe", "oid-zoe"),
    "\uff3aoe": ("\uff3aOE", ""),
}
# Who stands behind each account.
HUMANS = {name: ("ann" if "ann" in name.casefold() else name.split(".", maxsplit=1)[0]) for name in ACCOUNTS}
HUMANS["\uff3aoe"] = "zoe"
# What else the settings say is theirs: nobody can know accounts for one person that nothing ties together.
ALSO = {"ann.admin": ("ann",), "ann.mail": ("ann", "oid-ann"), "bob.mail": ("oid-bob",)}
GROUPS = {"dan": ("night",), "eve": ("board",)}


class Decisions(RuleBasedStateMachine):
    """People of every kind decide about anything, in any order, twice, too late, and by any clock."""

    @initialize(
        quorum=st.integers(1, 3),
        approvers=st.sampled_from(((), ("ann", "bob", "oid-cleo"))),
        may=st.booleans(),
        escalates=st.booleans(),
        glass=st.booleans(),
        gate=st.sampled_from((GateName.FAILBACK, GateName.COMMIT)),
    )
    def open(
        self, quorum: int, approvers: tuple[str, ...], gate: GateName, *, may: bool, escalates: bool, glass: bool
    ) -> None:
        policy = ApprovalPolicy(
            approvers=approvers,
            groups=("night",) if approvers else (),
            quorum=quorum,
            requester_may_approve=may,
            on_timeout=OnTimeout.ESCALATE if escalates else OnTimeout.STOP,
            escalate_to=Escalation(groups=("board",)) if escalates else None,
            break_glass=glass,
        )
        self.ledger = ledger(*MACHINES, gate=gate, policy=policy, requested_by="bob", requested_by_id="oid-bob")
        self.sent: list[Entry] = []
        self.seen: dict[str, Outcome] = {}

    @rule(
        account=st.sampled_from(tuple(ACCOUNTS)),
        decision=st.sampled_from((*Choice, Choice.APPROVE, Choice.DELEGATE)),
        machines=st.none() | st.lists(st.sampled_from((*MACHINES, "VM0", "stranger")), min_size=1).map(tuple),
        right=st.sampled_from((True, True, True, False)),
        glass=st.sampled_from((False, False, False, True)),
        hours=st.sampled_from((-1, 0, 12, 24, 25, 47, 49, 24 * 60)),
        name=st.integers(0, 40),
        to=st.sampled_from(tuple(ACCOUNTS)),
    )
    def decide(
        self,
        *,
        account: str,
        decision: Choice,
        machines: tuple[str, ...] | None,
        right: bool,
        glass: bool,
        hours: int,
        name: int,
        to: str,
    ) -> None:
        points = dict.fromkeys(machines or ("vm1",), POINT) if decision is Choice.CHANGE_POINT else {}
        by, by_id = ACCOUNTS[account]
        made = entry(
            self.ledger.question,
            decision,
            by,
            by_id=by_id,
            also=ALSO.get(account, ()),
            id=str(name),
            machines=machines,
            recovery_points=points,
            at=at(hours=hours),
            groups=GROUPS.get(account, ()),
            break_glass=glass,
            roles=(Role.BREAK_GLASS,) if account == "eve" else (Role.APPROVER,),
            comment="because",
        )
        if decision is Choice.DELEGATE:
            made = made.having(to=to, to_also=(*ACCOUNTS.get(to, ()), *ALSO.get(to, ())), machines=None)
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
        judged = {"judgement": None, "why": "", "person": "", "groups": (), "on_behalf_of": ()}
        assert [each.having(**judged).in_brief for each in self.ledger.entries] == [
            each.having(groups=()).in_brief for each in self.sent
        ]
        assert all(each.judgement is not None for each in self.ledger.entries)

    @invariant()
    def what_is_decided_stays_decided(self) -> None:
        now = self.ledger.outcomes
        assert self.seen.items() <= now.items()
        self.seen = now

    @invariant()
    def an_approval_has_its_quorum_of_distinct_permitted_people_in_time_on_what_was_shown(self) -> None:
        """Count again, from what was sent and by nothing of the ledger's own doing."""
        question, policy = self.ledger.question, self.ledger.question.policy
        delegators = {HUMANS[_account(each)] for each in self._handed_over()}
        weighty = {Choice.APPROVE} | ({Choice.CHANGE_POINT} if question.gate is GateName.COMMIT else set())
        for machine, outcome in self.ledger.outcomes.items():
            assert outcome.decision is not Choice.DELEGATE
            if outcome.decision not in weighty:
                continue
            concerned = [
                each
                for each in self.sent
                if each.decision is outcome.decision
                and each.plan_hash == question.hash
                and each.at <= question.closes_at
                and (_names(each) is None or machine in (_names(each) or ()))
            ]
            humans = {HUMANS[_account(each)] for each in concerned if self._may_approve(each)}
            broke_glass = policy.break_glass and any(
                each.break_glass and Role.BREAK_GLASS in each.roles for each in concerned
            )
            assert len(humans) >= policy.quorum or (outcome.break_glass and broke_glass)
            voices = {HUMANS[_named(by)] for by in outcome.by}
            assert len(voices) == len(outcome.by) >= 1
            assert outcome.break_glass or (voices <= humans and not voices & delegators)

    @invariant()
    def a_voice_is_handed_over_once_by_somebody_who_has_one_and_neither_on_nor_to_themselves(self) -> None:
        policy, seen, handed = self.ledger.question.policy, set[str](), dict[str, str]()
        for each in self.ledger.recorded:
            human = HUMANS[_account(each)]
            if each.decision is not Choice.DELEGATE:
                assert human not in handed or each.break_glass
                seen.add(human)
                continue
            to = HUMANS[each.to]
            assert human not in seen | handed.keys() | set(handed.values())
            assert to not in {human, *handed}
            assert policy.requester_may_approve or "bob" not in {human, to}
            assert self._has_own_voice(each)
            handed[human] = to

    def _handed_over(self) -> list[Entry]:
        return [each for each in self.ledger.recorded if each.decision is Choice.DELEGATE]

    def _has_own_voice(self, each: Entry) -> bool:
        policy, human = self.ledger.question.policy, HUMANS[_account(each)]
        further = {"eve"} if each.at >= at(days=1) and policy.escalate_to else set()
        return not policy.approvers or human in {"ann", "bob", "cleo", "dan"} | further

    def _may_approve(self, each: Entry) -> bool:
        policy, human = self.ledger.question.policy, HUMANS[_account(each)]
        speaks_for_another = human in {HUMANS[given.to] for given in self._handed_over()}
        return (self._has_own_voice(each) or speaks_for_another) and (
            policy.requester_may_approve or human != "bob"
        )

    @invariant()
    def what_is_recorded_named_the_right_hash_while_the_gate_was_open(self) -> None:
        recorded = [each for each in self.ledger.entries if each.judgement is Judgement.RECORDED]
        assert all(each.plan_hash == self.ledger.question.hash for each in recorded)
        if self.ledger.closed and (last := self.ledger.entries[-1:]):
            late = judge(self.ledger, last[0].having(id="one more")).entries[-1]
            assert late.judgement is Judgement.LATE


def _names(each: Entry) -> set[str] | None:
    if each.decision is Choice.CHANGE_POINT:
        return {name.casefold() for name in each.recovery_points}
    return {name.casefold() for name in each.machines} if each.machines else None


def _account(each: Entry) -> str:
    return next(name for name, (by, by_id) in ACCOUNTS.items() if (by, by_id) == (each.by, each.by_id))


def _named(by: str) -> str:
    return next(name for name, (known, _) in ACCOUNTS.items() if known == by.partition(" for ")[0])


Decisions.TestCase.settings = settings(max_examples=200, stateful_step_count=30, deadline=None)
TestDecisions = Decisions.TestCase

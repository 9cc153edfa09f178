"""A voice that is handed over: by whom, to whom, and that nothing is won by it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from domain.approvals import ApprovalPolicy, Escalation, GateName, OnTimeout
from domain.gate import Choice, Entry, Judgement, Outcome
from domain.tally import Ledger, judge
from tests.unit.making import NAME, at, emergency, entry, ledger, taken


def handing(asked: Ledger, to: str = "pia", by: str = "ann", **changes: Any) -> Entry:
    said = {"to": to, "comment": "on leave", "id": f"{by} to {to}", **changes}
    return entry(asked.question, Choice.DELEGATE, by, **said)


def named(*approvers: str, **policy: Any) -> Ledger:
    return ledger(policy=ApprovalPolicy(approvers=approvers).having(**policy), requested_by="dana")


def test_a_delegate_decides_in_the_place_of_an_approver_and_is_shown_as_such() -> None:
    asked = judge(named("ann", "bob"), handing(named("ann", "bob"), "p\u0131a@x", to_also=("oid-pia",)))
    assert not asked.outcomes
    decided = judge(asked, entry(asked.question, by="p.upn", by_id="OID-Pia"))
    assert decided.outcomes[NAME].by == ("p.upn for ann",)
    assert decided.entries[-1].on_behalf_of == ("ann",)


def test_who_handed_their_voice_over_has_none_any_more_under_no_name() -> None:
    asked = named("ann", "bob", quorum=2)
    entries = (
        handing(asked, by="ann", by_id="oid-ann"),
        entry(asked.question, by="ann", by_id="oid-ann", id="1"),
        entry(asked.question, Choice.STOP, by="\uff21NN", id="2"),
        entry(asked.question, by="ann.admin", by_id="OID-Ann", id="3"),
        handing(asked, "cleo", by="ANN"),
    )
    assert taken(asked, *entries) == [Judgement.RECORDED, *[Judgement.NOT_PERMITTED] * 3, Judgement.DUPLICATE]
    twice = judge(judge(asked, entries[0]), entries[-1]).entries[-1]
    assert twice.why == "this person has handed their voice to pia already"


def test_two_voices_handed_to_one_person_are_one_voice() -> None:
    asked = named("ann", "bob", "pia", quorum=2)
    for each in (handing(asked, by="ann"), handing(asked, by="bob"), entry(asked.question, by="pia")):
        asked = judge(asked, each)
    assert not asked.outcomes
    assert asked.entries[-1].on_behalf_of == ("ann", "bob")
    again = judge(asked, entry(asked.question, by="PIA", id="again"))
    assert (again.entries[-1].judgement, again.outcomes) == (Judgement.DUPLICATE, {})


@pytest.mark.parametrize(
    ("changes", "judgement"),
    [
        ({}, Judgement.RECORDED),
        ({"by": "eve"}, Judgement.NOT_PERMITTED),
        ({"by": "dana"}, Judgement.NOT_PERMITTED),
        ({"to": "DANA"}, Judgement.NOT_PERMITTED),
        ({"to": "d.admin", "to_also": ("dana",)}, Judgement.NOT_PERMITTED),
        ({"to": "\uff21nn"}, Judgement.NOT_PERMITTED),
        ({"to": "ann@mail", "to_also": ("ann",)}, Judgement.NOT_PERMITTED),
        ({"to": ""}, Judgement.UNFIT),
        ({"comment": " "}, Judgement.UNFIT),
        ({"machines": (NAME,)}, Judgement.UNFIT),
        ({"plan_hash": "f" * 64}, Judgement.STALE),
        ({"at": at(days=2)}, Judgement.LATE),
    ],
)
def test_a_voice_is_handed_over_only_by_whom_it_is_to_whom_it_may_be_with_a_reason(
    changes: dict[str, Any], judgement: Judgement
) -> None:
    asked = named("ann", "dana")
    assert taken(asked, handing(asked, **changes)) == [judgement]


def test_a_voice_is_not_handed_on_and_not_to_whom_has_none() -> None:
    asked = named("ann", "bob", "pia")
    first = handing(asked, "pia", by="ann")
    assert taken(asked, first, handing(asked, "bob", by="pia")) == [Judgement.RECORDED, Judgement.NOT_PERMITTED]
    assert taken(asked, first, handing(asked, "ann", by="bob")) == [Judgement.RECORDED, Judgement.NOT_PERMITTED]


def test_a_delegate_who_is_no_approver_has_no_voice_of_their_own_to_hand_over() -> None:
    asked = named("ann")
    assert taken(asked, handing(asked, "pia"), handing(asked, "bob", by="pia"))[1] is Judgement.NOT_PERMITTED


def test_who_has_decided_hands_nothing_over() -> None:
    asked = ledger("vm0", "vm1", policy=ApprovalPolicy(quorum=2))
    said = entry(asked.question, machines=("vm0",))
    assert taken(asked, said, handing(asked)) == [Judgement.RECORDED, Judgement.DUPLICATE]


def test_a_voice_may_be_handed_to_the_requester_only_where_they_may_approve() -> None:
    asked = named("ann", requester_may_approve=True)
    given = judge(asked, handing(asked, "dana"))
    assert judge(given, entry(asked.question, by="dana")).outcomes[NAME].by == ("dana for ann",)


def test_the_requester_is_known_again_in_a_delegate_who_came_under_another_name() -> None:
    asked = ledger(policy=ApprovalPolicy(approvers=("ann",)), requested_by="dana", requested_by_id="oid-dana")
    given = handing(asked, "second@x")
    assert taken(asked, given, entry(asked.question, by="second@x", by_id="OID-Dana")) == [
        Judgement.RECORDED,
        Judgement.NOT_PERMITTED,
    ]


def test_the_requester_is_known_by_every_name_under_which_they_were_seen_here() -> None:
    asked = ledger(policy=ApprovalPolicy(approvers=("ann",)), requested_by="dana", requested_by_id="oid-dana")
    tried = entry(asked.question, by="d.admin", by_id="OID-Dana")
    assert taken(asked, handing(asked, "d.admin")) == [Judgement.RECORDED]
    assert taken(asked, tried, handing(asked, "D.Admin")) == [Judgement.NOT_PERMITTED] * 2


def test_a_further_approver_hands_over_once_the_deadline_has_passed_and_not_before() -> None:
    further = Escalation(approvers=("cleo",), timeout=timedelta(hours=2))
    asked = named("ann", on_timeout=OnTimeout.ESCALATE, escalate_to=further)
    assert taken(asked, handing(asked, by="cleo")) == [Judgement.NOT_PERMITTED]
    assert taken(asked, handing(asked, by="cleo", at=at(days=1, hours=1))) == [Judgement.RECORDED]


def test_at_an_intervention_a_delegate_decides_too_and_the_requester_has_a_voice_to_hand_over() -> None:
    asked = ledger(gate=GateName.INTERVENTION, requested_by="ann")
    given = judge(asked, handing(asked))
    assert judge(given, entry(asked.question, Choice.RETRY, by="pia")).outcomes[NAME].by == ("pia for ann",)


def test_who_breaks_the_glass_does_so_in_their_own_name_though_their_voice_is_handed_over() -> None:
    asked = named("ann", break_glass=True, quorum=1)
    given = judge(asked, handing(asked))
    assert judge(given, emergency(asked, id="now")).outcomes[NAME].by == ("ann",)
    assert judge(given, emergency(asked, by="pia")).outcomes[NAME].by == ("pia",)
    assert taken(asked, emergency(asked).having(decision=Choice.DELEGATE, to="pia")) == [Judgement.UNFIT]


def test_a_ledger_from_before_voices_could_be_handed_over_reads_as_it_did() -> None:
    asked = ledger()
    old = asked.having(entries=(entry(asked.question, judgement=Judgement.RECORDED, person="ann"),)).to_wire()
    for each in old["entries"]:
        for name in ("to", "toAlso", "onBehalfOf"):
            del each[name]
    assert Ledger.from_wire(old).outcomes == {NAME: Outcome(decision=Choice.APPROVE, by=("ann",))}

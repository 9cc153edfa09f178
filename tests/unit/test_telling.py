"""What people are told can be acted on in the middle of the night by somebody who knows nothing of it yet."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from domain import telling
from domain.approvals import ApprovalPolicy, Escalation, GateName, OnTimeout
from domain.errors import Refusal
from domain.evidence import Kept
from domain.gate import Choice, Entry, Outcome, Question
from domain.notices import Notice, NoticeKind
from domain.planning import make_plan
from domain.report import Report, RunOutcome, make_report
from domain.showing import notes, row
from tests.unit.making import NAME, NOON, S, at, entry, facts, journey, question, request, validation

PLAN = make_plan(request(), facts())
KEY = "run-1:2-ask-failback"


def asked(gate: GateName = GateName.FAILBACK, **changes: Any) -> Question:
    state = S.HOME_UNCOMMITTED if gate is GateName.COMMIT else S.AWAY_REHEARSED
    shown = {
        "machines": [row(PLAN, journey(state, rehearsal=validation(), validation=validation()))],
        "notes": notes(gate, request()),
    }
    return question(gate=gate, shown=shown, requested_by="dana@contoso.com", **changes)


def text(notice: Notice) -> str:
    return "\n".join((notice.title, *notice.words, *(f"{name}: {value}" for name, value in notice.facts.items())))


@pytest.mark.parametrize("gate", list(GateName))
def test_an_opened_gate_tells_what_is_asked_of_which_machine_and_which_way_it_goes(gate: GateName) -> None:
    told = telling.gate_opened(asked(gate), KEY)
    assert NAME in told.title
    assert f"{NAME} from eastus to centralus" in told.words[0]
    assert "run-1" in told.words[0]
    assert told.facts["Asked by"] == "dana@contoso.com"
    assert all(f"{each}." in told.words for each in notes(gate, request()))


def test_an_opened_gate_tells_what_was_found_and_from_which_moment_the_data_would_be() -> None:
    told = telling.gate_opened(asked(), KEY)
    assert "; rehearsal: passed" in told.facts[NAME]
    rows = [{"name": NAME, "point": {"time": at().isoformat()}, "failure": {"what": "it broke"}}]
    told = telling.gate_opened(question(shown={"machines": rows}), KEY)
    assert told.facts[NAME] == "state unknown; recovery point of 2026-01-15 12:00 UTC; it broke"


def test_an_opened_gate_tells_who_decides_until_when_and_what_happens_otherwise() -> None:
    policy = ApprovalPolicy(approvers=("lee@contoso.com", "olive@contoso.com"), quorum=2)
    told = telling.gate_opened(asked(policy=policy, deadline=at(hours=2)), KEY)
    assert "Approval takes 2 different people: lee@contoso.com, olive@contoso.com; one can stop." in told.words
    assert told.words[-1] == (
        "If nobody decides by 2026-01-15 14:00 UTC (in 2 h): the machines stay where they are, "
        "and rehearsals are cleaned up."
    )
    assert told.facts["Deadline"] == "2026-01-15 14:00 UTC"


def test_a_failure_is_decided_by_one_person_whatever_the_quorum() -> None:
    policy = ApprovalPolicy(approvers=("lee", "olive"), quorum=2)
    assert (
        "One person decides: lee, olive."
        in telling.gate_opened(asked(GateName.INTERVENTION, policy=policy), KEY).words
    )


def test_silence_that_approves_is_told_as_such_and_a_held_gate_has_its_late_end() -> None:
    approves = telling.gate_opened(asked(policy=ApprovalPolicy(on_timeout=OnTimeout.APPROVE)), KEY)
    assert "silence approves the machines that were checked and found well" in approves.words[-1]
    held = telling.gate_opened(asked(policy=ApprovalPolicy(on_timeout=OnTimeout.HOLD), deadline=at(days=45)), KEY)
    assert "2026-03-01 12:00 UTC (in 45 d)" in held.words[-1]
    assert held.ask is not None
    assert held.ask.deadline == at(days=45)


def test_a_gate_that_escalates_tells_who_is_asked_next_and_when_it_is_really_over() -> None:
    further = Escalation(approvers=("max@contoso.com",), groups=("g-1", "g-2"), timeout=timedelta(hours=6))
    opened = asked(policy=ApprovalPolicy(on_timeout=OnTimeout.ESCALATE, escalate_to=further))
    told = telling.gate_opened(opened, KEY)
    assert told.words[-1].startswith(
        "If nobody decides by 2026-01-16 12:00 UTC (in 1 d): max@contoso.com and members of 2 groups can decide "
        "as well, until 2026-01-16 18:00 UTC; without them, the machines stay"
    )
    assert told.ask is not None
    assert told.ask.deadline == at(days=1, hours=6)
    late = telling.escalated(opened, KEY, further.approvers, at(days=1))
    assert late.words[-1].startswith("If nobody decides by 2026-01-16 18:00 UTC (in 6 h): the machines stay")
    assert late.facts["Deadline"] == "2026-01-16 18:00 UTC"


def test_groups_that_may_decide_are_counted_for_their_members_are_not_known() -> None:
    told = telling.gate_opened(asked(policy=ApprovalPolicy(groups=("g-1",), quorum=2)), KEY)
    assert "Approval takes 2 different people: members of 1 group; one can stop." in told.words


def test_a_notice_carries_what_a_personal_link_is_bound_to_and_no_link() -> None:
    opened = asked(policy=ApprovalPolicy(approvers=("lee@contoso.com",)))
    told = telling.gate_opened(opened, KEY)
    assert told.ask is not None
    assert (told.ask.gate, told.ask.key, told.ask.round) == (GateName.FAILBACK, KEY, 1)
    assert (told.ask.hash, told.ask.approvers) == (opened.hash, ("lee@contoso.com",))
    assert "http" not in text(told)


def test_many_machines_are_told_by_number_once_nobody_could_read_their_names() -> None:
    names = [f"vm-{number:03}" for number in range(100)]
    rows = [{"name": name, "from": "eastus", "to": "centralus"} for name in names]
    told = telling.gate_opened(question(*names, shown={"machines": rows}), KEY)
    assert told.title.endswith("vm-007, and 92 more home")
    assert len(text(told)) < 3_000


def test_every_notice_of_a_gate_has_an_id_of_its_own_that_a_repetition_keeps() -> None:
    opened = asked()
    notices = [
        telling.gate_opened(opened, KEY),
        telling.reminder(opened, KEY, 1, at(hours=1)),
        telling.reminder(opened, KEY, 2, at(hours=2)),
        telling.escalated(opened, KEY, ["max@contoso.com"], at(hours=3)),
        telling.gate_closed(opened, KEY, {}, at(hours=4)),
        telling.break_glass(opened, KEY, entry(opened)),
    ]
    assert len({each.id for each in notices}) == len(notices)
    assert telling.reminder(opened, KEY, 2, at(hours=9)).id == notices[2].id


def test_a_reminder_says_for_how_long_nobody_has_decided() -> None:
    told = telling.reminder(asked(), KEY, 1, at(hours=3))
    assert told.title == f"Reminder: Approve bringing {NAME} home"
    assert told.words[1] == "Nobody has decided for 3 h."
    assert "(in 21 h)" in told.words[-1]


def test_a_reminder_goes_to_those_who_have_not_answered_yet_and_says_that_others_have() -> None:
    further = Escalation(approvers=("max@contoso.com",))
    policy = ApprovalPolicy(
        approvers=("Ann@contoso.com", "bob@contoso.com"),
        quorum=2,
        on_timeout=OnTimeout.ESCALATE,
        escalate_to=further,
    )
    heard = telling.Heard(1, frozenset({"ann@contoso.com", "oid-ann"}))
    early = telling.reminder(asked(policy=policy), KEY, 1, at(hours=3), heard)
    late = telling.reminder(asked(policy=policy), KEY, 9, at(hours=25), heard)
    assert early.words[1] == "1 person has answered, and it is undecided for 3 h."
    assert early.ask is not None
    assert late.ask is not None
    assert early.ask.approvers == ("bob@contoso.com",)
    assert late.ask.approvers == ("bob@contoso.com", "max@contoso.com")


def test_who_may_decide_is_named_as_far_as_the_policy_names_anybody() -> None:
    further = Escalation(approvers=("max@contoso.com",), groups=("g-2",))
    escalates = {"on_timeout": OnTimeout.ESCALATE, "escalate_to": further}
    named = asked(policy=ApprovalPolicy(approvers=("ann",), groups=("g-1",), **escalates))
    anybody = asked(policy=ApprovalPolicy(**escalates))
    assert telling.deciders(named, at(hours=1)) == "ann and members of 1 group"
    assert telling.deciders(named, at(hours=25)) == "ann, max@contoso.com and members of 2 groups"
    assert (telling.deciders(anybody, at(hours=1)), telling.deciders(anybody, at(hours=25))) == ("", "")
    two = telling.reminder(named, KEY, 1, at(hours=3), telling.Heard(2, frozenset()))
    assert two.words[1] == "2 people have answered, and it is undecided for 3 h."


def test_silence_approves_at_no_gate_where_nothing_was_found_well() -> None:
    silent = ApprovalPolicy(on_timeout=OnTimeout.APPROVE)
    for gate in GateName:
        told = telling.gate_opened(asked(gate=gate, policy=silent), KEY).words[-1]
        assert ("silence approves" in told) is (gate in {GateName.FAILBACK, GateName.COMMIT})


def test_an_escalation_is_urgent_and_asks_the_further_people() -> None:
    told = telling.escalated(asked(), KEY, ["max@contoso.com"], at(hours=3))
    assert told.urgent
    assert told.words[1] == "Nobody has decided for 3 h; now max@contoso.com can decide as well."
    assert told.ask is not None
    assert told.ask.approvers == ("max@contoso.com",)
    assert "everybody who may approve" in telling.escalated(asked(), KEY, [], at(hours=3)).words[1]


def test_a_closed_gate_tells_what_was_decided_by_whom_and_what_silence_came_to() -> None:
    outcomes = {
        "a": Outcome(decision=Choice.APPROVE, by=("lee", "olive")),
        "b": Outcome(decision=Choice.APPROVE, by=("lee", "olive")),
        "c": Outcome(decision=Choice.STOP),
    }
    told = telling.gate_closed(question("a", "b", "c", "d"), KEY, outcomes, at(hours=1))
    assert told.words == (
        "a, b: approve, by lee, olive.",
        "c: stop, by silence.",
        "d: nobody decided; the machines stay where they are, and rehearsals are cleaned up.",
    )
    assert (told.kind, told.facts["Waited"], told.ask) == (NoticeKind.GATE_CLOSED, "1 h", None)
    assert len(telling.gate_closed(question("a"), KEY, {"a": outcomes["a"]}, at()).words) == 1


def test_break_glass_is_told_urgently_with_the_person_and_the_reason() -> None:
    opened = asked(policy=ApprovalPolicy(quorum=2))
    told = telling.break_glass(opened, KEY, entry(opened, by="max", comment="both approvers\nare asleep"))
    assert told.urgent
    assert "max decided alone" in told.title
    assert "2 different people" in told.words[0]
    assert told.facts["Reason"] == "both approvers are asleep"
    assert telling.break_glass(opened, KEY, entry(opened)).facts["Reason"] == "none given"


def ended(*journeys: Any, **changes: Any) -> Report:
    report = make_report(
        run="run-1",
        plan=PLAN,
        journeys=list(journeys),
        decisions=[],
        started=NOON,
        ended=at(hours=2),
        waited=timedelta(minutes=30),
        cancelled=None,
    )
    return report.having(**changes)


def test_the_end_of_a_run_is_told_for_every_machine_with_its_warnings() -> None:
    told = telling.run_ended(ended(journey(S.AWAY_PROTECTED), warnings=("a test machine is left",)))
    assert told.title.startswith("Run run-1 ended: ")
    assert any(NAME in line for line in told.words)
    assert "Warning: a test machine is left" in told.words
    assert told.facts["Took"] == "2 h, of which 30 min waiting for people"
    assert told.urgent


def test_a_run_that_was_refused_tells_why_and_one_that_went_well_is_not_urgent() -> None:
    refusal = Refusal(code="MachineHeld", what="run fb-9 holds this machine", remedy="wait")
    refused = telling.run_ended(ended(outcome=RunOutcome.REFUSED, refusals=(refusal,), warnings=()))
    assert "Refused: run fb-9 holds this machine" in refused.words
    assert not refused.urgent
    assert telling.run_ended(ended(outcome=RunOutcome.PARTIAL, warnings=())).urgent


def test_the_end_of_a_run_tells_the_last_hash_of_its_evidence_and_what_is_not_stored() -> None:
    kept = Kept(records=9, stored=9, head="a" * 64)
    assert telling.run_ended(ended(evidence=kept)).facts["Evidence"] == f"9 records, last hash {'a' * 64}"
    told = telling.run_ended(ended(evidence=kept.having(stored=7)))
    assert told.facts["Evidence"].startswith("9 records, 2 of them not stored, ")
    assert "Evidence" not in telling.run_ended(ended(evidence=kept.having(stored=0))).facts
    assert "Evidence" not in telling.run_ended(ended()).facts


def test_a_withdrawn_proposal_says_that_nothing_was_begun() -> None:
    told = telling.withdrawn("run-1", "the alert was resolved", NOON)
    assert told.words == ("Nothing was begun: the alert was resolved.", "There is nothing left to decide.")


def test_what_was_left_behind_is_named_and_urgent() -> None:
    told = telling.left_over("run-1", [f"disk {number}" for number in range(10)], NOON)
    assert told.urgent
    assert told.words[0] == "disk 0."
    assert told.words[-1] == "and 2 more"


def test_what_people_wrote_is_cut_and_on_one_line() -> None:
    told = telling.break_glass(asked(), KEY, entry(asked(), comment="x" * 9_999))
    assert len(told.facts["Reason"]) <= 500


def handed(to: str = "pia@contoso.com", **changes: Any) -> Entry:
    return entry(question(), Choice.DELEGATE, "lee@contoso.com", to=to, comment="on leave", id="d-1", **changes)


def test_a_delegate_is_told_for_whom_they_decide_and_all_that_they_need_for_it() -> None:
    opened = asked(policy=ApprovalPolicy(approvers=("lee@contoso.com", "olive@contoso.com")))
    told = telling.delegated(opened, KEY, handed())
    assert told.id == f"{KEY}:delegated:d-1"
    assert told.title == f"In place of another: Approve bringing {NAME} home"
    assert "pia@contoso.com decides for lee@contoso.com: on leave." in told.words
    assert told.words[-1].startswith("If nobody decides by")
    assert told.ask is not None
    assert (told.ask.hash, told.ask.approvers) == (opened.hash, ("pia@contoso.com",))


def test_a_delegate_who_is_named_by_object_id_is_reached_at_the_addresses_that_the_settings_know() -> None:
    also = ("0d-1", "pia@contoso.com", "p.smith@contoso.com", "pia")
    told = telling.delegated(asked(), KEY, handed("0d-1", to_also=also))
    assert told.ask is not None
    assert told.ask.approvers == ("pia@contoso.com", "p.smith@contoso.com")


def test_reminders_go_to_the_delegate_until_they_have_answered_and_not_to_whom_they_stand_in_for() -> None:
    opened = asked(policy=ApprovalPolicy(approvers=("lee@contoso.com", "olive@contoso.com"), quorum=2))
    for more, people in (
        (frozenset[str](), ("olive@contoso.com", "pia@contoso.com")),
        (frozenset({"pia@contoso.com"}), ("olive@contoso.com",)),
    ):
        heard = telling.Heard(0, frozenset({"lee@contoso.com"}) | more, (handed(),))
        told = telling.reminder(opened, KEY, 1, at(hours=1), heard)
        assert told.ask is not None
        assert told.ask.approvers == people
        assert "pia@contoso.com decides for lee@contoso.com: on leave." in told.words


def test_a_delegate_who_is_an_approver_anyway_is_reminded_once() -> None:
    opened = asked(policy=ApprovalPolicy(approvers=("lee@contoso.com", "Pia@contoso.com")))
    heard = telling.Heard(0, frozenset({"lee@contoso.com"}), (handed(),))
    told = telling.reminder(opened, KEY, 1, at(hours=1), heard)
    assert told.ask is not None
    assert told.ask.approvers == ("Pia@contoso.com",)


def test_further_people_and_whoever_reads_how_it_ended_are_told_who_decided_for_whom() -> None:
    moved = "pia@contoso.com decides for lee@contoso.com: on leave."
    heard = telling.Heard(0, frozenset(), (handed(),))
    assert moved in telling.escalated(asked(), KEY, ["max@contoso.com"], at(hours=3), heard=heard).words
    outcome = {NAME: Outcome(decision=Choice.APPROVE, by=("pia@contoso.com for lee@contoso.com",))}
    closed = telling.gate_closed(asked(), KEY, outcome, at(hours=1), [handed()])
    assert closed.words == (f"{NAME}: approve, by pia@contoso.com for lee@contoso.com.", moved)

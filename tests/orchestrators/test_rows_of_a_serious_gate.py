"""What a serious approval gate must have, row by row, and the tests that show each here.

The rows are those by which gates of pipelines, workflow engines and recovery orchestrators were compared; the
tests go through HTTP on the local host.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

TESTS = Path(__file__).resolve().parents[1]
PROMISES = "orchestrators/test_what_a_gate_promises.py"
PEOPLE = "orchestrators/test_what_people_decide.py"
DELEGATION = "triggers/test_delegation.py"
# Through these, whoever calls them comes in by HTTP; one of a rehearsal that plays a whole run may not.
DOORS = frozenset({"request", "decide"})
METHODS = frozenset({"GET", "POST"})
ROWS = {
    "Named approvers and groups": (
        "orchestrators/test_what_a_gate_promises.py::test_named_approvers_alone_may_decide",
        "triggers/test_decisions.py::test_a_decision_by_token_carries_object_id_groups_roles_and_address",
    ),
    "Quorum N of M, of distinct people": (
        f"{PEOPLE}::test_a_quorum_of_two_needs_two_people_and_the_requester_is_not_one_of_them",
        "triggers/test_decisions.py::test_the_same_person_by_link_and_by_name_is_one_person",
    ),
    "Requester may not approve, not by a second account either": (
        "triggers/test_decisions.py::test_a_second_account_of_the_requester_may_not_approve",
        "triggers/test_decisions.py::test_a_mailbox_that_may_be_anybodys_is_no_voice_of_its_own",
        "triggers/test_decisions.py::test_who_approves_by_mail_and_by_sign_in_under_other_names_is_one_person",
    ),
    "Time-out with a defined outcome": (
        "orchestrators/test_what_people_decide.py::test_silence_stops_after_the_deadline_and_cleans_up",
        "triggers/test_decisions.py::test_silence_ends_a_gate_as_its_policy_says",
        f"{PEOPLE}::test_silence_approves_where_the_policy_says_so_and_every_check_passed",
        "orchestrators/test_what_people_decide.py::test_a_gate_that_holds_waits_far_beyond_its_deadline",
    ),
    "Wait longer than six days": (
        f"{PROMISES}::test_a_gate_waits_forty_five_days_with_reminders_and_small_histories",
    ),
    "Deferred: approve now, act at two": (
        "orchestrators/test_what_a_gate_promises.py::test_what_is_approved_now_for_two_in_the_morning_is_done_then",
    ),
    "Business hours and calendar": (
        "orchestrators/test_what_a_gate_promises.py::test_inside_the_window_alone_is_what_was_approved_done",
        f"{PROMISES}::test_the_windows_end_withdraws_the_approval_and_the_gate_asks_again",
    ),
    "Exclusive lock across waiting runs": (
        "triggers/test_doors.py::test_a_second_run_for_a_machine_is_409_and_names_the_first",
    ),
    "Checks run again at the moment of approval": (
        f"{PROMISES}::test_an_approval_is_void_when_what_was_shown_has_changed_and_says_why",
    ),
    "Reason required": (
        "orchestrators/test_what_a_gate_promises.py::test_a_reason_is_required_where_the_policy_wants_one",
    ),
    "Who approved is recorded: identity, time, method, hash": (
        f"{PROMISES}::test_who_approved_is_recorded_with_the_hash_the_time_and_the_way",
        "triggers/test_decisions.py::test_a_decision_says_who_made_it_how_that_is_known_and_when",
    ),
    "Signed, expiring, single-use links, bound to person and content": (
        "pages/test_pages.py::test_a_link_counts_once",
        "pages/test_pages.py::test_a_link_that_has_expired_is_gone",
        "pages/test_pages.py::test_a_link_that_was_touched_is_none_of_ours",
        "pages/test_pages.py::test_a_link_does_not_answer_another_question_than_its_own",
        "pages/test_pages.py::test_a_link_that_expires_while_its_page_is_open_records_nothing",
        "pages/test_pages.py::test_a_link_is_worth_nothing_to_somebody_else_who_is_signed_in",
    ),
    "Approval void when the content changes": (
        f"{PROMISES}::test_an_approval_is_void_when_what_was_shown_has_changed_and_says_why",
        "orchestrators/test_what_people_decide.py::test_a_stale_decision_is_refused_and_kept_in_the_record",
    ),
    "Escalation, reminder, delegate": (
        f"{PROMISES}::test_after_the_deadline_further_people_are_asked_and_told_and_then_the_run_stops",
        f"{PROMISES}::test_a_gate_waits_forty_five_days_with_reminders_and_small_histories",
        f"{PROMISES}::test_reminders_leave_those_in_peace_who_have_answered",
        f"{DELEGATION}::test_a_delegate_decides_in_the_place_of_an_approver_and_the_record_says_for_whom_and_why",
        f"{DELEGATION}::test_the_delegate_is_told_at_once_and_gets_the_reminders_instead",
        f"{DELEGATION}::test_a_delegate_has_a_signed_link_of_their_own_and_decides_by_it",
        f"{DELEGATION}::test_two_voices_in_one_hand_are_one_voice_however_they_got_there",
        f"{DELEGATION}::test_a_voice_goes_to_nobody_who_may_not_have_it_and_every_try_is_kept",
    ),
    "Late or duplicate decision handled": (
        "triggers/test_decisions.py::test_a_decision_after_the_end_is_gone_and_kept",
        "triggers/test_decisions.py::test_the_same_decision_sent_again_under_its_key_is_one_decision",
        f"{PROMISES}::test_a_decision_after_the_deadline_is_late_even_if_the_gate_has_not_closed",
        "pages/test_pages.py::test_what_a_page_sends_too_late_is_refused_and_kept",
    ),
}


@cache
def functions(file: str) -> dict[str, ast.FunctionDef]:
    """Give a file's functions, those of its classes too, by name."""
    tree = ast.parse((TESTS / file).read_text())
    return {each.name: each for each in ast.walk(tree) if isinstance(each, ast.FunctionDef)}


def called(node: ast.AST) -> Iterator[ast.Call]:
    yield from (each for each in ast.walk(node) if isinstance(each, ast.Call))


def named(call: ast.Call) -> str:
    return getattr(call.func, "id", getattr(call.func, "attr", ""))


def comes_in_by_http(file: str, name: str, seen: frozenset[str] = frozenset()) -> bool:
    """Tell whether a test sends requests to the host, itself or by a function of its file."""
    for call in called(functions(file)[name]):
        to = named(call)
        by_method = any(isinstance(each, ast.Constant) and each.value in METHODS for each in call.args)
        if to in DOORS and (to == "decide" or by_method):
            return True
        if to in functions(file).keys() - seen and comes_in_by_http(file, to, seen | {name, to}):
            return True
    return False


@pytest.mark.parametrize("row", ROWS)
def test_every_row_is_shown_by_tests_that_exist(row: str) -> None:
    for file, name in (place.split("::") for place in ROWS[row]):
        assert name in functions(file), f"{row}: there is no {name} in {file}"


@pytest.mark.parametrize("row", ROWS)
def test_every_row_is_shown_by_a_test_that_comes_in_by_http(row: str) -> None:
    assert any(comes_in_by_http(*place.split("::")) for place in ROWS[row])


def test_a_run_that_is_played_to_its_end_in_silence_comes_in_by_no_door() -> None:
    assert not comes_in_by_http(PEOPLE, "test_silence_stops_after_the_deadline_and_cleans_up")

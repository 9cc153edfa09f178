"""What a serious approval gate must have, row by row, and the tests that show each here.

The rows are those by which gates of pipelines, workflow engines and recovery orchestrators were compared; the
tests go through HTTP on the local host.
"""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

TESTS = Path(__file__).resolve().parents[1]
PROMISES = "orchestrators/test_what_a_gate_promises.py"
PEOPLE = "orchestrators/test_what_people_decide.py"
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
    ),
    "Late or duplicate decision handled": (
        "triggers/test_decisions.py::test_a_decision_after_the_end_is_gone_and_kept",
        "triggers/test_decisions.py::test_the_same_decision_sent_again_under_its_key_is_one_decision",
        f"{PROMISES}::test_a_decision_after_the_deadline_is_late_even_if_the_gate_has_not_closed",
        "pages/test_pages.py::test_what_a_page_sends_too_late_is_refused_and_kept",
    ),
}


@pytest.mark.parametrize("row", ROWS)
def test_every_row_is_shown_by_tests_that_exist(row: str) -> None:
    for place in ROWS[row]:
        file, _, name = place.partition("::")
        known = {
            each.name for each in ast.parse((TESTS / file).read_text()).body if isinstance(each, ast.FunctionDef)
        }
        assert name in known, f"{row}: there is no {place}"

"""The sixteen rules of the extension and its framework, and the pitfalls: which test here is about each."""

import importlib
from collections.abc import Mapping

import pytest

RULES: Mapping[str, tuple[str, ...]] = {
    "1 sequence numbers": ("test_second_replay::test_an_action_starts_when_the_one_before_it_is_done",),
    "2 when-all waits for every child": (
        "test_second_replay::test_when_all_waits_for_every_child_even_if_one_failed",
        "test_pitfalls::test_a_compensation_after_a_failed_task_all_waits_for_the_slowest_branch",
    ),
    "3 retries": (
        "test_second_replay::test_a_retry_waits_its_interval_and_after_the_last_failure_not_at_all",
        "test_engine_flows::test_the_last_failed_attempt_is_followed_by_one_timer_that_fires_at_once",
        "test_lifecycle::test_a_sub_orchestration_retry_reuses_its_id",
    ),
    "4 the end waits for open tasks": (
        "test_rules::test_a_branch_that_lost_a_race_holds_an_instance_open",
        "test_rules::test_what_is_never_yielded_is_never_asked_for",
        "test_second_replay::test_waiting_for_an_event_holds_nothing_open",
    ),
    "5 cancelled timers": (
        "test_second_replay::test_a_canceled_timer_takes_its_number_and_holds_nothing_open",
        "test_rules::test_a_cancelled_timer_that_fires_is_not_heard",
    ),
    "6 events": (
        "test_second_replay::test_an_event_goes_to_the_latest_waiter_of_its_name_in_any_case",
        "test_second_replay::test_events_before_their_waiter_are_kept_in_order",
        "test_pitfalls::test_waiters_of_one_name_are_served_last_come_first_and_payloads_in_order",
        "test_pitfalls::test_events_that_arrive_after_continue_as_new_was_asked_for_go_to_the_next_generation",
    ),
    "7 continue-as-new": (
        "test_engine_flows::test_continue_as_new_starts_over_with_a_new_input_and_an_empty_history",
        "test_rules::test_a_child_that_continues_as_new_keeps_parent_name_version_and_status",
        "test_rules::test_the_custom_status_goes_on_to_the_next_generation",
        "test_lifecycle::test_an_answer_for_a_generation_that_is_over_is_dropped",
        "test_lifecycle::test_timers_of_a_generation_that_is_over_are_forgotten",
    ),
    "8 terminate": (
        "test_lifecycle::test_terminating_ends_an_instance_with_the_reason_as_its_output",
        "test_lifecycle::test_terminating_works_while_suspended",
        "test_lifecycle::test_terminating_a_child_fails_its_parent_and_terminating_a_parent_leaves_the_child",
        "test_rules::test_terminating_stops_neither_activities_nor_what_they_do",
    ),
    "9 suspend and resume": (
        "test_second_replay::test_while_suspended_nothing_happens_and_then_everything_does",
        "test_lifecycle::test_a_suspended_instance_keeps_what_arrives_until_it_is_resumed",
        "test_rules::test_while_suspended_only_the_custom_status_runs_ahead",
    ),
    "10 non-determinism": ("test_pitfalls::test_changed_code_under_a_running_instance_is_detected",),
    "11 duplicate and stale messages": (
        "test_rules::test_a_second_start_and_a_stale_message_are_dropped",
        "test_rules::test_a_message_for_what_is_over_or_gone_is_dropped",
    ),
    "12 ids of children": (
        "test_engine_flows::test_a_child_gets_its_input_and_an_id_of_its_parents_execution",
        "test_official::test_a_child_with_an_impossible_id_fails_its_parent",
    ),
    "13 custom status": (
        "test_pitfalls::test_a_custom_status_holds_sixteen_kilobytes_of_utf_16",
        "test_rules::test_a_custom_status_that_a_replay_does_not_set_is_gone",
    ),
    "14 the most actions": ("test_rules::test_an_orchestration_that_asks_for_too_much_fails",),
    "15 unknown activities": (
        "test_pitfalls::test_an_unknown_activity_fails_the_instance_and_says_that_azure_may_hang",
    ),
    "16 names in any case": ("test_pitfalls::test_function_names_count_in_any_case",),
}

PITFALLS: Mapping[str, tuple[str, ...]] = {
    "code change under running instances": (
        "test_pitfalls::test_changed_code_under_a_running_instance_is_detected",
    ),
    "activity error type lost": ("test_pitfalls::test_the_type_of_an_activitys_error_is_lost",),
    "task_all fails late": (
        "test_pitfalls::test_a_compensation_after_a_failed_task_all_waits_for_the_slowest_branch",
    ),
    "un-cancelled timer": ("test_pitfalls::test_a_timer_that_is_not_cancelled_keeps_the_instance_running",),
    "timers over six days": (
        "test_pitfalls::test_a_timer_of_more_than_six_days_goes_in_hops_and_cannot_be_cancelled",
        "test_pitfalls::test_a_timer_of_ten_days_fires_after_ten_days",
    ),
    "one buffered event": (
        "test_pitfalls::test_one_buffered_event_satisfies_the_sdks_next_wait_and_hangs_the_host",
    ),
    "event name case": ("test_pitfalls::test_an_event_in_another_case_reaches_the_host_but_not_the_sdk",),
    "event data double-encoded": ("test_client_binding::test_event_data_raised_by_the_sdk_arrives_as_json_text",),
    "events lost at continue_as_new": ("test_pitfalls::test_events_buffered_before_continue_as_new_are_dropped",),
    "naive and non-UTC times": (
        "test_pitfalls::test_a_naive_time_cannot_be_waited_for",
        "test_pitfalls::test_a_time_in_another_zone_is_taken_for_utc",
    ),
    "get_status_all is a hundred rows": ("test_client_binding::test_all_statuses_are_listed_a_hundred_at_most",),
    "unknown activity": (
        "test_pitfalls::test_an_unknown_activity_fails_the_instance_and_says_that_azure_may_hang",
    ),
    "call_http never polls": (
        "test_durable_http::test_a_call_that_is_still_under_way_answers_202_and_is_polled_by_timers",
    ),
    "raw input over HTTP": ("test_pitfalls::test_raw_input_that_is_no_object_fails_in_get_input",),
    "custom status": (
        "test_pitfalls::test_a_custom_status_holds_sixteen_kilobytes_of_utf_16",
        "test_pitfalls::test_a_falsy_custom_status_clears_to_nothing",
    ),
    "history growth": (
        "test_pitfalls::test_history_grows_with_a_fan_out_and_each_step_replays_all_of_it",
        "test_concurrency::test_a_wide_fan_out_costs_few_replays",
    ),
    "large payloads": ("test_client_binding::test_a_large_value_goes_in_and_comes_out",),
    "terminate does not stop what runs": (
        "test_rules::test_terminating_stops_neither_activities_nor_what_they_do",
        "test_lifecycle::test_terminating_a_child_fails_its_parent_and_terminating_a_parent_leaves_the_child",
    ),
    "activities at least once": (
        "test_command::test_a_function_that_takes_the_process_down_runs_again_at_the_next_start",
    ),
    "set_result after destruct": ("test_pitfalls::test_destruct_before_set_result_revives_the_entity",),
    "a generator without yield": ("test_pitfalls::test_a_generator_that_forgets_to_yield_goes_on_at_once",),
}

ROWS = {**RULES, **PITFALLS}


@pytest.mark.parametrize("row", ROWS)
def test_each_rule_and_each_pitfall_has_a_test_that_exists(row: str) -> None:
    assert ROWS[row]
    for place in ROWS[row]:
        module, _, name = place.partition("::")
        found = getattr(importlib.import_module(f"tests.localhost.{module}"), name, None)
        assert callable(found), f"{row}: there is no {place}"
        assert name.startswith("test_")

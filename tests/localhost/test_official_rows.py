"""Every row of Microsoft's end-to-end suites that applies to Python apps, and the tests here that say it again.

Azure/azure-functions-durable-extension, test/e2e/Tests (what its traits do not skip for Python on Azure Storage),
and microsoft/durabletask-python, tests/azure-functions-durable/e2e/test_v1_*.py (36 cases of the classic style).
"""

import importlib
from collections.abc import Mapping

import pytest

EXTENSION: Mapping[str, tuple[str, ...]] = {
    "ActivityInputTypeTests.DifferentActivityInputTypeTests": (
        "test_official::test_an_activity_gets_and_returns_any_json_value",
        "test_official::test_an_object_with_to_json_goes_to_an_activity_and_back",
    ),
    "ClassBasedEntityTests.ClassBasedEntityTest": ("test_official::test_an_entity_may_be_a_class",),
    "DedupeStatusesTests.CanStartOrchestration_WithSameId_ForAllStatuses_ForEmptyDedupeStatuses": (
        "test_official_errors::test_with_any_state_overridable_every_instance_can_be_started_over",
        "test_official_errors::test_without_it_what_is_not_finished_cannot_be_started_over",
    ),
    "DisabledOrchestrationTests.ActiveOrchestration_StartsWhenDisabledFunctionsAreRegistered": (
        "test_official_errors::test_functions_that_are_disabled_do_not_hinder_the_others",
    ),
    "ErrorHandlingTests.OrchestratorWithUncaughtActivityException_ShouldFail": (
        "test_official_errors::test_an_uncaught_activity_error_fails_the_orchestration_with_both_names",
    ),
    "ErrorHandlingTests.OrchestratorWithUncaughtEntityException_ShouldFail": (
        "test_official_errors::test_an_uncaught_entity_error_fails_the_orchestration",
    ),
    "ErrorHandlingTests.OrchestratorWithCaughtActivityException_ShouldSucceed": (
        "test_official_errors::test_a_caught_activity_error_is_text_and_lets_the_orchestration_go_on",
    ),
    "ErrorHandlingTests.OrchestratorWithCaughtEntityException_ShouldSucceed": (
        "test_official_errors::test_a_caught_entity_error_is_its_own_text_without_what_caused_it",
    ),
    "ErrorHandlingTests.OrchestratorWithRetriedActivityException_ShouldSucceed": (
        "test_engine_flows::test_an_activity_is_retried_after_its_interval_until_it_succeeds",
    ),
    "ErrorHandlingTests.OrchestratorWithRetriedEntityException_ShouldSucceed": (
        "test_official::test_an_entity_that_fails_can_be_called_again_until_it_does_not",
    ),
    "ExternalEventTests.RaiseExternalEventTests": (
        "test_client_binding::test_event_data_raised_by_the_sdk_arrives_as_json_text",
        "test_client_binding::test_an_event_for_nobody_and_for_the_finished_are_different_failures",
        "test_pitfalls::test_a_generator_that_forgets_to_yield_goes_on_at_once",
    ),
    "ExternalEventTests.NotFoundInstanceTest": (
        "test_client_binding::test_an_event_for_nobody_and_for_the_finished_are_different_failures",
    ),
    "HttpEndToEndTests.HttpTriggerTests": ("test_official::test_hello_cities_over_http",),
    "IsReplayingTests.IsReplayingBasic_CompletesWithExpectedReplayFlags": (
        "test_official::test_replaying_is_false_exactly_once_at_each_point",
    ),
    "IsReplayingTests.IsReplayingMultiActivity_SnapshotsShowReplayProgression": (
        "test_official_errors::test_in_the_last_replay_only_what_follows_the_last_activity_is_new",
    ),
    "IsReplayingTests.IsReplayingConditionalLog_OnlyCountsLiveExecutionPaths": (
        "test_official_errors::test_what_is_logged_when_not_replaying_is_logged_once",
    ),
    "IsReplayingTests.IsReplayingCounter_TracksReplayAndLiveCheckpoints": (
        "test_official_errors::test_in_the_last_replay_only_what_follows_the_last_activity_is_new",
    ),
    "IsReplayingTests.IsReplayingFanOutFanIn_ReportsReplayStateAroundParallelTasks": (
        "test_official_errors::test_after_a_fan_in_nothing_is_replaying",
    ),
    "LargeOutputOrchestratorTests.LargeOutputStatusQueryTests": (
        "test_client_binding::test_a_large_value_goes_in_and_comes_out",
    ),
    "LargeOutputOrchestratorTests.DurableTaskClientWriteOutputTests": (
        "test_client_binding::test_a_large_value_goes_in_and_comes_out",
    ),
    "OrchestrationQueryTests.ListAllOrchestrations_ShouldSucceed": (
        "test_client_binding::test_all_statuses_are_listed_a_hundred_at_most",
    ),
    "OrchestrationQueryTests.ListRunningOrchestrations_ShouldContainRunningOrchestration": (
        "test_client_binding::test_statuses_are_found_by_status_and_time",
    ),
    "PurgeInstancesTests.PurgeOrchestrationHistory_StartAndEnd_Succeeds": (
        "test_official_errors::test_purging_by_time_counts_what_it_purged",
        "test_client_binding::test_purging_by_status_and_time_counts_what_was_there",
    ),
    "PurgeInstancesTests.PurgeOrchestrationHistory_Start_Succeeds": (
        "test_official_errors::test_purging_by_time_counts_what_it_purged",
    ),
    # The extension of 2026 refuses to purge what runs (412); that of 2024 deletes it. This host does either.
    "PurgeInstancesTests.PurgeOnlyPurgesTerminalOrchestrations": (
        "test_official_errors::test_what_is_over_can_be_purged_once",
        "test_lifecycle::test_a_purged_instance_is_forgotten_even_while_it_runs",
        "test_api_editions::test_only_what_is_over_can_be_purged",
    ),
    "PurgeInstancesTests.PurgeEntity": ("test_official_errors::test_an_entity_can_be_purged_by_its_id",),
    "RewindOrchestratorTests.RewindFailedOrchestration_ShouldSucceed": (
        "test_lifecycle::test_rewinding_runs_only_what_failed_again",
        "test_lifecycle::test_rewinding_reaches_the_child_that_failed",
    ),
    # 410 and 500 in the extension of 2024, 412 in that of 2026.
    "RewindOrchestratorTests.RewindOnlyRewindsFailedOrchestrations": (
        "test_lifecycle::test_only_a_failed_instance_can_be_rewound",
        "test_api_editions::test_only_what_failed_can_be_rewound",
    ),
    # Python has no scheduled starts: its app waits for a timer instead, which may be of the past.
    "ScheduledOrchestrationTests.ScheduledStartTests": (
        "test_official_errors::test_an_orchestration_waits_for_its_moment_or_goes_on_at_once",
    ),
    "SuspendResumeTests.SuspendAndResumeRunningOrchestration_ShouldSucceed": (
        "test_client_binding::test_terminate_suspend_and_resume_answer_as_the_sdk_expects",
        "test_lifecycle::test_a_suspended_instance_keeps_what_arrives_until_it_is_resumed",
    ),
    "SuspendResumeTests.SuspendSuspendedOrchestration_ShouldFail": (
        "test_client_binding::test_terminate_suspend_and_resume_answer_as_the_sdk_expects",
    ),
    "SuspendResumeTests.ResumeRunningOrchestration_ShouldFail": (
        "test_client_binding::test_terminate_suspend_and_resume_answer_as_the_sdk_expects",
    ),
    "SuspendResumeTests.SuspendResumeCompletedOrchestration_ShouldFail": (
        "test_client_binding::test_suspending_and_resuming_what_is_over_is_no_error_to_the_sdk",
    ),
    "TerminateOrchestratorTests.TerminateRunningOrchestration_ShouldSucceed": (
        "test_client_binding::test_terminate_suspend_and_resume_answer_as_the_sdk_expects",
    ),
    "TerminateOrchestratorTests.TerminateTerminatedOrchestration_ShouldFail": (
        "test_management_api::test_what_is_finished_is_gone",
        "test_client_binding::test_terminate_suspend_and_resume_answer_as_the_sdk_expects",
    ),
    "TerminateOrchestratorTests.TerminateCompletedOrchestration_ShouldFail": (
        "test_management_api::test_what_is_finished_is_gone",
    ),
    "TerminateOrchestratorTests.TerminateNonExistantOrchestration_ShouldFail": (
        "test_client_binding::test_terminate_suspend_and_resume_answer_as_the_sdk_expects",
    ),
    "TimeoutTests.TimeoutFunction_ShouldTimeoutWhenAppropriate": (
        "test_official_errors::test_an_activity_and_a_deadline_race_in_real_time",
    ),
    "VersioningTests.TestVersionedOrchestration_OKWithMatchingVersion": (
        "test_client_binding::test_a_version_given_at_the_start_is_what_the_orchestrator_sees",
        "test_official::test_a_worker_takes_only_the_versions_its_strategy_allows",
    ),
    "VersioningTests.TestVersionedSubOrchestration_OKWithMatchingVersion": (
        "test_official_errors::test_a_child_has_the_version_it_was_given_or_the_default",
    ),
    "VersioningTests.TestVersionedOrchestration_FailsWithNonMatchingVersion": (
        "test_official::test_a_worker_takes_only_the_versions_its_strategy_allows",
    ),
}

CLASSIC_STYLE: Mapping[str, tuple[str, ...]] = {
    "test_activity_chaining": ("test_official::test_hello_cities_over_http",),
    "test_fan_out_fan_in": (
        "test_engine_flows::test_a_fan_out_gathers_its_results_in_the_order_asked_for_whatever_the_seed",
    ),
    "test_sub_orchestration": (
        "test_engine_flows::test_a_child_gets_its_input_and_an_id_of_its_parents_execution",
    ),
    "test_continue_as_new": (
        "test_engine_flows::test_continue_as_new_starts_over_with_a_new_input_and_an_empty_history",
    ),
    "test_external_event_and_custom_status": (
        "test_engine_flows::test_an_event_raised_from_outside_reaches_its_waiter_decoded",
        "test_management_api::test_a_status_is_202_while_it_runs_and_200_when_it_is_over",
    ),
    "test_entity_via_orchestration": (
        "test_engine_flows::test_an_entity_answers_its_callers_and_keeps_its_state",
    ),
    "test_entity_via_client_signal_and_read": ("test_client_binding::test_an_entity_is_signalled_and_read",),
    "test_call_http": ("test_durable_http::test_a_call_carries_the_token_of_the_managed_identity",),
    "test_check_status_response_shape": (
        "test_client_binding::test_the_check_status_response_names_the_callers_host",
    ),
    "test_terminate": ("test_lifecycle::test_terminating_ends_an_instance_with_the_reason_as_its_output",),
    "test_purge": ("test_client_binding::test_purging_counts_what_was_there",),
    "test_suspend_and_resume": (
        "test_lifecycle::test_a_suspended_instance_keeps_what_arrives_until_it_is_resumed",
    ),
    "test_restart": ("test_client_binding::test_restart_answers_with_the_whole_payload",),
    "test_get_status_all_includes_instance": (
        "test_client_binding::test_all_statuses_are_listed_a_hundred_at_most",
    ),
    "test_get_status_by_runtime_status": ("test_client_binding::test_statuses_are_found_by_status_and_time",),
    "test_purge_instance_history_by": (
        "test_client_binding::test_purging_by_status_and_time_counts_what_was_there",
    ),
    "test_create_http_management_payload": ("test_official_errors::test_the_management_payload_has_every_link",),
    "test_wait_for_completion_or_check_status": (
        "test_client_binding::test_waiting_for_completion_answers_with_the_output_or_the_failure",
    ),
    # Not implemented in the SDK's 2.x; in 1.x it works.
    "test_rewind_not_implemented": ("test_client_binding::test_rewind_of_what_did_not_fail_is_refused",),
    "test_entity_set_and_read": ("test_client_binding::test_an_entity_is_signalled_and_read",),
    "test_entity_describe_via_orchestration": ("test_official_errors::test_an_entity_knows_itself",),
    "test_entity_destruct_on_exit": (
        "test_lifecycle::test_an_entity_that_was_destructed_does_not_exist_until_it_is_used_again",
    ),
    "test_signal_entity_from_orchestrator": (
        "test_official::test_signals_are_performed_in_the_order_they_were_sent",
    ),
    "test_call_http_post_with_content": (
        "test_official::test_a_durable_http_call_answers_with_status_headers_and_content",
    ),
    "test_call_http_non_2xx_is_returned": (
        "test_official::test_a_durable_http_call_that_is_refused_is_a_normal_answer",
    ),
    "test_timer": ("test_engine_flows::test_a_timer_takes_virtual_time_and_no_real_time",),
    "test_task_any_event_wins": ("test_official::test_an_approval_in_time_wins_the_race_and_a_late_one_does_not",),
    "test_deterministic_ids": (
        "test_official::test_time_and_new_ids_are_the_same_in_every_replay",
        "test_official_errors::test_an_orchestration_knows_itself",
    ),
    "test_context_properties": ("test_official_errors::test_an_orchestration_knows_itself",),
    "test_parent_instance_id_propagation": ("test_official_errors::test_a_child_knows_its_parent",),
    "test_activity_retry_eventual_success": (
        "test_engine_flows::test_an_activity_is_retried_after_its_interval_until_it_succeeds",
    ),
    "test_activity_retry_exhausted_fails": (
        "test_engine_flows::test_the_last_failed_attempt_is_followed_by_one_timer_that_fires_at_once",
    ),
    "test_sub_orchestrator_retry_eventual_success": (
        "test_lifecycle::test_a_sub_orchestration_retry_reuses_its_id",
    ),
    "test_activity_failure_fails_orchestration": (
        "test_official_errors::test_an_uncaught_activity_error_fails_the_orchestration_with_both_names",
    ),
    "test_sub_orchestration_failure_propagates": (
        "test_engine_flows::test_a_failed_child_fails_its_parent_with_its_own_words",
    ),
    # Not implemented in the SDK's 2.x; in 1.x the histories are there.
    "test_histories_not_implemented_fails": ("test_official_errors::test_an_orchestration_knows_itself",),
}

ROWS = {**EXTENSION, **CLASSIC_STYLE}


@pytest.mark.parametrize("row", ROWS)
def test_every_official_row_is_said_again_by_a_test_that_exists(row: str) -> None:
    assert ROWS[row]
    for place in ROWS[row]:
        module, _, name = place.partition("::")
        found = getattr(importlib.import_module(f"tests.localhost.{module}"), name, None)
        assert callable(found), f"{row}: there is no {place}"
        assert name.startswith("test_")


def test_the_classic_style_has_its_thirty_six_cases() -> None:
    assert len(CLASSIC_STYLE) == 36

"""The SDK's client against this host: every call it makes, and what it makes of the answers."""

import json
from typing import Any

import pytest

from localhost import SyncHost
from tests.localhost.apps import Context, Hosts, Steps, app_of, with_routes


def wait(context: Context) -> Steps:
    return (yield context.wait_for_external_event("go"))


def quick(context: Context) -> Steps:
    yield context.call_activity("hello", "x")
    return context.get_input()


def broken(context: Context) -> Steps:
    yield context.call_activity("fail", "boom")


def versioned(context: Context) -> Steps:
    yield context.call_activity("hello", "x")
    return context.version


@pytest.fixture
def host(hosts: Hosts) -> SyncHost:
    return hosts(with_routes(app_of(wait, quick, broken, versioned)))


def call(host: SyncHost, method: str, **arguments: object) -> Any:
    answer = host.request("POST", f"/api/call/{method}", json=arguments)
    assert answer.status == 200, answer.text
    return answer.json()


def failure(host: SyncHost, method: str, **arguments: object) -> str:
    answer = host.request("POST", f"/api/call/{method}", json=arguments)
    assert answer.status == 418, answer.text
    return answer.text


def start(host: SyncHost, name: str, argument: object = None, instance_id: str | None = None) -> str:
    found = call(
        host, "start_new", orchestration_function_name=name, client_input=argument, instance_id=instance_id
    )
    host.run_until_idle()
    return found


@pytest.mark.parametrize("value", [{"a": [1, None]}, "text", 5, [1], True, "5", None])
def test_any_json_value_goes_in_and_comes_out(host: SyncHost, value: object) -> None:
    instance_id = start(host, "quick", value)
    assert call(host, "get_status", instance_id=instance_id)["output"] == value


@pytest.mark.filterwarnings("ignore:Sending a large body")
def test_a_large_value_goes_in_and_comes_out(host: SyncHost) -> None:
    value = "x" * 4_500_000
    assert call(host, "get_status", instance_id=start(host, "quick", value))["output"] == value


def test_an_unknown_orchestrator_is_told_in_the_extensions_words(host: SyncHost) -> None:
    text = failure(host, "start_new", orchestration_function_name="nothing")
    assert text.startswith(
        "The function 'nothing' doesn't exist, is disabled, or is not an orchestrator function."
    )


def test_event_data_raised_by_the_sdk_arrives_as_json_text(host: SyncHost) -> None:
    instance_id = start(host, "wait")
    call(host, "raise_event", instance_id=instance_id, event_name="go", event_data=True)
    host.run_until_idle()
    assert call(host, "get_status", instance_id=instance_id)["output"] == "true"


def test_an_event_for_nobody_and_for_the_finished_are_different_failures(host: SyncHost) -> None:
    assert failure(host, "raise_event", instance_id="nobody", event_name="go").startswith("No instance with ID")
    done = start(host, "quick")
    assert "is gone: either completed or failed" in failure(host, "raise_event", instance_id=done, event_name="go")


def test_terminate_suspend_and_resume_answer_as_the_sdk_expects(host: SyncHost) -> None:
    instance_id = start(host, "wait")
    call(host, "suspend", instance_id=instance_id, reason="a b&c")
    host.run_until_idle()
    assert call(host, "get_status", instance_id=instance_id)["runtimeStatus"] == "Suspended"
    assert "unexpected status code 500" in failure(host, "suspend", instance_id=instance_id, reason="x")
    call(host, "resume", instance_id=instance_id, reason="x")
    host.run_until_idle()
    assert "unexpected status code 500" in failure(host, "resume", instance_id=instance_id, reason="x")
    call(host, "terminate", instance_id=instance_id, reason="a b&c")
    host.run_until_idle()
    assert call(host, "get_status", instance_id=instance_id)["output"] == "a b&c"
    call(host, "terminate", instance_id=instance_id, reason="again is no error")
    assert "No instance with ID" in failure(host, "terminate", instance_id="nobody", reason="x")


def test_rewind_of_what_did_not_fail_is_refused(host: SyncHost) -> None:
    done = start(host, "quick")
    assert failure(host, "rewind", instance_id=done, reason="x")
    failed = start(host, "broken")
    call(host, "rewind", instance_id=failed, reason="x")


def test_restart_answers_with_the_whole_payload(host: SyncHost) -> None:
    answer = call(host, "restart", instance_id=start(host, "quick", 1))
    host.run_until_idle()
    assert call(host, "get_status", instance_id=answer["id"])["output"] == 1


def test_purging_counts_what_was_there(host: SyncHost) -> None:
    instance_id = start(host, "quick")
    assert call(host, "purge_instance_history", instance_id=instance_id) == 1
    assert call(host, "purge_instance_history", instance_id=instance_id) == 0
    assert call(host, "get_status", instance_id=instance_id) is None


def test_all_statuses_are_listed_a_hundred_at_most(host: SyncHost) -> None:
    for number in range(3):
        start(host, "quick", number)
    assert len(call(host, "get_status_all")) == 3
    assert len(call(host, "get_status_by", instance_id_prefix="zzz")) == 0
    for number in range(100):
        host.start("wait", instance_id=f"w{number}")
    assert len(call(host, "get_status_all")) == 100


def test_an_entity_is_signalled_and_read(host: SyncHost) -> None:
    assert host.request("GET", "/api/counter/a/get").json() == [False, None]
    assert host.request("POST", "/api/counter/a/add", json=3).status == 202
    assert host.request("POST", "/api/counter/a/add", json=4).status == 202
    host.run_until_idle()
    assert host.request("GET", "/api/counter/a/get").json() == [True, 7]


def test_the_check_status_response_names_the_callers_host(host: SyncHost) -> None:
    answer = host.request("GET", "/api/check/one", headers={"host": "example.org"})
    assert answer.status == 202
    assert answer.json()["id"] == "one"
    assert "/instances/one?" in answer.json()["statusQueryGetUri"]
    assert answer.header("Location") == answer.json()["statusQueryGetUri"]


def test_waiting_for_completion_answers_with_the_output_or_the_failure(host: SyncHost) -> None:
    done = host.request("GET", "/api/wait/quick")
    assert (done.status, json.loads(done.body)) == (200, None)
    failed = host.request("GET", "/api/wait/broken")
    assert failed.status == 500
    assert failed.json()["runtimeStatus"] == "Failed"


def test_a_version_given_at_the_start_is_what_the_orchestrator_sees(host: SyncHost) -> None:
    versions = {"extensions": {"durableTask": {"defaultVersion": "3.0"}}}
    app = with_routes(app_of(versioned))
    with SyncHost(app, clock=host.clock, host_json=versions) as other:
        first = call(other, "start_new", orchestration_function_name="versioned", version="2.1")
        second = call(other, "start_new", orchestration_function_name="versioned")
        other.run_until_idle()
        assert call(other, "get_status", instance_id=first)["output"] == "2.1"
        assert call(other, "get_status", instance_id=second)["output"] == "3.0"


def test_statuses_are_found_by_status_and_time(host: SyncHost) -> None:
    running, done = start(host, "wait"), start(host, "quick")

    def found(*statuses: str) -> list[str]:
        query = {"runtime_status": list(statuses), "created_time_from": "2020-01-01T00:00:00"}
        answer = host.request("POST", "/api/by", json=query)
        return [one["instanceId"] for one in answer.json()]

    assert found("Running") == [running]
    assert found("Completed") == [done]
    assert found("Running", "Completed") == [running, done]
    assert found("Failed") == []


def test_purging_by_status_and_time_counts_what_was_there(host: SyncHost) -> None:
    start(host, "wait")
    for _ in range(2):
        start(host, "quick")
    query = {"runtime_status": ["Completed", "Failed"], "created_time_from": "2020-01-01T00:00:00", "purge": True}
    assert host.request("POST", "/api/by", json=query).json() == 2
    assert host.request("POST", "/api/by", json=query).json() == 0
    assert [status.name for status in host.instances()] == ["wait"]


def test_suspending_and_resuming_what_is_over_is_no_error_to_the_sdk(host: SyncHost) -> None:
    done = start(host, "quick")
    assert call(host, "suspend", instance_id=done, reason="x") is None
    assert call(host, "resume", instance_id=done, reason="x") is None
    assert call(host, "get_status", instance_id=done)["runtimeStatus"] == "Completed"

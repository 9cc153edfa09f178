"""Errors, conflicts, replay flags and purges, as Microsoft's end-to-end suite asserts them of Python apps."""

import threading
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import azure.durable_functions as df
import azure.functions as func
import pytest

from localhost import SyncHost, SystemClock
from localhost.engine.events import EventType, decode_many
from tests.localhost.apps import Context, Hosts, Steps, app_of, output_of, with_routes

ANY_STATE = {"extensions": {"durableTask": {"overridableExistingInstanceStates": "AnyState"}}}
API = "/runtime/webhooks/durabletask"
FAULT = "This one failed\r\nMore information about the failure"


def rethrow(context: Context) -> Steps:
    yield context.call_activity("fail", "This activity failed")


def catch(context: Context) -> Steps:
    try:
        yield context.call_activity("fail", "This activity failed")
    except Exception as error:  # noqa: BLE001  the type is lost on the wire
        return f"Caught exception: {error}"


def rethrow_entity(context: Context) -> Steps:
    yield context.call_entity(df.EntityId("faulty", "a"), "go")


def catch_entity(context: Context) -> Steps:
    try:
        yield context.call_entity(df.EntityId("faulty", "a"), "go")
    except Exception as error:  # noqa: BLE001  the type is lost on the wire
        return str(error)


def wait(context: Context) -> Steps:
    return (yield context.wait_for_external_event("go"))


def app_failing() -> df.DFApp:
    app = app_of(rethrow, catch, rethrow_entity, catch_entity, wait)

    @app.entity_trigger(context_name="context")
    def faulty(context: Context) -> None:
        raise ValueError(FAULT) from OverflowError("Inner exception message")

    return app


def end_of(host: SyncHost, name: str) -> tuple[str, str]:
    status = host.run_until(host.start(name))
    assert status is not None
    return status.runtime_status, str(status.output)


def test_an_uncaught_activity_error_fails_the_orchestration_with_both_names(hosts: Hosts) -> None:
    status, output = end_of(hosts(app_failing()), "rethrow")
    assert status == "Failed"
    assert output.startswith("Orchestrator function 'rethrow' failed: Activity function 'fail' failed: ")
    assert "This activity failed" in output


def test_a_caught_activity_error_is_text_and_lets_the_orchestration_go_on(hosts: Hosts) -> None:
    status, output = end_of(hosts(app_failing()), "catch")
    assert status == "Completed"
    assert output.startswith("Caught exception: Activity function 'fail' failed: ")
    assert "This activity failed" in output


def test_an_uncaught_entity_error_fails_the_orchestration(hosts: Hosts) -> None:
    status, output = end_of(hosts(app_failing()), "rethrow_entity")
    assert status == "Failed"
    assert output.startswith("Orchestrator function 'rethrow_entity' failed:")
    assert "This one failed" in output


def test_a_caught_entity_error_is_its_own_text_without_what_caused_it(hosts: Hosts) -> None:
    status, output = end_of(hosts(app_failing()), "catch_entity")
    assert status == "Completed"
    assert output.startswith(FAULT)
    assert "Inner exception message" not in output


@pytest.mark.parametrize(("seconds", "waits"), [(10, 10), (-5, 0)])
def test_an_orchestration_waits_for_its_moment_or_goes_on_at_once(hosts: Hosts, seconds: int, waits: int) -> None:
    def scheduled(context: Context) -> Steps:
        yield context.create_timer(datetime.fromisoformat(context.get_input()))
        return (yield context.call_activity("hello", "Tokyo"))

    host = hosts(app_of(scheduled))
    moment = host.clock.now() + timedelta(seconds=seconds)
    status = host.run_until(host.start("scheduled", moment.isoformat()))
    assert status is not None
    assert status.output == "Hello Tokyo!"
    assert status.updated - status.created == timedelta(seconds=waits)


def test_functions_that_are_disabled_do_not_hinder_the_others(
    hosts: Hosts, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("rethrow", "double", "faulty"):
        monkeypatch.setenv(f"AzureWebJobs.{name}.Disabled", "true")
    host = hosts(app_failing())
    assert end_of(host, "catch")[0] == "Completed"
    answer = host.request("POST", f"{API}/orchestrators/rethrow")
    assert answer.status == 400
    assert "is disabled" in answer.json()["ExceptionMessage"]


def in_state(host: SyncHost, state: str) -> str:
    """Start an instance and bring it there; its id is the state's name."""
    host.start({"Completed": "catch", "Failed": "rethrow"}.get(state, "wait"), instance_id=state)
    if state != "Pending":
        host.run_until_idle()
    if state == "Terminated":
        host.terminate(state)
    if state == "Suspended":
        host.suspend(state)
    if state != "Pending":
        host.run_until_idle()
    status = host.status(state)
    assert status is not None
    assert status.runtime_status == state
    return state


@pytest.mark.parametrize("state", ["Pending", "Running", "Suspended", "Completed", "Failed", "Terminated"])
def test_with_any_state_overridable_every_instance_can_be_started_over(hosts: Hosts, state: str) -> None:
    host = hosts(app_failing(), host_json=ANY_STATE)
    instance_id = in_state(host, state)
    host.start("wait", {"again": True}, instance_id=instance_id)
    host.run_until_idle()
    status = host.status(instance_id)
    assert status is not None
    assert (status.runtime_status, status.name) == ("Running", "wait")
    host.raise_event(instance_id, "go", "done")
    host.run_until_idle()
    over = host.status(instance_id)
    assert over is not None
    assert (over.runtime_status, over.output) == ("Completed", "done")


@pytest.mark.parametrize("state", ["Pending", "Running", "Suspended"])
def test_without_it_what_is_not_finished_cannot_be_started_over(hosts: Hosts, state: str) -> None:
    host = hosts(app_failing())
    answer = host.request("POST", f"{API}/orchestrators/wait/{in_state(host, state)}")
    assert answer.status == 500
    assert f"with the status {state} already exists" in answer.json()["ExceptionMessage"]


def purge_of(host: SyncHost, instance_id: str) -> Any:
    call = {"instance_id": instance_id}
    return host.request("POST", "/api/call/purge_instance_history", json=call).json()


@pytest.mark.parametrize("state", ["Completed", "Failed", "Terminated"])
def test_what_is_over_can_be_purged_once(hosts: Hosts, state: str) -> None:
    host = hosts(with_routes(app_failing()))
    instance_id = in_state(host, state)
    assert [purge_of(host, instance_id) for _ in range(2)] == [1, 0]


def test_an_entity_can_be_purged_by_its_id(hosts: Hosts) -> None:
    host = hosts(with_routes(app_failing()))
    host.signal_entity("Counter", "mine", "add", 1)
    host.run_until_idle()
    assert purge_of(host, "@counter@mine") == 1
    assert host.entity("Counter", "mine") is None
    assert purge_of(host, "@counter3@mine") == 0


@pytest.mark.parametrize("until", ["2030-01-01T00:00:00", None])
def test_purging_by_time_counts_what_it_purged(hosts: Hosts, until: str | None) -> None:
    host = hosts(with_routes(app_failing()))
    for state in ("Completed", "Failed", "Running"):
        in_state(host, state)
    query = f"createdTimeFrom=2020-01-01T00:00:00{f'&createdTimeTo={until}' if until else ''}"
    answer = host.request("DELETE", f"{API}/instances?{query}")
    assert (answer.status, answer.json()) == (200, {"instancesDeleted": 2})
    assert [status.instance_id for status in host.instances()] == ["Running"]


def flags(context: Context) -> Steps:
    seen = [context.is_replaying]
    done: list[str] = []
    for name in ("a", "b", "c"):
        done.append((yield context.call_activity("echo", name)))
        seen.append(context.is_replaying)
    return {"seen": seen, "done": done}


def flags_of_fan(context: Context) -> Steps:
    before = context.is_replaying
    done = yield context.task_all([context.call_activity("echo", name) for name in ("alpha", "beta", "gamma")])
    return {"before": before, "after": context.is_replaying, "done": done}


def test_in_the_last_replay_only_what_follows_the_last_activity_is_new(hosts: Hosts) -> None:
    assert output_of(hosts(app_of(flags)), "flags") == {
        "seen": [True, True, True, False],
        "done": ["a", "b", "c"],
    }


def test_after_a_fan_in_nothing_is_replaying(hosts: Hosts) -> None:
    found = output_of(hosts(app_of(flags_of_fan)), "flags_of_fan")
    assert found == {"before": True, "after": False, "done": ["alpha", "beta", "gamma"]}


def test_what_is_logged_when_not_replaying_is_logged_once(hosts: Hosts) -> None:
    logged: list[str] = []

    def logging_once(context: Context) -> Steps:
        count = 0
        yield context.call_activity("echo", "x")
        if not context.is_replaying:
            logged.append("after the activity")
            count += 1
        return count

    assert output_of(hosts(app_of(logging_once)), "logging_once") == 1
    assert logged == ["after the activity"]


def has_timed_out(host: SyncHost, instance_id: str) -> bool:
    return any(event.type is EventType.TIMER_FIRED for event in decode_many(history_of(host, instance_id)))


def history_of(host: SyncHost, instance_id: str) -> str:
    return host.host._store.history_json(instance_id)[0]


def hurry(context: Context) -> Steps:
    work = context.call_activity("slow", "x")
    deadline = context.create_timer(context.current_utc_datetime + timedelta(seconds=context.get_input()))
    winner = yield context.task_any([work, deadline])
    if winner == work:
        deadline.cancel()
        return "done in time"
    return "timed out"


@pytest.mark.parametrize(("seconds", "expected"), [(0.05, "timed out"), (30, "done in time")])
def test_an_activity_and_a_deadline_race_in_real_time(seconds: float, expected: str) -> None:
    may_end = threading.Event()
    app = app_of(hurry)

    @app.activity_trigger(input_name="name")
    def slow(name: str) -> str:
        may_end.wait(10)
        return name

    with SyncHost(app, clock=SystemClock()) as host:
        instance_id = host.start("hurry", seconds)
        if expected == "timed out":
            host.run_until(lambda: has_timed_out(host, instance_id), within=timedelta(seconds=10))
        may_end.set()
        status = host.run_until(instance_id, within=timedelta(seconds=10))
    assert status is not None
    assert status.output == expected


def properties(context: Context) -> Steps:
    yield context.call_activity("echo", "x")
    return {
        "id": context.instance_id,
        "version": context.version,
        "parent": context.parent_instance_id,
        "uuid": context.new_uuid(),
        "guid": str(context.new_guid()),
        "continues": context.will_continue_as_new,
        "time": context.current_utc_datetime.isoformat(),
        "function": context.function_context is not None,
        "events": len(context.histories),
    }


def parent(context: Context) -> Steps:
    child = yield context.call_sub_orchestrator("properties")
    return [context.instance_id, child["parent"]]


def test_an_orchestration_knows_itself(hosts: Hosts) -> None:
    host = hosts(app_of(properties))
    instance_id = host.start("properties")
    status = host.run_until(instance_id)
    assert status is not None
    found: Any = status.output
    assert str(UUID(found["uuid"])) == found["uuid"]
    assert str(UUID(found["guid"])) == found["guid"]
    assert found["time"].endswith("+00:00")
    assert (found["id"], found["parent"], found["version"]) == (instance_id, None, "")
    assert (found["continues"], found["function"]) == (False, True)
    assert found["events"] > 3


def test_a_child_knows_its_parent(hosts: Hosts) -> None:
    mine, seen_by_child = output_of(hosts(app_of(parent, properties)), "parent")
    assert mine == seen_by_child


@pytest.mark.parametrize("version", [None, "", "1.0", "2.0"])
def test_a_child_has_the_version_it_was_given_or_the_default(hosts: Hosts, version: str | None) -> None:
    def asking(context: Context) -> Steps:
        child = yield context.call_sub_orchestrator("properties", version=context.get_input())
        return [context.version, child["version"]]

    host_json = {"extensions": {"durableTask": {"defaultVersion": "2.0"}}}
    host = hosts(app_of(asking, properties), host_json=host_json)
    assert output_of(host, "asking", version) == ["2.0", "2.0" if version is None else version]


def test_an_entity_knows_itself(hosts: Hosts) -> None:
    def ask(context: Context) -> Steps:
        entity = df.EntityId("Probe", "key")
        yield context.call_entity(entity, "set")
        return (yield context.call_entity(entity, "describe"))

    app = app_of(ask)

    @app.entity_trigger(context_name="context", entity_name="Probe")
    def probe(context: Context) -> None:
        context.set_state(1)
        context.set_result(
            [context.entity_name, context.entity_key, context.operation_name, context.is_newly_constructed]
        )

    assert output_of(hosts(app), "ask") == ["Probe", "key", "describe", False]


def test_the_management_payload_has_every_link(hosts: Hosts) -> None:
    app = app_of(wait)

    @app.route(route="payload/{id}")
    @app.durable_client_input(client_name="client")
    async def payload(req: func.HttpRequest, client: Any) -> str:
        found = client.create_http_management_payload(req.route_params["id"])
        assert client.get_client_response_links(req, req.route_params["id"]).keys() == found.keys()
        return f"{found['id']} {' '.join(sorted(found))}"

    text = hosts(app).request("GET", "/api/payload/one").text
    assert text.startswith("one ")
    assert {"statusQueryGetUri", "sendEventPostUri", "terminatePostUri", "purgeHistoryDeleteUri"} <= set(
        text.split()
    )

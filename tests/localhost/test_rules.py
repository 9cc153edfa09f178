"""Rules of the durable framework that no other test here is about: what stays open, what is dropped."""

from datetime import timedelta
from typing import Any

import pytest

from localhost import SyncHost
from localhost.engine import step
from localhost.engine.events import Event, EventType, timestamp
from tests.localhost.apps import Context, Hosts, Steps, app_of, kinds_of


def child(context: Context) -> Steps:
    yield context.create_timer(context.current_utc_datetime + timedelta(hours=context.get_input() or 1))
    return "child"


def status_of(host: SyncHost, instance_id: str) -> Any:
    found = host.status(instance_id)
    assert found is not None
    return found


def test_what_is_never_yielded_is_never_asked_for(hosts: Hosts) -> None:
    def leaves(context: Context) -> Steps:
        context.call_activity("hello", "x")
        context.call_sub_orchestrator("child", 3)
        return (yield context.call_activity("hello", "y"))

    host = hosts(app_of(leaves, child))
    instance_id = host.start("leaves")
    status = host.run_until(instance_id)
    assert status is not None
    assert status.output == "Hello y!"
    assert [kinds_of(host, one.instance_id) for one in host.instances()] == [
        ["ExecutionStarted", "TaskCompleted", "ExecutionCompleted"]
    ]


@pytest.mark.parametrize("raises", [False, True])
def test_a_branch_that_lost_a_race_holds_an_instance_open(hosts: Hosts, *, raises: bool) -> None:
    def race(context: Context) -> Steps:
        quick, slow = context.call_activity("hello", "x"), context.call_sub_orchestrator("child", 3)
        yield context.task_any([quick, slow])
        if raises:
            raise ValueError("over")

    host = hosts(app_of(race, child))
    status = host.run_until(host.start("race"))
    assert status is not None
    assert status.runtime_status == ("Failed" if raises else "Completed")
    assert status.updated - status.created == timedelta(hours=3)


def test_a_cancelled_timer_that_fires_is_not_heard(hosts: Hosts) -> None:
    def cancels(context: Context) -> Steps:
        deadline = context.create_timer(context.current_utc_datetime + timedelta(hours=1))
        event = context.wait_for_external_event("go")
        yield context.task_any([event, deadline])
        deadline.cancel()
        yield context.create_timer(context.current_utc_datetime + timedelta(hours=2))
        return (yield context.call_activity("hello", "x"))

    host = hosts(app_of(cancels))
    instance_id = host.start("cancels")
    host.raise_event(instance_id, "go")
    status = host.run_until(instance_id)
    assert status is not None
    assert status.output == "Hello x!"
    assert status.updated - status.created == timedelta(hours=2)
    assert kinds_of(host, instance_id).count("TimerFired") == 2  # the late one is in history, and means nothing


def test_a_child_that_continues_as_new_keeps_parent_name_version_and_status(hosts: Hosts) -> None:
    def parent(context: Context) -> Steps:
        return (yield context.call_sub_orchestrator("turns", 2, "turning", "7.0"))

    def turns(context: Context) -> Steps:
        left = context.get_input()
        if left == 2:
            context.set_custom_status("first")
        yield context.call_activity("hello", "x")
        if left:
            context.continue_as_new(left - 1)
            return None
        yield context.wait_for_external_event("go")
        return [context.version, context.parent_instance_id]

    host = hosts(app_of(parent, turns), host_json={"extensions": {"durableTask": {"defaultVersion": "8.0"}}})
    instance_id = host.start("parent")
    host.run_until_idle()
    turning = status_of(host, "turning")
    assert (turning.name, turning.runtime_status, turning.custom_status) == (
        "turns",
        "Running",
        None,
    )  # the status is what the last replay set
    host.raise_event("turning", "go")
    status = host.run_until(instance_id)
    assert status is not None
    assert status.output == ["7.0", instance_id]


def test_a_child_whose_id_runs_already_is_not_begun_a_second_time(
    hosts: Hosts, caplog: pytest.LogCaptureFixture
) -> None:
    def parent(context: Context) -> Steps:
        return (yield context.call_sub_orchestrator("waits", None, "taken"))

    def waits(context: Context) -> Steps:
        return (yield context.wait_for_external_event("go"))

    host = hosts(app_of(parent, waits))
    host.start("waits", instance_id="taken")
    host.run_until_idle()
    instance_id = host.start("parent")
    host.run_until_idle()
    host.raise_event("taken", "go", "mine")
    host.run_until_idle()
    assert status_of(host, "taken").output == "mine"
    assert status_of(host, instance_id).runtime_status == "Running"
    assert "asked for sub-orchestration taken, which runs already" in caplog.text


def test_the_custom_status_goes_on_to_the_next_generation(hosts: Hosts) -> None:
    seen: list[object] = []

    def turns(context: Context) -> Steps:
        if context.get_input():
            context.set_custom_status("first")
            yield context.call_activity("hello", "x")
            context.continue_as_new(0)
        return "last"

    host = hosts(app_of(turns), on_transaction=lambda moment: seen.append(moment.kind))
    instance_id = host.start("turns", 1)
    while not seen or seen.count("orchestration step") < 4:
        assert host.step()
    status = status_of(host, instance_id)
    assert (status.runtime_status, status.custom_status) == ("Running", "first")


def test_a_custom_status_that_a_replay_does_not_set_is_gone(hosts: Hosts) -> None:
    is_set = True

    def forgetful(context: Context) -> Steps:
        if is_set:
            context.set_custom_status("here")
        yield context.wait_for_external_event("go")
        yield context.wait_for_external_event("on")

    host = hosts(app_of(forgetful))
    instance_id = host.start("forgetful")
    host.run_until_idle()
    assert status_of(host, instance_id).custom_status == "here"
    is_set = False
    host.raise_event(instance_id, "go")
    host.run_until_idle()
    assert status_of(host, instance_id).custom_status is None


def test_while_suspended_only_the_custom_status_runs_ahead(hosts: Hosts) -> None:
    def reports(context: Context) -> Steps:
        context.set_custom_status("waiting")
        yield context.wait_for_external_event("go")
        context.set_custom_status("going")
        return (yield context.call_activity("hello", "x"))

    host = hosts(app_of(reports))
    instance_id = host.start("reports")
    host.run_until_idle()
    host.suspend(instance_id)
    host.run_until_idle()
    host.raise_event(instance_id, "go")
    host.run_until_idle()
    suspended = status_of(host, instance_id)
    assert (suspended.runtime_status, suspended.custom_status) == ("Suspended", "going")
    assert "TaskScheduled" not in kinds_of(host, instance_id)
    host.resume(instance_id)
    status = host.run_until(instance_id)
    assert status is not None
    assert status.output == "Hello x!"


@pytest.mark.parametrize("execution", ["mine", "one of old"])
def test_a_second_start_and_a_stale_message_are_dropped(hosts: Hosts, execution: str) -> None:
    def waits(context: Context) -> Steps:
        return (yield context.wait_for_external_event("go"))

    host = hosts(app_of(waits))
    instance_id = host.start("waits", 1)
    host.run_until_idle()
    store, now = host.host._store, timestamp(host.clock.now())
    before = store.history_json(instance_id)
    row = store.instance(instance_id)
    assert row is not None
    again = Event(
        EventType.EXECUTION_STARTED, now, name="waits", instance_id=row.id, execution_id=row.execution_id
    )
    stale = Event(EventType.EVENT_RAISED, now, name="go", input="1")
    with store.transaction("test") as writer:
        if execution == "mine":
            writer.send(row.id, again, due=now, execution_id=row.execution_id)
        else:
            writer.send(row.id, stale, due=now, execution_id=execution)
    host.run_until_idle()
    assert store.history_json(instance_id) == before
    assert store.messages(instance_id, now) == []


def test_a_message_for_what_is_over_or_gone_is_dropped(hosts: Hosts) -> None:
    def quick(context: Context) -> Steps:
        return (yield context.call_activity("hello", "x"))

    host = hosts(app_of(quick))
    store, now = host.host._store, timestamp(host.clock.now())
    host.run_until(host.start("quick", instance_id="over"))
    for instance_id in ("over", "gone"):
        with store.transaction("test") as writer:
            writer.send(instance_id, Event(EventType.EVENT_RAISED, now, name="go"), due=now)
    host.run_until_idle()
    assert [store.messages(instance_id, now) for instance_id in ("over", "gone")] == [[], []]
    assert host.status("gone") is None


def test_an_orchestration_that_asks_for_too_much_fails(hosts: Hosts, monkeypatch: pytest.MonkeyPatch) -> None:
    def greedy(context: Context) -> Steps:
        yield context.task_all([context.call_activity("hello", str(n)) for n in range(context.get_input())])

    monkeypatch.setattr(step, "MAX_ACTIONS", 10)
    host = hosts(app_of(greedy))
    assert host.run_until(host.start("greedy", 10), within=timedelta(hours=1)) is not None
    status = host.run_until(host.start("greedy", 11))
    assert status is not None
    assert status.runtime_status == "Failed"
    assert "Maximum amount of orchestration actions (10) has been exceeded" in str(status.output)


def test_terminating_stops_neither_activities_nor_what_they_do(hosts: Hosts) -> None:
    done: list[str] = []

    def starts(context: Context) -> Steps:
        yield context.call_activity("note", "begun")

    app = app_of(starts)

    @app.activity_trigger(input_name="text")
    def note(text: str) -> None:
        done.append(text)

    host = hosts(app)
    instance_id = host.start("starts")
    while "TaskScheduled" not in kinds_of(host, instance_id):
        assert host.step()
    host.terminate(instance_id)
    host.run_until_idle()
    assert status_of(host, instance_id).runtime_status == "Terminated"
    assert done == ["begun"]

"""Suspend, resume, terminate, rewind, restart, purge: what an operator may do to an instance."""

import threading
from datetime import timedelta
from typing import Any

import azure.durable_functions as df
import pytest

from localhost import SyncHost, SystemClock, VirtualClock
from localhost.client import AlreadyExistsError, ArgumentError, GoneError, InvalidOperationError, NotFoundError
from localhost.engine.events import EventType, decode_many
from tests.localhost.apps import Context, Hosts, Steps, app_of, kinds_of


def wait(context: Context) -> Steps:
    context.set_custom_status("waiting")
    first = yield context.wait_for_external_event("go")
    context.set_custom_status(f"got {first}")
    second = yield context.call_activity("hello", first)
    return second


def started(host: SyncHost, name: str = "wait", argument: object = None) -> str:
    instance_id = host.start(name, argument)
    host.run_until_idle()
    return instance_id


def state_of(host: SyncHost, instance_id: str) -> Any:
    status = host.status(instance_id)
    assert status is not None
    return status


def test_a_suspended_instance_keeps_what_arrives_until_it_is_resumed(hosts: Hosts) -> None:
    host = hosts(app_of(wait))
    instance_id = started(host)
    host.suspend(instance_id, "lunch")
    host.run_until_idle()
    assert state_of(host, instance_id).runtime_status == "Suspended"

    host.raise_event(instance_id, "go", "Ada")
    host.run_until_idle()
    assert state_of(host, instance_id).runtime_status == "Suspended"
    assert kinds_of(host, instance_id) == ["ExecutionStarted", "ExecutionSuspended", "EventRaised"]

    host.resume(instance_id, "back")
    status = host.run_until(instance_id)
    assert status is not None
    assert status.output == "Hello Ada!"


def test_an_instance_suspended_before_it_began_parks_its_first_work(hosts: Hosts) -> None:
    def call(context: Context) -> Steps:
        return (yield context.call_activity("hello", "x"))

    host = hosts(app_of(call))
    instance_id = host.start("call")
    host.suspend(instance_id)
    host.run_until_idle()
    assert state_of(host, instance_id).runtime_status == "Suspended"
    assert kinds_of(host, instance_id) == ["ExecutionStarted", "ExecutionSuspended"]

    host.resume(instance_id)
    status = host.run_until(instance_id)
    assert status is not None
    assert status.output == "Hello x!"


def test_suspending_twice_and_resuming_what_runs_are_refused(hosts: Hosts) -> None:
    host = hosts(app_of(wait))
    instance_id = started(host)
    with pytest.raises(InvalidOperationError):
        host.resume(instance_id)
    host.suspend(instance_id)
    host.run_until_idle()
    with pytest.raises(InvalidOperationError):
        host.suspend(instance_id)


def test_terminating_ends_an_instance_with_the_reason_as_its_output(hosts: Hosts) -> None:
    host = hosts(app_of(wait))
    instance_id = started(host)
    host.terminate(instance_id, "enough")
    host.run_until_idle()

    status = state_of(host, instance_id)
    assert (status.runtime_status, status.output, status.custom_status) == ("Terminated", "enough", "waiting")
    with pytest.raises(GoneError):
        host.raise_event(instance_id, "go")


def test_terminating_works_while_suspended(hosts: Hosts) -> None:
    host = hosts(app_of(wait))
    instance_id = started(host)
    host.suspend(instance_id)
    host.run_until_idle()
    host.terminate(instance_id, "enough")
    host.run_until_idle()
    assert state_of(host, instance_id).runtime_status == "Terminated"


def test_terminating_a_child_fails_its_parent_and_terminating_a_parent_leaves_the_child(hosts: Hosts) -> None:
    def parent(context: Context) -> Steps:
        try:
            yield context.call_sub_orchestrator("wait", None, "the-child")
        except Exception as error:  # noqa: BLE001  the type is lost on the wire
            return str(error)

    host = hosts(app_of(parent, wait))
    first = started(host, "parent")
    host.terminate("the-child", "enough")
    status = host.run_until(first)
    assert status is not None
    assert "enough" in str(status.output)

    second = started(host, "parent")
    host.terminate(second)
    host.run_until_idle()
    assert state_of(host, "the-child").runtime_status == "Running"


def test_rewinding_runs_only_what_failed_again(hosts: Hosts) -> None:
    calls: list[str] = []

    def two(context: Context) -> Steps:
        first = yield context.call_activity("steady", "a")
        second = yield context.call_activity("flaky", "b")
        return first + second

    app = app_of(two)

    @app.activity_trigger(input_name="text")
    def steady(text: str) -> str:
        calls.append(text)
        return text

    @app.activity_trigger(input_name="text")
    def flaky(text: str) -> str:
        calls.append(text)
        if calls.count("b") < 2:
            raise ValueError("not yet")
        return text

    host = hosts(app)
    instance_id = host.start("two")
    failed = host.run_until(instance_id)
    assert failed is not None
    assert failed.runtime_status == "Failed"

    host.rewind(instance_id, "try again")
    status = host.run_until(instance_id)
    assert status is not None
    assert (status.runtime_status, status.output) == ("Completed", "ab")
    assert calls == ["a", "b", "b"]


def test_rewinding_reaches_the_child_that_failed(hosts: Hosts) -> None:
    calls: list[int] = []

    def parent(context: Context) -> Steps:
        return (yield context.call_sub_orchestrator("child"))

    def child(context: Context) -> Steps:
        return (yield context.call_activity("flaky", 1))

    app = app_of(parent, child)

    @app.activity_trigger(input_name="value")
    def flaky(value: int) -> str:
        calls.append(value)
        if len(calls) < 2:
            raise ValueError("not yet")
        return "ok"

    host = hosts(app)
    instance_id = host.start("parent")
    host.run_until(instance_id)
    host.rewind(instance_id)
    status = host.run_until(instance_id)
    assert status is not None
    assert (status.runtime_status, status.output) == ("Completed", "ok")


def test_only_a_failed_instance_can_be_rewound(hosts: Hosts) -> None:
    host = hosts(app_of(wait))
    instance_id = started(host)
    with pytest.raises(InvalidOperationError, match="only supported on failed"):
        host.rewind(instance_id)
    host.terminate(instance_id)
    host.run_until_idle()
    with pytest.raises(GoneError):
        host.rewind(instance_id)
    with pytest.raises(NotFoundError):
        host.rewind("nobody")


def test_restarting_runs_the_same_input_under_a_new_id_or_the_old_one(hosts: Hosts) -> None:
    def same(context: Context) -> Steps:
        yield context.call_activity("hello", "x")
        return context.get_input()

    host = hosts(app_of(same, wait))
    instance_id = host.start("same", {"n": 1})
    host.run_until(instance_id)

    other = host.restart(instance_id)
    status = host.run_until(other)
    assert other != instance_id
    assert status is not None
    assert status.output == {"n": 1}

    assert host.restart(instance_id, new_id=False) == instance_id
    again = host.run_until(instance_id)
    assert again is not None
    assert again.output == {"n": 1}

    running = started(host)
    with pytest.raises(AlreadyExistsError):
        host.restart(running, new_id=False)
    with pytest.raises(ArgumentError):
        host.restart("nobody")


def test_an_id_in_use_is_refused_while_it_runs_and_replaced_when_it_is_finished(hosts: Hosts) -> None:
    host = hosts(app_of(wait))
    instance_id = host.start("wait", instance_id="one")
    with pytest.raises(AlreadyExistsError, match="Pending already exists"):
        host.start("wait", instance_id="one")
    host.terminate(instance_id)
    host.run_until_idle()
    host.start("wait", instance_id="one")
    host.run_until_idle()
    assert state_of(host, "one").runtime_status == "Running"


def test_a_purged_instance_is_forgotten_even_while_it_runs(hosts: Hosts) -> None:
    def call(context: Context) -> Steps:
        yield context.create_timer(context.current_utc_datetime + timedelta(hours=1))
        return (yield context.call_activity("hello", "x"))

    host = hosts(app_of(call))
    instance_id = host.start("call")
    assert host.step()
    assert host.purge(instance_id) == 1
    assert host.purge(instance_id) == 0
    host.run_until_idle()
    assert host.status(instance_id) is None


def test_an_answer_for_a_generation_that_is_over_is_dropped(hosts: Hosts) -> None:
    def asking(context: Context) -> Steps:
        if context.get_input() == 0:
            ask = context.call_entity(df.EntityId("Counter", "a"), "add", 1)
            yield context.task_any([ask, context.wait_for_external_event("go")])
            context.continue_as_new(1)
            return None
        return (yield context.wait_for_external_event("never"))

    host = hosts(app_of(asking))
    instance_id = host.start("asking", 0)
    host.raise_event(instance_id, "go")
    host.run_until_idle()
    assert kinds_of(host, instance_id) == ["ExecutionStarted"]
    assert host.entity("Counter", "a") == 1


def test_timers_of_a_generation_that_is_over_are_forgotten(hosts: Hosts) -> None:
    def next_generation(context: Context) -> Steps:
        if context.get_input() == 0:
            timer = context.create_timer(context.current_utc_datetime + timedelta(days=1))
            yield context.task_any([timer, context.call_activity("hello", "x")])
            timer.cancel()
            context.continue_as_new(1)
            return None
        return (yield context.wait_for_external_event("never"))

    clock = VirtualClock()
    host = hosts(app_of(next_generation), clock=clock)
    began = clock.now()
    host.start("next_generation", 0)
    host.run_until_idle()
    assert clock.now() == began


def test_timers_of_an_instance_that_is_over_are_forgotten(hosts: Hosts) -> None:
    clock = VirtualClock()

    def answered(context: Context) -> Steps:
        deadline = context.create_timer(context.current_utc_datetime + timedelta(days=1))
        yield context.task_any([deadline, context.call_activity("hello", "x")])
        deadline.cancel()

    host = hosts(app_of(answered), clock=clock)
    began = clock.now()
    host.start("answered")
    host.run_until_idle()
    assert clock.now() == began


def test_a_step_whose_instance_was_purged_meanwhile_leaves_nothing(hosts: Hosts) -> None:
    entered, may_go = threading.Event(), threading.Event()

    def slow(context: Context) -> Steps:
        entered.set()
        may_go.wait()
        return (yield context.call_activity("hello", "x"))

    host = hosts(app_of(slow), clock=SystemClock())
    instance_id = host.start("slow")
    host.run_until(entered.is_set)
    host.purge(instance_id)
    may_go.set()
    host.run_until_idle()
    store = host.host._store
    assert store.history_json(instance_id) == ("", 0)
    assert store.task(1) is None


def test_history_marks_messages_as_played_and_decisions_not(hosts: Hosts) -> None:
    def call(context: Context) -> Steps:
        return (yield context.call_activity("hello", "x"))

    host = hosts(app_of(call))
    instance_id = host.start("call")
    host.run_until(instance_id)
    events = decode_many(host.host._store.history_json(instance_id)[0])
    assert [(event.type, event.played) for event in events] == [
        (EventType.ORCHESTRATOR_STARTED, False),
        (EventType.EXECUTION_STARTED, True),
        (EventType.TASK_SCHEDULED, False),
        (EventType.ORCHESTRATOR_COMPLETED, False),
        (EventType.ORCHESTRATOR_STARTED, False),
        (EventType.TASK_COMPLETED, True),
        (EventType.EXECUTION_COMPLETED, False),
        (EventType.ORCHESTRATOR_COMPLETED, False),
    ]


def test_an_entity_that_was_destructed_does_not_exist_until_it_is_used_again(hosts: Hosts) -> None:
    host = hosts(app_of())
    host.signal_entity("Counter", "a", "add", 2)
    host.run_until_idle()
    assert host.entity("Counter", "a") == 2
    host.signal_entity("Counter", "a", "delete")
    host.run_until_idle()
    assert host.entity("Counter", "a") is None
    host.signal_entity("Counter", "a", "add", 5)
    host.run_until_idle()
    assert host.entity("Counter", "a") == 5


def test_a_sub_orchestration_retry_reuses_its_id(hosts: Hosts) -> None:
    seen: list[str] = []

    def parent(context: Context) -> Steps:
        retry = df.RetryOptions(1000, 3)
        return (yield context.call_sub_orchestrator_with_retry("child", retry, "x", "fixed"))

    def child(context: Context) -> Steps:
        return (yield context.call_activity("flaky", context.instance_id))

    app = app_of(parent, child)

    @app.activity_trigger(input_name="text")
    def flaky(text: str) -> str:
        seen.append(text)
        if len(seen) < 3:
            raise ValueError("not yet")
        return "ok"

    host = hosts(app)
    status = host.run_until(host.start("parent"))
    assert status is not None
    assert status.output == "ok"
    assert seen == ["fixed"] * 3

"""The shapes of orchestration: chains, fans, children, timers, events, entities, generations."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import azure.durable_functions as df
import pytest

from localhost import Stalled, VirtualClock
from tests.localhost.apps import Context, Hosts, Steps, app_of, output_of


def test_a_chain_calls_sync_and_async_activities_in_order(hosts: Hosts) -> None:
    def chain(context: Context) -> Steps:
        first = yield context.call_activity("hello", "Tokyo")
        second = yield context.call_activity("hello_async", "London")
        return [first, second]

    assert output_of(hosts(app_of(chain)), "chain") == ["Hello Tokyo!", "Hello London, async!"]


@pytest.mark.parametrize("seed", range(5))
def test_a_fan_out_gathers_its_results_in_the_order_asked_for_whatever_the_seed(hosts: Hosts, seed: int) -> None:
    def fan(context: Context) -> Steps:
        return (yield context.task_all([context.call_activity("double", n) for n in range(10)]))

    assert output_of(hosts(app_of(fan), seed=seed), "fan") == [n * 2 for n in range(10)]


def test_a_timer_takes_virtual_time_and_no_real_time(hosts: Hosts) -> None:
    def wait(context: Context) -> Steps:
        due = context.current_utc_datetime + timedelta(hours=5)
        yield context.create_timer(due)
        return (context.current_utc_datetime - due).total_seconds()

    clock = VirtualClock(datetime(2026, 3, 1, tzinfo=UTC))

    assert output_of(hosts(app_of(wait), clock=clock), "wait") == 0
    assert clock.now() == datetime(2026, 3, 1, 5, tzinfo=UTC)


def test_an_event_raised_from_outside_reaches_its_waiter_decoded(hosts: Hosts) -> None:
    def wait(context: Context) -> Steps:
        return (yield context.wait_for_external_event("approval"))

    host = hosts(app_of(wait))
    instance_id = host.start("wait")
    with pytest.raises(Stalled):
        host.run_until(instance_id)
    host.raise_event(instance_id, "approval", {"by": "ada"})

    status = host.run_until(instance_id)
    assert status is not None
    assert status.output == {"by": "ada"}


def test_a_child_gets_its_input_and_an_id_of_its_parents_execution(hosts: Hosts) -> None:
    def parent(context: Context) -> Steps:
        return (yield context.call_sub_orchestrator("child", {"x": [1, 2]}))

    def child(context: Context) -> Steps:
        yield context.call_activity("hello", "child")
        return {"got": context.get_input(), "id": context.instance_id, "parent": context.parent_instance_id}

    host = hosts(app_of(parent, child))
    instance_id = host.start("parent")
    status = host.run_until(instance_id)

    assert status is not None
    output: Any = status.output
    assert output["got"] == {"x": [1, 2]}
    assert output["parent"] == instance_id
    assert output["id"].endswith(":0")
    assert len(output["id"]) == len("0" * 32 + ":0")


def test_a_failed_child_fails_its_parent_with_its_own_words(hosts: Hosts) -> None:
    def parent(context: Context) -> Steps:
        try:
            yield context.call_sub_orchestrator("child")
        except Exception as error:  # noqa: BLE001  the type is lost on the wire
            return str(error)

    def child(context: Context) -> Steps:
        yield context.call_activity("fail", "boom")

    assert "Orchestrator function 'child' failed: Activity function 'fail' failed:  ValueError: boom" in output_of(
        hosts(app_of(parent, child)), "parent"
    )


def test_an_unhandled_error_fails_the_orchestration_with_its_name(hosts: Hosts) -> None:
    def broken(context: Context) -> Steps:
        yield context.call_activity("hello", "x")
        raise RuntimeError("no way")

    host = hosts(app_of(broken))
    status = host.run_until(host.start("broken"))

    assert status is not None
    assert status.runtime_status == "Failed"
    assert status.output == "Orchestrator function 'broken' failed: no way"


def test_an_activity_is_retried_after_its_interval_until_it_succeeds(hosts: Hosts) -> None:
    calls: list[int] = []

    def flaky_twice(context: Context) -> Steps:
        return (yield context.call_activity_with_retry("flaky", df.RetryOptions(5000, 3), 7))

    app = app_of(flaky_twice)

    @app.activity_trigger(input_name="value")
    def flaky(value: int) -> int:
        calls.append(value)
        if len(calls) < 3:
            raise ValueError("not yet")
        return value

    clock = VirtualClock()
    start = clock.now()

    assert output_of(hosts(app, clock=clock), "flaky_twice") == 7
    assert len(calls) == 3
    assert clock.now() - start == timedelta(seconds=10)


def test_the_last_failed_attempt_is_followed_by_one_timer_that_fires_at_once(hosts: Hosts) -> None:
    def give_up(context: Context) -> Steps:
        try:
            yield context.call_activity_with_retry("fail", df.RetryOptions(5000, 2), "boom")
        except Exception:  # noqa: BLE001  the type is lost on the wire
            return "gave up"

    host = hosts(app_of(give_up))
    instance_id = host.start("give_up")
    status = host.run_until(instance_id)
    assert status is not None
    assert status.output == "gave up"
    told = host.status(instance_id, history=True)
    assert told is not None
    assert told.history is not None
    kinds = [event["EventType"] for event in told.history]
    assert (kinds.count("TaskFailed"), kinds.count("TimerFired")) == (2, 2)
    assert status.updated - status.created == timedelta(seconds=5)


def test_an_entity_answers_its_callers_and_keeps_its_state(hosts: Hosts) -> None:
    def count(context: Context) -> Steps:
        counter = df.EntityId("Counter", "mine")
        context.signal_entity(counter, "add", 1)
        yield context.call_entity(counter, "add", 4)
        return (yield context.call_entity(counter, "get"))

    host = hosts(app_of(count))

    assert output_of(host, "count") == 5
    assert host.entity("counter", "mine") == 5
    assert host.entity("counter", "other") is None


def test_an_entity_that_raises_fails_only_that_call(hosts: Hosts) -> None:
    def ask(context: Context) -> Steps:
        counter = df.EntityId("Counter", "mine")
        try:
            yield context.call_entity(counter, "explode")
        except Exception as error:  # noqa: BLE001  the type is lost on the wire
            return [str(error), (yield context.call_entity(counter, "get"))]

    assert output_of(hosts(app_of(ask)), "ask") == ["no such operation: explode", 0]


def test_continue_as_new_starts_over_with_a_new_input_and_an_empty_history(hosts: Hosts) -> None:
    def count_down(context: Context) -> Steps:
        left = context.get_input()
        yield context.call_activity("double", left)
        if left > 0:
            context.continue_as_new(left - 1)
            return None
        return "done"

    host = hosts(app_of(count_down))
    instance_id = host.start("count_down", 20)
    status = host.run_until(instance_id)
    assert status is not None
    assert status.output == "done"
    told = host.status(instance_id, history=True)
    assert told is not None
    assert told.history is not None
    assert len(told.history) == 3
    assert json.loads(str(told.input)) == 0


def test_the_same_seed_does_the_same_work_in_the_same_order(hosts: Hosts) -> None:
    def fan(context: Context) -> Steps:
        return (yield context.task_all([context.call_activity("note", n) for n in range(8)]))

    def order_for(seed: int) -> list[int]:
        seen: list[int] = []
        app = app_of(fan)

        @app.activity_trigger(input_name="value")
        def note(value: int) -> None:
            seen.append(value)

        output_of(hosts(app, seed=seed), "fan")
        return seen

    assert order_for(3) == order_for(3)
    assert order_for(3) != order_for(4)

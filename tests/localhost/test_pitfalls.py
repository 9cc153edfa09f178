"""What surprises people about Durable Functions in Python, as it happens here and in Azure."""

from datetime import datetime, timedelta, timezone
from typing import Any

import azure.durable_functions as df
import pytest

from localhost import Stalled, SyncHost, VirtualClock
from tests.localhost.apps import Context, Hosts, Steps, app_of, kinds_of, output_of

# What the SDK says when an event comes before its waiter; the worker only logs it.
pytestmark = pytest.mark.filterwarnings("ignore:Potential duplicate Task completion")


def stall(host: SyncHost, instance_id: str) -> Any:
    with pytest.raises(Stalled):
        host.run_until(instance_id)
    status = host.status(instance_id)
    assert status is not None
    return status


def elapsed(host: SyncHost, instance_id: str) -> timedelta:
    status = host.run_until(instance_id)
    assert status is not None
    return status.updated - status.created


def test_a_compensation_after_a_failed_task_all_waits_for_the_slowest_branch(hosts: Hosts) -> None:
    """The SDK raises at the first failure; the host starts what comes next when every sibling is done."""
    clock = VirtualClock()
    compensated: list[datetime] = []

    def slow(context: Context) -> Steps:
        yield context.create_timer(context.current_utc_datetime + timedelta(hours=3))

    def saga(context: Context) -> Steps:
        try:
            yield context.task_all([context.call_activity("fail", "boom"), context.call_sub_orchestrator("slow")])
        except Exception:  # noqa: BLE001  the type is lost on the wire
            yield context.call_activity("compensate", "x")

    app = app_of(saga, slow)

    @app.activity_trigger(input_name="name")
    def compensate(name: str) -> None:
        compensated.append(clock.now())

    host = hosts(app, clock=clock)
    began = clock.now()
    host.run_until(host.start("saga"))
    assert compensated == [began + timedelta(hours=3)]


def test_a_timer_that_is_not_cancelled_keeps_the_instance_running(hosts: Hosts) -> None:
    def race(context: Context) -> Steps:
        timer = context.create_timer(context.current_utc_datetime + timedelta(days=1))
        yield context.task_any([context.call_activity("hello", "x"), timer])
        if context.get_input() == "cancel":
            timer.cancel()
        return "won"

    host = hosts(app_of(race))
    assert elapsed(host, host.start("race", "leave")) == timedelta(days=1)
    assert elapsed(host, host.start("race", "cancel")) == timedelta(0)


def test_a_timer_of_more_than_six_days_goes_in_hops_and_cannot_be_cancelled(hosts: Hosts) -> None:
    def race(context: Context) -> Steps:
        timer = context.create_timer(context.current_utc_datetime + timedelta(days=10))
        yield context.task_any([timer, context.call_activity("hello", "x")])
        timer.cancel()
        return "won"

    host = hosts(app_of(race))
    instance_id = host.start("race")
    assert elapsed(host, instance_id) == timedelta(days=3)


def test_a_timer_of_ten_days_fires_after_ten_days(hosts: Hosts) -> None:
    def wait(context: Context) -> Steps:
        yield context.create_timer(context.current_utc_datetime + timedelta(days=10))

    host = hosts(app_of(wait))
    instance_id = host.start("wait")
    assert elapsed(host, instance_id) == timedelta(days=10)
    assert kinds_of(host, instance_id).count("TimerFired") == 3


def test_one_buffered_event_satisfies_the_sdks_next_wait_and_hangs_the_host(hosts: Hosts) -> None:
    """The SDK hands the buffered event to both waits (durable-python#507); the host waits for a second one."""

    def twice(context: Context) -> Steps:
        yield context.call_activity("hello", "x")
        first = yield context.wait_for_external_event("go")
        second = yield context.wait_for_external_event("go")
        return [first, second]

    host = hosts(app_of(twice))
    instance_id = host.start("twice")
    host.raise_event(instance_id, "go", 1)
    assert stall(host, instance_id).runtime_status == "Running"

    host.raise_event(instance_id, "go", 2)
    status = host.run_until(instance_id)
    assert status is not None
    assert status.output == [1, 1]


def test_an_event_in_another_case_reaches_the_host_but_not_the_sdk(hosts: Hosts) -> None:
    def wait(context: Context) -> Steps:
        yield context.wait_for_external_event("Approval")

    host = hosts(app_of(wait))
    instance_id = host.start("wait")
    host.run_until_idle()
    host.raise_event(instance_id, "approval", True)
    assert stall(host, instance_id).runtime_status == "Running"


def test_events_buffered_before_continue_as_new_are_dropped(hosts: Hosts) -> None:
    def again(context: Context) -> Steps:
        yield context.call_activity("hello", "x")
        if context.get_input() == 0:
            context.continue_as_new(1)
            return None
        return (yield context.wait_for_external_event("go"))

    host = hosts(app_of(again))
    instance_id = host.start("again", 0)
    host.raise_event(instance_id, "go", "lost")
    assert stall(host, instance_id).runtime_status == "Running"


def test_events_that_arrive_after_continue_as_new_was_asked_for_go_to_the_next_generation(hosts: Hosts) -> None:
    """The timer is not cancelled, so the old generation lives on for an hour after it asked to be replaced."""

    def again(context: Context) -> Steps:
        if context.get_input() == 0:
            timer = context.create_timer(context.current_utc_datetime + timedelta(hours=1))
            yield context.task_any([timer, context.call_activity("hello", "x")])
            context.continue_as_new(1)
            return None
        return (yield context.wait_for_external_event("go"))

    host = hosts(app_of(again))
    instance_id = host.start("again", 0)
    while "TaskCompleted" not in kinds_of(host, instance_id):
        assert host.step()
    host.raise_event(instance_id, "go", "kept")
    status = host.run_until(instance_id)
    assert status is not None
    assert status.output == "kept"


def test_waiters_of_one_name_are_served_last_come_first_and_payloads_in_order(hosts: Hosts) -> None:
    def two(context: Context) -> Steps:
        return (
            yield context.task_all([context.wait_for_external_event("go"), context.wait_for_external_event("go")])
        )

    host = hosts(app_of(two))
    instance_id = host.start("two")
    host.run_until_idle()
    host.raise_event(instance_id, "go", "first")
    host.run_until_idle()
    host.raise_event(instance_id, "go", "second")
    status = host.run_until(instance_id)
    assert status is not None
    assert status.output == ["second", "first"]


def test_a_wait_that_lost_a_race_does_not_take_the_next_waits_event(hosts: Hosts) -> None:
    def again(context: Context) -> Steps:
        yield context.task_any([context.wait_for_external_event("go"), context.call_activity("hello", "x")])
        return (yield context.wait_for_external_event("go"))

    host = hosts(app_of(again))
    instance_id = host.start("again")
    host.run_until_idle()
    host.raise_event(instance_id, "go", "second")
    status = host.run_until(instance_id)
    assert status is not None
    assert status.output == "second"


def test_a_naive_time_cannot_be_waited_for(hosts: Hosts) -> None:
    def naive(context: Context) -> Steps:
        yield context.create_timer(datetime(2030, 1, 1))  # noqa: DTZ001  the mistake itself

    host = hosts(app_of(naive))
    status = host.run_until(host.start("naive"))
    assert status is not None
    assert "can't compare offset-naive and offset-aware datetimes" in str(status.output)


def test_a_time_in_another_zone_is_taken_for_utc(hosts: Hosts) -> None:
    def shifted(context: Context) -> Steps:
        due = (context.current_utc_datetime + timedelta(hours=1)).astimezone(timezone(timedelta(hours=2)))
        yield context.create_timer(due)

    host = hosts(app_of(shifted))
    assert elapsed(host, host.start("shifted")) == timedelta(hours=3)


@pytest.mark.parametrize(("characters", "fits"), [(8600, True), (8800, False)])
def test_a_custom_status_holds_sixteen_kilobytes_of_utf_16(hosts: Hosts, characters: int, *, fits: bool) -> None:
    def status(context: Context) -> Steps:
        yield context.call_activity("hello", "x")
        context.set_custom_status("x" * context.get_input())
        return "done"

    host = hosts(app_of(status))
    done = host.run_until(host.start("status", characters))
    assert done is not None
    assert (done.runtime_status == "Completed") is fits
    if not fits:
        assert "must not exceed 16 KB. The current payload size is 17 KB." in str(done.output)


def test_a_falsy_custom_status_clears_to_nothing(hosts: Hosts) -> None:
    def status(context: Context) -> Steps:
        context.set_custom_status({"n": 1})
        yield context.call_activity("hello", "x")
        context.set_custom_status({})
        return "done"

    host = hosts(app_of(status))
    done = host.run_until(host.start("status"))
    assert done is not None
    assert done.custom_status is None


def test_the_type_of_an_activitys_error_is_lost(hosts: Hosts) -> None:
    def catch(context: Context) -> Steps:
        try:
            yield context.call_activity("fail", "boom")
        except ValueError:
            return "ValueError"
        except Exception as error:  # noqa: BLE001  that is the point
            return [type(error).__name__, str(error).split(" \n ")[0]]

    assert output_of(hosts(app_of(catch)), "catch") == [
        "Exception",
        "Activity function 'fail' failed:  ValueError: boom",
    ]


def test_an_unknown_activity_fails_the_instance_and_says_that_azure_may_hang(hosts: Hosts) -> None:
    def lost(context: Context) -> Steps:
        yield context.call_activity("no_such_thing")

    host = hosts(app_of(lost))
    status = host.run_until(host.start("lost"))
    assert status is not None
    assert status.runtime_status == "Failed"
    text = str(status.output)
    assert "The function 'no_such_thing' doesn't exist, is disabled, or is not an activity function." in text
    assert "In Azure this orchestration may hang instead" in text


def test_function_names_count_in_any_case(hosts: Hosts) -> None:
    def shout(context: Context) -> Steps:
        return (yield context.call_activity("HELLO", "x"))

    assert output_of(hosts(app_of(shout)), "SHOUT") == "Hello x!"


def test_destruct_before_set_result_revives_the_entity(hosts: Hosts) -> None:
    app = app_of()

    @app.entity_trigger(context_name="context")
    def phoenix(context: Context) -> None:
        context.set_state(1)
        context.destruct_on_exit()
        context.set_result("gone?")

    host = hosts(app)
    host.signal_entity("phoenix", "a", "go")
    host.run_until_idle()
    status = host.request("GET", "/runtime/webhooks/durabletask/entities/phoenix/a")
    assert status.status == 200


def test_raw_input_that_is_no_object_fails_in_get_input(hosts: Hosts) -> None:
    def read(context: Context) -> Any:
        return context.get_input()

    host = hosts(app_of(read))
    answer = host.request("POST", "/runtime/webhooks/durabletask/orchestrators/read", json=5)
    status = host.run_until(answer.json()["id"])
    assert status is not None
    assert "must be str, bytes or bytearray, not int" in str(status.output)


def test_a_generator_that_forgets_to_yield_goes_on_at_once(hosts: Hosts) -> None:
    def hasty(context: Context) -> Any:
        context.wait_for_external_event("Approval")
        return "approved"

    assert output_of(hosts(app_of(hasty)), "hasty") == "approved"


CODE_CHANGES: dict[str, Any] = {
    "another activity": lambda context: context.call_activity("double", 1),
    "a timer": lambda context: context.create_timer(context.current_utc_datetime + timedelta(days=1)),
    "a child": lambda context: context.call_sub_orchestrator("other"),
    "a signal": lambda context: (
        context.signal_entity(df.EntityId("Counter", "a"), "get"),
        context.wait_for_external_event("x"),
    )[1],
    "an event": lambda context: context.wait_for_external_event("x"),
}


@pytest.mark.parametrize("change", CODE_CHANGES)
def test_changed_code_under_a_running_instance_is_detected(state: Any, change: str) -> None:
    def before(context: Context) -> Steps:
        yield context.call_activity("hello", "x")
        yield context.wait_for_external_event("go")

    def after(context: Context) -> Steps:
        yield CODE_CHANGES[change](context)
        yield context.wait_for_external_event("go")

    def other(context: Context) -> Steps:
        yield context.call_activity("hello", "x")

    before.__name__ = after.__name__ = "changing"
    clock = VirtualClock()
    with SyncHost(app_of(before, other), state=state, clock=clock) as host:
        instance_id = host.start("changing")
        host.run_until_idle()
    with SyncHost(app_of(after, other), state=state, clock=clock) as host:
        host.raise_event(instance_id, "go")
        status = host.run_until(instance_id)
    assert status is not None
    assert status.runtime_status == "Failed"
    assert str(status.output).startswith(
        "Non-Deterministic workflow detected: A previous execution of this orchestration scheduled an activity "
    )


def test_history_grows_with_a_fan_out_and_each_step_replays_all_of_it(hosts: Hosts) -> None:
    def fan(context: Context) -> Steps:
        return (yield context.task_all([context.call_activity("double", n) for n in range(50)]))

    host = hosts(app_of(fan))
    instance_id = host.start("fan")
    host.run_until(instance_id)
    assert kinds_of(host, instance_id).count("TaskCompleted") == 50

"""A host on the system clock: work side by side, within the limits that host.json sets."""

import asyncio
import threading
import time
from datetime import timedelta
from typing import Any

import azure.durable_functions as df
import pytest

from localhost import LocalHost, SyncHost, SystemClock
from tests.localhost.apps import Context, Steps, app_of


def fan(context: Context) -> Steps:
    return (yield context.task_all([context.call_activity("meet", n) for n in range(6)]))


class Meeting:
    """Counts who is there at once."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.present = 0
        self.most = 0

    def come(self) -> None:
        with self.lock:
            self.present += 1
            self.most = max(self.most, self.present)

    def go(self) -> None:
        with self.lock:
            self.present -= 1


def app_meeting(meeting: Meeting) -> df.DFApp:
    app = app_of(fan)

    @app.activity_trigger(input_name="number")
    async def meet(number: int) -> int:
        meeting.come()
        await asyncio.sleep(0.05)  # long enough to meet, if that is allowed
        meeting.go()
        return number

    return app


@pytest.mark.parametrize("limit", [1, 2, 6])
def test_no_more_activities_run_at_once_than_host_json_allows(limit: int) -> None:
    meeting = Meeting()
    durable = {"maxConcurrentActivityFunctions": limit}
    with SyncHost(app_meeting(meeting), host_json={"extensions": {"durableTask": durable}}) as host:
        status = host.run_until(host.start("fan"), within=timedelta(seconds=10))
    assert status is not None
    assert status.output == list(range(6))
    assert meeting.most == limit


def test_one_instance_never_runs_twice_at_once() -> None:
    meeting = Meeting()

    def busy(context: Context) -> Steps:
        meeting.come()
        time.sleep(0.01)  # a replay that takes its time
        meeting.go()
        for _ in range(5):
            yield context.wait_for_external_event("go")

    with SyncHost(app_of(busy)) as host:
        instance_id = host.start("busy")
        for _ in range(5):
            host.raise_event(instance_id, "go")
        host.run_until(instance_id, within=timedelta(seconds=10))
    assert meeting.most == 1


def test_a_real_timer_takes_real_time() -> None:
    def wait(context: Context) -> Steps:
        yield context.create_timer(context.current_utc_datetime + timedelta(seconds=0.2))

    began = time.monotonic()
    with SyncHost(app_of(wait), clock=SystemClock()) as host:
        host.run_until(host.start("wait"), within=timedelta(seconds=10))
    assert 0.2 <= time.monotonic() - began < 5


def test_what_does_not_come_in_time_is_a_timeout() -> None:
    def wait(context: Context) -> Steps:
        yield context.wait_for_external_event("never")

    with SyncHost(app_of(wait), clock=SystemClock()) as host, pytest.raises(TimeoutError, match="is Running"):
        host.run_until(host.start("wait"), within=timedelta(seconds=0.2))


def test_several_hosts_live_side_by_side_in_one_loop() -> None:
    async def both() -> list[Any]:
        async with LocalHost(app_meeting(Meeting())) as one, LocalHost(app_meeting(Meeting())) as other:
            ids = [await one.start("fan"), await other.start("fan")]
            found = [await one.run_until(ids[0]), await other.run_until(ids[1])]
            return [status.output for status in found if status is not None]

    assert asyncio.run(both()) == [list(range(6))] * 2


def test_a_wide_fan_out_costs_few_replays() -> None:
    replays: list[int] = []

    def wide(context: Context) -> Steps:
        replays.append(1)
        return len((yield context.task_all([context.call_activity("double", n) for n in range(300)])))

    with SyncHost(app_of(wide)) as host:
        status = host.run_until(host.start("wide"), within=timedelta(seconds=30))
    assert status is not None
    assert status.output == 300
    assert len(replays) < 100

"""Timer triggers: when they are due, and what happens to an occurrence that was missed."""

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path

import azure.functions as func
import pytest

from localhost import LocalHost, Stalled, SyncHost, VirtualClock
from localhost.functions import AppError
from localhost.schedule import read_schedule
from tests.localhost.apps import Context, Hosts, Steps, app_of

NOW = datetime(2026, 3, 4, 10, 30, 15, tzinfo=UTC)  # a Wednesday


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("0 */5 * * * *", "2026-03-04 10:35:00"),
        ("*/5 * * * *", "2026-03-04 10:35:00"),
        ("0 0 * * * *", "2026-03-04 11:00:00"),
        ("30 5 */6 * * *", "2026-03-04 12:05:30"),
        ("0 0 9 * * MON", "2026-03-09 09:00:00"),
        ("0 30 9 * jan MON-FRI", "2027-01-01 09:30:00"),
        ("0 0 0 29 2 *", "2028-02-29 00:00:00"),
        ("0 15,45 8-10 * * *", "2026-03-04 10:45:00"),
        ("00:10:00", "2026-03-04 10:40:15"),
        ("1.00:00:00", "2026-03-05 10:30:15"),
    ],
)
def test_a_schedule_knows_its_next_moment(text: str, expected: str) -> None:
    assert f"{read_schedule(text).next_after(NOW):%Y-%m-%d %H:%M:%S}" == expected


@pytest.mark.parametrize("text", ["", "soon", "* * *", "61 * * * * *", "* * * * * */0", "0 0 0 1 1 someday"])
def test_what_is_no_schedule_is_refused(text: str) -> None:
    with pytest.raises(AppError):
        read_schedule(text)


def test_a_schedule_that_never_comes_is_refused() -> None:
    with pytest.raises(AppError):
        read_schedule("0 0 0 30 2 *").next_after(NOW)


def ticking(seen: list[bool], schedule: str = "0 */5 * * * *") -> func.FunctionApp:
    app = func.FunctionApp()

    @app.timer_trigger(arg_name="timer", schedule=schedule)
    def tick(timer: func.TimerRequest) -> None:
        seen.append(timer.past_due)

    return app


def test_a_timer_runs_whenever_it_is_due(hosts: Hosts) -> None:
    seen: list[bool] = []
    clock = VirtualClock(NOW)
    host = hosts(ticking(seen), clock=clock)
    host.run_until(lambda: clock.now() > NOW + timedelta(hours=1))
    assert seen == [False] * 12


def test_timers_alone_do_not_make_a_host_busy(hosts: Hosts) -> None:
    seen: list[bool] = []
    host = hosts(ticking(seen))
    host.run_until_idle()
    assert seen == []
    with pytest.raises(Stalled):
        host.run_until("nobody")
    assert len(seen) == 1000


def test_an_occurrence_missed_while_the_host_was_down_runs_once_when_it_is_back(state: Path) -> None:
    seen: list[bool] = []
    clock = VirtualClock(NOW)
    app = ticking(seen)
    with SyncHost(app, state=state, clock=clock):
        pass
    clock.advance(timedelta(hours=2))
    with SyncHost(app, state=state, clock=clock) as host:
        host.run_until_idle()
    assert seen == [True]


def test_a_timer_can_be_run_by_hand(hosts: Hosts) -> None:
    seen: list[bool] = []
    host = hosts(ticking(seen))
    assert host.request("POST", "/admin/functions/tick", json={}).status == 202
    host.run_until_idle()
    assert seen == [False]
    assert host.request("POST", "/admin/functions/nothing", json={}).status == 404


def test_a_timer_that_fails_runs_again_the_next_time(hosts: Hosts) -> None:
    calls: list[int] = []
    app = func.FunctionApp()

    @app.timer_trigger(arg_name="timer", schedule="0 */5 * * * *")
    def tick(timer: func.TimerRequest) -> None:
        calls.append(1)
        raise ValueError("no")

    host = hosts(app)
    host.run_until(lambda: len(calls) == 3)


def test_a_schedule_may_be_an_app_setting(hosts: Hosts) -> None:
    seen: list[bool] = []
    clock = VirtualClock(NOW)
    host = hosts(ticking(seen, "%EVERY%"), clock=clock, settings={"EVERY": "01:00:00"})
    host.run_until(lambda: len(seen) == 2)
    assert clock.now() == NOW + timedelta(hours=2)


def test_time_that_runs_by_itself_does_not_pass_for_timers_alone() -> None:
    """They run on the way to what an orchestration waits for; then time stands still until somebody comes."""
    seen: list[bool] = []

    def hour(context: Context) -> Steps:
        yield context.create_timer(context.current_utc_datetime + timedelta(hours=1))

    app = app_of(hour)

    @app.timer_trigger(arg_name="timer", schedule="0 */5 * * * *")
    def tick(timer: func.TimerRequest) -> None:
        seen.append(timer.past_due)

    async def stood_at() -> list[datetime]:
        clock = VirtualClock(NOW)
        async with LocalHost(app, clock=clock, free_running=True) as host:
            await asyncio.sleep(0.2)
            moments = [clock.now()]
            await host.run_until(await host.start("hour"))
            await asyncio.sleep(0.2)
            return [*moments, clock.now()]

    assert asyncio.run(stood_at()) == [NOW, NOW + timedelta(hours=1)]
    assert seen == [False] * 12

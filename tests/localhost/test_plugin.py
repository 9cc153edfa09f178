"""The fixtures that tests of any app can have: hosts, a seed, and a crash wherever one can happen."""

import os
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest

from localhost import SyncHost, SystemClock, Transaction, VirtualClock
from localhost.testing import CrashAnywhere, Hosts
from tests.localhost.apps import Context, Steps, app_of

ROOT = Path(__file__).parents[2]


def order(context: Context) -> Steps:
    yield context.call_activity("hello", "customer")
    yield context.create_timer(context.current_utc_datetime + timedelta(days=1))
    return (yield context.task_all([context.call_activity("double", n) for n in range(4)]))


def end_of_order(host: SyncHost) -> object:
    if host.status("one") is None:
        host.start("order", instance_id="one")
    status = host.run_until("one")
    return status and status.output


def test_a_host_that_is_opened_waits_for_days_in_no_time(open_host: Hosts) -> None:
    host = open_host(app_of(order))
    begun = host.clock.now()
    assert end_of_order(host) == [0, 2, 4, 6]
    assert host.clock.now() - begun == timedelta(days=1)


def kinds_of_work(open_host: Hosts, seed: int) -> list[str]:
    kinds: list[str] = []

    def note(moment: Transaction) -> None:
        kinds.append(moment.kind)

    host = open_host(app_of(order), seed=seed, on_transaction=note)
    for n in range(6):
        host.start("order", instance_id=f"order-{n}")
    host.run_until_idle()
    return kinds


def test_a_seed_is_an_order_of_work(open_host: Hosts) -> None:
    orders = [kinds_of_work(open_host, seed) for seed in range(5)]
    assert orders == [kinds_of_work(open_host, seed) for seed in range(5)]
    assert len({tuple(order) for order in orders}) > 1


def test_a_host_on_the_system_clock_runs_by_itself(open_host: Hosts) -> None:
    host = open_host(app_of(order), clock=SystemClock())
    instance_id = host.start("order")
    host.run_until(lambda: len(host.host._store.history_json(instance_id)[0]) > 0, within=timedelta(seconds=10))


def test_a_crash_at_any_commit_leads_to_the_same_end(crash_anywhere: CrashAnywhere) -> None:
    assert crash_anywhere(app_of(order), end_of_order) == [0, 2, 4, 6]


def test_one_test_may_play_more_than_one_thing(crash_anywhere: CrashAnywhere) -> None:
    app = app_of(order)
    assert crash_anywhere(app, end_of_order, every=5) == crash_anywhere(app, end_of_order, every=7, seed=3)
    assert crash_anywhere(app, lambda host: host.status("nobody")) is None


def test_an_app_that_does_not_survive_a_crash_is_found_out(crash_anywhere: CrashAnywhere) -> None:
    called: list[str] = []

    def fragile(context: Context) -> Steps:
        return (yield context.call_activity("count"))

    app = app_of(fragile)

    @app.activity_trigger(input_name="nothing")
    def count(nothing: object) -> int:
        called.append("here")
        return len(called)

    def play(host: SyncHost) -> object:
        if host.status("one") is None:
            called.clear()
            host.start("fragile", instance_id="one")
        status = host.run_until("one")
        return status and status.output

    found_out = r"With a crash before commit 3 \(activity end\) it ended in 2, else in 1"
    with pytest.raises(AssertionError, match=found_out):
        crash_anywhere(app, play)


SUITE = """
import azure.durable_functions as df

app = df.DFApp()


@app.orchestration_trigger(context_name="context")
def greet(context):
    return (yield context.call_activity("hello", "you"))


@app.activity_trigger(input_name="name")
def hello(name: str) -> str:
    return f"Hello {name}!"


def test_greeting(open_host):
    host = open_host(app)
    assert host.host._seed == 7
    assert host.run_until(host.start("greet")).output == "Hello you!"


def end(host):
    if host.status("a") is None:
        host.start("greet", instance_id="a")
    return host.run_until("a").output


def test_greeting_survives(crash_anywhere):
    assert crash_anywhere(app, end) == "Hello you!"
"""


def test_a_suite_of_ones_own_gets_the_fixtures_by_one_line(tmp_path: Path) -> None:
    (tmp_path / "conftest.py").write_text('pytest_plugins = ["localhost.pytest_plugin"]\n')
    (tmp_path / "test_greeting.py").write_text(SUITE)
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "--localhost-seed", "7", "-p", "no:cacheprovider", str(tmp_path)],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    assert "2 passed" in done.stdout


def test_a_clock_of_ones_own_is_kept(open_host: Hosts) -> None:
    clock = VirtualClock()
    assert open_host(app_of(order), clock=clock).clock is clock

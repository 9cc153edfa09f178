"""Functions that wait for what the host does: it does so when they ask, never because they take long."""

import asyncio
import threading
import time
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import azure.durable_functions as df
import azure.functions as func
import pytest

from localhost import LocalHost, SystemClock, Transaction, VirtualClock, answering
from tests.localhost.apps import Context, Hosts, Steps, app_of
from tests.localhost.test_management_api import API


def chain(context: Context) -> Steps:
    for name in ("a", "b", "c"):
        yield context.call_activity("hello", name)
    return context.instance_id


def hour(context: Context) -> Steps:
    yield context.create_timer(context.current_utc_datetime + timedelta(hours=1))
    return "an hour later"


def waiting_app(pauses: Iterator[float]) -> df.DFApp:
    """Make an app whose routes rest for these seconds between two calls of the client: a machine that is busy."""
    app = app_of(chain, hour)

    @app.route(route="three")
    @app.durable_client_input(client_name="client")
    async def three(req: func.HttpRequest, client: Any) -> func.HttpResponse:
        started: list[str] = []
        for _ in range(3):
            started.append(await client.start_new("chain"))
            await asyncio.sleep(next(pauses))
        polls = 0
        for instance_id in started:
            while (await client.get_status(instance_id)).runtime_status.name != "Completed":
                polls += 1
                await asyncio.sleep(next(pauses))
        return func.HttpResponse(str(polls))

    return app


def no_pause() -> Iterator[float]:
    while True:
        yield 0.0


def now_and_then_a_long_one() -> Iterator[float]:
    while True:
        yield from (0.3, 0.0, 0.0)


def run_of(hosts: Hosts, pauses: Iterator[float], seed: int) -> list[Any]:
    """Answer every transaction of a run, and what became of each instance."""
    seen: list[Transaction] = []
    host = hosts(waiting_app(pauses), seed=seed, on_transaction=seen.append)
    for number in range(5):
        host.start("chain", instance_id=f"before-{number}")
    answer = host.request("GET", "/api/three")
    assert (answer.status, answer.text) == (200, "1")
    host.run_until_idle()
    return [[(one.number, one.kind) for one in seen], host.instances()]


def test_the_order_of_work_is_the_seeds_however_busy_the_machine(hosts: Hosts) -> None:
    quick = run_of(hosts, no_pause(), seed=3)
    assert run_of(hosts, now_and_then_a_long_one(), seed=3) == quick
    assert run_of(hosts, no_pause(), seed=4) != quick


def test_a_request_that_takes_long_has_no_work_done_beside_it(hosts: Hosts) -> None:
    app = app_of(chain)

    @app.route(route="slow")
    def slow(req: func.HttpRequest) -> str:
        time.sleep(0.4)
        return "done"

    host = hosts(app)
    instance_id = host.start("chain")
    assert host.request("GET", "/api/slow").text == "done"
    status = host.status(instance_id)
    assert status is not None
    assert status.runtime_status == "Pending"


def test_asking_once_changes_nothing_and_asking_again_does_what_is_ready(hosts: Hosts) -> None:
    app = app_of(chain)

    @app.route(route="look/{times}")
    @app.durable_client_input(client_name="client")
    async def look(req: func.HttpRequest, client: Any) -> func.HttpResponse:
        found = [await client.get_status("one") for _ in range(int(req.route_params["times"]))]
        return func.HttpResponse(found[-1].runtime_status.name)

    host = hosts(app)
    host.start("chain", instance_id="one")
    assert host.request("GET", "/api/look/1").text == "Pending"
    assert host.request("GET", "/api/look/1").text == "Pending"
    assert host.request("GET", "/api/look/2").text == "Completed"


def test_two_calls_that_ask_the_same_once_wait_for_nothing(hosts: Hosts) -> None:
    app = app_of(chain)

    @app.route(route="look")
    @app.durable_client_input(client_name="client")
    async def look(req: func.HttpRequest, client: Any) -> func.HttpResponse:
        return func.HttpResponse((await client.get_status("one")).runtime_status.name)

    host = hosts(app)
    host.start("chain", instance_id="one")

    async def both() -> list[str]:
        answers = await asyncio.gather(*(host.host.request("GET", "/api/look") for _ in range(2)))
        return [answer.text for answer in answers]

    assert host._run(both()) == ["Pending", "Pending"]


def test_work_is_done_when_all_requests_that_are_served_wait_for_it(hosts: Hosts) -> None:
    """One asks again and again while the other has not yet begun what it wants to see done."""
    app = app_of(chain)

    @app.route(route="begin/{name}/{seconds}")
    @app.durable_client_input(client_name="client")
    async def begin(req: func.HttpRequest, client: Any) -> func.HttpResponse:
        await asyncio.sleep(float(req.route_params["seconds"]))
        instance_id = await client.start_new("chain", instance_id=req.route_params["name"])
        while (await client.get_status(instance_id)).runtime_status.name != "Completed":  # noqa: ASYNC110  as apps do
            await asyncio.sleep(0.01)
        return func.HttpResponse(instance_id)

    seen: list[Transaction] = []
    host = hosts(app, on_transaction=seen.append)

    async def both() -> list[str]:
        paths = ("/api/begin/quick/0", "/api/begin/slow/0.3")
        return [one.text for one in await asyncio.gather(*(host.host.request("GET", path) for path in paths))]

    assert host._run(both()) == ["quick", "slow"]
    assert [one.kind for one in seen if one.is_committed][:3] == ["start", "start", "orchestration step"]


def test_one_that_waits_goes_on_when_another_waits_for_it(hosts: Hosts, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(answering, "_COURTESY", 0.05)
    app = app_of(chain)
    arrived = asyncio.Event()

    @app.route(route="first")
    @app.durable_client_input(client_name="client")
    async def first(req: func.HttpRequest, client: Any) -> func.HttpResponse:
        await arrived.wait()
        return func.HttpResponse("first")

    @app.route(route="second")
    @app.durable_client_input(client_name="client")
    async def second(req: func.HttpRequest, client: Any) -> func.HttpResponse:
        instance_id = await client.start_new("chain")
        while (await client.get_status(instance_id)).runtime_status.name != "Completed":
            pass
        arrived.set()
        return func.HttpResponse("second")

    host = hosts(app)

    async def both() -> list[str]:
        paths = ("/api/first", "/api/second")
        return [one.text for one in await asyncio.gather(*(host.host.request("GET", path) for path in paths))]

    assert host._run(both()) == ["first", "second"]


def test_time_stands_still_for_a_function_that_asks(hosts: Hosts) -> None:
    app = app_of(hour)

    @app.route(route="look")
    @app.durable_client_input(client_name="client")
    async def look(req: func.HttpRequest, client: Any) -> func.HttpResponse:
        found = [await client.get_status("one") for _ in range(5)]
        return func.HttpResponse(found[-1].runtime_status.name)

    host = hosts(app)
    began = host.clock.now()
    host.start("hour", instance_id="one")
    assert host.request("GET", "/api/look").text == "Running"
    assert host.clock.now() == began


def test_an_activity_may_wait_for_another_orchestration(hosts: Hosts) -> None:
    def outer(context: Context) -> Steps:
        return (yield context.call_activity("watch", "inner"))

    app = app_of(outer, chain)

    @app.activity_trigger(input_name="name")
    @app.durable_client_input(client_name="client")
    async def watch(name: str, client: Any) -> str:
        instance_id = await client.start_new("chain", instance_id=name)
        found = [await client.get_status(instance_id) for _ in range(2)]
        return str(found[-1].output)

    host = hosts(app)
    status = host.run_until(host.start("outer"))
    assert status is not None
    assert status.output == "inner"


def test_what_is_waited_for_unseen_is_done_in_the_end_and_the_log_says_so(
    hosts: Hosts, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(answering, "_PATIENCE", 0.05)
    done = threading.Event()

    def signal(context: Context) -> Steps:
        yield context.call_activity("set_it", 1)

    app = app_of(signal)

    @app.activity_trigger(input_name="value")
    def set_it(value: int) -> None:
        done.set()

    @app.route(route="unseen")
    def unseen(req: func.HttpRequest) -> str:
        return str(done.wait(10))

    host = hosts(app)
    host.start("signal")
    assert host.request("GET", "/api/unseen").text == "True"
    assert "without asking the durable API" in caplog.text


def test_a_start_waits_for_the_end_by_the_hosts_clock(hosts: Hosts) -> None:
    host = hosts(app_of(hour))
    began = host.clock.now()
    late = host.request("POST", f"{API}/orchestrators/hour/one?timeout=60&pollingInterval=1")
    assert late.status == 202
    assert host.clock.now() == began + timedelta(seconds=60)
    ended = host.request("POST", f"{API}/orchestrators/hour/two?timeout=7200&pollingInterval=1")
    assert (ended.status, ended.json()) == (200, "an hour later")
    assert host.clock.now() == began + timedelta(seconds=60, hours=1)


def test_a_start_waits_while_a_virtual_clock_runs_by_itself() -> None:
    async def ended() -> Any:
        async with LocalHost(app_of(hour), clock=VirtualClock(), free_running=True) as host:
            return (await host.request("POST", f"{API}/orchestrators/hour?timeout=7200&pollingInterval=60")).json()

    began = time.monotonic()
    assert asyncio.run(ended()) == "an hour later"
    assert time.monotonic() - began < 30


def test_a_start_waits_for_the_end_in_real_time(hosts: Hosts) -> None:
    for options in ({}, {"seed": 1}):
        host = hosts(app_of(chain, hour), clock=SystemClock(), **options)
        ended = host.request("POST", f"{API}/orchestrators/chain/one?timeout=30&pollingInterval=0.01")
        assert (ended.status, ended.json()) == (200, "one")
        late = host.request("POST", f"{API}/orchestrators/hour?timeout=0.1&pollingInterval=0.02")
        assert late.status == 202

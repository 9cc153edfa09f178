"""What goes wrong around a host: functions that hang, disks that fill, bodies too large; nothing is lost."""

import asyncio
import sqlite3
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import azure.durable_functions as df
import azure.functions as func
import pytest

from localhost import LocalHost, SyncHost, SystemClock, VirtualClock
from localhost.http import server
from localhost.store import StateError
from tests.localhost.apps import Context, Hosts, Steps, app_of, with_routes

TIMEOUT = {"functionTimeout": "00:00:01"}


@pytest.fixture
def never() -> Iterator[threading.Event]:
    """An event that comes only when the test is over, so that no thread outlives it."""
    event = threading.Event()
    yield event
    event.set()


def call_hanging(context: Context) -> Steps:
    return (yield context.call_activity("hang", "x"))


def test_an_activity_that_hangs_fails_when_its_time_is_up(hosts: Hosts, never: threading.Event) -> None:
    app = app_of(call_hanging)

    @app.activity_trigger(input_name="name")
    def hang(name: str) -> None:
        never.wait()

    host = hosts(app, host_json=TIMEOUT)
    status = host.run_until(host.start("call_hanging"))
    assert status is not None
    assert "Timeout value of 00:00:01 was exceeded by function: Functions.hang" in str(status.output)


def test_an_async_activity_that_hangs_fails_when_its_time_is_up(hosts: Hosts) -> None:
    app = app_of(call_hanging)

    @app.activity_trigger(input_name="name")
    async def hang(name: str) -> None:
        await asyncio.sleep(3600)

    host = hosts(app, host_json=TIMEOUT)
    status = host.run_until(host.start("call_hanging"))
    assert status is not None
    assert "Timeout value of 00:00:01 was exceeded by function: Functions.hang" in str(status.output)


def test_a_route_that_hangs_does_not_stop_the_others(hosts: Hosts, never: threading.Event) -> None:
    app = func.FunctionApp()

    @app.route(route="hang")
    def hang(req: func.HttpRequest) -> str:
        never.wait()
        return ""

    @app.route(route="fine")
    def fine(req: func.HttpRequest) -> str:
        return "fine"

    host = hosts(app, host_json=TIMEOUT)
    for _ in range(20):
        assert host.request("GET", "/api/fine").status == 200
    assert host.request("GET", "/api/hang").status == 500
    assert host.request("GET", "/api/fine").text == "fine"


def test_an_orchestrator_that_hangs_fails_and_the_others_go_on(never: threading.Event) -> None:
    def stuck(context: Context) -> Steps:
        never.wait()
        yield context.call_activity("hello", "x")

    def fine(context: Context) -> Steps:
        return (yield context.call_activity("hello", "x"))

    with SyncHost(app_of(stuck, fine), clock=SystemClock(), host_json=TIMEOUT) as host:
        hanging, going = host.start("stuck"), host.start("fine")
        went = host.run_until(going, within=timedelta(seconds=10))
        hung = host.run_until(hanging, within=timedelta(seconds=10))
    assert went is not None
    assert went.output == "Hello x!"
    assert hung is not None
    assert "Timeout value of 00:00:01 was exceeded by function: Functions.stuck" in str(hung.output)


def test_an_entity_that_hangs_fails_its_callers_and_keeps_its_state(never: threading.Event) -> None:
    def ask(context: Context) -> Steps:
        return (yield context.call_entity(df.EntityId("Slow", "a"), context.get_input()))

    app = app_of(ask)

    def slow(context: Context) -> None:
        if context.operation_name == "hang":
            never.wait()
        context.set_state(context.get_state(lambda: 0) + 1)
        context.set_result("done")

    app.entity_trigger(context_name="context", entity_name="Slow")(slow)
    with SyncHost(app, clock=SystemClock(), host_json=TIMEOUT) as host:
        ends = [host.run_until(host.start("ask", say), within=timedelta(seconds=20)) for say in ("a", "hang", "b")]
        state = host.entity("Slow", "a")
    outputs = [str(end.output) for end in ends if end is not None]
    assert (outputs[0], outputs[2], state) == ("done", "done", 2)
    assert "Timeout value of 00:00:01 was exceeded by function: Functions.slow" in outputs[1]


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ("{}", "answered something that is no state"),
        ('{"entityState": null, "entityExists": true, "results": []}', "did not answer every operation"),
    ],
)
def test_an_entity_that_answers_nonsense_fails_its_callers(hosts: Hosts, answer: str, words: str) -> None:
    def ask(context: Context) -> Steps:
        return (yield context.call_entity(df.EntityId("Odd", "a"), "get"))

    app = app_of(ask)
    app.entity_trigger(context_name="context", entity_name="Odd")(lambda context: context.set_result(1))
    host = hosts(app)
    known = host.host.app.entities["odd"]
    host.host._app.entities["odd"] = replace(known, call=lambda **_: answer)  # type: ignore[index]
    status = host.run_until(host.start("ask"))
    assert status is not None
    assert status.runtime_status == "Failed"
    assert words in str(status.output)


def test_a_users_own_timeout_is_not_the_hosts(hosts: Hosts) -> None:
    app = app_of(call_hanging)

    @app.activity_trigger(input_name="name")
    def hang(name: str) -> None:
        raise TimeoutError("mine")

    host = hosts(app)
    status = host.run_until(host.start("call_hanging"))
    assert status is not None
    assert "Activity function 'hang' failed:  TimeoutError: mine" in str(status.output)


def limit_pages(host: SyncHost, spare: int) -> Callable[[], None]:
    """Let the state file grow by so many pages only, as on a full disk; answer how to give the disk back."""
    connection: sqlite3.Connection = host.host._store._connection
    pages = int(connection.execute("PRAGMA page_count").fetchone()[0])
    connection.execute(f"PRAGMA max_page_count={pages + spare}")

    def free() -> None:
        connection.execute("PRAGMA max_page_count=1000000")

    return free


def test_a_full_disk_is_told_and_loses_nothing(state: Path) -> None:
    def large(context: Context) -> Steps:
        first = yield context.call_activity("echo", "x" * 100_000)
        second = yield context.call_activity("echo", "y" * 100_000)
        return len(first) + len(second)

    with SyncHost(with_routes(app_of(large)), state=state, clock=VirtualClock()) as host:
        instance_id = host.start("large")
        free = limit_pages(host, 2)
        with pytest.raises(StateError, match="The disk is full"):
            host.run_until(instance_id)
        big = {"orchestration_function_name": "large", "client_input": "z" * 100_000}
        assert "The disk is full" in host.request("POST", "/api/call/start_new", json=big).text
        direct = host.request("POST", "/runtime/webhooks/durabletask/orchestrators/large", json=["z" * 100_000])
        assert direct.status == 503
        assert "The disk is full" in direct.text
        free()
        status = host.run_until(instance_id)
    assert status is not None
    assert status.output == 200_000


def test_a_host_that_runs_by_itself_tries_again_when_the_disk_has_room(state: Path) -> None:
    def large(context: Context) -> Steps:
        return len((yield context.call_activity("echo", "x" * 100_000)))

    with SyncHost(app_of(large), state=state, clock=SystemClock()) as host:
        free = limit_pages(host, 2)
        instance_id = host.start("large")
        full_until = time.monotonic() + 0.3
        host.run_until(lambda: time.monotonic() > full_until)
        free()
        status = host.run_until(instance_id, within=timedelta(seconds=20))
    assert status is not None
    assert status.output == 100_000


def test_what_is_no_state_file_is_refused(state: Path) -> None:
    state.write_text("this is no database, but long enough to be looked at as one" * 10)
    with pytest.raises(StateError, match="cannot be used"), SyncHost(app_of(), state=state):
        pass


def test_a_state_file_of_another_format_is_refused(state: Path) -> None:
    with sqlite3.connect(state) as connection:
        connection.execute("PRAGMA user_version=99")
    connection.close()
    with pytest.raises(StateError, match="has format 99"), SyncHost(app_of(), state=state):
        pass


def test_a_second_host_in_the_same_process_is_refused_too(state: Path) -> None:
    with (
        SyncHost(app_of(), state=state),
        pytest.raises(StateError, match="another host runs on it"),
        SyncHost(app_of(), state=state),
    ):
        pass


def post(url: str, body: bytes) -> int:
    request = urllib.request.Request(url, data=body, method="POST")
    try:
        with urllib.request.urlopen(request, timeout=10) as response:
            return int(response.status)
    except urllib.error.HTTPError as error:
        with error:
            return error.code


async def over_a_socket(app: func.FunctionApp, body: bytes) -> int:
    async with LocalHost(app, clock=VirtualClock(), port=0) as host:
        return await asyncio.to_thread(post, f"{host.url}/api/size", body)


def test_a_body_too_large_is_413_and_one_that_fits_is_served(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "MAX_BODY", 1_000_000)
    app = func.FunctionApp()

    @app.route(route="size")
    def size(req: func.HttpRequest) -> str:
        return str(len(req.get_body()))

    assert asyncio.run(over_a_socket(app, b"x" * 1_000_001)) == 413
    assert asyncio.run(over_a_socket(app, b"x" * 999_999)) == 200


def test_an_entity_whose_function_is_gone_fails_its_callers(state: Path) -> None:
    def ask(context: Context) -> Steps:
        return (yield context.call_entity(df.EntityId("Nobody", "a"), "get"))

    with SyncHost(app_of(ask), state=state, clock=VirtualClock()) as host:
        status = host.run_until(host.start("ask"))
    assert status is not None
    assert status.runtime_status == "Failed"
    assert "The function 'nobody' doesn't exist" in str(status.output)


def test_an_activity_that_returns_no_json_fails(hosts: Hosts) -> None:
    def call(context: Context) -> Steps:
        yield context.call_activity("odd", 1)

    app = app_of(call)

    @app.activity_trigger(input_name="value")
    def odd(value: int) -> object:
        return {1, 2}

    host = hosts(app)
    status = host.run_until(host.start("call"))
    assert status is not None
    assert "activity trigger output must be json serializable" in str(status.output)


def test_an_orchestrator_that_returns_no_json_fails(hosts: Hosts) -> None:
    def odd(context: Context) -> Steps:
        yield context.call_activity("hello", "x")
        return {1, 2}

    host = hosts(app_of(odd))
    status = host.run_until(host.start("odd"))
    assert status is not None
    assert status.runtime_status == "Failed"
    assert "not JSON serializable" in str(status.output)


def test_half_of_a_surrogate_pair_goes_in_and_out_as_a_replacement(hosts: Hosts) -> None:
    """UTF-8 has no such thing: .NET writes it to storage as U+FFFD, where SQLite would refuse the whole step."""

    def split(context: Context) -> Steps:
        context.set_custom_status("status \ud83d")
        yield context.call_activity("echo", "x")
        if context.get_input() == "raise":
            raise ValueError("error \ude00")
        return "whole \U0001f600, half \ud83d"

    host = hosts(app_of(split))
    answer = host.request(
        "POST",
        "/runtime/webhooks/durabletask/orchestrators/split/one",
        body=b'{"input": "\\ud83d"}',
        headers={"Content-Type": "application/json"},
    )
    assert answer.status == 202
    status = host.run_until("one")
    assert status is not None
    assert (status.output, status.custom_status) == ("whole \U0001f600, half \ufffd", "status \ufffd")
    assert status.input == {"input": "\ufffd"}
    failed = host.run_until(host.start("split", "raise"))
    assert failed is not None
    assert "error \ufffd" in str(failed.output)

"""What Microsoft's end-to-end suites assert of Python apps, said again with apps of our own.

Azure/azure-functions-durable-extension test/e2e, and the v1-style suite of microsoft/durabletask-python.
"""

import json
import threading
from collections.abc import Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import azure.durable_functions as df
import pytest

from localhost import SyncHost, VirtualClock
from tests.localhost.apps import Context, Hosts, Steps, app_of, kinds_of, output_of, with_routes

pytestmark = pytest.mark.filterwarnings("ignore:Potential duplicate Task completion")


class Point:
    """Something of the app's own that goes over the wire."""

    def __init__(self, x: int) -> None:
        self.x = x

    @staticmethod
    def to_json(point: "Point") -> str:
        return str(point.x)

    @staticmethod
    def from_json(text: str) -> "Point":
        return Point(int(text))


def test_hello_cities_over_http(hosts: Hosts) -> None:
    def cities(context: Context) -> Steps:
        tokyo = yield context.call_activity("hello", "Tokyo")
        seattle = yield context.call_activity("hello", "Seattle")
        return [tokyo, seattle, (yield context.call_activity("hello", "London"))]

    host = hosts(with_routes(app_of(cities)))
    answer = host.request("POST", "/api/call/start_new", json={"orchestration_function_name": "cities"})
    status = host.run_until(answer.json())
    assert status is not None
    assert status.output == ["Hello Tokyo!", "Hello Seattle!", "Hello London!"]


@pytest.mark.parametrize("value", [None, True, 1, 1.5, "text", "", "5", "{}", [1, "a"], {"a": {"b": None}}])
def test_an_activity_gets_and_returns_any_json_value(hosts: Hosts, value: object) -> None:
    def call(context: Context) -> Steps:
        return (yield context.call_activity("echo", context.get_input()))

    host = hosts(app_of(call))
    assert output_of(host, "call", value) == value


def test_an_object_with_to_json_goes_to_an_activity_and_back(hosts: Hosts) -> None:
    def call(context: Context) -> Steps:
        point = yield context.call_activity("move", Point(1))
        return point.x

    app = app_of(call)

    @app.activity_trigger(input_name="point")
    def move(point: Point) -> Point:
        return Point(point.x + 1)

    assert output_of(hosts(app), "call") == 2


def test_an_entity_that_fails_can_be_called_again_until_it_does_not(hosts: Hosts) -> None:
    attempts: list[int] = []

    def call(context: Context) -> Steps:
        for _ in range(5):
            try:
                return (yield context.call_entity(df.EntityId("shaky", "a"), "go"))
            except Exception:  # noqa: BLE001  the type is lost on the wire
                yield context.create_timer(context.current_utc_datetime + timedelta(seconds=5))

    app = app_of(call)

    @app.entity_trigger(context_name="context")
    def shaky(context: Context) -> None:
        attempts.append(1)
        if len(attempts) < 3:
            raise ValueError("not yet")
        context.set_result("at last")

    assert output_of(hosts(app), "call") == "at last"
    assert len(attempts) == 3


class Account:
    """An entity written as a class behind its function."""

    def __init__(self, context: Context) -> None:
        self.context = context
        self.state: dict[str, Any] = context.get_state(lambda: {"balance": 0})

    def run(self) -> None:
        getattr(self, self.context.operation_name)()
        self.context.set_state(self.state)

    def deposit(self) -> None:
        self.state["balance"] += self.context.get_input()
        self.context.set_result(self.state["balance"])


def test_an_entity_may_be_a_class(hosts: Hosts) -> None:
    def call(context: Context) -> Steps:
        account = df.EntityId("account", "a")
        yield context.call_entity(account, "deposit", 5)
        return (yield context.call_entity(account, "deposit", 6))

    app = app_of(call)

    @app.entity_trigger(context_name="context")
    def account(context: Context) -> None:
        Account(context).run()

    host = hosts(app)
    assert output_of(host, "call") == 11
    assert host.entity("account", "a") == {"balance": 11}


def test_replaying_is_false_exactly_once_at_each_point(hosts: Hosts) -> None:
    fresh: list[str] = []

    def note(context: Context, point: str) -> None:
        if not context.is_replaying:
            fresh.append(point)

    def points(context: Context) -> Steps:
        note(context, "begin")
        yield context.call_activity("hello", "x")
        note(context, "activity")
        yield context.create_timer(context.current_utc_datetime + timedelta(seconds=1))
        note(context, "timer")
        yield context.call_entity(df.EntityId("Counter", "a"), "add", 1)
        note(context, "entity")
        yield context.call_sub_orchestrator("child")
        note(context, "child")
        yield context.task_all([context.call_activity("double", n) for n in range(3)])
        note(context, "all")
        yield context.wait_for_external_event("go")
        note(context, "event")

    def child(context: Context) -> Steps:
        return (yield context.call_activity("hello", "x"))

    host = hosts(app_of(points, child))
    instance_id = host.start("points")
    host.run_until_idle()
    host.raise_event(instance_id, "go")
    host.run_until(instance_id)
    assert fresh == ["begin", "activity", "timer", "entity", "child", "all", "event"]


def test_time_and_new_ids_are_the_same_in_every_replay(hosts: Hosts) -> None:
    seen: list[tuple[str, str]] = []

    def ids(context: Context) -> Steps:
        seen.append((context.new_uuid(), str(context.current_utc_datetime)))
        yield context.create_timer(context.current_utc_datetime + timedelta(hours=1))
        yield context.call_activity("hello", "x")

    host = hosts(app_of(ids))
    host.run_until(host.start("ids"))
    assert len(seen) == 3
    assert len(set(seen)) == 1


def test_an_approval_in_time_wins_the_race_and_a_late_one_does_not(hosts: Hosts) -> None:
    def approval(context: Context) -> Steps:
        deadline = context.create_timer(context.current_utc_datetime + timedelta(days=1))
        event = context.wait_for_external_event("approve")
        winner = yield context.task_any([event, deadline])
        if winner == event:
            deadline.cancel()
            return ["approved", event.result]
        return "escalated"

    clock = VirtualClock()
    host = hosts(app_of(approval), clock=clock)
    instance_id = host.start("approval")
    host.step()
    host.raise_event(instance_id, "approve", "ada")
    status = host.run_until(instance_id)
    assert status is not None
    assert status.output == ["approved", "ada"]

    late = host.run_until(host.start("approval"))
    assert late is not None
    assert late.output == "escalated"


def test_the_first_of_several_activities_is_the_winner(hosts: Hosts) -> None:
    def race(context: Context) -> Steps:
        slow = context.call_sub_orchestrator("slow")
        quick = context.call_activity("hello", "quick")
        winner = yield context.task_any([slow, quick])
        return winner.result

    def slow(context: Context) -> Steps:
        yield context.create_timer(context.current_utc_datetime + timedelta(hours=1))
        return "slow"

    host = hosts(app_of(race, slow))
    assert output_of(host, "race") == "Hello quick!"


def test_children_of_children_and_fans_of_children(hosts: Hosts) -> None:
    def root(context: Context) -> Steps:
        return sum((yield context.task_all([context.call_sub_orchestrator("branch", n) for n in range(4)])))

    def branch(context: Context) -> Steps:
        return (yield context.call_sub_orchestrator("leaf", context.get_input()))

    def leaf(context: Context) -> Steps:
        return (yield context.call_activity("double", context.get_input()))

    assert output_of(hosts(app_of(root, branch, leaf)), "root") == 12


def test_a_child_may_be_given_an_id(hosts: Hosts) -> None:
    def parent(context: Context) -> Steps:
        return (yield context.call_sub_orchestrator("child", None, "my-child"))

    def child(context: Context) -> str:
        return context.instance_id

    assert output_of(hosts(app_of(parent, child)), "parent") == "my-child"


@pytest.mark.parametrize("child_id", ["@entity-like", "itself"])
def test_a_child_with_an_impossible_id_fails_its_parent(hosts: Hosts, child_id: str) -> None:
    def parent(context: Context) -> Steps:
        yield context.call_sub_orchestrator("parent", None, child_id)

    host = hosts(app_of(parent))
    status = host.run_until(host.start("parent", instance_id="itself"))
    assert status is not None
    assert status.runtime_status == "Failed"
    assert "must not start with '@' and must differ from its parent's" in str(status.output)


def test_an_endless_orchestration_keeps_its_history_short(hosts: Hosts) -> None:
    def endless(context: Context) -> Steps:
        count = context.get_input()
        context.set_custom_status(count)
        yield context.create_timer(context.current_utc_datetime + timedelta(minutes=1))
        context.continue_as_new(count + 1)

    clock = VirtualClock()
    host = hosts(app_of(endless), clock=clock)
    instance_id = host.start("endless", 1)
    begun = clock.now()
    host.run_until(lambda: clock.now() - begun > timedelta(hours=2))
    assert len(kinds_of(host, instance_id)) < 5
    status = host.status(instance_id)
    assert status is not None
    assert status.custom_status == 121


def test_signals_are_performed_in_the_order_they_were_sent(hosts: Hosts) -> None:
    def signals(context: Context) -> Steps:
        entity = df.EntityId("log", "a")
        for n in range(5):
            context.signal_entity(entity, "note", n)
        return (yield context.call_entity(entity, "read"))

    app = app_of(signals)

    @app.entity_trigger(context_name="context")
    def log(context: Context) -> None:
        notes = context.get_state(list)
        if context.operation_name == "note":
            notes.append(context.get_input())
            context.set_state(notes)
        context.set_result(notes)

    assert output_of(hosts(app), "signals") == [0, 1, 2, 3, 4]


class Site(BaseHTTPRequestHandler):
    """Answers with what it was asked; 418 where nothing is."""

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        answer = json.dumps({"got": body, "type": self.headers["Content-Type"], "path": self.path}).encode()
        self.send_response(200 if self.path == "/here" else 418)
        self.send_header("X-Answer", "yes")
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  the base class's word
        pass


@pytest.fixture
def site() -> Iterator[str]:
    server = HTTPServer(("127.0.0.1", 0), Site)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def call_site(context: Context) -> Steps:
    return (yield context.call_http("POST", context.get_input(), {"a": 1}))


def test_a_durable_http_call_answers_with_status_headers_and_content(hosts: Hosts, site: str) -> None:
    answer = output_of(hosts(app_of(call_site)), "call_site", f"{site}/here")
    assert answer["statusCode"] == 200
    assert answer["headers"]["X-Answer"] == "yes"
    assert json.loads(answer["content"]) == {"got": '{"a": 1}', "type": "text/plain", "path": "/here"}


def test_a_durable_http_call_that_is_refused_is_a_normal_answer(hosts: Hosts, site: str) -> None:
    assert output_of(hosts(app_of(call_site)), "call_site", f"{site}/nowhere")["statusCode"] == 418


def test_a_durable_http_call_that_nobody_answers_fails(hosts: Hosts) -> None:
    host = hosts(app_of(call_site))
    status = host.run_until(host.start("call_site", "http://127.0.0.1:9/closed"))
    assert status is not None
    assert status.runtime_status == "Failed"
    assert "BuiltIn::HttpActivity" in str(status.output)


def versioned(context: Context) -> Steps:
    yield context.wait_for_external_event("go")
    return context.version


@pytest.mark.parametrize(
    ("strategy", "old", "new", "runs"),
    [
        ("None", "2.0", "1.0", True),
        ("Strict", "1.0", "1.0", True),
        ("Strict", "1.0", "2.0", False),
        ("CurrentOrOlder", "1.0", "2.0", True),
        ("CurrentOrOlder", "1.9", "1.10", True),
        ("CurrentOrOlder", "2.0", "1.0", False),
        ("CurrentOrOlder", "", "1.0", True),
    ],
)
@pytest.mark.parametrize("failure", ["Reject", "Fail"])
def test_a_worker_takes_only_the_versions_its_strategy_allows(
    state: Any, strategy: str, old: str, new: str, failure: str, *, runs: bool
) -> None:
    def host_json(version: str) -> dict[str, Any]:
        durable = {
            "defaultVersion": version,
            "versionMatchStrategy": strategy,
            "versionFailureStrategy": failure,
        }
        return {"extensions": {"durableTask": durable}}

    app, clock = app_of(versioned), VirtualClock()
    with SyncHost(app, state=state, clock=clock, host_json=host_json(old)) as host:
        instance_id = host.start("versioned")
        host.run_until_idle()
    with SyncHost(app, state=state, clock=clock, host_json=host_json(new)) as host:
        host.raise_event(instance_id, "go")
        host.run_until_idle()
        status = host.status(instance_id)
        assert status is not None
        if runs:
            assert (status.runtime_status, status.output) == ("Completed", old)
        elif failure == "Fail":
            assert status.runtime_status == "Failed"
            assert "does not match the worker version" in str(status.output)
        else:
            assert status.runtime_status == "Running"
    if not runs and failure == "Reject":
        with SyncHost(app, state=state, clock=clock, host_json=host_json(old)) as host:
            status = host.run_until(instance_id)
            assert status is not None
            assert status.output == old

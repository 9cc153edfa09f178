"""The app's own routes: matching, what a function is given, what becomes of its answer."""

import os
from collections.abc import Callable
from typing import Any

import azure.functions as func
import pytest

from localhost import SyncHost
from localhost.functions import AppError
from tests.localhost.apps import Hosts


def serving(hosts: Hosts, declare: Callable[[func.FunctionApp], None], **options: Any) -> SyncHost:
    app = func.FunctionApp(http_auth_level=func.AuthLevel.ANONYMOUS)
    declare(app)
    return hosts(app, **options)


def echo(app: func.FunctionApp, route: str) -> None:
    def answer(req: func.HttpRequest) -> str:
        return f"{route}: {dict(req.route_params)}"

    answer.__name__ = f"answer_{abs(hash(route))}"
    app.route(route=route)(answer)


def test_the_most_literal_route_wins(hosts: Hosts) -> None:
    def declare(app: func.FunctionApp) -> None:
        for route in ("{*rest}", "things/{id}", "things/all", "things/{id:int}/parts/{part?}"):
            echo(app, route)

    host = serving(hosts, declare)
    assert host.request("GET", "/api/things/all").text == "things/all: {}"
    assert host.request("GET", "/api/things/7").text == "things/{id}: {'id': '7'}"
    assert host.request("GET", "/api/things/7/parts").text == "things/{id:int}/parts/{part?}: {'id': '7'}"
    assert "{'id': '7', 'part': 'a b'}" in host.request("GET", "/api/things/7/parts/a%20b").text
    assert host.request("GET", "/api/x/y/z").text == "{*rest}: {'rest': 'x/y/z'}"
    assert host.request("GET", "/elsewhere").status == 404


def test_a_constraint_decides_whether_a_route_fits(hosts: Hosts) -> None:
    host = serving(hosts, lambda app: echo(app, "things/{id:int}"))
    assert host.request("GET", "/api/things/7").status == 200
    assert host.request("GET", "/api/things/seven").status == 404


def test_an_unknown_constraint_is_refused_at_load(hosts: Hosts) -> None:
    with pytest.raises(AppError, match="unknown constraint 'prime'"):
        serving(hosts, lambda app: echo(app, "things/{id:prime}"))


def test_the_route_prefix_may_be_empty(hosts: Hosts) -> None:
    host = serving(hosts, lambda app: echo(app, "x"), host_json={"extensions": {"http": {"routePrefix": ""}}})
    assert host.request("GET", "/x").status == 200
    assert host.request("GET", "/api/x").status == 404


def test_methods_are_told_apart(hosts: Hosts) -> None:
    def declare(app: func.FunctionApp) -> None:
        @app.route(route="x", methods=["GET"])
        def read(req: func.HttpRequest) -> str:
            return "read"

        @app.route(route="x", methods=[func.HttpMethod.POST])
        def write(req: func.HttpRequest) -> str:
            return "write"

    host = serving(hosts, declare)
    assert host.request("GET", "/api/x").text == "read"
    assert host.request("POST", "/api/x").text == "write"
    assert host.request("DELETE", "/api/x").status == 404


def test_a_function_sees_query_headers_body_and_context(hosts: Hosts) -> None:
    def declare(app: func.FunctionApp) -> None:
        @app.route(route="x")
        def look(req: func.HttpRequest, context: func.Context) -> func.HttpResponse:
            assert context.function_name == "look"
            assert context.invocation_id
            seen = [req.method, req.params["q"], req.headers["x-one"], req.get_body().decode(), req.url]
            return func.HttpResponse("|".join(seen))

    host = serving(hosts, declare)
    answer = host.request("PUT", "/api/x?q=1&q=2", body=b"\xc3\xa4", headers={"X-One": "one"})
    assert answer.text == f"PUT|1,2|one|ä|{host.url}/api/x?q=1&q=2"


def test_an_answer_keeps_its_status_headers_and_cookies(hosts: Hosts) -> None:
    def declare(app: func.FunctionApp) -> None:
        @app.route(route="x")
        def answer(req: func.HttpRequest) -> func.HttpResponse:
            headers = {"X-Two": "2", "Set-Cookie": "a=1; Path=/"}
            return func.HttpResponse(b"\x00\x01", status_code=201, headers=headers, mimetype="image/png")

    found = serving(hosts, declare).request("GET", "/api/x")
    assert (found.status, found.body) == (201, b"\x00\x01")
    assert found.header("Content-Type") == "image/png"
    assert found.header("X-Two") == "2"
    assert found.header("Set-Cookie") == "a=1; Path=/"


@pytest.mark.parametrize("answer", [None, 5, {"a": 1}])
def test_what_is_no_http_answer_is_an_error(hosts: Hosts, answer: object) -> None:
    def declare(app: func.FunctionApp) -> None:
        @app.route(route="x")
        def wrong(req: func.HttpRequest):  # noqa: ANN202  a wrong annotation would not load
            return answer

    assert serving(hosts, declare).request("GET", "/api/x").status == 500


def test_an_exception_is_500_with_an_empty_body(hosts: Hosts, caplog: pytest.LogCaptureFixture) -> None:
    def declare(app: func.FunctionApp) -> None:
        @app.route(route="x")
        async def broken(req: func.HttpRequest) -> func.HttpResponse:
            raise ValueError("secret")

        @app.route(route="y")
        def broken_too(req: func.HttpRequest) -> func.HttpResponse:
            raise ValueError("secret too")

    host = serving(hosts, declare)
    found = host.request("GET", "/api/x")
    assert (found.status, found.body) == (500, b"")
    assert "Function broken failed: ValueError: secret" in caplog.text
    host.request("GET", "/api/y")
    assert "Function broken_too failed: ValueError: secret too" in caplog.text
    # Where it happened is told, and not how this host got there.
    assert caplog.text.count(__file__) == 2
    assert "invoker.py" not in caplog.text


def test_bad_json_is_the_functions_to_find(hosts: Hosts) -> None:
    def declare(app: func.FunctionApp) -> None:
        @app.route(route="x")
        def read(req: func.HttpRequest) -> func.HttpResponse:
            try:
                req.get_json()
            except ValueError:
                return func.HttpResponse(status_code=400)
            return func.HttpResponse()

    host = serving(hosts, declare)
    assert host.request("POST", "/api/x", body=b"{").status == 400
    assert host.request("POST", "/api/x", json={}).status == 200


def test_the_host_says_that_it_runs(hosts: Hosts) -> None:
    host = serving(hosts, lambda app: echo(app, "x"))
    assert host.request("GET", "/admin/host/status").json() == {"state": "Running"}


def test_an_app_finds_its_host_name_in_the_environment(hosts: Hosts, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("WEBSITE_HOSTNAME", raising=False)
    app = func.FunctionApp()

    @app.route(route="name")
    def name(req: func.HttpRequest) -> str:
        return os.environ["WEBSITE_HOSTNAME"]

    host = hosts(app, port=0)
    assert host.request("GET", "/api/name").text == host.url.replace("http://127.0.0.1", "localhost")

"""Durable HTTP calls: what they send, what they answer, and whose token they carry."""

import json
import threading
from collections.abc import Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import azure.durable_functions as df
import pytest

from localhost import SyncHost
from tests.localhost.apps import Context, Hosts, Steps, app_of, output_of

SECRET = "who may ask for tokens"


class Cloud(BaseHTTPRequestHandler):
    """A managed identity endpoint, and an API that wants its tokens and takes its time."""

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        self.server.asked.append(self.path)  # type: ignore[attr-defined]
        if parts.path == "/msi/token":
            self._token(parse_qs(parts.query))
        elif self.headers.get("Authorization") != "Bearer token for https://management.core.windows.net/":
            self._answer(401, {"error": self.headers.get("Authorization")})
        elif parts.path == "/job":
            self._job()
        else:
            self._answer(200, {"path": self.path})

    def _token(self, query: dict[str, list[str]]) -> None:
        if self.headers.get("X-IDENTITY-HEADER") != SECRET or query.get("api-version") != ["2019-08-01"]:
            self._answer(400, {"error": {"code": "bad_request"}})
        else:
            self._answer(200, {"access_token": f"token for {query['resource'][0]}", "token_type": "Bearer"})

    def _job(self) -> None:
        """Be under way twice, then done."""
        self.server.looks += 1  # type: ignore[attr-defined]
        if self.server.looks < 3:  # type: ignore[attr-defined]
            self._answer(202, None, Location="/job", Retry_After="30")
        else:
            self._answer(200, {"looks": self.server.looks})  # type: ignore[attr-defined]

    def _answer(self, status: int, body: object, **headers: str) -> None:
        content = b"" if body is None else json.dumps(body).encode()
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  the base class's word
        pass


@pytest.fixture
def cloud() -> Iterator[Any]:
    server: Any = ThreadingHTTPServer(("127.0.0.1", 0), Cloud)
    server.asked, server.looks = [], 0
    server.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def host(hosts: Hosts, cloud: Any) -> SyncHost:
    settings = {"IDENTITY_ENDPOINT": f"{cloud.url}/msi/token", "IDENTITY_HEADER": SECRET}
    return hosts(app_of(ask, ask_without, poll), settings=settings)


RESOURCE = "https://management.core.windows.net/"


def ask(context: Context) -> Steps:
    source = df.ManagedIdentityTokenSource(RESOURCE)
    return (yield context.call_http("GET", context.get_input(), token_source=source))


def ask_without(context: Context) -> Steps:
    return (yield context.call_http("GET", context.get_input()))


def poll(context: Context) -> Steps:
    """Poll as an orchestrator in Python must: by timers of its own."""
    source = df.ManagedIdentityTokenSource(RESOURCE)
    base = context.get_input()
    answer = yield context.call_http("GET", f"{base}/job", token_source=source)
    while answer["statusCode"] == 202:
        pause = timedelta(seconds=int(answer["headers"]["Retry-After"]))
        yield context.create_timer(context.current_utc_datetime + pause)
        answer = yield context.call_http("GET", base + answer["headers"]["Location"], token_source=source)
    return json.loads(answer["content"])


def test_a_call_carries_the_token_of_the_managed_identity(host: SyncHost, cloud: Any) -> None:
    answer = output_of(host, "ask", f"{cloud.url}/vaults?x=1")
    assert (answer["statusCode"], json.loads(answer["content"])) == (200, {"path": "/vaults?x=1"})
    asked = urlsplit(cloud.asked[0])
    assert (asked.path, parse_qs(asked.query)["resource"]) == ("/msi/token", [RESOURCE])


def test_without_a_token_source_no_token_is_asked_for_or_sent(host: SyncHost, cloud: Any) -> None:
    answer = output_of(host, "ask_without", f"{cloud.url}/vaults")
    assert (answer["statusCode"], json.loads(answer["content"])) == (401, {"error": None})
    assert cloud.asked == ["/vaults"]


def test_the_token_itself_is_nowhere_in_the_history(host: SyncHost, cloud: Any) -> None:
    instance_id = host.start("ask", f"{cloud.url}/vaults")
    host.run_until(instance_id)
    assert "token for" not in json.dumps(host.status(instance_id, history=True), default=str)


def test_a_call_that_is_still_under_way_answers_202_and_is_polled_by_timers(host: SyncHost, cloud: Any) -> None:
    begun = host.clock.now()
    assert output_of(host, "poll", cloud.url) == {"looks": 3}
    assert host.clock.now() - begun == timedelta(seconds=60)
    assert [path for path in cloud.asked if path == "/job"] == ["/job"] * 3


def failure_of(host: SyncHost, url: str) -> str:
    status = host.run_until(host.start("ask", url))
    assert status is not None
    assert status.runtime_status == "Failed"
    return str(status.output)


def test_an_identity_that_is_refused_fails_the_call_with_its_answer(hosts: Hosts, cloud: Any) -> None:
    settings = {"IDENTITY_ENDPOINT": f"{cloud.url}/msi/token", "IDENTITY_HEADER": "wrong"}
    output = failure_of(hosts(app_of(ask), settings=settings), f"{cloud.url}/vaults")
    assert "The managed identity endpoint answered 400 without a token" in output
    assert "bad_request" in output


def test_no_identity_fails_the_call_and_says_so(hosts: Hosts, cloud: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("IDENTITY_ENDPOINT", raising=False)
    assert "IDENTITY_ENDPOINT is not set" in failure_of(hosts(app_of(ask)), f"{cloud.url}/vaults")

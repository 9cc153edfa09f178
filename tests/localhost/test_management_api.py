"""The public durable HTTP API: status codes, headers, bodies, paging, keys."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest

from localhost import SyncHost
from localhost.clock import VirtualClock
from tests.localhost.apps import Context, Hosts, Steps, app_of

API = "/runtime/webhooks/durabletask"


def wait(context: Context) -> Steps:
    context.set_custom_status({"at": "gate"})
    return (yield context.wait_for_external_event("go"))


def quick(context: Context) -> Steps:
    return (yield context.call_activity("echo", context.get_input()))


def broken(context: Context) -> Steps:
    yield context.call_activity("fail", "boom")


@pytest.fixture
def host(hosts: Hosts) -> SyncHost:
    return hosts(app_of(wait, quick, broken))


def test_a_start_answers_with_its_management_urls_but_no_rewind(host: SyncHost) -> None:
    answer = host.request("POST", f"{API}/orchestrators/wait/my-id", json={"n": 1})
    assert answer.status == 202
    links = answer.json()
    assert set(links) == {
        "id",
        "statusQueryGetUri",
        "sendEventPostUri",
        "terminatePostUri",
        "purgeHistoryDeleteUri",
        "restartPostUri",
        "suspendPostUri",
        "resumePostUri",
    }
    assert links["id"] == "my-id"
    assert answer.header("Location") == links["statusQueryGetUri"]
    assert answer.header("Retry-After") == "10"
    assert "{eventName}" in links["sendEventPostUri"]
    assert "reason={text}" in links["terminatePostUri"]


def test_the_links_name_the_host_by_which_it_was_reached(host: SyncHost) -> None:
    answer = host.request("POST", f"http://box.example:8080{API}/orchestrators/wait/one")
    assert answer.json()["statusQueryGetUri"].startswith(f"http://box.example:8080{API}/instances/one?")
    assert answer.header("Location") == answer.json()["statusQueryGetUri"]


def test_a_generated_id_is_thirty_two_hex_digits(host: SyncHost) -> None:
    found = host.request("POST", f"{API}/orchestrators/wait").json()["id"]
    assert len(found) == 32
    int(found, 16)


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("nothing", "The function 'nothing' doesn't exist, is disabled, or is not an orchestrator function."),
        ("wait/@bad", "must not start with '@'"),
        (f"wait/{'x' * 101}", "must not exceed 100 characters"),
        ("wait/a%23b", "must not contain"),
    ],
)
def test_a_start_that_cannot_be_is_refused_with_its_reason(host: SyncHost, path: str, words: str) -> None:
    answer = host.request("POST", f"{API}/orchestrators/{path}")
    assert answer.status == 400
    problem = answer.json()
    assert problem["Message"] == "One or more of the arguments submitted is incorrect"
    assert problem["ExceptionType"] == "System.ArgumentException"
    assert words in problem["ExceptionMessage"]


@pytest.mark.parametrize("body", [b"{", b"tru", b"\xff\xfe", b"[" * 100_000])
def test_a_start_with_a_body_that_is_no_json_is_refused(host: SyncHost, body: bytes) -> None:
    answer = host.request("POST", f"{API}/orchestrators/wait/one", body=body)
    assert (answer.status, answer.json()["Message"]) == (400, "Invalid JSON content")
    assert host.status("one") is None


def test_a_start_over_a_running_instance_fails_as_the_extension_does(host: SyncHost) -> None:
    host.request("POST", f"{API}/orchestrators/wait/one")
    answer = host.request("POST", f"{API}/orchestrators/wait/one")
    assert answer.status == 500
    assert "already exists" in answer.json()["ExceptionMessage"]
    assert answer.json()["ExceptionType"].endswith(".OrchestrationAlreadyExistsException")


def test_a_status_is_202_while_it_runs_and_200_when_it_is_over(host: SyncHost) -> None:
    host.request("POST", f"{API}/orchestrators/wait/one", json={"n": 1})
    host.run_until_idle()
    running = host.request("GET", f"{API}/instances/one")
    assert running.status == 202
    assert running.header("Retry-After") == "5"
    assert str(running.header("Location")).endswith(f"{API}/instances/one")
    body = running.json()
    assert (body["runtimeStatus"], body["input"], body["customStatus"]) == ("Running", {"n": 1}, {"at": "gate"})
    assert body["createdTime"] == "2026-01-01T00:00:00Z"
    assert "historyEvents" not in body

    host.request("POST", f"{API}/instances/one/raiseEvent/go", json=[1])
    host.run_until_idle()
    done = host.request("GET", f"{API}/instances/one?showInput=false&showHistory=true&showHistoryOutput=true")
    assert done.status == 200
    assert done.json()["output"] == [1]
    assert done.json()["input"] is None
    assert [event["EventType"] for event in done.json()["historyEvents"]] == [
        "ExecutionStarted",
        "EventRaised",
        "ExecutionCompleted",
    ]


def test_a_failure_is_200_unless_500_is_asked_for(host: SyncHost) -> None:
    host.request("POST", f"{API}/orchestrators/broken/one")
    host.run_until_idle()
    assert host.request("GET", f"{API}/instances/one").status == 200
    assert host.request("GET", f"{API}/instances/one?returnInternalServerErrorOnFailure=true").status == 500
    assert host.request("GET", f"{API}/instances/one?returnInternalServerErrorOnFailure=yes").status == 200


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "instances/nobody"),
        ("DELETE", "instances/nobody"),
        ("POST", "instances/nobody/raiseEvent/go"),
        ("POST", "instances/nobody/terminate"),
        ("POST", "instances/nobody/suspend"),
        ("POST", "instances/nobody/resume"),
        ("POST", "instances/nobody/rewind"),
        ("POST", "instances/nobody/dance"),
        ("POST", "instances/nobody/raiseEvent/go/on"),
        ("POST", "instances"),
        ("PUT", "instances/nobody"),
        ("GET", "orchestrators/wait"),
        ("GET", "entities/Counter/nobody"),
        ("PUT", "entities/Counter/nobody"),
        ("GET", "nowhere"),
    ],
)
def test_what_is_not_there_is_404(host: SyncHost, method: str, path: str) -> None:
    assert host.request(method, f"{API}/{path}", json={}).status == 404


def test_what_is_finished_is_gone(host: SyncHost) -> None:
    host.request("POST", f"{API}/orchestrators/quick/one", json={})
    host.run_until_idle()
    for operation in ("raiseEvent/go", "terminate", "suspend", "resume", "rewind"):
        assert host.request("POST", f"{API}/instances/one/{operation}", json={}).status == 410


def test_suspend_and_resume_in_the_wrong_state_are_500(host: SyncHost) -> None:
    host.request("POST", f"{API}/orchestrators/wait/one")
    host.run_until_idle()
    assert host.request("POST", f"{API}/instances/one/resume").status == 500
    assert host.request("POST", f"{API}/instances/one/suspend?reason=x").status == 202
    host.run_until_idle()
    assert host.request("POST", f"{API}/instances/one/suspend").status == 500
    assert host.request("POST", f"{API}/instances/one/rewind").status == 500


JSON = {"Content-Type": "application/json; charset=utf-8"}


def test_an_event_must_be_json(host: SyncHost) -> None:
    url = f"{API}/instances/one/raiseEvent/go"
    host.request("POST", f"{API}/orchestrators/wait/one")
    plain = host.request("POST", url, body=b"1", headers={"Content-Type": "text/plain"})
    assert (plain.status, plain.json()) == (400, {"Message": "Only application/json request content is supported"})
    broken_json = host.request("POST", url, body=b"{", headers=JSON)
    assert (broken_json.status, broken_json.json()["Message"]) == (400, "Invalid JSON content")
    assert host.request("POST", url.replace("one", "nobody"), body=b"{").status == 404
    assert host.request("POST", url, body=b"1", headers=JSON).status == 202


def test_accepted_operations_answer_with_an_empty_body(host: SyncHost) -> None:
    host.request("POST", f"{API}/orchestrators/wait/one")
    host.run_until_idle()
    for path in ("instances/one/raiseEvent/x", "instances/one/terminate?reason=x", "entities/Counter/a?op=add"):
        answer = host.request("POST", f"{API}/{path}", json=1)
        assert (answer.status, answer.body) == (202, b"")


def test_the_list_pages_by_a_token_and_filters(host: SyncHost) -> None:
    for number in range(7):
        host.request("POST", f"{API}/orchestrators/{'quick' if number < 3 else 'wait'}/run-{number}", json={})
    host.request("POST", f"{API}/orchestrators/wait/other", json={})
    host.run_until_idle()

    seen: list[str] = []
    headers: dict[str, str] = {}
    while True:
        page = host.request("GET", f"{API}/instances?top=3", headers=headers)
        seen += [one["instanceId"] for one in page.json()]
        token = page.header("x-ms-continuation-token")
        if token is None:
            break
        headers = {"x-ms-continuation-token": token}
    assert sorted(seen) == sorted([*(f"run-{n}" for n in range(7)), "other"])

    def found(query: str) -> list[str]:
        return [one["instanceId"] for one in host.request("GET", f"{API}/instances?{query}").json()]

    assert found("runtimeStatus=Completed") == ["run-0", "run-1", "run-2"]
    assert len(found("runtimeStatus=Running,Completed&instanceIdPrefix=run")) == 7
    assert len(found("runtimeStatus=Running&runtimeStatus=Completed")) == 8
    assert found("createdTimeFrom=2030-01-01T00:00:00Z") == []
    assert host.request("GET", f"{API}/instances").json()[0]["input"] is None
    assert host.request("GET", f"{API}/instances?showInput=true").json()[0]["input"] == {}


@pytest.mark.parametrize(
    "query",
    ["runtimeStatus=Dancing", "runtimeStatus=completed", "createdTimeFrom=soon", "top=0", "top=-1", "top=many"],
)
def test_what_a_query_says_wrongly_is_ignored_and_logged(
    host: SyncHost, caplog: pytest.LogCaptureFixture, query: str
) -> None:
    host.request("POST", f"{API}/orchestrators/wait/one")
    answer = host.request("GET", f"{API}/instances?{query}")
    assert (answer.status, len(answer.json())) == (200, 1)
    assert f"{query}, which is no" in caplog.text


def test_a_continuation_token_of_another_host_is_refused(host: SyncHost) -> None:
    answer = host.request("GET", f"{API}/instances", headers={"x-ms-continuation-token": "e30="})
    assert answer.status == 400


def test_more_than_a_hundred_instances_come_in_pages_of_a_hundred(host: SyncHost) -> None:
    for number in range(101):
        host.request("POST", f"{API}/orchestrators/wait/run-{number}")
    page = host.request("GET", f"{API}/instances")
    assert len(page.json()) == 100
    rest = host.request(
        "GET", f"{API}/instances", headers={"x-ms-continuation-token": str(page.header("x-ms-continuation-token"))}
    )
    assert len(rest.json()) == 1


def test_purging_by_time_takes_finished_instances_only(hosts: Hosts) -> None:
    clock = VirtualClock()
    host = hosts(app_of(quick, wait), clock=clock)
    host.request("POST", f"{API}/orchestrators/quick/old", json={})
    host.run_until_idle()
    clock.advance(timedelta(days=2))
    host.request("POST", f"{API}/orchestrators/quick/new", json={})
    host.request("POST", f"{API}/orchestrators/wait/running", json={})
    host.run_until_idle()

    nothing = host.request("DELETE", f"{API}/instances")
    assert (nothing.status, nothing.json()) == (400, "Please provide value for 'createdTimeFrom' parameter.")
    assert host.request("DELETE", f"{API}/instances?createdTimeFrom=soon").status == 400
    before = "createdTimeFrom=2020-01-01T00:00:00Z&createdTimeTo=2026-01-02T00:00:00Z"
    assert host.request("DELETE", f"{API}/instances?{before}").json() == {"instancesDeleted": 1}
    assert host.request("DELETE", f"{API}/instances?{before}").status == 404
    everything = host.request("DELETE", f"{API}/instances?createdTimeFrom=2020-01-01T00:00:00Z")
    assert everything.json() == {"instancesDeleted": 1}
    assert host.request("GET", f"{API}/instances/running").status == 202


def test_restarting_answers_with_new_urls(host: SyncHost) -> None:
    host.request("POST", f"{API}/orchestrators/quick/one", json={"n": 1})
    host.run_until_idle()
    answer = host.request("POST", f"{API}/instances/one/restart")
    assert answer.status == 202
    assert answer.json()["id"] != "one"
    same = host.request("POST", f"{API}/instances/one/restart?restartWithNewInstanceId=false")
    assert same.json()["id"] == "one"
    nobody = host.request("POST", f"{API}/instances/nobody/restart")
    assert nobody.status == 400
    assert nobody.json()["Message"] == "InstanceId does not match a valid orchestration instance."
    host.run_until_idle()
    waited = host.request("POST", f"{API}/instances/one/restart?timeout=5&pollingInterval=1")
    assert (waited.status, waited.json()) == (200, {"n": 1})


def test_an_entity_is_signalled_read_and_deleted(host: SyncHost) -> None:
    host.request("POST", f"{API}/entities/Counter/a?op=add", json="4")
    host.run_until_idle()
    assert host.request("GET", f"{API}/entities/counter/a").json() == 4
    assert host.request("DELETE", f"{API}/entities/Counter/a").status == 202
    host.run_until_idle()
    assert host.request("GET", f"{API}/entities/Counter/a").status == 404


def test_entities_are_listed_by_name_and_time_with_their_states_if_asked(host: SyncHost) -> None:
    host.request("POST", f"{API}/entities/Counter/a?op=add", json="4")
    host.request("POST", f"{API}/entities/Counter/$?op=add", json="5")
    host.run_until_idle()
    listed = host.request("GET", f"{API}/entities/Counter").json()
    assert [one["entityId"] for one in listed] == [{"name": "counter", "key": ""}, {"name": "counter", "key": "a"}]
    assert [one["state"] for one in listed] == [None, None]
    assert [one["state"] for one in host.request("GET", f"{API}/entities?fetchState=true").json()] == [5, 4]
    assert host.request("GET", f"{API}/entities/Counter/$").json() == 5
    assert host.request("GET", f"{API}/entities/Other").json() == []
    assert host.request("GET", f"{API}/entities?lastOperationTimeFrom=2030-01-01T00:00:00Z").json() == []
    assert len(host.request("GET", f"{API}/entities?lastOperationTimeTo=2030-01-01T00:00:00Z").json()) == 2


def test_an_entity_gets_what_does_not_claim_to_be_json_as_text(hosts: Hosts) -> None:
    app = app_of(wait)

    def keeper(context: Context) -> None:
        context.set_state(context.get_input())

    app.entity_trigger(context_name="context", entity_name="Keeper")(keeper)
    host = hosts(app)
    host.request("POST", f"{API}/entities/Keeper/a?op=set", body=b'"{"')
    host.run_until_idle()
    assert host.entity("Keeper", "a") == "{"
    broken_json = host.request("POST", f"{API}/entities/Keeper/a?op=set", body=b"{", headers=JSON)
    assert broken_json.status == 400
    assert broken_json.json()["Message"].startswith("Could not parse JSON content: ")


def test_a_start_can_wait_for_the_end(host: SyncHost) -> None:
    answer = host.request("POST", f"{API}/orchestrators/quick?timeout=5&pollingInterval=0.02", json={"n": 1})
    assert (answer.status, answer.json()) == (200, {"n": 1})
    failed = host.request("POST", f"{API}/orchestrators/broken?timeout=5&pollingInterval=0.02", json={})
    assert (failed.status, failed.json()["runtimeStatus"]) == (200, "Failed")
    late = host.request("POST", f"{API}/orchestrators/wait?timeout=0.3&pollingInterval=0.02", json={})
    assert late.status == 202
    wrong = host.request("POST", f"{API}/orchestrators/wait?timeout=1&pollingInterval=2", json={})
    assert wrong.status == 400
    unread = host.request("POST", f"{API}/orchestrators/wait?timeout=soon&pollingInterval=2", json={})
    assert unread.status == 202


def test_with_a_key_the_public_api_demands_it(hosts: Hosts) -> None:
    host = hosts(app_of(wait), key="s3cret")
    start: Callable[[str], Any] = lambda path: host.request("POST", f"{API}/orchestrators/wait{path}").status  # noqa: E731
    assert start("") == 401
    assert start("?code=wrong") == 401
    answer = host.request("POST", f"{API}/orchestrators/wait?code=s3cret")
    assert answer.status == 202
    link = urlsplit(answer.json()["statusQueryGetUri"])
    assert host.request("GET", f"{link.path}?{link.query}").status == 202
    assert host.request("GET", f"{API}/instances", headers={"x-functions-key": "s3cret"}).status == 200


def test_an_event_whose_name_has_a_slash_is_no_route(host: SyncHost) -> None:
    instance_id = host.start("wait")
    for name in ("a/b", "a%2Fb"):
        path = f"{API}/instances/{instance_id}/raiseEvent/{name}"
        assert host.request("POST", path, json=1).status == 404
    assert host.request("POST", f"{API}/instances/{instance_id}/raiseEvent/a%20b", json=1).status == 202


@pytest.mark.parametrize(("written", "heard"), [("a+b", "a b"), ("a%2Bb", "a+b"), ("%C3%A9t%C3%A9", "été")])
def test_a_plus_in_a_path_of_the_api_is_a_space(hosts: Hosts, written: str, heard: str) -> None:
    def listen(context: Context) -> Steps:
        return (yield context.wait_for_external_event(heard))

    host = hosts(app_of(listen))
    instance_id = host.start("listen")
    assert host.request("POST", f"{API}/instances/{instance_id}/raiseEvent/{written}", json=1).status == 202
    status = host.run_until(instance_id)
    assert status is not None
    assert status.output == 1

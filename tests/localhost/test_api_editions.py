"""The codes the extension changed after 2024, which `api="2026"` answers with."""

import asyncio

import pytest

from localhost import LocalHost, SyncHost
from tests.localhost.apps import Context, Hosts, Steps, app_of, with_routes
from tests.localhost.test_management_api import API, broken, quick, wait


@pytest.fixture
def host(hosts: Hosts) -> SyncHost:
    host = hosts(with_routes(app_of(wait, quick, broken)), api="2026")
    for name, instance_id in (("wait", "running"), ("quick", "done"), ("broken", "failed")):
        host.request("POST", f"{API}/orchestrators/{name}/{instance_id}", json={})
    host.run_until_idle()
    return host


def test_a_start_over_what_is_not_finished_is_a_conflict(host: SyncHost) -> None:
    answer = host.request("POST", f"{API}/orchestrators/wait/running")
    assert answer.status == 409
    assert answer.json() == {"Message": "An Orchestration instance with the status Running already exists."}
    assert host.request("POST", f"{API}/orchestrators/wait/done").status == 202


def test_a_restart_of_what_is_not_finished_is_a_conflict(host: SyncHost) -> None:
    restart = f"{API}/instances/running/restart?restartWithNewInstanceId"
    answer = host.request("POST", f"{restart}=false")
    assert answer.status == 409
    assert answer.json()["Message"] == "A non-terminal instance with this instance ID already exists."
    assert host.request("POST", f"{restart}=true").status == 202


def test_only_what_failed_can_be_rewound(host: SyncHost) -> None:
    for instance_id, state in (("running", "Running"), ("done", "Completed")):
        answer = host.request("POST", f"{API}/instances/{instance_id}/rewind")
        assert answer.status == 412
        assert answer.json().startswith(f"This orchestration has status {state}, but only orchestrations in the")
    assert host.request("POST", f"{API}/instances/nobody/rewind").status == 404
    assert host.request("POST", f"{API}/instances/failed/rewind").status == 202


def test_only_what_is_over_can_be_purged(host: SyncHost) -> None:
    answer = host.request("DELETE", f"{API}/instances/running")
    assert answer.status == 412
    assert "has status Running" in answer.json()
    assert host.status("running") is not None
    assert host.request("DELETE", f"{API}/instances/done").json() == {"instancesDeleted": 1}
    assert host.request("DELETE", f"{API}/instances/nobody").status == 404


def test_entities_can_be_purged_whatever_they_do(host: SyncHost) -> None:
    host.signal_entity("Counter", "a", "add", 1)
    host.run_until_idle()
    assert host.request("DELETE", f"{API}/instances/@counter@a").json() == {"instancesDeleted": 1}


def test_the_sdk_tells_of_a_conflict(host: SyncHost) -> None:
    start = {"orchestration_function_name": "wait", "instance_id": "running"}
    answer = host.request("POST", "/api/call/start_new", json=start)
    assert answer.status == 418
    assert "with the status Running already exists" in answer.text


def test_an_edition_that_is_none_is_refused() -> None:
    def none(context: Context) -> Steps:
        yield context.wait_for_external_event("go")

    async def open_host() -> None:
        async with LocalHost(app_of(none), api="2025"):
            raise AssertionError

    with pytest.raises(ValueError, match="2025"):
        asyncio.run(open_host())

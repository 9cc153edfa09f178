"""Large estates: what is listed, what is forgotten, and that state needs no timer of each thing."""

from __future__ import annotations

import gc
import time
from datetime import timedelta
from typing import Any

import pytest

from simulator import ManualClock, Request, Simulator
from simulator.world import FINISHED_JOBS_KEPT
from tests.simulator.helpers import HOME, VAULT_PATH, Caller, Calling, estate_of, failover_body

MANY = 1_000
JOBS = 10_000


@pytest.fixture
def caller_of(calling: Calling) -> Calling:
    """Answer what opens a caller of many machines."""

    def make(count: int, **estate: Any) -> Caller:
        return calling(estate_of({"name": "vm", "count": count, "state": "protected"}, **estate))

    return make


def test_a_thousand_machines_are_listed_in_one_answer(caller_of: Calling) -> None:
    caller = caller_of(MANY)
    for passed in (0, 600):
        caller.wait(passed)
        assert len(caller.read(f"{VAULT_PATH}/replicationProtectedItems")["value"]) == MANY
    assert len(list(caller.client.replication_protected_items.list("contoso-dr", "contoso-vault"))) == MANY


def test_a_thousand_machines_are_listed_in_less_than_a_third_of_a_second() -> None:
    simulator = Simulator(estate_of({"name": "vm", "count": MANY}), clock=ManualClock())
    token, _ = simulator.tokens.issue("https://management.azure.com", simulator.clock.client_now())
    url = f"http://x{VAULT_PATH}/replicationProtectedItems?api-version=2025-08-01"
    spent: list[float] = []
    for _ in range(5):
        simulator.clock.advance(timedelta(minutes=10))
        began = time.perf_counter()
        answer = simulator.handle(Request(method="GET", url=url, headers={"authorization": f"Bearer {token}"}))
        spent.append(time.perf_counter() - began)
        assert answer.status == 200
    assert min(spent) < 0.3


def test_a_list_is_written_anew_only_where_something_changed() -> None:
    simulator = Simulator(estate_of({"name": "vm", "count": 20}), clock=ManualClock())
    with Caller(simulator) as caller:
        path = f"{VAULT_PATH}/replicationProtectedItems"
        caller.read(path)
        before = {item.name: item.written for item in simulator.world.items.values()}
        caller.act("unplanned_failover", failover_body(), where=HOME, name="vm-0007")
        caller.read(path)
        changed = [i.name for i in simulator.world.items.values() if i.written is not before[i.name]]
        assert changed == ["vm-0007"]


def test_machines_that_rest_wait_on_no_timer_and_those_that_move_on_few() -> None:
    simulator = Simulator(estate_of({"name": "vm", "count": MANY}, write_bucket=2 * MANY), clock=ManualClock())
    due = simulator.world._due
    with Caller(simulator) as caller:
        assert due == []
        for number in range(1, MANY + 1):
            path = (
                f"{VAULT_PATH}/replicationFabrics/asr-centralus/replicationProtectionContainers"
                f"/asr-centralus-container/replicationProtectedItems/vm-{number:04d}"
            )
            body = b'{"properties":{"sourceSiteOperations":"Required"}}'
            assert caller.send("POST", f"{path}/unplannedFailover", body).status == 202
        assert len(due) == 2 * MANY, "the shutdown and the end of each job"
        caller.wait(300)
        assert caller.item(HOME, "vm-0001").properties.active_location == "Recovery"
        assert due == []


def test_pages_follow_one_another_to_the_end(caller_of: Calling) -> None:
    caller = caller_of(25, page_size=10)
    items = list(caller.client.replication_protected_items.list("contoso-dr", "contoso-vault"))
    assert len({item.name for item in items}) == 25
    assert len(caller.simulator.journal.calls) == 3


def test_memory_stays_flat_over_ten_thousand_jobs() -> None:
    estate = estate_of({"name": "vm", "count": 50}, write_bucket=1_000_000)
    with Caller(Simulator(estate, clock=ManualClock())) as caller:
        world = caller.simulator.world
        kept: list[int] = []
        for done in range(100, JOBS + 1, 100):
            rehearse_all(caller)
            caller.simulator.journal.calls.clear()  # it has a bound of its own
            if done >= FINISHED_JOBS_KEPT and done % 1_000 == 0:
                gc.collect()
                kept.append(len(gc.get_objects()))
    assert len(world.jobs) == len(world.operations) == FINISHED_JOBS_KEPT
    assert max(kept) < 1.02 * kept[0], f"from {kept[0]} objects to {max(kept)}"


def rehearse_all(caller: Caller) -> None:
    """Let every machine go through a test failover and its cleanup: two jobs each."""
    for act, seconds in (("testFailover", 204), ("testFailoverCleanup", 83)):
        for item in caller.simulator.world.items.values():
            assert caller.send("POST", f"{item.id}/{act}", b"{}").status == 202
        caller.wait(seconds)


def test_a_failed_over_machine_is_found_among_many(caller_of: Calling) -> None:
    caller = caller_of(50)
    caller.act("unplanned_failover", failover_body(), where=HOME, name="vm-0007")
    path = f"{VAULT_PATH}/replicationProtectedItems?$filter=name%20eq%20'vm-0007'"
    (found,) = caller.read(path)["value"]
    assert found["properties"]["allowedOperations"] == []


@pytest.mark.parametrize("state", ["protected", "syncing", "away", "test-failover-waiting", "commit-pending"])
def test_what_is_listed_again_later_is_what_would_be_written_then(state: str) -> None:
    listed = f"{VAULT_PATH}/replicationProtectedItems"
    estate = estate_of({"name": "vm", "count": 3, "state": state})
    with Caller(Simulator(estate, clock=ManualClock())) as caller:
        for passed in (0, 60, 240, 600, 3_600):
            caller.wait(passed)
            again = caller.read(listed)
            for item in caller.simulator.world.items.values():
                item.written = None
            assert caller.read(listed) == again

from __future__ import annotations

import gc
import time
from typing import Any

from simulator import ManualClock, Simulator
from simulator.world import FINISHED_JOBS_KEPT
from tests.simulator.helpers import HOME, VAULT_PATH, Caller, estate_of, failover_body

MANY = 1_000
JOBS = 10_000


def caller_of(count: int, **estate: Any) -> Caller:
    machine = {"name": "vm", "count": count, "state": "protected"}
    return Caller(Simulator(estate_of(machine, **estate), clock=ManualClock()))


def test_a_thousand_machines_are_listed_in_a_moment() -> None:
    caller = caller_of(MANY)
    timed(caller)
    again = min(timed(caller) for _ in range(3))
    later = min(timed(caller, passed=600) for _ in range(3))
    assert again < 0.15, f"{again:.3f} s"
    assert later < 0.3, f"{later:.3f} s, where every item is written anew"


def timed(caller: Caller, passed: float = 0) -> float:
    caller.wait(passed)
    began = time.perf_counter()
    answer = caller.get(f"{VAULT_PATH}/replicationProtectedItems")
    spent = time.perf_counter() - began
    assert len(answer.json()["value"]) == MANY  # type: ignore[arg-type]
    return spent


def test_a_thousand_machines_fail_over_without_a_timer_each() -> None:
    caller = caller_of(MANY, write_bucket=2 * MANY)
    for number in range(1, MANY + 1):
        path = (
            f"{VAULT_PATH}/replicationFabrics/asr-centralus/replicationProtectionContainers"
            f"/asr-centralus-container/replicationProtectedItems/vm-{number:04d}"
        )
        body = b'{"properties":{"sourceSiteOperations":"Required"}}'
        assert caller.send("POST", f"{path}/unplannedFailover", body).status == 202
    caller.wait(300)
    began = time.perf_counter()
    assert caller.item(HOME, "vm-0001").properties.active_location == "Recovery"
    assert time.perf_counter() - began < 2


def test_pages_follow_one_another_to_the_end() -> None:
    caller = caller_of(25, page_size=10)
    items = list(caller.client.replication_protected_items.list("contoso-dr", "contoso-vault"))
    assert len({item.name for item in items}) == 25
    assert len(caller.simulator.journal.calls) == 3


def test_memory_stays_flat_over_ten_thousand_jobs() -> None:
    caller = caller_of(50, write_bucket=1_000_000)
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


def test_a_failed_over_machine_is_found_among_many() -> None:
    caller = caller_of(50)
    caller.act("unplanned_failover", failover_body(), where=HOME, name="vm-0007")
    path = f"{VAULT_PATH}/replicationProtectedItems?$filter=name%20eq%20'vm-0007'"
    (found,) = caller.get(path).json()["value"]  # type: ignore[misc]
    assert found["properties"]["allowedOperations"] == []

"""Measure the simulator: lists of a thousand machines, a thousand failovers, ten thousand jobs.

Run it as `python bench/simulator.py [OUT.json]`; it prints a table and writes the numbers as JSON.
"""

import asyncio
import gc
import http.client
import json
import resource
import sys
import threading
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from simulator import Estate, ManualClock, Request, Simulator  # noqa: E402  the path comes first
from simulator.server import Server  # noqa: E402  the path comes first

MACHINES, JOBS = 1_000, 10_000
TEN = timedelta(minutes=10)
VAULT = (
    "/subscriptions/11111111-1111-1111-1111-111111111111/resourceGroups/contoso-dr"
    "/providers/Microsoft.RecoveryServices/vaults/contoso-vault"
)
ITEMS = f"{VAULT}/replicationProtectedItems?api-version=2025-08-01"


def build(machines: int) -> Simulator:
    many = {"name": "vm", "count": machines, "state": "protected"}
    bucket = 10_000_000
    estate = {"readBucket": bucket, "writeBucket": bucket, "vaults": [{"machines": [many]}]}
    return Simulator(Estate.model_validate(estate), clock=ManualClock())


def token(simulator: Simulator) -> str:
    return simulator.tokens.issue("https://management.azure.com", simulator.clock.client_now())[0]


def send(simulator: Simulator, method: str, path: str) -> int:
    headers = {"authorization": f"Bearer {token(simulator)}"}
    return simulator.handle(Request(method=method, url=f"http://x{path}", headers=headers, body=b"{}")).status


def timed(act: Callable[[], Any]) -> float:
    began = time.perf_counter()
    act()
    return round((time.perf_counter() - began) * 1000, 1)


def listing() -> dict[str, float]:
    """List all machines: the first time, again, and once everything that shows has changed."""
    simulator = build(MACHINES)
    first = timed(lambda: send(simulator, "GET", ITEMS))
    again = min(timed(lambda: send(simulator, "GET", ITEMS)) for _ in range(5))
    changed: list[float] = []
    for _ in range(5):
        simulator.clock.advance(TEN)
        changed.append(timed(lambda: send(simulator, "GET", ITEMS)))
    return {"machines": MACHINES, "first_ms": first, "again_ms": again, "all_changed_ms": min(changed)}


def listing_over_http() -> dict[str, float]:
    """List all machines over a socket, as a client waits for it."""
    simulator = build(MACHINES)
    loop, server = asyncio.new_event_loop(), Server(simulator)
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    asyncio.run_coroutine_threadsafe(server.__aenter__(), loop).result(10)
    connection = http.client.HTTPConnection(server.url.removeprefix("http://"))

    def read() -> None:
        connection.request("GET", ITEMS, headers={"Authorization": f"Bearer {token(simulator)}"})
        connection.getresponse().read()

    read()
    spent: list[float] = []
    for _ in range(5):
        simulator.clock.advance(TEN)
        spent.append(timed(read))
    connection.close()
    asyncio.run_coroutine_threadsafe(server.__aexit__(), loop).result(10)
    loop.call_soon_threadsafe(loop.stop)
    thread.join()
    loop.close()
    return {"machines": MACHINES, "all_changed_ms": min(spent)}


def failovers() -> dict[str, float]:
    """Fail all machines over at once: what a start costs, and the look that finds them all arrived."""
    simulator = build(MACHINES)
    paths = [f"{item.id}/unplannedFailover?api-version=2025-08-01" for item in simulator.world.items.values()]
    starting = timed(lambda: [send(simulator, "POST", path) for path in paths])
    simulator.clock.advance(TEN)
    arriving = timed(lambda: send(simulator, "GET", ITEMS))
    return {"machines": MACHINES, "start_ms_each": round(starting / MACHINES, 3), "all_arrive_ms": arriving}


def jobs() -> dict[str, float]:
    """Run many jobs through fifty machines: objects after half of them and after all, and the memory used."""
    simulator = build(50)
    objects: list[int] = []
    began = time.perf_counter()
    for done in range(100, JOBS + 1, 100):
        for act in ("testFailover", "testFailoverCleanup"):
            for item in list(simulator.world.items.values()):
                send(simulator, "POST", f"{item.id}/{act}?api-version=2025-08-01")
            simulator.clock.advance(TEN)
        if done in {JOBS // 2, JOBS}:
            simulator.journal.calls.clear()  # it has a bound of its own
            gc.collect()
            objects.append(len(gc.get_objects()))
    took = time.perf_counter() - began
    return {
        "jobs": JOBS,
        "jobs_per_second": round(JOBS / took),
        "objects_half_way": objects[0],
        "objects_at_the_end": objects[1],
        "peak_rss_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
    }


def measure() -> dict[str, Any]:
    return {
        "listing": listing(),
        "listing_http": listing_over_http(),
        "failovers": failovers(),
        "jobs": jobs(),
    }


def main() -> None:
    numbers = measure()
    for name, row in numbers.items():
        print(f"{name:12}", "  ".join(f"{key} {amount}" for key, amount in row.items()))
    if len(sys.argv) > 1:
        Path(sys.argv[1]).write_text(json.dumps(numbers, indent=2) + "\n")


if __name__ == "__main__":
    main()

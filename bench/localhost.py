"""Measure the local host: chains, wide fan-outs, what a step costs, idle instances, a cold start.

Run it as `python bench/localhost.py [OUT.json]`; it prints a table with the goal beside each number, and writes
the numbers as JSON.
"""

import asyncio
import json
import logging
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Generator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

import azure.durable_functions as df  # noqa: E402  the path comes first

from localhost import LocalHost, VirtualClock  # noqa: E402  the path comes first
from localhost.adapter import answer, question  # noqa: E402  the path comes first
from localhost.engine.events import decode_many  # noqa: E402  the path comes first
from localhost.engine.replay import Identity, replay  # noqa: E402  the path comes first
from localhost.engine.step import Episode  # noqa: E402  the path comes first

Steps = Generator[Any, Any, Any]
Rows = list[tuple[str, str, str]]

CHAINS, TRIES = 200, 5
WIDTHS = (100, 300, 1000)
IDLE, IDLE_SECONDS = 10_000, 5.0

COLD_APP = """
import azure.durable_functions as df

app = df.DFApp()


@app.activity_trigger(input_name="name")
def hello(name: str) -> str:
    return name
"""


def build() -> df.DFApp:
    app = df.DFApp()

    @app.orchestration_trigger(context_name="context")
    def chain(context: Any) -> Steps:
        for city in ("Tokyo", "Seattle", "London"):
            yield context.call_activity("hello", city)

    @app.orchestration_trigger(context_name="context")
    def fan(context: Any) -> Steps:
        done = yield context.task_all([context.call_activity("hello", str(n)) for n in range(context.get_input())])
        return len(done)

    @app.orchestration_trigger(context_name="context")
    def idle(context: Any) -> Steps:
        yield context.wait_for_external_event("go")

    @app.activity_trigger(input_name="name")
    def hello(name: str) -> str:
        return f"Hello {name}!"

    return app


async def chains(state: Path) -> float:
    """Time 200 instances that are started at once, every commit on the disk."""
    async with LocalHost(build(), state=state) as host:
        began = time.perf_counter()
        started = await asyncio.gather(*(host.start("chain") for _ in range(CHAINS)))
        for instance_id in started:
            await host.run_until(instance_id)
        return time.perf_counter() - began


async def chains_one_by_one(state: Path) -> float:
    """Time 200 instances, each started when the one before it has been accepted."""
    async with LocalHost(build(), state=state) as host:
        began = time.perf_counter()
        started = [await host.start("chain") for _ in range(CHAINS)]
        for instance_id in started:
            await host.run_until(instance_id)
        return time.perf_counter() - began


def fan_out(width: int) -> Callable[[Path], Awaitable[float]]:
    async def run(state: Path) -> float:
        async with LocalHost(build(), state=state) as host:
            began = time.perf_counter()
            await host.run_until(await host.start("fan", width))
            return time.perf_counter() - began

    return run


def several(measure: Callable[[Path], Awaitable[float]], tries: int = TRIES) -> dict[str, float]:
    """Measure several times, each on a new state file; the least CPU time depends least on who else runs."""
    seconds: list[float] = []
    cpu: list[float] = []
    for _ in range(tries):
        with tempfile.TemporaryDirectory() as name:
            before = _cpu()
            seconds.append(asyncio.run(_timed(measure, Path(name) / "state.db")))
            cpu.append(_cpu() - before)
    return {
        "best": round(min(seconds), 3),
        "median": round(statistics.median(seconds), 3),
        "cpu": round(min(cpu), 3),
        "tries": tries,
    }


def _cpu() -> float:
    """Answer the CPU seconds of this process and of those it has waited for."""
    used = os.times()
    return used.user + used.system + used.children_user + used.children_system


async def _timed(measure: Callable[[Path], Awaitable[float]], state: Path) -> float:
    return await measure(state)


def best_of(work: Callable[[], Any], tries: int = 5) -> float:
    """Answer the milliseconds of the quickest of some tries."""
    times: list[float] = []
    for _ in range(tries):
        began = time.perf_counter()
        work()
        times.append(time.perf_counter() - began)
    return round(min(times) * 1000, 3)


async def step(width: int) -> dict[str, Any]:
    """Take the last step of a fan-out apart: the SDK's parse, its replay, and the host's own."""
    async with LocalHost(build(), clock=VirtualClock()) as host:
        instance_id = await host.start("fan", width)
        await host.run_until(instance_id)
        text, _ = host._store.history_json(instance_id)  # noqa: SLF001  the history as it is asked
        function = host.app.orchestrators["fan"]
    events = decode_many(text)
    opened = max(index for index, event in enumerate(events) if event.type == 12)
    identity = Identity(instance_id, events[1].execution_id or "")
    asked = question(Episode(identity, "fan", [], events[:-2]), "")
    parse = best_of(lambda: df.DurableOrchestrationContext.from_json(asked))
    whole = best_of(lambda: function.call(context=asked))
    reply = answer(function.call(context=asked))
    ours = best_of(lambda: replay(identity, reply, events[:-2]))
    return {
        "events": len(events),
        "new_events": len(events) - opened,
        "bytes": len(asked),
        "parse_ms": parse,
        "replay_ms": round(whole - parse, 3),
        "second_replay_ms": ours,
    }


async def idling(directory: Path) -> dict[str, float]:
    """Count instances that wait for an event: what they cost while they wait, and to come back to."""
    path = directory / "idle.db"
    async with LocalHost(build(), state=path, fsync=False) as host:
        await asyncio.gather(*(host.start("idle") for _ in range(IDLE)))
        await host.run_until_idle()
        began, wall = time.process_time(), time.perf_counter()
        await asyncio.sleep(IDLE_SECONDS)
        share = (time.process_time() - began) / (time.perf_counter() - wall)
    began = time.perf_counter()
    async with LocalHost(build(), state=path):
        reopened = time.perf_counter() - began
    return {
        "instances": IDLE,
        "seconds": IDLE_SECONDS,
        "cpu_share": round(share, 5),
        "seconds_to_reopen": round(reopened, 3),
    }


def cold_start(directory: Path) -> float:
    (directory / "function_app.py").write_text(COLD_APP)
    command = [sys.executable, "-W", "ignore", "-m", "localhost", "--app", str(directory), "--port", "0"]
    began = time.perf_counter()
    process = subprocess.Popen(
        [*command, "--log-level", "error", "--state", str(directory / "cold.db")],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    process.stdout.readline()
    took = time.perf_counter() - began
    process.kill()
    process.communicate()
    return took


async def _cold(state: Path) -> float:
    return await asyncio.to_thread(cold_start, state.parent)


def measure() -> dict[str, Any]:
    fans = {width: several(fan_out(width), 3) for width in WIDTHS}
    with tempfile.TemporaryDirectory() as name:
        idle = asyncio.run(idling(Path(name)))
    return {
        "chains_started_at_once": {"instances": CHAINS, **several(chains)},
        "chains_started_one_by_one": {"instances": CHAINS, **several(chains_one_by_one)},
        "fan_out": [
            {"width": width, **found, "best_ms_per_branch": round(found["best"] / width * 1000, 3)}
            for width, found in fans.items()
        ],
        "step": [asyncio.run(step(width)) for width in WIDTHS],
        "idle": idle,
        "cold_start": several(_cold),
        # Who else ran meanwhile: seconds on the clock mean little without it, seconds of CPU mean much.
        "machine": {"load": round(os.getloadavg()[0], 1), "cpus": os.cpu_count()},
    }


def rows_of(numbers: dict[str, Any]) -> Rows:
    """Write the numbers as rows: what, how much, and the goal."""

    def seconds(found: dict[str, float]) -> str:
        wall = f"best {found['best']:.2f} s, median {found['median']:.2f} s of {found['tries']}"
        return f"{wall}, {found['cpu']:.2f} s of CPU"

    narrow, *_, wide = numbers["fan_out"]
    ratio = wide["best_ms_per_branch"] / narrow["best_ms_per_branch"]
    rows: Rows = [
        (f"{CHAINS} chains of 3, at once", seconds(numbers["chains_started_at_once"]), "under 1.5 s"),
        (f"{CHAINS} chains of 3, one by one", seconds(numbers["chains_started_one_by_one"]), "under 1.5 s"),
    ]
    for fan in numbers["fan_out"]:
        told = f"{seconds(fan)}, {fan['best_ms_per_branch']:.2f} ms a branch"
        rows.append((f"fan-out of {fan['width']}", told, "under 5 s" if fan is wide else ""))
    rows.append((f"a branch of {wide['width']} / of {narrow['width']}", f"{ratio:.2f}", "near linear: about 1"))
    for one in numbers["step"]:
        theirs = f"parse {one['parse_ms']:.1f} ms, replay {one['replay_ms']:.1f} ms"
        told = f"{theirs}, the host's own {one['second_replay_ms']:.1f} ms"
        rows.append((f"a step after {one['events']} events", told, ""))
    idle, cold = numbers["idle"], numbers["cold_start"]
    rows.append((f"{IDLE:,} instances idle", f"{idle['cpu_share']:.2%} of a CPU", "no CPU"))
    rows.append(("... and open the file again", f"{idle['seconds_to_reopen']:.2f} s", ""))
    rows.append(("cold start", seconds(cold), "under 1 s"))
    machine = numbers["machine"]
    rows.append(("the machine's load", f"{machine['load']} on {machine['cpus']} CPUs", ""))
    return rows


def main() -> None:
    logging.disable(logging.WARNING)
    numbers = measure()
    rows = [("what", "measured", "goal"), *rows_of(numbers)]
    widths = [max(len(row[column]) for row in rows) for column in range(3)]
    for row in rows:
        print("  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip())
    if len(sys.argv) > 1:
        out = Path(sys.argv[1])
        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_text(json.dumps(numbers, indent=2) + "\n")


if __name__ == "__main__":
    main()

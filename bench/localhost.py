"""Measure the local host: chains, a wide fan-out, idle instances, a cold start.

Run it as `python bench/localhost.py [OUT.json]`; it prints a table and writes the numbers as JSON.
"""

import asyncio
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Generator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

import azure.durable_functions as df  # noqa: E402  the path comes first

from localhost import LocalHost  # noqa: E402  the path comes first

Steps = Generator[Any, Any, Any]

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


async def finished(host: LocalHost, ids: list[str]) -> None:
    for instance_id in ids:
        await host.run_until(instance_id)


async def chains(directory: Path, count: int) -> dict[str, float]:
    async with LocalHost(build(), state=directory / "chains.db") as host:
        began = time.perf_counter()
        await finished(host, [await host.start("chain") for _ in range(count)])
        took = time.perf_counter() - began
    return {"instances": count, "seconds": round(took, 3), "activities_per_second": round(count * 3 / took)}


async def fan_out(directory: Path, width: int) -> dict[str, float]:
    async with LocalHost(build(), state=directory / f"fan{width}.db") as host:
        began = time.perf_counter()
        await finished(host, [await host.start("fan", width)])
        took = time.perf_counter() - began
    return {"width": width, "seconds": round(took, 3), "milliseconds_per_branch": round(took / width * 1000, 3)}


async def idling(directory: Path, count: int) -> dict[str, float]:
    """Count instances that wait for an event: what they cost while they wait, and to come back to."""
    path = directory / "idle.db"
    async with LocalHost(build(), state=path, fsync=False) as host:
        for _ in range(count):
            await host.start("idle")
        await host.run_until_idle()
        began, wall = time.process_time(), time.perf_counter()
        await asyncio.sleep(2.0)
        share = (time.process_time() - began) / (time.perf_counter() - wall)
    began = time.perf_counter()
    async with LocalHost(build(), state=path):
        reopened = time.perf_counter() - began
    return {"instances": count, "cpu_share_while_idle": round(share, 4), "seconds_to_reopen": round(reopened, 3)}


def cold_start(directory: Path) -> dict[str, float]:
    (directory / "function_app.py").write_text(COLD_APP)
    command = [sys.executable, "-m", "localhost", "--app", str(directory), "--port", "0"]
    began = time.perf_counter()
    process = subprocess.Popen(
        [*command, "--state", str(directory / "cold.db")], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    process.stdout.readline()
    took = time.perf_counter() - began
    process.kill()
    process.communicate()
    return {"seconds": round(took, 3)}


def measure() -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        return {
            "chains": asyncio.run(chains(directory, 200)),
            "fan_out": [asyncio.run(fan_out(directory, width)) for width in (100, 500, 1000)],
            "idle": asyncio.run(idling(directory, 10_000)),
            "cold_start": cold_start(directory),
        }


def main() -> None:
    numbers = measure()
    for name, value in numbers.items():
        for row in value if isinstance(value, list) else [value]:
            print(f"{name:12}", "  ".join(f"{key} {amount}" for key, amount in row.items()))
    if len(sys.argv) > 1:
        Path(sys.argv[1]).write_text(json.dumps(numbers, indent=2) + "\n")


if __name__ == "__main__":
    main()

"""What a new instance pays before its first answer: `import function_app`, in fresh interpreters, one by one.

Prints a table and writes JSON: `python bench/startup.py build/bench-startup.json`. The SDKs alone are measured
beside it, for on a busy machine only the difference is ours.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
from pathlib import Path
from typing import Final

GOAL_SECONDS: Final = 1.5
GOAL_MEGABYTES: Final = 120
TIMES: Final = 5
MEASURE: Final = """
import json, pathlib, time
began, used = time.perf_counter(), time.process_time()
{}
took = [time.perf_counter() - began, time.process_time() - used]
# Not ru_maxrss, which a child inherits from the process that started it.
lines = pathlib.Path("/proc/self/status").read_text().splitlines()
print(json.dumps([*took, next(float(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM"))]))
"""
IMPORTS: Final = {
    "function_app": "import function_app",
    "the Functions SDKs alone": "import azure.functions, azure.durable_functions",
}


ROOT: Final = Path(__file__).parents[1]


def measure(statement: str) -> tuple[float, float, float]:
    """Give the seconds on the clock, the seconds of CPU, and the megabytes of a fresh interpreter."""
    ran = subprocess.run(
        [sys.executable, "-c", MEASURE.format(statement)], capture_output=True, text=True, check=True
    )
    wall, cpu, peak = json.loads(ran.stdout)
    return wall, cpu, peak


def main() -> int:
    found = {}
    for name, statement in IMPORTS.items():
        measure(statement)  # byte code is made by the first
        runs = [measure(statement) for _ in range(TIMES)]
        wall, cpu, peak = (statistics.median(each) for each in zip(*runs, strict=True))
        found[name] = {"seconds": wall, "cpuSeconds": cpu, "megabytes": peak}
        print(f"{name:28} {wall:6.2f} s  {cpu:6.2f} s of CPU  {peak:6.0f} MB")
    ours = found["function_app"]
    is_met = ours["seconds"] < GOAL_SECONDS and ours["megabytes"] < GOAL_MEGABYTES
    print(f"goal: under {GOAL_SECONDS} s and {GOAL_MEGABYTES} MB: {'met' if is_met else 'missed'}")
    if len(sys.argv) > 1:
        Path(sys.argv[1]).write_text(json.dumps({"import": found, "met": is_met}, indent=2) + "\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())

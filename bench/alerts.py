"""Measure the alert door: a storm of mixed alerts over HTTP against the app in a process of its own.

Run it as `python bench/alerts.py [OUT.json]`; it prints a table with the goal beside each number, and writes the
numbers as JSON. The storm is sent by this process on the same machine. On a machine that is busy with other things
the rate falls; the processor time that the app uses for an alert does not, and says what a free processor can do.
"""

import asyncio
import json
import statistics
import sys
import tempfile
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from tests.alerts import served  # noqa: E402  the path comes first

ALERTS = 500
PER_SECOND = 100
WITHIN = 1.0


async def measure(api: str, process: int) -> dict[str, Any]:
    before = served.processor_seconds(process)
    sent = await served.send(api, served.storm(ALERTS))
    after = served.processor_seconds(process)
    used = None if before is None or after is None else after - before
    ended = await served.until_ended(api)
    took = sorted(sent.took)
    return {
        "alerts": ALERTS,
        "alerts_per_second": round(ALERTS / sent.seconds),
        "answer_median_seconds": round(statistics.median(took), 4),
        "answer_99th_seconds": round(took[int(len(took) * 0.99)], 4),
        "answer_slowest_seconds": round(took[-1], 4),
        "processor_seconds_per_alert": None if used is None else round(used / ALERTS, 5),
        "accepted": sent.statuses.count(202),
        "proposals": len({each["run"] for each in ended}),
        "rate_over_goal": round(ALERTS / sent.seconds / PER_SECOND, 2),
        "slowest_over_goal": round(took[-1] / WITHIN, 2),
    }


def main() -> None:
    with tempfile.TemporaryDirectory() as name, served.served(served.ROUTES, Path(name) / "state.db") as app:
        found = asyncio.run(measure(*app))
    goals = {
        "alerts_per_second": f"> {PER_SECOND}",
        "answer_slowest_seconds": f"< {WITHIN}",
        "processor_seconds_per_alert": f"< {1 / PER_SECOND}",
        "accepted": f"= {ALERTS}",
        "proposals": f"= {served.PROPOSALS}",
        "rate_over_goal": "> 1",
        "slowest_over_goal": "< 1",
    }
    for key, value in found.items():
        print(f"{key:28} {value!s:>8}  {goals.get(key, '')}")
    if len(sys.argv) > 1:
        Path(sys.argv[1]).write_text(json.dumps(found, indent=2) + "\n")


if __name__ == "__main__":
    main()

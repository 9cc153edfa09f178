"""What a run shows of itself while it runs, small enough for the durable host.

A custom status may hold 16 KB as UTF-16 (about 8,000 characters); a run that shows more fails. What does not
fit is left out in order of its worth: jobs first, then words, then all but the numbers.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any, Final

from domain.errors import bounded
from domain.journey import Journey
from domain.leg import Leg, LegStatus, StageName
from domain.lifecycle import in_words
from domain.machine import same_id
from domain.notices import Delivery, DeliveryStatus

# A quarter is left to spare: hosts differ in how they count.
LARGEST: Final = 12_000
SHORT_WORDS: Final = 32
# Characters of JSON around the name and the words of a machine, its status left out.
LEAST: Final = len('{"name": "", "status": "", "words": ""}')
# Characters of JSON that one text beside the machines may take.
LONGEST_TEXT: Final = 1_000
MOST_COUNTS: Final = 40
MOST_UNTOLD: Final = 3


def size(status: Mapping[str, Any]) -> int:
    """Give the bytes of a status as UTF-16, with every other character escaped as the SDK does."""
    return 2 * len(json.dumps(status))


def fit(status: Mapping[str, Any]) -> dict[str, Any]:
    """Leave out what makes a status too large; its "machines" give way, the rest is kept, long texts cut."""
    machines: list[dict[str, Any]] = list(status.get("machines", ()))
    rest = {key: _cut(value) if isinstance(value, str) else value for key, value in status.items()}
    if _at_least(machines) > LARGEST:
        return _counted({**rest, "machines": []}, machines)
    slimmer = (
        machines,
        [{key: each[key] for key in each if key != "job"} for each in machines],
        [
            {"name": each["name"], "status": each.get("status"), "words": str(each.get("words", ""))[:SHORT_WORDS]}
            for each in machines
        ],
    )
    for few in slimmer:
        smaller = {**rest, "machines": few}
        if size(smaller) <= LARGEST:
            return smaller
    return _counted({**rest, "machines": []}, machines)


def _at_least(machines: Iterable[Mapping[str, Any]]) -> int:
    """Give a size that the slimmest form of some machines surely exceeds, without writing it."""
    texts = (len(str(each["name"])) + min(len(str(each.get("words", ""))), SHORT_WORDS) for each in machines)
    return 2 * sum(length + LEAST for length in texts)


def _cut(text: str) -> str:
    """Cut a text whose characters may each take up to twelve as JSON."""
    if len(json.dumps(text)) <= LONGEST_TEXT:
        return text
    return bounded(text, LONGEST_TEXT // 12)


def _counted(status: dict[str, Any], machines: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """Show only how many machines are where, as many kinds as there is room for."""
    kinds = Counter(str(each.get("words", "")).split(":")[0][:SHORT_WORDS] for each in machines)
    counts = kinds.most_common(MOST_COUNTS)
    while counts and size({**status, "counts": dict(counts)}) > LARGEST:
        counts.pop()
    return {**status, "counts": dict(counts)}


def untold(deliveries: Iterable[Delivery]) -> str:
    """Say which channels could not be told something, the newest first."""
    failed = [each for each in deliveries if each.status is DeliveryStatus.FAILED]
    return "; ".join(f"{each.channel}: {bounded(each.words, 100)}" for each in reversed(failed[-MOST_UNTOLD:]))


def of_legs(stage: StageName, legs: Iterable[Leg]) -> list[dict[str, Any]]:
    """Show where each machine of a stage is."""
    return [_of_leg(stage, leg) for leg in legs]


def _of_leg(stage: StageName, leg: Leg) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "name": leg.subject.name,
        "stage": stage.value,
        "status": leg.status.value,
        "words": leg.words,
    }
    record = leg.jobs[-1] if leg.jobs else None
    if record and leg.act and leg.status is LegStatus.RUNNING and same_id(record.job.id, leg.job):
        shown["job"] = {
            "id": record.job.id,
            "act": leg.act.value,
            "task": record.job.running_task,
            "started": record.job.started.isoformat() if record.job.started else None,
        }
    return shown


def of_journeys(journeys: Iterable[Journey]) -> list[dict[str, Any]]:
    """Show where each machine of a run is between stages."""
    return [
        {
            "name": journey.name,
            "status": journey.status.value,
            "words": journey.words or (in_words(journey.snapshot) if journey.snapshot else ""),
        }
        for journey in journeys
    ]

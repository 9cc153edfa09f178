"""What must never happen, whatever befalls a run (the list of DESIGN's section on it, as checks)."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from domain.contract import lock_key
from localhost import SyncHost
from simulator import Simulator
from simulator.journal import Call
from simulator.model import Item
from tests.chaos.weather import Weather
from tests.rehearsal import VAULT

# What leads into the host, or past its door.
SECRETS = re.compile(
    r"[?&](code|sig|t|c|s|h)=|X-IDENTITY-HEADER|Bearer |taskHub=|/runtime/webhooks/", re.IGNORECASE
)
# A custom status may take so many bytes as UTF-16.
LARGEST_STATUS = 16_384
LONGEST_HISTORY = 2_000


@dataclass(frozen=True, slots=True)
class Played:
    """A run that is over, and the Azure that it leaves behind."""

    weather: Weather
    simulator: Simulator
    report: Mapping[str, Any]

    @property
    def posts(self) -> list[Call]:
        """Every act that the run asked Azure for."""
        return [call for call in self.simulator.journal.calls if call.write and call.act]

    def accepted(self, *acts: str) -> list[Call]:
        """Give the acts of some kinds that Azure accepted."""
        return [call for call in self.posts if call.operation and call.act in acts]

    def item(self, name: str) -> Item | None:
        """Give a machine as it stands in Azure now."""
        return next((item for item in self.simulator.world.items.values() if item.name == name), None)


def broken(played: Played, host: SyncHost) -> list[str]:
    """Name every property that this run broke."""
    checks = (
        _unapproved,
        _asked_twice,
        _led_away,
        _left_behind,
        _claimed,
        _drilled,
        _unjudged,
    )
    found = [words for check in checks for words in check(played)]
    return [*found, *_held(played, host), *_leaked(host), *_grown(host)]


def _name(call: Call) -> str:
    return str(call.item).rsplit("/", 1)[-1]


# -- 1, 7: nothing without the word of people, and nothing committed unseen ------------------------------------


def _unapproved(played: Played) -> Iterator[str]:
    """No act that takes an approval came before it."""
    wanted = {"failover": ("failback", "approve"), "commit": ("commit", "approve")}
    for call in played.accepted(*wanted, "changeRecoveryPoint"):
        gate, decision = wanted.get(str(call.act), ("commit", "changeRecoveryPoint"))
        if not _agreed(played, _name(call), gate, decision, call.time) and not _by_silence(played, decision):
            yield f"1: {call.act} of {_name(call)} at {call.time:%T} without an approval"


def _agreed(played: Played, name: str, gate: str, decision: str, before: datetime) -> bool:
    for entry in played.report["decisions"]:
        said = entry["gate"] == gate and entry["decision"] == decision and entry["judgement"] == "recorded"
        about = entry.get("machines") or [*(entry.get("recoveryPoints") or {})]
        if said and (not about or name in about) and datetime.fromisoformat(entry["at"]) <= before:
            return True
    return False


def _by_silence(played: Played, decision: str) -> bool:
    return decision == "approve" and played.weather.request["approvals"]["onTimeout"] == "approve"


def _unjudged(played: Played) -> Iterator[str]:
    """Nothing was committed that had not been looked at."""
    for call in played.accepted("commit"):
        machine = _reported(played, _name(call))
        if not machine.get("validation"):
            yield f"7: {_name(call)} was committed without a validation"


# -- 2: one job for one intention ------------------------------------------------------------------------------


def _asked_twice(played: Played) -> Iterator[str]:
    """Once Azure accepted an order, it was not given again, whatever became of the answer."""
    accepted: set[str] = set()
    for call in played.posts:
        if call.client_request_id in accepted:
            yield f"2: {call.act} of {_name(call)} was asked for again at {call.time:%T} under one id"
        if call.operation:
            accepted.add(call.client_request_id)
    jobs = Counter(job.client_request_id for job in played.simulator.world.jobs.values())
    for call in played.accepted():
        if jobs[call.client_request_id] > 1:
            yield f"2: two jobs carry the id of {call.act} of {_name(call)}"


# -- 3: only homeward ------------------------------------------------------------------------------------------


def _led_away(played: Played) -> Iterator[str]:
    """Each failover was asked of a machine that is replicated from the secondary to the primary."""
    for call in played.accepted("failover", "testFailover"):
        if "asr-eastus-container" not in call.path.lower():
            yield f"3: {call.act} of {_name(call)} leads away from home"


# -- 4: no rehearsal is left behind in silence -----------------------------------------------------------------


def _left_behind(played: Played) -> Iterator[str]:
    """What a rehearsal of ours left is said loudly."""
    ours = {_name(call) for call in played.accepted("testFailover")}
    for name in ours - played.weather.clicked:
        item = played.item(name)
        if item is None or item.test_vm_id is None:
            continue
        warned = any(name in warning for warning in played.report["warnings"])
        if _reported(played, name).get("cleanedUp") is True or not warned:
            yield f"4: the test machine of {name} was left and nobody is told"
        if not any(_tried_to_clean(call, name) for call in played.simulator.journal.calls):
            yield f"4: nothing tried to clean up the test machine of {name}"


def _tried_to_clean(call: Call, name: str) -> bool:
    return call.write and call.path.lower().endswith(f"/{name.lower()}/testfailovercleanup")


# -- 5, 6: the report is true ----------------------------------------------------------------------------------


def _claimed(played: Played) -> Iterator[str]:
    """A machine that is said to be home is there, and a run that is said to have succeeded brought all home."""
    report = played.report
    for machine in report["machines"]:
        item = played.item(machine["name"])
        if machine["outcome"] == "home" and (item is None or item.source.region != "centralus"):
            at_home = item is not None and item.state.value.startswith(("commit", "committed"))
            if played.weather.request["reprotect"]["enabled"] or not at_home:
                yield f"5: {machine['name']} is said to be home, and is not"
        if machine["outcome"] == "home" and machine.get("failure"):
            yield f"5: {machine['name']} is said to be home, and to have failed"
    wanted = "rehearsed" if played.weather.request["mode"] == "drill" else "home"
    if report["outcome"] == "succeeded" and {each["outcome"] for each in report["machines"]} != {wanted}:
        yield "5: the run is said to have succeeded, and not every machine did"


def _drilled(played: Played) -> Iterator[str]:
    """A drill moved nothing."""
    if played.weather.request["mode"] == "drill":
        for call in played.accepted("failover", "commit", "changeRecoveryPoint", "reprotect"):
            yield f"3: a drill asked for {call.act} of {_name(call)}"


def _held(played: Played, host: SyncHost) -> Iterator[str]:
    """No machine stays locked when its run is over."""
    for machine in played.weather.machines:
        lock: Any = host.entity("machine_lock", lock_key(VAULT, machine.name))
        if lock and lock.get("holder"):
            yield f"6: {machine.name} is still held by {lock['holder']}"


def _reported(played: Played, name: str) -> Mapping[str, Any]:
    return next((each for each in played.report["machines"] if each["name"] == name), {})


# -- 8, 10: nothing leaks, nothing grows -----------------------------------------------------------------------


def _leaked(host: SyncHost) -> Iterator[str]:
    """No key, signature or durable management address is in what was stored."""
    for status in host.instances():
        seen = host.status(status.instance_id, history=True)
        text = json.dumps([seen.input, seen.output, seen.custom_status, seen.history]) if seen else ""
        found = SECRETS.search(text)
        if found:
            yield f"8: {status.instance_id} holds {found.group()!r}"


def _grown(host: SyncHost) -> Iterator[str]:
    for status in host.instances():
        if 2 * len(json.dumps(status.custom_status)) > LARGEST_STATUS:
            yield f"10: the status of {status.instance_id} is too large"
        seen = host.status(status.instance_id, history=True)
        if seen and len(seen.history or []) > LONGEST_HISTORY:
            yield f"10: the history of {status.instance_id} is too long"


def told(seed: int, found: Sequence[str]) -> str:
    """Say which seed broke what, so that it can be played again."""
    return f"seed {seed}: " + "; ".join(found)

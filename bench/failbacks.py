"""Measure whole failbacks on the virtual clock: how long, with how many calls, and what the steps cost.

Run it as `python bench/failbacks.py [OUT.json] [--machines N] [--groups N]`; it prints a table with the goal
beside each number, and writes the numbers as JSON. The app, the durable SDK and Azure's SDK are the real ones;
Azure is the simulator with its recorded durations, the same for every machine, and ARM's token buckets. Gates
are answered at once. Two scripts bring the same estate home for comparison, with the SDK's own pollers; they ask
nobody, and of the machines that came up they only wait for the guest agent.

The critical path is the own work of the slowest machine of each group: its jobs, the two times until its guest
agent has come up, and its replication until it is protected again. Answers take no time here, so reads that are
shared by those who ask at once are shared less than in Azure.
"""

from __future__ import annotations

import argparse
import dataclasses
import functools
import heapq
import itertools
import json
import logging
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from azure.mgmt.recoveryservicessiterecovery import SiteRecoveryManagementClient  # noqa: E402  the path comes first
from dateutil import parser as isoparser  # noqa: E402  the path comes first

import tests.rehearsal  # noqa: E402  the path comes first
from domain.errors import Throttled  # noqa: E402  the path comes first
from gateway.azure import Azure  # noqa: E402  the path comes first
from gateway.budget import READS, WRITES, Bucket  # noqa: E402  the path comes first
from gateway.clock import AzureClock  # noqa: E402  the path comes first
from gateway.compute import Compute  # noqa: E402  the path comes first
from gateway.pipeline import ArmReader, Line  # noqa: E402  the path comes first
from simulator import Simulator  # noqa: E402  the path comes first
from simulator.estate import MachineSpec  # noqa: E402  the path comes first
from simulator.transport import SimulatorCredential, SimulatorTransport  # noqa: E402  the path comes first
from tests.rehearsal import ONE_AT_A_TIME, Door, Rehearsal, SharedClock  # noqa: E402  the path comes first
from tests.simulator.helpers import (  # noqa: E402  the path comes first
    AWAY,
    CLEANUP_BODY,
    GROUP,
    HOME,
    VAULT,
    failover_body,
    rehearsal_body,
)
from tests.simulator.ways import SUBSCRIPTION  # noqa: E402  the path comes first

Numbers = dict[str, Any]
Rows = list[tuple[str, str, str]]

ACTS = ("testFailover", "testFailoverCleanup", "unplannedFailover", "failoverCommit", "switchprotection")
# How often a script looks whether a machine is protected again; as often as the SDK's pollers look by default.
LOOK_AGAIN = 30
# Machines in one group, side by side.
SIZES = (1, 10, 100)
PARSES_TIMES = "azure.durable_functions.models.history.HistoryEvent"


def many(count: int) -> list[MachineSpec]:
    return [MachineSpec.model_validate({"name": "vm", "count": count, "state": "protected-in-reverse"})]


def names(count: int) -> list[str]:
    return ["vm"] if count == 1 else [f"vm-{number:04d}" for number in range(1, count + 1)]


def split(machines: int, groups: int) -> list[list[str]]:
    size = -(-machines // groups)
    return [names(machines)[at : at + size] for at in range(0, machines, size)]


# -- what Azure saw -------------------------------------------------------------------------------------------


def calls_of(simulator: Simulator) -> Numbers:
    """Count what was asked of Azure; a journal that has forgotten some would count too few."""
    calls = simulator.journal.calls
    assert len(calls) == simulator.journal.count, "the journal has forgotten calls"
    site_recovery = [each for each in calls if "/vaults/" in each.path.casefold()]
    return {
        "site_recovery_reads": sum(not each.write for each in site_recovery),
        "site_recovery_writes": sum(each.write for each in site_recovery),
        "reads": sum(not each.write for each in calls),
        "writes": sum(each.write for each in calls),
        "throttled": sum(each.status == 429 for each in calls),
    }


def kinds_of(simulator: Simulator) -> dict[str, int]:
    """Count Site Recovery reads by what they read."""
    reads = Counter(
        str(each.route)
        for each in simulator.journal.calls
        if "/vaults/" in each.path.casefold() and not each.write
    )
    return dict(reads.most_common())


def critical_path(simulator: Simulator, groups: Sequence[Sequence[str]]) -> float:
    """Add up the seconds of the slowest machine of each group: its jobs, two arrivals, its last replication."""
    arrivals = 2 * simulator.world.seconds("agent_delay").total_seconds()
    own: Counter[str] = Counter()
    for job in simulator.world.jobs.values():
        own[str(job.item_id).rsplit("/", 1)[-1]] += job.duration.total_seconds()
    for item in simulator.world.items.values():
        assert item.sync_started, f"{item.name} was not protected again"
        assert item.sync_ends
        own[item.name] += (item.sync_ends - item.sync_started).total_seconds()
    return sum(max(own[name] + arrivals for name in group) for group in groups)


# -- by the app -----------------------------------------------------------------------------------------------


class Waiting(Door):
    """The simulator's transport; a wait on this side takes virtual time."""

    def __init__(self, simulator: Simulator, clock: SharedClock) -> None:
        super().__init__(simulator)
        self._clock, self._waits = clock, threading.Lock()

    def sleep(self, duration: float) -> None:
        with self._waits:
            self._clock.advance(timedelta(seconds=duration))


def line_on(rehearsal: Rehearsal) -> Line:
    """Lay a line whose own clock is the virtual one; otherwise real seconds would refill its budget."""
    transport = Waiting(rehearsal.simulator, rehearsal.clock)
    line = Line.over(ONE_AT_A_TIME, SimulatorCredential(rehearsal.simulator), transport)
    clock = AzureClock(lambda: rehearsal.clock.now().timestamp())
    reads, writes = Bucket(*READS, clock.now), Bucket(*WRITES, clock.now)
    return dataclasses.replace(line, clock=clock, reads=reads, writes=writes)


@dataclass(slots=True)
class Steps:
    """What each orchestration step cost, and how long each execution's history became."""

    events: dict[tuple[str, str, str], int] = field(default_factory=dict)
    cpu: dict[str, list[float]] = field(default_factory=dict)
    longest: tuple[int, str] = (0, "")

    def over(self, raw: Any) -> Any:
        return Counted(raw, self) if raw.get_trigger().type == "orchestrationTrigger" else raw

    def take(self, name: str, body: str, seconds: float) -> None:
        asked = json.loads(body)
        history = asked["history"]
        # The end of an execution adds two more.
        self.events[name, asked["instanceId"], history[0]["Timestamp"]] = len(history) + 2
        self.cpu.setdefault(name, []).append(seconds)
        if name == "stage" and len(history) > self.longest[0]:
            self.longest = (len(history), body)

    def in_all(self) -> int:
        return sum(self.events.values())

    def by_name(self) -> dict[str, int]:
        found: Counter[str] = Counter()
        for (name, _, _), count in self.events.items():
            found[name] += count
        return dict(found.most_common())


class Counted:
    """One orchestrator whose steps are counted; otherwise the function that it was."""

    def __init__(self, raw: Any, steps: Steps) -> None:
        self._raw, self._steps = raw, steps

    def __getattr__(self, name: str) -> Any:
        return getattr(self._raw, name)

    def get_user_function(self) -> Callable[..., Any]:
        call, name = self._raw.get_user_function(), self._raw.get_function_name()

        @functools.wraps(call)
        def counted(context: Any) -> Any:
            began = time.thread_time()
            answer = call(context)
            self._steps.take(name, context.body, time.thread_time() - began)
            return answer

        return counted


@contextmanager
def counting(steps: Steps) -> Iterator[None]:
    before = tests.rehearsal.WITHOUT_TIMERS
    tests.rehearsal.WITHOUT_TIMERS = [steps.over(each) for each in before]
    try:
        yield
    finally:
        tests.rehearsal.WITHOUT_TIMERS = before


@dataclass(frozen=True, slots=True)
class Asked:
    """What the SDK needs of a function's context."""

    body: str


def by_the_app(machines: int, groups: int) -> Numbers:
    """Fail an estate back, and tell how long it took, what it asked of Azure, and what its steps cost."""
    rehearsal, steps = Rehearsal(many(machines)), Steps()
    rehearsal.azure = Azure(line_on(rehearsal))
    parts = split(machines, groups)
    asked = [{"name": name, "group": number} for number, part in enumerate(parts, 1) for name in part]
    began, wall, cpu = rehearsal.clock.now(), time.perf_counter(), time.process_time()
    with counting(steps):
        report = rehearsal.play(
            machines=asked,
            limits={"maxParallel": 100},
            validation={"heartbeat": False},
            within=timedelta(days=60),
        )
    assert report["outcome"] == "succeeded", report["outcome"]
    makespan = (rehearsal.clock.now() - began).total_seconds()
    path = critical_path(rehearsal.simulator, parts)
    acts = len(ACTS) * machines
    return {
        "machines": machines,
        "groups": groups,
        "makespan_seconds": makespan,
        "critical_path_seconds": path,
        "ratio": round(makespan / path, 4),
        **calls_of(rehearsal.simulator),
        "site_recovery_reads_by_kind": kinds_of(rehearsal.simulator),
        "history_events": steps.in_all(),
        "history_events_by_orchestrator": steps.by_name(),
        "history_events_per_machine_and_act": round(steps.in_all() / acts, 2),
        "steps": {name: len(each) for name, each in steps.cpu.items()},
        "step_ms_slowest": {name: round(max(each) * 1000, 1) for name, each in steps.cpu.items()},
        "last_stage_step": replay_cost(steps),
        "measured_in_seconds": round(time.perf_counter() - wall, 1),
        "cpu_seconds": round(time.process_time() - cpu, 1),
    }


def replay_cost(steps: Steps) -> Numbers:
    """Ask the stage with the longest history once more: what the step costs here, and with the SDK as it is."""
    length, body = steps.longest
    stage: Any = next(each for each in tests.rehearsal.FUNCTIONS if each.get_function_name() == "stage")
    module: Any = sys.modules[PARSES_TIMES]
    quick = module.dt_parse
    call = functools.partial(stage.get_user_function(), Asked(body))
    here = best_of(call)
    module.dt_parse = isoparser.parse
    try:
        plain = best_of(call)
    finally:
        module.dt_parse = quick
    return {"events": length, "bytes": len(body), "cpu_ms": here, "cpu_ms_with_the_plain_sdk": plain}


def best_of(work: Callable[[], Any], tries: int = 5) -> float:
    """Give the milliseconds of CPU of the quickest of some tries."""
    spent: list[float] = []
    for _ in range(tries):
        began = time.thread_time()
        work()
        spent.append(time.thread_time() - began)
    return round(min(spent) * 1000, 1)


# -- by scripts -----------------------------------------------------------------------------------------------


class Sleepers:
    """Threads on one virtual clock, of which one goes on at a time: the one whose sleep ends first."""

    def __init__(self, clock: SharedClock) -> None:
        self._clock = clock
        self._due: list[tuple[datetime, int, threading.Event]] = []
        self._order = itertools.count()
        self._idle = threading.Semaphore(0)
        self._faults: list[BaseException] = []

    def sleep(self, seconds: float) -> None:
        woken = self._enter(seconds)
        self._idle.release()
        woken.wait()

    def _enter(self, seconds: float) -> threading.Event:
        woken = threading.Event()
        heapq.heappush(self._due, (self._clock.now() + timedelta(seconds=seconds), next(self._order), woken))
        return woken

    def run(self, works: Sequence[Callable[[], None]]) -> None:
        """Let all of them go on until each has ended."""
        threads = [threading.Thread(target=self._work, args=(each, self._enter(0))) for each in works]
        for thread in threads:
            thread.start()
        while self._due:
            due, _, woken = heapq.heappop(self._due)
            self._clock.advance_to(due)
            woken.set()
            self._idle.acquire()
        for thread in threads:
            thread.join()
        if self._faults:
            raise self._faults[0]

    def _work(self, work: Callable[[], None], begin: threading.Event) -> None:
        begin.wait()
        try:
            work()
        except BaseException as fault:  # noqa: BLE001 - told by whoever let it run
            self._faults.append(fault)
        finally:
            self._idle.release()


class Sleeping(SimulatorTransport):
    """The simulator's transport, whose waits are those of one thread among others."""

    def __init__(self, simulator: Simulator, sleepers: Sleepers) -> None:
        super().__init__(simulator)
        self._sleepers = sleepers

    def sleep(self, duration: float) -> None:
        self._sleepers.sleep(duration)

    def __exit__(self, *_: object) -> None: ...


class Script:
    """What somebody writes in an hour: each act with the SDK's poller, and no questions asked."""

    def __init__(self, machines: int) -> None:
        rehearsal = Rehearsal(many(machines))
        self.simulator, self.clock = rehearsal.simulator, rehearsal.clock
        self.sleepers = Sleepers(self.clock)
        credential, transport = SimulatorCredential(self.simulator), Sleeping(self.simulator, self.sleepers)
        self.client: Any = SiteRecoveryManagementClient(credential, SUBSCRIPTION, transport=transport)
        self.compute = Compute(ArmReader(Line.over(ONE_AT_A_TIME, credential, transport)))

    def bring_home(self, name: str) -> None:
        items, here = self.client.replication_protected_items, (GROUP, VAULT, *AWAY, name)
        items.begin_test_failover(*here, rehearsal_body()).result()
        self._wait_for_agent(self._item(*here).test_failover_recovery_fabric_object_id)
        items.begin_test_failover_cleanup(*here, CLEANUP_BODY).result()
        items.begin_unplanned_failover(*here, failover_body()).result()
        self._wait_for_agent(self._item(*here).recovery_fabric_object_id)
        items.begin_failover_commit(*here).result()
        switch = self.client.replication_protection_containers.begin_switch_protection
        switch(GROUP, VAULT, *AWAY, self._switch(items.get(*here))).result()
        while items.get(GROUP, VAULT, *HOME, name).properties.protection_state != "Protected":
            self.sleepers.sleep(LOOK_AGAIN)

    def _item(self, *here: str) -> Any:
        return self.client.replication_protected_items.get(*here).properties.provider_specific_details

    def _wait_for_agent(self, vm_id: str) -> None:
        while not self._is_ready(vm_id):
            self.sleepers.sleep(LOOK_AGAIN)

    def _is_ready(self, vm_id: str) -> bool:
        try:
            vm = self.compute.virtual_machine(vm_id)
        except Throttled:
            return False
        return vm is not None and vm.agent == "Ready"

    def _switch(self, item: Any) -> dict[str, Any]:
        disks = [
            {
                "diskId": disk.recovery_target_disk_id,
                "primaryStagingAzureStorageAccountId": "/subscriptions/x/cache",
                "recoveryResourceGroupId": "/subscriptions/x/resourceGroups/home",
            }
            for disk in item.properties.provider_specific_details.protected_managed_disks
        ]
        provider = {"instanceType": "A2A", "vmManagedDisks": disks, "policyId": item.properties.policy_id}
        return {"properties": {"replicationProtectedItemName": item.name, "providerSpecificDetails": provider}}


def by_a_script(machines: int, groups: int, *, at_once: bool) -> Numbers:
    """Fail the same estate back by a script: one machine after another, or each group's machines at once."""
    script, wall = Script(machines), time.perf_counter()
    began = script.clock.now()
    for part in split(machines, groups):
        works = [functools.partial(script.bring_home, name) for name in part]
        for batch in [works] if at_once else [[work] for work in works]:
            script.sleepers.run(batch)
    return {
        "machines": machines,
        "groups": groups,
        "makespan_seconds": (script.clock.now() - began).total_seconds(),
        **calls_of(script.simulator),
        "measured_in_seconds": round(time.perf_counter() - wall, 1),
    }


# -- side by side ---------------------------------------------------------------------------------------------


def measure(machines: int, groups: int) -> Numbers:
    by_size = [by_the_app(size, 1) for size in SIZES]
    return {
        "one_group": by_size,
        "estate": by_the_app(machines, groups),
        "one_after_another": by_a_script(machines, groups, at_once=False),
        "one_poller_per_machine": by_a_script(machines, groups, at_once=True),
    }


def rows_of(numbers: Numbers) -> Rows:
    """Write the numbers as rows: what, how much, and the goal."""
    one, *_, hundred = numbers["one_group"]
    estate, serial, pollers = (numbers[name] for name in ("estate", "one_after_another", "one_poller_per_machine"))
    what = f"{estate['machines']:,} machines in {estate['groups']} groups"
    reads, ratio = hundred["site_recovery_reads"], hundred["site_recovery_reads"] / one["site_recovery_reads"]
    step = hundred["last_stage_step"]
    ten, told = numbers["one_group"][1], [*numbers["one_group"], estate]
    more = (
        (hundred["history_events"] - ten["history_events"]) / (hundred["machines"] - ten["machines"]) / len(ACTS)
    )
    share = estate["site_recovery_reads"] / pollers["site_recovery_reads"]
    rows: Rows = [
        (f"makespan / critical path, {what}", f"{estate['ratio']:.3f}: {_span(estate)}", "<= 1.05"),
        ("... one machine", f"{one['ratio']:.3f}: {_span(one)}", ""),
        ("... 100 machines in one group", f"{hundred['ratio']:.3f}: {_span(hundred)}", "<= 1.05"),
        ("Site Recovery reads, 100 machines / 1", f"{ratio:.2f}: {reads} / {one['site_recovery_reads']}", "<= 3"),
        ("answered 429, in all runs of the app", str(sum(each["throttled"] for each in told)), "0"),
        (f"by the app, {what}", _compared(estate), ""),
        ("... by a script, one machine after another", _compared(serial), "slower"),
        ("... by a script, one poller per machine", _compared(pollers), "slower"),
        ("reads of the app / of one poller per machine", f"{share:.2f}", "<= 0.1"),
    ]
    for each in (*numbers["one_group"], estate):
        size = f"{each['machines']:,} in {each['groups']} group{'s' * (each['groups'] > 1)}"
        rows.append((f"history events per machine and act, {size}", _events(each), "<= 8"))
    rows.append(("... for each machine beyond the tenth", f"{more:.1f}", "<= 8, flat"))
    plain = f"{step['cpu_ms_with_the_plain_sdk']:.1f} ms with the SDK's own parser of times"
    rows.append(
        (f"CPU of a stage's step after {step['events']} events", f"{step['cpu_ms']:.1f} ms; {plain}", "<= 50 ms")
    )
    return rows


def _span(found: Numbers) -> str:
    return f"{found['makespan_seconds']:,.0f} s / {found['critical_path_seconds']:,.0f} s"


def _compared(found: Numbers) -> str:
    told = f"{found['makespan_seconds']:,.0f} s, {found['site_recovery_reads']:,} reads of Site Recovery"
    return f"{told}, {found['throttled']} answered 429"


def _events(found: Numbers) -> str:
    return f"{found['history_events_per_machine_and_act']:.1f}"


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("out", nargs="?", type=Path)
    arguments.add_argument("--machines", type=int, default=200)
    arguments.add_argument("--groups", type=int, default=2)
    given = arguments.parse_args()
    logging.disable(logging.WARNING)
    numbers = measure(given.machines, given.groups)
    rows = [("what", "measured", "goal"), *rows_of(numbers)]
    widths = [max(len(row[column]) for row in rows) for column in range(3)]
    for row in rows:
        print("  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip())
    if given.out:
        given.out.parent.mkdir(parents=True, exist_ok=True)
        given.out.write_text(json.dumps(numbers, indent=2) + "\n")


if __name__ == "__main__":
    main()

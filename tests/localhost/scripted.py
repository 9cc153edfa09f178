"""A scripted run of twenty instances: chains, children, timers, events, entities, generations, a failure.

Whatever happens to the host on the way, the end is the same. As a command it kills hosts with SIGKILL at their
commits, and says how the next host ends.
"""

import json
import logging
import os
import signal
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import azure.durable_functions as df

from localhost import SyncHost, Transaction, VirtualClock
from tests.localhost.apps import Context, Steps, app_of

START = datetime(2026, 1, 1, tzinfo=UTC)


def chain(context: Context) -> Steps:
    total = context.get_input()
    for _ in range(3):
        total = yield context.call_activity("double", total)
    return total


def family(context: Context) -> Steps:
    return (yield context.task_all([context.call_sub_orchestrator("chain", n) for n in range(2)]))


def sleeper(context: Context) -> Steps:
    yield context.create_timer(context.current_utc_datetime + timedelta(hours=context.get_input()))
    return (yield context.call_activity("hello", "late"))


def asker(context: Context) -> Steps:
    context.set_custom_status("asking")
    approved = yield context.wait_for_external_event("go")
    context.set_custom_status("answered")
    yield context.call_activity("hello", "x")
    return approved


def counting(context: Context) -> Steps:
    entity = df.EntityId("Counter", "shared")
    context.signal_entity(entity, "add", 1)
    yield context.call_entity(entity, "add", 10)
    return "counted"


def generations(context: Context) -> Steps:
    left = context.get_input()
    yield context.call_activity("double", left)
    yield context.create_timer(context.current_utc_datetime + timedelta(minutes=10))
    if left:
        context.continue_as_new(left - 1)
        return None
    return "last"


def failing(context: Context) -> Steps:
    yield context.call_activity_with_retry("fail", df.RetryOptions(60_000, 2), "boom")


INSTANCES: dict[str, tuple[str, object]] = {
    **{f"chain-{n}": ("chain", n) for n in range(5)},
    **{f"family-{n}": ("family", None) for n in range(3)},
    **{f"sleeper-{n}": ("sleeper", n + 1) for n in range(3)},
    **{f"asker-{n}": ("asker", None) for n in range(3)},
    **{f"counting-{n}": ("counting", None) for n in range(3)},
    **{f"generations-{n}": ("generations", 2) for n in range(2)},
    "failing-0": ("failing", None),
}


def build() -> df.DFApp:
    return app_of(chain, family, sleeper, asker, counting, generations, failing)


def play(host: SyncHost) -> None:
    """Bring everything to its end, from wherever it stands."""
    for instance_id, (name, argument) in INSTANCES.items():
        if host.status(instance_id) is None:
            host.start(name, argument, instance_id=instance_id)
    host.run_until_idle()
    while any(not is_over(host, instance_id) for instance_id in INSTANCES):
        for instance_id in INSTANCES:
            status = host.status(instance_id)
            if status is not None and status.custom_status == "asking":
                host.raise_event(instance_id, "go", instance_id)
        host.run_until_idle()


def is_over(host: SyncHost, instance_id: str) -> bool:
    status = host.status(instance_id)
    return status is not None and status.is_finished


def ends(host: SyncHost) -> dict[str, Any]:
    """Answer everything that counts when all is over; generated children by what they did, not by their ids."""
    found: dict[str, Any] = {}
    children: list[Any] = []
    for status in host.instances():
        end = (status.name, status.runtime_status, status.input, status.output, status.custom_status)
        if status.instance_id in INSTANCES:
            found[status.instance_id] = end
        else:
            children.append(end)
    return {
        "instances": found,
        "children": sorted(map(repr, children)),
        "counter": host.entity("Counter", "shared"),
    }


def live(state: Path, number: int | None = None, when: str = "after", *, free: bool) -> dict[str, Any]:
    """Live one life on a state file; with a number, die by SIGKILL before or after the commit of that number."""

    def kill(moment: Transaction) -> None:
        if moment.number == number and moment.is_committed is (when == "after"):
            os.kill(os.getpid(), signal.SIGKILL)

    order = {"free_running": True} if free else {"seed": 0}
    clock = VirtualClock(START)
    with SyncHost(build(), state=state, clock=clock, on_transaction=kill, fsync=free, **order) as host:
        play(host)
        return ends(host)


def in_child(work: Callable[[], Any]) -> tuple[int, str]:
    """Do something in a fork of this process; answer how that ended, and what it answered as JSON."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        code = 70
        try:
            os.write(writer, json.dumps(work()).encode())
            code = 0
        finally:
            os._exit(code)
    os.close(writer)
    with os.fdopen(reader) as pipe:
        text = pipe.read()
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), text


def main() -> None:
    """Kill a host at commits, and let another finish: one line of JSON for each death.

    `python -m tests.localhost.scripted DIRECTORY seeded|free FIRST STEP LAST`. The interpreter is started once;
    each life is a fork of it, with nothing running in it yet.
    """
    logging.disable(logging.WARNING)
    directory, mode, *numbers = sys.argv[1:]
    first, step, last = map(int, numbers)
    for number in range(first, last + 1, step):
        for when in ("before", "after"):
            state = Path(directory) / f"{mode}-{number}-{when}.db"
            code, _ = in_child(partial(live, state, number, when, free=mode == "free"))
            after, text = in_child(partial(live, state, free=mode == "free"))
            end = json.loads(text) if after == 0 else None
            death = {"number": number, "when": when, "killed": code == -signal.SIGKILL, "end": end}
            print(json.dumps(death), flush=True)  # noqa: T201  a command speaks to who started it
            for suffix in ("", "-wal", "-shm"):
                state.with_name(state.name + suffix).unlink(missing_ok=True)


if __name__ == "__main__":
    main()

"""A scripted run of twenty instances: chains, children, timers, events, entities, generations, a failure.

Whatever happens to the host on the way, the end is the same. As a command it runs on a file and kills itself with
SIGKILL at a commit: `python -m tests.localhost.scripted STATE NUMBER before|after`.
"""

import os
import signal
import sys
from datetime import UTC, datetime, timedelta
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


def main() -> None:
    state, number, when = sys.argv[1:]

    def kill(moment: Transaction) -> None:
        if moment.number == int(number) and moment.is_committed is (when == "after"):
            os.kill(os.getpid(), signal.SIGKILL)

    with SyncHost(build(), state=Path(state), clock=VirtualClock(START), on_transaction=kill, fsync=True) as host:
        play(host)


if __name__ == "__main__":
    main()

"""A host that dies between two transactions, and the same start again."""

from collections.abc import Callable, Generator
from datetime import timedelta
from pathlib import Path
from typing import Any

import azure.durable_functions as df
import pytest

from localhost import Crash, SyncHost, VirtualClock, crash_at

Steps = Generator[Any, Any, Any]


def build() -> df.DFApp:
    app = df.DFApp()

    @app.orchestration_trigger(context_name="context")
    def tour(context: Any) -> Steps:
        first = yield context.call_activity("hello", "Tokyo")
        yield context.create_timer(context.current_utc_datetime + timedelta(hours=1))
        counted = yield context.call_entity(df.EntityId("Counter", "mine"), "add", 2)
        child = yield context.call_sub_orchestrator("leg", "Seattle")
        return [first, counted, child]

    @app.orchestration_trigger(context_name="context")
    def leg(context: Any) -> Steps:
        return (yield context.call_activity("hello", context.get_input()))

    @app.activity_trigger(input_name="name")
    def hello(name: str) -> str:
        return f"Hello {name}!"

    @app.entity_trigger(context_name="context", entity_name="Counter")
    def counter(context: Any) -> None:
        value = context.get_state(lambda: 0) + context.get_input()
        context.set_state(value)
        context.set_result(value)

    return app


EXPECTED = ["Hello Tokyo!", 2, "Hello Seattle!"]


def crash(state: Path, clock: VirtualClock, at: Callable[[Any], None]) -> None:
    with pytest.raises(Crash), SyncHost(build(), state=state, clock=clock, on_transaction=at) as host:
        host.run_until(host.start("tour", instance_id="one"))


@pytest.mark.parametrize("committed", [False, True])
@pytest.mark.parametrize("number", range(1, 12))
def test_a_crash_at_any_commit_changes_nothing_in_the_end(state: Path, number: int, *, committed: bool) -> None:
    clock = VirtualClock()
    crash(state, clock, crash_at(number, committed=committed))

    with SyncHost(build(), state=state, clock=clock) as host:
        if host.status("one") is None:
            host.start("tour", instance_id="one")
        status = host.run_until("one")

    assert status is not None
    assert (status.runtime_status, status.output) == ("Completed", EXPECTED)


def test_a_run_takes_as_many_commits_as_the_crash_tests_try(state: Path) -> None:
    seen: list[int] = []
    with SyncHost(
        build(), state=state, clock=VirtualClock(), on_transaction=lambda moment: seen.append(moment.number)
    ) as host:
        host.run_until(host.start("tour", instance_id="one"))
    assert max(seen) == 11

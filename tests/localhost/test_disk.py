"""Commits and the disk: nobody is told of anything that a loss of power could still take back."""

import asyncio
import shutil
import sqlite3
import threading
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from localhost import LocalHost, SyncHost, SystemClock
from localhost.disk import sync_file
from localhost.store import StateError
from tests.localhost.apps import Context, Steps, app_of


class Power:
    """Keeps a copy of the state as the disk has it: what would be left if the power went now."""

    def __init__(self, state: Path, directory: Path) -> None:
        self.state = state
        self.left = directory / "left.db"
        self.syncs = 0
        self.lock = threading.Lock()

    def sync(self, file: int) -> None:
        sync_file(file)
        self.syncs += 1
        with self.lock:
            for suffix in ("", "-wal"):
                shutil.copyfile(f"{self.state}{suffix}", f"{self.left}{suffix}")

    def rows(self, query: str) -> list[Any]:
        with self.lock, closing(sqlite3.connect(self.left)) as connection:
            return connection.execute(query).fetchall()


def watch(host: LocalHost, state: Path, directory: Path) -> Power:
    power = Power(state, directory)
    disk: Any = host._store._disk
    disk.sync = power.sync
    return power


def chain(context: Context) -> Steps:
    for _ in range(2):
        yield context.call_activity("act", context.instance_id)


def app_acting(act: Callable[[str], None]) -> Any:
    app = app_of(chain)

    @app.activity_trigger(input_name="name", activity="act")
    def act_once(name: str) -> None:
        act(name)

    return app


def test_a_start_is_answered_when_it_is_on_the_disk(state: Path, tmp_path: Path) -> None:
    async def start() -> None:
        async with LocalHost(app_of(chain), state=state, clock=SystemClock(), port=0) as host:
            power = watch(host, state, tmp_path)
            for _ in range(5):
                instance_id = await host.start("chain")
                assert (instance_id,) in power.rows("SELECT id FROM instance")
                path = "/runtime/webhooks/durabletask/orchestrators/chain"
                answer = (await host.request("POST", path)).json()
                assert (answer["id"],) in power.rows("SELECT id FROM instance")

    asyncio.run(start())


def test_an_activity_runs_when_its_scheduling_is_on_the_disk(state: Path, tmp_path: Path) -> None:
    unforeseen: list[str] = []
    powers: list[Power] = []

    def act(name: str) -> None:
        if (name,) not in powers[0].rows("SELECT instance_id FROM task"):
            unforeseen.append(name)

    async def run() -> None:
        async with LocalHost(app_acting(act), state=state, clock=SystemClock()) as host:
            powers.append(watch(host, state, tmp_path))
            for instance_id in [await host.start("chain") for _ in range(5)]:
                status = await host.run_until(instance_id)
                assert status is not None
                assert status.runtime_status == "Completed", status.output

    asyncio.run(run())
    assert unforeseen == []


def test_many_commits_share_a_sync(state: Path, tmp_path: Path) -> None:
    async def run() -> tuple[int, int]:
        commits: list[int] = []
        async with LocalHost(
            app_of(double_ten),
            state=state,
            clock=SystemClock(),
            on_transaction=lambda at: commits.append(at.number),
        ) as host:
            power = watch(host, state, tmp_path)
            started = await asyncio.gather(*(host.start("double_ten") for _ in range(20)))
            for instance_id in started:
                await host.run_until(instance_id)
            return power.syncs, commits[-1]

    syncs, commits = asyncio.run(run())
    assert commits > 20 * 11
    assert syncs < commits / 2


def double_ten(context: Context) -> Steps:
    yield context.task_all([context.call_activity("double", n) for n in range(10)])


def refuse(file: int) -> None:
    raise OSError(5, "Input/output error")


def test_a_disk_that_fails_stops_the_host_and_a_new_start_goes_on(state: Path) -> None:
    with SyncHost(app_of(double_ten), state=state, clock=SystemClock()) as host:
        instance_id = host.start("double_ten")
        disk: Any = host.host._store._disk
        disk.sync = refuse
        with pytest.raises(StateError, match=r"cannot be brought to the disk: .*Input/output error.*Start again"):
            host.start("double_ten")
        answer = host.request("POST", "/runtime/webhooks/durabletask/orchestrators/double_ten")
        assert answer.status == 503
        assert "cannot be brought to the disk" in answer.text
    with SyncHost(app_of(double_ten), state=state, clock=SystemClock()) as host:
        status = host.run_until(instance_id)
    assert status is not None
    assert status.runtime_status == "Completed"


def test_a_host_that_closes_in_the_middle_of_a_sync_leaves_everything_on_the_disk(
    state: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async def run() -> None:
        for turns in range(4):
            async with LocalHost(app_of(chain), state=state, clock=SystemClock()) as host:
                host._client.start("chain", instance_id=f"after {turns}")
                for _ in range(turns):
                    await asyncio.sleep(0)
                host._client.start("chain", instance_id=f"again {turns}")
            await asyncio.sleep(0.01)  # what the loop still had to do

    asyncio.run(run())
    with closing(sqlite3.connect(state)) as connection:
        assert len(connection.execute("SELECT id FROM instance WHERE id LIKE 'a%'").fetchall()) == 8
    assert [record.message for record in caplog.records if record.name in ("asyncio", "localhost")] == []

"""The host killed at every transaction boundary of a scripted run: the end is exactly that of a quiet run."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from localhost import Crash, SyncHost, Transaction, VirtualClock, crash_at
from tests.localhost.scripted import START, build, ends, play

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.filterwarnings("ignore:Potential duplicate Task completion")


@pytest.fixture(scope="module")
def quiet() -> dict[str, Any]:
    """How it ends when nothing happens to the host."""
    with SyncHost(build(), clock=VirtualClock(START), seed=0) as host:
        play(host)
        return ends(host)


@pytest.fixture(scope="module")
def commits() -> int:
    """How many commits a quiet run takes."""
    seen: list[Transaction] = []
    with SyncHost(build(), clock=VirtualClock(START), seed=0, on_transaction=seen.append) as host:
        play(host)
    return seen[-1].number


def live(state: Path, clock: VirtualClock, hook: Callable[[Transaction], None] | None, seed: int = 0) -> Any:
    """Live one life of a host; answer how everything ended, or None when it was killed before."""
    try:
        with SyncHost(build(), state=state, clock=clock, seed=seed, on_transaction=hook) as host:
            play(host)
            return ends(host)
    except Crash:
        return None


def test_the_quiet_run_is_what_it_should_be(quiet: dict[str, Any]) -> None:
    assert len(quiet["instances"]) == 20
    assert quiet["counter"] == 33
    assert [end[1] for end in quiet["instances"].values()].count("Completed") == 19
    assert len(quiet["children"]) == 6


def test_any_order_of_work_ends_the_same(quiet: dict[str, Any]) -> None:
    for seed in range(1, 6):
        with SyncHost(build(), clock=VirtualClock(START), seed=seed) as host:
            play(host)
            assert ends(host) == quiet


@pytest.mark.parametrize(("number", "committed"), [(1, True), (2, False), (2, True)])
def test_a_host_that_dies_at_every_commit_gets_there_all_the_same(
    state: Path, quiet: dict[str, Any], number: int, *, committed: bool
) -> None:
    """Every life ends at its first (or second) commit, just before it or just after."""
    clock = VirtualClock(START)
    lives = 0
    while (found := live(state, clock, crash_at(number, committed=committed), seed=lives)) is None:
        lives += 1
    assert found == quiet
    assert lives > 80


def sample(total: int, every: int) -> list[int]:
    return list(range(1, total + 1, every))


def test_one_death_at_a_boundary_changes_nothing(tmp_path: Path, quiet: dict[str, Any], commits: int) -> None:
    for number in sample(commits, 9):
        state, clock = tmp_path / f"{number}.db", VirtualClock(START)
        assert live(state, clock, crash_at(number)) is None
        assert live(state, clock, None, seed=number) == quiet, f"killed after commit {number}"


@pytest.mark.chaos
def test_one_death_at_each_boundary_changes_nothing(tmp_path: Path, quiet: dict[str, Any], commits: int) -> None:
    for number in sample(commits, 1):
        for committed in (False, True):
            state, clock = tmp_path / f"{number}{committed}.db", VirtualClock(START)
            assert live(state, clock, crash_at(number, committed=committed)) is None
            assert live(state, clock, None, seed=number) == quiet, f"killed at commit {number}, {committed}"


def sweep(directory: Path, mode: str, first: int, step: int, last: int) -> "subprocess.Popen[str]":
    """Begin to kill hosts at these commits, in a process of its own."""
    return subprocess.Popen(
        [sys.executable, "-m", "tests.localhost.scripted", directory, mode, str(first), str(step), str(last)],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONWARNINGS": "ignore"},
        stdout=subprocess.PIPE,
        text=True,
    )


def check_deaths(deaths: "subprocess.Popen[str]", quiet: dict[str, Any], sure: int) -> int:
    """Check that every host was killed where it should be, and the next one got to the same end.

    Up to `sure` there is such a commit in any order of work; count the deaths.
    """
    wanted = json.loads(json.dumps(quiet))
    count = 0
    for line in deaths.communicate()[0].splitlines():
        death = json.loads(line)
        place = f"kill -9 {death['when']} commit {death['number']}"
        assert death["killed"] or death["number"] > sure, place
        assert death["end"] == wanted, place
        count += death["killed"]
    assert deaths.returncode == 0
    return count


@pytest.mark.parametrize("mode", ["seeded", "free"])
def test_kill_minus_nine_at_a_boundary_changes_nothing(
    tmp_path: Path, quiet: dict[str, Any], commits: int, mode: str
) -> None:
    assert check_deaths(sweep(tmp_path, mode, 21, 60, 141), quiet, sure=commits - 20) == 2 * 3


@pytest.mark.chaos
@pytest.mark.timeout(1800)
def test_kill_minus_nine_at_each_boundary_changes_nothing(
    tmp_path: Path, quiet: dict[str, Any], commits: int
) -> None:
    """At every commit in the order a seed chooses; at every third side by side, where no two runs commit alike."""
    seeded, free = sweep(tmp_path, "seeded", 1, 1, commits), sweep(tmp_path, "free", 1, 3, commits + 10)
    assert check_deaths(seeded, quiet, sure=commits) == 2 * commits
    assert check_deaths(free, quiet, sure=commits - 20) >= 2 * (commits - 20) // 3

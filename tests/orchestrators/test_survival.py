"""The host may die between any two transactions; started again, the run ends as if nothing had happened."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from localhost import Crash, Transaction
from tests.rehearsal import Rehearsal, machine

RUNBOOK = ["testFailover", "testFailoverCleanup", "failover", "commit", "reprotect"]


def dying(every: int, *, committed: bool) -> Callable[[Transaction], None]:
    """Crash at one transaction after so many that went well."""
    passed = [0]

    def hook(moment: Transaction) -> None:
        if moment.is_committed is committed:
            passed[0] += 1
            if passed[0] % every == 0:
                raise Crash("the host was killed")

    return hook


@pytest.mark.parametrize("committed", [False, True])
@pytest.mark.parametrize("every", [7, 13, 31])
def test_a_host_killed_again_and_again_ends_as_one_never_killed(
    tmp_path: Path, every: int, committed: bool
) -> None:
    rehearsal = Rehearsal(state=str(tmp_path / "state.sqlite"))
    hook = dying(every, committed=committed)
    report: dict[str, Any] | None = None
    deaths = 0
    while report is None:
        try:
            with rehearsal.host(hook) as host:
                if host.status(rehearsal.run) is None:
                    host.start("failback", rehearsal.request(), instance_id=rehearsal.run)
                rehearsal.asked.clear()
                report = rehearsal.finish(host, within=timedelta(days=9))
        except Crash:
            deaths += 1
            assert deaths < 500
    assert deaths > 5
    assert machine(report)["outcome"] == "home"
    assert [act for act, _ in rehearsal.posts()] == RUNBOOK
    assert [job["ours"] for job in machine(report)["jobs"]] == [True] * 5


def test_history_and_status_stay_small_however_long_a_stage_takes() -> None:
    rehearsal = Rehearsal()
    longest, largest = 0, 0
    with rehearsal.host() as host:
        host.start("failback", rehearsal.request(), instance_id=rehearsal.run)
        rehearsal.finish(host)
        for status in host.instances():
            seen = host.status(status.instance_id, history=True)
            assert seen is not None
            longest = max(longest, len(seen.history or []))
            largest = max(largest, 2 * len(json.dumps(status.custom_status)))
    assert longest < 150
    assert largest <= 16_384

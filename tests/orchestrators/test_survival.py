"""The host may die between any two transactions; started again, the run ends as if nothing had happened."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from http import HTTPStatus
from pathlib import Path
from typing import Any

import pytest

from localhost import Crash, Transaction
from tests.rehearsal import Rehearsal, machine, standing

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


@pytest.mark.timeout(300)
def test_a_run_of_two_groups_goes_on_from_the_group_before_whenever_it_is_killed(tmp_path: Path) -> None:
    names = ("Web", "Db")
    rehearsal = Rehearsal(
        [standing("protected-in-reverse", name) for name in names], state=str(tmp_path / "state.sqlite")
    )
    machines = [{"name": name, "group": number} for number, name in enumerate(names, start=1)]
    request = {**rehearsal.request(testFailover={"enabled": False}), "machines": machines}
    hook, report = dying(23, committed=True), None
    while report is None:
        try:
            with rehearsal.host(hook) as host:
                if host.status(rehearsal.run) is None:
                    host.start("failback", request, instance_id=rehearsal.run)
                rehearsal.asked.clear()
                report = rehearsal.finish(host, within=timedelta(days=9))
                assert host.entity("run_memory", rehearsal.run) is None
        except Crash:
            pass
    assert report["outcome"] == "succeeded"
    assert [act for act, _ in rehearsal.posts()] == ["failover", "commit", "reprotect"] * 2
    assert report["evidence"]["records"] == 2 + 2 * 8 + 1
    counted = [entry["gate"] for entry in report["decisions"] if entry["judgement"] == "recorded"]
    assert counted == ["failback", "commit"] * 2


def test_the_history_of_a_run_does_not_grow_with_its_groups() -> None:
    lengths: dict[int, int] = {}
    for groups in (1, 3):
        names = [f"Web{number}" for number in range(groups)]
        rehearsal = Rehearsal([standing("protected-in-reverse", name) for name in names])
        machines = [{"name": name, "group": number} for number, name in enumerate(names, start=1)]
        request = {**rehearsal.request(testFailover={"enabled": False}), "machines": machines}
        with rehearsal.host() as host:
            host.start("failback", request, instance_id=rehearsal.run)
            began = rehearsal.clock.now()
            assert rehearsal.finish(host)["outcome"] == "succeeded"
            seen = host.status(rehearsal.run, history=True)
            assert seen is not None
            lengths[groups] = len(seen.history or [])
            assert rehearsal._document(seen.custom_status)["startedAt"] == f"{began:%FT%TZ}"
    assert lengths[3] <= lengths[1]


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


def _at_the_gate(base: Path) -> tuple[Rehearsal, dict[str, Any]]:
    """Bring a run to its first gate, with nothing changed in Azure yet, and leave its state in a file."""
    rehearsal = Rehearsal(state=str(base))
    with rehearsal.host() as host:
        host.start("failback", rehearsal.request(testFailover={"enabled": False}), instance_id=rehearsal.run)
        gate = rehearsal._until_asked_or_finished(host, timedelta(days=1))
    assert gate is not None
    return rehearsal, gate


def _crash_at(moment: int, *, committed: bool) -> Callable[[Transaction], None]:
    passed = [0]

    def hook(each: Transaction) -> None:
        if each.is_committed is committed:
            passed[0] += 1
            if passed[0] == moment:
                raise Crash("the host was killed")

    return hook


@pytest.mark.timeout(400)
def test_a_host_killed_anywhere_between_a_decision_and_the_gates_end_loses_no_decision(tmp_path: Path) -> None:
    before, gate = _at_the_gate(tmp_path / "base.sqlite")
    killed = 0
    for committed in (False, True):
        for moment in range(1, 60):
            copy = tmp_path / f"{committed}-{moment}.sqlite"
            copy.write_bytes((tmp_path / "base.sqlite").read_bytes())
            rehearsal = Rehearsal(state=str(copy))
            rehearsal.clock.advance_to(before.clock.now())
            accepted = False
            try:
                with rehearsal.host(_crash_at(moment, committed=committed)) as host:
                    accepted = _approves(rehearsal, host, gate)
                    while _asks(rehearsal, host) == "failback":
                        assert host.step()
            except Crash:
                killed += 1
            else:
                # The gate was over before its moment came.
                break
            with rehearsal.host() as host:
                # Who got no answer sends the same again.
                assert accepted or _approves(rehearsal, host, gate)
                while _asks(rehearsal, host) != "commit":
                    assert host.step()
                assert [act for act, _ in rehearsal.posts()] == ["failover"]
    assert killed > 10


def _approves(rehearsal: Rehearsal, host: Any, gate: dict[str, Any]) -> bool:
    body = {"gate": gate["gate"], "planHash": gate["planHash"], "decision": "approve"}
    headers = {"X-Failback-User": "olive@contoso.com", "Idempotency-Key": "approved-once"}
    answer = host.request("POST", f"/api/failbacks/{rehearsal.run}/decisions", json=body, headers=headers)
    return bool(answer.status == HTTPStatus.OK)


def _asks(rehearsal: Rehearsal, host: Any) -> str | None:
    shown = rehearsal._document(host.status(rehearsal.run).custom_status)
    return shown.get("gate")

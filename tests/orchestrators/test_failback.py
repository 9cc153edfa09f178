from __future__ import annotations

from typing import Any

from tests.orchestrators.conftest import NAME, Rehearsal

RUNBOOK = ["testFailover", "testFailoverCleanup", "failover", "commit", "reprotect"]


def machine(report: dict[str, Any], name: str = NAME) -> dict[str, Any]:
    return next(each for each in report["machines"] if each["name"] == name)


def test_one_machine_comes_home_by_the_runbook_each_act_once(rehearsal: Rehearsal) -> None:
    report = rehearsal.play()
    assert report["outcome"] == "succeeded"
    assert machine(report)["outcome"] == "home"
    assert machine(report)["protected"] is True
    assert [act for act, _ in rehearsal.posts()] == RUNBOOK

"""A run is steered by HTTP: held at its next safe point, let go on, ended; and only by who may."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from localhost import Response, SyncHost
from tests.rehearsal import NAME, VAULT, Rehearsal

DANA, OLIVE = "dana@contoso.com", "olive@contoso.com"


class Run:
    """One run, asked about and steered by HTTP."""

    def __init__(self) -> None:
        self.rehearsal = Rehearsal()
        self.host: SyncHost = self.rehearsal.host()
        self.id = ""

    def post(self, path: str, body: Any = None, by: str = DANA) -> Response:
        where = f"/api/failbacks/{self.id}/{path}" if path else "/api/failbacks"
        return self.host.request("POST", where, json=body or {}, headers={"X-Failback-User": by})

    def start(self) -> None:
        self.id = self.post("", {"vault": VAULT, "machines": [NAME]}).json()["id"]

    def shown(self) -> dict[str, Any]:
        headers = {"X-Failback-User": DANA}
        return dict(self.host.request("GET", f"/api/failbacks/{self.id}", headers=headers).json())

    def asked(self, gate: str = "failback") -> dict[str, Any]:
        while not (found := [each for each in self.shown()["gates"] if each["gate"] == gate]):
            assert self.host.step()
        return dict(found[0])

    def approve(self, name: str = "failback") -> None:
        gate = self.asked(name)
        body = {"gate": gate["gate"], "decision": "approve", "planHash": gate["planHash"]}
        assert self.post("decisions", body, by=OLIVE).status == 200

    def let_pass(self, time: timedelta) -> None:
        until = self.rehearsal.clock.now() + time
        while self.rehearsal.clock.now() < until and self.shown()["outcome"] is None:
            assert self.host.step()


@pytest.fixture
def run() -> Iterator[Run]:
    run = Run()
    with run.host:
        run.start()
        yield run


def test_a_run_that_is_held_starts_nothing_until_it_is_resumed(run: Run) -> None:
    run.asked()
    answer = run.post("pause", {"reason": "the network people are at it"})
    assert (answer.status, answer.json()["status"]) == (202, "pausing")
    run.approve()
    run.let_pass(timedelta(hours=12))
    assert ("failover", NAME) not in run.rehearsal.posts()
    assert run.shown()["paused"] == f"paused by {DANA}: the network people are at it"
    assert run.post("resume", {"reason": "they are done"}).status == 202
    while run.shown()["paused"]:
        assert run.host.step()
    run.approve("commit")
    run.host.run_until(run.id)
    assert run.shown()["outcome"] == "succeeded"
    assert ("failover", NAME) in run.rehearsal.posts()


def test_a_run_that_is_held_can_be_cancelled(run: Run) -> None:
    run.asked()
    run.post("pause")
    run.approve()
    run.let_pass(timedelta(hours=2))
    assert run.post("cancel", {"reason": "not tonight"}).status == 202
    run.host.run_until(run.id)
    assert run.shown()["outcome"] == "stopped"
    assert ("failover", NAME) not in run.rehearsal.posts()


@pytest.mark.parametrize("word", ["cancel", "pause", "resume"])
def test_what_has_ended_is_steered_no_more(run: Run, word: str) -> None:
    run.post("cancel")
    run.host.run_until(run.id)
    assert run.post(word).status == 410


@pytest.mark.parametrize("word", ["cancel", "pause", "resume"])
def test_a_reason_is_taken_by_name_and_nothing_else(run: Run, word: str) -> None:
    assert run.post(word, {"why": "x"}).status == 400
    assert run.post(word, {"reason": "x" * 2_001}).status == 400
    big = run.host.request(
        "POST",
        f"/api/failbacks/{run.id}/{word}",
        body=b'{"reason": "' + b"x" * 20_000 + b'"}',
        headers={"X-Failback-User": DANA, "Content-Type": "application/json"},
    )
    assert big.status == 413

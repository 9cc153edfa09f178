"""The two local worlds as a user starts them: real processes, real sockets, a real kill -9."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
VAULT = (
    "/subscriptions/11111111-1111-1111-1111-111111111111/resourceGroups/contoso-dr"
    "/providers/Microsoft.RecoveryServices/vaults/contoso-vault"
)
# An hour of Site Recovery in half a minute.
SPEED = "150"


@contextmanager
def world(*command: str, **environment: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """Start a local world, give its address from the one line it prints, and end it."""
    process = subprocess.Popen(
        [sys.executable, "-m", *command],
        cwd=ROOT,
        env={**os.environ, **environment},
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        yield process, next(word for word in line.split() if word.startswith("http://")).rstrip("/,")
    finally:
        process.kill()
        process.wait(10)
        if process.stdout:
            process.stdout.close()


def call(url: str, body: Any = None, user: str = "olive@contoso.com") -> tuple[int, Any]:
    data = None if body is None else json.dumps(body).encode()
    headers = {"X-Failback-User": user, "Content-Type": "application/json"}
    request = urllib.request.Request(url, data=data, headers=headers)
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return answer.status, json.loads(answer.read())
    except urllib.error.HTTPError as refused:
        with refused:
            return refused.code, json.loads(refused.read() or b"{}")


def host(azure: str, state: Path) -> Any:
    return world(
        "localhost",
        "--app",
        str(ROOT),
        "--port",
        "0",
        "--state",
        str(state),
        FAILBACK_ARM_ENDPOINT=azure,
        FAILBACK_LOGS_ENDPOINT=f"{azure}/loganalytics",
        IDENTITY_ENDPOINT=f"{azure}/msi/token",
        IDENTITY_HEADER="simulator",
        FAILBACK_LOOK_EVERY="PT0.3S",
        FAILBACK_IDENTITY="declared",
    )


def follow(api: str, run: str, until: Any, *, approving: bool = True) -> dict[str, Any]:
    """Watch a run until something shows; whatever is asked meanwhile is approved, or left to others."""
    give_up = time.monotonic() + 100
    while time.monotonic() < give_up:
        _, shown = call(f"{api}/failbacks/{run}")
        if until(shown):
            return shown
        for gate in shown["gates"] if approving else ():
            decision = {"gate": gate["gate"], "decision": "approve", "planHash": gate["planHash"]}
            status, answer = call(f"{api}/failbacks/{run}/decisions", decision)
            assert status in {200, 409, 410}, answer
        time.sleep(0.2)
    raise AssertionError("the run takes too long")


def failover_runs(shown: dict[str, Any]) -> bool:
    return any((each.get("job") or {}).get("act") == "fail_over" for each in shown["machines"])


def test_a_host_killed_in_the_middle_of_a_failover_goes_on_as_if_nothing_had_happened(tmp_path: Path) -> None:
    state = tmp_path / "state.sqlite"
    with world("simulator", "--port", "0", "--speed", SPEED) as (_, azure):
        with host(azure, state) as (process, url):
            started, run = call(f"{url}/api/failbacks", {"vault": VAULT, "machines": ["ContosoWin2016"]}, "dana")
            assert started == 202, run
            follow(f"{url}/api", run["id"], failover_runs)
            process.send_signal(signal.SIGKILL)
            process.wait(10)
        with host(azure, state) as (_, url):
            follow(f"{url}/api", run["id"], lambda shown: shown["outcome"] is not None)
            status, report = call(f"{url}/api/failbacks/{run['id']}/report")
        journal = call(f"{azure}/_sim/journal")[1]
    assert status == 200
    assert report["outcome"] == "succeeded"
    machine = report["machines"][0]
    assert (machine["outcome"], machine["protected"]) == ("home", True)
    assert len(report["decisions"]) == 2
    writes = [each["act"] for each in journal["calls"] if each["write"]]
    assert writes == ["testFailover", "testFailoverCleanup", "failover", "commit", "reprotect"]


def test_a_decision_that_was_acknowledged_outlives_the_host_that_took_it(tmp_path: Path) -> None:
    state = tmp_path / "state.sqlite"
    with world("simulator", "--port", "0", "--speed", SPEED) as (_, azure):
        with host(azure, state) as (process, url):
            run = call(f"{url}/api/failbacks", {"vault": VAULT, "machines": ["ContosoWin2016"]}, "dana")[1]["id"]
            gate = asked(f"{url}/api/failbacks/{run}")
            decision = {
                "gate": "failback",
                "decision": "stop",
                "planHash": gate["planHash"],
                "comment": "wrong night",
            }
            status, recorded = call(f"{url}/api/failbacks/{run}/decisions", decision)
            process.send_signal(signal.SIGKILL)
            process.wait(10)
        assert status == 200
        with host(azure, state) as (_, url):
            shown = follow(f"{url}/api", run, lambda shown: shown["outcome"] is not None, approving=False)
            _, report = call(f"{url}/api/failbacks/{run}/report")
    assert shown["outcome"] == "stopped"
    assert [(each["id"], each["comment"]) for each in report["decisions"]] == [(recorded["id"], "wrong night")]


def asked(run: str) -> dict[str, Any]:
    """Wait until a run asks people, and answer nothing."""
    give_up = time.monotonic() + 100
    while time.monotonic() < give_up:
        if gates := call(run)[1]["gates"]:
            return gates[0]
        time.sleep(0.2)
    raise AssertionError("the run asks nobody")

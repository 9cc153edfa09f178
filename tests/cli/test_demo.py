"""The demonstration itself, on the real simulator and the real host, at a hurried pace."""

from __future__ import annotations

import json
import re
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from cli import demo
from cli.api import TroubleError
from cli.worlds import ROOT
from domain.evidence import Chain, RecordKind, from_lines, to_lines, verify
from tests.unit.making import at

HURRIED = "600"


def command(folder: Path, *more: str) -> list[str]:
    return [sys.executable, "-m", "cli", "demo", "--speed", HURRIED, "--folder", str(folder), *more]


def is_served(address: str) -> bool:
    host, port = address.removeprefix("http://").split(":")
    with socket.socket() as door:
        return door.connect_ex((host, int(port))) == 0


def test_one_machine_comes_home_through_both_gates_and_nothing_stays_behind(tmp_path: Path) -> None:
    done = subprocess.run(
        command(tmp_path),
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    report = json.loads((tmp_path / "report.json").read_text(encoding="utf-8"))
    machine = report["machines"][0]
    assert (report["outcome"], machine["outcome"], machine["protected"]) == ("succeeded", "home", True)
    assert [entry["gate"] for entry in report["decisions"]] == ["failback", "commit"]
    assert all(job["started"] and job["ended"] for job in machine["jobs"])
    assert machine["recoveryPoint"]["time"]
    assert "Home and protected" in (tmp_path / "report.html").read_text(encoding="utf-8")
    assert verify(from_lines((tmp_path / "evidence.jsonl").read_text()), report["evidence"]["head"]).is_whole
    lines = [line for line in done.stderr.splitlines() if re.match(r"\d\d:\d\d:\d\d", line)]
    assert len(lines) == len(set(lines))
    assert [name for name in ("Look", "Rehearse", "Ask", "Move", "Settle") if name not in done.stderr] == []
    assert not any(is_served(address) for address in re.findall(r"http://[\d.]+:\d+", done.stderr))


def test_an_interrupted_demonstration_leaves_nothing_running(tmp_path: Path) -> None:
    with subprocess.Popen(
        command(tmp_path), cwd=ROOT, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    ) as running:
        assert running.stderr is not None
        line = next(line for line in running.stderr if line.startswith("Azure http"))
        addresses = re.findall(r"http://[\d.]+:\d+", line)
        running.send_signal(signal.SIGINT)
        rest = running.stderr.read()
        assert running.wait(20) == 130
    assert len(addresses) == 2
    assert "everything that was started is stopped too" in rest
    assert not any(is_served(address) for address in addresses)


@pytest.mark.parametrize(
    "change", [{"outcome": "partial"}, {"machines": []}, {"machines": [{"outcome": "home", "protected": False}]}]
)
def test_nothing_less_than_home_and_protected_is_accepted(given: Any, change: Any) -> None:
    demo._judge(given.report())
    with pytest.raises(TroubleError, match="not home and protected"):
        demo._judge(given.report() | change)


def test_no_evidence_is_accepted_but_what_is_whole_and_ends_as_the_report_says() -> None:
    console = Console(stderr=True)
    record = Chain(run="fb-1").next(RecordKind.REPORT, {}, at())
    lines = to_lines([record.to_wire()])
    demo._attest(console, {"evidence": {"head": record.hash}}, lines)
    with pytest.raises(TroubleError, match="not whole"):
        demo._attest(console, {"evidence": {"head": "0" * 64}}, lines)
    with pytest.raises(TroubleError, match="not whole"):
        demo._attest(console, {"evidence": {"head": record.hash}}, lines.replace("fb-1", "fb-2"))
    with pytest.raises(TroubleError, match="tells no last hash"):
        demo._attest(console, {}, lines)


def test_nothing_of_an_earlier_demonstration_passes_for_new(tmp_path: Path) -> None:
    (tmp_path / "report.json").write_text("{}")
    demo._tidy(tmp_path)
    assert not (tmp_path / "report.json").exists()

"""A disk that is really full: the host says so, loses nothing, and goes on when there is room."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def test_a_disk_without_a_byte_left_is_told_and_loses_nothing(tmp_path: Path) -> None:
    if shutil.which("unshare") is None:
        pytest.skip("a small file system of one's own takes unshare (Linux)")
    done = subprocess.run(
        [
            *("unshare", "--user", "--map-root-user", "--mount"),
            *(sys.executable, "-W", "ignore", "-m", "tests.localhost.full_disk", tmp_path),
        ],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    if not done.stdout.startswith("mounted"):
        pytest.skip(f"a small file system of one's own is not allowed here: {done.stderr.strip()[-200:]}")
    assert done.returncode == 0, done.stderr
    one_at_a_time, many_at_once, killed = json.loads(done.stdout.splitlines()[1])

    assert one_at_a_time["told"].startswith("The disk is full: the state file ")
    assert (one_at_a_time["status"], one_at_a_time["output"], one_at_a_time["instances"]) == (503, 200_000, 1)
    assert "The disk is full" in many_at_once["told"]
    assert (many_at_once["status"], many_at_once["output"]) == (503, 200_000)
    assert killed["code"] == 9
    assert "The disk is full" in killed["told"]
    assert killed["output"] == 200_000

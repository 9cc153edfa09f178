"""The guide in docs/localhost.md, followed to the letter by somebody with an app of his own."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.localhost.test_command import call, management, serving, status_until

ROOT = Path(__file__).resolve().parents[2]
GUIDE = (ROOT / "docs" / "localhost.md").read_text()


@pytest.fixture
def orders(tmp_path: Path) -> Path:
    """The app and its tests, as the guide has them: each file's name stands before its code."""
    directory = tmp_path / "orders"
    directory.mkdir()
    files = re.findall(r"`orders/([a-z_]+\.py)`[^`]*?(?:`[^`\n]*`[^`]*?)*\n```python\n(.*?)```", GUIDE, re.DOTALL)
    for name, code in files:
        (directory / name).write_text(code)
    assert {name for name, _ in files} == {"function_app.py", "conftest.py", "test_order.py"}
    return directory


def test_the_guides_tests_pass(orders: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"],
        cwd=orders,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    assert "2 passed" in done.stdout


def test_the_guides_calls_get_an_order_approved(orders: Path) -> None:
    with serving(orders) as (_, base):
        instance_id = call("POST", f"{base}/api/orders", {"item": 1})["id"]
        assert status_until(management(base, instance_id), "Running")["runtimeStatus"] == "Running"
        call("POST", f"{management(base, instance_id)}/raiseEvent/approval", "yes")
        assert status_until(management(base, instance_id), "Completed")["output"] == "approved"


def test_on_a_virtual_clock_the_guides_order_escalates_at_once(orders: Path) -> None:
    with serving(orders, "--clock", "virtual") as (_, base):
        instance_id = call("POST", f"{base}/api/orders", {"item": 1})["id"]
        assert status_until(management(base, instance_id), "Completed")["output"] == "escalated"


def test_every_option_of_the_command_is_in_the_guide() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "localhost", "--help"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    options = set(re.findall(r"--[a-z-]+", done.stdout)) - {"--help"}
    assert len(options) >= 7
    assert [option for option in options if f"`{option}" not in GUIDE] == []

"""Child processes: ready when they say so, and gone when we are, whatever happened."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from cli import doctor, worlds
from cli.api import FAILED, Failbacks, TroubleError
from cli.worlds import Child, Plan, inner_environment, settings_for, wait_while_alive

SERVES = "print('here: http://127.0.0.1:4711/ (docs http://127.0.0.1:4711/docs)')\n"
STAYS = f"{SERVES}import time; time.sleep(60)"
DEAF = f"import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN)\n{STAYS}"


def child(folder: Path, code: str) -> Child:
    return Child("thing", ["-c", code], folder / "logs" / "thing.log")


def is_running(number: int) -> bool:
    try:
        os.kill(number, 0)
    except ProcessLookupError:
        return False
    return True


def test_a_child_is_ready_once_it_says_where_it_serves(tmp_path: Path) -> None:
    with child(tmp_path, STAYS) as running:
        assert running.url == "http://127.0.0.1:4711"
        assert running.is_alive
    assert not running.is_alive
    assert "here:" in running.log.read_text(encoding="utf-8")


def test_what_it_says_of_its_troubles_is_no_address(tmp_path: Path) -> None:
    code = f"import sys; print('see http://elsewhere', file=sys.stderr, flush=True)\n{STAYS}"
    with child(tmp_path, code) as running:
        assert running.url == "http://127.0.0.1:4711"
        assert "elsewhere" in running.log.read_text(encoding="utf-8")


def test_a_child_that_ends_at_once_is_told_with_its_last_words(tmp_path: Path) -> None:
    with pytest.raises(TroubleError) as caught, child(tmp_path, "raise SystemExit('no such estate')"):
        pass
    assert caught.value.exit_code == FAILED
    assert caught.value.problem.title == "the thing ended with 1"
    assert "no such estate" in caught.value.problem.detail


def test_a_child_that_never_gets_ready_is_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worlds, "READY_WITHIN", 0.3)
    slow = child(tmp_path, "import time; time.sleep(60)")
    with pytest.raises(TroubleError, match="did not get ready"), slow:
        pass
    assert not slow.is_alive


def test_a_child_that_does_not_listen_is_stopped_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worlds, "STOPPED_WITHIN", 0.2)
    with child(tmp_path, DEAF) as running:
        pass
    assert not running.is_alive


def test_children_are_stopped_when_something_breaks(tmp_path: Path) -> None:
    running = child(tmp_path, STAYS)
    with pytest.raises(ZeroDivisionError), running:
        raise ZeroDivisionError
    assert not running.is_alive


def test_a_child_that_ends_by_itself_is_noticed(tmp_path: Path) -> None:
    with pytest.raises(TroubleError, match="the thing has ended"), child(tmp_path, SERVES) as running:
        wait_while_alive([running], every=0.01)


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGHUP"])
def test_a_polite_end_from_outside_stops_the_children_too(tmp_path: Path, name: str) -> None:
    code = (
        "import sys; from pathlib import Path; from cli.worlds import *\n"
        f"child = Child('thing', ['-c', {STAYS!r}], Path({str(tmp_path / 'log')!r}))\n"
        "with interruptible(), child:\n"
        "    print(child._process.pid, flush=True)\n"
        "    wait_while_alive([child])\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as parent:
        assert parent.stdout is not None
        number = int(parent.stdout.readline())
        assert is_running(number)
        parent.send_signal(getattr(signal, name))
        parent.wait(10)
        until = time.monotonic() + 5
        while is_running(number) and time.monotonic() < until:
            time.sleep(0.01)
    assert not is_running(number)


def test_nothing_of_the_outer_world_reaches_a_simulated_one(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name in ("AZURE_CLIENT_SECRET", "FAILBACK_ARM_ENDPOINT", "MSI_SECRET", "HTTPS_PROXY", "ARM_TENANT_ID"):
        monkeypatch.setenv(name, "real")
    assert "real" not in inner_environment().values()
    settings = settings_for("http://127.0.0.1:1", Plan(folder=tmp_path))
    assert settings["FAILBACK_ARM_ENDPOINT"] == "http://127.0.0.1:1"
    assert settings["FAILBACK_EVIDENCE"] == str(tmp_path / "evidence")
    assert settings["IDENTITY_ENDPOINT"] == "http://127.0.0.1:1/msi/token"
    assert "PATH" in settings


def test_alert_routes_can_be_tried_in_a_simulated_world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FAILBACK_ALERT_ROUTES", "samples/alert-routes.json")
    settings = settings_for("http://127.0.0.1:1", Plan(folder=tmp_path))
    assert settings["FAILBACK_ALERT_ROUTES"] == "samples/alert-routes.json"


# -- doctor ---------------------------------------------------------------------------------------------------


def test_an_old_python_is_found() -> None:
    assert doctor.python((3, 11)).verdict == "passed"
    assert doctor.python((3, 10)).verdict == "failed"


def test_packages_are_compared_with_their_pins(tmp_path: Path) -> None:
    pins = tmp_path / "requirements-local.txt"
    pins.write_text(
        "aiohttp==1.0 \\\n    --hash=sha256:ab\ntzdata==2.0 ; sys_platform == 'win32' \\\n    --hash=sha256:cd\n"
    )
    versions = {"aiohttp": "1.0"}

    def installed(name: str) -> str:
        if name not in versions:
            raise doctor.metadata.PackageNotFoundError(name)
        return versions[name]

    assert doctor.packages(pins, installed).verdict == "passed"
    versions["aiohttp"] = "0.9"
    assert "aiohttp 0.9 is not 1.0" in doctor.packages(pins, installed).evidence
    del versions["aiohttp"]
    assert "aiohttp is missing" in doctor.packages(pins, installed).evidence
    pins.write_text("aiohttp[speedups]==1.0 \\\n    --hash=sha256:ab\n")
    assert "aiohttp is missing" in doctor.packages(pins, installed).evidence
    pins.write_text("aiohttp==1.0 ; python_version < '3.13'\naiohttp==2.0 ; python_version >= '3.13'\n")
    versions["aiohttp"] = "2.0"
    assert doctor.packages(pins, installed).verdict == "passed"
    assert doctor.packages(tmp_path / "none.txt").verdict == "warned"


def test_a_taken_port_is_no_failure(fake: Any) -> None:
    assert doctor.port(int(fake.url.rsplit(":", 1)[1])).verdict == "warned"
    assert doctor.loopback().verdict == "passed"


def test_an_app_that_does_not_load_says_why(tmp_path: Path) -> None:
    (tmp_path / "function_app.py").write_text("import no_such_package\n")
    found = doctor.app_loads(tmp_path)
    assert found.verdict == "failed"
    assert "no_such_package" in found.evidence


def test_an_app_that_loads_is_counted(tmp_path: Path) -> None:
    (tmp_path / "function_app.py").write_text("class app:\n    get_functions = staticmethod(lambda: [1, 2])\n")
    assert "2 functions" in doctor.app_loads(tmp_path).evidence


def test_a_missing_app_and_a_closed_one_have_different_remedies(fake: Any) -> None:
    assert doctor.reachable(Failbacks(fake.url)).verdict == "passed"
    assert "failback up" in doctor.reachable(Failbacks("http://127.0.0.1:1", pause=0)).remedy
    fake.mishaps = [401]
    assert "--token" in doctor.reachable(Failbacks(fake.url)).remedy


def test_settings_are_shown_without_secrets() -> None:
    shown = doctor.settings(
        {
            "FAILBACK_ARM_ENDPOINT": "https://user:pass@arm.example/x?sig=abc",
            "FAILBACK_KEY": "k-1",
            "IDENTITY_HEADER": "h-1",
            "AZURE_CLIENT_SECRET": "s-1",
            "FAILBACK_SLACK_WEBHOOK": "https://hooks.slack.test/services/T1/B1/x",
            "FAILBACK_LOOK_EVERY": "PT5S",
            "PATH": "/bin",
        }
    )
    assert shown == {
        "FAILBACK_ARM_ENDPOINT": "https://arm.example/x",
        "FAILBACK_KEY": "(set, not shown)",
        "FAILBACK_LOOK_EVERY": "PT5S",
        "FAILBACK_SLACK_WEBHOOK": "(set, not shown)",
        "IDENTITY_HEADER": "(set, not shown)",
    }

"""`python -m localhost`: one line when it serves, a clean stop, and everything there again after a kill."""

import json
import os
import re
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from localhost.__main__ import main

ROOT = Path(__file__).parents[2]
APP = """
import datetime
import azure.durable_functions as df
import azure.functions as func

app = df.DFApp(http_auth_level=func.AuthLevel.ANONYMOUS)


@app.route(route="start/{name}", methods=["POST"])
@app.durable_client_input(client_name="client")
async def start(req: func.HttpRequest, client) -> func.HttpResponse:
    instance_id = await client.start_new(req.route_params["name"])
    return client.create_check_status_response(req, instance_id)


@app.orchestration_trigger(context_name="context")
def wait(context):
    yield context.call_activity("hello", "x")
    yield context.create_timer(context.current_utc_datetime + datetime.timedelta(SPAN))
    return (yield context.wait_for_external_event("go"))


@app.activity_trigger(input_name="name")
def hello(name: str) -> str:
    return f"Hello {name}!"
"""


def write_app(directory: Path, span: str) -> None:
    directory.mkdir(exist_ok=True)
    (directory / "function_app.py").write_text(APP.replace("SPAN", span))
    (directory / "host.json").write_text('{"version": "2.0"}')


@contextmanager
def serving(directory: Path, *more: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """Run the command until the block ends; answer the process and the address it prints."""
    command = [sys.executable, "-m", "localhost", "--app", str(directory), "--port", "0"]
    process = subprocess.Popen(
        [*command, "--state", str(directory / "state.db"), *more],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        found = re.search(r"serving (http://127\.0\.0\.1:\d+)", line)
        assert found is not None, process.communicate()[1]
        yield process, found[1]
    finally:
        process.kill()
        process.communicate()


def call(method: str, url: str, body: object = None) -> Any:
    request = urllib.request.Request(
        url, method=method, data=json.dumps(body).encode() if body is not None else None
    )
    request.add_header("Content-Type", "application/json")
    with urllib.request.urlopen(request, timeout=10) as response:
        text = response.read()
        return json.loads(text) if text else None


def status_until(url: str, wanted: str) -> Any:
    deadline = time.monotonic() + 10
    while True:
        status = call("GET", url)
        if status["runtimeStatus"] == wanted or time.monotonic() > deadline:
            return status
        time.sleep(0.02)  # real processes take real time


def management(base: str, instance_id: str) -> str:
    return f"{base}/runtime/webhooks/durabletask/instances/{instance_id}"


def test_a_killed_host_goes_on_where_it_was(tmp_path: Path) -> None:
    write_app(tmp_path, "seconds=0.3")
    with serving(tmp_path) as (process, base):
        instance_id = call("POST", f"{base}/api/start/wait")["id"]
        process.kill()
        process.wait()
    with serving(tmp_path) as (_, base):
        call("POST", f"{management(base, instance_id)}/raiseEvent/go", {"n": 1})
        status = status_until(management(base, instance_id), "Completed")
    assert status["output"] == {"n": 1}


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_stops_the_host_cleanly(tmp_path: Path, number: signal.Signals) -> None:
    write_app(tmp_path, "hours=1")
    with serving(tmp_path) as (process, base):
        call("POST", f"{base}/api/start/wait")
        process.send_signal(number)
        _, errors = process.communicate(timeout=10)
    assert process.returncode == 0
    assert errors == ""


def test_two_hosts_on_one_state_file_are_one_too_many(tmp_path: Path) -> None:
    write_app(tmp_path, "hours=1")
    with serving(tmp_path):
        second = subprocess.run(
            [
                sys.executable,
                "-m",
                "localhost",
                "--app",
                tmp_path,
                "--port",
                "0",
                "--state",
                tmp_path / "state.db",
            ],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
        )
    assert second.returncode == 2
    assert "is in use: another host runs on it" in second.stderr


def test_on_a_virtual_clock_five_hours_take_no_time(tmp_path: Path) -> None:
    write_app(tmp_path, "hours=5")
    with serving(tmp_path, "--clock", "virtual") as (_, base):
        instance_id = call("POST", f"{base}/api/start/wait")["id"]
        call("POST", f"{management(base, instance_id)}/raiseEvent/go", True)
        status = status_until(management(base, instance_id), "Completed")
    assert status["output"] is True
    assert status["lastUpdatedTime"] > status["createdTime"]


def test_an_app_that_cannot_be_loaded_is_refused_with_a_reason(tmp_path: Path) -> None:
    (tmp_path / "function_app.py").write_text("import nothing_like_this")
    done = subprocess.run(
        [sys.executable, "-m", "localhost", "--app", tmp_path, "--state", tmp_path / "state.db"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert (
        "function_app.py cannot be imported: ModuleNotFoundError: No module named 'nothing_like_this'"
        in done.stderr
    )


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--port", "x"], "'x' is no port: a number from 0 to 65535"),
        (["--port", "65536"], "'65536' is no port"),
        (["--log-level", "loud"], "invalid choice: 'loud'"),
        (["--clock", "atomic"], "invalid choice: 'atomic'"),
        (["--api", "2025"], "invalid choice: '2025'"),
        (["--seed", "x"], "invalid int value"),
    ],
)
def test_an_option_that_makes_no_sense_is_told_in_one_line(
    options: list[str], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(["--app", ".", "--state", "x", *options])
    assert stopped.value.code == 2
    assert words in capsys.readouterr().err.splitlines()[-1]


CRASHING = """
import os
import pathlib
import azure.durable_functions as df

app = df.DFApp()


@app.orchestration_trigger(context_name="context")
def once(context):
    return (yield context.call_activity("crash", "x"))


@app.activity_trigger(input_name="name")
def crash(name: str) -> str:
    seen = pathlib.Path("seen")
    if not seen.exists():
        seen.touch()
        os._exit(9)
    return "second time"
"""


def test_a_function_that_takes_the_process_down_runs_again_at_the_next_start(tmp_path: Path) -> None:
    (tmp_path / "function_app.py").write_text(CRASHING)
    with serving(tmp_path) as (process, base):
        with suppress(OSError):  # the answer may die with the process
            call("POST", f"{base}/runtime/webhooks/durabletask/orchestrators/once/one")
        assert process.wait(10) == 9
    with serving(tmp_path) as (_, base):
        status = status_until(management(base, "one"), "Completed")
    assert status["output"] == "second time"

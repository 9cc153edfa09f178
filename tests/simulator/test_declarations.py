"""What is declared wrongly, or asked for wrongly, is refused in words that say where and what."""

from __future__ import annotations

import json
import socket
from pathlib import Path

import pytest

from simulator import ManualClock, Request, Simulator, default_estate
from simulator.__main__ import main

ESTATES = {
    "vaults: [": "as YAML: while parsing a flow node",
    "vaultz: []": "vaultz: there is no such word; did you mean 'vaults'?",
    "vaults: [{machines: [{name: a, state: asleep}]}]": "machines[0].state: should be 'protected', 'syncing'",
    "vaults: [{machines: [{name: a, stat: away}]}]": "stat: there is no such word; did you mean 'state'?",
    "vaults: [{machines: [{}]}]": "vaults[0].machines[0].name: Field required",
    "vaults: [{machines: [{name: a, count: 0}]}]": "count: should be greater than or equal to 1, not 0",
    "vaults: [{machines: [{name: a, durations: {failover: -3}}]}]": (
        "durations.failover: should be greater than or equal to 0, not -3"
    ),
    "vaults: [{machines: [{name: a, durations: {failovr: 3}}]}]": "there are no durations named ['failovr']",
    "vaults: [{machines: [{name: a}, {name: A}]}]": "more than one machine is called a",
    "vaults: [{name: v}, {name: V}]": "more than one vault is called contoso-dr/v",
    "vaults: [{machines: [{name: a, job: {act: commit}}]}]": "machine a: commit cannot run in protected",
    "vaults: [{primary: atlantis}]": "vault contoso-vault names regions that are not declared: ['atlantis']",
    "vaults: [{recoveryPlans: [{name: p, groups: [[x]]}], machines: [{name: a}]}]": "plan p: machines ['x']",
}
FAULTS = {
    "- {name: no-such-fault}": "[0].name: should be 'throttled', 'server-error'",
    "- {name: throttled, sharee: 2}": "[0].sharee: there is no such word; did you mean 'share'?",
    "- {name: throttled, share: 2}": "[0].share: should be less than or equal to 1, not 2",
    "name: throttled": "should be a valid list",
}


def said(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """Answer what the command says when it refuses: without a trace of its own code, and with status 2."""
    try:
        status = main(["--port", "0", *arguments])
    except SystemExit as ended:
        status = ended.code
    told = capsys.readouterr().err
    assert status == 2
    assert "Traceback" not in told
    assert "pydantic" not in told
    return told


@pytest.mark.parametrize(
    ("option", "text", "words"),
    [("--estate", *case) for case in ESTATES.items()] + [("--faults", *case) for case in FAULTS.items()],
)
def test_a_file_that_is_wrong_is_refused_with_its_name_and_place(
    option: str, text: str, words: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "declared.yaml"
    path.write_text(text)
    told = said(capsys, option, str(path))
    assert words in told
    assert str(path) in told or words.startswith(("machine a:", "plan p:"))


def test_a_file_that_cannot_be_read_is_refused_with_its_name(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert "nowhere.yaml: No such file" in said(capsys, "--estate", str(tmp_path / "nowhere.yaml"))
    assert "Is a directory" in said(capsys, "--faults", str(tmp_path))
    (tmp_path / "binary").write_bytes(b"\xff\xfe\x00")
    assert "it is not text in UTF-8" in said(capsys, "--estate", str(tmp_path / "binary"))


@pytest.mark.parametrize("speed", ["-1", "0", "nan", "inf", "fast"])
def test_a_speed_that_is_none_is_refused(speed: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert f"a speed is a number above 0 and up to 1,000,000, not '{speed}'" in said(capsys, f"--speed={speed}")


@pytest.mark.parametrize("port", ["-1", "65536", "http"])
def test_a_port_that_is_none_is_refused(port: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert f"a port is a number from 0 to 65535, not '{port}'" in said(capsys, f"--port={port}")


def test_a_port_that_is_in_use_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert f"simulator: port {port} is in use" in said(capsys, f"--port={port}")


CONTROL = [
    ("POST", "/_sim/faults", b'{"name": "no-such"}', "name: should be 'throttled'"),
    ("POST", "/_sim/faults", b'{"name": "slow", "dely": 1}', "dely: there is no such word; did you mean 'delay'?"),
    ("POST", "/_sim/faults", b'[{"name": "slow"}, {"share": 1}]', "[1].name: Field required"),
    ("POST", "/_sim/faults", b'{"clear": "perhaps"}', "clear: should be a valid boolean"),
    ("POST", "/_sim/faults", b"{", "the body is not JSON"),
    ("POST", "/_sim/faults", b"7", "the body is not a JSON object"),
    ("POST", "/_sim/clock", b"{}", "advance: Field required"),
    ("POST", "/_sim/clock", b'{"advance": -1}', "advance: should be greater than or equal to 0, not -1"),
    ("POST", "/_sim/clock", b'{"advance": 1e30}', "advance: should be less than or equal to"),
    ("POST", "/_sim/clock", b'{"advance": 1e999}', "advance: "),
    ("POST", "/_sim/clock", b'{"advance": 1, "back": 1}', "back: there is no such word"),
    ("POST", "/_sim/clock", b"soon", "Invalid JSON"),
    ("GET", "/_sim/journal?after=soon", b"", "after: should be the number of a call, not 'soon'"),
    ("GET", "/_sim/nothing", b"", "no such control endpoint"),
    ("DELETE", "/_sim/clock", b"", "no such control endpoint"),
]


@pytest.mark.parametrize(("method", "path", "body", "words"), CONTROL)
def test_a_control_call_that_is_wrong_changes_nothing_and_says_why(
    method: str, path: str, body: bytes, words: str
) -> None:
    simulator = Simulator(default_estate(), clock=ManualClock())
    before = (simulator.clock.now(), simulator.faults.active())
    answer = simulator.handle(Request(method=method, url=f"http://x{path}", body=body))
    assert answer.status in {400, 404}
    told = json.loads(answer.body)["error"]
    assert words in told
    assert "pydantic" not in told
    assert (simulator.clock.now(), simulator.faults.active()) == before

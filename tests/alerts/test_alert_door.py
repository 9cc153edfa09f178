"""The door for alerts: stored and then acknowledged, each delivery once, nothing hostile, nobody else."""

from __future__ import annotations

import asyncio
import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from localhost import Crash, Transaction
from tests.alerts import payloads
from tests.alerts.world import alerts, recovered
from tests.rehearsal import Rehearsal
from triggers import alerts as door
from triggers import routing

RECORDED = Path(__file__).parents[3] / "shared/data/alert-payloads"
DRILL = {"vault": payloads.VAULT, "machines": "failedOver", "mode": "drill"}
EVERYTHING = {"name": "everything", "when": [{}, {"condition": "resolved"}], "note": True}


def test_an_alert_is_stored_and_then_acknowledged_with_what_it_matters_to() -> None:
    with alerts(EVERYTHING, recovered()) as world:
        answer = world.send(payloads.service_health())
        told = answer.json()
        assert answer.status == 202
        assert told["status"] == "stored"
        assert told["routes"] == {"everything": "opens", "recovered": "opens"}
        stored = world.host.status(told["id"])
        assert stored is not None
        assert stored.name == "alert_intake"


def test_a_delivery_that_is_repeated_is_acknowledged_and_has_no_effect() -> None:
    document = payloads.service_health()
    with alerts(EVERYTHING) as world:
        world.hear(document)
        again = world.send(document)
        assert (again.status, again.json()["status"]) == (202, "duplicate")
        world.host.run_until_idle()
        assert len(world.named("alert_intake")) == 1
        assert len(world.desk("everything")["notes"]) == 1


def test_an_alert_that_no_route_wants_is_acknowledged_and_forgotten() -> None:
    with alerts(recovered()) as world:
        answer = world.send(payloads.budget())
        assert (answer.status, answer.json()["status"]) == (202, "ignored")
        assert world.host.instances() == []


def test_an_alert_in_marked_utf_8_is_an_alert() -> None:
    with alerts(EVERYTHING) as world:
        answer = world.send(body=b"\xef\xbb\xbf" + json.dumps(payloads.metric()).encode())
        assert (answer.status, answer.json()["status"]) == (202, "stored")


def test_without_routes_alerts_have_no_effect() -> None:
    with alerts(FAILBACK_ALERT_ROUTES="") as world:
        assert world.send(payloads.service_health()).json()["status"] == "ignored"
        assert world.host.instances() == []


# -- what is no alert -----------------------------------------------------------------------------------------


def hostile() -> list[Any]:
    marked = payloads.log(custom={"x": {"__class__": "Popen", "__module__": "subprocess", "__data__": "id"}})
    deep = payloads.log()
    deep["data"]["alertContext"]["x"] = json.loads("[" * 500 + "]" * 500)
    return [
        pytest.param(b"", 400, "empty", id="empty"),
        pytest.param(b"hello", 400, "not JSON", id="text"),
        pytest.param(b"[" * 100_000, 400, "JSON", id="brackets"),
        pytest.param(b"\xff\xfe", 400, "UTF-8", id="not UTF-8"),
        pytest.param(b'{"schemaId": NaN}', 400, "NaN", id="NaN"),
        pytest.param(b"[]", 400, "common schema", id="a list"),
        pytest.param(b'{"schemaId": "AzureMonitorMetricAlert"}', 400, "common alert schema", id="another schema"),
        pytest.param(json.dumps(marked).encode(), 400, "key", id="class marker"),
        pytest.param(json.dumps(deep).encode(), 400, "nested", id="nested"),
        pytest.param(b'{"x": "' + b"x" * 262_144 + b'"}', 413, "262,144", id="oversized"),
    ]


@pytest.mark.parametrize(("body", "status", "words"), hostile())
def test_what_is_no_alert_is_refused_in_words_and_has_no_effect(body: bytes, status: int, words: str) -> None:
    with alerts(EVERYTHING) as world:
        answer = world.send(body=body)
        assert answer.status == status
        assert words in json.dumps(answer.json())
        assert "Traceback" not in answer.body.decode()
        assert world.host.instances() == []


# -- every recorded payload -----------------------------------------------------------------------------------


@pytest.mark.skipif(not RECORDED.is_dir(), reason="the recorded payloads are not beside this project")
@pytest.mark.parametrize("file", sorted(RECORDED.glob("*.json")), ids=lambda file: file.stem)
def test_every_recorded_payload_does_what_its_family_should(file: Path) -> None:
    vault = payloads.VAULT
    routes: list[dict[str, Any]] = [
        recovered(when=[{"family": "serviceHealth", "recovered": True}], unless=[]),
        recovered(name="vm", when=[{"family": "resourceHealth", "recovered": True}], unless=[]),
        {"name": "jobs", "when": [{"family": ["siteRecovery", "administrative"]}], "wake": {"vault": vault}},
        {"name": "lag", "when": [{"family": "log", "rule": "asr-rpo-*"}], "note": True},
        {"name": "failed", "when": [{"dimensions": {"OperationName": "Reprotect"}}], "note": True},
        {"name": "probe", "when": [{"family": "metric", "where": 'severity == "Sev2"'}], "note": True},
        {"name": "tests", "when": [{"custom": {"customKey1": "value1"}}], "note": True},
    ]
    expected = {
        "activity-log-administrative-asr-failover": {"jobs": "opens"},
        "asr-builtin-failover-failure.inferred": {"jobs": "opens"},
        "asr-builtin-replication-health-critical.inferred": {"jobs": "opens"},
        "log-v2-asr-job-failed": {"failed": "opens"},
        "log-v2-rpo-breach": {"lag": "opens"},
        "log-v2-rpo-breach-resolved": {"lag": "takesBack"},
        "metric-static-fired": {"probe": "opens"},
        "metric-test-action": {"tests": "opens"},
        "resource-health-resolved": {"vm": "opens"},
        "service-health-incident-active": {"recovered": "unsettles"},
    }
    with alerts(*routes) as world:
        answer = world.send(body=file.read_bytes())
        if "negative" in file.name:
            assert answer.status == 400
            assert world.host.instances() == []
        else:
            assert answer.status == 202
            assert answer.json()["routes"] == expected[file.stem]


# -- routes that cannot be used -------------------------------------------------------------------------------


def test_routes_that_cannot_be_used_are_503_and_every_fault_is_in_the_log(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with alerts({"name": "A B", "when": []}) as world:
        answer = world.send(payloads.service_health())
        assert answer.status == 503
        assert world.host.instances() == []
    assert "routes[0].name" in caplog.text
    assert "routes[0].when" in caplog.text


def test_a_routes_file_is_found_beside_the_app_and_read_anew_when_it_changes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(routing, "APP", tmp_path)
    file = tmp_path / "routes.json"
    file.write_text(json.dumps({"routes": [EVERYTHING]}))
    assert len(routing.configured_routes("routes.json").routes) == 1
    file.write_text(json.dumps({"routes": [EVERYTHING, recovered()]}))
    assert len(routing.configured_routes("routes.json").routes) == 2


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (None, "cannot be read"),
        (b"\xff", "cannot be read"),
        (b"{" + b" " * 1_100_000, "larger than"),
        (b"{", "line 1"),
    ],
)
def test_a_routes_file_that_cannot_be_read_is_a_fault(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: bytes | None, words: str
) -> None:
    monkeypatch.setattr(routing, "APP", tmp_path)
    if content is not None:
        (tmp_path / "routes.json").write_bytes(content)
    with pytest.raises(routing.RoutesError, match=words):
        routing.configured_routes("routes.json")


def test_the_sample_beside_the_app_can_be_used() -> None:
    assert len(routing.configured_routes("samples/alert-routes.json").routes) == 4


def test_the_log_says_at_the_start_which_routes_there_are(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    caplog.set_level("INFO", "failback.alerts")
    monkeypatch.setenv("FAILBACK_ALERT_ROUTES", "samples/alert-routes.json")
    routing.check()
    assert "4 alert routes: primary-region-recovered" in caplog.text
    monkeypatch.setenv("FAILBACK_ALERT_ROUTES", "nowhere.json")
    routing.check()
    assert "nowhere.json cannot be used" in caplog.text
    monkeypatch.delenv("FAILBACK_ALERT_ROUTES")
    routing.check()
    assert "0 alert routes: alerts do nothing" in caplog.text


def test_routes_are_tried_before_they_are_deployed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    samples = Path(__file__).parents[2] / "samples"
    assert routing.main([str(samples / "alert-routes.json"), str(samples / "region-recovered.json")]) == 0
    told = capsys.readouterr().out.splitlines()
    assert told[0].startswith("4 routes: primary-region-recovered, ")
    assert told[2:] == [
        "  primary-region-recovered: opens",
        "  drill-when-asked: nothing",
        "  job-news: nothing",
        "  replication-lag: nothing",
    ]
    (tmp_path / "routes.json").write_text('{"routes": [{"name": "A B"}]}')
    (tmp_path / "alert.json").write_text("{}")
    for arguments, words in (
        ([], "python -m triggers.routing"),
        ([str(tmp_path / "routes.json")], "routes[0].name: expected small letters"),
        ([str(samples / "alert-routes.json"), str(tmp_path / "alert.json")], "switch the common alert schema on"),
        ([str(samples / "alert-routes.json"), str(tmp_path / "nothing.json")], "No such file"),
    ):
        assert routing.main(arguments) == 2
        assert words in capsys.readouterr().err


# -- storing --------------------------------------------------------------------------------------------------


class Store:
    """A durable host that fails as it is told."""

    def __init__(self, *, fails: int = 0, known_after: bool = False) -> None:
        self.fails, self.known_after = fails, known_after
        self.started: list[str] = []

    async def get_status(self, _: str) -> Any:
        if self.fails and not self.started:
            self.fails -= 1
            raise ConnectionError("the store is silent")
        return type("Status", (), {"runtime_status": "Running" if self.started and self.known_after else None})

    async def start_new(self, _: str, instance_id: str, __: Any) -> str:
        self.started.append(instance_id)
        raise RuntimeError("an instance of this id is running already")


def request(document: Any) -> Any:
    body = json.dumps(document).encode()
    return type("Request", (), {"get_body": lambda _: body, "headers": {}})()


@pytest.fixture
def _everything(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FAILBACK_ALERT_ROUTES", json.dumps({"routes": [EVERYTHING]}))


@pytest.mark.usefixtures("_everything")
@pytest.mark.parametrize("store", [Store(fails=2), Store(known_after=False)], ids=["silent", "refuses"])
def test_an_alert_that_could_not_be_stored_is_503(store: Any) -> None:
    with pytest.raises(door.ProblemError) as refused:
        asyncio.run(door.receive(request(payloads.log()), store))
    assert refused.value.status == 503


@pytest.mark.usefixtures("_everything")
def test_two_deliveries_at_one_moment_are_one() -> None:
    store: Any = Store(known_after=True)
    answer = asyncio.run(door.receive(request(payloads.log()), store))
    assert json.loads(answer.get_body())["status"] == "duplicate"


@pytest.mark.parametrize("committed", [False, True])
def test_a_host_killed_at_any_moment_between_store_and_proposal_proposes_exactly_once(
    tmp_path: Path, committed: bool
) -> None:
    """Crash at the first transaction, then at the second, and so on, until none is left to crash at."""
    drill = recovered(
        holdDown="PT0S",
        stableFor="PT0S",
        propose={
            "start": "atOnce",
            "request": {"vault": payloads.VAULT, "machines": "failedOver", "mode": "plan"},
        },
    )
    drill["propose"]["request"]["mode"] = "drill"
    document = payloads.service_health()
    at, crashed = 0, True
    while crashed:
        rehearsal = Rehearsal(state=str(tmp_path / f"{at}.sqlite"))
        crashed = _killed_once(rehearsal, drill, document, at, committed=committed)
        at += 1
    assert at > 8


def _killed_once(
    rehearsal: Rehearsal, route: dict[str, Any], document: dict[str, Any], at: int, *, committed: bool
) -> bool:
    """Kill the host at one transaction, let the sender try again, and say whether there was one to kill at."""
    seen = [0]

    def hook(moment: Transaction) -> None:
        if moment.is_committed is committed:
            seen[0] += 1
            if seen[0] == at + 1:
                raise Crash("the host was killed")

    died = False
    try:
        with alerts(route, rehearsal=rehearsal, on_transaction=hook) as world:
            world.send(document)
            world.until(lambda: bool(world.runs()), within=timedelta(hours=1))
    except Crash:
        died = True
    with alerts(route, rehearsal=rehearsal) as world:
        # Nobody acknowledged it for certain, so it comes again.
        assert world.send(document).status == 202
        world.until(lambda: bool(world.runs()), within=timedelta(hours=1))
        world.pass_time(timedelta(minutes=2))
        assert [each.instance_id for each in world.runs()] == [world.storm()["run"]]
        assert [act for act, _ in rehearsal.posts()] == ["testFailover"]
        assert len(world.named("alert_intake")) == len(world.named("proposal")) == 1
    return died

"""Each check of a played run finds what it is there for."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest

from domain.contract import lock_key
from simulator.estate import Act
from tests.chaos.playing import Storm
from tests.chaos.properties import Played, broken
from tests.chaos.weather import Weather
from tests.rehearsal import VAULT

Report = dict[str, Any]
# A seed that draws one machine, which is ready to come home.
FAIR = 1


class FairWeather(Weather):
    """Nothing befalls the run, and people approve."""

    def click(self) -> tuple[str, Act] | None:
        return None

    def steer(self) -> str | None:
        return None

    def dies_after(self) -> int:
        return -1

    def dies_of_a_job(self) -> bool:
        return False

    def answer(self, gate: Any) -> dict[str, Any] | None:  # noqa: ARG002
        return {"decision": "approve"}


@pytest.fixture(scope="module")
def storm(tmp_path_factory: pytest.TempPathFactory) -> Storm:
    weather = FairWeather(FAIR)
    weather.request |= {"testFailover": {"enabled": True}, "reprotect": {"enabled": True}, "mode": "failback"}
    weather.request["approvals"]["onTimeout"] = "stop"
    return Storm(weather, tmp_path_factory.mktemp("fair") / "state.sqlite")


@pytest.fixture(scope="module")
def fair(storm: Storm) -> Played:
    with storm.host() as host:
        played, found = storm._live(host)
    assert found == []
    assert [each["outcome"] for each in played.report["machines"]] == ["home"]
    return played


@contextmanager
def bent(fair: Played) -> Iterator[tuple[Played, Report]]:
    """Give a copy of what was played, to bend; the calls that Azure saw are put back afterwards."""
    report, calls = copy.deepcopy(dict(fair.report)), fair.simulator.journal.calls
    before = list(calls)
    try:
        yield replace(fair, report=report), report
    finally:
        calls.clear()
        calls.extend(before)


def no_decisions(played: Played, report: Report) -> None:
    report["decisions"] = []


def late_decisions(played: Played, report: Report) -> None:
    for entry in report["decisions"]:
        entry["at"] = "2036-01-01T00:00:00Z"


def no_validation(played: Played, report: Report) -> None:
    del report["machines"][0]["validation"]


def a_second_post(played: Played, report: Report) -> None:
    played.simulator.journal.calls.append(played.accepted("commit")[0])


def a_way_out(played: Played, report: Report) -> None:
    call = played.accepted("failover")[0]
    path = call.path.replace("asr-eastus-container", "asr-centralus-container")
    played.simulator.journal.calls.append(replace(call, path=path, client_request_id="another"))


def a_drill_that_moved(played: Played, report: Report) -> None:
    played.weather.request["mode"] = "drill"
    report["outcome"] = "partial"


def a_home_that_failed(played: Played, report: Report) -> None:
    report["machines"][0]["failure"] = {"code": "Any"}


def a_success_that_is_none(played: Played, report: Report) -> None:
    report["machines"][0]["outcome"] = "failed"


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (no_decisions, "1: failover"),
        (no_decisions, "1: commit"),
        (late_decisions, "1: failover"),
        (a_second_post, "2: commit"),
        (a_way_out, "3: failover"),
        (a_drill_that_moved, "3: a drill"),
        (a_home_that_failed, "5: "),
        (a_success_that_is_none, "5: the run"),
        (no_validation, "7: "),
    ],
)
def test_what_was_bent_is_found(
    storm: Storm, fair: Played, change: Callable[[Played, Report], None], told: str
) -> None:
    mode = fair.weather.request["mode"]
    with bent(fair) as (played, report), storm.host() as host:
        change(played, report)
        found = broken(played, host)
    fair.weather.request["mode"] = mode
    assert any(each.startswith(told) for each in found), found


def test_a_machine_that_is_not_home_is_not_said_to_be(storm: Storm, fair: Played) -> None:
    item = fair.item(fair.weather.machines[0].name)
    assert item is not None
    item.source, item.target = item.target, item.source
    with storm.host() as host:
        found = broken(fair, host)
    item.source, item.target = item.target, item.source
    assert any(each.startswith("5: ") for each in found), found


def test_a_test_machine_that_nobody_tells_of_is_found(storm: Storm, fair: Played) -> None:
    item = fair.item(fair.weather.machines[0].name)
    assert item is not None
    item.test_vm_id = "left"
    with storm.host() as host:
        found = broken(fair, host)
    item.test_vm_id = None
    assert any(each.startswith("4: ") for each in found), found


def test_a_lock_that_is_kept_and_a_key_that_leaks_are_found(storm: Storm, fair: Played) -> None:
    name = fair.weather.machines[0].name
    with storm.host() as host:
        host.signal_entity("machine_lock", lock_key(VAULT, name), "take", {"run": "somebody"})
        host.start("bide", {"run": "any", "until": "2036-01-01T00:00:00Z", "note": "https://x/?sig=abc"})
        for _ in range(6):
            host.step()
        found = broken(fair, host)
    assert any(each.startswith("6: ") for each in found), found
    assert any(each.startswith("8: ") for each in found), found

"""What ended long ago is forgotten whole; what goes on, what is young, and evidence stay."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from domain.contract import lock_key
from domain.evidence import from_lines, verify
from domain.settings import Settings, SettingsError
from gateway.azure import Azure
from localhost import SyncHost
from simulator.transport import SimulatorCredential
from tests.rehearsal import NAME, SETTINGS, VAULT, Door, Rehearsal
from triggers import retention

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
WHO = {"X-Failback-User": "audra@contoso.com"}
OLD, YOUNG, WAITING = "fb-old", "fb-young", "fb-waiting"


class Keeping(Rehearsal):
    """An estate whose runs leave evidence."""

    def __init__(self, evidence: Path) -> None:
        super().__init__()
        settings = Settings.model_validate({"evidence": str(evidence)})
        self.azure = Azure.over(settings, SimulatorCredential(self.simulator), Door(self.simulator))

    def night(self, host: SyncHost, *, after: timedelta = timedelta(0)) -> None:
        """Let days pass at once, and then the moment at which what ended is purged."""
        moment = self.clock.now() + after + timedelta(days=1)
        self.clock.advance_to(moment.replace(hour=4, minute=20))
        until = moment.replace(hour=4, minute=35)
        while self.clock.now() < until:
            assert host.step(), "timers go on for ever"

    def wait_at_a_gate(self, host: SyncHost) -> None:
        approvals = {"timeout": "P45D", "onTimeout": "stop"}
        host.start("failback", self.request(approvals=approvals), instance_id=WAITING)
        self.run = WAITING
        assert self._until_asked_or_finished(host, timedelta(days=1)), "it does not ask"


@pytest.fixture
def keeping(tmp_path: Path) -> Keeping:
    return Keeping(tmp_path)


@pytest.fixture
def host(keeping: Keeping) -> Iterator[SyncHost]:
    with keeping.host(settings={**SETTINGS, "FAILBACK_RETENTION": "P30D"}, timers=True) as host:
        yield host


def instances(host: SyncHost, run: str = "") -> set[str]:
    """Give what the host knows of a run: itself, its children, the heralds it sent, and theirs."""
    return {each.instance_id for each in host.instances() if run in json.dumps([each.instance_id, each.input])}


def listed(host: SyncHost) -> list[str]:
    """Give the runs that people are told of, which are those that the register holds."""
    told = [each["id"] for each in host.request("GET", "/api/failbacks", headers=WHO).json()["runs"]]
    assert host.entity("run_register", "all") == {"runs": told}
    return told


def test_an_old_run_is_forgotten_with_all_that_was_its_own(keeping: Keeping, host: SyncHost) -> None:
    keeping.run_on(host, OLD, mode="drill")
    assert len(instances(host, OLD)) > 3
    keeping.night(host, after=timedelta(days=40))
    assert instances(host, OLD) == set()
    assert host.request("GET", f"/api/failbacks/{OLD}", headers=WHO).status == 404


def test_a_young_run_stays_with_all_that_is_its_own(keeping: Keeping, host: SyncHost) -> None:
    keeping.run_on(host, OLD, mode="drill")
    keeping.clock.advance(timedelta(days=40))
    keeping.run_on(host, YOUNG, mode="drill")
    before = instances(host, YOUNG)
    keeping.night(host, after=timedelta(days=28))
    assert instances(host, YOUNG) == before
    assert instances(host, OLD) == set()
    assert listed(host) == [YOUNG]
    keeping.night(host, after=timedelta(days=3))
    assert instances(host, YOUNG) == set()
    assert listed(host) == []


def test_a_run_that_waits_at_a_gate_keeps_every_part_of_it_and_goes_on(keeping: Keeping, host: SyncHost) -> None:
    keeping.run_on(host, OLD, mode="drill")
    keeping.wait_at_a_gate(host)
    before = instances(host, WAITING)
    finished = {each.instance_id for each in host.instances() if each.is_finished}
    assert before & finished, "a part of it that is over would be old enough"
    keeping.night(host, after=timedelta(days=40))
    assert before <= instances(host, WAITING)
    assert listed(host) == [WAITING]
    report = keeping.finish(host, {"failback": {"decision": "stop"}})
    assert report["outcome"] == "stopped"
    assert "no herald could be sent" not in json.dumps(report)


def test_a_run_is_as_old_as_its_end_and_not_as_its_beginning(keeping: Keeping, host: SyncHost) -> None:
    keeping.wait_at_a_gate(host)
    keeping.clock.advance(timedelta(days=40))
    keeping.finish(host, {"failback": {"decision": "stop"}})
    keeping.night(host)
    assert instances(host, WAITING)
    assert listed(host) == [WAITING]
    keeping.night(host, after=timedelta(days=30))
    assert instances(host, WAITING) == set()
    assert listed(host) == []


def test_evidence_and_entities_stay(keeping: Keeping, host: SyncHost, tmp_path: Path) -> None:
    keeping.run_on(host, OLD, mode="drill")
    before = {path: path.read_bytes() for path in tmp_path.rglob("*.json")}
    keeping.night(host, after=timedelta(days=40))
    assert instances(host) == set()
    assert {path: path.read_bytes() for path in tmp_path.rglob("*.json")} == before
    records = from_lines(host.request("GET", f"/api/failbacks/{OLD}/evidence", headers=WHO).body.decode())
    assert records[-1]["kind"] == "report"
    assert verify(records).is_whole
    assert host.entity("machine_lock", lock_key(VAULT, NAME)) is not None


def test_purging_again_changes_nothing(keeping: Keeping, host: SyncHost) -> None:
    keeping.run_on(host, OLD, mode="drill")
    keeping.clock.advance(timedelta(days=40))
    keeping.run_on(host, YOUNG, mode="drill")
    keeping.night(host)
    before = instances(host)
    keeping.night(host)
    assert (instances(host), listed(host)) == (before, [YOUNG])


def test_a_run_that_somebody_else_purged_leaves_the_list(keeping: Keeping, host: SyncHost) -> None:
    keeping.run_on(host, OLD, mode="drill")
    keeping.run_on(host, YOUNG, mode="drill")
    host.purge(OLD)
    keeping.night(host)
    assert host.entity("run_register", "all") == {"runs": [YOUNG]}


class Remembering:
    """A durable client that knows one run, which began anew for its second group."""

    async def read_entity_state(self, _: Any) -> Any:
        return SimpleNamespace(entity_exists=True, entity_state={"runs": [WAITING]})

    async def get_status(self, _: str) -> Any:
        began = NOON - timedelta(days=50)
        return SimpleNamespace(
            runtime_status="Running",
            custom_status=json.dumps({"startedAt": f"{began:%FT%TZ}"}),
            created_time=NOON - timedelta(days=2),
        )


def test_a_run_that_the_host_counts_as_created_anew_keeps_what_it_began_before() -> None:
    client: Any = Remembering()
    aim = asyncio.run(retention.aim_at(client, NOON - timedelta(days=30)))
    assert aim.until < NOON - timedelta(days=50)
    assert aim.runs == ()


# -- in bounded batches ---------------------------------------------------------------------------------------


class Purging:
    """A durable client that notes what it is to purge, and fails at times."""

    def __init__(self, *failing: int) -> None:
        self.asked: list[tuple[datetime, datetime]] = []
        self.failing = failing

    async def purge_instance_history_by(self, begin: datetime, end: datetime, states: list[Any]) -> Any:
        assert {each.value for each in states} == {"Completed", "Failed", "Terminated", "Canceled"}
        self.asked.append((begin, end))
        if len(self.asked) in self.failing:
            raise TimeoutError
        return SimpleNamespace(instances_deleted=1)


def purged(client: Any, **more: Any) -> None:
    asyncio.run(retention.forget(client, NOON, **more))


def test_windows_follow_each_other_up_to_the_limit_the_last_is_a_day() -> None:
    asked = list(retention.windows(NOON))
    assert all(end == begin for (_, end), (begin, _) in pairwise(asked))
    assert asked[-1] == (NOON - timedelta(days=1), NOON)
    assert asked[0][0] < datetime(2021, 1, 1, tzinfo=UTC)
    assert len(asked) < 15


def test_a_window_that_cannot_be_purged_holds_no_other_up() -> None:
    client = Purging(2)
    purged(client)
    assert client.asked == list(retention.windows(NOON))


def test_what_there_is_no_time_for_waits_for_the_next_night() -> None:
    client = Purging()
    purged(client, within=0)
    assert client.asked == []


@pytest.mark.parametrize("given", ["P6D", "PT0S", "P11Y", "soon"])
def test_a_retention_that_forgets_too_early_or_never_is_refused(given: str) -> None:
    with pytest.raises(SettingsError, match="FAILBACK_RETENTION"):
        Settings.from_environment({"FAILBACK_RETENTION": given})


def test_runs_are_remembered_for_ninety_days_unless_told_otherwise() -> None:
    assert Settings().retention == timedelta(days=90)

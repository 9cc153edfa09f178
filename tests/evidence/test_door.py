"""Evidence is handed out as it was written, to whoever may read, and checked by the very command people use."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from activities.azure import act_through
from domain.errors import Transient
from domain.evidence import from_lines, verify
from domain.settings import Settings
from gateway.azure import Azure
from localhost import SyncHost
from tests.evidence.test_keeping import chained
from tests.notices.conftest import NOON, NoTokens
from tests.rehearsal import FUNCTIONS, SharedClock

WHO = {"X-Failback-User": "audra@contoso.com", "X-Failback-Roles": "viewer"}
RUN = "fb-1"


@pytest.fixture
def host() -> Iterator[SyncHost]:
    settings = {"FAILBACK_IDENTITY": "declared"}
    with SyncHost(FUNCTIONS, state=":memory:", clock=SharedClock(NOON), settings=settings) as opened:
        yield opened


@pytest.fixture
def azure(tmp_path: Path) -> Iterator[Azure]:
    made = Azure.over(Settings.model_validate({"evidence": str(tmp_path)}), NoTokens())
    act_through(made)
    yield made
    act_through(None)


def test_the_records_of_a_run_are_handed_out_as_they_were_written(host: SyncHost, azure: Azure) -> None:
    records = chained(3, RUN)
    for record in records:
        azure.evidence.put(record)
    answer = host.request("GET", f"/api/failbacks/{RUN}/evidence", headers=WHO)
    assert answer.status == 200
    assert answer.header("Content-Type") == "application/x-ndjson"
    assert answer.header("Content-Disposition") == "attachment; filename*=UTF-8''evidence-fb-1.jsonl"
    lines = from_lines(answer.body.decode())
    assert lines == [record.to_wire() for record in records]
    assert verify(lines, records[-1].hash).is_whole


def test_a_record_that_was_tampered_with_is_handed_out_as_it_is_and_does_not_hold(
    host: SyncHost, azure: Azure, tmp_path: Path
) -> None:
    for record in chained(3, RUN):
        azure.evidence.put(record)
    file = tmp_path / RUN / "000002.json"
    file.write_text(file.read_text().replace('"number":1', '"number":9'))
    answer = host.request("GET", f"/api/failbacks/{RUN}/evidence", headers=WHO)
    found = verify(from_lines(answer.body.decode()))
    assert found.fault is not None
    assert found.fault.place == "record 2"


def test_the_pack_says_whether_the_records_hold_and_which_rules_they_speak_to(
    host: SyncHost, azure: Azure
) -> None:
    for record in chained(2, RUN):
        azure.evidence.put(record)
    document = host.request("GET", f"/api/failbacks/{RUN}/evidence?format=pack", headers=WHO).json()
    assert (document["run"], document["verification"]["records"]) == (RUN, 2)
    assert document["report"]["number"] == 1
    assert document["controls"]["report"]


def test_what_cannot_be_handed_out_is_told_in_words(
    host: SyncHost, azure: Azure, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = f"/api/failbacks/{RUN}/evidence"
    assert host.request("GET", asked, headers=WHO).status == 404
    assert host.request("GET", f"{asked}?format=pdf", headers=WHO).status == 400
    assert host.request("GET", asked).status == 401
    act_through(Azure.over(Settings(), NoTokens()))
    answer = host.request("GET", asked, headers=WHO)
    assert answer.status == 409
    assert answer.json()["detail"] == "no place is configured where evidence is kept"
    act_through(azure)
    monkeypatch.setattr(azure, "evidence", _Away())
    answer = host.request("GET", asked, headers=WHO)
    assert (answer.status, answer.header("Retry-After")) == (503, "5")


class _Away:
    def records(self, _run: str) -> list[object]:
        raise Transient("storage is away")

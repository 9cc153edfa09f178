"""A run keeps evidence while it goes on; where that does not work, it goes on and says so."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from azure.durable_functions import DFApp

from activities.azure import act_through
from activities.record import record
from domain.evidence import Kept, RecordKind, verify
from domain.settings import Settings
from gateway.azure import Azure
from localhost import SyncHost
from orchestrators.context import Context, Runbook
from orchestrators.recorder import Recorder
from tests.notices.conftest import NOON, NoTokens
from tests.rehearsal import SharedClock


def scribe(context: Context) -> Runbook[dict[str, Any]]:
    """A runbook that does nothing but leave evidence."""
    recorder = Recorder(context, context.instance_id)
    for kind in (RecordKind.REQUEST, RecordKind.PLAN, RecordKind.REPORT):
        yield from recorder.record(kind, {"kind": kind.value})
    return recorder.kept.to_wire()


app = DFApp()
app.orchestration_trigger(context_name="context")(scribe)
app.activity_trigger(input_name="request")(record)
FUNCTIONS = app.get_functions()
Write = Callable[[str | None], Kept]


@pytest.fixture
def write() -> Iterator[Write]:
    def to(place: str | None) -> Kept:
        act_through(Azure.over(Settings.model_validate({"evidence": place}), NoTokens()))
        with SyncHost(FUNCTIONS, state=":memory:", clock=SharedClock(NOON)) as host:
            host.start("scribe", instance_id="run-1")
            status = host.run_until("run-1")
        assert status is not None
        assert status.runtime_status == "Completed"
        return Kept.from_wire(json.loads(status.output) if isinstance(status.output, str) else status.output)

    yield to
    act_through(None)


def test_a_run_leaves_a_whole_chain_whose_end_it_knows(write: Write, tmp_path: Path) -> None:
    kept = write(str(tmp_path))
    lines = [json.loads(path.read_text()) for path in sorted((tmp_path / "run-1").glob("*.json"))]
    assert verify(lines, kept.head).is_whole
    assert (kept.records, kept.stored, kept.trouble) == (3, 3, ())


def test_a_run_without_a_place_for_evidence_ends_well_and_says_so(write: Write) -> None:
    kept = write(None)
    assert (kept.records, kept.stored) == (3, 0)
    assert kept.trouble[0] == "record 1: no place is configured where evidence is kept"


def test_a_store_that_breaks_does_not_break_the_run(write: Write, tmp_path: Path) -> None:
    (tmp_path / "run-1").write_text("a file where a folder should be")
    kept = write(str(tmp_path))
    assert (kept.records, kept.stored, len(kept.trouble)) == (3, 0, 3)
    assert kept.trouble[2].startswith("record 3: ")


def test_records_of_another_life_of_the_run_are_not_written_over(write: Write, tmp_path: Path) -> None:
    write(str(tmp_path))
    first = tmp_path / "run-1" / "000001.json"
    first.write_text(first.read_text().replace("request", "forgery"))
    kept = write(str(tmp_path))
    assert kept.trouble == ("record 1: another record 1 of run run-1 is kept already, and stays as it is",)
    assert kept.stored == 2
    assert "forgery" in first.read_text()

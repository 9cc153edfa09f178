"""A whole run tells people what it asks and how it ends, and leaves evidence; whatever the channels do."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from domain.evidence import RecordKind, verify
from domain.settings import Settings
from gateway.azure import Azure
from simulator.transport import SimulatorCredential
from tests.notices.conftest import KEY, SECRET, spelled
from tests.notices.receivers import Receiver, Reply
from tests.rehearsal import Door, Rehearsal

Open = Callable[..., Receiver]


def rehearsal(receiver: Receiver, evidence: Path) -> Rehearsal:
    made = Rehearsal()
    settings = {
        "webhook": f"{receiver.url}/hook?sig={SECRET}",
        "webhook_keys": spelled(KEY),
        "evidence": str(evidence),
    }
    credential = SimulatorCredential(made.simulator)
    made.azure = Azure.over(Settings.model_validate(settings), credential, Door(made.simulator))
    return made


def approvals() -> dict[str, Any]:
    return {"approvals": {"approvers": ["olive@contoso.com"]}}


def test_people_are_told_of_every_gate_and_of_the_end_and_the_evidence_is_whole(
    open_receiver: Open, tmp_path: Path
) -> None:
    receiver = open_receiver()
    run = rehearsal(receiver, tmp_path)
    with run.host() as host:
        host.start("failback", run.request(**approvals()), instance_id=run.run)
        report = run.finish(host)
        # Nothing waits for the last notice: it is told after the run has ended.
        host.run_until_idle()
    told = [got.document["type"].removeprefix("failback.") for got in receiver.got]
    assert sorted(told) == ["gateClosed", "gateClosed", "gateOpened", "gateOpened", "runEnded"]
    asked = [got.document["data"]["ask"]["gate"] for got in receiver.got if "ask" in got.document["data"]]
    assert sorted(asked) == ["commit", "failback"]
    assert {each["status"] for each in report["notices"]} == {"sent"}
    records = run.azure.evidence.records(run.run)
    assert verify(records, report["evidence"]["head"]).is_whole
    assert {each["kind"] for each in records} == {kind.value for kind in RecordKind}
    assert SECRET not in repr(records) + repr(report)


@pytest.mark.parametrize("reply", [Reply(status=500), Reply(status=404)])
def test_channels_that_fail_hold_nothing_up_and_are_told_in_the_report(
    open_receiver: Open, tmp_path: Path, reply: Reply
) -> None:
    run = rehearsal(open_receiver(reply), tmp_path)
    report = run.play(**approvals())
    assert report["outcome"] == "succeeded"
    assert "failed" in {each["status"] for each in report["notices"]}


def test_a_store_that_fails_holds_nothing_up_and_is_told_in_the_report(
    open_receiver: Open, tmp_path: Path
) -> None:
    place = tmp_path / "evidence"
    place.write_text("a file where a folder should be")
    report = rehearsal(open_receiver(), place).play(**approvals())
    assert report["outcome"] == "succeeded"
    kept = report["evidence"]
    assert kept["stored"] == 0
    assert kept["trouble"][0].startswith("record 1: ")

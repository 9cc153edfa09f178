"""Evidence is written once and never again, in Azure and in a folder alike."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from azure.core.credentials import AccessToken

from activities.azure import act_through
from activities.record import record as store_record
from domain.errors import Transient
from domain.evidence import Chain, Record, RecordKind, Stored, verify
from domain.settings import Settings, SettingsError
from gateway.azure import Azure
from gateway.faults import Refused
from tests.evidence.blobs import CONTAINER, Blobs, container
from tests.notices.conftest import NOON
from tests.notices.receivers import Reply


class AppIdentity:
    """The app's identity, which gets tokens for storage."""

    def __init__(self) -> None:
        self.scopes: list[str] = []

    def get_token(self, *scopes: str, **_options: Any) -> AccessToken:
        self.scopes += scopes
        return AccessToken("a-token", 9_999_999_999)


@pytest.fixture
def blobs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Blobs]:
    authority = tmp_path / "authority.pem"
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(authority))
    with container(authority) as opened:
        yield opened


def in_blobs(blobs: Blobs, identity: AppIdentity | None = None) -> Azure:
    place = f"{blobs.url}{CONTAINER}"
    return Azure.over(Settings.model_validate({"evidence": place}), identity or AppIdentity())


@pytest.fixture(params=["blobs", "folder"])
def azure(request: pytest.FixtureRequest, tmp_path: Path) -> Azure:
    if request.param == "blobs":
        return in_blobs(request.getfixturevalue("blobs"))
    return Azure.over(Settings.model_validate({"evidence": str(tmp_path / "evidence")}), AppIdentity())


def chained(number: int, run: str = "run-1") -> list[Record]:
    chain, records = Chain(run=run), list[Record]()
    for each in range(number):
        kind = RecordKind.REPORT if each == number - 1 else RecordKind.STAGE
        records.append(chain.next(kind, {"number": each, "name": "Müller\u2028", "none": None}, NOON))
        chain = chain.after(records[-1])
    return records


def test_what_is_kept_is_read_back_in_order_and_whole(azure: Azure) -> None:
    for record in chained(12):
        azure.evidence.put(record)
    read = azure.evidence.records("run-1")
    assert verify(read).is_whole
    assert [each["seq"] for each in read] == list(range(1, 13))


def test_the_same_record_again_changes_nothing(azure: Azure) -> None:
    (record,) = chained(1)
    azure.evidence.put(record)
    azure.evidence.put(Record.from_wire(json.loads(json.dumps(record.to_wire()))))
    assert azure.evidence.records("run-1") == [record.to_wire()]


def test_another_record_of_the_same_number_is_refused_loudly_and_the_first_stays(azure: Azure) -> None:
    (record,) = chained(1)
    azure.evidence.put(record)
    other = Chain(run="run-1").next(RecordKind.REPORT, {"outcome": "succeeded"}, NOON)
    with pytest.raises(Refused, match="another record 1 of run run-1 is kept already, and stays as it is"):
        azure.evidence.put(other)
    assert azure.evidence.records("run-1") == [record.to_wire()]


@pytest.mark.parametrize("run", ["../../etc", "..", "run-1/000001", "a b#?%2e", "ümlaut"])
def test_no_run_id_leaves_its_place_or_is_taken_for_another(azure: Azure, tmp_path: Path, run: str) -> None:
    (strange,) = chained(1, run)
    azure.evidence.put(strange)
    azure.evidence.put(chained(1, "run-1")[0])
    assert azure.evidence.records(run) == [strange.to_wire()]
    assert len(azure.evidence.records("run-1")) == 1
    written = list(tmp_path.rglob("*.json"))
    assert all((tmp_path / "evidence") in path.parents for path in written)


def test_a_run_that_has_none_has_no_records(azure: Azure) -> None:
    assert azure.evidence.records("run-9") == []


def test_with_the_right_to_add_only_a_repeated_record_is_known_and_another_is_refused(blobs: Blobs) -> None:
    """The role of the app holds no right to write over: Azure may say so instead of naming a conflict."""
    blobs.adding_only = True
    evidence, (record,) = in_blobs(blobs).evidence, chained(1)
    evidence.put(record)
    evidence.put(record)
    other = Chain(run="run-1").next(RecordKind.REPORT, {"outcome": "succeeded"}, NOON)
    with pytest.raises(Refused, match="another record 1 of run run-1 is kept already"):
        evidence.put(other)
    assert evidence.records("run-1") == [record.to_wire()]


def test_azure_is_asked_with_a_token_for_storage_and_never_to_write_over(blobs: Blobs) -> None:
    identity = AppIdentity()
    in_blobs(blobs, identity).evidence.put(chained(1)[0])
    (put,) = blobs.got
    assert put.headers["if-none-match"] == "*"
    assert put.headers["x-ms-blob-type"] == "BlockBlob"
    assert put.path == "/evidence/run-1/000001.json"
    assert set(identity.scopes) == {"https://storage.azure.com/.default"}


def test_a_store_that_does_not_answer_now_lets_the_step_be_repeated(blobs: Blobs) -> None:
    blobs.failures = [Reply(status=503)]
    azure = in_blobs(blobs)
    with pytest.raises(Transient):
        azure.evidence.put(chained(1)[0])
    azure.evidence.put(chained(1)[0])
    assert len(azure.evidence.records("run-1")) == 1


def test_a_store_that_lets_nobody_in_says_so(blobs: Blobs) -> None:
    blobs.failures = [Reply(status=403, headers={"x-ms-error-code": "AuthorizationPermissionMismatch"})]
    with pytest.raises(Refused):
        in_blobs(blobs).evidence.put(chained(1)[0])


@pytest.fixture
def storing() -> Iterator[Callable[[Azure], Callable[[Record], Stored]]]:
    def with_azure(azure: Azure) -> Callable[[Record], Stored]:
        act_through(azure)
        return lambda record: Stored.from_wire(store_record(record.to_wire()))

    yield with_azure
    act_through(None)


def test_the_activity_stores_and_tells_a_refusal_as_a_value(
    storing: Callable[[Azure], Callable[[Record], Stored]], tmp_path: Path
) -> None:
    store = storing(Azure.over(Settings.model_validate({"evidence": str(tmp_path)}), AppIdentity()))
    (record,) = chained(1)
    assert store(record) == store(record) == Stored(seq=1)
    other = Chain(run="run-1").next(RecordKind.REPORT, {}, NOON)
    refusal = store(other).refusal
    assert refusal is not None
    assert refusal.code == "EvidenceConflict"


def test_without_a_place_nothing_is_kept_and_that_is_said(
    storing: Callable[[Azure], Callable[[Record], Stored]],
) -> None:
    refusal = storing(Azure.over(Settings(), AppIdentity()))(chained(1)[0]).refusal
    assert refusal is not None
    assert refusal.what == "no place is configured where evidence is kept"


def test_evidence_goes_over_tls_or_to_a_full_path() -> None:
    assert Settings.from_environment({"FAILBACK_EVIDENCE": "/var/evidence"}).evidence == "/var/evidence"
    for place in ("http://evidence.contoso.test/x", "build/evidence", "https://x.test/c?sig=1"):
        with pytest.raises(SettingsError, match="FAILBACK_EVIDENCE"):
            Settings.from_environment({"FAILBACK_EVIDENCE": place})

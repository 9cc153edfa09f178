"""Checking evidence from the command line: 0 when it is whole, 1 when a link does not hold, and why."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from domain.evidence import Chain, RecordKind, to_lines
from tests.unit.making import at

WHOLE, BROKEN, REFUSED, UNREACHABLE = 0, 1, 2, 3


@pytest.fixture
def lines() -> list[dict[str, Any]]:
    chain, made = Chain(run="fb-1"), list[dict[str, Any]]()
    for kind in (RecordKind.REQUEST, RecordKind.PLAN, RecordKind.DECISIONS, RecordKind.REPORT):
        record = chain.next(kind, {"by": "Zoë\u2028"}, at())
        chain = chain.after(record)
        made.append(record.to_wire())
    return made


@pytest.fixture
def file(tmp_path: Path, lines: list[dict[str, Any]]) -> Path:
    path = tmp_path / "evidence.jsonl"
    path.write_text(to_lines(lines), encoding="utf-8")
    return path


def test_a_file_that_nobody_touched_is_intact_without_any_app(failback: Any, file: Path) -> None:
    result = failback("verify", str(file), "--url", "http://127.0.0.1:1")
    assert result.exit_code == WHOLE, result.stdout
    assert "intact: 4 records of run fb-1" in result.stdout


def test_a_file_in_which_one_letter_was_changed_is_broken_and_the_record_is_named(
    failback: Any, file: Path
) -> None:
    file.write_text(file.read_text().replace('"seq":3,', '"seq":3,"x":1,'), encoding="utf-8")
    result = failback("verify", str(file))
    assert result.exit_code == BROKEN
    assert "broken at record 3: edited" in result.stdout
    assert "2 records before that hold" in result.stdout


def test_a_folder_of_records_is_read_in_their_order(
    failback: Any, tmp_path: Path, lines: list[dict[str, Any]]
) -> None:
    folder = tmp_path / "fb-1"
    folder.mkdir()
    for record in reversed(lines):
        (folder / f"{record['seq']:06}.json").write_text(to_lines([record]), encoding="utf-8")
    assert failback("verify", str(folder)).exit_code == WHOLE
    (folder / "000002.json").unlink()
    result = failback("verify", str(folder))
    assert (result.exit_code, "record 2: missing" in result.stdout) == (BROKEN, True)


def test_a_run_is_checked_by_what_the_app_has_of_it(fake: Any, failback: Any, lines: list[dict[str, Any]]) -> None:
    fake.evidence["fb-1"] = to_lines(lines)
    assert failback("verify", "fb-1").exit_code == WHOLE
    fake.evidence["fb-1"] = to_lines(lines[:-1])
    result = failback("verify", "fb-1")
    assert (result.exit_code, "truncated" in result.stdout) == (BROKEN, True)
    assert failback("verify", "fb-2").exit_code == REFUSED


def test_the_end_is_compared_with_the_hash_that_a_report_or_a_person_tells(
    failback: Any, file: Path, tmp_path: Path, lines: list[dict[str, Any]]
) -> None:
    report = tmp_path / "report.json"
    report.write_text(json.dumps({"evidence": {"head": lines[-1]["hash"]}}))
    told = failback("verify", str(file), "--report", str(report))
    assert (told.exit_code, "it is the hash that was told" in told.stdout) == (WHOLE, True)
    assert failback("verify", str(file), "--head", lines[-1]["hash"]).exit_code == WHOLE
    assert failback("verify", str(file), "--head", lines[-2]["hash"]).exit_code == BROKEN
    report.write_text("{}")
    assert failback("verify", str(file), "--report", str(report)).exit_code == REFUSED


def test_programs_get_what_was_found_as_json(failback: Any, file: Path, lines: list[dict[str, Any]]) -> None:
    found = json.loads(failback("verify", str(file), "--json").stdout)
    assert found == {"run": "fb-1", "records": 4, "head": lines[-1]["hash"]}
    file.write_text("not json\n")
    result = failback("verify", str(file), "--json")
    assert result.exit_code == BROKEN
    assert json.loads(result.stdout)["fault"]["place"] == "record 1"


def test_what_cannot_be_read_is_refused(failback: Any, tmp_path: Path) -> None:
    (tmp_path / "evidence.jsonl").write_bytes(b"\xff\xfe")
    assert failback("verify", str(tmp_path / "evidence.jsonl")).exit_code == REFUSED


def test_an_empty_folder_proves_nothing(failback: Any, tmp_path: Path) -> None:
    result = failback("verify", str(tmp_path))
    assert (result.exit_code, "there are no records" in result.stdout) == (BROKEN, True)

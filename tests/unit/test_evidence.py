"""A chain of evidence shows the first link that is not as it was written, and says what it looks like."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.controls import CONTROLS, pack
from domain.evidence import GENESIS, Chain, Record, RecordKind, from_lines, hash_of, to_lines, verify
from tests.unit.making import at

KINDS = (RecordKind.REQUEST, RecordKind.PLAN, RecordKind.QUESTION, RecordKind.DECISIONS, RecordKind.REPORT)
Lines = list[dict[str, Any]]


def chained(kinds: tuple[RecordKind, ...] = KINDS, run: str = "run-1") -> Lines:
    chain, lines = Chain(run=run), Lines()
    for number, kind in enumerate(kinds):
        body = {"number": number, "name": "Müller\u2028", "none": None, "nested": {"list": [1, 2.5, True]}}
        record = chain.next(kind, body, at(number))
        chain = chain.after(record)
        lines.append(record.to_wire())
    return lines


def fault(lines: list[Any], head: str | None = None) -> tuple[str, str]:
    found = verify(lines, head).fault
    assert found is not None
    return found.place, found.what.split(":", maxsplit=1)[0]


def resealed(record: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """Change a record as somebody would who knows how hashes are made."""
    changed = {**record, **changes}
    return {**changed, "hash": hash_of(changed)}


def test_a_chain_that_nobody_touched_is_whole() -> None:
    lines = chained()
    found = verify(lines)
    assert found.is_whole
    assert (found.run, found.records, found.head) == ("run-1", 5, lines[-1]["hash"])
    assert lines[0]["previous"] == GENESIS
    assert verify(lines, lines[-1]["hash"]).is_whole


def test_a_chain_survives_being_written_as_lines_and_read_back() -> None:
    lines = chained()
    text = to_lines(lines)
    assert text.count("\n") == len(lines)
    assert from_lines(text) == lines
    assert verify(from_lines(text)).is_whole


def test_a_record_is_the_same_after_it_has_crossed_the_wire() -> None:
    record = Chain(run="run-1").next(RecordKind.PLAN, {"none": None, "x": [1.5]}, at())
    again = Record.from_wire(json.loads(json.dumps(record.to_wire())))
    assert again.to_wire() == record.to_wire()
    assert hash_of(again.to_wire()) == record.hash


def test_the_same_records_have_the_same_hashes_in_every_replay() -> None:
    assert chained() == chained()


@given(st.data())
def test_no_value_anywhere_can_be_changed_unseen(data: st.DataObject) -> None:
    lines = chained()
    changed = copy.deepcopy(lines)
    record = data.draw(st.sampled_from(changed))
    path = data.draw(st.sampled_from(["run", "seq", "at", "kind", "previous", "hash", "number", "name", "nested"]))
    place = record if path in record else record["body"]
    place[path] = data.draw(
        st.one_of(st.text(), st.integers(), st.none()).filter(lambda value: value != place[path])
    )
    assert not verify(changed).is_whole


@given(st.permutations(range(len(KINDS))), st.integers(min_value=0, max_value=len(KINDS)))
def test_records_can_be_neither_moved_nor_left_out_unseen(order: list[int], kept: int) -> None:
    lines = chained()
    chosen = [lines[number] for number in order[:kept]]
    assert verify(chosen).is_whole is (chosen == lines)


def test_an_edited_record_is_named() -> None:
    lines = chained()
    lines[2]["body"]["number"] = 9
    assert fault(lines) == ("record 3", "edited")
    assert verify(lines).records == 2


def test_a_field_that_was_added_is_an_edit_too() -> None:
    lines = chained()
    lines[2]["note"] = "added"
    assert fault(lines) == ("record 3", "edited")


def test_an_edit_that_was_sealed_again_shows_at_the_next_record() -> None:
    lines = chained()
    lines[2] = resealed(lines[2], at="2020-01-01T00:00:00Z")
    assert fault(lines) == ("record 4", "replaced")


def test_a_chain_that_was_written_anew_shows_by_the_hash_that_was_told_elsewhere() -> None:
    told = chained()[-1]["hash"]
    forged = chained()
    forged[-1] = resealed(forged[-1], body={"outcome": "succeeded"})
    assert verify(forged).is_whole
    assert fault(forged, told) == ("after record 5", "truncated")


def test_a_record_that_is_missing_is_named() -> None:
    lines = chained()
    assert fault(lines[:1] + lines[2:]) == ("record 2", "missing")
    assert fault(lines[1:]) == ("record 1", "missing")


def test_records_in_another_order_are_named() -> None:
    lines = chained()
    assert fault([lines[0], lines[2], lines[1], *lines[3:]]) == ("record 2", "missing")
    assert fault([lines[0], lines[1], lines[0], *lines[2:]]) == ("record 3", "reordered")


def test_an_end_that_was_cut_off_is_noticed_with_and_without_the_last_hash() -> None:
    lines = chained()
    assert fault(lines[:-1]) == ("after record 4", "truncated")
    assert fault(lines[:-1], lines[-1]["hash"]) == ("after record 4", "truncated")
    assert verify(lines[:-1], lines[-2]["hash"]).is_whole


def test_a_record_of_another_run_is_noticed() -> None:
    lines = chained()
    other = chained(run="run-2")
    assert fault([*lines[:2], other[2], *lines[3:]]) == ("record 3", "foreign")


@pytest.mark.parametrize(
    "line",
    ["not json", '{"run": "run-1"}', "[1]", "null", '{"a": 1, "a": 2}', "[" * 100_000],
    ids=["text", "too little", "list", "null", "a name twice", "depth"],
)
def test_what_is_no_record_is_named_as_such(line: str) -> None:
    assert fault([*chained()[:2], *from_lines(line)])[0] == "record 3"


def test_a_name_that_stands_twice_hides_nothing() -> None:
    line = to_lines(chained()[:1]).replace('"seq":1', '"seq":1,"body":{"outcome":"approved"}')
    assert from_lines(line) == [None]


def test_without_records_there_is_nothing_to_trust() -> None:
    assert fault([]) == ("the beginning", "there are no records")


def test_the_pack_holds_records_report_and_the_rules_they_speak_to() -> None:
    lines = chained()
    made = pack("run-1", lines)
    assert made.verification.is_whole
    assert made.report == lines[-1]["body"]
    assert set(made.controls) == set(RecordKind)
    assert {each.id for each in made.controls["report"]} >= {"CP-4", "CP-10", "Article 11(6)", "Article 25(2)(c)"}
    assert list(made.records) == lines
    assert pack("run-1", lines[:2]).report is None


def test_every_kind_of_record_speaks_to_a_rule() -> None:
    assert all(CONTROLS[kind] for kind in RecordKind)

"""What a run leaves behind for those who ask later: a chain of records in which no link can be changed unseen.

Every record carries the hash of the one before it and its own, over everything else it holds. So whoever holds
the last hash, from the report or from the notice of the run's end, can tell whether any record was changed,
taken out, put in or moved. The chain alone cannot tell whether somebody wrote all of it anew: for that the
records lie where nobody can change them, and the last hash is kept elsewhere as well.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any, Final, Self, cast

from pydantic import Field, StringConstraints

from domain.errors import Refusal
from domain.wire import Answer, digest

# What the first record names as the hash before it.
GENESIS: Final = "0" * 64
Hash = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]


class RecordKind(StrEnum):
    """What a record is about; `report` is the last one of every run."""

    REQUEST = "request"
    PLAN = "plan"
    QUESTION = "question"
    DECISIONS = "decisions"
    STAGE = "stage"
    REPORT = "report"


class Record(Answer):
    """One link of the chain; `hash` covers everything else in it, as canonical JSON."""

    run: str
    seq: Annotated[int, Field(ge=1)]
    at: datetime
    kind: RecordKind
    body: dict[str, Any]
    previous: Hash
    hash: Hash


class Chain(Answer):
    """Where a run's chain ends: how many records it has, and the hash of the last."""

    run: str
    records: int = 0
    head: Hash = GENESIS

    def next(self, kind: RecordKind, body: Mapping[str, Any], at: datetime) -> Record:
        """Make the next record; the chain itself stays as it is."""
        unsealed: dict[str, Any] = {
            "run": self.run,
            "seq": self.records + 1,
            "at": at,
            "kind": kind,
            "body": dict(body),
            "previous": self.head,
        }
        document = Record.model_validate({**unsealed, "hash": GENESIS}).to_wire()
        return Record.model_validate({**unsealed, "hash": hash_of(document)})

    def after(self, record: Record) -> Self:
        """Give the chain with one more record."""
        return self.having(records=record.seq, head=record.hash)


def hash_of(document: Mapping[str, Any]) -> str:
    """Give the hash that a record must carry: of its JSON in canonical form, without the hash itself."""
    return digest({key: value for key, value in document.items() if key != "hash"})


class Fault(Answer):
    """The first thing that is wrong with a chain: where, and what it looks like."""

    place: str
    what: str


class Verification(Answer):
    """What became of checking a chain; whole when there is no fault.

    `records` counts the links that hold, `head` is the hash of the last of them.
    """

    run: str | None = None
    records: int = 0
    head: str = GENESIS
    fault: Fault | None = None

    @property
    def is_whole(self) -> bool:
        """Whether every link holds and the end is there."""
        return self.fault is None


def verify(lines: Iterable[Any], head: str | None = None) -> Verification:
    """Check a chain link by link, and name the first that does not hold.

    `lines` are the records as they were parsed from JSON; whatever else stands there is a fault. `head` is the
    last hash as the report or a notice told it; without it, a chain is whole when it ends in a report.
    """
    known, last = Verification(), cast("Mapping[str, Any]", {})
    for number, line in enumerate(lines, start=1):
        fault = _fault(known, number, line)
        if fault is not None:
            return known.having(fault=fault)
        last = line
        known = known.having(run=line["run"], records=number, head=line["hash"])
    return known.having(fault=_end(known, last, head))


def _fault(known: Verification, number: int, line: Any) -> Fault | None:
    """Say what is wrong with one link, given that those before it hold."""
    place = f"record {number}"
    if not isinstance(line, dict) or _SHAPE - set(cast("dict[str, Any]", line)):
        return Fault(place=place, what="this is no record: it lacks what every record has")
    record = cast("dict[str, Any]", line)
    if known.run is not None and record["run"] != known.run:
        return Fault(place=place, what=f"foreign: it belongs to run {record['run']}, not to {known.run}")
    if record["seq"] != number:
        return Fault(place=place, what=_out_of_order(number, record["seq"]))
    if record["hash"] != hash_of(record):
        return Fault(place=place, what="edited: its content is not what its hash was made of")
    if record["previous"] != known.head:
        return Fault(
            place=place, what="replaced: it does not continue the record before it; one of them was changed"
        )
    return None


_SHAPE: Final = frozenset({"run", "seq", "at", "kind", "body", "previous", "hash"})


def _out_of_order(number: int, seq: Any) -> str:
    if isinstance(seq, int) and seq > number:
        return f"missing: here stands record {seq}; record {number} was taken out or moved"
    return f"reordered: here stands record {seq} again or too late; record {number} is expected"


def _end(known: Verification, last: Mapping[str, Any], head: str | None) -> Fault | None:
    place = f"after record {known.records}"
    if not known.records:
        return Fault(place="the beginning", what="there are no records")
    if head is not None and known.head != head:
        return Fault(place=place, what="truncated: the chain does not end with the hash that is expected")
    if head is None and last["kind"] != RecordKind.REPORT:
        return Fault(place=place, what="truncated: the report is missing; the run goes on, or the end was cut off")
    return None


def to_lines(records: Iterable[Mapping[str, Any]]) -> str:
    """Write records as JSON Lines, one a line, with nothing changed."""
    return "".join(json.dumps(each, ensure_ascii=False, separators=(",", ":")) + "\n" for each in records)


def from_lines(text: str) -> list[Any]:
    """Read JSON Lines; a line that is no clear JSON stands as nothing, and is a fault to `verify`."""
    # Not splitlines: texts in a record may hold what Unicode counts as the end of a line.
    return [_parsed(line) for line in text.split("\n") if line.strip()]


def _parsed(line: str) -> Any:
    try:
        return json.loads(line, object_pairs_hook=_unambiguous)
    except (ValueError, RecursionError):
        return None


def _unambiguous(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    """Refuse a name that stands twice: its readers may differ on which one counts."""
    document = dict(pairs)
    if len(document) < len(pairs):
        raise ValueError("a name stands twice")
    return document


class Kept(Answer):
    """How a run's evidence stands: where its chain ends, and why records are not in the store, if any are not."""

    records: int = 0
    head: Hash = GENESIS
    stored: int = 0
    trouble: tuple[str, ...] = ()


class Stored(Answer):
    """What became of storing one record; `refusal` says why there is none where it should be."""

    seq: int
    refusal: Refusal | None = None


class Reading(Answer):
    """What the store gives of one run: its records, or why there are none now.

    `unread` says why the store did not answer; asking again may help, unlike with a `refusal`.
    """

    records: tuple[Any, ...] = ()
    refusal: Refusal | None = None
    unread: str | None = None

"""Store one record of a run's evidence."""

from __future__ import annotations

from activities.azure import Document, azure
from domain.evidence import Record, Stored
from gateway.faults import Refused


def record(request: Document) -> Document:
    """Store a record once and for all; raises when the store does not answer now, for the step to be repeated."""
    given = Record.from_wire(request)
    try:
        azure().evidence.put(given)
    except Refused as refused:
        return Stored(seq=given.seq, refusal=refused.refusal).to_wire()
    return Stored(seq=given.seq).to_wire()

"""Keeping evidence of a run while it goes on; where that does not work, the run goes on and says so."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from domain import contract
from domain.evidence import Chain, Kept, RecordKind, Stored
from orchestrators import steps
from orchestrators.context import Context, Runbook

# The first few troubles say it all.
_TOLD: Final = 3


class Recorder:
    """Keeps the evidence of one run; lives inside one orchestrator, and is rebuilt by every replay.

    Call `yield from recorder.record(RecordKind.PLAN, plan.to_wire())` for each thing that auditors must find
    again, from the moment the run's locks are held (the id of a run that was refused may be used again), and
    RecordKind.REPORT last of all; then `recorder.kept` belongs into the report's `evidence`.
    """

    def __init__(self, context: Context, run: str, kept: Kept | None = None) -> None:
        kept = kept or Kept()
        self._context = context
        self._chain = Chain(run=run, records=kept.records, head=kept.head)
        self._stored = kept.stored
        self._trouble = list(kept.trouble)

    def record(self, kind: RecordKind, body: Mapping[str, Any]) -> Runbook[None]:
        """Add a record to the chain and store it; never fails."""
        record = self._chain.next(kind, body, self._context.current_utc_datetime)
        self._chain = self._chain.after(record)
        try:
            stored = yield from steps.call(self._context, contract.RECORD, record, Stored)
            trouble = stored.refusal.what if stored.refusal else None
        except Exception as error:  # noqa: BLE001 - types do not survive the wire; a run does not fail for its record
            trouble = steps.first_line(error)
        if trouble is None:
            self._stored += 1
        else:
            self._trouble.append(f"record {record.seq}: {trouble}")

    @property
    def kept(self) -> Kept:
        """How the evidence stands now."""
        return Kept(
            records=self._chain.records,
            head=self._chain.head,
            stored=self._stored,
            trouble=tuple(self._trouble[:_TOLD]),
        )

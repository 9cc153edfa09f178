"""Which rules on continuity testing each record of a run speaks to, for the auditor who reads the evidence.

The mapping says what a record may be shown for; whether a rule is met, people judge. Where the words of a text
matter they are in the text itself: "asks" is a paraphrase.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from domain.evidence import RecordKind, Verification, verify
from domain.wire import Answer


class Control(Answer):
    """One rule: where it stands, and what it asks for."""

    text: str
    id: str
    asks: str


_CP4: Final = Control(
    text="NIST SP 800-53 Rev. 5",
    id="CP-4",
    asks="test the contingency plan, review the results, initiate corrective action",
)
_CP4_4: Final = Control(
    text="NIST SP 800-53 Rev. 5",
    id="CP-4(4)",
    asks="include a full recovery and reconstitution of the system to a known state in the test",
)
_CP10: Final = Control(
    text="NIST SP 800-53 Rev. 5",
    id="CP-10",
    asks="recover and reconstitute the system to a known state within the time that was set",
)
_DORA_TESTS: Final = Control(
    text="Regulation (EU) 2022/2554 (DORA)",
    id="Article 11(6)",
    asks="test continuity, response and recovery at least yearly, switchovers to redundant capacity included",
)
_DORA_AUDIT: Final = Control(
    text="Regulation (EU) 2022/2554 (DORA)",
    id="Article 11(3)",
    asks="have response and recovery plans reviewed by independent internal audit",
)
_SWITCHOVER: Final = Control(
    text="Delegated Regulation (EU) 2024/1774",
    id="Article 25(2)(c)",
    asks="include scenarios of switchover; recital 23: and of the return to the primary infrastructure",
)

CONTROLS: Final[Mapping[RecordKind, tuple[Control, ...]]] = {
    RecordKind.REQUEST: (_CP4, _DORA_TESTS),
    RecordKind.PLAN: (_CP4, _SWITCHOVER),
    RecordKind.QUESTION: (_DORA_AUDIT,),
    RecordKind.DECISIONS: (_DORA_AUDIT,),
    RecordKind.STAGE: (_CP4_4, _CP10, _SWITCHOVER),
    RecordKind.REPORT: (_CP4, _CP10, _DORA_TESTS, _SWITCHOVER),
}


class Pack(Answer):
    """All that an auditor is handed of one run: the records, whether they are whole, and what they speak to."""

    run: str
    verification: Verification
    controls: dict[str, tuple[Control, ...]]
    report: dict[str, Any] | None = None
    records: tuple[dict[str, Any], ...]


def pack(run: str, records: Sequence[dict[str, Any]]) -> Pack:
    """Put the evidence of one run together."""
    reports = (each["body"] for each in reversed(records) if each.get("kind") == RecordKind.REPORT)
    return Pack(
        run=run,
        verification=verify(records),
        controls={kind.value: controls for kind, controls in CONTROLS.items()},
        report=next(reports, None),
        records=tuple(records),
    )

"""How far a run is, for the pages: the steps of the runbook, and one word for the list."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, cast

from domain.approvals import GateName
from domain.leg import StageName
from domain.request import Mode


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One step of the runbook; `state` is done, now or ahead."""

    words: str
    state: str


_HOME: Final = (
    "Look",
    "Take the locks",
    "Rehearse",
    "Ask: come home?",
    "Clean up",
    "Fail over",
    "Ask: commit?",
    "Commit and re-protect",
    "Report",
)
_DRILL: Final = ("Look", "Take the locks", "Rehearse", "Clean up", "Report")
_STEP_OF: Final[Mapping[str, str]] = {
    "look": "Look",
    "hold": "Take the locks",
    StageName.PREPARE: "Rehearse",
    StageName.REHEARSE: "Rehearse",
    StageName.CLEAN_UP: "Clean up",
    StageName.MOVE: "Fail over",
    StageName.CHANGE_POINT: "Ask: commit?",
    StageName.COMMIT: "Commit and re-protect",
    StageName.PROTECT: "Commit and re-protect",
    "done": "Report",
}
_STEP_OF_GATE: Final[Mapping[str, str]] = {
    GateName.START: "Look",
    GateName.FAILBACK: "Ask: come home?",
    GateName.COMMIT: "Ask: commit?",
}


def steps(told: Mapping[str, Any]) -> tuple[Step, ...]:
    """Give the steps of a run's way, which its groups walk one after the other; none where it is not known."""
    way = _DRILL if told.get("mode") == Mode.DRILL.value else _HOME
    gate = next((str(each.get("gate")) for each in told.get("gates", [])), "")
    now = _STEP_OF_GATE.get(gate) or _STEP_OF.get(str(told.get("phase")))
    if told.get("outcome"):
        return tuple(Step(words=words, state="done") for words in way)
    if now not in way:
        # Somebody is asked about a failure, which may be that of any step.
        return ()
    place = way.index(now)
    return tuple(
        Step(words=words, state="done" if number < place else "now" if number == place else "ahead")
        for number, words in enumerate(way)
    )


# Of a run whose gate is open.
ASKING: Final = ("pending", "waits for people")


def badge(told: Mapping[str, Any]) -> tuple[str, str]:
    """Give the word that the list shows beside a run, and the tone of it as the report's tags have it."""
    outcome = told.get("outcome")
    if outcome:
        return str(outcome), str(outcome)
    if told.get("phase") == "ask":
        return ASKING
    if told.get("paused"):
        return "warned", "paused"
    return "running", "on its way"


_TOLD: Final = dict.fromkeys(
    ("outcome", "requestedBy", "vault", "blind", "paused", "counts", "groups", "group", "phase", "mode", "words")
)
_MACHINE: Final = {"name": "", "status": "", "words": "", "job": None}
_JOB: Final = dict.fromkeys(("task", "act", "started"))


def shown_run(told: Mapping[str, Any]) -> dict[str, Any]:
    """Complete what is told of a run, so that a page may ask for anything; times become instants."""
    machines = cast("list[dict[str, Any]]", told.get("machines") or [])
    return {
        **_TOLD,
        **told,
        "started": instant_of(told.get("startedAt")),
        "updated": instant_of(told.get("updatedAt")),
        "machines": [_shown_machine(each) for each in machines],
    }


def _shown_machine(machine: Mapping[str, Any]) -> dict[str, Any]:
    job = machine.get("job")
    return {**_MACHINE, **machine, "job": {**_JOB, **job} if job else None}


def instant_of(text: Any) -> datetime | None:
    """Read an instant of the wire; nothing where there is none."""
    return datetime.fromisoformat(text) if isinstance(text, str) else None

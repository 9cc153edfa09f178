"""Drills on a calendar: which machines are next, and what became of each.

A drill rehearses and cleans up. What it asks for is always a run in drill mode, from which no path leads to a
failover.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Final, Self
from zoneinfo import ZoneInfo

from pydantic import Field, StringConstraints, field_validator, model_validator

from domain.approvals import ApprovalPolicy, OnTimeout
from domain.contract import Check, Verdict
from domain.duration import spoken
from domain.report import MachineOutcome, Report
from domain.request import (
    GROUP_LIMIT,
    FailbackRequest,
    Limits,
    MachineRequest,
    Mode,
    Name,
    TestFailoverRequest,
    ValidationRequest,
)
from domain.wire import Answer, Wire

# Run ids hold a drill's name and its moment, and may have forty letters.
_NAME: Final = r"^[a-z0-9]([a-z0-9-]{0,15}[a-z0-9])?$"
# The proof of each drill is its run's report; this is the list of them.
REMEMBERED: Final = 200
_NAMED: Final = 20


class Drill(Wire):
    """One entry of the calendar: when to rehearse which machines of a vault, and for how long.

    `cron` is read in `zone`. Without `machines` all machines of the vault take their turns, `atOnce` of them each
    time, those first that wait longest. A time that was missed is made up for `within` a while, then dropped.
    People have `timeToLive` to look at a rehearsal that failed; then it is cleaned up without them.
    """

    name: Annotated[str, StringConstraints(pattern=_NAME)]
    cron: Annotated[str, StringConstraints(strip_whitespace=True, min_length=9, max_length=120)]
    zone: str = "UTC"
    vault: str
    machines: Annotated[tuple[Name, ...], Field(max_length=1_000)] = ()
    at_once: Annotated[int, Field(ge=1, le=GROUP_LIMIT)] = 5
    network_id: str | None = None
    within: Annotated[timedelta, Field(ge=timedelta(minutes=5), le=timedelta(days=1))] = timedelta(hours=1)
    time_to_live: Annotated[timedelta, Field(ge=timedelta(minutes=5), le=timedelta(days=2))] = timedelta(hours=2)
    validation: ValidationRequest = ValidationRequest()

    @field_validator("zone")
    @classmethod
    def _is_a_zone(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (KeyError, OSError, ValueError):
            raise ValueError("expected a time zone such as Europe/Berlin") from None
        return value

    @field_validator("cron")
    @classmethod
    def _has_five_fields(cls, value: str) -> str:
        fields = 5
        if len(value.split()) != fields:
            raise ValueError("expected minute, hour, day, month and weekday, as in 0 2 * * SAT")
        return value

    @model_validator(mode="after")
    def _can_be_asked_for(self) -> Self:
        """Let the start request find what is wrong with the vault or the network."""
        request_for(self, datetime.min.replace(tzinfo=UTC), self.machines[:1] or ("any",))
        return self


class Calendar(Wire):
    """All drills there are."""

    drills: Annotated[tuple[Drill, ...], Field(max_length=100)] = ()

    @model_validator(mode="after")
    def _named_once(self) -> Self:
        names = [drill.name for drill in self.drills]
        if len(set(names)) < len(names):
            raise ValueError("every drill needs a name of its own")
        return self


class DrillOrder(Answer):
    """One drill at one moment of its calendar."""

    drill: Drill
    slot: datetime


class Estate(Answer):
    """The machines of a vault that could be rehearsed now, by name, and how their virtual machines are called."""

    machines: tuple[str, ...] = ()
    # Absent in old runs, whose calendar named protected items alone.
    vm_names: dict[str, str] = {}

    def calls(self, name: str) -> frozenset[str]:
        """Give the names of a machine as they are compared."""
        return frozenset({name.casefold(), self.vm_names.get(name, name).casefold()})


class Rehearsed(Answer):
    """What became of a machine in its last drill, and when the last one succeeded."""

    tried: datetime
    run: str
    words: str = ""
    succeeded: datetime | None = None
    succeeded_run: str | None = None


class Held(Answer):
    """One drill that was held: its runs, how each machine fared, and what was left behind."""

    drill: str
    slot: datetime
    runs: tuple[str, ...] = ()
    words: str
    rehearsed: tuple[str, ...] = ()
    failed: tuple[str, ...] = ()
    # Resources that were looked for after the clean-ups, and those that were still there.
    looked_for: int = 0
    left: int = 0
    # Whether every clean-up was looked after, and found nothing.
    proven: bool = True


class Diary(Answer):
    """What is remembered of the drills of one vault: each machine's last, and the list of drills."""

    machines: dict[str, Rehearsed] = {}
    held: tuple[Held, ...] = ()


def run_id(drill: str, slot: datetime) -> str:
    """Name a drill's run by its moment, so that two firings of a timer are one drill."""
    return f"fb-drill-{drill}-{slot:%Y%m%d%H%M}"


def choose(drill: Drill, estate: Estate, diary: Diary) -> tuple[str, ...]:
    """Choose whose turn it is: those that were never tried, then those that wait longest."""
    wanted = {name.casefold() for name in drill.machines}
    ready = [name for name in estate.machines if not wanted or estate.calls(name) & wanted]

    def waits(name: str) -> tuple[bool, Any, str]:
        last = diary.machines.get(name)
        return (last is not None, last.tried if last else None, name.casefold())

    return tuple(sorted(ready, key=waits)[: drill.at_once])


def not_ready(drill: Drill, estate: Estate) -> str:
    """Name the machines of a drill that could not be rehearsed now, or that there are not."""
    known = {each for name in estate.machines for each in estate.calls(name)}
    missing = [name for name in drill.machines if name.casefold() not in known]
    return f"not ready, or not there: {', '.join(missing[:_NAMED])}" if missing else ""


def request_for(drill: Drill, slot: datetime, machines: Iterable[str]) -> FailbackRequest:
    """Word the run that a drill asks for; its mode has no path to a failover."""
    return FailbackRequest(
        vault=drill.vault,
        machines=tuple(MachineRequest(name=name) for name in machines),
        mode=Mode.DRILL,
        test_failover=TestFailoverRequest(network_id=drill.network_id),
        validation=drill.validation,
        # Nobody need answer: when time is up, the rehearsal ends and is cleaned up.
        approvals=ApprovalPolicy(timeout=drill.time_to_live, on_timeout=OnTimeout.STOP),
        limits=Limits(max_parallel=drill.at_once),
        requested_by=f"drill {drill.name} of {slot:%F %H:%MZ}",
    )


def refused_machines(report: Report, asked: Iterable[str]) -> tuple[str, ...]:
    """Give the machines for which a run was refused; none where it was not, or not for a machine."""
    named = {(refusal.about or "").casefold() for refusal in report.refusals}
    return tuple(name for name in asked if name.casefold() in named)


def held(order: DrillOrder, reports: Sequence[Report], machines: Iterable[str], trouble: str = "") -> Held:
    """Sum up a drill from the reports of its runs; a machine that none of them rehearsed has failed."""
    parts = [each for report in reports for each in report.machines]
    good = tuple(each.name for each in parts if each.outcome is MachineOutcome.REHEARSED)
    proofs = [each.clean_up for each in parts if each.clean_up]
    words = [report.words for report in reports] + ([trouble] if trouble else [])
    return Held(
        drill=order.drill.name,
        slot=order.slot,
        runs=tuple(report.id for report in reports),
        words="; ".join(words) or "no machine was ready",
        rehearsed=good,
        failed=tuple(name for name in machines if name not in good),
        looked_for=sum(proof.looked_for for proof in proofs),
        left=sum(len(proof.left) for proof in proofs),
        proven=all(proof.is_proven for proof in proofs),
    )


def entered(diary: Diary, drill: Held) -> Diary:
    """Write a drill into the diary; written twice it stands there once."""
    runs = drill.runs or (run_id(drill.drill, drill.slot),)
    machines = dict(diary.machines)
    for name in (*drill.rehearsed, *drill.failed):
        before, done = machines.get(name), name in drill.rehearsed
        machines[name] = Rehearsed(
            tried=drill.slot,
            run=runs[-1],
            words="rehearsed and cleaned up" if done else drill.words[:300],
            succeeded=drill.slot if done else before and before.succeeded,
            succeeded_run=runs[-1] if done else before and before.succeeded_run,
        )
    others = (each for each in diary.held if (each.drill, each.slot) != (drill.drill, drill.slot))
    return Diary(machines=machines, held=(drill, *others)[:REMEMBERED])


def readiness(names: Iterable[str], diary: Diary, now: datetime, longest: timedelta) -> tuple[Check, ...]:
    """Check when each machine was last rehearsed well: an old rehearsal proves little."""
    return tuple(_ready(name, diary.machines.get(name), now, longest) for name in names)


def _ready(name: str, last: Rehearsed | None, now: datetime, longest: timedelta) -> Check:
    if last is None or last.succeeded is None:
        found = "no drill of it has succeeded yet"
    elif now - last.succeeded > longest:
        found = f"the last good one was {spoken(now - last.succeeded)} ago, run {last.succeeded_run}"
    else:
        found = f"rehearsed well {spoken(now - last.succeeded)} ago, run {last.succeeded_run}"
        return Check(name="last drill", verdict=Verdict.PASSED, evidence=found, about=name)
    remedy = f"rehearse it: a drill should have succeeded within {spoken(longest)}"
    return Check(name="last drill", verdict=Verdict.WARNED, evidence=found, remedy=remedy, about=name)

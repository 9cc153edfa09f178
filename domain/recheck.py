"""Whether what people approved is still what is there.

An approval is bound to what was shown: the state of each machine, the verdict of each check, the recovery point.
What became worse since, or is otherwise, voids it. Numbers that move from one minute to the next do not, nor does
a check that came out better.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Final

from domain.contract import Check, Facts, Verdict
from domain.journey import Journey
from domain.lifecycle import MachineState, in_words, state_of
from domain.machine import MachineSnapshot
from domain.planning import Plan, find, make_plan
from domain.request import FailbackRequest
from domain.wire import Answer

# A point that was there when it was approved, and is not any more.
PRUNED: Final = frozenset({"RecoveryPointNotFound", "RecoveryPointIncomplete"})
# The state is compared by itself, for a run's own acts change it; who may approve does not depend on Azure.
_NOT_AGAIN: Final = frozenset({"state", "approvers"})
_RANK: Final[Mapping[Verdict, int]] = {
    Verdict.PASSED: 0,
    Verdict.PENDING: 1,
    Verdict.WARNED: 1,
    Verdict.FAILED: 2,
}


class Seen(Answer):
    """What people were shown of one machine: where it stands, on which recovery point, how each check came out."""

    state: str
    verdicts: dict[str, Verdict] = {}
    # Absent in old runs, and where a machine was brought up from none.
    point: str | None = None


class RecheckRequest(Answer):
    """What to check again: machines with the recovery points that were approved, and what was shown of them."""

    request: FailbackRequest
    seen: dict[str, Seen]


class Changed(Answer):
    """Why an approval is void, and what is there now; `pruned` when the recovery point is gone."""

    why: tuple[str, ...]
    pruned: bool = False
    snapshot: MachineSnapshot | None = None
    checks: tuple[Check, ...] = ()


class Rechecked(Answer):
    """What is otherwise than it was shown, by machine."""

    as_of: datetime
    changed: dict[str, Changed] = {}


def checks_of(plan: Plan, journey: Journey) -> tuple[Check, ...]:
    """Give the checks that people are shown for a machine: its own and the run's, as they were done last."""
    return journey.checks if journey.checks is not None else _about(journey.name, plan.checks)


def _about(name: str, checks: Iterable[Check]) -> tuple[Check, ...]:
    return tuple(check for check in checks if check.about in {name, None})


def seen_of(plan: Plan, journey: Journey) -> Seen:
    """Say what people were shown of a machine."""
    checks = checks_of(plan, journey)
    planned = next((check.evidence for check in checks if check.name == "state"), journey.words)
    return Seen(
        state=in_words(journey.snapshot) if journey.snapshot else planned,
        verdicts={check.name: check.verdict for check in checks},
        point=_stands_on(journey.snapshot) if journey.snapshot else None,
    )


def _stands_on(snapshot: MachineSnapshot) -> str | None:
    """Name the recovery point that a machine was brought up from; another one is another machine to judge."""
    return snapshot.point if state_of(snapshot) in _BROUGHT_UP else None


_BROUGHT_UP: Final = frozenset({MachineState.AWAY_REHEARSED, MachineState.HOME_UNCOMMITTED})


def recheck(asked: RecheckRequest, facts: Facts) -> Rechecked:
    """Do the checks again, on facts just gathered, and say what is otherwise."""
    plan = make_plan(asked.request, facts)
    changed = {name: _compare(name, seen, plan, facts) for name, seen in asked.seen.items()}
    return Rechecked(as_of=facts.as_of, changed={name: each for name, each in changed.items() if each.why})


def _compare(name: str, seen: Seen, plan: Plan, facts: Facts) -> Changed:
    machine = next((each for each in find(name, facts) if each.snapshot.name == name), None)
    if machine is None:
        return Changed(why=("the vault does not list it any more",))
    checks, point = _about(name, plan.checks), plan.points.get(name)
    return Changed(
        why=(*_moved(seen, machine.snapshot), *_worse(seen, checks)),
        pruned=point is not None and point.refusal is not None and point.refusal.code in PRUNED,
        snapshot=machine.snapshot,
        checks=checks,
    )


def _moved(seen: Seen, snapshot: MachineSnapshot) -> Iterator[str]:
    now = in_words(snapshot)
    if now != seen.state:
        yield f"it was {seen.state}; now it is {now}"
    point = _stands_on(snapshot)
    if seen.point and point and point.casefold() != seen.point.casefold():
        yield f"it stood on recovery point {seen.point}; now it stands on {point}"


def _worse(seen: Seen, checks: Iterable[Check]) -> Iterator[str]:
    for check in checks:
        before = seen.verdicts.get(check.name, Verdict.PASSED)
        if check.name not in _NOT_AGAIN and _RANK[check.verdict] > _RANK[before]:
            yield f"{check.name} was {before.value} and is {check.verdict.value}: {check.evidence}"

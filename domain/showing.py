"""What people are shown at a gate: enough to decide, and nothing that moves while they read."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from domain.approvals import GateName
from domain.contract import Verdict
from domain.errors import bounded
from domain.journey import Journey, measure, point_used
from domain.lifecycle import Act, MachineState, in_words
from domain.machine import last_segment
from domain.planning import Plan
from domain.recheck import checks_of
from domain.request import FailbackRequest

# A storm's alerts are many; the request has all of their words.
_LONGEST_REASON: Final = 600


def row(plan: Plan, journey: Journey) -> dict[str, Any]:
    """Show one machine: where it is and goes, what was found, and from which recovery point."""
    subject, failover = journey.subject, journey.last_job(Act.FAIL_OVER)
    measured = measure(journey)
    shown: dict[str, Any] = {
        "name": subject.name,
        "vmName": subject.vm_name,
        "from": subject.away,
        "to": subject.home,
        "state": in_words(journey.snapshot) if journey.snapshot else journey.words,
        "choice": subject.point.to_wire(),
        "checks": [check.to_wire() for check in checks_of(plan, journey)],
    }
    if journey.void:
        shown["void"] = list(journey.void)
    if journey.rehearsal is not None and failover is None:
        shown["rehearsal"] = journey.rehearsal.to_wire()
        shown["rehearsedPoint"] = journey.rehearsed_point.to_wire() if journey.rehearsed_point else None
        shown["testVm"] = journey.snapshot.test_vm if journey.snapshot else None
        shown["testNetwork"] = subject.test_network
    if journey.validation is not None:
        shown["validation"] = journey.validation.to_wire()
    if journey.point is not None:
        shown["point"] = journey.point.to_wire()
    used, time = point_used(journey)
    if used is not None:
        shown["usedPoint"] = {"id": used, "time": time and time.isoformat()}
        shown["measured"] = measured.to_wire()
    if journey.offered and journey.failure is None:
        shown["offered"] = [point.to_wire() for point in journey.offered]
    if journey.failure is not None:
        shown["failure"] = journey.failure.to_wire()
    return shown


def notes(gate: GateName, request: FailbackRequest, *, skippable: bool = False) -> list[str]:
    """Say what an answer sets in motion, and what cannot be undone."""
    if gate is GateName.START:
        return [
            "approve: the run begins, with whatever its own gates ask",
            "stop: nothing is begun",
        ]
    if gate is GateName.FAILBACK:
        source = "is shut down first" if request.shut_down_source else "is left running"
        moves = f"the machine fails over to its home region, and the one in the secondary region {source}"
        if not request.test_failover.enabled:
            return [
                f"approve: {moves}",
                "changeRecoveryPoint: asks again with the point you name",
                "stop: the machine stays where it is",
            ]
        return [
            f"approve: the rehearsal is cleaned up, {moves}",
            "changeRecoveryPoint: the rehearsal is cleaned up and held again with the point you name",
            "stop: the rehearsal is cleaned up and the machine stays where it is",
        ]
    if gate is GateName.COMMIT:
        return [
            "approve: commits, which deletes all recovery points and cannot be undone; then re-protects",
            "changeRecoveryPoint: brings the machine back to the point you name, then asks again",
            "stop: leaves the machine failed over but uncommitted; it is not protected",
        ]
    return [
        "retry: looks at the machine again, then repeats what failed",
        *(["skip: goes on without it; the reason is kept in the report"] if skippable else []),
        "stop: leaves the machine where it is",
    ]


def proposed(request: FailbackRequest) -> list[str]:
    """Say which alert route proposed a run, when, and after which alerts; nothing where somebody asked for it."""
    told = request.proposed
    if told is None:
        return []
    after = f", after {bounded(told.reason, _LONGEST_REASON)}" if told.reason else ""
    return [f"alert route {told.route} proposed it at {told.at:%F %H:%MZ}{after}"]


def standing(journeys: Iterable[Journey]) -> list[str]:
    """Say what the test machines cost that stand while people think; nothing where none stands."""
    tests = [each.rehearsal for each in journeys if each.state is MachineState.AWAY_REHEARSED and each.rehearsal]
    costs = [test.monthly_estimate for test in tests if test.monthly_estimate is not None]
    if not costs:
        return []
    run = "1 test machine runs" if len(costs) == 1 else f"{len(costs)} test machines run"
    return [f"until then {run} in the isolated network, for about {sum(costs):.2f} USD a month"]


def may_pass_silently(gate: GateName, journey: Journey) -> bool:
    """Tell whether silence may approve: only what was checked, found well, and done as this run meant it.

    Not a machine whose approval was void before, not one with a check that failed when it was done again, and not
    one that somebody else's job brought to a recovery point of their own choice.
    """
    found = journey.rehearsal if gate is GateName.FAILBACK else journey.validation
    well = found is not None and found.verdict in {Verdict.PASSED, Verdict.WARNED}
    as_meant = _ours(journey, Act.TEST_FAILOVER) if gate is GateName.FAILBACK else _at_our_point(journey)
    failed = any(check.verdict is Verdict.FAILED for check in journey.checks or ())
    return well and as_meant and not failed and not journey.void


def _ours(journey: Journey, act: Act) -> bool:
    record = journey.last_job(act)
    return record is None or record.ours


def _at_our_point(journey: Journey) -> bool:
    record = journey.last_job(Act.CHANGE_POINT) or journey.last_job(Act.FAIL_OVER)
    if record is None or record.ours:
        return True
    meant = last_segment(journey.point.id) if journey.point and journey.point.id else None
    used, _ = point_used(journey)
    return meant is not None and used is not None and used.casefold() == meant.casefold()

"""A drill: rehearse the machines whose turn it is, clean up, and write down how it went."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from domain import contract
from domain.drills import Diary, DrillOrder, Estate, choose, held, not_ready, refused_machines, request_for, run_id
from domain.report import Report, RunOutcome
from orchestrators import steps
from orchestrators.context import Context, Runbook

# A machine that must not be rehearsed now holds up no other: the rest is asked for once more.
_ATTEMPTS: Final = 2


def drill(context: Context) -> Runbook[dict[str, Any]]:
    """Hold one drill of the calendar.

    1. Choose    those that wait longest for a drill, of those that could be rehearsed now
    2. Rehearse  a run in drill mode: test failover, validation, clean-up, proof
    3. Remember  each machine's last good drill, and what was left behind
    """
    order = DrillOrder.from_wire(context.get_input())
    key = contract.lock_key(order.drill.vault, "drills")

    # 1. Choose
    diary = Diary.from_wire((yield from steps.ask_entity(context, contract.DRILL_DIARY, key, "read")))
    estate, trouble = yield from _estate(context, order)
    names = choose(order.drill, estate, diary)
    words = [trouble or not_ready(order.drill, estate)]

    # 2. Rehearse
    context.set_custom_status({"drill": order.drill.name, "machines": list(names)})
    reports: list[Report] = []
    if names:
        words.append((yield from _rehearse(context, order, names, reports)))

    # 3. Remember
    done = held(order, reports, names, "; ".join(filter(None, words)))
    yield from steps.ask_entity(context, contract.DRILL_DIARY, key, "enter", done.to_wire())
    return done.to_wire()


def _estate(context: Context, order: DrillOrder) -> Runbook[tuple[Estate, str]]:
    try:
        estate = yield from steps.call(context, contract.DRILL_ESTATE, order, Estate)
    except Exception as error:  # noqa: BLE001 - types do not survive the wire; a drill that cannot be held is written down
        return Estate(), f"the vault could not be read: {steps.first_line(error)}"
    return estate, ""


def _rehearse(context: Context, order: DrillOrder, names: Sequence[str], reports: list[Report]) -> Runbook[str]:
    """Run the rehearsal, without those for which it is refused; say what broke, if anything did."""
    run, left, attempt = run_id(order.drill.name, order.slot), list(names), 0
    while True:
        attempt += 1
        request = request_for(order.drill, order.slot, left).to_wire()
        name = run if attempt == 1 else f"{run}-{attempt}"
        try:
            answer = yield context.call_sub_orchestrator(contract.FAILBACK, request, name)
        except Exception as error:  # noqa: BLE001 - a run that broke is written down like any other
            return f"run {name} broke: {steps.first_line(error)}"
        report = Report.from_wire(answer)
        reports.append(report)
        out = refused_machines(report, left)
        left = [each for each in left if each not in out]
        if report.outcome is not RunOutcome.REFUSED or not out or not left or attempt == _ATTEMPTS:
            return ""

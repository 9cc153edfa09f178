"""Sweeping up: finding what tests left behind, removing what is ours, and saying what remains."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any, Final

from domain import contract
from domain.left_over_news import left_over_notice, not_told
from domain.leftovers import (
    REGISTER,
    Deleted,
    DeleteRequest,
    LeftOver,
    Register,
    SweepOrder,
    Swept,
    TestSeen,
    Traces,
    held_by,
    left_overs,
    swept,
    to_clean_up,
    to_delete,
)
from domain.leg import StageName, Task
from domain.stage import begin
from orchestrators import steps
from orchestrators.cleaning import take_inventory
from orchestrators.context import Context, Runbook
from orchestrators.stage import Passage

# A card can go when its machine has gone, which takes a minute or two.
_PASSES: Final = 4
_BETWEEN: Final = timedelta(minutes=2)


def sweep(context: Context) -> Runbook[dict[str, Any]]:
    """Sweep vaults, or only look.

    1. Look      what is there that a test may have left?
    2. Clean up  test failovers of ours that outlived their time, through Site Recovery
    3. Delete    what is ours and should have gone with a clean-up
    4. Look      again, and write down what is left
    5. Tell      people, when something is left that was not there the last time, or a run has held it for too long
    """
    order = SweepOrder.from_wire(context.get_input())
    register = Register.from_wire((yield from steps.ask_entity(context, contract.TEST_REGISTER, REGISTER, "read")))
    traced = [each.vault for each in register.traces] if order.traced else []
    found: dict[str, Swept] = {}
    for vault in {each.casefold(): each for each in (*traced, *order.vaults)}.values():
        found[vault] = yield from _sweep(context, order, vault, register.of(vault))
        if order.cleans:
            yield from _tell(context, order, found[vault], register.swept.get(vault.casefold()))
    return {"swept": [each.to_wire() for each in found.values()]}


def _sweep(context: Context, order: SweepOrder, vault: str, traces: Sequence[Traces]) -> Runbook[Swept]:
    # 1. Look
    ids = [one for each in traces for one in each.ids]
    inventory = yield from take_inventory(context, vault, ids, everything=True)
    before = yield from _held(context, vault, left_overs(inventory, traces))
    free = _not_held(before) if order.cleans else ()

    # 2. Clean up
    overdue = to_clean_up(free, traces, inventory.as_of, order.time_to_live)
    tests = [each for each in inventory.tests if each.machine in overdue]
    if tests:
        yield from _clean_up(context, vault, tests)

    # 3. Delete
    for _ in range(_PASSES):
        doomed = to_delete(free)
        if not doomed:
            break
        yield from steps.call(context, contract.DELETE_LEFT_OVERS, DeleteRequest(ids=doomed), Deleted)
        yield context.create_timer(steps.after(context, _BETWEEN))
        inventory = yield from take_inventory(context, vault, ids, everything=True)
        free = _not_held((yield from _held(context, vault, left_overs(inventory, traces))))

    # 4. Look again
    if tests:
        inventory = yield from take_inventory(context, vault, ids, everything=True)
    found = swept(vault, before, traces, inventory)
    found = found.having(left=(yield from _held(context, vault, found.left)))
    if order.cleans:
        yield from steps.ask_entity(context, contract.TEST_REGISTER, REGISTER, "sweep", found.to_wire())
        gone = [one for one in ids if inventory.proves_gone(one)]
        yield from steps.ask_entity(context, contract.TEST_REGISTER, REGISTER, "gone", {"ids": gone})
    return found


def _held(context: Context, vault: str, found: Sequence[LeftOver]) -> Runbook[tuple[LeftOver, ...]]:
    """Say which run holds the machine of each left-over: that run has its own plans with it."""
    machines = sorted({each.machine for each in found if each.machine})
    keys = [contract.lock_key(vault, machine) for machine in machines]
    locks = yield from steps.ask_entities(context, contract.MACHINE_LOCK, keys, "read")
    holders = {machine: lock["holder"] for machine, lock in zip(machines, locks, strict=True) if lock["holder"]}
    return held_by(found, holders)


def _not_held(found: Sequence[LeftOver]) -> tuple[LeftOver, ...]:
    return tuple(each for each in found if each.holder is None)


def _clean_up(context: Context, vault: str, tests: Sequence[TestSeen]) -> Runbook[None]:
    """Let Site Recovery clean test failovers up, holding their machines meanwhile."""
    me, occasion = context.instance_id, f"{context.instance_id}:clean_up"
    keys = {each.machine: contract.lock_key(vault, each.machine) for each in tests}
    locks = yield from steps.ask_entities(context, contract.MACHINE_LOCK, keys.values(), "take", {"run": me})
    mine = [each for each, lock in zip(tests, locks, strict=True) if lock["holder"] == me]
    task = Task(run=me, occasion=occasion, stage=StageName.CLEAN_UP, vault=vault, comment=f"failback {me}")
    passage = Passage(task=task, legs=begin([each.subject for each in mine], {}, {}))
    try:
        yield context.call_sub_orchestrator(contract.STAGE, passage.to_wire(), occasion)
    except Exception as error:  # noqa: BLE001 - the next look shows what is left, whatever broke
        context.set_custom_status({"words": f"the clean-up broke: {steps.first_line(error)}"})
    yield from steps.ask_entities(
        context, contract.MACHINE_LOCK, [keys[each.machine] for each in mine], "release", {"run": me}
    )


def _tell(context: Context, order: SweepOrder, found: Swept, before: Swept | None) -> Runbook[None]:
    """Tell people what is left, once for each thing that is; telling never fails."""
    news = not_told(found, before, order.time_to_live)
    if news:
        notice = left_over_notice(context.instance_id, found, news).to_wire()
        yield context.call_sub_orchestrator(contract.HERALD, notice, f"{context.instance_id}:{notice['id']}")

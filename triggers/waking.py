"""Waking what an alert is about: a stage looks at once instead of at its next tick, a gate heeds a withdrawal.

Everything here only hurries what would happen anyway, so whatever fails costs one tick and nothing more.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Final

from azure.durable_functions import EntityId

from domain import alert_desk, contract
from domain.alert_desk import Desk
from domain.alert_routes import Part, Routes
from domain.alerts import Alert
from domain.lenient import listed, table, text
from domain.machine import last_segment
from domain.proposals import Call
from triggers import runs
from triggers.client import Client

# A storm must not make a stage look at Azure all the time, nor the door ask the same thing: once is enough for a
# while.
_AGAIN_AFTER: Final = 5.0
# A storm of bad news need not ask all the time whether there is something to withdraw.
_QUIET: Final = 1.0
_REMEMBERED: Final = 256
_VAULTS: Final = 20
# How many of the newest runs are asked whether they are busy with the alert's vault.
_NEWEST: Final = 20
_lately: OrderedDict[tuple[str, ...], float] = OrderedDict()
# The virtual machines that the busy runs of a vault carry, as they were asked for lately.
_names: dict[str, dict[str, frozenset[str]]] = {}


async def wake(client: Client, alert: Alert, routes: Routes, calls: tuple[Call, ...]) -> None:
    """Wake the runs that an alert is about, as its routes say, and those whose proposal it takes back."""
    by_name = {route.name: route for route in routes.routes}
    for call in calls:
        waking = by_name[call.route].wake
        if waking is not None:
            for run in await _concerned(client, alert, alert.vault or waking.vault):
                if not _was_lately(run):
                    await _nudge(client, run)
        elif call.hit.proposes and call.hit.part in {Part.UNSETTLES, Part.TAKES_BACK}:
            await _withdraw(client, call)


async def _concerned(client: Client, alert: Alert, vault: str | None) -> list[str]:
    """Find the runs that hold the alert's machine, by any of its names; without a name, those of the vault."""
    if vault is None or _was_lately(vault.casefold(), *alert.machines):
        return []
    if not alert.machines:
        return await _busy_with(client, vault)
    keys = [contract.lock_key(vault, name) for name in alert.machines]
    locks = [await client.read_entity_state(EntityId(contract.MACHINE_LOCK, key)) for key in keys]
    found = [runs.document(lock.entity_state).get("holder") for lock in locks if lock.entity_exists]
    holders = list(dict.fromkeys(str(holder) for holder in found if holder))
    return holders or await _known_otherwise(client, vault, alert.machines)


async def _known_otherwise(client: Client, vault: str, machines: Iterable[str]) -> list[str]:
    """Find the runs whose stage carries a machine by the name of its virtual machine or of its test machine.

    A protected item may have quite another name, and locks are kept by that.
    """
    if not _was_lately("names", vault.casefold()):
        _names[vault.casefold()] = {run: await _carried(client, run) for run in await _busy_with(client, vault)}
        while len(_names) > _VAULTS:
            del _names[next(iter(_names))]
    wanted = {each.casefold() for each in machines}
    return [run for run, names in _names.get(vault.casefold(), {}).items() if names & wanted]


async def _carried(client: Client, run: str) -> frozenset[str]:
    """Give the names of the virtual machines that a run's stage carries now; none where it is at no stage."""
    child = runs.document((await client.get_status(run)).custom_status).get("child")
    passage = runs.document((await client.get_status(str(child), show_input=True)).input_) if child else {}
    legs = [{**table(leg, "subject"), **table(leg, "snapshot")} for leg in listed(passage.get("legs"))]
    names = [last_segment(text(leg, name)) for leg in legs for name in ("vmName", "testVm")]
    return frozenset(name.casefold() for name in names if name)


async def _busy_with(client: Client, vault: str) -> list[str]:
    register = await client.read_entity_state(EntityId(contract.RUN_REGISTER, "all"))
    known: list[str] = runs.document(register.entity_state).get("runs", []) if register.entity_exists else []
    statuses = [await client.get_status(run, show_input=True) for run in known[:_NEWEST]]
    wanted = vault.rstrip("/").casefold()
    return [
        str(status.instance_id)
        for status in statuses
        if not runs.has_finished(status)
        and str(runs.document(status.input_).get("vault", "")).rstrip("/").casefold() == wanted
    ]


def _was_lately(*what: str) -> bool:
    """Tell whether this was done a moment ago; from here on it was."""
    if time.monotonic() - _lately.get(what, -_AGAIN_AFTER) < _AGAIN_AFTER:
        return True
    _remember(what)
    return False


def _remember(what: tuple[str, ...]) -> None:
    _lately[what] = time.monotonic()
    _lately.move_to_end(what)
    while len(_lately) > _REMEMBERED:
        _lately.popitem(last=False)


async def _nudge(client: Client, run: str) -> None:
    status = await client.get_status(run)
    if not runs.has_finished(status):
        await runs.wake(client, runs.document(status.custom_status).get("child"))


async def desk_of(client: Client, route: str) -> Desk:
    """Read what a route remembers."""
    state = await client.read_entity_state(EntityId(contract.ALERT_DESK, route))
    return Desk.from_wire(runs.document(state.entity_state)) if state.entity_exists else Desk()


async def _withdraw(client: Client, call: Call) -> None:
    """Withdraw a proposed run at once; the desk does the same, a little later and surely."""
    matter = ("nothing proposed", call.route, call.hit.storm)
    if time.monotonic() - _lately.get(matter, -_QUIET) < _QUIET:
        return
    # A desk is long, and is read as a desk only where there is something to withdraw.
    state = await client.read_entity_state(EntityId(contract.ALERT_DESK, call.route))
    told = runs.document(state.entity_state) if state.entity_exists else {}
    if not told.get("storms", {}).get(call.hit.storm, {}).get("run"):
        # Bad news keeps a proposal from being made for a while; what is taken back does not.
        if call.hit.part is Part.UNSETTLES and call.hit.timing.stable_for.total_seconds() > _QUIET:
            _remember(matter)
        return
    now = datetime.now(UTC)
    after, _ = alert_desk.take(Desk.from_wire(told), call.hit, now)
    storm = after.storms.get(call.hit.storm)
    if storm is None or storm.run is None or storm.withdrawn is None or storm.ending is not None:
        return
    about = {"reason": storm.withdrawn, "at": now.isoformat()}
    await client.signal_entity(EntityId(contract.CONTROL, storm.run), "withdraw", about)
    await _nudge(client, storm.run)

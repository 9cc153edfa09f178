"""Finding runs, and telling where they are, from what the durable host remembers of them."""

from __future__ import annotations

import asyncio
import json
import re
import time
from collections.abc import AsyncIterator
from http import HTTPStatus
from typing import Any, Final, cast

from azure.durable_functions import EntityId

from domain import contract
from triggers.client import FINISHED, Client, RunStatus, state_of
from triggers.problems import ProblemError

RUN_ID: Final = "fb-"
# Ids go into the durable client's URLs as they are; nothing but ours may.
_RUN: Final = re.compile(r"fb-[a-z0-9-]{1,40}")
Document = dict[str, Any]


def parsed(value: Any) -> Any:
    """Read a value that the durable client may have left as JSON text."""
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except ValueError:
        return value


def document(value: Any) -> Document:
    """Read a value that is a JSON object; anything else is an empty one."""
    value = parsed(value)
    return cast("Document", value) if isinstance(value, dict) else {}


async def beats(within: float) -> AsyncIterator[None]:
    """Give moments to look again, ever further apart up to a second, for so many seconds."""
    give_up, pause = time.monotonic() + within, 0.05
    while time.monotonic() < give_up:
        yield
        await asyncio.sleep(pause)
        pause = min(pause * 1.5, 1.0)


async def find(client: Client, run: str, *, show_input: bool = False) -> RunStatus:
    """Find a run.

    Raises:
        ProblemError: 404 when there is none of this id.
    """
    status = await client.get_status(run, show_input=show_input) if _RUN.fullmatch(run) else None
    if status is None or state_of(status) is None or status.name != contract.FAILBACK:
        raise ProblemError(
            HTTPStatus.NOT_FOUND, f"there is no run {run[:80]}", "GET /api/failbacks lists the runs"
        )
    return status


def has_finished(status: RunStatus) -> bool:
    """Tell whether a run will not move again."""
    return state_of(status) in FINISHED


def outcome(status: RunStatus) -> str | None:
    """Give a finished run's outcome; one that broke has failed."""
    if not has_finished(status):
        return None
    return document(status.output).get("outcome") or "failed"


async def newest(client: Client, most: int) -> list[Document]:
    """Tell the main things about the newest runs, the newest first."""
    register = await client.read_entity_state(EntityId(contract.RUN_REGISTER, "all"))
    known: list[str] = document(register.entity_state).get("runs", []) if register.entity_exists else []
    statuses = await asyncio.gather(*(client.get_status(run, show_input=True) for run in known[:most]))
    return [
        {**summary(status), "machines": len(document(status.input_).get("machines", []))}
        for status in statuses
        if status.instance_id
    ]


async def describe(client: Client, status: RunStatus) -> Document:
    """Tell everything about one run: its phase, its machines, its open gate."""
    shown, asked = document(status.custom_status), document(status.input_)
    child = await _child(client, status, shown)
    gate = shown.get("gate") if not has_finished(status) else None
    return {
        **summary(status),
        "vault": asked.get("vault"),
        "requestedBy": asked.get("requestedBy"),
        "planHash": shown.get("planHash"),
        "group": shown.get("group", 0),
        "groups": shown.get("groups", 0),
        "machines": _machines(shown, child),
        "counts": child.get("counts") or shown.get("counts"),
        "blind": child.get("blind"),
        "paused": None if has_finished(status) else await _paused(client, str(status.instance_id)),
        "gates": [opened] if gate and (opened := await _gate(client, str(shown.get("child")))) else [],
        "strays": await strays_of(client, str(status.instance_id)),
    }


def summary(status: RunStatus) -> Document:
    """Tell the main things about one run."""
    shown, asked = document(status.custom_status), document(status.input_)
    broke = state_of(status) in FINISHED - {"Completed"}
    return {
        "id": status.instance_id,
        "mode": asked.get("mode", "failback"),
        "phase": "done" if has_finished(status) else shown.get("phase", "look"),
        "words": f"the run broke: {str(status.output)[:500]}" if broke else shown.get("words", "starting"),
        "outcome": outcome(status),
        # A run of many groups is made anew for each; it knows itself when it began.
        "startedAt": shown.get("startedAt") or _time(status.created_time),
        "updatedAt": _time(status.last_updated_time),
    }


def _time(value: Any) -> str | None:
    return value.strftime("%Y-%m-%dT%H:%M:%SZ") if value is not None else None


def _machines(shown: Document, child: Document) -> list[Document]:
    """Put what a stage shows of its machines over what the run remembers of them."""
    nearer = {each["name"]: each for each in child.get("machines", [])}
    known = [{**each, **nearer.pop(each["name"], {})} for each in shown.get("machines", [])]
    return [*known, *nearer.values()]


async def _child(client: Client, status: RunStatus, shown: Document) -> Document:
    child = shown.get("child")
    if not child or has_finished(status):
        return {}
    return document((await client.get_status(str(child))).custom_status)


async def _gate(client: Client, key: str) -> Document | None:
    """Tell what a gate asks and who has answered, from its ledger."""
    ledger = await ledger_of(client, key)
    if ledger is None or ledger.get("closed"):
        return None
    question = ledger["question"]
    told = ("gate", "round", "machines", "offers", "shown", "policy", "askedAt", "deadline")
    return {
        **{name: question.get(name) for name in told},
        "key": key,
        "planHash": ledger["hash"],
        "decisions": ledger.get("entries", []),
    }


async def ledger_of(client: Client, key: str) -> Document | None:
    """Read a gate's ledger, with the hash that decisions must name."""
    state = await client.read_entity_state(EntityId(contract.LEDGER, key))
    ledger = document(state.entity_state) if state.entity_exists else {}
    return ledger if "question" in ledger else None


async def _paused(client: Client, run: str) -> str | None:
    """Say by whom and why a run is held, from when that was asked for."""
    state = await client.read_entity_state(EntityId(contract.CONTROL, run))
    return document(state.entity_state).get("paused") if state.entity_exists else None


async def strays_of(client: Client, run: str) -> list[Document]:
    """Give the decisions on a run that no gate took in, the newest last."""
    state = await client.read_entity_state(EntityId(contract.DECISIONS, run))
    return document(state.entity_state).get("strays", []) if state.entity_exists else []


async def wake(client: Client, child: str | None) -> None:
    """Wake whatever part of a run is waiting; a wake-up that fails costs one tick, nothing more."""
    if not child:
        return
    listening = document((await client.get_status(child)).custom_status).get("listen")
    if listening:
        # The part may have moved on meanwhile; then it has looked already.
        await asyncio.gather(client.raise_event(child, str(listening), {}), return_exceptions=True)

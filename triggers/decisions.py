"""The door for decisions: stored and judged before they are acknowledged.

What counts for nothing is kept too, and why: in the gate's ledger, or beside it where no gate takes it in.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from http import HTTPStatus
from typing import Any, Final

import azure.functions as func
from azure.durable_functions import EntityId

from domain import contract
from domain.errors import Refusal
from domain.gate import DecisionRequest, Entry, Judgement
from domain.people import Caller, Role
from domain.tally import Ledger, faults, judge
from identity import clock
from triggers import people, runs
from triggers.client import Client, RunStatus
from triggers.problems import ProblemError, answer, read

# An entity answers within a few queue polls; a decision that is not judged by then is still stored.
JUDGED_WITHIN: Final = 25.0
LARGEST: Final = 262_144
# Whoever has one of these may come in; the gate's policy says who of them counts.
DECIDERS: Final = (Role.APPROVER, Role.ADMIN, Role.BREAK_GLASS)

_STATUS: Final = {
    Judgement.NOT_PERMITTED: HTTPStatus.FORBIDDEN,
    Judgement.STALE: HTTPStatus.CONFLICT,
    Judgement.DUPLICATE: HTTPStatus.CONFLICT,
    Judgement.LATE: HTTPStatus.GONE,
    Judgement.UNFIT: HTTPStatus.BAD_REQUEST,
}
_TITLES: Final = {
    Judgement.NOT_PERMITTED: "this person may not decide here",
    Judgement.STALE: "the decision is stale",
    Judgement.DUPLICATE: "this is decided already",
    Judgement.LATE: "the gate is closed",
    Judgement.UNFIT: "the decision does not fit the gate",
}


async def decide(req: func.HttpRequest, client: Client) -> func.HttpResponse:
    """Record a person's decision at a gate: 200 once it counts, else why it does not."""
    caller, request = people.person(req), read(req, DecisionRequest, LARGEST)
    run = req.route_params["id"]
    entry = await submit(client, run, caller, request, entry=_named(req, caller, run))
    return answer({"id": entry.id, "by": entry.by, "judgement": Judgement.RECORDED.value})


async def turned_away(req: func.HttpRequest, client: Client, caller: Caller) -> None:
    """Keep the decision of somebody whose roles do not let them decide at all."""
    request, run = read(req, DecisionRequest, LARGEST), req.route_params["id"]
    await runs.find(client, run)
    why = "has no role that may decide"
    await keep(client, run, caller, request, judgement=Judgement.NOT_PERMITTED, why=why)


async def submit(
    client: Client, run: str, caller: Caller, request: DecisionRequest, *, entry: str | None = None
) -> Entry:
    """Store a decision, wait until the gate's ledger has judged it, and give it back if it counts.

    What is sent again under the same `entry` is no second decision: once it counts, it is given back as it was
    recorded, also when its gate is closed meanwhile. Under an `entry` that does not count yet, another may come.

    Raises:
        ProblemError: it does not count: 403 who may not, 404 no such run, 409 stale, duplicate, or an `entry`
            that stands for another decision, 410 over, 400 unfit; 503 if it is stored but not judged yet.
    """
    made = _entry(caller, request, entry or uuid.uuid4().hex)
    status = await runs.find(client, run)
    if entry is not None and (counted := await _counted(client, run, entry)) is not None:
        return _same(counted, made)
    if (reason := _not_theirs(caller, request)) is not None:
        raise await _kept(client, run, made, Judgement.NOT_PERMITTED, reason)
    key, ledger = await _open_gate(client, status, made)
    if entry is not None:
        # What will not count must not use the name up: a link, or a key, is good for one that does.
        made = made if _would_count(ledger, made) else made.having(id=f"{entry}-{uuid.uuid4().hex[:8]}")
        await client.signal_entity(EntityId(contract.DECISIONS, run), "sent", {"id": made.id, "key": key})
    await client.signal_entity(EntityId(contract.LEDGER, key), "decide", made.to_wire())
    judged = _same(await _judged(client, key, made.id), made)
    if judged.judgement is not Judgement.RECORDED:
        raise _not_recorded(judged, caller, faults(ledger.question, made))
    await runs.wake(client, key)
    return judged


async def _counted(client: Client, run: str, entry: str) -> Entry | None:
    """Find what counts under a name that was sent before."""
    state = await client.read_entity_state(EntityId(contract.DECISIONS, run))
    sent: dict[str, str] = runs.document(state.entity_state).get("sent", {}) if state.entity_exists else {}
    ledger = await runs.ledger_of(client, sent[entry]) if entry in sent else None
    found = _find(ledger or {}, entry)
    return found if found is not None and found.judgement is Judgement.RECORDED else None


def _find(ledger: runs.Document, entry: str) -> Entry | None:
    entries: list[runs.Document] = ledger.get("entries", [])
    return next((Entry.from_wire(each) for each in entries if each["id"] == entry), None)


def _same(judged: Entry, made: Entry) -> Entry:
    """Give back what was judged, if it is what was sent.

    Raises:
        ProblemError: 409, for its name stands for something else.
    """
    sent = made if judged.judgement is Judgement.RECORDED else made.in_brief
    if _what(judged) == _what(sent):
        return judged
    detail = "its key, or the link it came by, stands for another decision; that one was judged, this one not"
    raise ProblemError(HTTPStatus.CONFLICT, _TITLES[Judgement.DUPLICATE], detail, judgement="duplicate")


def _would_count(ledger: Ledger, entry: Entry) -> bool:
    """Tell what the ledger will most likely say; its own word decides."""
    return any(each.id == entry.id for each in judge(ledger, entry).recorded)


def _named(req: func.HttpRequest, caller: Caller, run: str) -> str | None:
    """Name a decision by its Idempotency-Key, so that sending it again is no second one."""
    key = people.said(req, "Idempotency-Key")
    return uuid.uuid5(uuid.NAMESPACE_URL, f"failback:{run}:{caller.id}:{key}").hex if key else None


def _entry(caller: Caller, request: DecisionRequest, name: str) -> Entry:
    """Put a decision together with who made it: what the person sent never says who they are."""
    who = {
        "id": name,
        "by": caller.name,
        "byId": caller.id,
        "also": caller.also,
        "groups": caller.groups,
        "roles": caller.roles,
        "method": caller.method,
        "address": caller.address,
        "at": clock.now(),
    }
    if request.to is not None:
        known = people.settings()
        delegate = known.person_id(request.to)
        who["toAlso"] = (delegate, *known.names_of(delegate))
    return Entry.from_wire({**request.to_wire(), **who})


def _what(entry: Entry) -> dict[str, Any]:
    """Give what somebody decided, without what the ledger made of it and when it came."""
    known = entry.to_wire()
    return {
        name: known.get(name)
        for name in (
            "by",
            "gate",
            "decision",
            "comment",
            "machines",
            "recoveryPoints",
            "planHash",
            "notBefore",
            "breakGlass",
            "to",
        )
    }


def _not_theirs(caller: Caller, request: DecisionRequest) -> str | None:
    """Say why somebody may not send this decision, whatever the gate's policy says."""
    if caller.is_app:
        return "is an app, and only people decide"
    if request.break_glass and not caller.has(Role.BREAK_GLASS):
        return f"may not break the glass without the role {Role.BREAK_GLASS}"
    if not request.break_glass and not caller.has(Role.APPROVER, Role.ADMIN):
        return f"has neither the role {Role.APPROVER} nor {Role.ADMIN}"
    return None


async def _open_gate(client: Client, status: RunStatus, entry: Entry) -> tuple[str, Ledger]:
    """Find the ledger of the gate that is asked at now.

    Raises:
        ProblemError: 410 when the run has ended, 409 when it does not ask there.
    """
    run = str(status.instance_id)
    if runs.has_finished(status):
        raise await _kept(client, run, entry, Judgement.LATE, f"run {run} has ended; its report says how")
    shown = runs.document(status.custom_status)
    if shown.get("gate") != entry.gate.value or not shown.get("child"):
        now = f"it asks at gate {shown['gate']}" if shown.get("gate") else f"now: {shown.get('words', 'starting')}"
        why = f"the run does not ask at gate {entry.gate.value}; {now}"
        raise await _kept(client, run, entry, Judgement.STALE, why)
    key = str(shown["child"])
    ledger = await runs.ledger_of(client, key)
    if ledger is None:
        raise ProblemError(HTTPStatus.CONFLICT, "the gate is just being opened", "read the run again, then decide")
    return key, Ledger.from_wire(ledger)


async def _judged(client: Client, key: str, entry: str) -> Entry:
    """Wait until the ledger has judged a decision."""
    async for _ in runs.beats(JUDGED_WITHIN):
        found = _find(await runs.ledger_of(client, key) or {}, entry)
        if found is not None:
            return found
    await runs.wake(client, key)
    raise ProblemError(
        HTTPStatus.SERVICE_UNAVAILABLE,
        "the decision is stored but not judged yet",
        f"GET the run again before deciding anew: decision {entry} shows there once it is judged",
    )


async def keep(
    client: Client, run: str, caller: Caller, request: DecisionRequest, *, judgement: Judgement, why: str
) -> None:
    """Keep what somebody sent that reached no gate, and why it did not."""
    await _keep(client, run, _entry(caller, request, uuid.uuid4().hex), judgement, why)


async def _keep(client: Client, run: str, entry: Entry, judgement: Judgement, why: str) -> Entry:
    """Keep a decision that reaches no gate's ledger with the run it was meant for."""
    judged = entry.having(judgement=judgement, why=why)
    await client.signal_entity(EntityId(contract.DECISIONS, run), "stray", judged.to_wire())
    return judged


async def _kept(client: Client, run: str, entry: Entry, judgement: Judgement, why: str) -> ProblemError:
    return _not_recorded(await _keep(client, run, entry, judgement, why))


def _not_recorded(entry: Entry, caller: Caller | None = None, unfit: Iterable[Refusal] = ()) -> ProblemError:
    judgement = entry.judgement or Judgement.UNFIT
    detail = f"{entry.by} {entry.why}" if judgement is Judgement.NOT_PERMITTED else entry.why
    if judgement is Judgement.NOT_PERMITTED and caller is not None and caller.groups_unknown:
        detail += f". {people.GROUPS_UNKNOWN}"
    found = unfit if judgement is Judgement.UNFIT else ()
    return ProblemError(_STATUS[judgement], _TITLES[judgement], detail, found, judgement=judgement.value)

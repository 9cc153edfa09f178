"""The doors to what tests leave behind, and to the drills that were held."""

from __future__ import annotations

import os
import uuid
from collections.abc import Mapping
from datetime import datetime
from http import HTTPStatus
from typing import Final

import azure.functions as func
from azure.durable_functions import EntityId
from pydantic import TypeAdapter, ValidationError

from domain import contract
from domain.drills import Diary, Drill
from domain.leftovers import SweepOrder, Swept
from domain.request import FailbackRequest
from domain.settings import Settings
from domain.wire import Answer
from identity import clock
from triggers import runs
from triggers.client import Client
from triggers.problems import ProblemError, answer, bad, fault_of
from triggers.schedule import next_slot

# A look lists a few resource groups; the platform cuts an HTTP answer off after 230 s.
_WITHIN: Final = 120.0
_SWEPT: Final = TypeAdapter(tuple[Swept, ...])


class LeftOvers(Answer):
    """What was found in each vault, looked for just now; nothing was changed."""

    vaults: tuple[Swept, ...]


class Drills(Answer):
    """The calendar, when each drill is next, and for each of its vaults what is remembered of its drills.

    A drill that is never held, because its cron is none, is next at null.
    """

    calendar: tuple[Drill, ...]
    next: dict[str, datetime | None]
    diaries: dict[str, Diary]


async def show_left_overs(req: func.HttpRequest, client: Client) -> func.HttpResponse:
    """List what test failovers left behind, with its age, an estimate of its monthly cost, and whose it is."""
    asked = (req.params.get("vault") or "").strip()
    vaults = {each.vault.casefold(): each.vault for each in _calendar()}
    if asked:
        vaults[_vault(asked).casefold()] = asked
    name = f"leftovers-{uuid.uuid4().hex[:12]}"
    order = SweepOrder(vaults=tuple(vaults.values()), cleans=False)
    await client.start_new(contract.SWEEP, name, order.to_wire())
    async for _ in runs.beats(_WITHIN):
        status = await client.get_status(name)
        if runs.has_finished(status):
            found = runs.document(status.output).get("swept")
            await client.purge_instance_history(name)
            if found is None:
                raise ProblemError(HTTPStatus.INTERNAL_SERVER_ERROR, "the look broke", "the app's log says why")
            return answer(LeftOvers(vaults=_SWEPT.validate_python(found)).to_wire())
    detail = "Azure answers slowly; ask again in a minute"
    raise ProblemError(HTTPStatus.GATEWAY_TIMEOUT, "the look takes too long", detail)


async def show_drills(req: func.HttpRequest, client: Client) -> func.HttpResponse:
    """Show the calendar of drills, each machine's last good drill, and the drills that were held."""
    del req
    calendar = _calendar()
    diaries: dict[str, Diary] = {}
    for vault in {each.vault.casefold(): each.vault for each in calendar}.values():
        entity = EntityId(contract.DRILL_DIARY, contract.lock_key(vault, "drills"))
        state = await client.read_entity_state(entity)
        diaries[vault] = Diary.from_wire(runs.document(state.entity_state) if state.entity_exists else {})
    coming = {drill.name: next_slot(drill, clock.now()) for drill in calendar}
    return answer({**Drills(calendar=calendar, next=coming, diaries=diaries).to_wire(), "next": _told(coming)})


def _told(coming: Mapping[str, datetime | None]) -> dict[str, str | None]:
    """Tell moments, and those that never come, which the wire leaves out."""
    return {name: f"{at:%FT%TZ}" if at else None for name, at in coming.items()}


def _calendar() -> tuple[Drill, ...]:
    return Settings.from_environment(os.environ).drills.drills


def _vault(asked: str) -> str:
    """Take a vault's id, as the start request would.

    Raises:
        ProblemError: 400.
    """
    try:
        return FailbackRequest.model_validate({"vault": asked, "machines": ["any"]}).vault
    except ValidationError as fault:
        raise bad([fault_of(each) for each in fault.errors(include_url=False)]) from None

"""Whether the app lives, for anybody; what it depends on, for those who may read."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from http import HTTPStatus
from typing import Any, Final

import azure.functions as func
from azure.durable_functions import EntityId

from domain import contract
from domain.settings import Identity, Settings
from triggers import people
from triggers.answers import Alive, Dependencies, Dependency
from triggers.client import Client
from triggers.problems import answer

_WITHIN: Final = 5.0
OK, OFF, DOWN = "ok", "off", "down"


async def show_health(req: func.HttpRequest, client: Client) -> func.HttpResponse:
    """Say that the app answers, and nothing else."""
    del req, client
    return answer(Alive(status=OK).to_wire())


async def show_dependencies(req: func.HttpRequest, client: Client) -> func.HttpResponse:
    """Say what the app depends on, and whether it is there: 200, or 503 when it cannot work.

    Azure itself is not asked: a plan asks it for what a run needs, and says what is missing.
    """
    del req
    known = [await _store(client), *_people(people.settings()), _links(people.settings())]
    status = DOWN if any(each.status == DOWN for each in known) else OK
    found = Dependencies(status=status, dependencies=tuple(known))
    return answer(found.to_wire(), HTTPStatus.OK if status == OK else HTTPStatus.SERVICE_UNAVAILABLE)


async def _store(client: Client) -> Dependency:
    began = time.monotonic()
    try:
        async with asyncio.timeout(_WITHIN):
            await client.read_entity_state(EntityId(contract.RUN_REGISTER, "all"))
    except Exception as error:  # noqa: BLE001 - whatever is wrong with it, it is down
        # Only the kind: the text of an exception may hold an address of the store.
        return Dependency(name="durable store", status=DOWN, words=f"it does not answer: {type(error).__name__}")
    took = f"it answered in {(time.monotonic() - began) * 1000:.0f} ms"
    return Dependency(name="durable store", status=OK, words=took)


def _people(settings: Settings) -> Iterator[Dependency]:
    declared = settings.identity is Identity.DECLARED
    takes_tokens = bool(settings.tenant_id and settings.audiences)
    nobody = not (declared or settings.auth_enabled or takes_tokens)
    yield Dependency(
        name="sign-in",
        status=DOWN if nobody else OK if settings.auth_enabled or declared else OFF,
        words="people name themselves, which is for local use only"
        if declared
        else "App Service authentication names people"
        if settings.auth_enabled
        else "App Service authentication is off: nobody can sign in to the pages",
    )
    yield Dependency(
        name="bearer tokens",
        status=OK if takes_tokens else OFF,
        words="tokens of the tenant are taken"
        if takes_tokens
        else "FAILBACK_TENANT_ID and FAILBACK_AUDIENCES are not set: no token is taken",
    )


def _links(settings: Settings) -> Dependency:
    number: Any = len(settings.link_keys)
    words = f"{number} active" if number else "FAILBACK_LINK_KEYS is not set: no links are sent, no forms shown"
    return Dependency(name="link keys", status=OK if number else OFF, words=words)

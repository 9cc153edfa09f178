"""The door for alerts: Azure Monitor's action groups call it, and must have their answer at once.

An alert is stored before it is acknowledged: as the input of a durable instance that is named by the delivery.
What comes a second time finds that instance, and has no effect. Anything that cannot be stored is answered 503,
which an action group repeats; it calls an endpoint that fails too often no more for a quarter of an hour.
"""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Final

import azure.functions as func

from domain import contract
from domain.alert_desk import Desk
from domain.alert_routes import Route, Routes, RoutesError
from domain.alerts import LARGEST, Alert, NotAnAlertError, parse
from domain.proposals import Call, Intake, calls_of
from domain.settings import Settings
from domain.settings.alerts import AlertAuth
from identity import tokens
from identity.tokens import KeysError, TokenError
from triggers import people, waking
from triggers.client import Client, state_of
from triggers.problems import ProblemError, answer, parsed
from triggers.routing import configured_routes

_LOG = logging.getLogger("failback.alerts")
# Azure's own application behind secure webhooks, "AzNS AAD Webhook", the same in every tenant.
AZNS: Final = "461e8683-5575-4561-ac7f-899cc907d62a"
# Whether the Functions host asks for a key; decided once, when the app starts.
HOST_LEVEL: Final = (
    func.AuthLevel.ANONYMOUS
    if os.environ.get("FAILBACK_ALERT_AUTH", "").strip() == AlertAuth.ENTRA.value
    else func.AuthLevel.FUNCTION
)
# An action group waits ten seconds.
_STORED_WITHIN: Final = 8.0
# Waking is a courtesy; the answer does not wait for it longer than this.
_WOKEN_WITHIN: Final = 0.5


async def receive(req: func.HttpRequest, client: Client) -> func.HttpResponse:
    """Take an alert in: 202 once it is stored, also when it was known already or no route wants it.

    Raises:
        ProblemError: 400 or 413 for what is no alert, 401 or 403 for who is not Azure Monitor, 503 when it could
            not be stored.
    """
    settings = people.settings()
    await _authenticate(req, settings)
    alert = _read(req)
    routes = _routes(settings)
    calls = calls_of(alert, routes.routes)
    if not calls:
        return _acknowledged(alert, "ignored", calls)
    if not await _stored(client, alert, calls):
        return _acknowledged(alert, "duplicate", calls)
    await _woken(client, alert, routes, calls)
    return _acknowledged(alert, "stored", calls)


async def list_alerts(req: func.HttpRequest, client: Client) -> func.HttpResponse:  # noqa: ARG001 - a door's shape
    """Show what each route's desk remembers: its storms, and the newest of its alerts."""
    routes = _routes(people.settings()).routes
    desks = [await waking.desk_of(client, route.name) for route in routes]
    return answer({"routes": [_shown(route, desk) for route, desk in zip(routes, desks, strict=True)]})


def _shown(route: Route, desk: Desk) -> dict[str, Any]:
    does = "propose" if route.propose else "wake" if route.wake else "note"
    storms = [{"about": name, **storm.to_wire()} for name, storm in desk.storms.items()]
    alerts = [note.to_wire() for note in reversed(desk.notes)]
    return {"route": route.name, "does": does, "storms": storms, "alerts": alerts}


def _acknowledged(alert: Alert, status: str, calls: tuple[Call, ...]) -> func.HttpResponse:
    matters = {call.route: call.hit.part.value for call in calls}
    document = {"id": alert.delivery, "status": status, "words": alert.words, "routes": matters}
    return answer(document, HTTPStatus.ACCEPTED)


# -- who calls ------------------------------------------------------------------------------------------------


async def _authenticate(req: func.HttpRequest, settings: Settings) -> None:
    """Believe only Azure Monitor; where keys are asked for, the host has asked already.

    Raises:
        ProblemError: 401 without a token that is believed, 403 for one of somebody else, 503 while that cannot be
            judged.
    """
    if settings.alert_auth is AlertAuth.FUNCTION_KEY:
        _asked_for_key()
        return
    token = people.bearer(req)
    if token is None:
        detail = "send the token of the action group's secure webhook"
        title = "nobody is known to be calling"
        raise ProblemError(HTTPStatus.UNAUTHORIZED, title, detail, headers=people.CHALLENGE)
    try:
        claims = await tokens.verified(settings, token, settings.alert_audiences or None)
    except TokenError as fault:
        _LOG.warning("an alert's sender was not believed: %s", fault)
        title = "the token is not believed"
        raise ProblemError(HTTPStatus.UNAUTHORIZED, title, str(fault), headers=people.CHALLENGE) from None
    except KeysError as fault:
        raise ProblemError(HTTPStatus.SERVICE_UNAVAILABLE, "the token cannot be judged now", str(fault)) from None
    _permit(claims, settings)


def _asked_for_key() -> None:
    if HOST_LEVEL is func.AuthLevel.ANONYMOUS:
        title, detail = "nobody has asked for a key", "FAILBACK_ALERT_AUTH was changed: restart the app"
        raise ProblemError(HTTPStatus.SERVICE_UNAVAILABLE, title, detail)


def _permit(claims: Mapping[str, Any], settings: Settings) -> None:
    app = str(claims.get("azp") or claims.get("appid") or "").casefold()
    roles = claims.get("roles")
    if app != AZNS:
        detail = "the token was given to another application than Azure Monitor's"
    elif not isinstance(roles, list) or settings.alert_role not in roles:
        detail = f"Azure Monitor's application lacks the role {settings.alert_role}"
    else:
        return
    _LOG.warning("an alert was turned away: %s", detail)
    raise ProblemError(HTTPStatus.FORBIDDEN, "this application may not send alerts", detail)


# -- what it says ---------------------------------------------------------------------------------------------


def _read(req: func.HttpRequest) -> Alert:
    document = parsed(req.get_body() or b"", LARGEST)
    try:
        return parse(document)
    except NotAnAlertError as error:
        raise ProblemError(
            HTTPStatus.BAD_REQUEST, "this is no alert in the common schema", str(error), error.faults
        ) from None


def _routes(settings: Settings) -> Routes:
    try:
        return configured_routes(settings.alert_routes)
    except RoutesError as error:
        _LOG.error("%s", error)
        title = "the alert routes cannot be used"
        detail = "the app's log names every fault of them"
        raise ProblemError(HTTPStatus.SERVICE_UNAVAILABLE, title, detail) from None


# -- storing --------------------------------------------------------------------------------------------------


async def _stored(client: Client, alert: Alert, calls: tuple[Call, ...]) -> bool:
    """Store an alert, and say whether it is new.

    Raises:
        ProblemError: 503, for the sender to try again.
    """
    intake = Intake(words=alert.words, calls=calls)
    try:
        async with asyncio.timeout(_STORED_WITHIN):
            if await _is_known(client, alert):
                return False
            await client.start_new(contract.ALERT_INTAKE, alert.delivery, intake.to_wire())
    except Exception as error:
        # The same delivery may have come twice at one moment, and the other one been first.
        if await _is_known_by_now(client, alert):
            return False
        _LOG.exception("an alert could not be stored: %s", alert.delivery)
        raise ProblemError(
            HTTPStatus.SERVICE_UNAVAILABLE, "the alert could not be stored", "send it again in a moment"
        ) from error
    return True


async def _is_known(client: Client, alert: Alert) -> bool:
    """Tell whether the delivery is stored; one whose instance broke is stored anew, and each desk knows it."""
    return state_of(await client.get_status(alert.delivery)) not in {None, "Failed"}


async def _is_known_by_now(client: Client, alert: Alert) -> bool:
    try:
        async with asyncio.timeout(1):
            return await _is_known(client, alert)
    except Exception:  # noqa: BLE001 - a store that is silent twice does not know it
        return False


async def _woken(client: Client, alert: Alert, routes: Routes, calls: tuple[Call, ...]) -> None:
    """Wake what an alert is about; where that fails, it is seen a tick later."""
    try:
        async with asyncio.timeout(_WOKEN_WITHIN):
            await waking.wake(client, alert, routes, calls)
    except Exception as error:  # noqa: BLE001 - the alert is stored; nothing else matters to its sender
        _LOG.info("alert %s woke nobody: %s", alert.delivery, type(error).__name__)

"""Anybody may ask whether the app lives; what it depends on is for those who may read."""

from __future__ import annotations

import asyncio
from typing import Any

import azure.functions as func
import pytest

from localhost import SyncHost
from tests.identity.entra import SETTINGS
from tests.rehearsal import Rehearsal
from triggers import health

DANA = {"X-Failback-User": "dana", "X-Failback-Roles": "viewer"}


def test_anybody_learns_that_the_app_lives_and_nothing_else(host: SyncHost) -> None:
    answer = host.request("GET", "/api/health", headers={"Authorization": "Bearer nonsense"})
    assert (answer.status, answer.json()) == (200, {"status": "ok"})


def test_a_reader_learns_what_the_app_depends_on(host: SyncHost) -> None:
    answer = host.request("GET", "/api/health/dependencies", headers=DANA)
    told = {each["name"]: each["status"] for each in answer.json()["dependencies"]}
    assert (answer.status, answer.json()["status"]) == (200, "ok")
    assert told == {"durable store": "ok", "sign-in": "ok", "bearer tokens": "off", "link keys": "ok"}


class Deaf:
    """A durable client whose store does not answer."""

    async def read_entity_state(self, _: Any) -> Any:
        raise ConnectionError("https://contoso.table.core.windows.net/?sig=secret")


def test_a_store_that_does_not_answer_is_told_without_its_address() -> None:
    request = func.HttpRequest("GET", "http://127.0.0.1/api/health/dependencies", body=b"")
    answer = asyncio.run(health.show_dependencies(request, Deaf()))  # type: ignore[arg-type]
    assert answer.status_code == 503
    assert b"it does not answer: ConnectionError" in answer.get_body()
    assert b"secret" not in answer.get_body()


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({}, ("down", "off")),
        ({"WEBSITE_AUTH_ENABLED": "true"}, ("ok", "off")),
        (SETTINGS, ("off", "ok")),
        ({**SETTINGS, "WEBSITE_AUTH_ENABLED": "true"}, ("ok", "ok")),
    ],
)
def test_it_is_told_how_people_can_sign_in(
    settings: dict[str, str], expected: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    request = func.HttpRequest("GET", "http://127.0.0.1/api/health/dependencies", body=b"")
    with Rehearsal().host(settings=settings):
        store: Any = Deaf()
        told = asyncio.run(health.show_dependencies(request, store)).get_body().decode()
    names = ("sign-in", "bearer tokens")
    for name, status in zip(names, expected, strict=True):
        assert f'"{name}", "status": "{status}"' in told

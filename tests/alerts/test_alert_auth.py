"""Who may send alerts: Azure Monitor's own application with our role, or whoever the host let in by a key."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import azure.functions as func
import pytest

from identity import tokens
from tests.alerts import payloads
from tests.alerts.world import Alerts, alerts
from tests.identity.entra import TENANT, Tenant
from triggers import alerts as door

NOTE = {"name": "everything", "when": [{}], "note": True}
ROLE = "ActionGroupsSecureWebhook"
HOOK = "api://failback-alerts"


@pytest.fixture
def tenant() -> Tenant:
    tenant = Tenant()
    tokens.trust(tenant)
    return tenant


@pytest.fixture
def guarded(tenant: Tenant) -> Iterator[Alerts]:
    settings = {
        "FAILBACK_ALERT_AUTH": "entra",
        "FAILBACK_TENANT_ID": TENANT,
        "FAILBACK_ALERT_AUDIENCES": HOOK,
    }
    with alerts(NOTE, **settings) as world:
        yield world


def send(world: Alerts, token: str | None) -> tuple[int, str]:
    headers = {} if token is None else {"Authorization": f"Bearer {token}"}
    answer = world.send(payloads.log(), None, **headers)
    return answer.status, answer.body.decode()


def azns(tenant: Tenant, **claims: Any) -> str:
    return tenant.token(**{"aud": HOOK, "azp": door.AZNS, "roles": [ROLE], **claims})


def test_the_secure_webhook_of_azure_monitor_comes_in(guarded: Alerts, tenant: Tenant) -> None:
    assert send(guarded, azns(tenant))[0] == 202
    assert send(guarded, azns(tenant, azp=None, appid=door.AZNS.upper()))[0] == 202


@pytest.mark.parametrize(
    ("claims", "status", "words"),
    [
        ({"azp": "22222222-2222-2222-2222-222222222222"}, 403, "another application"),
        ({"azp": None}, 403, "another application"),
        ({"roles": ["Failback.Admin"]}, 403, ROLE),
        ({"roles": None}, 403, ROLE),
        ({"roles": ROLE}, 403, ROLE),
        ({"aud": "api://somebody-else"}, 401, "not believed"),
        ({"iss": "https://sts.windows.net/another/"}, 401, "not believed"),
        ({"exp": 1}, 401, "not believed"),
    ],
)
def test_everybody_else_is_turned_away_and_nothing_is_stored(
    guarded: Alerts, tenant: Tenant, claims: dict[str, Any], status: int, words: str
) -> None:
    answered, told = send(guarded, azns(tenant, **claims))
    assert answered == status
    assert words in told
    assert guarded.host.instances() == []


def test_a_token_of_nobody_we_know_is_not_believed(guarded: Alerts) -> None:
    stranger = Tenant()
    assert send(guarded, azns(stranger))[0] == 401
    assert send(guarded, "not.a.token")[0] == 401
    assert send(guarded, None)[0] == 401


def test_a_token_that_cannot_be_judged_now_is_503_so_that_it_comes_again(guarded: Alerts, tenant: Tenant) -> None:
    class Silent:
        def get_signing_key(self, _: str) -> Any:
            raise tokens.KeysError("the tenant's keys cannot be fetched")

    tokens.trust(Silent())
    assert send(guarded, azns(tenant))[0] == 503


def test_where_the_app_expects_a_key_that_the_host_does_not_ask_for_nobody_comes_in(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with alerts(NOTE) as world:
        monkeypatch.setattr(door, "HOST_LEVEL", func.AuthLevel.ANONYMOUS)
        assert send(world, None)[0] == 503
        assert world.host.instances() == []


@pytest.mark.parametrize(
    ("auth", "level"), [("", "FUNCTION"), ("functionKey", "FUNCTION"), ("entra", "ANONYMOUS")]
)
def test_the_host_asks_for_a_key_unless_a_token_is_asked_for(auth: str, level: str) -> None:
    code = "from triggers.alerts import HOST_LEVEL; print(HOST_LEVEL.name)"
    root = Path(__file__).parents[2]
    told = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code],
        cwd=root,
        env={"FAILBACK_ALERT_AUTH": auth, "PATH": ""},
        capture_output=True,
        text=True,
        check=True,
    )
    assert told.stdout.split()[-1] == level

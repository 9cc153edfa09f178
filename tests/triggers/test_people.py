"""Who is believed at a door, and who is not, through HTTP on a host that is set as Azure sets it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import azure.functions as func
import pytest

from domain.people import Role
from identity import tokens
from localhost import SyncHost
from tests.identity.entra import ELSEWHERE, SETTINGS, TENANT, Tenant
from tests.identity.entra import principal as principal_header
from tests.rehearsal import NAME, VAULT, Rehearsal
from triggers import people

AZURE = {"WEBSITE_SITE_NAME": "failback", "WEBSITE_HOSTNAME": "failback.contoso.test"}
BODY = {"vault": VAULT, "machines": [NAME]}
BY_PLATFORM = {**AZURE, **SETTINGS, "WEBSITE_AUTH_ENABLED": "True"}


@contextmanager
def served(settings: dict[str, str]) -> Iterator[SyncHost]:
    with Rehearsal().host(settings=settings) as host:
        yield host


def said(*roles: Role, name: str = "olive@contoso.com", oid: str = "0f0f", tid: str = TENANT) -> dict[str, str]:
    claims = [("oid", oid), ("tid", tid), ("preferred_username", name), *(("roles", role.value) for role in roles)]
    return {"X-MS-CLIENT-PRINCIPAL": principal_header(*claims)}


@pytest.fixture
def tenant() -> Tenant:
    tenant = Tenant()
    tokens.trust(tenant)
    return tenant


def runs(host: SyncHost, headers: dict[str, str]) -> Any:
    return host.request("GET", "/api/failbacks", headers=headers)


def test_the_platforms_word_is_believed_where_its_authentication_is_on() -> None:
    with served(BY_PLATFORM) as host:
        assert runs(host, said(Role.VIEWER)).status == 200
        run = host.request("POST", "/api/failbacks", json=BODY, headers=said(Role.OPERATOR)).json()["id"]
        assert host.request("GET", f"/api/failbacks/{run}", headers=said(Role.VIEWER)).json()["requestedBy"] == (
            "olive@contoso.com"
        )


@pytest.mark.parametrize("switch", ["", "false", "0"])
def test_the_platforms_word_is_anybodys_where_its_authentication_is_off(switch: str) -> None:
    with served({**BY_PLATFORM, "WEBSITE_AUTH_ENABLED": switch}) as host:
        assert runs(host, said(*Role)).status == 401


def test_a_name_beside_the_principal_is_worth_nothing() -> None:
    names = {"X-MS-CLIENT-PRINCIPAL-NAME": "olive@contoso.com", "X-MS-CLIENT-PRINCIPAL-ID": "0f0f"}
    with served(BY_PLATFORM) as host:
        assert runs(host, names).status == 401


def test_somebody_of_another_tenant_is_not_believed() -> None:
    with served(BY_PLATFORM) as host:
        answer = runs(host, said(Role.ADMIN, tid=ELSEWHERE))
        assert answer.status == 401
        assert "another tenant" in answer.json()["detail"]


def test_nobodys_own_word_is_taken_in_azure() -> None:
    declared = {"X-Failback-User": "dana@contoso.com", "X-Failback-Roles": "admin"}
    with served(BY_PLATFORM) as host:
        assert runs(host, declared).status == 401
    with served({**AZURE, "FAILBACK_IDENTITY": "declared"}) as host:
        answer = runs(host, declared)
        assert answer.status == 500
        assert answer.json()["title"] == "the app's settings cannot be used"


def test_nobodys_own_word_is_taken_under_a_foreign_host_name() -> None:
    with served({"FAILBACK_IDENTITY": "declared"}) as host:
        answer = host.request("GET", "http://rebound.test/api/failbacks", headers={"X-Failback-User": "dana"})
        assert answer.status == 401
        assert "this very machine" in answer.json()["detail"]


def test_a_bearer_token_of_our_tenant_is_believed(tenant: Tenant) -> None:
    with served({**AZURE, **SETTINGS}) as host:
        token = tenant.token(roles=["Failback.Operator"])
        answer = host.request("POST", "/api/failbacks", json=BODY, headers={"Authorization": f"Bearer {token}"})
        assert answer.status == 202


def test_a_bad_token_is_refused_even_beside_a_good_principal(tenant: Tenant) -> None:
    with served(BY_PLATFORM) as host:
        for token in (Tenant().token(), tenant.token(exp=1), "x"):
            answer = runs(host, {**said(*Role), "Authorization": f"bearer {token}"})
            assert answer.status == 401
            assert answer.header("WWW-Authenticate") == 'Bearer realm="failback"'
            assert token not in answer.text or len(token) < 3


def test_a_token_without_a_role_comes_in_nowhere(tenant: Tenant) -> None:
    with served({**AZURE, **SETTINGS}) as host:
        answer = runs(host, {"Authorization": f"Bearer {tenant.token(roles=None)}"})
        assert answer.status == 403


def test_tokens_that_cannot_be_judged_now_are_503(tenant: Tenant) -> None:
    tokens.trust(tokens.published("http://127.0.0.1:1/keys"))
    with served({**AZURE, **SETTINGS}) as host:
        answer = runs(host, {"Authorization": f"Bearer {tenant.token()}"})
        assert (answer.status, answer.header("Retry-After")) == (503, "5")


def test_settings_that_cannot_be_used_are_not_told_to_strangers(caplog: pytest.LogCaptureFixture) -> None:
    with served({"FAILBACK_IDENTITY": "declared", "FAILBACK_LINK_KEYS": "too-short-a-secret"}) as host:
        answer = runs(host, {"X-Failback-User": "dana"})
        assert answer.status == 500
        assert "FAILBACK_LINK_KEYS" not in answer.text
    assert "FAILBACK_LINK_KEYS" in caplog.text
    assert "too-short-a-secret" not in caplog.text + answer.text


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.test"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": "https://failback.contoso.test.evil.test"},
    ],
)
def test_what_another_site_makes_a_browser_send_is_refused(headers: dict[str, str]) -> None:
    with served(BY_PLATFORM) as host:
        answer = host.request("POST", "/api/failbacks", json=BODY, headers={**said(*Role), **headers})
        assert answer.status == 403
        assert answer.json()["title"] == "this comes from another site"
        assert host.instances() == []


def test_what_our_own_pages_send_is_taken() -> None:
    own = {"Origin": "https://failback.contoso.test", "Sec-Fetch-Site": "same-origin"}
    with served(BY_PLATFORM) as host:
        assert host.request("POST", "/api/failbacks", json=BODY, headers={**said(*Role), **own}).status == 202


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", ""])
def test_a_body_that_any_site_could_send_is_refused(kind: str) -> None:
    with served(BY_PLATFORM) as host:
        headers = {**said(*Role), **({"Content-Type": kind} if kind else {})}
        answer = host.request("POST", "/api/failbacks", body=b'{"vault": "x"}', headers=headers)
        assert answer.status == 415
        assert "application/json" in answer.json()["detail"]


@pytest.mark.parametrize(
    ("headers", "settings", "address"),
    [
        ({"X-Forwarded-For": "203.0.113.9, 198.51.100.4:51234"}, AZURE, "198.51.100.4"),
        ({"X-Forwarded-For": "[2001:db8::7]:443"}, AZURE, "2001:db8::7"),
        ({"X-Forwarded-For": "2001:db8::7"}, AZURE, "2001:db8::7"),
        ({}, AZURE, None),
        ({"X-Forwarded-For": "198.51.100.4", "X-Azure-ClientIP": "203.0.113.9"}, AZURE, "198.51.100.4"),
        (
            {"X-Forwarded-For": "10.0.0.1", "X-Azure-ClientIP": "203.0.113.9", "X-Azure-FDID": "fd-1"},
            {**AZURE, "FAILBACK_FRONT_DOOR_ID": "fd-1"},
            "203.0.113.9",
        ),
        (
            {"X-Forwarded-For": "198.51.100.4", "X-Azure-ClientIP": "203.0.113.9", "X-Azure-FDID": "fd-2"},
            {**AZURE, "FAILBACK_FRONT_DOOR_ID": "fd-1"},
            "198.51.100.4",
        ),
        ({"X-Forwarded-For": "203.0.113.9", "X-Azure-ClientIP": "203.0.113.9"}, {}, None),
    ],
)
def test_an_address_is_believed_where_the_platform_writes_it(
    headers: dict[str, str], settings: dict[str, str], address: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    request = func.HttpRequest("GET", "https://failback.contoso.test/api/failbacks", headers=headers, body=b"")
    assert people.address(request) == address

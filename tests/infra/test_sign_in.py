"""What Bicep keeps out of App Service's sign-in, the app guards by itself."""

from __future__ import annotations

import asyncio
import base64
import json

import azure.functions as func
import pytest

from tests.infra.bicep import file
from triggers import people
from triggers.routes import ROUTES

APP = file("modules/app.bicep")
SIGN = APP.body(APP.all("resource")["sign"])["properties"]
EXCLUDED = SIGN["globalValidation"]["excludedPaths"]
SIGNED_IN = {
    "auth_typ": "aad",
    "claims": [
        {"typ": "tid", "val": "11111111-1111-1111-1111-111111111111"},
        {"typ": "oid", "val": "22222222-2222-2222-2222-222222222222"},
        {"typ": "preferred_username", "val": "mallory@contoso.com"},
        {"typ": "roles", "val": "Failback.Admin"},
    ],
}


def test_only_the_door_of_azure_monitor_is_excluded() -> None:
    assert EXCLUDED == ["/api/alerts"]


def test_no_door_believes_the_platform_where_the_platform_does_not_look() -> None:
    excluded = [route for route in ROUTES if any(f"/api/{route.path}".startswith(path) for path in EXCLUDED)]
    assert {route.method for route in excluded} == {"GET", "POST"}
    assert [route.path for route in excluded if route.roles and route.vouched] == []


@pytest.mark.parametrize("vouched", [True, False])
def test_the_header_of_the_platform_is_read_only_where_it_vouches(
    monkeypatch: pytest.MonkeyPatch, vouched: bool
) -> None:
    monkeypatch.setenv("FAILBACK_IDENTITY", "app-service")
    monkeypatch.setenv("WEBSITE_AUTH_ENABLED", "true")
    monkeypatch.setenv("FAILBACK_TENANT_ID", "11111111-1111-1111-1111-111111111111")
    header = base64.b64encode(json.dumps(SIGNED_IN).encode()).decode()
    request = func.HttpRequest(
        "GET", "https://app.example/api/alerts", headers={"X-MS-CLIENT-PRINCIPAL": header}, body=b""
    )
    caller = asyncio.run(people.recognise(request, vouched=vouched))
    assert (caller is not None) == vouched


def test_signing_in_takes_no_secret() -> None:
    provider = SIGN["identityProviders"]["azureActiveDirectory"]
    assert APP.value(APP.all("var")["assertionSetting"].parts[0]) == "OVERRIDE_USE_MI_FIC_ASSERTION_CLIENTID"
    assert provider["registration"]["clientSecretSettingName"] == "OVERRIDE_USE_MI_FIC_ASSERTION_CLIENTID"
    assert SIGN["globalValidation"]["requireAuthentication"] is True

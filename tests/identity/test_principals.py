"""What App Service says of somebody is read as it says it; what people say of themselves counts at home only."""

from __future__ import annotations

import base64
import json

import pytest

from domain.people import Method, Role
from domain.settings import Settings, SettingsError
from identity import declared, principal
from identity.claims import ClaimsError
from tests.identity.entra import ELSEWHERE, SETTINGS, TENANT
from tests.identity.entra import principal as header

OUR_TENANT = Settings.from_environment(SETTINGS)
LONG = "http://schemas.xmlsoap.org/ws/2005/05/identity/claims"
SCHEMA = "http://schemas.microsoft.com/identity/claims"
MAPPED_ROLE = "http://schemas.microsoft.com/ws/2008/06/identity/claims/role"


def test_short_and_mapped_claims_name_the_same_person() -> None:
    short = header(
        ("oid", "0f0f"),
        ("tid", TENANT),
        ("preferred_username", "olive@contoso.com"),
        ("roles", "Failback.Approver"),
        ("groups", "g-1"),
        ("groups", "g-2"),
    )
    mapped = header(
        (f"{SCHEMA}/objectidentifier", "0f0f"),
        (f"{SCHEMA}/tenantid", TENANT),
        (f"{LONG}/upn", "olive@contoso.com"),
        (MAPPED_ROLE, "Failback.Approver"),
        ("groups", "g-1"),
        ("groups", "g-2"),
    )
    caller = principal.read(OUR_TENANT, short)
    assert caller == principal.read(OUR_TENANT, mapped)
    assert (caller.id, caller.name, caller.groups) == ("0f0f", "olive@contoso.com", ("g-1", "g-2"))
    assert (caller.roles, caller.method) == ((Role.APPROVER,), Method.APP_SERVICE)


def test_two_accounts_of_one_person_are_told_by_their_alias() -> None:
    known = Settings.from_environment({"FAILBACK_ALIASES": '{"dana-admin@contoso.com": "dana@contoso.com"}'})
    accounts = [("dana@contoso.com", "11aa"), ("Dana-Admin@contoso.com", "22bb")]
    people = [principal.read(known, header(("upn", name), ("oid", oid))) for name, oid in accounts]
    assert people[0].id == people[1].id
    assert people[0].name != people[1].name


def test_somebody_of_another_tenant_or_provider_is_nobody() -> None:
    with pytest.raises(ClaimsError, match="another tenant"):
        principal.read(OUR_TENANT, header(("oid", "1"), ("tid", ELSEWHERE)))
    with pytest.raises(ClaimsError, match="another tenant"):
        principal.read(OUR_TENANT, header(("oid", "1")))
    with pytest.raises(ClaimsError, match="another provider"):
        principal.read(OUR_TENANT, header(("oid", "1"), ("tid", TENANT), provider="github"))


def test_groups_that_did_not_fit_are_said_to_be_unknown() -> None:
    said = header(("oid", "1"), ("tid", TENANT), ("_claim_names", '{"groups":"src1"}'))
    assert principal.read(OUR_TENANT, said).groups_unknown


@pytest.mark.parametrize(
    "value",
    [
        "",
        "olive@contoso.com",
        "%%%",
        base64.b64encode(b"\xff").decode(),
        base64.b64encode(b"[" * 40_000).decode(),
        base64.b64encode(b"[]").decode(),
        base64.b64encode(b'{"auth_typ": "aad"}').decode(),
        base64.b64encode(b'{"auth_typ": "aad", "claims": {"typ": "oid"}}').decode(),
        base64.b64encode(b'{"auth_typ": "aad", "claims": [1, {"typ": "oid"}, {"typ": "oid", "val": 3}]}').decode(),
        base64.b64encode(json.dumps({"auth_typ": "aad", "x": "y" * 70_000}).encode()).decode(),
    ],
)
def test_a_principal_that_cannot_be_read_names_nobody(value: str) -> None:
    with pytest.raises(ClaimsError):
        principal.read(Settings(), value)


def test_who_names_themselves_has_every_role_unless_they_say_which() -> None:
    assert declared.read(Settings(), "Dana@contoso.com", None, "127.0.0.1").roles == tuple(Role)  # type: ignore[union-attr]
    some = declared.read(Settings(), "dana", "viewer, Failback.BreakGlass", "localhost")
    assert some is not None
    assert (some.id, some.roles, some.method) == ("dana", (Role.VIEWER, Role.BREAK_GLASS), Method.DECLARED)
    none = declared.read(Settings(), "dana", "", "localhost")
    assert none is not None
    assert none.roles == ()


def test_a_role_that_does_not_exist_is_named() -> None:
    with pytest.raises(ClaimsError, match="emperor"):
        declared.read(Settings(), "dana", "viewer,emperor", "localhost")


def test_who_does_not_name_themselves_is_nobody() -> None:
    assert declared.read(Settings(), "  ", None, "localhost") is None


def test_nobodys_word_is_taken_in_azure() -> None:
    azure = Settings.from_environment({"WEBSITE_SITE_NAME": "fb", "WEBSITE_HOSTNAME": "fb.azurewebsites.net"})
    with pytest.raises(SettingsError, match="FAILBACK_IDENTITY"):
        declared.read(azure, "dana", None, "localhost")
    nameless = Settings.from_environment({"WEBSITE_SITE_NAME": "fb"})
    with pytest.raises(SettingsError, match="FAILBACK_IDENTITY"):
        declared.read(nameless, "dana", None, "localhost")
    tools = Settings.from_environment({"WEBSITE_SITE_NAME": "fb", "WEBSITE_HOSTNAME": "localhost:7071"})
    assert declared.read(tools, "dana", None, "localhost") is not None


@pytest.mark.parametrize("host", ["evil.test", "127.0.0.1.evil.test", "10.0.0.4", ""])
def test_nobodys_word_is_taken_under_another_name_than_this_machines(host: str) -> None:
    with pytest.raises(ClaimsError, match="this very machine"):
        declared.read(Settings(), "dana", None, host)

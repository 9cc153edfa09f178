"""A token is believed when our tenant made it for this app, now, for a person's use of it; else it is not."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import jwt
import pytest

from domain.people import Caller, Method, Role
from domain.settings import Cloud, Settings
from identity import tokens
from identity.tokens import KeysError, TokenError
from tests.identity.entra import AUDIENCE, ELSEWHERE, SETTINGS, TENANT, V1, V2, Tenant, raw


@pytest.fixture(scope="module")
def tenant() -> Tenant:
    return Tenant()


@pytest.fixture(autouse=True)
def _our_tenant(tenant: Tenant) -> None:
    tenant.asked.clear()
    tokens.trust(tenant)


def settings(**more: str) -> Settings:
    return Settings.from_environment({**SETTINGS, **more})


def read(token: str, **more: str) -> Caller:
    return asyncio.run(tokens.read(settings(**more), token, "192.0.2.7"))


def test_a_token_says_who_somebody_is_and_what_they_may_do(tenant: Tenant) -> None:
    caller = read(tenant.token(groups=["g-1", "g-2"], roles=["Failback.Approver", "Other.Role"]))
    assert (caller.id, caller.name, caller.method) == ("0f0f", "olive@contoso.com", Method.BEARER)
    assert (caller.groups, caller.roles, caller.address) == (("g-1", "g-2"), (Role.APPROVER,), "192.0.2.7")
    assert not caller.is_app


def test_both_versions_of_our_tenants_tokens_are_read(tenant: Tenant) -> None:
    old = tenant.token(iss=V1, ver="1.0", preferred_username=None, upn="olive@contoso.com", appid="cli")
    assert read(old).name == read(tenant.token(ver="2.0", azp="cli")).name == "olive@contoso.com"


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"iss": V2.replace(TENANT, ELSEWHERE)}, "another tenant"),
        ({"iss": V1.replace(TENANT, ELSEWHERE)}, "another tenant"),
        ({"iss": "https://login.microsoftonline.us/" + TENANT + "/v2.0"}, "another cloud"),
        ({"iss": V2 + "/"}, "another tenant"),
        ({"tid": ELSEWHERE}, "another tenant"),
        ({"aud": "api://somebody-else"}, "audience"),
        ({"aud": AUDIENCE + "/"}, "audience"),
        ({"exp": int(time.time()) - 300}, "expired"),
        ({"nbf": int(time.time()) + 86_400}, "not good yet"),
        ({"iat": int(time.time()) + 86_400}, "not good yet"),
        ({"scp": "Mail.Read"}, "scope"),
        ({"scp": "user_impersonation_of_nobody"}, "scope"),
        ({"oid": None, "preferred_username": None, "scp": "user_impersonation"}, "neither"),
        *(({name: None}, "lacks a claim") for name in ("exp", "nbf", "iat", "iss", "aud", "tid")),
    ],
)
def test_a_token_that_is_wrong_in_one_thing_is_not_believed(
    tenant: Tenant, changes: dict[str, Any], why: str
) -> None:
    with pytest.raises(TokenError, match=why):
        read(tenant.token(**changes))


def test_a_token_of_somebody_elses_key_is_not_believed(tenant: Tenant) -> None:
    with pytest.raises(TokenError, match="signature"):
        read(Tenant().token())
    with pytest.raises(TokenError, match="does not publish"):
        read(tenant.token(kid="key-2"))


def test_a_token_that_was_changed_is_not_believed(tenant: Tenant) -> None:
    header, body, signature = tenant.token().split(".")
    other = tenant.token(roles=["Failback.Admin"]).split(".")[1]
    for forged in (f"{header}.{other}.{signature}", f"{header}.{body}.", f"{header}.{body}.{signature[:-8]}"):
        with pytest.raises(TokenError):
            read(forged)


@pytest.mark.parametrize("alg", ["none", "None", "NONE", "nOnE"])
def test_a_token_that_is_not_signed_is_not_believed_and_costs_no_look_at_the_keys(
    tenant: Tenant, alg: str
) -> None:
    claims = jwt.decode(tenant.token(), options={"verify_signature": False})
    with pytest.raises(TokenError):
        read(raw({"alg": alg, "kid": "key-1"}, claims))
    assert tenant.asked == []


def test_the_public_key_is_no_shared_secret(tenant: Tenant) -> None:
    claims = jwt.decode(tenant.token(), options={"verify_signature": False})
    unsigned = raw({"alg": "HS256", "kid": "key-1"}, claims).rpartition(".")[0]
    signature = hmac.new(tenant.public_pem, unsigned.encode(), hashlib.sha256).digest()
    with pytest.raises(TokenError, match="as Entra signs"):
        read(raw({"alg": "HS256", "kid": "key-1"}, claims, signature))
    assert tenant.asked == []


@pytest.mark.parametrize(
    "header",
    [
        {"alg": "RS256"},
        {"alg": "RS256", "kid": 1},
        {"alg": "RS256", "kid": "k" * 200},
        {"alg": "RS512", "kid": "key-1"},
        {"alg": "PS256", "kid": "key-1"},
        {"alg": "RS256", "kid": "key-1", "jku": "https://evil.test/keys", "crit": ["jku"]},
    ],
)
def test_a_header_that_entra_never_writes_is_not_believed(header: dict[str, Any]) -> None:
    with pytest.raises(TokenError):
        read(raw(header, {"iss": V2, "aud": AUDIENCE}, b"x"))


@pytest.mark.parametrize("token", ["", "x", "a.b.c", "é.é.é", "A" * 20_000])
def test_what_is_no_token_is_not_believed_and_not_repeated(tenant: Tenant, token: str) -> None:
    with pytest.raises(TokenError) as refused:
        read(token)
    assert len(token) < 4 or token not in str(refused.value)
    assert tenant.asked == []


def test_without_a_tenant_or_an_audience_no_token_is_taken(tenant: Tenant) -> None:
    for missing in SETTINGS:
        with pytest.raises(TokenError, match="FAILBACK_TENANT_ID and FAILBACK_AUDIENCES"):
            read(tenant.token(), **{missing: ""})


def test_an_app_that_acts_for_nobody_is_known_as_an_app(tenant: Tenant) -> None:
    by_itself = {
        "scp": None,
        "preferred_username": None,
        "azp": "a-1",
        "oid": "0a",
        "roles": ["Failback.Operator"],
    }
    caller = read(tenant.token(**by_itself))
    assert (caller.is_app, caller.name, caller.id, caller.roles) == (True, "a-1", "0a", (Role.OPERATOR,))
    assert read(tenant.token(idtyp="app")).is_app


@pytest.mark.parametrize(
    "overage",
    [
        {"_claim_names": {"groups": "src1"}, "_claim_sources": {"src1": {"endpoint": "https://graph"}}},
        {"hasgroups": True},
        {"hasgroups": "true"},
    ],
)
def test_groups_that_did_not_fit_are_said_to_be_unknown(tenant: Tenant, overage: dict[str, Any]) -> None:
    assert read(tenant.token(**overage)).groups_unknown
    assert not read(tenant.token(_claim_names={"photo": "src1"})).groups_unknown


@pytest.mark.parametrize("cloud", Cloud)
def test_every_cloud_has_its_own_issuers_and_keys(cloud: Cloud) -> None:
    known = settings(AZURE_CLOUD=cloud.value)
    assert all(TENANT in issuer and issuer.startswith("https://") for issuer in tokens.issuers(known))
    assert tokens.keys_url(known).endswith(f"/{TENANT}/discovery/v2.0/keys")
    ending = {Cloud.PUBLIC: ".com", Cloud.US_GOVERNMENT: ".us", Cloud.CHINA: ".cn"}[cloud]
    assert tokens.keys_url(known).split("/")[2].endswith(ending)


# -- the keys, over a socket ------------------------------------------------------------------------------------


class Published:
    """The tenant's keys on a loopback address."""

    def __init__(self, document: Any) -> None:
        self.document, self.asked = document, 0
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                outer.asked += 1
                self.send_response(200)
                self.end_headers()
                self.wfile.write(json.dumps(outer.document).encode())

            def log_message(self, *_: Any) -> None: ...

        self._server = HTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}/keys"
        self._thread = threading.Thread(target=self._server.serve_forever)
        self._thread.start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


@pytest.fixture
def published(tenant: Tenant) -> Iterator[Published]:
    served = Published(tenant.key_set)
    tokens.trust(tokens.published(served.url))
    yield served
    served.close()


def test_the_keys_are_fetched_once_for_many_tokens(tenant: Tenant, published: Published) -> None:
    for _ in range(5):
        assert read(tenant.token()).id == "0f0f"
    assert published.asked == 1


def test_made_up_key_ids_do_not_make_us_ask_again_and_again(tenant: Tenant, published: Published) -> None:
    read(tenant.token())
    for number in range(20):
        with pytest.raises(TokenError):
            read(tenant.token(kid=f"made-up-{number}"))
    assert published.asked == 1


def test_keys_that_cannot_be_fetched_are_not_the_tokens_fault(tenant: Tenant) -> None:
    tokens.trust(tokens.published("http://127.0.0.1:1/keys"))
    with pytest.raises(KeysError):
        read(tenant.token())

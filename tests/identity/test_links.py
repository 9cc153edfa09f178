"""A link is good for one person and one question, until it expires, and for nothing that was changed."""

from __future__ import annotations

import ast
import inspect
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from itsdangerous.signer import HMACAlgorithm, SigningAlgorithm

from domain.approvals import GateName
from domain.people import Method, Role
from domain.settings import Settings, SettingsError
from identity import clock, csrf, links, signing
from identity.links import LinkError, LinkFault

NEW, OLD, OTHER = "n" * 40, "o" * 40, "x" * 40
NOW = datetime(2026, 11, 22, 3, tzinfo=UTC)
OLIVE = "0e0e0e0e-0000-0000-0000-00000000000e"
# Whose addresses are whose, as the settings say.
KNOWN = json.dumps({"olive@contoso.com": OLIVE, "o.smith@contoso.com": "Olive@Contoso.com"})
BOUND: dict[str, Any] = {
    "person": "Olive@contoso.com",
    "run": "fb-1",
    "key": "fb-1:2-failback-1",
    "gate": GateName.FAILBACK,
    "round": 1,
    "hash": "c0ffee" * 10,
}


def settings(*keys: str, **more: str) -> Settings:
    return Settings.from_environment({"FAILBACK_LINK_KEYS": ",".join(keys), "FAILBACK_ALIASES": KNOWN, **more})


def mint(by: Settings, **changes: Any) -> str:
    return links.mint(by, **{**BOUND, "expires": NOW + timedelta(hours=1), **changes})


def fault(by: Settings, token: str) -> LinkFault:
    with pytest.raises(LinkError) as refused:
        links.read(by, token)
    return refused.value.kind


@pytest.fixture(autouse=True)
def _three_in_the_morning() -> None:
    clock.go_by(lambda: NOW)


def test_a_link_says_all_that_it_was_made_for() -> None:
    link = links.read(settings(NEW), mint(settings(NEW)))
    assert {name: getattr(link, name) for name in BOUND} == BOUND
    assert link.expires == NOW + timedelta(hours=1)


def test_who_follows_a_link_may_decide_and_nothing_else() -> None:
    caller = links.read(settings(NEW), mint(settings(NEW))).caller(settings(NEW), "192.0.2.7")
    assert (caller.id, caller.name) == (OLIVE, "Olive@contoso.com")
    assert caller.also == ("olive@contoso.com", "o.smith@contoso.com")
    assert (caller.roles, caller.method, caller.address) == ((Role.APPROVER,), Method.LINK, "192.0.2.7")


@pytest.mark.parametrize(
    "aliases", ["{}", '{"olive@contoso.com": "olive"}', json.dumps({"other@contoso.com": OLIVE})]
)
def test_a_link_to_an_address_that_is_nobodys_for_sure_is_not_believed(aliases: str) -> None:
    unsure = settings(NEW, FAILBACK_ALIASES=aliases)
    assert fault(unsure, mint(unsure)) is LinkFault.UNOWNED
    declared = settings(NEW, FAILBACK_ALIASES=aliases, FAILBACK_IDENTITY="declared")
    assert links.read(declared, mint(declared)).person == "Olive@contoso.com"


def test_no_two_links_are_the_same() -> None:
    nonces = {links.read(settings(NEW), mint(settings(NEW))).nonce for _ in range(50)}
    assert len(nonces) == 50


def test_a_link_signed_before_the_keys_were_changed_is_still_good() -> None:
    assert links.read(settings(NEW, OLD), mint(settings(OLD))).run == "fb-1"


def test_new_links_are_signed_with_the_first_key() -> None:
    assert links.read(settings(NEW), mint(settings(NEW, OLD))).run == "fb-1"
    assert fault(settings(OLD), mint(settings(NEW, OLD))) is LinkFault.FORGED


def test_a_link_by_a_key_that_was_given_up_is_forged() -> None:
    assert fault(settings(NEW), mint(settings(OLD))) is LinkFault.FORGED


def test_a_link_is_over_at_the_very_instant_it_expires() -> None:
    token = mint(settings(NEW))
    clock.go_by(lambda: NOW + timedelta(minutes=59, seconds=59))
    assert links.read(settings(NEW), token).run == "fb-1"
    clock.go_by(lambda: NOW + timedelta(hours=1))
    assert fault(settings(NEW), token) is LinkFault.EXPIRED


def test_a_link_changed_in_any_place_is_forged() -> None:
    token = mint(settings(NEW))
    for place, letter in enumerate(token[:-1]):
        changed = token[:place] + ("A" if letter != "A" else "B") + token[place + 1 :]
        assert fault(settings(NEW), changed) is LinkFault.FORGED, place


@pytest.mark.parametrize("token", ["", ".", "..", "a.b.c", "é" * 9, "A" * 5_000, "eyJhbGciOiJub25lIn0.e30."])
def test_what_never_was_a_link_is_forged(token: str) -> None:
    assert fault(settings(NEW), token) is LinkFault.FORGED


def test_a_forms_token_is_no_link() -> None:
    caller = links.read(settings(NEW), mint(settings(NEW))).caller(settings(NEW))
    assert fault(settings(NEW), csrf.issue(settings(NEW), caller, "fb-1")) is LinkFault.FORGED


def test_a_link_of_another_installation_with_the_same_keys_is_foreign() -> None:
    here, there = (settings(NEW, WEBSITE_HOSTNAME=name) for name in ("dr.contoso.test", "lab.contoso.test"))
    assert links.read(here, mint(here)).run == "fb-1"
    assert fault(here, mint(there)) is LinkFault.FOREIGN


def test_something_else_that_we_signed_as_a_link_is_foreign() -> None:
    for document in ({"version": 2}, ["fb-1"], {}):
        assert fault(settings(NEW), signing.sign(settings(NEW), "approval-link", document)) is LinkFault.FOREIGN


def test_without_keys_nothing_is_signed_and_the_setting_is_named() -> None:
    with pytest.raises(SettingsError, match="FAILBACK_LINK_KEYS"):
        mint(settings())
    with pytest.raises(SettingsError, match="FAILBACK_LINK_KEYS"):
        links.read(settings(), mint(settings(NEW)))


@pytest.mark.parametrize("keys", [("short",), (NEW, NEW), (NEW, OLD, OTHER), (NEW, "s")])
def test_keys_that_are_short_or_twice_or_too_many_are_refused_without_being_shown(keys: tuple[str, ...]) -> None:
    with pytest.raises(SettingsError, match="FAILBACK_LINK_KEYS") as refused:
        settings(*keys)
    assert not any(key in str(refused.value) for key in keys if len(key) > 1)


def test_the_keys_are_never_printed() -> None:
    known = settings(NEW, OLD)
    told = f"{known} {known!r} {known.model_dump()} {known.model_dump_json()}"
    assert NEW not in told
    assert OLD not in told


def test_signatures_are_compared_by_the_library_in_constant_time() -> None:
    signer = signing.serializer(settings(NEW), "approval-link").make_signer("x")
    assert type(signer.algorithm) is HMACAlgorithm
    assert "verify_signature" not in vars(HMACAlgorithm)
    assert "compare_digest" in inspect.getsource(SigningAlgorithm.verify_signature)


def test_no_code_of_ours_handles_a_signature() -> None:
    for file in Path(signing.__file__).parent.glob("*.py"):
        nodes = ast.walk(ast.parse(file.read_text()))
        told = [node.names for node in nodes if isinstance(node, ast.Import | ast.ImportFrom)]
        names = {each.name for names in told for each in names}
        assert not {"hmac", "compare_digest", "base64_decode"} & names, file.name


@pytest.mark.parametrize(
    ("environment", "base"),
    [
        ({}, None),
        ({"WEBSITE_HOSTNAME": "fb.azurewebsites.net"}, "https://fb.azurewebsites.net"),
        ({"WEBSITE_HOSTNAME": "localhost:7071"}, "http://localhost:7071"),
        ({"WEBSITE_HOSTNAME": "x", "FAILBACK_PUBLIC_URL": "https://dr.contoso.test/"}, "https://dr.contoso.test"),
    ],
)
def test_links_begin_where_people_reach_the_app(environment: dict[str, str], base: str | None) -> None:
    assert Settings.from_environment(environment).public_base == base


def test_links_are_not_sent_to_a_place_without_tls() -> None:
    with pytest.raises(SettingsError, match="FAILBACK_PUBLIC_URL"):
        settings(FAILBACK_PUBLIC_URL="http://dr.contoso.test")


def test_two_accounts_of_one_person_are_one_person() -> None:
    known = settings(FAILBACK_ALIASES='{"Dana-Admin@contoso.com": "dana@contoso.com", "0f-1": "eve"}')
    one = known.person_id("dana@contoso.com", "11aa")
    assert one == known.person_id("DANA-ADMIN@contoso.com", "22bb") == "dana@contoso.com"
    assert known.person_id("whoever", "0F-1") == "eve"
    assert known.person_id("olive@contoso.com", "33CC") == "33cc"
    assert known.person_id("Olive@contoso.com") == "olive@contoso.com"
    assert known.names_of("dana@contoso.com") == ("dana-admin@contoso.com",)


def test_an_alias_of_an_alias_is_the_same_person_however_it_is_spelt() -> None:
    known = settings(FAILBACK_ALIASES='{"a": "b", "b": "C", "jose\u0301": "a"}')
    assert {known.person_id(name) for name in ("A", "b", "c", "jos\u00e9", "\uff21")} == {"c"}
    assert set(known.names_of("c")) == {"a", "b", "jos\u00e9"}


@pytest.mark.parametrize(
    "aliases", ["dana", '["dana"]', '{"dana": 3}', '{"a": "b", "b": "c", "c": "a"}', '{"Ann": "x", "ann": "y"}']
)
def test_aliases_that_are_no_map_of_names_are_refused(aliases: str) -> None:
    with pytest.raises(SettingsError, match="FAILBACK_ALIASES"):
        settings(FAILBACK_ALIASES=aliases)

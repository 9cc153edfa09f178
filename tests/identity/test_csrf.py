"""A form is taken from the person it was shown to, for what it was shown for, and not for ever."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from domain.people import Caller, Method
from domain.settings import Settings, SettingsError
from identity import clock, csrf, signing
from identity.csrf import CsrfError

SETTINGS = Settings.from_environment({"FAILBACK_LINK_KEYS": "k" * 40})
OLIVE = Caller(id="olive", name="olive@contoso.com", method=Method.APP_SERVICE)


def test_a_form_comes_back_from_whom_it_was_shown_to() -> None:
    csrf.check(SETTINGS, OLIVE, "fb-1/commit/1", csrf.issue(SETTINGS, OLIVE, "fb-1/commit/1"))


@pytest.mark.parametrize(
    ("caller", "subject"),
    [
        (OLIVE.having(id="dana"), "fb-1"),
        (OLIVE.having(method=Method.LINK), "fb-1"),
        (OLIVE, "fb-2"),
    ],
)
def test_a_form_of_another_person_or_for_another_thing_is_refused(caller: Caller, subject: str) -> None:
    token = csrf.issue(SETTINGS, OLIVE, "fb-1")
    with pytest.raises(CsrfError):
        csrf.check(SETTINGS, caller, subject, token)


@pytest.mark.parametrize(
    "token",
    ["", "x", "a.b.c", signing.sign(SETTINGS, "approval-link", ["olive"])],
    ids=["empty", "short", "parts", "a link's"],
)
def test_a_token_that_was_never_in_a_form_is_refused(token: str) -> None:
    with pytest.raises(CsrfError):
        csrf.check(SETTINGS, OLIVE, "fb-1", token)


def test_a_form_that_lay_open_for_too_long_is_refused() -> None:
    shown = datetime(2026, 11, 22, 3, tzinfo=UTC)
    clock.go_by(lambda: shown)
    token = csrf.issue(SETTINGS, OLIVE, "fb-1")
    clock.go_by(lambda: shown + csrf.GOOD_FOR)
    csrf.check(SETTINGS, OLIVE, "fb-1", token)
    clock.go_by(lambda: shown + csrf.GOOD_FOR + timedelta(seconds=1))
    with pytest.raises(CsrfError):
        csrf.check(SETTINGS, OLIVE, "fb-1", token)


def test_without_keys_no_form_is_shown() -> None:
    with pytest.raises(SettingsError, match="FAILBACK_LINK_KEYS"):
        csrf.issue(Settings(), OLIVE, "fb-1")

"""Tokens in forms: a form is taken only from the person it was shown to, for what it was shown for.

A page on another site can make a browser send a form along with its cookies, but it cannot read ours, and so
never has the token.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from domain.people import Caller
from domain.settings import Settings
from identity.signing import SignatureError, sign, unsign

_PURPOSE: Final = "form"
# A page may lie open for a shift; its question is checked by its hash anyway.
GOOD_FOR: Final = timedelta(hours=12)


class CsrfError(Exception):
    """A form that was not shown to this person for this, or too long ago."""


def issue(settings: Settings, caller: Caller, subject: str) -> str:
    """Make the token of a form that a person is shown for a subject.

    Raises:
        SettingsError: no keys are set to sign it with.
    """
    return sign(settings, _PURPOSE, _bound(caller, subject))


def check(settings: Settings, caller: Caller, subject: str, token: str) -> None:
    """Take a form's token, or refuse it.

    Raises:
        CsrfError: it was made for another person, another subject or another way of signing in; too long ago;
            or not by us.
        SettingsError: no keys are set to check it with.
    """
    try:
        found = unsign(settings, _PURPOSE, token, within=int(GOOD_FOR.total_seconds()))
    except SignatureError:
        found = None
    if found != _bound(caller, subject):
        raise CsrfError("the form is too old, or was not shown to this person for this; load the page again")


def _bound(caller: Caller, subject: str) -> list[str]:
    return [caller.id, caller.method.value, subject]

"""Signatures by keys that can be changed: HMAC-SHA-256, compared in constant time by the library.

Every purpose has a salt of its own, so that what was signed for one is worth nothing for another.
"""

from __future__ import annotations

import hashlib
from typing import Any, Final

from itsdangerous import BadData, TimestampSigner, URLSafeTimedSerializer

from domain.settings import Settings, SettingsError
from identity import clock

# The longest that any purpose needs is a third of this; nothing longer is looked at.
LONGEST_TOKEN: Final = 4_096


class SignatureError(Exception):
    """What was given was not signed by us, for this purpose, or not lately enough."""


class _Signer(TimestampSigner):
    """Signs with the time that people go by."""

    def get_timestamp(self) -> int:
        return int(clock.now().timestamp())


def serializer(settings: Settings, purpose: str) -> URLSafeTimedSerializer:
    """Make the signer of one purpose; it signs with the first key and still believes the second.

    Raises:
        SettingsError: no keys are set.
    """
    if not settings.link_keys:
        raise SettingsError("FAILBACK_LINK_KEYS: needed to sign approval links and forms, and not set")
    keys = [key.get_secret_value() for key in reversed(settings.link_keys)]
    how = {"digest_method": hashlib.sha256, "key_derivation": "hmac"}
    return URLSafeTimedSerializer(keys, salt=f"failback.{purpose}", signer=_Signer, signer_kwargs=how)


def sign(settings: Settings, purpose: str, document: Any) -> str:
    """Sign a JSON document for a purpose; what comes out can stand in a URL."""
    return serializer(settings, purpose).dumps(document)


def unsign(settings: Settings, purpose: str, token: str, *, within: int | None = None) -> Any:
    """Give back what was signed for a purpose, in the last so many seconds.

    Raises:
        SignatureError: it was not, or too long ago.
    """
    if len(token) > LONGEST_TOKEN or not token.isascii():
        raise SignatureError("no token of ours is like that")
    try:
        return serializer(settings, purpose).loads(token, max_age=within)
    except BadData:
        raise SignatureError("it was not signed for this, or too long ago") from None

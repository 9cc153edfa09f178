"""Bearer tokens of Microsoft Entra, checked here: signature, algorithm, issuer, audience, times, scope.

Only RS256 by a key that our tenant publishes is believed, whatever a token says of itself. Both token versions
are read, since an app registration decides which it is sent; both only of our own tenant.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping, Sequence
from datetime import timedelta
from functools import cache
from typing import Any, Final, Protocol, cast

import jwt

from domain.people import Caller, Method
from domain.settings import Cloud, Settings
from identity import claims
from identity.claims import Claims, ClaimsError

# v1 and v2 issuers by cloud, and where v2 publishes its keys: Microsoft's page on national clouds, and for v1
# its answer on token issuers of sovereign clouds.
ISSUERS: Final[Mapping[Cloud, tuple[str, str]]] = {
    Cloud.PUBLIC: ("https://sts.windows.net/{}/", "https://login.microsoftonline.com/{}/v2.0"),
    Cloud.US_GOVERNMENT: ("https://sts.windows.net/{}/", "https://login.microsoftonline.us/{}/v2.0"),
    Cloud.CHINA: ("https://sts.chinacloudapi.cn/{}/", "https://login.partner.microsoftonline.cn/{}/v2.0"),
}
_LONGEST_TOKEN: Final = 16_384
_LONGEST_KEY_ID: Final = 128
# Clocks differ a little.
_LEEWAY: Final = timedelta(minutes=1)
_NEEDED: Final = ["exp", "nbf", "iat", "iss", "aud", "tid"]
# Keys are changed without notice: an unknown one is asked for at once, then at most twice a minute.
_KEYS_GOOD_FOR: Final = timedelta(hours=1)
_KEYS_WITHIN: Final = timedelta(seconds=5)


class TokenError(Exception):
    """A token that is not believed; the message says why, and holds nothing of it."""


class KeysError(Exception):
    """The tenant's keys could not be fetched, so that no token can be judged now."""


class Keys(Protocol):
    """Where the keys of a tenant are found."""

    def get_signing_key(self, kid: str) -> jwt.PyJWK:
        """Give the key of this id; may ask the network."""
        ...


_others: Keys | None = None


def trust(keys: Keys | None) -> None:
    """Take the keys from somewhere else from here on; none means from the tenant."""
    global _others  # noqa: PLW0603 - one source of trust per process is the point
    _others = keys


@cache
def published(url: str) -> Keys:
    """Give the keys that are published at an address, remembered for a while."""
    return jwt.PyJWKClient(url, lifespan=_KEYS_GOOD_FOR.total_seconds(), timeout=int(_KEYS_WITHIN.total_seconds()))


def issuers(settings: Settings) -> tuple[str, ...]:
    """Name the issuers of our tenant in our cloud."""
    return tuple(issuer.format(settings.tenant_id) for issuer in ISSUERS[settings.cloud])


def keys_url(settings: Settings) -> str:
    """Say where our tenant publishes its keys."""
    return f"{issuers(settings)[1].removesuffix('/v2.0')}/discovery/v2.0/keys"


async def verified(settings: Settings, token: str, audiences: Sequence[str] | None = None) -> Mapping[str, Any]:
    """Check a token for these audiences, else for the app's own, and give what it claims.

    Raises:
        TokenError: it is not believed.
        KeysError: it cannot be judged, for the keys cannot be fetched.
    """
    meant = list(audiences if audiences is not None else settings.audiences)
    if not settings.tenant_id or not meant:
        raise TokenError("bearer tokens are not taken: FAILBACK_TENANT_ID and FAILBACK_AUDIENCES are not set")
    key = await _key(settings, token)
    try:
        return jwt.decode(
            token,
            key,
            algorithms=["RS256"],
            audience=meant,
            issuer=list(issuers(settings)),
            leeway=_LEEWAY,
            options={"require": _NEEDED},
        )
    except jwt.PyJWTError as fault:
        raise TokenError(_words(fault)) from None


async def read(settings: Settings, token: str, address: str | None = None) -> Caller:
    """Say who is asking, by a token that was sent.

    Raises:
        TokenError: it is not believed, or lacks this app's scope.
        KeysError: it cannot be judged, for the keys cannot be fetched.
    """
    said = _flat(await verified(settings, token))
    try:
        caller = claims.caller(settings, said, Method.BEARER, address)
    except ClaimsError as fault:
        raise TokenError(str(fault)) from None
    if not caller.is_app and settings.scope not in claims.scopes(said):
        raise TokenError(f"it does not carry the scope {settings.scope}, so it was given for something else")
    return caller


async def _key(settings: Settings, token: str) -> jwt.PyJWK:
    """Find the key a token says it is signed with; nothing is fetched for one that cannot be good."""
    if len(token) > _LONGEST_TOKEN:
        raise TokenError("it is too long")
    try:
        header = jwt.get_unverified_header(token)
    except jwt.PyJWTError:
        raise TokenError("it is no signed token") from None
    named = header.get("kid")
    if header.get("alg") != "RS256" or not isinstance(named, str) or len(named) > _LONGEST_KEY_ID:
        raise TokenError("it is not signed as Entra signs")
    keys = _others or published(keys_url(settings))
    try:
        return await asyncio.to_thread(keys.get_signing_key, named)
    except jwt.PyJWKClientConnectionError:
        raise KeysError("the tenant's keys cannot be fetched now") from None
    except jwt.PyJWTError:
        raise TokenError("it is signed with a key that our tenant does not publish") from None


_WORDS: Final[Mapping[type[jwt.PyJWTError], str]] = {
    jwt.ExpiredSignatureError: "it has expired; sign in again",
    jwt.ImmatureSignatureError: "it is not good yet; look at this machine's clock",
    jwt.InvalidAudienceError: "it was made for another app: its audience is none of FAILBACK_AUDIENCES",
    jwt.InvalidIssuerError: "it was made by another tenant, or in another cloud",
    jwt.MissingRequiredClaimError: "it lacks a claim that Entra's tokens have",
    jwt.InvalidSignatureError: "its signature is wrong",
}


def _words(fault: jwt.PyJWTError) -> str:
    return next((words for kind, words in _WORDS.items() if isinstance(fault, kind)), "it is not believed")


def _flat(said: Mapping[str, Any]) -> Claims:
    """Make every claim a list of texts, as the platform's header has them."""
    return {name: [_text(each) for each in _listed(value)] for name, value in said.items()}


def _listed(value: Any) -> list[Any]:
    return cast("list[Any]", value) if isinstance(value, list) else [value]


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)

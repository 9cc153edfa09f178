"""Links that let one person answer one question: bound to person, run, gate, round and content, and expiring.

A link proves who follows it only as far as the mail box it was sent to is theirs. That it is used once, the
gate's ledger sees to: a decision made by a link carries the link's nonce. Reading a link decides nothing.
"""

from __future__ import annotations

import secrets
from datetime import datetime
from enum import StrEnum
from typing import Final, Literal

from pydantic import ValidationError

from domain.approvals import GateName
from domain.people import Caller, Method, Role
from domain.settings import Settings
from domain.wire import Answer
from identity import clock
from identity.signing import SignatureError, sign, unsign

_PURPOSE: Final = "approval-link"


class LinkFault(StrEnum):
    """Why a link is not good."""

    EXPIRED = "expired"
    FORGED = "forged"
    FOREIGN = "foreign"
    UNOWNED = "unowned"


class LinkError(Exception):
    """A link that is not good, or no longer: `kind` says why.

    `forged` was not signed by us, or by a key that is no longer believed. `foreign` was signed with our keys,
    but for another installation or by another version. `unowned` was sent to an address of which the settings do
    not say whose it is, so that whoever follows it could be counted twice.
    """

    def __init__(self, kind: LinkFault) -> None:
        super().__init__(f"the link is {kind}")
        self.kind = kind


class Link(Answer):
    """What a link was made for; `key` names the gate's ledger, `hash` what the gate showed."""

    version: Literal[1] = 1
    audience: str | None = None
    person: str
    run: str
    key: str
    gate: GateName
    round: int
    hash: str
    expires: datetime
    nonce: str

    def caller(self, settings: Settings, address: str | None = None) -> Caller:
        """Say who follows it: the person it was made for, who may decide and nothing else."""
        person = settings.person_id(self.person)
        return Caller(
            id=person,
            name=self.person,
            also=settings.names_of(person),
            roles=(Role.APPROVER,),
            method=Method.LINK,
            address=address,
        )


def mint(
    settings: Settings,
    *,
    person: str,
    run: str,
    key: str,
    gate: GateName,
    round: int,  # noqa: A002 - the gate's own word
    hash: str,  # noqa: A002 - the gate's own word
    expires: datetime,
) -> str:
    """Make the token of a link; every one is another, and each can be used once.

    Raises:
        SettingsError: no keys are set to sign it with.
    """
    link = Link(
        audience=settings.public_base,
        person=person,
        run=run,
        key=key,
        gate=gate,
        round=round,
        hash=hash,
        expires=expires,
        nonce=secrets.token_urlsafe(12),
    )
    return sign(settings, _PURPOSE, link.to_wire())


def read(settings: Settings, token: str) -> Link:
    """Say what a link was made for.

    Raises:
        LinkError: it is not good; `kind` says why.
        SettingsError: no keys are set to check it with.
    """
    try:
        link = Link.from_wire(unsign(settings, _PURPOSE, token))
    except SignatureError:
        raise LinkError(LinkFault.FORGED) from None
    except ValidationError:
        raise LinkError(LinkFault.FOREIGN) from None
    if link.audience != settings.public_base:
        raise LinkError(LinkFault.FOREIGN)
    if clock.now() >= link.expires:
        raise LinkError(LinkFault.EXPIRED)
    if settings.owner_of(link.person) is None:
        raise LinkError(LinkFault.UNOWNED)
    return link

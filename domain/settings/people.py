"""Whose word is taken for who is asking, and with which keys links are signed."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Any, Final

from pydantic import BaseModel, Field, SecretStr, field_validator

from domain.people import spelt
from domain.settings.azure import is_loopback, safe_endpoint

SHORTEST_KEY: Final = 32
_UNRESOLVED: Final = "@Microsoft.KeyVault("
_MOST_KEYS: Final = 2
_OBJECT_ID: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


class Identity(StrEnum):
    """Whose word is taken for who is asking."""

    APP_SERVICE = "app-service"
    DECLARED = "declared"


class PeopleSettings(BaseModel):
    """How people prove who they are."""

    identity: Annotated[
        Identity,
        Field(
            validation_alias="FAILBACK_IDENTITY",
            description="app-service: App Service authentication names people; declared: they name themselves, "
            "for local use only.",
        ),
    ] = Identity.APP_SERVICE

    auth_enabled: Annotated[
        bool,
        Field(
            validation_alias="WEBSITE_AUTH_ENABLED",
            description="Set by App Service when its authentication is on; only then its headers are believed.",
        ),
    ] = False

    tenant_id: Annotated[
        str | None,
        Field(
            pattern=r"^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$",
            validation_alias="FAILBACK_TENANT_ID",
            description="The Entra tenant people belong to, by its id; others are turned away.",
        ),
    ] = None

    audiences: Annotated[
        tuple[str, ...],
        Field(
            validation_alias="FAILBACK_AUDIENCES",
            description="For whom bearer tokens must be made, parted by commas: the app registration's client id, "
            "its identifier URI, or both. Without any, or without a tenant, no bearer token is taken.",
        ),
    ] = ()

    scope: Annotated[
        str,
        Field(
            min_length=1,
            validation_alias="FAILBACK_SCOPE",
            description="The scope that a person's bearer token must carry.",
        ),
    ] = "user_impersonation"

    link_keys: Annotated[
        tuple[SecretStr, ...],
        Field(
            max_length=_MOST_KEYS,
            validation_alias="FAILBACK_LINK_KEYS",
            description="One or two secrets of 32 characters or more, parted by a comma, that sign approval links "
            "and forms: the first signs, the second is still believed. Without any, no links are sent.",
        ),
    ] = ()

    public_url: Annotated[
        str | None,
        Field(
            validation_alias="FAILBACK_PUBLIC_URL",
            description="Where people reach the app, as in https://failback.contoso.com; links begin with it. "
            "https, or http on loopback. The app's own host name otherwise.",
        ),
    ] = None

    hostname: Annotated[
        str | None,
        Field(validation_alias="WEBSITE_HOSTNAME", description="Set by App Service: the app's host name."),
    ] = None

    site_name: Annotated[
        str | None,
        Field(validation_alias="WEBSITE_SITE_NAME", description="Set by App Service: that the app runs in Azure."),
    ] = None

    front_door_id: Annotated[
        str | None,
        Field(
            validation_alias="FAILBACK_FRONT_DOOR_ID",
            description="The id of the Azure Front Door before the app: requests that carry it in X-Azure-FDID "
            "are believed on X-Azure-ClientIP. Let nothing else reach the app, for the id is no secret.",
        ),
    ] = None

    aliases: Annotated[
        dict[str, str],
        Field(
            validation_alias="FAILBACK_ALIASES",
            description="Names and mail addresses that are the same person's, as a JSON object from name to that "
            "person, best named by the Entra object id: two accounts of one person count as one, and an approver "
            "may be named by any of them. A mail address gets personal links only where this leads to an object "
            'id, as in {"dana@contoso.com": "0d1c...", "dana-admin@contoso.com": "dana@contoso.com"}.',
        ),
    ] = {}

    @field_validator("link_keys", "audiences", mode="before")
    @classmethod
    def _parted(cls, value: Any) -> Any:
        if not isinstance(value, str):
            return value
        # A Key Vault reference that could not be read arrives as it was written: known to all, and no key.
        parts = [each.strip() for each in value.split(",")]
        return [each for each in parts if each and not each.startswith(_UNRESOLVED)]

    @field_validator("link_keys")
    @classmethod
    def _hard_to_guess(cls, value: tuple[SecretStr, ...]) -> tuple[SecretStr, ...]:
        keys = [key.get_secret_value() for key in value]
        if any(len(key) < SHORTEST_KEY for key in keys):
            raise ValueError(f"each key needs {SHORTEST_KEY} characters or more, chosen at random")
        if len(set(keys)) < len(keys):
            raise ValueError("the two keys are the same")
        return value

    @field_validator("public_url")
    @classmethod
    def _safe(cls, value: str | None) -> str | None:
        return None if value is None else safe_endpoint(value)

    @field_validator("aliases", mode="before")
    @classmethod
    def _document(cls, value: Any) -> Any:
        if not isinstance(value, str):
            return value
        try:
            return json.loads(value)
        except ValueError:
            raise ValueError('expected a JSON object such as {"dana-admin@contoso.com": "dana"}') from None

    @field_validator("aliases")
    @classmethod
    def _to_the_person(cls, value: dict[str, str]) -> dict[str, str]:
        known = {spelt(name): spelt(person) for name, person in value.items()}
        if len(known) < len(value):
            raise ValueError("a name is given twice, in another spelling")
        return {name: _person_behind(name, known) for name in known}

    @property
    def public_base(self) -> str | None:
        """Where people reach the app, without a last slash; nothing where that is not known."""
        if self.public_url is not None:
            return self.public_url
        if not self.hostname:
            return None
        return f"{'http' if is_loopback(self.hostname.partition(':')[0]) else 'https'}://{self.hostname}"

    @property
    def is_in_azure(self) -> bool:
        """Whether the app runs in Azure, and not on somebody's own machine."""
        return bool(self.site_name) and not is_loopback((self.hostname or "").partition(":")[0])

    def person_id(self, name: str, object_id: str | None = None) -> str:
        """Tell a person from others: by alias, else by object id, else by name, however it is spelt."""
        known = [spelt(each) for each in (name, object_id or "")]
        # Whoever an alias points to is meant by it too, however they are known themselves.
        people = self.aliases | {person: person for person in self.aliases.values()}
        alias = next((people[each] for each in known if each in people), None)
        return alias or known[1] or known[0]

    def names_of(self, person: str) -> tuple[str, ...]:
        """Give every other name that the settings say is this person's."""
        return tuple(name for name, owner in self.aliases.items() if owner == person != name)

    def owner_of(self, address: str) -> str | None:
        """Say whose a mail address is, where that is sure enough for its reader to have a voice of their own.

        Entra tells people apart by object id, and anybody may have several addresses, or read one that many
        read. Where people declare who they are, a name is all there is of them.
        """
        person = self.person_id(address)
        return person if self.identity is Identity.DECLARED or _OBJECT_ID.fullmatch(person) else None


def _person_behind(name: str, known: Mapping[str, str]) -> str:
    """Follow a name to the person, over as many names as there are between."""
    passed = {name}
    while (onward := known.get(name)) is not None and onward != name:
        if onward in passed:
            raise ValueError(f"the names go round in a circle: {', '.join(sorted(passed))}")
        passed.add(onward)
        name = onward
    return name

"""Whose word is taken for who is asking."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import BaseModel, Field


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

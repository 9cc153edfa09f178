"""Which alerts are listened to, and how Azure Monitor proves who it is."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any

from pydantic import BaseModel, Field, field_validator


class AlertAuth(StrEnum):
    """How the caller of the alert door proves who it is."""

    ENTRA = "entra"
    FUNCTION_KEY = "functionKey"


class AlertSettings(BaseModel):
    """The alert door."""

    alert_routes: Annotated[
        str | None,
        Field(
            validation_alias="FAILBACK_ALERT_ROUTES",
            description="The alert routes: a JSON file, relative to the app, or the JSON itself. Without any, "
            "alerts have no effect.",
        ),
    ] = None

    alert_auth: Annotated[
        AlertAuth,
        Field(
            validation_alias="FAILBACK_ALERT_AUTH",
            description="functionKey: the Functions host asks for a key; entra: the secure webhook's token is "
            "asked for, which is safer. Read when the app starts.",
        ),
    ] = AlertAuth.FUNCTION_KEY

    alert_audiences: Annotated[
        tuple[str, ...],
        Field(
            validation_alias="FAILBACK_ALERT_AUDIENCES",
            description="For whom the secure webhook's token must be made, parted by commas: the client id or the "
            "identifier URI of the application it names. FAILBACK_AUDIENCES otherwise.",
        ),
    ] = ()

    alert_role: Annotated[
        str,
        Field(
            min_length=1,
            validation_alias="FAILBACK_ALERT_ROLE",
            description="The app role that the secure webhook's token must carry.",
        ),
    ] = "ActionGroupsSecureWebhook"

    @field_validator("alert_audiences", mode="before")
    @classmethod
    def _several(cls, value: Any) -> Any:
        return [each.strip() for each in value.split(",") if each.strip()] if isinstance(value, str) else value

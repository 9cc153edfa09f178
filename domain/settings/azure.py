"""Where Azure is, and how it is looked at."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Annotated, Any, Final
from urllib.parse import urlsplit

from pydantic import BaseModel, Field, field_validator

from domain.contract import Pace


class Cloud(StrEnum):
    """The Azure clouds, named as the Azure CLI and azure-core name them."""

    PUBLIC = "AzureCloud"
    US_GOVERNMENT = "AzureUSGovernment"
    CHINA = "AzureChinaCloud"


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoints:
    """Where one cloud is reached: management, its token audience, sign-in, and Log Analytics."""

    arm: str
    audience: str
    authority: str
    logs: str


# ARM as in azure-mgmt-core 1.6 (tools.get_arm_endpoints); sign-in as in azure-identity's AzureAuthorityHosts;
# Log Analytics as in azure-monitor-query's page on sovereign clouds.
ENDPOINTS: Final[Mapping[Cloud, Endpoints]] = {
    Cloud.PUBLIC: Endpoints(
        arm="https://management.azure.com",
        audience="https://management.azure.com",
        authority="login.microsoftonline.com",
        logs="https://api.loganalytics.io",
    ),
    Cloud.US_GOVERNMENT: Endpoints(
        arm="https://management.usgovcloudapi.net",
        audience="https://management.core.usgovcloudapi.net",
        authority="login.microsoftonline.us",
        logs="https://api.loganalytics.us",
    ),
    Cloud.CHINA: Endpoints(
        arm="https://management.chinacloudapi.cn",
        audience="https://management.chinacloudapi.cn",
        authority="login.chinacloudapi.cn",
        logs="https://api.loganalytics.azure.cn",
    ),
}


class AzureSettings(BaseModel):
    """How failback reaches Azure, and how often it looks."""

    cloud: Annotated[
        Cloud,
        Field(validation_alias="AZURE_CLOUD", description="AzureCloud, AzureUSGovernment or AzureChinaCloud."),
    ] = Cloud.PUBLIC
    client_id: Annotated[
        str | None,
        Field(
            validation_alias="AZURE_CLIENT_ID",
            description="Client id of the user-assigned identity; the system-assigned one otherwise.",
        ),
    ] = None
    arm_endpoint: Annotated[
        str | None,
        Field(
            validation_alias="FAILBACK_ARM_ENDPOINT",
            description="Azure Resource Manager; https, or http on loopback. The cloud's own otherwise.",
        ),
    ] = None
    logs_endpoint: Annotated[
        str | None,
        Field(
            validation_alias="FAILBACK_LOGS_ENDPOINT",
            description="Log Analytics query API; https, or http on loopback. The cloud's own otherwise.",
        ),
    ] = None
    look_every: Annotated[
        timedelta,
        Field(
            ge=timedelta(milliseconds=100),
            le=timedelta(hours=1),
            validation_alias="FAILBACK_LOOK_EVERY",
            description="Usual time between two looks, as an ISO 8601 duration or in seconds. Looks come sooner, "
            "down to ten seconds, where a job may end at any moment, and up to four times later where none can.",
        ),
    ] = timedelta(seconds=30)
    parallel_calls: Annotated[
        int,
        Field(
            ge=1,
            le=32,
            validation_alias="FAILBACK_PARALLEL_CALLS",
            description="How many calls of Azure one activity may have under way at once.",
        ),
    ] = 8

    @field_validator("look_every", mode="before")
    @classmethod
    def _bare_number_is_seconds(cls, value: Any) -> Any:
        try:
            return float(value) if isinstance(value, str) else value
        except ValueError:
            return value

    @field_validator("arm_endpoint", "logs_endpoint")
    @classmethod
    def _may_carry_tokens(cls, value: str | None) -> str | None:
        return None if value is None else safe_endpoint(value)

    @property
    def arm(self) -> str:
        """Where ARM is called, without a last slash."""
        return self.arm_endpoint or ENDPOINTS[self.cloud].arm

    @property
    def logs(self) -> str:
        """Where logs are queried, without a last slash."""
        return self.logs_endpoint or ENDPOINTS[self.cloud].logs

    @property
    def arm_scope(self) -> str:
        """The token scope of ARM: the cloud's, whatever the endpoint."""
        return f"{ENDPOINTS[self.cloud].audience}/.default"

    @property
    def logs_audience(self) -> str:
        """The token audience of Log Analytics: the cloud's, whatever the endpoint."""
        return ENDPOINTS[self.cloud].logs

    @property
    def authority(self) -> str:
        """The sign-in host of the cloud."""
        return ENDPOINTS[self.cloud].authority

    @property
    def pace(self) -> Pace:
        """The rhythm that a plan freezes."""
        return Pace(look_every=self.look_every)


def is_plain_http(endpoint: str) -> bool:
    """Tell whether an endpoint is spoken to without TLS."""
    return urlsplit(endpoint).scheme == "http"


def safe_endpoint(value: str) -> str:
    """Refuse an endpoint to which a token must not be sent.

    Tokens for Azure travel with every call, so anything but TLS is for this machine only.
    """
    parts = urlsplit(value.strip())
    if parts.username or parts.password or parts.query or parts.fragment or not parts.hostname:
        raise ValueError("expected a plain URL such as https://management.azure.com")
    if parts.scheme != "https" and not (parts.scheme == "http" and is_loopback(parts.hostname)):
        raise ValueError("tokens are sent there: only https, or http on loopback, is accepted")
    return value.strip().rstrip("/")


def is_loopback(host: str) -> bool:
    """Tell whether a host is this very machine."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False

"""Where notices go: a channel for each address that is set, and none without."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Annotated, Final
from urllib.parse import urlsplit

from pydantic import BaseModel, Field, SecretStr

from domain.settings.azure import safe_endpoint

# A channel is named by what it is; personal mail is "mail:" and the address.
TEAMS: Final = "teams"
SLACK: Final = "slack"
WEBHOOK: Final = "webhook"
MAIL: Final = "mail"

# App Service hands this text on as it is when the vault or the secret cannot be read.
_UNRESOLVED: Final = "@Microsoft.KeyVault("


class UnusableError(ValueError):
    """A channel is configured in a way that cannot work; the message names the setting, and no value."""


class NoticeSettings(BaseModel):
    """Where notices go.

    The values are judged when a notice is delivered, not when the app starts: a secret that cannot be read
    silences one channel, and must not keep machines from coming home.
    """

    teams_webhook: Annotated[
        SecretStr | None,
        Field(
            validation_alias="FAILBACK_TEAMS_WEBHOOK",
            description="URL of a Teams workflow that posts what a webhook receives; a secret.",
        ),
    ] = None
    slack_webhook: Annotated[
        SecretStr | None,
        Field(
            validation_alias="FAILBACK_SLACK_WEBHOOK",
            description="URL of a Slack incoming webhook; a secret.",
        ),
    ] = None
    webhook: Annotated[
        SecretStr | None,
        Field(
            validation_alias="FAILBACK_WEBHOOK",
            description="URL that takes notices as signed CloudEvents; a secret.",
        ),
    ] = None
    webhook_keys: Annotated[
        SecretStr | None,
        Field(
            validation_alias="FAILBACK_WEBHOOK_KEYS",
            description="Keys that sign for FAILBACK_WEBHOOK, whsec_ and base64, one or two with a comma between.",
        ),
    ] = None
    mail_endpoint: Annotated[
        str | None,
        Field(
            validation_alias="FAILBACK_MAIL_ENDPOINT",
            description="Endpoint of Azure Communication Services that sends the mail.",
        ),
    ] = None
    mail_from: Annotated[
        str | None,
        Field(
            validation_alias="FAILBACK_MAIL_FROM",
            description="Sender address; its domain is linked to that Communication Services resource.",
        ),
    ] = None
    mail_to: Annotated[
        str,
        Field(
            validation_alias="FAILBACK_MAIL_TO",
            description="Mail addresses that get every notice, with commas between.",
        ),
    ] = ""
    mail_domains: Annotated[
        str,
        Field(
            validation_alias="FAILBACK_MAIL_DOMAINS",
            description="Domains whose approvers get mail with a personal link, with commas between.",
        ),
    ] = ""

    def channels(self, approvers: Iterable[str] = ()) -> tuple[str, ...]:
        """Name the channels there are for a notice that asks these people."""
        given = {TEAMS: self.teams_webhook, SLACK: self.slack_webhook, WEBHOOK: self.webhook}
        return (*(name for name, address in given.items() if address is not None), *self._mails(approvers))

    def _mails(self, approvers: Iterable[str]) -> Iterator[str]:
        if self.mail_endpoint is None:
            return
        domains = set(_listed(self.mail_domains))
        permitted = (each for each in approvers if each.casefold().rpartition("@")[2] in domains and "@" in each)
        addresses = dict.fromkeys(each.casefold() for each in (*_listed(self.mail_to), *permitted))
        yield from (f"{MAIL}:{address}" for address in addresses)

    def teams_url(self) -> str:
        """Give the URL of the Teams workflow.

        Raises:
            UnusableError: there is none, or nothing may be sent there.
        """
        return _url(self.teams_webhook, "FAILBACK_TEAMS_WEBHOOK")

    def slack_url(self) -> str:
        """Give the URL of the Slack webhook; raises as `teams_url`."""
        return _url(self.slack_webhook, "FAILBACK_SLACK_WEBHOOK")

    def webhook_url(self) -> str:
        """Give the URL of the generic webhook; raises as `teams_url`."""
        return _url(self.webhook, "FAILBACK_WEBHOOK")

    def mail_url(self) -> str:
        """Give the endpoint that sends the mail; raises as `teams_url`."""
        return _url(SecretStr(self.mail_endpoint or ""), "FAILBACK_MAIL_ENDPOINT").rstrip("/")


def _listed(text: str) -> tuple[str, ...]:
    return tuple(part.strip().casefold() for part in text.split(",") if part.strip())


def _url(secret: SecretStr | None, variable: str) -> str:
    value = secret.get_secret_value().strip() if secret else ""
    if value.startswith(_UNRESOLVED):
        raise UnusableError(f"{variable} is a Key Vault reference that could not be read")
    try:
        parts = urlsplit(value)
        safe_endpoint(parts._replace(query="", fragment="").geturl())
    except ValueError:
        raise UnusableError(f"{variable} is not a URL with https (http is for this machine only)") from None
    return parts._replace(fragment="").geturl()

"""E-mail through Azure Communication Services, as the app's own identity.

Sent is what the service has taken; that it arrives, the service's own operation says, whose id is in the words.
The id follows from the notice and the address, so that the service knows a repetition.
"""

from __future__ import annotations

import html
from typing import Any, Final, cast
from uuid import UUID, uuid5

from azure.communication.email import EmailClient
from azure.core.credentials import TokenCredential
from azure.core.exceptions import AzureError, HttpResponseError
from azure.core.rest import HttpResponse

from domain.errors import bounded
from domain.notices import Notice
from domain.settings import is_plain_http
from gateway.notices.post import CONNECT_TIMEOUT, READ_TIMEOUT, SOON, Posted, judged
from gateway.notices.shape import button, closing

# Any fixed one will do; it keeps our operations apart from others'.
_OURS: Final = UUID("6f6c3a4e-0f0b-5d86-9d0e-7a55c7f0a1de")
_SUBJECT: Final = 200


def operation_id(notice: Notice, address: str) -> str:
    """Name the sending of one notice to one address, the same in every repetition."""
    return str(uuid5(_OURS, f"{notice.id}\n{address.casefold()}"))


def message(notice: Notice, sender: str, address: str, page: str | None) -> dict[str, Any]:
    """Write a notice as a mail to one address; nothing in it is fetched or tracked when it is read."""
    return {
        "senderAddress": sender,
        "recipients": {"to": [{"address": address}]},
        "content": {
            "subject": bounded(" ".join(notice.title.split()), _SUBJECT),
            "plainText": _plain(notice, page),
            "html": _html(notice, page),
        },
        "headers": {"X-Failback-Run": notice.run, **({"Importance": "high"} if notice.urgent else {})},
        "userEngagementTrackingDisabled": True,
    }


def _plain(notice: Notice, page: str | None) -> str:
    facts = (f"{name}: {value}" for name, value in notice.facts.items())
    lead = (f"{button(notice)}: {page}", "") if page else (*closing(notice, page), "")
    return "\n".join((notice.title, "", *lead, *notice.words, "", *facts, ""))


def _html(notice: Notice, page: str | None) -> str:
    words = "".join(f"<p>{html.escape(line)}</p>" for line in (*notice.words, *closing(notice, page)))
    facts = "".join(
        f'<tr><th align="left">{html.escape(name)}</th><td>{html.escape(value)}</td></tr>'
        for name, value in notice.facts.items()
    )
    link = f'<p><a href="{html.escape(page)}">{button(notice)}</a></p>' if page else ""
    title = f"<h1>{html.escape(notice.title)}</h1>"
    return f'<html lang="en"><body>{title}{link}{words}<table>{facts}</table></body></html>'


class Mail:
    """The mail of one process; safe to share between threads."""

    def __init__(self, endpoint: str, credential: TokenCredential) -> None:
        # A repetition is the courier's business: the SDK would sleep for as long as it is told to.
        self._client = EmailClient(
            endpoint,
            credential,
            retry_total=0,
            permit_redirects=False,
            connection_timeout=CONNECT_TIMEOUT,
            read_timeout=READ_TIMEOUT,
        )
        self._loopback = is_plain_http(endpoint)

    def send(self, notice: Notice, sender: str, address: str, page: str | None) -> Posted:
        """Send a notice to one address; a failure's own words are not repeated, for they may hold the mail."""
        operation = operation_id(notice, address)
        try:
            self._client.begin_send(
                message(notice, sender, address, page),
                operation_id=operation,
                polling=False,
                enforce_https=not self._loopback,
            )
        except HttpResponseError as error:
            if error.response is not None:
                return judged(cast("HttpResponse", error.response), _code(error))
            return Posted(taken=False, words=f"no token for the mail ({type(error).__name__})", again_after=SOON)
        except AzureError as error:
            return Posted(taken=False, words=f"no answer ({type(error).__name__})", again_after=SOON)
        return Posted(taken=True, words=f"taken for delivery, operation {operation}")

    def close(self) -> None:
        """Close the connections."""
        self._client.close()


def _code(error: HttpResponseError) -> str:
    code = error.error.code if error.error else None
    return code if code and code.isalnum() else ""

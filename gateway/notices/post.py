"""The post: one bounded request to an address that is a secret in itself.

Whoever knows a webhook's address can write to it, so no address may appear in a log, an exception or an answer:
words about a failure are made here, never taken from the libraries beneath, whose messages repeat the URL.
"""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from http import HTTPStatus
from typing import Any, Final

from azure.core.exceptions import AzureError
from azure.core.pipeline.transport import HttpTransport, RequestsTransport
from azure.core.rest import HttpRequest, HttpResponse

from gateway.faults import retry_after

# A receiver that is slow to answer has most likely taken the notice; people wait for the other channels too.
CONNECT_TIMEOUT: Final = 5.0
READ_TIMEOUT: Final = 15.0
_WORD: Final = re.compile(r"[A-Za-z][A-Za-z_ ]{0,79}")
SOON: Final = timedelta(seconds=1)


class _Discreet(logging.Filter):
    """Keeps request lines out of the log: urllib3 writes them, addresses and all, at level DEBUG."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Let pass what is no debugging."""
        return record.levelno > logging.DEBUG


_DISCREET: Final = _Discreet()


@dataclass(frozen=True, slots=True, kw_only=True)
class Posted:
    """How a receiver took a notice; `again_after` says that another try may help, and when."""

    taken: bool
    words: str
    again_after: timedelta | None = None


class Post:
    """Connections to the receivers of notices; safe to share between threads."""

    def __init__(self, transport: HttpTransport[Any, Any] | None = None) -> None:
        # A filter is added once, however often: the logging module compares by identity.
        logging.getLogger("urllib3.connectionpool").addFilter(_DISCREET)
        self._transport = transport or RequestsTransport(
            connection_timeout=CONNECT_TIMEOUT, read_timeout=READ_TIMEOUT
        )

    def send(self, url: str, body: bytes, headers: Mapping[str, str]) -> Posted:
        """Post a body once; follows no redirect, and raises nothing that the network may do."""
        request = HttpRequest("POST", url, content=body, headers={**headers, "Accept-Encoding": "identity"})
        try:
            with self._transport.send(request, stream=True) as response:
                return judged(response, _said(response))
        except AzureError as error:
            fault = type(error.inner_exception or error).__name__
        return Posted(taken=False, words=f"no answer ({fault})", again_after=SOON)

    def close(self) -> None:
        """Close the connections."""
        self._transport.close()


def judged(response: HttpResponse, said: str) -> Posted:
    """Say what an answer means: taken, to be tried again, or refused for good."""
    status = response.status_code
    words = f"answered {status}{f': {said}' if said else ''}"
    if HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES:
        return Posted(taken=True, words=f"answered {status}")
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        return Posted(taken=False, words=words, again_after=retry_after(response))
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR or status == HTTPStatus.REQUEST_TIMEOUT:
        return Posted(taken=False, words=words, again_after=SOON)
    return Posted(taken=False, words=words)


def _said(response: HttpResponse) -> str:
    """Give what was wrong when a receiver says it in a word, as Slack's "invalid_blocks" or Azure's error code.

    Anything longer may repeat what was sent, and where to.
    """
    start = next(iter(response.iter_raw()), b"").decode(errors="replace").strip()
    try:
        word = json.loads(start)["error"]["code"]
    except (ValueError, TypeError, KeyError):
        word = start
    return word if isinstance(word, str) and _WORD.fullmatch(word) else ""

"""What an Azure failure means: come back later, wait so long, refused, or nobody knows."""

from __future__ import annotations

import json
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Any, Final, cast

from azure.core.exceptions import (
    AzureError,
    ClientAuthenticationError,
    HttpResponseError,
    ServiceRequestError,
    ServiceRequestTimeoutError,
)
from azure.core.rest import HttpResponse
from urllib3.exceptions import NewConnectionError

from domain.errors import FailbackError, Refusal, Throttled, Transient, Undecided, bounded

# What ARM's own clients wait when a 429 names no time.
THROTTLED_WAIT: Final = timedelta(seconds=30)
# A header may ask for hours by mistake; after this long we ask again.
LONGEST_WAIT: Final = timedelta(minutes=15)


class Refused(FailbackError):  # noqa: N818 - it carries a refusal to the activity's edge, where it is a value
    """Azure said no, and asking again would not help."""

    def __init__(self, refusal: Refusal, status: int | None = None) -> None:
        super().__init__(refusal.what)
        self.refusal = refusal
        self.status = status

    @property
    def is_not_found(self) -> bool:
        """Whether Azure does not know what was asked for."""
        return self.status == HTTPStatus.NOT_FOUND


@contextmanager
def reading() -> Generator[None]:
    """Turn what a read raises into `Transient`, `Throttled` or `Refused`."""
    try:
        yield
    except UNANSWERED as error:
        raise read_fault(error) from error


# An answer that is not the JSON it should be, as a proxy's empty 504, escapes from the SDKs as it is.
UNANSWERED: Final = (AzureError, json.JSONDecodeError)


def read_fault(error: AzureError | json.JSONDecodeError) -> FailbackError:
    """Say what a failed read means."""
    response = _response(error)
    if response is None or response.status_code < HTTPStatus.BAD_REQUEST:
        return Transient(_text(error))
    if response.status_code == HTTPStatus.TOO_MANY_REQUESTS:
        return Throttled(_text(error), retry_after(response))
    if _may_pass(response.status_code):
        return Transient(_text(error))
    return Refused(refusal_of(response), response.status_code)


def act_fault(error: AzureError | json.JSONDecodeError) -> FailbackError:
    """Say what a failed act means; in doubt it may have been started.

    A 429 and an expired token are answers that come before the act; a refused connection never carried it.
    """
    response = _response(error)
    if response is None:
        return Transient(_text(error)) if _was_never_sent(error) else Undecided(_text(error))
    if response.status_code == HTTPStatus.TOO_MANY_REQUESTS:
        return Throttled(_text(error), retry_after(response))
    if response.status_code == HTTPStatus.UNAUTHORIZED:
        return Transient(_text(error))
    if HTTPStatus.BAD_REQUEST <= response.status_code < HTTPStatus.INTERNAL_SERVER_ERROR and not _may_pass(
        response.status_code
    ):
        return Refused(refusal_of(response), response.status_code)
    return Undecided(_text(error))


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorBody:
    """Azure's error envelope, with the parts that the SDK's model leaves out."""

    code: str
    message: str
    causes: str = ""
    action: str = ""


def error_body(response: HttpResponse) -> ErrorBody:
    """Read the error envelope of a response, whatever it holds.

    Site Recovery puts `possibleCauses` and `recommendedAction` into `error.details[]`, which the SDK's
    ErrorDetail drops (recorded: a 404 of a missing protected item).
    """
    error = _envelope(response)
    details = [_object(each) for each in cast("list[Any]", error.get("details") or [])]
    told = next((each for each in details if each.get("recommendedAction")), _object(None))
    return ErrorBody(
        code=str(error.get("code") or f"Http{response.status_code}"),
        message=str(error.get("message") or response.reason or "no message"),
        causes=str(told.get("possibleCauses") or ""),
        action=str(told.get("recommendedAction") or ""),
    )


def refusal_of(response: HttpResponse) -> Refusal:
    """Give Azure's refusal in its own words, bounded, with what Azure's support asks for."""
    body = error_body(response)
    causes = f" Possible causes: {body.causes}" if body.causes else ""
    return Refusal(
        code=bounded(body.code, 100),
        what=bounded(f"{body.message}{causes}"),
        remedy=bounded(body.action or _REMEDIES.get(response.status_code, _ANY_REMEDY)),
        correlation=response.headers.get("x-ms-correlation-request-id"),
    )


_ANY_REMEDY = "read Azure's message; if it says nothing useful, give its support the correlation id"
_REMEDIES: Mapping[int, str] = {
    HTTPStatus.FORBIDDEN: "grant the app's identity the action on the scope that the message names",
    HTTPStatus.NOT_FOUND: "check the name, the resource group and the subscription",
    HTTPStatus.CONFLICT: "wait until the other operation has ended, then ask again",
}


def _envelope(response: HttpResponse) -> dict[str, Any]:
    try:
        document = _object(json.loads(response.text()))
    except (ValueError, AzureError):
        return {}
    return _object(document.get("error")) or document


def _object(value: Any) -> dict[str, Any]:
    return cast("dict[str, Any]", value) if isinstance(value, dict) else {}


def _response(error: Exception) -> HttpResponse | None:
    # azure-identity raises ClientAuthenticationError with the token service's response, not ARM's.
    if isinstance(error, HttpResponseError) and not _is_about_tokens(error):
        return cast("HttpResponse | None", error.response)
    return None


def _is_about_tokens(error: HttpResponseError) -> bool:
    if not isinstance(error, ClientAuthenticationError):
        return False
    return error.response is None or error.response.status_code != HTTPStatus.UNAUTHORIZED


def _was_never_sent(error: Exception) -> bool:
    """Tell whether the request surely never left: no token, or no connection to send it on."""
    if isinstance(error, (ClientAuthenticationError, ServiceRequestTimeoutError)):
        return True
    if not isinstance(error, ServiceRequestError):
        return False
    inner = error.inner_exception
    first = inner.args[0] if inner is not None and inner.args else None
    return any(isinstance(each, NewConnectionError) for each in (inner, first, getattr(first, "reason", None)))


def _may_pass(status: int) -> bool:
    # A token that ran out on the way is replaced by the next call's.
    return status in {HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.UNAUTHORIZED} or (
        status >= HTTPStatus.INTERNAL_SERVER_ERROR
    )


def retry_after(response: HttpResponse) -> timedelta:
    """Read Retry-After, in seconds or as a date (RFC 9110), within bounds."""
    header = response.headers.get("Retry-After") or ""
    try:
        wait = timedelta(seconds=float(header))
    except ValueError:
        wait = _until(header)
    return min(max(wait, timedelta(seconds=1)), LONGEST_WAIT)


def _until(header: str) -> timedelta:
    try:
        return parsedate_to_datetime(header) - datetime.now(UTC)
    except (ValueError, TypeError):
        return THROTTLED_WAIT


def _text(error: Exception) -> str:
    return bounded(f"{type(error).__name__}: {error}")

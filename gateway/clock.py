"""What time it is in Azure, read from the `Date` header of its answers.

Every time that is compared with one of Azure's must come from Azure's clock: ours may be off, and a simulated
Azure runs faster than the wall clock.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

from azure.core.pipeline import PipelineRequest, PipelineResponse
from azure.core.pipeline.policies import SansIOHTTPPolicy
from azure.core.rest import HttpRequest, HttpResponse


class AzureClock:
    """Azure's clock as of its last answer; ours until the first one."""

    def __init__(self, elapsed: Callable[[], float] = time.monotonic) -> None:
        self._elapsed = elapsed
        self._seen: tuple[datetime, float] | None = None

    def saw(self, header: str | None) -> None:
        """Take note of a `Date` header; one that cannot be read is passed over."""
        try:
            moment = parsedate_to_datetime(header or "")
        except ValueError:
            return
        self._seen = (moment.astimezone(UTC), self._elapsed())

    def now(self) -> datetime:
        """Give the time of the last answer plus the whole seconds since, in UTC."""
        if self._seen is None:
            return datetime.now(UTC)
        moment, at = self._seen
        return moment + timedelta(seconds=int(self._elapsed() - at))


class ReadClock(SansIOHTTPPolicy[HttpRequest, HttpResponse]):
    """Shows every answer to the clock."""

    def __init__(self, clock: AzureClock) -> None:
        super().__init__()
        self._clock = clock

    def on_response(
        self,
        request: PipelineRequest[HttpRequest],  # noqa: ARG002 - the policy's signature
        response: PipelineResponse[HttpRequest, HttpResponse],
    ) -> None:
        """Read the `Date` header."""
        self._clock.saw(response.http_response.headers.get("Date"))

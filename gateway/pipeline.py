"""The one pipeline through which Azure is spoken to: bounded retries for reads, none for anything else."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final, Self, cast

from azure.core import PipelineClient
from azure.core.credentials import TokenCredential
from azure.core.exceptions import HttpResponseError
from azure.core.pipeline import PipelineRequest, PipelineResponse
from azure.core.pipeline.policies import (
    BearerTokenCredentialPolicy,
    ContentDecodePolicy,
    CustomHookPolicy,
    DistributedTracingPolicy,
    HeadersPolicy,
    NetworkTraceLoggingPolicy,
    ProxyPolicy,
    RequestIdPolicy,
    RetryPolicy,
    SansIOHTTPPolicy,
    UserAgentPolicy,
)
from azure.core.pipeline.transport import HttpTransport, RequestsTransport
from azure.core.rest import HttpRequest, HttpResponse
from azure.mgmt.core import ARMPipelineClient
from azure.mgmt.core.policies import ARMChallengeAuthenticationPolicy, ARMHttpLoggingPolicy

from domain.errors import Transient
from domain.settings import Settings, is_plain_http
from gateway.budget import READS, WRITES, Bucket, KeepBudget
from gateway.clock import AzureClock, ReadClock
from gateway.faults import reading

# A look must come back well within the time between two looks. Site Recovery's lists take seconds.
CONNECT_TIMEOUT: Final = 5.0
READ_TIMEOUT: Final = 15.0
READ_BUDGET: Final = 18.0
# Accepting an act takes longer than a read, and giving up on it early leaves its outcome unknown.
ACT_TIMEOUT: Final = 60.0
# A wait that fits into the budget may be kept here; a longer one belongs to the orchestrator.
LONGEST_NAP: Final = 2.0
# A vault with thousands of items or jobs answers in pages; all of them together may take this long.
PAGES_BUDGET: Final = 60.0


class AllowHttp(SansIOHTTPPolicy[HttpRequest, HttpResponse]):
    """Lets the token travel over plain http; put in for a loopback endpoint only.

    The keyword `enforce_https` has no effect on a client, only on each call (azure-core 1.41).
    """

    def on_request(self, request: PipelineRequest[HttpRequest]) -> None:
        """Lift the ban for this call."""
        request.context.options.setdefault("enforce_https", False)


class BoundedRetry(RetryPolicy[HttpRequest, HttpResponse]):
    """Repeats reads a few times within `READ_BUDGET`, and never anything that changes something.

    azure-core would sleep as long as any Retry-After says, and re-send a POST on 500, 503 and 504, or on
    whatever status carries a Retry-After (tried with azure-core 1.41).
    """

    def __init__(self) -> None:
        super().__init__(
            retry_total=2, retry_backoff_factor=0.4, retry_backoff_max=LONGEST_NAP, timeout=READ_BUDGET
        )

    def is_retry(self, settings: dict[str, Any], response: PipelineResponse[Any, Any]) -> bool:
        """Tell whether to ask again here: a read, and soon."""
        if response.http_request.method != "GET" or (self.get_retry_after(response) or 0) > LONGEST_NAP:
            return False
        return bool(super().is_retry(settings, response))


@dataclass(frozen=True, kw_only=True)
class Line:
    """What every client of one process shares: settings, credential, connections, clock and budget."""

    settings: Settings
    credential: TokenCredential
    transport: HttpTransport[Any, Any]
    clock: AzureClock
    reads: Bucket
    writes: Bucket

    @classmethod
    def over(
        cls, settings: Settings, credential: TokenCredential, transport: HttpTransport[Any, Any] | None = None
    ) -> Self:
        """Lay a line over this transport, or over connections of its own."""
        clock = AzureClock()
        return cls(
            settings=settings,
            credential=credential,
            transport=transport or make_transport(),
            clock=clock,
            reads=Bucket(*READS, clock.now),
            writes=Bucket(*WRITES, clock.now),
        )

    def arm_policies(self) -> list[Any]:
        """Give the policies for ARM, in the order in which a request meets them."""
        challenge = ARMChallengeAuthenticationPolicy(self.credential, self.settings.arm_scope)
        return self._policies(self.settings.arm, challenge, KeepBudget(self.reads, self.writes))

    def logs_policies(self) -> list[Any]:
        """Give the policies for the Log Analytics API."""
        scope = f"{self.settings.logs_audience}/.default"
        bearer: BearerTokenCredentialPolicy[HttpRequest, HttpResponse] = BearerTokenCredentialPolicy(
            self.credential, scope
        )
        return self._policies(self.settings.logs, bearer)

    def _policies(self, endpoint: str, *more: object) -> list[Any]:
        # No redirects, and none of ARM's automatic provider registration: both send a request again.
        return [
            RequestIdPolicy(),
            HeadersPolicy(),
            UserAgentPolicy(sdk_moniker="failback"),
            ProxyPolicy(),
            *([AllowHttp()] if is_plain_http(endpoint) else []),
            ContentDecodePolicy(),
            BoundedRetry(),
            *more,
            ReadClock(self.clock),
            CustomHookPolicy(),
            NetworkTraceLoggingPolicy(),
            DistributedTracingPolicy(),
            ARMHttpLoggingPolicy(),
        ]


def make_transport() -> HttpTransport[Any, Any]:
    """Open the connections that one process shares."""
    return RequestsTransport(connection_timeout=CONNECT_TIMEOUT, read_timeout=READ_TIMEOUT)


class ArmReader:
    """Reads ARM resources as JSON, for the few that need no SDK of their own."""

    def __init__(self, line: Line) -> None:
        self._client: PipelineClient[HttpRequest, HttpResponse] = ARMPipelineClient(
            line.settings.arm, policies=line.arm_policies(), transport=line.transport
        )

    def get(self, arm_id: str, api_version: str, **parameters: str) -> dict[str, Any]:
        """Read one resource.

        Raises:
            Refused, Throttled, Transient: as `gateway.faults.reading` says.
        """
        url = self._client.format_url(arm_id)
        return self._read(HttpRequest("GET", url, params={"api-version": api_version, **parameters}))

    def each(self, arm_id: str, api_version: str, **parameters: str) -> Iterator[dict[str, Any]]:
        """Read a list, page after page."""
        deadline = time.monotonic() + PAGES_BUDGET
        page = self.get(arm_id, api_version, **parameters)
        while True:
            yield from cast("list[dict[str, Any]]", page.get("value") or [])
            following = page.get("nextLink")
            if not following:
                return
            within(deadline, arm_id)
            page = self._read(HttpRequest("GET", str(following)))

    def _read(self, request: HttpRequest) -> dict[str, Any]:
        with reading():
            response = self._client.send_request(request)
            if response.status_code >= 300:  # noqa: PLR2004 - HTTP's own boundary
                raise HttpResponseError(response=response)
            return cast("dict[str, Any]", response.json())


def within(deadline: float, what: str) -> None:
    """Give up on a list whose pages take too long.

    Raises:
        Transient: the deadline, on the monotonic clock, has passed.
    """
    if time.monotonic() > deadline:
        raise Transient(f"the pages of {what} took longer than {PAGES_BUDGET:.0f} s")

"""How many calls ARM lets one caller make, kept so that we are never the cause of a 429."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import datetime
from typing import Any, Final

from azure.core.pipeline import PipelineRequest, PipelineResponse
from azure.core.pipeline.policies import HTTPPolicy
from azure.core.rest import HttpRequest, HttpResponse

# ARM gives each subscription and caller a bucket of 250 reads refilled at 25 a second, and one of 200 writes
# refilled at 10 (learn.microsoft.com, "Understand how Azure Resource Manager throttles requests"). A fifth is
# left to whoever else uses the same identity.
READS: Final = (200, 20.0)
WRITES: Final = (160, 8.0)


class Bucket:
    """Tokens that come back with time; by Azure's clock, for it is Azure that counts."""

    def __init__(self, size: int, per_second: float, now: Callable[[], datetime]) -> None:
        self._size = size
        self._per_second = per_second
        self._now = now
        self._door = threading.Lock()
        self._left = float(size)
        self._at = now()

    def take(self) -> float:
        """Take one token and give the seconds to wait before using it, none while there are some left."""
        with self._door:
            now = self._now()
            # The clock may step back once, from ours to Azure's.
            passed = max((now - self._at).total_seconds(), 0.0)
            self._at = now
            self._left = min(self._left + passed * self._per_second, self._size) - 1
            return max(-self._left / self._per_second, 0.0)


class KeepBudget(HTTPPolicy[HttpRequest, HttpResponse]):
    """Holds a call back until the budget has room for it; repeated reads count too."""

    def __init__(self, reads: Bucket, writes: Bucket) -> None:
        super().__init__()
        self._reads = reads
        self._writes = writes

    def send(self, request: PipelineRequest[HttpRequest]) -> PipelineResponse[HttpRequest, HttpResponse]:
        """Wait for a token, then send."""
        bucket = self._reads if request.http_request.method == "GET" else self._writes
        wait = bucket.take()
        if wait > 0:
            transport: Any = request.context.transport
            transport.sleep(wait)
        return self.next.send(request)

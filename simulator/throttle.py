"""Azure Resource Manager's throttling: a token bucket for reads, one for writes and one for deletions."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from simulator.envelopes import plain_error

if TYPE_CHECKING:
    from datetime import datetime

    from simulator.estate import Estate
    from simulator.messages import Response

_GLOBAL_FACTOR = 15
"""The header for all subscriptions of a principal showed fifteen times the subscription's."""


@dataclass(slots=True, eq=False)
class Bucket:
    """A bucket of so many calls that refills by so many a second."""

    size: int
    per_second: float
    left: float
    filled: datetime

    def take(self, now: datetime) -> bool:
        """Take one call if there is one left."""
        passed = max(0.0, (now - self.filled).total_seconds())
        self.left = min(self.size, self.left + passed * self.per_second)
        self.filled = now
        if self.left < 1:
            return False
        self.left -= 1
        return True

    def wait(self) -> int:
        """Answer the whole seconds until there is one call again."""
        return max(1, math.ceil((1 - self.left) / self.per_second))


class Throttle:
    """The buckets of a subscription; deletions have one of their own, as large as that of writes."""

    def __init__(self, estate: Estate, now: datetime) -> None:
        self._reads = Bucket(estate.read_bucket, estate.reads_per_second, estate.read_bucket, now)
        self._writes, self._deletes = (
            Bucket(estate.write_bucket, estate.writes_per_second, estate.write_bucket, now) for _ in range(2)
        )

    def take(self, method: str, now: datetime) -> Response | None:
        """Count one call; answers 429 with Retry-After if its bucket is empty."""
        bucket, _ = self._bucket(method)
        return None if bucket.take(now) else too_many(bucket.wait())

    def _bucket(self, method: str) -> tuple[Bucket, str]:
        if method in {"GET", "HEAD"}:
            return self._reads, "reads"
        return (self._deletes, "deletes") if method == "DELETE" else (self._writes, "writes")

    def headers(self, method: str) -> tuple[tuple[str, str], ...]:
        """Answer the headers that tell what is left (recorded names)."""
        bucket, word = self._bucket(method)
        left = int(bucket.left)
        return (
            (f"x-ms-ratelimit-remaining-subscription-{word}", str(left)),
            (f"x-ms-ratelimit-remaining-subscription-global-{word}", str(left * _GLOBAL_FACTOR)),
        )


def too_many(retry_after: int) -> Response:
    """Answer 429 as ARM's documentation words it; invented: the body of a 429, of which none was recorded."""
    message = "Number of requests for the subscription exceeded the limit. Please try again later."
    header = (("Retry-After", str(retry_after)),) if retry_after else ()
    return plain_error(429, "SubscriptionRequestsThrottled", message, *header)

"""What time it is for people: when they decide, and until when a link is good.

One place to ask, so that a rehearsal on a virtual clock has one time for people and for the runs they decide on.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime


def _wall() -> datetime:
    return datetime.now(UTC)


_tell: Callable[[], datetime] = _wall


def now() -> datetime:
    """Give the time, with its offset."""
    return _tell()


def go_by(clock: Callable[[], datetime] | None) -> None:
    """Take the time from another clock from here on; none means the wall's."""
    global _tell  # noqa: PLW0603 - one clock per process is the point
    _tell = clock or _wall

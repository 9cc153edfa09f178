"""Times: as they come over the wire, and as people read them."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final, Protocol

_DURATION: Final = re.compile(
    r"^(?P<sign>-?)P(?:(?P<days>\d+(?:\.\d+)?)D)?"
    r"(?:T(?:(?P<hours>\d+(?:\.\d+)?)H)?(?:(?P<minutes>\d+(?:\.\d+)?)M)?(?:(?P<seconds>\d+(?:\.\d+)?)S)?)?$"
)
_UNITS: Final = (("d", 86_400), ("h", 3_600), ("min", 60), ("s", 1))


class Clock(Protocol):
    """Tells the time that is shown; `is_simulated` says whose it is."""

    @property
    def is_simulated(self) -> bool:
        """Whether this is made-up time."""
        ...

    def now(self) -> datetime:
        """Answer the present instant, aware and in UTC."""
        ...


class WallClock:
    """The real time."""

    is_simulated = False

    def now(self) -> datetime:
        """Answer the real instant."""
        return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class SimulatedClock:
    """The time of a simulator that was at `origin` when this was made, and runs `speed` times as fast."""

    origin: datetime
    speed: float
    is_simulated: bool = True
    _since: float = field(default_factory=time.monotonic)

    def now(self) -> datetime:
        """Answer the simulated instant."""
        return self.origin + timedelta(seconds=(time.monotonic() - self._since) * self.speed)


def instant(text: object) -> datetime | None:
    """Read an ISO 8601 instant; nothing when it is none. One without an offset is taken as UTC."""
    try:
        found = datetime.fromisoformat(str(text))
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def duration(text: object) -> timedelta | None:
    """Read an ISO 8601 duration of days and less; nothing when it is none."""
    found = _DURATION.match(str(text))
    parts = {} if found is None else {name: float(found[name]) for name in _PARTS if found[name]}
    if found is None or not parts:
        return None
    return timedelta(**parts) * (-1 if found["sign"] else 1)


_PARTS: Final = ("days", "hours", "minutes", "seconds")


def span(length: timedelta | None) -> str:
    """Write a length of time in its two largest units, as in "1 h 5 min"; nothing for none."""
    if length is None:
        return ""
    left, parts = round(abs(length).total_seconds()), list[str]()
    for name, size in _UNITS:
        if count := left // size:
            parts.append(f"{count} {name}")
        left %= size
    return ("-" if length < timedelta(0) else "") + (" ".join(parts[:2]) or "0 s")


def stamp(length: timedelta) -> str:
    """Write a length of time as hours, minutes and seconds, all lines alike."""
    seconds = max(0, int(length.total_seconds()))
    return f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}"


def clock_time(text: object) -> str:
    """Write an instant in UTC to the second; nothing when it is none."""
    found = instant(text)
    return f"{found.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC" if found else ""

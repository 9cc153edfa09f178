"""When a run may act: a maintenance window, by the clock and the calendar of one place."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from typing import Annotated, NamedTuple
from zoneinfo import ZoneInfo

from pydantic import Field, field_validator

from domain.wire import Wire


class Weekday(StrEnum):
    """The days of the week, in the order that Python counts them."""

    MONDAY = "mon"
    TUESDAY = "tue"
    WEDNESDAY = "wed"
    THURSDAY = "thu"
    FRIDAY = "fri"
    SATURDAY = "sat"
    SUNDAY = "sun"


class Opening(NamedTuple):
    """One time that a window is open: from `start` on, before `end`."""

    start: datetime
    end: datetime


class Window(Wire):
    """A maintenance window, by the clock of a time zone.

    One that closes before it opens runs over midnight, and belongs to the day on which it opens; one that closes
    when it opens is open for a whole day. `except_on` are dates on which it does not open.
    """

    days: Annotated[tuple[Weekday, ...], Field(min_length=1, max_length=7)] = tuple(Weekday)
    opens: time
    closes: time
    zone: Annotated[str, Field(min_length=1, max_length=64)] = "UTC"
    except_on: Annotated[tuple[date, ...], Field(max_length=366)] = ()

    @field_validator("zone")
    @classmethod
    def _is_zone(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (KeyError, ValueError, OSError):
            raise ValueError("expected a time zone's name, as in Europe/Berlin") from None
        return value

    @field_validator("opens", "closes")
    @classmethod
    def _is_local(cls, value: time) -> time:
        if value.tzinfo is not None:
            raise ValueError('give the local time without an offset, as in 22:00; "zone" says where')
        return value

    @property
    def words(self) -> str:
        """Say when the window is open, as in "sat, sun 22:00 to 04:00, Europe/Berlin"."""
        days = "every day" if set(self.days) == set(Weekday) else ", ".join(self.days)
        closed = f", closed on {len(self.except_on)} of these days" if self.except_on else ""
        return f"{days} {self.opens:%H:%M} to {self.closes:%H:%M}, {self.zone}{closed}"

    def opening(self, now: datetime) -> Opening:
        """Give the opening that a moment lies in, or the next one after it."""
        return next(opening for opening in self._openings(now) if opening.end > now)

    def _openings(self, now: datetime) -> Iterator[Opening]:
        zone = ZoneInfo(self.zone)
        today = now.astimezone(zone).date() - timedelta(days=1)
        while True:
            if list(Weekday)[today.weekday()] in self.days and today not in self.except_on:
                yield self._on(today, zone)
            today += timedelta(days=1)

    def _on(self, day: date, zone: ZoneInfo) -> Opening:
        until = day if self.closes > self.opens else day + timedelta(days=1)
        start, end = datetime.combine(day, self.opens, zone), datetime.combine(until, self.closes, zone)
        return Opening(start.astimezone(UTC), end.astimezone(UTC))

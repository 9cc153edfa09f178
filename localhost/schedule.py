"""When a timer trigger is due: NCRONTAB expressions, or an interval.

Six fields (second minute hour day month weekday) or five (without seconds), as the Functions host reads them with
NCrontab: a day must fit both its number and its weekday. Times are UTC, as in Azure without WEBSITE_TIME_ZONE.
"""

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from functools import cached_property

from localhost.functions import AppError

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_WEEKDAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
# First and last value of each field, and the names it may be written by.
_FIELDS: Sequence[tuple[int, int, Sequence[str]]] = (
    (0, 59, ()),
    (0, 59, ()),
    (0, 23, ()),
    (1, 31, ()),
    (1, 12, _MONTHS),
    (0, 6, _WEEKDAYS),
)
# The longest a fitting day can be away: a 29 February, over a century that has none.
_DAYS_AHEAD = 366 * 9
_SETTING = re.compile(r"%([^%]+)%")
_INTERVAL = re.compile(r"(?:(\d+)\.)?(\d{1,2}):(\d{2}):(\d{2})")


class Schedule:
    """Moments that come again and again."""

    def next_after(self, moment: datetime) -> datetime:
        """Answer the first moment of the schedule after that one."""
        raise NotImplementedError


@dataclass(frozen=True)
class Interval(Schedule):
    """Every so often."""

    span: timedelta

    def next_after(self, moment: datetime) -> datetime:
        """Answer the moment one interval later."""
        return moment + self.span


@dataclass(frozen=True)
class Cron(Schedule):
    """Whenever every field fits."""

    fields: tuple[frozenset[int], ...]

    @cached_property
    def _times(self) -> list[time]:
        seconds, minutes, hours = (sorted(field) for field in self.fields[:3])
        return [
            time(hour, minute, second, tzinfo=UTC) for hour in hours for minute in minutes for second in seconds
        ]

    def next_after(self, moment: datetime) -> datetime:
        """Answer the first fitting moment after that one.

        Raises:
            AppError: there is none, such as a 30 February.
        """
        start = moment.astimezone(UTC)
        for ahead in range(_DAYS_AHEAD):
            day = (start + timedelta(days=ahead)).date()
            if day.day not in self.fields[3] or day.month not in self.fields[4]:
                continue
            if day.isoweekday() % 7 not in self.fields[5]:
                continue
            for clock in self._times:
                found = datetime.combine(day, clock)
                if found > start:
                    return found
        raise AppError("The schedule has no next moment.")


def read_schedule(text: str) -> Schedule:
    """Read a timer trigger's schedule; %NAME% is an app setting.

    Raises:
        AppError: it is none.
    """
    text = _SETTING.sub(lambda found: os.environ.get(found[1], found[0]), text).strip()
    if (found := _INTERVAL.fullmatch(text)) is not None:
        days, hours, minutes, seconds = (int(part or 0) for part in found.groups())
        return Interval(timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds))
    parts = text.split()
    if len(parts) == len(_FIELDS) - 1:
        parts = ["0", *parts]
    if len(parts) != len(_FIELDS):
        raise AppError(
            f"The schedule expression '{text}' was not recognized as a valid cron expression or timespan."
        )
    return Cron(tuple(_field(part, *bounds) for part, bounds in zip(parts, _FIELDS, strict=True)))


def _field(text: str, first: int, last: int, names: Sequence[str]) -> frozenset[int]:
    values: set[int] = set()
    for item in text.lower().split(","):
        span, _, step = item.partition("/")
        low, _, high = span.partition("-")
        begin, end = (first, last) if span == "*" else (_value(low, first, last, names), None)
        if end is None:
            end = _value(high, first, last, names) if high else (last if step else begin)
        if step and (not step.isdigit() or int(step) < 1):
            raise AppError(f"'{item}' is no step of a schedule.")
        values.update(range(begin, end + 1, int(step or 1)))
    return frozenset(values)


def _value(text: str, first: int, last: int, names: Sequence[str]) -> int:
    if text[:3] in names:
        return names.index(text[:3]) + first
    if text.isdigit() and first <= int(text) <= last:
        return int(text)
    raise AppError(f"'{text}' in a schedule is not between {first} and {last}.")

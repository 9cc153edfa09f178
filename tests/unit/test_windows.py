"""Maintenance windows: by the clock and the calendar of one place, summer and winter."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from domain.windows import Weekday, Window


def window(**asked: Any) -> Window:
    return Window.from_wire({"opens": "22:00", "closes": "04:00", **asked})


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("now", "start", "end"),
    [
        ("2026-11-20T12:00", "2026-11-20T22:00", "2026-11-21T04:00"),
        ("2026-11-20T22:00", "2026-11-20T22:00", "2026-11-21T04:00"),
        ("2026-11-21T03:59", "2026-11-20T22:00", "2026-11-21T04:00"),
        ("2026-11-21T04:00", "2026-11-21T22:00", "2026-11-22T04:00"),
    ],
)
def test_a_window_over_midnight_is_one_opening(now: str, start: str, end: str) -> None:
    assert window().opening(moment(now)) == (moment(start), moment(end))


def test_a_window_opens_on_its_days_and_not_on_excepted_dates() -> None:
    saturdays = window(opens="08:00", closes="18:00", days=["sat"])
    friday = moment("2026-11-20T12:00")
    assert saturdays.opening(friday).start == moment("2026-11-21T08:00")
    spared = saturdays.having(except_on=(friday.date() + timedelta(days=1),))
    assert spared.opening(friday).start == moment("2026-11-28T08:00")


def test_a_window_follows_the_clock_of_its_zone_through_the_change_of_time() -> None:
    berlin = window(opens="02:00", closes="06:00", zone="Europe/Berlin")
    assert berlin.opening(moment("2026-07-01T12:00")).start == moment("2026-07-02T00:00")
    assert berlin.opening(moment("2026-12-01T12:00")).start == moment("2026-12-02T01:00")


def test_a_window_says_in_words_when_it_is_open() -> None:
    night = Window(opens=time(22), closes=time(4))
    weekend = night.having(
        days=(Weekday.SATURDAY, Weekday.SUNDAY), zone="Europe/Berlin", except_on=(date(2026, 12, 24),)
    )
    assert night.words == "every day 22:00 to 04:00, UTC"
    assert weekend.words == "sat, sun 22:00 to 04:00, Europe/Berlin, closed on 1 of these days"


def test_a_window_that_closes_when_it_opens_is_open_all_day() -> None:
    opening = window(opens="00:00", closes="00:00", days=["fri"]).opening(moment("2026-11-20T12:00"))
    assert opening == (moment("2026-11-20T00:00"), moment("2026-11-21T00:00"))


@pytest.mark.parametrize(
    ("asked", "fault"),
    [
        ({"zone": "Atlantis"}, "time zone's name"),
        ({"zone": "../etc/passwd"}, "time zone's name"),
        ({"opens": "22:00Z"}, "without an offset"),
        ({"days": []}, "at least 1"),
    ],
)
def test_a_window_that_means_nothing_is_refused(asked: dict[str, Any], fault: str) -> None:
    with pytest.raises(ValidationError, match=fault):
        window(**asked)


@given(
    now=st.datetimes(datetime(2026, 1, 1), datetime(2028, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001 - as Hypothesis wants them
    opens=st.times(),
    closes=st.times(),
    days=st.sets(st.sampled_from(Weekday), min_size=1),
    zone=st.sampled_from(("UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu")),
)
def test_the_next_opening_ends_after_now_and_begins_on_one_of_its_days(
    now: datetime, opens: Any, closes: Any, days: set[Weekday], zone: str
) -> None:
    start, end = Window(opens=opens, closes=closes, days=tuple(days), zone=zone).opening(now)
    assert now < end
    assert timedelta(0) <= end - start <= timedelta(hours=25)
    assert start - now <= timedelta(days=8)

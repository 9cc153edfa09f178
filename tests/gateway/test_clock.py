from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from gateway.clock import AzureClock


def test_before_the_first_answer_our_own_clock_is_used() -> None:
    assert abs(AzureClock().now() - datetime.now(UTC)) < timedelta(seconds=5)


@pytest.mark.parametrize("header", [None, "", "yesterday"])
def test_a_date_that_cannot_be_read_changes_nothing(header: str | None) -> None:
    clock = AzureClock(lambda: 0.0)
    clock.saw("Sun, 22 Nov 2026 18:30:00 GMT")
    clock.saw(header)
    assert clock.now() == datetime(2026, 11, 22, 18, 30, tzinfo=UTC)


def test_between_answers_the_clock_goes_on() -> None:
    seconds = [0.0]
    clock = AzureClock(lambda: seconds[0])
    clock.saw("Sun, 22 Nov 2026 18:30:00 GMT")
    seconds[0] = 61.7
    assert clock.now() == datetime(2026, 11, 22, 18, 31, 1, tzinfo=UTC)

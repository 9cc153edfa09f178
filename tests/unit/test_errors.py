"""What can go wrong, in bounded words."""

from __future__ import annotations

from datetime import timedelta

import pytest

from domain.errors import LONGEST_TEXT, FailbackError, Throttled, Transient, Undecided, bounded


def test_a_text_that_is_too_long_is_cut_and_shows_it() -> None:
    assert bounded("x" * LONGEST_TEXT) == "x" * LONGEST_TEXT
    assert bounded("x" * 2_000) == "x" * (LONGEST_TEXT - 1) + "…"


def test_who_is_throttled_knows_how_long_to_wait() -> None:
    assert Throttled("slow down", timedelta(seconds=17)).retry_after == timedelta(seconds=17)


@pytest.mark.parametrize("kind", [Transient, Undecided, Throttled])
def test_what_failback_raises_is_of_one_family(kind: type[Exception]) -> None:
    assert issubclass(kind, FailbackError)

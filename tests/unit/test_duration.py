"""Lengths of time, as people say them."""

from __future__ import annotations

from datetime import timedelta

import pytest

from domain.duration import spoken


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (0, "0 s"),
        (0.4, "0 s"),
        (59.6, "1 min"),
        (409, "6 min 49 s"),
        (3_605, "1 h"),
        (90_061, "1 d 1 h"),
        (-409, "-6 min 49 s"),
        (-0.2, "0 s"),
    ],
)
def test_a_length_is_said_in_its_two_largest_units(seconds: float, said: str) -> None:
    assert spoken(timedelta(seconds=seconds)) == said

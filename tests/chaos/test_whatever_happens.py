"""Failbacks in whatever weather: whatever happens, what must never happen does not."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.chaos.playing import play
from tests.chaos.properties import told

# So many failbacks in each part; five hundred parts of twenty are the ten thousand of `make chaos`.
EACH = 20


def play_part(part: int, tmp_path: Path) -> None:
    broken = {seed: play(seed, tmp_path / f"{seed}.sqlite") for seed in range(part * EACH, (part + 1) * EACH)}
    found = [told(seed, words) for seed, words in broken.items() if words]
    assert not found, "\n".join(found)


@pytest.mark.parametrize("part", range(25))
def test_five_hundred_failbacks_break_no_promise(part: int, tmp_path: Path) -> None:
    play_part(part, tmp_path)


@pytest.mark.chaos
@pytest.mark.parametrize("part", range(25, 500))
def test_ten_thousand_failbacks_break_no_promise(part: int, tmp_path: Path) -> None:
    play_part(part, tmp_path)

"""Lengths of time, as people say them."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

_UNITS: Final = (("d", 86_400), ("h", 3_600), ("min", 60), ("s", 1))


def spoken(length: timedelta) -> str:
    """Say a length of time in its two largest units: "6 min 49 s"."""
    whole = round(length.total_seconds())
    left = abs(whole)
    parts: list[str] = []
    for unit, seconds in _UNITS:
        number, left = divmod(left, seconds)
        if number:
            parts.append(f"{number} {unit}")
        elif parts:
            break
    return ("-" if whole < 0 else "") + (" ".join(parts[:2]) or "0 s")

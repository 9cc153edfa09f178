"""What people are told of left-overs: once of each thing, and not of what a run is still busy with."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final

from domain.leftovers import LeftOver, Swept
from domain.machine import last_segment
from domain.notices import Notice, NoticeKind
from domain.wire import digest

# A message tells the first few; GET /api/leftovers all of them.
_TOLD: Final = 20


def is_news(each: LeftOver, now: datetime, patience: timedelta) -> bool:
    """Tell whether people are to hear of it: what a run holds is its own, until it has stood for too long."""
    return each.holder is None or (each.since is not None and now - each.since > patience)


def not_told(found: Swept, before: Swept | None, patience: timedelta) -> tuple[LeftOver, ...]:
    """Give what people are to hear of now and were not at the sweep before."""
    known = (
        {each.id.casefold() for each in before.left if is_news(each, before.as_of, patience)}
        if before
        else set[str]()
    )
    return tuple(
        each for each in found.left if is_news(each, found.as_of, patience) and each.id.casefold() not in known
    )


def left_over_notice(sweep: str, found: Swept, news: Iterable[LeftOver]) -> Notice:
    """Word what is left for people: what it is, what it costs, and what they can do about it."""
    news = tuple(news)
    told = {each.id for each in news}
    things = "left-over" if len(news) == 1 else "left-overs"
    cost = sum(each.monthly_estimate for each in found.left if each.holder is None or each.id in told)
    return Notice(
        id=f"leftover-{digest([each.id.casefold() for each in news])[:16]}",
        kind=NoticeKind.LEFT_OVER,
        run=sweep,
        title=f"{len(news)} {things} of test failovers in {last_segment(found.vault)}",
        words=tuple(f"{each.machine or 'unknown machine'}: {each.words} ({_why(each)})" for each in news[:_TOLD]),
        facts={"Vault": last_segment(found.vault), "Estimate": f"{cost:.2f} USD a month in all"},
        at=found.as_of,
    )


def _why(each: LeftOver) -> str:
    if each.holder is None:
        return each.why
    return f"run {each.holder} still holds it: answer its gate, or cancel it, and it is cleaned up"

"""Slack: Block Kit for an incoming webhook, with a button that opens the page.

Limits as Slack documents them: 50 blocks, a header of 150 characters, a section of 3,000, 10 fields of 2,000.
A button that only opens a URL needs no app behind it.
"""

from __future__ import annotations

import html
import json
from collections.abc import Iterator
from typing import Any, Final

from domain.errors import bounded
from domain.notices import Notice
from gateway.notices.shape import button, closing

_HEADER: Final = 150
_SECTION: Final = 3_000
_FIELD: Final = 2_000
_FIELDS: Final = 10
# As many sections of fields as anybody reads; far below what Slack takes.
_MOST_FIELDS: Final = 3 * _FIELDS


def message(notice: Notice, page: str | None) -> bytes:
    """Write a notice as blocks; `text` is what a notification shows of it."""
    document = {"text": escaped(notice.title, _SECTION), "mrkdwn": False, "blocks": list(_blocks(notice, page))}
    return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()


def _blocks(notice: Notice, page: str | None) -> Iterator[dict[str, Any]]:
    mark = "\N{WARNING SIGN} " if notice.urgent else ""
    yield {"type": "header", "text": {"type": "plain_text", "text": bounded(mark + notice.title, _HEADER)}}
    words = "\n".join((*notice.words, *closing(notice, page)))
    yield {"type": "section", "text": _text(escaped(words, _SECTION) or " ")}
    facts = list(notice.facts.items())[:_MOST_FIELDS]
    for start in range(0, len(facts), _FIELDS):
        some = facts[start : start + _FIELDS]
        yield {"type": "section", "fields": [_text(_field(name, value)) for name, value in some]}
    if page is not None:
        label = {"type": "plain_text", "text": button(notice)}
        yield {
            "type": "actions",
            "elements": [{"type": "button", "action_id": "open", "text": label, "url": page}],
        }


def _field(name: str, value: str) -> str:
    return f"*{escaped(name, _HEADER)}*\n{escaped(value, _FIELD - 2 * _HEADER)}"


def _text(text: str) -> dict[str, Any]:
    # Verbatim: what looks like an address or a channel in somebody's words becomes no link.
    return {"type": "mrkdwn", "text": text, "verbatim": True}


def escaped(text: str, limit: int) -> str:
    """Escape what Slack reads as a link or a mention, and cut the text to so many characters.

    It is cut before it is escaped, so that no escape is cut in two.
    """
    tries = (html.escape(bounded(text, length), quote=False) for length in range(limit, 0, -64))
    return next(made for made in tries if len(made) <= limit)

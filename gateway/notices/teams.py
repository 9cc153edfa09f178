"""Teams: an Adaptive Card for a workflow that posts what its webhook receives.

The envelope is the one that the trigger "When a Teams webhook request is received" takes; the connectors of
Office 365 with their MessageCard are gone. A webhook's message may have about 28 KB. Cards are of version 1.4,
which Teams renders everywhere.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any, Final

from domain.errors import bounded
from domain.notices import Notice
from gateway.notices.shape import button, closing

# Below what Teams takes, which also counts what it adds itself.
LARGEST: Final = 24_000
# No single line may fill a message.
_LONGEST: Final = 2_000
_MORE: Final = "…"


def message(notice: Notice, page: str | None) -> bytes:
    """Write a notice as a message, cut so that Teams takes it."""
    words, facts = [*notice.words, *closing(notice, page)], list(notice.facts.items())
    while len(body := _body(notice, page, words, facts)) > LARGEST and (facts or len(words) > 1):
        # What is told first matters most.
        if facts:
            facts.pop()
        else:
            words[-2:] = [_MORE]
    return body


def _body(notice: Notice, page: str | None, words: Iterable[str], facts: Iterable[tuple[str, str]]) -> bytes:
    attachment = {
        "contentType": "application/vnd.microsoft.card.adaptive",
        "contentUrl": None,
        "content": _card(notice, page, words, facts),
    }
    document = {"type": "message", "attachments": [attachment]}
    return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()


def _card(
    notice: Notice, page: str | None, words: Iterable[str], facts: Iterable[tuple[str, str]]
) -> dict[str, Any]:
    title = {**_run(notice.title), "weight": "Bolder", "size": "Large"}
    if notice.urgent:
        title["color"] = "Attention"
    card: dict[str, Any] = {
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.4",
        "fallbackText": bounded(notice.title, _LONGEST),
        "body": [
            _text(title),
            *(_text(_run(line)) for line in words),
            *(_text({**_run(f"{name}: "), "weight": "Bolder"}, _run(value)) for name, value in facts),
        ],
    }
    if page is not None:
        card["actions"] = [{"type": "Action.OpenUrl", "title": button(notice), "url": page}]
    return card


def _text(*runs: dict[str, Any]) -> dict[str, Any]:
    # Not TextBlock or FactSet: these read Markdown, and a machine's name or a comment could put a link there.
    return {"type": "RichTextBlock", "inlines": list(runs)}


def _run(text: str) -> dict[str, Any]:
    return {"type": "TextRun", "text": bounded(text, _LONGEST)}

"""What the receivers accept, as they document it; a payload that breaks a rule fails the test that sent it."""

from __future__ import annotations

import json
import re
from typing import Any
from urllib.parse import urlsplit

_TEXT_RUN = {"type", "text", "weight", "size", "color"}


def fits_teams(body: bytes) -> dict[str, Any]:
    """Check a message of a Teams workflow, and give its card. Of Adaptive Cards 1.4: what is used, and no more."""
    assert len(body) <= 28_000
    document = json.loads(body)
    assert set(document) == {"type", "attachments"}
    assert document["type"] == "message"
    (attachment,) = document["attachments"]
    assert attachment["contentType"] == "application/vnd.microsoft.card.adaptive"
    assert attachment["contentUrl"] is None
    card = attachment["content"]
    assert (card["type"], card["version"]) == ("AdaptiveCard", "1.4")
    assert card["$schema"] == "http://adaptivecards.io/schemas/adaptive-card.json"
    assert set(card) <= {"$schema", "type", "version", "fallbackText", "body", "actions"}
    assert card["body"]
    for block in card["body"]:
        assert block["type"] == "RichTextBlock"
        assert block["inlines"]
        for run in block["inlines"]:
            assert run["type"] == "TextRun"
            assert set(run) <= _TEXT_RUN
            assert isinstance(run["text"], str)
            assert run.get("weight", "Default") in {"Default", "Lighter", "Bolder"}
            assert run.get("size", "Default") in {"Default", "Small", "Medium", "Large", "ExtraLarge"}
            assert run.get("color", "Default") in {"Default", "Good", "Warning", "Attention", "Accent"}
    for action in card.get("actions", []):
        assert set(action) == {"type", "title", "url"}
        assert action["type"] == "Action.OpenUrl"
        assert urlsplit(action["url"]).scheme in {"http", "https"}
    return card


def fits_slack(body: bytes) -> dict[str, Any]:
    """Check a message of a Slack incoming webhook, and give it."""
    document = json.loads(body)
    assert set(document) <= {"text", "blocks", "mrkdwn"}
    assert 0 < len(document["text"]) <= 40_000
    _is_escaped(document["text"])
    assert 0 < len(document["blocks"]) <= 50
    for block in document["blocks"]:
        _SLACK[block["type"]](block)
    return document


def _header(block: dict[str, Any]) -> None:
    assert block["text"]["type"] == "plain_text"
    assert 0 < len(block["text"]["text"]) <= 150


def _section(block: dict[str, Any]) -> None:
    assert ("text" in block) or block["fields"]
    texts = [block["text"]] if "text" in block else block["fields"]
    assert len(texts) <= 10
    for text in texts:
        assert text["type"] == "mrkdwn"
        assert text["verbatim"] is True
        assert 0 < len(text["text"]) <= (3_000 if "text" in block else 2_000)
        _is_escaped(text["text"])


def _actions(block: dict[str, Any]) -> None:
    assert 0 < len(block["elements"]) <= 25
    for button in block["elements"]:
        assert button["type"] == "button"
        assert button["text"]["type"] == "plain_text"
        assert 0 < len(button["text"]["text"]) <= 75
        assert 0 < len(button["url"]) <= 3_000
        assert 0 < len(button["action_id"]) <= 255


def _is_escaped(text: str) -> None:
    assert not re.search(r"[<>]|&(?!(amp|lt|gt);)", text)


_SLACK = {"header": _header, "section": _section, "actions": _actions}


def fits_mail(document: dict[str, Any]) -> dict[str, Any]:
    """Check a mail as Azure Communication Services takes it, and give its content."""
    known = {"senderAddress", "recipients", "content", "headers", "userEngagementTrackingDisabled"}
    assert set(document) <= known
    assert "@" in document["senderAddress"]
    assert set(document["recipients"]) == {"to"}
    assert all("@" in each["address"] for each in document["recipients"]["to"])
    content = document["content"]
    assert set(content) == {"subject", "plainText", "html"}
    assert content["subject"].strip()
    assert "\n" not in content["subject"]
    return content

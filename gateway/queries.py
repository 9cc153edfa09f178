"""Every query that is sent to Log Analytics. The API has no parameters, so values are quoted here."""

from __future__ import annotations

from datetime import UTC, datetime


def heartbeat_since(vm_id: str, since: datetime) -> str:
    """Ask for the last heartbeat of one machine since a moment.

    The failed-back machine is a new resource, so it is told from the old one by its resource id; the
    Heartbeat table writes ids in lower case.
    """
    return "\n".join(
        (
            "Heartbeat",
            f"| where TimeGenerated >= datetime({_instant(since)})",
            f"| where tolower(_ResourceId) == {quoted(vm_id.lower())}",
            "| summarize LastHeartbeat = max(TimeGenerated), Beats = count()",
        )
    )


def quoted(text: str) -> str:
    """Give a text as a KQL string literal that nothing inside can end."""
    escaped = "".join(_ESCAPES.get(letter, letter) for letter in text)
    return f"'{escaped}'"


_ESCAPES = {"\\": "\\\\", "'": "\\'", "\n": "\\n", "\r": "\\r", "\t": "\\t"}


def _instant(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")

"""Every query that is sent to Log Analytics. The API has no parameters, so values are quoted here."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Final

# So many rows of an operator's query are kept as evidence.
ROWS_SHOWN: Final = 3
_SUMMARY: Final = "| summarize LastHeartbeat = max(TimeGenerated), Beats = count(), Computer = take_any(Computer)"


def heartbeat_since(vm_id: str, since: datetime) -> str:
    """Ask for the last heartbeat of one machine since a moment.

    The failed-back machine is a new resource, so it is told from the old one by its resource id; the
    Heartbeat table writes ids in lower case.
    """
    return _heartbeat(since, f"| where tolower(_ResourceId) == {quoted(vm_id.lower())}")


def heartbeat_by_name(host: str, since: datetime, others: Iterable[str]) -> str:
    """Ask for the last heartbeat under a host name since a moment, for when none came under the resource id.

    `others` are machines of the same host name that must not be taken for this one, above all the source.
    """
    return _heartbeat(
        since,
        f"| where tolower(tostring(split(Computer, '.')[0])) == {quoted(host.lower())}",
        *(f"| where tolower(_ResourceId) != {quoted(other.lower())}" for other in others),
    )


def of_operator(kql: str) -> str:
    """Ask what an operator's query finds, a few rows of it; it is the operator's own text, from configuration."""
    return f"{kql.strip().rstrip(';').rstrip()}\n| take {ROWS_SHOWN}"


def _heartbeat(since: datetime, *conditions: str) -> str:
    bound = f"| where TimeGenerated >= datetime({_instant(since)})"
    return "\n".join(("Heartbeat", bound, *conditions, _SUMMARY))


def quoted(text: str) -> str:
    """Give a text as a KQL string literal that nothing inside can end."""
    escaped = "".join(_ESCAPES.get(letter) or _escaped(letter) for letter in text)
    return f"'{escaped}'"


_ESCAPES: Final = {"\\": "\\\\", "'": "\\'", "\n": "\\n", "\r": "\\r", "\t": "\\t"}


def _escaped(letter: str) -> str:
    """Write a letter that could end a line, or that nobody sees, as its number."""
    return letter if letter.isprintable() else "".join(f"\\u{unit:04x}" for unit in _units(letter))


def _units(letter: str) -> list[int]:
    encoded = letter.encode("utf-16-be", "surrogatepass")
    return [int.from_bytes(encoded[at : at + 2], "big") for at in range(0, len(encoded), 2)]


def _instant(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")

"""Checking evidence where it lies: a file, a folder, or what the app has of a run; nobody needs to be trusted."""

from __future__ import annotations

from pathlib import Path

from cli.api import Document, Failbacks, part, refuse
from domain.evidence import Verification, from_lines


def read(source: str, client: Failbacks) -> list[object]:
    """Read records from a file of JSON Lines, a folder with a file for each record, or the app.

    Raises:
        TroubleError: there is nothing of that name, here or at the app.
    """
    path = Path(source)
    try:
        if path.is_dir():
            texts = [each.read_text(encoding="utf-8") for each in sorted(path.glob("*.json*"))]
        elif path.is_file():
            texts = [path.read_text(encoding="utf-8")]
        else:
            texts = [client.evidence(source)]
    except (OSError, UnicodeDecodeError) as fault:
        raise refuse(f"{source} cannot be read", str(fault)) from None
    return [record for text in texts for record in from_lines(text)]


def told_head(report: Document) -> str:
    """Give the last hash that a run's report tells.

    Raises:
        TroubleError: the report tells none.
    """
    head = part(report, "evidence").get("head")
    if not isinstance(head, str):
        raise refuse("the report tells no last hash", "it was made without evidence; leave --report out")
    return head


def words(found: Verification, head: str | None) -> list[str]:
    """Say what was found, in words."""
    if found.fault is not None:
        return [
            f"broken at {found.fault.place}: {found.fault.what}",
            f"{found.records} records before that hold; the last of them has the hash {found.head}",
        ]
    told = "it is the hash that was told" if head else "compare it with the one in the report or the notice"
    return [
        f"intact: {found.records} records of run {found.run}, all there and as they were written",
        f"last hash {found.head}; {told}",
    ]

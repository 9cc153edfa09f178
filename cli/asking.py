"""Putting a request together from a file and from options; the app checks it, not we."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, cast

from cli.api import Document, refuse
from cli.gates import point


def request(base: Document, machines: Sequence[str], said: Mapping[str, Any]) -> Document:
    """Lay what was said on the command line over what a file says.

    Args:
        base: the request as a file gives it, empty without one.
        machines: names; they replace those of the file.
        said: values by dotted name, as in "testFailover.enabled"; None means it was not said.
    """
    made: Document = json.loads(json.dumps(base))
    if machines:
        made["machines"] = list(machines)
    for path, value in said.items():
        if value is not None and value != []:
            _put(made, path.split("."), value)
    missing = [name for name in ("vault", "machines") if not made.get(name)]
    if missing:
        raise refuse(f"{' and '.join(missing)} must be named", "on the command line, or in --file")
    return made


def _put(document: Document, path: Sequence[str], value: Any) -> None:
    for name in path[:-1]:
        inner = document.setdefault(name, {})
        if not isinstance(inner, dict):
            raise refuse(f"{name} in the file is no object")
        document = cast("Document", inner)
    document[path[-1]] = value


def read_request(file: Path | None) -> Document:
    """Read a request from a JSON file, or from standard input where it is called "-"."""
    if file is None:
        return {}
    try:
        text = sys.stdin.read() if str(file) == "-" else file.read_text(encoding="utf-8")
        document = json.loads(text)
    except (OSError, ValueError) as fault:
        raise refuse(f"{file} cannot be read", str(fault)) from None
    if not isinstance(document, dict):
        raise refuse(f"{file} holds no JSON object")
    return cast("Document", document)


def as_json(document: Document) -> str:
    """Write a document for people who may read it."""
    return json.dumps(document, indent=2, ensure_ascii=False)


def recovery_point(text: str | None, not_after: str | None) -> Document | None:
    """Word a choice of recovery point; none, when nothing was said."""
    if text is None and not_after is None:
        return None
    return point(text or "latest") | ({"notAfter": not_after} if not_after else {})


def points_by_machine(pairs: Sequence[str]) -> dict[str, Document]:
    """Read NAME=POINT, as often as given."""
    made: dict[str, Document] = {}
    for pair in pairs:
        name, equals, choice = pair.partition("=")
        if not equals or not name or not choice:
            raise refuse(f"{pair!r} is not NAME=POINT", "as in web-1=latestProcessed, or web-1=<id of a point>")
        made[name] = point(choice)
    return made

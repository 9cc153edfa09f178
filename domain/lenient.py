"""Reading JSON that may be of any shape: what is not as expected is nothing, never an error."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final, TypeAlias, cast

from domain.errors import bounded

# What is kept enters history: texts are cut, lists and tables end.
LONGEST: Final = 1_024
MOST: Final = 50
_VISITED: Final = 2_000

Document: TypeAlias = Mapping[str, Any]


def under(document: Document, name: str) -> Any:
    """Give what stands under a name, in whatever letter case it is written; none where nothing does."""
    if name in document:
        return document[name]
    wanted = name.casefold()
    return next((value for key, value in document.items() if key.casefold() == wanted), None)


def table(document: object, name: str) -> Document:
    """Give the object under a name, or an empty one."""
    return as_table(under(as_table(document), name))


def as_table(value: object) -> Document:
    """Give a value that is an object, or an empty one."""
    return cast("Document", value) if isinstance(value, dict) else {}


def text(document: Document, *names: str) -> str:
    """Give the first text that stands under one of the names, or an empty one."""
    values = (under(document, name) for name in names)
    return next((clean(each) for each in values if isinstance(each, str) and each.strip()), "")


def texts(value: object) -> list[str]:
    """Give the texts of a list, or the one text there is."""
    several = [value] if isinstance(value, str) else inside(value)
    return [clean(each) for each in several if isinstance(each, str) and each.strip()][:MOST]


def listed(value: object) -> list[Document]:
    """Give the objects of a list, which may be written as JSON inside a string."""
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except (ValueError, RecursionError):
            return []
    several = cast("list[Any]", value) if isinstance(value, list) else []
    return [cast("Document", each) for each in several if isinstance(each, dict)]


def scalars(document: Document) -> Iterator[tuple[str, str]]:
    """Give the plain values of an object as text, those that a person would compare, and no more than a few."""
    for name, value in list(document.items())[:MOST]:
        if isinstance(value, str | int | float) and not name.startswith("__"):
            yield bounded(clean(name), 128), bounded(clean(str(value)), 500)


def ids_in(value: object) -> Iterator[str]:
    """Give the ARM ids in a value, however deep they stand, also in lists that are written as text."""
    left: deque[Any] = deque([value])
    for _ in range(_VISITED):
        if not left:
            return
        each = left.popleft()
        if not isinstance(each, str):
            left.extendleft(reversed(list(inside(each))))
        elif each.lstrip()[:1] in {"[", "{"}:
            left.extendleft(reversed(list(_written(each))))
        else:
            yield from (
                clean(part) for part in each.split(",") if part.strip()[:15].casefold() == "/subscriptions/"
            )


def _written(value: str) -> Iterable[Any]:
    try:
        return inside(json.loads(value))
    except (ValueError, RecursionError):
        return ()


def clean(value: str) -> str:
    """Cut a text, and leave out what JSON can write but no encoding can: half a character."""
    return value.strip()[:LONGEST].encode("utf-8", "replace").decode()


def inside(value: object) -> Iterable[Any]:
    """Give what an object or a list holds."""
    if isinstance(value, dict):
        return cast("dict[str, Any]", value).values()
    return cast("list[Any]", value) if isinstance(value, list) else ()

"""Reading what people declare in YAML or JSON, and telling them in their own words what is wrong with it."""

from __future__ import annotations

import re
from difflib import get_close_matches
from typing import TYPE_CHECKING, TypeVar, cast

import yaml
from pydantic import TypeAdapter, ValidationError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

Declared = TypeVar("Declared")

_BRANCHES = re.compile(r"^(constrained-|function-|is-instance|model\b|Spread$)")
"""How pydantic names the branches of a choice; no word of a file begins so."""


def read_declared(path: Path, kind: TypeAdapter[Declared], nothing: object) -> Declared:
    """Read a YAML file as one kind of declaration; `nothing` stands for an empty file.

    Raises ValueError that names the file, and each place in it that is wrong.
    """
    try:
        given: object = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as fault:
        raise ValueError(f"cannot read {path}: {fault.strerror}") from fault
    except UnicodeDecodeError as fault:
        raise ValueError(f"cannot read {path}: it is not text in UTF-8") from fault
    except yaml.YAMLError as fault:
        said = " ".join(str(fault).split()).replace('in "<unicode string>", ', "at ").rstrip(" ^")
        raise ValueError(f"cannot read {path} as YAML: {said}") from fault
    try:
        return kind.validate_python(nothing if given is None else given)
    except ValidationError as fault:
        raise ValueError("\n  ".join([f"{path} is not as it should be:", *told(fault, kind)])) from fault


def told(fault: ValidationError, kind: TypeAdapter[Declared] | None = None) -> list[str]:
    """Write each thing that is wrong: where, what was expected, what was given, and the word that was meant."""
    known = sorted(set(_words(kind.json_schema()))) if kind else []
    lines: dict[str, str] = {}
    for error in fault.errors(include_url=False):
        place = _place(error["loc"])
        word = str(error["loc"][-1]) if error["loc"] else ""
        if error["type"] == "extra_forbidden":
            meant = get_close_matches(word, known, n=1)
            said = "there is no such word" + (f"; did you mean '{meant[0]}'?" if meant else "")
        else:
            said = re.sub("^(Input|Value error, ?)", "", error["msg"]).strip()
            given = error["input"]
            plain = isinstance(given, str | int | float | bool) or given is None
            said += f", not {given!r}" if plain and error["type"] not in {"missing", "value_error"} else ""
        lines.setdefault(place, f"{place}: {said}" if place else said)
    return list(lines.values())


def _place(where: tuple[int | str, ...]) -> str:
    """Write a place as people would: `vaults[0].machines[1].state`."""
    parts = [part for part in where if isinstance(part, int) or not _BRANCHES.match(part)]
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in parts).lstrip(".")


def _words(schema: object) -> Iterator[str]:
    """Answer every word that may be declared anywhere."""
    if isinstance(schema, dict):
        held = cast("dict[str, object]", schema)
        yield from cast("dict[str, object]", held.get("properties") or {})
        for inner in held.values():
            yield from _words(inner)
    elif isinstance(schema, list):
        for inner in cast("list[object]", schema):
            yield from _words(inner)

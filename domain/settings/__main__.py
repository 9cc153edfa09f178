"""Prints every setting as Markdown, which docs/configuration.md holds: `python -m domain.settings`."""

from __future__ import annotations

import sys
from datetime import timedelta
from enum import Enum
from typing import Any, Final

from pydantic import BaseModel, TypeAdapter
from pydantic.fields import FieldInfo

from domain.settings import Settings

_HEAD: Final = """# Configuration

Made from the code by `make docs`. Every setting is an environment variable; one that is empty counts as unset.
All of them are read by one class, which lists every fault at once and never repeats a value. Variables that
begin with `FAILBACK_` are the app's own; App Service sets `WEBSITE_*` by itself.
"""
_COMMAND: Final = ("URL", "TOKEN", "KEY", "USER", "ROLES", "VAULT")
_STRICT: Final = "with `1` it never makes Python objects of what comes in; always set it"
_OTHERS: Final = (
    f"| `AZURE_FUNCTIONS_DURABLE_STRICT_TYPING` | azure-functions-durable: {_STRICT} |",
    "| `IDENTITY_ENDPOINT`, `IDENTITY_HEADER` | azure-identity: where tokens come from; set by App Service |",
    f"| {', '.join(f'`FAILBACK_{name}`' for name in _COMMAND)} | the `failback` command: its options |",
)


def markdown() -> str:
    """Write down every setting: a table for each part of the app."""
    lines = [_HEAD]
    for section in sorted(sections(), key=lambda each: each.__name__):
        words = (section.__doc__ or "").strip().splitlines()[0]
        lines += [f"## {words.rstrip('.')}\n", "| variable | default | means |", "|---|---|---|"]
        lines += [_row(field) for field in _own(section)]
        lines.append("")
    lines += ["## What others read\n", "| variable | who reads it, and what for |", "|---|---|", *_OTHERS]
    return "\n".join(lines) + "\n"


def sections() -> list[type[BaseModel]]:
    """Give the parts that the settings are made of."""
    return [base for base in Settings.__bases__ if issubclass(base, BaseModel)]


def _own(section: type[BaseModel]) -> list[FieldInfo]:
    """Give a part's own settings, in the order of their names."""
    return sorted(section.model_fields.values(), key=lambda field: str(field.validation_alias))


def _row(field: FieldInfo) -> str:
    words = " ".join((field.description or "").split()).replace("|", "\\|")
    return f"| `{field.validation_alias}` | {_default(field)} | {words} |"


def _default(field: FieldInfo) -> str:
    value: Any = None if field.is_required() else field.get_default(call_default_factory=True)
    match value:
        case Enum():
            return f"`{value.value}`"
        case timedelta():
            return f"`{TypeAdapter(timedelta).dump_python(value, mode='json')}`"
        case bool():
            return f"`{str(value).lower()}`"
        case int() | float() | str() if value != "":
            return f"`{value}`"
        case _:
            # Nothing, or a collection or a document with nothing in it.
            return ""


if __name__ == "__main__":
    sys.stdout.write(markdown())

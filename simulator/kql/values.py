"""What values a query knows, how it is read into words, and how it is refused."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, TypeAlias, cast

from simulator.times import parse_instant, ticks

if TYPE_CHECKING:
    from collections.abc import Sequence

Value: TypeAlias = "str | int | float | bool | datetime | timedelta | list[object] | dict[str, object] | None"
Row: TypeAlias = "dict[str, Value]"
Expr: TypeAlias = Callable[[Row], Value]


class KqlError(Exception):
    """A query that cannot be answered, with the codes the service gives."""

    def __init__(self, code: str, inner: str, message: str) -> None:
        super().__init__(message)
        self.code, self.inner, self.message = code, inner, message

    def to_json(self, activity: str) -> dict[str, object]:
        """Write it as the query endpoint does."""
        return {
            "code": "BadArgumentError",
            "message": "The request had some invalid properties",
            "correlationId": activity,
            "innererror": {
                "code": self.code,
                "message": "A semantic error occurred."
                if self.code == "SemanticError"
                else "A recognition error occurred in the query.",
                "innererror": {"code": self.inner, "message": self.message},
            },
        }


@dataclass(slots=True)
class Table:
    """Columns with their types, and rows in their order."""

    columns: tuple[tuple[str, str], ...]
    rows: list[tuple[Value, ...]] = field(default_factory=list["tuple[Value, ...]"])


def syntax(message: str) -> KqlError:
    """Make a syntax error."""
    return KqlError("SyntaxError", "SYN0002", f"Query could not be parsed: {message}")


def semantic(message: str) -> KqlError:
    """Make a semantic error: an unknown table, column or function."""
    return KqlError("SemanticError", "SEM0100", message)


_TOKEN = re.compile(
    r"""\s*(?:(?P<comment>//[^\n]*)|(?P<string>h?"(?:\\.|[^"\\])*"|h?'(?:\\.|[^'\\])*')
    |(?P<span>\d+(?:\.\d+)?(?:ms|d|h|m|s)\b)|(?P<number>\d+(?:\.\d+)?)
    |(?P<name>[A-Za-z_]\w*)|(?P<op>=~|!~|==|!=|<=|>=|\.\.|[-+*/%<>=|(),.;\[\]{}:]))""",
    re.VERBOSE,
)
_SPANS = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86400}


@dataclass(frozen=True, slots=True)
class Token:
    """One word of a query."""

    kind: str
    text: str


def tokens(text: str) -> list[Token]:
    """Cut a query into words. Raises KqlError for a character that begins none."""
    found: list[Token] = []
    at = 0
    text = text.rstrip()
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None:
            raise syntax(f"unexpected character near '{text[at : at + 12]}'")
        at = match.end()
        kind = match.lastgroup or ""
        if kind != "comment":
            found.append(Token(kind, match[kind]))
    return [*found, Token("end", "")]


def write_value(value: Value) -> object:
    """Write a value as the query endpoint does: dynamic as JSON text, datetime as ISO."""
    match value:
        case datetime():
            return ticks(value)
        case timedelta():
            return str(value)
        case list() | dict():
            return json.dumps(value)
        case _:
            return value


def kind_of(rows: Sequence[Row], name: str, known: dict[str, str]) -> str:
    """Answer the type of a column from its values, or what it was known as."""
    value = next((row[name] for row in rows if row.get(name) is not None), None)
    kinds: tuple[tuple[type, str], ...] = (
        (bool, "bool"),
        (datetime, "datetime"),
        (timedelta, "timespan"),
        (int, "long"),
        (float, "real"),
        (list, "dynamic"),
        (dict, "dynamic"),
    )
    found = next((word for kind, word in kinds if isinstance(value, kind)), None)
    return found or known.get(name, "string")


_ESCAPES = {"n": "\n", "r": "\r", "t": "\t"}


def unquote(text: str) -> str:
    """Read a quoted text with its escapes."""
    inner = text.removeprefix("h")[1:-1]
    return re.sub(r"\\(.)", lambda found: _ESCAPES.get(found[1], found[1]), inner)


def span(text: str) -> timedelta:
    """Read a span such as `15m`."""
    unit = next(u for u in ("ms", "d", "h", "m", "s") if text.endswith(u))
    return timedelta(seconds=float(text.removesuffix(unit)) * _SPANS[unit])


def literal(kind: str, parts: list[str]) -> Value:
    """Read the inside of `datetime(...)`, `timespan(...)` or `dynamic(...)`."""
    if kind == "dynamic":
        text = "".join(json.dumps(unquote(p)) if p[0] in "'\"" else p for p in parts)
        try:
            return cast("Value", json.loads(text))
        except ValueError as fault:
            raise syntax("dynamic() does not hold JSON") from fault
    text = "".join(parts)
    if kind == "timespan":
        return span(text)
    try:
        return parse_instant(unquote(text) if text[:1] in {"'", '"'} else text)
    except ValueError as fault:
        raise syntax(f"'{text}' is not a datetime") from fault

"""Comparisons, arithmetic, scalar functions and aggregates."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import cast

from simulator.kql.values import Expr, Row, Value, write_value
from simulator.times import parse_instant


def both(left: Expr, right: Expr) -> Expr:
    """Answer whether two conditions hold."""
    return lambda row: left(row) is True and right(row) is True


def either(left: Expr, right: Expr) -> Expr:
    """Answer whether one of two conditions holds."""
    return lambda row: left(row) is True or right(row) is True


def _fold(value: Value) -> str:
    return "" if value is None else str(value).lower()


COMPARE: dict[str, Callable[[Value, Value], bool]] = {
    "==": lambda a, b: a == b,
    "!=": lambda a, b: a != b,
    "=~": lambda a, b: _fold(a) == _fold(b),
    "!~": lambda a, b: _fold(a) != _fold(b),
    "<": lambda a, b: a is not None and b is not None and a < b,  # type: ignore[operator]
    "<=": lambda a, b: a is not None and b is not None and a <= b,  # type: ignore[operator]
    ">": lambda a, b: a is not None and b is not None and a > b,  # type: ignore[operator]
    ">=": lambda a, b: a is not None and b is not None and a >= b,  # type: ignore[operator]
}


def compared(test: Callable[[Value, Value], bool], left: Expr, right: Expr) -> Expr:
    """Make a comparison of two expressions."""
    return lambda row: test(left(row), right(row))


def among(left: Expr, values: list[Expr], *, folded: bool) -> Expr:
    """Answer whether a value is one of several, `folded` without regard to case."""

    def test(row: Row) -> bool:
        wanted: list[object] = []
        for expr in values:
            value = expr(row)
            wanted.extend(value if isinstance(value, list) else [value])
        value = left(row)
        if folded:
            return _fold(value) in {_fold(cast("Value", one)) for one in wanted}
        return value in wanted

    return test


def text_test(word: str, left: Value, right: Value) -> bool:
    """Compare texts without regard to case, as Kusto does."""
    text, wanted = _fold(left), _fold(right)
    match word:
        case "startswith":
            return text.startswith(wanted)
        case "endswith":
            return text.endswith(wanted)
        case "has":
            return re.search(rf"(?<!\w){re.escape(wanted)}(?!\w)", text) is not None
        case _:
            return wanted in text


def arithmetic(sign: str, left: Expr, right: Expr) -> Expr:
    """Make a sum, difference, product, quotient or remainder; null where a side is null."""

    def compute(row: Row) -> Value:
        a, b = left(row), right(row)
        if a is None or b is None or (sign in "/%" and b == 0):
            return None
        match sign:
            case "+":
                return a + b  # type: ignore[operator]
            case "-":
                return a - b  # type: ignore[operator]
            case "*":
                return a * b  # type: ignore[operator]
            case "/":
                return a / b  # type: ignore[operator]
            case _:
                return a % b  # type: ignore[operator]

    return compute


def negate(value: Value) -> Value:
    """Answer the negative of a number or span."""
    return -value if isinstance(value, (int, float, timedelta)) else None


def indexed(left: Expr, index: Expr) -> Expr:
    """Answer a member of a list or of a dictionary."""

    def pick(row: Row) -> Value:
        held, at = left(row), index(row)
        if isinstance(held, list) and isinstance(at, int) and -len(held) <= at < len(held):
            return cast("Value", held[at])
        return cast("Value", held.get(str(at))) if isinstance(held, dict) else None

    return pick


def sort_key(expr: Expr) -> Callable[[Row], tuple[bool, Value]]:
    """Make a key that orders nulls first."""
    return lambda row: (expr(row) is not None, expr(row))


def _difference(unit: Value, later: Value, earlier: Value) -> Value:
    if not isinstance(later, datetime) or not isinstance(earlier, datetime):
        return None
    names = {"second": 1, "minute": 60, "hour": 3600, "day": 86400}
    return int((later - earlier).total_seconds() // names[str(unit)])


def _bin(value: Value, size: Value) -> Value:
    if isinstance(value, datetime) and isinstance(size, timedelta):
        epoch = datetime(1970, 1, 1, tzinfo=UTC)
        return epoch + ((value - epoch) // size) * size
    return value // size * size if isinstance(value, int) and isinstance(size, int) else None


def _text(value: Value) -> Value:
    return "" if value is None else str(write_value(value))


def _real(value: Value = None) -> Value:
    return float(value) if isinstance(value, (str, int, float)) else None


def _whole(value: Value) -> Value:
    return int(value) if isinstance(value, (str, int, float)) else None


def _instant(value: Value) -> Value:
    return value if isinstance(value, datetime) else parse_instant(str(value))


def _split(value: Value, by: Value) -> Value:
    return list(str(value or "").split(str(by)))


def _strcat(*values: Value) -> Value:
    return "".join(str(_text(value)) for value in values)


def _upper(value: Value) -> Value:
    return _fold(value).upper()


def _empty(value: Value) -> Value:
    return value is None or value == ""


def _filled(value: Value) -> Value:
    return not _empty(value)


def _null(value: Value) -> Value:
    return value is None


def _known(value: Value) -> Value:
    return value is not None


def _not(value: Value) -> Value:
    return not value


def _coalesce(*values: Value) -> Value:
    return next((value for value in values if value is not None), None)


def _choose(test: Value, then: Value, otherwise: Value) -> Value:
    return then if test is True else otherwise


FUNCTIONS: dict[str, Callable[..., Value]] = {
    "tolower": _fold,
    "toupper": _upper,
    "tostring": _text,
    "todouble": _real,
    "toreal": _real,
    "real": _real,
    "toint": _whole,
    "tolong": _whole,
    "todatetime": _instant,
    "split": _split,
    "strcat": _strcat,
    "isempty": _empty,
    "isnotempty": _filled,
    "isnull": _null,
    "isnotnull": _known,
    "not": _not,
    "coalesce": _coalesce,
    "iff": _choose,
    "iif": _choose,
    "datetime_diff": _difference,
    "bin": _bin,
}


def _values(members: list[Row], arguments: list[Expr]) -> list[Value]:
    found = (arguments[0](row) for row in members) if arguments else iter(())
    return [value for value in found if value is not None]


AGGREGATES: dict[str, Callable[[list[Row], list[Expr]], Value]] = {
    "count": lambda members, _arguments: len(members),
    "countif": lambda members, arguments: sum(1 for r in members if arguments[0](r) is True),
    "max": lambda members, arguments: max(_values(members, arguments), default=None),  # type: ignore[type-var]
    "min": lambda members, arguments: min(_values(members, arguments), default=None),  # type: ignore[type-var]
    "sum": lambda members, arguments: sum(_values(members, arguments)),  # type: ignore[arg-type]
    "dcount": lambda members, arguments: len({str(v) for v in _values(members, arguments)}),
    "take_any": lambda members, arguments: next(iter(_values(members, arguments)), None),
    "any": lambda members, arguments: next(iter(_values(members, arguments)), None),
    "make_list": lambda members, arguments: list(_values(members, arguments)),
    "make_set": lambda members, arguments: list(dict.fromkeys(_values(members, arguments))),  # type: ignore[arg-type]
}

"""A small Kusto: enough of the language for the queries a failback asks, and its real kinds of error.

Statements `let`, `print`-less pipelines over one table with where, project, extend, summarize, order, take,
top, distinct and count. What is outside is refused as a syntax error, never guessed.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, TypeAlias, cast

from simulator.times import parse_instant, ticks

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

Value: TypeAlias = "str | int | float | bool | datetime | timedelta | list[object] | dict[str, object] | None"
Row: TypeAlias = "dict[str, Value]"


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
class _Token:
    kind: str
    text: str


def _tokens(text: str) -> list[_Token]:
    found: list[_Token] = []
    at = 0
    text = text.rstrip()
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None:
            raise syntax(f"unexpected character near '{text[at : at + 12]}'")
        at = match.end()
        kind = match.lastgroup or ""
        if kind != "comment":
            found.append(_Token(kind, match[kind]))
    return [*found, _Token("end", "")]


Expr: TypeAlias = "Callable[[Row], Value]"


@dataclass(slots=True)
class _Named:
    name: str
    expr: Expr
    aggregate: Callable[[list[Row]], Value] | None = None


class _Parser:
    """Reads one query and evaluates it as it reads."""

    def __init__(self, text: str, tables: dict[str, Table], now: datetime) -> None:
        self.tokens = _tokens(text)
        self.at = 0
        self.tables = tables
        self.now = now
        self.lets: dict[str, Value] = {}
        self.columns: dict[str, str] = {}

    # reading

    def peek(self) -> _Token:
        return self.tokens[self.at]

    def next(self) -> _Token:
        token = self.tokens[self.at]
        self.at += 1
        return token

    def accept(self, *texts: str) -> _Token | None:
        if self.peek().text in texts and self.peek().kind in {"op", "name"}:
            return self.next()
        return None

    def expect(self, text: str) -> None:
        if self.accept(text) is None:
            raise syntax(f"expected '{text}' at '{self.peek().text}'")

    def name(self) -> str:
        token = self.next()
        if token.kind != "name":
            raise syntax(f"expected a name at '{token.text}'")
        return token.text

    # statements

    def query(self) -> Table:
        while self.accept("let"):
            name = self.name()
            self.expect("=")
            self.lets[name] = self.expression()({})
            self.expect(";")
        name = self.name()
        if name not in self.tables:
            if name in {"union", "print", "datatable", "search"}:
                raise syntax(f"'{name}' is not supported here")
            raise semantic(f"'{name}' could not be resolved to a table or a column")
        source = self.tables[name]
        self.columns = dict(source.columns)
        names = [column for column, _ in source.columns]
        rows: list[Row] = [dict(zip(names, row, strict=True)) for row in source.rows]
        while self.accept("|"):
            rows = self.operator(rows)
        self.accept(";")
        if self.peek().kind != "end":
            raise syntax(f"unexpected '{self.peek().text}'")
        kinds = tuple(self.columns.items())
        return Table(kinds, [tuple(row.get(c) for c, _ in kinds) for row in rows])

    def operator(self, rows: list[Row]) -> list[Row]:
        word = self.name()
        match word:
            case "where" | "filter":
                test = self.expression()
                return [row for row in rows if test(row) is True]
            case "extend" | "project":
                return self.extend(rows, keep=word == "extend")
            case "summarize":
                return self.summarize(rows)
            case "order" | "sort":
                return self.order(rows)
            case "take" | "limit":
                return rows[: int(cast("int", self.expression()({})))]
            case "top":
                count = int(cast("int", self.expression()({})))
                return self.order(rows)[:count]
            case "count":
                self.columns = {"Count": "long"}
                return [{"Count": len(rows)}]
            case "distinct":
                return self.distinct(rows)
            case _:
                raise syntax(f"unknown operator '{word}'")

    def extend(self, rows: list[Row], *, keep: bool) -> list[Row]:
        named = self.named_list()
        made = [{n.name: n.expr(row) for n in named} for row in rows]
        kinds = {n.name: _kind(made, n.name, self.columns) for n in named}
        self.columns = self.columns | kinds if keep else kinds
        return [row | new if keep else new for row, new in zip(rows, made, strict=True)]

    def distinct(self, rows: list[Row]) -> list[Row]:
        projected = self.extend(rows, keep=False)
        seen: dict[str, Row] = {json.dumps(row, default=str): row for row in projected}
        return list(seen.values())

    def order(self, rows: list[Row]) -> list[Row]:
        self.expect("by")
        keys: list[tuple[Expr, bool]] = []
        while True:
            expr = self.expression()
            keys.append((expr, self.accept("asc") is None))
            self.accept("desc")
            if self.accept(",") is None:
                break
        for expr, descending in reversed(keys):
            rows = sorted(rows, key=_sort_key(expr), reverse=descending)
        return rows

    def summarize(self, rows: list[Row]) -> list[Row]:
        named = [] if self.peek().text == "by" else self.named_list(aggregates=True)
        by = self.named_list() if self.accept("by") else []
        groups: dict[str, tuple[Row, list[Row]]] = {}
        for row in rows:
            group = {n.name: n.expr(row) for n in by}
            key = json.dumps(group, default=str)
            groups.setdefault(key, (group, []))[1].append(row)
        if not by and not groups:
            groups[""] = ({}, [])
        made = [group | self.aggregated(named, members) for group, members in groups.values()]
        names = [*(n.name for n in by), *(n.name for n in named if n.name != "*")]
        if any(n.name == "*" for n in named):
            names += [column for column in self.columns if column not in names]
        self.columns = {name: _kind(made, name, self.columns) for name in names}
        return made

    @staticmethod
    def aggregated(named: list[_Named], members: list[Row]) -> Row:
        made: Row = {}
        for one in named:
            value = one.aggregate(members) if one.aggregate else one.expr(members[0])
            if one.name == "*" and isinstance(value, dict):
                made |= cast("Row", value)
            else:
                made[one.name] = value
        return made

    def named_list(self, *, aggregates: bool = False) -> list[_Named]:
        found = [self.named(aggregates=aggregates)]
        while self.accept(","):
            found.append(self.named(aggregates=aggregates))
        return found

    def named(self, *, aggregates: bool) -> _Named:
        start, name = self.at, None
        if self.peek().kind == "name" and self.tokens[self.at + 1].text == "=":
            name = self.name()
            self.expect("=")
            start = self.at
        if aggregates:
            return self.aggregate(name)
        expr = self.expression()
        return _Named(name or self.default_name(start), expr)

    def default_name(self, start: int) -> str:
        token = self.tokens[start]
        return token.text if token.kind == "name" and self.at == start + 1 else "Column1"

    def aggregate(self, name: str | None) -> _Named:
        function = self.name()
        self.expect("(")
        arguments: list[Expr] = []
        star = False
        while self.accept(")") is None:
            if self.accept("*"):
                star = True
            else:
                arguments.append(self.expression())
            self.accept(",")
        made = _AGGREGATES.get(function)
        if made is None:
            raise semantic(f"Unknown function: '{function}'.")
        default = "*" if star else f"{function}_"
        return _Named(name or default, lambda _row: None, lambda members: made(members, arguments, star))

    # expressions, loosest first

    def expression(self) -> Expr:
        left = self.conjunction()
        while self.accept("or"):
            left = _either(left, self.conjunction())
        return left

    def conjunction(self) -> Expr:
        left = self.comparison()
        while self.accept("and"):
            left = _both(left, self.comparison())
        return left

    def comparison(self) -> Expr:
        left = self.sum()
        token = self.accept(*_COMPARE)
        if token is not None:
            return _compared(_COMPARE[token.text], left, self.sum())
        negated = self.peek().text.startswith("!") and self.accept("!") is not None
        token = self.accept("in", "has", "contains", "startswith", "endswith", "between")
        if token is None:
            return left
        found = self.membership(token.text, left)
        return (lambda row: not found(row)) if negated else found

    def membership(self, word: str, left: Expr) -> Expr:
        if word == "between":
            self.expect("(")
            low = self.sum()
            self.expect("..")
            high = self.sum()
            self.expect(")")
            return _both(_compared(_COMPARE[">="], left, low), _compared(_COMPARE["<="], left, high))
        if word == "in":
            folded = self.accept("~") is not None
            self.expect("(")
            values = [self.expression()]
            while self.accept(","):
                values.append(self.expression())
            self.expect(")")
            return _among(left, values, folded=folded)
        right = self.sum()
        return lambda row: _text_test(word, left(row), right(row))

    def sum(self) -> Expr:
        left = self.product()
        while token := self.accept("+", "-"):
            left = _arithmetic(token.text, left, self.product())
        return left

    def product(self) -> Expr:
        left = self.unary()
        while token := self.accept("*", "/", "%"):
            left = _arithmetic(token.text, left, self.unary())
        return left

    def unary(self) -> Expr:
        if self.accept("-"):
            inner = self.unary()
            return lambda row: _negate(inner(row))
        return self.postfix()

    def postfix(self) -> Expr:
        left = self.primary()
        while self.accept("["):
            index = self.expression()
            self.expect("]")
            left = _indexed(left, index)
        return left

    def primary(self) -> Expr:
        token = self.next()
        match token.kind:
            case "string":
                text = _unquote(token.text)
                return lambda _row: text
            case "span":
                span = _span(token.text)
                return lambda _row: span
            case "number":
                number = float(token.text) if "." in token.text else int(token.text)
                return lambda _row: number
            case "op" if token.text == "(":
                inner = self.expression()
                self.expect(")")
                return inner
            case "name":
                return self.named_thing(token.text)
            case _:
                raise syntax(f"unexpected '{token.text}'")

    def named_thing(self, name: str) -> Expr:
        if name in {"datetime", "dynamic", "timespan"} and self.peek().text == "(":
            literal = self.literal(name)
            return lambda _row: literal
        if self.peek().text == "(":
            return self.call(name)
        if name in {"true", "false"}:
            return lambda _row: name == "true"
        if name in self.lets:
            value = self.lets[name]
            return lambda _row: value
        if name not in self.columns:
            raise semantic(f"Failed to resolve column or scalar expression named '{name}'")
        return lambda row: row.get(name)

    def literal(self, kind: str) -> Value:
        """Read `datetime(...)`, `timespan(...)` or `dynamic(...)`, whose inside is not an expression."""
        self.expect("(")
        depth, parts = 1, list[str]()
        while True:
            token = self.next()
            if token.kind == "end":
                raise syntax(f"'{kind}(' is not closed")
            depth += (token.text == "(") - (token.text == ")")
            if depth == 0:
                break
            parts.append(token.text)
        return _literal(kind, parts)

    def call(self, name: str) -> Expr:
        self.expect("(")
        arguments: list[Expr] = []
        if name == "column_ifexists":
            return self.column_ifexists()
        while self.accept(")") is None:
            arguments.append(self.expression())
            self.accept(",")
        function = _FUNCTIONS.get(name)
        if name == "now":
            return lambda _row: self.now
        if name == "ago":
            return lambda row: self.now - cast("timedelta", arguments[0](row))
        if function is None:
            raise semantic(f"Unknown function: '{name}'.")
        return lambda row: function(*(argument(row) for argument in arguments))

    def column_ifexists(self) -> Expr:
        wanted = _unquote(self.next().text)
        self.expect(",")
        other = self.expression()
        self.expect(")")
        return (lambda row: row.get(wanted)) if wanted in self.columns else other


def run(text: str, tables: dict[str, Table], now: datetime) -> Table:
    """Answer a query over the tables. Raises KqlError as the service would refuse it."""
    try:
        return _Parser(text, tables, now).query()
    except (TypeError, IndexError, AttributeError) as fault:
        raise semantic(f"the query does not fit its data: {fault}") from fault


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


def _kind(rows: Sequence[Row], name: str, known: dict[str, str]) -> str:
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


def _unquote(text: str) -> str:
    inner = text.removeprefix("h")[1:-1]
    return re.sub(r"\\(.)", r"\1", inner)


def _span(text: str) -> timedelta:
    unit = next(u for u in ("ms", "d", "h", "m", "s") if text.endswith(u))
    return timedelta(seconds=float(text.removesuffix(unit)) * _SPANS[unit])


def _literal(kind: str, parts: list[str]) -> Value:
    if kind == "dynamic":
        text = "".join(json.dumps(_unquote(p)) if p[0] in "'\"" else p for p in parts)
        try:
            return cast("Value", json.loads(text))
        except ValueError as fault:
            raise syntax("dynamic() does not hold JSON") from fault
    text = "".join(parts)
    if kind == "timespan":
        return _span(text)
    try:
        return parse_instant(_unquote(text) if text[:1] in {"'", '"'} else text)
    except ValueError as fault:
        raise syntax(f"'{text}' is not a datetime") from fault


def _both(left: Expr, right: Expr) -> Expr:
    return lambda row: left(row) is True and right(row) is True


def _either(left: Expr, right: Expr) -> Expr:
    return lambda row: left(row) is True or right(row) is True


def _fold(value: Value) -> str:
    return "" if value is None else str(value).lower()


_COMPARE: dict[str, Callable[[Value, Value], bool]] = {
    "==": lambda a, b: a == b,
    "!=": lambda a, b: a != b,
    "=~": lambda a, b: _fold(a) == _fold(b),
    "!~": lambda a, b: _fold(a) != _fold(b),
    "<": lambda a, b: a is not None and b is not None and a < b,  # type: ignore[operator]
    "<=": lambda a, b: a is not None and b is not None and a <= b,  # type: ignore[operator]
    ">": lambda a, b: a is not None and b is not None and a > b,  # type: ignore[operator]
    ">=": lambda a, b: a is not None and b is not None and a >= b,  # type: ignore[operator]
}


def _compared(test: Callable[[Value, Value], bool], left: Expr, right: Expr) -> Expr:
    return lambda row: test(left(row), right(row))


def _among(left: Expr, values: list[Expr], *, folded: bool) -> Expr:
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


def _text_test(word: str, left: Value, right: Value) -> bool:
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


def _arithmetic(sign: str, left: Expr, right: Expr) -> Expr:
    def compute(row: Row) -> Value:
        a, b = left(row), right(row)
        if a is None or b is None:
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


def _negate(value: Value) -> Value:
    return -value if isinstance(value, (int, float, timedelta)) else None


def _indexed(left: Expr, index: Expr) -> Expr:
    def pick(row: Row) -> Value:
        held, at = left(row), index(row)
        if isinstance(held, list) and isinstance(at, int) and -len(held) <= at < len(held):
            return cast("Value", held[at])
        return cast("Value", held.get(str(at))) if isinstance(held, dict) else None

    return pick


def _sort_key(expr: Expr) -> Callable[[Row], tuple[bool, Value]]:
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


_FUNCTIONS: dict[str, Callable[..., Value]] = {
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


def _extreme(members: list[Row], arguments: list[Expr], *, star: bool, largest: bool) -> Value:
    rows = sorted(members, key=_sort_key(arguments[0]))
    if not rows:
        return {} if star else None
    chosen = rows[-1] if largest else rows[0]
    return cast("Value", chosen) if star else arguments[0](chosen)


_AGGREGATES: dict[str, Callable[[list[Row], list[Expr], bool], Value]] = {
    "count": lambda members, _arguments, _star: len(members),
    "countif": lambda members, arguments, _star: sum(1 for r in members if arguments[0](r) is True),
    "max": lambda members, arguments, _star: max(_values(members, arguments), default=None),  # type: ignore[type-var]
    "min": lambda members, arguments, _star: min(_values(members, arguments), default=None),  # type: ignore[type-var]
    "sum": lambda members, arguments, _star: sum(_values(members, arguments)),  # type: ignore[arg-type]
    "dcount": lambda members, arguments, _star: len({str(v) for v in _values(members, arguments)}),
    "take_any": lambda members, arguments, _star: next(iter(_values(members, arguments)), None),
    "any": lambda members, arguments, _star: next(iter(_values(members, arguments)), None),
    "make_list": lambda members, arguments, _star: list(_values(members, arguments)),
    "make_set": lambda members, arguments, _star: list(dict.fromkeys(_values(members, arguments))),  # type: ignore[arg-type]
    "arg_max": lambda m, a, star: _extreme(m, a, star=star, largest=True),
    "arg_min": lambda m, a, star: _extreme(m, a, star=star, largest=False),
}

"""Reads a query's statements and operators, and carries them out as it reads."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import cast

from simulator.kql.expressions import Expressions
from simulator.kql.functions import AGGREGATES, sort_key
from simulator.kql.values import Expr, Row, Table, Value, kind_of, semantic, syntax

_COUNTS = {"count", "countif", "dcount"}
_OPERATORS = {
    "where",
    "filter",
    "extend",
    "project",
    "summarize",
    "order",
    "sort",
    "take",
    "limit",
    "top",
    "count",
    "distinct",
}
_ARGS = {"arg_max", "arg_min"}


@dataclass(slots=True)
class Named:
    """A column that is made: its name, how, and its type where that is known beforehand."""

    name: str
    expr: Expr
    aggregate: Callable[[list[Row]], Value] | None = None
    kind: str | None = None


class Pipeline(Expressions):
    """Reads one query and answers its table."""

    def query(self) -> Table:
        """Answer the whole query; nothing may be left behind its end."""
        self.check_operators()
        while self.accept("let"):
            name = self.name()
            self.expect("=")
            self.lets[name] = self.expression()({})
            self.expect(";")
        rows = self.pipeline()
        self.accept(";")
        if self.peek().kind != "end":
            raise syntax(f"unexpected '{self.peek().text}'")
        kinds = tuple(self.columns.items())
        return Table(kinds, [tuple(row.get(c) for c, _ in kinds) for row in rows])

    def check_operators(self) -> None:
        """Refuse an unknown operator before any table is looked for: parsing comes first."""
        for bar, word in zip(self.tokens, self.tokens[1:], strict=False):
            if bar.text == "|" and word.text not in _OPERATORS:
                raise syntax(f"unknown operator '{word.text}'")

    def pipeline(self) -> list[Row]:
        """Read a source and the operators behind it."""
        rows = self.union() if self.accept("union") else self.source()
        while self.accept("|"):
            rows = self.operator(rows)
        return rows

    def source(self, *, fuzzy: bool = False) -> list[Row]:
        """Read a table by its name; a fuzzy union takes a missing one for an empty one."""
        name = self.name()
        table = self.tables.get(name)
        if table is None and name in {"print", "datatable", "search", "range"}:
            raise syntax(f"'{name}' is not supported here")
        if table is None and not fuzzy:
            raise semantic(f"'{name}' could not be resolved to a table or a column")
        table = table or Table(())
        self.columns = dict(table.columns)
        names = [column for column, _ in table.columns]
        return [dict(zip(names, row, strict=True)) for row in table.rows]

    def union(self) -> list[Row]:
        """Read several tables or pipelines in brackets as one, with the columns of all."""
        fuzzy = self.accept("isfuzzy") is not None
        if fuzzy:
            self.expect("=")
            fuzzy = self.accept("true") is not None
        columns: dict[str, str] = {}
        rows: list[Row] = []
        while True:
            if self.accept("("):
                rows += self.bracketed(fuzzy=fuzzy)
            else:
                rows += self.source(fuzzy=fuzzy)
            columns |= self.columns
            if self.accept(",") is None:
                break
        self.columns = columns
        return rows

    def bracketed(self, *, fuzzy: bool) -> list[Row]:
        """Read one pipeline of a union; a fuzzy one leaves out what has no table."""
        if fuzzy and self.peek().text not in self.tables:
            self.skip_bracket()
            self.columns = {}
            return []
        rows = self.pipeline()
        self.expect(")")
        return rows

    def skip_bracket(self) -> None:
        """Pass over everything up to the bracket that closes this one."""
        depth = 1
        while depth:
            token = self.next()
            if token.kind == "end":
                raise syntax("a bracket is not closed")
            depth += (token.text == "(") - (token.text == ")")

    def operator(self, rows: list[Row]) -> list[Row]:
        """Carry out one operator."""
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
        """Make columns, beside those there are or instead of them."""
        named = self.named_list()
        made = [{n.name: n.expr(row) for n in named} for row in rows]
        kinds = {n.name: kind_of(made, n.name, self.columns) for n in named}
        self.columns = self.columns | kinds if keep else kinds
        return [row | new if keep else new for row, new in zip(rows, made, strict=True)]

    def distinct(self, rows: list[Row]) -> list[Row]:
        """Keep one of each."""
        projected = self.extend(rows, keep=False)
        seen: dict[str, Row] = {json.dumps(row, default=str): row for row in projected}
        return list(seen.values())

    def order(self, rows: list[Row]) -> list[Row]:
        """Sort, descending unless told otherwise."""
        self.expect("by")
        keys: list[tuple[Expr, bool]] = []
        while True:
            expr = self.expression()
            keys.append((expr, self.accept("asc") is None))
            self.accept("desc")
            if self.accept(",") is None:
                break
        for expr, descending in reversed(keys):
            rows = sorted(rows, key=sort_key(expr), reverse=descending)
        return rows

    def summarize(self, rows: list[Row]) -> list[Row]:
        """Bring groups of rows down to one each; without `by` there is one group, even of none."""
        named = [] if self.peek().text == "by" else self.aggregates()
        by = self.named_list() if self.accept("by") else []
        groups: dict[str, tuple[Row, list[Row]]] = {}
        for row in rows:
            group = {n.name: n.expr(row) for n in by}
            key = json.dumps(group, default=str)
            groups.setdefault(key, (group, []))[1].append(row)
        if not by and not groups:
            groups[""] = ({}, [])
        made = [group | _aggregated(named, members) for group, members in groups.values()]
        known = self.columns | {n.name: n.kind for n in named if n.kind}
        names = [n.name for n in by]
        for one in named:
            names += [c for c in self.columns if c not in names] if one.name == "*" else [one.name]
        self.columns = {name: kind_of(made, name, known) for name in names}
        return made

    def named_list(self) -> list[Named]:
        """Read columns with or without names of their own."""
        found = [self.named()]
        while self.accept(","):
            found.append(self.named())
        return found

    def named(self) -> Named:
        """Read one column."""
        name, start = self.own_name(), self.at
        expr = self.expression()
        token = self.tokens[start]
        plain = token.kind == "name" and self.at == start + 1
        return Named(name or (token.text if plain else "Column1"), expr)

    def own_name(self) -> str | None:
        """Read `Name =` where it stands."""
        if self.peek().kind != "name" or self.tokens[self.at + 1].text != "=":
            return None
        name = self.name()
        self.expect("=")
        return name

    def aggregates(self) -> list[Named]:
        """Read the aggregates of a summarize."""
        found = self.aggregate()
        while self.accept(","):
            found += self.aggregate()
        return found

    def aggregate(self) -> list[Named]:
        """Read one aggregate; `arg_max(a, b, c)` makes a column of each."""
        name, function = self.own_name(), self.name()
        if function not in AGGREGATES and function not in _ARGS:
            raise semantic(f"Unknown function: '{function}'.")
        self.expect("(")
        arguments: list[Named] = []
        star = False
        while self.accept(")") is None:
            if self.accept("*"):
                star = True
            else:
                arguments.append(self.named())
            self.accept(",")
        if function in _ARGS:
            return _chosen(name, function, arguments, star=star)
        first = arguments[0].name if arguments else ""
        exprs = [argument.expr for argument in arguments]
        kind = "long" if function in _COUNTS else self.columns.get(first)
        title = name or f"{function}_{'' if function in {'count', 'countif'} else first}"
        carry_out = AGGREGATES[function]
        return [Named(title, _nothing, lambda members: carry_out(members, exprs), kind)]


def _nothing(_row: Row) -> Value:
    return None


def _chosen(name: str | None, function: str, arguments: list[Named], *, star: bool) -> list[Named]:
    """Make the columns of the row that has the largest or smallest first argument."""
    key = sort_key(arguments[0].expr)
    pick = max if function == "arg_max" else min

    def whole(members: list[Row]) -> Value:
        return cast("Value", dict(pick(members, key=key))) if members else {}

    def one(argument: Named) -> Callable[[list[Row]], Value]:
        return lambda members: argument.expr(pick(members, key=key)) if members else None

    if star:
        return [Named("*", _nothing, whole)]
    titles = [name or arguments[0].name, *(argument.name for argument in arguments[1:])]
    return [Named(t, _nothing, one(a)) for t, a in zip(titles, arguments, strict=True)]


def _aggregated(named: list[Named], members: list[Row]) -> Row:
    made: Row = {}
    for one in named:
        value = one.aggregate(members) if one.aggregate else None
        if one.name == "*":
            made |= cast("Row", value)
        else:
            made[one.name] = value
    return made

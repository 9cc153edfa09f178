"""Reads expressions: what stands between the bars and commas of a query."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import cast

from simulator.kql.functions import (
    COMPARE,
    FUNCTIONS,
    among,
    arithmetic,
    both,
    compared,
    either,
    indexed,
    negate,
    text_test,
)
from simulator.kql.values import (
    Expr,
    Table,
    Token,
    Value,
    literal,
    semantic,
    span,
    syntax,
    tokens,
    unquote,
)


class Expressions:
    """A reader at some word of a query, with what names mean there."""

    def __init__(self, text: str, tables: dict[str, Table], now: datetime) -> None:
        self.tokens = tokens(text)
        self.at = 0
        self.tables = tables
        self.now = now
        self.lets: dict[str, Value] = {}
        self.columns: dict[str, str] = {}

    def peek(self) -> Token:
        """Answer the next word without taking it."""
        return self.tokens[self.at]

    def next(self) -> Token:
        """Take the next word."""
        token = self.tokens[self.at]
        self.at += 1
        return token

    def accept(self, *texts: str) -> Token | None:
        """Take the next word if it is one of these."""
        if self.peek().text in texts and self.peek().kind in {"op", "name"}:
            return self.next()
        return None

    def expect(self, text: str) -> None:
        """Take this word, or refuse the query."""
        if self.accept(text) is None:
            raise syntax(f"expected '{text}' at '{self.peek().text}'")

    def name(self) -> str:
        """Take a name, or refuse the query."""
        token = self.next()
        if token.kind != "name":
            raise syntax(f"expected a name at '{token.text}'")
        return token.text

    def expression(self) -> Expr:
        """Read an expression: `or` binds loosest."""
        left = self.conjunction()
        while self.accept("or"):
            left = either(left, self.conjunction())
        return left

    def conjunction(self) -> Expr:
        """Read what `and` joins."""
        left = self.comparison()
        while self.accept("and"):
            left = both(left, self.comparison())
        return left

    def comparison(self) -> Expr:
        """Read a comparison, or a sum by itself."""
        left = self.sum()
        token = self.accept(*COMPARE)
        if token is not None:
            return compared(COMPARE[token.text], left, self.sum())
        negated = self.peek().text.startswith("!") and self.accept("!") is not None
        token = self.accept("in", "has", "contains", "startswith", "endswith", "between")
        if token is None:
            return left
        found = self.membership(token.text, left)
        return (lambda row: not found(row)) if negated else found

    def membership(self, word: str, left: Expr) -> Expr:
        """Read the right side of `in`, `has` and their kin."""
        if word == "between":
            self.expect("(")
            low = self.sum()
            self.expect("..")
            high = self.sum()
            self.expect(")")
            return both(compared(COMPARE[">="], left, low), compared(COMPARE["<="], left, high))
        if word == "in":
            folded = self.accept("~") is not None
            self.expect("(")
            values = [self.expression()]
            while self.accept(","):
                values.append(self.expression())
            self.expect(")")
            return among(left, values, folded=folded)
        right = self.sum()
        return lambda row: text_test(word, left(row), right(row))

    def sum(self) -> Expr:
        """Read sums and differences."""
        left = self.product()
        while token := self.accept("+", "-"):
            left = arithmetic(token.text, left, self.product())
        return left

    def product(self) -> Expr:
        """Read products, quotients and remainders."""
        left = self.unary()
        while token := self.accept("*", "/", "%"):
            left = arithmetic(token.text, left, self.unary())
        return left

    def unary(self) -> Expr:
        """Read a negative, or a thing by itself."""
        if self.accept("-"):
            inner = self.unary()
            return lambda row: negate(inner(row))
        return self.postfix()

    def postfix(self) -> Expr:
        """Read a thing and the indexes behind it."""
        left = self.primary()
        while self.accept("["):
            index = self.expression()
            self.expect("]")
            left = indexed(left, index)
        return left

    def primary(self) -> Expr:
        """Read a literal, a name, a call or a bracket."""
        token = self.next()
        match token.kind:
            case "string":
                text = unquote(token.text)
                return lambda _row: text
            case "span":
                length = span(token.text)
                return lambda _row: length
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
        """Read what a name stands for."""
        if name in {"datetime", "dynamic", "timespan"} and self.peek().text == "(":
            literal = self.typed_literal(name)
            return lambda _row: literal
        if self.peek().text == "(":
            return self.call(name)
        if name == "null":
            return lambda _row: None
        if name in {"true", "false"}:
            return lambda _row: name == "true"
        if name in self.lets:
            value = self.lets[name]
            return lambda _row: value
        if name not in self.columns:
            raise semantic(f"Failed to resolve column or scalar expression named '{name}'")
        return lambda row: row.get(name)

    def typed_literal(self, kind: str) -> Value:
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
        return literal(kind, parts)

    def call(self, name: str) -> Expr:
        """Read a call of a scalar function."""
        self.expect("(")
        arguments: list[Expr] = []
        if name == "column_ifexists":
            return self.column_ifexists()
        while self.accept(")") is None:
            arguments.append(self.expression())
            self.accept(",")
        function = FUNCTIONS.get(name)
        if name == "now":
            return lambda _row: self.now
        if name == "ago":
            return lambda row: self.now - cast("timedelta", arguments[0](row))
        if function is None:
            raise semantic(f"Unknown function: '{name}'.")
        return lambda row: function(*(argument(row) for argument in arguments))

    def column_ifexists(self) -> Expr:
        """Read a column that may not be there."""
        wanted = unquote(self.next().text)
        self.expect(",")
        other = self.expression()
        self.expect(")")
        return (lambda row: row.get(wanted)) if wanted in self.columns else other

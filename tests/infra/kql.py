"""A reader of KQL that knows enough of it to tell whether each name is a column, at the place where it is used.

It follows a query from stage to stage, as `summarize` and `project` change what columns there are. What it does
not know it refuses, rather than letting it pass. `make infra-lint` asks Microsoft's own language service as well.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Final

TABLES: Final[dict[str, dict[str, str]]] = json.loads((Path(__file__).parent / "tables.json").read_text())
FUNCTIONS: Final = {
    *(
        "ago",
        "arg_max",
        "bin",
        "column_ifexists",
        "count",
        "countif",
        "isempty",
        "isnotempty",
        "isnotnull",
        "max",
        "min",
    ),
    *("percentile", "real", "todouble", "tolower", "tostring", "now"),
}
WORDS: Final = {"and", "or", "in", "by", "asc", "desc", "true", "false", "null", "startswith", "contains", "has"}
_TOKEN: Final = re.compile(
    r"'(?:[^'\\]|\\.)*'|\d+(?:\.\d+)?[smhd]?\b|[A-Za-z_]\w*|!startswith|=~|!~|==|!=|<=|>=|[-+*/<>=(),\[\]|.]|\S"
)


class UnreadableError(ValueError):
    """The query says something that this reader does not know."""


def check(query: str) -> set[str]:
    """Give the columns that a query ends with.

    Raises:
        UnreadableError: a name is no column there, or the query is of a form that is not known.
    """
    table, *stages = [stage.strip() for stage in _stages(query)]
    if table not in TABLES:
        raise UnreadableError(f"{table!r} is no table that is declared")
    columns = set(TABLES[table])
    for stage in stages:
        operator, _, rest = stage.partition(" ")
        columns = _after(operator, rest, columns)
    return columns


def _after(operator: str, rest: str, columns: set[str]) -> set[str]:
    match operator:
        case "where":
            _expression(rest, columns)
            return columns
        case "extend":
            return columns | {_named(part, columns) for part in _parts(rest)}
        case "project":
            return {_named(part, columns) for part in _parts(rest)}
        case "summarize":
            return _summarized(rest, columns)
        case "order":
            _expression(rest.removeprefix("by "), columns)
            return columns
        case "take" if rest.isdigit():
            return columns
        case _:
            raise UnreadableError(f"the operator {operator!r} is not known")


def _summarized(rest: str, columns: set[str]) -> set[str]:
    made, _, by = rest.partition(" by ")
    groups = {_named(part, columns) for part in _parts(by)} if by else set[str]()
    results: set[str] = set()
    for part in _parts(made):
        if part.startswith("arg_max("):
            asked = _parts(part.removeprefix("arg_max(").removesuffix(")"))
            results |= columns if "*" in asked else {_named(each, columns) for each in asked}
        else:
            results.add(_named(part, columns))
    return groups | results


def _named(part: str, columns: set[str]) -> str:
    """Give the column that an expression makes: as it is named, or as Kusto names it."""
    found = re.match(r"(\w+)\s*=(?![=~])\s*(.*)", part, re.DOTALL)
    if found:
        _expression(found[2], columns)
        return found[1]
    _expression(part, columns)
    inner = re.match(r"bin\((\w+),", part)
    return inner[1] if inner else part


def _expression(text: str, columns: set[str]) -> None:
    tokens = _TOKEN.findall(text)
    if text.count("(") != text.count(")") or not tokens:
        raise UnreadableError(f"this does not end: {text.strip()!r}")
    for token, following in zip(tokens, [*tokens[1:], ""], strict=True):
        if re.match(r"[A-Za-z_]", token):
            known = FUNCTIONS if following == "(" else columns | WORDS
            if token not in known and not (following == "(" and token in WORDS):
                raise UnreadableError(f"{token!r} is neither a column here nor a function: {text.strip()!r}")
        elif len(token) == 1 and token not in "-+*/<>=(),[].0123456789":
            raise UnreadableError(f"{token!r} is not known: {text.strip()!r}")


def _stages(query: str) -> list[str]:
    return _split(query, "|")


def _parts(text: str) -> list[str]:
    return [part.strip() for part in _split(text, ",")]


def _split(text: str, at: str) -> list[str]:
    """Split where no bracket or quote is open."""
    parts, depth = [""], 0
    for token in re.findall(r"'(?:[^'\\]|\\.)*'|.", text, re.DOTALL):
        depth += (token in "([") - (token in ")]") if len(token) == 1 else 0
        if token == at and depth == 0:
            parts.append("")
        else:
            parts[-1] += token
    return parts

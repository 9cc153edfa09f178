"""The `$filter` expressions Site Recovery's lists take: comparisons joined by `and`."""

from __future__ import annotations

import re
from dataclasses import dataclass

_CLAUSE = re.compile(
    r"^\s*(?P<name>[\w/.]+)\s+(?P<op>eq|ne|ge|gt|le|lt)\s+(?P<value>'[^']*'|\S+)\s*$",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Clause:
    """One comparison."""

    name: str
    op: str
    value: str


def parse_filter(text: str) -> list[Clause]:
    """Read a filter into its comparisons, names in lower case. Raises ValueError for the rest."""
    clauses: list[Clause] = []
    for part in re.split(r"\s+and\s+", text.strip(), flags=re.IGNORECASE) if text.strip() else []:
        match = _CLAUSE.match(part)
        if match is None:
            raise ValueError(f"cannot read the filter at '{part}'")
        value = match["value"].strip("'")
        clauses.append(Clause(match["name"].lower(), match["op"].lower(), value))
    return clauses

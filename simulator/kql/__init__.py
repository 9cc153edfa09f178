"""A small Kusto: enough of the language for the queries a failback asks, and its real kinds of error.

`let` statements, then a pipeline over one table or a union of pipelines, with where, project, extend,
summarize, order, top, take, distinct and count. What is outside is refused as a syntax error, never guessed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from simulator.kql.pipeline import Pipeline
from simulator.kql.values import KqlError, Table, Value, semantic, write_value

if TYPE_CHECKING:
    from datetime import datetime

__all__ = ["KqlError", "Table", "Value", "run", "write_value"]


def run(text: str, tables: dict[str, Table], now: datetime) -> Table:
    """Answer a query over the tables. Raises KqlError as the service would refuse it."""
    try:
        return Pipeline(text, tables, now).query()
    except (ArithmeticError, LookupError, RecursionError, TypeError, ValueError) as fault:
        raise semantic(f"the query does not fit its data: {fault}") from fault

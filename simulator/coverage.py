"""The table of what is simulated, made from the routes themselves."""

from __future__ import annotations

from collections import Counter

from simulator.routes import ROUTES, Basis, Route

BEGIN = "<!-- coverage: begin -->"
END = "<!-- coverage: end -->"

_MEANING = {
    Basis.OBSERVED: "the shape was read from a recording of the service",
    Basis.DOCUMENTED: "the shape was read from documentation or the SDK's models",
    Basis.INVENTED: "nobody recorded it; the source says why it is as it is",
}


def coverage_table() -> str:
    """Write the table in Markdown, one line an operation, with its sums at the end."""
    head = ["| operation | call | basis |", "|---|---|---|"]
    lines = [f"| {route.name} | `{_short(route)}` | {route.basis} |" for route in ROUTES]
    counts = Counter(route.basis for route in ROUTES)
    sums = [f"{counts[basis]} {basis}: {meaning}." for basis, meaning in _MEANING.items()]
    return "\n".join([*head, *lines, "", *sums])


def _short(route: Route) -> str:
    """Shorten what every path begins with: V is a vault, G a resource group, S a subscription."""
    path = route.template
    for long, short in (
        ("/providers/Microsoft.RecoveryServices/vaults/{vault}", "V"),
        ("/subscriptions/{subscription}/resourceGroups/{group}V", "V"),
        ("/subscriptions/{subscription}/resourceGroups/{group}", "G"),
        ("/subscriptions/{subscription}", "S"),
    ):
        path = path.replace(long, short)
    return f"{route.method} {path}"


def insert_coverage(text: str) -> str:
    """Put the table between its two marks. Raises ValueError where a mark is missing."""
    before, _, rest = text.partition(BEGIN)
    _, mark, after = rest.partition(END)
    if not mark:
        raise ValueError("the marks of the coverage table are missing")
    return f"{before}{BEGIN}\n\n{coverage_table()}\n\n{END}{after}"

"""What is simulated, and what of it is invented: made from the routes and from the source itself."""

from __future__ import annotations

import re
import tokenize
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from simulator.routes import ROUTES, Basis, Route

BEGIN = "<!-- coverage: begin -->"
END = "<!-- coverage: end -->"
INVENTED = re.compile(r"\binvented: ((?:[^.()\"]|\.(?=\w)|\([^()]*\))+)")
"""What the source says it invented, up to the end of the sentence or of the brackets it stands in."""

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


def invented() -> list[tuple[str, str]]:
    """Answer each invention the source owns to: the module, and what of it is invented."""
    here = Path(__file__).parent
    return [
        (str(path.relative_to(here).with_suffix("")), " ".join(found.split()))
        for path in sorted(here.rglob("*.py"))
        for text in _remarks(path)
        for found in INVENTED.findall(text)
        if path.name != Path(__file__).name
    ]


def _remarks(path: Path) -> Iterator[str]:
    """Answer a module's docstrings and comments; comment lines that follow one another are one."""
    held: list[str] = []
    with tokenize.open(path) as source:
        for token in tokenize.generate_tokens(source.readline):
            if token.type == tokenize.COMMENT:
                held.append(token.string.lstrip("# "))
            elif token.type not in {tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT}:
                yield " ".join(held)
                held = []
                if token.type == tokenize.STRING:
                    yield token.string
    yield " ".join(held)


def invention_table() -> str:
    """Write in Markdown what is invented, whatever the basis of its operation."""
    lines = [f"| `{module}` | {what} |" for module, what in invented()]
    return "\n".join(["| where | what is invented |", "|---|---|", *lines])


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
    told = "What is invented inside of these, as the source says it:"
    return f"{before}{BEGIN}\n\n{coverage_table()}\n\n{told}\n\n{invention_table()}\n\n{END}{after}"

"""How values are put into pages and into Markdown: escaped where they are put in, always.

Names, comments and Azure's messages are other people's words. A page needs nothing but itself: no script, no
picture, no font from elsewhere; its Content-Security-Policy names the hash of its one style and allows no more.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final, cast

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from domain.duration import spoken
from domain.machine import last_segment

_TEMPLATES: Final = Path(__file__).parent / "templates"
# Written where something is not known; an empty place could be taken for an omission.
NOTHING: Final = "\N{EM DASH}"


def style(*sheets: str) -> str:
    """Read style sheets, to be put into a page."""
    return "".join((_TEMPLATES / f"{name}.css").read_text(encoding="utf-8") for name in sheets)


def content_security_policy(styles: str, *, forms: bool = False) -> str:
    """Say what a browser may load for a page with this style: nothing else, and forms only back to us."""
    digest = base64.b64encode(hashlib.sha256(styles.encode()).digest()).decode()
    action = "'self'" if forms else "'none'"
    return f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action {action}"


def instant(value: datetime | None) -> str:
    """Write an instant in UTC, to the second; a dash for none."""
    return f"{value.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC" if value else NOTHING


def span(value: timedelta | None) -> str:
    """Write a length of time in its two largest units, as in "1 h 5 min"; a dash for none."""
    return NOTHING if value is None else spoken(value)


def moment(text: str | None) -> datetime | None:
    """Read an instant that crossed the wire as text."""
    return datetime.fromisoformat(text) if text else None


class Raw(str):
    """Text that is Markdown already."""

    __slots__ = ()


_MEANS_SOMETHING: Final = re.compile(r"([\\`*_\[\]|~])")
_OPENS_A_BLOCK: Final = re.compile(r"^(\s*)([#>+-]|\d+[.)])")
_TAGS: Final = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})


def markdown(value: object) -> Raw:
    """Write a value so that Markdown shows it as it is: on one line, with nothing that would be markup."""
    if isinstance(value, Raw):
        return value
    text = " ".join(str(value).split())
    text = _OPENS_A_BLOCK.sub(lambda found: f"{found[1]}{found[2][:-1]}\\{found[2][-1]}", text)
    return Raw(_MEANS_SOMETHING.sub(r"\\\1", text).translate(_TAGS))


def fenced(text: str) -> Raw:
    """Put a text into a code block whose fence is longer than any inside it."""
    longest = max((len(found) for found in re.findall(r"`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return Raw(f"{fence}json\n{text}\n{fence}")


def raw(text: str) -> Raw:
    """Vouch for a text: a template made it, and has escaped every value in it."""
    return Raw(text)


def sentence(words: str) -> str:
    """Begin words with a capital, as a heading does."""
    return words[:1].upper() + words[1:]


def _comma(values: Sequence[object] | None) -> str:
    return ", ".join(str(value) for value in values) if values else "all"


def environment(*, html: bool) -> Environment:
    """Make the environment of pages, or of Markdown."""
    made = Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=html,  # noqa: S701 - what is not HTML is Markdown, and escaped by its own rules
        finalize=None if html else markdown,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    filters = cast("dict[str, Callable[..., Any]]", made.filters)
    filters.update({each.__name__: each for each in (instant, span, moment, sentence, fenced, raw, last_segment)})
    filters["comma"] = _comma
    return made


HTML: Final = environment(html=True)
MARKDOWN: Final = environment(html=False)

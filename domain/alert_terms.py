"""The expressions of routes: conditions on an alert's fields in a small part of Kusto's language.

::

    family == "serviceHealth" and stage == "Resolved" and regions has "centralus"
    rule startswith "asr-" and dimensions.OperationName in ("Reprotect", "Failover") and not (severity == "Sev4")

`==` and `!=` heed letter case, `=~` and `!~` do not; `has` finds a whole word, `contains` any part; `in` and
`in~` name alternatives. A field that holds several values is met by any of them, and one that is absent is
empty. There are no calls, no arithmetic and no regular expressions: nothing here can take long or reach out.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

# By name in small letters, for not every service spells its names alike.
Fields: TypeAlias = Mapping[str, Sequence[str]]
Term: TypeAlias = Callable[[Fields], bool]

LONGEST: Final = 2_000
_DEEPEST: Final = 20
_TOKEN = re.compile(
    r"""\s*(?:
        (?P<string>"[^"\\]*"|'[^'\\]*')
      | (?P<sign>==|!=|=~|!~|[(),])
      | (?P<word>!?[A-Za-z_][\w.\-]*~?)
    )""",
    re.VERBOSE,
)


class TermError(ValueError):
    """An expression that cannot be read; the message says where and why."""


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str
    text: str
    place: int


def _word(value: str, wanted: str) -> bool:
    return re.search(rf"(?<![^\W_]){re.escape(wanted)}(?![^\W_])", value, re.IGNORECASE) is not None


# Every operator on one value of a field and one wanted value.
_ONE: Final[Mapping[str, Callable[[str, str], bool]]] = {
    "==": lambda value, wanted: value == wanted,
    "=~": lambda value, wanted: value.casefold() == wanted.casefold(),
    "has": _word,
    "contains": lambda value, wanted: wanted.casefold() in value.casefold(),
    "startswith": lambda value, wanted: value.casefold().startswith(wanted.casefold()),
    "endswith": lambda value, wanted: value.casefold().endswith(wanted.casefold()),
    "in": lambda value, wanted: value == wanted,
    "in~": lambda value, wanted: value.casefold() == wanted.casefold(),
}
_NEGATED: Final = {"!=": "==", "!~": "=~", **{f"!{name}": name for name in _ONE if name[0].isalpha()}}
_KEYWORDS: Final = frozenset({"and", "or", "not"})


def compiled(expression: str, known: Callable[[str], bool]) -> Term:
    """Read an expression whose fields are known.

    Raises:
        TermError: with the place of the first fault.
    """
    return _Parser(expression, known).whole()


class _Parser:
    """Reads one expression, from left to right."""

    def __init__(self, expression: str, known: Callable[[str], bool]) -> None:
        self._known = known
        self._tokens = _tokens(expression)
        self._at = 0
        self._depth = 0

    def whole(self) -> Term:
        """Read all of it."""
        term = self._either()
        if (left := self._next()).kind != "end":
            raise _fault(left, 'expected "and", "or" or the end')
        return term

    def _either(self) -> Term:
        terms = [self._both()]
        while self._took("or"):
            terms.append(self._both())
        return terms[0] if len(terms) == 1 else lambda fields: any(term(fields) for term in terms)

    def _both(self) -> Term:
        terms = [self._single()]
        while self._took("and"):
            terms.append(self._single())
        return terms[0] if len(terms) == 1 else lambda fields: all(term(fields) for term in terms)

    def _single(self) -> Term:
        negated = self._took("not")
        term = self._inner() if self._took("(") else self._comparison()
        return (lambda fields: not term(fields)) if negated else term

    def _inner(self) -> Term:
        self._depth += 1
        if self._depth > _DEEPEST:
            raise _fault(self._token, f"nested deeper than {_DEEPEST} brackets")
        term = self._either()
        self._expect(")")
        self._depth -= 1
        return term

    def _comparison(self) -> Term:
        name = self._next()
        if name.kind != "word" or name.text in _KEYWORDS:
            raise _fault(name, "expected the name of a field")
        if not self._known(name.text):
            raise _fault(name, f"there is no field {name.text}")
        sign = self._next()
        told = _NEGATED.get(sign.text, sign.text)
        if told not in _ONE or sign.kind == "string":
            raise _fault(sign, f"expected one of {', '.join([*_ONE, *_NEGATED])}")
        return _compare(name.text, told, self._wanted(told), negated=told != sign.text)

    def _wanted(self, sign: str) -> list[str]:
        if not sign.startswith("in"):
            return [self._string()]
        self._expect("(")
        wanted = [self._string()]
        while self._took(","):
            wanted.append(self._string())
        self._expect(")")
        return wanted

    def _string(self) -> str:
        token = self._next()
        if token.kind == "word" and token.text in {"true", "false"}:
            return token.text
        if token.kind != "string":
            raise _fault(token, 'expected a text in quotes, such as "Resolved"')
        return token.text[1:-1]

    @property
    def _token(self) -> _Token:
        return self._tokens[self._at]

    def _next(self) -> _Token:
        token = self._token
        self._at = min(self._at + 1, len(self._tokens) - 1)
        return token

    def _took(self, text: str) -> bool:
        found = self._token.kind != "string" and self._token.text == text
        if found:
            self._next()
        return found

    def _expect(self, text: str) -> None:
        if not self._took(text):
            raise _fault(self._token, f'expected "{text}"')


def _compare(name: str, sign: str, wanted: Sequence[str], *, negated: bool) -> Term:
    test, name = _ONE[sign], name.casefold()

    def compare(fields: Fields) -> bool:
        values = fields.get(name) or ("",)
        return any(test(value, each) for value in values for each in wanted) is not negated

    return compare


def _tokens(expression: str) -> list[_Token]:
    if len(expression) > LONGEST:
        raise TermError(f"longer than {LONGEST} characters")
    tokens: list[_Token] = []
    place, end = 0, len(expression.rstrip())
    while place < end:
        found = _TOKEN.match(expression, place)
        if found is None:
            raise TermError(f"character {place + 1}: cannot be read: {expression[place : place + 20]!r}")
        kind = str(found.lastgroup)
        tokens.append(_Token(kind, found[kind], found.start(kind)))
        place = found.end()
    return [*tokens, _Token("end", "the end", end)]


def _fault(token: _Token, what: str) -> TermError:
    return TermError(f"character {token.place + 1}: {what}, found {token.text[:40]}")

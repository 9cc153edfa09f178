"""Identifiers that are the same in every run with the same seed, and never handed out twice."""

from __future__ import annotations

from itertools import count
from uuid import NAMESPACE_URL, UUID, uuid5


class Ids:
    """A source of GUIDs; `fixed` for things that exist from the start, `fresh` for things that begin."""

    def __init__(self, seed: int) -> None:
        """Make the source of one simulator."""
        self._namespace: UUID = uuid5(NAMESPACE_URL, f"site-recovery-simulator/{seed}")
        self._counter = count(1)

    def fixed(self, *words: str) -> str:
        """Answer the GUID of a named thing: the same words, the same GUID."""
        return str(uuid5(self._namespace, "/".join(words).lower()))

    def fresh(self, kind: str) -> str:
        """Answer a GUID no call has answered before."""
        return str(uuid5(self._namespace, f"#{kind}/{next(self._counter)}"))

    def number(self, *words: str) -> int:
        """Answer a fixed number of a named thing, for jitter that does not depend on call order."""
        return uuid5(self._namespace, "/".join(words)).int

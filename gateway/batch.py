"""One read for all who ask at once."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Generic, TypeVar

T = TypeVar("T")


class Batch(Generic[T]):
    """Shares a read among callers, so that none gets an answer older than its question.

    A caller that comes while a read is under way waits for the next one, and all who wait share it: a
    hundred acts that start together list the vault's jobs a few times, not a hundred.
    """

    def __init__(self, read: Callable[[], T]) -> None:
        self._read = read
        self._door = threading.Lock()
        self._turn = threading.Lock()
        self._next: Future[T] | None = None

    def read(self) -> T:
        """Give what a read begun after this call found, or raise what it raised."""
        with self._door:
            first = self._next is None
            mine = self._next = self._next or Future()
        if first:
            self._carry_out(mine)
        return mine.result()

    def _carry_out(self, mine: Future[T]) -> None:
        with self._turn:
            with self._door:
                self._next = None
            try:
                mine.set_result(self._read())
            except BaseException as error:  # noqa: BLE001 - whoever waits must hear of it, whatever it is
                mine.set_exception(error)

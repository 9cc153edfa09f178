"""A vault seen once, for all who act on it together."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from datetime import timedelta
from typing import Final, Generic, TypeVar

from domain.machine import JobSnapshot, MachineDetails
from gateway.site_recovery import SiteRecovery, pick

# Up to so many, one read each is cheaper than the vault's list with all its pages; beyond, the list is.
HANDFUL: Final = 3
# What was seen longer ago is looked at again before anything is begun on it.
FRESH_FOR: Final = timedelta(seconds=30)
T = TypeVar("T")


class Once(Generic[T]):
    """A read that is made when it is first asked for; whoever asks gets its answer, or what it raised."""

    def __init__(self, read: Callable[[], T]) -> None:
        self._read = read
        self._door = threading.Lock()
        self._answers: list[T] = []
        self._fault: BaseException | None = None

    def read(self) -> T:
        """Give what was found."""
        with self._door:
            if self._fault is not None:
                raise self._fault
            if not self._answers:
                try:
                    self._answers.append(self._read())
                except BaseException as fault:
                    self._fault = fault
                    raise
            return self._answers[0]


class Sight:
    """The machines and the jobs of a vault as they stood when they were first asked for.

    For a handful of machines each is read by itself; for more, one list serves all. Safe to share between threads.
    """

    def __init__(self, vault: SiteRecovery, names: Iterable[str]) -> None:
        wanted = frozenset(name.casefold() for name in names)
        self.vault = vault
        self._is_listed = len(wanted) > HANDFUL
        self._machines = Once(lambda: (vault.now(), vault.machines(wanted)))
        self._jobs = Once(lambda: tuple(vault.jobs()))

    def machine(self, name: str, item_id: str, lifecycle_id: str | None) -> MachineDetails | None:
        """Give a machine wherever it is now, or nothing when the vault has lost it."""
        if not self._is_listed:
            return self.vault.follow(name, item_id, lifecycle_id)
        seen, machines = self._machines.read()
        if self.vault.now() - seen > FRESH_FOR:
            return self.vault.follow(name, item_id, lifecycle_id)
        return pick(machines, name, item_id, lifecycle_id)

    def jobs(self) -> tuple[JobSnapshot, ...]:
        """Give the vault's jobs, as poor as its list tells them."""
        return self._jobs.read()

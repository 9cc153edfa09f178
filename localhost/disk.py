"""Bringing commits to the disk: beside the work, and one sync for all commits that wait for it.

SQLite would sync at every commit, one after the other. Here a commit is written at once (to the write-ahead log,
in order, whole or not at all), the log is synced in a thread, and only then is anybody told: the work a commit
made ready begins, and a request is answered, when everything it rests on is on the disk.
"""

import asyncio
import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

from localhost.rows import Wake

# Where there is no fdatasync (macOS, Windows), fsync does what is needed, and more.
sync_file: Callable[[int], None] = getattr(os, "fdatasync", os.fsync)


class Disk:
    """Syncs one file; `announce` is called with the work that is ready once its commits are on the disk."""

    def __init__(
        self, path: str, announce: Callable[[Sequence[Wake]], None], fail: Callable[[OSError], None]
    ) -> None:
        self.sync = sync_file
        self._path = path
        self._announce = announce
        self._fail = fail
        self._thread = ThreadPoolExecutor(1, "disk")
        self._file: int | None = None
        self._wakes: list[Wake] = []
        self._written = self._synced = 0
        self._round: asyncio.Future[None] | None = None
        self._is_closed = False

    @property
    def is_busy(self) -> bool:
        """Whether a commit is not on the disk yet."""
        return self._synced < self._written

    def commit(self, wakes: Sequence[Wake]) -> None:
        """Take note of a commit and of the work it made ready."""
        self._wakes += wakes
        self._written += 1
        if self._round is None:
            self._begin()

    async def settled(self) -> None:
        """Wait until everything committed up to now is on the disk.

        Raises:
            OSError: it cannot be brought there.
        """
        target = self._written
        while self._synced < target and self._round is not None:
            await asyncio.shield(self._round)

    def _begin(self) -> None:
        """Begin a round at the end of this turn of the loop: what else is committed in it goes along."""
        loop = asyncio.get_running_loop()
        self._round = loop.create_future()
        loop.call_soon(self._go, self._round)

    def _go(self, this: "asyncio.Future[None]") -> None:
        wakes, self._wakes = self._wakes, []
        number = self._written
        if self._is_closed:
            self._end(this, None, (), number)
            return
        done = asyncio.get_running_loop().run_in_executor(self._thread, self._flush)
        done.add_done_callback(lambda done: self._end(this, done.exception(), wakes, number))

    def _flush(self) -> None:
        if self._file is None:
            self._file = os.open(self._path, os.O_RDWR)
        self.sync(self._file)

    def _end(
        self,
        this: "asyncio.Future[None]",
        error: BaseException | None,
        wakes: Sequence[Wake],
        number: int,
    ) -> None:
        self._round = None
        if isinstance(error, OSError):
            self._fail(error)
            this.set_exception(error)
            this.exception()  # those who wait are told; nobody need be waiting
            return
        self._synced = number
        this.set_result(None)
        if self._is_closed:
            return
        if self._synced < self._written:
            self._begin()
        if wakes:
            self._announce(wakes)

    def close(self) -> None:
        """Let go of the file, when the sync that is under way is done.

        What has not been synced by then SQLite brings to the disk when it closes the file itself.
        """
        self._is_closed = True
        self._thread.shutdown()
        if self._file is not None:
            os.close(self._file)

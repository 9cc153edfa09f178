"""The state of a host: one SQLite file, and nothing that counts anywhere else.

One orchestration step is one transaction, a timer is a message with a later due time, and the end of an activity
deletes its task and adds its message at once: so nothing needs repair after a crash. WAL, and every commit is on
the disk before anybody is told of it: with synchronous=FULL, or by `Disk` where much goes on at once.
The file is locked for one host at a time, by SQLite itself, so the lock dies with the process.
"""

import sqlite3
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from localhost.disk import Disk
from localhost.engine.events import decode_many
from localhost.rows import (
    INSTANCE_COLUMNS,
    TASK_COLUMNS,
    EntityRow,
    InstanceRow,
    MessageRow,
    Recent,
    TaskRow,
    Wake,
    Work,
    instance_row,
)
from localhost.writer import Writer

_SCHEMA = """
CREATE TABLE IF NOT EXISTS instance (
  id TEXT PRIMARY KEY, execution_id TEXT NOT NULL, name TEXT NOT NULL, version TEXT NOT NULL,
  status INTEGER NOT NULL, input TEXT, output TEXT, custom_status TEXT, created TEXT NOT NULL,
  updated TEXT NOT NULL, parent_id TEXT);
CREATE INDEX IF NOT EXISTS instance_created ON instance (created, id);
CREATE TABLE IF NOT EXISTS history (
  instance_id TEXT NOT NULL, episode INTEGER NOT NULL, events TEXT NOT NULL, PRIMARY KEY (instance_id, episode));
CREATE TABLE IF NOT EXISTS inbox (
  n INTEGER PRIMARY KEY AUTOINCREMENT, instance_id TEXT NOT NULL, execution_id TEXT, due TEXT NOT NULL,
  event TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS inbox_instance ON inbox (instance_id);
CREATE TABLE IF NOT EXISTS task (
  n INTEGER PRIMARY KEY AUTOINCREMENT, instance_id TEXT NOT NULL, execution_id TEXT NOT NULL,
  event_id INTEGER NOT NULL, name TEXT NOT NULL, input TEXT);
CREATE INDEX IF NOT EXISTS task_instance ON task (instance_id);
CREATE TABLE IF NOT EXISTS entity (id TEXT PRIMARY KEY, state TEXT, updated TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS timer (name TEXT PRIMARY KEY, due TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS entity_inbox (
  n INTEGER PRIMARY KEY AUTOINCREMENT, entity_id TEXT NOT NULL, message TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS entity_inbox_entity ON entity_inbox (entity_id);
"""
_SCHEMA_VERSION = 1


class StateError(Exception):
    """The state file cannot be opened, read or written; whatever was not committed has not happened."""


class Crash(Exception):  # noqa: N818  what a test throws is the crash itself
    """Raised in an `on_transaction` hook: the host drops dead there, as if killed."""


@dataclass(frozen=True, slots=True)
class Transaction:
    """A moment between two transactions: just before a commit, or just after it."""

    number: int
    kind: str
    is_committed: bool


def crash_at(number: int, *, committed: bool = True) -> Callable[[Transaction], None]:
    """Answer a hook that crashes just after (or just before) the commit of that number, counted from 1."""

    def hook(moment: Transaction) -> None:
        if moment.number == number and moment.is_committed is committed:
            raise Crash(f"crashed {'after' if committed else 'before'} commit {number} ({moment.kind})")

    return hook


class Store:
    """One state file, open for this host alone."""

    def __init__(
        self,
        path: str | Path,
        *,
        fsync: bool = True,
        in_groups: bool = False,
        on_transaction: Callable[[Transaction], None] | None = None,
    ) -> None:
        """Open the file, or make it.

        Args:
            path: Where it is, or ":memory:".
            fsync: Whether a commit counts only once it is on the disk.
            in_groups: Whether commits may share a sync, for a host that does many things at once; it needs a
                running event loop.
            on_transaction: Called before and after every commit.

        Raises:
            StateError: another host has it, it is no state file, or it cannot be written.
        """
        self.path = str(path)
        self.on_commit: Callable[[Sequence[Wake]], None] = lambda _: None
        self._hook = on_transaction
        self._number = 0
        self._broken: Exception | None = None
        self._disk: Disk | None = None
        self._rows = Recent[str, InstanceRow]()
        self._tasks = Recent[int, TaskRow]()
        with self._told():
            self._connection = sqlite3.connect(
                self.path, isolation_level=None, timeout=0.2, check_same_thread=False
            )
            try:
                self._prepare(fsync=fsync)
            except BaseException:
                self._connection.close()
                raise
        self._sql = self._connection.execute
        if fsync and in_groups and self.path != ":memory:":
            self._sql("PRAGMA synchronous=NORMAL")  # the log is synced by `Disk`
            self._disk = Disk(f"{self.path}-wal", self._announce, self._break)

    def _announce(self, wakes: Sequence[Wake]) -> None:
        self.on_commit(wakes)

    def _prepare(self, *, fsync: bool) -> None:
        sql = self._connection.execute
        sql("PRAGMA locking_mode=EXCLUSIVE")
        sql("PRAGMA journal_mode=WAL")
        sql(f"PRAGMA synchronous={'FULL' if fsync else 'OFF'}")
        sql("PRAGMA cache_size=-32768")
        sql("BEGIN IMMEDIATE")
        found = sql("PRAGMA user_version").fetchone()[0]
        if found not in (0, _SCHEMA_VERSION):
            raise StateError(f"The state file {self.path} has format {found}; this host knows {_SCHEMA_VERSION}.")
        for statement in _SCHEMA.split(";"):
            sql(statement)
        sql(f"PRAGMA user_version={_SCHEMA_VERSION}")
        sql("COMMIT")

    def close(self) -> None:
        """Let go of the file."""
        if self._disk is not None:
            self._disk.close()
        self._connection.close()

    @property
    def is_settling(self) -> bool:
        """Whether something committed is not on the disk yet, and its work not announced."""
        return self._disk is not None and self._disk.is_busy

    async def settled(self) -> None:
        """Wait until everything committed up to now is on the disk.

        Raises:
            StateError: it cannot be brought there; this store takes nothing more.
        """
        if self._disk is None:
            return
        try:
            await self._disk.settled()
        except OSError as error:
            raise self._unsynced(error) from error

    def _unsynced(self, error: OSError) -> StateError:
        return StateError(f"The state file {self.path} cannot be brought to the disk: {error}. Start again.")

    def _break(self, error: OSError) -> None:
        """Take nothing more: what the file holds after a sync that failed is known only when it is opened anew."""
        self._broken = self._unsynced(error)

    @contextmanager
    def _told(self) -> Generator[None]:
        """Turn what SQLite complains about into words."""
        try:
            yield
        except sqlite3.DatabaseError as error:
            text = str(error)
            if "locked" in text:
                raise StateError(f"The state file {self.path} is in use: another host runs on it.") from error
            if "full" in text:
                raise StateError(f"The disk is full: the state file {self.path} cannot grow.") from error
            raise StateError(f"The state file {self.path} cannot be used: {text}.") from error

    @contextmanager
    def transaction(self, kind: str) -> Generator[Writer]:
        """Write all or nothing; work made ready is announced after the commit.

        Raises:
            StateError: nothing was written.
            Crash: the hook wants the host dead.
        """
        if self._broken is not None:
            raise self._broken
        with self._told():
            self._sql("BEGIN IMMEDIATE")
            try:
                writer = Writer(self._connection)
                yield writer
                self._number += 1
                number = self._number
                self._at(Transaction(number, kind, is_committed=False))
                self._sql("COMMIT")
                self._rows.learn(writer.rows)
                self._tasks.learn(writer.tasks)
            except BaseException:
                if self._connection.in_transaction:
                    self._sql("ROLLBACK")
                raise
        self._at(Transaction(number, kind, is_committed=True))
        if self._disk is not None:
            self._disk.commit(writer.wakes)
        elif writer.wakes:
            self.on_commit(writer.wakes)

    def _at(self, moment: Transaction) -> None:
        if self._hook is None:
            return
        try:
            self._hook(moment)
        except Crash as crash:
            self._broken = crash
            raise

    # --- reads ---

    def instance(self, instance_id: str) -> InstanceRow | None:
        """Answer one instance."""
        if (known := self._rows.get(instance_id)) is not None:
            return known
        row = self._sql(f"SELECT {INSTANCE_COLUMNS} FROM instance WHERE id=?", (instance_id,)).fetchone()  # noqa: S608
        return instance_row(row) if row else None

    def instances(self, where: str, arguments: Sequence[object], limit: int) -> list[InstanceRow]:
        """Answer instances by creation, those that satisfy an SQL condition of this package's own making."""
        rows = self._sql(
            f"SELECT {INSTANCE_COLUMNS} FROM instance WHERE {where} ORDER BY created, id LIMIT ?",  # noqa: S608
            (*arguments, limit),
        )
        return [instance_row(row) for row in rows.fetchall()]

    def history_json(self, instance_id: str) -> tuple[str, int]:
        """Answer a history as comma-separated JSON, and how many episodes it has."""
        rows = self._sql(
            "SELECT events, episode FROM history WHERE instance_id=? ORDER BY episode", (instance_id,)
        ).fetchall()
        return ",".join(row[0] for row in rows), rows[-1][1] + 1 if rows else 0

    def messages(self, instance_id: str, now: str) -> list[MessageRow]:
        """Answer what is due for an instance, in the order it came due."""
        rows = self._sql(
            "SELECT n, execution_id, due, event FROM inbox WHERE instance_id=? AND due<=? ORDER BY due, n",
            (instance_id, now),
        ).fetchall()
        events = decode_many(",".join(row[3] for row in rows))
        return [MessageRow(row[0], row[1], row[2], event) for row, event in zip(rows, events, strict=True)]

    def is_due(self, instance_id: str, at: str) -> bool:
        """Whether a message waits for an instance that is due by then."""
        row = self._sql("SELECT 1 FROM inbox WHERE instance_id=? AND due<=? LIMIT 1", (instance_id, at)).fetchone()
        return row is not None

    def task(self, n: int) -> TaskRow | None:
        """Answer one activity that is to be run."""
        if (known := self._tasks.get(n)) is not None:
            return known
        row = self._sql(f"SELECT {TASK_COLUMNS} FROM task WHERE n=?", (n,)).fetchone()  # noqa: S608
        return TaskRow(*row) if row else None

    def timer(self, name: str) -> str | None:
        """Answer when a timer trigger is due next."""
        row = self._sql("SELECT due FROM timer WHERE name=?", (name,)).fetchone()
        return str(row[0]) if row else None

    def entity(self, entity_id: str) -> EntityRow | None:
        """Answer one entity, if it exists."""
        row = self._sql("SELECT id, state, updated FROM entity WHERE id=?", (entity_id,)).fetchone()
        return EntityRow(*row) if row else None

    def entities(self, prefix: str) -> list[EntityRow]:
        """Answer the entities whose id begins so, by id."""
        rows = self._sql(
            "SELECT id, state, updated FROM entity WHERE substr(id, 1, ?) = ? ORDER BY id", (len(prefix), prefix)
        )
        return [EntityRow(*row) for row in rows.fetchall()]

    def entity_messages(self, entity_id: str) -> list[tuple[int, str]]:
        """Answer the requests that wait for an entity, as number and JSON."""
        return self._sql(
            "SELECT n, message FROM entity_inbox WHERE entity_id=? ORDER BY n", (entity_id,)
        ).fetchall()

    def pending(self) -> list[Wake]:
        """Answer all work there is, ready or due later: what a host begins with."""
        later = self._sql("SELECT instance_id, due FROM inbox ORDER BY n").fetchall()
        tasks = self._sql("SELECT n FROM task ORDER BY n").fetchall()
        entities = self._sql("SELECT entity_id FROM entity_inbox GROUP BY entity_id ORDER BY min(n)").fetchall()
        return [
            *(Wake(Work.ORCHESTRATION, row[0], row[1]) for row in later),
            *(Wake(Work.ACTIVITY, row[0], "") for row in tasks),
            *(Wake(Work.ENTITY, row[0], "") for row in entities),
        ]

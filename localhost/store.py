"""The state of a host: one SQLite file, and nothing that counts anywhere else.

WAL with synchronous=FULL; one orchestration step is one transaction, a timer is a message with a later due time,
and the end of an activity deletes its task and adds its message at once: so nothing needs repair after a crash.
The file is locked for one host at a time, by SQLite itself, so the lock dies with the process.
"""

import sqlite3
from collections import OrderedDict
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import Any, Generic, TypeVar

from localhost.engine.events import Event, RuntimeStatus, decode_many, encode, encode_many

_K = TypeVar("_K")
_V = TypeVar("_V")

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


class Work(StrEnum):
    """The kinds of work a committed transaction can make ready."""

    ORCHESTRATION = "orchestration"
    ACTIVITY = "activity"
    ENTITY = "entity"
    TIMER = "timer"


@dataclass(frozen=True, slots=True)
class Wake:
    """Work that is, or at `due` will be, ready; the key is an instance, task or entity."""

    work: Work
    key: str | int
    due: str


@dataclass(frozen=True, slots=True)
class InstanceRow:
    """What is known of one orchestration instance; payloads are JSON text, an output may be plain."""

    id: str
    execution_id: str
    name: str
    version: str
    status: RuntimeStatus
    input: str | None
    output: str | None
    custom_status: str | None
    created: str
    updated: str
    parent_id: str | None


@dataclass(frozen=True, slots=True)
class MessageRow:
    """A message that waits for an instance; without an execution id it is for whichever runs."""

    n: int
    execution_id: str | None
    due: str
    event: Event


@dataclass(frozen=True, slots=True)
class TaskRow:
    """An activity that is to be run."""

    n: int
    instance_id: str
    execution_id: str
    event_id: int
    name: str
    input: str | None


@dataclass(frozen=True, slots=True)
class EntityRow:
    """An entity that exists; its state is JSON text."""

    id: str
    state: str | None
    updated: str


class _Recent(Generic[_K, _V]):
    """What was written lately, to be read without asking the file; what is dropped here is still there."""

    _SIZE = 4096

    def __init__(self) -> None:
        self._known: OrderedDict[_K, _V] = OrderedDict()

    def learn(self, written: Mapping[_K, _V | None]) -> None:
        """Take in what a committed transaction wrote; None is what it deleted."""
        for key, value in written.items():
            self._known.pop(key, None)
            if value is not None:
                self._known[key] = value
        while len(self._known) > self._SIZE:
            self._known.popitem(last=False)

    def get(self, key: _K) -> _V | None:
        """Answer what is known of a key."""
        return self._known.get(key)


_INSTANCE = "id, execution_id, name, version, status, input, output, custom_status, created, updated, parent_id"
_TASK = "n, instance_id, execution_id, event_id, name, input"


def _instance(row: Sequence[Any]) -> InstanceRow:
    return InstanceRow(row[0], row[1], row[2], row[3], RuntimeStatus(row[4]), *row[5:])


class Writer:
    """The writes of one transaction, and the work they make ready once it is committed."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self.wakes: list[Wake] = []
        self.rows: dict[str, InstanceRow | None] = {}
        self.tasks: dict[int, TaskRow | None] = {}
        self._sql = connection.execute
        self._many = connection.executemany

    def replace_instance(self, row: InstanceRow) -> None:
        """Put a new instance in place of whatever had its id."""
        self.purge(row.id)
        self.rows[row.id] = row
        self._sql(
            f"INSERT INTO instance ({_INSTANCE}) VALUES (?,?,?,?,?,?,?,?,?,?,?)",  # noqa: S608  constants only
            (
                row.id,
                row.execution_id,
                row.name,
                row.version,
                int(row.status),
                row.input,
                row.output,
                row.custom_status,
                row.created,
                row.updated,
                row.parent_id,
            ),
        )

    def update_instance(self, row: InstanceRow) -> None:
        """Write what may change of an instance."""
        self.rows[row.id] = row
        self._sql(
            "UPDATE instance SET execution_id=?, status=?, input=?, output=?, custom_status=?, updated=?"
            " WHERE id=?",
            (row.execution_id, int(row.status), row.input, row.output, row.custom_status, row.updated, row.id),
        )

    def purge(self, instance_id: str) -> bool:
        """Delete everything of an instance; say whether it existed."""
        self.rows[instance_id] = None
        found = self._sql("DELETE FROM instance WHERE id=?", (instance_id,)).rowcount > 0
        self._sql("DELETE FROM history WHERE instance_id=?", (instance_id,))
        self._sql("DELETE FROM inbox WHERE instance_id=?", (instance_id,))
        self._sql("DELETE FROM task WHERE instance_id=?", (instance_id,))
        return found

    def send(self, instance_id: str, event: Event, *, due: str, execution_id: str | None = None) -> None:
        """Put a message into an instance's inbox, to be seen from `due` on."""
        self._sql(
            "INSERT INTO inbox (instance_id, execution_id, due, event) VALUES (?,?,?,?)",
            (instance_id, execution_id, due, encode(event)),
        )
        self.wakes.append(Wake(Work.ORCHESTRATION, instance_id, due))

    def consume(self, messages: Sequence[MessageRow]) -> None:
        """Take messages out of the inbox."""
        self._many("DELETE FROM inbox WHERE n=?", [(message.n,) for message in messages])

    def forget_messages(self, instance_id: str, execution_id: str | None = None) -> None:
        """Drop what waits for an execution that is over, or for the whole instance."""
        if execution_id is None:
            self._sql("DELETE FROM inbox WHERE instance_id=?", (instance_id,))
        else:
            self._sql("DELETE FROM inbox WHERE instance_id=? AND execution_id=?", (instance_id, execution_id))

    def append_history(self, instance_id: str, episode: int, events_json: str) -> None:
        """Add one episode."""
        self._sql("INSERT INTO history VALUES (?,?,?)", (instance_id, episode, events_json))

    def rewrite_history(self, instance_id: str, events: Sequence[Event]) -> None:
        """Put these events in place of the whole history."""
        self.clear_history(instance_id)
        if events:
            self.append_history(instance_id, 0, encode_many(list(events)))

    def clear_history(self, instance_id: str) -> None:
        """Delete the whole history."""
        self._sql("DELETE FROM history WHERE instance_id=?", (instance_id,))

    def add_task(self, row: TaskRow, at: str) -> None:
        """Put an activity up to be run; its number is given here."""
        cursor = self._sql(
            "INSERT INTO task (instance_id, execution_id, event_id, name, input) VALUES (?,?,?,?,?)",
            (row.instance_id, row.execution_id, row.event_id, row.name, row.input),
        )
        number = cursor.lastrowid or 0
        self.tasks[number] = replace(row, n=number)
        self.wakes.append(Wake(Work.ACTIVITY, number, at))

    def take_task(self, n: int) -> bool:
        """Remove an activity that has ended; False when nobody waits for it any more."""
        self.tasks[n] = None
        return self._sql("DELETE FROM task WHERE n=?", (n,)).rowcount > 0

    def set_timer(self, name: str, due: str) -> None:
        """Write when a timer trigger is due next."""
        self._sql("INSERT OR REPLACE INTO timer VALUES (?,?)", (name, due))
        self.wakes.append(Wake(Work.TIMER, name, due))

    def tell_entity(self, entity_id: str, message: str, at: str) -> None:
        """Put a request into an entity's inbox."""
        self._sql("INSERT INTO entity_inbox (entity_id, message) VALUES (?,?)", (entity_id, message))
        self.wakes.append(Wake(Work.ENTITY, entity_id, at))

    def finish_batch(self, entity_id: str, last: int, row: EntityRow | None) -> None:
        """Write an entity after a batch of requests, up to the number `last`; None means it does not exist."""
        self._sql("DELETE FROM entity_inbox WHERE entity_id=? AND n<=?", (entity_id, last))
        if row is None:
            self._sql("DELETE FROM entity WHERE id=?", (entity_id,))
        else:
            self._sql("INSERT OR REPLACE INTO entity VALUES (?,?,?)", (row.id, row.state, row.updated))


class Store:
    """One state file, open for this host alone."""

    def __init__(
        self, path: str | Path, *, fsync: bool = True, on_transaction: Callable[[Transaction], None] | None = None
    ) -> None:
        """Open the file, or make it.

        Raises:
            StateError: another host has it, it is no state file, or it cannot be written.
        """
        self.path = str(path)
        self.on_commit: Callable[[Sequence[Wake]], None] = lambda _: None
        self._hook = on_transaction
        self._number = 0
        self._rows = _Recent[str, InstanceRow]()
        self._tasks = _Recent[int, TaskRow]()
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
        self._connection.close()

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
        if writer.wakes:
            self.on_commit(writer.wakes)

    def _at(self, moment: Transaction) -> None:
        if self._hook is not None:
            self._hook(moment)

    # --- reads ---

    def instance(self, instance_id: str) -> InstanceRow | None:
        """Answer one instance."""
        if (known := self._rows.get(instance_id)) is not None:
            return known
        row = self._sql(f"SELECT {_INSTANCE} FROM instance WHERE id=?", (instance_id,)).fetchone()  # noqa: S608
        return _instance(row) if row else None

    def instances(self, where: str, arguments: Sequence[object], limit: int) -> list[InstanceRow]:
        """Answer instances by creation, those that satisfy an SQL condition of this package's own making."""
        rows = self._sql(
            f"SELECT {_INSTANCE} FROM instance WHERE {where} ORDER BY created, id LIMIT ?",  # noqa: S608
            (*arguments, limit),
        )
        return [_instance(row) for row in rows.fetchall()]

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

    def task(self, n: int) -> TaskRow | None:
        """Answer one activity that is to be run."""
        if (known := self._tasks.get(n)) is not None:
            return known
        row = self._sql(f"SELECT {_TASK} FROM task WHERE n=?", (n,)).fetchone()  # noqa: S608
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

"""The writes of one transaction."""

import sqlite3
from collections.abc import Sequence
from dataclasses import replace

from localhost.engine.events import Event, encode, encode_many
from localhost.rows import INSTANCE_COLUMNS, EntityRow, InstanceRow, MessageRow, TaskRow, Wake, Work


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
        self.rows[row.id] = row = _storable(row)
        self._sql(
            f"INSERT INTO instance ({INSTANCE_COLUMNS}) VALUES (?,?,?,?,?,?,?,?,?,?,?)",  # noqa: S608  constants only
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
        self.rows[row.id] = row = _storable(row)
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

    def purge_entity(self, entity_id: str) -> bool:
        """Delete an entity and what it was asked; say whether it existed."""
        self._sql("DELETE FROM entity_inbox WHERE entity_id=?", (entity_id,))
        return self._sql("DELETE FROM entity WHERE id=?", (entity_id,)).rowcount > 0

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


def _storable(row: InstanceRow) -> InstanceRow:
    """Answer a row that UTF-8 can hold: half of a surrogate pair is replaced, as by Azure Storage."""
    texts = {"input": row.input, "output": row.output, "custom_status": row.custom_status}
    broken = {name: text for name, text in texts.items() if text is not None and not _is_whole(text)}
    if not broken:
        return row
    return replace(
        row,
        **{
            name: text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
            for name, text in broken.items()
        },
    )


def _is_whole(text: str) -> bool:
    try:
        return text.isascii() or bool(text.encode())
    except UnicodeEncodeError:
        return False

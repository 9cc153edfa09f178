"""What may be asked of the durable engine from outside: start, look, raise, stop, rewind, purge.

The HTTP endpoint and the in-process host are both thin over this. Failure texts and their kinds follow EXT
DurableClient.cs and HttpApiHandler.cs.
"""

import json
import unicodedata
import uuid
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from localhost.app import App
from localhost.clock import Clock
from localhost.engine.events import Event, EventType, RuntimeStatus, decode_many, timestamp
from localhost.engine.rewind import rewound
from localhost.functions import Function
from localhost.history_view import history_view
from localhost.rows import InstanceRow
from localhost.store import Store
from localhost.writer import Writer

MAX_ID_LENGTH = 100


class ClientError(Exception):
    """A request was refused; `exception_type` is what .NET throws in its place."""

    exception_type = "System.Exception"


class ArgumentError(ClientError):
    """The request is wrong in itself."""

    exception_type = "System.ArgumentException"


class NotFoundError(ClientError):
    """There is no such instance."""


class GoneError(ClientError):
    """The instance is finished."""


class InvalidOperationError(ClientError):
    """The instance is in no state for it."""

    exception_type = "System.InvalidOperationException"


class AlreadyExistsError(ClientError):
    """An instance with that id is running."""

    exception_type = "DurableTask.Core.Exceptions.OrchestrationAlreadyExistsException"


@dataclass(frozen=True, slots=True)
class Status:
    """Where one instance stands; payloads are decoded as far as they are JSON.

    The input of an instance started by Python is JSON text in a string, as the SDK stores it.
    """

    name: str
    instance_id: str
    runtime_status: str
    input: object
    output: object
    custom_status: object
    created: datetime
    updated: datetime
    history: list[dict[str, object]] | None = None

    @property
    def is_finished(self) -> bool:
        """Whether nothing more will happen by itself."""
        return self.runtime_status in ("Completed", "Failed", "Terminated", "Canceled")


@dataclass(frozen=True, slots=True)
class Query:
    """Which instances to list; `after` is where the last page ended."""

    statuses: frozenset[RuntimeStatus] = frozenset()
    created_from: datetime | None = None
    created_to: datetime | None = None
    prefix: str = ""
    after: tuple[str, str] | None = None
    top: int = 100


def loads(text: str | None) -> object:
    """Decode a payload; what is not JSON stays text."""
    if text is None:
        return None
    try:
        return json.loads(text)
    except ValueError:
        return text


def unknown_function(name: str, what: str, known: Iterable[Function]) -> str:
    """Say that a function is not there, as the extension does."""
    names = ", ".join(sorted(f"'{function.durable_name}'" for function in known))
    info = (
        f"The following are the known {what} functions: {names}."
        if names
        else f"No {what} functions are currently registered!"
    )
    return (
        f"The function '{name}' doesn't exist, is disabled, or is not an {what} function. Additional info: {info}"
    )


class Client:
    """The engine's door: every method is one transaction, or a read."""

    def __init__(self, store: Store, app: App, clock: Clock, new_id: Callable[[str], str]) -> None:
        self._store = store
        self._app = app
        self._clock = clock
        self._new_id = new_id

    def start(
        self,
        name: str,
        input_json: str | None = None,
        *,
        instance_id: str | None = None,
        version: str | None = None,
    ) -> str:
        """Start an instance and answer its id; a finished one of the same id is replaced.

        With `overridableExistingInstanceStates` AnyState in host.json, one that runs is replaced too.

        Raises:
            ArgumentError: no such orchestrator, or an id that cannot be.
            AlreadyExistsError: an instance of that id is not finished.
        """
        function = self._app.orchestrators.get(name.lower())
        if function is None:
            raise ArgumentError(unknown_function(name, "orchestrator", self._app.orchestrators.values()))
        if instance_id is not None:
            check_id(instance_id)
        else:
            instance_id = self._fresh_id()
        before = self._store.instance(instance_id)
        may_replace = self._app.settings.overridable == "AnyState"
        if before is not None and not before.status.is_final and not may_replace:
            raise AlreadyExistsError(
                f"An Orchestration instance with the status {before.status.text} already exists."
            )
        row = self._new_row(function.durable_name, instance_id, input_json, version, before)
        with self._store.transaction("start") as writer:
            create_instance(writer, row)
        return instance_id

    def _fresh_id(self) -> str:
        while True:
            found = self._new_id("instance")
            if self._store.instance(found) is None:
                return found

    def _new_row(
        self, name: str, instance_id: str, input_json: str | None, version: str | None, before: InstanceRow | None
    ) -> InstanceRow:
        now = timestamp(self._clock.now())
        seed = f"{instance_id}/{now}/{before.execution_id if before is not None else self._new_id('execution')}"
        return InstanceRow(
            id=instance_id,
            execution_id=uuid.uuid5(uuid.NAMESPACE_OID, seed).hex,
            name=name,
            version=version if version is not None else self._app.settings.default_version,
            status=RuntimeStatus.PENDING,
            input=input_json,
            output=None,
            custom_status=None,
            created=now,
            updated=now,
            parent_id=None,
        )

    # --- looking ---

    def status(self, instance_id: str, *, history: bool = False, history_output: bool = False) -> Status | None:
        """Answer where an instance stands."""
        row = self._store.instance(instance_id)
        if row is None:
            return None
        events = None
        if history:
            events = history_view(
                decode_many(self._store.history_json(instance_id)[0]), with_output=history_output
            )
        return _status(row, events)

    def find(self, query: Query) -> tuple[list[Status], tuple[str, str] | None]:
        """Answer one page of instances by creation, and where the next one begins (None at the end)."""
        where, arguments = _conditions(query)
        rows = self._store.instances(where, arguments, query.top + 1)
        page = rows[: query.top]
        following = (page[-1].created, page[-1].id) if len(rows) > query.top else None
        return [_status(row) for row in page], following

    # --- telling ---

    def raise_event(self, instance_id: str, name: str, input_json: str | None) -> None:
        """Send an event to an instance that is not finished."""
        self._tell(instance_id, "event", EventType.EVENT_RAISED, name=name, input=input_json)

    def terminate(self, instance_id: str, reason: str) -> None:
        """Stop an instance that is not finished."""
        self._tell(instance_id, "terminate", EventType.EXECUTION_TERMINATED, input=reason)

    def suspend(self, instance_id: str, reason: str) -> None:
        """Hold an instance."""
        if self._unfinished(instance_id).status is RuntimeStatus.SUSPENDED:
            raise InvalidOperationError(
                f"Cannot suspend orchestration instance '{instance_id}' in Suspended state."
            )
        self._tell(instance_id, "suspend", EventType.EXECUTION_SUSPENDED, reason=reason)

    def resume(self, instance_id: str, reason: str) -> None:
        """Let a held instance go on."""
        status = self._unfinished(instance_id).status
        if status is not RuntimeStatus.SUSPENDED:
            raise InvalidOperationError(
                f"Cannot resume orchestration instance '{instance_id}' in {status.text} state."
            )
        self._tell(instance_id, "resume", EventType.EXECUTION_RESUMED, reason=reason)

    def _tell(
        self,
        instance_id: str,
        kind: str,
        event_type: EventType,
        *,
        name: str | None = None,
        input: str | None = None,  # noqa: A002  the member's name
        reason: str | None = None,
    ) -> None:
        self._unfinished(instance_id)
        now = timestamp(self._clock.now())
        with self._store.transaction(kind) as writer:
            writer.send(instance_id, Event(event_type, now, name=name, input=input, reason=reason), due=now)

    def _unfinished(self, instance_id: str) -> InstanceRow:
        row = self._found(instance_id)
        if row.status.is_final:
            raise GoneError(f"Instance '{instance_id}' is {row.status.text}.")
        return row

    def _found(self, instance_id: str) -> InstanceRow:
        row = self._store.instance(instance_id)
        if row is None:
            raise NotFoundError(f"No instance with ID '{instance_id}' was found.")
        return row

    # --- doing over ---

    def rewind(self, instance_id: str, reason: str) -> None:
        """Take the failures out of a failed instance's history, and its failed children's, and run it again."""
        row = self._found(instance_id)
        if row.status in (RuntimeStatus.COMPLETED, RuntimeStatus.TERMINATED, RuntimeStatus.CANCELED):
            raise GoneError(f"Instance '{instance_id}' is {row.status.text}.")
        if row.status is not RuntimeStatus.FAILED:
            raise InvalidOperationError(
                "The rewind operation is only supported on failed orchestration instances."
            )
        with self._store.transaction("rewind") as writer:
            self._rewind(writer, row, reason)

    def _rewind(self, writer: Writer, row: InstanceRow, reason: str) -> None:
        events, children = rewound(decode_many(self._store.history_json(row.id)[0]), reason)
        now = timestamp(self._clock.now())
        writer.rewrite_history(row.id, events)
        writer.update_instance(replace(row, status=RuntimeStatus.RUNNING, output=None, updated=now))
        failed = [child for child in map(self._store.instance, children) if child is not None]
        for child in failed:
            if child.status is RuntimeStatus.FAILED:
                self._rewind(writer, child, reason)
        writer.send(row.id, Event(EventType.GENERIC, now, reason=f"Rewound: {reason}"), due=now)

    def restart(self, instance_id: str, *, new_id: bool = True) -> str:
        """Start the same orchestration with the same input again, and answer the id.

        Raises:
            ArgumentError: there is no such instance.
            AlreadyExistsError: it shall keep its id, and is not finished.
        """
        row = self._store.instance(instance_id)
        if row is None:
            raise ArgumentError(f"An orchestration with the instanceId {instance_id} was not found.")
        return self.start(row.name, row.input, instance_id=None if new_id else instance_id)

    def purge(self, instance_id: str) -> int:
        """Forget one instance, finished or not, or an entity by its `@name@key`; answer how many there were."""
        with self._store.transaction("purge") as writer:
            if instance_id.startswith("@"):
                name, _, key = instance_id[1:].partition("@")
                return int(writer.purge_entity(entity_id(name, key)))
            return int(writer.purge(instance_id))

    def purge_by(self, query: Query) -> int:
        """Forget the finished instances a query finds; answer how many."""
        where, arguments = _conditions(query)
        rows = self._store.instances(where, arguments, -1)
        with self._store.transaction("purge") as writer:
            return sum(writer.purge(row.id) for row in rows if row.status.is_final)

    # --- entities ---

    def entity_state(self, name: str, key: str) -> str | None:
        """Answer an entity's state as JSON text; None when it does not exist."""
        row = self._store.entity(entity_id(name, key))
        return None if row is None else row.state or "null"

    def entities(self, name: str | None) -> Sequence[tuple[str, str, str | None, str]]:
        """Answer the entities there are, of one name or all: name, key, state and last use."""
        rows = self._store.entities("@" if name is None else f"@{name.lower()}@")
        return [(*row.id[1:].split("@", 1), row.state, row.updated) for row in rows]  # pyright: ignore[reportReturnType]

    def signal_entity(self, name: str, key: str, operation: str, input_json: str | None) -> None:
        """Send an entity a request that nobody waits for."""
        message: dict[str, object] = {"op": operation, "signal": True, "id": self._new_id("signal")}
        if input_json is not None:
            message["input"] = input_json
        with self._store.transaction("signal") as writer:
            writer.tell_entity(entity_id(name, key), json.dumps(message), timestamp(self._clock.now()))


def create_instance(writer: Writer, row: InstanceRow, start: Event | None = None) -> None:
    """Write a new instance and the message that starts it."""
    writer.replace_instance(row)
    event = start or Event(
        EventType.EXECUTION_STARTED,
        row.created,
        name=row.name,
        version=row.version,
        input=row.input,
        instance_id=row.id,
        execution_id=row.execution_id,
    )
    writer.send(row.id, event, due=row.created, execution_id=row.execution_id)


def entity_id(name: str, key: str) -> str:
    """Answer an entity's scheduler id; its name counts in lower case."""
    return f"@{name.lower()}@{key}"


def check_id(instance_id: str) -> None:
    """Refuse an instance id that Azure Storage could not keep."""
    if len(instance_id) > MAX_ID_LENGTH:
        raise ArgumentError(f"Instance ID lengths must not exceed {MAX_ID_LENGTH} characters.")
    if instance_id.startswith("@"):
        raise ArgumentError("Orchestration instance IDs must not start with '@'.")
    if any(character in "/\\#?" or unicodedata.category(character) == "Cc" for character in instance_id):
        raise ArgumentError("Orchestration instance IDs must not contain /, \\, #, ?, or control characters.")


def _status(row: InstanceRow, history: list[dict[str, object]] | None = None) -> Status:
    return Status(
        name=row.name,
        instance_id=row.id,
        runtime_status=row.status.text,
        input=loads(row.input),
        output=loads(row.output),
        custom_status=loads(row.custom_status),
        created=datetime.fromisoformat(row.created),
        updated=datetime.fromisoformat(row.updated),
        history=history,
    )


def _conditions(query: Query) -> tuple[str, list[object]]:
    where, arguments = ["1"], list[object]()
    if query.statuses:
        where.append(f"status IN ({','.join('?' * len(query.statuses))})")
        arguments += [int(status) for status in sorted(query.statuses)]
    if query.created_from is not None:
        where.append("created >= ?")
        arguments.append(timestamp(query.created_from))
    if query.created_to is not None:
        where.append("created <= ?")
        arguments.append(timestamp(query.created_to))
    if query.prefix:
        where.append("substr(id, 1, ?) = ?")
        arguments += [len(query.prefix), query.prefix]
    if query.after is not None:
        where.append("(created, id) > (?, ?)")
        arguments += query.after
    return " AND ".join(where), arguments

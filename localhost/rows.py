"""What the state file holds, row by row; and what was written lately, at hand."""

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Generic, TypeVar

from localhost.engine.events import Event, RuntimeStatus

_K = TypeVar("_K")


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


_R = TypeVar("_R", InstanceRow, TaskRow)


def size_of(row: InstanceRow | TaskRow) -> int:
    """Answer how many characters of payload a row carries."""
    if isinstance(row, TaskRow):
        return len(row.input or "")
    return sum(len(text or "") for text in (row.input, row.output, row.custom_status))


class Recent(Generic[_K, _R]):
    """Small rows that were written lately, to be read without asking the file, which has them all."""

    _ROWS = 4096
    _LARGE = 65_536

    def __init__(self) -> None:
        self._known: OrderedDict[_K, _R] = OrderedDict()

    def learn(self, written: Mapping[_K, _R | None]) -> None:
        """Take in what a committed transaction wrote; None is what it deleted."""
        for key, value in written.items():
            self._known.pop(key, None)
            if value is not None and size_of(value) < self._LARGE:
                self._known[key] = value
        while len(self._known) > self._ROWS:
            self._known.popitem(last=False)

    def get(self, key: _K) -> _R | None:
        """Answer what is known of a key."""
        return self._known.get(key)


INSTANCE_COLUMNS = (
    "id, execution_id, name, version, status, input, output, custom_status, created, updated, parent_id"
)
TASK_COLUMNS = "n, instance_id, execution_id, event_id, name, input"


def instance_row(row: Sequence[Any]) -> InstanceRow:
    """Read an instance from its columns."""
    return InstanceRow(row[0], row[1], row[2], row[3], RuntimeStatus(row[4]), *row[5:])

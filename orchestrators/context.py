"""The part of the durable orchestration context that the orchestrators use.

azure-functions-durable 1.x ships no types; this protocol stands in for them, and is what a fake must offer.
"""

from __future__ import annotations

from collections.abc import Generator
from datetime import datetime
from typing import Any, Protocol, TypeAlias, TypeVar

from azure.durable_functions import EntityId, RetryOptions

Result = TypeVar("Result")
# A generator that yields durable tasks, is sent their results, and returns a Result.
Runbook: TypeAlias = Generator[Any, Any, Result]


class DurableTask(Protocol):
    """Something that the host completes."""

    result: Any


class DurableTimer(DurableTask, Protocol):
    """A timer; one that is no longer needed must be cancelled, or it keeps the instance running."""

    def cancel(self) -> None:
        """Give the timer up."""
        ...


class Context(Protocol):
    """What an orchestrator may ask of its host."""

    @property
    def instance_id(self) -> str:
        """The id of this instance."""
        ...

    @property
    def version(self) -> str | None:
        """The version of host.json that the run was begun with: steps that changed since are told apart by it."""
        ...

    @property
    def is_replaying(self) -> bool:
        """Whether history is being repeated."""
        ...

    @property
    def current_utc_datetime(self) -> datetime:
        """The time, the same in every replay."""
        ...

    def get_input(self) -> Any:
        """Give the input, as parsed JSON."""
        ...

    def call_activity_with_retry(self, name: str, retry_options: RetryOptions, input_: Any = None) -> DurableTask:
        """Schedule an activity that is repeated when it raises."""
        ...

    def call_sub_orchestrator(self, name: str, input_: Any = None, instance_id: str | None = None) -> DurableTask:
        """Schedule a child orchestration."""
        ...

    def call_entity(self, entity_id: EntityId, operation_name: str, operation_input: Any = None) -> DurableTask:
        """Ask an entity and wait for its answer."""
        ...

    def create_timer(self, fire_at: datetime) -> DurableTimer:
        """Schedule a timer; `fire_at` is aware and UTC."""
        ...

    def wait_for_external_event(self, name: str) -> DurableTask:
        """Wait for an event; each name is used for one wait only."""
        ...

    def task_all(self, activities: list[DurableTask]) -> DurableTask:
        """Wait for all tasks."""
        ...

    def task_any(self, activities: list[Any]) -> DurableTask:
        """Wait for the first of the tasks."""
        ...

    def set_custom_status(self, status: Any) -> None:
        """Show a status."""
        ...

    def continue_as_new(self, input_: Any) -> None:
        """Begin again with a new input and an empty history."""
        ...

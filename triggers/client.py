"""The part of the durable client that the doors use; azure-functions-durable 1.x ships no types."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Protocol

from azure.durable_functions import EntityId


class EntityState(Protocol):
    """What an entity remembers."""

    entity_exists: bool
    entity_state: Any


class RunStatus(Protocol):
    """What the host tells of one instance; everything is empty when there is none."""

    name: str | None
    instance_id: str | None
    runtime_status: Any
    custom_status: Any
    input_: Any
    output: Any
    created_time: Any
    last_updated_time: Any


class Client(Protocol):
    """What a door may ask of the durable host."""

    async def start_new(
        self, orchestration_function_name: str, instance_id: str | None = None, client_input: Any = None
    ) -> str:
        """Start an instance."""
        ...

    async def get_status(self, instance_id: str, *, show_input: bool = False) -> RunStatus:
        """Tell where an instance is."""
        ...

    async def read_entity_state(self, entityId: EntityId) -> EntityState:  # noqa: N803 - the SDK's own name
        """Read what an entity remembers."""
        ...

    async def signal_entity(
        self,
        entityId: EntityId,  # noqa: N803 - the SDK's own name
        operation_name: str,
        operation_input: Any = None,
    ) -> None:
        """Ask an entity without waiting."""
        ...

    async def raise_event(self, instance_id: str, event_name: str, event_data: Any = None) -> None:
        """Wake an instance."""
        ...

    async def purge_instance_history(self, instance_id: str) -> Any:
        """Forget an instance."""
        ...

    async def purge_instance_history_by(
        self, created_time_from: datetime, created_time_to: datetime, runtime_status: list[Any]
    ) -> Any:
        """Forget the instances of some states that were created in some time; answers how many."""
        ...


# runtimeStatus of an instance that will not move again.
FINISHED = frozenset({"Completed", "Failed", "Terminated", "Canceled"})


def state_of(status: RunStatus | None) -> str | None:
    """Give an instance's runtime status as a word; none for an instance that does not exist."""
    runtime = getattr(status, "runtime_status", None)
    return getattr(runtime, "value", runtime)

"""Management locks: what they stop."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simulator.arm import is_within

if TYPE_CHECKING:
    from simulator.world import World


def lock_of(world: World, arm_id: str) -> str | None:
    """Answer the scope of the lock that stops a resource's deletion, if one does."""
    return next((lock.scope for lock in world.estate.locks if is_within(arm_id, lock.scope)), None)


def locked_message(arm_id: str, scope: str) -> str:
    """Write what ARM says of a deletion that a lock stops."""
    return (
        f"The scope '{arm_id}' cannot perform delete operation because following scope(s) "
        f"are locked: '{scope}'. Please remove the lock and try again."
    )

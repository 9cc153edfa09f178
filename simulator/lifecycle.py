"""The life of a protected item, as a table: what each state looks like and what may be done in it.

Cells marked O were read from recordings of A2A machines, O* of other providers on the same service.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from types import MappingProxyType
from typing import TYPE_CHECKING

from simulator.estate import Act, StartState

if TYPE_CHECKING:
    from collections.abc import Mapping


class State(StrEnum):
    """Where an item is in its life when no job holds it."""

    INITIAL_REPLICATION = "initialReplication"
    WAITING_FIRST_POINT = "waitingFirstPoint"
    PROTECTED = "protected"
    TEST_FAILOVER_WAITING = "testFailoverWaiting"
    TEST_FAILOVER_CLEANED = "testFailoverCleaned"
    COMMIT_PENDING = "commitPending"
    COMMITTED = "committed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Cells:
    """What a read of an item shows in one state."""

    protection_state: str
    description: str
    active_location: str
    allowed_operations: tuple[str, ...]
    test_failover_state: str = "None"
    test_failover_description: str = "None"
    vm_protection_state: str | None = None
    vm_protection_description: str | None = None


_READY = ("UnplannedFailover", "DisableProtection", "TestFailover")  # O, five reads
_SYNC_ONLY = ("DisableProtection",)  # O

CELLS: Mapping[State, Cells] = MappingProxyType(
    {
        State.INITIAL_REPLICATION: Cells(  # O
            protection_state="InitialReplicationInProgress",
            description="Initial replication is in progress",
            active_location="Primary",
            allowed_operations=_SYNC_ONLY,
            vm_protection_state="UnprotectedStatesBegin",
            vm_protection_description="Enabling protection",
        ),
        State.WAITING_FIRST_POINT: Cells(  # O
            protection_state="InitialReplicationRecoveryCompletionPending",
            description="Waiting for first recovery point",
            active_location="Primary",
            allowed_operations=_SYNC_ONLY,
            vm_protection_state="UnprotectedStatesBegin",
            vm_protection_description="Enabling protection",
        ),
        State.PROTECTED: Cells(  # O
            protection_state="Protected",
            description="Protected",
            active_location="Primary",
            allowed_operations=_READY,
        ),
        State.TEST_FAILOVER_WAITING: Cells(  # O*
            protection_state="Protected",
            description="Protected",
            active_location="Primary",
            allowed_operations=("DisableProtection", "TestFailoverCleanup"),
            test_failover_state="WaitingForCompletion",
            test_failover_description="Waiting for user input",
        ),
        State.TEST_FAILOVER_CLEANED: Cells(  # O*: the label outlives the cleanup job
            protection_state="Protected",
            description="Protected",
            active_location="Primary",
            allowed_operations=_READY,
            test_failover_state="MarkedForDeletion",
            test_failover_description="Cleaning up test environment",
        ),
        State.COMMIT_PENDING: Cells(  # words O*; the operations are those of VMware machines, O*
            protection_state="UnplannedFailoverCommitPendingStatesBegin",
            description="Failover completed",
            active_location="Recovery",
            allowed_operations=(
                "CompleteMigration",
                "Commit",
                "DisableProtection",
                "ChangePit",
                "SwitchProtection",
            ),
        ),
        State.COMMITTED: Cells(  # O
            protection_state="UnplannedFailoverCommitted",
            description="Failover committed",
            active_location="Recovery",
            allowed_operations=("CompleteMigration", "DisableProtection", "SwitchProtection"),
        ),
    }
)


LABEL_OUTLIVES_CLEANUP = timedelta(hours=3)
"""A machine still read MarkedForDeletion two hours after its cleanup, another no longer after three."""

OPERATION: Mapping[Act, str] = MappingProxyType(
    {
        Act.TEST_FAILOVER: "TestFailover",
        Act.TEST_FAILOVER_CLEANUP: "TestFailoverCleanup",
        Act.FAILOVER: "UnplannedFailover",
        Act.CHANGE_RECOVERY_POINT: "ChangePit",
        Act.COMMIT: "Commit",
        Act.REPROTECT: "SwitchProtection",
        Act.CANCEL_FAILOVER: "CancelFailover",  # never seen offered for A2A, so never allowed
        Act.DISABLE: "DisableProtection",
        Act.ENABLE: "EnableProtection",  # of what is not protected yet, so no item ever offers it
    }
)
"""The name of each act in `allowedOperations`."""

SUCCEEDS_TO: Mapping[Act, State | None] = MappingProxyType(
    {
        Act.TEST_FAILOVER: State.TEST_FAILOVER_WAITING,
        Act.TEST_FAILOVER_CLEANUP: State.TEST_FAILOVER_CLEANED,
        Act.FAILOVER: State.COMMIT_PENDING,
        Act.CHANGE_RECOVERY_POINT: State.COMMIT_PENDING,
        Act.COMMIT: State.COMMITTED,
        Act.REPROTECT: State.INITIAL_REPLICATION,  # of the item that takes its place
        Act.CANCEL_FAILOVER: State.PROTECTED,
        Act.DISABLE: None,  # the item is gone
        Act.ENABLE: State.INITIAL_REPLICATION,  # of the item that appears
    }
)
"""The state an item is in once the act's job has succeeded; a failed job leaves it where it was."""

BEGINS_IN: Mapping[StartState, State] = MappingProxyType(
    {
        StartState.PROTECTED: State.PROTECTED,
        StartState.SYNCING: State.INITIAL_REPLICATION,
        StartState.WAITING_FIRST_POINT: State.WAITING_FIRST_POINT,
        StartState.TEST_FAILOVER_WAITING: State.TEST_FAILOVER_WAITING,
        StartState.TEST_FAILOVER_CLEANED: State.TEST_FAILOVER_CLEANED,
        StartState.COMMIT_PENDING: State.COMMIT_PENDING,
        StartState.COMMITTED: State.COMMITTED,
    }
)
"""The state each beginning of an estate means."""


def allows(state: State, act: Act) -> bool:
    """Answer whether an item in this state, held by no job, accepts the act."""
    return OPERATION[act] in CELLS[state].allowed_operations

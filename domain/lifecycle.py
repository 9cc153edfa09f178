"""The life of a machine on its way home, as one table.

::

    away_uncommitted      failed over, recovery point still open           (commit it first: not our act)
    away_committed        failed over and committed, not re-protected      reprotect
    away_syncing          re-protected, first copy still under way         wait
    away_protected        ready to come home                               test failover, fail over
    away_rehearsed        a test failover waits for its clean-up           clean up
    home_uncommitted      at home, recovery point still open               change recovery point, commit
    home_committed        at home, not protected                           reprotect
    home_syncing          at home, first copy to the secondary under way   wait
    home_protected        where this story ends

The states' wire words were read from recordings of the real service; where none shows an Azure VM, from other
providers of the same service (see docs/architecture.md).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from domain.machine import MachineSnapshot


class MachineState(StrEnum):
    """Where a machine stands between the disaster and the end of the story."""

    AWAY_UNCOMMITTED = "away_uncommitted"
    AWAY_COMMITTED = "away_committed"
    AWAY_SYNCING = "away_syncing"
    AWAY_PROTECTED = "away_protected"
    AWAY_REHEARSED = "away_rehearsed"
    HOME_UNCOMMITTED = "home_uncommitted"
    HOME_COMMITTED = "home_committed"
    HOME_SYNCING = "home_syncing"
    HOME_PROTECTED = "home_protected"
    UNKNOWN = "unknown"


WORDS: Mapping[MachineState, str] = {
    MachineState.AWAY_UNCOMMITTED: "failed over to {away}, not committed",
    MachineState.AWAY_COMMITTED: "failed over to {away} and committed, not re-protected",
    MachineState.AWAY_SYNCING: "in {away}, first copy back to {home} under way",
    MachineState.AWAY_PROTECTED: "in {away}, protected: ready to come home",
    MachineState.AWAY_REHEARSED: "in {away}, a test failover waits for clean-up",
    MachineState.HOME_UNCOMMITTED: "at home in {home}, not committed",
    MachineState.HOME_COMMITTED: "at home in {home}, committed, not re-protected",
    MachineState.HOME_SYNCING: "at home in {home}, first copy to {away} under way",
    MachineState.HOME_PROTECTED: "at home in {home}, protected to {away}",
    MachineState.UNKNOWN: "in a state this version does not know",
}


class _Phase(StrEnum):
    SYNCING = "syncing"
    PROTECTED = "protected"
    REHEARSED = "rehearsed"
    UNCOMMITTED = "uncommitted"
    COMMITTED = "committed"


# Outward: home protects to away. Homeward: away protects to home, so a failover brings the machine home.
_OUTWARD: Mapping[_Phase, MachineState] = {
    _Phase.SYNCING: MachineState.HOME_SYNCING,
    _Phase.PROTECTED: MachineState.HOME_PROTECTED,
    _Phase.REHEARSED: MachineState.HOME_PROTECTED,
    _Phase.UNCOMMITTED: MachineState.AWAY_UNCOMMITTED,
    _Phase.COMMITTED: MachineState.AWAY_COMMITTED,
}
_HOMEWARD: Mapping[_Phase, MachineState] = {
    _Phase.SYNCING: MachineState.AWAY_SYNCING,
    _Phase.PROTECTED: MachineState.AWAY_PROTECTED,
    _Phase.REHEARSED: MachineState.AWAY_REHEARSED,
    _Phase.UNCOMMITTED: MachineState.HOME_UNCOMMITTED,
    _Phase.COMMITTED: MachineState.HOME_COMMITTED,
}

# protectionState on the wire. The commit-pending spelling is the Hyper-V and VMware one, and the one users
# report for Azure VMs; "FailoverCompleted" was seen on Azure VM clusters.
_PROTECTION: Mapping[str, _Phase] = {
    "Protected": _Phase.PROTECTED,
    "UnplannedFailoverCommitPendingStatesBegin": _Phase.UNCOMMITTED,
    "FailoverCompleted": _Phase.UNCOMMITTED,
    "UnplannedFailoverCommitted": _Phase.COMMITTED,
    "FailoverCommitted": _Phase.COMMITTED,
}
_SYNCING_PREFIXES = ("InitialReplication", "EnablingProtection", "UnprotectedStates")
# What testFailoverState says while test machines exist.
TEST_WAITS = "WaitingForCompletion"


def state_of(snapshot: MachineSnapshot) -> MachineState:
    """Say where a machine stands."""
    phase = _phase(snapshot)
    if phase is None:
        return MachineState.UNKNOWN
    if is_homeward(snapshot):
        return _HOMEWARD[phase]
    if snapshot.primary == snapshot.home:
        return _OUTWARD[phase]
    return MachineState.UNKNOWN


def _phase(snapshot: MachineSnapshot) -> _Phase | None:
    if snapshot.protection_state.startswith(_SYNCING_PREFIXES):
        return _Phase.SYNCING
    phase = _PROTECTION.get(snapshot.protection_state)
    if phase is _Phase.PROTECTED and snapshot.test_failover_state == TEST_WAITS:
        return _Phase.REHEARSED
    return phase


def is_homeward(snapshot: MachineSnapshot) -> bool:
    """Tell whether failing over brings the machine to where it lived before the disaster.

    The direction guard: anything else is refused, always.
    """
    return bool(snapshot.home) and snapshot.recovery == snapshot.home != snapshot.primary


def is_busy(snapshot: MachineSnapshot) -> bool:
    """Tell whether a job holds the machine: nothing may be asked of it now."""
    return snapshot.job is not None or not snapshot.allowed


def in_words(snapshot: MachineSnapshot) -> str:
    """Say where a machine stands, as an operator would."""
    state = state_of(snapshot)
    words = WORDS[state].format(home=snapshot.home, away=snapshot.away)
    if state is MachineState.UNKNOWN:
        words += f" ({snapshot.protection_state}, {snapshot.primary} to {snapshot.recovery})"
    if snapshot.scenario:
        words += f"; {snapshot.scenario} is running"
    return words


class Act(StrEnum):
    """What failback asks of Site Recovery."""

    TEST_FAILOVER = "test_failover"
    CLEAN_UP = "clean_up"
    FAIL_OVER = "fail_over"
    CHANGE_POINT = "change_point"
    COMMIT = "commit"
    REPROTECT = "reprotect"


@dataclass(frozen=True, slots=True, kw_only=True)
class ActRule:
    """When an act may start, what it is called on the wire, and where it leads.

    `operation` is its name in allowedOperations, `scenario` its job's scenarioName.
    """

    operation: str
    scenario: str
    before: frozenset[MachineState]
    after: frozenset[MachineState]
    words: str


_S = MachineState
ACTS: Mapping[Act, ActRule] = {
    Act.TEST_FAILOVER: ActRule(
        operation="TestFailover",
        scenario="TestFailover",
        before=frozenset({_S.AWAY_PROTECTED}),
        after=frozenset({_S.AWAY_REHEARSED}),
        words="test failover",
    ),
    Act.CLEAN_UP: ActRule(
        operation="TestFailoverCleanup",
        scenario="TestFailoverCleanup",
        before=frozenset({_S.AWAY_REHEARSED}),
        after=frozenset({_S.AWAY_PROTECTED}),
        words="test failover clean-up",
    ),
    Act.FAIL_OVER: ActRule(
        operation="UnplannedFailover",
        scenario="UnplannedFailover",
        before=frozenset({_S.AWAY_PROTECTED}),
        after=frozenset({_S.HOME_UNCOMMITTED}),
        words="failover",
    ),
    Act.CHANGE_POINT: ActRule(
        operation="ChangePit",
        scenario="ChangePit",
        before=frozenset({_S.HOME_UNCOMMITTED}),
        after=frozenset({_S.HOME_UNCOMMITTED}),
        words="change of recovery point",
    ),
    Act.COMMIT: ActRule(
        operation="Commit",
        scenario="CommitFailover",
        before=frozenset({_S.HOME_UNCOMMITTED}),
        after=frozenset({_S.HOME_COMMITTED}),
        words="commit",
    ),
    Act.REPROTECT: ActRule(
        operation="SwitchProtection",
        scenario="SwitchReplicationGroupProtection",
        before=frozenset({_S.AWAY_COMMITTED, _S.HOME_COMMITTED}),
        after=frozenset({_S.AWAY_SYNCING, _S.AWAY_PROTECTED, _S.HOME_SYNCING, _S.HOME_PROTECTED}),
        words="re-protection",
    ),
}


def allows(snapshot: MachineSnapshot, act: Act) -> bool:
    """Tell whether an act may be asked now: the state is right, and the service offers the operation.

    The service's own list is the authority; testFailoverState stays odd for hours after a clean-up.
    """
    rule = ACTS[act]
    return state_of(snapshot) in rule.before and rule.operation in snapshot.allowed


# Where a running job leads when it succeeds, by its scenarioName.
_LEADS: Mapping[tuple[str, MachineState], MachineState] = {
    ("TestFailover", _S.AWAY_PROTECTED): _S.AWAY_REHEARSED,
    ("TestFailoverCleanup", _S.AWAY_REHEARSED): _S.AWAY_PROTECTED,
    ("UnplannedFailover", _S.AWAY_PROTECTED): _S.HOME_UNCOMMITTED,
    ("CommitFailover", _S.AWAY_UNCOMMITTED): _S.AWAY_COMMITTED,
    ("CommitFailover", _S.HOME_UNCOMMITTED): _S.HOME_COMMITTED,
    ("SwitchReplicationGroupProtection", _S.AWAY_COMMITTED): _S.AWAY_SYNCING,
    ("SwitchReplicationGroupProtection", _S.HOME_COMMITTED): _S.HOME_SYNCING,
}


def heading(snapshot: MachineSnapshot) -> MachineState:
    """Say where a machine will stand once the job that holds it, if any, has succeeded."""
    state = state_of(snapshot)
    return _LEADS.get((snapshot.scenario or "", state), state)


# The states in which a machine's load still runs in the secondary region, committed there.
STILL_AWAY = frozenset({_S.AWAY_COMMITTED, _S.AWAY_SYNCING, _S.AWAY_PROTECTED, _S.AWAY_REHEARSED})
# The states in which its recovery points lead home.
HAS_POINTS = frozenset({_S.AWAY_PROTECTED, _S.AWAY_REHEARSED, _S.HOME_UNCOMMITTED})

"""The table of a machine's life, row by row as the service shows it."""

from __future__ import annotations

import pytest
from azure.mgmt.recoveryservicessiterecovery.models import ReplicationProtectedItemOperation

from domain.leg import ROADS, Way
from domain.lifecycle import (
    ACTS,
    HAS_POINTS,
    STILL_AWAY,
    WORDS,
    Act,
    MachineState,
    allows,
    heading,
    in_words,
    is_busy,
    is_homeward,
    state_of,
)
from tests.unit.making import AWAY, HOME, S, held, snapshot

# protectionState, testFailoverState, and the state it means when the machine replicates home or away.
ROWS = [
    ("InitialReplicationInProgress", "None", S.AWAY_SYNCING, S.HOME_SYNCING),
    ("InitialReplicationRecoveryCompletionPending", "None", S.AWAY_SYNCING, S.HOME_SYNCING),
    ("EnablingProtection", "None", S.AWAY_SYNCING, S.HOME_SYNCING),
    ("UnprotectedStatesBegin", "None", S.AWAY_SYNCING, S.HOME_SYNCING),
    ("Protected", "None", S.AWAY_PROTECTED, S.HOME_PROTECTED),
    ("Protected", "WaitingForCompletion", S.AWAY_REHEARSED, S.HOME_PROTECTED),
    ("Protected", "MarkedForDeletion", S.AWAY_PROTECTED, S.HOME_PROTECTED),
    ("UnplannedFailoverCommitPendingStatesBegin", "None", S.HOME_UNCOMMITTED, S.AWAY_UNCOMMITTED),
    ("FailoverCompleted", "None", S.HOME_UNCOMMITTED, S.AWAY_UNCOMMITTED),
    ("UnplannedFailoverCommitted", "None", S.HOME_COMMITTED, S.AWAY_COMMITTED),
    ("FailoverCommitted", "None", S.HOME_COMMITTED, S.AWAY_COMMITTED),
    ("RestoreFinalized", "None", S.UNKNOWN, S.UNKNOWN),
    ("", "None", S.UNKNOWN, S.UNKNOWN),
]


@pytest.mark.parametrize(("protection", "test", "homeward", "outward"), ROWS)
def test_the_wire_words_and_the_direction_say_where_a_machine_stands(
    protection: str, test: str, homeward: MachineState, outward: MachineState
) -> None:
    seen = snapshot().having(protection_state=protection, test_failover_state=test)
    assert state_of(seen.having(primary=AWAY, recovery=HOME)) is homeward
    assert state_of(seen.having(primary=HOME, recovery=AWAY)) is outward


@pytest.mark.parametrize(
    ("primary", "recovery", "home"),
    [(HOME, AWAY, HOME), (AWAY, "westus", HOME), ("", "", ""), (HOME, HOME, HOME), (AWAY, "", "")],
)
def test_a_machine_whose_failover_does_not_lead_home_is_not_homeward(
    primary: str, recovery: str, home: str
) -> None:
    assert not is_homeward(snapshot(primary=primary, recovery=recovery, home=home))


def test_a_machine_between_two_foreign_regions_is_in_no_known_state() -> None:
    seen = snapshot(primary=AWAY, recovery="westus")
    assert state_of(seen) is S.UNKNOWN
    assert in_words(seen) == "in a state this version does not know (Protected, eastus to westus)"


@pytest.mark.parametrize("state", MachineState)
def test_every_state_has_words_and_a_sight(state: MachineState) -> None:
    assert state_of(snapshot(state)) is state
    assert in_words(snapshot(state)).startswith(WORDS[state].format(home=HOME, away=AWAY))


def test_the_words_say_which_job_runs() -> None:
    assert in_words(held(S.AWAY_PROTECTED, "TestFailover")).endswith("; TestFailover is running")


def test_a_machine_that_a_job_holds_or_that_offers_nothing_is_busy() -> None:
    assert is_busy(held(S.AWAY_PROTECTED, "TestFailover"))
    assert is_busy(snapshot(allowed=()))
    assert not is_busy(snapshot())


@pytest.mark.parametrize("act", Act)
def test_every_act_is_one_of_site_recoverys_operations(act: Act) -> None:
    assert ACTS[act].operation in {each.value for each in ReplicationProtectedItemOperation}


@pytest.mark.parametrize("act", Act)
def test_an_act_may_be_asked_exactly_in_its_states_and_when_it_is_offered(act: Act) -> None:
    rule = ACTS[act]
    for state in MachineState:
        assert allows(snapshot(state, allowed=(rule.operation,)), act) == (state in rule.before)
        assert not allows(snapshot(state, allowed=("DisableProtection",)), act)


@pytest.mark.parametrize("act", Act)
def test_every_act_leads_somewhere_else_except_the_change_of_a_recovery_point(act: Act) -> None:
    rule = ACTS[act]
    assert (rule.before & rule.after == set()) == (act is not Act.CHANGE_POINT)
    assert S.UNKNOWN not in rule.before | rule.after


@pytest.mark.parametrize("act", [each for each in Act if each is not Act.REPROTECT])
def test_no_act_but_re_protection_may_touch_a_machine_that_replicates_away_from_home(act: Act) -> None:
    for state in ACTS[act].before:
        assert is_homeward(snapshot(state))


@pytest.mark.parametrize("act", Act)
def test_a_running_job_heads_for_where_its_act_leads(act: Act) -> None:
    for state in ACTS[act].before:
        assert heading(held(state, ACTS[act].scenario)) in ACTS[act].after
        assert heading(snapshot(state)) is state
        assert heading(held(state, "UpdateVmProperties")) is state


def test_roads_ask_for_an_act_only_where_it_may_start() -> None:
    due = [(state, step) for road in ROADS.values() for state, step in road.items() if isinstance(step, Act)]
    assert all(state in ACTS[step].before for state, step in due)
    assert {step for road in ROADS.values() for step in road.values()} <= {*Act, *Way}


def test_a_machine_that_is_still_away_is_not_at_home() -> None:
    assert all(state.startswith("away") for state in STILL_AWAY)
    assert S.AWAY_UNCOMMITTED not in STILL_AWAY
    assert {S.AWAY_PROTECTED, S.AWAY_REHEARSED, S.HOME_UNCOMMITTED} == HAS_POINTS

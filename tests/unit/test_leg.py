"""The roads of the stages, and what belongs to which."""

from __future__ import annotations

import pytest

from domain.leg import AT_HOME, ENDS, HEEDS_CANCEL, ROADS, VALIDATED, Decision, LegStatus, StageName, Way
from domain.lifecycle import Act
from tests.unit.making import S, leg, task

ASKED_ON = {
    StageName.PREPARE: {Act.REPROTECT, Act.CLEAN_UP},
    StageName.REHEARSE: {Act.TEST_FAILOVER},
    StageName.CLEAN_UP: {Act.CLEAN_UP},
    StageName.MOVE: {Act.FAIL_OVER},
    StageName.CHANGE_POINT: {Act.CHANGE_POINT},
    StageName.COMMIT: {Act.COMMIT},
    StageName.PROTECT: {Act.REPROTECT},
}


@pytest.mark.parametrize("stage", StageName)
def test_a_stage_asks_for_its_own_acts_and_no_others(stage: StageName) -> None:
    assert {step for step in ROADS[stage].values() if isinstance(step, Act)} == ASKED_ON[stage]


@pytest.mark.parametrize("stage", [StageName.PREPARE, StageName.REHEARSE, StageName.CLEAN_UP, StageName.MOVE])
def test_a_machine_that_is_home_already_has_arrived_at_every_stage_before(stage: StageName) -> None:
    assert all(ROADS[stage][state] is Way.ARRIVED for state in AT_HOME)


def test_a_clean_up_is_carried_out_even_when_the_run_was_cancelled() -> None:
    assert set(StageName) - HEEDS_CANCEL == {StageName.CLEAN_UP}


def test_what_brings_a_machine_up_is_judged() -> None:
    assert {stage for stage in StageName if task(stage).is_validated} == set(VALIDATED)


def test_a_forbidden_act_is_no_step() -> None:
    assert task(StageName.PREPARE).step(S.AWAY_REHEARSED) is Act.CLEAN_UP
    assert task(StageName.PREPARE, forbidden=(Act.CLEAN_UP,)).step(S.AWAY_REHEARSED) is None
    assert task(StageName.PREPARE).step(S.UNKNOWN) is None


def test_a_stage_is_over_when_every_leg_has_ended() -> None:
    ended = [leg(status=status) for status in ENDS]
    assert Decision(legs=tuple(ended)).is_over
    assert not Decision(legs=(*ended, leg(status=LegStatus.VALIDATING))).is_over

"""Every stage, driven through worlds that lag, lose, fail, hang and are meddled with."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.leg import AT_HOME, ROADS, LegStatus, StageName
from domain.lifecycle import Act, MachineState, is_homeward
from domain.machine import MachineSnapshot
from tests.unit.making import S, task
from tests.unit.world import HOLDING, Turn, Weather, World, drive

# Five days of first copy, and twelve hours for every other wait of four machines, one after another.
LONGEST = timedelta(days=12)
KNOWN = [state for state in MachineState if state is not S.UNKNOWN]


@dataclass(frozen=True, kw_only=True)
class Case:
    """A world, a stage, and how it is carried out."""

    states: list[MachineState]
    stage: StageName
    weather: Weather
    pace: timedelta
    max_parallel: int = 20
    stop_at: int | None = None
    seed: int = 0

    def world(self) -> World:
        world = World(self.states, self.weather, Random(self.seed))
        for machine in world.machines.values():
            world.let_copy(machine)
        return world

    def driven(self, world: World) -> Iterator[Turn]:
        chosen = task(self.stage, max_parallel=self.max_parallel)
        return drive(world, chosen, every=self.pace, stop_at=self.stop_at, within=LONGEST)


shares = st.sampled_from((0, 0, 0, 0.1, 0.5))
often = st.sampled_from((0, 0, 0, 0.3, 1))
lags = st.sampled_from((0, 0, 20, 90)).map(lambda seconds: timedelta(seconds=seconds))
weathers = st.builds(
    Weather,
    failing=shares,
    hanging=shares,
    lost=often,
    dropped=often,
    throttled=often,
    meddling=shares,
    unsure=often,
    pending=often,
    broken=shares,
    copy_hangs=st.sampled_from((False, False, False, True)),
    list_lag=lags,
    job_lag=lags,
)
cases = st.builds(
    Case,
    states=st.lists(st.sampled_from(KNOWN), min_size=1, max_size=4),
    stage=st.sampled_from(StageName),
    weather=weathers,
    pace=st.sampled_from((5, 30, 600)).map(lambda seconds: timedelta(seconds=seconds)),
    max_parallel=st.integers(1, 4),
    seed=st.integers(0, 2**32),
)


@settings(max_examples=100, deadline=None)
@given(cases, st.none() | st.integers(0, 30))
def test_whatever_the_world_does_every_leg_ends_and_no_rule_is_broken(case: Case, stop_at: int | None) -> None:
    case = replace(case, stop_at=stop_at)
    world, ids, last = case.world(), set[str](), ()
    for turn in case.driven(world):
        undecided = {leg.subject.name for leg in turn.before if leg.status is LegStatus.UNDECIDED}
        assert not undecided & {order.machine for order in turn.orders}
        assert not (turn.stopping and turn.orders)
        assert sum(leg.status in HOLDING for leg in turn.after) <= case.max_parallel
        ids |= {f"{order.machine} {order.act} {order.request_id}" for order in turn.orders}
        last = turn.after
    assert len(ids) == len({each.rsplit(" ", 1)[0] for each in ids})
    assert len(world.accepted) == len({order.request_id for order in world.accepted})
    for leg in last:
        assert leg.status is LegStatus.FAILED or all(record.job.state != "Failed" for record in leg.jobs)
        assert (leg.status is LegStatus.FAILED) == (leg.failure is not None)


@settings(max_examples=30, deadline=None)
@given(cases)
def test_a_failover_is_only_ever_asked_for_when_it_leads_home(case: Case) -> None:
    for stage in (StageName.MOVE, StageName.REHEARSE, StageName.CLEAN_UP):
        world = (changed := replace(case, stage=stage)).world()
        for turn in changed.driven(world):
            seen = {leg.subject.name: leg.snapshot for leg in turn.after}
            for order in turn.orders:
                assert order.act is not Act.FAIL_OVER or (stage is StageName.MOVE and home(seen[order.machine]))


def home(snapshot: MachineSnapshot | None) -> bool:
    return snapshot is not None and is_homeward(snapshot)


@settings(max_examples=50, deadline=None)
@given(cases, lags)
def test_in_a_sound_world_each_machine_on_the_road_arrives_with_one_job_an_act(case: Case, lag: timedelta) -> None:
    case = replace(case, weather=Weather(list_lag=lag, job_lag=lag))
    world = case.world()
    *_, last = case.driven(world)
    for leg, began in zip(last.after, case.states, strict=True):
        assert (leg.status is LegStatus.DONE) == (began in ROADS[case.stage])
        assert [record.act for record in leg.jobs] == list(leg.acts)
    assert len(world.jobs) == len(world.accepted)


AIMS = {
    StageName.PREPARE: AT_HOME | {S.AWAY_PROTECTED},
    StageName.REHEARSE: AT_HOME | {S.AWAY_REHEARSED},
    StageName.CLEAN_UP: AT_HOME | {S.AWAY_PROTECTED},
    StageName.MOVE: AT_HOME,
    StageName.CHANGE_POINT: {S.HOME_UNCOMMITTED},
    StageName.COMMIT: AT_HOME - {S.HOME_UNCOMMITTED},
    StageName.PROTECT: {S.HOME_PROTECTED},
}


@settings(max_examples=60, deadline=None)
@given(cases)
def test_a_leg_is_done_only_when_its_machine_is_where_the_stage_leads(case: Case) -> None:
    case = replace(case, weather=replace(case.weather, meddling=0))
    world = case.world()
    *_, last = case.driven(world)
    for leg in last.after:
        assert leg.status is not LegStatus.DONE or world.machines[leg.subject.name].state in AIMS[case.stage]


@pytest.mark.parametrize("stage", [stage for stage in StageName if stage is not StageName.CLEAN_UP])
def test_a_stage_that_is_stopped_at_once_starts_nothing(stage: StageName) -> None:
    case = Case(states=KNOWN, stage=stage, weather=Weather(), pace=timedelta(seconds=30), stop_at=0)
    world = case.world()
    list(case.driven(world))
    assert not world.jobs

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from activities.look import look_at
from activities.start_acts import start
from domain.lifecycle import Act, MachineState, state_of
from domain.machine import same_id
from tests.activities.conftest import NAME, Make, World


def test_a_look_shows_the_machine_by_azures_clock(world: World) -> None:
    request = world.look_request()
    world.wait(timedelta(hours=5))
    look = look_at(world.azure, request)
    assert look.blind is None
    assert look.as_of == world.clock.now()
    assert state_of(look.machines[NAME]) is MachineState.AWAY_PROTECTED


def test_what_was_seen_before_is_not_told_again(world: World) -> None:
    job = start(world.azure, world.order(Act.TEST_FAILOVER)).job or ""
    first = look_at(world.azure, world.look_request(jobs=(job,)))
    seen = {NAME: first.machines[NAME].mark, job: first.jobs[job].mark}
    again = look_at(world.azure, world.look_request(jobs=(job,), seen=seen))
    assert (again.machines, again.jobs, again.gone, again.lost) == ({}, {}, (), ())
    world.wait()
    ended = look_at(world.azure, world.look_request(jobs=(job,), seen=seen))
    assert ended.jobs[job].succeeded
    assert state_of(ended.machines[NAME]) is MachineState.AWAY_REHEARSED


def test_a_machine_that_moved_is_followed_by_name_and_lifecycle_id(make: Make) -> None:
    world = make("committed-in-reverse")
    before = world.machine()
    job = start(world.azure, world.order(Act.REPROTECT)).job or ""
    world.wait()
    request = world.look_request(jobs=(job,), lifecycles={NAME: before.lifecycle_id or ""})
    look = look_at(world.azure, request)
    assert look.gone == ()
    assert look.machines[NAME].id != request.machines[NAME]
    assert same_id(look.machines[NAME].id, look.jobs[job].moved_to)
    assert state_of(look.machines[NAME]) is MachineState.HOME_SYNCING


def test_a_machine_the_vault_no_longer_lists_is_gone(world: World) -> None:
    request = world.look_request()
    request = request.having(machines={"other": request.machines[NAME].replace(NAME, "other"), **request.machines})
    look = look_at(world.azure, request)
    assert look.gone == ("other",)
    assert set(look.machines) == {NAME}


def test_a_job_that_azure_does_not_know_is_lost(world: World) -> None:
    unknown = f"{world.vault}/replicationJobs/00000000-0000-0000-0000-000000000000"
    assert look_at(world.azure, world.look_request(jobs=(unknown,))).lost == (unknown,)


def test_another_machine_that_took_the_name_is_not_taken_for_ours(world: World) -> None:
    request = world.look_request(lifecycles={NAME: "11111111-2222-3333-4444-555555555555"})
    elsewhere = {NAME: request.machines[NAME].replace("asr-eastus", "asr-centralus")}
    look = look_at(world.azure, request.having(machines=elsewhere))
    assert look.gone == (NAME,)


@pytest.mark.parametrize(
    "fault", ["unavailable", "server-error", "connection-closed", "throttled", "token-expired"]
)
@pytest.mark.parametrize("path", ["replicationProtectedItems", "replicationJobs"])
def test_when_azure_does_not_answer_the_look_is_blind(world: World, fault: str, path: str) -> None:
    request = world.look_request(jobs=(f"{world.vault}/replicationJobs/1",))
    world.fault(fault, path=path, times=None)
    look = look_at(world.azure, request)
    assert look.blind is not None
    assert (look.machines, look.jobs, look.gone, look.lost) == ({}, {}, (), ())


def test_a_missing_right_makes_the_look_blind_in_azures_words(world: World) -> None:
    request = world.look_request()
    world.fault("authorization-failed", method="GET")
    look = look_at(world.azure, request)
    assert look.blind is not None
    assert look.blind.code == "AuthorizationFailed"


def test_one_short_hiccup_is_ridden_out(world: World) -> None:
    request = world.look_request()
    world.fault("unavailable", method="GET", times=1)
    assert look_at(world.azure, request).blind is None


def test_a_long_wait_is_left_to_the_orchestrator(world: World) -> None:
    request = world.look_request()
    world.fault("throttled", method="GET", retry_after=60)
    before = world.clock.now()
    look = look_at(world.azure, request)
    assert look.blind is not None
    assert look.blind.code == "Throttled"
    assert world.clock.now() == before


def test_a_hundred_machines_cost_as_many_reads_as_four(many: Callable[[int], World]) -> None:
    counts = []
    for count in (4, 100):
        world = many(count)
        names = tuple(f"vm-{number:04d}" for number in range(1, count + 1))
        jobs = tuple(start(world.azure, world.order(Act.TEST_FAILOVER, name)).job or "" for name in names)
        request = world.look_request(*names, jobs=jobs)
        world.wire.sent.clear()
        look = look_at(world.azure, request)
        assert (len(look.machines), len(look.jobs), look.lost) == (count, count, ())
        counts.append(world.reads())
    assert counts == [2, 2]


def test_of_many_jobs_only_the_ended_ones_are_read_in_full(many: Callable[[int], World]) -> None:
    world = many(5)
    names = tuple(f"vm-{number:04d}" for number in range(1, 6))
    jobs = [start(world.azure, world.order(Act.TEST_FAILOVER, name)).job or "" for name in names[:2]]
    world.wait()
    jobs += [start(world.azure, world.order(Act.TEST_FAILOVER, name)).job or "" for name in names[2:]]
    world.wire.sent.clear()
    look = look_at(world.azure, world.look_request(*names, jobs=tuple(jobs)))
    assert [look.jobs[job].succeeded for job in jobs] == [True, True, False, False, False]
    assert world.reads("/replicationJobs/") == 0


@pytest.mark.parametrize("fault", [None, "job-fails"])
def test_of_many_jobs_those_that_failed_and_failovers_are_read_in_full(
    many: Callable[[int], World], fault: str | None
) -> None:
    world = many(5)
    names = tuple(f"vm-{number:04d}" for number in range(1, 6))
    if fault:
        world.fault(fault, times=2)
    first = Act.TEST_FAILOVER if fault else Act.FAIL_OVER
    begun = [(first if name in names[:2] else Act.TEST_FAILOVER, name) for name in names]
    jobs = [start(world.azure, world.order(act, name)).job or "" for act, name in begun]
    world.wait()
    world.wire.sent.clear()
    look = look_at(world.azure, world.look_request(*names, jobs=tuple(jobs)))
    assert all(look.jobs[job].tasks for job in jobs[:2])
    assert all(look.jobs[job].errors if fault else look.jobs[job].point for job in jobs[:2])
    assert world.reads("/replicationJobs/") == 2


def test_of_many_jobs_those_that_their_machines_still_name_are_read_only_when_asked_for(
    many: Callable[[int], World],
) -> None:
    world = many(5)
    names = tuple(f"vm-{number:04d}" for number in range(1, 6))
    jobs = tuple(start(world.azure, world.order(Act.TEST_FAILOVER, name)).job or "" for name in names)
    running = world.look_request(*names, jobs=jobs, every_job=False)
    world.wire.sent.clear()
    assert look_at(world.azure, running).jobs == {}
    assert world.reads("/replicationJobs") == 0
    assert set(look_at(world.azure, running.having(every_job=True)).jobs) == set(jobs)
    world.wait()
    assert all(job.succeeded for job in look_at(world.azure, running).jobs.values())


def test_a_failed_job_tells_why(world: World) -> None:
    world.fault("job-fails")
    job = start(world.azure, world.order(Act.TEST_FAILOVER)).job or ""
    world.wait()
    found = look_at(world.azure, world.look_request(jobs=(job,))).jobs[job]
    assert (found.has_ended, found.succeeded) == (True, False)
    assert found.errors
    assert found.errors[0].message
    assert found.errors[0].action


def test_a_cancelled_job_has_ended_without_success(world: World) -> None:
    world.fault("job-cancelled")
    job = start(world.azure, world.order(Act.TEST_FAILOVER)).job or ""
    world.wait()
    found = look_at(world.azure, world.look_request(jobs=(job,))).jobs[job]
    assert (found.state, found.has_ended, found.succeeded) == ("Cancelled", True, False)

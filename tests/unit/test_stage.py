"""What a stage does after one look, rule by rule."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from domain.contract import Check, Start, StartKind, Verdict
from domain.errors import Refusal
from domain.hearing import hear, hear_validations
from domain.leg import Leg, LegStatus, StageName, intention
from domain.lifecycle import Act, MachineState
from domain.machine import JobError, TaskSnapshot
from domain.setbacks import NOT_ALLOWED_NOW
from domain.stage import begin, decide, give_up
from tests.unit.making import (
    AWAY_CACHE,
    HOME_CACHE,
    ISOLATED,
    NAME,
    NOON,
    S,
    at,
    held,
    item_id,
    job,
    leg,
    look,
    running,
    snapshot,
    subject,
    task,
    validation,
)

MOVE = task(StageName.MOVE)


def after(stage: StageName, one: Leg, state: MachineState | None = None, minutes: float = 0, **seen: Any) -> Leg:
    """Decide once and give the leg; the machine is seen in a state, or unchanged."""
    snapshots = (snapshot(state),) if state else ()
    return decide(task(stage), [one], look(*snapshots, when=at(minutes=minutes), **seen)).legs[0]


def answered(one: Leg, kind: StartKind, minutes: float = 0, **changes: Any) -> Leg:
    return hear([one], [Start(machine=NAME, kind=kind).having(**changes)], at(minutes=minutes))[0]


# -- orders ---------------------------------------------------------------------------------------------------


def test_a_stage_begins_where_each_machine_was_last_seen() -> None:
    moved, unseen = begin([subject("a"), subject("b")], {"a": item_id("a", "centralus")}, {"a": ("run-1|1-move",)})
    assert moved.item_id == item_id("a", "centralus")
    assert unseen.item_id == subject("b").item_id


def test_the_first_look_orders_the_act_that_is_due() -> None:
    decision = decide(MOVE, [leg()], look(snapshot(S.AWAY_PROTECTED)))
    assert [order.act for order in decision.orders] == [Act.FAIL_OVER]
    assert not decision.is_over


def test_one_intention_has_one_request_id_for_ever() -> None:
    assert intention(MOVE.intent, NAME, Act.FAIL_OVER) == intention(MOVE.intent, NAME, Act.FAIL_OVER)
    ids = {
        intention(MOVE.intent, NAME, Act.FAIL_OVER),
        intention(MOVE.intent, "other", Act.FAIL_OVER),
        intention(MOVE.intent, NAME, Act.COMMIT),
        intention(MOVE.having(run="run-2").intent, NAME, Act.FAIL_OVER),
        intention(MOVE.having(occasion="run-1:2-move").intent, NAME, Act.FAIL_OVER),
    }
    assert len(ids) == 5


def test_an_order_says_only_what_its_act_needs() -> None:
    careful = task(StageName.MOVE, shut_down_source=True, points={NAME: "point-1"})
    failover = decide(careful, [leg()], look(snapshot())).orders[0]
    assert (failover.shut_down_source, failover.point, failover.network, failover.cache) == (
        True,
        "point-1",
        None,
        None,
    )
    rehearsal = decide(task(StageName.REHEARSE, shut_down_source=True), [leg()], look(snapshot())).orders[0]
    assert (rehearsal.shut_down_source, rehearsal.network) == (False, ISOLATED)


@pytest.mark.parametrize(
    ("stage", "state", "cache"),
    [(StageName.PREPARE, S.AWAY_COMMITTED, AWAY_CACHE), (StageName.PROTECT, S.HOME_COMMITTED, HOME_CACHE)],
)
def test_a_re_protection_uses_the_cache_of_the_region_it_starts_from(
    stage: StageName, state: MachineState, cache: str
) -> None:
    assert decide(task(stage), [leg()], look(snapshot(state))).orders[0].cache == cache


def test_an_act_that_the_request_forbids_is_not_asked_for() -> None:
    careful = task(StageName.PREPARE, forbidden=(Act.REPROTECT,))
    assert not decide(careful, [leg()], look(snapshot(S.AWAY_COMMITTED))).orders


def test_a_machine_that_nobody_has_seen_yet_is_left_alone() -> None:
    decision = decide(MOVE, [leg()], look())
    assert not decision.orders
    assert decision.legs[0] == leg()


def test_a_machine_held_by_another_job_is_waited_for() -> None:
    decision = decide(MOVE, [leg()], look(held(S.AWAY_PROTECTED, "TestFailover")))
    assert not decision.orders
    assert "TestFailover is running" in decision.legs[0].words


def test_a_running_job_of_the_same_kind_is_ordered_so_that_it_is_adopted() -> None:
    assert decide(MOVE, [leg()], look(held(S.AWAY_PROTECTED, "UnplannedFailover"))).orders


def test_a_machine_that_offers_nothing_is_waited_for() -> None:
    assert not decide(MOVE, [leg()], look(snapshot(S.AWAY_PROTECTED, allowed=()))).orders


def test_what_holds_a_machine_is_not_waited_for_for_ever() -> None:
    one = leg(since=NOON, snapshot=held(S.AWAY_PROTECTED, "TestFailover"))
    assert after(StageName.MOVE, one, minutes=719).status is LegStatus.READY
    assert after(StageName.MOVE, one, minutes=721).failure.code == "HeldTooLong"


def test_no_more_than_max_parallel_are_started_and_the_rest_wait_their_turn() -> None:
    busy = running().having(subject=subject("busy"))
    legs = [busy, leg("a"), leg("b")]
    seen = look(*(snapshot(name=name) for name in ("a", "b")))
    decision = decide(task(max_parallel=2), legs, seen)
    assert [order.machine for order in decision.orders] == ["a"]
    assert decision.legs[2].words == "failover: waits for its turn"


def test_a_machine_that_waited_for_its_turn_has_all_its_patience_left() -> None:
    busy = running().having(subject=subject("busy"), since=at(hours=11))
    waiting = leg(since=NOON, snapshot=snapshot())
    waited = decide(task(max_parallel=1), [busy, waiting], look(when=at(hours=11))).legs[1]
    seen = look(held(S.AWAY_PROTECTED, "TestFailover"), when=at(hours=13))
    assert decide(MOVE, [waited], seen).legs[0].status is LegStatus.READY


# -- what was asked is heard ----------------------------------------------------------------------------------


def ordered() -> Leg:
    return after(StageName.MOVE, leg(), S.AWAY_PROTECTED)


def test_a_started_job_is_followed() -> None:
    heard = answered(ordered(), StartKind.STARTED, job="job-1")
    assert (heard.status, heard.job, heard.ours) == (LegStatus.RUNNING, "job-1", True)


def test_a_job_that_somebody_else_began_is_followed_and_said_to_be_theirs() -> None:
    heard = answered(ordered(), StartKind.ADOPTED, job="job-1", ours=False)
    assert (heard.status, heard.ours) == (LegStatus.RUNNING, False)
    assert heard.words == "failover: begun by somebody else, followed"


def test_an_act_that_was_done_already_is_confirmed_by_looking() -> None:
    assert answered(ordered(), StartKind.ALREADY).status is LegStatus.CONFIRMING


@pytest.mark.parametrize("kind", [StartKind.BUSY, StartKind.THROTTLED])
def test_what_must_wait_is_asked_again_only_after_the_wait(kind: StartKind) -> None:
    heard = answered(ordered(), kind, retry_after=timedelta(minutes=2))
    assert not decide(MOVE, [heard], look(when=at(minutes=1))).orders
    assert decide(MOVE, [heard], look(when=at(minutes=2))).orders


def test_what_cannot_be_started_for_half_a_day_fails() -> None:
    assert answered(ordered(), StartKind.THROTTLED, 719).status is LegStatus.READY
    assert answered(ordered(), StartKind.THROTTLED, 721).failure.code == "NotBegun"


def test_a_refusal_fails_the_machine_in_azures_words() -> None:
    refusal = Refusal(code="QuotaExceeded", what="no cores left", remedy="ask for more")
    heard = answered(ordered(), StartKind.REFUSED, refusal=refusal)
    assert heard.failure == refusal.having(about=NAME)
    assert heard.words == "no cores left"


def test_a_refusal_that_may_come_from_a_lagging_list_is_asked_again_for_a_while() -> None:
    refusal = Refusal(code=NOT_ALLOWED_NOW, what="not now", remedy="wait")
    early = answered(ordered(), StartKind.REFUSED, 5, refusal=refusal)
    assert early.status is LegStatus.READY
    assert not decide(MOVE, [early], look(when=at(minutes=5))).orders
    assert answered(ordered(), StartKind.REFUSED, 11, refusal=refusal).status is LegStatus.FAILED


def test_answers_for_other_machines_and_for_legs_that_ask_nothing_change_nothing() -> None:
    started = [Start(machine=name, kind=StartKind.STARTED, job="job-1") for name in (NAME, "stranger")]
    assert hear([leg()], started, NOON) == (leg(),)
    done = ordered().having(status=LegStatus.DONE)
    assert hear([done], started, NOON) == (done,)
    assert hear([ordered()], [], NOON) == (ordered(),)


# -- a lost answer --------------------------------------------------------------------------------------------


def lost() -> Leg:
    return answered(ordered(), StartKind.UNDECIDED)


def test_while_an_order_is_undecided_its_job_is_searched_and_nothing_is_ordered() -> None:
    decision = decide(MOVE, [lost()], look(when=at(minutes=30)))
    assert not decision.orders
    assert decision.searches[0].request_id == intention(MOVE.intent, NAME, Act.FAIL_OVER)
    assert decision.searches[0].since == NOON


def test_a_search_that_finds_the_job_follows_it() -> None:
    assert answered(lost(), StartKind.ADOPTED, job="job-1").status is LegStatus.RUNNING


def test_a_lost_order_without_a_job_is_sent_again_only_after_a_while() -> None:
    assert answered(lost(), StartKind.ABSENT, 2).status is LegStatus.UNDECIDED
    assert answered(lost(), StartKind.ABSENT, 4).status is LegStatus.READY


def test_a_lost_order_is_not_sent_again_while_anything_holds_the_machine() -> None:
    busy = lost().having(snapshot=held(S.AWAY_PROTECTED, "UnplannedFailover"))
    assert answered(busy, StartKind.ABSENT, 4).status is LegStatus.UNDECIDED


@pytest.mark.parametrize("kind", [StartKind.ABSENT, StartKind.UNDECIDED])
def test_an_order_whose_outcome_stays_unknown_is_given_to_people(kind: StartKind) -> None:
    busy = lost().having(snapshot=held(S.AWAY_PROTECTED, "UnplannedFailover"))
    assert answered(busy, kind, 719).status is LegStatus.UNDECIDED
    assert answered(busy, kind, 721).failure.code == "OutcomeUnknown"


def test_an_order_that_is_lost_again_and_again_is_given_to_people() -> None:
    one = ordered()
    for minutes in range(0, 12 * 60 + 10, 5):
        heard = answered(one, StartKind.UNDECIDED, minutes)
        one = after(StageName.MOVE, answered(heard, StartKind.ABSENT, minutes + 4), minutes=minutes + 4)
    assert one.failure.code == "OutcomeUnknown"


# -- a running job --------------------------------------------------------------------------------------------


def test_a_running_job_says_which_task_it_is_at() -> None:
    tasks = (
        TaskSnapshot(name="Check", state="Succeeded"),
        TaskSnapshot(name="Skipped", state="Other"),
        TaskSnapshot(name="Start failover", state="InProgress"),
    )
    seen = after(StageName.MOVE, running(), jobs={"job-1": job(state="InProgress", tasks=tasks)})
    assert seen.words == "failover: Start failover (3 of 3)"


def test_a_suspended_job_says_that_it_waits_for_a_person() -> None:
    seen = after(StageName.MOVE, running(), jobs={"job-1": job(state="Suspended")})
    assert seen.words == "failover, it waits for input in the portal"


def test_a_job_that_ended_before_the_first_look_is_believed_when_the_machine_shows_it() -> None:
    seen = after(StageName.MOVE, running(), S.HOME_UNCOMMITTED, jobs={"job-1": job()})
    assert seen.status is LegStatus.VALIDATING
    assert seen.acts == (Act.FAIL_OVER,)


def test_a_job_that_succeeded_is_not_yet_the_state_it_leads_to() -> None:
    seen = after(StageName.MOVE, running(), jobs={"job-1": job()})
    assert seen.status is LegStatus.CONFIRMING
    assert seen.words == "failover: done, confirming"
    assert after(StageName.MOVE, seen, minutes=11).failure.code == "NotConfirmed"


@pytest.mark.parametrize("state", ["Failed", "Cancelled", "PartiallySucceeded"])
def test_a_job_that_did_not_succeed_fails_its_machine(state: str) -> None:
    seen = after(StageName.MOVE, running(), S.HOME_UNCOMMITTED, jobs={"job-1": job(state=state)})
    assert seen.failure.code == f"Job{state}"
    assert "no error was given" in seen.failure.what


def test_a_failed_job_is_reported_with_azures_code_message_and_advice() -> None:
    error = JobError(code="150253", message="it broke", action="mend it")
    seen = after(StageName.MOVE, running(), jobs={"job-1": job(state="Failed", errors=(error,))})
    assert (seen.failure.code, seen.failure.remedy) == ("150253", "mend it")
    assert "150253: it broke" in seen.failure.what


def test_a_job_that_did_not_change_since_the_last_look_still_runs() -> None:
    assert after(StageName.MOVE, running(), minutes=60).status is LegStatus.RUNNING


def test_a_job_that_does_not_end_is_given_to_people_and_said_to_run_still() -> None:
    seen = {"jobs": {"job-1": job(state="InProgress")}}
    assert after(StageName.MOVE, running(), minutes=719, **seen).status is LegStatus.RUNNING
    assert after(StageName.MOVE, running(), minutes=721, **seen).failure.code == "JobTimedOut"


def test_a_job_that_azure_does_not_know_yet_is_looked_for_again() -> None:
    assert after(StageName.MOVE, running(), minutes=1, lost=("job-1",)).status is LegStatus.RUNNING


def test_a_job_that_azure_does_not_know_runs_as_long_as_its_machine_names_it() -> None:
    one = running(snapshot=held(S.AWAY_PROTECTED, "UnplannedFailover", job="JOB-1"))
    assert after(StageName.MOVE, one, minutes=60, lost=("job-1",)).status is LegStatus.RUNNING


def test_a_job_that_azure_has_lost_is_judged_by_the_machine() -> None:
    assert after(StageName.MOVE, running(), minutes=3, lost=("job-1",)).status is LegStatus.CONFIRMING
    arrived = after(StageName.MOVE, running(), S.HOME_UNCOMMITTED, 3, lost=("job-1",))
    assert arrived.status is LegStatus.VALIDATING


def test_a_lost_change_of_recovery_point_is_never_believed_for_its_state_is_the_same_before_and_after() -> None:
    seen = after(StageName.CHANGE_POINT, running(Act.CHANGE_POINT), minutes=3, lost=("job-1",))
    assert seen.failure.code == "OutcomeUnknown"


def test_a_poorer_sight_of_a_job_keeps_the_request_id_that_a_richer_one_showed() -> None:
    rich = after(StageName.MOVE, running(), jobs={"job-1": job(state="InProgress", request_id="id-1")})
    poor = after(StageName.MOVE, rich, jobs={"job-1": job()})
    assert [(each.job.state, each.request_id) for each in poor.jobs] == [("Succeeded", "id-1")]


# -- confirming -----------------------------------------------------------------------------------------------


def test_a_machine_that_a_job_still_holds_is_not_confirmed() -> None:
    one = running(status=LegStatus.CONFIRMING)
    seen = decide(MOVE, [one], look(held(S.HOME_UNCOMMITTED, "UnplannedFailover"))).legs[0]
    assert seen.status is LegStatus.CONFIRMING


def test_a_re_protected_machine_is_confirmed_while_its_first_copy_offers_little() -> None:
    one = running(Act.REPROTECT, status=LegStatus.CONFIRMING)
    seen = decide(task(StageName.PROTECT), [one], look(snapshot(S.HOME_SYNCING, allowed=()))).legs[0]
    assert (seen.status, seen.acts) == (LegStatus.READY, (Act.REPROTECT,))


def test_a_machine_that_somebody_took_further_meanwhile_is_confirmed() -> None:
    seen = after(StageName.MOVE, running(), S.HOME_COMMITTED, jobs={"job-1": job()})
    assert seen.status is LegStatus.DONE


# -- arriving -------------------------------------------------------------------------------------------------


def test_a_rehearsal_that_is_only_seen_is_believed_after_a_while() -> None:
    one = after(StageName.REHEARSE, leg(), S.AWAY_REHEARSED)
    assert one.words.endswith("making sure")
    assert after(StageName.REHEARSE, one, minutes=3).status is LegStatus.VALIDATING


def test_a_clean_up_does_not_believe_a_list_from_before_the_rehearsal() -> None:
    one = after(StageName.CLEAN_UP, leg(), S.AWAY_PROTECTED)
    assert one.status is LegStatus.READY
    assert decide(task(StageName.CLEAN_UP), [one], look(snapshot(S.AWAY_REHEARSED), when=at(60))).orders


def test_a_machine_that_a_job_holds_has_not_arrived() -> None:
    one = leg(snapshot=held(S.AWAY_PROTECTED, "TestFailover"), since=NOON)
    assert after(StageName.CLEAN_UP, one, minutes=30).status is LegStatus.READY
    assert after(StageName.CLEAN_UP, one, minutes=721).failure.code == "HeldTooLong"


def test_a_machine_that_is_further_than_its_stage_is_done() -> None:
    assert after(StageName.COMMIT, leg(), S.HOME_PROTECTED).status is LegStatus.DONE


def test_a_first_copy_is_waited_for_with_its_progress_shown() -> None:
    seen = decide(task(StageName.PREPARE), [leg()], look(snapshot(S.AWAY_SYNCING, sync_percent=43))).legs[0]
    assert seen.words == "in eastus, first copy back to centralus under way (43 %)"
    assert after(StageName.PREPARE, seen, minutes=60 * 119).status is LegStatus.READY
    assert after(StageName.PREPARE, seen, minutes=60 * 121).failure.code == "FirstCopyOverdue"


def test_a_changed_recovery_point_is_validated_again() -> None:
    one = running(Act.CHANGE_POINT)
    seen = after(StageName.CHANGE_POINT, one, jobs={"job-1": job(Act.CHANGE_POINT)})
    assert seen.status is LegStatus.VALIDATING


def test_a_machine_that_left_home_while_its_point_was_changed_is_not_done() -> None:
    one = leg(acts=(Act.CHANGE_POINT,), act=Act.CHANGE_POINT, since=NOON)
    assert after(StageName.CHANGE_POINT, one, S.HOME_COMMITTED).status is LegStatus.DONE
    assert after(StageName.CHANGE_POINT, one, S.AWAY_PROTECTED).status is LegStatus.READY


# -- what does not fit ----------------------------------------------------------------------------------------


def test_a_machine_where_nobody_expects_it_is_given_ten_minutes() -> None:
    one = after(StageName.MOVE, leg(), S.UNKNOWN)
    assert after(StageName.MOVE, one, minutes=10).status is LegStatus.READY
    assert after(StageName.MOVE, one, minutes=11).failure.code == "UnexpectedState"


def test_an_odd_moment_after_hours_of_waiting_does_not_fail_a_machine() -> None:
    one = after(StageName.PROTECT, leg(since=NOON), S.UNKNOWN, minutes=300)
    assert one.status is LegStatus.READY
    back = after(StageName.PROTECT, one, S.HOME_SYNCING, minutes=301)
    assert after(StageName.PROTECT, back, S.UNKNOWN, minutes=320).status is LegStatus.READY


def test_a_machine_where_nobody_expects_it_is_not_judged_while_a_job_runs() -> None:
    one = leg(since=NOON, snapshot=held(S.AWAY_COMMITTED, "SwitchReplicationGroupProtection"))
    careful = task(StageName.PREPARE, forbidden=(Act.REPROTECT,))
    assert decide(careful, [one], look(when=at(minutes=60))).legs[0].status is LegStatus.READY


def test_an_act_is_not_repeated_when_the_list_falls_back() -> None:
    one = leg(acts=(Act.FAIL_OVER,), act=Act.FAIL_OVER, since=NOON)
    decision = decide(MOVE, [one], look(snapshot(S.AWAY_PROTECTED)))
    assert not decision.orders
    assert after(StageName.MOVE, decision.legs[0], minutes=11).status is LegStatus.FAILED


# -- vanishing ------------------------------------------------------------------------------------------------


def test_a_machine_is_followed_to_where_it_moved() -> None:
    seen = after(StageName.PROTECT, leg(), S.HOME_SYNCING)
    assert seen.item_id == item_id(NAME, "centralus")


def test_a_machine_that_vanishes_is_waited_for_and_then_given_to_people() -> None:
    one = after(StageName.MOVE, leg(snapshot=snapshot(), since=NOON), gone=(NAME,))
    assert not decide(MOVE, [one], look(gone=(NAME,), when=at(minutes=5))).orders
    assert after(StageName.MOVE, one, minutes=11, gone=(NAME,)).failure.code == "ItemGone"


def test_a_machine_that_came_back_as_it_was_is_not_missing_any_more() -> None:
    one = after(StageName.MOVE, leg(snapshot=snapshot(), since=NOON), gone=(NAME,))
    back = decide(MOVE, [one], look(when=at(minutes=11)))
    assert back.legs[0].gone_since is None
    assert back.orders


def test_a_machine_that_moves_is_not_missing_while_its_job_runs() -> None:
    one = running(Act.REPROTECT)
    for minutes in (1, 12):
        one = after(StageName.PROTECT, one, minutes=minutes, gone=(NAME,))
    assert one.status is LegStatus.RUNNING
    ended = after(StageName.PROTECT, one, minutes=13, gone=(NAME,), jobs={"job-1": job(Act.REPROTECT)})
    assert ended.status is LegStatus.CONFIRMING
    assert after(StageName.PROTECT, ended, minutes=24, gone=(NAME,)).failure.code == "ItemGone"


# -- judging --------------------------------------------------------------------------------------------------


def judging(stage: StageName = StageName.MOVE, state: MachineState = S.HOME_UNCOMMITTED) -> Leg:
    return leg(status=LegStatus.VALIDATING, since=NOON, act=Act.FAIL_OVER, acts=(Act.FAIL_OVER,)).having(
        snapshot=snapshot(state), words=stage.value
    )


def test_a_test_machine_is_judged_by_its_own_name_and_without_a_heartbeat() -> None:
    one = judging(state=S.AWAY_REHEARSED)
    order = decide(task(StageName.REHEARSE), [one], look()).validations[0]
    assert (order.vm_name, order.vm_id, order.heartbeat) == (f"{NAME}-test", one.snapshot.test_vm, False)


def test_a_machine_at_home_is_judged_since_its_last_job_began() -> None:
    one = after(StageName.MOVE, running(), S.HOME_UNCOMMITTED, minutes=9, jobs={"job-1": job(started=at(77))})
    order = decide(MOVE, [one], look(when=at(minutes=10))).validations[0]
    assert (order.vm_name, order.since, order.heartbeat) == (NAME, at(77), True)


def test_a_test_machine_that_somebody_removed_is_judged_no_more() -> None:
    one = after(StageName.REHEARSE, judging(), S.AWAY_PROTECTED)
    assert one.status is not LegStatus.VALIDATING


def test_a_machine_that_somebody_committed_is_judged_to_the_end() -> None:
    assert after(StageName.MOVE, judging(), S.HOME_COMMITTED).status is LegStatus.VALIDATING


@pytest.mark.parametrize("verdict", [Verdict.PASSED, Verdict.WARNED, Verdict.FAILED])
def test_a_verdict_ends_the_leg_and_people_see_it(verdict: Verdict) -> None:
    seen = hear_validations(MOVE, [judging()], [validation(verdict)])[0]
    assert seen.status is LegStatus.DONE
    assert seen.words == f"validation {'failed' if verdict is Verdict.FAILED else 'passed'}"


def pending(minutes: float) -> Leg:
    checks = (
        Check(name="power", verdict=Verdict.PENDING, evidence="starting"),
        Check(name="provisioning", verdict=Verdict.PASSED, evidence="done"),
    )
    found = validation(Verdict.PENDING, as_of=at(minutes=minutes), checks=checks)
    return hear_validations(MOVE, [judging()], [found])[0]


def test_a_machine_that_comes_up_is_waited_for() -> None:
    assert pending(14).words == "coming up, waiting for power"


def test_a_machine_that_does_not_come_up_in_time_has_failed_its_validation() -> None:
    seen = pending(15)
    assert (seen.status, seen.validation.verdict) == (LegStatus.DONE, Verdict.FAILED)
    assert [check.verdict for check in seen.validation.checks] == [Verdict.FAILED, Verdict.PASSED]
    assert seen.validation.checks[0].evidence == "starting; not within 15 min"


def test_a_verdict_on_a_machine_that_is_not_judged_changes_nothing() -> None:
    assert hear_validations(MOVE, [leg()], [validation()]) == (leg(),)
    assert hear_validations(MOVE, [judging()], []) == (judging(),)


# -- stopping -------------------------------------------------------------------------------------------------


def test_a_cancelled_run_starts_nothing_more() -> None:
    decision = decide(MOVE, [leg()], look(snapshot()), stopping=True)
    assert not decision.orders
    assert decision.legs[0].status is LegStatus.STOPPED
    assert decision.legs[0].words.endswith("it is in eastus, protected: ready to come home")


def test_a_cancelled_run_waits_for_nothing_that_it_did_not_begin() -> None:
    decision = decide(MOVE, [leg()], look(), stopping=True)
    assert (decision.is_over, decision.legs[0].words) == (True, "stopped before the next act")


@pytest.mark.parametrize("one", [running(), lost(), judging()])
def test_a_cancelled_run_watches_what_runs_to_its_end(one: Leg) -> None:
    assert decide(MOVE, [one], look(), stopping=True).legs[0].status is one.status


def test_a_cancelled_run_stops_after_the_act_that_was_running() -> None:
    one = running(Act.REPROTECT)
    seen = look(snapshot(S.HOME_SYNCING), jobs={"job-1": job(Act.REPROTECT)})
    assert decide(task(StageName.PROTECT), [one], seen, stopping=True).legs[0].status is LegStatus.STOPPED


def test_when_azure_stays_out_of_sight_every_open_leg_ends_with_that_reason() -> None:
    refusal = Refusal(code="AzureOutOfSight", what="nothing was seen", remedy="wait")
    done = leg("done", status=LegStatus.DONE)
    assert [each.status for each in give_up([running(), done], refusal, NOON)] == [
        LegStatus.FAILED,
        LegStatus.DONE,
    ]


def test_a_leg_that_has_ended_is_left_as_it_is() -> None:
    done = leg(status=LegStatus.DONE, snapshot=snapshot())
    assert decide(MOVE, [done], look(when=at(days=9))).legs == (done,)


# -- pausing, and words that run out --------------------------------------------------------------------------

PAUSED = "paused by dana: wait for the network people"


def test_a_paused_run_begins_nothing_and_says_by_whom_it_is_paused() -> None:
    decision = decide(MOVE, [leg()], look(snapshot()), paused=PAUSED)
    assert decision.orders == ()
    assert decision.legs[0].status is LegStatus.READY
    assert PAUSED in decision.legs[0].words


def test_a_paused_run_watches_what_runs_to_its_end() -> None:
    seen = look(snapshot(S.HOME_UNCOMMITTED), jobs={"job-1": job()})
    assert decide(MOVE, [running()], seen, paused=PAUSED).legs[0].status is not LegStatus.RUNNING


def test_no_patience_runs_out_while_a_run_is_paused() -> None:
    waiting = leg(since=NOON, asked_since=NOON, act=Act.FAIL_OVER)
    long_after = look(snapshot(), when=at(days=3))
    held_back = decide(MOVE, [waiting], long_after, paused=PAUSED).legs
    again = decide(MOVE, held_back, look(when=at(days=3, minutes=1)))
    assert [order.act for order in again.orders] == [Act.FAIL_OVER]
    assert again.legs[0].asked_since == at(days=3, minutes=1)


def test_a_cancel_ends_a_paused_run_too() -> None:
    assert decide(MOVE, [leg()], look(snapshot()), stopping=True, paused=PAUSED).is_over


@pytest.mark.parametrize(
    ("stage", "state", "begins"),
    [
        (StageName.MOVE, S.AWAY_PROTECTED, False),
        (StageName.COMMIT, S.HOME_UNCOMMITTED, False),
        (StageName.CHANGE_POINT, S.HOME_UNCOMMITTED, False),
        (StageName.CLEAN_UP, S.AWAY_REHEARSED, True),
        (StageName.PROTECT, S.HOME_COMMITTED, True),
    ],
)
def test_when_peoples_word_has_run_out_nothing_that_needs_it_is_begun(
    stage: StageName, state: MachineState, *, begins: bool
) -> None:
    word = task(stage, until={NAME: at(hours=1)})
    before, after = look(snapshot(state), when=at(minutes=59)), look(snapshot(state), when=at(hours=1))
    assert decide(word, [leg()], before).orders
    late = decide(word, [leg()], after)
    assert bool(late.orders) is begins
    assert late.is_over is not begins


def test_a_machine_that_waits_for_its_turn_is_not_begun_when_its_time_is_over() -> None:
    few = MOVE.having(max_parallel=1, until={"b": at(hours=1)})
    legs = [running(subject=subject("a")), leg("b")]
    seen = look(snapshot(), snapshot(name="b"), when=at(hours=2), jobs={"job-1": job(state="InProgress")})
    decision = decide(few, legs, seen)
    assert [each.status for each in decision.legs] == [LegStatus.RUNNING, LegStatus.STOPPED]


def test_a_job_that_this_run_began_earlier_is_known_as_its_own() -> None:
    earlier = "run-1|run-1:1-move"
    adopted = running(ours=False, earlier=(earlier,))
    ours = job(state="InProgress", request_id=intention(earlier, NAME, Act.FAIL_OVER).upper())
    theirs = job(state="InProgress", request_id="somebody")
    for seen, mine in ((ours, True), (theirs, False)):
        watched = decide(MOVE, [adopted], look(snapshot(), jobs={"job-1": seen})).legs[0]
        assert watched.jobs[0].ours is mine

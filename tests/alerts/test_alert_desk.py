"""A route's desk: one proposal for a storm, each delivery once, only the youngest word of a subject."""

from __future__ import annotations

import json
import random
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from domain import alert_desk as desks
from domain.alert_desk import Desk, Ending, Heard, Hit, Move, Next, Timing, Verdict
from domain.alert_routes import Part
from orchestrators.alert_desk import alert_desk
from tests.orchestrators.test_ledgers import Entity

START = datetime(2026, 11, 20, 2, tzinfo=UTC)
TIMING = Timing(
    hold_down=timedelta(minutes=5),
    stable_for=timedelta(minutes=30),
    give_up_after=timedelta(days=1),
    cool_down=timedelta(hours=6),
)


def at(minutes: float) -> datetime:
    return START + timedelta(minutes=minutes)


class Table:
    """A desk that time passes at."""

    def __init__(self) -> None:
        self.desk = Desk()
        self.minutes = 0.0

    def hear(self, key: str, part: Part = Part.OPENS, minutes: float | None = None, **more: Any) -> Heard:
        self.minutes = self.minutes if minutes is None else minutes
        given = {"subject": key, "storm": "all", "timing": TIMING, "words": f"{key} {part}", **more}
        hit = Hit(key=key, alert=key, part=part, **given)
        self.desk, heard = desks.take(self.desk, hit, at(self.minutes))
        return heard

    def look(self, minutes: float, storm: str = "first", name: str = "all") -> Next:
        self.desk, found = desks.ready(self.desk, name, storm, at(minutes))
        return found

    def propose(self, minutes: float, run: str = "fb-1") -> Next:
        self.minutes = minutes
        self.desk, found = desks.propose(self.desk, "all", "first", run, at(minutes))
        return found

    def close(self, minutes: float, ending: Ending = Ending.RAN) -> bool:
        self.minutes = minutes
        self.desk, again = desks.close(self.desk, "all", "first", ending, at(minutes), outcome="told")
        return again


def opened(**more: Any) -> Table:
    table = Table()
    heard = table.hear("first", **more)
    assert (heard.verdict, heard.leads) == (Verdict.OPENED, True)
    return table


# -- one storm ------------------------------------------------------------------------------------------------


def test_five_hundred_alerts_are_one_storm_with_one_leader() -> None:
    table = opened()
    heard = [table.hear(f"alert-{number}", minutes=1) for number in range(499)]
    assert {each.verdict for each in heard} == {Verdict.JOINED}
    assert not any(each.leads for each in heard)
    storm = table.desk.storms["all"]
    assert (storm.count, len(storm.alerts)) == (500, 20)
    assert len(json.dumps(table.desk.to_wire())) < 150_000


def test_alerts_of_different_matters_are_different_storms() -> None:
    table = opened()
    assert table.hear("second", storm="plan=db").leads
    assert table.look(60, "second", "plan=db").move is Move.GO


def test_a_route_that_does_not_propose_takes_note() -> None:
    table = Table()
    assert table.hear("a", proposes=False).verdict is Verdict.NOTED
    assert table.desk.storms == {}
    assert [note.words for note in table.desk.notes] == ["a opens"]


def test_a_delivery_that_is_repeated_changes_nothing() -> None:
    table = opened()
    before = table.desk
    again = table.hear("first", minutes=3)
    # The leader is told so again: a crash may have come between its storing and its proposal.
    assert (again.verdict, again.leads) == (Verdict.DUPLICATE, True)
    assert table.desk == before
    table.hear("second")
    assert not table.hear("second").leads


# -- hold down and calm ---------------------------------------------------------------------------------------


def test_it_waits_for_the_hold_down_and_for_calm() -> None:
    table = opened()
    assert table.look(1) == Next(move=Move.WAIT, until=at(30), words="waiting for calm until 2026-11-20 02:30:00Z")
    assert table.look(29).move is Move.WAIT
    found = table.look(30)
    assert (found.move, found.count, found.alerts) == (Move.GO, 1, ("first",))


def test_more_good_news_does_not_begin_the_calm_anew() -> None:
    table = opened()
    table.hear("second", minutes=20)
    assert table.look(30).move is Move.GO


def test_bad_news_begins_the_calm_anew_once_it_is_taken_back() -> None:
    table = opened()
    assert table.hear("bad", Part.UNSETTLES, 20, subject="probe", lasting=True).verdict is Verdict.UNSETTLED
    assert table.look(60) == Next(move=Move.WAIT, words="bad news of 1 not taken back yet")
    assert table.hear("good", Part.SETTLES, 70, subject="probe").verdict is Verdict.SETTLED
    assert table.look(99).move is Move.WAIT
    assert table.look(100).move is Move.GO


def test_bad_news_that_does_not_last_begins_the_calm_anew_at_once() -> None:
    table = opened()
    table.hear("bad", Part.UNSETTLES, 20)
    assert table.look(49).move is Move.WAIT
    assert table.look(50).move is Move.GO


def test_the_same_incident_that_is_active_again_and_resolved_again_counts_from_its_last_resolution() -> None:
    table = opened(subject="VT60")
    table.hear("active", Part.UNSETTLES, 10, subject="VT60", lasting=True)
    assert table.look(50).move is Move.WAIT
    table.hear("resolved", Part.OPENS, 60, subject="VT60")
    assert table.look(89).move is Move.WAIT
    assert table.look(90).move is Move.GO


def test_without_any_good_news_left_it_waits() -> None:
    table = opened(subject="VT60")
    table.hear("active", Part.UNSETTLES, 10, subject="VT60")
    assert table.look(80) == Next(move=Move.WAIT, words="waiting for good news")


def test_bad_news_from_before_the_storm_counts_until_it_is_old() -> None:
    table = Table()
    assert table.hear("bad", Part.UNSETTLES, 0, subject="T2", lasting=True).verdict is Verdict.UNSETTLED
    table.hear("first", Part.OPENS, 600)
    assert table.look(700).move is Move.WAIT
    assert table.look(24 * 60 + 1).move is Move.GO


def test_what_is_never_calm_is_given_up() -> None:
    table = opened()
    table.hear("bad", Part.UNSETTLES, 10, lasting=True)
    found = table.look(24 * 60)
    assert (found.move, found.words) == (Move.OVER, "it was never calm for long enough")
    assert table.desk.storms["all"].ending is Ending.NEVER_CALM
    assert table.hear("late", minutes=24 * 60 + 5).verdict is Verdict.COOLING_DOWN


# -- taking back ----------------------------------------------------------------------------------------------


def test_an_alert_that_takes_itself_back_ends_the_storm_and_the_next_begins_another() -> None:
    table = opened()
    assert table.hear("resolved", Part.TAKES_BACK, 3, subject="first").verdict is Verdict.TAKEN_BACK
    assert table.look(60) == Next(move=Move.OVER, words="it was taken back")
    assert table.hear("new", minutes=61).leads


def test_a_storm_stands_as_long_as_one_of_its_alerts_does() -> None:
    table = opened()
    table.hear("second")
    table.hear("resolved", Part.TAKES_BACK, 3, subject="first")
    assert table.look(60).move is Move.GO


def test_what_never_stood_cannot_be_taken_back() -> None:
    table = opened()
    table.hear("stranger", Part.TAKES_BACK, 3)
    assert table.look(60).move is Move.GO


# -- reordering -----------------------------------------------------------------------------------------------


def test_a_resolution_that_overtakes_its_alert_leaves_nothing() -> None:
    table = Table()
    table.hear("resolved", Part.TAKES_BACK, 5, subject="a", at=at(4))
    late = table.hear("fired", Part.OPENS, 6, subject="a", at=at(1))
    assert (late.verdict, late.leads) == (Verdict.OUTDATED, False)
    assert table.desk.storms == {}


def test_a_resolution_that_bears_the_time_of_its_alert_is_the_younger_in_either_order() -> None:
    told = {"subject": "a", "at": at(1)}
    early = Table()
    early.hear("resolved", Part.TAKES_BACK, 5, final=True, **told)
    assert early.hear("fired", Part.OPENS, 6, **told).verdict is Verdict.OUTDATED
    late = Table()
    late.hear("fired", Part.OPENS, 5, **told)
    assert late.hear("resolved", Part.TAKES_BACK, 6, final=True, **told).verdict is Verdict.TAKEN_BACK
    assert late.hear("anew", Part.OPENS, 8, subject="a", at=at(7)).leads


def test_old_bad_news_that_comes_late_unsettles_nothing() -> None:
    table = opened(subject="VT60", at=at(-1), minutes=0)
    assert table.hear("old", Part.UNSETTLES, 1, subject="VT60", at=at(-60)).verdict is Verdict.OUTDATED
    assert table.look(30).move is Move.GO


def test_a_time_in_the_future_counts_as_now() -> None:
    table = opened(subject="VT60", at=at(10_000))
    table.hear("active", Part.UNSETTLES, 1, subject="VT60", at=at(1), lasting=True)
    assert table.look(60).move is Move.WAIT


# -- proposed -------------------------------------------------------------------------------------------------


def proposed() -> Table:
    table = opened(subject="VT60")
    assert table.propose(30).move is Move.GO
    return table


def test_only_what_may_go_is_tied_to_a_run() -> None:
    table = opened()
    assert table.propose(29).move is Move.WAIT
    assert table.desk.storms["all"].run is None
    assert proposed().desk.storms["all"].run == "fb-1"


def test_bad_news_withdraws_the_run_that_is_proposed() -> None:
    table = proposed()
    heard = table.hear("active", Part.UNSETTLES, 40, subject="VT60", lasting=True)
    assert heard.withdraws == "fb-1"
    assert heard.words == "not calm any more: active unsettles"


def test_an_alert_taken_back_withdraws_the_run_that_is_proposed() -> None:
    table = proposed()
    heard = table.hear("back", Part.TAKES_BACK, 40, subject="VT60")
    assert (heard.withdraws, heard.verdict) == ("fb-1", Verdict.TAKEN_BACK)


def test_more_of_the_same_storm_proposes_nothing_while_a_run_is_proposed_or_after_it() -> None:
    table = proposed()
    assert table.hear("more", minutes=60).verdict is Verdict.JOINED
    assert table.close(100) is False
    assert table.desk.storms["all"].outcome == "told"
    assert table.hear("yet more", minutes=100 + 6 * 60 - 1).verdict is Verdict.COOLING_DOWN
    assert table.hear("new", minutes=100 + 6 * 60).leads


def test_after_a_withdrawal_the_next_good_news_proposes_anew() -> None:
    table = proposed()
    table.hear("active", Part.UNSETTLES, 40, subject="VT60", lasting=True)
    assert table.close(41, Ending.WITHDRAWN) is False
    assert table.hear("resolved", minutes=45, subject="VT60").leads


def test_good_news_between_a_withdrawal_and_its_end_begins_another_round() -> None:
    table = proposed()
    table.hear("active", Part.UNSETTLES, 40, subject="VT60", lasting=True)
    assert not table.hear("resolved", minutes=41, subject="VT60").leads
    assert table.close(42, Ending.WITHDRAWN) is True
    storm = table.desk.storms["all"]
    assert (storm.round, storm.run, storm.ending) == (1, None, None)
    assert table.look(71).move is Move.WAIT
    assert table.look(72).move is Move.GO


def test_bad_news_after_that_good_news_takes_the_other_round_away() -> None:
    table = proposed()
    table.hear("active", Part.UNSETTLES, 40, subject="VT60", lasting=True)
    table.hear("resolved", minutes=41, subject="VT60")
    table.hear("active again", Part.UNSETTLES, 42, subject="VT60", lasting=True)
    assert table.close(43, Ending.WITHDRAWN) is False


def test_a_proposal_of_a_storm_that_is_over_does_nothing() -> None:
    table = proposed()
    table.close(50)
    assert table.close(51) is False
    assert table.look(60).move is Move.OVER
    assert table.look(60, "another").move is Move.OVER
    assert table.look(60, name="nothing").move is Move.OVER


def test_of_many_storms_those_that_ended_first_are_forgotten_and_none_that_goes_on() -> None:
    table = opened()
    for number in range(60):
        table.hear(f"a{number}", storm=f"plan={number}")
        table.hear(f"b{number}", Part.TAKES_BACK, storm=f"plan={number}", subject=f"a{number}", at=at(1))
    assert len(table.desk.storms) == 50
    assert "all" in table.desk.storms
    assert "plan=0" not in table.desk.storms


def test_a_route_has_so_many_storms_at_once_and_no_more() -> None:
    table = Table()
    heard = [table.hear(f"a{number}", storm=f"plan={number}") for number in range(60)]
    assert [each.verdict for each in heard] == [Verdict.OPENED] * 50 + [Verdict.CROWDED] * 10
    assert not any(each.leads for each in heard[50:])
    table.hear("back", Part.TAKES_BACK, storm="plan=0", subject="a0", at=at(1))
    assert table.hear("next", storm="plan=60").leads


def test_bad_news_that_stands_outlives_however_many_other_words() -> None:
    table = opened()
    table.hear("incident", Part.UNSETTLES, 1, subject="T1", lasting=True)
    for number in range(2_000):
        table.hear(f"alert-{number}", minutes=2)
    assert len(table.desk.said) == 600
    assert table.look(60).move is Move.WAIT
    table.hear("over", Part.OPENS, 61, subject="T1")
    assert table.look(92).move is Move.GO


def test_of_bad_news_without_end_the_first_is_forgotten() -> None:
    table = opened()
    for number in range(1_300):
        table.hear(f"alert-{number}", Part.UNSETTLES, 1, lasting=True)
    assert len(table.desk.said) == 1_200


# -- any order ------------------------------------------------------------------------------------------------

NEWS = st.tuples(
    st.sampled_from(["T1", "T2", "T3"]), st.sampled_from([Part.OPENS, Part.UNSETTLES]), st.integers(-600, -1)
)


@given(st.lists(NEWS, min_size=1, max_size=12, unique_by=lambda each: (each[0], each[2])), st.integers())
def test_in_whatever_order_and_how_often_alerts_come_the_same_is_proposed(
    news: list[tuple[str, Part, int]], seed: int
) -> None:
    def goes(order: list[tuple[str, Part, int]]) -> bool:
        table = Table()
        for subject, part, when in order:
            lasting = part is Part.UNSETTLES
            table.hear(f"{subject}{when}", part, subject=subject, at=at(when), lasting=lasting)
        storm = table.desk.storms.get("all")
        return storm is not None and table.look(60, storm.id).move is Move.GO

    shuffled = [*news, *news]
    random.Random(seed).shuffle(shuffled)
    last = {subject: part for subject, part, _ in sorted(news, key=lambda each: each[2])}
    assert goes(shuffled) is goes(sorted(news, key=lambda each: each[2]))
    assert goes(news) is (set(last.values()) == {Part.OPENS})


# -- the entity -----------------------------------------------------------------------------------------------


def test_a_desk_that_is_asked_what_it_does_not_know_remembers_nothing_and_says_nothing() -> None:
    desk = Entity(alert_desk)
    assert desk.ask("burn", {"everything": True}) is None
    assert Desk.from_wire(desk.get_state()) == Desk()

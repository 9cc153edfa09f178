"""The choice of a recovery point: the same for every order of the list, and never one that lacks a disk."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.contract import ChosenPoint, RecoveryPoint
from domain.recovery_points import choose, is_whole, newest_first, offer
from domain.request import PointChoice, Select
from tests.unit.making import DISK, NOON, at, item_id, point

SECOND_DISK = f"{DISK}-data"
DISKS = (DISK, SECOND_DISK)
LATEST = PointChoice()
PROCESSED = PointChoice(select=Select.LATEST_PROCESSED)


def chosen(points: list[RecoveryPoint], choice: PointChoice, disks: tuple[str, ...] = (DISK,)) -> ChosenPoint:
    return choose(points, choice, disks, NOON)


policies = st.builds(
    PointChoice,
    select=st.sampled_from([each for each in Select if each is not Select.CUSTOM]),
    not_after=st.none() | st.integers(0, 90).map(lambda minutes: at(minutes=-minutes)),
)
listed = st.builds(
    RecoveryPoint,
    id=st.uuids().map(lambda each: f"{item_id()}/recoveryPoints/{each}"),
    time=st.integers(0, 12).map(lambda steps: at(minutes=-5 * steps)),
    kind=st.sampled_from(("CrashConsistent", "AppConsistent", "ApplicationConsistent", "crashconsistent")),
    disks=st.sampled_from(((), (DISK,), DISKS, (DISK.upper(), SECOND_DISK.lower()))),
)
lists = st.lists(listed, unique_by=lambda each: each.id)


@given(lists, policies, st.randoms(use_true_random=False))
def test_any_order_of_the_list_gives_the_same_point(
    points: list[RecoveryPoint], choice: PointChoice, random: Random
) -> None:
    shuffled = random.sample(points, len(points))
    assert chosen(shuffled, choice, DISKS) == chosen(points, choice, DISKS)


@given(lists, policies)
def test_the_newest_point_that_fits_is_chosen_and_a_point_that_lacks_a_disk_is_never(
    points: list[RecoveryPoint], choice: PointChoice
) -> None:
    found = chosen(points, choice, DISKS)
    fitting = [each for each in points if fits(each, choice)]
    assert (found.refusal is None) == bool(fitting)
    assert found.time == max((each.time for each in fitting), default=None)
    assert found.id is None or found.id in {each.id for each in fitting}


def fits(each: RecoveryPoint, choice: PointChoice) -> bool:
    kinds = {Select.LATEST_APP_CONSISTENT: "app", Select.LATEST_CRASH_CONSISTENT: "crash"}
    return (
        (not each.disks or len(each.disks) == len(DISKS))
        and each.kind.casefold().startswith(kinds.get(choice.select, ""))
        and (choice.not_after is None or each.time <= choice.not_after)
    )


def test_of_two_points_of_one_moment_the_application_consistent_one_is_chosen() -> None:
    assert [each.kind for each in newest_first([point(5), point(5, "AppConsistent")])] == [
        "AppConsistent",
        "CrashConsistent",
    ]


def test_latest_is_left_to_the_service_and_shows_the_newest_listed() -> None:
    found = chosen([point(10), point(5)], LATEST)
    assert (found.id, found.time, found.age) == (None, at(minutes=-5), timedelta(minutes=5))


def test_latest_with_a_limit_in_time_names_its_point() -> None:
    assert chosen([point(10), point(5)], LATEST.having(not_after=at(minutes=-7))).id == point(10).id


def test_a_point_that_names_no_disks_is_taken_to_be_whole() -> None:
    assert is_whole(point(disks=()), DISKS)
    assert not is_whole(point(), DISKS)


def test_an_empty_list_is_refused_with_what_to_do() -> None:
    assert chosen([], PROCESSED).refusal.code == "NoRecoveryPoint"


def test_a_limit_is_repeated_in_universal_time() -> None:
    limit = datetime(2026, 1, 15, 1, 0, tzinfo=timezone(timedelta(hours=2)))
    found = chosen([point()], PROCESSED.having(not_after=limit))
    assert "of 2026-01-14 23:00:00Z or before" in found.refusal.what
    assert limit.astimezone(UTC).hour == 23


def test_a_named_point_is_found_by_its_last_segment_in_any_case() -> None:
    choice = PointChoice(select=Select.CUSTOM, id="/other/container/recoveryPoints/POINT-5-CRASHCONSISTENT")
    assert chosen([point(10), point(5)], choice).id == point(5).id


@pytest.mark.parametrize(
    ("points", "span"), [([point(10), point(5)], "11:50:00Z to 2026-01-15 11:55:00Z"), ([], "")]
)
def test_a_named_point_that_is_not_listed_is_refused_with_what_is(points: list[RecoveryPoint], span: str) -> None:
    refusal = chosen(points, PointChoice(select=Select.CUSTOM, id="pruned")).refusal
    assert refusal.code == "RecoveryPointNotFound"
    assert span in refusal.what


def test_a_named_point_that_lacks_a_disk_is_refused_by_the_disks_name() -> None:
    choice = PointChoice(select=Select.CUSTOM, id=point(5).id)
    refusal = chosen([point(5)], choice, DISKS).refusal
    assert (refusal.code, "lacks os-data" in refusal.what) == ("RecoveryPointIncomplete", True)


@given(lists, st.integers(0, 8))
def test_what_is_offered_is_whole_bounded_and_sorted(points: list[RecoveryPoint], most: int) -> None:
    offered = offer(points, DISKS, most)
    whole = {point.id.rsplit("/", 1)[-1] for point in points if is_whole(point, DISKS)}
    assert len(offered) == min(most, len(whole))
    assert {each.name for each in offered} <= whole
    assert [each.time for each in offered] == sorted((each.time for each in offered), reverse=True)
    assert len({each.name for each in offered}) == len(offered)


def test_of_many_points_the_newest_and_the_oldest_are_offered_too() -> None:
    points = [point(5 * number) for number in range(100)]
    offered = [each.time for each in offer(points, (DISK,), 10)]
    assert offered[:5] == [at(minutes=-5 * number) for number in range(5)]
    assert offered[-1] == at(minutes=-5 * 99)

"""What is seen of machines and jobs, and when two sights are the same."""

from __future__ import annotations

from datetime import timedelta

import pytest

from domain.lifecycle import Act
from domain.machine import TaskSnapshot, last_segment, region, same_id
from tests.unit.making import S, at, job, snapshot


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("/Subscriptions/A/x", "/subscriptions/a/X/", True),
        ("/a/x", "/a/y", False),
        (None, "", True),
        (None, "/a", False),
    ],
)
def test_ids_are_the_same_whatever_their_case_and_last_slash(
    one: str | None, other: str | None, *, same: bool
) -> None:
    assert same_id(one, other) is same


@pytest.mark.parametrize("arm_id", ["/a/b/point", "/a/b/point/", "point", "/a/b/point?api-version=1/2"])
def test_only_the_last_segment_of_a_point_can_be_compared(arm_id: str) -> None:
    assert last_segment(arm_id) == "point"


def test_a_region_has_one_name_however_it_is_spelt() -> None:
    assert region("Central US") == region("centralus") == "centralus"
    assert region(None) == ""


def test_two_looks_that_saw_the_same_have_the_same_mark() -> None:
    assert snapshot().mark == snapshot().mark
    assert snapshot().mark != snapshot(S.AWAY_REHEARSED).mark
    assert job().mark != job(state="Failed").mark


def test_the_lag_of_replication_alone_is_no_change() -> None:
    assert snapshot(rpo=timedelta(minutes=5)).mark == snapshot(rpo=timedelta(minutes=9)).mark


@pytest.mark.parametrize(
    "state",
    [
        "Succeeded",
        "CompletedWithInformation",
        "PartiallySucceeded",
        "Failed",
        "Cancelled",
        "Canceled",
        "CompletedWithErrors",
        "",
    ],
)
def test_a_job_has_ended_unless_its_state_is_known_to_go_on_and_only_two_ends_are_a_success(state: str) -> None:
    assert job(state=state).has_ended
    assert job(state=state).succeeded == (state in {"Succeeded", "CompletedWithInformation"})


@pytest.mark.parametrize("state", ["NotStarted", "InProgress", "Suspended", "Cancelling", "Other"])
def test_a_job_that_goes_on_has_not_ended(state: str) -> None:
    assert not job(state=state, ended=None).has_ended
    assert not job(state=state).succeeded


def test_a_job_in_a_state_that_says_nothing_has_ended_once_it_has_an_end() -> None:
    assert job(state="Other", ended=at(5)).has_ended


def test_the_task_that_runs_now_is_named() -> None:
    tasks = (TaskSnapshot(name="Check", state="Succeeded"), TaskSnapshot(name="Move", state="InProgress"))
    assert job(Act.FAIL_OVER, "InProgress", tasks=tasks).running_task == "Move"
    assert job().running_task == ""

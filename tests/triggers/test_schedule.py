"""What happens by itself: started once for each moment, by the clocks of its zone."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import pytest

from domain.drills import Drill
from triggers import schedule

VAULT = (
    "/subscriptions/11111111-1111-1111-1111-111111111111/resourceGroups/contoso-dr"
    "/providers/Microsoft.RecoveryServices/vaults/contoso-vault"
)


def drill(**more: Any) -> Drill:
    return Drill.model_validate({"name": "weekly", "cron": "0 2 * * SUN", "vault": VAULT, **more})


def at(text: str) -> datetime:
    return datetime.fromisoformat(text)


@pytest.mark.parametrize(
    ("cron", "zone", "now", "slot"),
    [
        ("0 2 * * SUN", "UTC", "2026-11-22T02:00:00Z", "2026-11-22T02:00:00Z"),
        ("0 2 * * SUN", "UTC", "2026-11-22T03:00:00Z", "2026-11-22T02:00:00Z"),
        ("0 2 * * SUN", "UTC", "2026-11-22T03:00:01Z", None),
        ("0 2 * * SUN", "UTC", "2026-11-22T01:59:59Z", None),
        ("0 2 * * *", "Europe/Berlin", "2026-07-01T00:20:00Z", "2026-07-01T00:00:00Z"),
        ("0 2 * * *", "Europe/Berlin", "2026-12-01T01:20:00Z", "2026-12-01T01:00:00Z"),
        ("0 2 * * *", "Asia/Kolkata", "2026-12-01T20:30:00Z", "2026-12-01T20:30:00Z"),
        # The night in which two o'clock does not exist, and the one in which it comes twice.
        ("30 2 * * *", "Europe/Berlin", "2026-03-29T01:10:00Z", "2026-03-29T01:00:00Z"),
        ("30 2 * * *", "Europe/Berlin", "2026-10-25T00:40:00Z", "2026-10-25T00:30:00Z"),
        ("30 2 * * *", "Europe/Berlin", "2026-10-25T01:10:00Z", "2026-10-25T00:30:00Z"),
        ("30 2 * * *", "Europe/Berlin", "2026-10-25T01:31:00Z", None),
    ],
)
def test_a_moment_is_due_by_the_clocks_of_the_zone_and_for_a_while(
    cron: str, zone: str, now: str, slot: str | None
) -> None:
    assert schedule.due_slot(drill(cron=cron, zone=zone), at(now)) == (at(slot) if slot else None)


@pytest.mark.parametrize(
    ("zone", "night"),
    [
        ("Europe/Berlin", "2026-03-28T20:00:00Z"),
        ("Europe/Berlin", "2026-10-24T20:00:00Z"),
        ("America/New_York", "2026-03-08T00:00:00Z"),
        ("America/New_York", "2026-11-01T00:00:00Z"),
        ("Australia/Lord_Howe", "2026-04-04T09:00:00Z"),
        ("Australia/Lord_Howe", "2026-10-03T09:00:00Z"),
        ("Africa/Casablanca", "2026-02-14T20:00:00Z"),
    ],
)
@pytest.mark.parametrize("cron", ["30 1 * * *", "30 2 * * *", "0 3 * * *"])
@pytest.mark.parametrize("within", ["PT5M", "PT6H"])
def test_a_drill_is_due_once_in_a_night_in_which_the_clocks_are_changed(
    zone: str, night: str, cron: str, within: str
) -> None:
    daily, begins = drill(cron=cron, zone=zone, within=within), at(night)
    due = {schedule.due_slot(daily, begins + timedelta(minutes=5 * tick)) for tick in range(12 * 14)}
    assert len(due - {None}) == 1


def test_a_cron_that_is_none_is_logged_and_holds_no_drill(caplog: pytest.LogCaptureFixture) -> None:
    assert schedule.due_slot(drill(cron="0 2 * * SOMEDAY"), datetime(2026, 1, 1, tzinfo=UTC)) is None
    assert "never held" in caplog.text


class Status:
    def __init__(self, status: str | None) -> None:
        self.runtime_status = status


class Slow:
    """A durable client that says that nothing was begun, and refuses to begin it: another firing was faster."""

    async def get_status(self, _: str) -> Status:
        return Status(None)

    async def start_new(self, *_: Any) -> str:
        raise RuntimeError("an instance of this id runs already")


def test_a_firing_that_comes_second_does_no_harm(caplog: pytest.LogCaptureFixture) -> None:
    asyncio.run(schedule._start_once(cast("Any", Slow()), "drill", "drill-weekly-202611220200", {}))
    assert "was not started" in caplog.text

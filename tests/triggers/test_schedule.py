"""What happens by itself: started once for each moment, by the clocks of its zone."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
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
        ("0 2 * * SUN", "UTC", "2026-11-22T01:59:59Z", "2026-11-15T02:00:00Z"),
        ("0 2 * * *", "Europe/Berlin", "2026-07-01T12:00:00Z", "2026-07-01T00:00:00Z"),
        ("0 2 * * *", "Europe/Berlin", "2026-12-01T12:00:00Z", "2026-12-01T01:00:00Z"),
        # The night in which two o'clock does not exist, and the one in which it comes twice.
        ("30 2 * * *", "Europe/Berlin", "2026-03-29T12:00:00Z", "2026-03-29T01:00:00Z"),
        ("30 2 * * *", "Europe/Berlin", "2026-10-25T12:00:00Z", "2026-10-25T00:30:00Z"),
    ],
)
def test_the_last_moment_is_told_by_the_clocks_of_the_zone(cron: str, zone: str, now: str, slot: str) -> None:
    assert schedule.last_slot(drill(cron=cron, zone=zone), at(now)) == at(slot)


def test_a_cron_that_is_none_is_logged_and_holds_no_drill(caplog: pytest.LogCaptureFixture) -> None:
    assert schedule.last_slot(drill(cron="0 2 * * SOMEDAY"), datetime(2026, 1, 1, tzinfo=UTC)) is None
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

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from simulator import ManualClock, ScaledClock, Simulator
from simulator.ids import Ids
from simulator.times import http_date, operation_end, parse_instant, ticks, whole_seconds

AT = datetime(2023, 1, 16, 9, 28, 50, 722260, tzinfo=UTC)


def test_instants_are_written_as_the_service_writes_them() -> None:
    assert ticks(AT) == "2023-01-16T09:28:50.7222600Z"
    assert whole_seconds(AT) == "2023-01-16T09:28:50Z"
    assert operation_end(AT) == "2023-01-16T09:28:50.0000000Z"
    assert http_date(AT) == "Mon, 16 Jan 2023 09:28:50 GMT"


@pytest.mark.parametrize("text", ["2023-01-16T09:28:50.7222600Z", "'2023-01-16T09:28:50.722260+00:00'"])
def test_instants_are_read_with_any_number_of_decimals(text: str) -> None:
    assert parse_instant(text) == AT


def test_the_same_seed_gives_the_same_ids_and_no_id_comes_twice() -> None:
    first, second, other = Ids(1), Ids(1), Ids(2)
    drawn = [first.fresh("job") for _ in range(100)]
    assert drawn == [second.fresh("job") for _ in range(100)]
    assert len({*drawn, *(other.fresh("job") for _ in range(100))}) == 200
    assert first.fixed("vault", "A") == second.fixed("VAULT", "a")


def test_a_scaled_clock_runs_ahead_and_can_be_advanced() -> None:
    clock = ScaledClock(speed=1_000_000)
    first = clock.now()
    clock.advance(timedelta(days=1))
    assert clock.now() - first > timedelta(days=1)
    assert abs(clock.client_now() - datetime.now(UTC)) < timedelta(seconds=5)
    with pytest.raises(ValueError, match="above zero"):
        ScaledClock(0)


def test_two_simulators_with_one_seed_are_alike() -> None:
    def state(seed: int) -> object:
        return next(iter(Simulator(clock=ManualClock(), seed=seed).world.items.values())).entity_id

    assert state(3) == state(3)
    assert state(3) != state(4)

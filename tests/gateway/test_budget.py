from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from domain.settings import Settings
from gateway.budget import Bucket
from gateway.clock import AzureClock
from gateway.pipeline import ArmReader, Line
from tests.gateway.conftest import Answer, Impatient, Service, Token


class Watch:
    def __init__(self) -> None:
        self.time = datetime(2026, 11, 22, 18, 0, tzinfo=UTC)

    def now(self) -> datetime:
        return self.time

    def step(self, seconds: float) -> None:
        self.time += timedelta(seconds=seconds)


@pytest.fixture
def watch() -> Watch:
    return Watch()


def test_a_burst_as_large_as_the_bucket_does_not_wait(watch: Watch) -> None:
    bucket = Bucket(5, 2.0, watch.now)
    assert [bucket.take() for _ in range(7)] == [0, 0, 0, 0, 0, 0.5, 1.0]


def test_time_brings_tokens_back_up_to_the_bucket_and_no_further(watch: Watch) -> None:
    bucket = Bucket(2, 1.0, watch.now)
    bucket.take()
    watch.step(3_600)
    assert [bucket.take() for _ in range(3)] == [0, 0, 1.0]
    watch.step(1)
    assert bucket.take() == 1.0


def test_a_clock_that_steps_back_to_azures_gives_and_takes_nothing(watch: Watch) -> None:
    bucket = Bucket(2, 1.0, watch.now)
    bucket.take()
    watch.step(-1_000_000)
    assert bucket.take() == 0
    assert bucket.take() == 1.0


def test_calls_beyond_the_budget_wait_before_they_are_sent(
    service: Service, token: Token, transport: Impatient, watch: Watch
) -> None:
    line = Line(
        settings=Settings(arm_endpoint=service.url),
        credential=token,
        transport=transport,
        clock=AzureClock(),
        reads=Bucket(2, 4.0, watch.now),
        writes=Bucket(1, 2.0, watch.now),
    )
    reader = ArmReader(line)
    service.answers(Answer(200, {}))
    for _ in range(4):
        reader.get("/subscriptions/s", "2022-12-01")
    assert transport.naps == [0.25, 0.5]
    assert len(service.calls) == 4

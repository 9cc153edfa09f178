from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from gateway.batch import Batch
from gateway.clock import AzureClock


def test_before_the_first_answer_our_own_clock_is_used() -> None:
    assert abs(AzureClock().now() - datetime.now(UTC)) < timedelta(seconds=5)


@pytest.mark.parametrize("header", [None, "", "yesterday"])
def test_a_date_that_cannot_be_read_changes_nothing(header: str | None) -> None:
    clock = AzureClock(lambda: 0.0)
    clock.saw("Sun, 22 Nov 2026 18:30:00 GMT")
    clock.saw(header)
    assert clock.now() == datetime(2026, 11, 22, 18, 30, tzinfo=UTC)


def test_between_answers_the_clock_goes_on() -> None:
    seconds = [0.0]
    clock = AzureClock(lambda: seconds[0])
    clock.saw("Sun, 22 Nov 2026 18:30:00 GMT")
    seconds[0] = 61.7
    assert clock.now() == datetime(2026, 11, 22, 18, 31, 1, tzinfo=UTC)


class Slow:
    """A read that waits until it is let go, and counts how often it was made."""

    def __init__(self) -> None:
        self.begun = threading.Semaphore(0)
        self.go = threading.Semaphore(0)
        self.count = 0

    def __call__(self) -> int:
        self.count += 1
        self.begun.release()
        assert self.go.acquire(timeout=10)
        return self.count


def ask(batch: Batch[int], answers: list[int]) -> threading.Thread:
    thread = threading.Thread(target=lambda: answers.append(batch.read()))
    thread.start()
    return thread


def wait_until(holds: Callable[[], bool]) -> None:
    for _ in range(2_000):
        if holds():
            return
        threading.Event().wait(0.001)
    raise AssertionError("it never came to hold")


def test_all_who_come_during_a_read_share_the_next_one() -> None:
    slow = Slow()
    batch = Batch(slow)
    first: list[int] = []
    later: list[int] = []
    threads = [ask(batch, first)]
    slow.begun.acquire()
    threads += [ask(batch, later) for _ in range(20)]
    # One of them waits for its turn, the others for its answer.
    wait_until(lambda: batch._next is not None and len(batch._next._condition._waiters) == 19)
    slow.go.release(2)
    for thread in threads:
        thread.join(10)
    assert first == [1]
    assert later == [2] * 20
    assert slow.count == 2


def test_nobody_gets_an_answer_that_was_begun_before_asking() -> None:
    counts = iter(range(1, 10))
    batch = Batch(lambda: next(counts))
    assert [batch.read(), batch.read(), batch.read()] == [1, 2, 3]


def test_a_read_that_fails_fails_all_who_share_it_and_nobody_after() -> None:
    outcomes: list[int | ValueError] = [ValueError("no"), 7]

    def read() -> int:
        outcome = outcomes.pop(0)
        if isinstance(outcome, ValueError):
            raise outcome
        return outcome

    batch = Batch(read)
    with pytest.raises(ValueError, match="no"):
        batch.read()
    assert batch.read() == 7

"""The second replay by itself: an action list run against a history, without a function, a file or a clock."""

import pytest

from localhost.clock import DEFAULT_START
from localhost.engine.actions import (
    Action,
    Answer,
    CallActivity,
    ContinueAsNew,
    CreateTimer,
    Retry,
    WaitForEvent,
    WhenAll,
    WhenAny,
)
from localhost.engine.determinism import disagreement
from localhost.engine.events import Event, EventType, decode_many, encode_many, timestamp
from localhost.engine.replay import Identity, Replay, replay

AT = timestamp(DEFAULT_START)
ME = Identity("me", "execution")


def run(actions: list[Action], *later: Event) -> Replay:
    begin = [Event(EventType.ORCHESTRATOR_STARTED, AT), Event(EventType.EXECUTION_STARTED, AT, name="x")]
    return replay(ME, Answer(actions=tuple(actions)), [*begin, *later])


def scheduled(number: int, name: str = "a") -> Event:
    return Event(EventType.TASK_SCHEDULED, AT, id=number, name=name)


def completed(number: int) -> Event:
    return Event(EventType.TASK_COMPLETED, AT, target=number)


def failed(number: int) -> Event:
    return Event(EventType.TASK_FAILED, AT, target=number)


def raised(name: str) -> Event:
    return Event(EventType.EVENT_RAISED, AT, name=name)


def wants(found: Replay) -> dict[int, str | None]:
    return {number: decision.event.name for number, decision in found.decisions.items()}


A, B = CallActivity("a", None), CallActivity("b", None)


def test_an_action_starts_when_the_one_before_it_is_done() -> None:
    assert wants(run([A, B])) == {0: "a"}
    assert wants(run([A, B], scheduled(0), completed(0))) == {1: "b"}
    assert wants(run([A, B], scheduled(0), failed(0))) == {1: "b"}


def test_when_all_waits_for_every_child_even_if_one_failed() -> None:
    both = WhenAll((A, A))
    assert wants(run([both, B])) == {0: "a", 1: "a"}
    assert wants(run([both, B], scheduled(0), scheduled(1), failed(0))) == {}
    assert wants(run([both, B], scheduled(0), scheduled(1), failed(0), completed(1))) == {2: "b"}


def test_when_any_waits_for_the_first_child_and_the_other_stays_open() -> None:
    found = run([WhenAny((A, A)), B], scheduled(0), scheduled(1), completed(1))
    assert wants(found) == {2: "b"}
    assert set(found.open) == {0, 2}


def test_an_event_goes_to_the_latest_waiter_of_its_name_in_any_case() -> None:
    actions = [WhenAny((WaitForEvent("Go"), A)), WaitForEvent("Go"), B]
    assert wants(run(actions, scheduled(0), completed(0))) == {}
    assert wants(run(actions, scheduled(0), completed(0), raised("gO"))) == {1: "b"}


def test_events_before_their_waiter_are_kept_in_order() -> None:
    actions = [A, WaitForEvent("go"), WaitForEvent("go"), B]
    assert wants(run(actions, raised("go"), scheduled(0), completed(0))) == {}
    assert wants(run(actions, raised("go"), raised("go"), scheduled(0), completed(0))) == {1: "b"}


def test_waiting_for_an_event_holds_nothing_open() -> None:
    assert run([WaitForEvent("go")]).open == {}


def test_a_canceled_timer_takes_its_number_and_holds_nothing_open() -> None:
    found = run([CreateTimer(AT, is_canceled=True), A])
    assert [decision.event.type for decision in found.decisions.values()] == [
        EventType.TIMER_CREATED,
        EventType.TASK_SCHEDULED,
    ]
    assert set(found.open) == {1}


def test_a_retry_waits_its_interval_and_after_the_last_failure_not_at_all() -> None:
    retried: list[Action] = [WhenAll((CallActivity("a", None, Retry(5000, 2)),)), B]
    timer = Event(EventType.TIMER_CREATED, AT, id=1)
    fired = Event(EventType.TIMER_FIRED, AT, target=1)
    first = run(retried, scheduled(0), failed(0))
    assert first.decisions[1].event.fire_at == "2026-01-01T00:00:05.000000Z"
    last = run(retried, scheduled(0), failed(0), timer, fired, scheduled(2), failed(2))
    assert last.decisions[3].event.fire_at == AT
    assert wants(last) == {3: None}


def test_after_continue_as_new_events_are_carried_over() -> None:
    found = run([A, ContinueAsNew("1")], scheduled(0), completed(0), raised("go"))
    assert found.continue_with == ContinueAsNew("1")
    assert [event.name for event in found.carried] == ["go"]


def test_while_suspended_nothing_happens_and_then_everything_does() -> None:
    suspend, resume = Event(EventType.EXECUTION_SUSPENDED, AT), Event(EventType.EXECUTION_RESUMED, AT)
    held = run([A, B], scheduled(0), suspend, completed(0))
    assert held.is_suspended
    assert wants(held) == {}
    assert wants(run([A, B], scheduled(0), suspend, completed(0), resume)) == {1: "b"}


RECORDED: dict[str, tuple[Event, str]] = {
    "an activity": (scheduled(3), "an activity task with sequence ID 3 and name 'a' (version '')"),
    "a child": (
        Event(EventType.SUB_ORCHESTRATION_CREATED, AT, id=3, name="c", version="2", instance_id="one"),
        "a sub-orchestration task with sequence ID 3 and name 'c' (version '2', instance ID 'one')",
    ),
    "a timer": (Event(EventType.TIMER_CREATED, AT, id=3, fire_at=AT), "a timer task with sequence number 3"),
    "a request": (
        Event(EventType.EVENT_SENT, AT, id=3, name="op", instance_id="@e@k"),
        "a send event task with sequence ID 3, type 'EventSent', name 'op', instance ID '@e@k'",
    ),
}


@pytest.mark.parametrize("kind", RECORDED)
def test_what_history_asked_for_and_a_replay_does_not_is_named(kind: str) -> None:
    recorded, words = RECORDED[kind]
    assert disagreement(recorded, recorded) is None
    missing = str(disagreement(recorded, None))
    assert missing.startswith("Non-Deterministic workflow detected: A previous execution of this orchestration")
    assert f"scheduled {words}, but the current replay execution hasn't (yet?) scheduled this task." in missing
    for other, (wanted, _) in RECORDED.items():
        if other != kind:
            assert "but the current orchestration replay instead produced a" in str(disagreement(recorded, wanted))


def test_another_name_of_the_same_kind_is_a_change_and_another_case_is_none() -> None:
    assert disagreement(scheduled(0, "a"), scheduled(0, "A")) is None
    assert "named 'a', but the current orchestration replay instead scheduled an activity task named 'b'" in str(
        disagreement(scheduled(0, "a"), scheduled(0, "b"))
    )


def test_a_history_is_written_and_read_without_loss() -> None:
    events = [
        Event(EventType.ORCHESTRATOR_STARTED, AT),
        Event(
            EventType.EXECUTION_STARTED, AT, name="x", version="1", input='"ä"', instance_id="i", execution_id="e"
        ),
        scheduled(0),
        Event(EventType.TASK_FAILED, AT, target=0, reason="r", details="d", played=True),
        Event(EventType.TIMER_FIRED, AT, target=3, fire_at=AT),
    ]
    assert decode_many(encode_many(events)) == events

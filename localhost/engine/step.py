"""One orchestration step: history, new messages and the function's answer in; what to record and to do out."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from localhost.engine.actions import Answer
from localhost.engine.events import Event, EventType, RuntimeStatus, timestamp
from localhost.engine.replay import Decision, Identity, RefusedError, Replay, replay

# EXT: the UTF-16 size over 1024, cut to a whole number, must not exceed this.
MAX_STATUS_KILOBYTES = 16

# EXT Options/DurableTaskOptions.cs.
MAX_ACTIONS = 100_000


@dataclass(frozen=True, slots=True)
class Episode:
    """The history of one execution so far, and the new events a step lives through."""

    identity: Identity
    name: str
    past: Sequence[Event]
    new: Sequence[Event]

    @property
    def termination(self) -> Event | None:
        """The termination among the new events, if there is one."""
        return next((event for event in self.new if event.type is EventType.EXECUTION_TERMINATED), None)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one step decided.

    `events` is what history grows by; `decisions` are the new ones among them, with their inputs. `custom_status`
    is JSON text, or None; `keeps_status` says to leave the present one alone.
    """

    events: list[Event]
    status: RuntimeStatus
    decisions: list[Decision] = field(default_factory=list[Decision])
    output: str | None = None
    details: str | None = None
    custom_status: str | None = None
    keeps_status: bool = False
    carried: list[Event] = field(default_factory=list[Event])


def begin(
    identity: Identity, name: str, past: Sequence[Event], messages: Sequence[Event], now: datetime
) -> Episode | None:
    """Open an episode with the messages that still mean something; None when there is nothing to do.

    A second start of a running execution is dropped (DTFX ReconcileMessagesWithState).
    """
    fresh = [event for event in messages if event.type is not EventType.EXECUTION_STARTED or not past]
    is_started = bool(past) or any(event.type is EventType.EXECUTION_STARTED for event in fresh)
    if not fresh or not is_started:
        return None
    if not past:
        # The start comes first whatever overtook it.
        fresh.sort(key=lambda event: event.type is not EventType.EXECUTION_STARTED)
    started = Event(EventType.ORCHESTRATOR_STARTED, timestamp(now))
    return Episode(identity, name, past, [started, *fresh])


def decide(episode: Episode, answer: Answer, refuse: Callable[[Decision], str | None]) -> Outcome:
    """Replay the answer against history and say what to record and to do.

    Args:
        episode: History and new events.
        answer: What the function answered.
        refuse: Says why a new decision cannot be carried out (an unknown function), or None when it can.
    """
    if (termination := episode.termination) is not None:
        return _completed(episode, RuntimeStatus.TERMINATED, output=termination.input, keeps_status=True)
    if answer.failure is not None:
        return _failed(episode, answer.failure, None)
    if (complaint := _status_complaint(answer.custom_status)) is not None:
        return _failed(episode, complaint, None)
    try:
        run = replay(episode.identity, answer, [*episode.past, *episode.new])
        _check(run, refuse)
    except RefusedError as refusal:
        return _failed(episode, str(refusal), answer.custom_status, is_ours=True)
    return _conclude(episode, answer, run)


def _check(run: Replay, refuse: Callable[[Decision], str | None]) -> None:
    if len(run.decisions) > MAX_ACTIONS:
        raise RefusedError(f"Maximum amount of orchestration actions ({MAX_ACTIONS:,}) has been exceeded.")
    for decision in run.decisions.values():
        if (reason := refuse(decision)) is not None:
            raise RefusedError(reason)


def _conclude(episode: Episode, answer: Answer, run: Replay) -> Outcome:
    new = [run.decisions[number] for number in sorted(run.decisions)]
    is_over = (
        run.is_drained and not run.open and not run.is_suspended and (answer.is_done or answer.error is not None)
    )
    if not is_over:
        status = RuntimeStatus.SUSPENDED if run.is_suspended else RuntimeStatus.RUNNING
        return Outcome(_closed(episode, new), status, decisions=new, custom_status=answer.custom_status)
    number = run.take_number()
    if answer.error is not None:
        return _failed(episode, answer.error, answer.custom_status, decisions=new, number=number)
    if run.continue_with is not None:
        return Outcome(
            events=[],
            status=RuntimeStatus.CONTINUED_AS_NEW,
            decisions=new,
            output=run.continue_with.input,
            custom_status=answer.custom_status,
            carried=run.carried,
        )
    return _completed(
        episode,
        RuntimeStatus.COMPLETED,
        output=answer.output,
        decisions=new,
        number=number,
        custom_status=answer.custom_status,
    )


def _closed(episode: Episode, decisions: Sequence[Decision], *last: Event) -> list[Event]:
    """Answer everything the episode adds to history, in the order the framework keeps."""
    at = episode.new[0].at
    messages = [episode.new[0], *(event.as_played() for event in episode.new[1:])]
    return [
        *messages,
        *(replace(decision.event, at=at) for decision in decisions),
        *last,
        Event(EventType.ORCHESTRATOR_COMPLETED, at),
    ]


def _completed(
    episode: Episode,
    status: RuntimeStatus,
    *,
    output: str | None = None,
    details: str | None = None,
    decisions: list[Decision] | None = None,
    number: int = -1,
    custom_status: str | None = None,
    keeps_status: bool = False,
) -> Outcome:
    last = Event(
        EventType.EXECUTION_COMPLETED,
        episode.new[0].at,
        id=number,
        status=int(status),
        result=output,
        details=details,
    )
    return Outcome(
        events=_closed(episode, decisions or [], last),
        status=status,
        decisions=decisions or [],
        output=output,
        details=details,
        custom_status=custom_status,
        keeps_status=keeps_status,
    )


def _failed(
    episode: Episode,
    error: str,
    custom_status: str | None,
    *,
    decisions: list[Decision] | None = None,
    number: int = -1,
    is_ours: bool = False,
) -> Outcome:
    """Fail the orchestration; what its function did wrong is told with the function's name (EXT)."""
    output = error if is_ours else f"Orchestrator function '{episode.name}' failed: {error}"
    return _completed(
        episode,
        RuntimeStatus.FAILED,
        output=output,
        details=f"Message: {error}, StackTrace: ",
        decisions=decisions,
        number=number,
        custom_status=custom_status,
    )


def _status_complaint(custom_status: str | None) -> str | None:
    if custom_status is None:
        return None
    kilobytes = len(custom_status.encode("utf-16-le", "surrogatepass")) // 1024
    if kilobytes <= MAX_STATUS_KILOBYTES:
        return None
    return (
        f"The UTF-16 size of the JSON-serialized payload must not exceed {MAX_STATUS_KILOBYTES} KB. "
        f"The current payload size is {kilobytes} KB."
    )

"""The second replay: the host executes the function's whole action list against its own history.

An out-of-process orchestrator answers with every action it ever asked for; which of them are new is found by
running that list as a little .NET program against the history (EXT Listener/OutOfProcOrchestrationShim.cs on DTFX
TaskOrchestrationContext.cs). "Whatever is not in history yet" would not be the same: a list goes on only when
its current action is done, so a compensation after a failed `task_all` starts when the slowest branch has ended.
"""

import json
import uuid
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta

from localhost.engine.actions import (
    Action,
    Answer,
    CallActivity,
    CallHttp,
    CallSubOrchestrator,
    ContinueAsNew,
    CreateTimer,
    Retry,
    SendToEntity,
    WaitForEvent,
    WhenAll,
    WhenAny,
)
from localhost.engine.determinism import disagreement
from localhost.engine.events import Event, EventType, moment, timestamp
from localhost.engine.pending import Pending, when_all, when_any

# EXT HttpActivity's registered name.
HTTP_ACTIVITY = "BuiltIn::HttpActivity"

_REQUESTS = uuid.UUID("5d0c0e2e-61a5-4f6c-9e0f-1f0e3f0f9f4b")


class RefusedError(Exception):
    """The orchestration cannot go on as it is; the text becomes its failure."""


@dataclass(frozen=True, slots=True)
class Identity:
    """Which execution is replayed."""

    instance_id: str
    execution_id: str
    parent_id: str | None = None


@dataclass(frozen=True, slots=True)
class Decision:
    """Something the orchestration wants: the event that records it, and the input that goes with it."""

    event: Event
    input: str | None = None


class Replay:
    """One run of an action list against a history; feed it every event in order, then read what is left.

    `decisions` are the decisions no event of history has recorded yet; `open` the tasks that keep the instance
    running; `continue_with` the new input once continue-as-new was asked for, and `carried` the events that then
    go to the next generation.
    """

    def __init__(self, identity: Identity, answer: Answer) -> None:
        self.identity = identity
        self.decisions: dict[int, Decision] = {}
        self.open: dict[int, Pending] = {}
        self.carried: list[Event] = []
        self.continue_with: ContinueAsNew | None = None
        self.is_drained = False
        self.is_suspended = False
        self._answer = answer
        self._next_id = 0
        self._next_action = 0
        self._now = ""
        self._waiters: dict[str, list[Pending]] = {}
        self._buffered: dict[str, deque[Event]] = {}
        self._postponed: deque[Event] = deque()
        self._parked: dict[int, Decision] = {}

    def take_number(self) -> int:
        """Answer the next sequence number (`idCounter`)."""
        number = self._next_id
        self._next_id += 1
        return number

    def process(self, event: Event) -> None:
        """Live through one event of history."""
        if event.type is EventType.ORCHESTRATOR_STARTED:
            self._now = event.at
        elif event.type is EventType.EXECUTION_RESUMED:
            self._resume()
        elif self.is_suspended:
            self._postponed.append(event)
        else:
            self._live(event)

    def _live(self, event: Event) -> None:
        match event.type:
            case EventType.EXECUTION_STARTED:
                self._go_on()
            case EventType.TASK_COMPLETED | EventType.SUB_ORCHESTRATION_COMPLETED | EventType.TIMER_FIRED:
                self._finish(event.target, failed=False)
            case EventType.TASK_FAILED | EventType.SUB_ORCHESTRATION_FAILED:
                self._finish(event.target, failed=True)
            case EventType.EVENT_RAISED:
                self._raise_event(event)
            case EventType.EXECUTION_SUSPENDED:
                self._suspend()
            case (
                EventType.TASK_SCHEDULED
                | EventType.TIMER_CREATED
                | EventType.SUB_ORCHESTRATION_CREATED
                | EventType.EVENT_SENT
            ):
                wanted = self.decisions.pop(event.id, None)
                match_decision(event, wanted)
            case _:
                pass

    def _finish(self, number: int, *, failed: bool) -> None:
        task = self.open.pop(number, None)
        if task is not None:
            task.finish(failed=failed)

    def _suspend(self) -> None:
        self.is_suspended = True
        self._parked |= self.decisions
        self.decisions = {}

    def _resume(self) -> None:
        self.is_suspended = False
        self.decisions = self._parked | self.decisions
        self._parked = {}
        while self._postponed and not self.is_suspended:
            self._live(self._postponed.popleft())

    def _raise_event(self, event: Event) -> None:
        """Give an event to the latest waiter of its name, or keep it for the first that comes.

        Names are case-insensitive, waiters a stack, what is kept a queue (EXT DurableOrchestrationContext.cs).
        Once continue-as-new was asked for, events go to the next generation instead.
        """
        if self.continue_with is not None:
            self.carried.append(event)
            return
        name = (event.name or "").lower()
        if waiters := self._waiters.get(name):
            waiters.pop().finish()
        else:
            self._buffered.setdefault(name, deque()).append(event)

    # --- the program ---

    def _go_on(self) -> None:
        actions = self._answer.actions
        while self._next_action < len(actions):
            task = self._start(actions[self._next_action])
            self._next_action += 1
            if not task.is_done:
                task.then(self._go_on)
                return
        self.is_drained = True

    def _start(self, action: Action) -> Pending:  # noqa: PLR0911  one per action
        match action:
            case CallActivity():
                return self._with_retry(action.retry, lambda: self._start_activity(action.name, action.input))
            case CallSubOrchestrator():
                return self._with_retry(action.retry, lambda: self._start_child(action))
            case CreateTimer():
                return self._start_timer(action.fire_at, is_canceled=action.is_canceled)
            case WaitForEvent():
                return self._wait_for(action.name)
            case SendToEntity():
                return self._send(action)
            case CallHttp():
                return self._start_activity(HTTP_ACTIVITY, action.request)
            case WhenAll():
                return when_all([self._start(child) for child in action.children])
            case WhenAny():
                return when_any([self._start(child) for child in action.children])
            case ContinueAsNew():
                self.continue_with = action
                return Pending(is_done=True)

    def _decide(self, decision: Decision) -> Pending:
        task = Pending()
        self.decisions[decision.event.id] = decision
        self.open[decision.event.id] = task
        return task

    def _start_activity(self, name: str, argument: str | None) -> Pending:
        event = Event(EventType.TASK_SCHEDULED, self._now, id=self.take_number(), name=name, version="")
        return self._decide(Decision(event, argument))

    def _start_child(self, action: CallSubOrchestrator) -> Pending:
        number = self.take_number()
        child_id = action.instance_id or f"{self.identity.execution_id}:{number}"
        if child_id.startswith("@") or child_id in (self.identity.instance_id, self.identity.parent_id):
            raise RefusedError(
                f"The instance ID of a sub-orchestration must not start with '@' and must differ from its "
                f"parent's: '{child_id}'. (Azure may leave this orchestration hanging instead.)"
            )
        event = Event(
            EventType.SUB_ORCHESTRATION_CREATED,
            self._now,
            id=number,
            name=action.name,
            version=action.version,
            instance_id=child_id,
            input=action.input,
        )
        return self._decide(Decision(event, action.input))

    def _start_timer(self, fire_at: str, *, is_canceled: bool = False) -> Pending:
        """Start a timer; a canceled one takes its number and its event, and holds nothing open."""
        event = Event(EventType.TIMER_CREATED, self._now, id=self.take_number(), fire_at=fire_at)
        task = self._decide(Decision(event))
        if is_canceled:
            del self.open[event.id]
            task.finish()
        return task

    def _wait_for(self, name: str) -> Pending:
        key = name.lower()
        if kept := self._buffered.get(key):
            kept.popleft()
            return Pending(is_done=True)
        task = Pending()
        self._waiters.setdefault(key, []).append(task)
        return task

    def _send(self, action: SendToEntity) -> Pending:
        number = self.take_number()
        request_id = str(uuid.uuid5(_REQUESTS, f"{self.identity.execution_id}:{number}"))
        message: dict[str, object] = {"op": action.operation}
        if action.is_signal:
            message["signal"] = True
        if action.input is not None:
            message["input"] = action.input
        message["id"] = request_id
        if not action.is_signal:
            message |= {"parent": self.identity.instance_id, "parentExecution": self.identity.execution_id}
        event = Event(
            EventType.EVENT_SENT,
            self._now,
            id=number,
            name="op",
            instance_id=action.entity_id,
            input=json.dumps(message),
        )
        self.decisions[number] = Decision(event)
        return Pending(is_done=True) if action.is_signal else self._wait_for(request_id)

    def _with_retry(self, retry: Retry | None, attempt: Callable[[], Pending]) -> Pending:
        """Try, wait, and try again, as DTFX RetryInterceptor.cs does.

        After the last failure one more timer runs, due at once, before the failure surfaces: the framework keeps
        it for histories made before that was noticed, and the SDK counts on it.
        """
        if retry is None:
            return attempt()
        whole = Pending()
        attempts = 0

        def tried(task: Pending) -> None:
            if not task.failed:
                whole.finish()
                return
            is_last = attempts >= retry.max_attempts
            pause = timedelta() if is_last else timedelta(milliseconds=retry.first_interval_ms)
            timer = self._start_timer(timestamp(moment(self._now) + pause))
            timer.then((lambda: whole.finish(failed=True)) if is_last else try_once)

        def try_once() -> None:
            nonlocal attempts
            attempts += 1
            task = attempt()
            task.then(lambda: tried(task))

        try_once()
        return whole


def match_decision(recorded: Event, wanted: Decision | None) -> None:
    """Refuse a history that records something else than the function asks for now."""
    text = disagreement(recorded, wanted.event if wanted is not None else None)
    if text is not None:
        raise RefusedError(text)


def replay(identity: Identity, answer: Answer, events: Sequence[Event]) -> Replay:
    """Run an action list against a whole history."""
    run = Replay(identity, answer)
    for event in events:
        run.process(event)
    return run

"""Running orchestrations: one step is one question to the function and one transaction."""

import logging
import time
import uuid
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, replace

from azure.functions.meta import Datum

from localhost import adapter
from localhost.app import App
from localhost.client import create_instance, unknown_function
from localhost.clock import Clock
from localhost.engine.actions import Answer
from localhost.engine.events import Event, EventType, Parent, RuntimeStatus, decode_many, encode_many, timestamp
from localhost.engine.replay import HTTP_ACTIVITY, Decision, Identity
from localhost.engine.step import Episode, Outcome, begin, decide
from localhost.engine.version import mismatch
from localhost.invoker import InvocationError, Invoker, text_of
from localhost.rows import InstanceRow, MessageRow, TaskRow
from localhost.store import Store
from localhost.writer import Writer

_LOG = logging.getLogger("localhost")

# Histories kept parsed between steps; beyond it the file is read again.
_KEPT_CHARACTERS = 64_000_000


@dataclass(slots=True)
class _Past:
    """A history in memory: parsed once, its JSON ready to be spliced into the next question."""

    execution_id: str
    events: list[Event]
    texts: str
    episodes: int


class _Pasts:
    """The histories in memory, the least recently used going first."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._kept: OrderedDict[str, _Past] = OrderedDict()
        self._characters = 0

    def get(self, row: InstanceRow) -> _Past:
        """Answer the history of the present execution."""
        past = self.forget(row.id)
        if past is not None and past.execution_id == row.execution_id:
            return past
        if row.status is RuntimeStatus.PENDING:
            return _Past(row.execution_id, [], "", 0)
        texts, episodes = self._store.history_json(row.id)
        return _Past(row.execution_id, decode_many(texts), texts, episodes)

    def keep(self, instance_id: str, past: _Past) -> None:
        """Keep a history for the next step."""
        self._kept[instance_id] = past
        self._characters += len(past.texts)
        while self._characters > _KEPT_CHARACTERS and len(self._kept) > 1:
            self._characters -= len(self._kept.popitem(last=False)[1].texts)

    def forget(self, instance_id: str) -> _Past | None:
        """Let go of a history."""
        past = self._kept.pop(instance_id, None)
        if past is not None:
            self._characters -= len(past.texts)
        return past


class Orchestrations:
    """Takes orchestration steps."""

    def __init__(self, store: Store, app: App, clock: Clock, invoker: Invoker) -> None:
        self._store = store
        self._app = app
        self._clock = clock
        self._invoker = invoker
        self._pasts = _Pasts(store)
        adapter.quicken()

    def forget(self, instance_id: str) -> None:
        """Let go of what is kept of an instance whose history was changed from outside."""
        self._pasts.forget(instance_id)

    def is_due(self, instance_id: str, at: str) -> bool:
        """Whether a message waits for an instance that is due by then."""
        return self._store.is_due(instance_id, at)

    async def step(self, instance_id: str) -> float:
        """Take one step of an instance with all messages that are due; answer what the function's part took."""
        now = self._clock.now()
        row = self._store.instance(instance_id)
        messages = self._store.messages(instance_id, timestamp(now))
        if not messages:
            return 0.0
        if row is None or row.status.is_final:
            self._drop(messages)
            return 0.0
        fresh = [message.event for message in messages if message.execution_id in (None, row.execution_id)]
        past = self._pasts.get(row)
        identity = Identity(row.id, row.execution_id, row.parent_id)
        episode = begin(identity, row.name, past.events, fresh, now)
        if episode is None:
            self._drop(messages)
            return 0.0
        refusal = mismatch(row.version, self._app.settings.default_version, self._app.settings.version_match)
        if refusal is not None and self._app.settings.version_failure == "Reject" and episode.termination is None:
            _LOG.warning("Instance %s waits for a fitting version: %s", row.id, refusal)
            return 0.0
        started = time.perf_counter()
        answer = Answer(failure=refusal) if refusal is not None else await self._ask(episode, past.texts)
        outcome = decide(episode, answer, self._refuse)
        self._commit(row, messages, past, episode=episode, outcome=outcome)
        return time.perf_counter() - started

    def _drop(self, messages: Sequence[MessageRow]) -> None:
        """Take out messages that mean nothing any more: stale, double, or for an instance that is over."""
        with self._store.transaction("drop messages") as writer:
            writer.consume(messages)

    async def _ask(self, episode: Episode, past_json: str) -> Answer:
        if episode.termination is not None:
            return Answer()
        function = self._app.orchestrators.get(episode.name.lower())
        if function is None:
            return Answer(failure=unknown_function(episode.name, "orchestrator", self._app.orchestrators.values()))
        try:
            datum = await self._invoker.call(function, Datum(adapter.question(episode, past_json), "string"))
        except InvocationError as error:
            return adapter.answer_of_failure(error.message)
        return adapter.answer(text_of(datum))

    def _refuse(self, decision: Decision) -> str | None:
        """Say why a decision cannot be carried out: its function is not there.

        Azure swallows this and leaves the orchestration Running for ever (durable-python#132); the one deliberate
        difference of this host is to say so.
        """
        name = decision.event.name or ""
        if decision.event.type is EventType.TASK_SCHEDULED:
            known, what = self._app.activities, "activity"
        elif decision.event.type is EventType.SUB_ORCHESTRATION_CREATED:
            known, what = self._app.orchestrators, "orchestrator"
        else:
            return None
        if name == HTTP_ACTIVITY or name.lower() in known:
            return None
        return f"{unknown_function(name, what, known.values())} (In Azure this orchestration may hang instead.)"

    # --- the transaction ---

    def _commit(
        self,
        row: InstanceRow,
        messages: Sequence[MessageRow],
        past: _Past,
        *,
        episode: Episode,
        outcome: Outcome,
    ) -> None:
        now = timestamp(self._clock.now())
        with self._store.transaction("orchestration step") as writer:
            present = self._store.instance(row.id)
            if present is None or present.execution_id != row.execution_id:
                return  # purged or replaced meanwhile: its messages went with it
            writer.consume(messages)
            new_row = self._new_row(row, outcome, now)
            if outcome.status is RuntimeStatus.CONTINUED_AS_NEW:
                self._continue_as_new(writer, (row, new_row), episode, outcome, now)
                kept = None
            else:
                events_json = encode_many(outcome.events)
                writer.append_history(row.id, past.episodes, events_json)
                kept = self._grown(past, outcome.events, events_json)
            writer.update_instance(new_row)
            self._carry_out(writer, row, outcome.decisions, now)
            if outcome.status.is_final:
                kept = None
                writer.forget_messages(row.id)
                self._tell_parent(writer, episode, outcome, now)
        if kept is not None:
            self._pasts.keep(row.id, kept)

    def _grown(self, past: _Past, events: Sequence[Event], events_json: str) -> _Past:
        texts = f"{past.texts},{events_json}" if past.texts else events_json
        return _Past(past.execution_id, [*past.events, *events], texts, past.episodes + 1)

    def _new_row(self, row: InstanceRow, outcome: Outcome, now: str) -> InstanceRow:
        status, output, arguments = outcome.status, outcome.output, row.input
        execution_id = row.execution_id
        if status is RuntimeStatus.CONTINUED_AS_NEW:
            status, output, arguments = RuntimeStatus.RUNNING, None, outcome.output
            execution_id = uuid.uuid5(uuid.NAMESPACE_OID, f"after {row.execution_id}").hex
        return replace(
            row,
            execution_id=execution_id,
            status=status,
            input=arguments,
            output=output,
            custom_status=row.custom_status if outcome.keeps_status else outcome.custom_status,
            updated=now,
        )

    def _continue_as_new(
        self, writer: Writer, rows: tuple[InstanceRow, InstanceRow], episode: Episode, outcome: Outcome, now: str
    ) -> None:
        """Begin the next generation: an empty history, a new execution id, the events that were carried over."""
        row, new_row = rows
        writer.clear_history(row.id)
        writer.forget_messages(row.id, row.execution_id)
        start = replace(
            _start_of(episode), at=now, input=new_row.input, execution_id=new_row.execution_id, played=False
        )
        writer.send(row.id, start, due=episode.new[0].at, execution_id=new_row.execution_id)
        for event in outcome.carried:
            writer.send(row.id, replace(event, played=False), due=event.at)

    def _carry_out(self, writer: Writer, row: InstanceRow, decisions: Sequence[Decision], now: str) -> None:
        for decision in decisions:
            event = decision.event
            match event.type:
                case EventType.TASK_SCHEDULED:
                    task = TaskRow(0, row.id, row.execution_id, event.id, event.name or "", decision.input)
                    writer.add_task(task, now)
                case EventType.TIMER_CREATED:
                    due = event.fire_at or now
                    fired = Event(EventType.TIMER_FIRED, max(due, now), target=event.id, fire_at=due)
                    writer.send(row.id, fired, due=due, execution_id=row.execution_id)
                case EventType.SUB_ORCHESTRATION_CREATED:
                    self._create_child(writer, row, event, now)
                case _:
                    writer.tell_entity(event.instance_id or "", event.input or "", now)

    def _create_child(self, writer: Writer, row: InstanceRow, event: Event, now: str) -> None:
        child_id = event.instance_id or ""
        before = self._store.instance(child_id)
        if before is not None and not before.status.is_final:
            _LOG.warning(
                "%s asked for sub-orchestration %s, which runs already: dropped, as in Azure", row.id, child_id
            )
            return
        child = InstanceRow(
            id=child_id,
            execution_id=uuid.uuid5(uuid.NAMESPACE_OID, f"{row.execution_id}:{event.id}").hex,
            name=self._app.orchestrators[(event.name or "").lower()].durable_name,
            version=event.version if event.version is not None else self._app.settings.default_version,
            status=RuntimeStatus.PENDING,
            input=event.input,
            output=None,
            custom_status=None,
            created=now,
            updated=now,
            parent_id=row.id,
        )
        start = Event(
            EventType.EXECUTION_STARTED,
            now,
            name=child.name,
            version=child.version,
            input=event.input,
            instance_id=child.id,
            execution_id=child.execution_id,
            parent=Parent(row.id, row.execution_id, row.name, event.id, row.version),
        )
        create_instance(writer, child, start)

    def _tell_parent(self, writer: Writer, episode: Episode, outcome: Outcome, now: str) -> None:
        parent = _start_of(episode).parent
        if parent is None:
            return
        if outcome.status is RuntimeStatus.COMPLETED:
            event = Event(EventType.SUB_ORCHESTRATION_COMPLETED, now, target=parent.task_id, result=outcome.output)
        else:
            event = Event(
                EventType.SUB_ORCHESTRATION_FAILED,
                now,
                target=parent.task_id,
                reason=outcome.output,
                details=outcome.details,
            )
        writer.send(parent.instance_id, event, due=now, execution_id=parent.execution_id)


def _start_of(episode: Episode) -> Event:
    return next(event for event in (*episode.past, *episode.new) if event.type is EventType.EXECUTION_STARTED)

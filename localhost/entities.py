"""Running entities: all requests that wait, in order, in one call and one transaction."""

import json
import logging
from collections.abc import Mapping, Sequence
from typing import Any

from azure.functions.meta import Datum

from localhost import adapter
from localhost.app import App
from localhost.client import unknown_function
from localhost.clock import Clock
from localhost.engine.events import Event, EventType, timestamp
from localhost.invoker import InvocationError, Invoker, text_of
from localhost.rows import EntityRow
from localhost.store import Store

_LOG = logging.getLogger("localhost")

_Request = Mapping[str, Any]


class Entities:
    """Runs entities."""

    def __init__(self, store: Store, app: App, clock: Clock, invoker: Invoker) -> None:
        self._store = store
        self._app = app
        self._clock = clock
        self._invoker = invoker

    async def run(self, entity_id: str) -> None:
        """Let an entity do everything it was asked, and answer those who wait."""
        waiting = self._store.entity_messages(entity_id)
        if not waiting:
            return
        requests: list[_Request] = [json.loads(text) for _, text in waiting]
        before = self._store.entity(entity_id)
        after = await self._ask(entity_id, before, requests)
        now = timestamp(self._clock.now())
        row = EntityRow(entity_id, after.state, now) if after.exists else None
        with self._store.transaction("entity batch") as writer:
            writer.finish_batch(entity_id, waiting[-1][0], row)
            for request, (result, is_error) in zip(requests, after.results, strict=True):
                if request.get("signal"):
                    if is_error:
                        _LOG.warning("Signal %s to %s failed: %s", request["op"], entity_id, result)
                    continue
                response = adapter.entity_response(result, is_error=is_error)
                event = Event(EventType.EVENT_RAISED, now, name=request["id"], input=response)
                writer.send(request["parent"], event, due=now, execution_id=request["parentExecution"])

    async def _ask(
        self, entity_id: str, before: EntityRow | None, requests: Sequence[_Request]
    ) -> adapter.EntityAnswer:
        """Answer what the entity says; when it cannot be asked, every request fails and the state stays."""
        name, key = entity_id[1:].split("@", 1)
        function = self._app.entities.get(name)
        if function is None:
            return _all_failed(before, requests, unknown_function(name, "entity", self._app.entities.values()))
        batch = [
            {"name": request["op"], "input": request.get("input"), "isSignal": bool(request.get("signal"))}
            for request in requests
        ]
        question = adapter.entity_question(
            function.durable_name,
            key,
            exists=before is not None,
            state=before.state if before is not None else None,
            batch=batch,
        )
        try:
            datum = await self._invoker.call(function, Datum(question, "string"))
            answer = adapter.entity_answer(text_of(datum))
        except (InvocationError, ValueError) as error:
            return _all_failed(before, requests, str(error))
        if len(answer.results) != len(requests):
            return _all_failed(before, requests, "The entity function did not answer every operation.")
        return answer


def _all_failed(before: EntityRow | None, requests: Sequence[_Request], text: str) -> adapter.EntityAnswer:
    failure = (json.dumps(text), True)
    state = before.state if before is not None else None
    return adapter.EntityAnswer(state, before is not None, tuple(failure for _ in requests))

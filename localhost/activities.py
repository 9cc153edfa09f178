"""Running activities: at least once, each result recorded with the end of its task."""

import json
import logging
import os
from collections.abc import Mapping
from typing import Any

import aiohttp
from azure.functions.meta import Datum

from localhost.app import App
from localhost.client import unknown_function
from localhost.clock import Clock
from localhost.engine.events import Event, EventType, timestamp
from localhost.engine.replay import HTTP_ACTIVITY
from localhost.invoker import InvocationError, Invoker, text_of
from localhost.rows import TaskRow
from localhost.store import Store

_LOG = logging.getLogger("localhost")


class Activities:
    """Runs activities."""

    def __init__(self, store: Store, app: App, clock: Clock, invoker: Invoker) -> None:
        self._store = store
        self._app = app
        self._clock = clock
        self._invoker = invoker

    async def run(self, number: int) -> None:
        """Run one activity and send its end to the orchestration; a result nobody waits for is dropped."""
        task = self._store.task(number)
        if task is None:
            return
        event = await self._end_of(task)
        with self._store.transaction("activity end") as writer:
            if writer.take_task(task.n):
                writer.send(task.instance_id, event, due=event.at, execution_id=task.execution_id)

    async def _end_of(self, task: TaskRow) -> Event:
        try:
            result = await self._result_of(task)
        except InvocationError as error:
            _LOG.info("Activity %s of %s failed: %s", task.name, task.instance_id, error.message)
            return self._failed(task, error)
        at = timestamp(self._clock.now())
        return Event(
            EventType.TASK_COMPLETED, at, target=task.event_id, result=None if result == "null" else result
        )

    async def _result_of(self, task: TaskRow) -> str | None:
        if task.name == HTTP_ACTIVITY:
            return await call_http(json.loads(task.input or "{}"))
        function = self._app.activities.get(task.name.lower())
        if function is None:
            raise InvocationError(unknown_function(task.name, "activity", self._app.activities.values()))
        datum = await self._invoker.call(
            function, Datum(task.input if task.input is not None else "null", "string")
        )
        return text_of(datum)

    def _failed(self, task: TaskRow, error: InvocationError) -> Event:
        """Tell a failure as EXT TaskActivityShim.cs does; the second space is what it leaves of "Exception: "."""
        return Event(
            EventType.TASK_FAILED,
            timestamp(self._clock.now()),
            target=task.event_id,
            reason=f"Activity function '{task.name}' failed:  {error.message}",
            details=_details(error),
        )


def _details(error: InvocationError) -> str:
    """Answer the failure's details in the shape of a serialised .NET exception; the stack is Python's."""
    return json.dumps(
        {
            "$type": "System.Exception, System.Private.CoreLib",
            "ClassName": "System.Exception",
            "Message": f" {error.message}",
            "Data": None,
            "InnerException": None,
            "HelpURL": None,
            "StackTraceString": error.stack or None,
        }
    )


async def call_http(request: Mapping[str, Any]) -> str:
    """Make the request of a durable HTTP call and answer its response as JSON (EXT HttpActivity).

    Any status is a normal answer.

    Raises:
        InvocationError: there was no answer.
    """
    headers = dict(request.get("headers") or {})
    content = request.get("content")
    if content is not None and not any(name.lower() == "content-type" for name in headers):
        headers["Content-Type"] = "text/plain"
    try:
        async with aiohttp.ClientSession() as session:
            if (source := request.get("tokenSource")) is not None:
                headers["Authorization"] = f"Bearer {await _token(session, str(source.get('resource')))}"
            body = content.encode() if isinstance(content, str) else content
            async with session.request(request["method"], request["uri"], data=body, headers=headers) as response:
                text = await response.text()
                answer = {"statusCode": response.status, "headers": dict(response.headers), "content": text}
                return json.dumps(answer)
    except (aiohttp.ClientError, OSError, TimeoutError, ValueError) as error:
        raise InvocationError(f"{type(error).__name__}: {error}") from error


async def _token(session: aiohttp.ClientSession, resource: str) -> str:
    """Ask the managed identity endpoint of the environment for a token (App Service protocol, 2019-08-01)."""
    endpoint = os.environ.get("IDENTITY_ENDPOINT")
    if endpoint is None:
        raise ValueError(
            "A token source was given, but there is no managed identity: IDENTITY_ENDPOINT is not set."
        )
    async with session.get(
        endpoint,
        params={"resource": resource.removesuffix("/.default"), "api-version": "2019-08-01"},
        headers={"X-IDENTITY-HEADER": os.environ.get("IDENTITY_HEADER", "")},
    ) as response:
        text = await response.text()
        found = _token_in(text)
        if found is None:
            raise ValueError(
                f"The managed identity endpoint answered {response.status} without a token: {text[:200]}"
            )
        return found


def _token_in(text: str) -> str | None:
    try:
        found = json.loads(text)["access_token"]
    except (ValueError, KeyError, TypeError):
        return None
    return str(found)

"""The orchestrator adapter: the only place that knows how azure-functions-durable 1.x is asked and how it answers.

A 2.x app speaks base64 protobuf here instead; nothing else would change (reference: EXT
OrchestrationTriggerAttributeBindingProvider.cs and OutOfProcOrchestrationShim.cs; SDK OrchestratorState.py).
"""

import json
import re
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any

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
from localhost.engine.events import Event, EventType, encode_many
from localhost.engine.step import Episode

_Item = Mapping[str, Any]

# What the SDK raises instead of answering: the user's error, this marker, the answer.
_MARKER = "\n\n$OutOfProcData$:"

# EXT AzureStorageDurabilityProvider.cs: longer timers are hops of three days.
_TAIL = (
    '"upperSchemaVersion":1,"upperSchemaVersionNew":2,"longRunningTimerIntervalDuration":"3.00:00:00",'
    '"maximumShortTimerDuration":"6.00:00:00","defaultHttpAsyncRequestSleepTimeMillseconds":30000}'
)


# What `timestamp` writes, and the framework.
_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d\.\d{6}Z", re.ASCII)


def quicken() -> None:
    """Let the SDK read the times of a history quickly.

    It reads every event's time again at every step, by dateutil, which can read any date there is; that is most of
    what a step costs. Times as the framework writes them are read by `fromisoformat` here, to an equal datetime in
    an equal zone; any other text goes to dateutil as before. Where the SDK has no such function (a later release)
    nothing is done.
    """
    module: Any = sys.modules.get("azure.durable_functions.models.history.HistoryEvent")
    slow: Any = getattr(module, "dt_parse", None)
    if slow is None or slow.__module__ == __name__:
        return
    sample = "2026-01-01T00:00:00.000000Z"

    @lru_cache(8)
    def zone(names: tuple[str, str]) -> Any:
        """Answer what dateutil makes of "Z": UTC, or the local zone where that is UTC all the year."""
        return slow(sample).tzinfo if names == ("UTC", "UTC") or "UTC" not in names else None

    @lru_cache(4096)
    def quick(text: str, names: tuple[str, str]) -> datetime:
        return datetime.fromisoformat(text).replace(tzinfo=zone(names))

    def read(text: str) -> datetime:
        names = time.tzname
        if zone(names) is not None and _MOMENT.fullmatch(text):
            with suppress(ValueError):  # a 30 February, a year 0
                return quick(text, names)
        return slow(text)

    module.dt_parse = read


def question(episode: Episode, past_json: str) -> str:
    """Write the trigger payload of one orchestration step.

    Args:
        episode: The step.
        past_json: The past of the episode as stored, comma-separated; spliced in, for it may be long.
    """
    started = _started(episode)
    new_json = encode_many(list(episode.new))
    history = f"{past_json},{new_json}" if past_json else new_json
    parent_id = started.parent.instance_id if started.parent is not None else None
    return (
        f'{{"history":[{history}],"input":{started.input or "null"},'
        f'"instanceId":{json.dumps(episode.identity.instance_id)},'
        f'"isReplaying":{"true" if started.played else "false"},'
        f'"parentInstanceId":{json.dumps(parent_id)},{_TAIL}'
    )


def _started(episode: Episode) -> Event:
    """Answer the start of the execution; it is the second event there ever was."""
    for events in (episode.past, episode.new):
        for event in events:
            if event.type is EventType.EXECUTION_STARTED:
                return event
    raise ValueError("The episode has no start.")


def answer(text: str | None) -> Answer:
    """Read what an orchestrator function returned."""
    try:
        members = json.loads(text or "")
        return _answer(members)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        return Answer(failure=f"The orchestrator function answered something that is no state: {error}")


def answer_of_failure(message: str) -> Answer:
    """Read what an orchestrator function raised: the SDK hides its answer in the message of the exception.

    Without it (the function never got to run) the message is all there is, and the orchestration fails with it.
    """
    text, found, state = message.partition(_MARKER)
    if found:
        try:
            return _answer(json.loads(state))
        except (ValueError, KeyError, TypeError, AttributeError):
            pass
    return Answer(failure=text)


def _answer(members: Mapping[str, Any]) -> Answer:
    return Answer(
        is_done=bool(members["isDone"]),
        actions=tuple(_action(item) for group in members["actions"] for item in group),
        output=_json_or_none(members.get("output")),
        error=members.get("error"),
        custom_status=_json_or_none(members.get("customStatus")),
    )


def _json_or_none(value: object) -> str | None:
    return None if value is None else json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def _action(item: _Item) -> Action:
    kind = item["actionType"]
    if kind in _COMPOUND:
        return _COMPOUND[kind](tuple(_action(child) for child in item["compoundActions"]))
    return _READERS[kind](item)


def _retry(item: _Item) -> Retry:
    options = item["retryOptions"]
    return Retry(options["firstRetryIntervalInMilliseconds"], options["maxNumberOfAttempts"])


def _entity(item: _Item, *, is_signal: bool) -> SendToEntity:
    return SendToEntity(item["instanceId"], item["operation"], _json_or_none(item.get("input")), is_signal)


def _child(item: _Item, retry: Retry | None = None) -> CallSubOrchestrator:
    return CallSubOrchestrator(
        item["functionName"],
        _json_or_none(item.get("input")),
        item.get("instanceId"),
        item.get("version"),
        retry,
    )


_COMPOUND: Mapping[int, type[WhenAll] | type[WhenAny]] = {11: WhenAny, 12: WhenAll}

# The numbers are the SDK's ActionType. Inputs are JSON text already; all but an activity's are serialised again.
_READERS: Mapping[int, Callable[[_Item], Action]] = {
    0: lambda item: CallActivity(item["functionName"], item.get("input")),
    1: lambda item: CallActivity(item["functionName"], item.get("input"), _retry(item)),
    2: _child,
    3: lambda item: _child(item, _retry(item)),
    4: lambda item: ContinueAsNew(_json_or_none(item.get("input"))),
    5: lambda item: CreateTimer(item["fireAt"], bool(item.get("isCanceled"))),
    6: lambda item: WaitForEvent(item["externalEventName"]),
    7: lambda item: _entity(item, is_signal=False),
    8: lambda item: CallHttp(json.dumps(item["httpRequest"])),
    9: lambda item: _entity(item, is_signal=True),
}


@dataclass(frozen=True, slots=True)
class EntityAnswer:
    """What an entity answered to a batch: its state (None when it is gone), and per operation text and error."""

    state: str | None
    exists: bool
    results: tuple[tuple[str, bool], ...]


def entity_question(
    name: str, key: str, *, exists: bool, state: str | None, batch: Sequence[Mapping[str, object]]
) -> str:
    """Write the trigger payload of one batch of entity operations (EXT TaskEntityShim.cs)."""
    return json.dumps({"self": {"name": name, "key": key}, "exists": exists, "state": state, "batch": list(batch)})


def entity_answer(text: str | None) -> EntityAnswer:
    """Read what an entity function returned.

    Raises:
        ValueError: it is no answer.
    """
    try:
        members = json.loads(text or "")
        return EntityAnswer(
            members["entityState"],
            bool(members["entityExists"]),
            tuple((item["result"], bool(item["isError"])) for item in members["results"]),
        )
    except (KeyError, TypeError) as error:
        raise ValueError(f"The entity function answered something that is no state: {error}") from error


def entity_response(result: str, *, is_error: bool) -> str:
    """Write what the caller of an operation is told; the SDK raises when there is an exception type."""
    return json.dumps({"result": result, "exceptionType": "Error"} if is_error else {"result": result})

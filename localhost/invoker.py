"""Calling functions as the Python worker does: azure-functions' converters around the user's code.

Rules from azure-functions-runtime 1.3.0 (handle_event.py, bindings/meta.py) and the worker before it: keyword
arguments, sync functions in a pool and async ones on one loop, exceptions as "Type: text".
"""

import asyncio
import logging
import random
import threading
import traceback
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from itertools import dropwhile
from pathlib import Path
from typing import Any

import azure.functions as func
from azure.functions.meta import Datum

from localhost.functions import Function, Kind, converter
from localhost.user_loop import replace_thread, run_async, run_sync

_LOG = logging.getLogger("localhost")

_PURE = (Kind.ORCHESTRATION, Kind.ENTITY)
_HERE = str(Path(__file__).parent)


class InvocationError(Exception):
    """A function did not answer: it raised, timed out, or answered something that cannot be sent."""

    def __init__(self, message: str, stack: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.stack = stack


@dataclass(frozen=True, slots=True)
class _Trace:
    """No trace: nobody collects any here."""

    trace_state: str = ""
    trace_parent: str = ""
    attributes: Mapping[str, str] = field(default_factory=dict[str, str])


@dataclass(frozen=True, slots=True)
class _Retry:
    """No retries by the host."""

    retry_count: int = 0
    max_retry_count: int = 0
    exception: Exception | None = None


class InvocationContext(func.Context):
    """What a function sees as `context: func.Context`."""

    def __init__(self, invocation_id: str, name: str, directory: Path | None) -> None:
        self._invocation_id = invocation_id
        self._name = name
        self._directory = str(directory or "")
        self._storage = threading.local()

    @property
    def invocation_id(self) -> str:
        """The id of this call."""
        return self._invocation_id

    @property
    def thread_local_storage(self) -> Any:
        """A place for the invocation id, for log handlers."""
        return self._storage

    @property
    def function_name(self) -> str:
        """The function's name."""
        return self._name

    @property
    def function_directory(self) -> str:
        """The app's directory."""
        return self._directory

    @property
    def trace_context(self) -> Any:
        """No trace."""
        return _Trace()

    @property
    def retry_context(self) -> Any:
        """No retries."""
        return _Retry()


class _Out(func.Out[Any]):
    def __init__(self) -> None:
        self.value: Any = None

    def set(self, val: Any) -> None:
        self.value = val

    def get(self) -> Any:
        return self.value


@dataclass(frozen=True, slots=True)
class Invoker:
    """Calls functions; `client` writes the durable client binding of a call, `timeout` is functionTimeout.

    `is_direct` calls orchestrators and entities, which compute and do not wait, without a thread between: twice as
    fast, for a host that does one thing at a time anyhow. Nothing can then interrupt one that hangs.
    `check_alive` raises when the host is dead: nobody is there any more to hear what a function answered.
    """

    client: Callable[[str], str]
    timeout: timedelta | None
    directory: Path | None = None
    is_direct: bool = False
    check_alive: Callable[[], None] = lambda: None

    async def call(self, function: Function, trigger: Datum, metadata: Mapping[str, Any] | None = None) -> Any:
        """Call a function with its trigger's datum and answer the datum it returned, or None.

        Raises:
            InvocationError: it did not answer; the message is what the host would be told.
        """
        invocation_id = str(uuid.UUID(int=random.getrandbits(128), version=4))
        outs = {name: _Out() for name in function.outputs}
        try:
            arguments = self._arguments(function, trigger, metadata or {}, invocation_id) | outs
            result = await self._run(function, arguments)
            self.check_alive()
            return _encode(function, result, outs)
        except InvocationError:
            raise
        except Exception as error:
            self.check_alive()
            _LOG.debug("%s raised", function.name, exc_info=error)
            raise InvocationError(f"{type(error).__name__}: {error}", _stack_of(error)) from error

    def _arguments(
        self, function: Function, trigger: Datum, metadata: Mapping[str, Any], invocation_id: str
    ) -> dict[str, Any]:
        arguments: dict[str, Any] = {}
        for name, binding_type in function.inputs.items():
            if name == function.trigger_name:
                arguments[name] = _decode(binding_type, trigger, metadata)
            else:
                arguments[name] = _decode(
                    binding_type, Datum(self.client(f"{function.kind}-{invocation_id}"), "string"), {}
                )
        if function.wants_context:
            arguments["context"] = InvocationContext(invocation_id, function.name, self.directory)
        return arguments

    async def _run(self, function: Function, arguments: dict[str, Any]) -> Any:
        if self.is_direct and function.kind in _PURE:
            return function.call(**arguments)
        work = (
            run_async(function.call(**arguments))
            if function.is_async
            else run_sync(partial(function.call, **arguments))
        )
        if self.timeout is None:
            return await work
        limit = asyncio.timeout(self.timeout.total_seconds())
        try:
            async with limit:
                return await work
        except TimeoutError:
            if not limit.expired():
                raise
            if not function.is_async:
                replace_thread()
            raise InvocationError(
                f"Timeout value of {_dotnet(self.timeout)} was exceeded by function: Functions.{function.name}"
            ) from None


def _stack_of(error: Exception) -> str:
    """Answer where in the user's code an error comes from, without how this host got there."""
    frames = traceback.extract_tb(error.__traceback__)
    theirs = list(dropwhile(lambda frame: frame.filename.startswith(_HERE), frames))
    return "".join(traceback.format_list(theirs or frames))


def _dotnet(span: timedelta) -> str:
    seconds = int(span.total_seconds())
    days, seconds = divmod(seconds, 86_400)
    clock = f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}"
    return f"{days}.{clock}" if days else clock


def _decode(binding_type: str, datum: Datum, metadata: Mapping[str, Any]) -> Any:
    if binding_type == "generic":
        return datum.value
    return converter(binding_type).decode(datum, trigger_metadata=metadata)


def _encode(function: Function, result: Any, outs: Mapping[str, _Out]) -> Any:
    if function.returns is None:
        if result is not None:
            raise RuntimeError(f"function {function.name!r} without a $return binding returned a non-None value")
        value = next((out.value for out in outs.values() if out.value is not None), None)
        return converter("http").encode(value, expected_type=None) if value is not None else None
    try:
        return converter(function.returns).encode(result, expected_type=None)
    except NotImplementedError:
        raise TypeError(
            f'unable to encode outgoing TypedData: unsupported type "{function.returns}" for Python type '
            f'"{type(result).__name__}"'
        ) from None


def text_of(datum: Any) -> str | None:
    """Answer the JSON text a durable function returned."""
    value = getattr(datum, "value", None)
    return None if value is None else str(value)

"""The steps that runbooks are made of, each a typed call into the world and back.

A step is one activity or entity call. Activities are repeated a few times when they raise, which is safe: each
looks before it acts.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any, Final, TypeVar

from azure.durable_functions import EntityId, RetryOptions

from domain import contract
from domain.contract import Errands
from domain.control import Control
from domain.errors import Refusal, bounded
from domain.notices import Notice
from domain.wire import Answer, Wire
from orchestrators.context import Context, Runbook

# Short and few: what may take long is waited for by looking again, not by retrying.
RETRY: Final = RetryOptions(first_retry_interval_in_milliseconds=5_000, max_number_of_attempts=3)

# A lost wake-up costs at most this; a timer this short can be cancelled at once (longer than six days cannot).
TICK: Final = timedelta(hours=1)
# History is replayed at every step; beginning anew keeps each replay short.
TICKS_PER_GENERATION: Final = 6

Item = TypeVar("Item")
Reply = TypeVar("Reply", bound=Answer)


def parts(items: Sequence[Item], size: int) -> list[tuple[Item, ...]]:
    """Cut a list into parts of at most so many."""
    return [tuple(items[start : start + size]) for start in range(0, len(items), size)]


def call(context: Context, name: str, request: Wire, reply: type[Reply]) -> Runbook[Reply]:
    """Take one step and read its answer."""
    answer = yield context.call_activity_with_retry(name, RETRY, request.to_wire())
    return reply.from_wire(answer)


def call_each(context: Context, name: str, requests: Sequence[Wire], reply: type[Reply]) -> Runbook[list[Reply]]:
    """Take one step for each request at once; with no request, take none."""
    if not requests:
        return []
    tasks = [context.call_activity_with_retry(name, RETRY, request.to_wire()) for request in requests]
    answers = yield context.task_all(tasks)
    return [reply.from_wire(answer) for answer in answers]


def ask_entity(context: Context, name: str, key: str, operation: str, about: Any = None) -> Runbook[Any]:
    """Ask one entity."""
    answer = yield context.call_entity(EntityId(name, key), operation, about)
    return answer


def ask_entities(
    context: Context, name: str, keys: Iterable[str], operation: str, about: Any = None
) -> Runbook[list[Any]]:
    """Ask several entities the same at once."""
    tasks = [context.call_entity(EntityId(name, key), operation, about) for key in keys]
    if not tasks:
        return []
    answers = yield context.task_all(tasks)
    return answers


def control(context: Context, run: str) -> Runbook[Control]:
    """Find out what people want of the run as a whole now."""
    known: dict[str, Any] | None = yield from ask_entity(context, contract.CONTROL, run, "read")
    return Control.from_wire(known or {}).heeded_at(context.current_utc_datetime)


def tell(context: Context, notice: Notice) -> Runbook[str]:
    """Send a herald with a notice and give the errand's name; whatever becomes of it, nothing waits for it."""
    with suppress(Exception):
        yield from call(context, contract.SEND_HERALD, notice, Errands)
    return notice.errand


def pause(context: Context, until: datetime, event: str) -> Runbook[bool]:
    """Wait for a time or a wake-up, and say whether it was the wake-up.

    One buffered event satisfies every later wait of its name, so each name is used once.
    """
    timer = context.create_timer(until)
    wake_up = context.wait_for_external_event(event)
    winner = yield context.task_any([timer, wake_up])
    if winner is wake_up:
        timer.cancel()
    return winner is wake_up


def after(context: Context, delay: timedelta) -> datetime:
    """Give the moment that lies a while from now."""
    return context.current_utc_datetime + delay


def unreachable(what: str, error: Exception) -> Refusal:
    """Say that Azure could not be asked."""
    return Refusal(
        code="AzureUnreachable",
        what=f"{what}: {first_line(error)}",
        remedy="try again when Azure answers",
    )


def first_line(error: Exception) -> str:
    """Give the first line of an error, for types and stacks do not survive the wire."""
    return bounded(next(iter(str(error).splitlines()), type(error).__name__), 300)

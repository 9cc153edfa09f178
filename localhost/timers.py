"""Running timer triggers: each occurrence once it is due, a missed one at once when the host is back."""

import json
import logging
from collections.abc import Mapping
from datetime import timedelta

from azure.functions.meta import Datum

from localhost.app import App
from localhost.clock import Clock
from localhost.engine.events import moment, timestamp
from localhost.functions import Function
from localhost.invoker import InvocationError, Invoker
from localhost.rows import Wake, Work
from localhost.schedule import Schedule, read_schedule
from localhost.store import Store

_LOG = logging.getLogger("localhost")

# A run that starts this much later than it was due is told so.
_PAST_DUE = timedelta(seconds=1)


class Timers:
    """Runs timer triggers; when each comes next is part of the state."""

    def __init__(self, store: Store, app: App, clock: Clock, invoker: Invoker) -> None:
        self._store = store
        self._clock = clock
        self._invoker = invoker
        self._functions: Mapping[str, Function] = {function.name: function for function in app.timers}
        self._schedules: Mapping[str, Schedule] = {
            name: read_schedule(function.schedule) for name, function in self._functions.items()
        }

    def begin(self) -> list[Wake]:
        """Answer when each timer is next due: as the state says, or as its schedule does."""
        now = self._clock.now()
        wakes: list[Wake] = []
        for name, function in self._functions.items():
            stored = self._store.timer(name)
            due = stored or timestamp(self._schedules[name].next_after(now))
            if stored is None:
                with self._store.transaction("timer") as writer:
                    writer.set_timer(name, due)
            if function.run_on_startup:
                wakes.append(Wake(Work.TIMER, name, ""))
            wakes.append(Wake(Work.TIMER, name, due))
        return wakes

    async def run(self, name: str) -> None:
        """Run a timer's function, and set when it is due next; its failure is logged, and not retried."""
        now = self._clock.now()
        due = moment(self._store.timer(name) or timestamp(now))
        following = timestamp(self._schedules[name].next_after(now))
        info = {
            "Schedule": {"AdjustForDST": True},
            "ScheduleStatus": {"Last": timestamp(due), "Next": following, "LastUpdated": timestamp(now)},
            "IsPastDue": now - due > _PAST_DUE,
        }
        try:
            await self._invoker.call(self._functions[name], Datum(json.dumps(info), "json"))
        except InvocationError as error:
            _LOG.error("Function %s failed: %s\n%s", name, error.message, error.stack)
        with self._store.transaction("timer") as writer:
            writer.set_timer(name, following)

    def trigger(self, name: str) -> bool:
        """Make a timer due now, as POST /admin/functions/NAME does; False when there is none of that name."""
        if name not in self._functions:
            return False
        with self._store.transaction("timer") as writer:
            writer.set_timer(name, timestamp(self._clock.now()))
        return True

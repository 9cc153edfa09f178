"""A wait: until a moment comes, and for as long as the run is paused."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from domain.wire import Answer
from orchestrators import steps
from orchestrators.context import Context, Runbook


class Wait(Answer):
    """Everything a wait takes along when it begins anew."""

    run: str
    until: datetime
    generation: int = 0


class Waited(Answer):
    """Why the run was cancelled meanwhile, if it was."""

    cancelled: str | None = None


def bide(context: Context) -> Runbook[dict[str, Any] | None]:
    """Wait until a moment comes and the run is not paused, or until it is cancelled."""
    wait = Wait.from_wire(context.get_input())
    for turn in range(steps.TICKS_PER_GENERATION):
        shown = {"until": wait.until.isoformat(), "listen": f"wake-{wait.generation}-{turn}"}
        context.set_custom_status(shown)
        control = yield from steps.control(context, wait.run)
        now = context.current_utc_datetime
        if control.cancelled or (now >= wait.until and not control.paused):
            return Waited(cancelled=control.cancelled).to_wire()
        context.set_custom_status(shown | ({"paused": control.paused} if control.paused else {}))
        soon = steps.after(context, steps.TICK)
        yield from steps.pause(context, min(soon, wait.until) if wait.until > now else soon, shown["listen"])
    context.continue_as_new(wait.having(generation=wait.generation + 1).to_wire())
    return None

"""A stage: a group of machines on one stretch of the road, watched until each has arrived.

It looks, decides and acts, again and again, and remembers nothing that the next look would not show. So it may
be stopped at any instant and begun again.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Final

from domain import contract, status
from domain.contract import Look, LookRequest, Orders, Starts, ValidationOrders, Validations
from domain.errors import Refusal
from domain.hearing import hear, hear_validations
from domain.leg import HEEDS_CANCEL, Decision, Leg, LegStatus, Task
from domain.pace import next_look
from domain.stage import decide, give_up
from domain.wire import Answer
from orchestrators import steps
from orchestrators.context import Context, Runbook

# History is replayed at every step; beginning anew keeps each replay short.
LOOKS_PER_GENERATION: Final = 6
# So many machines share one activity, and one look at the vault. Even if none of their calls is answered in time,
# the activity ends within the host's functionTimeout.
TOGETHER: Final = 16
# Every so many looks each job is read, of many machines too: one whose machine never lets it go is found out.
READ_ALL_JOBS: Final = 4
# Jobs go on while Azure cannot be seen; a day without sight is for people to judge.
BLIND_FOR: Final = timedelta(days=1)


class Passage(Answer):
    """Everything a stage takes along when it begins anew."""

    task: Task
    legs: tuple[Leg, ...]
    generation: int = 0
    cancelled: str | None = None
    blind_since: datetime | None = None
    # Absent in old runs, which could not be paused.
    paused: str | None = None

    @property
    def is_stopping(self) -> bool:
        """Whether nothing more may be started."""
        return self.cancelled is not None and self.task.stage in HEEDS_CANCEL

    @property
    def is_over(self) -> bool:
        """Whether every machine's leg has ended."""
        return all(leg.has_ended for leg in self.legs)

    def looking(self, *, every_job: bool = True) -> LookRequest:
        """Ask for what has changed of the machines and jobs that still matter."""
        legs = [leg for leg in self.legs if not leg.has_ended]
        running = [leg for leg in legs if leg.status is LegStatus.RUNNING and leg.job]
        marks = {leg.subject.name: leg.snapshot.mark for leg in legs if leg.snapshot}
        jobs = {
            record.job.id: record.job.mark for leg in running for record in leg.jobs if record.job.id == leg.job
        }
        return LookRequest(
            vault=self.task.vault,
            machines={leg.subject.name: leg.item_id for leg in legs},
            lifecycles={leg.subject.name: leg.subject.lifecycle_id for leg in legs if leg.subject.lifecycle_id},
            jobs=tuple(leg.job for leg in running if leg.job),
            every_job=every_job,
            seen={**marks, **jobs},
        )


class StageResult(Answer):
    """How each leg of a stage ended, and why the run was cancelled meanwhile, if it was."""

    legs: tuple[Leg, ...]
    cancelled: str | None = None


def stage(context: Context) -> Runbook[dict[str, Any] | None]:
    """Carry a group of machines through one stage, each at its own pace.

    1. Look at all of them at once.
    2. Decide, for each on its own.
    3. Start what is due, unless the run was cancelled or is paused.
    4. Wait for the next look, or for a wake-up.
    """
    passage = Passage.from_wire(context.get_input())
    woken = True
    for turn in range(LOOKS_PER_GENERATION):
        event = f"wake-{passage.generation}-{turn}"
        context.set_custom_status(_shown(passage, event))

        # 1. Look
        every_job = woken or turn % READ_ALL_JOBS == 0
        look = yield from steps.call(context, contract.LOOK, passage.looking(every_job=every_job), Look)
        passage = _sighted(context, passage, look)

        # 2. Decide
        if look.blind is None:
            decision, passage = yield from _decided(context, passage, look, woken=woken)

            # 3. Start
            passage = yield from _act(context, passage, decision, look.as_of)

        # 4. Wait
        context.set_custom_status(_shown(passage, event, look))
        if passage.is_over:
            return StageResult(legs=passage.legs, cancelled=passage.cancelled).to_wire()
        wait = next_look(passage.task, passage.legs, look.as_of, paused=passage.paused is not None)
        woken = yield from steps.pause(context, steps.after(context, wait), event)
    context.continue_as_new(passage.having(generation=passage.generation + 1).to_wire())
    return None


def _sighted(context: Context, passage: Passage, look: Look) -> Passage:
    """Remember since when Azure is out of sight, and give up when that lasts."""
    if look.blind is None:
        return passage.having(blind_since=None)
    since = passage.blind_since or context.current_utc_datetime
    if context.current_utc_datetime - since <= BLIND_FOR:
        return passage.having(blind_since=since)
    refusal = Refusal(
        code="AzureOutOfSight",
        what=f"Azure has not answered since {since:%F %TZ}: {look.blind.what}; jobs may still be running",
        remedy=look.blind.remedy,
    )
    return passage.having(legs=give_up(passage.legs, refusal, look.as_of))


def _decided(context: Context, passage: Passage, look: Look, *, woken: bool) -> Runbook[tuple[Decision, Passage]]:
    """Decide; before anything is started, and after every wake-up, ask what people want of the run."""
    decision = _decide(passage, look)
    if passage.cancelled is None and (decision.orders or woken or passage.paused):
        control = yield from steps.control(context, passage.task.run)
        passage = passage.having(cancelled=control.cancelled, paused=control.paused)
        decision = _decide(passage, look)
    return decision, passage


def _decide(passage: Passage, look: Look) -> Decision:
    return decide(passage.task, passage.legs, look, stopping=passage.is_stopping, paused=passage.paused)


def _act(context: Context, passage: Passage, decision: Decision, now: datetime) -> Runbook[Passage]:
    """Give the orders, look for lost ones, judge machines that came up, and take in the answers."""
    orders = [Orders(orders=part) for part in steps.parts(decision.orders, TOGETHER)]
    searches = [Orders(orders=part) for part in steps.parts(decision.searches, TOGETHER)]
    asked = [ValidationOrders(orders=part) for part in steps.parts(decision.validations, TOGETHER)]
    started = yield from steps.call_each(context, contract.START_ACTS, orders, Starts)
    found = yield from steps.call_each(context, contract.FIND_ACTS, searches, Starts)
    judged = yield from steps.call_each(context, contract.VALIDATE, asked, Validations)
    legs = hear(decision.legs, [start for part in (*started, *found) for start in part.starts], now)
    return passage.having(
        legs=hear_validations(passage.task, legs, [each for part in judged for each in part.validations])
    )


def _shown(passage: Passage, event: str, look: Look | None = None) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "stage": passage.task.stage.value,
        "listen": event,
        "machines": status.of_legs(passage.task.stage, passage.legs),
    }
    if passage.paused is not None:
        shown["paused"] = passage.paused
    if look is not None:
        shown["asOf"] = look.as_of.isoformat()
        if look.blind is not None:
            shown["blind"] = look.blind.what[:300]
    return status.fit(shown)

"""How long a stage is patient, and what it says when patience ends.

Every refusal here opens the gate "intervention": it says what was seen and what a person can do.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from domain.duration import spoken
from domain.errors import Refusal
from domain.leg import Leg, Task
from domain.lifecycle import ACTS, Act, in_words
from domain.machine import JobSnapshot, MachineSnapshot, last_segment

# A job that has not ended by now will not end by itself; Azure's own guidance for re-protection is "a few hours".
GIVE_UP_AFTER: Final = timedelta(hours=12)
# The first copy moves whole disks through the network: tens of terabytes are a matter of days.
FIRST_COPY_WITHIN: Final = timedelta(days=5)
# An item follows its job within seconds; lists may lag minutes behind.
CONFIRM_WITHIN: Final = timedelta(minutes=10)
# An accepted POST shows as a job at once; after this long without one, the POST was not accepted.
UNDECIDED_FOR: Final = timedelta(minutes=3)
# A list may show a machine as it was before our last act; what it then claims must stay so this long.
STALE_FOR: Final = timedelta(minutes=2)
# Moving to the other container takes an item out of the list for a moment; longer means it was disabled.
GONE_FOR: Final = timedelta(minutes=10)

# The code of a refusal that says: not in this state. start_acts gives it; patience may mend it.
NOT_ALLOWED_NOW: Final = "NotAllowedNow"


def job_failed(act: Act, job: JobSnapshot) -> Refusal:
    """Say how a job failed, in Azure's words."""
    error = next(iter(job.errors), None)
    told = (
        "; ".join(f"{each.code}: {each.message}" for each in job.errors[:3]) or job.words or "no error was given"
    )
    return Refusal(
        code=error.code if error else f"Job{job.state}",
        what=f"{ACTS[act].words}: job {last_segment(job.id)} ended as {job.state}: {told}",
        remedy=(error.action if error else "") or "look at the job in the vault, mend the cause, then retry",
    )


def job_timed_out(leg: Leg) -> Refusal:
    """Say that a job has not ended in time."""
    return Refusal(
        code="JobTimedOut",
        what=f"job {last_segment(leg.job or '')} has not ended after {spoken(GIVE_UP_AFTER)}; it may still end",
        remedy="look at the job in the vault; retry follows it again, and starts nothing while it runs",
    )


def not_confirmed(act: Act, snapshot: MachineSnapshot) -> Refusal:
    """Say that a machine is not where its job should have brought it."""
    return Refusal(
        code="NotConfirmed",
        what=f"{ACTS[act].words}: its job succeeded, but the machine is {in_words(snapshot)}",
        remedy="look at the item in the vault, then retry, skip or stop",
    )


def astray(task: Task, snapshot: MachineSnapshot) -> Refusal:
    """Say that a machine is where its stage does not expect it."""
    return Refusal(
        code="UnexpectedState",
        what=f"stage {task.stage} does not expect a machine that is {in_words(snapshot)}",
        remedy="find out who changed it; bring it back to where the stage began and retry, or stop",
    )


def held(snapshot: MachineSnapshot) -> Refusal:
    """Say that something else has held a machine for too long."""
    return Refusal(
        code="HeldTooLong",
        what=f"{in_words(snapshot)}, for more than {spoken(GIVE_UP_AFTER)}",
        remedy="end or cancel the job that holds the item, then retry",
    )


def gone(leg: Leg) -> Refusal:
    """Say that a machine is no longer listed."""
    return Refusal(
        code="ItemGone",
        what=f"the vault has not listed {leg.subject.name} for {spoken(GONE_FOR)}",
        remedy="replication may have been disabled: look at the vault's jobs and the machine itself, then stop",
    )


def copy_overdue(snapshot: MachineSnapshot) -> Refusal:
    """Say that the first copy takes too long."""
    return Refusal(
        code="FirstCopyOverdue",
        what=f"{in_words(snapshot)}, for more than {spoken(FIRST_COPY_WITHIN)}",
        remedy="look at the item's health in the vault; retry goes on waiting",
    )


def not_begun(act: Act, words: str) -> Refusal:
    """Say that an act could not even be started."""
    return Refusal(
        code="NotBegun",
        what=f"{ACTS[act].words}: could not be started for {spoken(GIVE_UP_AFTER)}: {words or 'it had to wait'}",
        remedy="mend what it waits for, then retry; nothing was started",
    )


def never_known(act: Act) -> Refusal:
    """Say that an act's outcome stayed unknown."""
    return Refusal(
        code="OutcomeUnknown",
        what=f"{ACTS[act].words}: it is not known whether it was started, and no job was found",
        remedy="look at the vault's jobs; retry looks again before it starts anything",
    )

"""How a job reads: rich by itself, poor in a list."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from simulator.arm import JOB_TYPE
from simulator.jobs import CHILD_TASK, SHUTDOWN_TASK, Job, JobError, JobState, TaskSpec
from simulator.providers.site_recovery.plan_view import plan_details, plan_tasks
from simulator.times import UNSET_TASK_TIME, ticks, whole_seconds

if TYPE_CHECKING:
    from simulator.messages import JsonObject
    from simulator.world import World

_ENDED_WORDS = {
    JobState.SUCCEEDED: "Completed",
    JobState.FAILED: "Failed",
    JobState.CANCELLED: "Cancelled",
}
"""How an ended job is described; any other state by its own name."""

CHILD_BEGINS_BEFORE = timedelta(seconds=0.24)
CHILD_ENDS_BEFORE = timedelta(seconds=61)


def job_body(job: Job, world: World) -> JsonObject:
    """Write a job as a get answers it, all its tasks from the first second on (recorded)."""
    body = list_body(job, world)
    properties: JsonObject = body["properties"]  # pyright: ignore[reportAssignmentType]
    properties["activityId"] = job.activity_id()
    if job.run:
        properties["tasks"] = plan_tasks(job, job.run, world)
    else:
        tasks = range(len(job.scenario.tasks))
        properties["tasks"] = [_task(job, index, world) for index in tasks]
    properties["customDetails"] = _details(job, world)
    return body


def list_body(job: Job, world: World) -> JsonObject:
    """Write a job as a list answers it: no activity, no tasks, no details (recorded)."""
    now, state = world.now, job.state(world.now)
    over = job.over(now)
    errors = [_error(error, job, world) for error in job.told()] if over else []
    ended: JsonObject = {"endTime": whole_seconds(job.ends)} if over and job.ends else {}
    properties: JsonObject = {
        "activityId": None,
        "scenarioName": job.scenario.name,
        "friendlyName": job.scenario.friendly_name,
        "state": str(state),
        "stateDescription": _ENDED_WORDS.get(state, str(state)),
        "tasks": [],
        "errors": errors,
        "startTime": ticks(job.started),
        **ended,
        "allowedActions": _allowed(job, over=over),
        "targetObjectId": job.target_object_id,
        "targetObjectName": job.target_name,
        "targetInstanceType": job.target_type,
        "customDetails": None,
    }
    return {"id": job.arm_id(), "name": job.id, "type": JOB_TYPE, "properties": properties}


def _allowed(job: Job, *, over: bool) -> list[str]:
    if not over:
        return ["Cancel"] if job.cancellable else []
    # invented: that a failed job may be restarted; none was recorded, the models name Restart
    return ["Restart"] if job.outcome is JobState.FAILED else []


def _error(error: JobError, job: Job, world: World) -> JsonObject:
    """Write one of a job's errors: the service's own words; of the provider nothing but an id (recorded)."""
    return {
        "serviceErrorDetails": {
            "code": error.code,
            "message": error.message,
            "possibleCauses": error.possible_causes,
            "recommendedAction": error.recommended_action,
            "activityId": job.activity_id(),
        },
        "providerErrorDetails": {
            "errorCode": 0,
            "errorMessage": None,
            "errorId": world.ids.fixed("error", job.id, error.code),
            "possibleCauses": "",
            "recommendedAction": "",
        },
        "errorLevel": error.level,
        "creationTime": ticks(job.ends or job.started),
        "taskId": error.task_id,
    }


def _task(job: Job, index: int, world: World) -> JsonObject:
    task = job.scenario.tasks[index]
    state, words, began, ended = _progress(job, index, world.now)
    group = task.child is not None
    errors = _task_errors(job, task, state, world)
    return {
        "taskId": job.task_id(task, world.ids),
        "name": task.name,
        "startTime": began,
        "endTime": ended,
        "allowedActions": [],
        "friendlyName": task.friendly_name,
        "state": state,
        "stateDescription": words,
        "taskType": "GroupTaskDetails" if group else "TaskDetails",
        "customDetails": None if group else {"instanceType": "TaskDetails"},
        "groupTaskCustomDetails": (
            {
                "instanceType": "GroupTaskDetails",
                "childTasks": [_child(job, task, world)] if task.child else [],
            }
            if group
            else None
        ),
        "errors": errors,
    }


def _task_errors(job: Job, task: TaskSpec, state: str, world: World) -> list[JsonObject]:
    if task.task_id == SHUTDOWN_TASK and job.skip_shutdown_error and state == "Failed":
        return [_error(job.skip_shutdown_error, job, world)]
    failed = state == "Failed" and job.errors
    return [_error(error, job, world) for error in job.errors] if failed else []


def _progress(job: Job, index: int, now: datetime) -> tuple[str, str, str, str]:
    """Answer a task's state, words, begin and end, from the clock and the job's end alone."""
    task = job.scenario.tasks[index]
    began, ended = job.task_times(task)
    stopped = job.ends is not None and job.outcome is not JobState.SUCCEEDED
    seen = min(now, job.ends) if stopped and job.ends else now
    if stopped and job.failed_task is not None and index > job.failed_task:
        return ("NotStarted", "NotStarted", UNSET_TASK_TIME, UNSET_TASK_TIME)
    if task.begin < 0:
        return _timeless(job, seen)
    if seen < began:
        return ("NotStarted", "NotStarted", UNSET_TASK_TIME, UNSET_TASK_TIME)
    if task.skipped:
        return ("Other", "Skipped", ticks(began), UNSET_TASK_TIME)
    if job.failed_task == index and job.over(now):
        return ("Failed", "Failed", ticks(began), ticks(ended))
    hangs = job.ends is None and index == len(job.scenario.tasks) - 1
    if seen < ended or hangs:
        cancelled = job.over(now) and job.outcome is JobState.CANCELLED
        word = "Cancelled" if cancelled else "InProgress"
        return (word, word, ticks(began), ticks(seen) if cancelled else UNSET_TASK_TIME)
    if task.task_id == SHUTDOWN_TASK and job.skip_shutdown_error:
        return ("Failed", "Failed", ticks(began), ticks(ended))
    return ("Succeeded", "Completed", ticks(began), ticks(ended))


def _timeless(job: Job, now: datetime) -> tuple[str, str, str, str]:
    """Answer the one task that is skipped without any time of its own (recorded)."""
    first = job.scenario.tasks[0]
    done = now >= job.task_times(first)[1]
    state, words = ("Other", "Skipped") if done else ("NotStarted", "NotStarted")
    return (state, words, UNSET_TASK_TIME, UNSET_TASK_TIME)


def _child_times(job: Job, task: TaskSpec) -> tuple[datetime, datetime]:
    """Answer when the job inside a group task runs: begun just before it, ended a minute before (recorded)."""
    began, ended = job.task_times(task)
    return max(job.started, began - CHILD_BEGINS_BEFORE), max(began, ended - CHILD_ENDS_BEFORE)


def _child_shown(job: Job, task: TaskSpec, now: datetime) -> tuple[str, str, str, str]:
    """Answer the state, words, begin and end of the job inside a group task."""
    index = job.scenario.tasks.index(task)
    state, words, _, _ = _progress(job, index, now)
    began, ended = _child_times(job, task)
    if state == "InProgress" and now >= ended and job.ends is not None:
        state, words = str(JobState.SUCCEEDED), _ENDED_WORDS[JobState.SUCCEEDED]
    if state == "Succeeded" and job.warning:  # recorded with its own word, and without an end
        word = str(JobState.COMPLETED_WITH_INFORMATION)
        return word, word, ticks(began), UNSET_TASK_TIME
    if state in {"NotStarted", "InProgress"}:
        return state, words, UNSET_TASK_TIME if state == "NotStarted" else ticks(began), UNSET_TASK_TIME
    return state, words, ticks(began), whole_seconds(min(ended, job.ends or ended))


def _child(job: Job, task: TaskSpec, world: World) -> JsonObject:
    """Write the job inside a group task, its machine in lower case; its own job is not listed."""
    state, words, began, ended = _child_shown(job, task, world.now)
    child_job, name = world.ids.fixed("child-job", job.id), job.target_name.lower()
    return {
        "taskId": CHILD_TASK,
        "name": name,
        "startTime": began,
        "endTime": ended,
        "allowedActions": [],
        "friendlyName": name,
        "state": state,
        "stateDescription": words,
        "taskType": "JobTaskDetails",
        "customDetails": {
            "jobTask": {
                "jobId": f"{job.vault_id}/replicationJobs/{child_job}",
                "jobFriendlyName": task.child,
                "targetObjectId": world.ids.fixed("vm-entity", job.target_object_id),
                "targetObjectName": name,
                "targetInstanceType": "Vm",
                "jobScenarioName": CHILD_TASK,
            },
            "instanceType": "JobTaskDetails",
        },
        "groupTaskCustomDetails": None,
        "errors": [],
    }


def _details(job: Job, world: World) -> JsonObject:
    kind = job.scenario.details
    details: JsonObject = {"instanceType": kind, **job.details}
    if kind in {"FailoverJobDetails", "TestFailoverJobDetails"}:
        details["protectedItemDetails"] = _items(job, world)
    return details | {"affectedObjectDetails": job.affected}


def _items(job: Job, world: World) -> list[JsonObject]:
    """Write the machine and its point; empty until a failover has succeeded, and of a test failover (recorded)."""
    if job.run:
        return plan_details(job.run, world)
    if not job.over(world.now) or job.point is None or job.scenario.details == "TestFailoverJobDetails":
        return []
    return [
        {
            "name": job.target_object_id,
            "friendlyName": job.target_name,
            "testVmName": None,
            "testVmFriendlyName": None,
            "networkConnectionStatus": None,
            "networkFriendlyName": job.point.network,
            "subnet": job.point.subnet,
            "recoveryPointId": job.point.name,
            "recoveryPointTime": ticks(job.point.time),
        }
    ]

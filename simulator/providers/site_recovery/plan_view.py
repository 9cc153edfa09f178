"""How a recovery plan and its job read."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from simulator.arm import last_segment
from simulator.estate import Act
from simulator.jobs import Job, JobState
from simulator.plans import Plan, members, operations
from simulator.times import UNSET_TASK_TIME, ticks

if TYPE_CHECKING:
    from simulator.messages import JsonObject
    from simulator.plans import PlanRun
    from simulator.world import World

PLAN_TYPE = "Microsoft.RecoveryServices/vaults/replicationRecoveryPlans"
PLACEHOLDER = timedelta(seconds=1)
"""How long a plan's job reads as a placeholder after its start (recorded: the first read did)."""

_SHARES = {
    "shutdown": (0.0, 0.331),
    "failover": (0.331, 0.9),
    "start": (0.9, 1.0),
}


def plan_body(plan: Plan, world: World, *, listed: bool = False) -> JsonObject:
    """Write a plan; a list leaves its groups empty (recorded)."""
    properties: JsonObject = {
        "friendlyName": plan.name,
        "primaryFabricId": plan.source.fabric_id,
        "primaryFabricFriendlyName": plan.source.region_name,
        "recoveryFabricId": plan.target.fabric_id,
        "recoveryFabricFriendlyName": plan.target.region_name,
        "failoverDeploymentModel": "ResourceManager",
        "replicationProviders": ["A2A"],
        "allowedOperations": operations(world, plan),
    }
    if plan.last_test_failover:
        properties["lastTestFailoverTime"] = ticks(plan.last_test_failover)
    if plan.last_failover:
        properties["lastUnplannedFailoverTime"] = ticks(plan.last_failover)
    properties |= _scenario(plan, world)
    properties["groups"] = [] if listed else _groups(plan, world)
    properties["providerSpecificDetails"] = []
    return {"id": plan.id, "name": plan.name, "type": PLAN_TYPE, "properties": properties}


def _scenario(plan: Plan, world: World) -> JsonObject:
    """Write the last scenario, which stays; null for a plan that was never run (recorded)."""
    job = plan.job
    if job is None:
        return {
            "currentScenario": None,
            "currentScenarioStatus": None,
            "currentScenarioStatusDescription": None,
        }
    scenario = {
        "scenarioName": job.scenario.name,
        "jobId": job.arm_id(),
        "startTime": ticks(job.started),
    }
    status, words = _status(job, world.now)
    return {
        "currentScenario": scenario,
        "currentScenarioStatus": status,
        "currentScenarioStatusDescription": words,
    }


def _status(job: Job, now: datetime) -> tuple[str, str]:
    state = job.state(now)
    if state is not JobState.SUCCEEDED:
        return str(state), str(state)
    if job.scenario.name == "TestFailover":
        return "Suspended", "WaitingForStopTestFailover"
    return "Succeeded", "Completed"


def _groups(plan: Plan, world: World) -> list[JsonObject]:
    """Write the groups: the service adds Shutdown and Failover, and answers a GUID for each machine."""
    boots = [
        _group("Boot", [{"id": i.id, "virtualMachineId": i.entity_id} for i in group])
        for group in members(world, plan)
    ]
    return [_group("Shutdown", []), _group("Failover", []), *boots]


def _group(kind: str, items: list[JsonObject]) -> JsonObject:
    return {
        "groupType": kind,
        "replicationProtectedItems": items,
        "startGroupActions": [],
        "endGroupActions": [],
    }


def placeholder(job: Job) -> JsonObject:
    """Write what the first read of a plan's job answers, under the operation's id (recorded)."""
    arm_id = f"{job.vault_id}/replicationJobs/{job.operation_id}"
    return {
        "id": arm_id,
        "name": job.operation_id,
        "type": "Microsoft.RecoveryServices/vaults/replicationJobs",
        "properties": {
            "activityId": job.activity_id(),
            "scenarioName": None,
            "friendlyName": None,
            "state": "NotStarted",
            "stateDescription": "NotStarted",
            "tasks": [],
            "errors": [],
            "allowedActions": [],
            "targetObjectId": None,
            "targetObjectName": None,
            "targetInstanceType": "ProtectionEntity",
            "customDetails": {"instanceType": "AsrJobDetails", "affectedObjectDetails": {}},
        },
    }


def plan_tasks(job: Job, run: PlanRun, world: World) -> list[JsonObject]:
    """Write a plan's tasks: shutdown of all groups, failover of all, then each group's start."""
    now = world.now
    check = _leaf(job, world, "RpSrsPrerequisitesCheck", "Prerequisites check for the recovery plan")
    final = _leaf(job, world, "EndRecoveryPlanTask", "Finalizing the recovery plan", last=True)
    if run.act is not Act.FAILOVER:
        # invented: the tasks of a plan's jobs other than failover
        work = [_boot(job, run, world, number, whole=True) for number in range(len(run.groups))]
        return [check, *work, final]
    count = len(run.jobs)
    every = range(len(run.groups))
    inner = [_shutdown(run, world, number) for number in every]
    shutdown = _container(
        "ShutdownAllActionGroup",
        f"All groups shutdown ({count})",
        "Shutdown",
        inner,
        now,
        span=_span(run.jobs, "shutdown"),
        kind="RecoveryPlanShutdownGroupTaskDetails",
    )
    machines = [_machine(child, world, "failover") for child in run.jobs]
    failover = _container(
        "FailoverAllActionGroup",
        "Recovery plan failover",
        "RpFailoverTask",
        machines,
        now,
        span=_span(run.jobs, "failover"),
    )
    boots = [_boot(job, run, world, number) for number in every]
    return [check, shutdown, failover, *boots, final]


def plan_details(run: PlanRun, world: World) -> list[JsonObject]:
    """Write each machine's network and recovery point once its job has ended."""
    return [
        {
            "name": job.target_object_id,
            "friendlyName": job.target_name,
            "testVmName": None,
            "testVmFriendlyName": None,
            "networkConnectionStatus": None,
            "networkFriendlyName": last_segment(run.plan.target.spec.network).lower(),
            "subnet": run.plan.target.spec.subnet,
            "recoveryPointId": job.point.name,
            "recoveryPointTime": ticks(job.point.time),
        }
        for job in run.jobs
        if job.point and job.over(world.now)
    ]


def _shutdown(run: PlanRun, world: World, number: int) -> JsonObject:
    group = run.groups[number]
    name = f"Shutdown: Group {number + 1} ({len(group)})"
    machines = [_machine(child, world, "shutdown") for child in group]
    return _container(f"Group{number + 1}", name, "Shutdown", machines, world.now, span=_span(group, "shutdown"))


def _boot(job: Job, run: PlanRun, world: World, number: int, *, whole: bool = False) -> JsonObject:
    group = run.groups[number]
    word = job.scenario.friendly_name if whole else "Start"
    phase = "whole" if whole else "start"
    machines = [_machine(child, world, phase) for child in group]
    return _container(
        f"Group{number + 1}",
        f"Group {number + 1}: {word} ({len(group)})",
        "BootGroup",
        machines,
        world.now,
        span=_span(group, phase),
    )


def _span(jobs: list[Job], phase: str) -> tuple[datetime, datetime | None]:
    begins, ends = zip(*(_times(job, phase) for job in jobs), strict=True)
    known = [end for end in ends if end is not None]
    return min(begins), max(known) if len(known) == len(ends) else None


def _times(job: Job, phase: str) -> tuple[datetime, datetime | None]:
    first, last = _SHARES.get(phase, (0.0, 1.0))
    begin = job.started + job.duration * first
    return begin, None if job.ends is None else min(job.ends, job.started + job.duration * last)


def _machine(child: Job, world: World, phase: str) -> JsonObject:
    """Write one machine's task; each phase cites a job of its own (recorded)."""
    begin, end = _times(child, phase)
    cited = child.id if phase in {"failover", "whole"} else world.ids.fixed("cited", child.id, phase)
    details = {
        "skippedReason": "None",
        "skippedReasonString": None,
        "jobTask": {
            "jobId": f"{child.vault_id}/replicationJobs/{cited}",
            "jobFriendlyName": child.scenario.friendly_name,
            "targetObjectId": child.target_object_id,
            "targetObjectName": child.target_name.lower(),
            "targetInstanceType": "Vm",
            "jobScenarioName": child.scenario.name,
        },
        "instanceType": "VirtualMachineTaskDetails",
    }
    bad = child.over(world.now) and child.outcome is not JobState.SUCCEEDED
    shown = _shown(begin, end, world.now, failed=str(child.outcome) if bad else None)
    return {
        "taskId": world.ids.fixed("plan-task", child.id, phase),
        "name": "Unknown",
        **shown,
        "allowedActions": [],
        "friendlyName": child.target_name.lower(),
        "taskType": "VirtualMachineTaskDetails",
        "customDetails": details,
        "groupTaskCustomDetails": None,
        "errors": [],
    }


def _container(
    task_id: str,
    friendly: str,
    group_type: str,
    children: list[JsonObject],
    now: datetime,
    *,
    span: tuple[datetime, datetime | None],
    kind: str = "RecoveryPlanGroupTaskDetails",
) -> JsonObject:
    failed = next((str(c["state"]) for c in children if c["state"] in {"Failed", "Cancelled"}), None)
    return {
        "taskId": task_id,
        "name": "Unknown",
        **_shown(*span, now, failed=failed),
        "allowedActions": [],
        "friendlyName": friendly,
        "taskType": kind,
        "customDetails": None,
        "groupTaskCustomDetails": {
            "name": task_id,
            "groupId": task_id,
            "rpGroupType": group_type,
            "instanceType": kind,
            "childTasks": children,
        },
        "errors": [],
    }


def _shown(begin: datetime, end: datetime | None, now: datetime, failed: str | None = None) -> JsonObject:
    if now < begin:
        state, words, times = "NotStarted", "NotStarted", (UNSET_TASK_TIME, UNSET_TASK_TIME)
    elif end is None or now < end:
        state, words, times = "InProgress", "InProgress", (ticks(begin), UNSET_TASK_TIME)
    else:
        state, words = (failed, failed) if failed else ("Succeeded", "Completed")
        times = (ticks(begin), ticks(end))
    return {"startTime": times[0], "endTime": times[1], "state": state, "stateDescription": words}


def _leaf(job: Job, world: World, name: str, friendly: str, *, last: bool = False) -> JsonObject:
    half = job.duration / 2
    if last:
        begin, end = (job.ends - half if job.ends else datetime.max.replace(tzinfo=job.started.tzinfo), job.ends)
    else:
        begin, end = job.started, job.started + half
    return {
        "taskId": world.ids.fixed("plan-task", job.id, name),
        "name": name,
        **_shown(begin, end, world.now),
        "allowedActions": [],
        "friendlyName": friendly,
        "taskType": "TaskDetails",
        "customDetails": {"instanceType": "TaskDetails"},
        "groupTaskCustomDetails": None,
        "errors": [],
    }

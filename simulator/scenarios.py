"""The kinds of jobs: names in recorded order, times as shares of the job's own duration."""

from __future__ import annotations

from dataclasses import replace
from types import MappingProxyType
from typing import TYPE_CHECKING

from simulator.estate import Act
from simulator.jobs import SHUTDOWN_TASK, Scenario, TaskSpec

if TYPE_CHECKING:
    from collections.abc import Mapping


def _task(task_id: str, name: str, friendly: str, begin: float, end: float) -> TaskSpec:
    return TaskSpec(task_id=task_id, name=name, friendly_name=friendly, begin=begin, end=end)


def _skipped(task_id: str, name: str, friendly: str, begin: float) -> TaskSpec:
    return TaskSpec(task_id=task_id, name=name, friendly_name=friendly, begin=begin, end=begin, skipped=True)


_UFO_CHECK = (
    "UnplannedFailoverPreflightChecksTask",
    "VmUfoPrerequisitesCheck",
    "Prerequisites check for failover",
)
_UFO_SHUTDOWN = (SHUTDOWN_TASK, "VmShutdownVmOnPrimary", "Shut down the virtual machine")
_UFO_SYNC = (
    "PrepareForUnPlannedFailoverTask",
    "VmPrepareForUnPlannedFailover",
    "Synchronizing the latest changes",
)
_UFO_START = ("StartVmOnSecondary", "VmFoStartVmOnSecondary", "Start the replica virtual machine")
_SWITCH_CHECK = "SwitchReplicationGroupProtectionPreflightTask"
_REQUIREMENTS = "GetSwitchProtectionRequirementsTask"

FAILOVER_WITHOUT_SHUTDOWN = Scenario(
    name="UnplannedFailover",
    friendly_name="Failover",
    details="FailoverJobDetails",
    tasks=(
        _task(*_UFO_CHECK, 0.0187, 0.0255),
        # invented: how the shutdown task of a failover without shutdown reads
        _skipped(*_UFO_SHUTDOWN, 0.0255),
        _skipped(*_UFO_SYNC, 0.0260),
        _task("FailoverTask", "VmFailover", "Start failover", 0.0270, 0.9952),
        _task(*_UFO_START, 0.9952, 1.0),
    ),
)

SCENARIOS: Mapping[Act, Scenario] = MappingProxyType(
    {
        Act.FAILOVER: Scenario(  # recorded, with its proportions
            name="UnplannedFailover",
            friendly_name="Failover",
            details="FailoverJobDetails",
            tasks=(
                _task(*_UFO_CHECK, 0.0187, 0.0255),
                _task(*_UFO_SHUTDOWN, 0.0255, 0.3310),
                _skipped(*_UFO_SYNC, 0.3310),
                _task("FailoverTask", "VmFailover", "Start failover", 0.3350, 0.9967),
                _task(*_UFO_START, 0.9967, 1.0),
            ),
        ),
        Act.REPROTECT: Scenario(  # recorded, with its proportions
            name="SwitchReplicationGroupProtection",
            friendly_name="Reprotect",
            details="SwitchProtectionJobDetails",
            tasks=(
                _task(_SWITCH_CHECK, _SWITCH_CHECK, "Prerequisite check", 0.0012, 0.0048),
                TaskSpec(
                    task_id="CommitFailoverTask",
                    name="VmCommitFailover",
                    friendly_name="Committing failover",
                    begin=-1.0,  # recorded without any time
                    skipped=True,
                ),
                _task(
                    "DiscoverReplicaTask",
                    "DiscoverReplicaTask",
                    "Discovering replica virtual machine",
                    0.0048,
                    0.0055,
                ),
                _task(_REQUIREMENTS, _REQUIREMENTS, "Getting reprotection requirements", 0.0055, 0.0064),
                TaskSpec(
                    task_id="ProtectReplicaTask",
                    name="ProtectReplicaTask",
                    friendly_name="Reprotecting virtual machine (1)",
                    begin=0.0064,
                    end=1.0,
                    child="Enable replication",
                ),
            ),
        ),
        # The next two were recorded of VMware and of Hyper-V machines on the same service, with the proportions
        # of the former; no test failover of a single Azure machine was.
        Act.TEST_FAILOVER: Scenario(
            name="TestFailover",
            friendly_name="Test failover",
            details="TestFailoverJobDetails",
            tasks=(
                _task(
                    "TestFailoverPreflightChecksTask",
                    "VmTfoPrerequisitesCheck",
                    "Prerequisites check for test failover",
                    0.0147,
                    0.0182,
                ),
                _task(
                    "BeginTestFailoverTask",
                    "VmTfoInitiateFailover",
                    "Starting test failover",
                    0.0182,
                    0.4191,
                ),
                _task(
                    "PrepareTestProtectedEntitiesTask",
                    "VmTfoPrepareTestVm",
                    "Creating test virtual machine",
                    0.4191,
                    0.9997,
                ),
                _task(
                    "BootTestProtectedEntitiesTask",
                    "VmTfoBootTestVm",
                    "Start the virtual machine",
                    0.9997,
                    1.0,
                ),
            ),
        ),
        Act.TEST_FAILOVER_CLEANUP: Scenario(
            name="TestFailoverCleanup",
            friendly_name="Test failover cleanup",
            details="TestFailoverJobDetails",
            tasks=(
                _task(
                    "TestFailoverCleanupPreflightChecksTask",
                    "VmTfoCleanupPreflightsCheck",
                    "Prerequisites check for test failover cleanup",
                    0.0044,
                    0.0060,
                ),
                _task(
                    "EndTestFailoverTask",
                    "VmTfoEndFailover",
                    "Ending test failover",
                    0.0060,
                    0.0091,
                ),
                _task(
                    "CleanupTestProtectedEntitiesTask",
                    "VmTfoDeleteTestVm",
                    "Clean up the test virtual machine",
                    0.0091,
                    1.0,
                ),
            ),
        ),
        # Its names were recorded of a cluster; invented: the tasks of a change of recovery point, of which no
        # job of a single machine was recorded.
        Act.CHANGE_RECOVERY_POINT: Scenario(
            name="ChangePit",
            friendly_name="Change the recovery point",
            details="AsrJobDetails",
            tasks=(
                _task(
                    "ChangePitPreflightChecksTask",
                    "VmChangePitPrerequisitesCheck",
                    "Prerequisites check for changing the recovery point",
                    0.01,
                    0.03,
                ),
                _task("ChangePitTask", "VmChangePit", "Changing the recovery point", 0.03, 1.0),
            ),
        ),
        Act.COMMIT: Scenario(  # recorded of an Azure machine, with its proportions; each job names its tasks anew
            name="CommitFailover",
            friendly_name="Commit",
            details="AsrJobDetails",
            tasks=(
                _task("", "VmCommitPrerequisitesCheck", "Prerequisite check", 0.0082, 0.0324),
                _task("", "VmCommit", "Commit", 0.0381, 1.0),
            ),
        ),
        # Names recorded of an Azure machine, and when the first task is over; invented: when the later
        # tasks of enabling are.
        Act.ENABLE: Scenario(
            name="EnableDr",
            friendly_name="Enable replication",
            details="AsrJobDetails",
            tasks=(
                _task(
                    "EnableProtectionPreflightChecksTask",
                    "EnableProtectionPrerequisitesCheck",
                    "Prerequisites check for enabling protection",
                    0.0007,
                    0.0193,
                ),
                _task(
                    "CreateProtectionTargetTask",
                    "CreateProtectionTarget",
                    "Installing Mobility Service and preparing target",
                    0.0193,
                    0.80,
                ),
                _task("EnableProtectionTask", "EnableProtection", "Enable replication", 0.80, 0.95),
                _task(
                    "StartInitialReplicationTask",
                    "VmStartInitialReplication",
                    "Starting initial replication",
                    0.95,
                    0.99,
                ),
                _task("UpdateDraStateTask", "UpdateDraState", "Updating the provider states", 0.99, 1.0),
            ),
        ),
        Act.CANCEL_FAILOVER: Scenario(
            name="CancelFailover",
            friendly_name="Cancel failover",
            details="AsrJobDetails",
            tasks=(_task("CancelFailoverTask", "VmCancelFailover", "Cancel failover", 0.05, 1.0),),
        ),
        # Names recorded of Hyper-V machines; invented: when the tasks of disabling are.
        Act.DISABLE: Scenario(
            name="DisableDr",
            friendly_name="Disable replication",
            details="AsrJobDetails",
            tasks=(
                _task(
                    "DisableProtectionOnPrimaryTask",
                    "DisableProtectionOnPrimary",
                    "Disable replication on the source location",
                    0.02,
                    0.60,
                ),
                _task(
                    "DisableProtectionOnSecondaryTask",
                    "DisableProtectionOnSecondary",
                    "Disable replication on the target location",
                    0.60,
                    0.99,
                ),
                _task("UpdateDraStateTask", "UpdateDraState", "Updating the provider states", 0.99, 1.0),
            ),
        ),
    }
)

COMMITTING_REPROTECT = replace(  # invented: that a re-protect commits what was not committed
    SCENARIOS[Act.REPROTECT],
    tasks=tuple(
        _task(task.task_id, task.name, task.friendly_name, 0.0048, 0.0050)
        if task.task_id == "CommitFailoverTask"
        else task
        for task in SCENARIOS[Act.REPROTECT].tasks
    ),
)

# Recorded of an Azure machine; invented: the task of the first, which was recorded in a list alone.
PRIMARY_IR_COMPLETION = Scenario(
    name="PrimaryIrCompletion",
    friendly_name="Finalize protection on the primary virtual machine",
    details="AsrJobDetails",
    tasks=(
        _task(
            "CompleteInitialReplicationTask",
            "CompleteInitialReplication",
            "Complete initial replication",
            0.3,
            1.0,
        ),
    ),
)
SECONDARY_IR_COMPLETION = Scenario(
    name="SecondaryIrCompletion",
    friendly_name="Finalize protection on the recovery virtual machine",
    details="AsrJobDetails",
    tasks=(
        _task(
            "CompleteInitialReplicationTask",
            "CompleteInitialReplication",
            "Complete initial replication",
            0.08,
            0.12,
        ),
        _task(
            "ReplicaConfigurationPreflightChecksTask",
            "FailWorkflowOnIRFailureTask",
            "Finalizing initial replication",
            0.12,
            0.14,
        ),
        _task(
            "ReplicaConfigurationTask",
            "ReplicaConfiguration",
            "Complete network and post-replication configuration",
            0.14,
            0.95,
        ),
        _task("UpdateDraStateTask", "UpdateDraState", "Updating the provider states", 0.95, 1.0),
    ),
)

VAULT_HEALTH = Scenario(  # recorded
    name="RefreshVaultHealth",
    friendly_name="Refresh vault health",
    details="AsrJobDetails",
    tasks=(
        _task(
            "RefreshFailoverHealthTask",
            "RefreshFailoverHealthTask",
            "Refreshing failover health",
            0.72,
            1.0,
        ),
    ),
)

CANCEL_JOB = Scenario(  # invented: the operation that cancels a job
    name="CancelJob",
    friendly_name="Cancel job",
    details="AsrJobDetails",
    tasks=(_task("CancelJobTask", "CancelJobTask", "Cancelling the job", 0.0, 1.0),),
)

EXPORT_JOBS = Scenario(  # invented: the job of an export of jobs, of which only the 202 was recorded
    name="ExportJobs",
    friendly_name="Export jobs",
    details="ExportJobDetails",
    tasks=(_task("ExportJobsTask", "ExportJobsTask", "Exporting jobs", 0.1, 1.0),),
)

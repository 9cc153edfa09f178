"""The kinds of jobs that set a vault up and take it down, as recorded, with their proportions.

What sets up was recorded of Azure machines; what takes down and changes, of other providers on the same service.
"""

from __future__ import annotations

from simulator.jobs import Scenario, TaskSpec

_DETAILS = "AsrJobDetails"


def _one(name: str, friendly: str, task: str, begin: float = 0.05) -> Scenario:
    """Make a scenario of one task, which has no fixed id."""
    spec = TaskSpec(task_id="", name=task, friendly_name=f"{friendly} task", begin=begin)
    return Scenario(name=name, friendly_name=friendly, details=_DETAILS, tasks=(spec,))


CREATE_FABRIC = Scenario(
    name="CreateSite",
    friendly_name="Create a site",
    details=_DETAILS,
    tasks=(
        TaskSpec(
            task_id="RegisterVMMTask",
            name="RegisterVmmTask",
            friendly_name="Registering the server",
            begin=0.007,
        ),
    ),
)

CREATE_CONTAINER = Scenario(
    name="CreateCloud",
    friendly_name="Create protection container",
    details=_DETAILS,
    tasks=(
        TaskSpec(
            task_id="CreateCloudPreflightChecksTask",
            name="CreateCloudPreflightChecksTask",
            friendly_name="Prerequisites check for protection container creation",
            begin=0.82,
        ),
        TaskSpec(
            task_id="CreateCloudTask",
            name="CreateCloudTask",
            friendly_name="Creating protection container",
            begin=1.0,
        ),
    ),
)

CREATE_POLICY = Scenario(
    name="AddProtectionProfile",
    friendly_name="Create replication policy",
    details=_DETAILS,
    tasks=(
        TaskSpec(
            task_id="AddProtectionProfilePreflightsCheckTask",
            name="AddProtectionProfilePreflightsCheckTask",
            friendly_name="Prerequisites check for creating the replication policy",
            begin=0.75,
        ),
        TaskSpec(
            task_id="AddProtectionProfileTask",
            name="AddProtectionProfileTask",
            friendly_name="Creating the replication policy",
            begin=1.0,
        ),
    ),
)

MAP_CONTAINERS = Scenario(
    name="AssociateProtectionProfile",
    friendly_name="Associate replication policy",
    details=_DETAILS,
    tasks=(
        TaskSpec(
            task_id="CloudPairingWfPreflightChecksTask",
            name="CloudPairingPrerequisitesCheck",
            friendly_name="Check protection prerequisites",
            begin=0.0040,
            end=0.0056,
        ),
        TaskSpec(
            task_id="CloudPairingWfPrepareSiteTask",
            name="CloudPairingPrepareSite",
            friendly_name="Prepare the server",
            begin=0.0056,
            end=0.0066,
        ),
        TaskSpec(
            task_id="CloudPairingWfPrepareCloudForPairingTask",
            name="CloudPairingPrepareCloud",
            friendly_name="Prepare for configuring protection",
            begin=0.0066,
        ),
        TaskSpec(
            task_id="CloudPairingWfPairCloudsTask",
            name="CloudPairingPairClouds",
            friendly_name="Configure the protection settings",
            begin=1.0,
        ),
    ),
)

MAP_NETWORKS = Scenario(
    name="NetworkPairing",
    friendly_name="Map Networks",
    details=_DETAILS,
    tasks=(
        TaskSpec(
            task_id="",
            name="ModifyVMNetworksPairingStatusTask",
            friendly_name="Map network",
            begin=0.27,
        ),
        TaskSpec(
            task_id="",
            name="VMNetworksUpdateVMNicsTask",
            friendly_name="Attach network (0)",
            begin=-1.0,  # recorded without any time
            skipped=True,
            child="",
        ),
    ),
)

UPDATE_ITEM = Scenario(
    name="UpdateVmProperties",
    friendly_name="Update the virtual machine",
    details=_DETAILS,
    tasks=(
        TaskSpec(
            task_id="",
            name="UpdateVmPropertiesTask",
            friendly_name="Update the virtual machine properties",
            begin=0.3,
        ),
    ),
)

REMOVE_POLICY = Scenario(
    name="RemoveProtectionProfile",
    friendly_name="Remove the replication policy",
    details=_DETAILS,
    tasks=(
        TaskSpec(
            task_id="RemoveProtectionProfilePreflightsCheckTask",
            name="RemoveProtectionProfilePreflightsCheckTask",
            friendly_name="Checking prerequisites for replication policy removal",
            begin=0.5,
        ),
        TaskSpec(
            task_id="RemoveProtectionProfileTask",
            name="RemoveProtectionProfileTask",
            friendly_name="Removing the replication policy",
            begin=1.0,
        ),
    ),
)

UPDATE_POLICY = Scenario(
    name="ModifyProtectionProfile",
    friendly_name="Modify settings of the replication policy",
    details=_DETAILS,
    tasks=(
        TaskSpec(
            task_id="ModifyProtectionProfilePreflightChecksTask",
            name="ModifyProtectionProfilePreflightChecksTask",
            friendly_name="Prerequisites check for updating the replication policy",
            begin=0.08,
            end=0.11,
        ),
        TaskSpec(
            task_id="ModifyProtectionProfileAssociationParentTask",
            name="ModifyProtectionProfileAssociationParentTask",
            friendly_name="Updating replication configuration (0)",
            begin=0.11,
            child="",
        ),
        TaskSpec(
            task_id="ModifyProtectionProfileTask",
            name="ModifyProtectionProfileTask",
            friendly_name="Updating the replication policy settings",
            begin=1.0,
        ),
    ),
)

UNMAP_CONTAINERS = Scenario(
    name="DissociateProtectionProfile",
    friendly_name="Dissociate replication policy",
    details=_DETAILS,
    tasks=(
        TaskSpec(
            task_id="CloudUnpairingWfPreflightChecksTask",
            name="CloudUnpairingPrerequisitesCheck",
            friendly_name="Prerequisites check for dissociating the replication policy",
            begin=0.01,
            end=0.03,
        ),
        TaskSpec(
            task_id="CloudUnpairingWfUnpairCloudsTask",
            name="CloudUnpairingUnpairClouds",
            friendly_name="Remove the protection configuration",
            begin=0.03,
            end=0.98,
        ),
        TaskSpec(
            task_id="CloudUnpairingWfCleanupCloudsTask",
            name="CloudUnpairingCleanupClouds",
            friendly_name="Clean up the protection configuration",
            begin=0.98,
            end=0.99,
        ),
        TaskSpec(
            task_id="CloudUnpairingWfCleanupSiteTask",
            name="CloudUnpairingCleanupSite",
            friendly_name="Clean up the configuration",
            begin=0.99,
        ),
    ),
)

UNMAP_NETWORKS = Scenario(
    name="NetworkUnPairing",
    friendly_name="Remove map",
    details=_DETAILS,
    tasks=(
        TaskSpec(
            task_id="",
            name="ModifyVMNetworksUnPairingStatusTask",
            friendly_name="Unmap network",
            begin=0.3,
        ),
        TaskSpec(
            task_id="",
            name="VMNetworksUpdateVMNicsTaskDetach",
            friendly_name="Detach network (0)",
            begin=-1.0,  # recorded without any time
            skipped=True,
            child="",
        ),
    ),
)

CREATE_PLAN = _one("SaveRecoveryPlan", "Save a recovery plan", "SaveRecoveryPlanTask", 0.4)
UPDATE_PLAN = _one("UpdateRecoveryPlan", "Save a recovery plan", "SaveRecoveryPlanTask", 0.4)
DELETE_PLAN = _one("DeleteRecoveryPlan", "Delete a recovery plan", "DeleteRecoveryPlanTask", 0.4)

# invented: the names of the jobs that remove a fabric or a container
REMOVE_FABRIC = _one("DeleteSite", "Delete a site", "UnregisterVmmTask")
REMOVE_CONTAINER = _one("DeleteCloud", "Delete protection container", "DeleteCloudTask")

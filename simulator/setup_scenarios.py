"""The kinds of jobs that set a vault up: all but the removals were recorded, with their proportions."""

from __future__ import annotations

from simulator.jobs import Scenario, TaskSpec

_DETAILS = "AsrJobDetails"


def _one(name: str, friendly: str, task: str, begin: float = 0.05) -> Scenario:
    """Make a scenario of one task."""
    spec = TaskSpec(task_id=task, name=task, friendly_name=friendly, begin=begin)
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
            begin=0.07,
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

# invented: the names of the jobs that remove and change what was set up; only that they are accepted, and how
# they are followed, was recorded
REMOVE_FABRIC = _one("DeleteSite", "Delete a site", "UnregisterVmmTask")
REMOVE_CONTAINER = _one("DeleteCloud", "Delete protection container", "DeleteCloudTask")
REMOVE_POLICY = _one("DeleteProtectionProfile", "Delete replication policy", "DeleteProtectionProfileTask")
UPDATE_POLICY = _one("UpdateProtectionProfile", "Update replication policy", "UpdateProtectionProfileTask")
UNMAP_CONTAINERS = _one("DissociateProtectionProfile", "Dissociate replication policy", "CloudUnpairingTask")
UNMAP_NETWORKS = _one("NetworkUnPairing", "Unmap networks", "ModifyVMNetworksPairingStatusTask")

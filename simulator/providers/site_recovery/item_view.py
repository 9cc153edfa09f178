"""How a protected item reads: every field of the recorded bodies, nulls written out."""

from __future__ import annotations

from dataclasses import fields
from datetime import timedelta
from operator import attrgetter
from typing import TYPE_CHECKING

from simulator.arm import ITEM_TYPE
from simulator.lifecycle import CELLS
from simulator.messages import json_text
from simulator.model import Item
from simulator.providers.site_recovery.disk_view import disk_body, networks
from simulator.providers.site_recovery.replication import AWAY, SYNCING, last_heartbeat, progress, rpo_seconds
from simulator.times import NO_SCENARIO_TIME, ticks

if TYPE_CHECKING:
    from simulator.messages import JsonObject
    from simulator.world import World

_FIELDS = attrgetter(*(field.name for field in fields(Item) if field.name != "written"))
"""All there is of an item; what else a list shows follows from the clock."""

_GAP = "\x00"
"""Stands for what is put in later; no name can hold it."""


def item_body(item: Item, world: World) -> JsonObject:
    """Write an item as a get answers it."""
    cells = CELLS[item.state]
    properties: JsonObject = {
        "friendlyName": item.machine.name,
        "protectedItemType": "",
        "protectableItemId": None,
        "recoveryServicesProviderId": (
            f"{item.source.fabric_id}/replicationRecoveryServicesProviders/{item.source.provider_guid}"
        ),
        "primaryFabricFriendlyName": item.source.region_name,
        "primaryFabricProvider": "AzureFabric",
        "recoveryFabricFriendlyName": item.target.region_name,
        "recoveryFabricId": item.target.fabric_id,
        "primaryProtectionContainerFriendlyName": item.source.container,
        "recoveryProtectionContainerFriendlyName": item.target.container,
        "protectionState": cells.protection_state,
        "protectionStateDescription": cells.description,
        "activeLocation": cells.active_location,
        "testFailoverState": cells.test_failover_state,
        "testFailoverStateDescription": cells.test_failover_description,
        "switchProviderState": "None",
        "switchProviderStateDescription": None,
        "allowedOperations": [] if item.holder else list(cells.allowed_operations),
        "replicationHealth": "Normal",
        "failoverHealth": "Normal",
        "healthErrors": [],
        "policyId": item.policy.id,
        "policyFriendlyName": item.policy.name,
    }
    properties |= _last_times(item) | _health(item)
    properties["currentScenario"] = _scenario(item)
    properties["failoverRecoveryPointId"] = _failover_point(item)
    properties["providerSpecificDetails"] = _details(item, world)
    properties["recoveryContainerId"] = item.target.container_id
    properties["eventCorrelationId"] = item.correlation_id
    return {"id": item.id, "name": item.name, "type": ITEM_TYPE, "properties": properties}


def list_text(item: Item, world: World) -> str:
    """Write an item as a list answers it, anew only where something that shows has changed.

    What the agent last said moves every five minutes, of all machines: it is put into what was written before.
    """
    heard = last_heartbeat(item, world.now)
    shows = (_FIELDS(item), heard is None, progress(item, world.now))
    if item.written is None or item.written[0] != shows:
        item.written = (shows, _with_gaps(item, world))
    before, between, after = item.written[1]
    told = _rpo(item, world)
    lag, counted = json_text(told["rpoInSeconds"]), json_text(told["lastRpoCalculatedTime"])
    said = json_text(ticks(heard) if heard else None)
    return f'{before}{said}{between}{lag},"lastRpoCalculatedTime":{counted}{after}'


def _with_gaps(item: Item, world: World) -> tuple[str, str, str]:
    """Write a listed item with two gaps: for the agent's last word, and for the lag that was counted from it."""
    body = _list_body(item, world)
    properties: JsonObject = body["properties"]  # pyright: ignore[reportAssignmentType]
    details: JsonObject = properties["providerSpecificDetails"]  # pyright: ignore[reportAssignmentType]
    details |= {"lastHeartbeat": _GAP, "rpoInSeconds": _GAP, "lastRpoCalculatedTime": _GAP}
    gap = json_text(_GAP)
    before, between, third, after = json_text(body).split(gap)
    if third != ',"lastRpoCalculatedTime":':
        raise AssertionError("the lag and the time it was counted at stand side by side")
    return before, between, after


def _list_body(item: Item, world: World) -> JsonObject:
    """Write an item as a list answers it: the same, poorer in its disks and tags (recorded)."""
    body = item_body(item, world)
    properties: JsonObject = body["properties"]  # pyright: ignore[reportAssignmentType]
    details: JsonObject = properties["providerSpecificDetails"]  # pyright: ignore[reportAssignmentType]
    disks: list[JsonObject] = details["protectedManagedDisks"]  # pyright: ignore[reportAssignmentType]
    for disk in disks:
        disk["diskState"] = disk["allowedDiskLevelOperation"] = None
    details["vmSyncedConfigDetails"] = {"tags": None, "inputEndpoints": None}
    return body


def _last_times(item: Item) -> JsonObject:
    """Write the two times that are absent, not null, until they exist (recorded)."""
    found = {
        "lastSuccessfulFailoverTime": item.last_failover,
        "lastSuccessfulTestFailoverTime": item.last_test_failover,
    }
    return {name: ticks(when) for name, when in found.items() if when}


def _health(item: Item) -> JsonObject:
    """Warn with 161011 until a test failover was done, while protected (recorded)."""
    if item.tested or item.state in SYNCING | AWAY or item.points_from is None:
        return {}
    warning: JsonObject = {
        "innerHealthErrors": [],
        "errorSource": "ReplicationUnitFailoverValidatorError",
        "errorType": "8010",
        "errorLevel": "Warning",
        "errorCategory": "TestFailover",
        "errorCode": "161011",
        "summaryMessage": "",
        "errorMessage": (
            f"No successful test failover has been done on the virtual machine '{item.machine.name}'."
        ),
        "possibleCauses": (
            "No successful test failover has been done on the virtual machine after it was replicated."
        ),
        "recommendedAction": "Do a test failover on the virtual machine.",
        "creationTimeUtc": ticks(item.points_from + timedelta(minutes=5)),
        "recoveryProviderErrorMessage": None,
        "entityId": item.entity_id,
        "errorId": "6:8010",
        "customerResolvability": "NotAllowed",
    }
    return {"failoverHealth": "Warning", "healthErrors": [warning]}


def _scenario(item: Item) -> JsonObject:
    job = item.holder
    if job is None:
        none = f"{item.vault.id}/replicationJobs/None"
        return {"scenarioName": "None", "jobId": none, "startTime": NO_SCENARIO_TIME}
    return {
        "scenarioName": job.scenario.name,
        "jobId": job.arm_id(),
        "startTime": ticks(job.started),
    }


def _failover_point(item: Item) -> str | None:
    """Name the point by the container's GUID, not its name (recorded)."""
    if item.failover_point is None:
        return None
    containers = f"{item.source.fabric_id}/replicationProtectionContainers"
    rest = f"replicationProtectedItems/{item.name}/recoveryPoints/{item.failover_point}"
    return f"{containers}/{item.source.container_guid}/{rest}"


def _details(item: Item, world: World) -> JsonObject:
    percent = progress(item, world.now)
    monitoring: JsonObject = {
        "vmSyncedConfigDetails": _synced(item),
        "monitoringPercentageCompletion": percent,
        "monitoringJobType": None if percent is None else "InitialReplication",
    }
    return (
        _identity(item)
        | {"protectedManagedDisks": [disk_body(item, disk, percent, world.now) for disk in item.disks]}
        | _target(item)
        | networks(item)
        | monitoring
        | _agent(item, world)
        | _outcome(item)
        | _rpo(item, world)
        | _placement(item.machine.name)
        | dict(item.chosen.details)
    )


def _identity(item: Item) -> JsonObject:
    """Write what the item is of, where it first came from, and with whom it is grouped."""
    group = item.machine.multi_vm_group
    return {
        "instanceType": "A2A",
        "fabricObjectId": item.source_vm_id.lower(),
        "initialPrimaryZone": "",
        "initialPrimaryFabricLocation": item.initial_primary,
        "initialRecoveryZone": "",
        "initialPrimaryExtendedLocation": None,
        "initialRecoveryExtendedLocation": None,
        "initialRecoveryFabricLocation": item.initial_recovery,
        "multiVmGroupId": item.multi_vm_group_id,
        "multiVmGroupName": group,
        "multiVmGroupCreateOption": "UserSpecified" if group else "AutoCreated",
        "managementId": item.management_id,
        "protectedDisks": None,
        "unprotectedDisks": None,
    }


def _target(item: Item) -> JsonObject:
    return {
        "recoveryBootDiagStorageAccountId": None,
        "primaryFabricLocation": item.source.region,
        "recoveryFabricLocation": item.target.region,
        "osType": item.machine.os,
        "recoveryAzureVMSize": item.machine.target_size or item.machine.size,
        "recoveryAzureVMName": item.machine.target_name or item.machine.name,
        "recoveryAzureResourceGroupId": item.target.scope.id,
        "recoveryCloudService": None,
        "recoveryAvailabilitySet": None,
    }


def _agent(item: Item, world: World) -> JsonObject:
    heard = last_heartbeat(item, world.now)
    agent: JsonObject = {
        "lastHeartbeat": ticks(heard) if heard else None,
        "agentVersion": "9.65.7397.1",
        "agentExpiryDate": "9999-12-31T23:59:59.9999999Z",
        "isReplicationAgentUpdateRequired": False,
        "isReplicationAgentCertificateUpdateRequired": False,
    }
    if item.state not in SYNCING:
        agent["agentCertificateExpiryDate"] = ticks(world.began + timedelta(days=1000))
    return agent


def _outcome(item: Item) -> JsonObject:
    cells = CELLS[item.state]
    return {
        "recoveryFabricObjectId": _arrived(item),
        "vmProtectionState": cells.vm_protection_state or cells.protection_state,
        "vmProtectionStateDescription": cells.vm_protection_description or cells.description,
        "lifecycleId": item.lifecycle_id if item.ever_protected else None,
        "testFailoverRecoveryFabricObjectId": item.test_vm_id,
    }


def _synced(item: Item) -> JsonObject:
    known = item.state not in SYNCING or item.reprotected
    return {"tags": {"environment": "contoso"} if known else {}, "inputEndpoints": []}


def _arrived(item: Item) -> str | None:
    return item.arrived_vm_id.lower() if item.state in AWAY and item.arrived_vm_id else None


def _rpo(item: Item, world: World) -> JsonObject:
    seconds, heard = rpo_seconds(item, world), last_heartbeat(item, world.now)
    known = seconds is not None and heard is not None
    return {
        "rpoInSeconds": seconds,
        "lastRpoCalculatedTime": ticks(heard + timedelta(seconds=20)) if known and heard else None,
        "rtoInSeconds": None,
    }


def _placement(name: str) -> JsonObject:
    return {
        "primaryAvailabilityZone": None,
        "recoveryAvailabilityZone": None,
        "primaryExtendedLocation": None,
        "recoveryExtendedLocation": None,
        "vmEncryptionType": "NotEncrypted",
        "tfoAzureVMName": f"{name}-test",
        "recoveryAzureGeneration": "V2",
        "recoveryProximityPlacementGroupId": None,
        "autoProtectionOfDataDisk": "Disabled",
        "recoveryVirtualMachineScaleSetId": None,
        "recoveryCapacityReservationGroupId": None,
        "churnOptionSelected": "Normal",
    }

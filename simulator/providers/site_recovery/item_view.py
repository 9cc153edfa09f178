"""How a protected item reads: every field of the recorded bodies, nulls written out."""

from __future__ import annotations

from dataclasses import fields
from datetime import timedelta
from operator import attrgetter
from typing import TYPE_CHECKING

from simulator.arm import ITEM_TYPE, last_segment
from simulator.lifecycle import CELLS, State
from simulator.messages import json_text
from simulator.model import Item
from simulator.times import NO_SCENARIO_TIME, ticks

if TYPE_CHECKING:
    from datetime import datetime

    from simulator.estate import DiskSpec
    from simulator.messages import JsonObject
    from simulator.world import World

_SYNCING = {State.INITIAL_REPLICATION, State.WAITING_FIRST_POINT}
_AWAY = {State.COMMIT_PENDING, State.COMMITTED}
_GIB = 1024**3
_FIELDS = attrgetter(*(field.name for field in fields(Item) if field.name != "written"))
"""All there is of an item; what else a list shows follows from the clock."""


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
        "policyId": item.vault.policy_id,
        "policyFriendlyName": item.vault.spec.policy,
    }
    properties |= _last_times(item) | _health(item)
    properties["currentScenario"] = _scenario(item)
    properties["failoverRecoveryPointId"] = _failover_point(item)
    properties["providerSpecificDetails"] = _details(item, world)
    properties["recoveryContainerId"] = item.target.container_id
    properties["eventCorrelationId"] = item.correlation_id
    return {"id": item.id, "name": item.name, "type": ITEM_TYPE, "properties": properties}


def list_text(item: Item, world: World) -> str:
    """Write an item as a list answers it, anew only where something that shows has changed."""
    shows = (_FIELDS(item), last_heartbeat(item, world.now), progress(item, world.now))
    if item.written is None or item.written[0] != shows:
        item.written = (shows, json_text(_list_body(item, world)))
    return item.written[1]


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
    if item.tested or item.state in _SYNCING | _AWAY or item.points_from is None:
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


def progress(item: Item, now: datetime) -> int | None:
    """Answer how far initial replication is, in percent: null at first, and stale at its end."""
    if item.sync_started is None or item.sync_ends is None:
        return None
    length = item.sync_ends - item.sync_started
    share = (now - item.sync_started) / length if length else 1.0
    return None if share < 0.05 else min(99, int(share * 100))  # noqa: PLR2004


def _details(item: Item, world: World) -> JsonObject:
    percent = progress(item, world.now)
    monitoring: JsonObject = {
        "vmSyncedConfigDetails": _synced(item),
        "monitoringPercentageCompletion": percent,
        "monitoringJobType": None if percent is None else "InitialReplication",
    }
    return (
        _identity(item)
        | {"protectedManagedDisks": [_disk(item, disk, percent) for disk in item.disks]}
        | _target(item)
        | _networks(item)
        | monitoring
        | _agent(item, world)
        | _outcome(item)
        | _rpo(item, world)
        | _placement(item.machine.name)
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
        "recoveryAzureVMSize": item.machine.size,
        "recoveryAzureVMName": item.machine.name,
        "recoveryAzureResourceGroupId": item.target.scope.id,
        "recoveryCloudService": None,
        "recoveryAvailabilitySet": None,
    }


def _agent(item: Item, world: World) -> JsonObject:
    agent: JsonObject = {
        "lastHeartbeat": ticks(last_heartbeat(item, world.now)),
        "agentVersion": "9.65.7397.1",
        "agentExpiryDate": "9999-12-31T23:59:59.9999999Z",
        "isReplicationAgentUpdateRequired": False,
        "isReplicationAgentCertificateUpdateRequired": False,
    }
    if item.state not in _SYNCING:
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
    known = item.state not in _SYNCING or item.reprotected
    return {"tags": {"environment": "contoso"} if known else {}, "inputEndpoints": []}


def _arrived(item: Item) -> str | None:
    return item.arrived_vm_id.lower() if item.state in _AWAY and item.arrived_vm_id else None


def last_heartbeat(item: Item, now: datetime) -> datetime:
    """Answer the agent's last word: every five minutes, frozen once the machine has failed over."""
    seen = min(now, item.last_failover) if item.last_failover and item.state in _AWAY else now
    return seen - timedelta(seconds=seen.timestamp() % 300)


def rpo_seconds(item: Item, world: World) -> int | None:
    """Answer the recovery point objective: it moves while protected, freezes once failed over (recorded)."""
    if not item.ever_protected or item.state in _SYNCING:
        return None
    at = last_heartbeat(item, world.now)
    return 40 + world.ids.number("rpo", item.lifecycle_id, at.isoformat()) % 160


def _rpo(item: Item, world: World) -> JsonObject:
    seconds = rpo_seconds(item, world)
    calculated = last_heartbeat(item, world.now) + timedelta(seconds=20)
    return {
        "rpoInSeconds": seconds,
        "lastRpoCalculatedTime": None if seconds is None else ticks(calculated),
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


def _disk(item: Item, disk: DiskSpec, percent: int | None) -> JsonObject:
    """Write one replicated disk; `recoveryOrignalTargetDiskId` is misspelt on the wire."""
    away, syncing = item.state in _AWAY, item.state in _SYNCING
    target = item.target.disk_id(disk.name)
    account = "Microsoft.Storage/storageAccounts"
    cache = item.vault.scope.resource(account, item.source.spec.cache_storage_account)
    return {
        "diskId": item.source.disk_id(disk.name).lower(),
        "recoveryResourceGroupId": item.target.scope.id,
        "recoveryTargetDiskId": target if away else None,
        "recoveryReplicaDiskId": "" if away else f"{target}-ASRReplica",
        "recoveryOrignalTargetDiskId": _original_target(item, target),
        "recoveryReplicaDiskAccountType": "Premium_LRS",
        "recoveryTargetDiskAccountType": "Premium_LRS",
        "recoveryDiskEncryptionSetId": None,
        "primaryDiskEncryptionSetId": None,
        "diskName": disk.name,
        "diskCapacityInBytes": disk.size_gb * _GIB,
        "primaryStagingAzureStorageAccountId": cache,
        "diskType": "OperatingSystem" if disk.os else "Data",
        "resyncRequired": False,
        "monitoringPercentageCompletion": percent if syncing else None,
        "monitoringJobType": "InitialReplication" if syncing and percent is not None else None,
        "dataPendingInStagingStorageAccountInMB": 0.0,
        "dataPendingAtSourceAgentInMB": 1.50390625,
        "diskState": "InitialReplicationPending" if syncing else "Protected",
        "allowedDiskLevelOperation": [],
        "isDiskEncrypted": False,
        "secretIdentifier": None,
        "dekKeyVaultArmId": None,
        "isDiskKeyEncrypted": False,
        "keyIdentifier": None,
        "kekKeyVaultArmId": None,
        "failoverDiskName": disk.name,
        "tfoDiskName": f"{disk.name}-ASRtest",
    }


def _original_target(item: Item, target: str) -> str | None:
    """Name the disk the machine came from: null in a first life, emptied once protected again (recorded)."""
    if item.state in _AWAY:
        return target.lower()
    if not item.reprotected:
        return None
    return target if item.state in _SYNCING else ""


def _networks(item: Item) -> JsonObject:
    """Write the networks; while it syncs they are not known yet (recorded)."""
    known = item.state not in _SYNCING
    return {
        "selectedRecoveryAzureNetworkId": item.target.network_id if known else None,
        "selectedTfoAzureNetworkId": item.target.isolated_network_id if known else None,
        "vmNics": [_nic(item, known=known)] if known or item.reprotected else [],
    }


def _nic(item: Item, *, known: bool) -> JsonObject:
    pool = item.target.backend_pool_id
    public_ip = item.target.public_ip_id(item.machine.name) if item.machine.public_ip else None
    config: JsonObject = {
        "name": "ipconfig1" if known else None,
        "isPrimary": True,
        "subnetName": item.source.spec.subnet if known else None,
        "staticIPAddress": item.source_address if known else None,
        "ipAddressType": "Dynamic",
        "isSeletedForFailover": True,
        "recoverySubnetName": item.target.spec.subnet,
        "recoveryStaticIPAddress": item.machine.target_address or "",
        "recoveryIPAddressType": "Static" if item.machine.target_address else "Dynamic",
        "recoveryPublicIPAddressId": public_ip,
        "recoveryLBBackendAddressPoolIds": [pool] if pool else [],
        "tfoSubnetName": None,
        "tfoStaticIPAddress": None,
        "tfoPublicIPAddressId": None,
        "tfoLBBackendAddressPoolIds": None,
    }
    return {
        "nicId": item.nic_guid,
        "replicaNicId": None,
        "sourceNicArmId": item.source.nic_id(last_segment(item.source_vm_id)),
        "vMNetworkName": item.source.network_id if known else None,
        "recoveryVMNetworkId": item.target.network_id,
        "ipConfigs": [config],
        "selectionType": "SelectedByUserOverride" if known else "NotSelected",
        "recoveryNetworkSecurityGroupId": None,
        "enableAcceleratedNetworkingOnRecovery": False,
        "tfoVMNetworkId": item.target.isolated_network_id if known else None,
        "tfoNetworkSecurityGroupId": None,
        "enableAcceleratedNetworkingOnTfo": None,
        "recoveryNicName": None,
        "recoveryNicResourceGroupName": None,
        "reuseExistingNic": False,
        "tfoRecoveryNicName": None,
        "tfoRecoveryNicResourceGroupName": None,
        "tfoReuseExistingNic": False,
        "targetNicName": None,
    }

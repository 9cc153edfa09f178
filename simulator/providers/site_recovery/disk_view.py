"""How an item's disks and network interfaces read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simulator.arm import last_segment
from simulator.providers.site_recovery.replication import AWAY, SYNCING, last_heartbeat

if TYPE_CHECKING:
    from datetime import datetime

    from simulator.estate import DiskSpec
    from simulator.messages import JsonObject
    from simulator.model import Item

_GIB = 1024**3


def disk_body(item: Item, disk: DiskSpec, percent: int | None, now: datetime) -> JsonObject:
    """Write one replicated disk; `recoveryOrignalTargetDiskId` is misspelt on the wire."""
    away, syncing = item.state in AWAY, item.state in SYNCING
    target = item.target.disk_id(disk.name)
    account = "Microsoft.Storage/storageAccounts"
    cache = item.source.spec.cache_storage_account
    if "/" not in cache:
        cache = item.vault.scope.resource(account, cache)
    return {
        "diskId": item.source.disk_id(disk.name).lower(),
        "recoveryResourceGroupId": item.target.scope.id,
        "recoveryTargetDiskId": target if away else None,
        "recoveryReplicaDiskId": "" if away else _replica_id(item, disk),
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
        "diskState": _disk_state(item, now),
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


def _replica_id(item: Item, disk: DiskSpec) -> str:
    """Name the replica of a disk; once re-protected, after its source in lower case (recorded)."""
    name = disk.name.lower() if item.reprotected else disk.name
    return f"{item.target.disk_id(name)}-ASRReplica"


def _disk_state(item: Item, now: datetime) -> str:
    """Answer a disk's own state: unknown before the agent's first word, protected before all is (recorded)."""
    if item.state not in SYNCING:
        return "Protected"
    if last_heartbeat(item, now) is None:
        return "Unavailable"
    if item.waits_from is None or item.sync_ends is None:
        return "InitialReplicationPending"
    ready = item.waits_from + (item.sync_ends - item.waits_from) * DISK_IS_READY_AT
    return "Protected" if now >= ready else "InitialReplicationPending"


DISK_IS_READY_AT = 0.6
"""invented: when a disk is ready in the wait for the first point; one recorded wait showed both states."""


def _original_target(item: Item, target: str) -> str | None:
    """Name the disk the machine came from: null in a first life, emptied once protected again (recorded)."""
    if item.state in AWAY:
        return target.lower()
    if not item.reprotected:
        return None
    return target if item.state in SYNCING else ""


def networks(item: Item) -> JsonObject:
    """Write the networks; while it syncs they are not known yet (recorded)."""
    known = item.state not in SYNCING
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
        **item.chosen.config,
    }
    source = item.source.nic_id(last_segment(item.source_vm_id))
    return {
        "nicId": item.nic_guid,
        "replicaNicId": None,
        "sourceNicArmId": source if known else source.lower(),
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
        **item.chosen.nic,
    }

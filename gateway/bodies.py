"""What each act sends, exactly as recordings of the service and its other clients show it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

from domain.machine import Disk, MachineDetails, same_id

# The way home is "primary to recovery" again: re-protection has swapped the two sides, and the region the
# machine runs in now is the primary one (recorded, twice; RecoveryToPrimary is for items that do not move).
DIRECTION: Final = "PrimaryToRecovery"
_A2A: Final = {"instanceType": "A2A"}


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveDisk:
    """A managed disk of a machine as Compute sees it now."""

    id: str
    account_type: str | None = None
    gigabytes: int = 0


def test_failover(network: str, point: str | None) -> dict[str, Any]:
    """Make a test machine in a network, from a point or from the newest one."""
    return _properties(
        failoverDirection=DIRECTION,
        networkType="VmNetworkAsInput",
        networkId=network,
        providerSpecificDetails={**_A2A, **_point(point)},
    )


def clean_up(comment: str) -> dict[str, Any]:
    """Remove the test machine."""
    return _properties(comments=comment)


def fail_over(point: str | None, *, shut_down_source: bool) -> dict[str, Any]:
    """Bring the machine to the recovery side, from a point or from the newest one.

    There is no recovery point type for a single Azure VM, only the id of a point.
    """
    return _properties(
        failoverDirection=DIRECTION,
        sourceSiteOperations="Required" if shut_down_source else "NotRequired",
        providerSpecificDetails={**_A2A, **_point(point)},
    )


def change_point(point: str) -> dict[str, Any]:
    """Replace the machine by one from another point, before the commit."""
    return _properties(recoveryPointId=point, providerSpecificDetails=_A2A)


def reprotect(machine: MachineDetails, live: Iterable[LiveDisk], cache: str) -> dict[str, Any]:
    """Replicate the failed-over machine back to where it came from, by switching protection.

    `reProtect` cannot carry managed disks. The container is the one the item is in now, and so is the
    resource group: what is the source today is the target of the new direction.
    """
    return _properties(
        replicationProtectedItemName=machine.snapshot.name,
        providerSpecificDetails={
            **_A2A,
            "recoveryContainerId": machine.container,
            "vmDisks": [],
            "vmManagedDisks": [_managed_disk(disk, machine, cache) for disk in live],
            "recoveryResourceGroupId": machine.source_resource_group,
            "policyId": machine.policy,
            **_present(recoveryAvailabilityZone=machine.source_zone),
        },
    )


def _managed_disk(live: LiveDisk, machine: MachineDetails, cache: str) -> dict[str, Any]:
    known = next((disk for disk in machine.disks if same_id(disk.target_disk, live.id)), Disk(id=live.id))
    return {
        "diskId": live.id,
        "primaryStagingAzureStorageAccountId": cache,
        "recoveryResourceGroupId": machine.source_resource_group,
        **_present(
            recoveryReplicaDiskAccountType=known.replica_type or live.account_type,
            recoveryTargetDiskAccountType=known.target_type or live.account_type,
            recoveryDiskEncryptionSetId=known.encryption_set,
        ),
    }


def _point(point: str | None) -> dict[str, str]:
    return _present(recoveryPointId=point)


def _present(**fields: str | None) -> dict[str, str]:
    return {name: value for name, value in fields.items() if value}


def _properties(**properties: Any) -> dict[str, Any]:
    return {"properties": properties}

"""Site Recovery's models, turned into the domain's values.

Three habits of the wire are undone here: times that mean "never" (year 1 without a zone, year 1753), the idle
scenario that names a job called "None", and numbers that stay on after they stopped meaning anything.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from domain.contract import RecoveryPoint
from domain.errors import bounded
from domain.machine import (
    Disk,
    HealthError,
    JobError,
    JobSnapshot,
    MachineDetails,
    MachineSnapshot,
    PlannedCard,
    TaskSnapshot,
    Wiring,
    last_segment,
    region,
)
from gateway.ids import container_of, resource_group_of
from gateway.lazy import Lazy

if TYPE_CHECKING:
    from azure.mgmt.recoveryservicessiterecovery import models
else:
    models = Lazy("azure.mgmt.recoveryservicessiterecovery.models")

# The year of SQL Server's first date, which an idle currentScenario starts in; Azure is younger.
_NEVER_BEFORE: Final = 1900
_IDLE: Final = "none"
_MULTI_VM: Final = "MultiVmSyncRecoveryPoint"


def moment(value: datetime | None) -> datetime | None:
    """Give a time in UTC, or nothing where the wire means never."""
    if value is None or value.year < _NEVER_BEFORE:
        return None
    return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def machine(item: models.ReplicationProtectedItem) -> MachineDetails | None:
    """Read a protected item; nothing if it is not an Azure VM replicated to Azure.

    A disk's `encryption_set` is the one on the side it is replicated from: what a re-protection, which sends
    it back there, must ask for.
    """
    properties = item.properties
    a2a = properties.provider_specific_details if properties else None
    if properties is None or not isinstance(a2a, models.A2AReplicationDetails) or not item.id:
        return None
    return MachineDetails(
        snapshot=_snapshot(item, properties, a2a),
        policy=properties.policy_id or None,
        container=container_of(item.id),
        recovery_container=properties.recovery_container_id or None,
        source_resource_group=resource_group_of(a2a.fabric_object_id),
        source_zone=a2a.primary_availability_zone or None,
        target_resource_group=a2a.recovery_azure_resource_group_id or None,
        target_size=a2a.recovery_azure_vm_size or None,
        source_network=_network_of(a2a, "v_m_network_name"),
        # While the first copy runs only the network cards tell where the machine will be.
        target_network=a2a.selected_recovery_azure_network_id or _network_of(a2a, "recovery_vm_network_id"),
        test_network=a2a.selected_tfo_azure_network_id or None,
        test_name=a2a.tfo_azure_vm_name or None,
        multi_vm_group=a2a.multi_vm_group_name or None,
        disks=tuple(_disk(each) for each in a2a.protected_managed_disks or ()),
        cards=tuple(_card(each) for each in _primary_first(a2a.vm_nics or ())),
        health_errors=tuple(_health(each) for each in properties.health_errors or ()),
        last_test_failover=moment(properties.last_successful_test_failover_time),
        last_failover=moment(properties.last_successful_failover_time),
        tags=_tags(a2a),
    )


def _tags(a2a: models.A2AReplicationDetails) -> dict[str, str]:
    synced = a2a.vm_synced_config_details
    return {name.casefold(): value for name, value in ((synced.tags if synced else None) or {}).items()}


def _network_of(a2a: models.A2AReplicationDetails, side: str) -> str | None:
    """Give the network of the first network card that names one."""
    return next((str(network) for nic in a2a.vm_nics or () if (network := getattr(nic, side, None))), None)


def _snapshot(
    item: models.ReplicationProtectedItem,
    properties: models.ReplicationProtectedItemProperties,
    a2a: models.A2AReplicationDetails,
) -> MachineSnapshot:
    scenario, job = _running(properties.current_scenario)
    point = properties.failover_recovery_point_id
    return MachineSnapshot(
        id=item.id or "",
        name=item.name or last_segment(item.id or ""),
        vm_name=properties.friendly_name or item.name or "",
        lifecycle_id=a2a.lifecycle_id or None,
        home=region(a2a.initial_primary_fabric_location),
        away=region(a2a.initial_recovery_fabric_location),
        primary=region(a2a.primary_fabric_location),
        recovery=region(a2a.recovery_fabric_location),
        protection_state=properties.protection_state or "",
        protection_words=bounded(properties.protection_state_description or "", 200),
        active_location=properties.active_location or "Primary",
        test_failover_state=properties.test_failover_state or "None",
        allowed=tuple(sorted(properties.allowed_operations or ())),
        scenario=scenario,
        job=job,
        replication_health=properties.replication_health or "Normal",
        sync_percent=_sync_percent(properties, a2a),
        rpo=None if a2a.rpo_in_seconds is None else timedelta(seconds=a2a.rpo_in_seconds),
        point=last_segment(point) if point else None,
        source_vm=a2a.fabric_object_id or None,
        target_vm=a2a.recovery_fabric_object_id or None,
        test_vm=a2a.test_failover_recovery_fabric_object_id or None,
    )


def _running(scenario: models.CurrentScenarioDetails | None) -> tuple[str | None, str | None]:
    """Read the scenario that holds the item, or nothing: an idle item names the job "None"."""
    if scenario is None or not scenario.job_id or last_segment(scenario.job_id).casefold() == _IDLE:
        return None, None
    return scenario.scenario_name or "unnamed", scenario.job_id


def _sync_percent(
    properties: models.ReplicationProtectedItemProperties, a2a: models.A2AReplicationDetails
) -> int | None:
    # The number stays at its last value after the copy ended (recorded: 0 and 43 on protected machines).
    syncing = (properties.protection_state or "").startswith("InitialReplication")
    return a2a.monitoring_percentage_completion if syncing else None


def _disk(disk: models.A2AProtectedManagedDiskDetails) -> Disk:
    return Disk(
        id=disk.disk_id or "",
        name=disk.disk_name or "",
        target_resource_group=disk.recovery_resource_group_id or None,
        replica_type=disk.recovery_replica_disk_account_type or None,
        target_type=disk.recovery_target_disk_account_type or None,
        staging_account=disk.primary_staging_azure_storage_account_id or None,
        # "Orignal" is how the wire spells it; after the failover both name the disk that was made.
        target_disk=disk.recovery_target_disk_id or disk.recovery_orignal_target_disk_id or None,
        test_name=disk.tfo_disk_name or "",
        encryption_set=disk.primary_disk_encryption_set_id or None,
    )


def _primary_first(nics: Sequence[models.VMNicDetails]) -> list[models.VMNicDetails]:
    return sorted(nics, key=lambda nic: not any(config.is_primary for config in nic.ip_configs or ()))


def _card(nic: models.VMNicDetails) -> PlannedCard:
    """Read how a card is to be made; an empty address is one that the network gives out."""
    configs = nic.ip_configs or ()
    config = next((each for each in configs if each.is_primary), next(iter(configs), models.IPConfigDetails()))
    return PlannedCard(
        failover=Wiring(
            name=nic.recovery_nic_name or None,
            network=nic.recovery_vm_network_id or None,
            subnet=config.recovery_subnet_name or None,
            address=config.recovery_static_ip_address or None,
            security_group=nic.recovery_network_security_group_id or None,
            pools=tuple(config.recovery_lb_backend_address_pool_ids or ()),
            public_address=config.recovery_public_ip_address_id or None,
        ),
        test=Wiring(
            name=nic.tfo_recovery_nic_name or None,
            network=nic.tfo_vm_network_id or None,
            subnet=config.tfo_subnet_name or None,
            address=config.tfo_static_ip_address or None,
            security_group=nic.tfo_network_security_group_id or None,
            pools=tuple(config.tfo_lb_backend_address_pool_ids or ()),
            public_address=config.tfo_public_ip_address_id or None,
        ),
    )


def _health(error: models.HealthError) -> HealthError:
    return HealthError(
        code=error.error_code or error.error_id or "",
        level=error.error_level or "",
        category=error.error_category or "",
        message=bounded(error.error_message or error.summary_message or ""),
        causes=bounded(error.possible_causes or ""),
        action=bounded(error.recommended_action or ""),
        resolvable=error.customer_resolvability != "NotAllowed",
    )


def point(found: models.RecoveryPoint) -> RecoveryPoint | None:
    """Read a recovery point; nothing if it has no time, for then it cannot be chosen by any policy."""
    properties = found.properties
    made = moment(properties.recovery_point_time) if properties else None
    if properties is None or made is None or not found.id:
        return None
    a2a = properties.provider_specific_details
    is_a2a = isinstance(a2a, models.A2ARecoveryPointDetails)
    return RecoveryPoint(
        id=found.id,
        time=made,
        kind=properties.recovery_point_type or "",
        disks=tuple(a2a.disks or ()) if is_a2a else (),
        multi_vm=is_a2a and a2a.recovery_point_sync_type == _MULTI_VM,
    )


def job(found: models.Job) -> JobSnapshot:
    """Read a job; from a list its tasks, activity and details are missing (recorded)."""
    properties = found.properties or models.JobProperties()
    details = properties.custom_details
    used = _used_point(details)
    return JobSnapshot(
        id=found.id or "",
        scenario=properties.scenario_name or "",
        state=properties.state or "",
        words=bounded(properties.state_description or "", 200),
        started=moment(properties.start_time),
        ended=moment(properties.end_time),
        request_id=(properties.activity_id or "").split(" ", 1)[0] or None,
        target=properties.target_object_name or "",
        tasks=tuple(_task(each) for each in properties.tasks or ()),
        errors=tuple(_errors(properties)),
        point=last_segment(used.recovery_point_id) if used and used.recovery_point_id else None,
        point_time=moment(used.recovery_point_time) if used else None,
        moved_to=_moved_to(details),
    )


def _task(task: models.ASRTask) -> TaskSnapshot:
    skipped = task.state == "Other" and bool(task.state_description)
    return TaskSnapshot(
        name=task.friendly_name or task.name or task.task_id or "",
        state=(task.state_description if skipped else task.state) or "",
        started=moment(task.start_time),
        ended=moment(task.end_time),
    )


def _errors(properties: models.JobProperties) -> Iterable[JobError]:
    """Read the errors of a job and of its tasks; the same error is often told in both places."""
    told: dict[tuple[str, str], JobError] = {}
    tasks = properties.tasks or ()
    for error in (*(properties.errors or ()), *(each for task in tasks for each in task.errors or ())):
        read = _error(error)
        told.setdefault((read.code, read.message), read)
    return told.values()


def _error(error: models.JobErrorDetails) -> JobError:
    service, provider = error.service_error_details, error.provider_error_details
    if service is not None:
        code, message = service.code or "", service.message or ""
        causes, action = service.possible_causes, service.recommended_action
    elif provider is not None:
        code, message = str(provider.error_code or provider.error_id or ""), provider.error_message or ""
        causes, action = provider.possible_causes, provider.recommended_action
    else:
        code, message, causes, action = "", "the service names no error", None, None
    return JobError(
        code=code,
        message=bounded(message),
        causes=bounded(causes or ""),
        action=bounded(action or ""),
        task=error.task_id or "",
    )


def _used_point(
    details: models.JobDetails | None,
) -> models.FailoverReplicationProtectedItemDetails | None:
    if isinstance(details, (models.FailoverJobDetails, models.TestFailoverJobDetails)):
        return next(iter(details.protected_item_details or ()), None)
    return None


def _moved_to(details: models.JobDetails | None) -> str | None:
    if isinstance(details, models.SwitchProtectionJobDetails):
        return details.new_replication_protected_item_id or None
    return None

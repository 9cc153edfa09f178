"""The tables of the workspace, made from the same state as every other answer.

A table is there once it has a record, as in Azure; before that a query of it is a semantic error.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from math import inf
from typing import TYPE_CHECKING

from simulator.arm import group_of, key
from simulator.kql import Table
from simulator.lifecycle import CELLS
from simulator.providers.site_recovery.replication import last_heartbeat, progress, rpo_seconds

if TYPE_CHECKING:
    from simulator.jobs import Job
    from simulator.kql import Value
    from simulator.machines import VirtualMachine
    from simulator.model import Item, Vault
    from simulator.world import World

BEAT = timedelta(minutes=1)
INGESTION = timedelta(seconds=60)
"""invented: how long a heartbeat takes to be found; the documentation says minutes at most."""

JOB_INGESTION = timedelta(minutes=3)
"""invented: how long a job's record takes to be found."""

STATS_EACH = timedelta(minutes=15)
KEPT = timedelta(hours=3)
"""Heartbeats older than this are not made: nothing asks for them, and a day of them is slow to sort."""

Record = dict[str, "Value"]


def tables(world: World, scope: str | None) -> dict[str, Table]:
    """Answer the tables a query of `scope` sees; of the whole workspace where it is None."""
    made = {
        "Heartbeat": (HEARTBEAT, heartbeats(world, scope)),
        "ASRJobs": (ASR_JOBS, _jobs(world)),
        "ASRReplicatedItems": (ASR_ITEMS, _items(world)),
        "AzureDiagnostics": (DIAGNOSTICS, _diagnostics(world)),
    }
    return {
        name: Table(tuple(columns.items()), [_row(columns, r) for r in rows if _seen(r, scope)])
        for name, (columns, rows) in made.items()
        if (rows or name == "Heartbeat") and name not in world.estate.missing_tables
    }


def _row(columns: dict[str, str], record: Record) -> tuple[Value, ...]:
    return tuple(record.get(name) for name in columns)


def _seen(record: Record, scope: str | None) -> bool:
    resource = str(record["_ResourceId"])
    return scope is None or resource == scope or resource.startswith(f"{scope}/")


HEARTBEAT = {
    "TimeGenerated": "datetime",
    "Computer": "string",
    "OSType": "string",
    "Category": "string",
    "VMUUID": "string",
    "ResourceGroup": "string",
    "SubscriptionId": "string",
    "ComputerEnvironment": "string",
    "_ResourceId": "string",
}


def heartbeats(world: World, scope: str | None = None) -> list[Record]:
    """Make one record a minute of each machine that ran, from some minutes after it started."""
    return [
        record
        for machine in world.machines.vms.values()
        if _seen({"_ResourceId": machine.id.lower()}, scope)
        for record in _beats(world, machine)
    ]


def _beats(world: World, machine: VirtualMachine) -> list[Record]:
    if machine.heartbeat_after == inf:
        return []
    spans = [*machine.earlier_runs]
    if machine.running:
        spans.append((machine.since, world.now - INGESTION))
    common: Record = {
        "Computer": machine.computer,
        "OSType": machine.os_type,
        "Category": "Azure Monitor Agent",
        "VMUUID": machine.vm_guid,
        "ResourceGroup": group_of(machine.id),
        "SubscriptionId": machine.id.split("/")[2],
        "ComputerEnvironment": "Azure",
        "_ResourceId": machine.id.lower(),
    }
    delay = timedelta(seconds=machine.heartbeat_after)
    return [
        {"TimeGenerated": at} | common
        for began, ended in spans
        for at in _minutes(began + delay, min(ended, world.now - INGESTION), world.now - KEPT)
    ]


def _minutes(first: datetime, last: datetime, oldest: datetime) -> list[datetime]:
    skipped = max(0, (oldest - first) // BEAT)
    return [first + number * BEAT for number in range(skipped, (last - first) // BEAT + 1)]


ASR_JOBS = {
    "TimeGenerated": "datetime",
    "OperationName": "string",
    "Status": "string",
    "ResultDescription": "string",
    "JobUniqueId": "string",
    "CorrelationId": "string",
    "StartTime": "datetime",
    "EndTime": "datetime",
    "DurationMs": "int",
    "ReplicatedItemFriendlyName": "string",
    "ReplicatedItemId": "string",
    "ReplicatedItemUniqueId": "string",
    "ReplicationScenario": "string",
    "PolicyFriendlyName": "string",
    "PolicyId": "string",
    "PolicyUniqueId": "string",
    "SourceFriendlyName": "string",
    "SourceResourceGroup": "string",
    "SourceResourceId": "string",
    "SourceType": "string",
    "VaultName": "string",
    "VaultLocation": "string",
    "VaultType": "string",
    "Version": "string",
    "Category": "string",
    "Type": "string",
    "_ResourceId": "string",
}
_WORDS = {"Succeeded": "Completed", "Failed": "Failed", "Cancelled": "Cancelled"}


def _ended(world: World) -> list[tuple[Job, datetime]]:
    """Answer the jobs that ended long enough ago to have been ingested."""
    known = world.now - JOB_INGESTION
    return [(job, job.ends) for job in world.jobs.values() if job.listed and job.ends and job.ends <= known]


def _jobs(world: World) -> list[Record]:
    """Make one record of each job that has completed (Microsoft's documentation)."""
    return [_job(world, job, ended) for job, ended in _ended(world)]


def _job(world: World, job: Job, ended: datetime) -> Record:
    vault = world.vaults[key(job.vault_id)]
    length = int((ended - job.started).total_seconds() * 1000)
    return {
        "TimeGenerated": ended,
        "OperationName": job.scenario.friendly_name,
        "Status": _WORDS.get(str(job.outcome), str(job.outcome)),
        "ResultDescription": job.errors[0].message if job.errors else "",
        "JobUniqueId": job.id,
        "CorrelationId": job.correlation_id,
        "StartTime": job.started,
        "EndTime": ended,
        "DurationMs": length,
        "ReplicatedItemFriendlyName": job.target_name,
        "ReplicatedItemId": job.item_id or "",
        "ReplicatedItemUniqueId": job.target_object_id,
        "ReplicationScenario": "A2A",
        "SourceFriendlyName": job.target_name,
        "SourceType": "Azure virtual machine",
        "Type": "ASRJobs",
    } | _vault(vault, world.items.get(key(job.item_id or "")))


def _vault(vault: Vault, item: Item | None) -> Record:
    policy = item.policy if item else next(iter(vault.policies.values()), None)
    return {
        "PolicyFriendlyName": policy.name if policy else "",
        "PolicyId": policy.id if policy else "",
        "PolicyUniqueId": policy.guid if policy else "",
        "VaultName": vault.name,
        "VaultLocation": vault.spec.secondary,
        "VaultType": "RecoveryServicesVault",
        "Version": "1.0",
        "Category": "AzureSiteRecoveryJobs",
        "_ResourceId": vault.id.lower(),
    }


ASR_ITEMS = {
    "TimeGenerated": "datetime",
    "ReplicatedItemFriendlyName": "string",
    "ReplicatedItemId": "string",
    "ReplicatedItemUniqueId": "string",
    "ReplicationStatus": "string",
    "ProtectionInfo": "string",
    "ActiveLocation": "string",
    "FailoverReadiness": "string",
    "ReplicationHealthErrors": "string",
    "IRProgressPercentage": "int",
    "LastHeartbeat": "datetime",
    "LastRpoCalculatedTime": "datetime",
    "LastSuccessfulTestFailoverTime": "datetime",
    "MultiVMGroupId": "string",
    "OSFamily": "string",
    "PolicyFriendlyName": "string",
    "PolicyId": "string",
    "PrimaryFabricName": "string",
    "PrimaryFabricType": "string",
    "RecoveryFabricName": "string",
    "RecoveryFabricType": "string",
    "RecoveryRegion": "string",
    "SourceResourceId": "string",
    "VaultName": "string",
    "VaultLocation": "string",
    "VaultType": "string",
    "Version": "string",
    "Category": "string",
    "Type": "string",
    "_ResourceId": "string",
}


def _items(world: World) -> list[Record]:
    """Make the day's record of each item: the table is pushed once a day.

    invented: that the day's record tells the state of now, since no history of states is kept.
    """
    pushed = world.began + timedelta(days=(world.now - world.began).days) - timedelta(hours=1)
    return [_item(world, item, pushed) for item in world.items.values()]


def _item(world: World, item: Item, pushed: datetime) -> Record:
    cells, heartbeat = CELLS[item.state], last_heartbeat(item, world.now)
    return _vault(item.vault, item) | {
        "TimeGenerated": pushed,
        "ReplicatedItemFriendlyName": item.machine.name,
        "ReplicatedItemId": item.id,
        "ReplicatedItemUniqueId": item.entity_id,
        "ReplicationStatus": cells.protection_state,
        "ProtectionInfo": cells.description,
        "ActiveLocation": cells.active_location,
        "FailoverReadiness": "Normal" if item.tested else "Warning",
        "ReplicationHealthErrors": "",
        "IRProgressPercentage": progress(item, world.now),
        "LastHeartbeat": heartbeat,
        "LastRpoCalculatedTime": heartbeat,
        "LastSuccessfulTestFailoverTime": item.last_test_failover,
        "MultiVMGroupId": item.multi_vm_group_id,
        "OSFamily": item.machine.os,
        "PrimaryFabricName": item.source.fabric,
        "PrimaryFabricType": "Azure",
        "RecoveryFabricName": item.target.fabric,
        "RecoveryFabricType": "Azure",
        "RecoveryRegion": item.target.region,
        "SourceResourceId": item.source_vm_id,
        "Category": "ASRReplicatedItems",
        "Type": "ASRReplicatedItems",
    }


DIAGNOSTICS = {
    "TimeGenerated": "datetime",
    "ResourceProvider": "string",
    "Resource": "string",
    "Category": "string",
    "OperationName": "string",
    "ResultType": "string",
    "Level": "string",
    "affectedResourceName_s": "string",
    "healthErrors_s": "string",
    "name_s": "string",
    "replicationProviderName_s": "string",
    "rpoInSeconds_d": "real",
    "replicationHealth_s": "string",
    "failoverHealth_s": "string",
    "protectionState_s": "string",
    "agentVersion_s": "string",
    "replicationHealthErrors_s": "string",
    "primaryFabricName_s": "string",
    "_ResourceId": "string",
}


def _diagnostics(world: World) -> list[Record]:
    """Make the legacy records: items and statistics each quarter of an hour, jobs, and failures."""
    at = world.now - INGESTION
    at -= (at - world.began) % STATS_EACH
    rows: list[Record] = []
    for item in world.items.values():
        rows += [_replicated(world, item, at, category) for category in _ITEM_CATEGORIES]
    for job, ended in _ended(world):
        rows.append(_diagnosed(job, ended, "AzureSiteRecoveryJobs"))
        if job.errors:
            rows.append(_diagnosed(job, ended, "AzureSiteRecoveryEvents"))
    return rows


_ITEM_CATEGORIES = ("AzureSiteRecoveryReplicatedItems", "AzureSiteRecoveryReplicationStats")


def _replicated(world: World, item: Item, at: datetime, category: str) -> Record:
    seconds = rpo_seconds(item, world)
    return {
        "TimeGenerated": at,
        "ResourceProvider": "MICROSOFT.RECOVERYSERVICES",
        "Resource": item.vault.name.upper(),
        "Category": category,
        "Level": "Informational",
        "name_s": item.machine.name,
        "replicationProviderName_s": "A2A",
        "rpoInSeconds_d": None if seconds is None else float(seconds),
        "replicationHealth_s": "Normal",
        "failoverHealth_s": "Normal" if item.tested else "Warning",
        "protectionState_s": CELLS[item.state].protection_state,
        "agentVersion_s": "9.65.7397.1",
        "replicationHealthErrors_s": "",
        "primaryFabricName_s": item.source.region_name,
        "_ResourceId": item.vault.id.lower(),
    }


def _diagnosed(job: Job, ended: datetime, category: str) -> Record:
    return {
        "TimeGenerated": ended,
        "ResourceProvider": "MICROSOFT.RECOVERYSERVICES",
        "Resource": job.vault_id.rsplit("/", 1)[-1].upper(),
        "Category": category,
        "OperationName": job.scenario.friendly_name,
        "ResultType": str(job.outcome),
        "Level": "Error" if job.errors else "Informational",
        "affectedResourceName_s": job.target_name,
        "healthErrors_s": job.errors[0].message if job.errors else "",
        "replicationProviderName_s": "A2A",
        "_ResourceId": job.vault_id.lower(),
    }

"""A vault that is set up from nothing, and the calls that do it."""

from __future__ import annotations

from typing import Any

from tests.simulator.helpers import GROUP, SUBSCRIPTION, VAULT, VAULT_PATH, Caller

HERE, THERE = ("primary", "primary-container"), ("recovery", "recovery-container")
NETWORK = "azureNetwork"
ITEM = "item-1"
FABRICS = f"{VAULT_PATH}/replicationFabrics"
MACHINES = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/contoso-app/providers/Microsoft.Compute"
AWAY = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/recovered"
POLICY = {"recoveryPointHistory": 720, "appConsistentFrequencyInMinutes": 0, "multiVmSyncStatus": "Enable"}


def machine(name: str, **words: Any) -> dict[str, Any]:
    return {"name": name, "state": "unprotected", "disks": [{"name": f"{name}-os", "os": True}]} | words


def container_path(where: tuple[str, str]) -> str:
    return f"{FABRICS}/{where[0]}/replicationProtectionContainers/{where[1]}"


def set_up(caller: Caller) -> None:
    client = caller.client
    policies, fabrics = client.replication_policies, client.replication_fabrics
    given = {"properties": {"providerSpecificInput": {"instanceType": "A2A"} | POLICY}}
    policies.begin_create(GROUP, VAULT, "policy", given).result()
    for (fabric, container), region in ((HERE, "Central US"), (THERE, "eastus")):
        azure = {"properties": {"customDetails": {"instanceType": "Azure", "location": region}}}
        fabrics.begin_create(GROUP, VAULT, fabric, azure).result()
        a2a = {"properties": {"providerSpecificInput": [{"instanceType": "A2A"}]}}
        client.replication_protection_containers.begin_create(GROUP, VAULT, fabric, container, a2a).result()
    for source, target in ((HERE, THERE), (THERE, HERE)):
        pair = {
            "targetProtectionContainerId": container_path(target),
            "policyId": f"{VAULT_PATH}/replicationPolicies/policy",
            "providerSpecificInput": {"instanceType": "A2A"},
        }
        mappings = client.replication_protection_container_mappings
        mappings.begin_create(GROUP, VAULT, *source, "mapping", {"properties": pair}).result()
    networks(caller).begin_create(GROUP, VAULT, HERE[0], NETWORK, "networks", network_body()).result()


def networks(caller: Caller) -> Any:
    return caller.client.replication_network_mappings


def network_body(network: str = "away") -> dict[str, Any]:
    at = f"{AWAY}/providers/Microsoft.Network/virtualNetworks"
    details = {"instanceType": "AzureToAzure", "primaryNetworkId": f"{at}/home"}
    return {
        "properties": {
            "recoveryFabricName": THERE[0],
            "recoveryNetworkId": f"{at}/{network}",
            "fabricSpecificDetails": details,
        }
    }


def enabling(name: str = "web", **more: Any) -> dict[str, Any]:
    disk = {
        "diskId": f"{MACHINES}/disks/{name}-os",
        "primaryStagingAzureStorageAccountId": f"{AWAY}/providers/Microsoft.Storage/storageAccounts/cache",
        "recoveryResourceGroupId": AWAY,
    }
    details = {
        "instanceType": "A2A",
        "fabricObjectId": f"{MACHINES}/virtualMachines/{name}",
        "recoveryContainerId": container_path(THERE),
        "recoveryResourceGroupId": AWAY,
        "vmManagedDisks": [disk],
    }
    policy = f"{VAULT_PATH}/replicationPolicies/policy"
    return {"properties": {"policyId": policy, "providerSpecificDetails": details | more}}


def enable(caller: Caller, name: str = "web", item: str = ITEM, **more: Any) -> str:
    return caller.act("create", enabling(name, **more), where=HERE, name=item)


def job(caller: Caller) -> Any:
    """Answer the newest job."""
    return next(iter(caller.client.replication_jobs.list(GROUP, VAULT))).properties

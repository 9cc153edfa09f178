"""What lies around the items in a vault: fabrics, containers, mappings, networks, policies."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simulator.envelopes import listing, not_found
from simulator.messages import Response, json_response

if TYPE_CHECKING:
    from simulator.call import Call
    from simulator.messages import JsonObject
    from simulator.model import Site, Vault

_ROOT = "Microsoft.RecoveryServices/vaults"
_CONTAINER = f"{_ROOT}/replicationFabrics/replicationProtectionContainers"
_NETWORKS = f"{_ROOT}/replicationFabrics/replicationNetworks"


def get_vault(call: Call) -> Response:
    """Read the vault itself."""
    vault = call.vault()
    region = vault.spec.secondary
    body = {
        "id": vault.id.replace("/Subscriptions/", "/subscriptions/", 1),
        "name": vault.name,
        "type": _ROOT,
        "location": region,
        "sku": {"name": "RS0", "tier": "Standard"},
        "properties": {"provisioningState": "Succeeded"},
    }
    return json_response(body)


def list_fabrics(call: Call) -> Response:
    """List the fabrics; a list leaves containerIds null (recorded)."""
    return listing([_fabric(site, detailed=False) for site in call.vault().sites.values()])


def get_fabric(call: Call) -> Response:
    """Read one fabric."""
    return json_response(_fabric(call.site(), detailed=True))


def list_containers(call: Call) -> Response:
    """List the containers of a fabric."""
    return listing([_container(call, call.site())])


def list_all_containers(call: Call) -> Response:
    """List the containers of a vault."""
    return listing([_container(call, site) for site in call.vault().sites.values()])


def get_container(call: Call) -> Response:
    """Read one container."""
    return json_response(_container(call, call.site()))


def list_mappings(call: Call) -> Response:
    """List container mappings; asked of one container, the service answers both ways (recorded)."""
    vault = call.vault()
    return listing([_mapping(vault, site) for site in vault.sites.values()])


def get_mapping(call: Call) -> Response:
    """Read one container mapping."""
    site, vault = call.site(), call.vault()
    if call.params["mapping"].lower() != _mapping_name(vault, site):
        return not_found(call.params["mapping"], call.trace)
    return json_response(_mapping(vault, site))


def list_policies(call: Call) -> Response:
    """List the replication policies."""
    return listing([_policy(call.vault())])


def get_policy(call: Call) -> Response:
    """Read one replication policy."""
    vault = call.vault()
    if call.params["policy"].lower() != vault.spec.policy.lower():
        return not_found(call.params["policy"], call.trace)
    return json_response(_policy(vault))


def list_networks(call: Call) -> Response:
    """List a fabric's networks: Azure has one, with every virtual network under it."""
    return listing([_network(call.site())])


def list_all_networks(call: Call) -> Response:
    """List the networks of a vault."""
    return listing([_network(site) for site in call.vault().sites.values()])


def list_network_mappings(call: Call) -> Response:
    """List a fabric's network mappings."""
    return listing([_network_mapping(call.vault(), call.site())])


def list_all_network_mappings(call: Call) -> Response:
    """List the network mappings of a vault."""
    vault = call.vault()
    return listing([_network_mapping(vault, site) for site in vault.sites.values()])


def get_network(call: Call) -> Response:
    """Read a fabric's network."""
    if call.params["network"].lower() != "azurenetwork":
        return not_found(call.params["network"], call.trace)
    return json_response(_network(call.site()))


def get_network_mapping(call: Call) -> Response:
    """Read one network mapping."""
    body = _network_mapping(call.vault(), call.site())
    if str(body["name"]).lower() != call.params["mapping"].lower():
        return not_found(call.params["mapping"], call.trace)
    return json_response(body)


def _fabric(site: Site, *, detailed: bool) -> JsonObject:
    no_key = {"kekState": "None", "kekCertThumbprint": None}
    details: JsonObject = {
        "instanceType": "Azure",
        "location": site.region,
        "containerIds": None,
    }
    if detailed:
        containers = f"{site.fabric_id}/replicationProtectionContainers"
        details |= {"containerIds": [f"{containers}/{site.container_guid}"], "zones": []}
    return {
        "name": site.fabric,
        "type": f"{_ROOT}/replicationFabrics",
        "id": site.fabric_id,
        "properties": {
            "friendlyName": site.region_name,
            "encryptionDetails": no_key,
            "rolloverEncryptionDetails": no_key,
            "internalIdentifier": site.fabric_guid,
            "bcdrState": "Valid",
            "customDetails": details,
            "healthErrorDetails": [],
            "health": "Normal",
        },
    }


def _container(call: Call, site: Site) -> JsonObject:
    held = sum(1 for item in call.world.items_of(call.vault()) if item.source is site)
    return {
        "id": site.container_id,
        "name": site.container,
        "type": _CONTAINER,
        "properties": {
            "fabricFriendlyName": site.region_name,
            "friendlyName": site.container,
            "fabricType": "Azure",
            "protectedItemCount": held,
            "pairingStatus": "Paired",
            "role": "",
            "fabricSpecificDetails": None,
        },
    }


def _mapping_name(vault: Vault, site: Site) -> str:
    return f"{site.region}-{vault.other(site).region}-{vault.spec.policy}".lower()


def _mapping(vault: Vault, site: Site) -> JsonObject:
    other, name = vault.other(site), _mapping_name(vault, site)
    return {
        "id": f"{site.container_id}/replicationProtectionContainerMappings/{name}",
        "name": name,
        "type": f"{_CONTAINER}/replicationProtectionContainerMappings",
        "properties": {
            "targetProtectionContainerId": other.container_id,
            "targetProtectionContainerFriendlyName": other.container,
            "providerSpecificDetails": {
                "instanceType": "A2A",
                "agentAutoUpdateStatus": "Disabled",
                "automationAccountAuthenticationType": "RunAsAccount",
                "automationAccountArmId": None,
                "scheduleName": None,
                "jobScheduleName": None,
            },
            "health": "Normal",
            "healthErrorDetails": [],
            "policyId": vault.policy_id,
            "state": "Paired",
            "sourceProtectionContainerFriendlyName": site.container,
            "sourceFabricFriendlyName": site.region_name,
            "targetFabricFriendlyName": other.region_name,
            "policyFriendlyName": vault.spec.policy,
        },
    }


def _policy(vault: Vault) -> JsonObject:
    return {
        "id": vault.policy_id,
        "name": vault.spec.policy,
        "type": f"{_ROOT}/replicationPolicies",
        "properties": {
            "friendlyName": vault.spec.policy,
            "providerSpecificDetails": {
                "instanceType": "A2A",
                "recoveryPointThresholdInMinutes": 15,
                "recoveryPointHistory": vault.spec.retention_hours * 60,
                "appConsistentFrequencyInMinutes": 60,
                "multiVmSyncStatus": "Enabled",
                "crashConsistentFrequencyInMinutes": 5,
            },
        },
    }


def _network(site: Site) -> JsonObject:
    return {
        "id": f"{site.fabric_id}/replicationNetworks/azureNetwork",
        "name": "azureNetwork",
        "type": _NETWORKS,
        "properties": {
            "fabricType": "Azure",
            "subnets": [],
            "friendlyName": "azureNetwork",
            "networkType": "",
        },
    }


def _network_mapping(vault: Vault, site: Site) -> JsonObject:
    other = vault.other(site)
    name = f"{site.region}-{other.region}-network"
    return {
        "type": f"{_NETWORKS}/replicationNetworkMappings",
        "id": (f"{site.fabric_id}/replicationNetworks/azureNetwork/replicationNetworkMappings/{name}"),
        "name": name,
        "properties": {
            "state": "Paired",
            "primaryNetworkFriendlyName": site.spec.network,
            "primaryNetworkId": site.network_id.lower(),
            "primaryFabricFriendlyName": site.region_name,
            "recoveryNetworkFriendlyName": other.spec.network,
            "recoveryNetworkId": other.network_id.lower(),
            "recoveryFabricArmId": other.fabric_id,
            "recoveryFabricFriendlyName": other.region_name,
            "fabricSpecificSettings": {
                "instanceType": "AzureToAzure",
                "primaryFabricLocation": site.region,
                "recoveryFabricLocation": other.region,
            },
        },
    }

"""Fabrics, which are regions, and the containers in them."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from simulator.arm import key
from simulator.building import make_container, make_fabric
from simulator.envelopes import listing
from simulator.messages import Response, json_response
from simulator.operations import Target
from simulator.providers.site_recovery.setting_up import about_fabric, bad, only_azure, set_up
from simulator.setup_scenarios import CREATE_CONTAINER, CREATE_FABRIC, REMOVE_CONTAINER, REMOVE_FABRIC
from simulator.times import ticks

if TYPE_CHECKING:
    from simulator.call import Call
    from simulator.messages import JsonObject
    from simulator.model import Fabric, Site, Vault

ROOT = "Microsoft.RecoveryServices/vaults"
CONTAINER = f"{ROOT}/replicationFabrics/replicationProtectionContainers"


class _Wire(BaseModel):
    model_config = ConfigDict(extra="allow", alias_generator=to_camel, populate_by_name=True)


class _FabricDetails(_Wire):
    instance_type: str = ""
    location: str = ""


class _FabricProperties(_Wire):
    custom_details: _FabricDetails = Field(default_factory=_FabricDetails)


class FabricBody(_Wire):
    """The body that creates a fabric."""

    properties: _FabricProperties


class _Input(_Wire):
    instance_type: str = ""


class _ContainerProperties(_Wire):
    provider_specific_input: list[_Input] = Field(default_factory=list["_Input"])


class ContainerBody(_Wire):
    """The body that creates a container."""

    properties: _ContainerProperties


def get_vault(call: Call) -> Response:
    """Read the vault itself."""
    return json_response(_vault(call, call.vault()))


def list_vaults(call: Call) -> Response:
    """List the vaults of a resource group, or of the subscription; without a `nextLink`, as recorded."""
    group = call.params.get("group", "").lower()
    found = [v for v in call.world.vaults.values() if group in {"", v.scope.group.lower()}]
    return json_response({"value": [_vault(call, vault) for vault in found]})


def _vault(call: Call, vault: Vault) -> JsonObject:
    made = quote(ticks(call.world.began))
    return {
        "location": vault.spec.secondary,
        "name": vault.name,
        "etag": f"W/\"datetime'{made}'\"",
        "properties": {
            "provisioningState": "Succeeded",
            "privateEndpointStateForBackup": "None",
            "privateEndpointStateForSiteRecovery": "None",
            "publicNetworkAccess": "Enabled",
        },
        "id": vault.id.replace("/Subscriptions/", "/subscriptions/", 1),
        "type": ROOT,
        "sku": {"name": "RS0", "tier": "Standard"},
    }


def list_fabrics(call: Call) -> Response:
    """List the fabrics; a list leaves containerIds null (recorded)."""
    vault = call.vault()
    return listing([_fabric(vault, fabric, detailed=False) for fabric in vault.fabrics.values()])


def get_fabric(call: Call) -> Response:
    """Read one fabric."""
    return json_response(_fabric(call.vault(), call.fabric(), detailed=True))


def create_fabric(call: Call) -> Response:
    """Create a fabric for a region; invented: that creating a fabric again changes nothing."""
    details, vault = call.body(FabricBody).properties.custom_details, call.vault()
    only_azure(call, details.instance_type, "Azure", "a fabric")
    region = details.location.replace(" ", "").lower()
    if not region:
        raise bad(call, "LocationMissing", "properties.customDetails.location is required.")
    made = make_fabric(call.world.estate, vault, call.params["fabric"], region, call.world.ids)
    fabric = vault.fabric(made.name) or made
    about = about_fabric(fabric) | {"primaryVmmName": fabric.name}  # here it is not the region's name (recorded)
    target = Target(kind="Server", object_id=fabric.guid, name=fabric.name, affected=about)
    length = call.world.seconds("create_fabric")
    return set_up(
        call,
        CREATE_FABRIC,
        target,
        fabric.id,
        lambda: vault.fabrics.setdefault(key(fabric.id), fabric),
        length=length,
        cancellable=False,
        reads_late=False,
    )


def remove_fabric(call: Call) -> Response:
    """Remove a fabric that has no containers."""
    vault, fabric = call.vault(), call.fabric()
    if vault.containers_of(fabric):
        raise bad(call, "FabricNotEmpty", f"The fabric '{fabric.name}' has protection containers.")
    target = Target(kind="Server", object_id=fabric.guid, name=fabric.name, affected=about_fabric(fabric))
    return set_up(call, REMOVE_FABRIC, target, fabric.id, lambda: vault.fabrics.pop(key(fabric.id), None))


def list_containers(call: Call) -> Response:
    """List the containers of a fabric."""
    vault = call.vault()
    return listing([_container(call, vault, site) for site in vault.containers_of(call.fabric())])


def list_all_containers(call: Call) -> Response:
    """List the containers of a vault."""
    vault = call.vault()
    return listing([_container(call, vault, site) for site in vault.containers.values()])


def get_container(call: Call) -> Response:
    """Read one container."""
    return json_response(_container(call, call.vault(), call.site()))


def create_container(call: Call) -> Response:
    """Create a container; invented: that creating a container again changes nothing."""
    vault, fabric = call.vault(), call.fabric()
    for given in call.body(ContainerBody).properties.provider_specific_input:
        only_azure(call, given.instance_type, "A2A", "a protection container")
    made = make_container(call.world.estate, fabric, call.params["container"], call.world.ids)
    site = vault.containers.get(key(made.container_id)) or made
    return set_up(
        call,
        CREATE_CONTAINER,
        _about_container(site),
        site.container_id,
        lambda: vault.containers.setdefault(key(site.container_id), site),
    )


def remove_container(call: Call) -> Response:
    """Remove a container that is mapped to nothing and holds nothing."""
    vault, site = call.vault(), call.site()
    if _paired(vault, site) or _held(call, site):
        raise bad(call, "ContainerInUse", f"The protection container '{site.container}' is in use.")
    return set_up(
        call,
        REMOVE_CONTAINER,
        _about_container(site),
        site.container_id,
        lambda: vault.containers.pop(key(site.container_id), None),
    )


def _about_container(site: Site) -> Target:
    return Target(
        kind="ProtectionContainer",
        object_id=site.container_guid,
        name=site.container,
        affected=about_fabric(site.home),
    )


def _held(call: Call, site: Site) -> int:
    items = call.world.items_of(call.vault())
    return sum(1 for item in items if item.source.container_id == site.container_id)


def _paired(vault: Vault, site: Site) -> bool:
    sides = (side for m in vault.mappings.values() for side in (m.source, m.target))
    return any(side.container_id == site.container_id for side in sides)


def _fabric(vault: Vault, fabric: Fabric, *, detailed: bool) -> JsonObject:
    no_key = {"kekState": "None", "kekCertThumbprint": None}
    details: JsonObject = {
        "instanceType": "Azure",
        "location": fabric.region,
        "containerIds": None,
    }
    if detailed:
        at = f"{fabric.id}/replicationProtectionContainers"
        ids = [f"{at}/{site.container_guid}" for site in vault.containers_of(fabric)]
        details |= {"containerIds": ids, "zones": []}
    return {
        "name": fabric.name,
        "type": f"{ROOT}/replicationFabrics",
        "id": fabric.id,
        "properties": {
            "friendlyName": fabric.region_name,
            "encryptionDetails": no_key,
            "rolloverEncryptionDetails": no_key,
            "internalIdentifier": fabric.guid,
            "bcdrState": "Valid",
            "customDetails": details,
            "healthErrorDetails": [],
            "health": "Normal",
        },
    }


def _container(call: Call, vault: Vault, site: Site) -> JsonObject:
    return {
        "id": site.container_id,
        "name": site.container,
        "type": CONTAINER,
        "properties": {
            "fabricFriendlyName": site.region_name,
            "friendlyName": site.container,
            "fabricType": "Azure",
            "protectedItemCount": _held(call, site),
            "pairingStatus": "Paired" if _paired(vault, site) else "NotPaired",
            "role": "",
            "fabricSpecificDetails": None,
        },
    }

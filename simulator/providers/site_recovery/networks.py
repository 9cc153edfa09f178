"""The network of a fabric, which stands for all of a region's, and the mappings of virtual networks."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from simulator.arm import key, last_segment
from simulator.envelopes import Refused, listing, not_found
from simulator.messages import Response, json_response
from simulator.model import NetworkMapping
from simulator.operations import Target
from simulator.providers.site_recovery.fabrics import ROOT
from simulator.providers.site_recovery.setting_up import about_fabrics, bad, only_azure, set_up
from simulator.setup_scenarios import MAP_NETWORKS, UNMAP_NETWORKS

if TYPE_CHECKING:
    from simulator.call import Call
    from simulator.messages import JsonObject
    from simulator.model import Fabric

NETWORKS = f"{ROOT}/replicationFabrics/replicationNetworks"
MAPPING = timedelta(seconds=4)
ONLY = "azureNetwork"


class _Wire(BaseModel):
    model_config = ConfigDict(extra="allow", alias_generator=to_camel, populate_by_name=True)


class _Details(_Wire):
    instance_type: str = "AzureToAzure"
    primary_network_id: str = ""


class _Properties(_Wire):
    recovery_fabric_name: str = ""
    recovery_network_id: str = ""
    fabric_specific_details: _Details = Field(default_factory=_Details)


class NetworkMappingBody(_Wire):
    """The body that maps two networks, or changes their mapping."""

    properties: _Properties


def list_networks(call: Call) -> Response:
    """List a fabric's networks: Azure has one, with every virtual network under it."""
    return listing([_network(call.fabric())])


def list_all_networks(call: Call) -> Response:
    """List the networks of a vault."""
    return listing([_network(fabric) for fabric in call.vault().fabrics.values()])


def get_network(call: Call) -> Response:
    """Read a fabric's network."""
    return json_response(_network(_known(call)))


def list_network_mappings(call: Call) -> Response:
    """List a fabric's network mappings."""
    fabric = _known(call)
    found = [m for m in call.vault().network_mappings.values() if m.source is fabric]
    return listing([_mapping(mapping) for mapping in found])


def list_all_network_mappings(call: Call) -> Response:
    """List the network mappings of a vault."""
    return listing([_mapping(mapping) for mapping in call.vault().network_mappings.values()])


def get_network_mapping(call: Call) -> Response:
    """Read one network mapping."""
    return json_response(_mapping(_find(call)))


def create_network_mapping(call: Call) -> Response:
    """Map a virtual network to one of another fabric."""
    given, source = call.body(NetworkMappingBody).properties, _known(call)
    only_azure(call, given.fabric_specific_details.instance_type, "AzureToAzure", "a network mapping")
    target = call.vault().fabric(given.recovery_fabric_name)
    primary = given.fabric_specific_details.primary_network_id
    if target is None or not primary or not given.recovery_network_id:
        raise bad(call, "InvalidNetworkMapping", "The recovery fabric and both networks are required.")
    mapping = NetworkMapping(
        name=call.params["mapping"],
        source=source,
        target=target,
        network_id=primary,
        target_network_id=given.recovery_network_id,
    )
    return _mapped(call, mapping)


def update_network_mapping(call: Call) -> Response:
    """Map a virtual network to another one."""
    given, mapping = call.body(NetworkMappingBody).properties, _find(call)
    return _mapped(
        call,
        replace(
            mapping,
            network_id=given.fabric_specific_details.primary_network_id or mapping.network_id,
            target_network_id=given.recovery_network_id or mapping.target_network_id,
        ),
    )


def _mapped(call: Call, mapping: NetworkMapping) -> Response:
    known = call.vault().network_mappings
    return set_up(
        call,
        MAP_NETWORKS,
        _about(mapping),
        mapping.id,
        lambda: known.update({key(mapping.id): mapping}),
        length=MAPPING,
        names_job=False,  # recorded: its request id is the caller's own and the time
    )


def remove_network_mapping(call: Call) -> Response:
    """Remove a network mapping."""
    mapping, known = _find(call), call.vault().network_mappings
    return set_up(
        call,
        UNMAP_NETWORKS,
        _about(mapping),
        mapping.id,
        lambda: known.pop(key(mapping.id), None),
        length=MAPPING,
        names_job=False,  # recorded, as of its creation
    )


def _about(mapping: NetworkMapping) -> Target:
    name = last_segment(mapping.network_id).lower()
    about: dict[str, object] = {
        "primaryNetworkId": mapping.network_id.lower(),
        "primaryNetworkName": name,
        "recoveryNetworkId": mapping.target_network_id.lower(),
    }
    affected = about | about_fabrics(mapping.source, mapping.target)
    return Target(kind="Network", object_id=name, name=name, affected=affected)


def _known(call: Call) -> Fabric:
    """Answer the fabric, if the network that is named is the one it has."""
    fabric = call.fabric()
    if call.params["network"].lower() != ONLY.lower():
        raise Refused(not_found(call.params["network"], call.trace))
    return fabric


def _find(call: Call) -> NetworkMapping:
    fabric, wanted = _known(call), call.params["mapping"]
    at = f"{fabric.id}/replicationNetworks/{ONLY}/replicationNetworkMappings/{wanted}"
    found = call.vault().network_mappings.get(key(at))
    if found is None:
        raise Refused(not_found(wanted, call.trace))
    return found


def _network(fabric: Fabric) -> JsonObject:
    return {
        "id": f"{fabric.id}/replicationNetworks/{ONLY}",
        "name": ONLY,
        "type": NETWORKS,
        "properties": {
            "fabricType": "Azure",
            "subnets": [],
            "friendlyName": ONLY,
            "networkType": "",
        },
    }


def _mapping(mapping: NetworkMapping) -> JsonObject:
    primary, recovery = mapping.network_id.lower(), mapping.target_network_id.lower()
    return {
        "type": f"{NETWORKS}/replicationNetworkMappings",
        "id": mapping.id,
        "name": mapping.name,
        "properties": {
            "state": "Paired",
            "primaryNetworkFriendlyName": last_segment(primary),
            "primaryNetworkId": primary,
            "primaryFabricFriendlyName": mapping.source.region_name,
            "recoveryNetworkFriendlyName": last_segment(recovery),
            "recoveryNetworkId": recovery,
            "recoveryFabricArmId": mapping.target.id,
            "recoveryFabricFriendlyName": mapping.target.region_name,
            "fabricSpecificSettings": {
                "instanceType": "AzureToAzure",
                "primaryFabricLocation": mapping.source.region,
                "recoveryFabricLocation": mapping.target.region,
            },
        },
    }

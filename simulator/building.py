"""What an estate's vaults are made of before the first call: fabrics, containers, mappings, policies."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simulator.arm import Scope, key
from simulator.estate import REGION_NAMES, RegionSpec
from simulator.model import Fabric, Mapping, NetworkMapping, Policy, Site, Vault

if TYPE_CHECKING:
    from simulator.estate import Estate, VaultSpec
    from simulator.ids import Ids

HOUR = 60
APP_CONSISTENT_EVERY, THRESHOLD = 60, 15


def build_vault(estate: Estate, spec: VaultSpec, ids: Ids) -> Vault:
    """Make a vault with its two sides, mapped to each other; nothing but itself where the estate says `bare`."""
    scope = Scope(estate.subscription, spec.resource_group)
    vault_id = scope.resource("Microsoft.RecoveryServices/vaults", spec.name).replace(
        "/subscriptions/", "/Subscriptions/", 1
    )
    vault = Vault(id=vault_id, name=spec.name, spec=spec, scope=scope, guid=ids.fixed("vault", vault_id))
    if not spec.bare:
        _set_up(estate, vault, ids)
    return vault


def _set_up(estate: Estate, vault: Vault, ids: Ids) -> None:
    spec = vault.spec
    policy = Policy(
        vault_id=vault.id,
        name=spec.policy,
        guid=ids.fixed("policy", vault.id, spec.policy),
        history=spec.retention_hours * HOUR,
        app_consistent_every=APP_CONSISTENT_EVERY,
        threshold=THRESHOLD,
    )
    vault.policies[key(policy.id)] = policy
    sides = [_side(estate, vault, region, ids) for region in (spec.primary, spec.secondary)]
    for source, target in (sides, reversed(sides)):
        name = f"{source.region}-{target.region}-{spec.policy}".lower()
        mapping = Mapping(name=name, source=source, target=target, policy=policy)
        vault.mappings[key(mapping.id)] = mapping
        networks = NetworkMapping(
            name=f"{source.region}-{target.region}-network",
            source=source.home,
            target=target.home,
            network_id=source.network_id,
            target_network_id=target.network_id,
        )
        vault.network_mappings[key(networks.id)] = networks


def _side(estate: Estate, vault: Vault, region: str, ids: Ids) -> Site:
    fabric = make_fabric(estate, vault, f"asr-{region}", region, ids)
    vault.fabrics[key(fabric.id)] = fabric
    site = make_container(estate, fabric, f"asr-{region}-container", ids)
    vault.containers[key(site.container_id)] = site
    return site


def make_fabric(estate: Estate, vault: Vault, name: str, region: str, ids: Ids) -> Fabric:
    """Make a fabric; a region the estate does not declare has the vault's resource group and nothing in it."""
    spec = estate.regions.get(region) or RegionSpec(
        resource_group=vault.spec.resource_group, cache_storage_account=f"cache{region}", isolated_network=None
    )
    return Fabric(
        vault_id=vault.id,
        name=name,
        region=region,
        region_name=REGION_NAMES.get(region, region),
        spec=spec,
        guid=ids.fixed("fabric", vault.id, name),
        provider_guid=ids.fixed("provider", vault.id, name),
    )


def make_container(estate: Estate, fabric: Fabric, name: str, ids: Ids) -> Site:
    """Make a container in a fabric."""
    return Site(
        home=fabric,
        container=name,
        container_guid=ids.fixed("container", fabric.id, name),
        spec=fabric.spec,
        scope=Scope(estate.subscription, fabric.spec.resource_group),
    )

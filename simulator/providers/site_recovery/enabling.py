"""How replication of a machine is enabled."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from simulator.acts import start
from simulator.arm import Scope, group_of, key, last_segment
from simulator.effects import Wish
from simulator.envelopes import Refused, accepted, refused
from simulator.estate import Act
from simulator.providers.site_recovery.setting_up import bad, only_azure

if TYPE_CHECKING:
    from simulator.call import Call
    from simulator.estate import DiskSpec
    from simulator.machines import VirtualMachine
    from simulator.messages import Response
    from simulator.model import Item, Policy, Site


class _Wire(BaseModel):
    model_config = ConfigDict(extra="allow", alias_generator=to_camel, populate_by_name=True)


class _Disk(_Wire):
    disk_id: str
    primary_staging_azure_storage_account_id: str = ""


class _Provider(_Wire):
    instance_type: str = ""
    fabric_object_id: str = ""
    recovery_container_id: str = ""
    recovery_resource_group_id: str = ""
    recovery_azure_network_id: str | None = None
    recovery_subnet_name: str | None = None
    multi_vm_group_name: str | None = None
    vm_managed_disks: list[_Disk] = Field(default_factory=list["_Disk"])


class _Properties(_Wire):
    policy_id: str = ""
    provider_specific_details: _Provider = Field(default_factory=_Provider)


class EnableBody(_Wire):
    """The body that enables replication."""

    properties: _Properties


def enable(call: Call) -> Response:
    """Start to replicate a machine that exists to a container this one is mapped to.

    invented: how each wrong request to enable is refused, and that the item is not there before its job has ended.
    """
    given, site = call.body(EnableBody).properties, call.site()
    details = given.provider_specific_details
    only_azure(call, details.instance_type, "A2A", "a protected item")
    machine = _machine(call, site, details)
    target, policy = _mapped(call, site, details, given.policy_id)
    disks = _disks(call, machine, details)
    item = _new_item(call, machine, (site, target), policy, details)
    item.disks = disks
    _refuse_twice(call, item)
    job = start(call.world, item, Act.ENABLE, Wish(), call.trace)
    call.world.enabling.append((job, item))
    return accepted(call.request, job, item.id, signed=call.world.estate.signed_urls)


def _machine(call: Call, site: Site, details: _Provider) -> VirtualMachine:
    found = call.world.machines.vm(details.fabric_object_id)
    if found is None or found.region != site.region:
        message = f"There is no virtual machine '{details.fabric_object_id}' in {site.region_name}."
        raise bad(call, "VirtualMachineNotFound", message)
    return found


def _mapped(call: Call, site: Site, details: _Provider, policy_id: str) -> tuple[Site, Policy]:
    sides = (site.container_id, key(details.recovery_container_id))
    for mapping in call.vault().mappings.values():
        fits = (mapping.source.container_id, key(mapping.target.container_id)) == sides
        if fits and key(mapping.policy.id) == key(policy_id):
            return mapping.target, mapping.policy
    raise bad(call, "ContainerMappingNotFound", "The containers are not mapped to each other under the policy.")


def _disks(call: Call, machine: VirtualMachine, details: _Provider) -> tuple[DiskSpec, ...]:
    if not details.vm_managed_disks:
        raise bad(call, "VMDisksMissing", "Managed disk details not provided.")
    wanted = {key(disk.disk_id) for disk in details.vm_managed_disks}
    if stray := wanted - {key(disk_id) for disk_id in machine.disk_ids}:
        raise bad(call, "DiskNotFound", f"'{last_segment(min(stray))}' is not a disk of '{machine.name}'.")
    names = {last_segment(disk_id) for disk_id in wanted}
    return tuple(disk for disk in machine.spec.disk_specs() if key(disk.name) in names)


def _new_item(
    call: Call, machine: VirtualMachine, sides: tuple[Site, Site], policy: Policy, details: _Provider
) -> Item:
    world, (site, target) = call.world, sides
    changes: dict[str, object] = {"item": call.params["item"]}
    if details.multi_vm_group_name:
        changes["multi_vm_group"] = details.multi_vm_group_name
    return world.new_item(
        call.vault(),
        machine.spec.model_copy(update=changes),
        _source(call, machine, site, details),
        _target(call, site, target, details),
        policy,
        lifecycle_id=world.ids.fresh("life"),
        source_vm_id=machine.id,
    )


def _source(call: Call, machine: VirtualMachine, site: Site, details: _Provider) -> Site:
    """Answer the side the machine is on: its own group, network and cache storage account."""
    nic = call.world.machines.nic_of(machine.id)
    network, _, subnet = (nic.subnet_id if nic else "").partition("/subnets/")
    cache = details.vm_managed_disks[0].primary_staging_azure_storage_account_id
    changes = {"network": network, "subnet": subnet, "cache_storage_account": cache}
    return _own(call, site, group_of(machine.id), {name: value for name, value in changes.items() if value})


def _target(call: Call, site: Site, target: Site, details: _Provider) -> Site:
    """Answer the side it is to go to: the group and the network that were asked for, or mapped."""
    mapped = (m.target_network_id for m in call.vault().network_mappings.values() if m.source is site.home)
    network = details.recovery_azure_network_id or next(mapped, target.network_id)
    changes = {"network": network, "subnet": last_segment(details.recovery_subnet_name or target.spec.subnet)}
    group = last_segment(details.recovery_resource_group_id or target.scope.id)
    return _own(call, target, group, changes)


def _own(call: Call, site: Site, group: str, changes: dict[str, str]) -> Site:
    """Answer a side as it is for one machine; what the region itself has is named by its id."""
    kept: dict[str, object] = {"isolated_network": site.isolated_network_id, "load_balancer": None}
    scope = Scope(call.world.estate.subscription, group)
    return replace(site, scope=scope, spec=site.spec.model_copy(update=kept | changes))


def _refuse_twice(call: Call, item: Item) -> None:
    """Refuse a machine that is protected or being enabled, and a name that is taken."""
    world = call.world
    world.enabling = [(job, one) for job, one in world.enabling if not job.over(world.now)]
    others = [*world.items.values(), *(one for _, one in world.enabling)]
    if any(key(item.source_vm_id) == key(o.source_vm_id) or key(item.id) == key(o.id) for o in others):
        message = f"'{item.machine.name}' is already protected, or '{item.name}' is taken."
        action = "Choose another machine, or disable its replication first."
        raise Refused(refused(409, "AlreadyProtected", message, action, call.trace))

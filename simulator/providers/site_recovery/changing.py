"""What of an item can be changed: what its machine will be, and how it will be connected, in its target region."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from simulator.arm import key, last_segment
from simulator.envelopes import Refused, not_simulated
from simulator.model import Chosen
from simulator.operations import Target
from simulator.providers.site_recovery.setting_up import bad, set_up
from simulator.setup_scenarios import UPDATE_ITEM

if TYPE_CHECKING:
    from collections.abc import Mapping

    from simulator.call import Call
    from simulator.messages import JsonObject, Response
    from simulator.model import Item


class _Wire(BaseModel):
    model_config = ConfigDict(extra="allow", alias_generator=to_camel, populate_by_name=True)


class _Nic(_Wire):
    nic_id: str
    ip_configs: list[dict[str, object]] = Field(default_factory=list["dict[str, object]"])


class _Properties(_Wire):
    vm_nics: list[_Nic] = Field(default_factory=list["_Nic"])
    provider_specific_details: dict[str, object] = Field(default_factory=dict[str, object])


class ChangeBody(_Wire):
    """The body that changes an item; what is null stays as it is."""

    properties: _Properties = Field(default_factory=_Properties)


NAME, SIZE = "recoveryAzureVMName", "recoveryAzureVMSize"
NETWORK, TEST_NETWORK = "selectedRecoveryAzureNetworkId", "selectedTfoAzureNetworkId"
SUBNET, ADDRESS = "recoverySubnetName", "recoveryStaticIPAddress"

SHOWN_AS = {
    NAME: NAME,
    SIZE: SIZE,
    NETWORK: NETWORK,
    TEST_NETWORK: TEST_NETWORK,
    "recoveryAvailabilitySetId": "recoveryAvailabilitySet",
    "licenseType": "",  # taken, and shown nowhere: a read of an Azure machine's item has no such field
    "tfoAzureVMName": "tfoAzureVMName",
    "recoveryBootDiagStorageAccountId": "recoveryBootDiagStorageAccountId",
    "recoveryProximityPlacementGroupId": "recoveryProximityPlacementGroupId",
    "recoveryVirtualMachineScaleSetId": "recoveryVirtualMachineScaleSetId",
    "recoveryCapacityReservationGroupId": "recoveryCapacityReservationGroupId",
    "recoveryAvailabilityZone": "recoveryAvailabilityZone",
}
"""What can be changed, and the field of the details that shows it."""

_NIC_SHOWN_AS = {"tfoNicName": "tfoRecoveryNicName", "tfoNicResourceGroupName": "tfoRecoveryNicResourceGroupName"}
"""What of an interface is called otherwise where it is shown."""

_CHOSEN_NIC: JsonObject = {
    "recoveryNetworkSecurityGroupId": "",
    "tfoNetworkSecurityGroupId": "",
    "enableAcceleratedNetworkingOnTfo": False,
}
_CHOSEN_CONFIG: JsonObject = {
    "recoveryPublicIPAddressId": "",
    "recoveryLBBackendAddressPoolIds": [],
    "tfoSubnetName": "",
    "tfoStaticIPAddress": "",
    "tfoPublicIPAddressId": "",
    "tfoLBBackendAddressPoolIds": [],
}
"""What is empty and no longer null once somebody has chosen how the machine is connected (recorded)."""

_NOT_SHOWN = {"nicId", "ipConfigs", "ipConfigName", "isPrimary", "isSeletedForFailover"}
"""What names an interface and its address, or stayed as it was where it was recorded."""


def update(call: Call) -> Response:
    """Change what a machine will be in its target region; 501 names what cannot be changed here."""
    item, given = call.item(), call.body(ChangeBody).properties
    wanted = _wanted(given)
    nic = _nic(call, item, given)
    config = nic.ip_configs[0] if nic and nic.ip_configs else {}

    def take_effect() -> None:
        item.chosen = _chosen(item, wanted, nic, config)
        _move(item, wanted, config)

    target = Target(
        kind="ProtectionEntity",
        object_id=item.entity_id,
        name=item.machine.name,
        affected=item.about(item.machine.name.lower()),
    )
    return set_up(call, UPDATE_ITEM, target, item.id, take_effect)


def _wanted(given: _Properties) -> JsonObject:
    """Answer what is to be changed, of the body and of its details; what is null or a name of its kind is not."""
    named = (given.model_extra or {}) | given.provider_specific_details
    wanted = {name: value for name, value in named.items() if value is not None and name != "instanceType"}
    if strange := sorted(set(wanted) - set(SHOWN_AS)):
        raise Refused(not_simulated(f"changing {', '.join(strange)} of a protected item"))
    return wanted


def _nic(call: Call, item: Item, given: _Properties) -> _Nic | None:
    """Answer the interface to be changed; invented: how one that the machine does not have is refused."""
    strange = [nic.nic_id for nic in given.vm_nics if key(nic.nic_id) != item.nic_guid]
    if strange:
        raise bad(call, "NetworkInterfaceNotFound", f"'{strange[0]}' is no interface of '{item.machine.name}'.")
    return given.vm_nics[0] if given.vm_nics else None


def _chosen(item: Item, wanted: JsonObject, nic: _Nic | None, config: JsonObject) -> Chosen:
    """Answer all that was chosen for an item, now and before."""
    before = item.chosen
    shown = {SHOWN_AS[name]: value for name, value in wanted.items() if SHOWN_AS[name]}
    if nic is None:
        return replace(before, details={**before.details, **shown})
    address = (
        {"recoveryIPAddressType": "Static" if config.get(ADDRESS) else "Dynamic"} if ADDRESS in config else {}
    )
    return Chosen(
        details={**before.details, **shown},
        nic={**_CHOSEN_NIC, **before.nic, **_named(nic.model_extra or {})},
        config={**_CHOSEN_CONFIG, **before.config, **_named(config), **address},
    )


def _named(given: Mapping[str, object]) -> JsonObject:
    told = {name: value for name, value in given.items() if value is not None and name not in _NOT_SHOWN}
    return {_NIC_SHOWN_AS.get(name, name): value for name, value in told.items()}


def _move(item: Item, wanted: JsonObject, config: JsonObject) -> None:
    """Let the machine come up as it was chosen: its name, size, network and address."""
    machine = {
        "target_name": wanted.get(NAME),
        "target_size": wanted.get(SIZE),
        "target_address": config.get(ADDRESS),
    }
    kept = {name: str(value) for name, value in machine.items() if value}
    item.machine = item.machine.model_copy(update=kept)
    spec = {
        "network": wanted.get(NETWORK),
        "isolated_network": wanted.get(TEST_NETWORK),
        "subnet": last_segment(str(config.get(SUBNET) or "")),
    }
    changes = {name: value for name, value in spec.items() if value}
    item.target = replace(item.target, spec=item.target.spec.model_copy(update=changes))

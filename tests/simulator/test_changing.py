"""What of an item can be changed by the official client, and what comes of it."""

from __future__ import annotations

from typing import Any

import pytest
from azure.core.exceptions import HttpResponseError

from tests.simulator.from_nothing import AWAY, HERE, ITEM, enable, job
from tests.simulator.helpers import Caller, failover_body


def test_a_changed_name_and_size_are_what_the_machine_comes_up_with(ready: Caller) -> None:
    enable(ready)
    ready.wait(426 + 25 * 60)
    change = {"properties": {"recoveryAzureVMName": "web-dr", "recoveryAzureVMSize": "Standard_D4s_v3"}}
    ready.act("update", change, where=HERE, name=ITEM)
    ready.wait(2)
    assert job(ready).friendly_name == "Update the virtual machine"
    assert ready.item(HERE, ITEM).properties.provider_specific_details.recovery_azure_vm_name == "web-dr"
    ready.act("unplanned_failover", failover_body(), where=HERE, name=ITEM)
    ready.wait(206)
    arrived = ready.item(HERE, ITEM).properties.provider_specific_details.recovery_fabric_object_id
    assert arrived.endswith("/web-dr")
    assert ready.read(arrived)["properties"]["hardwareProfile"]["vmSize"] == "Standard_D4s_v3"


def chosen(ready: Caller) -> dict[str, Any]:
    """Write the change that PowerShell's tests were recorded to send: a network, an interface, a test machine."""
    nic = ready.item(HERE, ITEM).properties.provider_specific_details.vm_nics[0].nic_id
    config = {
        "ipConfigName": "ipconfig1",
        "isPrimary": True,
        "isSeletedForFailover": False,
        "recoverySubnetName": "frontendSubnet",
        "recoveryStaticIPAddress": "",
    }
    interface = {
        "nicId": nic,
        "ipConfigs": [config],
        "selectionType": "SelectedByUser",
        "enableAcceleratedNetworkingOnRecovery": False,
        "enableAcceleratedNetworkingOnTfo": False,
        "recoveryNicName": "chosen-nic",
        "recoveryNicResourceGroupName": "chosen-rg",
        "reuseExistingNic": True,
        "tfoReuseExistingNic": False,
    }
    properties = {
        "recoveryAzureVMName": "web",
        "selectedRecoveryAzureNetworkId": f"{AWAY}/providers/Microsoft.Network/virtualNetworks/chosen",
        "vmNics": [interface],
        "licenseType": "WindowsServer",
        "providerSpecificDetails": {"instanceType": "A2A", "tfoAzureVMName": "web-rehearsed"},
    }
    return {"properties": properties}


def test_a_changed_network_and_interface_are_shown_as_recorded_and_the_machine_stands_in_them(
    ready: Caller,
) -> None:
    enable(ready)
    ready.wait(426 + 25 * 60)
    ready.act("update", chosen(ready), where=HERE, name=ITEM)
    ready.wait(2)
    details = ready.item(HERE, ITEM).properties.provider_specific_details
    assert details.selected_recovery_azure_network_id.endswith("/chosen")
    assert details.tfo_azure_vm_name == "web-rehearsed"
    (nic,) = details.vm_nics
    assert (nic.selection_type, nic.recovery_nic_name, nic.reuse_existing_nic) == (
        "SelectedByUser",
        "chosen-nic",
        True,
    )
    assert (nic.recovery_network_security_group_id, nic.tfo_network_security_group_id) == ("", "")
    (config,) = nic.ip_configs
    assert (config.recovery_subnet_name, config.recovery_ip_address_type) == ("frontendSubnet", "Dynamic")
    assert (config.recovery_public_ip_address_id, config.tfo_subnet_name) == ("", "")
    assert (config.recovery_lb_backend_address_pool_ids, config.tfo_lb_backend_address_pool_ids) == ([], [])
    ready.act("unplanned_failover", failover_body(), where=HERE, name=ITEM)
    ready.wait(206)
    arrived = ready.item(HERE, ITEM).properties.provider_specific_details.recovery_fabric_object_id
    nic_id = ready.read(arrived)["properties"]["networkProfile"]["networkInterfaces"][0]["id"]
    subnet = ready.read(nic_id)["properties"]["ipConfigurations"][0]["properties"]["subnet"]["id"]
    assert subnet.endswith("/virtualNetworks/chosen/subnets/frontendSubnet")


def test_an_interface_that_the_machine_does_not_have_cannot_be_changed(ready: Caller) -> None:
    enable(ready)
    ready.wait(500)
    strange = {"properties": {"vmNics": [{"nicId": "another"}]}}
    with pytest.raises(HttpResponseError) as refusal:
        ready.act("update", strange, where=HERE, name=ITEM)
    assert (refusal.value.status_code, refusal.value.error and refusal.value.error.code) == (
        400,
        "NetworkInterfaceNotFound",
    )


def test_a_change_that_is_not_simulated_is_named(ready: Caller) -> None:
    enable(ready)
    ready.wait(500)
    disks = {"instanceType": "A2A", "managedDiskUpdateDetails": [{"diskId": "x"}]}
    with pytest.raises(HttpResponseError) as refusal:
        ready.act("update", {"properties": {"providerSpecificDetails": disks}}, where=HERE, name=ITEM)
    assert refusal.value.status_code == 501
    assert refusal.value.error is not None
    assert "managedDiskUpdateDetails" in refusal.value.error.message

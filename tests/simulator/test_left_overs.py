"""What can be found by listing, and taken away: machines, disks, interfaces, public addresses."""

from __future__ import annotations

from typing import Any

import pytest

from simulator import Response
from simulator.estate import Estate, LockSpec, RegionSpec
from tests.simulator.helpers import (
    CLEANUP_BODY,
    ITEM,
    SUBSCRIPTION,
    Caller,
    Calling,
    estate_of,
    failover_body,
    rehearsal_body,
)

SUB = f"/subscriptions/{SUBSCRIPTION}"
GROUP = f"{SUB}/resourceGroups/contoso-app"
KINDS = {
    "virtualMachines": "Microsoft.Compute/virtualMachines",
    "disks": "Microsoft.Compute/disks",
    "networkInterfaces": "Microsoft.Network/networkInterfaces",
    "publicIPAddresses": "Microsoft.Network/publicIPAddresses",
}
TEST_VM = f"{GROUP}/providers/{KINDS['virtualMachines']}/{ITEM}-test"


def listed(caller: Caller, kind: str, scope: str = GROUP) -> list[str]:
    return [one["name"] for one in caller.read(f"{scope}/providers/{KINDS[kind]}")["value"]]


def everything(caller: Caller, scope: str = GROUP) -> dict[str, list[str]]:
    return {kind: listed(caller, kind, scope) for kind in KINDS}


NOTHING: dict[str, list[str]] = {kind: [] for kind in KINDS}
TEST_MACHINE = {
    "virtualMachines": [f"{ITEM}-test"],
    "disks": [f"{ITEM}_OsDisk_1-ASRtest", f"{ITEM}_DataDisk_0-ASRtest"],
    "networkInterfaces": [f"{ITEM}-test-nic"],
    "publicIPAddresses": [],
}


def machine(**words: Any) -> Any:
    return {"name": ITEM, "state": "protected-in-reverse"} | words


def rehearse(caller: Caller) -> None:
    caller.act("test_failover", rehearsal_body(f"{GROUP}/providers/Microsoft.Network/virtualNetworks/isolated"))
    caller.wait(204)


def clean_up(caller: Caller) -> None:
    caller.act("test_failover_cleanup", CLEANUP_BODY)
    caller.wait(83)


def test_a_test_machine_is_listed_with_all_its_parts_until_the_cleanup(caller: Caller) -> None:
    assert everything(caller) == NOTHING
    rehearse(caller)
    assert everything(caller) == TEST_MACHINE
    assert set(listed(caller, "virtualMachines", SUB)) == {ITEM, f"{ITEM}-test"}
    clean_up(caller)
    assert everything(caller) == NOTHING


def test_a_disk_that_a_cleanup_left_is_found_unattached_and_taken_away(caller: Caller) -> None:
    caller.arm_fault("disk-left-behind")
    rehearse(caller)
    clean_up(caller)
    (left,) = caller.read(f"{GROUP}/providers/{KINDS['disks']}")["value"]
    assert left["properties"]["diskState"] == "Unattached"
    assert "managedBy" not in left
    finish(caller, caller.send("DELETE", left["id"]))
    assert everything(caller) == NOTHING


def finish(caller: Caller, answer: Response) -> None:
    """Follow accepted work to its end, as azure-core's ARM poller does."""
    assert answer.status == 202
    operation = at(answer, "Azure-AsyncOperation")
    assert caller.read(operation)["status"] == "InProgress"
    assert caller.get(at(answer, "Location")).status == 202
    caller.wait(60)
    done = caller.read(operation)
    assert done["status"] == "Succeeded"
    assert done["endTime"] > done["startTime"]
    assert caller.get(at(answer, "Location")).status == 204


def at(answer: Response, name: str) -> str:
    return "/" + (answer.header(name) or "").split("/", 3)[3]


def test_a_test_machine_is_taken_away_part_by_part(caller: Caller) -> None:
    rehearse(caller)
    for kind in ("networkInterfaces", "disks"):
        for name in listed(caller, kind):
            answer = caller.send("DELETE", f"{GROUP}/providers/{KINDS[kind]}/{name}")
            assert answer.status in {400, 409}, "it is attached to its machine"
            assert answer.json()["error"]["code"] in {"NicInUse", "OperationNotAllowed"}  # type: ignore[index]
    finish(caller, caller.send("DELETE", TEST_VM))
    assert everything(caller) == TEST_MACHINE | {"virtualMachines": []}
    for kind in ("networkInterfaces", "disks"):
        for name in listed(caller, kind):
            finish(caller, caller.send("DELETE", f"{GROUP}/providers/{KINDS[kind]}/{name}"))
    assert everything(caller) == NOTHING


@pytest.mark.parametrize("kind", KINDS)
def test_taking_away_what_is_not_there_is_no_fault(caller: Caller, kind: str) -> None:
    assert caller.send("DELETE", f"{GROUP}/providers/{KINDS[kind]}/nobody").status == 204
    assert caller.get(f"{GROUP}/providers/{KINDS[kind]}/nobody").status == 404


def test_a_cleanup_after_the_test_machine_was_taken_away_still_ends(caller: Caller) -> None:
    rehearse(caller)
    caller.send("DELETE", TEST_VM)
    caller.wait(60)
    clean_up(caller)
    assert "TestFailover" in caller.item().properties.allowed_operations


def test_a_lock_stops_a_deletion(calling: Calling) -> None:
    locks = (LockSpec(name="keep", scope=GROUP),)
    caller = calling(estate_of(machine(), locks=locks))
    rehearse(caller)
    answer = caller.send("DELETE", TEST_VM)
    assert answer.status == 409
    assert answer.json()["error"]["code"] == "ScopeLocked"  # type: ignore[index]
    caller.wait(60)
    assert everything(caller) == TEST_MACHINE


def test_a_public_address_follows_its_machine_and_not_its_test_machine(calling: Calling) -> None:
    caller = calling(estate_of(machine(publicIp=True)))
    rehearse(caller)
    assert listed(caller, "publicIPAddresses") == []
    clean_up(caller)
    caller.act("unplanned_failover", failover_body())
    caller.wait(206)
    (public,) = caller.read(f"{GROUP}/providers/{KINDS['publicIPAddresses']}")["value"]
    nic = caller.read(f"{GROUP}/providers/{KINDS['networkInterfaces']}/{ITEM}-nic")
    config = nic["properties"]["ipConfigurations"][0]
    assert config["properties"]["publicIPAddress"]["id"] == public["id"]
    assert public["properties"]["ipConfiguration"]["id"] == config["id"]
    assert caller.read(public["id"]) == public
    answer = caller.send("DELETE", public["id"])
    assert answer.json()["error"]["code"] == "PublicIPAddressCannotBeDeleted"  # type: ignore[index]
    told = caller.item().properties.provider_specific_details.vm_nics[0].ip_configs[0]
    assert told.recovery_public_ip_address_id == public["id"]
    for gone in (f"{GROUP}/providers/{KINDS['virtualMachines']}/{ITEM}", nic["id"], public["id"]):
        finish(caller, caller.send("DELETE", gone))
    assert everything(caller)["publicIPAddresses"] == []


def test_a_machine_comes_up_behind_its_regions_load_balancer(calling: Calling) -> None:
    spec = RegionSpec(resource_group="contoso-app", cache_storage_account="c", load_balancer="front")
    caller = calling(estate_of(machine(), regions=Estate().regions | {"centralus": spec}))
    (balancer,) = caller.read(f"{SUB}/providers/Microsoft.Network/loadBalancers")["value"]
    (pool,) = balancer["properties"]["backendAddressPools"]
    assert pool["properties"]["backendIPConfigurations"] == []
    told = caller.item().properties.provider_specific_details.vm_nics[0].ip_configs[0]
    assert told.recovery_lb_backend_address_pool_ids == [pool["id"]]
    caller.act("unplanned_failover", failover_body())
    caller.wait(206)
    nic = caller.read(f"{GROUP}/providers/{KINDS['networkInterfaces']}/{ITEM}-nic")
    config = nic["properties"]["ipConfigurations"][0]
    assert config["properties"]["loadBalancerBackendAddressPools"] == [{"id": pool["id"]}]
    (pool,) = caller.read(balancer["id"])["properties"]["backendAddressPools"]
    assert pool["properties"]["backendIPConfigurations"] == [{"id": config["id"]}]


def test_a_subnet_names_the_security_group_that_guards_it(caller: Caller) -> None:
    subnet = caller.read(f"{GROUP}/providers/Microsoft.Network/virtualNetworks/isolated/subnets/default")
    group = caller.read(subnet["properties"]["networkSecurityGroup"]["id"])
    assert subnet["id"] in [one["id"] for one in group["properties"]["subnets"]]
    assert "DenyAllInBound" in [rule["name"] for rule in group["properties"]["defaultSecurityRules"]]
    listed_groups = caller.read(f"{GROUP}/providers/Microsoft.Network/networkSecurityGroups")["value"]
    assert listed_groups == [group]


def test_no_two_machines_have_one_address(calling: Calling) -> None:
    caller = calling(estate_of({"name": "vm", "count": 300, "state": "protected"}))
    nics = caller.read(f"{SUB}/providers/{KINDS['networkInterfaces']}")["value"]
    found = [nic["properties"]["ipConfigurations"][0]["properties"]["privateIPAddress"] for nic in nics]
    assert len(set(found)) == len(found) == 300
    assert len({nic["properties"]["macAddress"] for nic in nics}) == 300


def test_an_address_is_free_again_once_its_interface_is_gone(caller: Caller) -> None:
    def address() -> str:
        rehearse(caller)
        nic = caller.read(f"{GROUP}/providers/{KINDS['networkInterfaces']}/{ITEM}-test-nic")
        clean_up(caller)
        return nic["properties"]["ipConfigurations"][0]["properties"]["privateIPAddress"]

    assert address() == address()


def test_a_machine_is_stopped_and_started_by_its_owner(caller: Caller) -> None:
    vm = f"{SUB}/resourceGroups/contoso-app-asr/providers/{KINDS['virtualMachines']}/{ITEM}"

    def power() -> str:
        return caller.read(f"{vm}/instanceView")["statuses"][1]["code"]

    for verb, state in (("deallocate", "deallocated"), ("start", "running"), ("powerOff", "stopped")):
        finish(caller, caller.send("POST", f"{vm}/{verb}"))
        assert power() == f"PowerState/{state}"
    assert caller.send("POST", f"{vm}x/start").status == 404


def test_a_deletion_says_when_to_ask_again(caller: Caller) -> None:
    rehearse(caller)
    assert caller.send("DELETE", TEST_VM).header("Retry-After") == "10"


def test_work_that_nobody_began_is_not_found(caller: Caller) -> None:
    for provider, kind in (
        ("Microsoft.Compute", "operations"),
        ("Microsoft.Compute", "DiskOperations"),
        ("Microsoft.Network", "operations"),
        ("Microsoft.Network", "operationResults"),
    ):
        assert caller.get(f"{SUB}/providers/{provider}/locations/eastus/{kind}/none").status == 404


def test_the_health_of_machines_is_listed_and_read(caller: Caller) -> None:
    health = "providers/Microsoft.ResourceHealth/availabilityStatuses"
    for scope in (SUB, f"{SUB}/resourceGroups/contoso-app-asr"):
        (one,) = caller.read(f"{scope}/{health}")["value"]
        assert one["properties"]["availabilityState"] == "Available"
        assert one == caller.read(one["id"])
        assert caller.read(one["id"].removesuffix("/current"))["value"] == [one]
    assert caller.read(f"{GROUP}/{health}")["value"] == []
    assert caller.get(f"{TEST_VM}/{health}/current").status == 404


def test_a_list_shows_power_states_only_where_asked(caller: Caller) -> None:
    vms = f"{SUB}/providers/{KINDS['virtualMachines']}"
    (plain,), (viewed,) = caller.read(vms)["value"], caller.read(f"{vms}?statusOnly=true")["value"]
    assert "instanceView" not in plain["properties"]
    assert viewed["properties"]["instanceView"]["statuses"][1]["code"] == "PowerState/running"

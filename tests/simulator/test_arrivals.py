"""How machines come up: as they should, late, never, elsewhere, without an agent, or not at all."""

from __future__ import annotations

from typing import Any

import pytest
from azure.core.exceptions import HttpResponseError
from azure.monitor.query import LogsQueryPartialResult, LogsQueryResult

from tests.simulator.helpers import (
    AWAY,
    HOME,
    ITEM,
    SUBSCRIPTION,
    Caller,
    Calling,
    estate_of,
    failover_body,
    rehearsal_body,
)

GROUP = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/contoso-app/providers"
VM = f"{GROUP}/Microsoft.Compute/virtualMachines/{ITEM}"
NETWORKS = f"{GROUP}/Microsoft.Network/virtualNetworks"
LAST = "Heartbeat | summarize Last = max(TimeGenerated), Computer = max(Computer)"


def machine(**words: Any) -> Any:
    return estate_of({"name": ITEM, "state": "protected-in-reverse"} | words)


def fail_over(caller: Caller) -> str:
    """Bring the machine home; answers its id as Site Recovery names it."""
    caller.act("unplanned_failover", failover_body())
    caller.wait(206)
    return caller.item().properties.provider_specific_details.recovery_fabric_object_id


def rehearse(caller: Caller) -> str:
    caller.act("test_failover", rehearsal_body(f"{NETWORKS}/isolated"))
    caller.wait(204)
    return caller.item().properties.provider_specific_details.test_failover_recovery_fabric_object_id


def beats(caller: Caller, vm_id: str) -> list[Any]:
    answer = caller.logs.query_resource(vm_id, "Heartbeat | project TimeGenerated, Computer", timespan=None)
    assert isinstance(answer, LogsQueryResult)
    return list(answer.tables[0].rows)


def view(caller: Caller, vm_id: str) -> Any:
    return caller.read(f"{vm_id}/instanceView")


def nic_of(caller: Caller, vm_id: str) -> Any:
    interfaces = caller.read(vm_id)["properties"]["networkProfile"]["networkInterfaces"]
    return caller.read(interfaces[0]["id"])


def config_of(nic: Any) -> Any:
    return nic["properties"]["ipConfigurations"][0]["properties"]


@pytest.mark.parametrize("bring_up", [fail_over, rehearse])
def test_a_healthy_machine_reports_after_some_minutes(calling: Calling, bring_up: Any) -> None:
    caller = calling(machine(durations={"heartbeatDelay": 300, "agentDelay": 60}))
    vm_id = bring_up(caller)
    assert beats(caller, vm_id) == []
    assert view(caller, vm_id)["vmAgent"]["statuses"][0]["displayStatus"] == "Not Ready"
    caller.wait(90)
    assert view(caller, vm_id)["vmAgent"]["statuses"][0]["displayStatus"] == "Ready"
    assert view(caller, vm_id)["computerName"] == ITEM
    assert beats(caller, vm_id) == []
    caller.wait(300)
    assert {row["Computer"] for row in beats(caller, vm_id)} == {ITEM}


@pytest.mark.parametrize(("word", "bring_up"), [("arrives", fail_over), ("testArrives", rehearse)])
def test_a_machine_may_never_report_though_it_runs(calling: Calling, word: str, bring_up: Any) -> None:
    caller = calling(machine(**{word: {"heartbeat": "never"}}))
    vm_id = bring_up(caller)
    caller.wait(86_400)
    assert beats(caller, vm_id) == []
    assert view(caller, vm_id)["vmAgent"]["statuses"][0]["displayStatus"] == "Ready"


def test_a_heartbeat_may_bear_another_computers_name(calling: Calling) -> None:
    caller = calling(machine(arrives={"computer": "WIN-TEMPLATE", "heartbeat": 10}))
    vm_id = fail_over(caller)
    caller.wait(200)
    assert {row["Computer"] for row in beats(caller, vm_id)} == {"WIN-TEMPLATE"}
    assert view(caller, vm_id)["computerName"] == "WIN-TEMPLATE"


@pytest.mark.parametrize(("word", "bring_up"), [("arrives", fail_over), ("testArrives", rehearse)])
def test_a_machine_may_come_up_in_a_wrong_network(calling: Calling, word: str, bring_up: Any) -> None:
    caller = calling(machine(**{word: {"network": "contoso-hub", "subnet": "dmz", "address": "10.9.0.4"}}))
    config = config_of(nic_of(caller, bring_up(caller)))
    assert config["subnet"]["id"] == f"{NETWORKS}/contoso-hub/subnets/dmz"
    assert config["privateIPAddress"] == "10.9.0.4"


def test_a_machine_comes_up_at_the_address_it_was_promised_or_at_another(calling: Calling) -> None:
    for arrives, got in (({}, "10.4.0.50"), ({"address": "10.4.0.51"}, "10.4.0.51")):
        caller = calling(machine(targetAddress="10.4.0.50", arrives=arrives))
        details = caller.item().properties.provider_specific_details
        assert details.vm_nics[0].ip_configs[0].recovery_static_ip_address == "10.4.0.50"
        config = config_of(nic_of(caller, fail_over(caller)))
        assert (config["privateIPAddress"], config["privateIPAllocationMethod"]) == (got, "Static")


@pytest.mark.parametrize("power", ["stopped", "deallocated"])
def test_a_machine_may_not_run(calling: Calling, power: str) -> None:
    caller = calling(machine(arrives={"power": power}))
    vm_id = fail_over(caller)
    caller.wait(3_600)
    seen = view(caller, vm_id)
    assert [s["code"] for s in seen["statuses"]][1] == f"PowerState/{power}"
    assert "vmAgent" not in seen
    assert beats(caller, vm_id) == []
    health = caller.read(f"{vm_id}/providers/Microsoft.ResourceHealth/availabilityStatuses/current")
    assert health["properties"]["availabilityState"] == "Unavailable"
    assert health["properties"]["reasonType"] == "Customer Initiated"


@pytest.mark.parametrize(("agent", "shown"), [("none", None), ("not-ready", "Not Ready")])
def test_a_machine_may_be_without_its_agent(calling: Calling, agent: str, shown: str | None) -> None:
    caller = calling(machine(arrives={"agent": agent}))
    vm_id = fail_over(caller)
    caller.wait(3_600)
    statuses = view(caller, vm_id).get("vmAgent", {}).get("statuses", [{}])
    assert statuses[0].get("displayStatus") == shown
    assert "computerName" not in view(caller, vm_id)


def test_a_machine_may_be_given_another_name(calling: Calling) -> None:
    caller = calling(machine(arrives={"name": "renamed"}))
    vm_id = fail_over(caller)
    assert vm_id == f"{GROUP}/Microsoft.Compute/virtualMachines/renamed".lower()
    assert caller.read(vm_id)["name"] == "renamed"
    assert caller.get(VM).status == 404


def test_a_renamed_machine_is_followed_when_it_is_protected_again(calling: Calling) -> None:
    caller = calling(machine())
    caller.arm_fault("job-warns", act="failover")
    vm_id = fail_over(caller)
    renamed = caller.read(vm_id)["name"]
    assert renamed.startswith(f"{ITEM}-")
    caller.act("failover_commit")
    caller.wait(10)
    caller.switch(AWAY)
    caller.wait(600)
    assert caller.item(HOME).properties.provider_specific_details.fabric_object_id == vm_id
    assert caller.read(vm_id)["properties"]["provisioningState"] == "Succeeded"


@pytest.mark.parametrize(("act", "bring_up"), [("failover", fail_over), ("testFailover", rehearse)])
def test_a_fault_lets_the_next_machine_come_up_otherwise(calling: Calling, act: str, bring_up: Any) -> None:
    caller = calling(machine())
    caller.arm_fault("arrives-otherwise", act=act, arrives={"power": "stopped", "network": "elsewhere"})
    vm_id = bring_up(caller)
    assert config_of(nic_of(caller, vm_id))["subnet"]["id"].startswith(f"{NETWORKS}/elsewhere/")
    assert [s["code"] for s in view(caller, vm_id)["statuses"]][1] == "PowerState/stopped"


def test_an_estate_begins_with_a_machine_that_came_up_wrong(calling: Calling) -> None:
    caller = calling(estate_of({"name": ITEM, "state": "home-uncommitted", "arrives": {"power": "stopped"}}))
    assert view(caller, VM)["statuses"][1]["code"] == "PowerState/stopped"


def test_logs_may_be_partial(calling: Calling) -> None:
    caller = calling(machine())
    caller.arm_fault("partial-result")
    answer = caller.logs.query_resource(VM, LAST, timespan=None)
    assert isinstance(answer, LogsQueryPartialResult)
    assert answer.partial_error is not None
    assert answer.partial_error.code == "PartialError"
    assert isinstance(caller.logs.query_resource(VM, LAST, timespan=None), LogsQueryResult)


def refused(caller: Caller, scope: str | None = VM) -> HttpResponseError:
    ask = caller.logs.query_resource if scope else caller.logs.query_workspace
    with pytest.raises(HttpResponseError) as raised:
        ask(scope or "w", LAST, timespan=None)
    return raised.value


@pytest.mark.parametrize("scope", [VM, None])
@pytest.mark.parametrize("by_fault", [True, False])
def test_the_table_may_not_be_there(calling: Calling, scope: str | None, by_fault: bool) -> None:
    if by_fault:
        caller = calling(machine())
        caller.arm_fault("table-missing")
    else:
        caller = calling(estate_of({"name": ITEM}, missing_tables=("Heartbeat",)))
    refusal = refused(caller, scope)
    assert refusal.status_code == 400
    assert refusal.error is not None
    assert refusal.error.code == "BadArgumentError"
    assert "SEM0100" in (refusal.response.text() if refusal.response else "")


def test_the_workspace_may_not_be_there(calling: Calling) -> None:
    caller = calling(machine())
    caller.arm_fault("workspace-missing")
    refusal = refused(caller, None)
    assert refusal.status_code == 404
    assert refusal.error is not None
    assert refusal.error.code == "PathNotFoundError"

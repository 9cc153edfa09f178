"""Random acts, faults and clock jumps: whatever is done, the declared life is never left."""

from __future__ import annotations

import os
from collections import Counter
from functools import partial
from typing import Any, ClassVar

from azure.core.exceptions import HttpResponseError, ServiceRequestError, ServiceResponseError
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from simulator import Fault, ManualClock, Simulator
from simulator.estate import Act, Estate, MachineSpec, PlanSpec, VaultSpec
from simulator.faults import FaultName
from simulator.lifecycle import CELLS, OPERATION
from tests.simulator.helpers import (
    AWAY,
    CLEANUP_BODY,
    HOME,
    ITEM,
    VAULT_PATH,
    Caller,
    failover_body,
    rehearsal_body,
)
from tests.simulator.ways import IN_PROCESS, Way

VERBS: dict[Act, tuple[str, tuple[Any, ...]]] = {
    Act.TEST_FAILOVER: ("test_failover", (rehearsal_body(),)),
    Act.TEST_FAILOVER_CLEANUP: ("test_failover_cleanup", (CLEANUP_BODY,)),
    Act.FAILOVER: ("unplanned_failover", (failover_body(),)),
    Act.COMMIT: ("failover_commit", ()),
    Act.DISABLE: ("delete", ({"properties": {}},)),
}
PLAN_VERBS: dict[Act, tuple[str, bytes]] = {
    Act.TEST_FAILOVER: ("testFailover", b'{"properties":{"networkType":"NoNetworkAttachAsInput"}}'),
    Act.TEST_FAILOVER_CLEANUP: ("testFailoverCleanup", b'{"properties":{"comments":"done"}}'),
    Act.FAILOVER: ("unplannedFailover", b'{"properties":{"sourceSiteOperations":"Required"}}'),
    Act.COMMIT: ("failoverCommit", b""),
}
LIFE = [*(act for act in VERBS if act is not Act.DISABLE), Act.REPROTECT, Act.CHANGE_RECOVERY_POINT]
CALL_FAULTS = [
    FaultName.THROTTLED,
    FaultName.SERVER_ERROR,
    FaultName.CONNECTION_CLOSED,
    FaultName.LOST_ANSWER,
    FaultName.ERROR_AFTER_ACCEPTED,
]
JOB_FAULTS = [
    FaultName.JOB_FAILS,
    FaultName.JOB_CANCELLED,
    FaultName.JOB_WARNS,
    FaultName.SOURCE_WILL_NOT_SHUT_DOWN,
    FaultName.DISK_LEFT_BEHIND,
    FaultName.REGION_OUT_OF_CAPACITY,
    FaultName.NO_HEARTBEAT,
]
AT_LEAST = 10
"""How often the long walk must have had every act accepted, and refused."""

DECLARED = {(cells.protection_state, cells.test_failover_state) for cells in CELLS.values()}


class AnyOrder(RuleBasedStateMachine):
    """One machine, a caller who does anything, and a clock that jumps."""

    tried: ClassVar[Counter[str]] = Counter()

    def __init__(self, way: Way = IN_PROCESS) -> None:
        super().__init__()
        clock = ManualClock()
        unthrottled = {"read_bucket": 1_000_000, "write_bucket": 1_000_000}
        machine = MachineSpec(name=ITEM)
        vault = VaultSpec(machines=(machine,), recovery_plans=(PlanSpec(name="plan", groups=((ITEM,),)),))
        self.caller = Caller(Simulator(Estate(vaults=(vault,), **unthrottled), clock=clock), way)
        self.seen_jobs: dict[str, str] = {}
        self.ids: set[str] = set()
        self.last = HOME
        self.steps = 0

    def item(self) -> tuple[tuple[str, str], Any]:
        """Answer where the item is, and how it reads there; by hand, as it is read so often."""
        for where in (self.last, HOME, AWAY):
            answer = self.caller.get(_path(where))
            if answer.status == 200:
                self.last = where
                return where, answer.json()
        raise AssertionError("the item is under neither container")

    def begin(self, act: Act, where: tuple[str, str], item: Any) -> str:
        if act is Act.REPROTECT:
            return self.caller.switch(where)
        if act is Act.CHANGE_RECOVERY_POINT:
            points = self.caller.get(f"{_path(where)}/recoveryPoints").json()["value"]
            chosen = points[0]["id"] if points else f"{item['id']}/recoveryPoints/none"  # type: ignore[index]
            body = {
                "properties": {
                    "recoveryPointId": chosen,
                    "providerSpecificDetails": {"instanceType": "A2A"},
                }
            }
            return self.caller.act("apply_recovery_point", body, where=where)
        verb, arguments = VERBS[act]
        return self.caller.act(verb, *arguments, where=where)

    def teardown(self) -> None:
        self.caller.__exit__()

    @rule(choice=st.integers(min_value=0, max_value=59))
    def life_goes_on(self, choice: int) -> None:
        """Do one of the acts that are offered, so that the walk comes around; where none is, let time pass."""
        where, item = self.item()
        offered = [act for act in LIFE if OPERATION[act] in item["properties"]["allowedOperations"]]
        if not offered:
            self.caller.wait(3_600)
            return
        name, refusal = self.attempt(offered[choice % len(offered)], where, item)
        assert refusal is None, f"it was offered but refused: {refusal}"
        assert name not in self.ids, "an id was used again"
        self.ids.add(name)

    @rule(act=st.sampled_from(LIFE))
    def what_is_offered_is_accepted_and_what_is_not_is_refused(self, act: Act) -> None:
        where, item = self.item()
        offered = OPERATION[act] in item["properties"]["allowedOperations"]
        jobs = len(self.caller.simulator.world.jobs)
        name, refusal = self.attempt(act, where, item)
        if refusal is None:
            assert offered, f"{act} was accepted in {item['properties']['protectionState']}"
            assert name not in self.ids, "an id was used again"
            self.ids.add(name)
            return
        assert not offered, f"{act} was offered but refused: {refusal.message}"
        assert refusal.status_code in {400, 409}
        assert refusal.error is not None
        assert refusal.error.details
        assert len(self.caller.simulator.world.jobs) == jobs

    @rule(act=st.sampled_from(sorted(PLAN_VERBS)))
    def what_a_plan_offers_is_accepted_and_what_it_does_not_is_refused(self, act: Act) -> None:
        path = f"{VAULT_PATH}/replicationRecoveryPlans/plan"
        offered = OPERATION[act] in self.caller.read(path)["properties"]["allowedOperations"]
        verb, body = PLAN_VERBS[act]
        jobs = len(self.caller.simulator.world.jobs)
        answer = self.caller.send("POST", f"{path}/{verb}", body)
        assert (answer.status == 202) == offered, f"{act} of a plan: {answer.status} {answer.body!r}"
        if offered:
            operation = (answer.header("Azure-AsyncOperation") or "").split("?")[0].rsplit("/", 1)[-1]
            assert operation not in self.ids, "an id was used again"
            self.ids.add(operation)
        else:
            assert answer.status in {400, 409}
            assert answer.json()["error"]["details"]
            assert len(self.caller.simulator.world.jobs) == jobs

    @precondition(lambda self: self.steps >= 25)
    @rule()
    def replication_is_disabled_and_enabled_again(self) -> None:
        self.steps = 0
        where, item = self.item()
        offered = "DisableProtection" in item["properties"]["allowedOperations"]
        _, refusal = self.attempt(Act.DISABLE, where, item)
        if refusal is not None:
            assert not offered, f"it was offered to let go but refused: {refusal.message}"
            assert refusal.status_code in {400, 409}
            return
        assert offered, "it was let go though that was not offered"
        self.caller.wait(3_600)
        if self.caller.get(_path(where)).status == 404:
            self.enable_again(where, item)

    def enable_again(self, where: tuple[str, str], item: Any) -> None:
        """Protect the machine that runs, wherever that is, as a new item in a new life."""
        self.caller.simulator.faults.clear()
        properties = item["properties"]
        details, away = properties["providerSpecificDetails"], properties["activeLocation"] == "Recovery"
        here = (HOME if where == AWAY else AWAY) if away else where
        there = HOME if here == AWAY else AWAY
        running = details["recoveryFabricObjectId" if away else "fabricObjectId"]
        storage = self.caller.read(running)["properties"]["storageProfile"]
        disks = [storage["osDisk"], *storage["dataDisks"]]
        given = {
            "instanceType": "A2A",
            "fabricObjectId": running,
            "recoveryContainerId": _path(there).split("/replicationProtectedItems", maxsplit=1)[0],
            "vmManagedDisks": [{"diskId": disk["managedDisk"]["id"]} for disk in disks],
        }
        body = {"properties": {"policyId": properties["policyId"], "providerSpecificDetails": given}}
        self.caller.act("create", body, where=here)
        self.caller.wait(3_600)
        life = self.item()[1]["properties"]["providerSpecificDetails"]["lifecycleId"]
        assert life is None or life != details["lifecycleId"]

    def attempt(self, act: Act, where: tuple[str, str], item: Any) -> tuple[str, HttpResponseError | None]:
        try:
            name, refusal = self.begin(act, where, item), None
        except HttpResponseError as said:
            name, refusal = "", said
        self.tried[f"{act} {'refused' if refusal else 'accepted'}"] += 1
        return name, refusal

    @rule(seconds=st.sampled_from([1, 30, 100, 300, 900, 3600, 20_000]))
    def time_passes(self, seconds: int) -> None:
        self.caller.wait(seconds)

    @rule(name=st.sampled_from(CALL_FAULTS))
    def a_call_fails(self, name: FaultName) -> None:
        """Strike one read or write by hand; the state must be as declared afterwards."""
        now = self.caller.simulator.clock.now()
        self.caller.simulator.faults.add([Fault(name=name)], now)
        where, act = HOME, "unplannedFailover"
        body = b'{"properties":{"sourceSiteOperations":"NotRequired"}}'
        try:
            self.caller.send("POST", f"{_path(where)}/{act}", body)
        except (ServiceRequestError, ServiceResponseError):
            pass
        finally:
            self.caller.simulator.faults.clear()

    @rule(name=st.sampled_from(JOB_FAULTS), task=st.sampled_from([None, "FailoverTask"]))
    def the_next_job_goes_wrong(self, name: FaultName, task: str | None) -> None:
        now = self.caller.simulator.clock.now()
        self.caller.simulator.faults.add([Fault(name=name, task=task)], now)

    @precondition(lambda self: self.caller.simulator.world.jobs)
    @rule()
    def the_last_job_is_cancelled(self) -> None:
        name = next(reversed(self.caller.simulator.world.jobs))
        over = self.caller.job(name).properties.state != "InProgress"
        answer = self.caller.send("POST", f"{VAULT_PATH}/replicationJobs/{name}/cancel")
        assert answer.status == (400 if over else 202)

    @invariant()
    def the_item_is_in_a_declared_state(self) -> None:
        self.steps += 1
        self.tried["steps"] += 1
        _, item = self.item()
        properties = item["properties"]
        assert (properties["protectionState"], properties["testFailoverState"]) in DECLARED
        held = properties["currentScenario"]["scenarioName"] != "None"
        assert held == (properties["allowedOperations"] == [])

    @invariant()
    def a_list_shows_what_it_would_show_if_it_were_written_anew(self) -> None:
        shown = self.caller.get(f"{VAULT_PATH}/replicationProtectedItems").json()
        for item in self.caller.simulator.world.items.values():
            item.written = None
        assert self.caller.get(f"{VAULT_PATH}/replicationProtectedItems").json() == shown

    @invariant()
    def every_job_ends_and_never_begins_again(self) -> None:
        for name in list(self.caller.simulator.world.jobs)[-2:]:
            answer = self.caller.get(f"{VAULT_PATH}/replicationJobs/{name}").json()
            properties: Any = answer["properties"]
            assert self.seen_jobs.get(name) in {None, "InProgress", properties["state"]}
            self.seen_jobs[name] = properties["state"]
            assert self.caller.simulator.world.jobs[name].ends is not None

    @invariant()
    def a_machine_runs_where_its_data_is(self) -> None:
        where, item = self.item()
        properties = item["properties"]
        held = properties["currentScenario"]["scenarioName"] != "None"
        away = properties["activeLocation"] == "Recovery"
        region = "centralus" if (where == HOME) != away else "eastus"
        named = properties["providerSpecificDetails"]["recoveryFabricObjectId" if away else "fabricObjectId"]
        machine = self.caller.simulator.world.machines.vm(named or "")
        assert held or (machine is not None and machine.region == region)


def _path(where: tuple[str, str]) -> str:
    fabric, container = where
    return (
        f"{VAULT_PATH}/replicationFabrics/{fabric}/replicationProtectionContainers/{container}"
        f"/replicationProtectedItems/{ITEM}"
    )


def test_any_order_is_good_every_way(way: Way) -> None:
    """Walk some way with each kind of client; the long walk is below, by the shortest way."""
    few = settings(
        max_examples=4,
        stateful_step_count=30,
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow],
        derandomize=True,
    )
    run_state_machine_as_test(partial(AnyOrder, way), settings=few)


def test_five_thousand_random_steps_leave_nothing_undeclared_and_try_every_act_both_ways() -> None:
    AnyOrder.tried.clear()
    many = settings(
        max_examples=int(os.environ.get("SIMULATOR_EXAMPLES", "75")),
        stateful_step_count=85,
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow],
        derandomize=True,
    )
    run_state_machine_as_test(AnyOrder, settings=many)
    assert AnyOrder.tried["steps"] >= 5_000
    outcomes = {f"{act} {word}" for act in [*LIFE, Act.DISABLE] for word in ("accepted", "refused")}
    rare = sorted(outcome for outcome in outcomes if AnyOrder.tried[outcome] < AT_LEAST)
    assert rare == [], AnyOrder.tried

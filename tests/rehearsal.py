"""A whole run on a virtual clock: the real app, the real durable SDK, the real Azure SDK, a simulated Azure."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from azure.core.pipeline.transport import HttpTransport
from azure.core.rest import HttpRequest, HttpResponse

import function_app
from activities.azure import act_through
from domain.settings import Settings
from gateway.azure import Azure
from identity import clock as people_time
from localhost import SyncHost, Transaction, VirtualClock
from simulator import Estate, Fault, Simulator, default_estate
from simulator.estate import MachineSpec, VaultSpec
from simulator.transport import SimulatorCredential, SimulatorTransport

VAULT = (
    "/subscriptions/11111111-1111-1111-1111-111111111111/resourceGroups/contoso-dr"
    "/providers/Microsoft.RecoveryServices/vaults/contoso-vault"
)
NAME = "ContosoWin2016"
SETTINGS = {"FAILBACK_IDENTITY": "declared", "FAILBACK_LINK_KEYS": "made-up-for-rehearsals-and-nothing-else"}
# Calls side by side would reach Azure in another order each time.
ONE_AT_A_TIME = Settings.from_environment({"FAILBACK_PARALLEL_CALLS": "1"})
# get_functions() may be called once for an app.
FUNCTIONS = function_app.app.get_functions()
# What happens by itself every few minutes takes part only where it is asked for: some runs last for weeks.
WITHOUT_TIMERS = [each for each in FUNCTIONS if each.get_trigger().get_binding_name() != "timerTrigger"]
# Who listens in on the functions of every rehearsal, if anybody does.
listening: Callable[[Sequence[Any]], Sequence[Any]] = list


class Door(HttpTransport[HttpRequest, HttpResponse]):
    """The simulator's transport, one call at a time."""

    def __init__(self, simulator: Simulator) -> None:
        self._inner = SimulatorTransport(simulator)
        self._lock = threading.Lock()

    def send(self, request: HttpRequest, **options: Any) -> HttpResponse:
        with self._lock:
            return self._inner.send(request, **options)

    def sleep(self, duration: float) -> None: ...

    def open(self) -> None: ...

    def close(self) -> None: ...

    def __exit__(self, *_: object) -> None: ...


class SharedClock(VirtualClock):
    """One time for the host and for Azure; tokens live by the real one, as the SDK's cache does."""

    def client_now(self) -> datetime:
        return datetime.now(UTC)


class Rehearsal:
    """One estate, one host, one clock; people answer when a gate opens."""

    def __init__(
        self, machines: Sequence[MachineSpec] | None = None, *, seed: int = 0, state: str = ":memory:"
    ) -> None:
        self.clock = SharedClock(datetime.fromisoformat("2026-11-20T02:00:00Z"))
        estate = Estate(vaults=(VaultSpec(machines=tuple(machines)),)) if machines else default_estate()
        self.simulator = Simulator(estate, clock=self.clock, seed=seed)
        self.azure = Azure.over(ONE_AT_A_TIME, SimulatorCredential(self.simulator), Door(self.simulator))
        self.seed, self.state = seed, state
        self.run = "fb-test"
        self.asked: list[dict[str, Any]] = []

    def fault(self, name: str, **more: Any) -> None:
        self.simulator.faults.add([Fault.model_validate({"name": name, **more})], self.clock.now())

    def host(
        self,
        on_transaction: Callable[[Transaction], None] | None = None,
        settings: Mapping[str, str] | None = None,
        *,
        timers: bool = False,
    ) -> SyncHost:
        act_through(self.azure)
        people_time.go_by(self.clock.now)
        return SyncHost(
            listening(FUNCTIONS if timers else WITHOUT_TIMERS),
            state=self.state,
            clock=self.clock,
            seed=self.seed,
            settings=SETTINGS if settings is None else settings,
            host_json=json.loads(Path("host.json").read_text()),
            on_transaction=on_transaction,
        )

    def request(self, *names: str, **more: Any) -> dict[str, Any]:
        machines = list(names) or [NAME]
        return {"vault": VAULT, "machines": machines, "requestedBy": "dana@contoso.com", **more}

    def play(
        self,
        answers: Mapping[str, Any] | Callable[[dict[str, Any]], Mapping[str, Any] | None] | None = None,
        within: timedelta = timedelta(days=60),
        **request: Any,
    ) -> dict[str, Any]:
        """Run to the end, answering each gate; an answer of None lets silence decide."""
        with self.host() as host:
            host.start("failback", self.request(*request.pop("machines", ()), **request), instance_id=self.run)
            return self.finish(host, answers, within)

    def run_on(self, host: SyncHost, run: str, **request: Any) -> dict[str, Any]:
        """Run to the end where nobody is asked."""
        host.start("failback", self.request(**request), instance_id=run)
        status = host.run_until(run)
        assert status is not None
        return self._document(status.output)

    def finish(
        self,
        host: SyncHost,
        answers: Mapping[str, Any] | Callable[[dict[str, Any]], Mapping[str, Any] | None] | None = None,
        within: timedelta = timedelta(days=60),
    ) -> dict[str, Any]:
        while True:
            gate = self._until_asked_or_finished(host, within)
            if gate is None:
                break
            self.asked.append(gate)
            answer = (
                answers(gate) if callable(answers) else (answers or {}).get(gate["gate"], {"decision": "approve"})
            )
            if answer is not None:
                self.decide(host, gate, **answer)
        status = host.status(self.run)
        assert status is not None
        assert status.runtime_status == "Completed", status.output
        return self._document(status.output)

    def _until_asked_or_finished(self, host: SyncHost, within: timedelta) -> dict[str, Any] | None:
        limit = self.clock.now() + within
        while not self._finished(host):
            gate = self._gate(host)
            if gate is not None:
                return gate
            assert host.step(), "nothing can go on, and the run has not ended"
            assert self.clock.now() < limit, "the run takes too long"
        return None

    def decide(
        self, host: SyncHost, gate: Mapping[str, Any], by: str = "olive@contoso.com", **decision: Any
    ) -> Any:
        body = {"gate": gate["gate"], "planHash": gate["planHash"], "decision": "approve", **decision}
        return host.request(
            "POST", f"/api/failbacks/{self.run}/decisions", json=body, headers={"X-Failback-User": by}
        )

    def posts(self) -> list[tuple[str, str]]:
        """Give the acts that Azure accepted: the act and the machine, in order."""
        return [
            (str(call.act), str(call.item).rsplit("/", 1)[-1])
            for call in self.simulator.journal.calls
            if call.write and call.act and call.operation
        ]

    def _finished(self, host: SyncHost) -> bool:
        status = host.status(self.run)
        return status is not None and status.runtime_status in {"Completed", "Failed", "Terminated"}

    def _gate(self, host: SyncHost) -> dict[str, Any] | None:
        status = host.status(self.run)
        shown = self._document(status.custom_status) if status else {}
        if not shown.get("gate"):
            return None
        ledger = self._document(host.entity("decision_ledger", shown["child"]) or {})
        if not ledger or ledger.get("closed"):
            return None
        known = {(gate["gate"], gate["round"]) for gate in self.asked}
        question = ledger["question"]
        if (question["gate"], question["round"]) in known:
            return None
        return {**question, "planHash": ledger["hash"], "key": shown["child"]}

    @staticmethod
    def _document(value: Any) -> dict[str, Any]:
        return json.loads(value) if isinstance(value, str) else value or {}


def machine(report: Mapping[str, Any], name: str = NAME) -> dict[str, Any]:
    """Give one machine's part of a report."""
    return next(each for each in report["machines"] if each["name"] == name)


def standing(state: str, name: str = NAME, **more: Any) -> MachineSpec:
    """Declare a machine that begins in some state, in the words of an estate file."""
    return MachineSpec.model_validate({"name": name, "state": state, **more})

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from azure.core.pipeline.transport import HttpTransport
from azure.core.rest import HttpRequest, HttpResponse

from domain.contract import LookRequest, Order
from domain.lifecycle import Act
from domain.machine import JobSnapshot, MachineSnapshot
from domain.settings import Settings
from gateway.azure import Azure
from simulator import Fault, ManualClock, Simulator
from simulator.estate import Estate, MachineSpec, VaultSpec
from simulator.transport import SimulatorCredential, SimulatorTransport

SUBSCRIPTION = "11111111-1111-1111-1111-111111111111"
VAULT = (
    f"/subscriptions/{SUBSCRIPTION}/resourceGroups/contoso-dr"
    "/providers/Microsoft.RecoveryServices/vaults/contoso-vault"
)
NAME = "ContosoWin2016"


class Wire(HttpTransport[HttpRequest, HttpResponse]):
    """The simulator's transport, one call at a time, remembering what was sent."""

    def __init__(self, simulator: Simulator) -> None:
        self._inner = SimulatorTransport(simulator)
        self._door = threading.Lock()
        self.sent: list[HttpRequest] = []

    def send(self, request: HttpRequest, **options: Any) -> HttpResponse:
        with self._door:
            self.sent.append(request)
            return self._inner.send(request, **options)

    def sleep(self, duration: float) -> None:
        self._inner.sleep(duration)

    def open(self) -> None: ...

    def close(self) -> None: ...

    def __exit__(self, *_: object) -> None: ...


@dataclass
class World:
    """A simulated estate, the app's view of it, and short ways to ask."""

    simulator: Simulator
    clock: ManualClock
    wire: Wire
    azure: Azure
    vault: str = VAULT
    item_ids: dict[str, str] = field(default_factory=dict)

    def machine(self, name: str = NAME) -> MachineSnapshot:
        found = self.azure.vault(VAULT).follow(name, self.item_ids.get(name, self.item_id(name)), None)
        assert found is not None
        return found.snapshot

    def item_id(self, name: str = NAME) -> str:
        if name not in self.item_ids:
            listed = self.azure.vault(VAULT).machines()
            self.item_ids.update({each.snapshot.name: each.snapshot.id for each in listed})
        return self.item_ids[name]

    def order(self, act: Act, name: str = NAME, **more: Any) -> Order:
        snapshot = self.machine(name)
        cache = None
        if act is Act.REPROTECT:
            cache = account(snapshot.recovery)
        given = {"request_id": str(uuid4()), "cache": cache, "since": self.clock.now(), **more}
        return Order(
            vault=VAULT,
            machine=name,
            item_id=snapshot.id,
            lifecycle_id=snapshot.lifecycle_id,
            act=act,
            **given,
        )

    def look_request(self, *names: str, jobs: tuple[str, ...] = (), **more: Any) -> LookRequest:
        wanted = names or (NAME,)
        return LookRequest(vault=VAULT, machines={name: self.item_id(name) for name in wanted}, jobs=jobs, **more)

    def job(self, job_id: str | None) -> JobSnapshot:
        found = self.azure.vault(VAULT).job(job_id or "")
        assert found is not None
        return found

    def wait(self, by: timedelta = timedelta(minutes=15)) -> datetime:
        self.clock.advance(by)
        return self.clock.now()

    def fault(self, name: str, **when: Any) -> None:
        self.simulator.faults.add([Fault.model_validate({"name": name, **when})], self.clock.now())

    def posts(self) -> list[dict[str, Any]]:
        """Give the body of every POST that was sent to Site Recovery, with the act's name."""
        acts = [each for each in self.wire.sent if each.method == "POST" and "/vaults/" in each.url]
        return [{"act": _act(each), **_body(each)} for each in acts]

    def reads(self, part: str = "") -> int:
        return sum(each.method == "GET" and part.casefold() in each.url.casefold() for each in self.wire.sent)


def _act(request: HttpRequest) -> str:
    return request.url.split("?", 1)[0].rsplit("/", 1)[-1]


def _body(request: HttpRequest) -> dict[str, Any]:
    return json.loads(request.content) if request.content else {}


def account(region: str) -> str:
    return (
        f"/subscriptions/{SUBSCRIPTION}/resourceGroups/contoso-dr"
        f"/providers/Microsoft.Storage/storageAccounts/contosocache{region}"
    )


def make_world(*machines: MachineSpec, **estate: Any) -> World:
    clock = ManualClock()
    simulator = Simulator(Estate(vaults=(VaultSpec(machines=machines),), **estate), clock=clock)
    wire = Wire(simulator)
    azure = Azure.over(Settings(), SimulatorCredential(simulator), wire)
    return World(simulator=simulator, clock=clock, wire=wire, azure=azure)


Make = Callable[..., World]


@pytest.fixture
def make() -> Make:
    """Make a world with one machine in a state, or with any machines given."""

    def one(state: str = "protected-in-reverse", *machines: MachineSpec, **estate: Any) -> World:
        spec = MachineSpec.model_validate({"name": NAME, "state": state})
        return make_world(*(machines or (spec,)), **estate)

    return one


@pytest.fixture
def many() -> Callable[[int], World]:
    """Make a world with so many machines, all ready to come home, named vm-0001 and so on."""

    def them(count: int) -> World:
        spec = {"name": "vm", "count": count, "state": "protected-in-reverse"}
        return make_world(MachineSpec.model_validate(spec), read_bucket=10_000, write_bucket=10_000)

    return them


@pytest.fixture
def world(make: Make) -> World:
    """Contoso's machine, ready to come home."""
    return make()

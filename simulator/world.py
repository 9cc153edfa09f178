"""The whole state of a simulator, and the one queue of what is still to happen in it."""

from __future__ import annotations

import heapq
import random
from collections import OrderedDict
from datetime import datetime, timedelta
from itertools import count
from typing import TYPE_CHECKING

from pydantic.alias_generators import to_camel

from simulator.arm import key
from simulator.arriving import bring_up, bring_up_test, place_unprotected
from simulator.async_work import AllWork
from simulator.building import build_vault
from simulator.estate import Direction, MachineSpec, Spread, StartState
from simulator.finishing import finish_later
from simulator.ids import Ids
from simulator.lifecycle import BEGINS_IN, State
from simulator.machines import Machines
from simulator.model import Item, Policy, Site, Vault

if TYPE_CHECKING:
    from collections.abc import Callable

    from simulator.estate import Estate, VaultSpec
    from simulator.faults import Faults
    from simulator.jobs import Job
    from simulator.plans import Plan

FINISHED_JOBS_KEPT = 5_000
"""invented: that a number of jobs is kept; the service keeps them for a time, here memory stays flat."""

WAITING_SHARE = 0.13
"""When the first recovery point is waited for: some five minutes of forty-five, as recorded."""


class World:
    """State that moves only when it is looked at: `advance` applies what has become due, in order."""

    def __init__(self, estate: Estate, now: datetime, seed: int, faults: Faults) -> None:
        self.estate = estate
        self.ids = Ids(seed)
        self.random = random.Random(seed)
        self.faults = faults
        self.now = now
        self.began = now
        self.vaults: dict[str, Vault] = {}
        self.items: dict[str, Item] = {}
        self.jobs: OrderedDict[str, Job] = OrderedDict()
        self.operations: dict[str, Job] = {}
        self.machines = Machines(self.ids)
        self.work = AllWork()
        self.enabling: list[tuple[Job, Item]] = []
        self.plans: dict[str, Plan] = {}
        self.settings: dict[str, dict[str, object]] = {}
        self.last_lists: dict[str, list[str]] = {}
        self._due: list[tuple[datetime, int, Callable[[], None]]] = []
        self._order = count()
        for spec in estate.vaults:
            self._build(spec)

    def advance(self, now: datetime) -> None:
        """Bring everything up to `now`: every due effect, at its own instant and in order."""
        while self._due and self._due[0][0] <= now:
            self.now, _, effect = heapq.heappop(self._due)
            effect()
        self.now = now

    def at(self, when: datetime, effect: Callable[[], None]) -> None:
        """Let an effect happen at an instant; effects check for themselves whether they still apply."""
        heapq.heappush(self._due, (when, next(self._order), effect))

    def seconds(self, name: str, machine: MachineSpec | None = None) -> timedelta:
        """Draw a duration by its name in the estate, a machine's own before everybody's."""
        own = machine.durations.get(to_camel(name)) if machine else None
        value = getattr(self.estate.durations, name) if own is None else own
        seconds = value.draw(self.random) if isinstance(value, Spread) else float(value)
        return timedelta(seconds=seconds)

    def keep(self, job: Job) -> None:
        """Remember a job, and forget the oldest finished ones beyond what is kept."""
        self.jobs[job.id] = job
        self.operations[job.operation_id] = job
        while len(self.jobs) > FINISHED_JOBS_KEPT:
            oldest = next((j for j in self.jobs.values() if j.over(self.now)), None)
            if oldest is None:
                break
            del self.jobs[oldest.id]
            self.operations.pop(oldest.operation_id, None)

    def add(self, item: Item) -> None:
        """Let an item be found under its id."""
        self.items[key(item.id)] = item

    def drop(self, item: Item) -> None:
        """Let an item be gone."""
        self.items.pop(key(item.id), None)

    def items_of(self, vault: Vault) -> list[Item]:
        """Answer a vault's items."""
        return [item for item in self.items.values() if item.vault is vault]

    def begin_sync(self, item: Item, done: float = 0.0) -> None:
        """Start initial replication, `done` of it already passed; the states follow on their own."""
        kind = "initial_replication" if item.reprotected else "first_replication"
        length = self.seconds(kind, item.machine)
        item.sync_started = self.now - length * done
        item.sync_ends = item.sync_started + length
        item.ever_protected = False
        item.enter(State.INITIAL_REPLICATION)
        changes = item.state_changes
        item.waits_from = item.sync_ends - self._waiting(item, length)
        self.at(item.waits_from, lambda: self._wait_for_point(item, changes))

    def _waiting(self, item: Item, length: timedelta) -> timedelta:
        """Answer how long the first recovery point is waited for, at the end of initial replication."""
        declared = {**self.estate.durations.model_dump(exclude_none=True), **item.machine.durations}
        if "first_point" not in declared and "firstPoint" not in declared:
            return length * WAITING_SHARE
        return min(length, self.seconds("first_point", item.machine))

    def _wait_for_point(self, item: Item, changes: int) -> None:
        if item.state_changes != changes or item.sync_ends is None:
            return
        item.enter(State.WAITING_FIRST_POINT)
        moved = item.state_changes
        finish_later(self, item, item.sync_ends)
        self.at(item.sync_ends, lambda: self._become_protected(item, moved))

    def _become_protected(self, item: Item, changes: int) -> None:
        if item.state_changes != changes:
            return
        item.ever_protected = True
        item.points_from = self.now - timedelta(minutes=4)
        item.points_until, item.points_deleted = None, False
        item.enter(State.PROTECTED)

    def _build(self, spec: VaultSpec) -> None:
        vault = build_vault(self.estate, spec, self.ids)
        self.vaults[key(vault.id)] = vault
        for declared in spec.machines:
            for machine in declared.each():
                self._place(vault, machine)

    def _place(self, vault: Vault, machine: MachineSpec) -> None:
        if machine.state is StartState.UNPROTECTED:
            place_unprotected(self, vault, machine)
            return
        primary, secondary = vault.site_in(vault.spec.primary), vault.site_in(vault.spec.secondary)
        forward = machine.direction is Direction.FORWARD
        source, target = (primary, secondary) if forward else (secondary, primary)
        policy = next(iter(vault.policies.values()))
        initial = {"initial_primary": vault.spec.primary, "initial_recovery": vault.spec.secondary}
        item = self.new_item(vault, machine, source, target, policy, **initial)
        item.tested, item.reprotected = machine.tested, not forward
        self.add(item)
        self._settle(item, BEGINS_IN[machine.state])

    def new_item(
        self,
        vault: Vault,
        machine: MachineSpec,
        source: Site,
        target: Site,
        policy: Policy,
        **kept: str,
    ) -> Item:
        """Make an item as it is when protection begins; `kept` are ids that outlive a re-protect."""
        name = machine.item or machine.name
        group = self.ids.fixed("group", vault.id, machine.multi_vm_group or machine.name)
        return Item(
            name=name,
            vault=vault,
            machine=machine,
            policy=policy,
            source=source,
            target=target,
            state=State.PROTECTED,
            initial_primary=kept.get("initial_primary") or source.region,
            initial_recovery=kept.get("initial_recovery") or target.region,
            lifecycle_id=kept.get("lifecycle_id") or self.ids.fixed("life", vault.id, name),
            multi_vm_group_id=kept.get("multi_vm_group_id") or group,
            entity_id=self.ids.fresh("entity"),
            management_id=self.ids.fresh("management"),
            nic_guid=self.ids.fresh("nic"),
            correlation_id=self.ids.fresh("correlation"),
            source_vm_id=kept.get("source_vm_id") or source.vm_id(machine.name),
            disks=machine.disk_specs(),
        )

    def _settle(self, item: Item, state: State) -> None:
        """Make the estate's beginning true: machines, disks, points and the state itself."""
        source = bring_up(self, item, item.source)
        source.since = source.made = self.now - timedelta(days=2)
        nic = self.machines.nics[key(source.nic_id)]
        item.source_address = nic.address
        item.points_from = self.now - timedelta(minutes=min(20 * 60, item.policy.history - 60))
        item.enter(state)
        if state in {State.TEST_FAILOVER_WAITING, State.TEST_FAILOVER_CLEANED}:
            item.last_test_failover, item.tested = self.now - timedelta(hours=1), True
            item.failover_point = self.ids.fixed("recovery-point", item.lifecycle_id, "beginning")
        match state:
            case State.INITIAL_REPLICATION | State.WAITING_FIRST_POINT:
                item.points_from = None
                waiting = state is State.WAITING_FIRST_POINT
                done = 0.9 if waiting else item.machine.sync_progress
                self.begin_sync(item, done)
                self.advance(self.now)
            case State.TEST_FAILOVER_WAITING:
                network = item.target.isolated_network_id or item.target.network_id
                item.test_vm_id = bring_up_test(self, item, network, item.machine.test_arrives).id
            case State.COMMIT_PENDING | State.COMMITTED:
                self._settle_away(item, committed=state is State.COMMITTED)
            case State.PROTECTED | State.TEST_FAILOVER_CLEANED:
                pass

    def _settle_away(self, item: Item, *, committed: bool) -> None:
        ended = self.now - timedelta(minutes=30)
        item.last_failover = item.points_until = ended
        item.points_deleted = committed
        self.machines.vms[key(item.source_vm_id)].stop(ended)
        arrived = bring_up(self, item, item.target, item.machine.arrives)
        arrived.since = arrived.made = ended
        item.arrived_vm_id = arrived.id
        item.failover_point = self.ids.fixed("recovery-point", item.lifecycle_id, "beginning")

"""Recovery plans: several machines in boot groups, moved by one job over a job for each machine."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from simulator.acts import begin, check
from simulator.arm import key
from simulator.effects import Wish
from simulator.envelopes import Refused, Trace, refused
from simulator.estate import Act
from simulator.jobs import Job, JobState
from simulator.lifecycle import State
from simulator.scenarios import SCENARIOS

if TYPE_CHECKING:
    from simulator.model import Item, Site, Vault
    from simulator.world import World

PLAN_OPERATIONS = {
    State.PROTECTED: ["UnplannedFailover", "TestFailover"],  # observed
    State.TEST_FAILOVER_CLEANED: ["UnplannedFailover", "TestFailover"],
    State.TEST_FAILOVER_WAITING: ["TestFailoverCleanup"],  # observed, of another provider
    State.COMMIT_PENDING: ["Commit"],  # invented: what a plan offers after its failover
}
"""What a plan offers while all of its machines are in one state; nothing while they are not."""


@dataclass(slots=True, kw_only=True, eq=False)
class Plan:
    """A recovery plan; machines are held by name, for their ids change when they are re-protected."""

    name: str
    vault: Vault
    source: Site
    target: Site
    groups: list[list[str]]
    guid: str
    job: Job | None = None
    last_test_failover: datetime | None = None
    last_failover: datetime | None = None

    @property
    def id(self) -> str:
        """The plan's ARM id."""
        return f"{self.vault.id}/replicationRecoveryPlans/{self.name}"

    def about(self) -> dict[str, object]:
        """Write what a job says of the two fabrics it is between."""
        return {
            "primaryVmmId": self.source.fabric_guid,
            "primaryVmmName": self.source.region_name,
            "recoveryVmmId": self.target.fabric_guid,
            "recoveryVmmName": self.target.region_name,
            "primaryFabricProviderId": "Azure",
            "recoveryFabricProviderId": "Azure",
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanRun:
    """What a plan's job carries: its machines' jobs in their groups."""

    plan: Plan
    act: Act
    groups: list[list[Job]] = field(default_factory=list["list[Job]"])

    @property
    def jobs(self) -> list[Job]:
        """All machines' jobs, in boot order."""
        return [job for group in self.groups for job in group]


def build_plans(world: World) -> None:
    """Make the plans an estate declares. Raises ValueError for a machine that is not there."""
    for vault in world.vaults.values():
        for spec in vault.spec.recovery_plans:
            names = [name for group in spec.groups for name in group]
            found = {item.name for item in world.items_of(vault)}
            if not names or set(names) - found:
                raise ValueError(f"recovery plan {spec.name}: machines {names} are not all there")
            first = next(item for item in world.items_of(vault) if item.name == names[0])
            make_plan(world, vault, spec.name, first.source, [list(g) for g in spec.groups])


def make_plan(world: World, vault: Vault, name: str, source: Site, groups: list[list[str]]) -> Plan:
    """Make a plan and let it be found."""
    plan = Plan(
        name=name,
        vault=vault,
        source=source,
        target=vault.other(source),
        groups=groups,
        guid=world.ids.fixed("plan", vault.id, name),
    )
    world.plans[key(plan.id)] = plan
    return plan


def members(world: World, plan: Plan) -> list[list[Item]]:
    """Answer the plan's machines in their groups; one that has left the vault is left out."""
    known = {item.name.lower(): item for item in world.items_of(plan.vault)}
    return [[known[n.lower()] for n in group if n.lower() in known] for group in plan.groups]


def operations(world: World, plan: Plan) -> list[str]:
    """Answer what the plan offers now."""
    items = [item for group in members(world, plan) for item in group]
    if not items or any(item.holder for item in items) or running(world, plan):
        return []
    offered = [PLAN_OPERATIONS.get(item.state, []) for item in items]
    return [name for name in offered[0] if all(name in other for other in offered)]


def running(world: World, plan: Plan) -> bool:
    """Answer whether the plan's last job has not ended."""
    return plan.job is not None and not plan.job.over(world.now)


def begin_plan(world: World, plan: Plan, act: Act, wish: Wish, trace: Trace) -> Job:
    """Start an act on all machines of a plan, or refuse it whole."""
    trace.act, trace.item = str(act), plan.id
    groups = members(world, plan)
    _check(world, plan, groups, act, trace)
    run = PlanRun(plan=plan, act=act)
    job = _make_job(world, plan, run, trace)
    for group in groups:
        run.groups.append([begin(world, i, act, wish, _child_trace(world, trace)) for i in group])
    job.run = run
    _end_with_children(world, job, run)
    plan.job = job
    if act is Act.TEST_FAILOVER:
        plan.last_test_failover = world.now
    if act is Act.FAILOVER:
        plan.last_failover = world.now
    trace.act, trace.item, trace.operation = str(act), plan.id, job.operation_id
    world.keep(job)
    return job


def _check(world: World, plan: Plan, groups: list[list[Item]], act: Act, trace: Trace) -> None:
    items = [item for group in groups for item in group]
    if running(world, plan) or not items:
        raise Refused(  # invented: how a plan whose job runs is refused
            refused(
                409,
                "OperationInProgress",
                f"The recovery plan '{plan.name}' cannot begin '{act}' now.",
                "Wait until the plan's job has ended.",
                trace,
            )
        )
    for item in items:
        check(world, item, act, trace)


def _child_trace(world: World, trace: Trace) -> Trace:
    return Trace(client_request_id=trace.client_request_id, correlation_id=world.ids.fresh("correlation"))


def _make_job(world: World, plan: Plan, run: PlanRun, trace: Trace) -> Job:
    """Make the plan's job: its operation id is only an alias (recorded)."""
    scenario = SCENARIOS[run.act]
    overhead = world.seconds("recovery_plan_overhead")
    return Job(
        id=world.ids.fresh("job"),
        operation_id=world.ids.fresh("operation"),
        vault_id=plan.vault.id,
        scenario=scenario,
        started=world.now,
        duration=overhead,
        client_request_id=trace.client_request_id,
        correlation_id=trace.correlation_id,
        target_object_id=plan.guid,
        target_name=plan.name,
        target_type="RecoveryPlan",
        affected=plan.about(),
    )


def _end_with_children(world: World, job: Job, run: PlanRun) -> None:
    """Let the plan's job end after the last of its machines' jobs, and fail if one of them failed."""
    ends = [child.ends for child in run.jobs]
    if any(end is None for end in ends):
        return
    job.ends = max(end for end in ends if end) + job.duration
    settle = job.ends

    def judge() -> None:
        bad = next((c for c in run.jobs if c.outcome is not JobState.SUCCEEDED), None)
        if job.ends == settle and bad is not None:
            job.outcome = bad.outcome
            job.errors = list(bad.errors)

    world.at(settle - timedelta(microseconds=1), judge)

"""Recovery plans: reads, create, delete, and their acts."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from simulator.arm import key, last_segment
from simulator.effects import Wish
from simulator.envelopes import Refused, accepted, listing, not_found, refused
from simulator.estate import Act
from simulator.messages import Response, json_response
from simulator.operations import Target, start_operation
from simulator.plans import Plan, begin_plan, make_plan, running
from simulator.providers.site_recovery.plan_view import plan_body
from simulator.recovery_points import PointKind
from simulator.setup_scenarios import CREATE_PLAN, DELETE_PLAN, UPDATE_PLAN

if TYPE_CHECKING:
    from simulator.call import Call
    from simulator.jobs import Job, Scenario

SAVING = timedelta(seconds=1)


class _Wire(BaseModel):
    model_config = ConfigDict(extra="allow", alias_generator=to_camel, populate_by_name=True)


class _PlanItem(_Wire):
    id: str


class _Group(_Wire):
    group_type: str = "Boot"
    replication_protected_items: list[_PlanItem] = Field(default_factory=list["_PlanItem"])


class _PlanProperties(_Wire):
    primary_fabric_id: str | None = None
    recovery_fabric_id: str | None = None
    groups: list[_Group] = Field(default_factory=list["_Group"])


class PlanBody(_Wire):
    """The body that creates or changes a plan."""

    properties: _PlanProperties


class _Provider(_Wire):
    instance_type: str = ""
    recovery_point_type: PointKind = PointKind.PROCESSED


class _ActProperties(_Wire):
    failover_direction: str | None = None
    source_site_operations: str | None = None
    network_type: str | None = None
    network_id: str | None = None
    comments: str | None = None
    provider_specific_details: list[_Provider] = Field(default_factory=list["_Provider"])


class PlanActBody(_Wire):
    """The body of an act on a plan; its provider details are a list."""

    properties: _ActProperties = Field(default_factory=_ActProperties)


def list_plans(call: Call) -> Response:
    """List a vault's plans, without their groups (recorded)."""
    vault, world = call.vault(), call.world
    found = [p for p in world.plans.values() if p.vault is vault]
    return listing([plan_body(plan, world, listed=True) for plan in found])


def get_plan(call: Call) -> Response:
    """Read one plan."""
    return json_response(plan_body(_plan(call), call.world))


def create_plan(call: Call) -> Response:
    """Create a plan from boot groups of protected items."""
    given, vault = call.body(PlanBody).properties, call.vault()
    fabric = vault.fabric(last_segment(given.primary_fabric_id or ""))
    site = next(iter(vault.containers_of(fabric)), None) if fabric else None
    if site is None:
        raise _bad(call, "FabricNotFound", "primaryFabricId is not a fabric of this vault.")
    plan = make_plan(call.world, vault, call.params["plan"], site, _names(call, given))
    return _saved(call, plan, CREATE_PLAN)


def update_plan(call: Call) -> Response:
    """Change a plan's groups."""
    plan = _plan(call)
    plan.groups = _names(call, call.body(PlanBody).properties)
    return _saved(call, plan, UPDATE_PLAN)


def delete_plan(call: Call) -> Response:
    """Delete a plan that is not running."""
    plan = _plan(call)
    if running(call.world, plan):
        raise _bad(call, "OperationInProgress", f"The plan '{plan.name}' is running.", 409)
    del call.world.plans[key(plan.id)]
    return _saved(call, plan, DELETE_PLAN)


def test_failover(call: Call) -> Response:
    """Start a test failover of the plan."""
    given = call.body(PlanActBody).properties
    return _begin(call, Act.TEST_FAILOVER, given)


def test_failover_cleanup(call: Call) -> Response:
    """Start the cleanup of the plan's test failover."""
    return _begin(call, Act.TEST_FAILOVER_CLEANUP, call.body(PlanActBody).properties)


def unplanned_failover(call: Call) -> Response:
    """Start a failover of the plan."""
    return _begin(call, Act.FAILOVER, call.body(PlanActBody).properties)


def failover_commit(call: Call) -> Response:
    """Start the commit of the plan's failover."""
    return _begin(call, Act.COMMIT, _ActProperties())


def refuse_act(call: Call) -> Response:
    """Refuse what a plan of A2A machines cannot do: re-protect, planned failover, cancelling.

    Re-protecting a plan is reported as not allowed; invented: the codes of these refused acts on a plan.
    """
    plan = _plan(call)
    word = last_segment(call.request.path)
    call.trace.act, call.trace.item = word, plan.id
    raise _bad(call, "OperationNotAllowed", f"'{word}' is not allowed for '{plan.name}'.")


def plan_result(call: Call) -> Response:
    """Answer the plan once its operation is over, 202 before."""
    job = call.world.operations.get(call.params["operation"].lower())
    if job is None:
        return not_found(call.params["operation"], call.trace)
    scope = f"{call.vault().id}/replicationRecoveryPlans/{call.params['plan']}"
    signed = call.world.estate.signed_urls
    plan = call.world.plans.get(key(scope))
    if not job.over(call.world.now):
        return accepted(call.request, job, scope, signed=signed)
    if plan is None:
        return Response(status=204)
    return json_response(plan_body(plan, call.world)).with_headers(
        ("x-ms-request-id", job.arm_id()), ("x-ms-request-id", job.arm_id())
    )


def _plan(call: Call) -> Plan:
    vault = call.vault()
    wanted = f"{vault.id}/replicationRecoveryPlans/{call.params['plan']}"
    plan = call.world.plans.get(key(wanted))
    if plan is None:
        raise Refused(not_found(call.params["plan"], call.trace))
    return plan


def _names(call: Call, given: _PlanProperties) -> list[list[str]]:
    boots = [group for group in given.groups if group.group_type == "Boot"]
    for group in boots:
        for item in group.replication_protected_items:
            if key(item.id) not in call.world.items:
                raise Refused(not_found(last_segment(item.id), call.trace))
    return [[last_segment(i.id) for i in g.replication_protected_items] for g in boots]


def _saved(call: Call, plan: Plan, scenario: Scenario) -> Response:
    """Accept what makes, changes or deletes a plan, with a job of its own (recorded)."""
    target = Target(kind="RecoveryPlan", object_id=plan.guid, name=plan.name, affected=plan.about())
    job = start_operation(call, scenario, SAVING, listed=True, target=target)
    return _accepted(call, plan, job)


def _begin(call: Call, act: Act, given: _ActProperties) -> Response:
    plan = _plan(call)
    kinds = [details.recovery_point_type for details in given.provider_specific_details]
    wish = Wish(
        shut_down_source=given.source_site_operations == "Required",
        network_id=given.network_id,
        network_type=given.network_type or "",
        comments=given.comments or "",
        point_kind=kinds[0] if kinds else PointKind.PROCESSED,
    )
    return _accepted(call, plan, begin_plan(call.world, plan, act, wish, call.trace))


def _accepted(call: Call, plan: Plan, job: Job) -> Response:
    return accepted(call.request, job, plan.id, signed=call.world.estate.signed_urls)


def _bad(call: Call, code: str, message: str, status: int = 400) -> Refused:
    return Refused(refused(status, code, message, "Look at the plan first.", call.trace))

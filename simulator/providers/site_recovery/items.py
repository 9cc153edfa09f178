"""Protected items: lists, reads, recovery points, and the acts on them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from simulator.acts import begin
from simulator.arm import ITEM_TYPE, key, last_segment
from simulator.effects import Wish, cancel
from simulator.envelopes import Refused, accepted, listing, listing_of_texts, not_found, refused
from simulator.estate import Act
from simulator.faults import FaultName, Occasion
from simulator.messages import Response, json_response
from simulator.odata import Clause, parse_filter
from simulator.providers.site_recovery.fabrics import get_container
from simulator.providers.site_recovery.item_view import item_body, list_text
from simulator.providers.site_recovery.setting_up import result_of
from simulator.recovery_points import Point, points
from simulator.times import ticks

if TYPE_CHECKING:
    from simulator.call import Call
    from simulator.messages import JsonObject
    from simulator.model import Item


class _Wire(BaseModel):
    model_config = ConfigDict(extra="allow", alias_generator=to_camel, populate_by_name=True)


class _Provider(_Wire):
    instance_type: str = ""
    recovery_point_id: str | None = None


class _ActProperties(_Wire):
    failover_direction: str | None = None
    source_site_operations: str | None = None
    network_type: str | None = None
    network_id: str | None = None
    recovery_point_id: str | None = None
    comments: str | None = None
    provider_specific_details: _Provider = Field(default_factory=_Provider)


class ActBody(_Wire):
    """The body of an act on one item."""

    properties: _ActProperties = Field(default_factory=_ActProperties)


class _SwitchDisk(_Wire):
    disk_id: str
    primary_staging_azure_storage_account_id: str
    recovery_resource_group_id: str


class _SwitchProvider(_Wire):
    instance_type: str = ""
    recovery_container_id: str | None = None
    vm_managed_disks: list[_SwitchDisk] = Field(default_factory=list["_SwitchDisk"])
    recovery_resource_group_id: str | None = None
    policy_id: str | None = None


class _SwitchProperties(_Wire):
    replication_protected_item_name: str
    provider_specific_details: _SwitchProvider


class SwitchBody(_Wire):
    """The body of a switch of protection."""

    properties: _SwitchProperties


def list_in_vault(call: Call) -> Response:
    """List a vault's items, filtered and in pages; `nextLink` carries a skip token."""
    vault = call.vault()
    found = [item for item in call.world.items_of(vault) if _matches(call, item)]
    return _page(call, found)


def list_in_container(call: Call) -> Response:
    """List the items of one container."""
    site = call.site()
    found = [i for i in call.world.items_of(call.vault()) if i.source.container_id == site.container_id]
    return _page(call, found)


def get(call: Call) -> Response:
    """Read one item."""
    return json_response(item_body(call.item(), call.world))


def list_recovery_points(call: Call) -> Response:
    """List an item's recovery points, in no order: the documentation promises none."""
    item = call.item()
    found = points(item, call.world.ids, call.world.now)
    return listing([_point(item, p) for p in sorted(found, key=lambda p: p.name)])


def get_recovery_point(call: Call) -> Response:
    """Read one recovery point by its name."""
    item, wanted = call.item(), call.params["point"].lower()
    for point in points(item, call.world.ids, call.world.now):
        if point.name == wanted:
            return json_response(_point(item, point))
    return not_found(call.params["point"], call.trace)


def list_target_compute_sizes(call: Call) -> Response:
    """List sizes the machine could have in its target region; invented: which target compute sizes there are."""
    item = call.item()
    kind = f"{ITEM_TYPE}/targetComputeSizes"
    return listing(
        [
            {
                "id": f"{item.id}/targetComputeSizes/{name}",
                "name": name,
                "type": kind,
                "properties": {
                    "name": name,
                    "friendlyName": name,
                    "cpuCoresCount": cores,
                    "memoryInGB": float(memory),
                    "maxDataDiskCount": cores * 2,
                    "maxNicsCount": 2,
                    "errors": [],
                },
            }
            for name, cores, memory in (
                ("Standard_D2s_v3", 2, 8),
                ("Standard_D4s_v3", 4, 16),
                ("Standard_D8s_v3", 8, 32),
            )
        ]
    )


def delete(call: Call) -> Response:
    """Disable replication and remove the item."""
    return _begin(call, Act.DISABLE, Wish())


def purge(call: Call) -> Response:
    """Remove the item by force, whatever holds it; 404 where there is none (recorded).

    invented: that a purge cancels a running job, and leaves the machines as they are.
    """
    item = call.item()
    if item.holder is not None:
        cancel(call.world, item.holder)
    return _begin(call, Act.DISABLE, Wish())


def test_failover(call: Call) -> Response:
    """Start a test failover into the network given."""
    given = call.body(ActBody).properties
    _check_direction(call, given.failover_direction)
    wish = Wish(
        point_id=given.provider_specific_details.recovery_point_id,
        network_id=given.network_id,
        network_type=given.network_type or "",
    )
    return _begin(call, Act.TEST_FAILOVER, wish)


def test_failover_cleanup(call: Call) -> Response:
    """Start the cleanup of a test failover."""
    given = call.body(ActBody).properties
    return _begin(call, Act.TEST_FAILOVER_CLEANUP, Wish(comments=given.comments or ""))


def unplanned_failover(call: Call) -> Response:
    """Start a failover, shutting the source down first where asked."""
    given = call.body(ActBody).properties
    _check_direction(call, given.failover_direction)
    _check_group(call)
    wish = Wish(
        shut_down_source=given.source_site_operations == "Required",
        point_id=given.provider_specific_details.recovery_point_id,
    )
    return _begin(call, Act.FAILOVER, wish)


def apply_recovery_point(call: Call) -> Response:
    """Start the change to another recovery point."""
    given = call.body(ActBody).properties
    if not given.recovery_point_id:
        raise _bad(call, "RecoveryPointMissing", "properties.recoveryPointId is required.")
    return _begin(call, Act.CHANGE_RECOVERY_POINT, Wish(point_id=given.recovery_point_id))


def failover_commit(call: Call) -> Response:
    """Start the commit of a failover; the recorded call has no body."""
    return _begin(call, Act.COMMIT, Wish())


def failover_cancel(call: Call) -> Response:
    """Refuse or start the cancelling of a failover; it was never seen offered for A2A."""
    return _begin(call, Act.CANCEL_FAILOVER, Wish())


def reprotect(call: Call) -> Response:
    """Refuse: A2A machines with managed disks are re-protected by switchprotection (reported)."""
    call.trace.act, call.trace.item = "reProtect", call.item().id
    raise _bad(call, "VMDisksMissing", "Managed disk details not provided.")


def switch_protection(call: Call) -> Response:
    """Re-protect an item in the other direction: the call is on the container it is in now."""
    given, site = call.body(SwitchBody).properties, call.site()
    item = call.world.items.get(key(site.item_id(given.replication_protected_item_name)))
    if item is None:
        return not_found(given.replication_protected_item_name, call.trace)
    call.trace.act, call.trace.item = str(Act.REPROTECT), item.id
    details = given.provider_specific_details
    _check_switch(call, item, details)
    job = begin(call.world, item, Act.REPROTECT, Wish(), call.trace)
    return accepted(call.request, job, site.container_id, signed=call.world.estate.signed_urls)


def operation_result(call: Call) -> Response:
    """Answer an operation's result: the item once it is over; invented: 202 before, by ARM's rule."""
    job = call.world.operations.get(call.params["operation"].lower())
    if job is None:
        return not_found(call.params["operation"], call.trace)
    signed = call.world.estate.signed_urls
    if not job.over(call.world.now):
        return accepted(call.request, job, job.item_id or "", signed=signed)
    if job.item_id is None:
        return result_of(get_container if "item" not in call.params else get)(call)
    moved = str(job.details.get("newReplicationProtectedItemId") or job.item_id)
    item = call.world.items.get(key(moved)) or call.world.items.get(key(job.item_id or ""))
    if item is None:
        return Response(status=204)
    headers = accepted(call.request, job, job.item_id or "", signed=signed).headers
    kept = tuple(h for h in headers if h[0] in {"Azure-AsyncOperation", "x-ms-request-id"})
    return json_response(item_body(item, call.world)).with_headers(*kept)


def _begin(call: Call, act: Act, wish: Wish) -> Response:
    item = call.item()
    job = begin(call.world, item, act, wish, call.trace)
    return accepted(call.request, job, item.id, signed=call.world.estate.signed_urls)


def _bad(call: Call, code: str, message: str) -> Refused:
    return Refused(refused(400, code, message, "Correct the request.", call.trace))


def _check_direction(call: Call, direction: str | None) -> None:
    """Take PrimaryToRecovery alone: recorded failbacks use it too, against the other fabric."""
    if direction not in {None, "PrimaryToRecovery"}:
        raise _bad(  # invented: how a wrong direction is refused
            call, "InvalidFailoverDirection", f"failoverDirection '{direction}' is not valid here."
        )


def _check_group(call: Call) -> None:
    """Refuse to fail one member of a multi-VM group over alone (Microsoft's documentation)."""
    item = call.item()
    if item.machine.multi_vm_group:
        raise _bad(  # invented: the code of failing one member of a group over alone
            call,
            "MultiVmGroupFailover",
            f"'{item.name}' is in the multi-VM group '{item.machine.multi_vm_group}'; "
            "fail the group over with a recovery plan.",
        )


def _check_switch(call: Call, item: Item, details: _SwitchProvider) -> None:
    if not details.vm_managed_disks:
        raise _bad(call, "VMDisksMissing", "Managed disk details not provided.")
    given = {key(disk.disk_id) for disk in details.vm_managed_disks}
    known = {key(item.target.disk_id(disk.name)) for disk in item.disks}
    if not given <= known:
        stray = last_segment(min(given - known))
        raise _bad(  # invented: the code of re-protecting with a stray disk
            call, "DiskNotFound", f"'{stray}' is not a disk of the failed over virtual machine."
        )


def _matches(call: Call, item: Item) -> bool:
    try:
        clauses = parse_filter(call.request.query.get("$filter", ""))
    except ValueError as fault:
        raise call.bad_request("InvalidFilter", str(fault)) from fault
    return all(_holds(call, item, clause) for clause in clauses)


def _holds(call: Call, item: Item, clause: Clause) -> bool:
    if clause.name == "recoveryplanname":
        plans = [p for p in call.world.plans.values() if p.name.lower() == clause.value.lower()]
        return any(item.name in group for plan in plans for group in plan.groups)
    fields = {
        "name": item.name,
        "friendlyname": item.machine.name,
        "instancetype": "A2A",
        "sourcefabricname": item.source.fabric,
        "recoveryfabricname": item.target.fabric,
        "sourcefabriclocation": item.source.region,
        "recoveryfabriclocation": item.target.region,
        "fabricobjectid": item.source_vm_id,
        "multivmgroupcreateoption": ("UserSpecified" if item.machine.multi_vm_group else "AutoCreated"),
    }
    if clause.name not in fields or clause.op != "eq":
        raise call.bad_request("InvalidFilter", f"cannot filter by '{clause.name} {clause.op}'")
    return fields[clause.name].lower() == clause.value.lower()


def _page(call: Call, items: list[Item]) -> Response:
    token = call.request.query.get("skiptoken") or call.request.query.get("$skiptoken") or "0"
    if not token.isdigit():
        raise call.bad_request("InvalidSkipToken", f"cannot read the skip token '{token}'")
    start, size = int(token), call.world.estate.page_size
    page = items[start : start + size]
    more = start + size < len(items)
    link = _next_link(call, start + size) if more else None
    return listing_of_texts(_shown(call, page), link)


def _shown(call: Call, page: list[Item]) -> list[str]:
    """Write a page of items, or for a stale list the page it answered the time before."""
    world, path = call.world, key(call.request.path) + "?" + call.request.raw_query
    occasion = Occasion(method="GET", path=call.request.path)
    if world.faults.strike(FaultName.STALE_LIST, occasion, world.now) and path in world.last_lists:
        return world.last_lists[path]
    fresh = [list_text(item, world) for item in page]
    if world.faults.knows(FaultName.STALE_LIST):
        world.last_lists[path] = fresh
    return fresh


def _next_link(call: Call, skip: int) -> str:
    kept = [p for p in call.request.raw_query.split("&") if p and "skiptoken" not in p.lower()]
    query = "&".join([*kept, f"skipToken={skip}"])
    return f"{call.request.origin}{call.request.path}?{query}"


def _point(item: Item, point: Point) -> JsonObject:
    """Write a recovery point; its id names the container by its GUID (recorded)."""
    containers = f"{item.source.fabric_id}/replicationProtectionContainers"
    rest = f"replicationProtectedItems/{item.name}/recoveryPoints/{point.name}"
    disks = [disk for disk in item.disks if disk.os or not point.lacks_data_disk]
    return {
        "id": f"{containers}/{item.source.container_guid}/{rest}",
        "name": point.name,
        "type": f"{ITEM_TYPE}/recoveryPoints",
        "properties": {
            "recoveryPointTime": ticks(point.time),
            "recoveryPointType": "AppConsistent" if point.app_consistent else "CrashConsistent",
            "providerSpecificDetails": {
                "instanceType": "A2A",
                "recoveryPointSyncType": (
                    "MultiVmSyncRecoveryPoint" if item.machine.multi_vm_group else "PerVmRecoveryPoint"
                ),
                "disks": [item.source.disk_id(disk.name).lower() for disk in disks],
            },
        },
    }

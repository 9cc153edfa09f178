"""Every path that is answered, as data: method, template, handler, name, and how well it is known."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from simulator.providers import authorization, compute, logs, network, storage
from simulator.providers.site_recovery import items, jobs, plans, resources, vault

if TYPE_CHECKING:
    from simulator.call import Handler


class Basis(StrEnum):
    """Where an answer's shape comes from."""

    OBSERVED = "observed"
    DOCUMENTED = "documented"
    INVENTED = "invented"


@dataclass(frozen=True, slots=True)
class Route:
    """One operation."""

    method: str
    template: str
    handler: Handler
    name: str
    basis: Basis


_S = "/subscriptions/{subscription}"
_G = f"{_S}/resourceGroups/{{group}}"
_V = f"{_G}/providers/Microsoft.RecoveryServices/vaults/{{vault}}"
_F = f"{_V}/replicationFabrics/{{fabric}}"
_C = f"{_F}/replicationProtectionContainers/{{container}}"
_I = f"{_C}/replicationProtectedItems/{{item}}"
_N = f"{_F}/replicationNetworks"
_P = f"{_V}/replicationRecoveryPlans"
_R = f"{_P}/{{plan}}"
_A = f"{_V}/replicationAlertSettings"
_LOCKS = "providers/Microsoft.Authorization/locks"
_O, _D, _X = Basis.OBSERVED, Basis.DOCUMENTED, Basis.INVENTED

ROUTES: tuple[Route, ...] = (
    Route("GET", _V, resources.get_vault, "vault get", _D),
    Route("GET", f"{_V}/replicationFabrics", resources.list_fabrics, "fabrics list", _O),
    Route("GET", _F, resources.get_fabric, "fabric get", _O),
    Route(
        "GET",
        f"{_F}/replicationProtectionContainers",
        resources.list_containers,
        "containers list",
        _D,
    ),
    Route(
        "GET",
        f"{_V}/replicationProtectionContainers",
        resources.list_all_containers,
        "containers list in vault",
        _D,
    ),
    Route("GET", _C, resources.get_container, "container get", _O),
    Route(
        "GET",
        f"{_C}/replicationProtectionContainerMappings",
        resources.list_mappings,
        "container mappings list",
        _O,
    ),
    Route(
        "GET",
        f"{_V}/replicationProtectionContainerMappings",
        resources.list_mappings,
        "container mappings list in vault",
        _D,
    ),
    Route(
        "GET",
        f"{_C}/replicationProtectionContainerMappings/{{mapping}}",
        resources.get_mapping,
        "container mapping get",
        _O,
    ),
    Route("GET", f"{_V}/replicationPolicies", resources.list_policies, "policies list", _D),
    Route("GET", f"{_V}/replicationPolicies/{{policy}}", resources.get_policy, "policy get", _D),
    Route("GET", _N, resources.list_networks, "networks list", _D),
    Route("GET", f"{_N}/{{network}}", resources.get_network, "network get", _D),
    Route(
        "GET",
        f"{_N}/{{network}}/replicationNetworkMappings/{{mapping}}",
        resources.get_network_mapping,
        "network mapping get",
        _D,
    ),
    Route("GET", f"{_V}/replicationNetworks", resources.list_all_networks, "networks list all", _D),
    Route(
        "GET",
        f"{_N}/{{network}}/replicationNetworkMappings",
        resources.list_network_mappings,
        "network mappings list",
        _O,
    ),
    Route(
        "GET",
        f"{_V}/replicationNetworkMappings",
        resources.list_all_network_mappings,
        "network mappings list in vault",
        _D,
    ),
    Route("GET", f"{_V}/replicationProtectedItems", items.list_in_vault, "items list", _O),
    Route(
        "GET",
        f"{_C}/replicationProtectedItems",
        items.list_in_container,
        "items list in container",
        _D,
    ),
    Route("GET", _I, items.get, "item get", _O),
    Route("DELETE", _I, items.delete, "item purge", _X),
    Route("POST", f"{_I}/remove", items.delete, "item delete (disable)", _D),
    Route("GET", f"{_I}/recoveryPoints", items.list_recovery_points, "recovery points list", _O),
    Route("GET", f"{_I}/recoveryPoints/{{point}}", items.get_recovery_point, "recovery point get", _D),
    Route(
        "GET",
        f"{_I}/targetComputeSizes",
        items.list_target_compute_sizes,
        "target compute sizes list",
        _D,
    ),
    Route("POST", f"{_I}/testFailover", items.test_failover, "test failover", _D),
    Route(
        "POST",
        f"{_I}/testFailoverCleanup",
        items.test_failover_cleanup,
        "test failover cleanup",
        _D,
    ),
    Route("POST", f"{_I}/unplannedFailover", items.unplanned_failover, "unplanned failover", _O),
    Route("POST", f"{_I}/applyRecoveryPoint", items.apply_recovery_point, "apply recovery point", _D),
    Route("POST", f"{_I}/failoverCommit", items.failover_commit, "failover commit", _O),
    Route("POST", f"{_I}/failoverCancel", items.failover_cancel, "failover cancel", _X),
    Route("POST", f"{_I}/reProtect", items.reprotect, "re-protect (refused)", _D),
    Route("POST", f"{_C}/switchprotection", items.switch_protection, "switch protection", _O),
    Route(
        "GET",
        f"{_I}/operationresults/{{operation}}",
        items.operation_result,
        "operation result of an item",
        _O,
    ),
    Route(
        "GET",
        f"{_C}/operationresults/{{operation}}",
        items.operation_result,
        "operation result of a container",
        _X,
    ),
    Route(
        "GET",
        f"{_V}/replicationOperationStatus/{{operation}}",
        jobs.get_operation_status,
        "operation status",
        _O,
    ),
    Route("GET", f"{_V}/replicationJobs", jobs.list_jobs, "jobs list", _O),
    Route("GET", f"{_V}/replicationJobs/{{job}}", jobs.get_job, "job get", _O),
    Route("POST", f"{_V}/replicationJobs/export", jobs.export_jobs, "jobs export", _O),
    Route("POST", f"{_V}/replicationJobs/{{job}}/cancel", jobs.cancel_job, "job cancel", _X),
    Route("POST", f"{_V}/replicationJobs/{{job}}/restart", jobs.restart_job, "job restart", _X),
    Route("POST", f"{_V}/replicationJobs/{{job}}/resume", jobs.resume_job, "job resume", _X),
    Route(
        "GET",
        f"{_V}/replicationJobs/{{job}}/operationresults/{{operation}}",
        jobs.job_result,
        "operation result of a job",
        _X,
    ),
    Route("GET", _P, plans.list_plans, "recovery plans list", _O),
    Route("GET", _R, plans.get_plan, "recovery plan get", _O),
    Route("PUT", _R, plans.create_plan, "recovery plan create", _O),
    Route("PATCH", _R, plans.update_plan, "recovery plan update", _D),
    Route("DELETE", _R, plans.delete_plan, "recovery plan delete", _O),
    Route("POST", f"{_R}/testFailover", plans.test_failover, "plan test failover", _D),
    Route(
        "POST",
        f"{_R}/testFailoverCleanup",
        plans.test_failover_cleanup,
        "plan test failover cleanup",
        _D,
    ),
    Route("POST", f"{_R}/unplannedFailover", plans.unplanned_failover, "plan failover", _O),
    Route("POST", f"{_R}/failoverCommit", plans.failover_commit, "plan commit", _X),
    Route("POST", f"{_R}/reProtect", plans.refuse_act, "plan re-protect (refused)", _X),
    Route("POST", f"{_R}/plannedFailover", plans.refuse_act, "plan planned failover (refused)", _X),
    Route("POST", f"{_R}/failoverCancel", plans.refuse_act, "plan failover cancel (refused)", _X),
    Route(
        "GET",
        f"{_R}/operationresults/{{operation}}",
        plans.plan_result,
        "operation result of a plan",
        _O,
    ),
    Route("GET", f"{_V}/replicationVaultHealth", vault.get_health, "vault health get", _O),
    Route(
        "POST",
        f"{_V}/replicationVaultHealth/default/refresh",
        vault.refresh_health,
        "vault health refresh",
        _O,
    ),
    Route(
        "GET",
        f"{_V}/replicationVaultHealth/operationresults/{{operation}}",
        vault.health_result,
        "operation result of a vault",
        _X,
    ),
    Route("GET", _A, vault.list_alert_settings, "alert settings list", _O),
    Route("GET", f"{_A}/{{setting}}", vault.get_alert_setting, "alert setting get", _O),
    Route("PUT", f"{_A}/{{setting}}", vault.put_alert_setting, "alert setting set", _O),
    Route("GET", f"{_V}/replicationEvents", vault.list_events, "events list", _O),
    Route("GET", f"{_V}/replicationEvents/{{event}}", vault.get_event, "event get", _D),
    Route(
        "GET",
        f"{_G}/providers/Microsoft.Compute/virtualMachines/{{vm}}",
        compute.get_vm,
        "virtual machine get",
        _D,
    ),
    Route(
        "GET",
        f"{_G}/providers/Microsoft.Compute/virtualMachines/{{vm}}/instanceView",
        compute.get_instance_view,
        "virtual machine instance view",
        _D,
    ),
    Route(
        "GET",
        f"{_G}/providers/Microsoft.Compute/virtualMachines",
        compute.list_vms,
        "virtual machines list in group",
        _D,
    ),
    Route(
        "GET",
        f"{_S}/providers/Microsoft.Compute/virtualMachines",
        compute.list_vms,
        "virtual machines list",
        _D,
    ),
    Route("GET", f"{_G}/providers/Microsoft.Compute/disks/{{disk}}", compute.get_disk, "disk get", _D),
    Route(
        "GET",
        f"{_G}/providers/Microsoft.Compute/disks",
        compute.list_disks,
        "disks list in group",
        _D,
    ),
    Route("GET", f"{_S}/providers/Microsoft.Compute/disks", compute.list_disks, "disks list", _D),
    Route(
        "GET",
        f"{_S}/providers/Microsoft.Compute/locations/{{region}}/usages",
        compute.list_usages,
        "compute usages list",
        _D,
    ),
    Route("GET", f"{_S}/providers/Microsoft.Compute/skus", compute.list_skus, "compute skus list", _D),
    Route(
        "GET",
        f"{_G}/providers/Microsoft.Network/virtualNetworks/{{vnet}}",
        network.get_vnet,
        "virtual network get",
        _D,
    ),
    Route(
        "GET",
        f"{_G}/providers/Microsoft.Network/virtualNetworks/{{vnet}}/virtualNetworkPeerings",
        network.list_peerings,
        "virtual network peerings list",
        _D,
    ),
    Route(
        "GET",
        f"{_G}/providers/Microsoft.Network/virtualNetworks",
        network.list_vnets,
        "virtual networks list in group",
        _D,
    ),
    Route(
        "GET",
        f"{_S}/providers/Microsoft.Network/virtualNetworks",
        network.list_vnets,
        "virtual networks list",
        _D,
    ),
    Route(
        "GET",
        f"{_G}/providers/Microsoft.Network/networkInterfaces/{{nic}}",
        network.get_nic,
        "network interface get",
        _D,
    ),
    Route(
        "GET",
        f"{_G}/providers/Microsoft.Storage/storageAccounts",
        storage.list_accounts,
        "storage accounts list in group",
        _D,
    ),
    Route(
        "GET",
        f"{_S}/providers/Microsoft.Storage/storageAccounts",
        storage.list_accounts,
        "storage accounts list",
        _D,
    ),
    Route(
        "GET",
        f"{_G}/providers/Microsoft.Storage/storageAccounts/{{account}}",
        storage.get_account,
        "storage account get",
        _D,
    ),
    Route("GET", f"{_S}/{_LOCKS}", authorization.list_locks, "locks list in subscription", _D),
    Route("GET", f"{_G}/{_LOCKS}", authorization.list_locks, "locks list in group", _D),
    Route(
        "GET",
        f"{_G}/providers/{{provider}}/{{kind}}/{{resource}}/{_LOCKS}",
        authorization.list_locks,
        "locks list on a resource",
        _D,
    ),
    Route("POST", "/v1/$batch", logs.query_batch, "logs query batch", _D),
    Route("POST", "/v1/workspaces/{workspace}/query", logs.query_workspace, "logs query", _D),
    Route(
        "POST",
        "/v1/subscriptions/{subscription}/resourceGroups/{group}/providers/{provider}/{kind}/{resource}/query",
        logs.query_resource,
        "logs query of a resource",
        _D,
    ),
    Route("POST", "/v1/subscriptions/{subscription}/query", logs.query_resource, "logs query all", _D),
    Route(
        "POST",
        "/v1/subscriptions/{subscription}/resourceGroups/{group}/query",
        logs.query_resource,
        "logs query of a group",
        _D,
    ),
)


class Router:
    """Finds the route of a call; ARM paths are compared without regard to case."""

    def __init__(self, routes: tuple[Route, ...] = ROUTES) -> None:
        self._by_shape: dict[tuple[str, int], list[tuple[list[str], Route]]] = {}
        for route in routes:
            parts = route.template.strip("/").split("/")
            shape = (route.method, len(parts))
            self._by_shape.setdefault(shape, []).append((parts, route))

    def match(self, method: str, path: str) -> tuple[Route, dict[str, str]] | None:
        """Answer the route and what its path named, or None."""
        given = path.strip("/").split("/")
        for parts, route in self._by_shape.get((method, len(given)), []):
            params = _bind(parts, given)
            if params is not None:
                return route, params
        return None


def _bind(parts: list[str], given: list[str]) -> dict[str, str] | None:
    params: dict[str, str] = {}
    for part, value in zip(parts, given, strict=True):
        if part.startswith("{"):
            params[part[1:-1]] = value
        elif part.lower() != value.lower():
            return None
    return params

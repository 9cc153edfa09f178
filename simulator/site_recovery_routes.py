"""Every path of Site Recovery that is answered, and how well its answer is known."""

from __future__ import annotations

from simulator.providers.site_recovery import (
    changing,
    clusters,
    enabling,
    fabrics,
    items,
    jobs,
    networks,
    plans,
    policies,
    vault,
)
from simulator.providers.site_recovery.setting_up import removed, result_of
from simulator.route import GROUP, SUBSCRIPTION, Route, documented, invented, observed

_V = f"{GROUP}/providers/Microsoft.RecoveryServices/vaults/{{vault}}"
_VAULTS = f"{SUBSCRIPTION}/providers/Microsoft.RecoveryServices/vaults"
_VAULTS_OF_GROUP = f"{GROUP}/providers/Microsoft.RecoveryServices/vaults"
_F = f"{_V}/replicationFabrics/{{fabric}}"
_C = f"{_F}/replicationProtectionContainers/{{container}}"
_I = f"{_C}/replicationProtectedItems/{{item}}"
_N = f"{_F}/replicationNetworks"
_P = f"{_V}/replicationRecoveryPlans"
_R = f"{_P}/{{plan}}"
_A = f"{_V}/replicationAlertSettings"

_M = f"{_C}/replicationProtectionContainerMappings/{{mapping}}"
_L = f"{_V}/replicationPolicies/{{policy}}"
_W = f"{_N}/{{network}}/replicationNetworkMappings/{{mapping}}"
_RESULT = "operationresults/{operation}"

_remove_fabric = removed(fabrics.get_fabric, fabrics.remove_fabric)
_remove_container = removed(fabrics.get_container, fabrics.remove_container)
_remove_mapping = removed(policies.get_mapping, policies.remove_mapping)
_remove_policy = removed(policies.get_policy, policies.remove_policy)
_remove_network_mapping = removed(networks.get_network_mapping, networks.remove_network_mapping)

SITE_RECOVERY: tuple[Route, ...] = (
    observed("GET", _V, fabrics.get_vault, "vault get"),
    observed("GET", _VAULTS_OF_GROUP, fabrics.list_vaults, "vaults list in group"),
    observed("GET", _VAULTS, fabrics.list_vaults, "vaults list"),
    observed("GET", f"{_V}/replicationFabrics", fabrics.list_fabrics, "fabrics list"),
    observed("GET", _F, fabrics.get_fabric, "fabric get"),
    observed("PUT", _F, fabrics.create_fabric, "fabric create"),
    documented("POST", f"{_F}/remove", _remove_fabric, "fabric delete"),
    documented("DELETE", _F, _remove_fabric, "fabric purge"),
    observed("GET", f"{_F}/{_RESULT}", result_of(fabrics.get_fabric), "operation result of a fabric"),
    documented("GET", f"{_F}/replicationProtectionContainers", fabrics.list_containers, "containers list"),
    documented(
        "GET", f"{_V}/replicationProtectionContainers", fabrics.list_all_containers, "containers list in vault"
    ),
    observed("GET", _C, fabrics.get_container, "container get"),
    observed("PUT", _C, fabrics.create_container, "container create"),
    documented("POST", f"{_C}/remove", _remove_container, "container delete"),
    observed(
        "GET", f"{_C}/replicationProtectionContainerMappings", policies.list_mappings, "container mappings list"
    ),
    documented(
        "GET",
        f"{_V}/replicationProtectionContainerMappings",
        policies.list_mappings,
        "container mappings list in vault",
    ),
    observed(
        "GET",
        f"{_C}/replicationProtectionContainerMappings/{{mapping}}",
        policies.get_mapping,
        "container mapping get",
    ),
    observed("PUT", _M, policies.create_mapping, "container mapping create"),
    documented("PATCH", _M, policies.update_mapping, "container mapping update"),
    documented("POST", f"{_M}/remove", _remove_mapping, "container mapping delete"),
    documented("DELETE", _M, _remove_mapping, "container mapping purge"),
    observed("GET", f"{_M}/{_RESULT}", result_of(policies.get_mapping), "operation result of a mapping"),
    documented("GET", f"{_V}/replicationPolicies", policies.list_policies, "policies list"),
    observed("GET", _L, policies.get_policy, "policy get"),
    observed("PUT", _L, policies.create_policy, "policy create"),
    documented("PATCH", _L, policies.update_policy, "policy update"),
    documented("DELETE", _L, _remove_policy, "policy delete"),
    observed("GET", f"{_L}/{_RESULT}", result_of(policies.get_policy), "operation result of a policy"),
    documented("GET", _N, networks.list_networks, "networks list"),
    documented("GET", f"{_N}/{{network}}", networks.get_network, "network get"),
    documented("GET", _W, networks.get_network_mapping, "network mapping get"),
    observed("PUT", _W, networks.create_network_mapping, "network mapping create"),
    documented("PATCH", _W, networks.update_network_mapping, "network mapping update"),
    documented("DELETE", _W, _remove_network_mapping, "network mapping delete"),
    observed(
        "GET",
        f"{_W}/{_RESULT}",
        result_of(networks.get_network_mapping),
        "operation result of a network mapping",
    ),
    documented("GET", f"{_V}/replicationNetworks", networks.list_all_networks, "networks list all"),
    observed(
        "GET",
        f"{_N}/{{network}}/replicationNetworkMappings",
        networks.list_network_mappings,
        "network mappings list",
    ),
    documented(
        "GET",
        f"{_V}/replicationNetworkMappings",
        networks.list_all_network_mappings,
        "network mappings list in vault",
    ),
    observed("GET", f"{_V}/replicationProtectedItems", items.list_in_vault, "items list"),
    documented("GET", f"{_C}/replicationProtectedItems", items.list_in_container, "items list in container"),
    observed("GET", _I, items.get, "item get"),
    observed("PUT", _I, enabling.enable, "item create (enable)"),
    observed("PATCH", _I, changing.update, "item update"),
    documented("DELETE", _I, items.purge, "item purge"),
    documented("POST", f"{_I}/remove", items.delete, "item delete (disable)"),
    documented("GET", f"{_V}/replicationProtectionClusters", clusters.list_clusters, "clusters list in vault"),
    documented("GET", f"{_C}/replicationProtectionClusters", clusters.list_clusters, "clusters list"),
    documented("GET", f"{_C}/replicationProtectionClusters/{{cluster}}", clusters.get_cluster, "cluster get"),
    observed("GET", f"{_I}/recoveryPoints", items.list_recovery_points, "recovery points list"),
    documented("GET", f"{_I}/recoveryPoints/{{point}}", items.get_recovery_point, "recovery point get"),
    documented("GET", f"{_I}/targetComputeSizes", items.list_target_compute_sizes, "target compute sizes list"),
    documented("POST", f"{_I}/testFailover", items.test_failover, "test failover"),
    documented("POST", f"{_I}/testFailoverCleanup", items.test_failover_cleanup, "test failover cleanup"),
    observed("POST", f"{_I}/unplannedFailover", items.unplanned_failover, "unplanned failover"),
    documented("POST", f"{_I}/applyRecoveryPoint", items.apply_recovery_point, "apply recovery point"),
    observed("POST", f"{_I}/failoverCommit", items.failover_commit, "failover commit"),
    invented("POST", f"{_I}/failoverCancel", items.failover_cancel, "failover cancel"),
    documented("POST", f"{_I}/reProtect", items.reprotect, "re-protect (refused)"),
    observed("POST", f"{_C}/switchprotection", items.switch_protection, "switch protection"),
    observed("GET", f"{_I}/operationresults/{{operation}}", items.operation_result, "operation result of an item"),
    invented(
        "GET", f"{_C}/operationresults/{{operation}}", items.operation_result, "operation result of a container"
    ),
    observed(
        "GET", f"{_V}/replicationOperationStatus/{{operation}}", jobs.get_operation_status, "operation status"
    ),
    observed("GET", f"{_V}/replicationJobs", jobs.list_jobs, "jobs list"),
    observed("GET", f"{_V}/replicationJobs/{{job}}", jobs.get_job, "job get"),
    observed("POST", f"{_V}/replicationJobs/export", jobs.export_jobs, "jobs export"),
    invented("POST", f"{_V}/replicationJobs/{{job}}/cancel", jobs.cancel_job, "job cancel"),
    invented("POST", f"{_V}/replicationJobs/{{job}}/restart", jobs.restart_job, "job restart"),
    invented("POST", f"{_V}/replicationJobs/{{job}}/resume", jobs.resume_job, "job resume"),
    invented(
        "GET",
        f"{_V}/replicationJobs/{{job}}/operationresults/{{operation}}",
        jobs.job_result,
        "operation result of a job",
    ),
    observed("GET", _P, plans.list_plans, "recovery plans list"),
    observed("GET", _R, plans.get_plan, "recovery plan get"),
    observed("PUT", _R, plans.create_plan, "recovery plan create"),
    documented("PATCH", _R, plans.update_plan, "recovery plan update"),
    observed("DELETE", _R, plans.delete_plan, "recovery plan delete"),
    documented("POST", f"{_R}/testFailover", plans.test_failover, "plan test failover"),
    documented("POST", f"{_R}/testFailoverCleanup", plans.test_failover_cleanup, "plan test failover cleanup"),
    observed("POST", f"{_R}/unplannedFailover", plans.unplanned_failover, "plan failover"),
    invented("POST", f"{_R}/failoverCommit", plans.failover_commit, "plan commit"),
    invented("POST", f"{_R}/reProtect", plans.refuse_act, "plan re-protect (refused)"),
    invented("POST", f"{_R}/plannedFailover", plans.refuse_act, "plan planned failover (refused)"),
    invented("POST", f"{_R}/failoverCancel", plans.refuse_act, "plan failover cancel (refused)"),
    observed("GET", f"{_R}/operationresults/{{operation}}", plans.plan_result, "operation result of a plan"),
    observed("GET", f"{_V}/replicationVaultHealth", vault.get_health, "vault health get"),
    observed("POST", f"{_V}/replicationVaultHealth/default/refresh", vault.refresh_health, "vault health refresh"),
    invented(
        "GET",
        f"{_V}/replicationVaultHealth/operationresults/{{operation}}",
        vault.health_result,
        "operation result of a vault",
    ),
    observed("GET", _A, vault.list_alert_settings, "alert settings list"),
    observed("GET", f"{_A}/{{setting}}", vault.get_alert_setting, "alert setting get"),
    observed("PUT", f"{_A}/{{setting}}", vault.put_alert_setting, "alert setting set"),
    observed("GET", f"{_V}/replicationEvents", vault.list_events, "events list"),
    documented("GET", f"{_V}/replicationEvents/{{event}}", vault.get_event, "event get"),
)

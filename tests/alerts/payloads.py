"""Alerts as Azure Monitor words them, one builder for each family."""

from __future__ import annotations

import json
import uuid
from typing import Any

SUBSCRIPTION = "/subscriptions/11111111-1111-1111-1111-111111111111"
VAULT = f"{SUBSCRIPTION}/resourceGroups/contoso-dr/providers/Microsoft.RecoveryServices/vaults/contoso-vault"
ITEM = (
    f"{VAULT}/replicationFabrics/asr-eastus/replicationProtectionContainers/asr-eastus-container"
    "/replicationProtectedItems/ContosoWin2016"
)
FIRED = "2026-11-20T02:00:00.1234567Z"


def alert(
    service: str,
    context: dict[str, Any],
    *,
    custom: dict[str, Any] | None = None,
    targets: list[str] | None = None,
    **essentials: Any,
) -> dict[str, Any]:
    """Word an alert in the common schema."""
    told = {
        "alertId": f"{SUBSCRIPTION}/providers/Microsoft.AlertsManagement/alerts/{uuid.uuid4()}",
        "alertRule": "a-rule",
        "severity": "Sev2",
        "signalType": "Log",
        "monitorCondition": "Fired",
        "monitoringService": service,
        "alertTargetIDs": targets or [SUBSCRIPTION],
        "originAlertId": "origin",
        "firedDateTime": FIRED,
        "description": "",
        "essentialsVersion": "1.0",
        "alertContextVersion": "1.0",
        **essentials,
    }
    data = {"essentials": told, "alertContext": context}
    return {
        "schemaId": "azureMonitorCommonAlertSchema",
        "data": data if custom is None else {**data, "customProperties": custom},
    }


def log(dimensions: dict[str, str] | None = None, **more: Any) -> dict[str, Any]:
    """A log search alert, version 2: its rows are told by dimensions alone."""
    told = [{"name": name, "value": value} for name, value in (dimensions or {}).items()]
    criterion = {
        "searchQuery": "ASRJobs | where Status =~ 'Failed'",
        "targetResourceTypes": "['Microsoft.OperationalInsights/workspaces']",
        "operator": "GreaterThan",
        "threshold": "0",
        "dimensions": told,
        "metricValue": 1.0,
    }
    condition = {"windowSize": "PT10M", "allOf": [criterion]}
    context = {"properties": {"plan": "web"}, "conditionType": "LogQueryCriteria", "condition": condition}
    return alert("Log Alerts V2", context, **more)


def log_v1(service: str = "Log Analytics", computer: str | None = None, **more: Any) -> dict[str, Any]:
    """A log search alert, version 1: its query and its rows stand in the context, without any criteria."""
    context = {
        "SearchQuery": "Heartbeat | summarize AggregatedValue = count() by bin(TimeGenerated, 5m), Computer",
        "SearchIntervalStartTimeUtc": "11/20/2026 1:45:00 AM",
        "ResultCount": 2,
        "SeverityDescription": "Warning",
        "AffectedConfigurationItems": [computer] if computer else [],
        "AlertType": "Metric measurement",
        "IncludeSearchResults": True,
        "Dimensions": [{"name": "Computer", "value": computer}] if computer else [],
        "SearchResults": {"tables": [{"name": "PrimaryResult", "columns": [], "rows": [["x", 11]]}]},
        "Threshold": 10000.0,
        "Operator": "Less Than",
        "IncludedSearchResults": "True",
    }
    return alert(service, context, **{"configurationItems": [], "alertContextVersion": "1.1", **more})


def metric(kind: str = "SingleResourceMultipleMetricCriteria", **more: Any) -> dict[str, Any]:
    """A metric alert, by any kind of criteria."""
    criterion = {"metricName": "DipAvailability", "threshold": "90", "dimensions": [], "metricValue": 12.5}
    context = {"properties": None, "conditionType": kind, "condition": {"allOf": [criterion]}}
    return alert("Platform", context, signalType="Metric", **more)


def administrative(status: str = "Failed", **more: Any) -> dict[str, Any]:
    """An activity log alert about an operation on a protected item."""
    operation = (
        "Microsoft.RecoveryServices/vaults/replicationFabrics/replicationProtectionContainers"
        "/replicationProtectedItems/unplannedFailover/action"
    )
    context = {
        "operationName": operation,
        "status": status,
        "subStatus": "",
        "caller": "22223333-cccc-4444-dddd-5555eeee6666",
        "properties": {"entity": ITEM, "message": operation},
    }
    return alert("Activity Log - Administrative", context, targets=[ITEM.casefold()], **more)


def service_health(
    stage: str = "Resolved",
    tracking: str = "VT60-LC0",
    places: tuple[str, ...] = ("Central US",),
    *,
    kind: str = "Incident",
    escaped: bool = True,
    synthetic: str = "False",
    **more: Any,
) -> dict[str, Any]:
    """A Service Health alert: a recovery is a new alert that has fired, of stage Resolved."""
    impacted = [{"ImpactedRegions": [{"RegionName": each} for each in places], "ServiceName": "Virtual Machines"}]
    properties = {
        "title": "Virtual Machines",
        "trackingId": tracking,
        "stage": stage,
        "incidentType": kind,
        "impactedServices": json.dumps(impacted) if escaped else impacted,
        "IsSynthetic": synthetic,
    }
    operation = f"Microsoft.ServiceHealth/{kind.lower()}/action"
    told = {"channels": 1, "eventSource": 2, "level": 2, "operationName": operation, "status": stage}
    context = {**told, "properties": properties}
    return alert("ServiceHealth", context, signalType="Activity Log", **more)


def resource_health(
    now: str = "Available", before: str = "Unavailable", *, spelt: str = "ResourceHealth", **more: Any
) -> dict[str, Any]:
    """A Resource Health alert about a virtual machine."""
    target = (
        f"{SUBSCRIPTION}/resourcegroups/contoso-app/providers/microsoft.compute/virtualmachines/contosowin2016"
    )
    properties = {"currentHealthStatus": now, "previousHealthStatus": before, "cause": "PlatformInitiated"}
    status = "Resolved" if now == "Available" else "Active"
    return alert(spelt, {"properties": properties, "status": status}, **{"targets": [target], **more})


def site_recovery(job: str | None = None, service: str = "Azure Site Recovery", **more: Any) -> dict[str, Any]:
    """An alert that Site Recovery raises by itself, as its neighbour Azure Backup words its own."""
    context = {
        "category": "Jobs",
        "sourceType": "AzureVM",
        "affectedItems": ITEM,
        "protectedItemId": ITEM,
        "linkedResourceName": "contosowin2016-vm",
        "extendedInfo": {"jobId": job, "possibleCauses": None},
    }
    return alert(service, context, targets=[VAULT.casefold()], **more)


def prometheus(**more: Any) -> dict[str, Any]:
    """An alert of a group of Prometheus rules: its labels are what other metrics call dimensions."""
    group = f"{SUBSCRIPTION}/resourceGroups/g/providers/Microsoft.AlertsManagement/prometheusRuleGroups/x"
    context = {
        "interval": "PT1M",
        "expression": 'up{job="node"} == 0',
        "expressionValue": "0",
        "for": "PT2M",
        "labels": {"alertname": "NodeDown", "cluster": "contoso", "Computer": "web-1"},
        "annotations": {"summary": "no node is up"},
        "ruleGroup": group,
    }
    return alert("Prometheus", context, signalType="Metric", **more)


def activity(service: str, status: str = "Succeeded", **more: Any) -> dict[str, Any]:
    """An alert of another part of the activity log than the administrative one."""
    source = service.rpartition("- ")[2]
    told = {"channels": "Operation", "eventSource": source, "operationName": f"Microsoft.{source}/x/action"}
    context = {**told, "properties": {"resourceName": VAULT}, "status": status, "subStatus": ""}
    return alert(service, context, signalType="Activity Log", **more)


def smart(**more: Any) -> dict[str, Any]:
    """An alert of smart detection."""
    context = {
        "DetectionSummary": "slower than usual",
        "SmartDetectorId": "DependencyPerformanceDegradationDetector",
    }
    return alert("SmartDetector", context, **more)


def cost(kind: str = "Actual", **more: Any) -> dict[str, Any]:
    """An alert of costs: most of what every other alert has is null in it, its condition as well."""
    context = {"AlertCategory": "budgets", "AlertData": {"ThresholdType": kind, "BudgetName": "contoso"}}
    nothing = dict.fromkeys(
        ("alertRule", "severity", "signalType", "monitorCondition", "alertTargetIDs", "originAlertId")
    )
    return alert("CostAlerts", context, **{**nothing, "configurationItems": ["budgets"], **more})


def budget(**more: Any) -> dict[str, Any]:
    """A cost alert, which is none of our families."""
    context = {"AlertCategory": "budgets", "AlertData": {"Amount": "500"}}
    return alert("CostAlerts", context, signalType=None, **more)

"""Every family in the ways that Azure Monitor words it: all are taken, each as what it is, and none as more."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from domain.alerts import Alert, Family, parse
from tests.alerts import payloads
from tests.alerts.payloads import ITEM, SUBSCRIPTION, VAULT
from tests.alerts.world import Alerts, alerts

SAMPLE = json.loads((Path(__file__).parents[2] / "samples/alert-routes.json").read_text())["routes"]
BACKUP = f"{VAULT}/backupFabrics/Azure/protectionContainers/c/protectedItems/vm;web-1"
METRICS = (
    "SingleResourceMultipleMetricCriteria",
    "MultipleResourceMultipleMetricCriteria",
    "DynamicThresholdCriteria",
    "WebtestLocationAvailabilityCriteria",
    "PromQLCriteria",
)


def changed(document: dict[str, Any], **essentials: Any) -> dict[str, Any]:
    """Give an alert with other essentials; what is to be an ellipsis is left out."""
    document = copy.deepcopy(document)
    told = document["data"]["essentials"]
    told |= essentials
    for name in [name for name, value in told.items() if value is ...]:
        del told[name]
    return document


def context(document: dict[str, Any], **more: Any) -> dict[str, Any]:
    """Give an alert with another context."""
    document = copy.deepcopy(document)
    document["data"]["alertContext"] |= more
    return document


def small(value: Any) -> Any:
    """Write every name in small letters, as some of Azure's services do."""
    if isinstance(value, dict):
        return {name.lower(): small(each) for name, each in value.items()}
    return [small(each) for each in value] if isinstance(value, list) else value


def ours(service: str, **where: Any) -> dict[str, Any]:
    """An alert of the vault's own that tells what it is about in one place only."""
    bare = payloads.alert(service, {"category": "Replication", "extendedInfo": None}, targets=[VAULT.casefold()])
    return context(bare, **where)


def logs() -> Iterator[tuple[str, dict[str, Any], bool | None]]:
    yield "version 2", payloads.log({"Computer": "web-1"}), False
    yield "version 2 without properties", context(payloads.log(), properties=None), False
    yield (
        "version 2 with null dimensions",
        context(payloads.log(), condition={"allOf": [{"dimensions": None}]}),
        False,
    )
    yield "version 2 resolved", payloads.log(monitorCondition="Resolved"), True
    yield "version 2 said to be of the platform", payloads.log(monitoringService="Platform"), False
    for service in ("Log Analytics", "Application Insights", "Platform"):
        yield f"version 1 of {service}", payloads.log_v1(service, "web-1"), False
    yield "version 1 without dimensions", payloads.log_v1(), False
    yield "version 1 resolved", payloads.log_v1(monitorCondition="Resolved"), True


def metrics() -> Iterator[tuple[str, dict[str, Any], bool | None]]:
    for kind in METRICS:
        yield kind, payloads.metric(kind), False
        yield f"{kind} resolved", payloads.metric(kind, monitorCondition="Resolved"), True
    yield "nothing but a metric's condition", payloads.metric(monitoringService=None), False
    yield "custom properties null", {**payloads.metric(), "customProperties": None}, False
    yield "targets null", changed(payloads.metric(), alertTargetIDs=None), False
    yield "in capitals", payloads.metric(monitorCondition="RESOLVED", severity="SEV1"), True
    yield "Prometheus", payloads.prometheus(), False
    yield "Prometheus resolved", payloads.prometheus(monitorCondition="Resolved"), True


def activities() -> Iterator[tuple[str, dict[str, Any], bool | None]]:
    for status in ("Started", "Accepted", "Succeeded", "Failed", "Active", "Resolved"):
        yield status, payloads.administrative(status), None
    yield "of an unnamed log", payloads.activity("Activity Log - Administrative"), None
    named_by_its_event = context(payloads.administrative(), eventSource="Administrative")
    yield "named by its event", changed(named_by_its_event, monitoringService="Activity Log"), None


def services() -> Iterator[tuple[str, dict[str, Any], bool | None]]:
    stages = {
        "Active": False,
        "Updated": False,
        "InProgress": False,
        "Resolved": True,
        "RCA": None,
        "Planned": None,
    }
    for stage, recovered in stages.items():
        yield f"incident {stage}", payloads.service_health(stage), recovered
    for stage in ("Active", "Planned", "InProgress", "Rescheduled", "Canceled", "Complete", "Resolved"):
        yield f"maintenance {stage}", payloads.service_health(stage, kind="Maintenance"), None
    for kind in ("Informational", "ActionRequired", "Security", "Billing"):
        yield f"{kind} active", payloads.service_health("Active", kind=kind), None
    yield "security resolved", payloads.service_health("Resolved", kind="Security"), None
    by_operation = payloads.service_health("Active", kind="Maintenance")
    del by_operation["data"]["alertContext"]["properties"]["incidentType"]
    yield "maintenance by its operation", by_operation, None
    by_status = payloads.service_health("Resolved")
    del by_status["data"]["alertContext"]["properties"]["stage"]
    yield "by its status", by_status, True
    yield "an array of services", payloads.service_health(escaped=False), True
    yield "no items of configuration", payloads.service_health(configurationItems=None), True
    yield "named as Azure's", payloads.service_health(monitoringService="Azure Service Health"), True
    yield "named with the log", payloads.service_health(monitoringService="Activity Log - Service Health"), True


def resources() -> Iterator[tuple[str, dict[str, Any], bool | None]]:
    states = {"Available": True, "Unavailable": False, "Degraded": False, "Unknown": None}
    for spelt in ("ResourceHealth", "Resource Health", "resourcehealth"):
        for state, recovered in states.items():
            yield f"{spelt} {state}", payloads.resource_health(state, spelt=spelt), recovered
    for status in ("Active", "In Progress", "Updated", "Resolved"):
        told = context(payloads.resource_health("Unavailable"), status=status)
        yield f"unavailable, event {status}", told, False


def vaults() -> Iterator[tuple[str, dict[str, Any], bool | None]]:
    for service in (
        "Azure Site Recovery",
        "AzureSiteRecovery",
        "Site Recovery",
        "Azure Backup",
        "Recovery Services",
    ):
        yield service, payloads.site_recovery("job-1", service), False
    for place in ("protectedItemId", "affectedItems", "sourceId"):
        yield f"by {place}", ours("Azure Backup", **{place: ITEM}), False
        yield f"by {place} in a list", ours("a new name", **{place: [ITEM]}), False
    yield "by its job", ours("Azure Backup", sourceId=f"{VAULT}/replicationJobs/88df0be3"), False
    yield "by its target", changed(ours("Azure Backup"), alertTargetIDs=[VAULT, ITEM]), False
    yield "by its name alone", ours("Azure Site Recovery"), False
    yield "by an id deep inside", ours("a new name", details={"items": [{"resource": {"id": ITEM}}]}), False
    yield "by ids in a text", ours("a new name", affectedItems=json.dumps([ITEM])), False
    yield "by ids with commas", ours("a new name", affectedItems=f"{VAULT}, {ITEM}"), False
    yield "resolved", payloads.site_recovery(monitorCondition="Resolved"), True


def others() -> Iterator[tuple[str, dict[str, Any], bool | None]]:
    for part in ("Policy", "Autoscale", "Security", "Recommendation"):
        yield part, payloads.activity(f"Activity Log - {part}", "Active", targets=[ITEM]), None
    for kind in ("Actual", "Forecasted"):
        yield f"{kind} cost", payloads.cost(kind), None
    yield "costs as the portal tries them", payloads.cost(monitorCondition="Fired"), None
    yield "smart detection", payloads.smart(), None
    yield "a backup", ours("Azure Backup", protectedItemId=BACKUP, sourceId=ITEM.rpartition("/")[0]), None
    yield "a service nobody knows", payloads.smart(monitoringService="Tomorrow's"), None
    yield "a service without a name", payloads.smart(monitoringService=None), None
    yield (
        "no context",
        changed(payloads.smart()) | {"data": {**payloads.smart()["data"], "alertContext": None}},
        None,
    )


FAMILIES = {
    Family.LOG: logs,
    Family.METRIC: metrics,
    Family.ADMINISTRATIVE: activities,
    Family.SERVICE_HEALTH: services,
    Family.RESOURCE_HEALTH: resources,
    Family.SITE_RECOVERY: vaults,
    Family.OTHER: others,
}
EVERY = [
    pytest.param(family, document, recovered, id=f"{family}: {name}")
    for family, made in FAMILIES.items()
    for name, document, recovered in made()
]


@pytest.mark.parametrize(("family", "document", "recovered"), EVERY)
def test_every_wording_is_told_as_its_family_and_says_whether_it_is_well(
    family: Family, document: dict[str, Any], recovered: bool | None
) -> None:
    for each in (document, small(document)):
        told = parse(each)
        assert (told.family, told.recovered) == (family, recovered)
        assert Alert.from_wire(json.loads(json.dumps(told.to_wire()))) == told


@pytest.fixture(scope="module")
def world() -> Iterator[Alerts]:
    with alerts(*SAMPLE) as world:
        yield world


@pytest.mark.parametrize(("family", "document", "recovered"), EVERY)
def test_every_wording_is_accepted_and_only_a_recovery_opens_a_proposal(
    world: Alerts, family: Family, document: dict[str, Any], recovered: bool | None
) -> None:
    answer = world.send(document)
    routes = answer.json()["routes"]
    assert answer.status == 202
    health = {Family.SERVICE_HEALTH, Family.RESOURCE_HEALTH}
    expected = {True: "opens", False: "unsettles", None: None}[recovered] if family in health else None
    assert routes.get("primary-region-recovered") == expected
    assert ("job-news" in routes) == (family in {Family.SITE_RECOVERY, Family.ADMINISTRATIVE})


# -- what is told beside the family ---------------------------------------------------------------------------


def test_the_first_version_of_log_alerts_tells_its_computer_and_its_words() -> None:
    told = parse(payloads.log_v1(computer="web-1"))
    assert told.machines == ("web-1",)
    assert told.dimensions == {"Computer": "web-1"}
    assert told.context["ResultCount"] == "2"
    by_list = payloads.log_v1(computer="web-1")
    by_list["data"]["alertContext"]["Dimensions"] = None
    assert parse(by_list).machines == ("web-1",)


def test_an_alert_of_prometheus_tells_its_labels_as_dimensions() -> None:
    told = parse(payloads.prometheus())
    assert told.dimensions["alertname"] == "NodeDown"
    assert told.machines == ("web-1",)
    assert told.context["annotations.summary"] == "no node is up"


def test_costs_tell_what_stands_deeper_in_them() -> None:
    assert parse(payloads.cost()).context["AlertData.BudgetName"] == "contoso"


@pytest.mark.parametrize(
    "where",
    [
        {"linkedResourceName": "web-1"},
        {"extendedInfo": {"replicatedItemName": "web-1"}},
        {"properties": {"vmName": "web-1"}},
        {"affectedItems": ["web-1"]},
        {"affectedItems": "web-1"},
    ],
)
def test_an_alert_of_site_recovery_may_call_its_machine_in_several_ways(where: dict[str, Any]) -> None:
    assert parse(ours("Azure Site Recovery", **where)).machines == ("web-1",)


def test_the_rows_of_the_first_version_tell_what_they_are_about() -> None:
    document = payloads.log_v1()
    document["data"]["alertContext"]["SearchResults"]["tables"][0]["rows"] = [["Failed", ITEM], ["Failed", 7]]
    told = parse(document)
    assert (told.item, told.vault, told.machines) == (ITEM, VAULT, ("ContosoWin2016",))


@pytest.mark.parametrize("place", ["protectedItemId", "affectedItems", "sourceId"])
def test_an_alert_of_the_vault_tells_its_machine_wherever_it_stands(place: str) -> None:
    told = parse(ours("Azure Backup", **{place: ITEM}))
    assert (told.item, told.vault, told.machines) == (ITEM, VAULT.casefold(), ("ContosoWin2016",))


def test_of_very_many_machines_the_first_are_told() -> None:
    document = payloads.log_v1()
    place = f"{SUBSCRIPTION}/resourceGroups/g/providers/Microsoft.Compute/virtualMachines"
    rows = [[f"{place}/web-{number}"] for number in range(3_000)]
    document["data"]["alertContext"]["SearchResults"]["tables"][0]["rows"] = rows
    assert parse(document).machines == tuple(f"web-{number}" for number in range(20))


def test_of_several_targets_each_machine_is_told() -> None:
    place = f"{SUBSCRIPTION}/resourceGroups/g/providers/Microsoft.Compute/virtualMachines"
    told = parse(payloads.metric(targets=[f"{place}/web-1", f"{place}/web-2"]))
    assert told.machines == ("web-1", "web-2")


def test_an_activity_is_about_what_it_was_allowed_for_too() -> None:
    scoped = context(payloads.administrative(), authorization={"action": "x", "scope": ITEM}, properties=None)
    told = parse(changed(scoped, alertTargetIDs=[SUBSCRIPTION]))
    assert (told.item, told.machines) == (ITEM, ("ContosoWin2016",))


@pytest.mark.parametrize("custom", [None, {}, {"plan": "web"}, "text", [1], {"plan": "web", "more": {"in": 1}}])
def test_custom_properties_of_any_shape_are_read_or_left(custom: Any) -> None:
    document = payloads.metric()
    document["data"]["customProperties"] = custom
    assert parse(document).custom == ({"plan": "web"} if isinstance(custom, dict) and custom else {})


def test_costs_alone_may_name_no_condition() -> None:
    for document in (payloads.metric(monitorCondition=None), changed(payloads.log(), monitorCondition=...)):
        with pytest.raises(ValueError, match="monitorCondition: expected Fired or Resolved"):
            parse(document)


OPTIONAL = (
    "alertRule", "severity", "signalType", "alertTargetIDs", "originAlertId", "firedDateTime", "description",
    "essentialsVersion", "alertContextVersion", "configurationItems", "alertRuleID", "resolvedDateTime",
)  # fmt: skip
ONE_OF_EACH = [
    payloads.log({"Computer": "web-1"}),
    payloads.log_v1(),
    payloads.metric(),
    payloads.prometheus(),
    payloads.administrative(),
    payloads.service_health(),
    payloads.resource_health(),
    payloads.site_recovery(),
    payloads.smart(),
]


@pytest.mark.parametrize("instead", [..., None, 7, ["text"], {"new": "shape"}])
def test_what_an_alert_can_do_without_may_be_missing_null_or_of_another_shape(instead: Any) -> None:
    for document in ONE_OF_EACH:
        whole = parse(document)
        for name in OPTIONAL:
            told = parse(changed(document, **{name: instead}))
            assert (told.family, told.condition, told.id) == (whole.family, whole.condition, whole.id), name


def test_what_is_new_in_an_alert_changes_nothing_of_it() -> None:
    more = {
        "region": None,
        "investigationLink": "https://portal.azure.com",
        "targetResourceGroup": "g",
        "new": [{}],
    }
    for document in ONE_OF_EACH:
        told = parse({**changed(document, **more), "more": {"in": [1]}})
        assert told.having(context={}) == parse(document).having(context={})


def test_a_machine_that_a_person_started_recovers_nothing_by_the_sample(world: Alerts) -> None:
    document = payloads.resource_health()
    document["data"]["alertContext"]["properties"]["cause"] = "UserInitiated"
    assert world.send(document).json()["routes"] == {}


# -- what is worded by another schema -------------------------------------------------------------------------

OTHER_SCHEMAS: dict[str, Any] = {
    "metric, before the common schema": {"schemaId": "AzureMonitorMetricAlert", "data": {"status": "Activated"}},
    "activity log, before it": {
        "schemaId": "Microsoft.Insights/activityLogs",
        "data": {"status": "Activated", "context": {"activityLog": {"eventSource": "ServiceHealth"}}},
    },
    "log search, before it": {"schemaId": "Microsoft.Insights/LogAlert", "data": {"AlertRuleName": "x"}},
    "budget, before it": {"schemaId": "AIP Budget Notification", "data": {"BudgetName": "x"}},
    "autoscale": {"version": "1.0", "status": "Activated", "operation": "Scale In", "context": {}},
    "event grid": [{"eventType": "Microsoft.EventGrid.SubscriptionValidationEvent", "data": {}}],
    "cloud event": {"specversion": "1.0", "type": "Microsoft.ResourceNotifications", "data": {}},
    "an alert in a text": json.dumps(payloads.metric()),
    "alerts in a list": [payloads.metric(), payloads.log()],
    "the data alone": payloads.metric()["data"],
    "no essentials": {"schemaId": "azureMonitorCommonAlertSchema", "data": {"alertContext": {}}},
    "essentials in a list": {"schemaId": "azureMonitorCommonAlertSchema", "data": {"essentials": [{}]}},
    "an id that is a number": changed(payloads.metric(), alertId=7),
    "a condition nobody knows": changed(payloads.metric(), monitorCondition="Activated"),
    "a condition that is a list": changed(payloads.metric(), monitorCondition=["Fired"]),
}


@pytest.mark.parametrize("document", OTHER_SCHEMAS.values(), ids=OTHER_SCHEMAS)
def test_what_is_worded_otherwise_is_refused_with_its_faults_and_has_no_effect(document: Any) -> None:
    with alerts({"name": "everything", "when": [{}], "note": True}) as world:
        answer = world.send(document)
        told = answer.json()
        assert answer.status == 400
        assert all(each["about"] and each["what"] and each["remedy"] for each in told["faults"])
        assert told["faults"]
        assert world.host.instances() == []

"""What an alert tells, read from the payload of every family, and from payloads that are mangled."""

from __future__ import annotations

import copy
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.alerts import Alert, Condition, Family, NotAnAlertError, moment, parse
from domain.errors import Refusal
from tests.alerts import payloads
from tests.alerts.payloads import FIRED, ITEM, VAULT

RECORDED = Path(__file__).parents[3] / "shared/data/alert-payloads"
EVERY_FAMILY = [
    payloads.log({"ReplicatedItemId": ITEM}),
    payloads.log_v1(computer="web-1"),
    payloads.metric(),
    payloads.prometheus(),
    payloads.administrative(),
    payloads.service_health(),
    payloads.resource_health(),
    payloads.site_recovery(),
    payloads.budget(),
    payloads.cost(),
]


def refused(document: Any) -> dict[str | None, str]:
    with pytest.raises(NotAnAlertError) as raised:
        parse(document)
    return {fault.about: fault.what for fault in raised.value.faults}


# -- every family ---------------------------------------------------------------------------------------------


def test_a_log_search_alert_tells_its_dimensions_and_what_they_name() -> None:
    rows = {"ReplicatedItemId": ITEM, "OperationName": "Reprotect", "JobUniqueId": "job-7", "Computer": "web-1"}
    told = parse(payloads.log(rows, custom={"plan": "web-tier"}))
    assert told.family is Family.LOG
    assert told.dimensions["OperationName"] == "Reprotect"
    assert told.custom == {"plan": "web-tier"}
    assert (told.vault, told.item, told.job) == (VAULT, ITEM, "job-7")
    assert told.machines == ("ContosoWin2016", "web-1")
    assert told.recovered is False
    assert told.context["threshold"] == "0"


def test_a_log_search_alert_is_known_by_its_condition_too() -> None:
    rows = {"OperationName": "Reprotect", "Empty": "", "": "nameless"}
    told = parse(payloads.log(rows, monitoringService="a new name"))
    assert told.family is Family.LOG
    assert told.dimensions == {"OperationName": "Reprotect"}


def test_a_log_search_alert_without_custom_properties_beside_it_tells_those_in_its_context() -> None:
    assert parse(payloads.log()).custom == {"plan": "web"}


@pytest.mark.parametrize(
    "kind",
    [
        "SingleResourceMultipleMetricCriteria",
        "MultipleResourceMultipleMetricCriteria",
        "DynamicThresholdCriteria",
        "WebtestLocationAvailabilityCriteria",
    ],
)
def test_a_metric_alert_is_told_by_every_kind_of_criteria(kind: str) -> None:
    told = parse(payloads.metric(kind, monitoringService="something new"))
    assert told.family is Family.METRIC
    assert told.context["conditionType"] == kind


def test_a_resolved_metric_alert_is_another_delivery_of_the_same_subject() -> None:
    fired = payloads.metric()
    resolved = copy.deepcopy(fired)
    resolved["data"]["essentials"] |= {"monitorCondition": "Resolved", "resolvedDateTime": "2026-11-20T03:00:00Z"}
    before, after = parse(fired), parse(resolved)
    assert (before.condition, after.condition) == (Condition.FIRED, Condition.RESOLVED)
    assert (before.recovered, after.recovered) == (False, True)
    assert before.key != after.key
    assert before.subject == after.subject
    assert after.at == datetime(2026, 11, 20, 3, tzinfo=UTC)


def test_an_activity_log_alert_tells_the_item_and_never_that_anything_recovered() -> None:
    told = parse(payloads.administrative("Succeeded"))
    assert told.family is Family.ADMINISTRATIVE
    assert told.item == ITEM.casefold()
    assert (told.stage, told.recovered) == ("Succeeded", None)
    assert told.target_type == "microsoft.recoveryservices/vaults"


@pytest.mark.parametrize("escaped", [True, False])
def test_service_health_tells_its_regions_as_escaped_text_or_as_a_list(escaped: bool) -> None:
    told = parse(payloads.service_health(places=("Central US", "East US"), escaped=escaped))
    assert told.family is Family.SERVICE_HEALTH
    assert told.regions == ("centralus", "eastus")
    assert told.subject == told.tracking_id == "VT60-LC0"


@pytest.mark.parametrize(
    ("stage", "recovered"),
    [("Resolved", True), ("Active", False), ("RCA", None), ("Planned", None), ("InProgress", False)],
)
def test_a_service_has_recovered_only_at_stage_resolved(stage: str, recovered: bool | None) -> None:
    told = parse(payloads.service_health(stage))
    assert (told.recovered, told.condition) == (recovered, Condition.FIRED)


def test_a_synthetic_event_is_known_as_one() -> None:
    assert parse(payloads.service_health(synthetic="True")).synthetic
    assert not parse(payloads.service_health()).synthetic


@pytest.mark.parametrize("spelt", ["ResourceHealth", "Resource Health", "Activity Log - Resource Health"])
@pytest.mark.parametrize(("now", "recovered"), [("Available", True), ("Unavailable", False), ("Unknown", None)])
def test_resource_health_tells_by_its_own_status(spelt: str, now: str, recovered: bool | None) -> None:
    told = parse(payloads.resource_health(now, spelt=spelt))
    assert told.family is Family.RESOURCE_HEALTH
    assert told.recovered is recovered
    assert told.machines == ("contosowin2016",)
    assert told.subject.endswith("virtualmachines/contosowin2016")


def test_resource_health_without_details_tells_by_the_status_of_the_event() -> None:
    document = payloads.resource_health()
    document["data"]["alertContext"]["properties"] = None
    document["data"]["essentials"]["alertTargetIDs"] = None
    told = parse(document)
    assert told.recovered is True
    assert told.subject == told.id.casefold()


@pytest.mark.parametrize("service", ["Azure Site Recovery", "AzureSiteRecovery", "a name nobody published"])
def test_site_recovery_is_known_by_vault_and_protected_item(service: str) -> None:
    told = parse(payloads.site_recovery("job-1", service))
    assert told.family is Family.SITE_RECOVERY
    assert told.vault == VAULT.casefold()
    assert (told.item, told.job) == (ITEM, "job-1")
    assert told.machines == ("ContosoWin2016", "contosowin2016-vm")


@pytest.mark.parametrize("service", ["Azure Backup", "SmartDetector", "CostAlerts", ""])
def test_what_is_none_of_ours_is_told_as_other(service: str) -> None:
    told = parse(payloads.budget(monitoringService=service))
    assert (told.family, told.recovered) == (Family.OTHER, None)


def test_a_job_is_found_in_an_id_too() -> None:
    told = parse(payloads.log({"Job": f"{VAULT}/replicationJobs/88df0be3"}))
    assert told.job == "88df0be3"


def test_an_alert_is_told_in_one_sentence() -> None:
    words = parse(payloads.service_health(alertRule="primary")).words
    assert words == "a Service Health alert by rule primary of VT60-LC0: Resolved, well again"
    tried = parse(payloads.service_health(alertRule="primary", synthetic="True")).words
    assert tried.endswith("Resolved, well again, synthetic: no route hears it")
    assert parse(payloads.metric(alertRule="")).words == "a metric alert by rule without a name: fired"


# -- recorded payloads ----------------------------------------------------------------------------------------


@pytest.mark.skipif(not RECORDED.is_dir(), reason="the recorded payloads are not beside this project")
@pytest.mark.parametrize(
    ("file", "expected"),
    [
        ("activity-log-administrative-asr-failover", (Family.ADMINISTRATIVE, "asr-failover-activity", None)),
        ("asr-builtin-failover-failure.inferred", (Family.SITE_RECOVERY, "Failover Failure", False)),
        ("asr-builtin-replication-health-critical.inferred", (Family.SITE_RECOVERY, None, False)),
        ("log-v2-asr-job-failed", (Family.LOG, "asr-job-failed", False)),
        ("log-v2-rpo-breach", (Family.LOG, "asr-rpo-breach", False)),
        ("log-v2-rpo-breach-resolved", (Family.LOG, "asr-rpo-breach", True)),
        ("metric-static-fired", (Family.METRIC, "lb-probe-primary", False)),
        ("metric-test-action", (Family.METRIC, "test-metricAlertRule", False)),
        ("resource-health-resolved", (Family.RESOURCE_HEALTH, "vm-resource-health", True)),
        ("service-health-incident-active", (Family.SERVICE_HEALTH, "svc-health-primary-region", False)),
    ],
)
def test_a_recorded_payload_is_told_as_its_family(file: str, expected: tuple[Family, str | None, bool]) -> None:
    told = parse(json.loads((RECORDED / f"{file}.json").read_text()))
    family, rule, recovered = expected
    assert told.family is family
    assert told.rule == (rule or told.rule)
    assert told.recovered is recovered
    assert told.fired == "2026-11-22T10:00:00.1234567Z"
    if family in {Family.SITE_RECOVERY, Family.LOG, Family.ADMINISTRATIVE}:
        assert (told.vault or "").endswith("/vaults/rsv-dr")
        assert told.machines[0] in {"vm1-guid", "vm1"}


@pytest.mark.skipif(not RECORDED.is_dir(), reason="the recorded payloads are not beside this project")
def test_no_two_recorded_payloads_are_one_delivery() -> None:
    documents = [json.loads(file.read_text()) for file in RECORDED.glob("*.json") if ".negative" not in file.name]
    assert len({parse(document).key for document in documents}) == len(documents) > 5


@pytest.mark.skipif(not RECORDED.is_dir(), reason="the recorded payloads are not beside this project")
def test_a_recorded_payload_of_another_schema_is_refused() -> None:
    document = json.loads((RECORDED / "noncommon-metric.negative.json").read_text())
    assert "AzureMonitorMetricAlert" in refused(document)["schemaId"]


# -- what is no alert -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("document", [None, 3, "text", [], {}, {"schemaId": []}, {"schemaId": "another"}])
def test_what_is_not_the_common_schema_is_refused_with_what_to_switch_on(document: Any) -> None:
    assert list(refused(document)) == ["schemaId"]


def test_everything_without_which_there_is_no_alert_is_named_at_once() -> None:
    bare = {"schemaId": "azureMonitorCommonAlertSchema"}
    assert set(refused(bare)) == {"data.essentials.alertId", "data.essentials.monitorCondition"}
    assert "'Maybe'" in refused(payloads.log(monitorCondition="Maybe"))["data.essentials.monitorCondition"]


@pytest.mark.parametrize("place", ["customProperties", "alertContext"])
def test_a_class_marker_is_refused_wherever_it_hides(place: str) -> None:
    document = payloads.log()
    document["data"][place] = {"deep": [{"__class__": "os", "__module__": "os", "__data__": "rm"}]}
    assert list(refused(document)) == ["__class__"]


def test_endless_nesting_is_refused() -> None:
    document = payloads.log()
    inner: Any = {}
    for _ in range(5_000):
        inner = {"in": inner}
    document["data"]["alertContext"]["more"] = inner
    assert "nested" in refused(document)["data"]


def test_half_a_character_is_left_out() -> None:
    told = parse(payloads.metric(alertRule="half \ud800", custom={"\udfff": "x \udc00"}))
    assert told.rule == "half ?"
    assert json.dumps(told.to_wire()).encode()


def test_impacted_services_that_cannot_be_read_name_no_region() -> None:
    for written in ("[", "[" * 50_000, "3", 7):
        document = payloads.service_health()
        document["data"]["alertContext"]["properties"]["impactedServices"] = written
        assert parse(document).regions == ()


# -- deliveries -----------------------------------------------------------------------------------------------


def test_the_same_delivery_has_the_same_key_and_every_other_another() -> None:
    document = payloads.metric()
    keys = {parse(document).key, parse(copy.deepcopy(document)).key}
    for change in ({"monitorCondition": "Resolved"}, {"firedDateTime": "2026-11-20T02:00:00.1234568Z"}):
        other = copy.deepcopy(document)
        other["data"]["essentials"] |= change
        keys.add(parse(other).key)
    assert len(keys) == 3
    assert parse(document).delivery == f"alert-{parse(document).key}"


def test_seven_digits_of_a_second_are_kept_and_read() -> None:
    told = parse(payloads.metric())
    assert told.fired == FIRED
    assert told.at == datetime(2026, 11, 20, 2, 0, 0, 123_456, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("2026-11-20T02:00:00+02:00", datetime(2026, 11, 20, tzinfo=UTC)),
        ("2026-11-20T02:00:00-0330", datetime(2026, 11, 20, 5, 30, tzinfo=UTC)),
        ("2026-11-20t02:00:00.5z", datetime(2026, 11, 20, 2, 0, 0, 500_000, tzinfo=UTC)),
        ("2026-11-20T02:00:00.123456789+00:00", datetime(2026, 11, 20, 2, 0, 0, 123_456, tzinfo=UTC)),
        ("2026-11-20T02:00:00", datetime(2026, 11, 20, 2, tzinfo=UTC)),
        ("2026-13-20T02:00:00Z", None),
        ("0001-01-01T00:00:00+14:00", None),
        ("tomorrow", None),
        (None, None),
    ],
)
def test_a_time_is_read_or_is_none(text: str | None, read: datetime | None) -> None:
    assert moment(text) == read


# -- mangled --------------------------------------------------------------------------------------------------

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=12), inner, max_size=3),
    max_leaves=8,
)


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(place for name, each in inner for place in places(each, (*path, name)))]


@st.composite
def mangled(draw: st.DrawFn) -> Any:
    document = copy.deepcopy(draw(st.sampled_from(EVERY_FAMILY)))
    for _ in range(draw(st.integers(1, 4))):
        path = draw(st.sampled_from(places(document)))
        if not path:
            return draw(JSON)
        holder = document
        for name in path[:-1]:
            holder = holder[name]
        if draw(st.booleans()):
            holder[path[-1]] = draw(JSON)
        else:
            del holder[path[-1]]
    return document


def read(document: Any) -> tuple[Alert | None, tuple[Refusal, ...]]:
    try:
        return parse(document), ()
    except NotAnAlertError as error:
        return None, error.faults


@given(mangled())
def test_a_mangled_alert_is_read_or_refused_with_its_faults(document: Any) -> None:
    told, faults = read(document)
    assert all(fault.about and fault.what and fault.remedy for fault in faults)
    if told is None:
        assert faults
        return
    wire = json.dumps(told.to_wire())
    assert Alert.from_wire(json.loads(wire)) == told
    assert len(wire) < 150_000
    assert "__class__" not in wire

"""Routes: which alerts they want, what those are to them, and every fault of a file at once."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from domain.alert_routes import Part, Route, Routes, RoutesError, Start, When, correlation, part_of, read
from domain.alerts import parse
from tests.alerts import payloads
from tests.alerts.payloads import VAULT

SAMPLE = Path(__file__).parents[2] / "samples/alert-routes.json"
REQUEST = {"vault": VAULT, "machines": "failedOver"}


def route(**more: Any) -> Route:
    given = {"name": "a", "when": [{"family": "serviceHealth", "recovered": True}], "note": True, **more}
    return Route.from_wire(given)


def faults(*routes: Any, **more: Any) -> str:
    with pytest.raises(RoutesError) as raised:
        read(json.dumps({"routes": list(routes), **more}), "the test")
    return "\n".join(raised.value.faults)


# -- the file -------------------------------------------------------------------------------------------------


def test_the_sample_is_a_file_that_can_be_used() -> None:
    routes = read(SAMPLE.read_text(), "sample").routes
    assert [each.name for each in routes] == [
        "primary-region-recovered",
        "drill-when-asked",
        "job-news",
        "replication-lag",
    ]
    first = routes[0].propose
    assert first is not None
    assert first.start is Start.ASK


def test_a_route_asks_people_unless_it_says_otherwise() -> None:
    proposed = route(note=False, propose={"request": REQUEST}).propose
    assert proposed is not None
    assert proposed.start is Start.ASK


def test_every_fault_of_a_file_is_named_with_its_place() -> None:
    told = faults(
        {"name": "Bad Name", "when": [], "note": True},
        {
            "name": "a",
            "when": [{"family": "weather", "where": "color == 'red'"}],
            "holdDown": "soon",
            "note": True,
        },
        {"name": "b", "when": [{"recovered": True}]},
        {"name": "c", "when": [{"recovered": True}], "note": True, "wake": {}},
        {"name": "d", "when": [{}], "correlateBy": ["colour"], "note": True},
        {"name": "e", "when": [{"surprise": 1}], "propose": {"request": {"vault": "x", "mode": "plan"}}},
        surprise=1,
    ).splitlines()
    places = [line.split(": ")[0] for line in told]
    assert places == [
        "routes[0].name",
        "routes[0].when",
        "routes[1].when[0].family[0]",
        "routes[1].when[0].where",
        "routes[1].holdDown",
        "routes[2]",
        "routes[3]",
        "routes[4].correlateBy",
        "routes[5].when[0].surprise",
        "routes[5].propose.request",
        "surprise",
    ]
    assert "character 1: there is no field color" in told[3]
    assert "a route does one thing" in told[5]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"vault": "x"}, "vault: expected a vault's ARM id"),
        ({"machines": "all of them"}, 'machines: expected a list of names, "failedOver" or a tag'),
        ({"machines": []}, "machines: name at least one"),
        ({"machines": 3}, "machines: expected a list"),
        ({"machines": {"tag": {"name": "x"}}}, "tag.value: give this field"),
        ({"mode": "plan"}, "mode: a plan changes nothing"),
        ({"requestedBy": "me"}, "requestedBy: failback says this by itself"),
        ({"proposed": {}}, "proposed: failback says this by itself"),
        ({"color": "red"}, "color: there is no such field"),
    ],
)
def test_a_proposed_request_is_judged_when_the_app_starts(change: dict[str, Any], words: str) -> None:
    told = faults({"name": "a", "when": [{}], "propose": {"request": {**REQUEST, **change}}})
    assert told.startswith("routes[0].propose.request: ")
    assert words in told


@pytest.mark.parametrize("machines", ["failedOver", ["a", {"name": "b"}], {"tag": {"name": "x", "value": "y"}}])
def test_machines_are_named_or_chosen_later(machines: Any) -> None:
    assert route(note=False, propose={"request": {**REQUEST, "machines": machines}}).propose


def test_every_fault_says_what_would_be_right() -> None:
    told = faults(
        {"name": "Bad Name", "when": {"family": "log"}, "holdDown": "soon", "note": True},
        {"name": "a", "when": [{"recovered": "maybe", "vault": "contoso"}], "wake": {"vault": "contoso"}},
        {"name": "b", "when": [{"severety": "Sev1"}], "holddown": "PT5M", "giveUpAfter": "P20D", "note": True},
        "c",
        {"name": "d", "when": [{"family": "log", "xyz": 1}], "propose": {"start": "now", "request": []}},
        {"name": "e", "when": [{"rule": 7}], "note": True},
    ).splitlines()
    vault = "expected a vault's ARM id, which begins with /subscriptions/"
    assert told == [
        'routes[0].name: expected small letters, digits and hyphens, forty at the most (given: "Bad Name")',
        'routes[0].when: expected a list (given: {"family": "log"})',
        'routes[0].holdDown: expected a length of time, such as "PT30M" (given: "soon")',
        f"routes[1].when[0].vault: {vault}",
        'routes[1].when[0].recovered: expected true or false (given: "maybe")',
        f"routes[1].wake.vault: {vault}",
        'routes[2].when[0].severety: there is no such field; did you mean severity? (given: "Sev1")',
        'routes[2].giveUpAfter: Input should be less than or equal to 14 days (given: "20 days, 0:00:00")',
        'routes[2].holddown: there is no such field; did you mean holdDown? (given: "PT5M")',
        'routes[3]: expected an object (given: "c")',
        "routes[4].when[0].xyz: there is no such field (given: 1)",
        "routes[4].propose.start: expected 'ask' or 'atOnce' (given: \"now\")",
        "routes[4].propose.request: expected an object (given: [])",
        "routes[5].when[0].rule: expected a list (given: 7)",
    ]


def test_two_routes_of_one_name_are_a_fault() -> None:
    same = {"name": "a", "when": [{}], "note": True}
    assert faults(same, same) == "routes: named more than once: a"


def test_a_file_that_is_not_json_is_a_fault_with_its_line() -> None:
    for text, words in (('{\n"routes": [,]}', "line 2, column 12"), ("[" * 100_000, "nested"), ("[]", "file: ")):
        with pytest.raises(RoutesError) as raised:
            read(text, "routes.json")
        assert words in str(raised.value)
        assert "routes.json" in str(raised.value)


# -- conditions -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "when",
    [
        {},
        {"family": "log"},
        {"family": ["metric", "log"]},
        {"rule": "asr-*"},
        {"rule": ["x", "ASR-JOB-FAILED"]},
        {"severity": ["sev0", "sev1"]},
        {"vault": VAULT.upper()},
        {"target": "*/vaults/*"},
        {"custom": {"Plan": "web*"}},
        {"dimensions": {"operationname": "reprotect"}},
        {"where": 'dimensions.OperationName == "Reprotect" and severity == "Sev1"'},
        {"recovered": False},
        {"condition": "fired"},
        {"where": None},
    ],
)
def test_a_condition_that_an_alert_meets(when: dict[str, Any]) -> None:
    rows = {"ReplicatedItemId": payloads.ITEM, "OperationName": "Reprotect"}
    alert = parse(
        payloads.log(
            rows, alertRule="asr-job-failed", severity="Sev1", custom={"plan": "web-tier"}, targets=[VAULT]
        )
    )
    assert When.from_wire(when).matches(alert)


@pytest.mark.parametrize(
    "when",
    [
        {"family": "metric"},
        {"rule": "asr"},
        {"severity": "Sev0"},
        {"vault": VAULT + "x"},
        {"target": "*/virtualMachines/*"},
        {"region": "Central US"},
        {"custom": {"plan": "db"}},
        {"dimensions": {"absent": "*"}},
        {"where": 'severity == "Sev0"'},
        {"recovered": True},
        {"condition": "resolved"},
        {"family": "log", "rule": "nothing"},
    ],
)
def test_a_condition_that_an_alert_does_not_meet(when: dict[str, Any]) -> None:
    alert = parse(payloads.log({"OperationName": "Reprotect"}, alertRule="asr-job-failed", severity="Sev1"))
    assert not When.from_wire(when).matches(alert)


def test_a_region_is_the_same_in_both_spellings() -> None:
    alert = parse(payloads.service_health(places=("West Europe", "Central US")))
    assert When.from_wire({"region": "centralus"}).matches(alert)
    assert When.from_wire({"region": ["North Europe", "West Europe"]}).matches(alert)
    assert When.from_wire({"where": 'recovered == true and regions has "centralus"'}).matches(alert)


def test_without_a_word_on_it_only_an_alert_that_fired_is_meant() -> None:
    resolved = parse(payloads.metric(monitorCondition="Resolved"))
    assert not When.from_wire({"family": "metric"}).matches(resolved)
    assert When.from_wire({"family": "metric", "condition": "resolved"}).matches(resolved)
    assert When.from_wire({"family": "metric", "recovered": True}).matches(resolved)


# -- what an alert is to a route ------------------------------------------------------------------------------


def test_good_news_opens_and_the_bad_news_of_its_kind_unsettles() -> None:
    recovered = route()
    assert part_of(recovered, parse(payloads.service_health("Resolved"))) is Part.OPENS
    assert part_of(recovered, parse(payloads.service_health("Active"))) is Part.UNSETTLES
    assert part_of(recovered, parse(payloads.service_health("RCA"))) is None
    assert part_of(recovered, parse(payloads.resource_health())) is None


def test_a_synthetic_event_is_nothing_to_any_route() -> None:
    assert part_of(route(when=[{}]), parse(payloads.service_health(synthetic="True"))) is None


def test_what_a_route_names_as_bad_news_unsettles_until_it_is_resolved() -> None:
    watching = route(unless=[{"family": "metric"}])
    assert part_of(watching, parse(payloads.metric())) is Part.UNSETTLES
    assert part_of(watching, parse(payloads.metric(monitorCondition="Resolved"))) is Part.SETTLES


def test_an_alert_that_is_resolved_takes_itself_back() -> None:
    failed = route(when=[{"family": "log"}])
    assert part_of(failed, parse(payloads.log())) is Part.OPENS
    assert part_of(failed, parse(payloads.log(monitorCondition="Resolved"))) is Part.TAKES_BACK


def test_a_probe_that_is_well_again_opens_and_one_that_fails_anew_unsettles() -> None:
    for word in ({"recovered": True}, {"condition": "resolved"}):
        probe = route(when=[{"family": "metric", **word}])
        assert part_of(probe, parse(payloads.metric(monitorCondition="Resolved"))) is Part.OPENS
        assert part_of(probe, parse(payloads.metric())) is Part.UNSETTLES


def test_alerts_are_one_storm_unless_fields_part_them() -> None:
    one, other = (parse(payloads.log(custom={"plan": plan})) for plan in ("web", "db"))
    assert correlation(route(), one) == correlation(route(), other) == "all"
    parted = route(correlateBy=["custom.plan", "regions"])
    assert correlation(parted, one) == "custom.plan=web; regions="
    assert correlation(parted, one) != correlation(parted, other)


def test_no_routes_are_routes_too() -> None:
    assert read("{}", "nothing") == Routes()

"""What docs/alerts.md says is so."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from pathlib import Path

import pytest

from domain import alert_terms
from domain.alert_routes import _PLAIN, Part, Proposal, Route, When, is_field, part_of, read
from domain.alerts import Family, parse
from domain.settings.alerts import AlertSettings
from domain.wire import Wire
from triggers.alerts import AZNS

TEXT = (Path(__file__).parents[2] / "docs/alerts.md").read_text()


def table(heading: str) -> dict[str, list[str]]:
    """Read a table: its first column's names, with the other cells."""
    part = TEXT.split(f"| {heading} |", 1)[1].split("\n\n", 1)[0]
    rows = [[cell.strip() for cell in line.strip("|").split(" | ")] for line in part.splitlines()[2:]]
    return {name: row[1:] for row in rows for name in re.findall(r"`([^`]+)`", row[0].split(",")[0])}


def test_the_example_can_be_used_as_it_stands() -> None:
    example = TEXT.split("```json", 1)[1].split("```", 1)[0]
    assert [route.name for route in read(example, "docs").routes] == ["primary-region-recovered"]


def test_the_expression_can_be_read() -> None:
    expression = TEXT.split("```kusto", 1)[1].split("```", 1)[0]
    alert_terms.compiled(expression, is_field)


@pytest.mark.parametrize(
    ("heading", "model"),
    [("field of a route", Route), ("field of a condition", When), ("field of `propose`", Proposal)],
)
def test_every_field_is_told(heading: str, model: type[Wire]) -> None:
    part = TEXT.split(f"| {heading} |", 1)[1].split("\n\n", 1)[0]
    told = {name for line in part.splitlines()[2:] for name in re.findall(r"`([^`]+)`", line.split(" | ")[0])}
    assert told == {field.alias for field in model.model_fields.values()}


def test_the_alert_to_try_opens_the_first_route_of_the_sample() -> None:
    samples = Path(__file__).parents[2] / "samples"
    alert = parse(json.loads((samples / "region-recovered.json").read_text()))
    routes = read((samples / "alert-routes.json").read_text(), "sample").routes
    assert [part_of(route, alert) for route in routes] == [Part.OPENS, None, None, None]
    # Shortened as the page says, the same routes wait for seconds.
    text = (samples / "alert-routes.json").read_text()
    short = read(text.replace('"PT5M"', '"PT5S"').replace('"PT30M"', '"PT10S"'), "sample").routes[0]
    assert (short.hold_down, short.stable_for) == (timedelta(seconds=5), timedelta(seconds=10))


def test_defaults_are_told_as_they_are() -> None:
    told = {name: cells[-1].strip(" |`") for name, cells in table("field of a route").items()}
    route = Route.from_wire({"name": "a", "when": [{}], "note": True}).to_wire()
    for name in ("holdDown", "stableFor", "giveUpAfter", "coolDown"):
        assert told[name] == route[name]


def test_every_family_and_every_field_of_an_expression_is_told() -> None:
    assert set(table("family")) == {family.value for family in Family}
    assert all(f"`{name}`" in TEXT for name in _PLAIN)


def test_every_setting_of_alerts_is_told() -> None:
    for field in AlertSettings.model_fields.values():
        assert str(field.validation_alias) in TEXT
    assert AZNS in TEXT

"""Every property that Bicep writes is one that Azure's own SDK knows, of a value that it takes."""

from __future__ import annotations

from typing import Any

import pytest

from tests.infra.bicep import Declaration, File, files
from tests.infra.models import MODELS, OURS, faults

WRITTEN = [(bicep, each) for bicep in files() for each in bicep.all("resource").values() if not each.is_existing]


@pytest.mark.parametrize(
    ("bicep", "resource"), WRITTEN, ids=[f"{bicep.path.stem}.{each.name}" for bicep, each in WRITTEN]
)
def test_a_resource_is_of_the_shape_that_the_sdk_knows(bicep: File, resource: Declaration) -> None:
    assert faults(str(resource.of), bicep.body(resource)) == []


def test_every_model_is_used() -> None:
    used = {str(each.of).split("@", maxsplit=1)[0] for _, each in WRITTEN}
    assert used == {name.split(":", maxsplit=1)[0] for name in [*MODELS, *OURS]}


SITE = "Microsoft.Web/sites@2025-03-01"
RULE = "Microsoft.AlertsManagement/actionRules@2021-08-08"


@pytest.mark.parametrize(
    ("of", "body", "what"),
    [
        (SITE, {"location": "x", "properties": {"httpOnly": True}}, "not a property"),
        (SITE, {"location": "x", "properties": {"httpsOnly": "true"}}, "not of type bool"),
        (SITE, {"location": "x", "properties": {"defaultHostName": "x"}}, "read-only"),
        (SITE, {"location": "x", "identity": {"type": "Everybody"}}, "none of"),
        (SITE, {"properties": {}}, "missing"),
        (SITE, {"location": "x", "properties": {"siteConfig": {"appSettings": [{"key": "x"}]}}}, "not a property"),
        (SITE, {"location": "x", "properties": {"siteConfig": {"appSettings": {}}}}, "not expected"),
        (SITE, {"location": "x", "properties": {"siteConfig": []}}, "not expected"),
        (
            RULE,
            {"location": "x", "properties": {"scopes": [], "actions": [{"actionType": "AddActionGroups"}]}},
            "missing",
        ),
    ],
)
def test_a_wrong_shape_is_found(of: str, body: dict[str, Any], what: str) -> None:
    found = faults(of, {"name": "x", **body})
    assert [each for each in found if what in each]


def test_api_versions_are_the_ones_that_were_chosen() -> None:
    # One version a type: what was checked is what is deployed.
    versions: dict[str, set[str]] = {}
    for bicep in files():
        for each in bicep.all("resource").values():
            kind, _, version = str(each.of).partition("@")
            versions.setdefault(kind, set()).add(version)
    assert {kind: found for kind, found in versions.items() if len(found) > 1} == {}

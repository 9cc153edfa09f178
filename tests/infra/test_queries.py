"""Every query of the alert rules, the workbook and the gateway asks for tables and columns that there are."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from domain.pace import SLOW_PACE
from domain.settings import Settings
from gateway.queries import heartbeat_by_name, heartbeat_since, of_operator
from tests.infra.bicep import INFRA, file
from tests.infra.kql import TABLES, UnreadableError, check

SERVICE = Path("build/kusto")
SHARED = Path("../shared/tools/kql/kql.js")
RULES = {path.stem: path.read_text().strip() for path in sorted((INFRA / "kql").glob("*.kql"))}
WORKBOOK = {
    f"workbook: {item['name']}": str(item["content"]["query"])
    for item in json.loads((INFRA / "workbook.json").read_text())["items"]
    if item["type"] == 3
}
QUERIES = RULES | WORKBOOK


def rules() -> dict[str, Any]:
    """Give the properties of each log alert rule by the file of its query."""
    alerts = file("modules/alerts.bicep")
    found: dict[str, Any] = {}
    for each in alerts.all("resource").values():
        if "scheduledQueryRules" in str(each.of):
            name = re.search(r"loadTextContent\('\.\./kql/([a-z-]+)\.kql'\)", (each.node.text or b"").decode())
            assert name
            found[name[1]] = alerts.body(each)["properties"]
    return found


@pytest.mark.parametrize("name", QUERIES)
def test_a_query_uses_only_columns_that_there_are(name: str) -> None:
    assert check(QUERIES[name])


@pytest.mark.parametrize("name", RULES)
def test_a_rule_finds_what_it_counts_measures_and_splits_by(name: str) -> None:
    criteria = rules()[name]["criteria"]["allOf"][0]
    wanted = {dimension["name"] for dimension in criteria["dimensions"]}
    wanted |= {criteria[key] for key in ("metricMeasureColumn", "resourceIdColumn") if key in criteria}
    # Azure Monitor sorts the rows into its windows by their time.
    assert wanted | {"TimeGenerated"} <= check(QUERIES[name])
    assert ("metricMeasureColumn" in criteria) == (criteria["timeAggregation"] != "Count")


def test_every_query_file_belongs_to_a_rule() -> None:
    assert set(rules()) == set(RULES)


def test_a_rule_looks_back_at_least_as_far_as_its_query() -> None:
    # The window bounds what the query sees, whatever the query says.
    assert rules()["app-stuck"]["windowSize"] == "P1D"
    assert "ago(30m)" in RULES["app-stuck"]


def test_a_stage_that_is_well_is_never_taken_for_one_that_stands_still() -> None:
    # A paused stage looks at the slow pace too; a gate, which may wait for days, is no stage.
    assert Settings().look_every * SLOW_PACE * 2 < timedelta(minutes=30)


@pytest.mark.parametrize(
    "query",
    [
        "ASRJobs | where State == 'Failed'",
        "ASRReplicatedItems | where RpoInSeconds > 900",
        "ASRJobs | wher Status == 'x'",
        "Nowhere | where Status == 'x'",
        "ASRJobs | project Status | where VaultName == 'x'",
        "ASRJobs | summarize count() by Status | project VaultName",
        "ASRJobs | where shout(Status)",
        "ASRJobs | where (Status == 'x'",
        'ASRJobs | where Status == "x"',
        "ASRJobs | where",
    ],
)
def test_a_wrong_query_is_found(query: str) -> None:
    with pytest.raises(UnreadableError):
        check(query)


def test_columns_are_followed_from_stage_to_stage() -> None:
    query = "ASRJobs | extend A = tostring(Status), B = DurationMs / 60 | summarize arg_max(TimeGenerated, A) by B"
    assert check(query) == {"TimeGenerated", "A", "B"}
    assert check("ASRJobs | summarize N = count() by bin(TimeGenerated, 15m)") == {"TimeGenerated", "N"}


@pytest.mark.skipif(
    not (SERVICE / "node_modules").is_dir(), reason="make infra-lint installs the language service"
)
@pytest.mark.skipif(shutil.which("node") is None, reason="needs node")
def test_the_language_service_finds_no_fault() -> None:
    vm = "/subscriptions/s/resourceGroups/g/providers/Microsoft.Compute/virtualMachines/n"
    since = datetime(2026, 11, 22, tzinfo=UTC)
    ours = {"heartbeat": heartbeat_since(vm, since), "by name": heartbeat_by_name("o'n\\e", since, [vm])}
    asked = {**QUERIES, **ours, "an operator's": of_operator("Heartbeat | where Computer == 'x';")}
    assert told([*asked.items()]) == []
    assert told([("wrong", "ASRJobs | where State == 'x'")]) != []


def told(queries: list[tuple[str, str]]) -> list[str]:
    command = ["node", "tests/infra/kusto.js", str(SERVICE)]
    ran = subprocess.run(command, input=json.dumps(queries), capture_output=True, text=True, check=True)
    return ran.stdout.splitlines()


@pytest.mark.skipif(not SHARED.is_file(), reason="the other list of columns is not beside this project")
def test_another_list_of_columns_agrees() -> None:
    text = SHARED.read_text()
    for table in ("ASRJobs", "ASRReplicatedItems"):
        listed = re.search(rf"\b{table}:{{([^}}]*)}}", text)
        assert listed
        theirs = set(re.findall(r"(\w+):'", listed[1]))
        assert set(TABLES[table]) <= theirs


def test_a_stage_that_begins_anew_has_not_ended() -> None:
    """The durable extension logs each new beginning as Completed, and tells it apart in a field of its own."""
    ending = [query for query in QUERIES.values() if "'Completed', 'Failed', 'Terminated'" in query]
    assert len(ending) == 2
    for query in ending:
        assert "BeganAnew = tostring(Properties['prop__continuedAsNew']) =~ 'true'" in query
        assert "'Terminated') and BeganAnew == false" in query

"""What is asked of machines comes from configuration, is read at the start, and all of its faults are named."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from domain.settings import Settings, SettingsError

RULES = {
    "probes": [
        {
            "machines": "web-*",
            "port": 443,
            "path": "/health",
            "tls": True,
            "host": "app.contoso.com",
            "status": [200],
        },
        {"port": 3389, "reachesTests": True},
    ],
    "queries": [{"name": "errors", "machines": "WEB-?", "kql": "Event | where EventLevelName == 'Error'"}],
}


def read(value: str) -> Settings:
    return Settings.from_environment({"FAILBACK_VALIDATION": value})


def test_rules_stand_in_the_setting_or_in_a_file(tmp_path: Path) -> None:
    place = tmp_path / "rules.json"
    place.write_text(json.dumps(RULES))
    assert read(json.dumps(RULES)).validation == read(str(place)).validation
    assert Settings().validation.probes == ()


def test_a_rule_concerns_machines_by_name_and_test_machines_only_when_told() -> None:
    rules = read(json.dumps(RULES)).validation
    assert [each.name for each in rules.probes_of("Web-1", rehearsed=False)] == ["https :443/health", "port 3389"]
    assert [each.name for each in rules.probes_of("db-1", rehearsed=False)] == ["port 3389"]
    assert [each.name for each in rules.probes_of("web-1", rehearsed=True)] == ["port 3389"]
    assert [each.name for each in rules.queries_of("web-1", rehearsed=False)] == ["errors"]
    assert rules.queries_of("web-1", rehearsed=True) == ()
    assert rules.queries_of("web-10", rehearsed=False) == ()
    # A protected item may be called otherwise than its machine.
    assert [each.name for each in rules.queries_of("8d4a-1c", "web-1", rehearsed=False)] == ["errors"]


@pytest.mark.parametrize(
    "value",
    [
        "{",
        "/no/such/file.json",
        '{"probes": [{"port": 0}]}',
        '{"probes": [{"port": 80, "path": "health"}]}',
        '{"probes": [{"port": 80, "path": "/a b"}]}',
        '{"probes": [{"port": 80, "path": "/a\\r\\nHost: evil"}]}',
        '{"probes": [{"port": 80, "path": "/", "host": "a\\r\\nb"}]}',
        '{"probes": [{"port": 80, "tls": true}]}',
        '{"probes": [{"port": 80, "address": "10.0.0.1"}]}',
        '{"queries": [{"name": "", "kql": "Event"}]}',
        "[1]",
    ],
)
def test_rules_that_cannot_be_used_are_refused_at_the_start(value: str) -> None:
    with pytest.raises(SettingsError, match="FAILBACK_VALIDATION"):
        read(value)


@pytest.mark.parametrize("value", ["contoso-logs", "2222"])
def test_a_workspace_is_named_by_its_id(value: Any) -> None:
    with pytest.raises(SettingsError, match="FAILBACK_LOGS_WORKSPACE"):
        Settings.from_environment({"FAILBACK_LOGS_WORKSPACE": value})

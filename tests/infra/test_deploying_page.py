"""docs/deploying.md tells of every parameter, right, rule and value of host.json, and of no other."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.infra.bicep import INFRA, File, file, files

PAGE = Path("docs/deploying.md").read_text()
MAIN = file("main.bicep")


def rows(heading: str) -> list[list[str]]:
    """Give the cells of the table under a heading, without its own head."""
    part = re.split(r"^## ", PAGE.split(f"\n## {heading}\n", maxsplit=1)[1], flags=re.MULTILINE)[0]
    lines = [line for line in part.splitlines() if line.startswith("| ")]
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines[1:]]


def parameter_rows() -> Iterator[list[str]]:
    """Say of each parameter what the page should say, from Bicep and the parameter file."""
    document = json.loads((INFRA / "main.parameters.json").read_text())["parameters"]
    for name, param in MAIN.all("param").items():
        found = re.match(r"\$\{(\w+)", document.get(name, {}).get("value", ""))
        default = MAIN.value(param.parts[0]) if param.parts else None
        written = str(default).lower() if isinstance(default, bool) else default
        shown = "none, needed" if not param.parts else "empty" if default in ("", {}) else f"`{written}`"
        description = MAIN.value(param.decorators["description"].named_children[0])
        yield [f"`{name}`", f"`{found[1]}`" if found else "in the file", shown, description]


def leaves(document: Any, path: str = "") -> Iterator[str]:
    if isinstance(document, dict):
        for name, value in document.items():
            yield from leaves(value, f"{path}.{name}" if path else name)
    else:
        yield path


def test_every_parameter_has_its_row() -> None:
    assert rows("Parameters") == list(parameter_rows())


def test_every_value_of_host_json_has_its_reason() -> None:
    table = rows("host.json, value by value")
    assert [row[0].strip("`") for row in table] == list(leaves(json.loads(Path("host.json").read_text())))
    assert all(len(row) == 3 and row[2] for row in table)


def test_every_role_of_our_own_is_told_of() -> None:
    roles = re.findall(r"roleName: '([^(]+) \(", file("modules/roles.bicep").text)
    told = [row[0] for row in rows("Rights")]
    assert [role for role in roles if role not in told] == []


def test_every_alert_rule_is_told_of_and_goes_where_the_page_says() -> None:
    alerts = file("modules/alerts.bicep")
    told = {row[0]: row[2] for row in rows("Alerts")}
    made: dict[str, str] = {}
    for each in alerts.all("resource").values():
        if "actionGroups@" not in str(each.of):
            text = (each.node.text or b"").decode()
            made[str(alerts.body(each)["name"])] = "people, app" if "everybody.id" in text else "people"
    assert told == made


def test_the_sample_routes_ask_for_rules_that_are_made() -> None:
    asked = set(re.findall(r'"rule": "([\w-]+)"', Path("samples/alert-routes.json").read_text()))
    # The load balancer is the reader's own.
    assert asked - {"lb-probe-primary"} == {"failback-job-failed", "failback-rpo-breach"}
    assert asked - {"lb-probe-primary"} <= {row[0] for row in rows("Alerts")}


def test_what_only_a_live_run_can_tell_is_numbered_and_says_what_to_look_at() -> None:
    table = rows("The first live run")
    assert [row[0] for row in table] == [str(i + 1) for i in range(len(table))]
    assert all(len(row) == 4 and all(row) for row in table)


@pytest.mark.parametrize("link", sorted(set(re.findall(r"\]\(([^)#]+)[^)]*\)", PAGE))))
def test_links_lead_somewhere(link: str) -> None:
    assert link.startswith("https://") or (Path("docs") / link).exists()


def test_commands_set_what_the_parameter_file_reads() -> None:
    read = set(re.findall(r"\$\{(\w+)", (INFRA / "main.parameters.json").read_text()))
    hooks = "".join(path.read_text() for path in (INFRA / "hooks").glob("*.sh"))
    for name in re.findall(r"azd env set (\w+)|`(FAILBACK_\w+)=", PAGE):
        asked = "".join(name)
        assert asked in read or asked in hooks or asked == "NAME", asked


SKIPS = [(bicep, line.strip()) for bicep in files() for line in bicep.text.splitlines() if "checkov:skip" in line]


@pytest.mark.parametrize(("bicep", "line"), SKIPS, ids=[f"{b.path.stem}-{i}" for i, (b, _) in enumerate(SKIPS)])
def test_a_finding_is_set_aside_only_with_a_reason(bicep: File, line: str) -> None:
    found = re.fullmatch(r"// checkov:skip=(CKV2?_AZURE_\d+): (.+)", line)
    assert found, bicep.path
    assert len(found[2].split()) >= 5

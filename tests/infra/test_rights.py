"""The roles hold exactly what the gateway calls, and what Site Recovery checks stands apart with a reason."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from gateway.inventory import DELETABLE
from tests.infra.bicep import file, files
from tests.infra.rights import (
    action,
    called_beside_the_sdk,
    called_through_the_reader,
    called_through_the_sdk,
    readers,
    sdk_operations,
    vault_paths,
)
from tests.rehearsal import NAME, Rehearsal

ROLES = file("modules/roles.bicep")
VALUES = {name: ROLES.value(each.parts[0]) for name, each in ROLES.all("var").items()}
LISTS = {name: value for name, value in VALUES.items() if isinstance(value, list)}
CALLED = {right for name, rights in LISTS.items() if name.endswith("Calls") for right in rights}


def test_the_roles_hold_each_call_of_the_gateway_and_no_other() -> None:
    called = called_through_the_sdk() | called_through_the_reader() | called_beside_the_sdk()
    assert called - CALLED == set(), "the gateway calls what no role allows: add it to infra/modules/roles.bicep"
    assert CALLED - called == set(), "a role allows what the gateway does not call: take it out of roles.bicep"


def test_what_the_gateway_deletes_is_all_that_the_roles_let_it_delete() -> None:
    wanted = {f"{kind}/delete" for kind in DELETABLE}
    held = {right.casefold() for rights in LISTS.values() for right in rights if right.endswith("/delete")}
    assert wanted - held == set(), "the gateway deletes what no role allows: add it to infra/modules/roles.bicep"
    assert held - wanted == set(), "a role allows a deletion that nothing makes: take it out of roles.bicep"


def test_a_run_that_changes_its_point_makes_exactly_the_calls_that_the_roles_allow() -> None:
    rehearsal = Rehearsal()
    vault = rehearsal.azure.vault(rehearsal.request()["vault"])
    item = next(each for each in vault.machines() if each.snapshot.name == NAME)
    held = {disk.id.casefold() for disk in item.disks}
    older = min(
        (point for point in vault.points(item.snapshot.id) if held <= {disk.casefold() for disk in point.disks}),
        key=lambda point: point.time,
    )
    change = {"decision": "changeRecoveryPoint", "recoveryPoints": {NAME: {"select": "custom", "id": older.id}}}
    answers = [{"decision": "approve"}, change, {"decision": "approve"}]
    rehearsal.play(lambda _gate: answers.pop(0))
    calls = rehearsal.simulator.journal.calls
    made = {action(call.method, call.path) for call in calls if call.path.startswith("/subscriptions/")}
    # Azure gives ids in whatever case; rights are compared without it.
    assert {right.casefold() for right in made} == {right.casefold() for right in CALLED}


@pytest.mark.parametrize("name", LISTS)
def test_every_right_has_a_reason_above_it_or_above_its_neighbour(name: str) -> None:
    lines = [
        line.strip() for line in ROLES.text.partition(f"var {name} = [\n")[2].partition("\n]")[0].splitlines()
    ]
    assert lines[0].startswith("// ")
    assert [line for line in lines if not line.startswith(("// ", "'Microsoft."))] == []


def test_no_right_is_a_wildcard_or_reaches_further_than_it_must() -> None:
    rights = [right for rights in LISTS.values() for right in rights]
    assert [right for right in rights if "*" in right] == []
    assert [right for right in rights if "Authorization" in right or "runCommand" in right] == []


def test_evidence_cannot_be_deleted_by_the_app() -> None:
    assert [right for right in LISTS["evidenceData"] if right.endswith("delete")] == []


def test_each_list_is_part_of_a_role() -> None:
    used = {use.name for use in ROLES.uses()}
    assert set(LISTS) <= used


def test_each_role_is_given_where_it_belongs_and_nowhere_else() -> None:
    given: dict[str, str] = {}
    for bicep in files():
        for name, module in bicep.all("module").items():
            if {"roleId", "writerRoleId"} & set(bicep.body(module)["params"]):
                given[name] = str(module.of).rpartition("/")[2]
    assert given == {
        "evidence": "evidence.bicep",
        "vault": "vault.bicep",
        "regionRight": "right-on-subscription.bicep",
        "machineRight": "right-on-group.bicep",
        "widerMachineRight": "right-on-group.bicep",
        "networkRight": "right-on-group.bicep",
        "cacheRight": "right-on-group.bicep",
    }


def test_each_role_has_a_name_that_no_other_subscription_of_the_tenant_gives() -> None:
    names = re.findall(r"roleName: '(.*)'", ROLES.text)
    assert len(names) == len(set(names)) == len(ROLES.all("resource"))
    assert [name for name in names if not name.endswith("(${suffix})")] == []
    assert "uniqueString(everywhere)" in str(ROLES.all("var")["suffix"].parts[0].text)


def test_a_right_is_given_in_the_subscription_that_the_id_names() -> None:
    """A workspace for heartbeats often lies in another one, beside a resource group of the same name."""
    scopes = re.findall(r"scope: (resourceGroup\(.*\))", file("modules/rights.bicep").text)
    assert len(scopes) == 5
    assert set(scopes) == {"resourceGroup(split(id, '/')[2], split(id, '/')[4])"}


def test_a_call_is_found_also_behind_a_name() -> None:
    source = "c = self._client.replication_protected_items\nc.begin_resolve_health_errors(x)\nheaders.get(1)\n"
    assert sdk_operations(source) == {("replication_protected_items", "begin_resolve_health_errors")}


def test_a_call_is_found_also_where_no_sdk_makes_it() -> None:
    source = "self._reader.each(f'{self.vault}/replicationProtectedItems', V)\nreader.get(f'{vault_id}/x', V)\n"
    assert list(vault_paths(source)) == ["replicationProtectedItems"]


def test_every_reader_of_the_gateway_is_asked() -> None:
    named = {each.__name__ for each in readers()}
    sources = [path.read_text() for path in Path("gateway").rglob("*.py")]
    assert len(named) == sum(text.count("reader: ArmReader") for text in sources)


@pytest.mark.parametrize(
    ("method", "path", "right"),
    [
        ("GET", "/subscriptions/s/providers/Microsoft.Compute/skus", "Microsoft.Compute/skus/read"),
        ("GET", "/subscriptions/s/providers/A.B/locations/x/usages", "A.B/locations/usages/read"),
        ("POST", "/subscriptions/s/resourceGroups/g/providers/A.B/c/n/d/m/act", "A.B/c/d/act/action"),
    ],
)
def test_a_right_is_named_after_the_resource_type(method: str, path: str, right: str) -> None:
    assert action(method, path) == right

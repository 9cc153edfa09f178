"""Pipelines sign in without a secret, take pinned steps, and hand azd every value that the parameters read."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.infra.bicep import INFRA

WORKFLOWS = sorted(Path(".github/workflows").glob("*.yml"))
DEPLOY = Path(".github/workflows/azure-dev.yml")
AZDO = Path(".azdo/pipelines/azure-dev.yml")
# Known to azd from who signs in, in a pipeline.
OF_AZD = {"AZURE_PRINCIPAL_ID"}


def document(path: Path) -> Any:
    return yaml.safe_load(path.read_text())


def steps(path: Path) -> list[dict[str, Any]]:
    return [step for job in document(path)["jobs"].values() for step in job["steps"]]


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_a_workflow_may_read_and_little_else(path: Path) -> None:
    rights = document(path)["permissions"]
    assert rights["contents"] == "read"
    assert set(rights) <= {"contents", "id-token"}
    assert ("id-token" in rights) == (path == DEPLOY)


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_every_step_of_others_is_pinned_to_a_version(path: Path) -> None:
    used = [step["uses"] for step in steps(path) if "uses" in step]
    assert used
    assert [each for each in used if not re.fullmatch(r"[\w-]+/[\w-]+@(v\d+|[0-9a-f]{40})", each)] == []


@pytest.mark.parametrize("path", [*WORKFLOWS, AZDO], ids=lambda path: path.name)
def test_no_pipeline_holds_or_reads_a_secret(path: Path) -> None:
    assert "secrets." not in path.read_text()
    assert not re.search(r"(?i)client[-_]secret|password", path.read_text())


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_every_command_that_is_called_exists(path: Path) -> None:
    targets = set(re.findall(r"^([a-z-]+):", Path("Makefile").read_text(), flags=re.MULTILINE))
    for step in steps(path):
        found = re.match(r"make ([a-z-]+)", step.get("run", ""))
        assert found is None or found[1] in targets


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_nothing_from_outside_is_put_into_a_shell_line(path: Path) -> None:
    assert [step["run"] for step in steps(path) if "${{" in step.get("run", "")] == []


def test_the_deployment_signs_in_by_the_branch_that_azd_made_a_credential_for() -> None:
    """`azd pipeline config` trusts the branch; a job with an environment has another subject in its token."""
    assert "environment" not in document(DEPLOY)["jobs"]["deploy"]


def test_every_job_ends_by_itself() -> None:
    for path in WORKFLOWS:
        assert all(job["timeout-minutes"] <= 60 for job in document(path)["jobs"].values())


def test_the_workflow_hands_azd_every_value_that_the_parameters_read() -> None:
    read = set(re.findall(r"\$\{(\w+)", (INFRA / "main.parameters.json").read_text())) - OF_AZD
    handed = document(DEPLOY)["jobs"]["deploy"]["env"]
    assert read - set(handed) == set()
    for name in read - {"AZURE_PRINCIPAL_TYPE"}:
        assert handed[name] == f"${{{{ vars.{name} }}}}"


def test_azure_devops_hands_on_no_name_of_a_variable_that_is_not_set() -> None:
    # $(NAME) stays as it is written where there is no such variable.
    assert "$(" not in AZDO.read_text()


def test_what_ci_runs_includes_the_compiler_the_audit_and_the_search_for_secrets() -> None:
    ran = json.dumps([step.get("run", "") for step in steps(Path(".github/workflows/ci.yml"))])
    for command in (
        "make check",
        "make test",
        "make infra-lint",
        "az bicep build",
        "make audit",
        "make sbom",
        "make secrets",
    ):
        assert command in ran

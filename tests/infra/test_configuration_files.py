"""azure.yaml, host.json and the workbook are what their readers expect, by schemas as narrow as our use."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft7Validator, Draft202012Validator, validate, validators

from infra.backend import PROVIDERS, choose
from localhost.app import read_settings
from tests.infra.bicep import INFRA, file

SHARED = Path("../shared/data/schemas")
HOST = json.loads(Path("host.json").read_text())
AZURE: Any = yaml.safe_load(Path("azure.yaml").read_text())
WORKBOOK = json.loads((INFRA / "workbook.json").read_text())


def strict(required: tuple[str, ...] = (), **properties: Any) -> dict[str, Any]:
    """Make the schema of an object that has these properties and no others."""
    return {
        "type": "object",
        "properties": properties,
        "additionalProperties": False,
        "required": [*(required or properties)],
    }


TEXT: dict[str, Any] = {"type": "string", "minLength": 1}
SPAN = {"type": "string", "pattern": r"^\d\d:\d\d:\d\d$"}
COUNT = {"type": "integer", "minimum": 1}
SWITCH = {"type": "boolean"}
STORAGE = strict(
    partitionCount={"type": "integer", "minimum": 1, "maximum": 16},
    controlQueueBufferThreshold=COUNT,
    maxQueuePollingInterval=SPAN,
)
SCHEDULER = strict(type={"const": "azureManaged"}, connectionStringName=TEXT)
LEVEL = {"enum": ["Trace", "Debug", "Information", "Warning", "Error", "Critical", "None"]}
HOST_SCHEMA = strict(
    version={"const": "2.0"},
    functionTimeout=SPAN,
    extensionBundle=strict(
        id={"const": "Microsoft.Azure.Functions.ExtensionBundle"},
        version={"type": "string", "pattern": r"^\[4\.\d+\.\d+, 5\.0\.0\)$"},
    ),
    extensions=strict(
        http=strict(
            routePrefix={"type": "string", "pattern": "^[a-z]*$"},
            maxOutstandingRequests=COUNT,
            maxConcurrentRequests=COUNT,
            hsts=strict(isEnabled=SWITCH, maxAge={"type": "string", "pattern": r"^\d+$"}),
        ),
        durableTask=strict(
            # The extension's own rule for names of hubs.
            hubName={"type": "string", "pattern": "^[A-Za-z][A-Za-z0-9]{2,44}$"},
            defaultVersion={"type": "string", "pattern": r"^\d+\.\d+$"},
            versionMatchStrategy={"enum": ["None", "Strict", "CurrentOrOlder"]},
            versionFailureStrategy={"enum": ["Reject", "Fail"]},
            storageProvider={"oneOf": [STORAGE, SCHEDULER]},
            maxConcurrentActivityFunctions=COUNT,
            maxConcurrentOrchestratorFunctions=COUNT,
            extendedSessionsEnabled={"const": False},
            tracing=strict(
                distributedTracingEnabled=SWITCH, version={"enum": ["V1", "V2"]}, traceInputsAndOutputs=SWITCH
            ),
        ),
    ),
    logging=strict(
        logLevel={"type": "object", "additionalProperties": LEVEL},
        applicationInsights=strict(
            samplingSettings=strict(
                isEnabled=SWITCH,
                excludedTypes={
                    "type": "string",
                    "pattern": "^(Dependency|Event|Exception|PageView|Request|Trace)(;(?1))*$".replace(
                        "(?1)", "(Dependency|Event|Exception|PageView|Request|Trace)"
                    ),
                },
            )
        ),
    ),
)
SHELL = strict(("shell", "run"), shell={"enum": ["sh", "pwsh"]}, run=TEXT, interactive=SWITCH)
HOOK = strict(posix=SHELL, windows=SHELL)
AZURE_SCHEMA = strict(
    name={"type": "string", "pattern": "^[a-z0-9]([-a-z0-9]*[a-z0-9])?$"},
    metadata=strict(template={"type": "string", "pattern": r"^[a-z-]+@\d+\.\d+\.\d+$"}),
    infra=strict(provider={"const": "bicep"}, path=TEXT),
    services=strict(
        api=strict(
            project={"const": "."},
            language={"const": "python"},
            host={"const": "function"},
            hooks=strict(prepackage=HOOK),
        )
    ),
    hooks=strict(preprovision=HOOK, postprovision=HOOK, predown=HOOK),
)
QUERY = strict(
    version={"const": "KqlItem/1.0"},
    query=TEXT,
    size={"type": "integer"},
    title=TEXT,
    timeContextFromParameter={"const": "TimeRange"},
    queryType={"const": 0},
    resourceType={"const": "microsoft.operationalinsights/workspaces"},
    visualization={"enum": ["table", "timechart"]},
)
TEXT_ITEM = strict(type={"const": 1}, content=strict(json=TEXT), name=TEXT)
QUERY_ITEM = strict(type={"const": 3}, content=QUERY, name=TEXT)
PARAMETER_ITEM = strict(type={"const": 9}, content={"type": "object", "required": ["parameters"]}, name=TEXT)
WORKBOOK_SCHEMA = strict(
    **{"$schema": TEXT},
    version={"const": "Notebook/1.0"},
    isLocked=SWITCH,
    fallbackResourceIds={"type": "array"},
    items={"type": "array", "items": {"oneOf": [TEXT_ITEM, QUERY_ITEM, PARAMETER_ITEM]}},
)


@pytest.mark.parametrize(
    ("document", "schema"),
    [(HOST, HOST_SCHEMA), (AZURE, AZURE_SCHEMA), (WORKBOOK, WORKBOOK_SCHEMA)],
    ids=["host.json", "azure.yaml", "workbook.json"],
)
def test_a_file_has_what_its_reader_knows_and_nothing_else(document: Any, schema: dict[str, Any]) -> None:
    Draft202012Validator.check_schema(schema)
    validate(document, schema)


def test_names_in_the_workbook_are_its_own() -> None:
    names = [item["name"] for item in WORKBOOK["items"]]
    assert len(names) == len(set(names))


@pytest.mark.skipif(not SHARED.is_dir(), reason="the public schemas are not beside this project")
def test_the_public_schema_of_azd_agrees() -> None:
    schema = json.loads((SHARED / "azure.yaml.schema.json").read_text())
    assert [error.message for error in validators.validator_for(schema)(schema).iter_errors(AZURE)] == []


@pytest.mark.skipif(not SHARED.is_dir(), reason="the public schemas are not beside this project")
@pytest.mark.parametrize("backend", PROVIDERS)
def test_the_public_schema_of_the_host_agrees_but_for_what_it_does_not_know_yet(backend: str) -> None:
    schema = json.loads((SHARED / "host.schema.json").read_text())
    schema = {"definitions": schema["definitions"], "$ref": "#/definitions/version-2"}
    document = json.loads(choose(Path("host.json").read_text(), backend))
    durable = document["extensions"]["durableTask"]
    # Documented, and newer than the public schema.
    durable.pop("defaultVersion")
    durable.pop("versionMatchStrategy")
    durable.pop("versionFailureStrategy")
    durable["storageProvider"].pop("type", None)
    faults = list(Draft7Validator(schema).iter_errors(document))
    assert [error.message for error in faults] == []


def test_azd_finds_the_app_by_the_tag_of_its_service() -> None:
    app = file("modules/app.bicep")
    assert f"'azd-service-name': '{next(iter(AZURE['services']))}'" in app.text


def test_every_hook_that_is_named_can_be_run() -> None:
    hooks = [*AZURE["hooks"].values(), *AZURE["services"]["api"]["hooks"].values()]
    for hook in hooks:
        for word in f"{hook['posix']['run']} {hook['windows']['run']}".split():
            if word.startswith("infra/"):
                assert Path(word).is_file()
        first = hook["posix"]["run"].split()[0]
        assert not first.startswith("infra/") or Path(first).stat().st_mode & 0o111


def test_a_hub_is_called_the_same_everywhere() -> None:
    main = file("main.bicep")
    assert main.value(main.all("var")["hubName"].parts[0]) == HOST["extensions"]["durableTask"]["hubName"]


def test_the_worker_has_a_thread_for_all_that_may_run_at_once() -> None:
    durable = HOST["extensions"]["durableTask"]
    main = file("main.bicep")
    settings = main.value(main.all("var")["hostSettings"].parts[0])
    at_once = durable["maxConcurrentActivityFunctions"] + durable["maxConcurrentOrchestratorFunctions"]
    assert int(settings["PYTHON_THREADPOOL_THREAD_COUNT"]) > at_once


def test_what_the_stuck_alert_reads_is_logged_and_not_sampled() -> None:
    assert HOST["logging"]["logLevel"]["Host.Triggers.DurableTask"] == "Information"
    assert "Trace" in HOST["logging"]["applicationInsights"]["samplingSettings"]["excludedTypes"]


# -- the backend -------------------------------------------------------------------------------------------


def test_the_committed_file_is_that_of_azure_storage() -> None:
    text = Path("host.json").read_text()
    assert choose(text, "storage") == text


def test_a_backend_changes_its_provider_and_nothing_else() -> None:
    text = Path("host.json").read_text()
    chosen = json.loads(choose(text, "scheduler"))
    validate(chosen, HOST_SCHEMA)
    assert chosen["extensions"]["durableTask"].pop("storageProvider") == PROVIDERS["scheduler"]
    plain = json.loads(text)
    del plain["extensions"]["durableTask"]["storageProvider"]
    assert chosen == plain
    assert choose(choose(text, "scheduler"), "storage") == text
    assert read_settings(json.loads(choose(text, "scheduler"))) == read_settings(HOST)


def test_bicep_offers_the_backends_that_host_json_can_name() -> None:
    main = file("main.bicep")
    allowed = main.value(main.all("param")["backend"].decorators["allowed"].named_children[0])
    assert set(allowed) == set(PROVIDERS)
    assert PROVIDERS["scheduler"]["connectionStringName"] in main.text


@pytest.mark.parametrize(("asked", "code"), [("scheduler", 0), ("", 0), ("cosmos", 2)])
def test_the_hook_writes_the_file_beside_it(tmp_path: Path, asked: str, code: int) -> None:
    (tmp_path / "infra").mkdir()
    script = tmp_path / "infra" / "backend.py"
    script.write_text((INFRA / "backend.py").read_text())
    (tmp_path / "host.json").write_text(Path("host.json").read_text())
    ran = subprocess.run([sys.executable, str(script), asked], check=False, capture_output=True, text=True)
    assert ran.returncode == code
    provider = json.loads((tmp_path / "host.json").read_text())["extensions"]["durableTask"]["storageProvider"]
    assert provider == PROVIDERS["scheduler" if asked == "scheduler" else "storage"]

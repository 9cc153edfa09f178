"""What azd packs is what the app needs, and it runs where nothing else is: packed, unpacked alone, and loaded."""

from __future__ import annotations

import ast
import json
import os
import re
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from importlib.metadata import Distribution, distribution
from pathlib import Path

import pytest
from pathspec import GitIgnoreSpec

ROOT = Path(__file__).resolve().parents[2]
MEGABYTES = 120
SECONDS = 1.5
PACKAGES = {"activities", "domain", "gateway", "identity", "orchestrators", "triggers"}
# On 3.13 and later Azure's worker brings its own runtime; it is no part of the package.
WORKER = ["azure-functions-runtime", "azurefunctions-extensions-base"]


def packed(root: Path) -> Iterator[Path]:
    """Walk a project as azd does: what .funcignore names is left out, with all that is in it."""
    spec = GitIgnoreSpec.from_lines((root / ".funcignore").read_text().splitlines())
    for directory, folders, names in os.walk(root):
        here = Path(directory).relative_to(root)
        folders[:] = [each for each in folders if not spec.match_file(f"{here / each}/")]
        yield from (here / name for name in names if not spec.match_file(str(here / name)))


def deployed() -> list[Distribution]:
    """Give the installed distributions that requirements.txt names for this interpreter."""
    lines = (ROOT / "requirements.txt").read_text().splitlines()
    wanted = [
        line.split(" ")[0].partition(";")[0] for line in lines if re.match(r"[a-zA-Z]", line) and applies(line)
    ]
    return [distribution(line.partition("==")[0].partition("[")[0]) for line in wanted]


def applies(line: str) -> bool:
    from packaging.requirements import Requirement  # noqa: PLC0415 - pip's own, and pytest's

    marker = Requirement(line.rstrip("\\ ")).marker
    return marker is None or marker.evaluate()


@pytest.fixture(scope="session")
def unpacked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("package")
    archive = folder / "package.zip"
    with zipfile.ZipFile(archive, "w") as made:
        for path in packed(ROOT):
            made.write(ROOT / path, path)
    alone = folder / "wwwroot"
    with zipfile.ZipFile(archive) as made:
        made.extractall(alone)
    return alone


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The locked distributions and no others, as links to what is installed here."""
    folder = tmp_path_factory.mktemp("site")
    link(folder, deployed())
    return folder


def link(folder: Path, distributions: list[Distribution]) -> None:
    for each in distributions:
        for file in each.files or ():
            if ".." not in file.parts and file.suffix != ".pyc":
                target = folder / file
                target.parent.mkdir(parents=True, exist_ok=True)
                if not target.exists():
                    target.symlink_to(each.locate_file(file))


def ask(script: str, *paths: Path, cwd: Path) -> dict[str, object]:
    """Run a script where only the standard library and these paths are found; it prints JSON last."""
    prelude = f"import sys; sys.path[:0] = {[str(path) for path in paths]!r}; sys.dont_write_bytecode = True\n"
    ran = subprocess.run(
        [sys.executable, "-I", "-S", "-c", prelude + script], cwd=cwd, capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, ran.stderr[-2000:]
    found: dict[str, object] = json.loads(ran.stdout.splitlines()[-1])
    return found


def test_the_package_holds_the_app_and_nothing_else(unpacked: Path) -> None:
    files = {str(path.relative_to(unpacked)) for path in unpacked.rglob("*") if path.is_file()}
    top = {name for name in files if "/" not in name}
    assert top == {"function_app.py", "host.json", "requirements.txt"}
    assert {name.split("/")[0] for name in files - top} == PACKAGES
    assert {Path(name).suffix for name in files - top} <= {".py", ".html", ".md", ".j2", ".css", ".js", ".svg"}


def test_everything_that_git_holds_of_the_packages_is_packed(unpacked: Path) -> None:
    listed = subprocess.run(
        ["git", "ls-files", *sorted(PACKAGES)], cwd=ROOT, capture_output=True, text=True, check=True
    )
    tracked = {name for name in listed.stdout.splitlines() if not name.endswith(("ruff.toml", "__main__.py"))}
    there = {name for name in tracked if (ROOT / name).exists()}
    assert there - {str(path.relative_to(unpacked)) for path in unpacked.rglob("*")} == set()


def test_every_module_of_the_package_is_one_that_the_app_imports(unpacked: Path) -> None:
    reached = reachable(unpacked)
    there = {str(path.relative_to(unpacked)) for path in unpacked.rglob("*.py")}
    assert there - reached == set()


def reachable(root: Path) -> set[str]:
    """Follow the imports of function_app.py, wherever in a file they stand."""
    found: set[str] = set()
    left = ["function_app.py"]
    while left:
        name = left.pop()
        if name in found:
            continue
        found.add(name)
        for module in imported((root / name).read_text(), name):
            parts = module.split(".")
            for i in range(1, len(parts) + 1):
                base = "/".join(parts[:i])
                left += [each for each in (f"{base}.py", f"{base}/__init__.py") if (root / each).is_file()]
    return found


def imported(source: str, name: str) -> Iterator[str]:
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{name}: say whole names, so that a reader can follow them"
            for alias in node.names:
                yield f"{node.module}.{alias.name}"


LOAD = """
import json, pathlib
import function_app
status = pathlib.Path("/proc/self/status")
# Not ru_maxrss, which a child inherits from the process that started it.
lines = status.read_text().splitlines() if status.exists() else []
peak = next((float(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM")), None)
names = [each.get_function_name() for each in function_app.app.get_functions()]
print(json.dumps({"names": names, "megabytes": peak, "from": function_app.__file__}))
"""


def test_the_package_loads_with_what_is_locked_and_nothing_more(unpacked: Path, site: Path) -> None:
    found = ask(LOAD, unpacked, site, cwd=unpacked)
    assert "failback" in json.dumps(found["names"])
    assert str(found["from"]).startswith(str(unpacked))


def test_importing_the_app_costs_less_memory_than_its_goal(unpacked: Path, site: Path) -> None:
    megabytes = ask(LOAD, unpacked, site, cwd=unpacked)["megabytes"]
    if megabytes is None:
        pytest.skip("only Linux tells a process what it has used itself")
    assert isinstance(megabytes, float)
    assert megabytes < MEGABYTES


TIMED = """
import json, sys, time
sys.dont_write_bytecode = False
began = time.process_time()
import function_app
print(json.dumps({"seconds": time.process_time() - began}))
"""


def test_importing_the_app_costs_less_time_than_its_goal(unpacked: Path, site: Path, tmp_path: Path) -> None:
    """By the processor's time, for this machine may be busy; the first import makes the byte code."""
    alone = shutil.copytree(unpacked, tmp_path / "wwwroot")
    took = [ask(TIMED, alone, site, cwd=alone)["seconds"] for _ in range(3)]
    assert min(float(str(each)) for each in took) < SECONDS


def test_a_lost_requirement_would_be_noticed(unpacked: Path, tmp_path: Path) -> None:
    link(tmp_path, [each for each in deployed() if each.name.casefold() != "jinja2"])
    with pytest.raises(AssertionError, match="jinja2"):
        ask(LOAD, unpacked, tmp_path, cwd=unpacked)


INDEX = """
import importlib, json
from types import SimpleNamespace
import function_app
importlib.import_module("azure_functions_runtime.bindings.meta").load_binding_registry()
registry = importlib.import_module("azure_functions_runtime.functions").Registry()
protos = SimpleNamespace(BindingInfo=SimpleNamespace(out=1, inout=2, undefined=None))
names = [registry.add_indexed_function(each, protos).name for each in function_app.app.get_functions()]
print(json.dumps({"names": names}))
"""


@pytest.mark.skipif(sys.version_info < (3, 13), reason="azure-functions-runtime is for Python 3.13 and later")
def test_the_runtime_of_azure_indexes_the_package(unpacked: Path, site: Path, tmp_path: Path) -> None:
    link(tmp_path, [distribution(name) for name in WORKER])
    indexed = ask(INDEX, unpacked, site, tmp_path, cwd=unpacked)["names"]
    assert indexed == ask(LOAD, unpacked, site, cwd=unpacked)["names"]


HOST = """
import json, pathlib
from localhost.app import load
app = load(pathlib.Path.cwd())
print(json.dumps({"names": [each.name for each in app.functions], "directory": str(app.directory)}))
"""


def test_the_local_host_loads_the_package(unpacked: Path, site: Path, tmp_path: Path) -> None:
    (tmp_path / "localhost").symlink_to(ROOT / "localhost")
    link(tmp_path, [distribution(name) for name in ("aiohttp", "PyYAML")])
    loaded = ask(HOST, tmp_path, site, cwd=unpacked)
    assert loaded["directory"] == str(unpacked)
    assert loaded["names"] == ask(LOAD, unpacked, site, cwd=unpacked)["names"]


def test_azd_would_pack_a_new_file_only_if_it_is_part_of_the_app(tmp_path: Path) -> None:
    shutil.copy(ROOT / ".funcignore", tmp_path)
    kept = ["function_app.py", "host.json", "requirements.txt", "domain/gate.py", "triggers/templates/page.html"]
    left = [
        *(".env", ".git/config", ".venv/bin/python", "local.settings.json", "requirements-dev.txt", "README.md"),
        *(
            "domain/__pycache__/gate.cpython-312.pyc",
            "orchestrators/ruff.toml",
            "tests/unit/x.py",
            "infra/main.bicep",
        ),
        *("azure.yaml", "docs/runbook.md", ".azure/dr/.env", "samples/a.json", "node_modules/a/index.js"),
    ]
    for name in [*kept, *left]:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    (tmp_path / ".funcignore").write_text((ROOT / ".funcignore").read_text())
    assert {str(path) for path in packed(tmp_path)} == set(kept)

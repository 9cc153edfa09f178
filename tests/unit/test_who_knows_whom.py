"""Who may import whom, read from the source itself."""

from __future__ import annotations

import ast
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
DEPLOYED = ("domain", "gateway", "identity", "orchestrators", "activities", "triggers")
LOCAL = ("simulator", "localhost", "cli", "tests", "bench")
AZURE = ("azure.mgmt", "azure.identity", "azure.monitor", "azure.core")
BANNED = tomllib.loads((ROOT / "orchestrators/ruff.toml").read_text())["lint"]["flake8-tidy-imports"]["banned-api"]


def imports(package: str) -> Iterator[tuple[str, str]]:
    """Give every module that a package imports, anywhere in its files."""
    files = [ROOT / f"{package}.py"] if (ROOT / f"{package}.py").exists() else (ROOT / package).rglob("*.py")
    for file in files:
        for node in ast.walk(ast.parse(file.read_text())):
            place = file.relative_to(ROOT).as_posix()
            if isinstance(node, ast.Import):
                yield from ((place, alias.name) for alias in node.names)
            elif isinstance(node, ast.ImportFrom):
                yield place, node.module or ""
                yield from ((place, f"{node.module}.{alias.name}") for alias in node.names)


def within(name: str, *packages: str) -> bool:
    return any(name == each or name.startswith(f"{each}.") for each in packages)


def test_the_files_are_where_this_test_looks() -> None:
    assert all(next(imports(package), None) for package in (*DEPLOYED, "function_app"))


@pytest.mark.parametrize("package", [each for each in (*DEPLOYED, "function_app") if each != "gateway"])
def test_only_the_gateway_speaks_to_azure(package: str) -> None:
    assert [each for each in imports(package) if within(each[1], *AZURE)] == []


def test_the_domain_knows_only_itself_pydantic_and_the_standard_library() -> None:
    roots = {name.split(".")[0] for _, name in imports("domain")}
    assert roots - set(sys.stdlib_module_names) == {"domain", "pydantic"}


@pytest.mark.parametrize(("package", "stranger"), [("orchestrators", "identity"), ("gateway", "identity")])
def test_who_somebody_is_is_asked_at_doors_and_in_acts_only(package: str, stranger: str) -> None:
    assert [each for each in imports(package) if within(each[1], stranger)] == []


def test_identity_knows_only_settings_people_and_its_libraries() -> None:
    roots = {name.split(".")[0] for _, name in imports("identity")}
    assert roots - set(sys.stdlib_module_names) <= {"identity", "domain", "pydantic", "itsdangerous", "jwt"}


@pytest.mark.parametrize("package", [*DEPLOYED, "function_app"])
def test_nothing_that_is_deployed_knows_the_local_worlds(package: str) -> None:
    assert [each for each in imports(package) if within(each[1], *LOCAL)] == []


@pytest.mark.parametrize("package", ["simulator", "localhost"])
def test_the_local_worlds_know_nothing_of_the_app(package: str) -> None:
    assert [each for each in imports(package) if within(each[1], *DEPLOYED)] == []


def test_every_name_that_is_banned_in_orchestrators_is_really_flagged(tmp_path: Path) -> None:
    place = tmp_path / "steps_of_ours.py"
    place.write_text("".join(f"{use(name, number)}\n" for number, name in enumerate(BANNED)))
    found = flagged(place)
    assert [name for name in BANNED if f"`{name}` is banned" not in found] == []


def test_what_is_not_banned_in_orchestrators_is_not_flagged(tmp_path: Path) -> None:
    place = tmp_path / "steps_of_ours.py"
    place.write_text("import datetime as when\n\nlater = when.timedelta(hours=1)\n")
    assert "is banned" not in flagged(place)


def use(name: str, number: int) -> str:
    """Write a line that uses a name: a module is imported, a member of one is reached."""
    module, _, member = name.rpartition(".")
    if name.startswith("azure") or not module:
        return f"import {name} as m{number}"
    if module.startswith("datetime."):
        return f"from datetime import {module.split('.')[1]} as m{number}\nv{number} = m{number}.{member}()"
    return f"import {module} as m{number}\nv{number} = m{number}.{member}"


def flagged(place: Path) -> str:
    config = ["--config", str(ROOT / "orchestrators/ruff.toml"), "--select", "TID251", "--no-cache"]
    command = [sys.executable, "-m", "ruff", "check", *config, "--output-format", "concise", str(place)]
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout

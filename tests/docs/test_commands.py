"""What the pages tell people to type can be typed."""

from __future__ import annotations

import re
import shutil
import subprocess
from typing import Any

import pytest
import typer
from typer.core import TyperGroup

from cli.main import app
from tests.docs.pages import ROOT, Fence, names, said_as_code, shell

MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")
TARGETS = set(re.findall(r"^([a-z][a-z-]*):", MAKEFILE, re.MULTILINE))
_COMMAND = re.compile(r"(?:^|[\s;(])(?:bin/)?failback ([a-z][a-z-]*)([^|;#]*)")
CALLS = [(page, *each) for page in names() for code in said_as_code(page) for each in _COMMAND.findall(code)]
BLOCKS = list(shell())


def commands() -> dict[str, Any]:
    group = typer.main.get_command(app)
    assert isinstance(group, TyperGroup)
    return dict(group.commands)


def options(command: Any) -> set[str]:
    known = {name for each in command.params for name in (*each.opts, *each.secondary_opts)}
    return {"--help", *(part for name in known for part in name.split(","))}


def test_every_target_of_make_that_is_named_is_there() -> None:
    named = {
        (page, target)
        for page in names()
        for code in said_as_code(page)
        for target in re.findall(r"(?:^|[\s;])make ((?!-)[a-z][a-z-]*)", code)
    }
    assert len(named) > 10
    assert [each for each in named if each[1] not in TARGETS] == []


def test_help_tells_of_every_target_that_people_may_ask_for() -> None:
    phony = re.findall(r"^\.PHONY: (.*)$", MAKEFILE, re.MULTILINE)[0].split()
    told = re.findall(r"^([a-z-]+):.*## ", MAKEFILE, re.MULTILINE)
    assert set(told) == set(phony)


def test_every_command_that_is_named_is_there() -> None:
    assert len(CALLS) > 20
    assert [(page, name) for page, name, _ in CALLS if name not in commands()] == []


def test_every_option_that_is_named_is_its_commands_own() -> None:
    wrong = [
        (page, name, option)
        for page, name, rest in CALLS
        for option in re.findall(r"(?<=\s)(--?[a-z][a-z-]*)", rest)
        if option not in options(commands()[name])
    ]
    assert wrong == []


def test_every_command_is_named_somewhere_in_the_runbook_or_the_readme() -> None:
    told = {name for page, name, _ in CALLS if page in {"README.md", "docs/runbook.md", "docs/evidence.md"}}
    assert set(commands()) - told - {"demo"} == set()


@pytest.mark.skipif(shutil.which("bash") is None, reason="bash reads them")
@pytest.mark.parametrize("block", BLOCKS, ids=[f"{each.page}-{n}" for n, each in enumerate(BLOCKS)])
def test_a_shell_can_read_what_is_to_be_typed(block: Fence) -> None:
    read = subprocess.run(["bash", "-n"], input=block.code, capture_output=True, text=True, check=False)
    assert (read.returncode, read.stderr) == (0, "")


@pytest.mark.parametrize("block", BLOCKS, ids=[f"{each.page}-{n}" for n, each in enumerate(BLOCKS)])
def test_what_is_to_be_filled_in_does_not_stand_in_angle_brackets(block: Fence) -> None:
    # A shell takes <app> for a redirection from a file.
    assert re.findall(r"<[a-z][a-z ]*>", block.code) == []

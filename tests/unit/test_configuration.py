"""Every setting is written down, and what is written down is read."""

from __future__ import annotations

import re
import runpy
import sys
from pathlib import Path

import pytest

from domain.settings import Settings

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs/configuration.md"
DEPLOYED = ("domain", "gateway", "identity", "orchestrators", "activities", "triggers")
KNOWN = {str(field.validation_alias) for field in Settings.model_fields.values()}
# The command's own; the app never reads them.
COMMAND = {f"FAILBACK_{name}" for name in ("URL", "TOKEN", "KEY", "USER", "ROLES", "VAULT")}


def test_the_page_is_what_the_code_says(capsys: pytest.CaptureFixture[str]) -> None:
    sys.modules.pop("domain.settings.__main__", None)
    runpy.run_module("domain.settings", run_name="__main__")
    assert capsys.readouterr().out == PAGE.read_text(), "run: make docs"


def test_every_setting_has_one_row_that_says_what_it_means() -> None:
    rows = re.findall(
        r"^\| `(\w+)` \| (.*) \| (.+) \|$", PAGE.read_text().split("## What others read")[0], re.MULTILINE
    )
    assert sorted(name for name, _, _ in rows) == sorted(KNOWN)
    assert [name for name, _, words in rows if not words.strip()] == []


def test_no_code_reads_a_setting_that_is_none() -> None:
    files = [file for package in DEPLOYED for file in (ROOT / package).rglob("*.py")]
    named = {name for file in files for name in re.findall(r"\bFAILBACK_[A-Z_]+[A-Z]\b", file.read_text())}
    assert named - KNOWN - COMMAND == set()


def test_the_deployment_sets_only_what_is_read() -> None:
    files = [file.read_text() for file in (ROOT / "infra").rglob("*.bicep")]
    named = {name for text in files for name in re.findall(r"^\s*(FAILBACK_[A-Z_]+):", text, re.MULTILINE)}
    assert "FAILBACK_IDENTITY" in named
    assert named - KNOWN == set()

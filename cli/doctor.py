"""What must be right before anything works: Python, packages, ports, the app itself, and the way to it."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from cli.api import UNREACHABLE, Document, Failbacks, TroubleError
from cli.worlds import ROOT, inner_environment

OLDEST: Final = (3, 11)
HOST_PORT: Final = 7071
_PIN: Final = re.compile(r"^([A-Za-z0-9._-]+)(?:\[[^]]*\])?==([^\s;\\]+)\s*(?:;\s*([^\\\n]*))?", re.MULTILINE)
_LOADS_WITHIN: Final = 60
# Shown without their values, whatever they hold.
_SECRET: Final = re.compile(r"KEY|SECRET|TOKEN|PASSWORD|HEADER|CONNECTION|SAS|SIGNATURE|WEBHOOK", re.IGNORECASE)
_SHOWN: Final = ("FAILBACK_", "IDENTITY_", "AZURE_CLOUD", "AZURE_CLIENT_ID", "WEBSITE_HOSTNAME")


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that was looked at, with what would help where it is not right."""

    name: str
    verdict: str
    evidence: str
    remedy: str = ""

    def to_json(self) -> Document:
        """Give the finding as a program wants it."""
        found = {"name": self.name, "verdict": self.verdict, "evidence": self.evidence}
        return found | ({"remedy": self.remedy} if self.remedy else {})


def _passed(name: str, evidence: str) -> Finding:
    return Finding(name=name, verdict="passed", evidence=evidence)


def _warned(name: str, evidence: str, remedy: str) -> Finding:
    return Finding(name=name, verdict="warned", evidence=evidence, remedy=remedy)


def _failed(name: str, evidence: str, remedy: str) -> Finding:
    return Finding(name=name, verdict="failed", evidence=evidence, remedy=remedy)


def examine(client: Failbacks, root: Path = ROOT) -> Iterator[Finding]:
    """Look at everything, one after another."""
    yield python(sys.version_info[:2])
    yield packages(root / "requirements-local.txt")
    yield loopback()
    yield port(HOST_PORT)
    yield app_loads(root)
    yield reachable(client)


def python(version: tuple[int, int]) -> Finding:
    """Check that this Python is new enough."""
    found = ".".join(map(str, version))
    if version >= OLDEST:
        return _passed("python", f"{found} at {sys.prefix}")
    return _failed("python", found, "failback needs Python 3.11 or newer: make a new environment with one")


def packages(pins: Path, installed: Callable[[str], str] = metadata.version) -> Finding:
    """Compare what is installed with what is pinned."""
    if not pins.exists():
        return _warned("packages", f"there is no {pins.name} here", "run from a clone of the project")
    wanted: dict[str, dict[str, bool]] = {}
    for name, version, marker in _PIN.findall(pins.read_text(encoding="utf-8")):
        wanted.setdefault(name, {})[version] = bool(marker)
    wrong = [fault for name, versions in wanted.items() if (fault := _mismatch(name, versions, installed))]
    if wrong:
        return _failed("packages", "; ".join(wrong[:8]), f"pip install --require-hashes -r {pins.name}")
    return _passed("packages", f"{len(wanted)} as pinned in {pins.name}")


def _mismatch(name: str, versions: Mapping[str, bool], installed: Callable[[str], str]) -> str | None:
    """Say what is wrong with one package; a pin with a marker may be for another platform or another Python."""
    try:
        found = installed(name)
    except metadata.PackageNotFoundError:
        return None if all(versions.values()) else f"{name} is missing"
    return None if found in versions else f"{name} {found} is not {' or '.join(versions)}"


def loopback() -> Finding:
    """Check that this machine can be listened on."""
    try:
        with socket.create_server(("127.0.0.1", 0)) as listening:
            return _passed("loopback", f"127.0.0.1:{listening.getsockname()[1]} could be listened on")
    except OSError as fault:
        return _failed("loopback", str(fault), "the local worlds listen on 127.0.0.1: allow that")


def port(number: int) -> Finding:
    """Check that the port that `failback up` takes is free, or tell that it is taken."""
    try:
        with socket.create_server(("127.0.0.1", number)):
            return _passed("port", f"{number} is free")
    except OSError:
        remedy = "that is well if the app runs there already; else: failback up --port <another>"
        return _warned("port", f"{number} is taken", remedy)


def app_loads(root: Path) -> Finding:
    """Check that the app can be imported, in a process of its own."""
    code = "import function_app; print(len(function_app.app.get_functions()))"
    try:
        done = subprocess.run(  # noqa: S603 - our own interpreter, a fixed line of code
            [sys.executable, "-c", code],
            cwd=root,
            env=inner_environment(),
            capture_output=True,
            text=True,
            timeout=_LOADS_WITHIN,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return _failed("app", f"did not load in {_LOADS_WITHIN} s", "look at what function_app.py imports")
    if done.returncode == 0:
        return _passed("app", f"function_app.py loads, with {done.stdout.split()[-1]} functions")
    last = (done.stderr.strip().splitlines() or ["it said nothing"])[-1]
    return _failed("app", last[:300], "run from a clone of the project, with its packages installed")


def reachable(client: Failbacks) -> Finding:
    """Check that the app answers at its address."""
    try:
        listed = client.runs()
    except TroubleError as trouble:
        evidence = " ".join(filter(None, (trouble.problem.title, trouble.problem.detail)))
        help_ = "start it with: failback up" if client.is_local else "look at --url, and at the app's own log"
        if trouble.exit_code == UNREACHABLE:
            return _failed("app at --url", evidence, help_)
        return _failed("app at --url", evidence, "it answers, but not to this caller: look at --token or --as")
    return _passed("app at --url", f"{client.url} answers, {len(listed)} runs listed")


def settings(environment: Mapping[str, str] | None = None) -> dict[str, str]:
    """Give the settings that matter here, without any secret."""
    known = os.environ if environment is None else environment
    return {name: _bare(name, known[name]) for name in sorted(known) if name.startswith(_SHOWN)}


def _bare(name: str, value: str) -> str:
    if _SECRET.search(name):
        return "(set, not shown)" if value else "(empty)"
    parts = urlsplit(value)
    if parts.scheme and parts.netloc:
        return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"
    return value

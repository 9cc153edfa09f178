from __future__ import annotations

import asyncio
import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from simulator import ScaledClock, Simulator, default_estate
from simulator.server import Server
from simulator.tls import local_tls

FOLDER = Path(__file__).parent / "node"
PACKAGE = Path("node_modules/@azure/arm-recoveryservices-siterecovery")
NODE, NPM = shutil.which("node"), shutil.which("npm")


def installed(folder: Path) -> bool:
    """Install the client where it is not yet; answer whether it is there."""
    if not (folder / PACKAGE).exists():
        command = ["sh", str(folder / "install.sh")]
        subprocess.run(command, capture_output=True, timeout=100, check=False)
    return (folder / PACKAGE).exists()


async def life(folder: Path) -> subprocess.CompletedProcess[str]:
    simulator = Simulator(default_estate(), clock=ScaledClock(3_000))
    async with Server(simulator, tls=local_tls(folder)) as server:
        command = [str(NODE), "life.mjs", server.url]
        return await asyncio.to_thread(
            subprocess.run,
            command,
            cwd=FOLDER,
            env=os.environ | {"NODE_EXTRA_CA_CERTS": str(folder / "ca.pem")},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )


@pytest.mark.skipif(NODE is None or NPM is None, reason="needs node and npm")
@pytest.mark.timeout(200)
def test_the_azure_sdk_for_javascript_takes_a_machine_home(tmp_path: Path) -> None:
    if not installed(FOLDER):
        pytest.skip("npm could not install the Azure SDK for JavaScript: is there a network?")
    done = asyncio.run(life(tmp_path))
    assert done.returncode == 0, done.stderr
    states: Any = json.loads(done.stdout)
    assert [state[:2] for state in states] == [
        ["Protected", "None"],
        ["Protected", "WaitingForCompletion"],
        ["Protected", "MarkedForDeletion"],
        ["UnplannedFailoverCommitPendingStatesBegin", "None"],
        ["UnplannedFailoverCommitPendingStatesBegin", "None"],
        ["UnplannedFailoverCommitted", "None"],
        ["Protected", "None"],
    ]


def test_the_locked_second_client_is_the_one_meant_and_names_no_registry() -> None:
    lock: Any = json.loads((FOLDER / "package-lock.json").read_text())
    assert lock["packages"][str(PACKAGE)]["version"] == "5.1.0"
    packages = [package for name, package in lock["packages"].items() if name]
    assert all(package["integrity"].startswith("sha512-") for package in packages)
    assert not [package for package in packages if "resolved" in package]

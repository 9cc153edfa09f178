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
PACKAGE = FOLDER / "node_modules/@azure/arm-recoveryservices-siterecovery"
NODE = shutil.which("node")

pytestmark = pytest.mark.skipif(
    NODE is None or not PACKAGE.exists(),
    reason="needs node, and `npm install` in tests/simulator/node",
)


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


def test_the_azure_sdk_for_javascript_takes_a_machine_home(tmp_path: Path) -> None:
    done = asyncio.run(life(tmp_path))
    assert done.returncode == 0, done.stderr
    states: Any = json.loads(done.stdout)
    assert [state[:2] for state in states] == [
        ["Protected", "None"],
        ["Protected", "WaitingForCompletion"],
        ["Protected", "MarkedForDeletion"],
        ["UnplannedFailoverCommitPendingStatesBegin", "None"],
        ["UnplannedFailoverCommitted", "None"],
        ["Protected", "None"],
    ]

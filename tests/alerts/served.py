"""The app as a user starts it, with alert routes, and a storm of alerts that is sent to it over HTTP."""

from __future__ import annotations

import asyncio
import json
import os
import random
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp

from tests.alerts import payloads
from tests.alerts.payloads import VAULT

ROOT = Path(__file__).resolve().parents[2]
READER = {"X-Failback-User": "olive@contoso.com"}


@contextmanager
def started(*command: str, **environment: str) -> Iterator[tuple[str, int]]:
    """Start a local world, give its address from the one line it prints, and its process; end it."""
    process = subprocess.Popen(
        [sys.executable, "-m", *command],
        cwd=ROOT,
        env={**os.environ, **environment},
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        yield next(word for word in line.split() if word.startswith("http://")).rstrip("/,"), process.pid
    finally:
        process.kill()
        process.wait(10)
        if process.stdout:
            process.stdout.close()


@contextmanager
def served(routes: Sequence[dict[str, Any]], state: Path) -> Iterator[tuple[str, int]]:
    """Serve the app on simulated Azure with these routes, and give the address of its API and its process."""
    with started("simulator", "--port", "0", "--speed", "150") as (azure, _):
        app = started(
            "localhost",
            "--app",
            str(ROOT),
            "--port",
            "0",
            "--state",
            str(state),
            FAILBACK_ARM_ENDPOINT=azure,
            FAILBACK_LOGS_ENDPOINT=f"{azure}/loganalytics",
            IDENTITY_ENDPOINT=f"{azure}/msi/token",
            IDENTITY_HEADER="simulator",
            FAILBACK_LOOK_EVERY="PT0.5S",
            FAILBACK_IDENTITY="declared",
            FAILBACK_ALERT_ROUTES=json.dumps({"routes": list(routes)}),
        )
        with app as (url, process):
            yield f"{url}/api", process


# -- routes and a storm whose proposals are known ---------------------------------------------------------------

DRILL = {"vault": VAULT, "machines": ["ContosoWin2016"], "mode": "drill"}
# Long enough for the whole storm to be in before anything is proposed.
CALM = {"holdDown": "PT12S", "stableFor": "PT1S"}
ROUTES: list[dict[str, Any]] = [
    {
        "name": "recovered",
        "when": [
            {"family": "serviceHealth", "region": "Central US", "recovered": True},
            {"family": "resourceHealth", "recovered": True},
        ],
        "propose": {"start": "atOnce", "request": DRILL},
        **CALM,
    },
    {
        "name": "plans",
        "when": [{"family": "log"}],
        "correlateBy": ["custom.plan"],
        "propose": {"start": "atOnce", "request": DRILL},
        **CALM,
    },
    {"name": "jobs", "when": [{"family": "siteRecovery"}, {"family": "administrative"}], "wake": {}},
]
PLANS = ("web", "db")
# What the routes say of the storm: one proposal for the region, and one for each plan.
PROPOSALS = 1 + len(PLANS)


def storm(size: int, seed: int = 7) -> list[dict[str, Any]]:
    """Make a mixed storm, in which every fifth alert comes a second time."""
    chance = random.Random(seed)
    kinds = [
        lambda: payloads.service_health(tracking=f"T{chance.randrange(3)}"),
        payloads.resource_health,
        lambda: payloads.log(custom={"plan": chance.choice(PLANS)}),
        payloads.site_recovery,
        payloads.administrative,
        payloads.budget,
    ]
    fresh = [chance.choice(kinds)() for _ in range(size - size // 5)]
    mixed = [*fresh, *chance.choices(fresh, k=size // 5)]
    chance.shuffle(mixed)
    return mixed


def processor_seconds(process: int) -> float | None:
    """Say how long a process has used a processor; nothing where the system does not tell."""
    stat = Path(f"/proc/{process}/stat")
    if not stat.exists():
        return None
    user, system = stat.read_text().rsplit(")", 1)[1].split()[11:13]
    return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")


# -- sending ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """How a storm was taken: the answers, how long each took, and how long it took in all, in seconds."""

    statuses: tuple[int, ...]
    said: tuple[str, ...]
    took: tuple[float, ...]
    seconds: float


async def send(api: str, alerts: Sequence[dict[str, Any]], senders: int = 16) -> Sent:
    """Send a storm, several alerts at once, as action groups do."""
    left = list(reversed(alerts))
    answers: list[tuple[int, str, float]] = []
    async with aiohttp.ClientSession() as session:

        async def sender() -> None:
            while left:
                alert, began = left.pop(), time.perf_counter()
                async with session.post(f"{api}/alerts", json=alert) as answer:
                    told = await answer.json(content_type=None)
                answers.append((answer.status, str(told.get("status")), time.perf_counter() - began))

        began = time.perf_counter()
        await asyncio.gather(*(sender() for _ in range(senders)))
        seconds = time.perf_counter() - began
    statuses, said, took = zip(*answers, strict=True)
    return Sent(statuses=statuses, said=said, took=took, seconds=seconds)


async def read(api: str, path: str) -> Any:
    """Read from the app as an operator."""
    async with aiohttp.ClientSession() as session, session.get(f"{api}/{path}", headers=READER) as answer:
        return await answer.json(content_type=None)


async def storms(api: str) -> list[dict[str, Any]]:
    """Give every storm on every desk."""
    routes = (await read(api, "alerts"))["routes"]
    return [{"route": route["route"], **each} for route in routes for each in route["storms"]]


async def until_ended(api: str, within: float = 90.0) -> list[dict[str, Any]]:
    """Wait until every storm has ended, and give them."""
    give_up = time.monotonic() + within
    while time.monotonic() < give_up:
        found = await storms(api)
        if len(found) >= PROPOSALS and all(each.get("ending") for each in found):
            return found
        await asyncio.sleep(0.25)
    raise TimeoutError(f"not all storms have ended after {within} s: {found}")

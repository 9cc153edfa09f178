"""A small app that speaks failback's API over real HTTP, and does what a test tells it to."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Iterator
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any

import pytest
from aiohttp import web
from typer.testing import CliRunner, Result

from cli.main import app

Document = dict[str, Any]
VAULT = (
    "/subscriptions/11111111-1111-1111-1111-111111111111/resourceGroups/contoso-dr"
    "/providers/Microsoft.RecoveryServices/vaults/contoso-vault"
)


@dataclass
class Asked:
    """One request as it arrived."""

    method: str
    path: str
    headers: dict[str, str]
    body: Any


@dataclass
class FakeApp:
    """Runs are lists of statuses: each look shows the next one, except while a gate waits."""

    url: str = ""
    asked: list[Asked] = field(default_factory=list)
    statuses: dict[str, list[Document]] = field(default_factory=dict)
    reports: dict[str, Document] = field(default_factory=dict)
    started: dict[str, str] = field(default_factory=dict)
    plan: Document = field(default_factory=dict)
    evidence: dict[str, str] = field(default_factory=dict)
    # What the next requests are answered with, instead of an answer: a status, a response, or "close".
    mishaps: list[Any] = field(default_factory=list)

    def problem(self, status: int, title: str, **more: Any) -> web.Response:
        body = {"type": "about:blank", "title": title, "status": status, **more}
        return web.json_response(body, status=status, content_type="application/problem+json")

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """Remember the request, then do what is planned for it."""
        raw = await request.read()
        body = json.loads(raw) if raw else None
        self.asked.append(Asked(request.method, request.path, dict(request.headers), body))
        if self.mishaps and (mishap := self.mishaps.pop(0)) is not None:
            if mishap == "close":
                assert request.transport is not None
                request.transport.abort()
                return web.Response()
            return mishap if isinstance(mishap, web.Response) else web.Response(status=mishap, text="busy")
        return self._served(request, body)

    def _served(self, request: web.Request, body: Any) -> web.Response:
        match (request.method, request.path.removeprefix("/api/failbacks").strip("/").split("/")):
            case ("GET", [""]):
                return web.json_response({"runs": [each[0] for each in self.statuses.values()]})
            case ("POST", [""]):
                return self._start(request)
            case ("POST", ["plan"]):
                return web.json_response(self.plan)
            case ("GET", [run]) if run in self.statuses:
                return web.json_response(self._next(run))
            case ("GET", [run, "report" | "evidence"]) if run in self.reports | self.evidence:
                return self._paper(request, run)
            case ("POST", [run, "decisions"]) if run in self.statuses:
                return self._decide(run, body)
            case ("POST", [run, "cancel" | "pause" | "resume" as how]) if run in self.statuses:
                return web.json_response({"id": run, "words": f"{how}: {body['reason']}"}, status=202)
            case _:
                return self.problem(404, "there is no such run", detail="GET /api/failbacks lists the runs")

    def _start(self, request: web.Request) -> web.Response:
        run = self.started.setdefault(request.headers["Idempotency-Key"], f"fb-{len(self.started) + 1}")
        links = {"statusUrl": f"{self.url}/api/failbacks/{run}"}
        return web.json_response({"id": run, "status": "started", **links}, status=202)

    def _next(self, run: str) -> Document:
        statuses = self.statuses[run]
        if statuses[0].get("gates") or len(statuses) == 1:
            return statuses[0]
        return statuses.pop(0)

    def _decide(self, run: str, body: Document) -> web.Response:
        gates = self.statuses[run][0].get("gates") or [{}]
        if body["planHash"] != gates[0].get("planHash"):
            return self.problem(409, "the decision is stale", detail="read it again and decide")
        self.statuses[run].pop(0)
        return web.json_response({"judgement": "recorded"})

    def _paper(self, request: web.Request, run: str) -> web.Response:
        if request.path.endswith("/evidence"):
            return web.Response(text=self.evidence[run], content_type="application/x-ndjson")
        report = self.reports[run]
        form = request.query.get("format", "json")
        if form == "json":
            return web.json_response(report)
        return web.Response(text=f"<h1>{form} {report['outcome']} →</h1>", content_type="text/html")

    def paths(self, method: str = "POST") -> list[str]:
        return [each.path for each in self.asked if each.method == method]


@pytest.fixture
def fake() -> Iterator[FakeApp]:
    """Serve a fake app on a free port of this machine."""
    made, ready, stopping = FakeApp(), Future[asyncio.AbstractEventLoop](), asyncio.Event()

    async def serve() -> None:
        inner = web.Application()
        inner.router.add_route("*", "/{anything:.*}", made.answer)
        runner = web.AppRunner(inner, access_log=None)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        made.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        ready.set_result(asyncio.get_running_loop())
        await stopping.wait()
        await runner.cleanup()

    thread = threading.Thread(target=lambda: asyncio.run(serve()))
    thread.start()
    loop = ready.result(10)
    yield made
    loop.call_soon_threadsafe(stopping.set)
    thread.join()


@dataclass
class Shell:
    """Runs the command against the fake app, as from a pipe: nobody sits at a terminal."""

    fake: FakeApp

    def __call__(self, *arguments: str, env: dict[str, str] | None = None) -> Result:
        unset = dict.fromkeys(f"FAILBACK_{name}" for name in ("KEY", "TOKEN", "USER", "ROLES"))
        environment = {"FAILBACK_URL": self.fake.url, **unset, **(env or {})}
        return CliRunner().invoke(app, list(arguments), env=environment)


@pytest.fixture
def failback(fake: FakeApp) -> Shell:
    return Shell(fake)


def status(phase: str, words: str = "", **more: Any) -> Document:
    made: Document = {
        "id": "fb-1",
        "mode": "failback",
        "phase": phase,
        "words": words or phase,
        "outcome": None,
        "vault": VAULT,
        "machines": [],
        "gates": [],
        "updatedAt": "2026-01-15T12:00:00Z",
    }
    return made | more


def job(task: str = "Start failover") -> Document:
    return {
        "id": f"{VAULT}/replicationJobs/job-7",
        "act": "fail_over",
        "task": task,
        "started": "2026-01-15T12:00:00Z",
    }


def machine(words: str, name: str = "web", status: str = "running", **more: Any) -> Document:
    return {"name": name, "words": words, "status": status, **more}


def gate(name: str = "failback", **more: Any) -> Document:
    made: Document = {
        "gate": name,
        "round": 1,
        "planHash": f"hash-of-{name}",
        "machines": ["web"],
        "offers": ["approve", "changeRecoveryPoint", "stop"],
        "policy": {"approvers": ["lee@contoso.com"], "quorum": 1, "onTimeout": "stop"},
        "askedAt": "2026-01-15T12:00:00Z",
        "deadline": "2026-01-16T12:00:00Z",
        "decisions": [],
        "shown": {
            "machines": [
                {
                    "name": "web",
                    "from": "eastus",
                    "to": "centralus",
                    "state": "in eastus, a test failover waits for clean-up",
                    "rehearsal": {
                        "verdict": "passed",
                        "checks": [{"name": "power", "verdict": "passed", "evidence": "running"}],
                    },
                    "point": {"select": "latest", "time": "2026-01-15T11:55:00Z", "age": "PT5M12S"},
                    "checks": [
                        {"name": "state", "verdict": "passed", "evidence": "ready"},
                        {"name": "lag", "verdict": "warned", "evidence": "1 h behind", "remedy": "wait for it"},
                    ],
                }
            ],
            "notes": ["approve: it fails over", "stop: it stays where it is"],
        },
    }
    if name == "commit":
        row = made["shown"]["machines"][0]
        row |= {"validation": row.pop("rehearsal"), "state": "at home in centralus, not committed"}
        row |= {"usedPoint": {"id": "points/p-1", "time": "2026-01-15T11:55:00Z"}}
        row |= {"measured": {"dataLoss": "PT1M25S", "downtime": "PT2M20S"}}
        made["shown"]["notes"] = ["approve: deletes all recovery points and cannot be undone"]
    return made | more


def report(outcome: str = "succeeded", **more: Any) -> Document:
    made: Document = {
        "id": "fb-1",
        "outcome": outcome,
        "words": f"{outcome}: 1 home",
        "machines": [
            {
                "name": "web",
                "outcome": "home",
                "words": "at home in centralus, protected to eastus",
                "protected": True,
                "recoveryPoint": {"select": "latest", "id": "points/p-1", "time": "2026-01-15T11:55:00Z"},
                "measured": {"dataLoss": "PT1M25S", "downtime": "PT2M20S"},
                "jobs": [
                    {
                        "act": "fail_over",
                        "state": "Succeeded",
                        "started": "2026-01-15T12:00:00Z",
                        "ended": "2026-01-15T12:03:25Z",
                    }
                ],
            }
        ],
        "decisions": [
            {
                "gate": "failback",
                "by": "lee@contoso.com",
                "decision": "approve",
                "at": "2026-01-15T12:06:00Z",
                "comment": "it answers",
                "judgement": "recorded",
            }
        ],
    }
    return made | more


def whole_run() -> list[Document]:
    """Every step of the runbook, with both gates."""
    return [
        status("look", "looking at every machine, changing nothing"),
        status("rehearse", "rehearsing", machines=[machine("test failover", job=job("Create test machine"))]),
        status("ask", "asking people: shall the machines come home?", gates=[gate()]),
        status("clean_up", "cleaning up", machines=[machine("test failover clean-up")]),
        status("move", "failing over", machines=[machine("failover: Start failover", job=job())]),
        status("ask", "asking people: shall the failover be committed?", gates=[gate("commit")]),
        status("commit", "committing"),
        status("protect", "re-protecting to the secondary region"),
        status("done", "succeeded: 1 home", outcome="succeeded"),
    ]


class Given:
    """The sample documents, for tests: they are modules by path and import nothing from here."""

    status, machine, gate, job, report = map(staticmethod, (status, machine, gate, job, report))
    whole_run = staticmethod(whole_run)
    vault = VAULT


@pytest.fixture
def given() -> type[Given]:
    return Given

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from azure.core.credentials import AccessToken
from azure.core.pipeline.transport import RequestsTransport

from domain.settings import Settings
from gateway.azure import Azure

VAULT = (
    "/subscriptions/11111111-1111-1111-1111-111111111111/resourceGroups/contoso-dr"
    "/providers/Microsoft.RecoveryServices/vaults/contoso-vault"
)
CONTAINER = (
    f"/Subscriptions{VAULT.removeprefix('/subscriptions')}"
    "/replicationFabrics/asr-eastus/replicationProtectionContainers/asr-eastus-container"
)
ITEM = f"{CONTAINER}/replicationProtectedItems/vm1"
TODAY = "Sun, 22 Nov 2026 18:30:00 GMT"


@dataclass(frozen=True)
class Answer:
    """One scripted answer; `closes` ends the connection without one."""

    status: int = 200
    body: Any = None
    headers: dict[str, str | list[str]] = field(default_factory=dict)
    closes: bool = False


@dataclass(frozen=True)
class Call:
    """One call as it arrived."""

    method: str
    path: str
    headers: Message
    body: bytes


class Service:
    """An Azure that answers from a script over a real socket, its last answer for ever."""

    def __init__(self) -> None:
        self.calls: list[Call] = []
        self.script: list[Answer] = []
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    def answers(self, *script: Answer) -> None:
        self.script = list(script)

    def posts(self) -> list[Call]:
        return [call for call in self.calls if call.method == "POST"]

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        service = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            # One write per answer: two of them wait for each other's acknowledgement.
            wbufsize = 65_536

            def do_GET(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                service.calls.append(Call(self.command, self.path, self.headers, body))
                answer = service.script.pop(0) if len(service.script) > 1 else service.script[0]
                if answer.closes:
                    self.close_connection = True
                    return
                self._send(answer)

            do_POST = do_DELETE = do_GET  # noqa: N815 - the base class's names

            def _send(self, answer: Answer) -> None:
                body = b"" if answer.body is None else json.dumps(answer.body).encode()
                self.send_response_only(answer.status)
                for name, value in {"Date": TODAY, **answer.headers}.items():
                    for each in value if isinstance(value, list) else [value]:
                        self.send_header(name, each)
                if body:
                    self.send_header("Content-Type", "application/json; charset=utf-8")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: Any) -> None: ...

        return Handler


class Token:
    """A credential that counts how often it is asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, ...]] = []

    def get_token(self, *scopes: str, **_: Any) -> AccessToken:
        self.asked.append(scopes)
        return AccessToken("a-token", int(time.time()) + 3_600)


class Impatient(RequestsTransport):
    """Real sockets, but pauses are noted instead of kept."""

    def __init__(self) -> None:
        super().__init__(connection_timeout=2, read_timeout=2)
        self.naps: list[float] = []

    def sleep(self, duration: float) -> None:
        self.naps.append(duration)


@pytest.fixture
def service() -> Iterator[Service]:
    made = Service()
    yield made
    made.close()


@pytest.fixture
def token() -> Token:
    return Token()


@pytest.fixture
def transport() -> Iterator[Impatient]:
    made = Impatient()
    yield made
    made.close()


@pytest.fixture
def azure(service: Service, token: Token, transport: Impatient) -> Azure:
    settings = Settings(arm_endpoint=service.url, logs_endpoint=f"{service.url}/loganalytics")
    return Azure.over(settings, token, transport)


def item(**properties: Any) -> dict[str, Any]:
    """Give a protected item as the wire has it, ready to come home."""
    details = {
        "instanceType": "A2A",
        "fabricObjectId": "/subscriptions/s/resourcegroups/contoso-app-asr"
        "/providers/microsoft.compute/virtualmachines/vm1",
        "initialPrimaryFabricLocation": "centralus",
        "initialRecoveryFabricLocation": "eastus",
        "primaryFabricLocation": "eastus",
        "recoveryFabricLocation": "centralus",
        "recoveryAzureResourceGroupId": "/subscriptions/s/resourceGroups/contoso-app",
        "recoveryFabricObjectId": None,
        "lifecycleId": "94b9eb4a-cadf-41c7-8423-51f1291bca69",
        "rpoInSeconds": 46,
        "monitoringPercentageCompletion": 43,
        "protectedManagedDisks": [],
        **properties.pop("a2a", {}),
    }
    return {
        "id": ITEM,
        "name": "vm1",
        "properties": {
            "friendlyName": "vm1",
            "protectionState": "Protected",
            "protectionStateDescription": "Protected",
            "activeLocation": "Primary",
            "testFailoverState": "None",
            "allowedOperations": ["UnplannedFailover", "DisableProtection", "TestFailover"],
            "replicationHealth": "Normal",
            "healthErrors": [],
            "policyId": f"{VAULT}/replicationPolicies/24-hour-retention-policy",
            "currentScenario": {
                "scenarioName": "None",
                "jobId": f"{VAULT}/replicationJobs/None",
                "startTime": "1753-01-01T01:01:01Z",
            },
            "failoverRecoveryPointId": None,
            "recoveryContainerId": CONTAINER.replace("eastus", "centralus"),
            "providerSpecificDetails": details,
            **properties,
        },
    }


def job(name: str = "11111111-aaaa-bbbb-cccc-000000000001", **properties: Any) -> dict[str, Any]:
    """Give a job as the wire has it, running and read by itself."""
    return {
        "id": f"{VAULT}/replicationJobs/{name}",
        "name": name,
        "type": "Microsoft.RecoveryServices/vaults/replicationJobs",
        "properties": {
            "activityId": "d6af7e13-7aff-47a5-97e5-bb9a525418a1 ActivityId: daefafe5-1312-4f4b-96b2-31d1d7568ea7",
            "scenarioName": "UnplannedFailover",
            "friendlyName": "Failover",
            "state": "InProgress",
            "stateDescription": "InProgress",
            "tasks": [],
            "errors": [],
            "startTime": "2026-11-22T18:00:00.1234567Z",
            "allowedActions": ["Cancel"],
            "targetObjectId": "16133ce6-6e63-54ca-9849-124bfea3c5b7",
            "targetObjectName": "vm1",
            "targetInstanceType": "ProtectionEntity",
            "customDetails": None,
            **properties,
        },
    }

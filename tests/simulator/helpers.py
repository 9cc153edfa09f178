"""A caller of a simulator: the official clients, and the words of the failback."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from datetime import timedelta
from typing import Any, Self

from azure.core.rest import HttpRequest, HttpResponse

from simulator import Fault, Response, Simulator
from simulator.estate import Estate, MachineSpec, VaultSpec
from tests.simulator.ways import IN_PROCESS, SUBSCRIPTION, Way, clients

GROUP = "contoso-dr"
VAULT = "contoso-vault"
ITEM = "ContosoWin2016"
AWAY = ("asr-eastus", "asr-eastus-container")
HOME = ("asr-centralus", "asr-centralus-container")
VAULT_PATH = (
    f"/subscriptions/{SUBSCRIPTION}/resourceGroups/{GROUP}/providers/Microsoft.RecoveryServices/vaults/{VAULT}"
)


def estate_of(*machines: dict[str, Any], **estate: Any) -> Estate:
    """Make an estate of one vault from machines written as in YAML."""
    specs = tuple(MachineSpec.model_validate(machine) for machine in machines)
    return Estate(vaults=(VaultSpec(machines=specs),), **estate)


class Caller:
    """The official clients of one simulator; the clock is moved by hand."""

    def __init__(self, simulator: Simulator, way: Way = IN_PROCESS) -> None:
        self.simulator = simulator
        self._open = ExitStack()
        opened = self._open.enter_context(clients(simulator, way))
        self.client, self.arm, self.logs = opened.site_recovery, opened.arm, opened.logs
        self.bare = opened.bare
        self.url = opened.url

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._open.close()

    def item(self, where: tuple[str, str] = AWAY, name: str = ITEM) -> Any:
        return self.client.replication_protected_items.get(GROUP, VAULT, *where, name)

    def wait(self, seconds: float) -> None:
        self.simulator.clock.advance(timedelta(seconds=seconds))

    def act(self, verb: str, *arguments: Any, where: tuple[str, str] = AWAY, name: str = ITEM) -> str:
        """Start an act as an app does: one POST, no polling; answers the job's name."""
        seen: dict[str, str] = {}
        begin = getattr(self.client.replication_protected_items, f"begin_{verb}")
        begin(
            GROUP,
            VAULT,
            *where,
            name,
            *arguments,
            polling=False,
            retry_total=0,
            raw_response_hook=lambda r: seen.update(r.http_response.headers),
        )
        return job_name(seen)

    def switch(self, where: tuple[str, str] = AWAY, name: str = ITEM) -> str:
        """Re-protect the machine from the container it is in."""
        seen: dict[str, str] = {}
        self.client.replication_protection_containers.begin_switch_protection(
            GROUP,
            VAULT,
            *where,
            self.switch_body(where, name),
            polling=False,
            retry_total=0,
            raw_response_hook=lambda r: seen.update(r.http_response.headers),
        )
        return job_name(seen)

    def switch_body(self, where: tuple[str, str], name: str) -> dict[str, Any]:
        item = self.item(where, name).properties
        details = item.provider_specific_details
        disks = [
            {
                "diskId": disk.recovery_target_disk_id,
                "primaryStagingAzureStorageAccountId": "/subscriptions/x/cache",
                "recoveryResourceGroupId": "/subscriptions/x/resourceGroups/home",
            }
            for disk in details.protected_managed_disks
        ]
        provider = {"instanceType": "A2A", "vmManagedDisks": disks, "policyId": item.policy_id}
        return {
            "properties": {
                "replicationProtectedItemName": name,
                "providerSpecificDetails": provider,
            }
        }

    def arm_fault(self, name: str, **words: Any) -> None:
        """Switch a fault on, as a faults file would."""
        fault = Fault.model_validate({"name": name} | words)
        self.simulator.faults.add([fault], self.simulator.clock.now())

    def read(self, path: str) -> Any:
        """Read what must be there."""
        answer = self.get(path)
        assert answer.status == 200, (path, answer.status, answer.body)
        return answer.json()

    def job(self, name: str) -> Any:
        return self.client.replication_jobs.get(GROUP, VAULT, name)

    def get(self, path: str) -> Response:
        return self.send("GET", path)

    def send(self, method: str, path: str, body: bytes = b"") -> Response:
        """Send one call by itself through the pipeline of azure-mgmt-core."""
        joint = "&" if "?" in path else "?"
        version = "" if "api-version" in path else f"{joint}api-version=2024-07-01"
        kind = {"Content-Type": "application/json"} if body else {}
        request = HttpRequest(method, f"{self.url}{path}{version}", content=body, headers=kind)
        return self._sent(self.arm, request)

    def raw(self, method: str, path: str, body: bytes = b"", **headers: str) -> Response:
        """Send one call as it is written, without a token."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self._sent(self.bare, HttpRequest(method, f"{self.url}{path}", content=body, headers=named))

    def _sent(self, client: Any, request: HttpRequest) -> Response:
        answer: HttpResponse = client.send_request(request)
        return Response(
            status=answer.status_code,
            headers=tuple(answer.headers.items()),
            body=answer.content,
        )


Calling = Callable[..., Caller]
"""What opens a caller of an estate, the way a test runs."""


def job_name(headers: dict[str, str]) -> str:
    """Read the job's name where an app reads it: at the end of the operation's URL."""
    return headers["Azure-AsyncOperation"].split("?")[0].rsplit("/", 1)[-1]


def failover_body(point: str | None = None, operations: str = "Required") -> dict[str, Any]:
    """Write the body of a failover."""
    provider: dict[str, Any] = {"instanceType": "A2A"}
    if point:
        provider["recoveryPointId"] = point
    return {
        "properties": {
            "failoverDirection": "PrimaryToRecovery",
            "sourceSiteOperations": operations,
            "providerSpecificDetails": provider,
        }
    }


def rehearsal_body(network: str = "/subscriptions/x/virtualNetworks/isolated") -> dict[str, Any]:
    """Write the body of a test failover."""
    return {
        "properties": {
            "failoverDirection": "PrimaryToRecovery",
            "networkType": "VmNetworkAsInput",
            "networkId": network,
            "providerSpecificDetails": {"instanceType": "A2A"},
        }
    }


CLEANUP_BODY: dict[str, Any] = {"properties": {"comments": "done"}}

"""Whole recorded flows, sent again call by call at the recorded times to a vault of the same names."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any

import pytest

from simulator import ManualClock, Response
from simulator.estate import Estate, RegionSpec, VaultSpec
from tests.simulator.helpers import Caller, Calling
from tests.simulator.recordings import GUID, RECORDINGS, differences, header_names, skeleton, words

pytestmark = pytest.mark.skipif(not RECORDINGS.exists(), reason="no recordings beside this checkout")

NOBODY = "00000000-0000-0000-0000-000000000000"
A, S = "test_siterecovery_A2A_scenarios", "test_siterecovery_A2A_selfcreated_scenarios"
FABRICS = ("cli-test-fabric-A2A-1", "cli-test-fabric-A2A-2")
CONTAINERS = ("cli-test-container-A2A-1", "cli-test-container-A2A-2")
POLICY = "cli-test-vault-policy-A2A-1"


def flow(source: str) -> list[dict[str, Any]]:
    """Answer all that was recorded in one session, in the order of its calls."""
    found: dict[int, dict[str, Any]] = {}
    for file in sorted(RECORDINGS.glob("a2a-*.jsonl")):
        for line in file.read_text(encoding="utf-8").splitlines():
            entry = json.loads(line)
            if entry["source"].endswith(f"{source}.yaml"):
                found[entry["seq"]] = entry
    return [found[seq] for seq in sorted(found)]


def date(entry: dict[str, Any]) -> datetime:
    return parsedate_to_datetime(entry["headers"]["date"])


def estate(entries: list[dict[str, Any]], regions: tuple[str, str], **durations: float) -> Estate:
    """Make what the recorded session found: a vault, and one machine that is not protected yet."""
    enabling = next(e for e in entries if e["method"] == "PUT" and "/replicationProtectedItems/" in e["path"])
    given = enabling["request_body"]["properties"]["providerSpecificDetails"]
    machine_id, disk_id = given["fabricObjectId"].split("/"), given["vmManagedDisks"][0]["diskId"]
    path = enabling["path"].split("/")
    here, there = (RegionSpec(resource_group=g, cache_storage_account="c") for g in (machine_id[4], path[4]))
    machine = {
        "name": machine_id[-1],
        "state": "unprotected",
        "size": "Standard_DS1_v2",
        "disks": [{"name": disk_id.split("/")[-1], "os": True}],
        "durations": durations,
    }
    vault = {
        "name": path[8],
        "resourceGroup": path[4],
        "primary": regions[0],
        "secondary": regions[1],
        "bare": True,
        "machines": [machine],
    }
    return Estate(
        subscription=NOBODY,
        regions={regions[0]: here, regions[1]: there},
        vaults=(VaultSpec.model_validate(vault),),
        signed_urls="&t=" in enabling["headers"]["location"],
    )


def prepare(caller: Caller, vault: str, regions: tuple[str, str]) -> None:
    """Set the vault up as the session did, with its names: fabrics, containers, policy, mappings, networks."""
    done: list[Response] = []

    def put(path: str, properties: Any) -> None:
        done.append(caller.send("PUT", f"{vault}/{path}", json.dumps({"properties": properties}).encode()))
        caller.wait(200)

    put(f"replicationPolicies/{POLICY}", {"providerSpecificInput": {"instanceType": "A2A"}})
    paths = [
        f"replicationFabrics/{f}/replicationProtectionContainers/{c}"
        for f, c in zip(FABRICS, CONTAINERS, strict=True)
    ]
    for fabric, region, container in zip(FABRICS, regions, paths, strict=True):
        put(f"replicationFabrics/{fabric}", {"customDetails": {"instanceType": "Azure", "location": region}})
        put(container, {"providerSpecificInput": [{"instanceType": "A2A"}]})
    for number in (0, 1):
        other = 1 - number
        mapped = {
            "targetProtectionContainerId": f"{vault}/{paths[other]}",
            "policyId": f"{vault}/replicationPolicies/{POLICY}",
            "providerSpecificInput": {"instanceType": "A2A"},
        }
        name = f"cli-test-container-mapping-A2A-{number + 1}"
        put(f"{paths[number]}/replicationProtectionContainerMappings/{name}", mapped)
        group = vault.split("/providers/", maxsplit=1)[0]
        networks = {
            "recoveryFabricName": FABRICS[other],
            "recoveryNetworkId": f"{group}/providers/Microsoft.Network/virtualNetworks/net-{other}",
            "fabricSpecificDetails": {
                "instanceType": "AzureToAzure",
                "primaryNetworkId": f"{group}/providers/Microsoft.Network/virtualNetworks/net-{number}",
            },
        }
        at = f"replicationFabrics/{FABRICS[number]}/replicationNetworks/azureNetwork/replicationNetworkMappings"
        put(f"{at}/cli-test-network-mapping-A2A-{number + 1}", networks)
    assert {answer.status for answer in done} == {202}


class Replay:
    """Sends a recorded session again; the ids that operations got are put in place of the recorded ones."""

    def __init__(self, caller: Caller) -> None:
        self.caller = caller
        self.ours: dict[str, str] = {}

    def send(self, entry: dict[str, Any]) -> Response:
        behind = date(entry) - self.caller.simulator.clock.now()
        self.caller.wait(max(0.0, behind.total_seconds()))
        path = self._translated(entry["path"])
        body = entry["request_body"]
        sent = json.dumps(body).encode() if body else b""
        answer = self.caller.send(entry["method"], f"{path}?api-version=2022-08-01", sent)
        if answer.status == 202:
            for name in ("location", "azure-asyncoperation"):
                for theirs, mine in zip(
                    GUID.findall(entry["headers"][name].split("?")[0])[1:],
                    GUID.findall((answer.header(name) or "").split("?")[0])[1:],
                    strict=True,
                ):
                    self.ours[theirs] = mine
        return answer

    def _translated(self, path: str) -> str:
        return re.sub(GUID, lambda found: self.ours.get(found[0], found[0]), path)


def compared(entry: dict[str, Any], answer: Response) -> list[str]:
    """Answer in what the two answers differ."""
    where = f"{entry['seq']} {entry['method']} {entry['path'].rsplit('/', 1)[-1]}"
    if answer.status != entry["status"]:
        return [f"{where}: {answer.status} instead of {entry['status']} {answer.body[:300]!r}"]
    found: list[str] = []
    names = {name.lower() for name, _ in answer.headers}
    recorded_names = header_names(entry["headers"]) - {"content-length"}
    if missing := recorded_names - names:
        found.append(f"{where}: headers {missing}")
    found += [
        f"{where}: {name} {answer.header(name)}"
        for name in {"location", "azure-asyncoperation"} & recorded_names
        if skeleton(answer.header(name) or "") != skeleton(entry["headers"][name])
    ]
    if not entry["response_body"]:
        return found + ([f"{where}: a body"] if answer.body else [])
    real, ours = entry["response_body"], answer.json()
    found += [f"{where}: {one}" for one in differences(real, ours)]
    if "/replicationProtectedItems/" in entry["path"] and answer.status == 200:
        found += [f"{where}: {n} {w} {words(ours)[n]}" for n, w in words(real).items() if words(ours)[n] != w]
    if "status" in real and real["status"] != ours["status"]:
        found.append(f"{where}: {ours['status']} instead of {real['status']}")
    return found


TIMES_A = {
    "enable": 425,
    "firstHeartbeat": 230,
    "firstReplication": 1_100,
    "initialReplication": 2_900,
    "firstPoint": 290,
    "failoverWithoutShutdown": 140,
}
TIMES_S = {"enable": 310, "firstHeartbeat": 500, "firstReplication": 1_700, "firstPoint": 850}
"""How long things took in each session, as far as its reads tell."""


@pytest.fixture
def replaying(calling: Calling) -> Callable[..., list[str]]:
    """Answer what replays a session and answers all that differs."""

    def replay(source: str, regions: tuple[str, str], **durations: float) -> list[str]:
        entries = flow(source)
        clock = ManualClock(date(entries[0]) - timedelta(hours=2))
        caller = calling(estate(entries, regions, **durations), clock=clock)
        prepare(caller, "/".join(entries[0]["path"].split("/")[:9]), regions)
        again = Replay(caller)
        return [one for entry in entries for one in compared(entry, again.send(entry))]

    return replay


def test_enabling_failing_over_protecting_again_and_failing_back_go_as_recorded(replaying: Any) -> None:
    assert replaying(A, ("eastus", "eastus2"), **TIMES_A) == []


def test_a_vault_set_up_from_nothing_and_enabling_in_it_go_as_recorded(replaying: Any) -> None:
    assert replaying(S, ("eastus2", "eastus"), **TIMES_S) == []

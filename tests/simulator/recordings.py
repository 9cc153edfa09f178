"""What was recorded of the real service, and how two answers are compared.

Ids and times are normalised away: what is compared is status, headers, which fields there are, what kind of
value each holds, and the words of states. A difference must be listed in `KNOWN` or `LOOSE` with its reason.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

RECORDINGS = Path(__file__).parents[3] / "shared/data/site-recovery-recordings"

KNOWN = {
    "rtoInSeconds": "added to the service after the older recordings",
    "churnOptionSelected": "added to the service after the older recordings",
    "agentCertificateExpiryDate": "present or absent from one recording to the next",
    "tags": "each machine's own tags",
    "recoveryNetworkSecurityGroupId": "here a subnet has its security group, and no interface one of its own",
}
"""Fields that may be on one side only, or differ in kind."""

LOOSE = {
    "monitoringPercentageCompletion": "null or a stale number, as the service pleases",
    "monitoringJobType": "null or a stale word, as the service pleases",
    "policyId": "in the casing of whoever gave it: /subscriptions or /Subscriptions",
    "selectedRecoveryAzureNetworkId": "in the casing of whoever gave it, or in lower case",
    "recoveryVMNetworkId": "in the casing of whoever gave it, or in lower case",
    "recoveryLBBackendAddressPoolIds": "null or empty from one recording to the next",
    "selectedTfoAzureNetworkId": "this estate chooses a network for test failovers",
    "tfoVMNetworkId": "this estate chooses a network for test failovers",
    "healthErrors": "the service forgets and finds them with a lag",
}
"""Fields that are there on both sides, but whose kind of value is not fixed."""

GUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", re.IGNORECASE)
_TICKS = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{4,7}Z?$")
_SECONDS = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$")


def recorded(name: str, seq: str) -> dict[str, Any]:
    for line in (RECORDINGS / name).read_text(encoding="utf-8").splitlines():
        entry = json.loads(line)
        if str(entry["seq"]) == seq:
            return entry
    raise LookupError(f"{name} has no entry {seq}")


_TEXTS = (
    ("id in lower case", re.compile("^/subscriptions/[^A-Z]*$")),
    ("id subscriptions", re.compile("^/subscriptions/")),
    ("id Subscriptions", re.compile("^/Subscriptions/")),
    ("ticks", _TICKS),
    ("seconds", _SECONDS),
    ("guid", re.compile(f"^{GUID.pattern}$", re.IGNORECASE)),
)
_KINDS = {type(None): "null", bool: "bool", int: "number", float: "number"}


def kind(value: Any) -> str:
    """Answer the shape of a value: what an id or a time looks like, without its own content."""
    if isinstance(value, str):
        return next((word for word, pattern in _TEXTS if pattern.match(value)), "text")
    return _KINDS.get(type(value), "empty")


def shape(value: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """Answer each field's path and kind, of all members of a list together."""
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from shape(inner, f"{path}.{name}")
    elif isinstance(value, list) and value:
        for inner in value:
            yield from shape(inner, f"{path}[]")
    else:
        yield path, kind(value)


def kinds(value: Any) -> dict[str, list[str]]:
    """Answer which kinds of value each path holds."""
    found: dict[str, set[str]] = {}
    for path, one in shape(value):
        found.setdefault(path, set()).add(one)
    return {path: sorted(held) for path, held in found.items()}


def differences(real: Any, ours: Any) -> list[str]:
    left, right = kinds(real), kinds(ours)
    found: list[str] = []
    for path in sorted(left | right):
        name = re.split(r"[.\[]", path.rstrip("[]"))[-1]
        above = set(re.split(r"[.\[\]]+", path))
        if above & set(KNOWN):
            continue
        if above & set(LOOSE):
            continue
        if left.get(path) != right.get(path):
            found.append(f"{path} ({name}): real {left.get(path)}, ours {right.get(path)}")
    return found


WORDS = (
    "protectionState",
    "protectionStateDescription",
    "activeLocation",
    "testFailoverState",
    "testFailoverStateDescription",
    "allowedOperations",
    "switchProviderState",
    "replicationHealth",
    "protectedItemType",
    "primaryFabricProvider",
)
DETAIL_WORDS = (
    "instanceType",
    "vmProtectionState",
    "vmProtectionStateDescription",
    "multiVmGroupCreateOption",
    "vmEncryptionType",
)


def words(item: dict[str, Any]) -> dict[str, Any]:
    properties = item["properties"]
    details = properties["providerSpecificDetails"]
    scenario = properties["currentScenario"]
    return (
        {name: properties[name] for name in WORDS}
        | {name: details[name] for name in DETAIL_WORDS}
        | {
            "disks": [disk["diskState"] for disk in details["protectedManagedDisks"]],
            "scenario": scenario["scenarioName"],
            "scenarioStart": scenario["startTime"],
            "lastFailoverKnown": "lastSuccessfulFailoverTime" in properties,
            "lifecycleKnown": details["lifecycleId"] is not None,
        }
    )


def header_names(headers: dict[str, Any]) -> set[str]:
    noise = {"true-time", "server", "date"}
    return {name.lower() for name in headers} - noise


def skeleton(url: str) -> str:
    """Answer a URL without its ids and the names of things."""
    path = GUID.sub("*", url.split("?", maxsplit=1)[0]).split("/")[3:]
    named = {
        "Subscriptions",
        "resourceGroups",
        "vaults",
        "replicationFabrics",
        "replicationProtectionContainers",
        "replicationProtectedItems",
    }
    return "/".join("*" if index and path[index - 1] in named else part for index, part in enumerate(path))

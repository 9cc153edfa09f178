"""ARM ids taken apart; nothing is ever built that Azure has not named."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Self

_VAULT = re.compile(
    r"^/subscriptions/(?P<subscription>[^/]+)/resourceGroups/(?P<group>[^/]+)"
    r"/providers/Microsoft\.RecoveryServices/vaults/(?P<name>[^/]+)",
    re.IGNORECASE,
)
_ITEM = re.compile(
    r"/replicationFabrics/(?P<fabric>[^/]+)/replicationProtectionContainers/(?P<container>[^/]+)"
    r"/replicationProtectedItems/(?P<name>[^/]+)",
    re.IGNORECASE,
)
_GROUP = re.compile(r"^/subscriptions/(?P<subscription>[^/]+)/resourceGroups/(?P<group>[^/]+)", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class VaultId:
    """A Recovery Services vault, by the parts of its ARM id."""

    subscription: str
    resource_group: str
    name: str

    @classmethod
    def parse(cls, arm_id: str) -> Self:
        """Read the vault out of its own id, or out of that of anything inside it."""
        match = _VAULT.match(arm_id)
        if match is None:
            raise ValueError(f"not the id of a Recovery Services vault: {arm_id}")
        return cls(subscription=match["subscription"], resource_group=match["group"], name=match["name"])

    def __str__(self) -> str:
        return (
            f"/subscriptions/{self.subscription}/resourceGroups/{self.resource_group}"
            f"/providers/Microsoft.RecoveryServices/vaults/{self.name}"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemId:
    """A replication protected item, by where it is now: fabric, container and name."""

    fabric: str
    container: str
    name: str

    @classmethod
    def parse(cls, arm_id: str) -> Self:
        """Read the item's place out of its id, or out of that of one of its recovery points."""
        match = _ITEM.search(arm_id)
        if match is None:
            raise ValueError(f"not the id of a replication protected item: {arm_id}")
        return cls(fabric=match["fabric"], container=match["container"], name=match["name"])


def container_of(item_id: str) -> str:
    """Give the id of the container an item is in."""
    return re.split("/replicationProtectedItems/", item_id, maxsplit=1, flags=re.IGNORECASE)[0]


def resource_group_of(arm_id: str | None) -> str | None:
    """Give the id of the resource group a resource is in."""
    match = _GROUP.match(arm_id or "")
    return f"/subscriptions/{match['subscription']}/resourceGroups/{match['group']}" if match else None


def subscription_of(arm_id: str | None) -> str | None:
    """Give the subscription a resource is in."""
    match = _GROUP.match(arm_id or "")
    return match["subscription"] if match else None


def provider_of(arm_id: str) -> str:
    """Give the kind of a resource in lower case, as "microsoft.compute/disks"."""
    parts = arm_id.casefold().split("/providers/", 1)[-1].split("/")
    kind_and_name = 3
    return "/".join(parts[:2]) if "/providers/" in arm_id.casefold() and len(parts) == kind_and_name else ""

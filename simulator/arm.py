"""ARM ids and the names of the service's types, in the casings the service writes."""

from __future__ import annotations

from dataclasses import dataclass

ITEM_TYPE = (
    "Microsoft.RecoveryServices/vaults/replicationFabrics/"
    "replicationProtectionContainers/replicationProtectedItems"
)
JOB_TYPE = "Microsoft.RecoveryServices/vaults/replicationJobs"


@dataclass(frozen=True, slots=True)
class Scope:
    """A resource group, from which ids of resources in it are written."""

    subscription: str
    group: str

    @property
    def id(self) -> str:
        """The resource group's own id."""
        return f"/subscriptions/{self.subscription}/resourceGroups/{self.group}"

    def resource(self, kind: str, name: str) -> str:
        """Write the id of a resource, `kind` as `Microsoft.Compute/disks`."""
        return f"{self.id}/providers/{kind}/{name}"


def key(arm_id: str) -> str:
    """Answer the form in which ids are compared: ARM ids differ in case from field to field."""
    return arm_id.strip().rstrip("/").lower()


def is_within(arm_id: str, scope: str) -> bool:
    """Answer whether an id is a scope's own or lies below it; everything lies below the empty scope."""
    inner, outer = key(arm_id), key(scope)
    return not outer or inner == outer or inner.startswith(f"{outer}/")


def last_segment(arm_id: str) -> str:
    """Answer the name at an id's end."""
    return arm_id.rstrip("/").rsplit("/", 1)[-1]


def group_of(arm_id: str) -> str:
    """Answer the resource group in an id, or an empty string."""
    parts = arm_id.split("/")
    lowered = [part.lower() for part in parts]
    at = lowered.index("resourcegroups") if "resourcegroups" in lowered else -1
    return parts[at + 1] if 0 <= at < len(parts) - 1 else ""

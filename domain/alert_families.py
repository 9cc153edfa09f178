"""The families of alerts: which one an alert is of, and what each says of whether all is well again."""

from __future__ import annotations

import re
from collections.abc import Iterable
from enum import StrEnum
from typing import Final

from domain.lenient import Document, text

# What Site Recovery's own alerts are about, whatever service they are said to come from.
_VAULTS: Final = r"/subscriptions/[^/]+/resourcegroups/[^/]+/providers/microsoft\.recoveryservices/vaults/[^/]+"
VAULT: Final = re.compile(f"^{_VAULTS}", re.IGNORECASE)
ITEM: Final = re.compile(
    f"^{_VAULTS}/replicationfabrics/[^/]+/replicationprotectioncontainers/[^/]+/replicationprotecteditems/[^/]+$",
    re.IGNORECASE,
)
JOB: Final = re.compile(rf"^{_VAULTS}/replicationjobs/(?P<job>[^/]+)$", re.IGNORECASE)


class Family(StrEnum):
    """The families of alerts, as routes name them."""

    LOG = "log"
    METRIC = "metric"
    ADMINISTRATIVE = "administrative"
    SERVICE_HEALTH = "serviceHealth"
    RESOURCE_HEALTH = "resourceHealth"
    SITE_RECOVERY = "siteRecovery"
    OTHER = "other"


# By the letters of the service's name, for it is spelt in several ways.
_BY_SERVICE: Final = {
    "servicehealth": Family.SERVICE_HEALTH,
    "resourcehealth": Family.RESOURCE_HEALTH,
    "administrative": Family.ADMINISTRATIVE,
    "policy": Family.OTHER,
    "autoscale": Family.OTHER,
    "security": Family.OTHER,
    "recommendation": Family.OTHER,
    "logalerts": Family.LOG,
    "logalertsv": Family.LOG,
    "loganalytics": Family.LOG,
    "applicationinsights": Family.LOG,
    "platform": Family.METRIC,
    "prometheus": Family.METRIC,
    "siterecovery": Family.SITE_RECOVERY,
    "smartdetector": Family.OTHER,
    "costalerts": Family.OTHER,
}


def family_of(service: str, context: Document, ids: Iterable[str]) -> Family:
    """Tell the family by the service that raised the alert and its kind of condition, never by signal type.

    The first version of log search alerts has a query and no kind of condition, and is said to come from one of
    three services. Site Recovery's own alerts are known by what they are about as well, since the name of their
    service is not published.
    """
    kind = text(context, "conditionType").casefold()
    if kind == "logquerycriteria" or text(context, "SearchQuery"):
        return Family.LOG
    if (known := _BY_SERVICE.get(_source(service, context))) is not None:
        return known
    if kind.endswith("criteria"):
        return Family.METRIC
    is_ours = any(ITEM.match(each) or JOB.match(each) for each in ids)
    return Family.SITE_RECOVERY if is_ours else Family.OTHER


def _source(service: str, context: Document) -> str:
    """Give the letters of the service's name; an activity log says in its event where it is from, if not there."""
    letters = re.sub(r"[^a-z]", "", service.casefold()).removeprefix("activitylog").removeprefix("azure")
    return letters or re.sub(r"[^a-z]", "", text(context, "eventSource").casefold())


def is_priced(service: str) -> bool:
    """Tell whether an alert is one of costs, which name no condition: they fire and are never resolved."""
    return service.strip().casefold() == "costalerts"


# -- whether all is well again --------------------------------------------------------------------------------

# A review after an incident says nothing of how things are now.
_STAGES: Final = {"resolved": True, "active": False, "updated": False, "inprogress": False, "in progress": False}
_HEALTH: Final = {"available": True, "resolved": True, "unavailable": False, "degraded": False, "active": False}
_INCIDENT: Final = "incident"


def recovered(
    family: Family, *, resolved: bool, stage: str, context: Document, properties: Document
) -> bool | None:
    """Tell whether what an alert is about is well again; none where the alert says neither."""
    if resolved:
        return True
    match family:
        case Family.SERVICE_HEALTH:
            # Planned maintenance and advisories are "Active" too, some for ever, and nothing is down for it.
            return _STAGES.get(stage.casefold()) if _is_incident(context, properties) else None
        case Family.RESOURCE_HEALTH:
            return _HEALTH.get((text(properties, "currentHealthStatus") or stage).casefold())
        case Family.ADMINISTRATIVE | Family.OTHER:
            return None
        case _:
            return False


def _is_incident(context: Document, properties: Document) -> bool:
    """Tell whether an event of Service Health is an incident, by its type or by its operation."""
    told = (
        text(properties, "incidentType")
        or text(context, "operationName").removesuffix("/action").rpartition("/")[2]
    )
    return (told or _INCIDENT).casefold() == _INCIDENT

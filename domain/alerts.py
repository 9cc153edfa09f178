"""What Azure Monitor says in a common alert: read leniently, for families differ and samples are few.

The envelope is that of "Common alert schema" and "Alerts payload samples" in Azure Monitor's documentation. Of an
alert that Site Recovery raises by itself no sample is published: those are read by vault id and protected item id
alone. A field that is missing or of another shape is left out; only what makes an alert an alert is insisted on.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Final

from domain.errors import Refusal, bounded
from domain.lenient import MOST, Document, as_table, inside, listed, scalars, table, text, texts
from domain.machine import last_segment, region
from domain.wire import Answer, digest

# "The common alert schema ... up to 256 KB."
LARGEST: Final = 262_144
SCHEMA: Final = "azureMonitorCommonAlertSchema"
_DEEPEST: Final = 32

_VAULT = re.compile(
    r"^/subscriptions/[^/]+/resourcegroups/[^/]+/providers/microsoft\.recoveryservices/vaults/[^/]+", re.IGNORECASE
)
_ITEM = re.compile(_VAULT.pattern + r"/replicationfabrics/[^/]+/replicationprotectioncontainers/[^/]+"
                   r"/replicationprotecteditems/[^/]+$", re.IGNORECASE)  # fmt: skip
_JOB = re.compile(_VAULT.pattern + r"/replicationjobs/(?P<job>[^/]+)$", re.IGNORECASE)
_MACHINE = re.compile(r"/providers/microsoft\.compute/virtualmachines/(?P<name>[^/]+)$", re.IGNORECASE)
_TIME = re.compile(r"^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(Z|[+-]\d\d:\d\d)?$", re.IGNORECASE)
# How log search rules name the machine, the vault and the job that a row is about.
_NAMES_MACHINE: Final = frozenset({"name_s", "replicateditemfriendlyname", "computer", "affectedresourcename_s"})
_NAMES_JOB: Final = frozenset({"jobuniqueid", "jobid", "job"})


class Family(StrEnum):
    """The families of alerts, as routes name them."""

    LOG = "log"
    METRIC = "metric"
    ADMINISTRATIVE = "administrative"
    SERVICE_HEALTH = "serviceHealth"
    RESOURCE_HEALTH = "resourceHealth"
    SITE_RECOVERY = "siteRecovery"
    OTHER = "other"


class Condition(StrEnum):
    """Whether an alert began or is over."""

    FIRED = "fired"
    RESOLVED = "resolved"


class Alert(Answer):
    """One alert as one delivery told it.

    `key` is the same for every repetition of this delivery. `fired` is the time as Azure wrote it, with its
    seven digits; `at` is when it fired or was resolved, to the microsecond. `recovered` tells whether what the
    alert is about is well again: a health event says so in its own words, the others by their condition, and
    some say nothing. `subject` names what recovers: the incident's tracking id, the resource, or the alert
    itself. `regions` are short names, `machines` all names by which the machine may be known, `context` the
    family's other words.
    """

    key: str
    id: str
    family: Family
    service: str = ""
    rule: str = ""
    rule_id: str | None = None
    severity: str | None = None
    condition: Condition
    fired: str | None = None
    at: datetime | None = None
    description: str = ""
    targets: tuple[str, ...] = ()
    target_type: str | None = None
    regions: tuple[str, ...] = ()
    dimensions: dict[str, str] = {}
    custom: dict[str, str] = {}
    context: dict[str, str] = {}
    tracking_id: str | None = None
    stage: str | None = None
    recovered: bool | None = None
    synthetic: bool = False
    subject: str
    vault: str | None = None
    item: str | None = None
    machines: tuple[str, ...] = ()
    job: str | None = None
    words: str

    @property
    def delivery(self) -> str:
        """The delivery as an instance of the durable host is named."""
        return f"alert-{self.key}"


class NotAnAlertError(ValueError):
    """A document that is no common alert; `faults` says why, each with its place."""

    def __init__(self, faults: Iterable[Refusal]) -> None:
        self.faults = tuple(faults)
        super().__init__("; ".join(f"{fault.about}: {fault.what}" for fault in self.faults))


def parse(document: Any) -> Alert:
    """Read a common alert.

    Raises:
        NotAnAlertError: naming everything without which there is no alert, or what must not be in one.
    """
    faults = list(_hostile(document)) or list(_faults(document))
    if faults:
        raise NotAnAlertError(faults)
    data = table(document, "data")
    essentials, context = table(data, "essentials"), table(data, "alertContext")
    family = _family(text(essentials, "monitoringService"), context)
    return _Reading(family, essentials, context, data).alert()


def _fault(about: str, what: str, remedy: str) -> Refusal:
    return Refusal(code="NotAnAlert", what=what, remedy=remedy, about=about)


def _faults(document: Any) -> Iterator[Refusal]:
    schema = as_table(document).get("schemaId")
    if schema != SCHEMA:
        given = f"{bounded(repr(schema), 80)} is another" if schema else "there is none"
        remedy = "switch the common alert schema on for this receiver of the action group"
        yield _fault("schemaId", f"expected {SCHEMA}: {given}", remedy)
        return
    essentials = table(table(document, "data"), "essentials")
    if not text(essentials, "alertId"):
        yield _fault("data.essentials.alertId", "an alert has an id", "send what Azure Monitor sent, unchanged")
    if _condition(essentials) is None:
        given = bounded(repr(essentials.get("monitorCondition")), 80)
        what = f"expected Fired or Resolved, found {given}"
        yield _fault("data.essentials.monitorCondition", what, "send what Azure Monitor sent, unchanged")


def _hostile(document: Any) -> Iterator[Refusal]:
    """Find what no alert holds and the durable wire must never carry: class markers, and endless nesting."""
    level: list[Any] = [document]
    for _ in range(_DEEPEST):
        if any(isinstance(each, dict) and "__class__" in each for each in level):
            yield _fault("__class__", "this key has no place in an alert", "remove it")
            return
        level = [inner for each in level for inner in inside(each)]
        if not level:
            return
    yield _fault("data", f"nested deeper than {_DEEPEST} levels", "send what Azure Monitor sent, unchanged")


def _family(service: str, context: Document) -> Family:
    """Tell the family by the service that raised the alert and its kind of condition, never by signal type."""
    name = re.sub(r"[^a-z]", "", service.casefold())
    kind = text(context, "conditionType").casefold()
    if name in _BY_SERVICE:
        return _BY_SERVICE[name]
    if kind == "logquerycriteria":
        return Family.LOG
    if kind.endswith("criteria"):
        return Family.METRIC
    return Family.SITE_RECOVERY if _is_site_recovery(context) else Family.OTHER


_BY_SERVICE: Final = {
    "servicehealth": Family.SERVICE_HEALTH,
    "activitylogservicehealth": Family.SERVICE_HEALTH,
    "resourcehealth": Family.RESOURCE_HEALTH,
    "activitylogresourcehealth": Family.RESOURCE_HEALTH,
    "activitylogadministrative": Family.ADMINISTRATIVE,
    "logalertsv": Family.LOG,
    "loganalytics": Family.LOG,
    "applicationinsights": Family.LOG,
    "platform": Family.METRIC,
    "azuresiterecovery": Family.SITE_RECOVERY,
    "siterecovery": Family.SITE_RECOVERY,
    "azurebackup": Family.OTHER,
}


def _is_site_recovery(context: Document) -> bool:
    """Know Site Recovery's own alert by what it is about, for the name of its service is not published."""
    return bool(_ITEM.match(text(context, "protectedItemId")))


class _Reading:
    """One alert being read."""

    def __init__(self, family: Family, essentials: Document, context: Document, data: Document) -> None:
        self._family = family
        self._essentials = essentials
        self._context = context
        self._data = data
        self._properties = table(context, "properties")
        self._dimensions = dict(_dimensions(context))
        self._ids = [*self._targets(), *self._mentioned()]

    def alert(self) -> Alert:
        """Put everything together."""
        essentials = self._essentials
        condition = _condition(essentials) or Condition.FIRED
        fired = text(essentials, "firedDateTime") or None
        tracking = text(self._properties, "trackingId") or None
        alert = Alert(
            key=delivery_key(text(essentials, "alertId"), condition, fired, text(essentials, "alertRule")),
            id=text(essentials, "alertId"),
            family=self._family,
            service=text(essentials, "monitoringService"),
            rule=text(essentials, "alertRule"),
            rule_id=text(essentials, "alertRuleID", "alertRuleId") or None,
            severity=text(essentials, "severity") or None,
            condition=condition,
            fired=fired,
            at=(moment(text(essentials, "resolvedDateTime")) if condition is Condition.RESOLVED else None)
            or moment(fired),
            description=text(essentials, "description"),
            targets=tuple(self._targets()),
            target_type=self._target_type(),
            regions=tuple(self._regions()),
            dimensions=self._dimensions,
            custom=dict(self._custom()),
            context=dict(self._said()),
            tracking_id=tracking,
            stage=self._stage(),
            recovered=self._recovered(condition),
            synthetic=text(self._properties, "IsSynthetic", "isSynthetic").casefold() == "true",
            subject=self._subject(tracking),
            vault=next((match[0] for each in self._ids if (match := _VAULT.match(each))), None),
            item=next((each for each in self._ids if _ITEM.match(each)), None),
            machines=tuple(self._machines()),
            job=self._job(),
            words="",
        )
        return alert.having(words=_worded(alert))

    # -- what it is about -------------------------------------------------------------------------------------

    def _targets(self) -> list[str]:
        return list(texts(self._essentials.get("alertTargetIDs") or self._essentials.get("alertTargetIds")))

    def _mentioned(self) -> Iterator[str]:
        """Give everything else that may be an id of what the alert is about, the surest first."""
        for name in ("protectedItemId", "affectedItems", "linkedResourceId", "sourceId"):
            yield from texts(self._context.get(name))
        yield from texts(self._properties.get("entity"))
        yield from self._dimensions.values()
        yield from texts(self._essentials.get("configurationItems"))

    def _machines(self) -> Iterator[str]:
        """Name the machine in every way that is known: protected item, virtual machine, host name."""
        found = [last_segment(each) for each in self._ids if _ITEM.match(each)]
        found += [text(self._context, "linkedResourceName")]
        found += [match["name"] for each in self._ids if (match := _MACHINE.search(each))]
        found += [value for name, value in self._dimensions.items() if name.casefold() in _NAMES_MACHINE]
        known = {each.casefold(): each for each in reversed(found) if each}
        yield from reversed(list(known.values()))

    def _job(self) -> str | None:
        found = [text(table(self._context, "extendedInfo"), "jobId")]
        found += [match["job"] for each in self._ids if (match := _JOB.match(each))]
        found += [value for name, value in self._dimensions.items() if name.casefold() in _NAMES_JOB]
        return next((last_segment(each) for each in found if each), None)

    def _target_type(self) -> str | None:
        told = text(self._essentials, "targetResourceType")
        found = (re.search(r".*/providers/([^/]+/[^/]+)/[^/]+", each) for each in self._targets())
        return told.casefold() or next((match[1].casefold() for match in found if match), None)

    def _regions(self) -> Iterator[str]:
        impacted = listed(self._properties.get("impactedServices"))
        places = [place for service in impacted for place in listed(service.get("ImpactedRegions"))]
        told = [text(place, "RegionName") for place in places]
        told += re.split(r"[;,]", text(self._properties, "region"))
        told += [text(self._essentials, "region")]
        yield from list(dict.fromkeys(region(bounded(each, 64)) for each in told if each.strip()))[:MOST]

    # -- what it says -----------------------------------------------------------------------------------------

    def _custom(self) -> Iterator[tuple[str, str]]:
        """Give the rule's custom properties; log search rules carry theirs in the context as well."""
        own = table(self._data, "customProperties")
        if not own and self._family in {Family.LOG, Family.METRIC}:
            own = self._properties
        yield from scalars(own)

    def _said(self) -> Iterator[tuple[str, str]]:
        if self._family not in {Family.LOG, Family.METRIC}:
            yield from scalars({**self._properties, **self._context})
            return
        for criterion in listed(table(self._context, "condition").get("allOf"))[:1]:
            yield from scalars({**criterion, "conditionType": self._context.get("conditionType")})

    def _stage(self) -> str | None:
        own = text(self._properties, "stage") if self._family is Family.SERVICE_HEALTH else ""
        return own or text(self._context, "status") or None

    def _recovered(self, condition: Condition) -> bool | None:
        """Tell whether it is well again; none where the alert says neither."""
        if condition is Condition.RESOLVED:
            return True
        match self._family:
            case Family.SERVICE_HEALTH:
                return _STAGES.get((self._stage() or "").casefold())
            case Family.RESOURCE_HEALTH:
                now = text(self._properties, "currentHealthStatus") or (self._stage() or "")
                return _HEALTH.get(now.casefold())
            case Family.ADMINISTRATIVE | Family.OTHER:
                return None
            case _:
                return False

    def _subject(self, tracking: str | None) -> str:
        """Name what recovers, so that what is said of it later takes the place of what was said before."""
        match self._family:
            case Family.SERVICE_HEALTH if tracking:
                return tracking
            case Family.RESOURCE_HEALTH if self._targets():
                return self._targets()[0].casefold()
            case _:
                return text(self._essentials, "alertId").casefold()


# A review after the incident, a cancelled or a planned event say nothing of how things are now.
_STAGES: Final = {"resolved": True, "active": False, "inprogress": False, "in progress": False}
_HEALTH: Final = {"available": True, "resolved": True, "unavailable": False, "degraded": False, "active": False}
_WORDS: Final = {
    Family.LOG: "a log search alert",
    Family.METRIC: "a metric alert",
    Family.ADMINISTRATIVE: "an activity log alert",
    Family.SERVICE_HEALTH: "a Service Health alert",
    Family.RESOURCE_HEALTH: "a Resource Health alert",
    Family.SITE_RECOVERY: "an alert of Site Recovery",
    Family.OTHER: "an alert",
}


def _worded(alert: Alert) -> str:
    """Say in one sentence what an alert tells."""
    state = {True: "well again", False: "not well", None: "happened"}[alert.recovered]
    health = alert.family in {Family.SERVICE_HEALTH, Family.RESOURCE_HEALTH}
    told = f"{alert.stage or alert.condition.value}, {state}" if health else alert.condition.value
    about = alert.tracking_id or next(iter(alert.machines), None) or next(iter(alert.regions), None)
    of = f" of {bounded(about, 80)}" if about else ""
    return f"{_WORDS[alert.family]} by rule {bounded(alert.rule, 120) or 'without a name'}{of}: {told}"


def delivery_key(alert_id: str, condition: Condition, fired: str | None, rule: str) -> str:
    """Name one delivery, the same for every repetition of it.

    Azure Monitor names it by id and condition; the time tells a rule that fires again under one id, and the rule
    tells the portal's test alerts, which borrow an id.
    """
    return digest([alert_id.casefold(), condition.value, fired, rule.casefold()])[:32]


def moment(told: str | None) -> datetime | None:
    """Read a time of Azure's, whose seconds have seven digits; none if it is not one."""
    found = _TIME.match(told or "")
    if not found:
        return None
    whole, digits, zone = found[1], (found[2] or "0")[:6].ljust(6, "0"), (found[3] or "Z").upper()
    try:
        return datetime.fromisoformat(f"{whole}.{digits}{zone.replace('Z', '+00:00')}").astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _condition(essentials: Document) -> Condition | None:
    told = text(essentials, "monitorCondition").casefold()
    return Condition(told) if told in set(Condition) else None


def _dimensions(context: Document) -> Iterator[tuple[str, str]]:
    """Give the dimensions of every criterion: what a log search alert says of its rows."""
    criteria = listed(table(context, "condition").get("allOf"))
    pairs = [pair for criterion in criteria for pair in listed(criterion.get("dimensions"))]
    for pair in pairs[:MOST]:
        name, value = text(pair, "name"), text(pair, "value")
        if name and value:
            yield bounded(name, 128), value

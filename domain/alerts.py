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

from domain.alert_families import ITEM, JOB, VAULT, Family, family_of, is_priced, recovered
from domain.errors import Refusal, bounded
from domain.lenient import MOST, Document, as_table, ids_in, inside, listed, scalars, table, text, texts, under
from domain.machine import last_segment, region
from domain.wire import Answer, digest

# "The common alert schema ... up to 256 KB."
LARGEST: Final = 262_144
SCHEMA: Final = "azureMonitorCommonAlertSchema"
_DEEPEST: Final = 32
# Who holds each of them is asked one after the other.
_MACHINES: Final = 20

_MACHINE = re.compile(r"/providers/microsoft\.compute/virtualmachines/(?P<name>[^/]+)$", re.IGNORECASE)
_TIME = re.compile(r"^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(Z|[+-]\d\d:?\d\d)?$", re.IGNORECASE)
# How log search rules name the machine, the vault and the job that a row is about.
_NAMES_MACHINE: Final = frozenset(
    {"name_s", "replicateditemfriendlyname", "computer", "affectedresourcename_s", "sourcefriendlyname", "vmname"}
)
_CALLS_MACHINE: Final = (
    "linkedResourceName", "protectedItemName", "replicatedItemName", "affectedItemName", "sourceName", "vmName",
)  # fmt: skip
_NAMES_JOB: Final = frozenset({"jobuniqueid", "jobid", "job"})


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
    return _Reading(table(data, "essentials"), table(data, "alertContext"), data).alert()


def _fault(about: str, what: str, remedy: str) -> Refusal:
    return Refusal(code="NotAnAlert", what=what, remedy=remedy, about=about)


def _faults(document: Any) -> Iterator[Refusal]:
    schema = under(as_table(document), "schemaId")
    if not isinstance(schema, str) or schema.strip().casefold() != SCHEMA.casefold():
        given = f"{bounded(repr(schema), 80)} is another" if schema else "there is none"
        remedy = "switch the common alert schema on for this receiver of the action group"
        yield _fault("schemaId", f"expected {SCHEMA}: {given}", remedy)
        return
    essentials = table(table(document, "data"), "essentials")
    if not text(essentials, "alertId"):
        yield _fault("data.essentials.alertId", "an alert has an id", "send what Azure Monitor sent, unchanged")
    if _condition(essentials) is None:
        given = bounded(repr(under(essentials, "monitorCondition")), 80)
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


class _Reading:
    """One alert being read."""

    def __init__(self, essentials: Document, context: Document, data: Document) -> None:
        self._essentials = essentials
        self._context = context
        self._data = data
        self._properties = table(context, "properties")
        self._dimensions = dict(_dimensions(context))
        self._ids = [*self._targets(), *self._mentioned()]
        self._family = family_of(text(essentials, "monitoringService"), context, self._ids)

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
            recovered=recovered(
                self._family,
                resolved=condition is Condition.RESOLVED,
                stage=self._stage() or "",
                context=self._context,
                properties=self._properties,
            ),
            synthetic=str(under(self._properties, "IsSynthetic")).strip().casefold() == "true",
            subject=self._subject(tracking),
            vault=next((match[0] for each in self._ids if (match := VAULT.match(each))), None),
            item=next((each for each in self._ids if ITEM.match(each)), None),
            machines=tuple(self._machines()),
            job=self._job(),
            words="",
        )
        return alert.having(words=_worded(alert))

    # -- what it is about -------------------------------------------------------------------------------------

    def _targets(self) -> list[str]:
        return texts(under(self._essentials, "alertTargetIDs"))

    def _mentioned(self) -> Iterator[str]:
        """Give everything else that may be an id of what the alert is about, the surest first."""
        for name in ("protectedItemId", "affectedItems", "linkedResourceId", "sourceId"):
            yield from texts(under(self._context, name))
        yield from self._dimensions.values()
        yield from texts(under(self._essentials, "configurationItems"))
        yield from ids_in(self._context)

    def _machines(self) -> Iterator[str]:
        """Name the machine in every way that is known: protected item, virtual machine, host name."""
        found = [last_segment(each) for each in self._ids if ITEM.match(each)]
        found += self._called() if self._family is Family.SITE_RECOVERY else []
        found += [match["name"] for each in self._ids if (match := _MACHINE.search(each))]
        found += [value for name, value in self._dimensions.items() if name.casefold() in _NAMES_MACHINE]
        # The first version of log search alerts names the computers of its rows, or the ids of what sent them.
        found += [each for each in texts(under(self._context, "AffectedConfigurationItems")) if "/" not in each]
        known = {each.casefold(): each for each in reversed(found) if each}
        yield from list(reversed(list(known.values())))[:_MACHINES]

    def _called(self) -> list[str]:
        """Give what an alert of Site Recovery may call its machine by; no sample of one is published."""
        holders = (self._context, table(self._context, "extendedInfo"), self._properties)
        return [text(holder, name) for holder in holders for name in _CALLS_MACHINE] + [
            each for each in texts(under(self._context, "affectedItems")) if "/" not in each
        ]

    def _job(self) -> str | None:
        found = [text(table(self._context, "extendedInfo"), "jobId")]
        found += [match["job"] for each in self._ids if (match := JOB.match(each))]
        found += [value for name, value in self._dimensions.items() if name.casefold() in _NAMES_JOB]
        return next((last_segment(each) for each in found if each), None)

    def _target_type(self) -> str | None:
        told = text(self._essentials, "targetResourceType")
        found = (re.search(r".*/providers/([^/]+/[^/]+)/[^/]+", each) for each in self._targets())
        return told.casefold() or next((match[1].casefold() for match in found if match), None)

    def _regions(self) -> Iterator[str]:
        impacted = listed(under(self._properties, "impactedServices"))
        places = [place for service in impacted for place in listed(under(service, "ImpactedRegions"))]
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
        for criterion in _criteria(self._context)[:1]:
            yield from scalars({**criterion, "conditionType": under(self._context, "conditionType")})
            return
        inner = {f"{name}.{key}": value for name, held in self._context.items() if name != "properties"
                 for key, value in as_table(held).items()}  # fmt: skip
        yield from scalars({**self._properties, **self._context, **inner})

    def _stage(self) -> str | None:
        own = text(self._properties, "stage") if self._family is Family.SERVICE_HEALTH else ""
        return own or text(self._context, "status") or None

    def _subject(self, tracking: str | None) -> str:
        """Name what recovers, so that what is said of it later takes the place of what was said before."""
        match self._family:
            case Family.SERVICE_HEALTH if tracking:
                return tracking
            case Family.RESOURCE_HEALTH if self._targets():
                return self._targets()[0].casefold()
            case _:
                return text(self._essentials, "alertId").casefold()


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
    told += ", synthetic: no route hears it" if alert.synthetic else ""
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
    if not under(essentials, "monitorCondition") and is_priced(text(essentials, "monitoringService")):
        return Condition.FIRED
    return Condition(told) if told in set(Condition) else None


def _criteria(context: Document) -> list[Document]:
    return listed(under(table(context, "condition"), "allOf"))


def _dimensions(context: Document) -> Iterator[tuple[str, str]]:
    """Give what parts one alert of a rule from another: the dimensions of every criterion, or labels.

    The first version of log search alerts has them beside its query; Prometheus calls them labels.
    """
    pairs = [pair for holder in (*_criteria(context), context) for pair in listed(under(holder, "dimensions"))]
    for pair in pairs[:MOST]:
        name, value = text(pair, "name"), text(pair, "value")
        if name and value:
            yield bounded(name, 128), value
    yield from scalars(table(context, "labels"))

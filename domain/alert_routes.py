"""Which alerts do what: the routes file, whose faults are all listed at once.

A route has conditions, of which one must hold (`when`), and does one thing: it proposes a run, wakes the runs
that an alert is about, or only takes note. What an alert says is never enough to start a run by itself, unless
the route says so in as many words.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import timedelta
from difflib import get_close_matches
from enum import StrEnum
from fnmatch import translate
from functools import cache
from typing import Annotated, Any, Final, Self

from pydantic import AfterValidator, Field, StringConstraints, ValidationError, field_validator, model_validator

from domain import alert_terms
from domain.alert_families import VAULT
from domain.alerts import Alert, Condition, Family
from domain.errors import bounded
from domain.lenient import texts
from domain.machine import region, same_id
from domain.request import ArmId, FailbackRequest, Mode
from domain.wire import Wire

_MOST_ROUTES: Final = 50
# What a proposed request leaves to failback.
_OWN: Final = ("requestedBy", "proposed")
FAILED_OVER: Final = "failedOver"


def _of_a_vault(value: str) -> str:
    if VAULT.fullmatch(value) is None:
        raise ValueError("expected a vault's ARM id, which begins with /subscriptions/")
    return value


VaultId = Annotated[ArmId, AfterValidator(_of_a_vault)]
Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=1_024)]
Several = Annotated[tuple[Text, ...], Field(min_length=1, max_length=100)]
Length = Annotated[timedelta, Field(ge=timedelta(0), le=timedelta(days=7))]


class RoutesError(ValueError):
    """A routes file that cannot be used; `faults` lists all of them, each with its place."""

    def __init__(self, source: str, faults: Iterable[str]) -> None:
        self.faults = tuple(faults)
        super().__init__(f"the alert routes in {source} cannot be used:\n  " + "\n  ".join(self.faults))


# -- what an alert offers to compare --------------------------------------------------------------------------

_PLAIN: Final = (
    "family", "service", "rule", "severity", "condition", "description", "targets", "targetType", "regions",
    "trackingId", "stage", "recovered", "vault", "item", "machines", "job", "subject",
)  # fmt: skip
_TABLES: Final = ("dimensions", "custom", "context")


def is_field(name: str) -> bool:
    """Tell whether expressions may name this field: one of an alert's own, or one in a table of it."""
    table, _, inner = name.partition(".")
    return name in _PLAIN or (table in _TABLES and bool(inner))


def fields_of(alert: Alert) -> dict[str, tuple[str, ...]]:
    """Give everything of an alert that can be compared, by name in small letters."""
    told = alert.to_wire()
    plain = {name.casefold(): _values(told.get(name)) for name in _PLAIN}
    inner = {
        f"{table}.{name}".casefold(): (value,) for table in _TABLES for name, value in told.get(table, {}).items()
    }
    return {**plain, **inner}


def _values(value: Any) -> tuple[str, ...]:
    if isinstance(value, bool):
        return (str(value).lower(),)
    return tuple(texts(value))


@cache
def _term(expression: str) -> alert_terms.Term:
    return alert_terms.compiled(expression, is_field)


@cache
def _pattern(glob: str) -> re.Pattern[str]:
    return re.compile(translate(glob.casefold()))


def _fits(values: Iterable[str | None], wanted: Iterable[str]) -> bool:
    known = [value.casefold() for value in values if value]
    return any(_pattern(glob).match(value) for glob in wanted for value in known)


# -- routes ---------------------------------------------------------------------------------------------------


class When(Wire):
    """A condition on an alert: everything that is given must hold; a list is met by any of its members.

    `rule`, `target` and the values of `custom` and `dimensions` may hold `*`; letter case means nothing.
    Unless `condition` or `recovered` say otherwise, the alert must have fired.
    """

    family: Annotated[tuple[Family, ...], Field(min_length=1)] | None = None
    rule: Several | None = None
    severity: Several | None = None
    target: Several | None = None
    region: Several | None = None
    vault: VaultId | None = None
    condition: Condition | None = None
    recovered: bool | None = None
    custom: dict[Text, Text] = {}
    dimensions: dict[Text, Text] = {}
    where: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)] | None = None

    @field_validator("family", "rule", "severity", "target", "region", mode="before")
    @classmethod
    def _one_is_a_list(cls, value: Any) -> Any:
        return [value] if isinstance(value, str) else value

    @field_validator("where")
    @classmethod
    def _can_be_read(cls, value: str | None) -> str | None:
        if value is not None:
            _term(value)
        return value

    def matches(self, alert: Alert) -> bool:
        """Tell whether an alert meets this condition."""
        fired = self.condition or (None if self.recovered else Condition.FIRED)
        return (
            fired in {None, alert.condition} and self.recovered in {None, alert.recovered} and self.is_about(alert)
        )

    def is_about(self, alert: Alert) -> bool:
        """Tell whether an alert meets this condition in all but whether it fired or recovered."""
        return all(test(self, alert) for test in _TESTS)

    @property
    def wants_recovery(self) -> bool:
        """Whether the condition is met by good news."""
        return self.recovered is True or self.condition is Condition.RESOLVED


_TESTS: Final[tuple[Callable[[When, Alert], bool], ...]] = (
    lambda when, alert: when.family is None or alert.family in when.family,
    lambda when, alert: when.rule is None or _fits([alert.rule, alert.rule_id], when.rule),
    lambda when, alert: when.severity is None or _fits([alert.severity], when.severity),
    lambda when, alert: when.target is None or _fits([*alert.targets, alert.item], when.target),
    lambda when, alert: when.region is None or bool(set(map(region, when.region)) & set(alert.regions)),
    lambda when, alert: when.vault is None or same_id(when.vault, alert.vault),
    lambda when, alert: _holds(alert.custom, when.custom),
    lambda when, alert: _holds(alert.dimensions, when.dimensions),
    lambda when, alert: when.where is None or _term(when.where)(fields_of(alert)),
)


def _holds(told: Mapping[str, str], wanted: Mapping[str, str]) -> bool:
    by_name = {name.casefold(): value for name, value in told.items()}
    return all(_fits([by_name.get(name.casefold())], [glob]) for name, glob in wanted.items())


class Start(StrEnum):
    """How a proposed run begins: by asking people at the gate "start", or at once."""

    ASK = "ask"
    AT_ONCE = "atOnce"


class Tag(Wire):
    """A tag of virtual machines."""

    name: Text
    value: Text


class Tagged(Wire):
    """The machines of the vault that are failed over and carry a tag."""

    tag: Tag


class Proposal(Wire):
    """The run that a route proposes: a start request whose machines may also be chosen when it begins.

    `machines` is a list as in any request, the word "failedOver" for all machines of the vault that are failed
    over, or a tag for those of them that carry it.
    """

    start: Start = Start.ASK
    request: dict[str, Any]

    @field_validator("request")
    @classmethod
    def _is_a_request(cls, value: dict[str, Any]) -> dict[str, Any]:
        if faults := list(_faults_of(value)):
            raise ValueError("; ".join(faults))
        return value


def _faults_of(request: Mapping[str, Any]) -> Iterator[str]:
    """Find everything that makes a proposed request unfit."""
    yield from (f"{name}: failback says this by itself" for name in _OWN if name in request)
    if request.get("mode") == Mode.PLAN.value:
        yield "mode: a plan changes nothing; propose a failback or a drill"
    machines = request.get("machines")
    elsewhere = isinstance(machines, str | dict)
    if isinstance(machines, str) and machines != FAILED_OVER:
        yield f'machines: expected a list of names, "{FAILED_OVER}" or a tag'
    try:
        if isinstance(machines, dict):
            Tagged.from_wire(machines)
        FailbackRequest.from_wire({**request, "machines": ["any"]} if elsewhere else request)
    except ValidationError as error:
        yield from _lines(error)


class Wake(Wire):
    """Wakes the runs that carry the machine of an alert; `vault` says where, for alerts that name none."""

    vault: VaultId | None = None


class Route(Wire):
    """One route: which alerts, and what they do.

    `unless` names alerts that say it is not over: they begin the window of calm anew, and withdraw what is
    proposed. A proposal waits until `hold_down` has passed since the first alert and `stable_for` since the last
    bad news; it is given up after `give_up_after`. For `cool_down` after it ended the same storm proposes nothing
    more. Alerts with different values in the fields of `correlate_by` are different storms.
    """

    name: Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]{0,39}$")]
    when: Annotated[tuple[When, ...], Field(min_length=1, max_length=50)]
    unless: Annotated[tuple[When, ...], Field(max_length=50)] = ()
    correlate_by: Annotated[tuple[str, ...], Field(max_length=5)] = ()
    hold_down: Length = timedelta(minutes=5)
    stable_for: Length = timedelta(minutes=30)
    give_up_after: Annotated[timedelta, Field(ge=timedelta(minutes=1), le=timedelta(days=14))] = timedelta(days=2)
    cool_down: Length = timedelta(hours=12)
    propose: Proposal | None = None
    wake: Wake | None = None
    note: bool = False

    @field_validator("correlate_by")
    @classmethod
    def _are_fields(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if unknown := [name for name in value if not is_field(name)]:
            raise ValueError(f"there is no field {', '.join(unknown)}")
        return value

    @model_validator(mode="after")
    def _does_one_thing(self) -> Self:
        if [self.propose is not None, self.wake is not None, self.note].count(True) != 1:
            raise ValueError('a route does one thing: give "propose", "wake" or "note": true')
        return self


class Routes(Wire):
    """All routes."""

    routes: Annotated[tuple[Route, ...], Field(max_length=_MOST_ROUTES)] = ()

    @field_validator("routes")
    @classmethod
    def _named_once(cls, value: tuple[Route, ...]) -> tuple[Route, ...]:
        names = [route.name for route in value]
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise ValueError(f"named more than once: {', '.join(twice)}")
        return value


def read(text: str, source: str) -> Routes:
    """Read a routes file.

    Raises:
        RoutesError: with every fault and its place.
    """
    try:
        return Routes.model_validate(json.loads(text))
    except json.JSONDecodeError as error:
        fault = f"line {error.lineno}, column {error.colno}: {error.msg}"
        raise RoutesError(source, [fault]) from None
    except RecursionError:
        raise RoutesError(source, ["nested too deeply"]) from None
    except ValidationError as error:
        raise RoutesError(source, _lines(error)) from None


def _lines(error: ValidationError) -> Iterator[str]:
    faults = error.errors(include_url=False)
    places = [fault["loc"] for fault in faults]
    for fault in faults:
        # A list whose items are at fault is "too short" as well; only the items' own faults help.
        if not any(place[: len(fault["loc"])] == fault["loc"] != place for place in places):
            yield _line(fault)


def _line(fault: Any) -> str:
    """Say where a fault is, what is wrong, and what would be right."""
    where = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in fault["loc"])
    words = _RIGHT.get(fault["type"]) or str(fault["msg"]).removeprefix("Value error, ")
    if fault["type"] == "enum":
        words = f"expected {fault['ctx']['expected']}"
    is_told = fault["type"] in {"missing", "value_error"}
    given = "" if is_told else f" (given: {bounded(json.dumps(fault['input'], default=str), 60)})"
    return f"{where.lstrip('.') or 'file'}: {words}{_meant(fault)}{given}"


# By pydantic's names of faults; what is not here says in its own words what would be right.
_RIGHT: Final = {
    "missing": "give this field",
    "extra_forbidden": "there is no such field",
    "string_pattern_mismatch": "expected small letters, digits and hyphens, forty at the most",
    "too_short": "name at least one",
    "tuple_type": "expected a list",
    "dict_type": "expected an object",
    "model_type": "expected an object",
    "model_attributes_type": "expected an object",
    "string_type": "expected a text in quotes",
    "bool_type": "expected true or false",
    "bool_parsing": "expected true or false",
    "time_delta_type": 'expected a length of time, such as "PT30M"',
    "time_delta_parsing": 'expected a length of time, such as "PT30M"',
}


def _meant(fault: Any) -> str:
    """Guess which field somebody meant who wrote one that there is not."""
    if fault["type"] != "extra_forbidden":
        return ""
    models: list[type[Wire]] = [Routes, Route, When, Proposal, Wake, FailbackRequest]
    known = {field.alias or name for model in models for name, field in model.model_fields.items()}
    spelt = {name.casefold(): name for name in known}
    close = get_close_matches(str(fault["loc"][-1]).casefold(), spelt, n=1)
    return f"; did you mean {spelt[close[0]]}?" if close else ""


# -- what an alert is to a route ------------------------------------------------------------------------------


class Part(StrEnum):
    """What an alert is to a route: it opens a storm, says it is not over, says it is, or takes itself back."""

    OPENS = "opens"
    UNSETTLES = "unsettles"
    SETTLES = "settles"
    TAKES_BACK = "takesBack"


def part_of(route: Route, alert: Alert) -> Part | None:
    """Say what an alert is to a route; none when it is nothing to it.

    A condition met by good news is unsettled by the bad news of the same kind without another word, and an alert
    that is resolved takes back what it said when it fired.
    """
    if alert.synthetic:
        return None
    if any(when.matches(alert) for when in route.when):
        return Part.OPENS
    if any(when.is_about(alert) for when in route.unless):
        return Part.SETTLES if alert.recovered else Part.UNSETTLES
    about = [when for when in route.when if when.is_about(alert)]
    if alert.recovered is False and any(when.wants_recovery for when in about):
        return Part.UNSETTLES
    if alert.condition is Condition.RESOLVED and about:
        return Part.TAKES_BACK
    return None


def correlation(route: Route, alert: Alert) -> str:
    """Name the storm that an alert belongs to."""
    fields = fields_of(alert) if route.correlate_by else {}
    return (
        "; ".join(f"{name}={','.join(fields.get(name.casefold(), ()))}"[:200] for name in route.correlate_by)
        or "all"
    )

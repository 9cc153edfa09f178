"""Judge a machine that was brought up, by what was seen of it.

Absence in the first minutes is no failure: a machine boots, its agent starts, logs arrive late. What time may
still mend is pending; the stage waits for it, and `timed_out` ends it. Only what the policy says blocks fails a
machine; the rest warns.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from domain.contract import Check, Compared, Validation, ValidationOrder, Verdict
from domain.duration import spoken
from domain.errors import bounded
from domain.machine import last_segment
from domain.request import Aspect

# A machine that is broken will not get better by waiting for its heartbeat.
_FATAL: Final = frozenset({"virtual machine", "provisioning"})
_WORST_FIRST: Final = (Verdict.PENDING, Verdict.FAILED, Verdict.WARNED)
# What was found well once is not asked for again: each of these costs calls, and changes only by somebody's hand.
NETWORK: Final = "network"
SOURCE_STOPPED: Final = "source stopped"
_LASTING: Final = frozenset({NETWORK, SOURCE_STOPPED})
# The guest has stopped in both; only "deallocated" is free of charge.
_STILL: Final = frozenset({"deallocated", "stopped"})
_READ: Final = "read these records in the workspace"
_STOPPING: Final = frozenset({"deallocating", "stopping"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Unread:
    """What could not be read, and why."""

    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MachineSeen:
    """A virtual machine as Compute shows it; `power` and `agent` are absent while it does not know."""

    name: str
    location: str
    provisioning: str
    power: str | None = None
    agent: str | None = None
    agent_words: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Beat:
    """The newest heartbeat of a machine: by its resource id, or only by its host name."""

    at: datetime
    computer: str
    by_name: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Logs:
    """What Log Analytics says of a machine; it has no table before the first record of its kind."""

    last: Beat | None = None
    has_table: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbeSeen:
    """How a machine answered from the network."""

    name: str
    answered: bool
    words: str


@dataclass(frozen=True, slots=True, kw_only=True)
class QuerySeen:
    """What an operator's query found; no rows is what is wanted, and no table is neither."""

    name: str
    rows: tuple[str, ...] = ()
    has_table: bool = True
    unread: Unread | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """All that was seen of one machine; what was not asked for is absent.

    `vm` and `source` are absent where Compute knows no such machine.
    """

    vm: MachineSeen | Unread | None = None
    logs: Logs | Unread | None = None
    probes: tuple[ProbeSeen, ...] = ()
    queries: tuple[QuerySeen, ...] = ()
    network: tuple[Compared, ...] | Unread | None = None
    source: MachineSeen | Unread | None = None
    resources: tuple[str, ...] = ()
    monthly_estimate: float | None = None


def judge(order: ValidationOrder, evidence: Evidence, now: datetime) -> Validation:
    """Judge a machine by the evidence."""
    checks = (
        *_of_machine(order, evidence.vm),
        *_of_logs(order, evidence.logs),
        *(_of_probe(order, probe) for probe in evidence.probes),
        *(_of_query(order, query, evidence.logs) for query in evidence.queries),
        *_of_network(order, evidence.network),
        *_of_source(order, evidence.source),
        *order.passed,
    )
    return Validation(
        machine=order.machine,
        verdict=verdict_of(checks),
        as_of=now,
        checks=checks,
        resources=evidence.resources,
        monthly_estimate=evidence.monthly_estimate,
    )


def unseen(order: ValidationOrder, why: str, now: datetime) -> Validation:
    """Say that a machine could not be looked at now."""
    check = _check(order, Aspect.MACHINE, "validation", Verdict.PENDING, why)
    return Validation(machine=order.machine, verdict=Verdict.PENDING, as_of=now, checks=(check,))


def verdict_of(checks: Iterable[Check]) -> Verdict:
    """Put verdicts together: a broken machine is broken; else what is pending is waited for; else the worst."""
    checks = tuple(checks)
    if any(check.name in _FATAL and check.verdict is Verdict.FAILED for check in checks):
        return Verdict.FAILED
    found = {check.verdict for check in checks}
    return next((each for each in _WORST_FIRST if each in found), Verdict.PASSED)


def timed_out(validation: Validation, timeout: timedelta) -> Validation:
    """End what is still pending when time is up: it fails the machine, or only warns."""

    def ended(check: Check) -> Check:
        if check.verdict is not Verdict.PENDING:
            return check
        verdict = Verdict.WARNED if check.advisory else Verdict.FAILED
        evidence = f"{check.evidence}; not within {spoken(timeout)}"
        return check.having(verdict=verdict, evidence=evidence, advisory=None)

    checks = tuple(ended(check) for check in validation.checks)
    return validation.having(verdict=verdict_of(checks), checks=checks)


def lasting(before: Validation | None) -> tuple[Check, ...]:
    """Give the checks that passed and need not be made again."""
    checks = before.checks if before else ()
    return tuple(each for each in checks if each.name in _LASTING and each.verdict is Verdict.PASSED)


# -- the machine ----------------------------------------------------------------------------------------------


def _of_machine(order: ValidationOrder, vm: MachineSeen | Unread | None) -> Iterator[Check]:
    name = "virtual machine"
    if order.vm_id is None:
        yield _pending(order, Aspect.MACHINE, name, "Site Recovery does not name the machine it made yet")
    elif isinstance(vm, Unread):
        yield _pending(order, Aspect.MACHINE, name, f"Compute could not be read: {vm.why}")
    elif vm is None:
        evidence = f"Compute does not know {last_segment(order.vm_id)} yet"
        yield _pending(order, Aspect.MACHINE, name, evidence, "look for the machine in the portal")
    else:
        yield _named(order, vm)
        yield _provisioned(order, vm)
        yield _running(order, vm)
        yield _agent(order, vm)


def _named(order: ValidationOrder, vm: MachineSeen) -> Check:
    """Site Recovery gives another name when the old one is taken (its warning 28175)."""
    if vm.name.casefold() == order.vm_name.casefold():
        return _passed(order, "virtual machine", f"{vm.name} in {vm.location}")
    evidence = f"came up in {vm.location} as {vm.name}, not as {order.vm_name}"
    remedy = "the old name was taken: check what else relies on it"
    return _check(order, Aspect.MACHINE, "virtual machine", Verdict.WARNED, evidence, remedy=remedy)


def _provisioned(order: ValidationOrder, vm: MachineSeen) -> Check:
    evidence = f"provisioning state {vm.provisioning or 'unknown'}"
    if vm.provisioning == "Failed":
        remedy = "read the machine's activity log, then redeploy it or choose another recovery point"
        return _check(order, Aspect.MACHINE, "provisioning", Verdict.FAILED, evidence, remedy=remedy)
    if vm.provisioning == "Succeeded":
        return _passed(order, "provisioning", evidence)
    return _pending(order, Aspect.MACHINE, "provisioning", evidence)


def _running(order: ValidationOrder, vm: MachineSeen) -> Check:
    evidence = f"power state {vm.power or 'unknown'}"
    if vm.power == "running":
        return _passed(order, "power", evidence)
    return _pending(order, Aspect.MACHINE, "power", evidence, "start the machine, or read why it stopped")


def _agent(order: ValidationOrder, vm: MachineSeen) -> Check:
    evidence = f"agent {vm.agent or 'has not reported'}"
    if vm.agent == "Ready":
        return _passed(order, "guest agent", evidence)
    remedy = "look at the boot diagnostics: the guest may not have booted"
    return _pending(order, Aspect.AGENT, "guest agent", f"{evidence} {vm.agent_words}".rstrip(), remedy)


# -- logs -----------------------------------------------------------------------------------------------------


def _of_logs(order: ValidationOrder, logs: Logs | Unread | None) -> Iterator[Check]:
    if order.heartbeat and order.vm_id is not None and logs is not None:
        yield _heartbeat(order, logs)


def _heartbeat(order: ValidationOrder, logs: Logs | Unread) -> Check:
    name, aspect = "heartbeat", Aspect.HEARTBEAT
    if isinstance(logs, Unread):
        return _pending(order, aspect, name, f"Log Analytics could not be read: {logs.why}")
    if not logs.has_table:
        evidence = "there are no heartbeats to look at yet: nothing has ever reported to a workspace"
        remedy = "install the Azure Monitor Agent and a data collection rule, or do not ask for heartbeats"
        return _pending(order, aspect, name, evidence, remedy, soft=True)
    if logs.last is None:
        remedy = "check the agent and its data collection rule: the machine that came up is a new resource"
        return _pending(order, aspect, name, f"none since {order.since:%F %TZ}", remedy)
    how = ", by its host name only" if logs.last.by_name else ""
    evidence = f"last at {logs.last.at:%F %TZ}{how}"
    host = logs.last.computer.split(".")[0]
    if host and host.casefold() not in _hosts(order):
        remedy = "make sure that this is the machine you mean, and that its name is right"
        evidence = f"{evidence}; it reports as {logs.last.computer}"
        return _check(order, aspect, name, Verdict.WARNED, evidence, remedy=remedy)
    return _passed(order, name, evidence)


def _hosts(order: ValidationOrder) -> frozenset[str]:
    """Give the host names under which a machine may report; Windows cuts them off after 15 letters."""
    names = {order.vm_name, order.vm_name.removesuffix("-test"), order.machine}
    return frozenset(cut for name in names for cut in (name.casefold(), name.casefold()[:15]))


def _of_query(order: ValidationOrder, query: QuerySeen, logs: Logs | Unread | None) -> Check:
    """No rows prove something only when the machine's logs arrive at all."""
    name, aspect = f"query {query.name}", Aspect.QUERIES
    if query.unread is not None:
        return _pending(order, aspect, name, f"Log Analytics could not be read: {query.unread.why}")
    if query.rows:
        found = "; ".join(query.rows)
        return _check(order, aspect, name, Verdict.FAILED, f"found {found}", remedy=_READ)
    arriving = isinstance(logs, Logs) and logs.last is not None
    if query.has_table and arriving:
        return _passed(order, name, f"no rows since {order.since:%F %TZ}")
    why = "the machine's logs have not arrived yet" if query.has_table else "a table or column is not there yet"
    remedy = "check the machine's data collection rule, and the names in the query"
    return _pending(order, aspect, name, why, remedy, soft=True)


# -- the network ----------------------------------------------------------------------------------------------


def _of_probe(order: ValidationOrder, probe: ProbeSeen) -> Check:
    if probe.answered:
        return _passed(order, probe.name, probe.words)
    remedy = "check the service in the guest, and the way to it: routes, security groups, firewalls"
    return _pending(order, Aspect.PROBES, probe.name, probe.words, remedy)


def _of_network(order: ValidationOrder, network: tuple[Compared, ...] | Unread | None) -> Iterator[Check]:
    name, aspect = NETWORK, Aspect.NETWORK
    if isinstance(network, Unread):
        yield _pending(order, aspect, name, f"it could not be compared: {network.why}")
    elif network is not None:
        differing = [row for row in network if not row.same]
        if not differing:
            yield _passed(order, name, "; ".join(f"{row.what} {row.found}" for row in network))
            return
        told = "; ".join(f"{row.what}: expected {row.expected}, found {row.found}" for row in differing)
        remedy = "mend the network card, or the item's network settings before the next failover"
        yield _check(order, aspect, name, Verdict.FAILED, told, remedy=remedy).having(compared=network)


def _of_source(order: ValidationOrder, source: MachineSeen | Unread | None) -> Iterator[Check]:
    """Two machines of one name must not run: the source has to stand still once its copy has taken over."""
    name, aspect = SOURCE_STOPPED, Aspect.SOURCE
    if order.source_vm is None or any(check.name == name for check in order.passed):
        return
    if isinstance(source, Unread):
        yield _pending(order, aspect, name, f"the source could not be read: {source.why}")
    elif source is None:
        yield _passed(order, name, f"{last_segment(order.source_vm)} does not exist any more")
    elif source.power in _STILL:
        yield _passed(order, name, f"{source.name} in {source.location} is {source.power}")
    elif source.power is None or source.power in _STOPPING:
        yield _pending(order, aspect, name, f"{source.name} in {source.location} is {source.power or 'unknown'}")
    else:
        evidence = f"{source.name} in {source.location} is {source.power}: two machines of one name are at work"
        if not order.shut_down_source:
            evidence = f"{evidence}; it was not to be shut down"
        remedy = "stop (deallocate) the source before any traffic reaches the machine at home"
        soft = not order.shut_down_source
        yield _check(order, aspect, name, Verdict.FAILED, evidence, remedy=remedy, soft=soft)


# -- checks ---------------------------------------------------------------------------------------------------


def _passed(order: ValidationOrder, name: str, evidence: str) -> Check:
    return Check(name=name, verdict=Verdict.PASSED, evidence=bounded(evidence), about=order.machine)


def _pending(
    order: ValidationOrder,
    aspect: Aspect,
    name: str,
    evidence: str,
    remedy: str | None = None,
    *,
    soft: bool = False,
) -> Check:
    return _check(order, aspect, name, Verdict.PENDING, evidence, remedy=remedy, soft=soft)


def _check(
    order: ValidationOrder,
    aspect: Aspect,
    name: str,
    verdict: Verdict,
    evidence: str,
    *,
    remedy: str | None = None,
    soft: bool = False,
) -> Check:
    """Word a check; one that does not block warns where another would fail."""
    mild = soft or aspect not in order.blocks
    return Check(
        name=name,
        verdict=Verdict.WARNED if mild and verdict is Verdict.FAILED else verdict,
        evidence=bounded(evidence),
        remedy=remedy,
        about=order.machine,
        advisory=True if mild and verdict is Verdict.PENDING else None,
    )

"""The plan of a run: which machines, whether each may come home, and what will be done in which order.

Planning decides on facts that one activity gathered; it changes nothing. A plan with a failed check is
refused before any act. The plan's hash covers everything in it, and approvals are bound to it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Final

from domain import checks
from domain.contract import Check, ChosenPoint, Facts, Pace, Subject, Verdict
from domain.errors import Refusal
from domain.lifecycle import ACTS, HAS_POINTS, Act, MachineState, heading, is_homeward
from domain.machine import MachineDetails, region
from domain.recovery_points import choose, newest_by_lag
from domain.request import GROUP_LIMIT, FailbackRequest, MachineRequest, Mode
from domain.wire import Answer, digest

# How long the service took in recordings of real machines (one OS disk, nearly empty).
EXPECTED: Final[Mapping[Act, timedelta]] = {
    Act.TEST_FAILOVER: timedelta(seconds=203),
    Act.CLEAN_UP: timedelta(seconds=82),
    Act.FAIL_OVER: timedelta(seconds=205),
    Act.CHANGE_POINT: timedelta(seconds=293),
    Act.COMMIT: timedelta(seconds=38),
    Act.REPROTECT: timedelta(seconds=506),
}
# From a re-protection's end to Protected, for a 127 GB disk; larger disks stretch it to hours.
FIRST_COPY: Final = timedelta(minutes=51)

_S = MachineState
_HOMEWARD = (Act.FAIL_OVER, Act.COMMIT, Act.REPROTECT)
_REHEARSAL = (Act.TEST_FAILOVER, Act.CLEAN_UP)
# What lies ahead of a machine from each state, when everything is asked for.
ROAD: Final[Mapping[MachineState, tuple[Act, ...]]] = {
    _S.AWAY_COMMITTED: (Act.REPROTECT, *_REHEARSAL, *_HOMEWARD),
    _S.AWAY_SYNCING: (*_REHEARSAL, *_HOMEWARD),
    _S.AWAY_PROTECTED: (*_REHEARSAL, *_HOMEWARD),
    _S.AWAY_REHEARSED: (Act.CLEAN_UP, *_REHEARSAL, *_HOMEWARD),
    _S.HOME_UNCOMMITTED: (Act.COMMIT, Act.REPROTECT),
    _S.HOME_COMMITTED: (Act.REPROTECT,),
}


class PlannedAct(Answer):
    """One act that the run will ask of Azure, and how long it took where it was measured."""

    machine: str
    group: int
    act: Act
    words: str
    expected: timedelta


class Calls(Answer):
    """How many ARM calls a run makes, about: reads come in lists, writes one per act and machine."""

    reads: int
    writes: int


class Plan(Answer):
    """A run as it was planned: what was asked, what was found, what will be done.

    `points` are the recovery points as they stood when the plan was made. `refusal` is set when the vault
    itself could not be read; then there are no machines.
    """

    request: FailbackRequest
    as_of: datetime
    subjects: tuple[Subject, ...] = ()
    checks: tuple[Check, ...] = ()
    points: dict[str, ChosenPoint] = {}
    acts: tuple[PlannedAct, ...] = ()
    expected: timedelta = timedelta(0)
    calls: Calls = Calls(reads=0, writes=0)
    pace: Pace = Pace()
    # How old a machine's last good drill may be; absent in old plans, which do not ask.
    drill_age: timedelta | None = None
    refusal: Refusal | None = None

    @property
    def hash(self) -> str:
        """The digest of the whole plan."""
        return digest(self.to_wire())

    @property
    def failed(self) -> tuple[Check, ...]:
        """The checks that forbid the run."""
        return tuple(check for check in self.checks if check.verdict is Verdict.FAILED)

    @property
    def is_refused(self) -> bool:
        """Whether the run must not start."""
        return self.refusal is not None or bool(self.failed)

    @property
    def groups(self) -> tuple[tuple[Subject, ...], ...]:
        """The machines in boot order, group by group; a large group goes in parts, one after another."""
        numbers = sorted({subject.group for subject in self.subjects})
        groups = ([each for each in self.subjects if each.group == number] for number in numbers)
        return tuple(
            tuple(group[start : start + GROUP_LIMIT])
            for group in groups
            for start in range(0, len(group), GROUP_LIMIT)
        )


def refused_plan(request: FailbackRequest, as_of: datetime, refusal: Refusal) -> Plan:
    """Give the plan of a run whose vault could not be read."""
    return Plan(request=request, as_of=as_of, refusal=refusal)


def make_plan(request: FailbackRequest, facts: Facts) -> Plan:
    """Plan a run: find each machine, check it, and order the acts."""
    found = {machine.name: find(machine.name, facts) for machine in request.machines}
    known = [(machine, found[machine.name][0]) for machine in request.machines if len(found[machine.name]) == 1]
    subjects = tuple(_subject(request, machine, details, facts) for machine, details in known)
    points = {
        subject.name: _point(subject, details, facts)
        for subject, (_, details) in zip(subjects, known, strict=True)
        if heading(details.snapshot) in HAS_POINTS
    }
    acts = tuple(
        act
        for subject, (_, details) in zip(subjects, known, strict=True)
        for act in _acts(request, subject, heading(details.snapshot))
    )
    machines = tuple(details for _, details in known)
    return Plan(
        request=request,
        as_of=facts.as_of,
        subjects=subjects,
        checks=(
            *checks.of_run(request, machines, facts),
            *checks.of_names(found),
            *(
                check
                for subject, details in zip(subjects, machines, strict=True)
                for check in checks.of_machine(request, subject, details, points.get(subject.name), facts)
            ),
        ),
        points=points,
        acts=acts,
        expected=_expected(acts),
        calls=Calls(reads=2 + 4 * len(subjects) + 2 * len(acts), writes=len(acts)),
        pace=facts.pace,
        drill_age=facts.drill_age,
    )


def find(name: str, facts: Facts) -> tuple[MachineDetails, ...]:
    """Find a machine by the name of its protected item, else by that of its virtual machine."""
    wanted = name.casefold()
    items = tuple(each for each in facts.machines if each.snapshot.name.casefold() == wanted)
    return items or tuple(each for each in facts.machines if each.snapshot.vm_name.casefold() == wanted)


def _point(subject: Subject, details: MachineDetails, facts: Facts) -> ChosenPoint:
    """Choose a machine's point; where the service will, and the points of many were not read, go by the lag."""
    points, lag = facts.points.get(subject.name, ()), details.snapshot.rpo
    if lag is not None and subject.name not in facts.points and not subject.point.is_ours:
        return newest_by_lag(lag, facts.as_of)
    return choose(points, subject.point, (disk.id for disk in details.disks), facts.as_of)


def _subject(request: FailbackRequest, machine: MachineRequest, details: MachineDetails, facts: Facts) -> Subject:
    snapshot, point = details.snapshot, request.point_for(machine)
    return Subject(
        name=snapshot.name,
        item_id=snapshot.id,
        vm_name=snapshot.vm_name,
        lifecycle_id=snapshot.lifecycle_id,
        home=snapshot.home,
        away=snapshot.away,
        group=machine.group,
        point=point,
        test_point=request.test_failover.recovery_point or point,
        # Before re-protection the item's own networks are those of the other direction.
        test_network=request.test_failover.network_id
        or (details.test_network if is_homeward(details.snapshot) else None),
        prepare_cache=request.prepare.cache_storage_account_id or _cache(snapshot.away, facts),
        reprotect_cache=request.reprotect.cache_storage_account_id or _cache(snapshot.home, facts),
    )


def _cache(source: str, facts: Facts) -> str | None:
    """Find the cache storage account for replicating out of a region.

    The one that most machines replicating out of that region use; else the only account of that region in
    the vault's resource group; else none, and the plan asks for it.
    """
    used = [
        disk.staging_account
        for machine in facts.machines
        if machine.snapshot.primary == source and machine.snapshot.active_location == "Primary"
        for disk in machine.disks
        if disk.staging_account
    ]
    if used:
        return max(sorted(set(used)), key=used.count)
    here = [account.id for account in facts.accounts if region(account.location) == source]
    return here[0] if len(here) == 1 else None


def _acts(request: FailbackRequest, subject: Subject, state: MachineState) -> Iterator[PlannedAct]:
    road = list(ROAD.get(state, ()))
    if not request.reprotect.enabled:
        # Every road ends with it; the one that begins with it as well must be prepared for.
        road = road[:-1]
    if not request.test_failover.enabled:
        first = road.index(Act.TEST_FAILOVER) if Act.TEST_FAILOVER in road else len(road)
        road = road[:first] + road[first + 2 :]
    if request.mode is Mode.DRILL:
        road = [act for act in road if act in _REHEARSAL]
    for act in road:
        yield PlannedAct(
            machine=subject.name,
            group=subject.group,
            act=act,
            words=_words(act, request, subject),
            expected=EXPECTED[act],
        )


def _words(act: Act, request: FailbackRequest, subject: Subject) -> str:
    words = f"{ACTS[act].words} of {subject.name}"
    if act is Act.FAIL_OVER:
        shutdown = "shutting the source down first" if request.shut_down_source else "leaving the source as it is"
        return f"{words} from {subject.away} to {subject.home}, recovery point {subject.point.select}, {shutdown}"
    if act is Act.TEST_FAILOVER:
        return f"{words} in {subject.home}, recovery point {subject.test_point.select}"
    if act is Act.COMMIT:
        return f"{words}; its recovery points are deleted"
    return words


def _expected(acts: tuple[PlannedAct, ...]) -> timedelta:
    """Add up the longest machine of each group; groups follow one another, people take their own time."""
    # The next act, and the next group, wait until what was re-protected is really protected.
    lengths = [(act, act.expected + (FIRST_COPY if act.act is Act.REPROTECT else timedelta(0))) for act in acts]
    total = timedelta(0)
    for group in sorted({act.group for act in acts}):
        machines: dict[str, timedelta] = {}
        for act, length in lengths:
            if act.group == group:
                machines[act.machine] = machines.get(act.machine, timedelta(0)) + length
        total += max(machines.values())
    return total

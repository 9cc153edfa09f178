"""The readiness checks: may this machine come home, and can its region take it?

Each check says what was found, and a failed one says what would help. A warning is something a person should
know before approving; a failure forbids the run.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Final

from domain.approvals import folded
from domain.contract import Check, ChosenPoint, Facts, Size, Subject, Verdict
from domain.duration import spoken
from domain.lifecycle import STILL_AWAY, MachineState, heading, in_words, is_homeward
from domain.machine import MachineDetails, last_segment, region, same_id
from domain.request import FailbackRequest, Mode

# Points are made every five minutes; an hour behind is twelve of them missing.
LAG_TO_WARN: Final = timedelta(hours=1)

_S = MachineState


def _passed(name: str, evidence: str, about: str | None = None) -> Check:
    return Check(name=name, verdict=Verdict.PASSED, evidence=evidence, about=about)


def _warned(name: str, evidence: str, remedy: str, about: str | None = None) -> Check:
    return Check(name=name, verdict=Verdict.WARNED, evidence=evidence, remedy=remedy, about=about)


def _failed(name: str, evidence: str, remedy: str, about: str | None = None) -> Check:
    return Check(name=name, verdict=Verdict.FAILED, evidence=evidence, remedy=remedy, about=about)


# -- the run --------------------------------------------------------------------------------------------------


def of_run(request: FailbackRequest, machines: Sequence[MachineDetails], facts: Facts) -> Iterator[Check]:
    """Check what concerns the run as a whole: the people, and the primary region."""
    yield from _people(request)
    coming = [each for each in machines if heading(each.snapshot) in STILL_AWAY]
    for home in sorted({each.snapshot.home for each in coming}):
        yield _region(home, [each for each in coming if each.snapshot.home == home], facts)


def _people(request: FailbackRequest) -> Iterator[Check]:
    policy, requester = request.approvals, folded((request.requested_by or "", request.requested_by_id or ""))
    if request.mode is not Mode.FAILBACK or not policy.approvers:
        return
    able = folded(policy.approvers)
    if not policy.requester_may_approve:
        able -= requester
    if len(able) >= policy.quorum:
        yield _passed("approvers", f"{len(able)} of those named may approve; {policy.quorum} must")
    else:
        yield _failed(
            "approvers",
            f"{policy.quorum} must approve, and without the requester only {len(able)} may",
            "name more approvers, or let the requester approve",
        )


def _region(home: str, machines: Sequence[MachineDetails], facts: Facts) -> Check:
    """Check that the primary region can take the machines: sizes on offer, cores left in the quotas."""
    name = f"primary region {home}"
    unread = facts.unread.get(f"compute:{home}")
    if unread:
        return _warned(name, f"its sizes and quotas could not be read: {unread.what}", unread.remedy)
    offered = {size.name.casefold(): size for size in facts.sizes.get(home, ())}
    wanted = {each.snapshot.name: offered.get((each.target_size or "").casefold()) for each in machines}
    trouble = [
        f"{each.snapshot.name} needs {each.target_size or 'an unknown size'}: "
        + (size.restriction or "" if (size := wanted[each.snapshot.name]) else "not offered there")
        for each in machines
        if not (size := wanted[each.snapshot.name]) or size.restriction
    ]
    if trouble:
        remedy = "choose another target size for the machine in Site Recovery's Compute settings"
        return _failed(name, "; ".join(trouble), remedy)
    return _quota(name, home, [size for size in wanted.values() if size], facts)


def _quota(name: str, home: str, sizes: Sequence[Size], facts: Facts) -> Check:
    needs = {"cores": sum(size.cores for size in sizes)}
    for size in sizes:
        needs[size.family.casefold()] = needs.get(size.family.casefold(), 0) + size.cores
    usages = {usage.family.casefold(): usage for usage in facts.usages.get(home, ())}
    found = [(usage, need) for family, need in needs.items() if (usage := usages.get(family))]
    short = [
        f"{usage.family}: {need} cores needed, {usage.limit - usage.used} of {usage.limit} free"
        for usage, need in found
        if usage.used + need > usage.limit
    ]
    if short:
        return _failed(
            name, "; ".join(short), f"ask for more quota in {home}, or bring fewer machines home at once"
        )
    free = ", ".join(f"{usage.limit - usage.used} of {usage.limit} {usage.family} free" for usage, _ in found)
    return _passed(name, f"every size is offered; {needs['cores']} cores needed, {free or 'no quota listed'}")


# -- one machine ----------------------------------------------------------------------------------------------


def of_names(found: Mapping[str, Sequence[MachineDetails]]) -> Iterator[Check]:
    """Check that each name means one machine of the vault."""
    for name, machines in found.items():
        if not machines:
            yield _failed(
                "found",
                "no protected item of this vault has this name, nor has its virtual machine",
                "compare with the vault's replicated items; names are those of the item or of the machine",
                name,
            )
        elif len(machines) > 1:
            items = ", ".join(each.snapshot.name for each in machines)
            yield _failed(
                "found", f"{len(machines)} machines have this name: {items}", "use the item's name", name
            )
    yield from _named_once(found)


def _named_once(found: Mapping[str, Sequence[MachineDetails]]) -> Iterator[Check]:
    """Check that no machine is named twice, by its item's name and by its own."""
    names: dict[str, list[str]] = {}
    for name, machines in found.items():
        if len(machines) == 1:
            names.setdefault(machines[0].snapshot.name, []).append(name)
    for item, same in names.items():
        if len(same) > 1:
            yield _failed("found", f"{' and '.join(same)} are the same machine", "name it once", item)


def of_machine(
    request: FailbackRequest,
    subject: Subject,
    details: MachineDetails,
    point: ChosenPoint | None,
    facts: Facts,
) -> Iterator[Check]:
    """Check one machine: may it come home, from which point, through which networks and accounts."""
    state = heading(details.snapshot)
    yield _state(request, subject, details)
    if details.multi_vm_group:
        yield _failed(
            "multi-VM group",
            f"it belongs to consistency group {details.multi_vm_group}, whose machines fail over only together",
            "fail the group back by a recovery plan, or take the machine out of the group first",
            subject.name,
        )
    if state in STILL_AWAY:
        yield _health(details)
        if point is not None:
            yield _point(subject, details, point)
        if request.test_failover.enabled:
            yield from _test_network(subject, details, facts)
    if state is _S.AWAY_COMMITTED and request.prepare.reprotect:
        asked, account = request.prepare.cache_storage_account_id, subject.prepare_cache
        yield _account(subject, facts, name=_PREPARING, asked=asked, account=account, source=subject.away)
    if request.reprotect.enabled and request.mode is not Mode.DRILL and state in _NEEDS_CACHE:
        asked, account = request.reprotect.cache_storage_account_id, subject.reprotect_cache
        yield _account(subject, facts, name=_CACHE, asked=asked, account=account, source=subject.home)


_NEEDS_CACHE = STILL_AWAY | {_S.HOME_UNCOMMITTED, _S.HOME_COMMITTED}
_CACHE: Final = "cache storage account"
_PREPARING: Final = "cache storage account for preparing"
_DRILL_ONLY = "a drill rehearses machines that are protected in the secondary region; leave this one out"

# For each state: does it go, and what should be known. None means: nothing to remark.
_REMARKS: Final[Mapping[MachineState, tuple[Verdict, str | None]]] = {
    _S.AWAY_PROTECTED: (Verdict.PASSED, None),
    _S.AWAY_SYNCING: (Verdict.WARNED, "the run waits until the first copy is complete"),
    _S.AWAY_REHEARSED: (Verdict.WARNED, "the test failover left behind is cleaned up first"),
    _S.AWAY_COMMITTED: (Verdict.WARNED, "it is re-protected first, which overwrites its old disks at home"),
    _S.HOME_UNCOMMITTED: (Verdict.WARNED, "it is at home already: the run goes on with its validation and commit"),
    _S.HOME_COMMITTED: (Verdict.WARNED, "it is at home already: the run only re-protects it"),
    _S.HOME_SYNCING: (Verdict.WARNED, "it is at home already: the run only waits until it is protected"),
    _S.AWAY_UNCOMMITTED: (
        Verdict.FAILED,
        "commit the failover first (which deletes its recovery points), then re-protect",
    ),
    _S.HOME_PROTECTED: (Verdict.FAILED, "it runs at home and is protected: leave it out"),
    _S.UNKNOWN: (
        Verdict.FAILED,
        "look at the item in the portal; finish or undo what is under way, then plan again",
    ),
}


def _state(request: FailbackRequest, subject: Subject, details: MachineDetails) -> Check:
    snapshot = details.snapshot
    state, words = heading(snapshot), in_words(snapshot)
    verdict, remark = _REMARKS[state]
    refused = _not_asked_for(request, state)
    if refused:
        verdict, remark = Verdict.FAILED, refused
    elif verdict is Verdict.PASSED and snapshot.scenario:
        verdict, remark = Verdict.WARNED, f"the run waits for {snapshot.scenario} to end, then goes on from there"
    return Check(name="state", verdict=verdict, evidence=words, remedy=remark, about=subject.name)


def _not_asked_for(request: FailbackRequest, state: MachineState) -> str | None:
    """Say what the request would have to allow for a machine in this state."""
    if request.mode is Mode.DRILL and state is not _S.AWAY_PROTECTED:
        return _DRILL_ONLY
    if state is _S.AWAY_COMMITTED and not request.prepare.reprotect:
        return 're-protect it first, or let the run do it with "prepare": {"reprotect": true}; that overwrites its old disks at home'  # noqa: E501 - one sentence
    if state is _S.AWAY_REHEARSED and not request.prepare.clean_up:
        return 'clean its test failover up first, or let the run do it with "prepare": {"cleanUp": true}'
    if state in {_S.HOME_COMMITTED, _S.HOME_SYNCING} and not request.reprotect.enabled:
        return "it is at home already and re-protection is not asked for: leave it out"
    return None


def _health(details: MachineDetails) -> Check:
    snapshot = details.snapshot
    about = snapshot.name
    grave = [error for error in details.health_errors if error.level.casefold() == "error"]
    if snapshot.replication_health.casefold() == "critical" or grave:
        told = "; ".join(f"{error.code}: {error.message}" for error in grave[:5]) or "no error was named"
        action = next((error.action for error in grave if error.action), "mend replication in the portal first")
        return _failed("replication health", f"critical: {told}", action, about)
    if snapshot.rpo is not None and snapshot.rpo > LAG_TO_WARN:
        return _warned(
            "replication health",
            f"replication lags {spoken(snapshot.rpo)} behind",
            "what was written since is lost unless replication catches up before the failover",
            about,
        )
    lag = f", {spoken(snapshot.rpo)} behind" if snapshot.rpo is not None else ""
    return _passed("replication health", f"{snapshot.replication_health.casefold()}{lag}", about)


def _point(subject: Subject, details: MachineDetails, point: ChosenPoint) -> Check:
    if point.refusal:
        return _failed("recovery point", point.refusal.what, point.refusal.remedy, subject.name)
    newest = "newest listed is of" if point.kind else "by the lag of replication, the newest is of about"
    named = f"{point.select}: " + (f"{last_segment(point.id)} of" if point.id else newest)
    age = f", {spoken(point.age)} old" if point.age is not None else ""
    disks = f", holding {len(details.disks)} disks" if details.disks else ""
    return _passed("recovery point", f"{named} {point.time:%F %TZ}{age}{disks}", subject.name)


def _test_network(subject: Subject, details: MachineDetails, facts: Facts) -> Iterator[Check]:
    """Check that the rehearsal cannot meet production: another network, in the right region, not peered."""
    name, wanted = "test network", subject.test_network
    production = details.target_network if is_homeward(details.snapshot) else details.source_network
    if not wanted:
        remedy = 'name an isolated network in the home region: "testFailover": {"networkId": ...}'
        yield _failed(name, "no network is named, and the item has none of its own", remedy, subject.name)
        return
    if same_id(wanted, production):
        remedy = "give a network that production does not use"
        yield _failed(name, f"{last_segment(wanted)} is the machine's production network", remedy, subject.name)
        return
    unread = facts.unread.get(f"network:{wanted.casefold()}")
    if unread:
        yield _warned(
            name, f"{last_segment(wanted)} could not be read: {unread.what}", unread.remedy, subject.name
        )
        return
    network = facts.networks.get(wanted.casefold())
    if network is None:
        yield _failed(name, f"{wanted} does not exist", "give the ARM id of an existing network", subject.name)
    elif region(network.location) != subject.home:
        found = f"{last_segment(wanted)} lies in {network.location}, the machine comes home to {subject.home}"
        yield _failed(name, found, f"give a network in {subject.home}", subject.name)
    elif any(same_id(peer, production) for peer in network.peers):
        found = f"{last_segment(wanted)} is peered with the machine's production network"
        yield _failed(name, found, "remove the peering, or give a network without one", subject.name)
    elif network.peers:
        peers = ", ".join(last_segment(peer) for peer in network.peers)
        remedy = "make sure that the test machine cannot reach production through them"
        yield _warned(name, f"{last_segment(wanted)} is peered with {peers}", remedy, subject.name)
    else:
        yield _passed(name, f"{last_segment(wanted)} in {network.location}, without peerings", subject.name)


def _account(
    subject: Subject, facts: Facts, *, name: str, asked: str | None, account: str | None, source: str
) -> Check:
    """Check that replication out of a region has its cache storage account there."""
    if account is None:
        unread = facts.unread.get("storage")
        seen = (
            f"storage accounts could not be read: {unread.what}" if unread else f"none could be found in {source}"
        )
        field = "prepare" if name == _PREPARING else "reprotect"
        remedy = f'name one in {source}: "{field}": {{"cacheStorageAccountId": ...}}'
        return _failed(name, seen, remedy, subject.name)
    place = next((each.location for each in facts.accounts if same_id(each.id, account)), None)
    if place is None and asked is not None:
        return _unseen(name, account, facts, subject)
    # One that the vault's replication uses already need not be among those that were read.
    if place is not None and region(place) != source:
        found = f"{last_segment(account)} lies in {place}, replication starts from {source}"
        return _failed(name, found, f"name an account in {source}", subject.name)
    return _passed(name, f"{last_segment(account)} in {source}", subject.name)


def _unseen(name: str, account: str, facts: Facts, subject: Subject) -> Check:
    unread = facts.unread.get(f"storage:{account.casefold()}")
    if unread:
        found = f"{last_segment(account)} could not be read: {unread.what}"
        return _warned(name, found, unread.remedy, subject.name)
    return _failed(name, f"{account} does not exist", "give the ARM id of an existing account", subject.name)

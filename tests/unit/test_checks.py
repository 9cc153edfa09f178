"""Each readiness check: when it passes, warns and fails, with what was found and what would help."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from domain.contract import Check, Facts, Network, Size, StorageAccount, Usage, Verdict
from domain.errors import Refusal
from domain.lifecycle import MachineState
from domain.machine import HealthError, MachineDetails
from domain.planning import make_plan
from tests.unit.making import (
    AWAY,
    HOME,
    HOME_CACHE,
    ISOLATED,
    NAME,
    PRODUCTION,
    S,
    details,
    facts,
    held,
    request,
    snapshot,
)

UNREAD = Refusal(code="Forbidden", what="not permitted", remedy="grant Reader")
P, W, F = Verdict.PASSED, Verdict.WARNED, Verdict.FAILED


def check(name: str, known: Facts, **asked: Any) -> Check | None:
    """Plan, and give the one check of a name."""
    found = [each for each in make_plan(request(**asked), known).checks if each.name == name]
    assert len(found) <= 1
    return found[0] if found else None


def verdict(name: str, known: Facts, **asked: Any) -> Verdict | None:
    found = check(name, known, **asked)
    return found.verdict if found else None


def test_a_machine_in_order_passes_every_check() -> None:
    plan = make_plan(request(), facts())
    assert {each.verdict for each in plan.checks} == {P}
    assert {each.name for each in plan.checks} == {
        f"primary region {HOME}",
        "state",
        "replication health",
        "recovery point",
        "test network",
        "cache storage account",
    }


@pytest.mark.parametrize("state", MachineState)
def test_whatever_does_not_pass_says_what_was_found_and_what_would_help(state: MachineState) -> None:
    for each in make_plan(request(), facts(details(state))).checks:
        assert each.evidence
        assert each.verdict is P or each.remedy


# -- state ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("state", "came_to"),
    [
        (S.AWAY_PROTECTED, P),
        (S.AWAY_SYNCING, W),
        (S.AWAY_REHEARSED, W),
        (S.AWAY_COMMITTED, F),
        (S.HOME_UNCOMMITTED, W),
        (S.HOME_COMMITTED, W),
        (S.HOME_SYNCING, W),
        (S.AWAY_UNCOMMITTED, F),
        (S.HOME_PROTECTED, F),
        (S.UNKNOWN, F),
    ],
)
def test_a_run_takes_a_machine_from_where_it_may(state: MachineState, came_to: Verdict) -> None:
    assert verdict("state", facts(details(state))) is came_to


@pytest.mark.parametrize(
    ("state", "asked", "came_to"),
    [
        (S.AWAY_COMMITTED, {"prepare": {"reprotect": True}}, W),
        (S.AWAY_REHEARSED, {"prepare": {"cleanUp": False}}, F),
        (S.HOME_COMMITTED, {"reprotect": {"enabled": False}}, F),
        (S.HOME_SYNCING, {"reprotect": {"enabled": False}}, F),
        (S.AWAY_PROTECTED, {"mode": "drill"}, P),
        (S.AWAY_REHEARSED, {"mode": "drill"}, F),
        (S.HOME_UNCOMMITTED, {"mode": "drill"}, F),
    ],
)
def test_what_the_request_allows_decides_about_a_machine_that_is_not_ready(
    state: MachineState, asked: dict[str, Any], came_to: Verdict
) -> None:
    assert verdict("state", facts(details(state)), **asked) is came_to


def test_a_job_under_way_is_a_warning_that_says_what_is_waited_for() -> None:
    going = details().having(snapshot=held(S.AWAY_PROTECTED, "UpdateVmProperties"))
    assert check("state", facts(going)).remedy == (
        "the run waits for UpdateVmProperties to end, then goes on from there"
    )


# -- health ---------------------------------------------------------------------------------------------------


def unwell(**changes: Any) -> Facts:
    return facts(details().having(snapshot=snapshot(**changes)))


def test_critical_replication_forbids_the_run_and_a_warning_does_not() -> None:
    assert verdict("replication health", unwell(replication_health="Critical")) is F
    assert verdict("replication health", unwell(replication_health="Warning")) is P


@pytest.mark.parametrize(("level", "came_to"), [("Error", F), ("Warning", P)])
def test_an_error_of_the_service_forbids_the_run_in_its_own_words(level: str, came_to: Verdict) -> None:
    error = HealthError(
        code="153077", level=level, category="Replication", message="agent down", action="restart it"
    )
    found = check("replication health", facts(details().having(health_errors=(error,))))
    assert found.verdict is came_to
    assert came_to is P or (found.evidence, found.remedy) == ("critical: 153077: agent down", "restart it")


@pytest.mark.parametrize(("minutes", "came_to"), [(5, P), (60, P), (61, W)])
def test_a_lag_of_more_than_an_hour_is_a_warning(minutes: int, came_to: Verdict) -> None:
    assert verdict("replication health", unwell(rpo=timedelta(minutes=minutes))) is came_to


# -- recovery point -------------------------------------------------------------------------------------------


def test_without_a_point_that_fits_the_run_is_refused() -> None:
    assert verdict("recovery point", facts().having(points={})) is F


def test_a_point_that_is_named_is_shown_with_its_age() -> None:
    found = check("recovery point", facts(), recoveryPoint={"select": "latestProcessed"})
    assert found.evidence.startswith("latestProcessed: point-5-CrashConsistent of 2026-01-15 11:55:00Z, 5 min old")


def test_a_machine_of_which_no_disk_is_known_has_a_point_all_the_same() -> None:
    assert "disks" not in check("recovery point", facts(details().having(disks=()))).evidence


# -- test network ---------------------------------------------------------------------------------------------


def netted(**changes: Any) -> Facts:
    network = Network(id=ISOLATED, location="centralus").having(**changes)
    return facts().having(networks={ISOLATED.casefold(): network})


@pytest.mark.parametrize(
    ("known", "came_to"),
    [
        (netted(), P),
        (netted(peers=("/x/shared",)), W),
        (netted(peers=(PRODUCTION.upper(),)), F),
        (netted(location="East US"), F),
        (facts().having(networks={}), F),
        (facts().having(unread={f"network:{ISOLATED.casefold()}": UNREAD}), W),
        (facts(details().having(test_network=None)), F),
        (facts(details().having(test_network=PRODUCTION.upper())), F),
    ],
)
def test_a_rehearsal_must_not_be_able_to_meet_production(known: Facts, came_to: Verdict) -> None:
    assert verdict("test network", known) is came_to


def test_before_re_protection_production_at_home_is_the_network_of_the_source() -> None:
    waiting = details(S.AWAY_COMMITTED).having(source_network=ISOLATED, target_network="/other")
    asked = {"testFailover": {"networkId": ISOLATED}, "prepare": {"reprotect": True}}
    assert "production network" in check("test network", facts(waiting), **asked).evidence


def test_without_a_rehearsal_no_test_network_is_needed() -> None:
    assert check("test network", facts(), testFailover={"enabled": False}) is None


# -- cache storage account ------------------------------------------------------------------------------------

ELSEWHERE = f"{HOME_CACHE}2"


@pytest.mark.parametrize(
    ("known", "asked", "came_to"),
    [
        (facts(), None, P),
        (facts(), HOME_CACHE, P),
        (facts().having(accounts=(StorageAccount(id=HOME_CACHE, location="East US"),)), HOME_CACHE, F),
        (facts().having(accounts=()), None, F),
        (facts(), ELSEWHERE, F),
        (facts().having(unread={f"storage:{ELSEWHERE.casefold()}": UNREAD}), ELSEWHERE, W),
    ],
)
def test_replication_needs_a_cache_that_exists_in_the_region_it_starts_from(
    known: Facts, asked: str | None, came_to: Verdict
) -> None:
    assert verdict("cache storage account", known, reprotect={"cacheStorageAccountId": asked}) is came_to


def test_an_account_that_replication_uses_already_need_not_lie_beside_the_vault() -> None:
    disk = details().disks[0].having(staging_account="/elsewhere/cache")
    settled = details(S.HOME_PROTECTED, "other").having(disks=(disk,))
    assert check("cache storage account", facts(details(), settled)).evidence == f"cache in {HOME}"


def test_accounts_that_cannot_be_read_are_said_to_be_unread() -> None:
    blind = facts().having(accounts=(), unread={"storage": UNREAD})
    assert "not permitted" in check("cache storage account", blind).evidence


@pytest.mark.parametrize("asked", [{"reprotect": {"enabled": False}}, {"mode": "drill"}])
def test_where_nothing_is_re_protected_no_cache_is_needed(asked: dict[str, Any]) -> None:
    assert check("cache storage account", facts(), **asked) is None


def test_preparing_needs_a_cache_where_the_machine_runs_now() -> None:
    waiting, name = facts(details(S.AWAY_COMMITTED)), "cache storage account for preparing"
    assert check(name, waiting, prepare={"reprotect": True}).evidence == f"awaycache in {AWAY}"
    found = check(name, waiting.having(accounts=()), prepare={"reprotect": True})
    assert found.remedy == 'name one in eastus: "prepare": {"cacheStorageAccountId": ...}'


# -- the primary region ---------------------------------------------------------------------------------------

REGION = f"primary region {HOME}"
SMALL = Size(name="standard_d2s_V5", family="standardDSv5Family", cores=2)


@pytest.mark.parametrize(
    ("changes", "came_to"),
    [
        ({}, P),
        ({"sizes": {HOME: (SMALL,)}}, P),
        ({"sizes": {}}, F),
        ({"sizes": {HOME: (SMALL.having(restriction="not for this subscription"),)}}, F),
        ({"usages": {HOME: (Usage(family="cores", used=98, limit=100),)}}, P),
        ({"usages": {HOME: (Usage(family="cores", used=99, limit=100),)}}, F),
        ({"usages": {HOME: (Usage(family="STANDARDDSv5Family", used=9, limit=10),)}}, F),
        ({"usages": {}}, P),
        ({"unread": {f"compute:{HOME}": UNREAD}}, W),
    ],
)
def test_the_primary_region_must_offer_the_sizes_and_have_cores_left(
    changes: dict[str, Any], came_to: Verdict
) -> None:
    assert verdict(REGION, facts().having(**changes)) is came_to


def test_a_size_that_is_not_to_be_had_is_named_with_its_reason() -> None:
    restricted = facts().having(sizes={HOME: (SMALL.having(restriction="not for this subscription"),)})
    assert check(REGION, restricted).evidence == f"{NAME} needs Standard_D2s_v5: not for this subscription"
    unknown = facts(details().having(target_size=None))
    assert check(REGION, unknown).evidence == f"{NAME} needs an unknown size: not offered there"


def test_the_cores_of_all_machines_are_added_up() -> None:
    machines: list[MachineDetails] = [details(name=name) for name in ("a", "b")]
    scarce = facts(*machines).having(usages={HOME: (Usage(family="cores", used=0, limit=3),)})
    assert check(REGION, scarce, machines=["a", "b"]).evidence == "cores: 4 cores needed, 3 of 3 free"


def test_a_machine_that_is_home_already_needs_no_room_there() -> None:
    assert check(REGION, facts(details(S.HOME_UNCOMMITTED))) is None


# -- the people -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("approvals", "mode", "came_to"),
    [
        ({"approvers": ["ann", "bob"]}, "failback", P),
        ({"approvers": ["Ann"]}, "failback", F),
        ({"approvers": ["ann"], "requesterMayApprove": True}, "failback", P),
        ({"approvers": ["ann", "bob"], "quorum": 2}, "failback", F),
        ({}, "failback", None),
        ({"approvers": ["ann"]}, "drill", None),
    ],
)
def test_a_run_that_nobody_could_approve_is_refused(
    approvals: dict[str, Any], mode: str, came_to: Verdict | None
) -> None:
    assert verdict("approvers", facts(), approvals=approvals, mode=mode, requestedBy="ann") is came_to


def test_a_machine_of_a_consistency_group_cannot_come_home_alone() -> None:
    planned = make_plan(request(), facts(details(multi_vm_group="shop")))
    failed = [check for check in planned.failed if check.name == "multi-VM group"]
    assert "shop" in failed[0].evidence

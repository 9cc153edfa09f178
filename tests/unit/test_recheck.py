"""What voids an approval: a state that is another, a check that is worse, a recovery point that is gone."""

from __future__ import annotations

from typing import Any

import pytest

from domain.contract import Check, Facts, Network, Size, Usage, Verdict
from domain.planning import make_plan
from domain.recheck import Changed, Rechecked, RecheckRequest, Seen, checks_of, recheck, seen_of
from domain.request import PointChoice, Select
from tests.unit.making import HOME, ISOLATED, NAME, S, details, facts, journey, point, request, snapshot

PLAN = make_plan(request(), facts())
SEEN = seen_of(PLAN, journey(S.AWAY_PROTECTED))


def changed(found: Facts, seen: Seen = SEEN, **asked: Any) -> Changed | None:
    return recheck(RecheckRequest(request=request(**asked), seen={NAME: seen}), found).changed.get(NAME)


def test_what_is_as_it_was_shown_voids_nothing() -> None:
    assert changed(facts()) is None
    assert recheck(RecheckRequest(request=request(), seen={}), facts()) == Rechecked(as_of=facts().as_of)


def test_numbers_that_move_from_minute_to_minute_void_nothing() -> None:
    busier = {HOME: (Usage(family="cores", used=50, limit=100),)}
    newer = {NAME: (point(1), point(6))}
    lagging = details().having(snapshot=snapshot(rpo=PLAN.expected / 100))
    assert changed(facts(lagging, usages=busier, points=newer)) is None


def test_a_machine_that_stands_elsewhere_is_told_with_where_it_is_now() -> None:
    found = changed(facts(details(S.AWAY_REHEARSED)))
    assert found is not None
    assert found.why == (
        "it was in eastus, protected: ready to come home; now it is in eastus, a test failover waits for clean-up",
    )
    assert found.snapshot == snapshot(S.AWAY_REHEARSED)
    assert not found.pruned


def test_a_job_that_somebody_began_meanwhile_is_a_change() -> None:
    held = snapshot().having(scenario="TestFailover", job="theirs", allowed=())
    assert changed(facts(details().having(snapshot=held))) is not None


def test_a_check_that_is_worse_voids_and_one_that_is_better_does_not() -> None:
    peered = {ISOLATED.casefold(): Network(id=ISOLATED, location="Central US", peers=("/other",))}
    found = changed(facts(networks=peered))
    assert found is not None
    assert "test network was passed and is warned" in found.why[0]
    warned = SEEN.having(verdicts={**SEEN.verdicts, "test network": Verdict.WARNED})
    assert changed(facts(), warned) is None
    assert changed(facts(networks=peered), warned) is None


@pytest.mark.parametrize(
    "worse",
    [
        {"usages": {HOME: (Usage(family="cores", used=99, limit=100),)}},
        {"sizes": {HOME: (Size(name="Standard_D2s_v5", family="x", cores=2, restriction="sold out"),)}},
    ],
)
def test_a_region_that_cannot_take_the_machine_any_more_voids(worse: dict[str, Any]) -> None:
    found = changed(facts(**worse))
    assert found is not None
    assert f"primary region {HOME} was passed and is failed" in found.why[0]


def test_a_recovery_point_that_is_gone_voids_and_is_said_to_be_gone() -> None:
    chosen = PointChoice(select=Select.CUSTOM, id=point(10).id).to_wire()
    assert changed(facts(), recoveryPoint=chosen) is None
    found = changed(facts(points={NAME: (point(5),)}), recoveryPoint=chosen)
    assert found is not None
    assert found.pruned
    assert "recovery point was passed and is failed" in found.why[0]


@pytest.mark.parametrize("state", [S.AWAY_REHEARSED, S.HOME_UNCOMMITTED])
def test_a_machine_that_somebody_brought_to_another_recovery_point_is_told(state: S) -> None:
    before, after = (snapshot(state).having(point=name) for name in ("point-1", "point-2"))
    seen = seen_of(PLAN, journey(snapshot=before))
    found = changed(facts(details(state).having(snapshot=after)), seen)
    assert found is not None
    assert "it stood on recovery point point-1; now it stands on point-2" in found.why
    same = changed(facts(details(state).having(snapshot=before.having(point="POINT-1"))), seen)
    assert same is None or not any("stood on" in why for why in same.why)


def test_a_point_that_an_item_names_while_nothing_stands_on_it_voids_nothing() -> None:
    seen = seen_of(PLAN, journey(snapshot=snapshot().having(point="point-1")))
    assert changed(facts(details().having(snapshot=snapshot().having(point="point-2"))), seen) is None


def test_a_machine_that_the_vault_does_not_list_any_more_voids() -> None:
    other = details(name="other")
    found = changed(facts(other))
    assert found == Changed(why=("the vault does not list it any more",))


def test_a_check_that_was_not_shown_counts_as_one_that_passed() -> None:
    unseen = SEEN.having(verdicts={})
    assert changed(facts(), unseen) is None
    assert changed(facts(networks={}), unseen) is not None


def test_what_was_checked_again_is_what_people_are_shown_from_then_on() -> None:
    again = (Check(name="state", verdict=Verdict.PASSED, evidence="otherwise", about=NAME),)
    checked = journey(S.AWAY_PROTECTED, checks=again)
    assert checks_of(PLAN, checked) == again
    assert {check.about for check in checks_of(PLAN, journey())} == {NAME, None}
    assert seen_of(PLAN, journey(snapshot=None)).state == "in eastus, protected: ready to come home"
    assert seen_of(PLAN, journey(snapshot=None, checks=(), words="unknown")).state == "unknown"

"""What tests leave behind is found and priced; only what a run saw come is ever deleted."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.errors import Refusal
from domain.left_over_news import left_over_notice, not_told
from domain.leftovers import (
    Cleaning,
    Inventory,
    Kind,
    LeftOver,
    Prices,
    Register,
    Resource,
    Swept,
    TestSeen,
    Traces,
    cleaning,
    held_by,
    left_overs,
    swept,
    to_clean_up,
    to_delete,
)

NOW = datetime(2026, 11, 22, 18, 0, tzinfo=UTC)
GROUP = "/subscriptions/s/resourceGroups/home/providers"
VM = f"{GROUP}/Microsoft.Compute/virtualMachines/vm1-test"
DISK = f"{GROUP}/Microsoft.Compute/disks/vm1_os-ASRtest"
CARD = f"{GROUP}/Microsoft.Network/networkInterfaces/vm1-test-nic"
ADDRESS = f"{GROUP}/Microsoft.Network/publicIPAddresses/vm1-test-ip"
DAY = timedelta(days=1)
OURS = Traces(vault="/V", machine="vm1", run="fb-1", at=NOW - timedelta(days=1), ids=(VM, DISK, CARD, ADDRESS))
NOT_READ = Refusal(code="Transient", what="503", remedy="later")


def resource(arm_id: str = DISK, kind: Kind = Kind.DISK, **more: Any) -> Resource:
    return Resource(id=arm_id, kind=kind, **more)


def inventory(*resources: Resource, **more: Any) -> Inventory:
    return Inventory(as_of=NOW, resources=resources, **more)


def found(*resources: Resource, traces: tuple[Traces, ...] = (OURS,), **more: Any) -> tuple[LeftOver, ...]:
    return left_overs(inventory(*resources, **more), traces)


def waits(**more: Any) -> TestSeen:
    given = {
        "machine": "vm1",
        "vm_name": "vm1",
        "item_id": "/item",
        "home": "h",
        "away": "a",
        "test_vm": VM,
        **more,
    }
    return TestSeen(**given)


# -- prices ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("one", "monthly"),
    [
        (resource(VM, Kind.MACHINE, size="Standard_D4s_v3", running=True), 146.0),
        (resource(VM, Kind.MACHINE, size="Standard_B2ms", running=True), 73.0),
        (resource(VM, Kind.MACHINE, size=None, running=True), 73.0),
        (resource(VM, Kind.MACHINE, size="Standard_D4s_v3"), 0.0),
        (resource(size="Premium_LRS", gigabytes=128), 19.2),
        (resource(size="Later_LRS", gigabytes=100), 15.0),
        (resource(ADDRESS, Kind.ADDRESS), 3.65),
        (resource(CARD, Kind.CARD), 0.0),
    ],
)
def test_a_left_over_is_priced_by_a_small_table(one: Resource, monthly: float) -> None:
    assert one.monthly(Prices()) == pytest.approx(monthly)


# -- whose it is ----------------------------------------------------------------------------------------------


def test_what_a_run_saw_come_is_ours_whatever_the_case_of_its_id() -> None:
    (one,) = found(resource(DISK.upper(), size="Premium_LRS", gigabytes=128, made=OURS.at))
    assert (one.run, one.machine, one.since, one.monthly_estimate) == ("fb-1", "vm1", OURS.at, 19.2)
    assert one.why == "run fb-1 saw it come"


def test_what_is_only_named_like_a_test_is_listed_and_not_ours() -> None:
    (one,) = found(resource(), traces=(), suspects={"vm1_os-asrtest": "vm1"})
    assert (one.run, one.machine, one.since) == (None, "vm1", None)
    assert to_delete([one]) == ()


def test_what_nothing_speaks_for_is_no_left_over() -> None:
    assert found(resource(), traces=()) == ()


@pytest.mark.parametrize(
    ("more", "ours"),
    [
        ({}, True),
        ({"attached_to": VM}, True),
        ({"attached_to": f"{GROUP}/Microsoft.Compute/virtualMachines/production"}, False),
        ({"made": OURS.at + timedelta(minutes=30)}, True),
        ({"made": OURS.at + timedelta(hours=2)}, False),
    ],
)
def test_what_was_made_later_or_is_used_by_others_is_not_ours(more: dict[str, Any], ours: bool) -> None:
    (one,) = found(resource(**more))
    assert (one.run is not None) is ours
    assert (to_delete([one]) == (DISK,)) is ours


def test_machines_go_before_what_hangs_on_them() -> None:
    everything = found(
        resource(ADDRESS, Kind.ADDRESS), resource(), resource(CARD, Kind.CARD), resource(VM, Kind.MACHINE)
    )
    assert to_delete(everything) == (VM, CARD, DISK, ADDRESS)


@given(st.sets(st.sampled_from([VM, DISK, CARD, ADDRESS])), st.sets(st.sampled_from([VM, DISK, CARD, ADDRESS])))
def test_nothing_is_deleted_that_no_run_saw_come_or_that_somebody_uses(known: set[str], used: set[str]) -> None:
    kinds = dict(zip((VM, DISK, CARD, ADDRESS), (Kind.MACHINE, Kind.DISK, Kind.CARD, Kind.ADDRESS), strict=True))
    resources = [resource(each, kinds[each], attached_to="/other" if each in used else None) for each in kinds]
    suspects = {each.name.casefold(): "vm1" for each in resources}
    doomed = to_delete(left_overs(inventory(*resources, suspects=suspects), [OURS.having(ids=tuple(known))]))
    assert set(doomed) == known - used


# -- tests that wait ------------------------------------------------------------------------------------------


def test_a_test_that_waits_is_one_left_over_with_the_cost_of_its_parts() -> None:
    running = resource(VM, Kind.MACHINE, size="Standard_D2s_v3", running=True)
    (one,) = found(running, resource(size="Premium_LRS", gigabytes=100), tests=(waits(since=NOW),))
    assert (one.kind, one.waits, one.run, one.since) == ("testFailover", True, "fb-1", NOW)
    assert one.monthly_estimate == pytest.approx(73.0 + 15.0)
    assert to_delete([one]) == ()


@pytest.mark.parametrize(
    ("test", "traces", "time_to_live", "cleaned"),
    [
        (waits(), (OURS,), timedelta(hours=23), True),
        (waits(), (OURS,), timedelta(hours=25), False),
        (waits(), (), timedelta(0), False),
        (waits(test_vm=None), (OURS,), timedelta(0), False),
    ],
)
def test_only_a_test_of_ours_that_outlived_its_time_is_cleaned_up(
    test: TestSeen, traces: tuple[Traces, ...], time_to_live: timedelta, cleaned: bool
) -> None:
    left = left_overs(inventory(tests=(test,)), traces)
    assert (to_clean_up(left, traces, NOW, time_to_live) == ("vm1",)) is cleaned
    assert test.subject.item_id == "/item"


# -- proof ----------------------------------------------------------------------------------------------------


def test_a_clean_up_is_proven_when_everything_that_was_seen_is_gone() -> None:
    proof = cleaning(OURS, inventory())
    assert proof.is_proven
    assert proof.words == "cleaned up, verified at 2026-11-22 18:00Z: 4 resources looked for, none is left"


def test_a_disk_left_behind_is_told_loudly_with_its_cost() -> None:
    proof = cleaning(OURS, inventory(resource(size="Premium_LRS", gigabytes=64), resource("/other", suspects={})))
    assert not proof.is_proven
    assert (
        proof.words == "CLEAN-UP INCOMPLETE: disk vm1_os-ASRtest since 2026-11-21 18:00Z, about 9.60 USD a month"
    )


def test_a_left_over_without_a_date_is_told_without_one() -> None:
    one = LeftOver(id=DISK, kind="disk", why="")
    assert one.words == "disk vm1_os-ASRtest, about 0.00 USD a month"


def test_what_could_not_be_looked_for_is_not_proven() -> None:
    proof = cleaning(OURS, inventory(unread=NOT_READ))
    assert (proof.is_proven, proof.looked_for) == (False, 4)
    assert proof.words == "clean-up not verified: 503"


def test_a_proof_reads_like_one() -> None:
    assert Cleaning.from_wire(cleaning(OURS, inventory(resource())).to_wire()).left[0].machine == "vm1"


def test_a_sweep_tells_what_it_removed_only_when_it_saw() -> None:
    before = found(resource())
    assert swept("/V", before, [OURS], inventory()).removed == before
    assert swept("/V", before, [OURS], inventory(resource())).removed == ()
    unseen = swept("/V", before, [OURS], inventory(unread=NOT_READ))
    assert (unseen.removed, unseen.unread) == ((), NOT_READ)


@pytest.mark.parametrize(
    ("seen", "gone"),
    [(inventory(), True), (inventory(resource(DISK.lower())), False), (inventory(unread=NOT_READ), False)],
)
def test_only_what_was_looked_for_and_not_found_is_gone(seen: Inventory, gone: bool) -> None:
    assert seen.proves_gone(DISK) is gone


def test_people_are_told_once_of_each_thing_that_is_left() -> None:
    found_now = swept("/v/contoso", (), [OURS], inventory(resource(size="Premium_LRS", gigabytes=100)))
    assert not_told(found_now, None, DAY) == not_told(found_now, found_now.having(left=()), DAY) == found_now.left
    assert not_told(found_now, found_now, DAY) == ()
    notice = left_over_notice("sweep-1", found_now, found_now.left)
    assert notice.title == "1 left-over of test failovers in contoso"
    assert "vm1: disk vm1_os-ASRtest" in notice.words[0]
    assert notice.facts["Estimate"] == "15.00 USD a month in all"
    assert notice.id == left_over_notice("sweep-2", found_now, found_now.left).id


def test_what_a_run_holds_is_told_once_it_has_stood_for_too_long() -> None:
    running = resource(VM, Kind.MACHINE, size="Standard_D2s_v3", running=True)
    begun = OURS.having(at=NOW)

    def at(hours: float) -> Swept:
        made = swept(
            "/v/contoso",
            (),
            [begun],
            inventory(running, tests=(waits(),)).having(as_of=NOW + timedelta(hours=hours)),
        )
        return made.having(left=held_by(made.left, {"vm1": "fb-1"}))

    young, old = at(1), at(25)
    assert not_told(young, None, DAY) == ()
    assert not_told(old, young, DAY) == old.left
    assert not_told(at(26), old, DAY) == ()
    notice = left_over_notice("sweep-1", old, old.left)
    assert "since 2026-11-22 18:00Z, about 73.00 USD a month" in notice.words[0]
    assert "run fb-1 still holds it: answer its gate" in notice.words[0]
    # What a run is busy with is in no sum.
    assert left_over_notice("sweep-1", young, ()).facts["Estimate"] == "0.00 USD a month in all"


# -- the register ---------------------------------------------------------------------------------------------


def test_the_register_keeps_traces_until_each_is_gone() -> None:
    other = OURS.having(machine="vm2", ids=("/x",))
    register = Register().noted([OURS, other]).noted([OURS])
    assert len(register.traces) == 2
    assert register.of("/v/") == register.traces
    assert register.of("/w") == ()
    left = register.gone([VM.upper(), DISK, "/x"])
    assert [each.ids for each in left.traces] == [(CARD, ADDRESS)]
    assert left.gone([CARD, ADDRESS]).traces == ()

"""Drills take turns, ask for nothing but a rehearsal, and are written down once."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from domain.contract import Verdict
from domain.drills import (
    REMEMBERED,
    Calendar,
    Diary,
    Drill,
    DrillOrder,
    Estate,
    Held,
    Rehearsed,
    choose,
    entered,
    held,
    not_ready,
    readiness,
    refused_machines,
    request_for,
    run_id,
)
from domain.errors import Refusal
from domain.leftovers import Cleaning, LeftOver
from domain.report import MachineOutcome, MachineReport, Report, RunOutcome
from domain.request import FailbackRequest, Mode
from domain.settings import Settings, SettingsError
from triggers.runs import RUN_ID

VAULT = (
    "/subscriptions/11111111-1111-1111-1111-111111111111/resourceGroups/contoso-dr"
    "/providers/Microsoft.RecoveryServices/vaults/contoso-vault"
)
SLOT = datetime(2026, 11, 22, 2, 0, tzinfo=UTC)


def drill(**more: Any) -> Drill:
    return Drill.model_validate({"name": "weekly", "cron": "0 2 * * SUN", "vault": VAULT, **more})


def tried(days: int, *, well: bool = True) -> Rehearsed:
    at = SLOT - timedelta(days=days)
    return Rehearsed(
        tried=at, run=f"run-{days}", succeeded=at if well else None, succeeded_run="r" if well else None
    )


def there(*names: str) -> Estate:
    return Estate(machines=names)


# -- the calendar ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "fault",
    [
        {"name": "Weekly"},
        {"name": "a-name-that-is-too-long"},
        {"name": "-"},
        {"cron": "0 2 * *"},
        {"cron": "0 0 2 * * SUN"},
        {"zone": "Europe/Nowhere"},
        {"zone": "../etc/passwd"},
        {"vault": "/subscriptions/s"},
        {"networkId": "isolated"},
        {"atOnce": 0},
        {"timeToLive": "PT1M"},
        {"mode": "failback"},
    ],
)
def test_a_drill_that_cannot_be_held_is_refused_at_the_start(fault: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        drill(**fault)


def test_every_drill_has_a_name_of_its_own() -> None:
    with pytest.raises(ValidationError, match="name of its own"):
        Calendar(drills=(drill(), drill()))
    assert len(Calendar(drills=(drill(), drill(name="monthly"))).drills) == 2


def test_the_calendar_is_a_list_or_an_object_in_the_environment() -> None:
    one = f'{{"name": "weekly", "cron": "0 2 * * SUN", "vault": "{VAULT}"}}'
    listed = Settings.from_environment({"FAILBACK_DRILLS": f"[{one}]"})
    assert listed.drills == Settings.from_environment({"FAILBACK_DRILLS": f'{{"drills": [{one}]}}'}).drills
    assert [each.name for each in listed.drills.drills] == ["weekly"]
    with pytest.raises(SettingsError, match="FAILBACK_DRILLS"):
        Settings.from_environment({"FAILBACK_DRILLS": '[{"name": "x"}]'})


def test_a_price_may_be_set() -> None:
    assert Settings.from_environment({"FAILBACK_PRICES": '{"coreHour": 0.1}'}).prices.core_hour == 0.1


# -- taking turns ---------------------------------------------------------------------------------------------


def test_those_that_were_never_tried_come_first_then_those_that_wait_longest() -> None:
    diary = Diary(machines={"a": tried(1), "b": tried(9), "c": tried(5, well=False)})
    assert choose(drill(atOnce=3), there("a", "b", "c", "E", "d"), diary) == ("d", "E", "b")
    assert choose(drill(atOnce=9), there("a", "b", "c"), diary) == ("b", "c", "a")


def test_a_drill_may_name_its_machines() -> None:
    assert choose(drill(machines=["WEB-1"], atOnce=9), there("web-1", "web-2"), Diary()) == ("web-1",)


def test_a_machine_is_named_by_its_protected_item_or_by_its_virtual_machine() -> None:
    estate = there("8d4a", "9e5b").having(vm_names={"8d4a": "Web-1", "9e5b": "web-2"})
    assert choose(drill(machines=["web-1"]), estate, Diary()) == ("8d4a",)
    named = drill(machines=["WEB-1", "9E5B", "db-1"])
    assert choose(named, estate, Diary()) == ("8d4a", "9e5b")
    assert not_ready(named, estate) == "not ready, or not there: db-1"
    assert not_ready(drill(), estate) == ""


@given(st.sets(st.text("abcdef", min_size=1, max_size=4), min_size=1, max_size=30), st.integers(1, 10))
def test_every_machine_has_its_turn_before_any_has_its_second(names: set[str], at_once: int) -> None:
    one, diary = drill(atOnce=at_once), Diary()
    seen: list[str] = []
    for number in range(-(-len(names) // at_once)):
        chosen = choose(one, there(*names), diary)
        seen += chosen
        held_now = Held(drill="weekly", slot=SLOT + timedelta(days=number), words="", rehearsed=chosen)
        diary = entered(diary, held_now)
    assert set(seen) == names
    assert len(seen) - len(names) < at_once


# -- what it asks for -----------------------------------------------------------------------------------------


@given(
    st.lists(st.text("abcdefgh", min_size=1, max_size=8), min_size=1, max_size=5, unique=True),
    st.integers(1, 100),
    st.integers(5, 2_880),
    st.booleans(),
)
def test_a_drill_asks_for_a_rehearsal_and_nothing_else(
    names: list[str], at_once: int, minutes: int, heartbeat: bool
) -> None:
    one = drill(atOnce=at_once, timeToLive=f"PT{minutes}M", validation={"heartbeat": heartbeat})
    asked = request_for(one, SLOT, names)
    assert asked.mode is Mode.DRILL
    assert FailbackRequest.from_wire(asked.to_wire()) == asked
    assert asked.approvals.timeout == timedelta(minutes=minutes)
    assert asked.approvals.on_timeout.value == "stop"


def test_a_drills_run_is_named_by_its_moment_and_found_like_any_run() -> None:
    longest = "a2345678901234567"
    run = run_id(drill(name=longest).name, SLOT)
    assert run == f"{RUN_ID}drill-{longest}-202611220200"
    assert len(f"{run}-2") <= len(RUN_ID) + 40


# -- writing it down ------------------------------------------------------------------------------------------


def report(*machines: MachineReport, refusals: tuple[Refusal, ...] = (), run: str = "fb-drill-weekly") -> Report:
    return Report(
        id=run,
        mode=Mode.DRILL,
        outcome=RunOutcome.SUCCEEDED,
        words="as it went",
        vault=VAULT,
        plan_hash="",
        started=SLOT,
        ended=SLOT,
        machines=machines,
        refusals=refusals,
    )


def part(name: str, outcome: MachineOutcome, clean_up: Cleaning | None = None) -> MachineReport:
    return MachineReport(
        name=name,
        vm_name=name,
        outcome=outcome,
        words="",
        home="h",
        away="a",
        state="away_protected",
        committed=False,
        protected=True,
        clean_up=clean_up,
    )


ORDER = DrillOrder(drill=drill(), slot=SLOT)
CLEAN = Cleaning(as_of=SLOT, looked_for=4)
LEFT = Cleaning(as_of=SLOT, looked_for=4, left=(LeftOver(id="/d", kind="disk", why=""),))


def test_a_drill_is_summed_up_from_its_runs() -> None:
    good, bad = part("a", MachineOutcome.REHEARSED, CLEAN), part("b", MachineOutcome.FAILED, LEFT)
    found = held(
        ORDER, [report(good, bad), report(part("d", MachineOutcome.REHEARSED), run="fb-2")], ["a", "b", "c", "d"]
    )
    assert (found.rehearsed, found.failed) == (("a", "d"), ("b", "c"))
    assert (found.looked_for, found.left, found.proven) == (8, 1, False)
    assert found.runs == ("fb-drill-weekly", "fb-2")


def test_a_drill_for_which_nothing_was_ready_says_so() -> None:
    assert held(ORDER, [], []).words == "no machine was ready"
    assert held(ORDER, [], ["a"], "it broke").words == "it broke"


def test_a_failed_drill_leaves_the_last_good_one_standing() -> None:
    first = entered(Diary(), Held(drill="weekly", slot=SLOT, runs=("fb-1",), words="", rehearsed=("a",)))
    later = SLOT + timedelta(days=7)
    then = entered(first, Held(drill="weekly", slot=later, words="refused", failed=("a",)))
    found = then.machines["a"]
    assert (found.tried, found.succeeded, found.succeeded_run) == (later, SLOT, "fb-1")
    assert (found.run, found.words) == (run_id("weekly", later), "refused")


def test_a_drill_that_is_written_down_twice_stands_there_once() -> None:
    one = Held(drill="weekly", slot=SLOT, runs=("fb-1",), words="", rehearsed=("a",))
    assert entered(entered(Diary(), one), one) == entered(Diary(), one)


def test_the_diary_does_not_grow_for_ever() -> None:
    diary = Diary()
    for day in range(REMEMBERED + 5):
        diary = entered(diary, Held(drill="weekly", slot=SLOT + timedelta(days=day), words=""))
    assert len(diary.held) == REMEMBERED
    assert diary.held[0].slot == SLOT + timedelta(days=REMEMBERED + 4)


def test_the_machines_for_which_a_run_is_refused_are_named() -> None:
    refusals = tuple(Refusal(code="x", what="", remedy="", about=about) for about in ("A", None, "vault"))
    assert refused_machines(report(refusals=refusals), ["a", "b"]) == ("a",)


# -- readiness ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("last", "verdict", "words"),
    [
        (None, Verdict.WARNED, "no drill of it has succeeded yet"),
        (tried(1, well=False), Verdict.WARNED, "no drill of it has succeeded yet"),
        (tried(91), Verdict.WARNED, "91 d ago"),
        (tried(90), Verdict.PASSED, "rehearsed well 90 d ago"),
    ],
)
def test_a_machine_whose_last_good_drill_is_old_is_warned_of(
    last: Rehearsed | None, verdict: Verdict, words: str
) -> None:
    diary = Diary(machines={"a": last} if last else {})
    (found,) = readiness(["a"], diary, SLOT, timedelta(days=90))
    assert (found.verdict, found.about) == (verdict, "a")
    assert words in found.evidence

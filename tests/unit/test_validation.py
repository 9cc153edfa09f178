"""A machine is judged by what was seen of it; what time may mend is waited for, and ends by the policy."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from domain.contract import Check, Compared, Validation, ValidationOrder, Verdict
from domain.request import Aspect, ValidationRequest
from domain.validation import (
    Beat,
    Evidence,
    Logs,
    MachineSeen,
    ProbeSeen,
    QuerySeen,
    Unread,
    judge,
    lasting,
    timed_out,
    unseen,
    verdict_of,
)

NOW = datetime(2026, 11, 22, 18, 0, tzinfo=UTC)
SINCE = NOW - timedelta(minutes=10)
VM = "/subscriptions/s/resourceGroups/home/providers/Microsoft.Compute/virtualMachines/vm1"
SOURCE = VM.replace("home", "away")
WELL = MachineSeen(name="vm1", location="centralus", provisioning="Succeeded", power="running", agent="Ready")
BEATING = Logs(last=Beat(at=NOW, computer="vm1.contoso.com"))


def order(**more: Any) -> ValidationOrder:
    given = {"machine": "vm1", "vm_id": VM, "vm_name": "vm1", "since": SINCE, "heartbeat": False, **more}
    return ValidationOrder(**given)


def vm(**more: Any) -> MachineSeen:
    seen = {"name": "vm1", "location": "centralus", "provisioning": "Succeeded", "power": "running", **more}
    return MachineSeen(**seen)


def judged(of: ValidationOrder | None = None, /, **evidence: Any) -> Validation:
    return judge(of or order(), Evidence(**{"vm": WELL, **evidence}), NOW)


def check(found: Validation, name: str) -> Check:
    return next(each for each in found.checks if each.name == name)


# -- the machine ----------------------------------------------------------------------------------------------


def test_a_machine_that_runs_with_its_agent_ready_passes() -> None:
    found = judged()
    assert found.verdict is Verdict.PASSED
    assert [each.name for each in found.checks] == ["virtual machine", "provisioning", "power", "guest agent"]


@pytest.mark.parametrize(
    ("seen", "name", "verdict", "words"),
    [
        (vm(provisioning="Failed"), "provisioning", Verdict.FAILED, "Failed"),
        (vm(provisioning="Updating"), "provisioning", Verdict.PENDING, "Updating"),
        (vm(provisioning=""), "provisioning", Verdict.PENDING, "unknown"),
        (vm(power="deallocated"), "power", Verdict.PENDING, "deallocated"),
        (vm(power=None), "power", Verdict.PENDING, "unknown"),
        (vm(agent="Not Ready", agent_words="booting"), "guest agent", Verdict.PENDING, "Not Ready booting"),
        (vm(agent=None), "guest agent", Verdict.PENDING, "has not reported"),
        (vm(name="vm1-2"), "virtual machine", Verdict.WARNED, "as vm1-2, not as vm1"),
        (None, "virtual machine", Verdict.PENDING, "does not know vm1 yet"),
        (Unread(why="503"), "virtual machine", Verdict.PENDING, "could not be read: 503"),
    ],
)
def test_only_what_time_will_not_mend_fails_at_once(
    seen: MachineSeen | Unread | None, name: str, verdict: Verdict, words: str
) -> None:
    found = check(judged(vm=seen), name)
    assert found.verdict is verdict
    assert words in found.evidence


def test_a_machine_without_an_id_is_waited_for() -> None:
    found = judged(order(vm_id=None), vm=None, logs=None)
    assert found.verdict is Verdict.PENDING
    assert "does not name" in found.checks[0].evidence


def test_a_look_that_broke_is_pending_with_its_reason() -> None:
    found = unseen(order(), "a defect", NOW)
    assert (found.verdict, found.checks[0].evidence) == (Verdict.PENDING, "a defect")


# -- heartbeats -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("logs", "verdict", "words"),
    [
        (BEATING, Verdict.PASSED, "last at 2026-11-22"),
        (Logs(last=Beat(at=NOW, computer="VM1", by_name=True)), Verdict.PASSED, "by its host name only"),
        (Logs(last=Beat(at=NOW, computer="")), Verdict.PASSED, "last at"),
        (Logs(last=Beat(at=NOW, computer="other")), Verdict.WARNED, "reports as other"),
        (Logs(), Verdict.PENDING, "none since 2026-11-22 17:50:00Z"),
        (Logs(has_table=False), Verdict.PENDING, "no heartbeats to look at yet"),
        (Unread(why="partial answer"), Verdict.PENDING, "could not be read: partial answer"),
    ],
)
def test_a_heartbeat_counts_from_this_machine_only(logs: Logs | Unread, verdict: Verdict, words: str) -> None:
    found = check(judged(order(heartbeat=True), logs=logs), "heartbeat")
    assert found.verdict is verdict
    assert words in found.evidence


def test_windows_cuts_a_host_name_off_after_fifteen_letters() -> None:
    long = order(heartbeat=True, vm_name="contoso-frontend-01", machine="contoso-frontend-01")
    seen = Logs(last=Beat(at=NOW, computer="CONTOSO-FRONTEN"))
    assert check(judged(long, logs=seen), "heartbeat").verdict is Verdict.PASSED


def test_a_heartbeat_that_nobody_asked_for_is_no_check() -> None:
    assert "heartbeat" not in {each.name for each in judged(logs=BEATING).checks}


# -- operators' queries and probes ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("query", "logs", "verdict", "words"),
    [
        (QuerySeen(name="q"), BEATING, Verdict.PASSED, "no rows since"),
        (QuerySeen(name="q", rows=("a=1", "a=2")), BEATING, Verdict.FAILED, "found a=1; a=2"),
        (QuerySeen(name="q", rows=("a=1",)), Logs(), Verdict.FAILED, "found"),
        (QuerySeen(name="q"), Logs(), Verdict.PENDING, "have not arrived yet"),
        (QuerySeen(name="q"), Unread(why="503"), Verdict.PENDING, "have not arrived yet"),
        (QuerySeen(name="q", has_table=False), BEATING, Verdict.PENDING, "not there yet"),
        (
            QuerySeen(name="q", unread=Unread(why="partial")),
            BEATING,
            Verdict.PENDING,
            "could not be read: partial",
        ),
    ],
)
def test_no_rows_prove_something_only_where_logs_arrive(
    query: QuerySeen, logs: Logs | Unread, verdict: Verdict, words: str
) -> None:
    found = check(judged(queries=(query,), logs=logs), "query q")
    assert found.verdict is verdict
    assert words in found.evidence


@pytest.mark.parametrize(("answered", "verdict"), [(True, Verdict.PASSED), (False, Verdict.PENDING)])
def test_a_service_may_take_its_time_to_answer(answered: bool, verdict: Verdict) -> None:
    probe = ProbeSeen(name="port 3389", answered=answered, words="10.4.0.6:3389")
    assert check(judged(probes=(probe,)), "port 3389").verdict is verdict


# -- the network ----------------------------------------------------------------------------------------------

SAME = Compared(what="subnet of card 1", expected="default", found="default", same=True)
OTHER = Compared(what="security group of card 1", expected="web", found="none", same=False)


def test_a_network_as_expected_passes_and_says_what_was_found() -> None:
    found = check(judged(network=(SAME,)), "network")
    assert (found.verdict, found.evidence, found.compared) == (Verdict.PASSED, "subnet of card 1 default", None)


@pytest.mark.parametrize(("blocks", "verdict"), [((), Verdict.WARNED), ((Aspect.NETWORK,), Verdict.FAILED)])
def test_another_network_warns_or_fails_as_the_policy_says_with_the_whole_table(
    blocks: tuple[Aspect, ...], verdict: Verdict
) -> None:
    found = judged(order(blocks=(Aspect.MACHINE, *blocks)), network=(SAME, OTHER))
    seen = check(found, "network")
    assert (seen.verdict, found.verdict) == (verdict, verdict)
    assert seen.evidence == "security group of card 1: expected web, found none"
    assert seen.compared == (SAME, OTHER)


def test_a_network_that_cannot_be_read_is_waited_for() -> None:
    assert check(judged(network=Unread(why="503")), "network").verdict is Verdict.PENDING


# -- the source -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("source", "verdict", "words"),
    [
        (vm(power="deallocated"), Verdict.PASSED, "is deallocated"),
        (vm(power="stopped"), Verdict.PASSED, "is stopped"),
        (None, Verdict.PASSED, "does not exist any more"),
        (vm(power="deallocating"), Verdict.PENDING, "is deallocating"),
        (vm(power=None), Verdict.PENDING, "is unknown"),
        (Unread(why="503"), Verdict.PENDING, "could not be read: 503"),
        (vm(power="running"), Verdict.FAILED, "two machines of one name"),
        (vm(power="starting"), Verdict.FAILED, "two machines of one name"),
    ],
)
def test_the_source_has_to_stand_still(source: MachineSeen | Unread | None, verdict: Verdict, words: str) -> None:
    found = check(judged(order(source_vm=SOURCE), source=source), "source stopped")
    assert found.verdict is verdict
    assert words in found.evidence


def test_a_source_that_was_to_be_left_running_only_warns() -> None:
    found = judged(order(source_vm=SOURCE, shut_down_source=False), source=vm())
    assert found.verdict is Verdict.WARNED
    assert "was not to be shut down" in check(found, "source stopped").evidence


def test_a_rehearsal_has_no_source_to_stop() -> None:
    assert "source stopped" not in {each.name for each in judged(source=vm()).checks}


# -- verdicts, and time ---------------------------------------------------------------------------------------


def having(*verdicts: tuple[str, Verdict]) -> tuple[Check, ...]:
    return tuple(Check(name=name, verdict=verdict, evidence="") for name, verdict in verdicts)


@pytest.mark.parametrize(
    ("checks", "verdict"),
    [
        ((), Verdict.PASSED),
        ((("a", Verdict.PASSED), ("b", Verdict.WARNED)), Verdict.WARNED),
        ((("a", Verdict.WARNED), ("b", Verdict.FAILED)), Verdict.FAILED),
        ((("a", Verdict.FAILED), ("b", Verdict.PENDING)), Verdict.PENDING),
        ((("provisioning", Verdict.FAILED), ("b", Verdict.PENDING)), Verdict.FAILED),
    ],
)
def test_what_is_pending_is_waited_for_unless_the_machine_is_broken(checks: Any, verdict: Verdict) -> None:
    assert verdict_of(having(*checks)) is verdict


@pytest.mark.parametrize(
    ("logs", "blocks", "verdict"),
    [
        (Logs(), ValidationRequest().blocks, Verdict.FAILED),
        (Logs(), (Aspect.MACHINE,), Verdict.WARNED),
        (Logs(has_table=False), ValidationRequest().blocks, Verdict.WARNED),
        (Unread(why="503"), ValidationRequest().blocks, Verdict.FAILED),
    ],
)
def test_when_time_is_up_silence_fails_what_blocks_and_warns_of_the_rest(
    logs: Logs | Unread, blocks: tuple[Aspect, ...], verdict: Verdict
) -> None:
    waiting = judged(order(heartbeat=True, blocks=blocks), logs=logs)
    assert waiting.verdict is Verdict.PENDING
    ended = timed_out(waiting, timedelta(minutes=15))
    found = check(ended, "heartbeat")
    assert (ended.verdict, found.verdict, found.advisory) == (verdict, verdict, None)
    assert found.evidence.endswith("; not within 15 min")


def test_what_passed_and_will_not_change_is_carried_along() -> None:
    first = judged(order(source_vm=SOURCE), network=(SAME,), source=None, vm=vm(agent=None))
    kept = lasting(first)
    assert [each.name for each in kept] == ["network", "source stopped"]
    then = judged(order(source_vm=SOURCE, passed=kept))
    assert then.verdict is Verdict.PASSED
    assert [each.name for each in then.checks[-2:]] == ["network", "source stopped"]


def test_what_did_not_pass_is_looked_at_again() -> None:
    assert lasting(judged(network=(OTHER,))) == ()
    assert lasting(None) == ()


def test_what_belongs_to_a_test_machine_is_remembered() -> None:
    assert judged(resources=(VM,)).resources == (VM,)


def test_a_missing_machine_always_blocks() -> None:
    with pytest.raises(ValidationError, match='"machine" always blocks'):
        ValidationRequest(blocks=(Aspect.NETWORK,))
    assert ValidationRequest(blocks=(Aspect.MACHINE,)).blocks == (Aspect.MACHINE,)


def test_an_order_of_an_old_run_asks_for_what_was_known_then() -> None:
    old = ValidationOrder.from_wire(
        {"machine": "vm1", "vmId": VM, "vmName": "vm1", "since": SINCE.isoformat(), "heartbeat": True}
    )
    found = judge(old, Evidence(vm=WELL, logs=BEATING), NOW)
    names = ["virtual machine", "provisioning", "power", "guest agent", "heartbeat"]
    assert [each.name for each in found.checks] == names

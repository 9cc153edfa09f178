"""Reading a gate's form: the same decision as the API takes, every fault named, nothing guessed."""

from __future__ import annotations

from datetime import UTC, datetime
from urllib.parse import urlencode

import azure.functions as func
import pytest

from domain.gate import Choice
from domain.request import PointChoice, Select
from triggers import forms
from triggers.problems import ProblemError

HASH = "0" * 64
WHOLE = {"gate": "failback", "decision": "approve", "planHash": HASH, "comment": ""}


def sent(body: bytes) -> func.HttpRequest:
    return func.HttpRequest("POST", "http://localhost/api/ui", body=body)


def form(**fields: str | list[str]) -> forms.Fields:
    return forms.fields(sent(urlencode({**WHOLE, **fields}, doseq=True).encode()))


def test_an_approval_of_one_machine_concerns_the_whole_gate() -> None:
    read = forms.decision(form(comment="looks well"), ["vm1"])
    assert (read.decision, read.machines, read.comment, read.plan_hash) == (
        Choice.APPROVE, None, "looks well", HASH,
    )  # fmt: skip


def test_of_several_machines_those_that_are_ticked_are_meant() -> None:
    read = forms.decision(form(machine=["vm1", "vm3"]), ["vm1", "vm2", "vm3"])
    assert read.machines == ("vm1", "vm3")


def test_no_machine_ticked_is_a_fault_and_never_means_all() -> None:
    with pytest.raises(ProblemError) as fault:
        forms.decision(form(), ["vm1", "vm2"])
    assert fault.value.status == 400
    assert [each["about"] for each in fault.value.document["faults"]] == ["machines"]


def test_a_point_is_named_by_id_or_by_policy_and_kept_where_nothing_is_chosen() -> None:
    fields = {"decision": "changeRecoveryPoint", "point-0": "id:p7", "point-1": "", "point-2": "latestProcessed"}
    read = forms.decision(form(**fields), ["vm1", "vm2", "vm3"])
    assert read.recovery_points == {
        "vm1": PointChoice(select=Select.CUSTOM, id="p7"),
        "vm3": PointChoice(select=Select.LATEST_PROCESSED),
    }


def test_points_are_read_only_with_the_answer_that_uses_them() -> None:
    assert forms.decision(form(**{"point-0": "id:p7"}), ["vm1"]).recovery_points is None


def test_asking_for_another_point_without_naming_one_is_a_fault() -> None:
    with pytest.raises(ProblemError) as fault:
        forms.decision(form(decision="changeRecoveryPoint", **{"point-0": ""}), ["vm1"])
    assert "names a point" in str(fault.value.document["detail"])


def test_a_time_of_the_form_is_utc_as_the_page_says() -> None:
    read = forms.decision(form(notBefore="2026-11-23T02:00"), ["vm1"])
    assert read.not_before == datetime(2026, 11, 23, 2, tzinfo=UTC)


@pytest.mark.parametrize("later", ["tomorrow", "2026-13-01T00:00", "99999999999999999999"])
def test_what_is_no_time_is_said_to_be_none(later: str) -> None:
    with pytest.raises(ProblemError) as fault:
        forms.decision(form(notBefore=later), ["vm1"])
    assert "is no time" in str(fault.value.document["detail"])


def test_a_time_that_goes_with_another_answer_is_left_out() -> None:
    read = forms.decision(form(decision="stop", notBefore="2026-11-22T02:00"), ["vm1"])
    assert (read.decision, read.not_before) == (Choice.STOP, None)


def test_breaking_the_glass_takes_the_ticked_box_and_nothing_less() -> None:
    assert forms.decision(form(breakGlass="yes", comment="fire"), ["vm1"]).break_glass
    assert not forms.decision(form(breakGlass="no"), ["vm1"]).break_glass


def test_line_ends_of_a_browser_are_those_of_everybody_else() -> None:
    assert forms.decision(form(comment="one\r\ntwo"), ["vm1"]).comment == "one\ntwo"


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"a=" + b"x" * forms.LARGEST_FORM, 413),
        (b"&".join(b"a=1" for _ in range(5_000)), 400),
        (b"a=%ff", 400),
        (b"\xff", 400),
    ],
)
def test_what_is_no_form_is_refused_with_a_reason(body: bytes, status: int) -> None:
    with pytest.raises(ProblemError) as fault:
        forms.fields(sent(body))
    assert fault.value.status == status

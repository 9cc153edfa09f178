"""What a run shows of itself always fits, and nothing but its machines gives way."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.leg import LegStatus, StageName
from domain.lifecycle import Act
from domain.machine import TaskSnapshot
from domain.notices import Delivery, DeliveryStatus
from domain.status import LARGEST, fit, of_journeys, of_legs, size, untold
from tests.unit.making import NAME, NOON, S, job, journey, leg, record, running

words = st.one_of(
    st.text(max_size=300), st.sampled_from(("😀" * 300, "é" * 200, '"\\\n' * 100, "failover: x", ""))
)
some_job = st.fixed_dictionaries({"id": words, "task": words})
machine = st.fixed_dictionaries(
    {"name": words, "status": st.sampled_from(LegStatus), "words": words}, optional={"job": some_job}
)


def many(machines: list[dict[str, Any]], times: int) -> list[dict[str, Any]]:
    return [{**each, "words": f"{number % 97} {each['words']}"} for number in range(times) for each in machines]


@settings(max_examples=60, deadline=None)
@given(st.lists(machine, min_size=1, max_size=5), st.sampled_from((0, 1, 3, 20, 200)), words)
def test_a_status_of_up_to_a_thousand_machines_is_never_too_large(
    machines: list[dict[str, Any]], times: int, told: str
) -> None:
    shown = {"phase": "move", "words": told * 10, "listen": "wake-1-2", "machines": many(machines, times)}
    fitted = fit(shown)
    assert size(fitted) <= LARGEST
    assert fitted.keys() - {"counts"} == shown.keys()
    assert fitted["listen"] == "wake-1-2"


def test_a_status_that_fits_is_shown_whole() -> None:
    shown = {"phase": "move", "words": "under way", "machines": [{"name": NAME, "words": "x", "job": {"id": "1"}}]}
    assert fit(shown) == shown


def sized(number: int, length: int = 20) -> dict[str, Any]:
    return fit(
        {
            "machines": [
                {
                    "name": f"vm{i}",
                    "status": "running",
                    "words": "failover: " + "x" * length,
                    "job": {"id": "j" * 99},
                }
                for i in range(number)
            ]
        }
    )


def test_jobs_are_left_out_first_then_long_words_then_all_but_the_numbers() -> None:
    assert "job" in sized(20)["machines"][0]
    assert "job" not in sized(60)["machines"][0]
    assert len(sized(60, 60)["machines"][0]["words"]) == 32
    assert sized(1_000) == {"machines": [], "counts": {"failover": 1_000}}


def test_of_many_kinds_as_many_are_counted_as_there_is_room_for() -> None:
    kinds = [chr(0x1F600 + number) * 32 for number in range(40)]
    machines = [{"name": "vm", "words": kind, "job": {}} for kind in kinds for _ in range(25)]
    fitted = fit({"machines": machines})
    assert 5 < len(fitted["counts"]) < len(kinds)
    assert size(fitted) <= LARGEST


def test_a_status_without_machines_stays_as_it_is() -> None:
    assert fit({"phase": "look"}) == {"phase": "look", "machines": []}


def test_a_text_beside_the_machines_that_is_too_long_is_cut_not_dropped() -> None:
    assert fit({"words": "x" * 9_000})["words"].startswith("xxx")


def test_a_leg_shows_its_stage_its_words_and_the_job_that_runs() -> None:
    seen = record(state="InProgress", tasks=(TaskSnapshot(name="Start failover", state="InProgress"),))
    shown = of_legs(StageName.MOVE, [running(jobs=(seen,), job="JOB-1")])[0]
    assert shown["job"] == {
        "id": "job-1",
        "act": Act.FAIL_OVER.value,
        "task": "Start failover",
        "started": NOON.isoformat(),
    }
    untimed = seen.having(job=job(state="InProgress", started=None))
    assert of_legs(StageName.MOVE, [running(jobs=(untimed,))])[0]["job"]["started"] is None


@pytest.mark.parametrize(
    "idle", [leg(), running(status=LegStatus.DONE, jobs=(record(),)), running(jobs=(record(job_id="older"),))]
)
def test_a_leg_shows_no_job_but_the_one_that_runs(idle: Any) -> None:
    assert "job" not in of_legs(StageName.MOVE, [idle])[0]


def test_a_journey_shows_its_words_or_else_where_its_machine_stands() -> None:
    shown = of_journeys(
        [journey(words="stopped by ann"), journey(S.AWAY_PROTECTED), journey(words="", snapshot=None)]
    )
    assert [each["words"] for each in shown] == [
        "stopped by ann",
        "in eastus, protected: ready to come home",
        "",
    ]


def test_what_could_not_be_told_is_shown_the_newest_first() -> None:
    def told(channel: str, status: DeliveryStatus) -> Delivery:
        return Delivery(notice="n", channel=channel, status=status, words="refused", at=NOON)

    failed = [told(f"channel-{number}", DeliveryStatus.FAILED) for number in range(5)]
    assert untold([told("mail", DeliveryStatus.SENT), told("slack", DeliveryStatus.TRYING)]) == ""
    assert untold(failed) == "channel-4: refused; channel-3: refused; channel-2: refused"

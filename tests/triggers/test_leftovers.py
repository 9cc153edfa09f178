"""Whoever may read sees what tests left behind, with cost and owner, and how the drills went."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest

from localhost import SyncHost
from tests.orchestrators.test_drills import pass_time, resources, ticking
from tests.rehearsal import NAME, VAULT, Rehearsal


@pytest.fixture
def rehearsal() -> Rehearsal:
    return Rehearsal()


@pytest.fixture
def host(rehearsal: Rehearsal) -> Iterator[SyncHost]:
    with rehearsal.host() as host:
        yield host


def ask(host: SyncHost, path: str) -> Any:
    return host.request("GET", f"/api/{path}", headers={"X-Failback-User": "vera@contoso.com"})


def test_what_a_run_left_behind_is_listed_and_stays(host: SyncHost, rehearsal: Rehearsal) -> None:
    rehearsal.fault("disk-left-behind")
    rehearsal.run_on(host, "fb-one", mode="drill")
    before = resources(rehearsal)
    # The vault is known by the traces that the run left in the register.
    answer = ask(host, "leftovers")
    assert answer.status == 200
    (vault,) = answer.json()["vaults"]
    (left,) = vault["left"]
    assert (left["kind"], left["machine"], left["run"], left["currency"]) == ("disk", NAME, "fb-one", "USD")
    assert left["monthlyEstimate"] > 0
    assert left["since"] is not None
    assert resources(rehearsal) == before


def test_a_vault_may_be_named(host: SyncHost) -> None:
    assert ask(host, "leftovers").json() == {"vaults": []}
    (vault,) = ask(host, f"leftovers?vault={quote(VAULT)}").json()["vaults"]
    assert (vault["vault"], vault["left"]) == (VAULT, [])


def test_what_is_no_vault_is_refused(host: SyncHost) -> None:
    assert ask(host, "leftovers?vault=contoso").status == 400


def test_a_vault_that_cannot_be_read_says_so(host: SyncHost, rehearsal: Rehearsal) -> None:
    rehearsal.fault("authorization-failed", times=None)
    (vault,) = ask(host, f"leftovers?vault={quote(VAULT)}").json()["vaults"]
    assert vault["unread"]["code"] == "AuthorizationFailed"


def test_the_drills_that_were_held_are_shown_with_their_calendar(rehearsal: Rehearsal) -> None:
    with ticking(rehearsal) as host:
        shown = ask(host, "drills").json()
        assert [each["name"] for each in shown["calendar"]] == ["nightly"]
        assert shown["next"] == {"nightly": "2026-11-20T03:00:00Z"}
        assert shown["diaries"][VAULT]["held"] == []
        pass_time(host, rehearsal, hours=2)
        (held,) = ask(host, "drills").json()["diaries"][VAULT]["held"]
        path = f"failbacks/{held['runs'][0]}/report"
        report = ask(host, path).json()
        told = [ask(host, f"{path}?format={form}").text for form in ("markdown", "html")]
    assert (held["rehearsed"], held["lookedFor"], held["left"]) == ([NAME], 4, 0)
    assert report["machines"][0]["cleanUp"]["left"] == []
    assert all("4 resources looked for, none is left" in each for each in told)


def test_a_drill_that_is_never_held_is_shown_as_such(rehearsal: Rehearsal) -> None:
    with ticking(rehearsal, {"cron": "0 3 * * SOMEDAY"}) as host:
        assert ask(host, "drills").json()["next"] == {"nightly": None}

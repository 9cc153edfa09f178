"""What tests left behind, and how drills went, as an operator reads it."""

from __future__ import annotations

import json
from typing import Any

from aiohttp import web

from tests.cli.conftest import VAULT

DISK = {
    "id": "/subscriptions/s/resourceGroups/g/providers/Microsoft.Compute/disks/os-ASRtest",
    "kind": "disk",
    "machine": "ContosoWin2016",
    "since": "2026-11-20T02:00:00Z",
    "monthlyEstimate": 19.2,
    "currency": "USD",
    "why": "",
}


def swept(*left: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {
        "vaults": [{"vault": VAULT, "asOf": "2026-11-22T02:00:00Z", "left": list(left), "removed": [], **more}]
    }


def says(fake: Any, failback: Any, command: tuple[str, ...], document: dict[str, Any]) -> str:
    fake.mishaps.append(web.json_response(document))
    return " ".join(failback(*command).stdout.split())


def test_left_overs_are_listed_with_cost_and_owner(fake: Any, failback: Any) -> None:
    found = swept({**DISK, "run": "fb-one"}, DISK)
    told = says(fake, failback, ("leftovers", "--vault", VAULT), found)
    assert "os-ASRtest" in told
    assert "19.20 USD" in told
    assert "run fb-one" in told
    assert "not ours: left alone" in told
    assert fake.asked[-1].path == "/api/leftovers"


def test_a_clean_vault_is_said_to_be_clean(fake: Any, failback: Any) -> None:
    assert "contoso-vault: nothing is left of any test" in says(fake, failback, ("leftovers",), swept())


def test_a_vault_that_could_not_be_seen_is_not_said_to_be_clean(fake: Any, failback: Any) -> None:
    told = says(fake, failback, ("leftovers",), swept(unread={"what": "no right to read"}))
    assert "could not be looked for: no right to read" in told
    assert "nothing is left" not in told


def test_without_a_vault_one_is_asked_for(fake: Any, failback: Any) -> None:
    assert "name one with --vault" in says(fake, failback, ("leftovers",), {"vaults": []})


def test_a_left_over_that_a_run_holds_is_its_own_affair(fake: Any, failback: Any) -> None:
    told = says(fake, failback, ("leftovers",), swept({**DISK, "run": "fb-one", "holder": "fb-two"}))
    assert "run fb-two, which still holds it" in told


def test_it_is_said_when_drills_are_next(fake: Any, failback: Any) -> None:
    known = {"calendar": [{}, {}], "next": {"nightly": "2026-11-20T03:00:00Z", "odd": None}, "diaries": {}}
    told = says(fake, failback, ("drills",), known)
    assert "nightly: next at 2026-11-20 03:00:00 UTC" in told
    assert "odd: NEVER held, its cron is none" in told


def test_drills_are_listed_with_their_proof(fake: Any, failback: Any) -> None:
    held = {
        "drill": "nightly",
        "slot": "2026-11-20T03:00:00Z",
        "runs": ["fb-drill-nightly-202611200300"],
        "rehearsed": ["a", "b"],
        "failed": ["c"],
        "lookedFor": 12,
        "left": 1,
    }
    told = says(fake, failback, ("drills",), {"calendar": [], "diaries": {VAULT: {"held": [held]}}})
    assert "1 of 12 looked for" in told
    none = says(fake, failback, ("drills",), {"calendar": [{}], "diaries": {VAULT: {}}})
    assert "no drill was held yet; 1 in the calendar" in none


def test_programs_get_what_the_app_said(fake: Any, failback: Any) -> None:
    for command, document in (("leftovers", swept()), ("drills", {"calendar": [], "diaries": {}})):
        fake.mishaps.append(web.json_response(document))
        assert json.loads(failback(command, "--json").stdout) == document

"""The commands that look after drills: what tests left behind, and how the drills went."""

from __future__ import annotations

from typing import Final

from cli import options
from cli.api import Document, part, parts, text
from cli.console import GOOD, SOFT, WARN, out, write_json
from cli.options import LOCAL_URL, As, Json, Key, Roles, Token, Url, Vault
from cli.showing import grid
from cli.when import clock_time

_SHOWN: Final = 20


def leftovers(
    *,
    vault: Vault = None,
    url: Url = LOCAL_URL,
    key: Key = None,
    token: Token = None,
    roles: Roles = None,
    person: As = None,
    as_json: Json = False,
) -> None:
    """List what test failovers left behind, with age and estimated cost; it changes nothing."""
    found = options.client(url, key, person, token, roles).left_overs(vault)
    if as_json:
        write_json(found)
        return
    vaults = parts(found, "vaults")
    if not vaults:
        out().print("no vault to look into: name one with --vault")
    for each in vaults:
        _show(each)


def _show(swept: Document) -> None:
    name = text(swept, "vault").rstrip("/").rsplit("/", 1)[-1]
    left = parts(swept, "left")
    if swept.get("unread"):
        out().print(
            f"{name}: it could not be looked for: {text(part(swept, 'unread'), 'what')}", style=WARN, markup=False
        )
    elif not left:
        seen = clock_time(swept.get("asOf"))
        out().print(f"{name}: nothing is left of any test, looked for at {seen}", style=GOOD, markup=False)
    else:
        rows = grid("what", "of", "since", "a month, about", "whose")
        for each in left:
            ours = f"run {each['run']}" if each.get("run") else "not ours: left alone"
            if each.get("holder"):
                ours = f"run {each['holder']}, which still holds it"
            cost = f"{float(each.get('monthlyEstimate') or 0):.2f} {text(each, 'currency')}"
            what = f"{text(each, 'kind')} {text(each, 'id').rsplit('/', 1)[-1]}"
            rows.add_row(what, text(each, "machine"), clock_time(each.get("since")), cost, ours)
        out().print(rows)


def drills(
    *,
    url: Url = LOCAL_URL,
    key: Key = None,
    token: Token = None,
    roles: Roles = None,
    person: As = None,
    as_json: Json = False,
) -> None:
    """Show the drills that were held, newest first, and what each left behind."""
    found = options.client(url, key, person, token, roles).drills()
    if as_json:
        write_json(found)
        return
    for name, at in part(found, "next").items():
        out().print(
            f"{name}: next at {clock_time(at)}" if at else f"{name}: NEVER held, its cron is none", markup=False
        )
    diaries = part(found, "diaries")
    held = [each for vault in diaries for each in parts(part(diaries, vault), "held")]
    if not held:
        out().print(f"no drill was held yet; {len(parts(found, 'calendar'))} in the calendar")
        return
    rows = grid("drill", "of", "rehearsed", "failed", "left behind", "run")
    for each in held[:_SHOWN]:
        proof = f"{each.get('left', 0)} of {each.get('lookedFor', 0)} looked for"
        runs = ", ".join(str(run) for run in each.get("runs") or ())
        good, bad = len(each.get("rehearsed") or ()), len(each.get("failed") or ())
        rows.add_row(text(each, "drill"), clock_time(each.get("slot")), str(good), str(bad), proof, runs)
    out().print(rows)
    out().print("failback report RUN gives the proof of each", style=SOFT)

"""Answering a gate: what was seen, what is decided on it, and who decides instead."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer
from rich.prompt import Confirm

from cli import asking, gates, options
from cli.api import Document, refuse, texts
from cli.console import err, is_attended, out, write_json
from cli.options import LOCAL_URL, As, Json, Key, Roles, RunId, Token, Url
from cli.story import gate_of


class Choice(StrEnum):
    """What people may answer at a gate."""

    APPROVE = "approve"
    CHANGE_POINT = "changeRecoveryPoint"
    STOP = "stop"
    RETRY = "retry"
    SKIP = "skip"
    DELEGATE = "delegate"


def decide(
    *,
    run: RunId,
    choice: Annotated[Choice | None, typer.Argument(help="the answer; without one you are asked")] = None,
    comment: Annotated[str, typer.Option("--comment", "--reason", "-m", help="why; kept in the report")] = "",
    machine: Annotated[list[str] | None, typer.Option(help="only for this machine; as often as needed")] = None,
    point: Annotated[list[str] | None, typer.Option(metavar="NAME=POINT", help="another recovery point")] = None,
    not_before: Annotated[
        str | None, typer.Option(help="approve now what is done then: 2026-01-15T02:00:00Z")
    ] = None,
    break_glass: Annotated[
        bool, typer.Option("--break-glass", help="decide alone in an emergency; takes its own role, and a reason")
    ] = False,
    to: Annotated[
        str | None, typer.Option(metavar="PERSON", help="with delegate: who decides instead, by mail or object id")
    ] = None,
    plan_hash: Annotated[
        str | None, typer.Option(help="what you have seen; the app refuses if it has changed")
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="do not ask whether you are sure")] = False,
    url: Url = LOCAL_URL,
    key: Key = None,
    token: Token = None,
    roles: Roles = None,
    person: As = None,
    as_json: Json = False,
) -> None:
    """Answer the gate that a run asks at."""
    client = options.client(url, key, person, token, roles)
    gate = gate_of(status := client.run(run))
    if gate is None:
        raise refuse(f"run {run} does not ask anything now", str(status.get("words") or ""))
    decision = (
        _asked(gate, person)
        if choice is None
        else gates.decision_for(
            gate if plan_hash is None else gate | {"planHash": plan_hash},
            choice,
            comment,
            machines=machine,
            recoveryPoints=asking.points_by_machine(point or []),
            notBefore=not_before,
            breakGlass=break_glass,
            to=to,
        )
    )
    if choice is not None and not (yes or plan_hash):
        _confirm(gate, choice)
    answer = client.decide(run, decision)
    if as_json:
        write_json(answer)
    else:
        out().print(
            f"{answer.get('judgement', 'recorded')}: {decision['decision']} at gate {gate['gate']}", markup=False
        )


def _asked(gate: Document, person: str | None) -> Document:
    if not is_attended():
        raise refuse("which answer?", f"one of {', '.join(texts(gate, 'offers'))}; on a terminal you are asked")
    return gates.Person(console=err(), name=person or "")(gate)


def _confirm(gate: Document, choice: str) -> None:
    """Let nobody decide on what they have not seen."""
    if not is_attended():
        remedy = "give --plan-hash with the hash of what you decided on, or --yes to decide on what is shown now"
        raise refuse("a decision is bound to what was seen", remedy)
    err().print(gates.picture(gate))
    if not Confirm.ask(f"{choice}, for all this?", console=err(), default=False):
        raise refuse("not decided")

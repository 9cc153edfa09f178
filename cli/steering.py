"""The commands that steer a run: hold it, let it go on, end it; each at its next safe point."""

from __future__ import annotations

from typing import Annotated

import typer

from cli import options
from cli.api import Document
from cli.console import out, write_json
from cli.options import LOCAL_URL, As, Json, Key, Roles, RunId, Token, Url

Reason = Annotated[str, typer.Option("--reason", "-m", help="why; kept in the report")]


def pause(
    *,
    run: RunId,
    reason: Reason = "",
    url: Url = LOCAL_URL,
    key: Key = None,
    token: Token = None,
    roles: Roles = None,
    person: As = None,
    as_json: Json = False,
) -> None:
    """Hold a run at its next safe point until it is resumed; what runs is watched to its end."""
    _tell(options.client(url, key, person, token, roles).steer(run, "pause", reason), as_json=as_json)


def resume(
    *,
    run: RunId,
    reason: Reason = "",
    url: Url = LOCAL_URL,
    key: Key = None,
    token: Token = None,
    roles: Roles = None,
    person: As = None,
    as_json: Json = False,
) -> None:
    """Let a run that is held go on."""
    _tell(options.client(url, key, person, token, roles).steer(run, "resume", reason), as_json=as_json)


def cancel(
    *,
    run: RunId,
    reason: Reason = "",
    url: Url = LOCAL_URL,
    key: Key = None,
    token: Token = None,
    roles: Roles = None,
    person: As = None,
    as_json: Json = False,
) -> None:
    """End a run at its next safe point; what runs is watched to its end."""
    _tell(options.client(url, key, person, token, roles).steer(run, "cancel", reason), as_json=as_json)


def _tell(answer: Document, *, as_json: bool) -> None:
    if as_json:
        write_json(answer)
    else:
        out().print(str(answer.get("words") or answer.get("status") or "asked"), markup=False)

"""The options that every command shares, and the behaviour of the command as a whole."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Final, cast

import typer
from typer.core import TyperGroup

from cli.api import Failbacks, TroubleError
from cli.console import tell, write_json

# Where Functions hosts listen on a laptop, ours and Core Tools' alike.
LOCAL_URL: Final = "http://127.0.0.1:7071"


def _remember(context: typer.Context, as_json: bool) -> bool:
    context.find_root().obj = {"json": as_json}
    return as_json


Url = Annotated[str, typer.Option("--url", envvar="FAILBACK_URL", help="where the app is")]
Key = Annotated[
    str | None,
    typer.Option("--key", envvar="FAILBACK_KEY", show_default=False, help="a function key; best by the variable"),
]
Token = Annotated[
    str | None,
    typer.Option(
        "--token",
        envvar="FAILBACK_TOKEN",
        show_default=False,
        help="a bearer token of the app's tenant; best by the variable",
    ),
]
Roles = Annotated[
    str | None,
    typer.Option(
        "--roles",
        envvar="FAILBACK_ROLES",
        help="what you may do, where the app takes your word for it: viewer,operator,approver,admin,breakGlass",
    ),
]
As = Annotated[
    str | None,
    typer.Option("--as", envvar="FAILBACK_USER", help="who you are, where the app takes your word for it"),
]
Json = Annotated[bool, typer.Option("--json", callback=_remember, help="answer with JSON")]
RunId = Annotated[str, typer.Argument(metavar="RUN", help="the run's id")]
Machines = Annotated[list[str] | None, typer.Argument(metavar="[MACHINE]...", help="names of the machines")]
Vault = Annotated[str | None, typer.Option(envvar="FAILBACK_VAULT", help="the vault's ARM id")]
File = Annotated[
    Path | None, typer.Option("--file", "-f", help="a request as JSON; - reads it from standard input")
]
Mode = Annotated[str | None, typer.Option(help="failback, drill or plan")]
Point = Annotated[
    str | None,
    typer.Option(help="latest, latestProcessed, latestCrashConsistent, latestAppConsistent, or the id of a point"),
]
NotAfter = Annotated[str | None, typer.Option(help="leave out younger points: 2026-01-15T09:00:00Z")]
Rehearse = Annotated[bool | None, typer.Option("--rehearse/--no-rehearse", help="hold a test failover first")]
TestNetwork = Annotated[str | None, typer.Option(help="ARM id of the isolated network to rehearse in")]
ShutDown = Annotated[
    bool | None, typer.Option("--shut-down/--leave-running", help="what becomes of the source machine")
]
Reprotect = Annotated[
    bool | None, typer.Option("--reprotect/--no-reprotect", help="protect to the secondary again")
]
Prepare = Annotated[
    bool | None,
    typer.Option("--prepare/--no-prepare", help="allow a first re-protection, which overwrites old disks at home"),
]
Approver = Annotated[list[str] | None, typer.Option(help="who may approve; as often as needed")]
Quorum = Annotated[int | None, typer.Option(help="how many must approve")]
MaxParallel = Annotated[int | None, typer.Option(help="how many machines move at once")]


class Commands(TyperGroup):
    """Turns what went wrong into words and an exit code, for every command alike."""

    def invoke(self, ctx: Any) -> Any:
        """Run a command; a trouble is told on standard error, and with --json on standard output."""
        try:
            return super().invoke(ctx)
        except TroubleError as trouble:
            if cast("dict[str, bool] | None", ctx.find_root().obj) == {"json": True}:
                write_json({"problem": trouble.problem.to_json()})
            else:
                tell(trouble.problem)
            raise typer.Exit(trouble.exit_code) from None


def client(
    url: str, key: str | None, person: str | None, token: str | None = None, roles: str | None = None
) -> Failbacks:
    """Make the client that a command asks with."""
    return Failbacks(url, key=key, person=person, token=token, roles=roles)

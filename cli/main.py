"""The command line; `failback --help` lists its commands.

It ends with 0 when all went well, 1 when a run did not reach its aim, 2 when it was used wrongly or refused, and
3 when the app could not be reached.
"""

from __future__ import annotations

import uuid
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from cli import asking, deciding, doctor, evidence, gates, leavings, local, options, showing, steering, tellers
from cli.api import FAILED, REFUSED, UNREACHABLE, Document, Failbacks, refuse
from cli.console import err, is_attended, out, verdict, write_json
from cli.options import LOCAL_URL, As, Json, Key, Roles, RunId, Token, Url
from cli.watching import GOOD_ENDS, Watch
from cli.when import WallClock
from domain import evidence as chain

app = typer.Typer(
    name="failback",
    cls=options.Commands,
    help="Bring Azure VMs home from their secondary region, through a local or a deployed app.",
    epilog="It ends with 0: done; 1: a run did not reach its aim; 2: used wrongly, or refused; 3: no answer.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
)
Ask = Annotated[bool, typer.Option("--ask", help="answer at the gates from here")]
Every = Annotated[float | None, typer.Option(help="seconds from one look to the next", show_default=False)]
# How --help groups the commands.
HERE: Final = "On this machine"
RUNS: Final = "Runs"
AFTERWARDS: Final = "Afterwards"


app.command("demo", rich_help_panel=HERE)(local.show_demo)
app.command("up", rich_help_panel=HERE)(local.up)


@app.command(rich_help_panel=RUNS)
def plan(
    *,
    machines: options.Machines = None,
    vault: options.Vault = None,
    file: options.File = None,
    mode: options.Mode = None,
    point: options.Point = None,
    not_after: options.NotAfter = None,
    rehearse: options.Rehearse = None,
    test_network: options.TestNetwork = None,
    shut_down: options.ShutDown = None,
    reprotect: options.Reprotect = None,
    prepare: options.Prepare = None,
    approver: options.Approver = None,
    quorum: options.Quorum = None,
    max_parallel: options.MaxParallel = None,
    url: Url = LOCAL_URL,
    key: Key = None,
    token: Token = None,
    roles: Roles = None,
    person: As = None,
    as_json: Json = False,
) -> None:
    """Say what a run would do, and whether it may; nothing is changed."""
    request = _request(locals())
    report = options.client(url, key, person, token, roles).plan(request)
    if as_json:
        write_json(report)
    else:
        showing.plan(out(), report)
    if report.get("refusals"):
        raise typer.Exit(REFUSED)


@app.command(rich_help_panel=RUNS)
def start(
    *,
    machines: options.Machines = None,
    vault: options.Vault = None,
    file: options.File = None,
    mode: options.Mode = None,
    point: options.Point = None,
    not_after: options.NotAfter = None,
    rehearse: options.Rehearse = None,
    test_network: options.TestNetwork = None,
    shut_down: options.ShutDown = None,
    reprotect: options.Reprotect = None,
    prepare: options.Prepare = None,
    approver: options.Approver = None,
    quorum: options.Quorum = None,
    max_parallel: options.MaxParallel = None,
    idempotency_key: Annotated[str | None, typer.Option(help="the same key never starts a second run")] = None,
    follow: Annotated[bool, typer.Option("--watch", help="stay and watch it to its end")] = False,
    ask: Ask = False,
    url: Url = LOCAL_URL,
    key: Key = None,
    token: Token = None,
    roles: Roles = None,
    person: As = None,
    as_json: Json = False,
) -> None:
    """Start a run."""
    request = _request(locals())
    client = options.client(url, key, person, token, roles)
    started = client.start(request, idempotency_key or uuid.uuid4().hex)
    if as_json:
        write_json(started, indent=None if follow or ask else 2)
    else:
        out().print(f"run {started['id']}", markup=False)
        for name in ("pageUrl", "statusUrl", "reportUrl"):
            if started.get(name):
                out().print(f"    {started[name]}", markup=False)
    if follow or ask:
        _follow(client, str(started["id"]), ask=ask, person=person, as_json=as_json, every=None)


@app.command(rich_help_panel=RUNS)
def watch(
    *,
    run: RunId,
    ask: Ask = False,
    every: Every = None,
    url: Url = LOCAL_URL,
    key: Key = None,
    token: Token = None,
    roles: Roles = None,
    person: As = None,
    as_json: Json = False,
) -> None:
    """Watch a run to its end; it goes on without you as well."""
    _follow(
        options.client(url, key, person, token, roles), run, ask=ask, person=person, as_json=as_json, every=every
    )


def _follow(
    client: Failbacks, run: str, *, ask: bool, person: str | None, as_json: bool, every: float | None
) -> None:
    if ask and not is_attended():
        raise refuse("--ask needs a terminal", "without one, answer with: failback decide")
    clock = WallClock()
    watching = Watch(
        client=client,
        run=run,
        teller=tellers.teller(clock, as_json=as_json, title=f"run {run}"),
        clock=clock,
        answerer=gates.Person(console=err(), name=person or "") if ask else None,
        person=person,
        every=every,
    )
    try:
        status = watching.to_the_end()
    except KeyboardInterrupt:
        err().print(f"no longer watched; the run goes on: failback watch {run}", markup=False)
        raise typer.Exit(local.INTERRUPTED) from None
    if not as_json:
        showing.report(out(), client.report(run))
    if status.get("outcome") not in GOOD_ENDS:
        raise typer.Exit(FAILED)


app.command("decide", rich_help_panel=RUNS)(deciding.decide)
app.command("pause", rich_help_panel=RUNS)(steering.pause)
app.command("resume", rich_help_panel=RUNS)(steering.resume)
app.command("cancel", rich_help_panel=RUNS)(steering.cancel)


@app.command("list", rich_help_panel=RUNS)
def list_runs(
    *,
    url: Url = LOCAL_URL,
    key: Key = None,
    token: Token = None,
    roles: Roles = None,
    person: As = None,
    as_json: Json = False,
) -> None:
    """List the runs, newest first."""
    listed = options.client(url, key, person, token, roles).runs()
    if as_json:
        write_json({"runs": listed})
    else:
        showing.runs(out(), listed)


class Form(StrEnum):
    """How a report is written."""

    TEXT = "text"
    JSON = "json"
    HTML = "html"
    MARKDOWN = "markdown"


@app.command(rich_help_panel=AFTERWARDS)
def report(
    *,
    run: RunId,
    form: Annotated[
        Form, typer.Option("--format", help="for a person here, a program, a browser, or a wiki")
    ] = Form.TEXT,
    output: Annotated[Path | None, typer.Option("--output", "-o", help="the file to write")] = None,
    url: Url = LOCAL_URL,
    key: Key = None,
    token: Token = None,
    roles: Roles = None,
    person: As = None,
    as_json: Json = False,
) -> None:
    """Show what a finished run did."""
    client = options.client(url, key, person, token, roles)
    document = client.report(run)
    form = Form.JSON if as_json else form
    if form in {Form.HTML, Form.MARKDOWN}:
        _write(client.report_as(run, form), output)
    elif form is Form.JSON or output is not None:
        _write(asking.as_json(document), output)
    else:
        showing.report(out(), document)
    if document.get("outcome") not in GOOD_ENDS:
        raise typer.Exit(FAILED)


def _write(text: str, output: Path | None) -> None:
    if output is None:
        typer.echo(text, nl=not text.endswith("\n"))
        return
    try:
        output.write_text(text, encoding="utf-8")
    except OSError as fault:
        raise refuse(f"{output} cannot be written", str(fault)) from None


@app.command(rich_help_panel=AFTERWARDS)
def verify(
    *,
    source: Annotated[str, typer.Argument(help="a file of JSON Lines, a folder of records, or a run's id")],
    head: Annotated[str | None, typer.Option(help="the last hash, as the report or a notice told it")] = None,
    report_file: Annotated[
        Path | None, typer.Option("--report", help="the run's report, which tells the last hash")
    ] = None,
    url: Url = LOCAL_URL,
    key: Key = None,
    token: Token = None,
    roles: Roles = None,
    person: As = None,
    as_json: Json = False,
) -> None:
    """Check that a run's evidence is whole and as it was written."""
    if report_file is not None:
        head = evidence.told_head(asking.read_request(report_file))
    found = chain.verify(evidence.read(source, options.client(url, key, person, token, roles)), head)
    if as_json:
        write_json(found.to_wire())
    else:
        for line in evidence.words(found, head):
            out().print(line, markup=False)
    if not found.is_whole:
        raise typer.Exit(FAILED)


app.command("drills", rich_help_panel=AFTERWARDS)(leavings.drills)
app.command("leftovers", rich_help_panel=AFTERWARDS)(leavings.leftovers)


@app.command("doctor", rich_help_panel=HERE)
def examine(
    *,
    url: Url = LOCAL_URL,
    key: Key = None,
    token: Token = None,
    roles: Roles = None,
    person: As = None,
    as_json: Json = False,
) -> None:
    """Look whether all is in place, here and at the app."""
    findings = list(doctor.examine(options.client(url, key, person, token, roles)))
    known = doctor.settings()
    if as_json:
        write_json({"findings": [each.to_json() for each in findings], "settings": known})
    else:
        for each in findings:
            remedy = f"\n                → {each.remedy}" if each.remedy else ""
            out().print(
                verdict(f"{each.verdict:<7}"), f"{each.name:<12}", f"{each.evidence}{remedy}", markup=False
            )
        for name, value in known.items():
            out().print(f"        {name}={value}", markup=False)
    failed = [each.name for each in findings if each.verdict == "failed"]
    if failed:
        raise typer.Exit(UNREACHABLE if failed == ["app at --url"] else FAILED)


def _request(said: dict[str, Any]) -> Document:
    """Put the request together from a command's parameters."""
    return asking.request(
        asking.read_request(said["file"]),
        said["machines"] or [],
        {
            "vault": said["vault"],
            "mode": said["mode"],
            "recoveryPoint": asking.recovery_point(said["point"], said["not_after"]),
            "testFailover.enabled": said["rehearse"],
            "testFailover.networkId": said["test_network"],
            "shutDownSource": said["shut_down"],
            "reprotect.enabled": said["reprotect"],
            "prepare.reprotect": said["prepare"],
            "approvals.approvers": said["approver"],
            "approvals.quorum": said["quorum"],
            "limits.maxParallel": said["max_parallel"],
        },
    )

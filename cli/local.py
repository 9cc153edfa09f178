"""The commands that start something here: `failback demo` and `failback up`."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Annotated, Final

import typer

from cli import demo, doctor, tellers, worlds
from cli.console import err, is_attended, out, write_json
from cli.options import Json

# What a shell expects of a command that Ctrl-C ended.
INTERRUPTED: Final = 130


def show_demo(
    *,
    speed: Annotated[float, typer.Option(help="simulated seconds a second")] = demo.SPEED,
    scripted: Annotated[
        bool, typer.Option("--scripted", help="let the script answer, also on a terminal")
    ] = False,
    folder: Annotated[Path, typer.Option(help="where the report and the logs are left")] = demo.FOLDER,
    as_json: Json = False,
) -> None:
    """Fail one machine back on simulated Azure, and see every step."""
    console, attended = err(), is_attended() and not scripted and not as_json
    held = demo.Demo(
        answerer=demo.answerer(console, is_attended=attended),
        teller=lambda running: tellers.teller(running.clock, title=f"{demo.MACHINE}: East US → Central US"),
        folder=folder.resolve(),
        speed=speed,
        is_attended=attended,
    )
    try:
        report = demo.hold(held, console)
    except KeyboardInterrupt:
        console.print("stopped; everything that was started is stopped too")
        raise typer.Exit(INTERRUPTED) from None
    if as_json:
        write_json(report)


def up(
    *,
    port: Annotated[int, typer.Option(help="where the app listens")] = doctor.HOST_PORT,
    simulator_port: Annotated[int, typer.Option(help="where simulated Azure listens; 0 picks a free one")] = 0,
    speed: Annotated[float, typer.Option(help="simulated seconds a second")] = 60.0,
    estate: Annotated[Path | None, typer.Option(help="a YAML file of what exists in simulated Azure")] = None,
    faults: Annotated[Path | None, typer.Option(help="a YAML list of what goes wrong there")] = None,
    azure: Annotated[
        bool, typer.Option("--azure", help="no simulator: the app with the settings as they are")
    ] = False,
    as_json: Json = False,
) -> None:
    """Start the app on simulated Azure, and stay until Ctrl-C."""
    folder = worlds.ROOT / "build" / "up"
    plan = worlds.Plan(
        folder=folder, speed=speed, port=port, simulator_port=simulator_port, estate=estate, faults=faults
    )
    try:
        if azure:
            with worlds.interruptible(), worlds.host_child(plan, os.environ) as host:
                _serve([host], as_json=as_json)
        else:
            # A new simulator remembers nothing, so neither may the host.
            shutil.rmtree(folder, ignore_errors=True)
            with worlds.both(plan) as running:
                _serve([running.simulator, running.host], as_json=as_json)
    except KeyboardInterrupt:
        err().print("stopped")


def _serve(children: list[worlds.Child], *, as_json: bool) -> None:
    addresses = {child.name: child.url for child in children}
    if as_json:
        write_json(addresses, indent=None)
    else:
        for name, url in addresses.items():
            out().print(f"{name:<10} {url}")
        out().print(f"export FAILBACK_URL={addresses['host']}   Ctrl-C stops", markup=False)
    worlds.wait_while_alive(children)

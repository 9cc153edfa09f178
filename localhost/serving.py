"""Serving an app from the command line: one host in this directory, until a signal."""

import argparse
import asyncio
import gc
import os
import signal
import sys

from localhost.clock import SystemClock, VirtualClock
from localhost.functions import AppError
from localhost.host import LocalHost
from localhost.http.links import WEBHOOKS
from localhost.store import StateError


def serve(options: argparse.Namespace) -> int:
    """Serve until told to stop; 0 then, 2 when it cannot be served."""
    try:
        asyncio.run(_serve(options))
    except (AppError, StateError, OSError) as fault:
        print(f"localhost: {fault}", file=sys.stderr)  # noqa: T201  a command speaks to its terminal
        return 2
    return 0


async def _serve(options: argparse.Namespace) -> None:
    directory = options.app.resolve()
    state = options.state.resolve()
    if not directory.is_dir():
        raise AppError(f"There is no directory {directory}.")
    state.parent.mkdir(parents=True, exist_ok=True)
    os.chdir(directory)
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    host = LocalHost(
        directory,
        state=state,
        clock=SystemClock() if options.clock == "real" else VirtualClock(SystemClock().now()),
        seed=options.seed,
        key=options.key,
        port=options.port,
        fsync=True,
        free_running=True,
        api=options.api,
    )
    async with host:
        gc.freeze()
        gc.enable()
        _announce(host)
        await stop.wait()


def _announce(host: LocalHost) -> None:
    """Say where the app is served, in one line."""
    prefix = host.app.settings.route_prefix
    routes = f"{host.url}/{prefix}/" if prefix else f"{host.url}/"
    print(f"localhost: serving {host.url} (routes {routes}, durable {host.url}{WEBHOOKS}/)", flush=True)  # noqa: T201

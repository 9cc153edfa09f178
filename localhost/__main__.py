"""`python -m localhost --app DIR --port N --state FILE [--clock real|virtual] [--seed N] [--key KEY]`."""

import argparse
import asyncio
import logging
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from localhost.clock import SystemClock, VirtualClock
from localhost.functions import AppError
from localhost.host import LocalHost
from localhost.http.links import WEBHOOKS
from localhost.store import StateError


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve an app until told to stop; 0 then, 2 when it cannot be served."""
    options = _parse(arguments)
    logging.basicConfig(
        level=options.log_level.upper(),
        stream=sys.stderr,
        format="%(asctime)s %(levelname)s %(name)s: %(message)s",
    )
    try:
        asyncio.run(_serve(options))
    except (AppError, StateError, OSError) as fault:
        print(f"localhost: {fault}", file=sys.stderr)  # noqa: T201  a command speaks to its terminal
        return 2
    return 0


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m localhost", description="Run an Azure Functions app here.")
    parser.add_argument("--app", required=True, type=Path, help="the directory with function_app.py and host.json")
    parser.add_argument("--port", type=int, default=7071, help="where to listen on 127.0.0.1; 0 for any free port")
    parser.add_argument("--state", required=True, type=Path, help="the SQLite file; made if it is not there")
    parser.add_argument(
        "--clock", choices=("real", "virtual"), default="real", help="virtual: waiting takes no time"
    )
    parser.add_argument("--seed", type=int, default=None, help="do one piece of work at a time, in this order")
    parser.add_argument("--key", default=None, help="a system key that the durable HTTP API then demands")
    parser.add_argument("--log-level", default="warning", help="debug, info, warning or error")
    return parser.parse_args(arguments)


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
    )
    async with host:
        _announce(host)
        await stop.wait()


def _announce(host: LocalHost) -> None:
    """Say where the app is served, in one line."""
    prefix = host.app.settings.route_prefix
    routes = f"{host.url}/{prefix}/" if prefix else f"{host.url}/"
    print(f"localhost: serving {host.url} (routes {routes}, durable {host.url}{WEBHOOKS}/)", flush=True)  # noqa: T201


if __name__ == "__main__":
    sys.exit(main())

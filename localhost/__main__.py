"""`python -m localhost --app DIR --port N --state FILE [--clock real|virtual] [--seed N] [--key KEY] ...`."""

import argparse
import gc
import logging
import sys
from collections.abc import Sequence
from pathlib import Path

_LAST_PORT = 65_535


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve an app until told to stop; 0 then, 2 when it cannot be served."""
    options = _parse(arguments)
    logging.basicConfig(
        level=options.log_level.upper(),
        stream=sys.stderr,
        format="%(asctime)s %(levelname)s %(name)s: %(message)s",
    )
    # A start is imports, which leave no garbage; the collector goes on once the app is served.
    gc.disable()
    from localhost.serving import serve  # noqa: PLC0415  what is wrong with the options is said at once

    return serve(options)


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m localhost", description="Run an Azure Functions app here.")
    parser.add_argument("--app", required=True, type=Path, help="the directory with function_app.py and host.json")
    parser.add_argument(
        "--port", type=_port, default=7071, help="where to listen on 127.0.0.1; 0 for any free port"
    )
    parser.add_argument("--state", required=True, type=Path, help="the SQLite file; made if it is not there")
    parser.add_argument(
        "--clock", choices=("real", "virtual"), default="real", help="virtual: waiting takes no time"
    )
    parser.add_argument("--seed", type=int, default=None, help="do one piece of work at a time, in this order")
    parser.add_argument("--key", default=None, help="a system key that the durable HTTP API then demands")
    parser.add_argument(
        "--api",
        choices=("2024", "2026"),
        default="2024",
        help="whose status codes the durable HTTP API answers with, where the extension changed them",
    )
    parser.add_argument("--log-level", choices=("debug", "info", "warning", "error"), default="warning")
    return parser.parse_args(arguments)


def _port(text: str) -> int:
    if not text.isdecimal() or int(text) > _LAST_PORT:
        raise argparse.ArgumentTypeError(f"'{text}' is no port: a number from 0 to {_LAST_PORT}")
    return int(text)


if __name__ == "__main__":
    sys.exit(main())

"""`python -m simulator`: serve one simulator until told to stop."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import errno
import signal
import sys
from pathlib import Path

from simulator import ScaledClock, Simulator, default_estate, load_estate, load_faults
from simulator.coverage import coverage_table
from simulator.server import Server
from simulator.tls import local_tls

LAST_PORT = 65_535
FASTEST = 1_000_000.0


def _port(given: str) -> int:
    if not given.isdigit() or int(given) > LAST_PORT:
        raise argparse.ArgumentTypeError(f"a port is a number from 0 to {LAST_PORT}, not '{given}'")
    return int(given)


def _speed(given: str) -> float:
    with contextlib.suppress(ValueError):
        if 0 < float(given) <= FASTEST:
            return float(given)
    raise argparse.ArgumentTypeError(f"a speed is a number above 0 and up to {FASTEST:,.0f}, not '{given}'")


def _arguments(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="simulator", description=__doc__)
    parser.add_argument("--port", type=_port, default=0, help="0 picks a free one")
    parser.add_argument("--speed", type=_speed, default=1.0, help="simulated seconds a second")
    parser.add_argument("--estate", type=Path, help="a YAML file of what exists")
    parser.add_argument("--faults", type=Path, help="a YAML list of what goes wrong")
    parser.add_argument("--seed", type=int, default=0, help="same seed, same ids and jitter")
    parser.add_argument("--tls", type=Path, metavar="DIR", help="serve https; DIR/ca.pem is what to trust")
    parser.add_argument("--coverage", action="store_true", help="print what is simulated, and end")
    return parser.parse_args(argv)


async def _serve(arguments: argparse.Namespace) -> None:
    estate = load_estate(arguments.estate) if arguments.estate else default_estate()
    simulator = Simulator(estate, clock=ScaledClock(arguments.speed), seed=arguments.seed)
    if arguments.faults:
        simulator.faults.add(load_faults(arguments.faults), simulator.world.now)
    stop = asyncio.Event()
    for name in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(name, stop.set)
    tls = local_tls(arguments.tls) if arguments.tls else None
    async with Server(simulator, arguments.port, tls) as server:
        sys.stdout.write(f"simulator ready at {server.url}\n")
        sys.stdout.flush()
        await stop.wait()


def main(argv: list[str] | None = None) -> int:
    """Serve until interrupted; 2 for an estate or faults file that cannot be read."""
    arguments = _arguments(argv)
    if arguments.coverage:
        sys.stdout.write(f"{coverage_table()}\n")
        return 0
    try:
        with contextlib.suppress(KeyboardInterrupt):
            asyncio.run(_serve(arguments))
    except OSError as fault:
        in_use = f"port {arguments.port} is in use" if fault.errno == errno.EADDRINUSE else str(fault)
        sys.stderr.write(f"simulator: {in_use}\n")
        return 2
    except (RuntimeError, ValueError) as fault:
        sys.stderr.write(f"simulator: {fault}\n")
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())

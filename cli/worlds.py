"""The two local worlds as child processes: a simulated Azure, and a host that runs the app against it."""

from __future__ import annotations

import os
import re
import secrets
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Generator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Final, Self

import requests

from cli.api import FAILED, Document, Problem, TroubleError
from cli.when import SimulatedClock, instant

ROOT: Final = Path(__file__).resolve().parent.parent
# Two workers that import the SDKs on a busy machine.
READY_WITHIN: Final = 60.0
STOPPED_WITHIN: Final = 5.0
_URL: Final = re.compile(r"https?://[^\s/]+")
_TAIL: Final = 12
# What these say of the outer world must not reach a world that is simulated.
_OUTER: Final = ("AZURE_", "ARM_", "FAILBACK_", "IDENTITY_", "MSI_", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY")
# These point nowhere, and are worth trying out.
_INNER: Final = frozenset({"FAILBACK_ALERT_ROUTES"})


class Child:
    """A process that says where it serves in one line, writes all it says to a log, and is stopped at the end.

    It gets a session of its own, so that an interrupt at the terminal reaches only us and we stop it in order.
    """

    def __init__(
        self,
        name: str,
        arguments: Sequence[str],
        log: Path,
        environment: Mapping[str, str] | None = None,
        directory: Path = ROOT,
    ) -> None:
        self.name = name
        self.log = log
        self.url = ""
        self._command = [sys.executable, "-u", *arguments]
        self._environment = dict(os.environ if environment is None else environment)
        self._directory = directory
        self._ready = threading.Event()
        self._process: subprocess.Popen[str] | None = None

    def __enter__(self) -> Self:
        """Start it, and wait until it serves.

        Raises:
            TroubleError: it ended, or said nothing in time; with the end of its log.
        """
        self.log.parent.mkdir(parents=True, exist_ok=True)
        with self.log.open("w", encoding="utf-8") as errors:
            self._process = subprocess.Popen(  # noqa: S603 - our own modules, our own interpreter
                self._command,
                cwd=self._directory,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
                start_new_session=True,
            )
        threading.Thread(target=self._listen, args=(self._process,), daemon=True).start()
        try:
            self._wait(self._process)
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def is_alive(self) -> bool:
        """Whether the process still runs."""
        return self._process is not None and self._process.poll() is None

    def stop(self) -> None:
        """Ask it to end, and end it if it does not."""
        process = self._process
        if process is None or process.poll() is not None:
            return
        process.terminate()
        try:
            process.wait(STOPPED_WITHIN)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def _listen(self, process: subprocess.Popen[str]) -> None:
        """Copy what it says into the log; the first address in it says that it serves."""
        if process.stdout is None:
            return
        with process.stdout, self.log.open("a", encoding="utf-8") as log:
            for line in process.stdout:
                log.write(line)
                log.flush()
                found = _URL.search(line)
                if found and not self._ready.is_set():
                    self.url = found[0].rstrip(").,")
                    self._ready.set()
        self._ready.set()

    def _wait(self, process: subprocess.Popen[str]) -> None:
        self._ready.wait(READY_WITHIN)
        if self.url:
            return
        if self._ready.is_set():
            # It has closed its mouth, and is about to end.
            with suppress(subprocess.TimeoutExpired):
                process.wait(STOPPED_WITHIN)
        ended = f"ended with {process.poll()}" if process.poll() is not None else "did not get ready in time"
        raise TroubleError(Problem(title=f"the {self.name} {ended}", detail=self.tail()), FAILED)

    def tail(self) -> str:
        """Give the last lines of its log."""
        lines = self.log.read_text(encoding="utf-8", errors="replace").splitlines()
        return "\n".join([*lines[-_TAIL:], f"(all of it: {self.log})"])


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How to start the worlds: where they keep things, on which ports, how fast time passes."""

    folder: Path
    speed: float = 120.0
    port: int = 0
    simulator_port: int = 0
    look_every: str = "PT0.5S"
    estate: Path | None = None
    faults: Path | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Worlds:
    """Both worlds while they run."""

    simulator: Child
    host: Child
    clock: SimulatedClock


@contextmanager
def both(plan: Plan) -> Generator[Worlds]:
    """Start the simulator and the host against it; both are stopped at the end, whatever that is."""
    with ExitStack() as stack:
        stack.enter_context(interruptible())
        simulator = stack.enter_context(_simulator(plan))
        clock = _clock_of(simulator, plan.speed)
        host = stack.enter_context(host_child(plan, settings_for(simulator.url, plan)))
        yield Worlds(simulator=simulator, host=host, clock=clock)


def _simulator(plan: Plan) -> Child:
    files = {"--estate": plan.estate, "--faults": plan.faults}
    arguments = ["-m", "simulator", "--port", str(plan.simulator_port), "--speed", f"{plan.speed:g}"]
    arguments += [part for option, file in files.items() if file for part in (option, str(file))]
    return Child("simulator", arguments, plan.folder / "simulator.log", inner_environment())


def host_child(plan: Plan, environment: Mapping[str, str]) -> Child:
    """Give the host of the app, to be started with these settings."""
    state = plan.folder / "state.sqlite"
    arguments = [
        "-m",
        "localhost",
        "--app",
        ".",
        "--port",
        str(plan.port),
        "--state",
        str(state),
        "--clock",
        "real",
    ]
    return Child("host", arguments, plan.folder / "host.log", environment)


def inner_environment() -> dict[str, str]:
    """Give this process's environment without what points to the outer world."""
    kept = {
        name: value for name, value in os.environ.items() if name in _INNER or not name.upper().startswith(_OUTER)
    }
    return {**kept, "NO_PROXY": "*", "no_proxy": "*", "PYTHONDONTWRITEBYTECODE": "1"}


def settings_for(simulator: str, plan: Plan) -> dict[str, str]:
    """Give the settings that make the app take a simulator for Azure."""
    return inner_environment() | {
        "FAILBACK_ARM_ENDPOINT": simulator,
        "FAILBACK_LOGS_ENDPOINT": f"{simulator}/loganalytics",
        "IDENTITY_ENDPOINT": f"{simulator}/msi/token",
        "IDENTITY_HEADER": "simulator",
        "FAILBACK_LOOK_EVERY": plan.look_every,
        "FAILBACK_IDENTITY": "declared",
        # Links live as long as this world does.
        "FAILBACK_LINK_KEYS": secrets.token_urlsafe(32),
        "FAILBACK_EVIDENCE": str((plan.folder / "evidence").absolute()),
    }


def _clock_of(simulator: Child, speed: float) -> SimulatedClock:
    """Set a clock by the simulator's."""
    with requests.Session() as session:
        session.trust_env = False
        state: Document = session.get(f"{simulator.url}/_sim/state", timeout=10).json()
    now = instant(state.get("now"))
    if now is None:
        raise TroubleError(Problem(title="the simulator does not tell the time"), FAILED)
    return SimulatedClock(now, speed)


@contextmanager
def interruptible() -> Generator[None]:
    """Let a polite end from outside be the same as Ctrl-C, so that everything is stopped in order."""
    names = [name for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name)]
    before = {name: signal.signal(getattr(signal, name), _interrupt) for name in names} if _is_main() else {}
    try:
        yield
    finally:
        for name, handler in before.items():
            signal.signal(getattr(signal, name), handler)


def _is_main() -> bool:
    return threading.current_thread() is threading.main_thread()


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def wait_while_alive(children: Sequence[Child], every: float = 0.5) -> None:
    """Stay until a child ends by itself.

    Raises:
        TroubleError: naming the child, with the end of its log.
    """
    while True:
        for child in children:
            if not child.is_alive:
                raise TroubleError(Problem(title=f"the {child.name} has ended", detail=child.tail()), FAILED)
        time.sleep(every)

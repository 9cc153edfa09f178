"""For tests of one's own app: hosts on a virtual clock, and a crash wherever one can happen.

Nothing here needs pytest; localhost/pytest_plugin.py makes fixtures of it.
"""

from collections.abc import Callable
from contextlib import ExitStack, suppress
from pathlib import Path
from tempfile import mkdtemp
from types import TracebackType
from typing import Any, Self

from localhost.app import AppSource
from localhost.clock import VirtualClock
from localhost.store import Crash, Transaction, crash_at
from localhost.sync import SyncHost

Play = Callable[[SyncHost], Any]


class Hosts:
    """Opens hosts, on a virtual clock unless another is given, and closes them all at its own end."""

    def __init__(self, seed: int = 0) -> None:
        self._seed = seed
        self._opened = ExitStack()

    def __enter__(self) -> Self:
        """Begin with none."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close what was opened, the last first."""
        self._opened.__exit__(kind, error, trace)

    def __call__(self, app: AppSource, **options: Any) -> SyncHost:
        """Open a host; the options are those of `LocalHost`.

        On a virtual clock the order of work is that of the seed: the same app, calls and seed are the same run.
        """
        clock = options.setdefault("clock", VirtualClock())
        if isinstance(clock, VirtualClock):
            options.setdefault("seed", self._seed)
        return self._opened.enter_context(SyncHost(app, **options))


class CrashAnywhere:
    """Plays the same with a crash before and after every commit, and a new host that goes on."""

    def __init__(self, directory: Path, seed: int = 0) -> None:
        self._directory = directory
        self._seed = seed

    def __call__(self, app: AppSource, play: Play, *, every: int = 1, **options: Any) -> Any:
        """Play undisturbed, then with a crash at each `every`-th commit; answer what `play` answers undisturbed.

        Args:
            app: As for `LocalHost`.
            play: What to do with a host, and what counts in the end. After a crash it is called again with a new
                host on the same state, so it starts only what is not there yet (by an instance id of its own).
            every: How many commits lie between two crashes.
            options: As for `LocalHost`; state, clock and on_transaction are chosen here.

        Raises:
            AssertionError: it ended otherwise after a crash; the text says which.
        """
        commits: list[Transaction] = []
        directory = Path(mkdtemp(dir=self._directory))
        chosen = {"seed": self._seed} | options

        def live(name: str, clock: VirtualClock, hook: Callable[[Transaction], None] | None = None) -> Any:
            state = directory / f"{name}.db"
            with SyncHost(app, state=state, clock=clock, on_transaction=hook, **chosen) as host:
                return play(host)

        quiet = live("quiet", VirtualClock(), commits.append)
        for before in commits[:: 2 * every]:
            for committed in (False, True):
                name, clock = f"{before.number}-{committed}", VirtualClock()
                with suppress(Crash):
                    live(name, clock, crash_at(before.number, committed=committed))
                found = live(name, clock)
                moment = f"{'after' if committed else 'before'} commit {before.number} ({before.kind})"
                assert found == quiet, f"With a crash {moment} it ended in {found!r}, else in {quiet!r}."  # noqa: S101
        return quiet

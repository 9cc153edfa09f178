"""What a host does on a disk that is really full: run with a small file system of its own, it tells as JSON.

`unshare --user --map-root-user --mount python -m tests.localhost.full_disk DIRECTORY` needs no rights, and nobody
else sees what is mounted.
"""

import errno
import json
import logging
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

from localhost import SyncHost, SystemClock, VirtualClock
from localhost.store import StateError
from tests.localhost.apps import Context, Steps, app_of
from tests.localhost.scripted import in_child

START = "/runtime/webhooks/durabletask/orchestrators/large"
SIZE = "2m"


def large(context: Context) -> Steps:
    first = yield context.call_activity("echo", "x" * 100_000)
    second = yield context.call_activity("echo", "y" * 100_000)
    return len(first) + len(second)


@contextmanager
def full(directory: Path) -> Iterator[None]:
    """Leave no byte on the disk for a while."""
    filler = directory / "filler"
    with filler.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(b"x" * 4096)
        except OSError as error:
            if error.errno != errno.ENOSPC:
                raise
    yield
    filler.unlink()


def told_of(work: Any) -> str:
    try:
        work()
    except StateError as fault:
        return str(fault)
    return ""


def one_at_a_time(directory: Path) -> dict[str, object]:
    """Take steps on a full disk, and go on when there is room."""
    with SyncHost(app_of(large), state=directory / "seeded.db", clock=VirtualClock()) as host:
        instance_id = host.start("large")
        with full(directory):
            told = told_of(lambda: host.run_until(instance_id))
            answer = host.request("POST", START, json="z")
        status = host.run_until(instance_id)
        assert status is not None
        return {"told": told, "status": answer.status, "output": status.output, "instances": len(host.instances())}


def many_at_once(directory: Path) -> dict[str, object]:
    """The same where the host runs by itself, and every commit is synced."""
    with SyncHost(app_of(large), state=directory / "free.db", clock=SystemClock()) as host:
        with full(directory):
            answer = host.request("POST", START, json="z")
            full_until = time.monotonic() + 0.3
            host.run_until(lambda: time.monotonic() > full_until)
        instance_id = host.start("large")
        status = host.run_until(instance_id, within=timedelta(seconds=30))
        assert status is not None
        return {"told": answer.text, "status": answer.status, "output": status.output}


def killed(directory: Path) -> dict[str, object]:
    """Die with a full disk and work under way; the next host finds all of it when there is room."""
    state, clock = directory / "killed.db", VirtualClock()

    def die() -> None:
        with SyncHost(app_of(large), state=state, clock=VirtualClock()) as host:
            host.start("large", instance_id="one")
            with full(directory):
                told_of(lambda: host.run_until("one"))
                os._exit(9)

    code, _ = in_child(die)
    opened = told_of(lambda: SyncHost(app_of(large), state=directory / "new.db").__enter__())
    (directory / "filler").unlink()
    with SyncHost(app_of(large), state=state, clock=clock) as host:
        status = host.run_until("one")
        assert status is not None
        return {"code": code, "told": opened, "output": status.output}


def main() -> None:
    """Mount a small file system on the directory, for this process alone, and play there."""
    logging.disable(logging.ERROR)
    directory = Path(sys.argv[1])
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={SIZE}", "tmpfs", directory], check=True)
    print("mounted", flush=True)  # noqa: T201  a command speaks to who started it
    found = [play(directory) for play in (one_at_a_time, many_at_once, killed)]
    print(json.dumps(found))  # noqa: T201  a command speaks to who started it


if __name__ == "__main__":
    main()

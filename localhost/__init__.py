"""An embedded Azure Functions and Durable Functions host on one SQLite file.

It runs any azure-functions-durable 1.x app (Python v2 model) unmodified, by the same out-of-process protocol that
the Azure Functions host speaks. docs/localhost.md says what is faithful and what is not.

As a command::

    python -m localhost --app DIR --port N --state FILE [--clock real|virtual] [--seed N] [--key KEY]
                        [--api 2024|2026]

In process, on a virtual clock; nothing runs by itself, and time jumps to what is due next when nothing is ready::

    async with LocalHost(app, clock=VirtualClock(), seed=7) as host:
        instance_id = await host.start("failback", {"name": "web"})
        status = await host.run_until(instance_id)          # until that instance is finished
        assert status.runtime_status == "Completed"

The same in a synchronous test, with the same methods without ``await``::

    with SyncHost(app, clock=VirtualClock(), seed=7) as host:
        response = host.request("POST", "/api/failbacks", json={"machines": ["web"]})
        host.run_until(lambda: clock.now() > deadline)      # or any predicate
        host.raise_event(response.json()["id"], "decision", {"approve": True})
        host.run_until_idle()                               # until only outside events could go on

Signatures (``SyncHost`` takes and answers the same)::

    LocalHost(app, *, state=":memory:", clock=None, seed=None, settings=None, host_json=None,
              key=None, port=None, on_transaction=None, fsync=None, api="2024")

    app             a directory, an azure.functions.FunctionApp or DFApp, or a list of its functions
    state           a path, kept and resumed; or ":memory:"
    clock           VirtualClock(start) or SystemClock() (the default)
    seed            chooses the order of ready work, one piece at a time; None runs pieces concurrently, in order.
                    With a virtual clock the default is 0
    settings        more app settings (environment variables while the host is open)
    host_json       overrides the directory's host.json
    key             a system key: the public management API then demands it as ?code= or x-functions-key
    on_transaction  called with a Transaction before and after every commit; raise Crash in it to drop the host
    api             "2024" or "2026": whose codes the durable API answers with, where the extension changed them
    fsync           whether commits reach the disk before they count; default only on the system clock

    await start(name, input=None, *, instance_id=None, version=None) -> str
    await request(method, path, *, json=None, body=b"", headers=None) -> Response   .status .headers .body .json()
    await status(instance_id, *, history=False) -> Status | None
                    .runtime_status .output .custom_status .input .name .created .updated .history
    await instances() -> list[Status]
    await raise_event(instance_id, name, data=None)
    await terminate / suspend / resume / rewind (instance_id, reason="")
    await restart(instance_id, *, new_id=True) -> str
    await purge(instance_id) -> int
    await entity(name, key) -> object                 the entity's state, None when it does not exist
    await signal_entity(name, key, operation, input=None)
    await run_until(instance_id | predicate, *, within=None) -> Status | None
                    within: a timedelta of the host's clock; TimeoutError beyond it, Stalled when nothing can go on
    await run_until_idle(*, within=None)
    await step() -> bool                              one piece of work, or one jump in time; False when idle
    host.url        its loopback address (it listens on a free port unless told which)

In pytest, `pytest_plugins = ["localhost.pytest_plugin"]` gives the fixtures `open_host` and `crash_anywhere`
(localhost/testing.py).

A crash between two transactions, and the same start again::

    with pytest.raises(Crash), SyncHost(app, state=file, clock=clock, on_transaction=crash_at(5)) as host: ...
    with SyncHost(app, state=file, clock=clock) as host: host.run_until(instance_id)

Names that tests build on: LocalHost, SyncHost, VirtualClock, SystemClock, Crash, Transaction, crash_at, Stalled.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from localhost.client import Status
    from localhost.clock import Clock, SystemClock, VirtualClock
    from localhost.host import LocalHost, Stalled
    from localhost.http.message import Response
    from localhost.store import Crash, Transaction, crash_at
    from localhost.sync import SyncHost

__all__ = [
    "Clock",
    "Crash",
    "LocalHost",
    "Response",
    "Stalled",
    "Status",
    "SyncHost",
    "SystemClock",
    "Transaction",
    "VirtualClock",
    "crash_at",
]

_HOMES = {
    "client": ("Status",),
    "clock": ("Clock", "SystemClock", "VirtualClock"),
    "host": ("LocalHost", "Stalled"),
    "http.message": ("Response",),
    "store": ("Crash", "Transaction", "crash_at"),
    "sync": ("SyncHost",),
}


def __getattr__(name: str) -> Any:
    """Import what is asked for when it is: a command that only says how it is used need not load an SDK."""
    from importlib import import_module  # noqa: PLC0415  only what is needed, when it is

    for home, names in _HOMES.items():
        if name in names:
            return getattr(import_module(f"localhost.{home}"), name)
    raise AttributeError(f"module 'localhost' has no attribute '{name}'")

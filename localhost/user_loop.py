"""Where user code runs: one event loop for async functions, one thread pool for sync ones, for the whole process.

As in the Python worker. One loop, because azure-functions-durable keeps its HTTP session in a module, bound to the
loop that made it; in its own thread, because a function that blocks must not stop the host.
"""

import asyncio
import atexit
import concurrent.futures
import contextlib
import contextvars
import os
import sys
import threading
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

_T = TypeVar("_T")


class _UserLoop:
    """The process's loop and pool for user code, started when first needed."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._pool: concurrent.futures.ThreadPoolExecutor | None = None

    def loop(self) -> asyncio.AbstractEventLoop:
        """Answer the loop, running in its own thread."""
        with self._lock:
            if self._loop is None:
                self._loop = asyncio.new_event_loop()
                threading.Thread(target=self._loop.run_forever, name="user-loop", daemon=True).start()
                atexit.register(self._stop)
            return self._loop

    def pool(self) -> concurrent.futures.ThreadPoolExecutor:
        """Answer the pool; PYTHON_THREADPOOL_THREAD_COUNT sets its size, as in Azure."""
        with self._lock:
            if self._pool is None:
                wanted = os.environ.get("PYTHON_THREADPOOL_THREAD_COUNT", "")
                self._pool = concurrent.futures.ThreadPoolExecutor(
                    int(wanted) if wanted.isdigit() and int(wanted) > 0 else None, thread_name_prefix="function"
                )
            return self._pool

    def replace_pool(self) -> None:
        """Leave a pool whose threads hang; what still runs there runs on, unheard."""
        with self._lock:
            self._pool = None

    def _stop(self) -> None:
        """Close the SDK's session where it was made, then stop."""
        loop = self._loop
        if loop is None or not loop.is_running():
            return
        with contextlib.suppress(TimeoutError):
            asyncio.run_coroutine_threadsafe(_close_sdk_session(), loop).result(timeout=1.0)
        loop.call_soon_threadsafe(loop.stop)


async def _close_sdk_session() -> None:
    http = sys.modules.get("azure.durable_functions.models.utils.http_utils")
    session: Any = getattr(http, "_client_session", None)
    if session is not None:
        await session.close()


_USER_LOOP = _UserLoop()


async def run_async(work: Coroutine[Any, Any, _T]) -> _T:
    """Run a coroutine on the user loop and wait for it here."""
    return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(work, _USER_LOOP.loop()))


async def run_sync(work: Callable[[], _T]) -> _T:
    """Run a blocking call in the pool and wait for it here."""
    context = contextvars.copy_context()
    return await asyncio.get_running_loop().run_in_executor(_USER_LOOP.pool(), context.run, work)


def abandon_pool() -> None:
    """Give later calls fresh threads, after one was found to hang."""
    _USER_LOOP.replace_pool()

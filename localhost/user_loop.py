"""Where user code runs: one event loop for async functions, one thread pool for sync ones, for the whole process.

As in the Python worker. One loop, because azure-functions-durable keeps its HTTP session in a module, bound to the
loop that made it; in its own thread, because a function that blocks must not stop the host.
"""

import asyncio
import atexit
import contextlib
import contextvars
import os
import sys
import threading
import weakref
from collections import deque
from collections.abc import Callable, Coroutine
from queue import SimpleQueue
from typing import Any, TypeVar

_T = TypeVar("_T")


class _Mailbox:
    """Brings results from threads to one event loop, waking it once for many."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = weakref.ref(loop)
        self._results: deque[tuple[asyncio.Future[Any], Any, BaseException | None]] = deque()
        self._is_called = False

    def post(self, future: asyncio.Future[Any], result: object, error: BaseException | None) -> None:
        """Hand over a result, from any thread; a loop that is closed hears nothing."""
        self._results.append((future, result, error))
        loop = self._loop()
        if not self._is_called and loop is not None:
            self._is_called = True
            with contextlib.suppress(RuntimeError):
                loop.call_soon_threadsafe(self._deliver)

    def _deliver(self) -> None:
        self._is_called = False
        while self._results:
            future, result, error = self._results.popleft()
            if future.done():
                continue
            if error is None:
                future.set_result(result)
            else:
                future.set_exception(error)


class _Threads:
    """Runs blocking calls; its threads are daemons, so one that hangs does not keep the process from ending."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._threads = 0
        self._idle = 0
        self._lock = threading.Lock()
        self._work: SimpleQueue[tuple[_Mailbox, asyncio.Future[Any], Callable[[], Any]]] = SimpleQueue()

    def submit(self, mailbox: _Mailbox, future: asyncio.Future[Any], work: Callable[[], Any]) -> None:
        """Run a call when a thread is free."""
        with self._lock:
            is_new = self._idle <= self._work.qsize() and self._threads < self._size
            self._threads += is_new
        self._work.put((mailbox, future, work))
        if is_new:
            threading.Thread(target=self._serve, name="function", daemon=True).start()

    def grow(self) -> None:
        """Allow one more thread, in place of one that hangs."""
        with self._lock:
            self._size += 1

    def _serve(self) -> None:
        while True:
            with self._lock:
                self._idle += 1
            mailbox, future, work = self._work.get()
            with self._lock:
                self._idle -= 1
            try:
                result = work()
            except BaseException as error:  # noqa: BLE001  it is the caller's to judge
                if isinstance(error, StopIteration):
                    error = RuntimeError(f"the function raised StopIteration: {error}")
                mailbox.post(future, None, error)
            else:
                mailbox.post(future, result, None)
            del mailbox, future, work


class _UserCode:
    """The process's loop and threads for user code, started when first needed."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._threads: _Threads | None = None
        self._mailboxes: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, _Mailbox] = (
            weakref.WeakKeyDictionary()
        )

    def loop(self) -> asyncio.AbstractEventLoop:
        """Answer the loop, running in its own thread."""
        with self._lock:
            if self._loop is None:
                self._loop = asyncio.new_event_loop()
                threading.Thread(target=self._loop.run_forever, name="user-loop", daemon=True).start()
                atexit.register(self._stop)
            return self._loop

    def threads(self) -> _Threads:
        """Answer the threads; PYTHON_THREADPOOL_THREAD_COUNT says how many, as in Azure."""
        with self._lock:
            if self._threads is None:
                wanted = os.environ.get("PYTHON_THREADPOOL_THREAD_COUNT", "")
                # Python's own default for a thread pool, which the worker leaves alone.
                default = min(32, (os.cpu_count() or 1) + 4)
                self._threads = _Threads(int(wanted) if wanted.isdigit() and int(wanted) > 0 else default)
            return self._threads

    def mailbox(self, loop: asyncio.AbstractEventLoop) -> _Mailbox:
        """Answer the way back to a loop."""
        with self._lock:
            if loop not in self._mailboxes:
                self._mailboxes[loop] = _Mailbox(loop)
            return self._mailboxes[loop]

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


_USER_CODE = _UserCode()


async def run_async(work: Coroutine[Any, Any, _T]) -> _T:
    """Run a coroutine on the user loop and wait for it here."""
    return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(work, _USER_CODE.loop()))


async def run_sync(work: Callable[[], _T]) -> _T:
    """Run a blocking call in a thread and wait for it here."""
    loop = asyncio.get_running_loop()
    future: asyncio.Future[_T] = loop.create_future()
    context = contextvars.copy_context()
    _USER_CODE.threads().submit(_USER_CODE.mailbox(loop), future, lambda: context.run(work))
    return await future


def replace_thread() -> None:
    """Let another thread take the place of one that was found to hang."""
    _USER_CODE.threads().grow()

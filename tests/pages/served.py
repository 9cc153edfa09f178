"""A whole run behind a real socket: browsers come in by HTTP, time is virtual, Azure is simulated.

The host is used by one thread only, the server's; what the test asks of it is handed over and waited for.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Mapping
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any, Final, Self, TypeVar

from domain.approvals import GateName
from domain.settings import Settings
from identity import clock, links
from localhost import SyncHost
from tests.rehearsal import Rehearsal

KEYS: Final = "a-key-for-tests-that-is-long-enough-1,an-older-key-that-is-still-believed-2"
_T = TypeVar("_T")


def link_to(
    environment: Mapping[str, str], rehearsal: Rehearsal, gate: Mapping[str, Any], person: str, **changes: Any
) -> str:
    """Make the link to a gate that a person would be sent."""
    made: dict[str, Any] = {
        "person": person,
        "run": rehearsal.run,
        "key": gate["key"],
        "gate": GateName(gate["gate"]),
        "round": gate["round"],
        "hash": gate["planHash"],
        "expires": rehearsal.clock.now() + timedelta(days=1),
    }
    settings = Settings.from_environment(environment)
    return f"{settings.public_base}/api/approvals/{links.mint(settings, **{**made, **changes})}"


class Served:
    """One rehearsal, served on loopback until the block ends."""

    def __init__(self, rehearsal: Rehearsal, **settings: str) -> None:
        self.rehearsal = rehearsal
        self._settings = {"FAILBACK_IDENTITY": "declared", "FAILBACK_LINK_KEYS": KEYS, **settings}
        self._work: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._host: SyncHost | None = None
        self._ready = threading.Event()
        self._server = HTTPServer(("127.0.0.1", 0), _handler(self))
        self._server.timeout = 0.01
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._settings["FAILBACK_PUBLIC_URL"] = self.url
        self._thread = threading.Thread(target=self._serve, daemon=True)

    def __enter__(self) -> Self:
        clock.go_by(self.rehearsal.clock.now)
        self._thread.start()
        assert self._ready.wait(30)
        return self

    def __exit__(self, *_: object) -> None:
        self._work.put(None)
        self._thread.join(30)
        self._server.server_close()
        clock.go_by(None)

    def _serve(self) -> None:
        with self.rehearsal.host(settings=self._settings) as host:
            self._host = host
            self._ready.set()
            while True:
                self._server.handle_request()
                try:
                    work = self._work.get_nowait()
                except queue.Empty:
                    continue
                if work is None:
                    return
                work()

    def ask(self, question: Callable[[SyncHost], _T]) -> _T:
        """Let the host's own thread answer."""
        answers: queue.SimpleQueue[tuple[Any, BaseException | None]] = queue.SimpleQueue()

        def work() -> None:
            assert self._host is not None
            try:
                answers.put((question(self._host), None))
            except BaseException as error:  # noqa: BLE001 - it is raised where it was asked for
                answers.put((None, error))

        self._work.put(work)
        value, error = answers.get(timeout=60)
        if error is not None:
            raise error
        return value

    def request(
        self, method: str, path: str, body: bytes, headers: Mapping[str, str]
    ) -> tuple[int, Mapping[str, str], bytes]:
        """Hand a request on to the host, with the address it came to."""
        assert self._host is not None
        answer = self._host.request(method, path, body=body, headers=headers)
        return answer.status, dict(answer.headers), answer.body

    # -- a run ------------------------------------------------------------------------------------------------

    def start(self, *machines: str, **request: Any) -> None:
        """Start the rehearsal's run."""
        body = self.rehearsal.request(*machines, **request)
        self.ask(lambda host: host.start("failback", body, instance_id=self.rehearsal.run))

    def gate(self) -> dict[str, Any] | None:
        """Go on until a gate opens that has not been met, or the run has ended."""

        def onward(host: SyncHost) -> dict[str, Any] | None:
            gate = self.rehearsal._until_asked_or_finished(host, timedelta(days=60))
            if gate is not None:
                self.rehearsal.asked.append(gate)
            return gate

        return self.ask(onward)

    def asked(self) -> dict[str, Any]:
        """Go on until a gate opens."""
        gate = self.gate()
        assert gate is not None
        return gate

    def link(self, gate: Mapping[str, Any], person: str, **changes: Any) -> str:
        """Make the link that this person would be sent."""
        return link_to(self._settings, self.rehearsal, gate, person, **changes)

    def _ended(self, host: SyncHost) -> dict[str, Any]:
        status = host.status(self.rehearsal.run)
        assert status is not None
        assert status.runtime_status == "Completed", status.output
        return self.rehearsal._document(status.output)

    def report(self) -> dict[str, Any]:
        """Give the report of the run, which must have ended."""
        assert self.gate() is None
        return self.ask(self._ended)


def _handler(served: Served) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def _answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            status, headers, content = served.request(self.command, self.path, body, dict(self.headers))
            self.send_response(status)
            for name, value in headers.items():
                if name.casefold() not in {"content-length", "date", "server"}:
                    self.send_header(name, value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = do_HEAD = _answer  # noqa: N815 - the names that http.server looks for

        def log_message(self, format: str, *args: Any) -> None: ...  # noqa: A002 - http.server's own name

    return Handler

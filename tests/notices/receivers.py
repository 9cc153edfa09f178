"""A receiver of notices on loopback: answers as it is told to, and keeps what it got."""

from __future__ import annotations

import json
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Got:
    """One request as it arrived."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def document(self) -> dict[str, Any]:
        return json.loads(self.body)


@dataclass(frozen=True, kw_only=True)
class Reply:
    """One answer; without a status the connection is closed instead."""

    status: int | None = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)


class Receiver:
    """What got here, and what is answered: the replies in turn, then the last one for ever."""

    def __init__(self, *replies: Reply) -> None:
        self.got: list[Got] = []
        self.replies = list(replies) or [Reply()]
        self.port = 0
        self.scheme = "http"
        self._door = threading.Lock()

    @property
    def url(self) -> str:
        return f"{self.scheme}://localhost:{self.port}"

    def take(self, got: Got) -> Reply:
        with self._door:
            self.got.append(got)
            return self.replies.pop(0) if len(self.replies) > 1 else self.replies[0]


@contextmanager
def receiving(receiver: Receiver, tls: ssl.SSLContext | None = None) -> Iterator[Receiver]:
    """Serve a receiver on a free port of loopback."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            headers = {name.casefold(): value for name, value in self.headers.items()}
            reply = receiver.take(Got(method=self.command, path=self.path, headers=headers, body=body))
            if reply.status is None:
                self.close_connection = True
                return
            self.send_response(reply.status)
            for name, value in {"Content-Length": str(len(reply.body)), **reply.headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(reply.body)

        do_POST = do_GET = do_PUT = answer  # noqa: N815 - the names that the base class looks for

        def log_message(self, format: str, *args: Any) -> None: ...  # noqa: A002 - the base class's name

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    if tls is not None:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
        receiver.scheme = "https"
    receiver.port = server.server_port
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield receiver
    finally:
        server.shutdown()
        server.server_close()
        thread.join()

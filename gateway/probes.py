"""How a machine answers from the network: a TCP port, or a web page's status.

Only configuration says which port and path; the address is that of the machine's own network card. Each probe
ends by itself within `PROBE_TIMEOUT`, however slowly the other side drips.
"""

from __future__ import annotations

import ipaddress
import socket
import ssl
import time
from collections.abc import Callable
from typing import Final

from domain.settings.validation import Probe
from domain.validation import ProbeSeen

PROBE_TIMEOUT: Final = 5.0
# A status line is one short line; whoever sends more has no interest in being understood.
_LONGEST_STATUS: Final = 1_024


class Probes:
    """Asks machines at private addresses; those of this very machine only where Azure is one of it, too."""

    def __init__(
        self,
        *,
        loopback: bool = False,
        timeout: float = PROBE_TIMEOUT,
        trust: Callable[[], ssl.SSLContext] = ssl.create_default_context,
    ) -> None:
        self._loopback = loopback
        self._timeout = timeout
        self._trust = trust

    def ask(self, probe: Probe, address: str) -> ProbeSeen:
        """Ask once, and say what came of it."""
        if not self._may_be_asked(address):
            return ProbeSeen(name=probe.name, answered=False, words=f"{address} is no address of a machine")
        place = f"{address}:{probe.port}"
        try:
            with socket.create_connection((address, probe.port), self._timeout) as connection:
                if probe.path is None:
                    return ProbeSeen(name=probe.name, answered=True, words=f"{place} accepts connections")
                return self._page(probe, place, connection)
        except (OSError, ValueError) as error:
            words = f"{place}{probe.path or ''}: {error or type(error).__name__}"
            return ProbeSeen(name=probe.name, answered=False, words=words)

    def _may_be_asked(self, address: str) -> bool:
        try:
            ip = ipaddress.ip_address(address)
        except ValueError:
            return False
        if ip.is_loopback:
            return self._loopback
        return not (ip.is_link_local or ip.is_multicast or ip.is_unspecified)

    def _page(self, probe: Probe, place: str, connection: socket.socket) -> ProbeSeen:
        """Ask for a page and judge its status; no redirect is followed."""
        deadline = time.monotonic() + self._timeout
        host = probe.host or place
        asked = f"GET {probe.path} HTTP/1.1\r\nHost: {host}\r\nUser-Agent: failback\r\nConnection: close\r\n\r\n"
        with self._encrypted(probe, connection) if probe.tls else connection as spoken:
            spoken.sendall(asked.encode("ascii"))
            status = _status(_first_line(spoken, deadline))
        return ProbeSeen(
            name=probe.name,
            answered=status in probe.status,
            words=f"{place}{probe.path} answered {status}, expected {' or '.join(map(str, probe.status))}",
        )

    def _encrypted(self, probe: Probe, connection: socket.socket) -> ssl.SSLSocket:
        """Speak TLS; the certificate is checked for the configured host, for an address has none."""
        context = self._trust()
        if probe.host is None:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        return context.wrap_socket(connection, server_hostname=probe.host)


def _first_line(connection: socket.socket, deadline: float) -> bytes:
    read = b""
    while b"\n" not in read and len(read) < _LONGEST_STATUS:
        left = deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError("no status in time")
        connection.settimeout(left)
        try:
            part = connection.recv(_LONGEST_STATUS)
        except TimeoutError:
            raise TimeoutError("no status in time") from None
        if not part:
            break
        read += part
    return read.split(b"\n", 1)[0]


def _status(line: bytes) -> int:
    """Read the number of an HTTP status line.

    Raises:
        ValueError: when it is none.
    """
    parts = line.split()
    if len(parts) < 2 or not parts[0].startswith(b"HTTP/") or not parts[1].isdigit():  # noqa: PLR2004 - version, number
        raise ValueError(f"it does not speak HTTP: {line[:80]!r}")
    return int(parts[1])

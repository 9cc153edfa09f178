"""A machine is asked at its own address, for a bounded time, and only what configuration says."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
import trustme

from domain.settings.validation import Probe
from domain.validation import ProbeSeen
from gateway.probes import Probes

HERE = "127.0.0.1"


@contextmanager
def listening(answer: Callable[[socket.socket], None] | None = None) -> Iterator[int]:
    """Serve one connection on loopback."""
    with socket.create_server((HERE, 0)) as server:

        def serve() -> None:
            try:
                connection, _ = server.accept()
                with connection:
                    if answer is not None:
                        answer(connection)
            except OSError:
                return

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield server.getsockname()[1]
    thread.join(5)


def saying(text: bytes) -> Callable[[socket.socket], None]:
    def answer(connection: socket.socket) -> None:
        connection.recv(4_096)
        connection.sendall(text)

    return answer


def test_a_port_that_accepts_connections_answers() -> None:
    with listening() as port:
        seen = Probes(loopback=True).ask(Probe(port=port), HERE)
    assert seen.answered
    assert seen.words == f"{HERE}:{port} accepts connections"


def test_a_closed_port_does_not() -> None:
    with socket.create_server((HERE, 0)) as server:
        port = server.getsockname()[1]
    seen = Probes(loopback=True).ask(Probe(port=port), HERE)
    assert not seen.answered
    assert "refused" in seen.words


@pytest.mark.parametrize(
    ("said", "answered", "words"),
    [
        (b"HTTP/1.1 200 OK\r\n\r\n", True, "answered 200, expected 200 or 204"),
        (b"HTTP/1.1 204\n", True, "answered 204"),
        (b"HTTP/1.1 503 Busy\r\n", False, "answered 503"),
        (b"HTTP/1.1 302 Found\r\nLocation: http://169.254.169.254/\r\n", False, "answered 302"),
        (b"SSH-2.0-OpenSSH\r\n", False, "does not speak HTTP"),
        (b"HTTP/1.1 soon\r\n", False, "does not speak HTTP"),
        (b"", False, "does not speak HTTP"),
        (b"x" * 5_000, False, "does not speak HTTP"),
    ],
)
def test_a_page_is_judged_by_its_status_alone(said: bytes, answered: bool, words: str) -> None:
    with listening(saying(said)) as port:
        seen = Probes(loopback=True).ask(Probe(port=port, path="/health", status=(200, 204)), HERE)
    assert seen.answered is answered
    assert words in seen.words


def test_whoever_drips_is_not_waited_for() -> None:
    done = threading.Event()

    def drip(connection: socket.socket) -> None:
        while not done.wait(0.05):
            connection.sendall(b"H")

    with listening(drip) as port:
        seen = Probes(loopback=True, timeout=0.2).ask(Probe(port=port, path="/"), HERE)
        done.set()
    assert (seen.answered, seen.words) == (False, f"{HERE}:{port}/: no status in time")


def test_a_page_over_tls_is_asked_for_under_its_host_name() -> None:
    authority = trustme.CA()
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("app.contoso.com").configure_cert(server)

    def trusting() -> ssl.SSLContext:
        context = ssl.create_default_context()
        authority.configure_trust(context)
        return context

    def answer(connection: socket.socket) -> None:
        with server.wrap_socket(connection, server_side=True) as spoken:
            spoken.recv(4_096)
            spoken.sendall(b"HTTP/1.1 200 OK\r\n\r\n")

    found: dict[str | None, ProbeSeen] = {}
    for host in ("app.contoso.com", "other.contoso.com", None):
        with listening(answer) as port:
            probe = Probe(port=port, path="/", tls=True, host=host)
            found[host] = Probes(loopback=True, trust=trusting).ask(probe, HERE)
    # An address has no certificate, so without a host name only the answer counts.
    assert [seen.answered for seen in found.values()] == [True, False, True]
    assert "certificate" in found["other.contoso.com"].words.casefold()


@pytest.mark.parametrize(
    "address", [HERE, "::1", "169.254.169.254", "0.0.0.0", "224.0.0.1", "app.contoso.com", ""]
)
def test_only_an_address_that_a_machine_can_have_is_asked(address: str) -> None:
    seen = Probes().ask(Probe(port=9), address)
    assert (seen.answered, seen.words) == (False, f"{address} is no address of a machine")

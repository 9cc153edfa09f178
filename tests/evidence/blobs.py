"""A blob container on loopback, over TLS: so much of the service as evidence needs, with its own rules kept."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit
from xml.sax.saxutils import escape

import trustme

from tests.notices.receivers import Got, Receiver, Reply, receiving

CONTAINER = "/evidence"


class Blobs(Receiver):
    """Blobs by name; a blob that exists is never written over, whoever asks."""

    def __init__(self) -> None:
        super().__init__()
        self.blobs: dict[str, bytes] = {}
        self.failures: list[Reply] = []
        # Whoever may add only is told of a blob that is there as of a missing right.
        self.adding_only = False

    def take(self, got: Got) -> Reply:
        self.got.append(got)
        if self.failures:
            return self.failures.pop(0)
        if not got.headers.get("authorization", "").startswith("Bearer "):
            return _error(401, "NoAuthenticationInformation")
        parts = urlsplit(got.path)
        name = unquote(parts.path.removeprefix(CONTAINER).removeprefix("/"))
        if got.method == "PUT":
            return self._put(got, name)
        return self._get(name) if name else self._list(parse_qs(parts.query).get("prefix", [""])[0])

    def _put(self, got: Got, name: str) -> Reply:
        if name in self.blobs and self.adding_only:
            return _error(403, "UnauthorizedBlobOverwrite")
        if name in self.blobs:
            # With the condition the service names it; without, the policy does.
            conditional = got.headers.get("if-none-match") == "*"
            return _error(409, "BlobAlreadyExists" if conditional else "BlobImmutableDueToPolicy")
        self.blobs[name] = got.body
        return Reply(status=201, headers={"ETag": '"1"', "Last-Modified": "Fri, 20 Nov 2026 12:00:00 GMT"})

    def _get(self, name: str) -> Reply:
        if name not in self.blobs:
            return _error(404, "BlobNotFound")
        content = self.blobs[name]
        extent = {"Content-Range": f"bytes 0-{len(content) - 1}/{len(content)}", "ETag": '"1"'}
        return Reply(status=206, body=content, headers={**extent, "x-ms-blob-type": "BlockBlob"})

    def _list(self, prefix: str) -> Reply:
        names = [name for name in sorted(self.blobs, reverse=True) if name.startswith(prefix)]
        listed = "".join(f"<Blob><Name>{escape(name)}</Name><Properties/></Blob>" for name in names)
        text = f'<?xml version="1.0" encoding="utf-8"?><EnumerationResults><Blobs>{listed}</Blobs><NextMarker/>'
        return Reply(body=f"{text}</EnumerationResults>".encode(), headers={"Content-Type": "application/xml"})


def _error(status: int, code: str) -> Reply:
    body = f'<?xml version="1.0" encoding="utf-8"?><Error><Code>{code}</Code><Message>{code}</Message></Error>'
    headers = {"Content-Type": "application/xml", "x-ms-error-code": code}
    return Reply(status=status, body=body.encode(), headers=headers)


@contextmanager
def container(authority: Path) -> Iterator[Blobs]:
    """Open a container; its certificate's authority is written to a file for the client to trust."""
    ca = trustme.CA()
    ca.cert_pem.write_to_path(authority)
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    ca.issue_cert("localhost").configure_cert(tls)
    blobs = Blobs()
    with receiving(blobs, tls):
        yield blobs

"""A certificate authority for https on loopback, which clients are told to trust for as long as it serves."""

from __future__ import annotations

import ssl
from pathlib import Path

CA_FILE = "ca.pem"


def local_tls(folder: Path) -> ssl.SSLContext:
    """Make an authority and a server certificate for loopback; `folder/ca.pem` is what a client trusts.

    The authority's key is never written. Raises RuntimeError where the package `trustme` is not installed.
    """
    try:
        import trustme  # noqa: PLC0415 - only https needs it
    except ImportError as missing:
        raise RuntimeError("https needs the package trustme") from missing
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate = authority.issue_cert("127.0.0.1", "localhost")
    certificate.configure_cert(context)  # pyright: ignore[reportUnknownMemberType]
    folder.mkdir(parents=True, exist_ok=True)
    authority.cert_pem.write_to_path(str(folder / CA_FILE))
    return context

"""Where evidence is kept: each record a thing of its own that is written once and never again.

In Azure that is a blob under a policy that lets nobody change it, the app's own identity included; for local use,
a file. What is there already is read and compared: the same record again is what a repeated step does, another
one in its place is refused.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from http import HTTPStatus
from pathlib import Path
from typing import Any, Final, Protocol
from urllib.parse import quote
from uuid import uuid4

from azure.core.credentials import TokenCredential
from azure.core.exceptions import HttpResponseError
from azure.storage.blob import ContainerClient, ContentSettings, StorageErrorCode

from domain.errors import Refusal
from domain.evidence import Record, from_lines, to_lines
from domain.settings import Settings
from gateway.faults import Refused, reading

# The durable step repeats what fails.
_PATIENCE: Final[dict[str, Any]] = {"retry_total": 0, "connection_timeout": 5, "read_timeout": 20}
# What the service says (403) to whoever may add blobs only, where a conflict would be said to others.
_OVER_ANOTHER: Final = StorageErrorCode.UNAUTHORIZED_BLOB_OVERWRITE
_JSON: Final = ContentSettings(content_type="application/json")


class Store(Protocol):
    """Keeps things by name, each written once."""

    def write(self, name: str, content: bytes) -> bool:
        """Write something new; False, and nothing is changed, if there is something of that name."""
        ...

    def read(self, name: str) -> bytes:
        """Read what was written."""
        ...

    def names(self, prefix: str) -> list[str]:
        """List what there is, in order."""
        ...


class Evidence:
    """The records of all runs."""

    def __init__(self, store: Store | None, parallel: int = 8) -> None:
        self._store = store
        self._parallel = parallel

    @classmethod
    def over(cls, settings: Settings, credential: TokenCredential) -> Evidence:
        """Keep evidence where the settings say, in Azure as this identity."""
        place = settings.evidence
        if place is None:
            return cls(None)
        if place.startswith(("https://", "http://")):
            return cls(BlobStore(place, credential), settings.parallel_calls)
        return cls(FolderStore(Path(place)))

    def put(self, record: Record) -> None:
        """Keep a record; the same one again changes nothing.

        Raises:
            Refused: no place is configured, or another record has that number already.
            Transient, Throttled: the store does not answer now.
        """
        name, content = _name(record.run, record.seq), to_lines([record.to_wire()]).encode()
        store = self._kept()
        if store.write(name, content) or store.read(name) == content:
            return
        raise Refused(
            Refusal(
                code="EvidenceConflict",
                what=f"another record {record.seq} of run {record.run} is kept already, and stays as it is",
                remedy="compare the kept record with the run's report: one of them is not what happened",
            )
        )

    def records(self, run: str) -> list[Any]:
        """Read all records of a run, in order, as they were written; none for a run that has none.

        Raises:
            Refused: no place is configured, or it may not be read.
            Transient, Throttled: the store does not answer now.
        """
        store = self._kept()
        with ThreadPoolExecutor(max_workers=self._parallel) as pool:
            contents = list(pool.map(store.read, store.names(_folder(run))))
        return [record for content in contents for record in from_lines(content.decode(errors="replace"))]

    def _kept(self) -> Store:
        if self._store is None:
            raise Refused(
                Refusal(
                    code="NoEvidenceStore",
                    what="no place is configured where evidence is kept",
                    remedy="set FAILBACK_EVIDENCE to a blob container",
                )
            )
        return self._store


def _folder(run: str) -> str:
    # A run's id comes from outside: it must neither leave its place nor be taken for another's.
    return f"{quote(run, safe='').replace('.', '%2E')}/"


def _name(run: str, seq: int) -> str:
    return f"{_folder(run)}{seq:06}.json"


class FolderStore:
    """Keeps things as files under a folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def write(self, name: str, content: bytes) -> bool:
        """Write a new file, whole or not at all."""
        path = self._folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        fresh = path.with_name(f".{uuid4().hex}.part")
        fresh.write_bytes(content)
        try:
            path.hardlink_to(fresh)
        except FileExistsError:
            return False
        finally:
            fresh.unlink(missing_ok=True)
        return True

    def read(self, name: str) -> bytes:
        """Read a file."""
        return (self._folder / name).read_bytes()

    def names(self, prefix: str) -> list[str]:
        """List the files of a folder in order."""
        return [f"{prefix}{path.name}" for path in sorted((self._folder / prefix).glob("*.json"))]


class BlobStore:
    """Keeps things as blobs of one container, written only where there is none."""

    def __init__(self, container: str, credential: TokenCredential) -> None:
        self._container = ContainerClient.from_container_url(container, credential, **_PATIENCE)

    def write(self, name: str, content: bytes) -> bool:
        """Write a new blob; the service itself refuses to write over one (If-None-Match: *)."""
        with reading():
            try:
                self._container.upload_blob(name, content, overwrite=False, content_settings=_JSON)
            except HttpResponseError as error:
                # BlobAlreadyExists; under a policy, BlobImmutableDueToPolicy.
                if error.status_code == HTTPStatus.CONFLICT or getattr(error, "error_code", "") == _OVER_ANOTHER:
                    return False
                raise
        return True

    def read(self, name: str) -> bytes:
        """Read a blob."""
        with reading():
            return self._container.download_blob(name).readall()

    def names(self, prefix: str) -> list[str]:
        """List the blobs under a prefix in order."""
        with reading():
            return sorted(self._container.list_blob_names(name_starts_with=prefix))

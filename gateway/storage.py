"""What Storage says of the accounts that can serve as a replication cache."""

from __future__ import annotations

from typing import Any, Final

from domain.contract import StorageAccount
from domain.machine import region
from gateway.faults import Refused
from gateway.pipeline import ArmReader

_API: Final = "2023-05-01"


class StorageAccounts:
    """Reads of Microsoft.Storage."""

    def __init__(self, reader: ArmReader) -> None:
        self._reader = reader

    def account(self, account_id: str) -> StorageAccount | None:
        """Read a storage account, or nothing when there is none by this id."""
        try:
            return _account(self._reader.get(account_id, _API))
        except Refused as refused:
            if refused.is_not_found:
                return None
            raise

    def accounts(self, resource_group: str) -> tuple[StorageAccount, ...]:
        """List the storage accounts of a resource group, given by its ARM id."""
        path = f"{resource_group}/providers/Microsoft.Storage/storageAccounts"
        return tuple(_account(each) for each in self._reader.each(path, _API))


def _account(document: dict[str, Any]) -> StorageAccount:
    return StorageAccount(id=str(document.get("id")), location=region(str(document.get("location") or "")))

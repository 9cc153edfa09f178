"""Azure as one object: every gateway, over one credential, one clock and one set of connections."""

from __future__ import annotations

import os
import threading
from datetime import datetime
from typing import Any

from azure.core.credentials import TokenCredential
from azure.core.pipeline.transport import HttpTransport

from domain.settings import Settings, is_plain_http
from gateway.compute import Compute
from gateway.credentials import make_credential
from gateway.evidence import Evidence
from gateway.ids import VaultId
from gateway.inventory import Deletions, Inventories
from gateway.logs import LogAnalytics
from gateway.network import Networks
from gateway.notices.messenger import Messenger
from gateway.pipeline import ArmReader, Line
from gateway.probes import Probes
from gateway.site_recovery import SiteRecovery
from gateway.storage import StorageAccounts


class Azure:
    """What the activities act through; safe to share between threads."""

    def __init__(self, line: Line) -> None:
        self.settings = line.settings
        self._line = line
        self._vaults: dict[str, SiteRecovery] = {}
        self._door = threading.Lock()
        reader = ArmReader(line)
        self.compute = Compute(reader)
        self.networks = Networks(reader)
        self.storage = StorageAccounts(reader)
        self.inventories = Inventories(reader)
        self.deletions = Deletions(line)
        self.messenger = Messenger(line.settings, line.credential)
        self.logs = LogAnalytics(line)
        self.probes = Probes(loopback=is_plain_http(line.settings.arm))
        self.evidence = Evidence.over(line.settings, line.credential)

    @classmethod
    def over(
        cls, settings: Settings, credential: TokenCredential, transport: HttpTransport[Any, Any] | None = None
    ) -> Azure:
        """Speak to Azure with this credential, over this transport if one is given."""
        return cls(Line.over(settings, credential, transport))

    @classmethod
    def from_environment(cls) -> Azure:
        """Speak to the Azure that the environment names, as the identity that it gives us.

        Raises:
            SettingsError: when a setting cannot be used.
        """
        settings = Settings.from_environment(os.environ)
        return cls.over(settings, make_credential(settings))

    def vault(self, arm_id: str) -> SiteRecovery:
        """Give the Site Recovery of a vault."""
        vault = VaultId.parse(arm_id)
        key = str(vault).casefold()
        with self._door:
            if key not in self._vaults:
                self._vaults[key] = SiteRecovery(vault, self._line)
            return self._vaults[key]

    def now(self) -> datetime:
        """Give the time by Azure's clock."""
        return self._line.clock.now()

    def close(self) -> None:
        """Close the connections."""
        self.messenger.close()
        self._line.transport.close()

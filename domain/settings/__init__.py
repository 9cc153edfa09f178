"""What an operator may set: one frozen class, read from the environment, every fault listed at once.

Each part of the app has its section, a class in a file of its own; `Settings` is all of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Self

from pydantic import ConfigDict, ValidationError

from domain.settings.alerts import AlertSettings
from domain.settings.azure import ENDPOINTS, AzureSettings, Cloud, Endpoints, is_plain_http
from domain.settings.drills import DrillSettings
from domain.settings.evidence import EvidenceSettings
from domain.settings.notices import NoticeSettings
from domain.settings.people import Identity, PeopleSettings
from domain.settings.retention import RetentionSettings
from domain.settings.validation import ValidationSettings

__all__ = ["ENDPOINTS", "Cloud", "Endpoints", "Identity", "Settings", "SettingsError", "is_plain_http"]


class SettingsError(ValueError):
    """The environment holds settings that cannot be used; the message lists all of them."""


class Settings(
    AzureSettings,
    PeopleSettings,
    NoticeSettings,
    AlertSettings,
    ValidationSettings,
    EvidenceSettings,
    DrillSettings,
    RetentionSettings,
):
    """Everything an operator may set."""

    model_config = ConfigDict(frozen=True, extra="ignore", populate_by_name=True, hide_input_in_errors=True)

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Self:
        """Read the settings; a variable that is empty counts as unset.

        Raises:
            SettingsError: naming every variable that cannot be used, and why.
        """
        try:
            return cls.model_validate({name: value for name, value in environment.items() if value.strip()})
        except ValidationError as faults:
            lines = [f"{_name(fault['loc'])}: {fault['msg']}" for fault in faults.errors()]
            raise SettingsError("these settings cannot be used:\n  " + "\n  ".join(lines)) from None


def _name(location: tuple[int | str, ...]) -> str:
    return str(location[0]) if location else "settings"

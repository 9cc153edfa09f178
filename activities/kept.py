"""Read the evidence of a run; no activity, but what a door is handed that gives it away."""

from __future__ import annotations

from typing import Any

from activities.azure import azure
from domain.errors import Throttled, Transient
from domain.evidence import Reading
from gateway.faults import Refused


def kept_evidence(run: str) -> Reading:
    """Read what is kept of a run, as it was written; a store that does not answer is part of the reading.

    Raises:
        SettingsError: where evidence is kept cannot be read from the settings.
    """
    try:
        records: list[Any] = azure().evidence.records(run)
    except Refused as refused:
        return Reading(refusal=refused.refusal)
    except (Transient, Throttled) as error:
        return Reading(unread=str(error))
    return Reading(records=tuple(records))

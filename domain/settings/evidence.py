"""Where the evidence of runs is kept, apart from the host's own history."""

from __future__ import annotations

from pathlib import PurePath
from typing import Annotated

from pydantic import BaseModel, Field, field_validator

from domain.settings.azure import safe_endpoint


class EvidenceSettings(BaseModel):
    """Where the evidence of runs is kept."""

    evidence: Annotated[
        str | None,
        Field(
            validation_alias="FAILBACK_EVIDENCE",
            description="Blob container that keeps the evidence of runs, as in "
            "https://contosoevidence.blob.core.windows.net/evidence; a folder, by its full path, for local use. "
            "Without it no evidence is kept but the report.",
        ),
    ] = None

    @field_validator("evidence")
    @classmethod
    def _is_a_place(cls, value: str | None) -> str | None:
        if value is None or PurePath(value).is_absolute():
            return value
        return safe_endpoint(value)

"""How values cross the durable wire: plain JSON in camelCase, never pickled objects.

History outlives deployments, so it must hold no module path of ours; a dict with known keys can be read by
every later version.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from typing import Any, Self

from pydantic import BaseModel, ConfigDict
from pydantic.alias_generators import to_camel


class Wire(BaseModel):
    """A frozen value that crosses the wire as camelCase JSON and refuses what it does not know."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, frozen=True, extra="forbid")

    def to_wire(self) -> dict[str, Any]:
        """Give the value as a JSON object; what is unset is left out."""
        return self.model_dump(mode="json", by_alias=True, exclude_none=True)

    @classmethod
    def from_wire(cls, document: Any) -> Self:
        """Read the value back from a JSON object."""
        return cls.model_validate(document)

    def having(self, **changes: Any) -> Self:
        """Give a copy with some fields changed; the changes are trusted, not validated."""
        return self.model_copy(update=changes)


class Answer(Wire):
    """A value read from history or from Azure: keys of a newer version are ignored, not refused."""

    model_config = ConfigDict(extra="ignore")


def refuse(faults: Iterable[str]) -> None:
    """Refuse a value for all that is wrong with it, for a validator's first fault would hide the others.

    Raises:
        ValueError: there is something wrong; a line for each fault.
    """
    if lines := "\n".join(faults):
        raise ValueError(lines)


def digest(document: Any) -> str:
    """Give the SHA-256 of a JSON document in canonical form, in hex.

    Canonical means sorted keys and no white space, so that equal documents have equal digests in every
    process and every version.
    """
    text = json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()

"""Settings that are documents: JSON in the variable itself, or in a file that it names."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any


def document(value: Any) -> Any:
    """Read a JSON document from a setting; what is no text is taken as it is.

    Raises:
        ValueError: when the file cannot be read, or does not hold JSON.
    """
    if not isinstance(value, str):
        return value
    text = value.strip()
    try:
        return json.loads(text if text.startswith(("{", "[")) else Path(text).read_text(encoding="utf-8"))
    except OSError as error:
        raise ValueError(
            f"expected JSON, or the path of a file that holds it: {error.strerror or error}"
        ) from None
    except ValueError as error:
        raise ValueError(f"this is not JSON: {error}") from None

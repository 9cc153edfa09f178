"""Which instances a worker of this version may run (host.json defaultVersion and versionMatchStrategy).

Microsoft's page "Orchestration versioning": None runs all, Strict only its own, CurrentOrOlder its own and older.
"""

import re


def mismatch(instance: str, worker: str, strategy: str) -> str | None:
    """Say why an instance does not fit this worker; None when it does."""
    if strategy == "None" or instance == worker:
        return None
    if strategy == "CurrentOrOlder" and _rank(instance) <= _rank(worker):
        return None
    return (
        f"The orchestration version '{instance}' does not match the worker version '{worker}' "
        f"(versionMatchStrategy {strategy})."
    )


def _rank(version: str) -> list[tuple[int, int, str]]:
    """Answer something to compare versions by: numbers as numbers, an empty version first."""
    return [
        (1, int(part), "") if part.isdigit() else (0, 0, part.lower())
        for part in re.split(r"[.\-+_]", version)
        if part
    ]

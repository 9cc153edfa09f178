"""The alert routes as they are configured: a file beside the app, or the setting itself."""

from __future__ import annotations

import logging
import os
from functools import lru_cache
from pathlib import Path
from typing import Final

from domain.alert_routes import Routes, RoutesError, read
from domain.settings import Settings, SettingsError

_LOG = logging.getLogger("failback.alerts")
# The folder of the app, which a path is relative to.
APP: Final = Path(__file__).resolve().parents[1]
_LARGEST: Final = 1_048_576


def configured_routes(setting: str | None) -> Routes:
    """Give the routes that a setting names; none without one.

    Raises:
        RoutesError: with every fault of them.
    """
    if setting is None:
        return Routes()
    if setting.lstrip().startswith("{"):
        return _read(setting, "FAILBACK_ALERT_ROUTES")
    path = APP / setting
    try:
        changed = path.stat()
        if changed.st_size > _LARGEST:
            raise RoutesError(setting, [f"larger than {_LARGEST:,} bytes"])
        return _read_file(path, changed.st_mtime_ns)
    except (OSError, UnicodeDecodeError) as error:
        raise RoutesError(setting, [f"cannot be read: {error}"]) from None


def check() -> None:
    """Name every fault of the routes in the log when the app starts.

    The app starts all the same, for runs may be under way; the alert door answers 503 until they are mended.
    """
    try:
        routes = configured_routes(Settings.from_environment(os.environ).alert_routes).routes
    except (RoutesError, SettingsError) as error:
        _LOG.error("%s", error)
        return
    _LOG.info("%s alert routes: %s", len(routes), ", ".join(route.name for route in routes) or "alerts do nothing")


@lru_cache(maxsize=4)
def _read(text: str, source: str) -> Routes:
    return read(text, source)


@lru_cache(maxsize=4)
def _read_file(path: Path, _: int) -> Routes:
    return read(path.read_text(encoding="utf-8"), path.name)

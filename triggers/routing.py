"""The alert routes as they are configured: a file beside the app, or the setting itself.

`python -m triggers.routing ROUTES [ALERT...]` says what is wrong with a routes file, or what alerts would do.
"""

from __future__ import annotations

import json
import logging
import os
import sys
from collections.abc import Iterator, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Final

from domain.alert_routes import Routes, RoutesError, part_of, read
from domain.alerts import NotAnAlertError, parse
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


# -- trying routes --------------------------------------------------------------------------------------------


def tried(routes: Routes, alert: Path) -> Iterator[str]:
    """Say what an alert in a file would be to each route.

    Raises:
        NotAnAlertError: it is none.
        OSError, ValueError: there is no such file, or it is not JSON.
    """
    told = parse(json.loads(alert.read_text(encoding="utf-8-sig")))
    yield f"{alert}: {told.words}"
    for route in routes.routes:
        part = part_of(route, told)
        yield f"  {route.name}: {part.value if part else 'nothing'}"


def main(arguments: Sequence[str]) -> int:
    """Read a routes file and try alerts on it; 2 where something is wrong with them."""
    if not arguments:
        sys.stderr.write(f"{__doc__}\n")
        return 2
    try:
        # A path is the user's here, and not the app's.
        routes = configured_routes(str(Path(arguments[0]).resolve()))
        lines = [line for each in arguments[1:] for line in tried(routes, Path(each))]
    except NotAnAlertError as error:
        faults = (f"{fault.about}: {fault.what}; {fault.remedy}" for fault in error.faults)
        sys.stderr.write("\n".join(faults) + "\n")
        return 2
    except (RoutesError, OSError, ValueError) as error:
        sys.stderr.write(f"{error}\n")
        return 2
    names = ", ".join(route.name for route in routes.routes)
    sys.stdout.write("\n".join([f"{len(routes.routes)} routes: {names}", *lines]) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

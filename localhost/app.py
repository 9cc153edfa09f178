"""Loading an app: a directory, an app object, or its functions; its host.json and its settings."""

import importlib
import json
import logging
import os
import sys
import traceback
import weakref
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from types import ModuleType
from typing import Any, cast

import azure.functions as func

from localhost.functions import AppError, Function, Kind, RawFunction, has_retry_policy, index, is_disabled

_LOG = logging.getLogger("localhost")

AppSource = str | Path | func.FunctionRegister | Sequence[Any]

# get_functions() may be called once per app object: a second call finds its names taken.
_INDEXED: "weakref.WeakKeyDictionary[func.FunctionRegister, Sequence[RawFunction]]" = weakref.WeakKeyDictionary()
_DIRECTORIES: dict[Path, Sequence[RawFunction]] = {}


@dataclass(frozen=True, slots=True)
class HostSettings:
    """What this host reads of host.json, with the defaults of the Functions host and the durable extension."""

    route_prefix: str = "api"
    function_timeout: timedelta | None = timedelta(minutes=30)
    hub: str = "TestHubName"
    default_version: str = ""
    version_match: str = "CurrentOrOlder"
    version_failure: str = "Reject"
    overridable: str = "NonRunningStates"
    max_activities: int = 10 * (os.cpu_count() or 1)
    max_orchestrators: int = 10 * (os.cpu_count() or 1)


@dataclass(frozen=True, slots=True)
class App:
    """A loaded app: its functions by trigger, under the names they are called by (lower case for durable ones)."""

    settings: HostSettings
    functions: tuple[Function, ...]
    orchestrators: Mapping[str, Function] = field(default_factory=dict[str, Function])
    activities: Mapping[str, Function] = field(default_factory=dict[str, Function])
    entities: Mapping[str, Function] = field(default_factory=dict[str, Function])
    directory: Path | None = None

    @property
    def http(self) -> list[Function]:
        """The functions with an HTTP trigger."""
        return [function for function in self.functions if function.kind is Kind.HTTP]

    @property
    def timers(self) -> list[Function]:
        """The functions with a timer trigger."""
        return [function for function in self.functions if function.kind is Kind.TIMER]


def load(source: AppSource, host_json: Mapping[str, Any] | None = None) -> App:
    """Load an app, refusing what Azure would refuse.

    Raises:
        AppError: with every function that cannot be loaded, and why.
    """
    directory = Path(source).resolve() if isinstance(source, str | Path) else None
    if host_json is None:
        host_json = _read_json(directory / "host.json") if directory is not None else {}
    if "retry" in host_json:
        _LOG.warning("host.json: the retry policy has no effect here.")
    functions = _index_all(_raw_functions(source, directory))
    return App(
        settings=read_settings(host_json),
        functions=functions,
        orchestrators=_by_name(functions, Kind.ORCHESTRATION),
        activities=_by_name(functions, Kind.ACTIVITY),
        entities=_by_name(functions, Kind.ENTITY),
        directory=directory,
    )


def _index_all(raw: Sequence[RawFunction]) -> tuple[Function, ...]:
    functions: list[Function] = []
    faults: list[str] = []
    for one in raw:
        if is_disabled(one.get_function_name()):
            continue
        if has_retry_policy(one):
            _LOG.warning(
                "The retry policy of function %s has no effect here; Azure keeps those of a few triggers, timers"
                " among them. Its failures are logged, and a timer runs again when it is next due.",
                one.get_function_name(),
            )
        try:
            functions.append(index(one))
        except AppError as fault:
            faults.append(str(fault))
    if faults:
        raise AppError("\n".join(faults))
    return tuple(functions)


def _by_name(functions: Sequence[Function], kind: Kind) -> dict[str, Function]:
    return {function.durable_name.lower(): function for function in functions if function.kind is kind}


def _raw_functions(source: AppSource, directory: Path | None) -> Sequence[RawFunction]:
    if directory is not None:
        if directory not in _DIRECTORIES:
            _DIRECTORIES[directory] = _functions_of(_app_in(_import(directory)))
        return _DIRECTORIES[directory]
    if isinstance(source, func.FunctionRegister):
        return _functions_of(source)
    return cast("Sequence[RawFunction]", source)


def _functions_of(app: func.FunctionRegister) -> Sequence[RawFunction]:
    if app not in _INDEXED:
        try:
            _INDEXED[app] = cast("Sequence[RawFunction]", app.get_functions())
        except ValueError as error:
            raise AppError(str(error)) from error
    return _INDEXED[app]


def _import(directory: Path) -> ModuleType:
    """Import function_app.py with its directory first on the path, as the worker does."""
    script = directory / "function_app.py"
    if not script.is_file():
        raise AppError(f"There is no function_app.py in {directory}.")
    sys.path.insert(0, str(directory))
    sys.modules.pop("function_app", None)
    importlib.invalidate_caches()
    try:
        return importlib.import_module("function_app")
    except (Exception, SystemExit) as error:
        place = _place(error, directory)
        raise AppError(f"function_app.py cannot be imported: {type(error).__name__}: {error}{place}") from error


def _place(error: BaseException, directory: Path) -> str:
    """Answer where in the app an error comes from; what SyntaxError says itself is not said again."""
    frames = traceback.extract_tb(error.__traceback__)
    inside = [frame for frame in frames if Path(frame.filename).is_relative_to(directory)]
    if not inside or isinstance(error, SyntaxError):
        return ""
    return f" ({Path(inside[-1].filename).relative_to(directory)}, line {inside[-1].lineno})"


def _app_in(module: ModuleType) -> func.FunctionRegister:
    found = {id(value): value for value in vars(module).values() if isinstance(value, func.FunctionRegister)}
    if not found:
        raise AppError("Could not find top level function app instances in function_app.py.")
    if len(found) > 1:
        raise AppError("More than one FunctionApp or other top level function app instances are defined.")
    return next(iter(found.values()))


def _read_json(path: Path) -> Mapping[str, Any]:
    if not path.is_file():
        return {}
    try:
        found = json.loads(path.read_text(encoding="utf-8-sig"))
    except ValueError as error:
        raise AppError(f"{path.name} is not valid JSON: {error}") from error
    if not isinstance(found, dict):
        raise AppError(f"{path.name} is not a JSON object.")
    return cast("Mapping[str, Any]", found)


def read_settings(host_json: Mapping[str, Any]) -> HostSettings:
    """Read host.json (version 2 of its schema).

    Raises:
        AppError: a value is of no use.
    """
    extensions = _object(host_json, "host.json", "extensions")
    durable = _object(extensions, "host.json", "durableTask")
    http = _object(extensions, "host.json", "http")
    plain = HostSettings()
    return HostSettings(
        route_prefix=_text(http, "routePrefix", plain.route_prefix).strip("/"),
        function_timeout=_timeout(host_json.get("functionTimeout"), plain.function_timeout),
        hub=_text(durable, "hubName", plain.hub),
        default_version=str(durable.get("defaultVersion") or ""),
        version_match=_choice(
            durable, "versionMatchStrategy", plain.version_match, ("None", "Strict", "CurrentOrOlder")
        ),
        version_failure=_choice(durable, "versionFailureStrategy", plain.version_failure, ("Reject", "Fail")),
        overridable=_choice(
            durable, "overridableExistingInstanceStates", plain.overridable, ("NonRunningStates", "AnyState")
        ),
        max_activities=_limit(durable, "maxConcurrentActivityFunctions", plain.max_activities),
        max_orchestrators=_limit(durable, "maxConcurrentOrchestratorFunctions", plain.max_orchestrators),
    )


def _object(members: Mapping[str, Any], file: str, name: str) -> Mapping[str, Any]:
    """Answer a member that is an object; an empty one when there is none."""
    found = members.get(name)
    if found is None:
        return {}
    if not isinstance(found, dict):
        raise AppError(f"{file}: {name} is not a JSON object.")
    return cast("Mapping[str, Any]", found)


def _text(members: Mapping[str, Any], name: str, default: str) -> str:
    found = members.get(name)
    return default if found is None else str(found)


def _choice(durable: Mapping[str, Any], name: str, default: str, known: Sequence[str]) -> str:
    wanted = str(durable.get(name, default))
    for one in known:
        if one.lower() == wanted.lower():
            return one
    raise AppError(f"host.json: durableTask.{name} is '{wanted}'; it can be {', '.join(known)}.")


def _limit(durable: Mapping[str, Any], name: str, default: int) -> int:
    wanted = durable.get(name, default)
    if not isinstance(wanted, int) or wanted < 1:
        raise AppError(f"host.json: durableTask.{name} is {wanted!r}; it must be a number above zero.")
    return wanted


def _timeout(text: object, default: timedelta | None) -> timedelta | None:
    """Read functionTimeout: a .NET TimeSpan, or -1 for none."""
    if text is None:
        return default
    if str(text) == "-1":
        return None
    days, _, clock = str(text).rpartition(".")
    try:
        hours, minutes, seconds = (int(part) for part in clock.split(":"))
        return timedelta(days=int(days or 0), hours=hours, minutes=minutes, seconds=seconds)
    except ValueError:
        raise AppError(f"host.json: functionTimeout is '{text}'; it must look like 00:10:00, or be -1.") from None


def local_settings(directory: Path) -> dict[str, str]:
    """Answer the Values of local.settings.json, if there is one."""
    name = "local.settings.json"
    values = _object(_read_json(directory / name), name, "Values")
    return {str(name): str(value) for name, value in values.items()}


@contextmanager
def environment(settings: Mapping[str, str]) -> Generator[None]:
    """Set app settings as environment variables for a while; what is already set stays (as Core Tools does)."""
    added = {name: value for name, value in settings.items() if name not in os.environ}
    os.environ.update(added)
    try:
        yield
    finally:
        for name in added:
            os.environ.pop(name, None)

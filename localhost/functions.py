"""Indexing: from an app's functions to what this host can run, with the refusals of Azure's own indexer.

What `get_functions()` accepts the real indexer may still refuse, and then the app does not load in Azure
(azure-functions-runtime 1.3.0, functions.py); the same faults are found here, and named.
"""

import inspect
import os
import typing
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Protocol, cast

import azure.functions as func

_IN, _OUT = 0, 1


class AppError(Exception):
    """The app cannot be loaded; the text names the function and what is wrong with it."""


class Kind(StrEnum):
    """The triggers this host serves, by their names in function.json."""

    HTTP = "httpTrigger"
    TIMER = "timerTrigger"
    ORCHESTRATION = "orchestrationTrigger"
    ACTIVITY = "activityTrigger"
    ENTITY = "entityTrigger"


class Binding(Protocol):
    """What is read of an azure.functions binding."""

    name: str
    type: str

    @property
    def direction(self) -> int:
        """In 0, out 1, inout 2."""
        ...


class RawFunction(Protocol):
    """What is read of an azure.functions Function."""

    def get_function_name(self) -> str: ...  # noqa: D102
    def get_user_function(self) -> Callable[..., Any]: ...  # noqa: D102
    def get_bindings(self) -> Sequence[Binding]: ...  # noqa: D102
    def get_trigger(self) -> Any: ...  # noqa: D102


@dataclass(frozen=True, slots=True)
class Function:
    """One function, ready to be called.

    `inputs` maps each bound parameter to the converter that decodes it; `durable_name` is what orchestrations call
    it by; `route` and `methods` belong to HTTP, `schedule` to timers.
    """

    name: str
    durable_name: str
    kind: Kind
    call: Callable[..., Any]
    is_async: bool
    wants_context: bool
    trigger_name: str
    inputs: Mapping[str, str]
    outputs: frozenset[str]
    client_names: tuple[str, ...]
    returns: str | None
    route: str = ""
    methods: frozenset[str] = field(default_factory=frozenset[str])
    schedule: str = ""
    run_on_startup: bool = False


def converter(binding_type: str) -> Any:
    """Answer azure-functions' own converter of a binding type, or None."""
    registry: Any = func.get_binding_registry()
    return registry.get(binding_type)


def _has_implicit_output(binding_type: str) -> bool:
    return bool(getattr(converter(binding_type), "has_implicit_output", lambda: False)())


def is_disabled(name: str) -> bool:
    """Whether the app setting AzureWebJobs.<name>.Disabled says so."""
    return os.environ.get(f"AzureWebJobs.{name}.Disabled", "").lower() in ("1", "true")


def has_retry_policy(raw: object) -> bool:
    """Whether the function was decorated with `@app.retry`."""
    settings = getattr(raw, "get_settings_dict", None)
    return settings is not None and settings("retry_policy") is not None


def index(raw: RawFunction) -> Function:
    """Check one function as Azure does, and prepare it.

    Raises:
        AppError: Azure would refuse it, or this host has no such trigger or binding.
    """
    name = raw.get_function_name()
    call = raw.get_user_function()
    trigger = raw.get_trigger()
    kind = _kind(name, trigger.type)
    bindings = list(raw.get_bindings())
    _check_directions(name, bindings)
    bound = {binding.name: binding for binding in bindings if binding.name != "$return"}
    parameters = dict(inspect.signature(call).parameters)
    hints = typing.get_type_hints(call)
    _check_outs(name, bound, hints)
    wants_context = _takes_context(name, parameters, bound, hints)
    _check_parameters(name, parameters, bound)
    return Function(
        name=name,
        durable_name=_durable_name(trigger) or name,
        kind=kind,
        call=call,
        is_async=inspect.iscoroutinefunction(call),
        wants_context=wants_context,
        trigger_name=trigger.name,
        inputs={key: _input(name, binding, hints) for key, binding in bound.items() if binding.direction == _IN},
        outputs=frozenset(key for key, binding in bound.items() if binding.direction == _OUT),
        client_names=tuple(key for key, binding in bound.items() if binding.type == "durableClient"),
        returns=_returned(name, bindings, hints),
        route=getattr(trigger, "route", None) or "",
        methods=_methods(trigger),
        schedule=getattr(trigger, "schedule", ""),
        run_on_startup=bool(getattr(trigger, "run_on_startup", False)),
    )


def _refuse(name: str, text: str) -> AppError:
    return AppError(f"cannot load the {name} function: {text}")


def _kind(name: str, binding_type: str) -> Kind:
    try:
        return Kind(binding_type)
    except ValueError:
        served = ", ".join(Kind)
        raise _refuse(name, f"this host has no '{binding_type}' (it serves {served})") from None


def _check_directions(name: str, bindings: Sequence[Binding]) -> None:
    for binding in bindings:
        if binding.direction not in (_IN, _OUT):
            raise _refuse(name, '"inout" bindings are not supported')
        if binding.name == "$return" and binding.direction != _OUT:
            raise _refuse(name, '"$return" binding must have direction set to "out"')
        if binding.type not in {*Kind, "http", "durableClient"}:
            raise _refuse(name, f"this host has no '{binding.type}' binding ('{binding.name}')")


def _check_outs(name: str, bound: Mapping[str, Binding], hints: Mapping[str, Any]) -> None:
    """Refuse an annotation that says out where the binding says in, and the other way round."""
    for key, binding in bound.items():
        if key not in hints:
            continue
        hint = hints[key]
        is_out = getattr(typing.get_origin(hint) or hint, "__name__", "") == "Out"
        if is_out and binding.direction == _IN:
            raise _refuse(
                name,
                f'binding {key} is declared to have the "in" direction in the binding decorator, but its '
                "annotation is azure.functions.Out in Python",
            )
        if not is_out and binding.direction == _OUT:
            raise _refuse(
                name,
                f'binding {key} is declared to have the "out" direction, but its annotation in Python is not a '
                "subclass of azure.functions.Out",
            )


def _takes_context(
    name: str, parameters: dict[str, inspect.Parameter], bound: Mapping[str, Binding], hints: Mapping[str, Any]
) -> bool:
    """Take an unbound `context` parameter off the list: it is the invocation's own."""
    if "context" not in parameters or "context" in bound:
        return False
    del parameters["context"]
    hint = hints.get("context")
    if hint is not None and getattr(hint, "__name__", None) != "Context":
        raise _refuse(
            name, f'the "context" parameter is expected to be of type azure.functions.Context, got "{hint!r}"'
        )
    return True


def _check_parameters(name: str, parameters: Mapping[str, object], bound: Mapping[str, object]) -> None:
    if missing := set(parameters) - set(bound):
        raise _refuse(
            name,
            "the following parameters are declared in Python but not in the function definition "
            f"(function decorators): {missing}",
        )
    if extra := set(bound) - set(parameters):
        raise _refuse(
            name,
            "Extra parameters in binding definition: the following parameters are declared as bindings but are "
            f"not present in Python: {extra} (durable triggers demand the name 'context')",
        )


def _is_generic(hint: object) -> bool:
    """Whether the worker calls it generic: typing.Dict[..] is, dict[..] and X | None are not (typing_inspect)."""
    if isinstance(hint, type):
        return typing.Generic in hint.__mro__
    is_alias = type(hint).__name__ in ("_GenericAlias", "_SpecialGenericAlias")
    return is_alias and typing.get_origin(hint) not in (typing.Union, tuple, typing.ClassVar, Callable)


def _accepts(check: Callable[[Any], bool], hint: object) -> bool:
    try:
        return check(hint)
    except TypeError:
        return False


def _input(name: str, binding: Binding, hints: Mapping[str, Any]) -> str:
    """Answer which converter decodes a parameter; str and bytes are handed over raw."""
    if binding.name not in hints:
        return binding.type
    hint = hints[binding.name]
    if not isinstance(hint, type) and not _is_generic(hint):
        raise _refuse(name, f"binding {binding.name} has invalid non-type annotation {hint!r}")
    if hint in (str, bytes) and not _has_implicit_output(binding.type):
        return "generic"
    found = converter(binding.type)
    if found is not None and not _accepts(found.check_input_type_annotation, hint):
        raise _refuse(
            name,
            f'type of {binding.name} binding in the binding decorator "{binding.type}" does not match its Python '
            f'annotation "{getattr(hint, "__name__", hint)}"',
        )
    return binding.type


def _returned(name: str, bindings: Sequence[Binding], hints: Mapping[str, Any]) -> str | None:
    """Answer which converter encodes the returned value; None when nothing may be returned."""
    explicit = next((binding for binding in bindings if binding.name == "$return"), None)
    if explicit is None:
        return next((binding.type for binding in bindings if _has_implicit_output(binding.type)), None)
    if "return" in hints:
        hint = hints["return"]
        if not isinstance(hint, type) or typing.get_origin(hint) is not None:
            raise _refuse(name, f"has invalid non-type return annotation {hint!r}")
        if not _accepts(converter(explicit.type).check_output_type_annotation, hint):
            raise _refuse(
                name, f'Python return annotation "{hint.__name__}" does not match binding type "{explicit.type}"'
            )
    return explicit.type


def _durable_name(trigger: object) -> str | None:
    for attribute in ("orchestration", "activity", "entity_name"):
        if found := getattr(trigger, attribute, None):
            return str(found)
    return None


def _methods(trigger: object) -> frozenset[str]:
    """Answer the HTTP methods of a trigger in capitals; none named means all."""
    named = cast("Sequence[object]", getattr(trigger, "methods", None) or ())
    return frozenset(str(getattr(method, "value", method)).upper() for method in named)

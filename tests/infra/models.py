"""What Azure's own SDKs know of a resource: its properties, which must be there, and what they may hold."""

from __future__ import annotations

import enum
import importlib
import sys
import types
import typing
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

from tests.infra.bicep import UNKNOWN, Either

# Type of resource -> package and model. `sites/config` is another model for every name.
MODELS: Final = {
    "Microsoft.Authorization/roleAssignments": "authorization.v2022_04_01.RoleAssignment",
    "Microsoft.Authorization/roleDefinitions": "authorization.v2022_04_01.RoleDefinition",
    "Microsoft.Communication/communicationServices": "communication.CommunicationServiceResource",
    "Microsoft.Communication/emailServices": "communication.EmailServiceResource",
    "Microsoft.Communication/emailServices/domains": "communication.DomainResource",
    "Microsoft.DurableTask/schedulers": "durabletask.Scheduler",
    "Microsoft.DurableTask/schedulers/retentionPolicies": "durabletask.RetentionPolicy",
    "Microsoft.DurableTask/schedulers/taskHubs": "durabletask.TaskHub",
    "Microsoft.Insights/actionGroups": "monitor.ActionGroupResource",
    "Microsoft.Insights/activityLogAlerts": "monitor.ActivityLogAlertResource",
    "Microsoft.Insights/components": "applicationinsights.v2020_02_02.ApplicationInsightsComponent",
    "Microsoft.Insights/scheduledQueryRules": "monitor.ScheduledQueryRuleResource",
    "Microsoft.Insights/workbooks": "applicationinsights.v2023_06_01.Workbook",
    "Microsoft.KeyVault/vaults": "keyvault.VaultCreateOrUpdateParameters",
    "Microsoft.ManagedIdentity/userAssignedIdentities": "msi.v2024_11_30.Identity",
    "Microsoft.Network/privateDnsZones": "privatedns.PrivateZone",
    "Microsoft.Network/privateDnsZones/virtualNetworkLinks": "privatedns.VirtualNetworkLink",
    "Microsoft.Network/privateEndpoints": "network.PrivateEndpoint",
    "Microsoft.Network/privateEndpoints/privateDnsZoneGroups": "network.PrivateDnsZoneGroup",
    "Microsoft.Network/virtualNetworks": "network.VirtualNetwork",
    "Microsoft.OperationalInsights/workspaces": "loganalytics.Workspace",
    "Microsoft.Resources/resourceGroups": "resource.resources.ResourceGroup",
    "Microsoft.Storage/storageAccounts": "storage.StorageAccountCreateParameters",
    "Microsoft.Storage/storageAccounts/blobServices": "storage.BlobServiceProperties",
    "Microsoft.Storage/storageAccounts/blobServices/containers": "storage.BlobContainer",
    "Microsoft.Web/serverfarms": "web.AppServicePlan",
    "Microsoft.Web/sites": "web.Site",
    "Microsoft.Web/sites/basicPublishingCredentialsPolicies": "web.CsmPublishingCredentialsPoliciesEntity",
    "Microsoft.Web/sites/config:appsettings": "web.StringDictionary",
    "Microsoft.Web/sites/config:authsettingsV2": "web.SiteAuthSettingsV2",
}
# Bicep's own, and what every resource has whatever its model says.
ENVELOPE: Final = {"name", "parent", "scope", "dependsOn"}


@dataclass(frozen=True, slots=True)
class Field:
    holds: Any
    is_required: bool = False
    is_read_only: bool = False


def _part(**fields: Any) -> type:
    """Make a model of our own; a field that is given as a tuple of one must be there."""
    parts = {name: Field(*held, True) if isinstance(held, tuple) else Field(held) for name, held in fields.items()}
    return type("Part", (), {"_parts": parts})


# Two that the SDKs do not have in the version that is deployed here; from Azure's REST reference.
OURS: Final = {
    "Microsoft.AlertsManagement/actionRules": _part(
        location=(str,),
        tags=dict[str, str],
        properties=_part(
            scopes=(list[str],),
            description=str,
            enabled=bool,
            conditions=list[_part(field=(str,), operator=(str,), values=(list[str],))],
            actions=(list[_part(actionType=(str,), actionGroupIds=(list[str],))],),
        ),
    ),
    "Microsoft.Insights/diagnosticSettings": _part(
        properties=_part(
            workspaceId=str,
            logAnalyticsDestinationType=str,
            logs=list[_part(category=str, enabled=(bool,))],
        ),
    ),
}


def faults(of: str, body: Mapping[str, Any]) -> list[str]:
    """Name every property that the model of a resource does not know, lacks, or cannot hold."""
    kind = of.split("@", maxsplit=1)[0]
    rest = {name: value for name, value in body.items() if name not in ENVELOPE}
    return list(_model_faults(kind, rest, OURS.get(kind) or _theirs(kind, str(body["name"]))))


def _theirs(kind: str, name: str) -> type:
    package, _, model = (MODELS.get(kind) or MODELS[f"{kind}:{name}"]).rpartition(".")
    found: type = getattr(importlib.import_module(f"azure.mgmt.{package}.models"), model)
    return found


def _model_faults(path: str, value: Mapping[str, Any], model: type) -> Iterator[str]:
    fields = _fields(_chosen(model, value))
    for name, given in value.items():
        if name not in fields:
            yield f"{path}.{name}: not a property"
        elif fields[name].is_read_only:
            yield f"{path}.{name}: read-only"
        else:
            yield from _faults(f"{path}.{name}", given, fields[name].holds)
    for name, field in fields.items():
        if field.is_required and not field.is_read_only and name not in value and name not in ENVELOPE:
            yield f"{path}.{name}: missing"


def _faults(path: str, value: Any, holds: Any) -> Iterator[str]:
    if value is UNKNOWN or holds is Any or isinstance(holds, typing.TypeVar):
        return
    if isinstance(value, Either):
        for each in value.values:
            yield from _faults(path, each, holds)
        return
    origin, parts = typing.get_origin(holds), typing.get_args(holds)
    if origin in {typing.Union, types.UnionType}:
        yield from _any_of(path, value, [each for each in parts if each is not type(None)])
    elif isinstance(value, dict):
        yield from _object_faults(path, value, holds, origin, parts)
    elif isinstance(value, list):
        if origin is not list:
            yield f"{path}: a list was not expected"
        else:
            for i, each in enumerate(value):
                yield from _faults(f"{path}[{i}]", each, parts[0])
    else:
        yield from _scalar_faults(path, value, holds)


def _object_faults(path: str, value: Any, holds: Any, origin: Any, parts: Any) -> Iterator[str]:
    if origin is dict:
        for name, each in value.items():
            yield from _faults(f"{path}.{name}", each, parts[1])
    elif isinstance(holds, type) and _fields(holds):
        yield from _model_faults(path, value, holds)
    elif origin is list or (value and holds is not object):
        yield f"{path}: an object was not expected"


def _any_of(path: str, value: Any, choices: list[Any]) -> Iterator[str]:
    """An enum that is open is `str | Enum`: then its own values are what is checked."""
    enums = [each for each in choices if isinstance(each, type) and issubclass(each, enum.Enum)]
    found = [list(_faults(path, value, each)) for each in enums or choices]
    yield from min(found, key=len, default=[])


def _scalar_faults(path: str, value: Any, holds: Any) -> Iterator[str]:
    if not isinstance(holds, type):
        return
    if issubclass(holds, enum.Enum):
        known = {str(each.value).casefold() for each in holds}
        if str(value).casefold() not in known:
            yield f"{path}: {value!r} is none of {sorted(known)}"
    elif holds is float:
        if isinstance(value, bool) or not isinstance(value, int | float):
            yield f"{path}: {value!r} is not a number"
    elif holds in {str, int, bool} and type(value) is not holds:
        yield f"{path}: {value!r} is not of type {holds.__name__}"
    elif _fields(holds):
        yield f"{path}: an object was expected"


def _chosen(model: type, value: Mapping[str, Any]) -> type:
    """Follow a discriminator to the model that the value says it is."""
    mapping = getattr(model, "__mapping__", None) or {}
    for field, spec in getattr(model, "_attr_to_rest_field", {}).items():
        if getattr(spec, "_is_discriminator", False):
            chosen = mapping.get(value.get(getattr(spec, "_rest_name_input", field)))
            return chosen if isinstance(chosen, type) else model
    return model


@cache
def _fields(model: type) -> dict[str, Field]:
    if hasattr(model, "_parts"):
        return model._parts
    if hasattr(model, "_attribute_map"):
        return _older_fields(model)
    if not hasattr(model, "_calculated"):
        return {}
    # The SDK works its fields out when the first one is made.
    model.__new__(model)
    known: dict[str, Any] = model._attr_to_rest_field
    package = model.__module__.rpartition(".")[0]
    namespace = {"_models": sys.modules[package], "_enums": importlib.import_module(f"{package}._enums")}
    hints: dict[str, Any] = {}
    for each in reversed(model.__mro__):
        own = {k: v for k, v in vars(each).get("__annotations__", {}).items() if k in known}
        hints |= {
            name: _resolved(hint, vars(sys.modules[each.__module__]), namespace) for name, hint in own.items()
        }
    return {
        str(spec._rest_name_input or name): Field(
            holds=hints.get(name, Any),
            is_required=type(None) not in typing.get_args(hints.get(name, typing.Optional[Any])),  # noqa: UP045
            is_read_only=spec._visibility == ["read"],
        )
        for name, spec in known.items()
    }


def _older_fields(model: Any) -> dict[str, Field]:
    """Read a model of the older generation, whose keys may lead into a part: `properties.roleName`."""
    fields: dict[str, Field] = {}
    parts: dict[str, dict[str, Field]] = {}
    for attribute, spec in model._attribute_map.items():
        rules = model._validation.get(attribute, {})
        holds = _older_type(spec["type"], sys.modules[model.__module__.rpartition(".")[0]])
        field = Field(holds, bool(rules.get("required")), bool(rules.get("readonly")))
        outer, _, inner = spec["key"].partition(".")
        if inner:
            parts.setdefault(outer, {})[inner] = field
        else:
            fields[outer] = field
    made = {name: Field(type("Part", (), {"_parts": part})) for name, part in parts.items()}
    return {**fields, **made}


def _older_type(words: str, package: Any) -> Any:
    simple = {"str": str, "bool": bool, "int": int, "float": float}
    if words[0] == "[":
        return list.__class_getitem__(_older_type(words[1:-1], package))
    if words[0] == "{":
        return dict.__class_getitem__((str, _older_type(words[1:-1], package)))
    return simple.get(words) or getattr(package, words, Any)


def _resolved(hint: Any, module: dict[str, Any], namespace: dict[str, Any]) -> Any:
    def carrier() -> None: ...

    carrier.__annotations__ = {"it": hint}
    return typing.get_type_hints(carrier, {**module, **namespace})["it"]

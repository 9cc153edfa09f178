"""The Azure actions that the gateway's calls need, read from its code and from what it asks for."""

from __future__ import annotations

import ast
import importlib
import inspect
import pkgutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from azure.mgmt.recoveryservicessiterecovery import operations
from azure.mgmt.recoveryservicessiterecovery.operations import _operations as requests

import gateway
from gateway.pipeline import ArmReader

# What a reading method may be asked with; one that wants more must be told here what that looks like.
_GROUP: Final = "/subscriptions/s/resourceGroups/g"
EXAMPLES: Final[Mapping[str, Any]] = {
    "vm_id": f"{_GROUP}/providers/Microsoft.Compute/virtualMachines/n",
    "card_id": f"{_GROUP}/providers/Microsoft.Network/networkInterfaces/n",
    "network_id": f"{_GROUP}/providers/Microsoft.Network/virtualNetworks/n",
    "account_id": f"{_GROUP}/providers/Microsoft.Storage/storageAccounts/n",
    "resource_group": _GROUP,
    "subscription": "s",
    "region": "centralus",
    "wanted": ("Standard_D2s_v5",),
}


def action(method: str, path: str) -> str:
    """Name the right that a call to ARM needs: the resource type, and what is done to it."""
    provider, *rest = path.split("?", maxsplit=1)[0].rsplit("/providers/", maxsplit=1)[-1].strip("/").split("/")
    kinds = "/".join(rest[::2])
    if method == "GET":
        return f"{provider}/{kinds}/read"
    assert method == "POST", f"{method} {path}"
    verb = rest[-1]
    return f"{provider}/{'/'.join(rest[:-1:2])}/{verb}/action"


def called_through_the_sdk() -> set[str]:
    """Give the action of each operation of the Site Recovery SDK that the gateway's code names."""
    found = {pair for path in Path("gateway").rglob("*.py") for pair in sdk_operations(path.read_text())}
    return {_action_of(group, operation) for group, operation in found}


def sdk_operations(source: str) -> set[tuple[str, str]]:
    """Find `client.group.operation` in a source, also where the group has been given a name."""
    tree = ast.parse(source)
    groups = {
        target.id: node.value.attr
        for node in ast.walk(tree)
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Attribute)
        for target in node.targets
        if isinstance(target, ast.Name) and _operations_class(node.value.attr)
    }
    found: set[tuple[str, str]] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute):
            group = _group_of(node.value, groups)
            if group and callable(getattr(_operations_class(group), node.attr, None)):
                found.add((group, node.attr))
    return found


def _group_of(node: ast.expr, named: Mapping[str, str]) -> str | None:
    if isinstance(node, ast.Attribute):
        return node.attr
    return named.get(node.id) if isinstance(node, ast.Name) else None


def _operations_class(group: str) -> type | None:
    name = "".join(part.capitalize() for part in group.split("_")) + "Operations"
    found: type | None = getattr(operations, name, None)
    return found


def _action_of(group: str, operation: str) -> str:
    build = getattr(requests, f"build_{group}_{operation.removeprefix('begin_')}_request")
    wanted = [
        name
        for name, parameter in inspect.signature(build).parameters.items()
        if parameter.kind is parameter.POSITIONAL_OR_KEYWORD
    ]
    request = build(**dict.fromkeys(wanted, "x"))
    return action(request.method, request.url)


class Recorder:
    """Stands in for the reader: notes the path that is asked for, and finds nothing."""

    def __init__(self) -> None:
        self.paths: list[str] = []

    def get(self, arm_id: str, _api_version: str, **_parameters: str) -> dict[str, Any]:
        self.paths.append(arm_id)
        return {}

    def each(self, arm_id: str, _api_version: str, **_parameters: str) -> Iterator[dict[str, Any]]:
        self.paths.append(arm_id)
        return iter(())


def called_through_the_reader() -> set[str]:
    """Give the action of every read that a public method of the gateway asks the ARM reader for."""
    recorder = Recorder()
    for reads in readers():
        for name, method in inspect.getmembers(reads(recorder), inspect.ismethod):
            if not name.startswith("_"):
                wanted = inspect.signature(method).parameters
                assert set(wanted) <= set(EXAMPLES), (
                    f"say in EXAMPLES what {method.__qualname__} may be asked with"
                )
                method(**{each: EXAMPLES[each] for each in wanted})
    return {action("GET", path) for path in recorder.paths}


def called_beside_the_sdk() -> set[str]:
    """Give the action of each path below a vault that the gateway's code asks an ARM reader for."""
    found = [path for file in Path("gateway").rglob("*.py") for path in vault_paths(file.read_text())]
    return {action("GET", f"/providers/Microsoft.RecoveryServices/vaults/v/{path}") for path in found}


def vault_paths(source: str) -> Iterator[str]:
    """Find `reader.get(f"{vault}/things", ...)` and `reader.each(...)` in a source."""
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Call(
                func=ast.Attribute(attr="get" | "each"),
                args=[ast.JoinedStr(values=[ast.FormattedValue(value=vault), ast.Constant(value=str(path))]), *_],
            ) if ast.unparse(vault).endswith("vault"):
                yield path.strip("/")
            case _:
                pass


def readers() -> list[type]:
    """Find every class of the gateway that is made over an ARM reader."""
    modules = [importlib.import_module(each.name) for each in pkgutil.walk_packages(gateway.__path__, "gateway.")]
    classes = {each for module in modules for _, each in inspect.getmembers(module, inspect.isclass)}
    return [each for each in classes if _is_made_over_a_reader(each)]


def _is_made_over_a_reader(each: type) -> bool:
    if not each.__module__.startswith("gateway."):
        return False
    hints = getattr(each.__init__, "__annotations__", {})
    return any(hint in {"ArmReader", ArmReader} for hint in hints.values())

"""What the compiler would say first: syntax, names, parameters, outputs and scopes."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from pycep import BicepParser
from tree_sitter import Node

from tests.infra.bicep import INFRA, UNKNOWN, Either, File, file, files

# Functions of the language, as far as they are used here: one that is not may be a slip of the pen.
FUNCTIONS = {
    *("concat", "contains", "empty", "environment", "guid", "last", "loadTextContent", "replace"),
    *("resourceGroup", "resourceId", "split", "subscription", "subscriptionResourceId", "tenant"),
    *("toLower", "union", "uniqueString"),
}
DECORATORS = {"allowed", "description", "metadata", "minLength", "maxLength", "minValue", "maxValue", "secure"}
SHARED = Path("../shared/tools/check_bicep.py")

every_file = pytest.mark.parametrize("bicep", files(), ids=lambda each: str(each.path.relative_to(INFRA)))


def faults(bicep: File) -> list[str]:
    """Name every use of something that is not declared."""
    declared = {each.name for each in bicep.declarations if each.kind != "output"}
    return [
        f"{bicep.path}:{use.line}: {use.name}"
        for use in bicep.uses()
        if use.name not in (FUNCTIONS if use.is_call else declared)
    ]


def idle(bicep: File) -> set[str]:
    """Name every parameter, variable and existing resource that nothing uses."""
    used = {use.name for use in bicep.uses() if not use.is_call}
    return {
        each.name
        for each in bicep.declarations
        if each.name not in used
        and (each.kind in {"param", "var"} or (each.kind == "resource" and each.is_existing))
    }


@every_file
def test_both_parsers_read_every_file(bicep: File) -> None:
    assert not bicep.root.has_error
    assert BicepParser().parse(text=bicep.text)


@every_file
def test_every_name_is_declared(bicep: File) -> None:
    assert faults(bicep) == []


@every_file
def test_nothing_is_declared_in_vain(bicep: File) -> None:
    assert idle(bicep) == set()


@every_file
def test_no_name_is_declared_twice(bicep: File) -> None:
    names = [each.name for each in bicep.declarations if each.kind != "output"]
    assert sorted(names) == sorted(set(names))


@every_file
def test_every_parameter_and_output_says_what_it_is(bicep: File) -> None:
    silent = [
        each.name
        for each in bicep.declarations
        if each.kind in {"param", "output"} and "description" not in each.decorators
    ]
    assert silent == []


@every_file
def test_only_known_decorators_are_used(bicep: File) -> None:
    assert {name for each in bicep.declarations for name in each.decorators} <= DECORATORS


def modules() -> list[tuple[File, str]]:
    return [(bicep, name) for bicep in files() for name in bicep.all("module")]


every_module = pytest.mark.parametrize(
    ("bicep", "name"), modules(), ids=lambda each: each if isinstance(each, str) else ""
)


@every_module
def test_a_module_is_given_what_it_needs_and_nothing_else(bicep: File, name: str) -> None:
    module = bicep.all("module")[name]
    target = callee(bicep, name)
    given = bicep.body(module)["params"]
    wanted = target.all("param")
    needed = {each.name for each in wanted.values() if not each.parts}
    assert set(given) <= set(wanted)
    assert needed <= set(given)


@every_module
def test_what_a_module_is_given_is_of_the_right_kind(bicep: File, name: str) -> None:
    module, target = bicep.all("module")[name], callee(bicep, name)
    params = next(pair.named_children[1] for pair in module.body.named_children if pair.text.startswith(b"params"))
    for pair in params.named_children:
        if pair.type != "object_property":
            continue
        key, value = pair.named_children[0].text.decode(), pair.named_children[-1]
        wanted = target.all("param")[key].type
        assert kind_of(bicep, value) in {wanted, None}, f"{name}.{key}"


def kind_of(bicep: File, node: Node) -> str | None:
    """Tell the type of an expression where it shows; nothing where it does not."""
    match node.type:
        case "string":
            return "string"
        case "number":
            return "int"
        case "boolean":
            return "bool"
        case "object" | "array":
            return node.type
        case "ternary_expression":
            kinds = {kind_of(bicep, each) for each in node.named_children[1:]} - {None}
            assert len(kinds) < 2, f"the branches differ: {node.text!r}"
            return next(iter(kinds), None)
        case "identifier":
            param = bicep.all("param").get((node.text or b"").decode())
            return param.type if param else None
        case "member_expression":
            found = re.fullmatch(r"(\w+)\.outputs\.(\w+)", (node.text or b"").decode())
            return callee(bicep, found[1]).all("output")[found[2]].type if found else None
        case _:
            return None


@every_module
def test_a_module_is_deployed_where_it_belongs(bicep: File, name: str) -> None:
    scope = bicep.body(bicep.all("module")[name]).get("scope")
    assert (scope is None) == (callee(bicep, name).scope == bicep.scope)


def callee(bicep: File, name: str) -> File:
    path = bicep.path.parent / str(bicep.all("module")[name].of)
    return next(each for each in files() if each.path == path)


@every_file
def test_only_outputs_that_exist_are_asked_for(bicep: File) -> None:
    for use in bicep.uses():
        # Without a property it is a word of dependsOn.
        if use.name in bicep.all("module") and use.path:
            assert use.path[0] == "outputs"
            assert use.path[1] in callee(bicep, use.name).all("output")


@every_file
def test_what_may_not_be_made_is_asked_for_only_in_a_branch_and_without_a_warning(bicep: File) -> None:
    """The compiler warns of each output of a module with a condition; the branch is what it cannot follow."""
    lines = bicep.text.splitlines()
    conditional = {name for name, each in bicep.all("module").items() if each.parts[-1].type == "if_statement"}
    for use in bicep.uses():
        if use.name in conditional and use.path:
            assert lines[use.line - 2].strip().startswith("#disable-next-line BCP318 // "), use
            above = "\n".join(lines[max(0, use.line - 6) : use.line])
            assert re.search(r"= ?\w+( == '\w+')? \? |: \w+ \? ", above), use


@every_file
def test_no_parameter_is_named_like_a_secret_without_being_one(bicep: File) -> None:
    """The linter takes these words for secrets; the values of secrets reach no deployment at all."""
    words = re.compile("password|pwd|secret|accountkey|acctkey", re.IGNORECASE)
    assert [name for name in bicep.all("param") if words.search(name)] == []


@every_file
def test_the_files_that_are_loaded_exist(bicep: File) -> None:
    for name in re.findall(r"loadTextContent\('([^']+)'\)", bicep.text):
        assert (bicep.path.parent / name).is_file()


def test_every_module_is_used() -> None:
    used = {callee(bicep, name).path for bicep, name in modules()}
    assert used == {each.path for each in files()} - {INFRA / "main.bicep"}


@every_file
def test_a_default_is_one_of_the_allowed(bicep: File) -> None:
    for param in bicep.all("param").values():
        if "allowed" in param.decorators and param.parts:
            assert bicep.value(param.parts[0]) in bicep.value(param.decorators["allowed"].named_children[0])


def test_the_parameter_file_names_parameters_and_all_that_have_no_default() -> None:
    document = json.loads((INFRA / "main.parameters.json").read_text())
    params = file("main.bicep").all("param")
    assert set(document["parameters"]) <= set(params)
    assert {name for name, each in params.items() if not each.parts} <= set(document["parameters"])


def test_what_the_environment_leaves_out_has_a_value_that_bicep_accepts() -> None:
    document = json.loads((INFRA / "main.parameters.json").read_text())
    main = file("main.bicep")
    for name, entry in document["parameters"].items():
        found = re.fullmatch(r"\$\{([A-Z_]+)(?:=([^}]*))?\}", entry["value"])
        assert found, name
        param = main.all("param")[name]
        if not param.parts:
            assert found[2] is None
            continue
        default = main.value(param.parts[0])
        assert (found[2] or "") == (str(default).lower() if isinstance(default, bool) else default), name


def test_an_undefined_name_is_found() -> None:
    assert faults(File(Path("x.bicep"), "param a string\noutput b string = '${a}${nowhere}'\n"))
    assert faults(File(Path("x.bicep"), "output b string = shout('a')\n"))
    loop = "param a array\nvar b = [for (c, i) in a: { d: '${c}${i}' }]\noutput e array = b\n"
    assert faults(File(Path("x.bicep"), loop)) == []
    assert faults(File(Path("x.bicep"), loop.replace("${i}", "${j}")))


def test_a_parameter_in_vain_is_found() -> None:
    assert idle(File(Path("x.bicep"), "param a string\nparam b string\noutput c string = a\n")) == {"b"}


def test_values_follow_variables_and_name_what_is_unknown() -> None:
    bicep = File(Path("x.bicep"), "param p bool\nvar a = [1, true, '${p}']\noutput o array = p ? a : []\n")
    assert bicep.value(bicep.all("output")["o"].parts[-1]) == Either(([1, True, UNKNOWN], []))


@pytest.mark.skipif(not SHARED.is_file(), reason="the shape checker is not beside this project")
def test_the_shape_checker_finds_nothing_but_types_it_does_not_know() -> None:
    ran = subprocess.run(
        [sys.executable, str(SHARED), *(str(each.path) for each in files())],
        capture_output=True,
        text=True,
        check=True,
    )
    found = [line for line in ran.stdout.splitlines() if line.startswith(" ") and not line.endswith("no shape")]
    assert ran.stdout.count("infra/") == len(files())
    assert found == []

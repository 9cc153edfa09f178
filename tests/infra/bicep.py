"""Bicep as far as tests need it: declarations, the names that expressions use, and values that are written."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Any, Final

import tree_sitter_bicep
from tree_sitter import Language, Node, Parser

INFRA: Final = Path("infra")
_PARSER: Final = Parser(Language(tree_sitter_bicep.language()))
_KINDS: Final = {
    "parameter_declaration": "param",
    "variable_declaration": "var",
    "resource_declaration": "resource",
    "module_declaration": "module",
    "output_declaration": "output",
}


class Unknown:
    """A value that only a deployment knows."""

    def __repr__(self) -> str:
        return "?"


UNKNOWN: Final = Unknown()


@dataclass(frozen=True, slots=True)
class Either:
    """One of two values: a parameter decides."""

    values: tuple[Any, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Declaration:
    kind: str
    name: str
    node: Node
    decorators: dict[str, Node]
    # Of parameters and outputs: string, int, bool, object, array.
    type: str | None = None
    # Of resources `Type@version`, of modules the path.
    of: str | None = None

    @property
    def parts(self) -> list[Node]:
        return [child for child in self.node.named_children if child.type not in {"type", "comment"}][1:]

    @property
    def is_existing(self) -> bool:
        return any(child.type == "existing" for child in self.node.children)

    @property
    def body(self) -> Node:
        """The object of a resource or module, within its condition or loop."""
        node = self.parts[-1]
        while node.type in {"if_statement", "for_statement"}:
            node = node.named_children[-1]
        return node

    @property
    def line(self) -> int:
        return self.node.start_point.row + 1


@dataclass(frozen=True)
class Use:
    """A name that an expression uses; `path` holds the properties asked of it."""

    name: str
    line: int
    is_call: bool = False
    path: tuple[str, ...] = ()


class File:
    def __init__(self, path: Path, text: str | None = None) -> None:
        self.path = path
        self.text = path.read_text() if text is None else text
        self.root = _PARSER.parse(self.text.encode()).root_node

    @cached_property
    def scope(self) -> str:
        found = [node for node in self.root.named_children if node.type == "target_scope_assignment"]
        return _words(found[0].named_children[0]) if found else "resourceGroup"

    @cached_property
    def declarations(self) -> tuple[Declaration, ...]:
        found: list[Declaration] = []
        decorators: dict[str, Node] = {}
        for node in self.root.named_children:
            if node.type == "decorators":
                decorators |= dict(_decorator(each) for each in node.named_children)
            elif node.type in _KINDS:
                found.append(_declaration(node, decorators))
                decorators = {}
        return tuple(found)

    def all(self, kind: str) -> dict[str, Declaration]:
        return {each.name: each for each in self.declarations if each.kind == kind}

    def uses(self) -> Iterator[Use]:
        for declaration in self.declarations:
            for part in declaration.parts:
                yield from _uses(part, frozenset())
            for argument in declaration.decorators.values():
                yield from _uses(argument, frozenset())

    # One arm for each kind of node reads best in one place.
    def value(self, node: Node, bound: frozenset[str] = frozenset()) -> Any:  # noqa: C901, PLR0911
        """Give what is written, following variables; a parameter with no default is unknown."""
        match node.type:
            case "object":
                pairs = [pair.named_children for pair in node.named_children if pair.type == "object_property"]
                return {_key(pair[0]): self.value(pair[-1], bound) for pair in pairs}
            case "array":
                return [self.value(each, bound) for each in node.named_children if each.type != "comment"]
            case "string":
                return UNKNOWN if any(c.type == "interpolation" for c in node.named_children) else _words(node)
            case "number":
                return int(_text(node))
            case "boolean":
                return _text(node) == "true"
            case "for_statement":
                names = {_text(each) for each in _loop_names(node)}
                return [self.value(node.named_children[-1], bound | names)]
            case "if_statement" | "parenthesized_expression":
                return self.value(node.named_children[-1], bound)
            case "ternary_expression":
                return Either(tuple(self.value(each, bound) for each in node.named_children[1:]))
            case "call_expression" if _text(node.named_children[0]) == "concat":
                given = [self.value(each, bound) for each in node.named_children[1].named_children]
                return [item for each in given if isinstance(each, list) for item in each]
            case "identifier" if _text(node) not in bound and _text(node) in self.all("var"):
                return self.value(self.all("var")[_text(node)].parts[-1], bound)
            case _:
                return UNKNOWN

    def body(self, declaration: Declaration) -> Any:
        return self.value(declaration.body)


@cache
def files() -> tuple[File, ...]:
    return tuple(File(path) for path in sorted(INFRA.rglob("*.bicep")))


@cache
def file(path: str) -> File:
    return next(each for each in files() if each.path == INFRA / path)


def _declaration(node: Node, decorators: dict[str, Node]) -> Declaration:
    kind = _KINDS[node.type]
    types = [child for child in node.named_children if child.type == "type"]
    of = node.named_children[1] if kind in {"resource", "module"} else None
    return Declaration(
        kind=kind,
        name=_text(node.named_children[0]),
        node=node,
        decorators=decorators,
        type=_text(types[0]) if types else None,
        of=_words(of) if of else None,
    )


def _decorator(node: Node) -> tuple[str, Node]:
    call = node.named_children[0]
    return _text(call.named_children[0]), call.named_children[1]


def _uses(node: Node, bound: frozenset[str]) -> Iterator[Use]:  # noqa: C901, PLR0912 - as above
    line = node.start_point.row + 1
    match node.type:
        case "identifier":
            if _text(node) not in bound:
                yield Use(_text(node), line)
        case "object_property":
            if node.named_children[0].type == "string":
                yield from _uses(node.named_children[0], bound)
            yield from _uses(node.named_children[-1], bound)
        case "call_expression":
            called, arguments = node.named_children[0], node.named_children[1]
            if called.type == "identifier":
                yield Use(_text(called), line, is_call=True)
            else:
                yield from _uses(called, bound)
            yield from _uses(arguments, bound)
        case "member_expression":
            path: list[str] = []
            inner = node
            while inner.type in {"member_expression", "subscript_expression"}:
                if inner.type == "member_expression":
                    path.append(_text(inner.named_children[-1]))
                else:
                    yield from _uses(inner.named_children[-1], bound)
                inner = inner.named_children[0]
            if inner.type == "identifier":
                if _text(inner) not in bound:
                    yield Use(_text(inner), line, path=tuple(reversed(path)))
            else:
                yield from _uses(inner, bound)
        case "for_statement":
            names = _loop_names(node)
            yield from _uses(node.named_children[1], bound)
            yield from _uses(node.named_children[-1], bound | {_text(each) for each in names})
        case "type" | "comment" | "property_identifier":
            return
        case _:
            for child in node.named_children:
                yield from _uses(child, bound)


def _loop_names(node: Node) -> list[Node]:
    first = node.named_children[0]
    return first.named_children if first.type == "for_loop_parameters" else [first]


def _key(node: Node) -> str:
    return _words(node) if node.type == "string" else _text(node)


def _words(node: Node) -> str:
    """What stands between the quotes, an interpolation as it is written."""
    return "".join(_text(child) for child in node.named_children)


def _text(node: Node) -> str:
    return (node.text or b"").decode()

"""The locked requirements go on installing: whatever pip is asked for is pinned, so no later release matters."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Iterator
from importlib.metadata import distribution
from itertools import pairwise
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[2]
# Each file, and what of pyproject.toml it was made from beside the dependencies.
LOCKED = {
    "requirements.txt": (),
    "requirements-local.txt": ("local",),
    "requirements-dev.txt": ("local", "dev"),
}


def pins(text: str) -> dict[str, Requirement]:
    """Read a locked file: each name that this interpreter is given, with its version and its extras."""
    lines = (line.rstrip("\\ ") for line in text.splitlines() if re.match(r"[a-zA-Z]", line))
    every = [Requirement(line) for line in lines]
    return {canonicalize_name(each.name): each for each in every if applies(each)}


def applies(asked: Requirement, extras: Iterable[str] = ()) -> bool:
    """Say whether it is asked for on this interpreter, with these extras of whoever asks."""
    return asked.marker is None or any(asked.marker.evaluate({"extra": extra}) for extra in ("", *extras))


def asked_by_us(groups: Iterable[str]) -> Iterator[tuple[str, Requirement]]:
    """Give what pyproject.toml asks for itself."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    further = project["project"]["optional-dependencies"] | project["dependency-groups"]
    for line in [*project["project"]["dependencies"], *(line for group in groups for line in further[group])]:
        if applies(Requirement(line)):
            yield "pyproject.toml", Requirement(line)


def asked_by(pinned: Requirement) -> Iterator[tuple[str, Requirement]]:
    """Give what a pinned distribution asks for, with the extras that its pin names."""
    for line in distribution(pinned.name).requires or ():
        if applies(Requirement(line), pinned.extras):
            yield pinned.name, Requirement(line)


def gaps(pinned: dict[str, Requirement], asked: Iterable[tuple[str, Requirement]]) -> list[str]:
    """Name what is asked for and is not pinned, or is pinned without the extras that are asked for."""
    found: list[str] = []
    for who, each in asked:
        pin = pinned.get(canonicalize_name(each.name))
        if pin is None or each.extras - pin.extras:
            found.append(f"{who} asks for {each}, pinned is {pin or 'nothing'}")
    return found


@pytest.mark.parametrize("name", LOCKED)
def test_whatever_a_pinned_distribution_asks_for_is_pinned_with_the_extras_it_names(name: str) -> None:
    """Else pip looks for the newest release of the name with that extra, and --require-hashes refuses it."""
    pinned = pins((ROOT / name).read_text())
    asked = [*asked_by_us(LOCKED[name]), *(each for pin in pinned.values() for each in asked_by(pin))]
    assert gaps(pinned, asked) == []


def test_an_extra_that_is_lost_from_a_pin_is_noticed() -> None:
    text = (ROOT / "requirements-dev.txt").read_text()
    for pin, asker in (("pyjwt[crypto]==", "msal"), ("coverage[toml]==", "pytest-cov")):
        assert pin in text
        stripped = pins(text.replace(pin, pin.partition("[")[0] + "=="))
        assert any(gap.startswith(asker) for gap in gaps(stripped, asked_by(stripped[asker])))


def test_every_pin_is_one_version_with_hashes() -> None:
    for name in LOCKED:
        blocks = re.split(r"\n(?=[a-zA-Z])", (ROOT / name).read_text())
        loose = [each.splitlines()[0] for each in blocks if not re.match(r"\S+==\S+ [^#]*--hash=sha256:", each)]
        assert loose == [], name


def test_what_runs_in_azure_is_what_is_tested_here() -> None:
    """Each file pins the same versions as the one before, so no test passes on another release."""
    every = [pins((ROOT / name).read_text()) for name in LOCKED]
    for smaller, larger in pairwise(every):
        there = {name: str(pin.specifier) for name, pin in larger.items()}
        assert {name: str(pin.specifier) for name, pin in smaller.items()}.items() <= there.items()

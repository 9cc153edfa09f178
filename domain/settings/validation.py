"""What is asked of a machine that was brought up, beyond what Azure itself shows of it."""

from __future__ import annotations

from collections.abc import Iterable
from fnmatch import fnmatchcase
from typing import Annotated, Any, Self

from pydantic import BaseModel, Field, StringConstraints, field_validator, model_validator

from domain.settings.document import document
from domain.wire import Wire

Pattern = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=128)]
Status = Annotated[int, Field(ge=100, le=599)]
_PRINTABLE = r"^[\x21-\x7e]+$"


class _ForMachines(Wire):
    """Something asked of the machines whose names fit a pattern, as `web-*`.

    A machine is meant by the name of its protected item or of its virtual machine.
    """

    machines: Pattern = "*"
    # A test machine runs in an isolated network, where nothing is to be reached unless somebody made it so.
    reaches_tests: bool = False

    def concerns(self, names: Iterable[str], *, rehearsed: bool) -> bool:
        """Tell whether a machine of these names is meant; letter case means nothing."""
        fits = any(fnmatchcase(name.casefold(), self.machines.casefold()) for name in names)
        return fits and (self.reaches_tests or not rehearsed)


class Probe(_ForMachines):
    """A port that must accept connections, or with a `path` a page that must answer with one of `status`.

    With `host` the page is asked for under that name, and over TLS its certificate must be valid for it.
    """

    port: Annotated[int, Field(ge=1, le=65_535)]
    path: Annotated[str, StringConstraints(max_length=500, pattern=r"^/[\x21-\x7e]*$")] | None = None
    tls: bool = False
    host: Annotated[str, StringConstraints(max_length=253, pattern=_PRINTABLE)] | None = None
    status: Annotated[tuple[Annotated[int, Field(ge=100, le=599)], ...], Field(min_length=1, max_length=20)] = (
        200,
    )

    @model_validator(mode="after")
    def _a_page_has_a_path(self) -> Self:
        if self.path is None and (self.tls or self.host):
            raise ValueError('"tls" and "host" go with a "path"; without one only the port is tried')
        return self

    @property
    def name(self) -> str:
        """What the check is called."""
        scheme = "https" if self.tls else "http"
        return f"port {self.port}" if self.path is None else f"{scheme} :{self.port}{self.path}"


class Query(_ForMachines):
    """A query of a machine's own records since it came up, which must return no rows."""

    name: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=64)]
    kql: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=8_000)]


class ValidationRules(Wire):
    """What is asked of which machines."""

    probes: Annotated[tuple[Probe, ...], Field(max_length=100)] = ()
    queries: Annotated[tuple[Query, ...], Field(max_length=50)] = ()

    def probes_of(self, *names: str, rehearsed: bool) -> tuple[Probe, ...]:
        """Give the probes of one machine, by any of its names."""
        return tuple(each for each in self.probes if each.concerns(names, rehearsed=rehearsed))

    def queries_of(self, *names: str, rehearsed: bool) -> tuple[Query, ...]:
        """Give the queries of one machine, by any of its names."""
        return tuple(each for each in self.queries if each.concerns(names, rehearsed=rehearsed))


class ValidationSettings(BaseModel):
    """How machines are validated."""

    validation: Annotated[
        ValidationRules,
        Field(
            validation_alias="FAILBACK_VALIDATION",
            description="Probes and queries of machines that were brought up: JSON, or the path of a JSON file.",
        ),
    ] = ValidationRules()
    workspace: Annotated[
        str | None,
        Field(
            validation_alias="FAILBACK_LOGS_WORKSPACE",
            pattern=r"^[0-9a-fA-F-]{36}$",
            description="Workspace id in which heartbeats are looked for by host name; otherwise they are "
            "looked for in the records of the machine's resource group.",
        ),
    ] = None

    @field_validator("validation", mode="before")
    @classmethod
    def _read_rules(cls, value: Any) -> Any:
        return document(value)

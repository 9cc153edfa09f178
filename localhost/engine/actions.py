"""What an orchestrator function answers: everything it has asked for since its beginning.

Wire-free forms of the actions of EXT OutOfProcOrchestrationShim.cs; localhost/adapter.py reads the wire.
"""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Retry:
    """How often to try, and how long to wait between two attempts (the 1.x SDK sends no backoff)."""

    first_interval_ms: int
    max_attempts: int


@dataclass(frozen=True, slots=True)
class CallActivity:
    """Run an activity."""

    name: str
    input: str | None
    retry: Retry | None = None


@dataclass(frozen=True, slots=True)
class CallSubOrchestrator:
    """Run another orchestration and wait for its end."""

    name: str
    input: str | None
    instance_id: str | None = None
    version: str | None = None
    retry: Retry | None = None


@dataclass(frozen=True, slots=True)
class ContinueAsNew:
    """Start over with a new input and an empty history."""

    input: str | None


@dataclass(frozen=True, slots=True)
class CreateTimer:
    """Wait until a moment."""

    fire_at: str
    is_canceled: bool = False


@dataclass(frozen=True, slots=True)
class WaitForEvent:
    """Wait for an event from outside."""

    name: str


@dataclass(frozen=True, slots=True)
class SendToEntity:
    """Ask an entity for an operation; a signal does not wait for the answer."""

    entity_id: str
    operation: str
    input: str | None
    is_signal: bool


@dataclass(frozen=True, slots=True)
class CallHttp:
    """Make an HTTP request, as JSON text."""

    request: str


@dataclass(frozen=True, slots=True)
class WhenAll:
    """Wait for every child."""

    children: tuple["Action", ...]


@dataclass(frozen=True, slots=True)
class WhenAny:
    """Wait for the first child."""

    children: tuple["Action", ...]


Action = (
    CallActivity
    | CallSubOrchestrator
    | ContinueAsNew
    | CreateTimer
    | WaitForEvent
    | SendToEntity
    | CallHttp
    | WhenAll
    | WhenAny
)


@dataclass(frozen=True, slots=True)
class Answer:
    """The whole answer of one invocation; `failure` is set when there was none to be had."""

    is_done: bool = False
    actions: tuple[Action, ...] = field(default=())
    output: str | None = None
    error: str | None = None
    custom_status: str | None = None
    failure: str | None = None

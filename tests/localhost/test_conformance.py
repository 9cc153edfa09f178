"""Microsoft's own indexer and invoker as the oracle: they load what this host loads, and answer what it answers.

azure-functions-runtime is the Python worker's library; it needs Python 3.13.
"""

import asyncio
import importlib
import uuid
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import azure.durable_functions as df
import azure.functions as func
import pytest

from localhost import SyncHost, VirtualClock
from localhost.app import _DIRECTORIES, load
from localhost.functions import AppError, Function
from localhost.invoker import InvocationError
from tests.localhost import scripted
from tests.localhost.apps import Context, Steps, app_of, with_routes
from tests.localhost.test_indexing import REFUSED, Order, activity_with

runtime = pytest.importorskip("azure_functions_runtime")

ROOT = Path(__file__).resolve().parents[2]

# What the indexer reads of the protobuf messages it is normally given.
PROTOS = SimpleNamespace(BindingInfo=SimpleNamespace(out=1, inout=2, undefined=None))


@pytest.fixture(autouse=True)
def registry() -> None:
    importlib.import_module("azure_functions_runtime.bindings.meta").load_binding_registry()


def oracle_refuses(app: df.DFApp) -> bool:
    functions = importlib.import_module("azure_functions_runtime.functions")
    index = functions.Registry()
    try:
        for function in app.get_functions():
            index.add_indexed_function(function, PROTOS)
    except (functions.FunctionLoadError, TypeError):
        return True
    return False


def host_refuses(app: df.DFApp) -> bool:
    try:
        load(app)
    except AppError:
        return True
    return False


HINTS: list[Any] = [
    None,
    str,
    int,
    bytes,
    dict,
    list,
    Order,
    Any,
    dict[str, int],
    list[int],
    importlib.import_module("typing").Dict[str, int],
    importlib.import_module("typing").List[int],
    importlib.import_module("typing").Optional[str],
    importlib.import_module("typing").Tuple[int, int],
    str | None,
    int | str,
    Callable[[int], int],
    object,
    func.Out[str],
]


@pytest.mark.parametrize("hint", HINTS, ids=repr)
def test_activity_annotations_are_refused_by_both_or_by_none(hint: Any) -> None:
    assert host_refuses(activity_with(hint)) is oracle_refuses(activity_with(hint))


@pytest.mark.parametrize("declare", REFUSED, ids=lambda declare: declare.__name__)
def test_what_this_host_refuses_azure_refuses(declare: Callable[[df.DFApp], None]) -> None:
    app = df.DFApp()
    declare(app)
    assert oracle_refuses(app)


class Recorder:
    """An invoker that keeps what was asked and answered."""

    def __init__(self, inner: Any) -> None:
        self.inner = inner
        self.calls: list[tuple[Function, Any, Any]] = []

    async def call(self, function: Function, trigger: Any, metadata: Any = None) -> Any:
        try:
            answer = await self.inner.call(function, trigger, metadata)
        except InvocationError as error:
            self.calls.append((function, trigger, error))
            raise
        self.calls.append((function, trigger, answer))
        return answer


def tour(context: Context) -> Steps:
    one = yield context.call_activity("hello", "Tokyo")
    two = yield context.task_all([context.call_activity("double", n) for n in range(3)])
    three = yield context.call_activity("hello_async", {"a": [1]})
    entity = df.EntityId("Counter", "a")
    context.signal_entity(entity, "add", 1)
    four = yield context.call_entity(entity, "add", 5)
    try:
        yield context.call_activity("fail", "boom")
    except Exception:  # noqa: BLE001  the type is lost on the wire
        context.set_custom_status("failed once")
    yield context.call_entity(entity, "explode")
    return [one, two, three, four]


VALUES: list[Any] = [
    None,
    True,
    0,
    -1.5,
    "",
    "5",
    "{}",
    "Zürich 📦",
    [],
    [1, "a", None],
    {"a": {"b": [None]}},
    "x" * 9999,
]


def values(context: Context) -> Steps:
    for value in VALUES:
        yield context.call_activity("echo", value)
    for name in ("nothing", "raw", "typed"):
        yield context.call_activity(name, {"n": 1})
    try:
        yield context.call_activity("no_json", 1)
    except Exception:  # noqa: BLE001  the type is lost on the wire
        yield context.call_activity_with_retry("fail_async", df.RetryOptions(1000, 2), "boom")


def app_of_everything() -> df.DFApp:
    """Make an app with a function of each kind, and each way to answer or to fail."""
    app = with_routes(app_of(tour, values))

    @app.activity_trigger(input_name="value")
    def nothing(value: dict) -> None:
        pass

    @app.activity_trigger(input_name="value")
    def raw(value: str) -> str:
        return f"raw {value}"

    @app.activity_trigger(input_name="value")
    def typed(value: Order) -> dict:
        return {**value, "typed": True}

    @app.activity_trigger(input_name="value")
    def no_json(value: int) -> Any:
        return {1, 2}

    @app.activity_trigger(input_name="value")
    async def fail_async(value: str) -> None:
        raise KeyError(value)

    @app.timer_trigger(arg_name="timer", schedule="0 0 0 1 1 *")
    def yearly(timer: func.TimerRequest) -> None:
        assert timer.past_due in (True, False)

    _with_pages(app)
    return app


def _with_pages(app: df.DFApp) -> None:
    @app.route(route="text/{name}")
    def text(req: func.HttpRequest, context: func.Context) -> str:
        return f"{req.method} {req.route_params['name']} {req.params.get('x')} {context.function_name}"

    @app.route(route="full", methods=["PUT"])
    async def full(req: func.HttpRequest) -> func.HttpResponse:
        return func.HttpResponse(req.get_body(), status_code=418, headers={"X-One": req.headers["x-one"]})

    @app.route(route="broken")
    def broken(req: func.HttpRequest) -> str:
        raise RuntimeError("no page")

    @app.route(route="nonsense")
    def nonsense(req: func.HttpRequest):  # noqa: ANN202  an annotation would be checked
        return 5


def record() -> tuple[df.DFApp, list[tuple[Function, Any, Any]], str]:
    """Run a tour of everything and answer every call that was made of a function."""
    app = app_of_everything()
    with SyncHost(app, clock=VirtualClock()) as host:
        inner: Any = host.host
        recorder = Recorder(inner._orchestrations._invoker)
        for part in (inner._orchestrations, inner._dispatcher._activities, inner._dispatcher._entities):
            part._invoker = recorder
        inner._answering.door._routes._invoker = recorder
        inner._timers._invoker = recorder
        host.request("GET", "/api/check/one?x=1", headers={"X-One": "1"})
        host.request("GET", "/api/text/a%20b?x=1&x=2")
        host.request("PUT", "/api/full", body=b"\x00\xff", headers={"X-One": "eins"})
        host.request("GET", "/api/broken")
        host.request("GET", "/api/nonsense")
        assert host.request("POST", "/admin/functions/yearly").status == 202
        host.run_until(host.start("values"))
        instance_id = host.start("tour")
        status = host.run_until(instance_id)
        assert status is not None
        assert status.runtime_status == "Failed"  # by the operation that explodes, on purpose
        return app, recorder.calls, inner._links().binding("oracle")


async def ask_oracle(function: Function, trigger: Any, binding: str) -> Any:
    native = importlib.import_module("azure_functions_runtime.native_invocation")
    datum = type(trigger)
    inputs = [(function.trigger_name, trigger)]
    inputs += [(name, datum(binding, "string")) for name in function.client_names]
    function_id = str(uuid.uuid5(uuid.NAMESPACE_OID, function.name))
    return await native.invocation_request_native(str(uuid.uuid4()), function_id, inputs, {})


@pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")
def test_the_same_questions_get_the_same_answers() -> None:
    app, calls, binding = record()
    handler = importlib.import_module("azure_functions_runtime.handle_event")
    importlib.import_module("azure_functions_runtime.utils.threadpool").start_threadpool_executor()
    for function in load(app).functions:
        raw = SimpleNamespace(
            get_user_function=lambda call=function.call: call,
            get_function_name=lambda name=function.name: name,
            get_bindings=lambda name=function.name: next(
                one.get_bindings() for one in raw_functions(app) if one.get_function_name() == name
            ),
        )
        handler._functions.add_indexed_function(raw, PROTOS)

    kinds: set[str] = set()
    for function, trigger, ours in calls:
        ok, theirs, _, text, _ = asyncio.run(ask_oracle(function, trigger, binding))
        kinds.add(function.kind)
        if isinstance(ours, InvocationError):
            assert not ok
            assert text is not None
            assert ours.message.split(": ", 1)[0] == text.split("(", 1)[0]
        else:
            assert ok, text
            assert shape(theirs) == shape(ours)
    assert kinds == {"httpTrigger", "orchestrationTrigger", "activityTrigger", "entityTrigger", "timerTrigger"}
    assert len(calls) >= 60


def raw_functions(app: df.DFApp) -> Any:
    return [builder._function for builder in app._function_builders]


def shape(datum: Any) -> Any:
    """Reduce a datum to plain values; how long an entity took is nobody's business."""
    if datum is None:
        return None
    value = datum.value
    if isinstance(value, dict):
        return {key: shape(item) if hasattr(item, "value") else item for key, item in value.items()} | {
            "headers": {name: header.value for name, header in value["headers"].items()}
        }
    if isinstance(value, str) and '"startTime"' in value:
        return [part for part in value.split('"') if not part.startswith(": ")]
    return [datum.type, value]


def all_indexed(raw: Any) -> set[str]:
    """Let Microsoft's indexer take every function; answer their names."""
    functions = importlib.import_module("azure_functions_runtime.functions")
    index = functions.Registry()
    return {index.add_indexed_function(function, PROTOS).name for function in raw}


@pytest.mark.parametrize("build", [app_of, app_of_everything, scripted.build], ids=lambda build: build.__name__)
def test_the_apps_of_these_tests_are_indexed_by_both(build: Callable[[], df.DFApp]) -> None:
    names = {function.name for function in load(build()).functions}
    assert all_indexed(build().get_functions()) == names


def test_the_app_of_this_repository_is_indexed_by_both() -> None:
    app = load(ROOT)
    assert all_indexed(_DIRECTORIES[ROOT]) == {function.name for function in app.functions}
    assert len(app.orchestrators) >= 3

"""Loading an app: what Azure's indexer refuses is refused here, with the function's name."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, Dict, Optional, TypedDict  # noqa: UP035  the old spellings are the point

import azure.durable_functions as df
import azure.functions as func
import pytest

from localhost import SyncHost, VirtualClock
from localhost.app import load, local_settings, read_settings
from localhost.functions import AppError, index
from tests.localhost.apps import Context, Hosts, app_of


class Order(TypedDict):
    number: int


def activity_with(hint: Any) -> df.DFApp:
    app = df.DFApp()

    def work(order):  # noqa: ANN001, ANN202  the annotation is the test's
        return order

    if hint is not None:
        work.__annotations__["order"] = hint
    app.activity_trigger(input_name="order")(work)
    return app


@pytest.mark.parametrize("hint", [None, str, int, dict, Order, Dict[str, int], Any], ids=repr)  # noqa: UP006
def test_an_activity_may_take_what_the_worker_understands(hint: Any) -> None:
    assert "work" in load(activity_with(hint)).activities


@pytest.mark.parametrize("hint", [dict[str, int], Optional[str], str | None, list[int]], ids=repr)  # noqa: UP045
def test_an_annotation_the_worker_does_not_understand_is_refused(hint: Any) -> None:
    with pytest.raises(
        AppError, match="cannot load the work function: binding order has invalid non-type annotation"
    ):
        load(activity_with(hint))


def orchestrator_with_another_context_name(app: df.DFApp) -> None:
    @app.orchestration_trigger(context_name="ctx")
    def run(ctx: Context) -> None:
        pass


def entity_with_another_context_name(app: df.DFApp) -> None:
    @app.entity_trigger(context_name="ctx")
    def run(ctx: Context) -> None:
        pass


def activity_with_another_input_name(app: df.DFApp) -> None:
    @app.activity_trigger(input_name="order")
    def run(value: str) -> None:
        pass


def activity_with_two_parameters(app: df.DFApp) -> None:
    @app.activity_trigger(input_name="order")
    def run(order: str, more: str = "x") -> None:
        pass


def route_with_a_wrong_context(app: df.DFApp) -> None:
    @app.route(route="x")
    def run(req: func.HttpRequest, context: int) -> func.HttpResponse:
        return func.HttpResponse()


def route_with_a_wrong_return(app: df.DFApp) -> None:
    @app.route(route="x")
    def run(req: func.HttpRequest) -> int:
        return 1


def route_with_an_optional_return(app: df.DFApp) -> None:
    @app.route(route="x")
    def run(req: func.HttpRequest) -> func.HttpResponse | None:
        return None


def route_with_a_wrong_request(app: df.DFApp) -> None:
    @app.route(route="x")
    def run(req: int) -> func.HttpResponse:
        return func.HttpResponse()


REFUSED: dict[Callable[[df.DFApp], None], str] = {
    orchestrator_with_another_context_name: "expected to be of type azure.functions.Context",
    entity_with_another_context_name: "not present in Python: {'ctx'}",
    activity_with_another_input_name: "declared in Python but not in the function definition",
    activity_with_two_parameters: "declared in Python but not in the function definition",
    route_with_a_wrong_context: "expected to be of type azure.functions.Context",
    route_with_a_wrong_return: 'does not match binding type "http"',
    route_with_an_optional_return: "invalid non-type return annotation",
    route_with_a_wrong_request: 'does not match its Python annotation "int"',
}


@pytest.mark.parametrize("declare", REFUSED, ids=lambda declare: declare.__name__)
def test_what_azure_refuses_to_load_is_refused_here(declare: Callable[[df.DFApp], None]) -> None:
    app = df.DFApp()
    declare(app)
    with pytest.raises(AppError) as refusal:
        load(app)
    assert "cannot load the run function" in str(refusal.value)
    assert REFUSED[declare] in str(refusal.value)


def test_every_fault_is_named_at_once() -> None:
    app = activity_with(list[int])
    orchestrator_with_another_context_name(app)
    with pytest.raises(AppError) as refusal:
        load(app)
    assert "the work function" in str(refusal.value)
    assert "the run function" in str(refusal.value)


def test_a_trigger_this_host_has_not_is_named_with_its_function() -> None:
    app = func.FunctionApp()

    @app.queue_trigger(arg_name="message", queue_name="q", connection="c")
    def listen(message: func.QueueMessage) -> None:
        pass

    with pytest.raises(AppError, match="cannot load the listen function: this host has no 'queueTrigger'"):
        load(app)


def test_an_output_binding_this_host_has_not_is_named_with_its_function() -> None:
    app = func.FunctionApp()

    @app.route(route="x")
    @app.queue_output(arg_name="out", queue_name="q", connection="c")
    def send(req: func.HttpRequest, out: func.Out[str]) -> func.HttpResponse:
        return func.HttpResponse()

    with pytest.raises(AppError, match="cannot load the send function: this host has no 'queue' binding"):
        load(app)


def test_two_functions_of_one_name_are_refused() -> None:
    app = app_of()
    app.activity_trigger(input_name="name")(lambda_named("hello"))
    with pytest.raises(AppError, match="does not have a unique function name"):
        load(app)


def lambda_named(name: str) -> Callable[[str], str]:
    def made(name: str) -> str:
        return name

    made.__name__ = name
    return made


def test_an_app_object_can_be_opened_again_and_again(hosts: Hosts) -> None:
    app = app_of()
    for _ in range(2):
        with SyncHost(app, clock=VirtualClock()) as host:
            host.run_until_idle()


def test_a_list_of_functions_is_an_app_too() -> None:
    functions = app_of().get_functions()
    assert set(load(functions).activities) == {"hello", "hello_async", "double", "echo", "fail"}
    assert index(functions[0]).name == "hello"


def test_a_disabled_function_is_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AzureWebJobs.hello.Disabled", "true")
    assert "hello" not in load(app_of()).activities


def test_a_directory_without_an_app_is_refused(tmp_path: Path) -> None:
    with pytest.raises(AppError, match=r"There is no function_app\.py"):
        load(tmp_path)


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("x = 1", "Could not find top level function app instances"),
        (
            "import azure.functions as func\na = func.FunctionApp()\nb = func.FunctionApp()",
            "More than one FunctionApp",
        ),
        ("def (", r"cannot be imported: SyntaxError: .*\(function_app\.py, line 1\)"),
        ("\nimport no_such", r"cannot be imported: ModuleNotFoundError: .* \(function_app\.py, line 2\)"),
        ("\n\ndef f(): 1 / 0\nf()", r"cannot be imported: ZeroDivisionError: .* \(function_app\.py, line 3\)"),
        ("import sys\nsys.exit(4)", r"cannot be imported: SystemExit: 4 \(function_app\.py, line 2\)"),
    ],
)
def test_a_script_without_exactly_one_app_is_refused(tmp_path: Path, source: str, words: str) -> None:
    (tmp_path / "function_app.py").write_text(source)
    with pytest.raises(AppError, match=words):
        load(tmp_path)


def test_local_settings_reach_the_app_but_do_not_overrule_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "function_app.py").write_text(
        "import os\nimport azure.functions as func\napp = func.FunctionApp()\n"
        "@app.route(route='x', auth_level='anonymous')\n"
        "def read(req: func.HttpRequest) -> func.HttpResponse:\n"
        "    return func.HttpResponse(os.environ['ONE'] + os.environ['TWO'])\n"
    )
    (tmp_path / "local.settings.json").write_text('{"Values": {"ONE": "file", "TWO": "file"}}')
    (tmp_path / "host.json").write_text('{"extensions": {"http": {"routePrefix": "v1"}}}')
    monkeypatch.setenv("TWO", "environment")
    with SyncHost(tmp_path, clock=VirtualClock()) as host:
        assert host.request("GET", "/v1/x").text == "fileenvironment"


@pytest.mark.parametrize(
    "host_json",
    [
        {"functionTimeout": "soon"},
        {"extensions": {"durableTask": {"versionMatchStrategy": "Sometimes"}}},
        {"extensions": {"durableTask": {"maxConcurrentActivityFunctions": 0}}},
        {"extensions": []},
        {"extensions": {"durableTask": "on"}},
        {"extensions": {"http": 1}},
    ],
)
def test_a_host_json_that_makes_no_sense_is_refused(host_json: dict[str, Any]) -> None:
    with pytest.raises(AppError, match=r"host\.json"):
        read_settings(host_json)


def test_what_host_json_leaves_null_has_its_default() -> None:
    nulls = {"extensions": {"http": {"routePrefix": None}, "durableTask": {"hubName": None}}}
    assert read_settings(nulls) == read_settings({}) == read_settings({"extensions": None})


def test_settings_that_are_no_object_are_refused(tmp_path: Path) -> None:
    (tmp_path / "local.settings.json").write_text('{"Values": ["ONE"]}')
    with pytest.raises(AppError, match=r"local\.settings\.json: Values is not a JSON object"):
        local_settings(tmp_path)


def test_a_retry_policy_that_is_not_kept_is_told(hosts: Hosts, caplog: pytest.LogCaptureFixture) -> None:
    app = func.FunctionApp()

    @app.timer_trigger(arg_name="timer", schedule="0 0 * * * *")
    @app.retry(strategy="fixed_delay", max_retry_count="3", delay_interval="00:00:01")
    def hourly(timer: func.TimerRequest) -> None:
        pass

    @app.timer_trigger(arg_name="timer", schedule="0 0 12 * * *")
    def at_noon(timer: func.TimerRequest) -> None:
        pass

    hosts(app, host_json={"retry": {"strategy": "fixedDelay"}})
    assert "The retry policy of function hourly has no effect here" in caplog.text
    assert "host.json: the retry policy has no effect here" in caplog.text
    assert "function at_noon" not in caplog.text


@pytest.mark.parametrize("name", ["host.json", "local.settings.json"])
@pytest.mark.parametrize(("text", "words"), [("{", "is not valid JSON"), ("[]", "is not a JSON object")])
def test_a_settings_file_that_is_no_json_object_is_refused_by_name(
    tmp_path: Path, name: str, text: str, words: str
) -> None:
    (tmp_path / "function_app.py").write_text("import azure.functions as func\napp = func.FunctionApp()\n")
    (tmp_path / name).write_text(text)
    with pytest.raises(AppError, match=f"{name} {words}"), SyncHost(tmp_path):
        pass

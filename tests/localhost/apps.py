"""Apps that several tests run."""

import json
from collections.abc import Callable, Generator
from datetime import datetime
from typing import Any

import azure.durable_functions as df
import azure.functions as func

from localhost import SyncHost
from localhost.testing import Hosts

__all__ = ["Context", "Hosts", "Steps", "app_of", "counter", "kinds_of", "output_of", "with_routes"]

Context = Any
Steps = Generator[Any, Any, Any]


def app_of(*orchestrators: Callable[[Context], Any]) -> df.DFApp:
    """Make an app of these orchestrators and the activities and entity all of them may call."""
    app = df.DFApp(http_auth_level=func.AuthLevel.ANONYMOUS)
    for orchestrator in orchestrators:
        app.orchestration_trigger(context_name="context")(orchestrator)

    @app.activity_trigger(input_name="name")
    def hello(name: str) -> str:
        return f"Hello {name}!"

    @app.activity_trigger(input_name="name")
    async def hello_async(name: str) -> str:
        return f"Hello {name}, async!"

    @app.activity_trigger(input_name="value")
    def double(value: int) -> int:
        return value * 2

    @app.activity_trigger(input_name="value")
    def echo(value: Any) -> Any:
        return value

    @app.activity_trigger(input_name="text")
    def fail(text: str) -> None:
        raise ValueError(text)

    app.entity_trigger(context_name="context", entity_name="Counter")(counter)
    return app


def counter(context: Context) -> None:
    """Count."""
    value = context.get_state(lambda: 0)
    match context.operation_name:
        case "add":
            value += context.get_input()
            context.set_state(value)
            context.set_result(value)
        case "get":
            context.set_result(value)
        case "delete":
            context.destruct_on_exit()
        case other:
            raise ValueError(f"no such operation: {other}")


def with_routes(app: df.DFApp) -> df.DFApp:
    """Add a route per call of the SDK's client, answering what it answered or how it failed."""

    @app.route(route="call/{method}", methods=["POST"])
    @app.durable_client_input(client_name="client")
    async def client_call(req: func.HttpRequest, client: Any) -> func.HttpResponse:
        arguments = req.get_json() if req.get_body() else {}
        try:
            answer = await getattr(client, req.route_params["method"])(**arguments)
        except Exception as error:  # noqa: BLE001  the test wants to see it
            return func.HttpResponse(str(error), status_code=418)
        if hasattr(answer, "to_json"):
            answer = answer.to_json() if answer else None
        elif isinstance(answer, list):
            answer = [one.to_json() for one in answer]
        elif hasattr(answer, "instances_deleted"):
            answer = answer.instances_deleted
        return func.HttpResponse(json.dumps(answer, default=str), mimetype="application/json")

    @app.route(route="check/{id}")
    @app.durable_client_input(client_name="client")
    async def check_status(req: func.HttpRequest, client: Any) -> func.HttpResponse:
        return client.create_check_status_response(req, req.route_params["id"])

    @app.route(route="wait/{name}")
    @app.durable_client_input(client_name="client")
    async def wait_for(req: func.HttpRequest, client: Any) -> func.HttpResponse:
        instance_id = await client.start_new(req.route_params["name"])
        return await client.wait_for_completion_or_create_check_status_response(req, instance_id, 3000, 20)

    _with_queries(app)

    @app.route(route="counter/{key}/{operation}")
    @app.durable_client_input(client_name="client")
    async def signal(req: func.HttpRequest, client: Any) -> func.HttpResponse:
        entity = df.EntityId("Counter", req.route_params["key"])
        if req.method == "POST":
            await client.signal_entity(entity, req.route_params["operation"], req.get_json())
            return func.HttpResponse(status_code=202)
        found = await client.read_entity_state(entity)
        return func.HttpResponse(json.dumps([found.entity_exists, found.entity_state]))

    return app


def _with_queries(app: df.DFApp) -> None:
    @app.route(route="by", methods=["POST"])
    @app.durable_client_input(client_name="client")
    async def by_status(req: func.HttpRequest, client: Any) -> func.HttpResponse:
        query = req.get_json()
        statuses = [df.OrchestrationRuntimeStatus(name) for name in query["runtime_status"]]
        since = datetime.fromisoformat(query["created_time_from"])
        if query.get("purge"):
            purged = await client.purge_instance_history_by(since, None, statuses)
            return func.HttpResponse(json.dumps(purged.instances_deleted))
        found = await client.get_status_by(since, None, statuses)
        return func.HttpResponse(json.dumps([one.to_json() for one in found], default=str))


def output_of(host: SyncHost, name: str, argument: object = None) -> Any:
    """Run an orchestration to its successful end and answer its output."""
    status = host.run_until(host.start(name, argument))
    assert status is not None
    assert status.runtime_status == "Completed", status.output
    return status.output


def kinds_of(host: SyncHost, instance_id: str) -> list[str]:
    """Answer the kinds of events in an instance's history."""
    status = host.status(instance_id, history=True)
    assert status is not None
    assert status.history is not None
    return [str(event["EventType"]) for event in status.history]

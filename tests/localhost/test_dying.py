"""A host that dies says nothing: its connections are closed, as those of a process that was killed."""

import asyncio
import logging
from typing import Any

import aiohttp
import azure.functions as func
import pytest

from localhost import Crash, LocalHost, SyncHost, Transaction, VirtualClock
from tests.localhost.apps import Context, Steps, app_of
from tests.localhost.test_management_api import API


def quick(context: Context) -> Steps:
    return (yield context.call_activity("hello", "x"))


def die_starting(moment: Transaction) -> None:
    """Crash when an instance has been started, before anybody could be told."""
    if moment.kind == "start" and moment.is_committed:
        raise Crash("at the start")


def test_a_function_whose_host_dies_hears_nothing(caplog: pytest.LogCaptureFixture) -> None:
    heard: list[object] = []
    app = app_of(quick)

    @app.route(route="begin")
    @app.durable_client_input(client_name="client")
    async def begin(req: func.HttpRequest, client: Any) -> func.HttpResponse:
        try:
            heard.append(await client.start_new("quick"))
        except aiohttp.ClientError as error:
            heard.append(error)
            raise
        return func.HttpResponse("begun")

    caplog.set_level(logging.INFO)
    with pytest.raises(Crash), SyncHost(app, clock=VirtualClock(), on_transaction=die_starting) as host:
        host.request("POST", "/api/begin")
    # It was told that nobody answers, or was gone with its host before that.
    assert all(isinstance(one, aiohttp.ClientConnectionError) for one in heard), heard
    assert [record for record in caplog.records if record.levelno >= logging.ERROR] == []


async def what_is_answered(url: str) -> bytes:
    """Answer every byte that comes back for a start."""
    address = url.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(address[0], int(address[1]))
    writer.write(f"POST {API}/orchestrators/quick HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n".encode())
    try:
        return await reader.read()
    except ConnectionError:
        return b""
    finally:
        writer.close()


@pytest.mark.parametrize("is_free", [True, False])
def test_a_dead_host_closes_every_connection_without_a_word(
    caplog: pytest.LogCaptureFixture, *, is_free: bool
) -> None:
    async def answers() -> list[bytes]:
        async with LocalHost(
            app_of(quick), clock=VirtualClock(), port=0, on_transaction=die_starting, free_running=is_free
        ) as host:
            return [await what_is_answered(host.url) for _ in range(3)]

    assert asyncio.run(answers()) == [b"", b"", b""]
    assert [record for record in caplog.records if record.levelno >= logging.ERROR] == []


def test_a_host_that_lives_answers_the_same_request() -> None:
    async def answer() -> bytes:
        async with LocalHost(app_of(quick), clock=VirtualClock(), port=0) as host:
            return await what_is_answered(f"{host.url}")

    with pytest.raises(TimeoutError):  # the connection stays open for the next request
        asyncio.run(asyncio.wait_for(answer(), 0.5))

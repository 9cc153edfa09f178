"""The socket: one loopback server for the app's routes, the durable API and the client endpoint."""

from collections.abc import Awaitable, Callable

from aiohttp import web

from localhost.http.message import Request, Response
from localhost.store import Crash

# HOST's default maxRequestBodySize.
MAX_BODY = 104_857_600

Serve = Callable[[Request], Awaitable[Response]]


class Server:
    """Listens on 127.0.0.1, never elsewhere; where `serve` raises Crash, nobody gets an answer."""

    def __init__(self, serve: Serve) -> None:
        self._serve = serve
        self._runner: web.AppRunner | None = None

    async def start(self, port: int) -> int:
        """Listen on a port, 0 for any free one; answer which.

        Raises:
            OSError: the port is taken.
        """
        app = web.Application(client_max_size=MAX_BODY)
        app.router.add_route("*", "/{tail:.*}", self._handle)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
        await runner.setup()
        try:
            await web.TCPSite(runner, "127.0.0.1", port).start()
        except BaseException:
            await runner.cleanup()
            raise
        self._runner = runner
        return int(runner.addresses[0][1])

    async def stop(self) -> None:
        """Stop listening."""
        runner, self._runner = self._runner, None
        if runner is not None:
            await runner.cleanup()

    async def _handle(self, raw: web.Request) -> web.StreamResponse:
        try:
            body = await raw.read()
        except web.HTTPRequestEntityTooLarge:
            return web.Response(status=413, text=f"The request body is larger than {MAX_BODY} bytes.")
        headers: dict[str, str] = {}
        for name, value in raw.headers.items():
            key = name.lower()
            headers[key] = f"{headers[key]},{value}" if key in headers else value
        request = Request(
            method=raw.method,
            url=str(raw.url),
            path=raw.path,
            query=list(raw.query.items()),
            headers=headers,
            body=body,
        )
        try:
            response = await self._serve(request)
        except Crash:
            # A process that was killed closes its connections and says nothing.
            if raw.transport is not None:
                raw.transport.abort()
            return web.Response()
        answer = web.Response(status=response.status, body=response.body)
        for name, value in response.headers:
            if name.lower() == "set-cookie":
                answer.headers.add(name, value)
            elif name.lower() != "content-length":
                answer.headers[name] = value
        return answer

"""The door: which part of the host answers a path."""

import hmac
from urllib.parse import unquote_plus, urlsplit

from localhost.functions import Kind
from localhost.http.links import CALLER, RPC, WEBHOOKS
from localhost.http.management import Management
from localhost.http.message import Request, Response, json_response
from localhost.http.routes import Routes
from localhost.timers import Timers


class Door:
    """Sends each request to the durable API, the client endpoint or the app."""

    def __init__(self, management: Management, routes: Routes, timers: Timers, key: str | None) -> None:
        self._management = management
        self._routes = routes
        self._timers = timers
        self._key = key

    async def serve(self, request: Request) -> Response:
        """Answer a request."""
        path, durable = request.path, _durable_path(request)
        if (rest := _below(durable, WEBHOOKS)) is not None:
            if not self._is_allowed(request):
                return Response(401)
            return await self._management.serve(request, rest)
        if (rest := _below(durable, RPC)) is not None:
            return await self._management.serve(request, _without_caller(rest))
        if path in ("/admin/host/status", "/admin/host/ping"):
            return json_response(200, {"state": "Running"})
        if (name := _below(path, "/admin/functions")) is not None and request.method == "POST":
            return Response(202 if self._timers.trigger(name.strip("/")) else 404)
        return await self._routes.serve(request)

    def _is_allowed(self, request: Request) -> bool:
        """Whether the request names the system key, if there is one."""
        if not self._key:
            return True
        offered = request.value("code") or request.headers.get("x-functions-key") or ""
        return hmac.compare_digest(offered.encode(), self._key.encode())


def _durable_path(request: Request) -> str:
    """Answer the path as the durable API reads it: a plus is a space there (EXT HttpApiHandler.cs, UrlDecode)."""
    return unquote_plus(urlsplit(request.url).path)


def is_durable(request: Request) -> bool:
    """Whether a request is for the durable API, by its public face or by the SDK's."""
    path = _durable_path(request)
    return _below(path, WEBHOOKS) is not None or _below(path, RPC) is not None


def calling_route(request: Request) -> str | None:
    """Answer which call of an HTTP function a request comes from, by its client; None for any other."""
    path = _below(_durable_path(request), RPC) or ""
    return path.split("/")[1] if path.startswith(f"/{CALLER}{Kind.HTTP}-") else None


def _without_caller(path: str) -> str:
    """Answer a path below the client endpoint without the name of the call that it comes from."""
    return path.partition("/" + CALLER)[2].partition("/")[2] if path.startswith("/" + CALLER) else path


def _below(path: str, prefix: str) -> str | None:
    """Answer what follows a prefix, which counts in any case; None when the path is elsewhere."""
    if path.lower() == prefix or path.lower().startswith(f"{prefix}/"):
        return path[len(prefix) :]
    return None

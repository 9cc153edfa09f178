"""How work of Compute and Network is followed to its end."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simulator.envelopes import Refused, plain_error
from simulator.messages import Response, json_response
from simulator.times import ticks

if TYPE_CHECKING:
    from simulator.async_work import Work
    from simulator.call import Call


def read(call: Call) -> Response:
    """Read an operation: its status, or with `monitor` only whether it has ended."""
    if call.request.query.get("monitor", "").lower() == "true":
        return result(call)
    work, now = _find(call), call.world.now
    over = work.over(now)
    body = {"startTime": ticks(work.started), "status": "Succeeded" if over else "InProgress", "name": work.id}
    return json_response(body | ({"endTime": ticks(work.ends)} if over else {}))


def result(call: Call) -> Response:
    """Answer 202 while the work goes on, and 204 once it is done."""
    work = _find(call)
    if work.over(call.world.now):
        return Response(status=204)
    location = f"{call.request.origin}{call.request.path}?{call.request.raw_query}"
    return Response(status=202, headers=(("Location", location), ("Retry-After", "10")))


def _find(call: Call) -> Work:
    work = call.world.work.find(call.params["operation"])
    if work is None:
        message = f"The operation '{call.params['operation']}' was not found."
        raise Refused(plain_error(404, "NotFound", message))
    return work

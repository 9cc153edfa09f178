"""The simulator itself: one call in, one answer out, and the clock in between."""

from __future__ import annotations

import random
import threading
from typing import TYPE_CHECKING

from simulator.acts import DURATION_NAMES, begin
from simulator.call import Call
from simulator.control import PREFIX, answer_control
from simulator.effects import Wish
from simulator.envelopes import Refused, Trace, not_simulated, plain_error
from simulator.estate import Estate, default_estate
from simulator.faults import Faults
from simulator.interference import after, before
from simulator.journal import Journal
from simulator.lifecycle import allows
from simulator.messages import Delivery, Response
from simulator.plans import build_plans
from simulator.providers import identity
from simulator.rbac import denied
from simulator.routes import Router
from simulator.throttle import Throttle
from simulator.times import http_date, plain_time, whole_seconds
from simulator.tokens import ARM_AUDIENCES, LOGS_AUDIENCES, Tokens
from simulator.world import World

if TYPE_CHECKING:
    from simulator.clock import Clock
    from simulator.messages import Request
    from simulator.routes import Route

LOGS_PREFIX = "/loganalytics"


class Simulator:
    """Azure, as far as Site Recovery needs it, over one clock.

    `handle` is synchronous; calls from several threads take their turns.
    """

    def __init__(self, estate: Estate | None = None, *, clock: Clock, seed: int = 0) -> None:
        self.estate = estate or default_estate()
        self.clock = clock
        self.journal = Journal()
        self.faults = Faults(random.Random(seed))
        self.tokens = Tokens(seed, self.estate.tenant, self.estate.token_lifetime)
        self.world = World(self.estate, clock.now(), seed, self.faults)
        self._throttle = Throttle(self.estate, clock.now())
        self._router = Router()
        build_plans(self.world)
        self._turn = threading.Lock()
        self._start_running_jobs()

    def handle(self, request: Request) -> Response:
        """Answer one call, after everything that became due before it has happened."""
        with self._turn:
            return self._handle(request)

    def _handle(self, request: Request) -> Response:
        self.world.advance(self.clock.now())
        trace = self._trace(request)
        if request.path.startswith(PREFIX):
            return self._dated(answer_control(self, request))
        matched = self._router.match(request.method, _routed_path(request.path))
        response = self._answer(request, matched, trace)
        response = self._dress(request, response, trace)
        self.journal.note(
            request,
            trace,
            self.world.now,
            status=response.status,
            delivery=response.delivery,
            route=matched[0].name if matched else None,
        )
        return response

    def _answer(self, request: Request, matched: tuple[Route, dict[str, str]] | None, trace: Trace) -> Response:
        if identity.is_token(request):
            return self._hand_out(request, trace)
        if matched is None:
            return not_simulated(f"{request.method} {request.path}")
        route, params = matched
        call = Call(request=request, params=params, world=self.world, trace=trace)
        struck = before(call, self.estate.tenant)
        if struck is not None and struck.delivery is Delivery.CLOSED:
            return struck
        barred = struck or self._barred(request)
        if barred is not None:
            return barred
        try:
            return after(call, route.handler(call))
        except Refused as refusal:
            return refusal.response

    def _hand_out(self, request: Request, trace: Trace) -> Response:
        """Answer a call for a token, unless a fault that names its path strikes it."""
        call = Call(request=request, params={}, world=self.world, trace=trace)
        struck = before(call, self.estate.tenant)
        return struck or after(call, identity.answer(request, self.tokens, self.clock.client_now()))

    def _barred(self, request: Request) -> Response | None:
        """Answer what stops a call before its handler: no token, wrong subscription, too many calls."""
        logs = _is_logs(request.path)
        audiences = LOGS_AUDIENCES if logs else ARM_AUDIENCES
        fault = self.tokens.fault(request, audiences, self.clock.client_now())
        if fault is not None or logs:
            return fault
        parts = request.path.strip("/").split("/")
        if parts[1].lower() != self.estate.subscription.lower():
            message = f"The subscription '{parts[1]}' could not be found."
            return plain_error(404, "SubscriptionNotFound", message)
        if "api-version" not in request.query:
            message = "The api-version query parameter (?api-version=) is required for all requests."
            return plain_error(400, "MissingApiVersionParameter", message)
        return self._throttle.take(request.method, self.world.now) or denied(request, self.estate)

    def _trace(self, request: Request) -> Trace:
        ids = self.world.ids
        given = request.headers.get("x-ms-client-request-id")
        return Trace(
            client_request_id=given or ids.fresh("client-request"),
            correlation_id=ids.fresh("correlation"),
        )

    def _dress(self, request: Request, response: Response, trace: Trace) -> Response:
        """Add the headers every answer of ARM carries."""
        if _is_logs(request.path) or request.path.lower() == identity.PATH:
            return self._dated(response)
        seconds, who = whole_seconds(self.world.now), self.world.ids.fixed("principal")
        routing = f"CENTRALUS:{self.world.now:%Y%m%dT%H%M%SZ}:{trace.correlation_id}"
        headers = [
            ("x-ms-client-request-id", trace.client_request_id),
            ("x-ms-correlation-request-id", trace.correlation_id),
            ("x-ms-routing-request-id", routing),
            ("Cache-Control", "no-cache"),
            ("Pragma", "no-cache"),
            ("Expires", "-1"),
            ("Strict-Transport-Security", "max-age=31536000; includeSubDomains"),
            ("X-Content-Type-Options", "nosniff"),
            ("X-Cache", "CONFIG_NOCACHE"),
            ("X-MSEdge-Ref", f"Ref A: {trace.correlation_id.replace('-', '').upper()} Ref C: {seconds}"),
            ("x-ms-operation-identifier", f"tenantId={self.estate.tenant},objectId={who}/{trace.correlation_id}"),
            ("Server", "Kestrel"),
            *self._throttle.headers(request.method),
        ]
        if response.header("x-ms-request-id") is None:
            stamp = plain_time(self.world.now)  # recorded: the caller's id and the time
            headers.append(("x-ms-request-id", f"{trace.client_request_id} {stamp}"))
        return self._dated(response.with_headers(*headers))

    def _dated(self, response: Response) -> Response:
        return response.with_headers(("Date", http_date(self.world.now)))

    def _start_running_jobs(self) -> None:
        """Start the jobs an estate says are running, as long ago as it says."""
        began = self.world.began
        for item in list(self.world.items.values()):
            running = item.machine.job
            if running is None:
                continue
            if not allows(item.state, running.act):
                raise ValueError(f"machine {item.name}: {running.act} cannot run in {item.state}")
            trace = Trace(
                client_request_id=running.client_request_id,
                correlation_id=self.world.ids.fresh("correlation"),
            )
            length = self.world.seconds(DURATION_NAMES[running.act], item.machine)
            self.world.now = began - length * running.progress
            begin(self.world, item, running.act, Wish(shut_down_source=True), trace)
        self.world.advance(began)


def _is_logs(path: str) -> bool:
    return path.lower().startswith((LOGS_PREFIX, "/v1/"))


def _routed_path(path: str) -> str:
    return path[len(LOGS_PREFIX) :] if path.lower().startswith(LOGS_PREFIX) else path

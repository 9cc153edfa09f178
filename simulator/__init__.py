"""A stateful Azure-to-Azure Site Recovery that any Azure SDK can talk to.

`Simulator` is the whole of it: a synchronous `handle(request) -> response` over one injected clock. `server`
serves it on loopback, `transport` puts it under an Azure SDK client without a socket. It knows nothing of the
application that is tested with it.
"""

from simulator.clock import Clock, ManualClock, ScaledClock
from simulator.core import Simulator
from simulator.estate import Estate, default_estate, load_estate
from simulator.faults import Fault, load_faults
from simulator.messages import Delivery, Request, Response

__all__ = [
    "Clock",
    "Delivery",
    "Estate",
    "Fault",
    "ManualClock",
    "Request",
    "Response",
    "ScaledClock",
    "Simulator",
    "default_estate",
    "load_estate",
    "load_faults",
]

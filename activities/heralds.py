"""Send heralds on their way, and ask what became of their errands.

A herald is an orchestration of its own and nobody's child: an orchestrator that ends waits for its children, and a
gate must not stay open because a channel is slow.
"""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime
from typing import Any, Final, Protocol

from activities.azure import Document
from domain import contract
from domain.contract import Errands
from domain.notices import Delivery, DeliveryStatus, Notice, Tidings, Told

_ENDED: Final = frozenset({"Failed", "Terminated", "Canceled"})


class Client(Protocol):
    """What is used of the durable client, which ships no types."""

    async def start_new(self, orchestration_function_name: str, instance_id: str, client_input: Any) -> str:
        """Start an orchestration."""
        ...

    async def get_status(self, instance_id: str) -> Any:
        """Give an instance's status; without an instance id when there is none."""
        ...


async def send_herald(request: Document, client: Any) -> Document:
    """Send a herald with a notice, unless one is under way with it or was; answers the name of the errand."""
    notice = Notice.from_wire(request)
    await _send(client, notice)
    return Errands(names=(notice.errand,)).to_wire()


async def _send(client: Client, notice: Notice) -> None:
    if (await client.get_status(notice.errand)).instance_id is None:
        await client.start_new(contract.HERALD, notice.errand, notice.to_wire())


async def ask_heralds(request: Document, client: Any) -> Document:
    """Say what became of errands by now; one that is still under way is said to be."""
    errands = Errands.from_wire(request)
    told = await asyncio.gather(*(_ask(client, name) for name in errands.names))
    return Tidings(told=dict(zip(errands.names, told, strict=True))).to_wire()


async def _ask(client: Client, name: str) -> tuple[Delivery, ...]:
    status = await client.get_status(name)
    state = getattr(status.runtime_status, "value", None)
    if state == "Completed":
        output = json.loads(status.output) if isinstance(status.output, str) else status.output
        return Told.from_wire(output).deliveries
    if state is None or state in _ENDED:
        became, words = DeliveryStatus.FAILED, f"no herald could be sent: {str(status.output)[:300]}"
    else:
        became, words = DeliveryStatus.TRYING, "it is still being tried"
    return (Delivery(notice=name, channel="all", status=became, words=words, at=datetime.now(UTC)),)

"""Where the faults of a call strike: before it is carried out, and after."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from simulator.acts import begin
from simulator.arm import key
from simulator.effects import Wish
from simulator.envelopes import Refused, Trace, not_found, plain_error
from simulator.estate import Act
from simulator.faults import FaultName, Occasion
from simulator.lifecycle import allows
from simulator.messages import Delivery, Response
from simulator.providers.identity import is_token
from simulator.rbac import action_of, authorization_failed
from simulator.throttle import too_many
from simulator.tokens import expired

if TYPE_CHECKING:
    from simulator.call import Call
    from simulator.faults import Fault
    from simulator.model import Item

_ACTS = {
    "testfailover": Act.TEST_FAILOVER,
    "testfailovercleanup": Act.TEST_FAILOVER_CLEANUP,
    "unplannedfailover": Act.FAILOVER,
    "applyrecoverypoint": Act.CHANGE_RECOVERY_POINT,
    "failovercommit": Act.COMMIT,
    "switchprotection": Act.REPROTECT,
    "failovercancel": Act.CANCEL_FAILOVER,
}
CLOSED = Response(status=0, delivery=Delivery.CLOSED)


def before(call: Call, tenant: str) -> Response | None:
    """Let what happens elsewhere happen, and answer the fault that strikes this call, if one does."""
    occasion = _occasion(call)
    _meddle(call, occasion)
    for name in _ANSWERS:
        fault = call.world.faults.strike(name, occasion, call.world.now)
        if fault is not None:
            return _answer(call, fault, tenant)
    return None


def after(call: Call, response: Response) -> Response:
    """Bend the answer of a call that was carried out."""
    world, occasion = call.world, _occasion(call)
    if world.faults.strike(FaultName.LOST_ANSWER, occasion, world.now):
        return CLOSED
    if world.faults.strike(FaultName.ERROR_AFTER_ACCEPTED, occasion, world.now):
        return plain_error(500, "InternalServerError", "The server encountered an internal error.")
    slow = world.faults.strike(FaultName.SLOW, occasion, world.now)
    return replace(response, delay=timedelta(seconds=slow.delay)) if slow else response


def _occasion(call: Call) -> Occasion:
    path, params = call.request.path, call.params
    last = path.rstrip("/").rsplit("/", 1)[-1].lower()
    act = _ACTS.get(last) if call.request.method == "POST" else None
    item = params.get("item")
    if last == "switchprotection":
        item = _switched(call)
    # a token is not what a fault of any call is meant for
    token = is_token(call.request)
    return Occasion(method=call.request.method, path=path, act=act, item=item, by_path_only=token)


def _switched(call: Call) -> str | None:
    try:
        properties = call.request.json().get("properties")
    except ValueError:
        return None
    named = properties.get("replicationProtectedItemName") if isinstance(properties, dict) else None  # pyright: ignore[reportUnknownVariableType, reportUnknownMemberType]
    return str(named) if named else None  # pyright: ignore[reportUnknownArgumentType]


def _meddle(call: Call, occasion: Occasion) -> None:
    """Do what somebody else does to the item just before this call."""
    world, item = call.world, _item(call, occasion)
    if item is None:
        return
    if world.faults.strike(FaultName.ITEM_DISAPPEARS, occasion, world.now):
        world.drop(item)
        return
    fault = world.faults.strike(FaultName.SOMEBODY_STARTS_A_JOB, occasion, world.now)
    act = fault.start or Act.TEST_FAILOVER if fault else None
    if act and item.holder is None and allows(item.state, act):
        stranger = Trace(
            client_request_id=world.ids.fresh("portal"),
            correlation_id=world.ids.fresh("correlation"),
        )
        begin(world, item, act, Wish(), stranger)


def _item(call: Call, occasion: Occasion) -> Item | None:
    if not occasion.item or "container" not in call.params:
        return None
    try:
        return call.world.items.get(key(call.site().item_id(occasion.item)))
    except Refused:
        return None


_ANSWERS = (
    FaultName.CONNECTION_CLOSED,
    FaultName.THROTTLED,
    FaultName.SERVER_ERROR,
    FaultName.UNAVAILABLE,
    FaultName.TOKEN_EXPIRED,
    FaultName.AUTHORIZATION_FAILED,
    FaultName.LINKED_AUTHORIZATION_FAILED,
    FaultName.SCOPE_LOCKED,
    FaultName.NOT_FOUND,
)


def _answer(call: Call, fault: Fault, tenant: str) -> Response:
    """Write the answer of a fault that strikes before anything is done."""
    scope = call.request.path
    linked = (
        f"The client has permission to perform the action on the scope '{scope}', however it does "
        "not have permission to perform an action on a linked scope, or the linked scope is invalid."
    )
    locked = f"The scope '{scope}' cannot perform the operation because it is locked."
    internal = "The server encountered an internal error. Please retry the request."
    answers = {
        FaultName.CONNECTION_CLOSED: CLOSED,
        FaultName.THROTTLED: too_many(fault.retry_after),
        FaultName.SERVER_ERROR: plain_error(500, "InternalServerError", internal),
        FaultName.UNAVAILABLE: plain_error(503, "ServerUnavailable", "The service is unavailable."),
        FaultName.TOKEN_EXPIRED: expired(tenant),
        FaultName.AUTHORIZATION_FAILED: authorization_failed(action_of(call.request), scope),
        FaultName.LINKED_AUTHORIZATION_FAILED: plain_error(403, "LinkedAuthorizationFailed", linked),
        FaultName.SCOPE_LOCKED: plain_error(409, "ScopeLocked", locked),
        FaultName.NOT_FOUND: not_found(scope.rsplit("/", 1)[-1], call.trace),
    }
    return answers[fault.name]

"""Approved machines are checked again on what Azure says now."""

from __future__ import annotations

import pytest

from activities.make_plan import plan_for
from activities.recheck import recheck_for
from domain.errors import Transient
from domain.journey import Journey
from domain.recheck import RecheckRequest, seen_of
from domain.request import FailbackRequest
from tests.rehearsal import NAME, VAULT, Rehearsal


def asked(rehearsal: Rehearsal) -> RecheckRequest:
    request = FailbackRequest.from_wire({"vault": VAULT, "machines": [NAME]})
    plan = plan_for(rehearsal.azure, request)
    seen = {each.name: seen_of(plan, Journey(subject=each, item_id=each.item_id)) for each in plan.subjects}
    return RecheckRequest(request=request, seen=seen)


def test_what_is_as_it_was_is_not_told_and_what_changed_is() -> None:
    rehearsal = Rehearsal()
    request = asked(rehearsal)
    assert recheck_for(rehearsal.azure, request).changed == {}
    otherwise = request.having(seen={NAME: request.seen[NAME].having(state="elsewhere")})
    assert "it was elsewhere" in recheck_for(rehearsal.azure, otherwise).changed[NAME].why[0]


def test_a_vault_that_may_not_be_read_now_is_asked_again() -> None:
    rehearsal = Rehearsal()
    request = asked(rehearsal)
    rehearsal.fault("authorization-failed", times=None)
    with pytest.raises(Transient):
        recheck_for(rehearsal.azure, request)

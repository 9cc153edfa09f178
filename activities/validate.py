"""Judge one machine that was brought up: does it exist, run, and report?"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Final

from activities import refusals
from activities.azure import Document, azure
from domain.contract import Check, Validation, ValidationOrder, Verdict
from domain.errors import FailbackError, bounded
from domain.machine import last_segment
from gateway.azure import Azure
from gateway.compute import VirtualMachine

# The worst verdict of its checks is the machine's.
_WORST_FIRST: Final = (Verdict.FAILED, Verdict.PENDING, Verdict.WARNED)


log = logging.getLogger(__name__)


def validate(request: Document) -> Document:
    """Judge a machine; what time may still mend, Azure's own troubles included, is pending."""
    order = ValidationOrder.from_wire(request)
    try:
        return judge(azure(), order).to_wire()
    except Exception as error:
        # Raising would break the stage, and with it every other machine's act.
        log.exception("validate failed on %s", order.machine)
        check = _pending(order, "validation", refusals.defect(error).what)
        return Validation(
            machine=order.machine, verdict=Verdict.PENDING, as_of=azure().now(), checks=(check,)
        ).to_wire()


def judge(azure: Azure, order: ValidationOrder) -> Validation:
    """Check the machine in Compute, and its heartbeat when that is asked for."""
    checks = (*_in_compute(azure, order), *_in_logs(azure, order))
    found = {check.verdict for check in checks}
    verdict = next((each for each in _WORST_FIRST if each in found), Verdict.PASSED)
    return Validation(machine=order.machine, verdict=verdict, as_of=azure.now(), checks=checks)


def _in_compute(azure: Azure, order: ValidationOrder) -> Iterator[Check]:
    name = "virtual machine"
    if order.vm_id is None:
        yield _pending(order, name, "Site Recovery does not name the machine it made yet")
        return
    try:
        vm = azure.compute.virtual_machine(order.vm_id)
    except FailbackError as error:
        yield _pending(order, name, f"Compute could not be read: {error}")
        return
    if vm is None:
        yield _pending(order, name, f"Compute does not know {last_segment(order.vm_id)} yet")
        return
    yield _named(order, vm)
    yield _provisioned(order, vm)
    yield _running(order, vm)
    yield _agent(order, vm)


def _named(order: ValidationOrder, vm: VirtualMachine) -> Check:
    """Site Recovery gives another name when the old one is taken (its warning 28175)."""
    if vm.name.casefold() == order.vm_name.casefold():
        return _passed(order, "virtual machine", f"{vm.name} in {vm.location}")
    return Check(
        name="virtual machine",
        verdict=Verdict.WARNED,
        evidence=f"came up in {vm.location} as {vm.name}, not as {order.vm_name}",
        remedy="the old name was taken: check what else relies on it",
        about=order.machine,
    )


def _provisioned(order: ValidationOrder, vm: VirtualMachine) -> Check:
    evidence = f"provisioning state {vm.provisioning or 'unknown'}"
    if vm.provisioning == "Failed":
        return Check(
            name="provisioning",
            verdict=Verdict.FAILED,
            evidence=evidence,
            remedy="read the machine's activity log, then redeploy it or choose another recovery point",
            about=order.machine,
        )
    done = vm.provisioning == "Succeeded"
    return _passed(order, "provisioning", evidence) if done else _pending(order, "provisioning", evidence)


def _running(order: ValidationOrder, vm: VirtualMachine) -> Check:
    evidence = f"power state {vm.power or 'unknown'}"
    return _passed(order, "power", evidence) if vm.power == "running" else _pending(order, "power", evidence)


def _agent(order: ValidationOrder, vm: VirtualMachine) -> Check:
    evidence = f"agent {vm.agent or 'has not reported'}"
    if vm.agent == "Ready":
        return _passed(order, "guest agent", evidence)
    return _pending(order, "guest agent", f"{evidence} {vm.agent_words}".rstrip())


def _in_logs(azure: Azure, order: ValidationOrder) -> Iterator[Check]:
    if not order.heartbeat or order.vm_id is None:
        return
    try:
        last = azure.logs.last_heartbeat(order.vm_id, order.since)
    except FailbackError as error:
        yield _pending(order, "heartbeat", f"Log Analytics could not be read: {error}")
        return
    if last is None:
        yield _pending(order, "heartbeat", f"none since {order.since:%F %TZ}")
    else:
        yield _passed(order, "heartbeat", f"last at {last:%F %TZ}")


def _passed(order: ValidationOrder, name: str, evidence: str) -> Check:
    return Check(name=name, verdict=Verdict.PASSED, evidence=evidence, about=order.machine)


def _pending(order: ValidationOrder, name: str, evidence: str) -> Check:
    return Check(name=name, verdict=Verdict.PENDING, evidence=bounded(evidence), about=order.machine)

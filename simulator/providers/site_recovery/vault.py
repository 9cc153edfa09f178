"""What concerns a vault as a whole: health, alert settings, events, settings."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict, Field

from simulator.envelopes import accepted, listing, not_found
from simulator.jobs import Job, JobState
from simulator.lifecycle import State
from simulator.messages import Response, json_response
from simulator.operations import start_operation
from simulator.scenarios import VAULT_HEALTH
from simulator.times import ticks

if TYPE_CHECKING:
    from simulator.call import Call
    from simulator.messages import JsonObject
    from simulator.model import Item

_ROOT = "Microsoft.RecoveryServices/vaults"
REFRESH = timedelta(seconds=1)
ALERT_SETTING = "defaultAlertSetting"


class _Alerts(BaseModel):
    model_config = ConfigDict(extra="forbid")

    sendToOwners: str = "DoNotSend"  # noqa: N815 - the wire's own name
    customEmailAddresses: list[str] = Field(default_factory=list[str])  # noqa: N815
    locale: str = "en-US"


class _AlertBody(BaseModel):
    properties: _Alerts


def list_alert_settings(call: Call) -> Response:
    """List the one alert setting a vault has."""
    return listing([_alert_setting(call)])


def get_alert_setting(call: Call) -> Response:
    """Read the alert setting."""
    if call.params["setting"].lower() != ALERT_SETTING.lower():
        return not_found(call.params["setting"], call.trace)
    return json_response(_alert_setting(call))


def put_alert_setting(call: Call) -> Response:
    """Set who is told; answers 200 at once (recorded)."""
    if call.params["setting"].lower() != ALERT_SETTING.lower():
        return not_found(call.params["setting"], call.trace)
    given = call.body(_AlertBody).properties
    call.world.settings[call.vault().id] = given.model_dump()
    return json_response(_alert_setting(call))


def _alert_setting(call: Call) -> JsonObject:
    vault = call.vault()
    return {
        "name": ALERT_SETTING,
        "type": f"{_ROOT}/replicationAlertSettings",
        "id": f"{vault.id}/replicationAlertSettings/{ALERT_SETTING}",
        "properties": call.world.settings.get(vault.id, _Alerts().model_dump()),
    }


def get_health(call: Call) -> Response:
    """Read the vault's health, counted from its items."""
    vault = call.vault()
    items = call.world.items_of(vault)
    none: JsonObject = {"resourceCount": 2, "issues": [], "categorizedResourceCounts": None}
    return json_response(
        {
            "name": "Default",
            "type": f"{_ROOT}/replicationVaultHealth",
            "id": f"{vault.id}/replicationVaultHealth/Default",
            "properties": {
                "vaultErrors": [],
                "protectedItemsHealth": {
                    "resourceCount": len(items),
                    "issues": [],
                    "categorizedResourceCounts": _counts(items),
                },
                "fabricsHealth": none,
                "containersHealth": none,
            },
        }
    )


def _counts(items: list[Item]) -> JsonObject:
    ready = {State.PROTECTED, State.TEST_FAILOVER_CLEANED, State.TEST_FAILOVER_WAITING}
    testing = [i for i in items if i.holder and i.holder.scenario.name == "TestFailover"]
    untested = [i for i in items if i.state in ready and not i.tested]
    return {
        "testFailoverApplicableProtectedItemsCount": sum(i.state in ready for i in items),
        "testFailoverInProgressProtectedItemsCount": len(testing),
        "testFailoverWaitingProtectedItemsCount": sum(i.state is State.TEST_FAILOVER_WAITING for i in items),
        "protectedItemsCriticalCount": 0,
        "protectedItemsWarningCount": 0,
        "protectedItemsNeutralCount": 0,
        "protectedItemsTestFailoverCriticalCount": 0,
        "protectedItemsTestFailoverWarningCount": len(untested),
        "protectedItemsConfigurationCriticalCount": 0,
        "protectedItemsConfigurationWarningCount": 0,
        "protectedItemsFailoverHealthCriticalCount": 0,
        "protectedItemsFailoverHealthWarningCount": len(untested),
    }


def refresh_health(call: Call) -> Response:
    """Start a refresh of the vault's health, a job of one second (recorded)."""
    job = start_operation(call, VAULT_HEALTH, REFRESH, listed=True)
    scope = f"{call.vault().id}/replicationVaultHealth"
    return accepted(call.request, job, scope, signed=call.world.estate.signed_urls)


def health_result(call: Call) -> Response:
    """Answer the health once its refresh is over, 202 before."""
    job = call.world.operations.get(call.params["operation"].lower())
    if job is None:
        return not_found(call.params["operation"], call.trace)
    if job.over(call.world.now):
        return get_health(call)
    scope = f"{call.vault().id}/replicationVaultHealth"
    return accepted(call.request, job, scope, signed=call.world.estate.signed_urls)


def list_events(call: Call) -> Response:
    """List the vault's events: one for each job that failed."""
    return listing([_event(call, job) for job in _failed(call)])


def get_event(call: Call) -> Response:
    """Read one event."""
    for job in _failed(call):
        if _event_name(call, job) == call.params["event"].lower():
            return json_response(_event(call, job))
    return not_found(call.params["event"], call.trace)


def _failed(call: Call) -> list[Job]:
    vault, now = call.vault(), call.world.now
    jobs = reversed(call.world.jobs.values())
    return [j for j in jobs if j.vault_id == vault.id and j.state(now) is JobState.FAILED]


def _event_name(call: Call, job: Job) -> str:
    return call.world.ids.fixed("event", job.id)


def _event(call: Call, job: Job) -> JsonObject:
    """Write an event as the models shape it; invented: which events there are, only an empty list was recorded."""
    vault, name = call.vault(), _event_name(call, job)
    first = job.errors[0] if job.errors else None
    return {
        "id": f"{vault.id}/replicationEvents/{name}",
        "name": name,
        "type": f"{_ROOT}/replicationEvents",
        "properties": {
            "eventCode": f"{job.scenario.name}Failed",
            "description": first.message if first else "",
            "eventType": "JobStatus",
            "affectedObjectFriendlyName": job.target_name,
            "affectedObjectCorrelationId": job.correlation_id,
            "severity": "Critical",
            "timeOfOccurrence": ticks(job.ends or job.started),
            "fabricId": None,
            "healthErrors": [],
            "providerSpecificDetails": {
                "instanceType": "A2A",
                "protectedItemName": job.target_name,
            },
            "eventSpecificDetails": {
                "instanceType": "JobStatus",
                "jobId": job.arm_id(),
                "jobFriendlyName": job.scenario.friendly_name,
                "jobStatus": "Failed",
                "affectedObjectType": job.target_type,
            },
        },
    }

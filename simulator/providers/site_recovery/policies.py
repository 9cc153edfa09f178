"""Replication policies, and the mappings of containers that follow them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from simulator.arm import key, last_segment
from simulator.envelopes import Refused, listing, not_found
from simulator.messages import Response, json_response
from simulator.model import Mapping, Policy
from simulator.operations import Target
from simulator.providers.site_recovery.fabrics import CONTAINER, ROOT
from simulator.providers.site_recovery.setting_up import about_containers, bad, only_azure, set_up
from simulator.setup_scenarios import (
    CREATE_POLICY,
    MAP_CONTAINERS,
    REMOVE_POLICY,
    UNMAP_CONTAINERS,
    UPDATE_POLICY,
)

if TYPE_CHECKING:
    from simulator.call import Call
    from simulator.messages import JsonObject


class _Wire(BaseModel):
    model_config = ConfigDict(extra="allow", alias_generator=to_camel, populate_by_name=True)


class _PolicyInput(_Wire):
    instance_type: str = ""
    recovery_point_history: int = Field(default=1440, ge=0)
    crash_consistent_frequency_in_minutes: int = Field(default=5, ge=5)
    app_consistent_frequency_in_minutes: int = Field(default=0, ge=0)
    multi_vm_sync_status: str = "Enable"


class _PolicyProperties(_Wire):
    provider_specific_input: _PolicyInput = Field(default_factory=_PolicyInput)


class PolicyBody(_Wire):
    """The body that creates a policy."""

    properties: _PolicyProperties


class _PolicyChange(_Wire):
    replication_provider_settings: _PolicyInput = Field(default_factory=_PolicyInput)


class PolicyChangeBody(_Wire):
    """The body that changes a policy."""

    properties: _PolicyChange


class _MappingInput(_Wire):
    agent_auto_update_status: str | None = None
    automation_account_arm_id: str | None = None


class _MappingProperties(_Wire):
    target_protection_container_id: str = ""
    policy_id: str = ""
    provider_specific_input: _MappingInput = Field(default_factory=_MappingInput)


class MappingBody(_Wire):
    """The body that maps two containers."""

    properties: _MappingProperties


def list_policies(call: Call) -> Response:
    """List the replication policies."""
    return listing([_policy(policy) for policy in call.vault().policies.values()])


def get_policy(call: Call) -> Response:
    """Read one replication policy."""
    return json_response(_policy(_find_policy(call)))


def create_policy(call: Call) -> Response:
    """Create a policy, or give it other times; invented: that creating a policy again changes it."""
    given, vault = call.body(PolicyBody).properties.provider_specific_input, call.vault()
    only_azure(call, given.instance_type, "A2A", "a replication policy")
    name = call.params["policy"]
    guid = call.world.ids.fixed("policy", vault.id, name)
    blank = Policy(vault_id=vault.id, name=name, guid=guid, history=0, app_consistent_every=0)
    policy = _with(vault.policy(name) or blank, given)
    return set_up(call, CREATE_POLICY, _about(policy), policy.id, lambda: _put(call, policy))


def update_policy(call: Call) -> Response:
    """Change a policy's times."""
    given = call.body(PolicyChangeBody).properties.replication_provider_settings
    policy = _with(_find_policy(call), given)
    return set_up(call, UPDATE_POLICY, _about(policy), policy.id, lambda: _put(call, policy))


def _put(call: Call, policy: Policy) -> None:
    """Let a policy be so for what is mapped with it and protected by it."""
    vault = call.vault()
    vault.policies[key(policy.id)] = policy
    for name, mapping in vault.mappings.items():
        if mapping.policy.id == policy.id:
            vault.mappings[name] = replace(mapping, policy=policy)
    for item in call.world.items_of(vault):
        if item.policy.id == policy.id:
            item.policy = policy


def remove_policy(call: Call) -> Response:
    """Remove a policy that nothing is mapped with."""
    vault, policy = call.vault(), _find_policy(call)
    if any(mapping.policy.id == policy.id for mapping in vault.mappings.values()):
        raise bad(call, "PolicyInUse", f"The policy '{policy.name}' is associated with containers.")
    return set_up(
        call,
        REMOVE_POLICY,
        _about(policy),
        policy.id,
        lambda: vault.policies.pop(key(policy.id), None),
        names_job=False,  # recorded: its request id is the caller's own and the time
        reads_late=False,
    )


def list_mappings(call: Call) -> Response:
    """List the mappings of a container, or of the vault; those to a container are listed too (recorded)."""
    found = call.vault().mappings.values()
    if "container" in call.params:
        here = call.site().container_id
        found = [m for m in found if here in {m.source.container_id, m.target.container_id}]
    return listing([_mapping(mapping) for mapping in found])


def get_mapping(call: Call) -> Response:
    """Read one container mapping."""
    return json_response(_mapping(_find_mapping(call)))


def create_mapping(call: Call) -> Response:
    """Map a container to another under a policy."""
    given, vault, source = call.body(MappingBody).properties, call.vault(), call.site()
    target = vault.containers.get(key(given.target_protection_container_id))
    policy = vault.policies.get(key(given.policy_id))
    if target is None or policy is None or target.container_id == source.container_id:
        raise bad(call, "InvalidMapping", "The target container and the policy must be of this vault.")
    mapping = Mapping(
        name=call.params["mapping"],
        source=source,
        target=target,
        policy=policy,
        agent_auto_update=given.provider_specific_input.agent_auto_update_status or "Disabled",
        automation_account_id=given.provider_specific_input.automation_account_arm_id,
    )
    return _mapped(call, mapping)


def update_mapping(call: Call) -> Response:
    """Change whether a mapping's agents are updated by themselves."""
    given, mapping = call.body(MappingBody).properties.provider_specific_input, _find_mapping(call)
    changed = replace(
        mapping,
        agent_auto_update=given.agent_auto_update_status or mapping.agent_auto_update,
        automation_account_id=given.automation_account_arm_id or mapping.automation_account_id,
    )
    return _mapped(call, changed)


def _mapped(call: Call, mapping: Mapping) -> Response:
    vault = call.vault()
    about = about_containers(mapping.source, mapping.target)
    return set_up(
        call,
        MAP_CONTAINERS,
        replace(_about(mapping.policy), affected=about),
        mapping.id,
        lambda: vault.mappings.update({key(mapping.id): mapping}),
        length=call.world.seconds("map_containers"),
    )


def remove_mapping(call: Call) -> Response:
    """Remove a mapping that no item relies on."""
    vault, mapping = call.vault(), _find_mapping(call)
    sides = (mapping.source.container_id, mapping.target.container_id)
    if any((i.source.container_id, i.target.container_id) == sides for i in call.world.items_of(vault)):
        raise bad(call, "MappingInUse", f"Machines are replicated by the mapping '{mapping.name}'.")
    return set_up(
        call,
        UNMAP_CONTAINERS,
        replace(_about(mapping.policy), affected=about_containers(mapping.source, mapping.target)),
        mapping.id,
        lambda: vault.mappings.pop(key(mapping.id), None),
        reads_late=False,
    )


def _find_policy(call: Call) -> Policy:
    found = call.vault().policy(call.params["policy"])
    if found is None:
        raise Refused(not_found(call.params["policy"], call.trace))
    return found


def _find_mapping(call: Call) -> Mapping:
    site, wanted = call.site(), call.params["mapping"]
    at = f"{site.container_id}/replicationProtectionContainerMappings/{last_segment(wanted)}"
    found = call.vault().mappings.get(key(at))
    if found is None:
        raise Refused(not_found(wanted, call.trace))
    return found


def _about(policy: Policy) -> Target:
    return Target(kind="ProtectionProfile", object_id=policy.guid, name=policy.name)


def _with(policy: Policy, given: _PolicyInput) -> Policy:
    return replace(
        policy,
        history=given.recovery_point_history,
        app_consistent_every=given.app_consistent_frequency_in_minutes,
        crash_consistent_every=given.crash_consistent_frequency_in_minutes,
        multi_vm_sync="Enabled" if given.multi_vm_sync_status == "Enable" else "Disabled",
    )


def _mapping(mapping: Mapping) -> JsonObject:
    return {
        "id": mapping.id,
        "name": mapping.name,
        "type": f"{CONTAINER}/replicationProtectionContainerMappings",
        "properties": {
            "targetProtectionContainerId": mapping.target.container_id,
            "targetProtectionContainerFriendlyName": mapping.target.container,
            "providerSpecificDetails": {
                "instanceType": "A2A",
                "agentAutoUpdateStatus": mapping.agent_auto_update,
                "automationAccountAuthenticationType": "RunAsAccount",
                "automationAccountArmId": mapping.automation_account_id,
                "scheduleName": None,
                "jobScheduleName": None,
            },
            "health": "Normal",
            "healthErrorDetails": [],
            "policyId": mapping.policy.id,
            "state": "Paired",
            "sourceProtectionContainerFriendlyName": mapping.source.container,
            "sourceFabricFriendlyName": mapping.source.region_name,
            "targetFabricFriendlyName": mapping.target.region_name,
            "policyFriendlyName": mapping.policy.name,
        },
    }


def _policy(policy: Policy) -> JsonObject:
    return {
        "id": policy.id,
        "name": policy.name,
        "type": f"{ROOT}/replicationPolicies",
        "properties": {
            "friendlyName": policy.name,
            "providerSpecificDetails": {
                "instanceType": "A2A",
                "recoveryPointThresholdInMinutes": policy.threshold,
                "recoveryPointHistory": policy.history,
                "appConsistentFrequencyInMinutes": policy.app_consistent_every,
                "multiVmSyncStatus": policy.multi_vm_sync,
                "crashConsistentFrequencyInMinutes": policy.crash_consistent_every,
            },
        },
    }
